"""Parallel ranges: each index once, errors arrive, and neither nesting nor fork nor many callers can block."""

from __future__ import annotations

import itertools
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

from meshguard.kernels._parallel import in_blocks, over_ranges, part_bounds, side_by_side, thread_count
from meshguard.watch import look, watched


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
    workers: set[int] = set()

    def visit(lo: int, hi: int) -> None:
        visits[lo:hi] += 1
        workers.add(threading.get_ident())

    over_ranges(length, visit, grain=grain)

    assert (visits == 1).all()
    assert len(workers) <= threads


@given(length=st.integers(1, 300), first=st.integers(1, 100), blocks=st.lists(st.floats(0, 10), min_size=1))
def test_blocks_are_consecutive_and_as_large_as_time_allows(length: int, first: int, blocks: list[float]) -> None:
    now, seconds = 0.0, itertools.cycle(blocks)
    sizes: list[int] = []
    taken: list[float] = []

    def work(lo: int, hi: int) -> None:
        nonlocal now
        assert lo == sum(sizes)
        sizes.append(hi - lo)
        taken.append(next(seconds) + 1e-3)
        now += taken[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("meshguard.kernels._parallel.time.perf_counter", lambda: now)
        in_blocks(0, length, work, first=first)

    assert sum(sizes) == length and sizes[0] == min(first, length) and min(sizes) >= 1
    for size, larger, duration in zip(sizes[:-1], sizes[1:], taken, strict=False):
        assert larger <= max(1, 8.1 * size, size * 0.051 / duration)
        assert duration < 0.06 or larger <= max(1, size)


class TestEnding:
    """A call is ended from outside, by whoever watches over it or by Ctrl-C."""

    def test_nobody_watches(self) -> None:
        look()

    def test_a_watch_ends_the_blocks_of_a_range(self, threads: int) -> None:
        looks = itertools.count()

        def watch() -> None:
            if next(looks) > 20:
                raise TimeoutError("enough")

        done: list[int] = []

        def work(lo: int, hi: int) -> None:
            done.append(hi - lo)
            time.sleep(0.06)

        with watched(watch), pytest.raises(TimeoutError, match="enough"):
            over_ranges(10**6, work, grain=1)
        look()

        assert 0 < sum(done) < 10**6

    @pytest.mark.parametrize("place", [0, 1])
    def test_what_ends_one_task_ends_all(self, threads: int, place: int) -> None:
        if threads == 1:
            pytest.skip("with one thread the others never begin")
        begun, main = threading.Event(), threading.get_ident()

        def watch() -> None:
            if begun.is_set() and (threading.get_ident() == main) == (place == 0):
                raise KeyError("ended")

        def endless() -> None:
            while True:
                look()
                begun.set()

        with watched(watch), pytest.raises(KeyError, match="ended"):
            side_by_side([endless, endless])

    def test_the_caller_looks_up_while_it_waits(self) -> None:
        if thread_count() == 1:
            pytest.skip("with one thread the others never begin")
        main, done = threading.get_ident(), threading.Event()

        def watch() -> None:
            if threading.get_ident() == main and done.is_set():
                raise KeyError("cancelled")

        def endless() -> None:
            while threading.get_ident() != main:
                look()

        def finish() -> None:
            time.sleep(0.02)
            done.set()

        with watched(watch), pytest.raises(KeyError, match="cancelled"):
            side_by_side([finish, endless])

    def test_a_tasks_own_error_leaves_the_others_alone(self, threads: int) -> None:
        ended: list[int] = []

        def fail() -> None:
            raise ValueError("mine")

        def finish() -> None:
            look()
            ended.append(1)

        with watched(lambda: None), pytest.raises(ValueError, match="mine"):
            side_by_side([finish, fail, finish])

        assert ended == ([1] if threads == 1 else [1, 1])

    def test_ctrl_c_ends_the_tasks_on_the_pool(self) -> None:
        code = (
            "import signal, threading, time\n"
            "from meshguard.kernels._parallel import side_by_side\n"
            "from meshguard.watch import look\n"
            "begun, ended = threading.Event(), threading.Event()\n"
            "def endless():\n"
            "    begun.set()\n"
            "    try:\n"
            "        while True:\n            look(); time.sleep(0.001)\n"
            "    finally:\n        ended.set()\n"
            "def interrupt():\n    begun.wait(); signal.raise_signal(signal.SIGINT)\n"
            "try:\n    side_by_side([interrupt, endless])\n"
            "except KeyboardInterrupt:\n    print(ended.is_set())\n"
        )

        assert run_alone(code) == "True\n"

    def test_each_callers_watch_is_its_own(self) -> None:
        def call(number: int) -> int:
            seen: list[int] = []
            with watched(lambda: seen.append(number)):
                over_ranges(10_000, lambda _lo, _hi: look(), grain=1)
            return len(set(seen)) if seen[0] == number else -1

        with ThreadPoolExecutor(4) as callers:
            assert set(callers.map(call, range(1, 9))) == {1}


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
