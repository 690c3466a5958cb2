"""Several files at the same time: the order, the bytes, and an end that nobody waits for."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

import meshguard
from meshguard.cli import commands
from meshguard.cli.jobs import AHEAD, in_order
from tests import mutations, shapes

if TYPE_CHECKING:
    from meshguard.budget import Progress


def quiet(_done: int, _total: int, _what: str) -> None:
    """Nothing to see."""


@pytest.mark.parametrize("n_jobs", [1, 2, 7])
def test_results_come_in_the_order_of_the_items(n_jobs: int) -> None:
    def task(item: int, _between_steps: Progress) -> int:
        time.sleep(0.001 * (item % 3))
        return -item

    assert list(in_order(task, range(30), n_jobs, quiet)) == [-item for item in range(30)]


def test_one_that_works_alone_reports_its_steps() -> None:
    steps: list[str] = []

    def task(item: str, between_steps: Progress) -> str:
        between_steps(0, 1, item)
        return item

    assert list(in_order(task, "abc", 1, lambda _done, _total, what: steps.append(what))) == ["a", "b", "c"]
    assert steps == ["a", "b", "c"]


def test_what_fails_fails_in_its_place() -> None:
    def task(item: int, _between_steps: Progress) -> int:
        return 6 // item

    results = in_order(task, [1, 2, 0, 3], 2, quiet)

    assert [next(results), next(results)] == [6, 3]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_a_slow_first_one_does_not_pile_up_what_follows() -> None:
    begun: list[int] = []
    first_may_end = threading.Event()

    def task(item: int, _between_steps: Progress) -> int:
        begun.append(item)
        if item == 0:
            assert first_may_end.wait(30)
        return item

    results = in_order(task, range(100), 2, quiet)
    threading.Timer(0.2, first_may_end.set).start()

    assert next(results) == 0
    assert len(begun) <= AHEAD * 2
    assert list(results) == list(range(1, 100))


def test_an_early_end_stops_what_has_begun_and_begins_nothing_else() -> None:
    ended: list[int] = []
    begun: list[int] = []

    def task(item: int, between_steps: Progress) -> int:
        begun.append(item)
        try:
            while item:
                time.sleep(0.005)
                between_steps(0, 1, "")
        finally:
            ended.append(item)
        return item

    with closing(in_order(task, range(50), 2, quiet)) as results:
        assert next(results) == 0
    deadline = time.monotonic() + 30
    while sorted(ended) != sorted(begun) and time.monotonic() < deadline:
        time.sleep(0.01)

    assert sorted(ended) == sorted(begun)
    assert len(begun) <= 1 + 2


@pytest.mark.parametrize("options", [[], ["-q"], ["--format", "json"], ["--format", "markdown", "--paths"]])
def test_the_output_does_not_show_how_many_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for number, mesh in enumerate((shapes.grid(), mutations.flipped_face(), shapes.cube(), mutations.fin())):
        meshguard.save(mesh, f"{number}.stl")
    Path("4.stl").write_bytes(b"")
    alone, together = (CliRunner().invoke(commands, ["validate", *options, ".", "-j", jobs]) for jobs in ("1", "3"))

    assert alone.exit_code == together.exit_code == 2
    assert together.stdout == alone.stdout != ""
    assert together.stderr == alone.stderr != ""
