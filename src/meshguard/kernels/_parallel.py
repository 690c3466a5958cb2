"""The one place that starts threads.

Numba's own thread layers abort on concurrent calls (workqueue) or die after fork (OpenMP); a library that others embed
can afford neither. Here a serial, GIL-free kernel works on a range [lo, hi), and ranges are spread over one lazily made
pool. Each index is written by one range, and floats are summed over ranges only where these do not depend on the number
of threads, so results are the same bytes for every number.

A range is worked off in blocks, and between two blocks its thread looks up: see `meshguard.watch`. How large blocks are
depends on the clock; what comes out does not.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from meshguard.watch import look, watched, watching

if TYPE_CHECKING:
    from collections.abc import Callable

_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None

_FIXED_PARTS = 4

_BLOCK_S = 0.05
"""Seconds that a block of work should take: often enough to be ended soon, and rarely enough to cost nothing."""

_GROWTH = 8.0
"""How many times larger than the one before a block may be: the first is small, since its cost is not known."""


def thread_count() -> int:
    """`MESHGUARD_THREADS`, else the number of processors this process may run on."""
    asked = os.environ.get("MESHGUARD_THREADS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def over_ranges(length: int, task: Callable[[int, int], object], *, grain: int = 16384) -> None:
    """Run `task(lo, hi)` over [0, length), in ranges for at most as many threads as there are, and in blocks of these.

    Args:
        length: how many indices there are.
        task: called for each block, on any thread; the result must not depend on how the indices are cut.
        grain: indices that are worth a thread of their own.
    """
    bounds = part_bounds(length, grain=grain)
    side_by_side([partial(in_blocks, lo, hi, task, first=max(1, grain // 16)) for lo, hi in pairwise(bounds)])


def in_blocks(lo: int, hi: int, task: Callable[[int, int], object], *, first: int) -> None:
    """Run `task(lo, hi)` over a range in blocks on this thread, and look up before each.

    Args:
        lo: first index.
        hi: the one after the last.
        task: called for each block in order; the result must not depend on how the range is cut.
        first: indices of the first block; later ones are as large as time allows.
    """
    pace = Pace(first)
    while True:
        end = min(hi, lo + pace.begin())
        task(lo, end)
        pace.end()
        lo = end
        if lo >= hi:
            return


class Pace:
    """How much work to do between two looks: little at first, then as much as takes about `_BLOCK_S`."""

    def __init__(self, first: int) -> None:
        self._size = float(first)
        self._start = 0.0

    def begin(self) -> int:
        """Look up, and say how much to do next: at least 1."""
        look()
        self._start = time.perf_counter()
        return max(1, int(self._size))

    def end(self) -> None:
        """It is done."""
        seconds = time.perf_counter() - self._start
        self._size *= min(_GROWTH, _BLOCK_S / max(seconds, 1e-9))


def part_bounds(length: int, *, grain: int = 16384) -> list[int]:
    """Bounds of the ranges that [0, length) is cut into: at most one a thread, each of at least `grain` indices."""
    parts = max(1, min(thread_count(), length // max(1, grain)))
    return [length * part // parts for part in range(parts + 1)]


def fixed_bounds(length: int) -> list[int]:
    """Bounds of four ranges that [0, length) is cut into, whatever the number of threads: for sums of floats."""
    return [length * part // _FIXED_PARTS for part in range(_FIXED_PARTS + 1)]


def side_by_side(tasks: list[Callable[[], object]]) -> None:
    """Run independent tasks, the first on the caller's thread, the rest on the pool; raise what the first one raised.

    What no thread of the pool has begun, the caller's thread takes back and runs itself: a nested call, or one beside
    others, can never wait for a thread that waits for it. All tasks have ended when this returns or raises. Where the
    call is ended from outside, by whoever watches or by Ctrl-C, the other tasks end when they look up next.
    """
    if len(tasks) < 2 or thread_count() < 2:
        for place, task in enumerate(tasks):
            if place:
                look()
            task()
        return
    together = _Together()
    try:
        with watched(together):
            errors = _errors_of(tasks, together)
    except BaseException as error:  # Ctrl-C, where no task ran
        together.end(error)
        raise
    for raised in (together.reason, *errors):
        if raised is not None:
            raise raised


def _errors_of(tasks: list[Callable[[], object]], together: _Together) -> list[BaseException | None]:
    """What each of the tasks raised, or None, once all have ended."""
    futures: list[Future[object]] = []
    with suppress(RuntimeError):  # the interpreter is shutting down and starts no more threads
        pool = _shared_pool()
        for task in tasks[1:]:
            futures.append(pool.submit(copy_context().run, task))
    errors: list[BaseException | None] = [together.error_of(tasks[0])]
    errors += [None] * len(futures)
    errors += [together.error_of(task) for task in tasks[1 + len(futures) :]]
    for place, future in enumerate(futures, start=1):
        if future.cancel():
            errors[place] = together.error_of(tasks[place])
    # A future that was taken back counts as done only when a thread of the pool sees it: these are not waited for.
    for place, future in enumerate(futures, start=1):
        if not future.cancelled():
            errors[place] = together.outcome_of(future)
    return errors


class _Ended(BaseException):
    """A task beside others ends because the call is ended from outside; never seen by a caller."""


class _Together:
    """Watches over tasks side by side: once one of them is ended from outside, all end.

    Attributes:
        reason: why they are ended; None while they are not.
    """

    def __init__(self) -> None:
        self.reason: BaseException | None = None
        self._outer = watching()

    def __call__(self) -> None:
        """Look up on behalf of a task."""
        if self.reason is not None:
            raise _Ended
        if self._outer is not None:
            try:
                self._outer()
            except BaseException as error:
                self.end(error)
                raise

    def end(self, reason: BaseException) -> None:
        """End all tasks; the first reason counts."""
        if self.reason is None and not isinstance(reason, _Ended):
            self.reason = reason

    def error_of(self, task: Callable[[], object]) -> BaseException | None:
        """What a task raised on the caller's thread, or None."""
        try:
            task()
        except Exception as error:  # noqa: BLE001
            return error
        except BaseException as error:  # noqa: BLE001 (Ctrl-C)
            self.end(error)
            return error
        return None

    def outcome_of(self, future: Future[object]) -> BaseException | None:
        """What a task on the pool raised, or None; the caller's thread looks up while it waits."""
        while True:
            try:
                return future.exception(_BLOCK_S)
            except TimeoutError:
                self.error_of(self)
            except BaseException as error:  # noqa: BLE001 (Ctrl-C)
                self.end(error)


def _shared_pool() -> ThreadPoolExecutor:
    """The pool, made on first use."""
    global _pool
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(max_workers=max(1, thread_count() - 1), thread_name_prefix="meshguard")
        return _pool


def _forget_pool() -> None:
    """A forked child has the pool's object but none of its threads: it makes its own."""
    global _pool, _lock
    _pool = None
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)
