"""Parallel ranges: each index once, errors arrive, and neither nesting nor fork nor many callers can block."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshguard.kernels._parallel import over_ranges, part_bounds, side_by_side, thread_count


@pytest.fixture(params=["1", "2", "7"])
def threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """A number of threads, asked for as a user does."""
    monkeypatch.setenv("MESHGUARD_THREADS", request.param)
    return int(request.param)


def run_alone(code: str, *, threads: int = 2) -> str:
    """What a fresh interpreter prints; a blocked one fails by its time limit."""
    environment = {**os.environ, "MESHGUARD_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@given(length=st.integers(0, 10**7), grain=st.integers(0, 10**6))
def test_ranges_cover_everything_once_and_are_not_too_small(length: int, grain: int) -> None:
    bounds = part_bounds(length, grain=grain)

    assert bounds[0] == 0 and bounds[-1] == length
    sizes = [hi - lo for lo, hi in pairwise(bounds)]
    assert len(sizes) <= thread_count()
    assert len(sizes) == 1 or min(sizes) >= max(grain, 1)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 100, 100_001])
@pytest.mark.parametrize("grain", [1, 10, 10**9])
def test_every_index_is_visited_once(threads: int, length: int, grain: int) -> None:
    visits = np.zeros(length, np.int64)
    ranges: list[tuple[int, int]] = []

    def visit(lo: int, hi: int) -> None:
        visits[lo:hi] += 1
        ranges.append((lo, hi))

    over_ranges(length, visit, grain=grain)

    assert (visits == 1).all()
    assert len(ranges) <= threads


def test_no_task_and_one_task(threads: int) -> None:
    ran: list[int] = []
    side_by_side([])
    side_by_side([lambda: ran.append(1)])

    assert ran == [1]


def test_the_first_error_by_order_is_raised_after_all_have_ended(threads: int) -> None:
    ended: list[int] = []

    def task(number: int) -> None:
        time.sleep(0.01 * (5 - number))
        ended.append(number)
        if number in (2, 4):
            raise ValueError(f"task {number}")

    with pytest.raises(ValueError, match="task 2"):
        side_by_side([lambda number=number: task(number) for number in range(5)])  # type: ignore[misc]

    assert 2 in ended
    if threads > 1:
        assert sorted(ended) == [0, 1, 2, 3, 4]


def test_an_error_on_the_callers_thread_waits_for_the_others(threads: int) -> None:
    if threads == 1:
        pytest.skip("with one thread the others never begin")
    ended = threading.Event()

    def slow() -> None:
        time.sleep(0.05)
        ended.set()

    with pytest.raises(KeyError, match="first"):
        side_by_side([lambda: {"any": 1}["first"], slow])

    assert ended.is_set()


@pytest.mark.parametrize("threads", [2, 3])
def test_nested_calls_do_not_wait_for_each_other(threads: int) -> None:
    code = (
        "from meshguard.kernels._parallel import over_ranges\n"
        "import time\n"
        "seen = []\n"
        "def inner(lo, hi):\n    time.sleep(0.01); seen.extend(range(lo, hi))\n"
        "def outer(lo, hi):\n    over_ranges(8, inner, grain=1)\n"
        "def outmost(lo, hi):\n    over_ranges(4, outer, grain=1)\n"
        "over_ranges(4, outmost, grain=1)\n"
        "print(len(seen) % 8, len(seen) > 0)\n"
    )

    assert run_alone(code, threads=threads) == "0 True\n"


def test_many_callers_at_once(threads: int) -> None:
    def total(_: int) -> int:
        parts: list[int] = []
        over_ranges(1000, lambda lo, hi: parts.append(sum(range(lo, hi))), grain=1)
        return sum(parts)

    with ThreadPoolExecutor(8) as callers:
        assert set(callers.map(total, range(50))) == {499_500}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_child_makes_its_own_pool() -> None:
    code = (
        "import os, warnings\n"
        "warnings.simplefilter('ignore')\n"
        "from meshguard.kernels._parallel import over_ranges\n"
        "seen = []\n"
        "over_ranges(4, lambda lo, hi: seen.append(hi - lo), grain=1)\n"
        "child = os.fork()\n"
        "seen.clear()\n"
        "over_ranges(4, lambda lo, hi: seen.append(hi - lo), grain=1)\n"
        "if child == 0:\n    os._exit(0 if sum(seen) == 4 else 1)\n"
        "print(sum(seen), os.waitpid(child, 0)[1])\n"
    )

    assert run_alone(code) == "4 0\n"


def test_it_still_works_while_the_interpreter_ends() -> None:
    code = (
        "import atexit, threading\n"
        "from meshguard.kernels._parallel import over_ranges\n"
        "seen = []\n"
        "def late():\n"
        "    over_ranges(4, lambda lo, hi: seen.append(hi - lo), grain=1)\n"
        "    print(sum(seen))\n"
        "atexit.register(late)\n"
    )

    assert run_alone(code) == "4\n"


@pytest.mark.parametrize(("asked", "count"), [("3", 3), ("0", None), ("", None), ("many", None), ("-1", None)])
def test_the_setting(monkeypatch: pytest.MonkeyPatch, asked: str, count: int | None) -> None:
    monkeypatch.setenv("MESHGUARD_THREADS", asked)

    assert thread_count() == count if count else thread_count() >= 1
