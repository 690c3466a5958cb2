"""The one place that starts threads.

Numba's own thread layers abort on concurrent calls (workqueue) or die after fork (OpenMP); a library that others embed
can afford neither. Here a serial, GIL-free kernel works on a range [lo, hi), and ranges are spread over one lazily made
pool. Each index is written by one range, and floats are summed over ranges only where these do not depend on the number
of threads, so results are the same bytes for every number.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None

_FIXED_PARTS = 4


def thread_count() -> int:
    """`MESHGUARD_THREADS`, else the number of processors this process may run on."""
    asked = os.environ.get("MESHGUARD_THREADS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def over_ranges(length: int, task: Callable[[int, int], object], *, grain: int = 16384) -> None:
    """Run `task(lo, hi)` over [0, length), cut into at most one range a thread of at least `grain` indices."""
    bounds = part_bounds(length, grain=grain)
    side_by_side([partial(task, lo, hi) for lo, hi in pairwise(bounds)])


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
    others, can never wait for a thread that waits for it. All tasks have ended when this returns or raises.
    """
    if len(tasks) < 2 or thread_count() < 2:
        for task in tasks:
            task()
        return
    futures: list[Future[object]] = []
    with suppress(RuntimeError):  # the interpreter is shutting down and starts no more threads
        pool = _shared_pool()
        for task in tasks[1:]:
            futures.append(pool.submit(task))
    errors: list[BaseException | None] = [_error_of(tasks[0])]
    errors += [None] * len(futures)
    errors += [_error_of(task) for task in tasks[1 + len(futures) :]]
    for place, future in enumerate(futures, start=1):
        if future.cancel():
            errors[place] = _error_of(tasks[place])
    # A future that was taken back counts as done only when a thread of the pool sees it: these are not waited for.
    for place, future in enumerate(futures, start=1):
        if not future.cancelled():
            errors[place] = future.exception()
    for error in errors:
        if error is not None:
            raise error


def _error_of(task: Callable[[], object]) -> BaseException | None:
    """What a task raised, or None."""
    try:
        task()
    except BaseException as error:  # noqa: BLE001
        return error
    return None


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
