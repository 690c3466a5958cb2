"""Several files at the same time, with results in the order of the files: the output does not show how many ran."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from meshguard.budget import Progress

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

AHEAD = 2
"""Files that are begun for each job before the first of them is done: one slow file must not pile up reports."""


class Stopped(Exception):  # noqa: N818 (it is no error: the command was interrupted)
    """Ends the work on a file whose result nobody waits for."""


def in_order(
    task: Callable[[_Item, Progress], _Result], items: Iterable[_Item], n_jobs: int, progress: Progress
) -> Generator[_Result, None, None]:
    """The results of a task, one for each item and in their order, of `n_jobs` at the same time.

    Threads do: kernels and the reading of files let go of the interpreter's lock. When the iteration ends early, as
    after an interrupt, what has begun ends at its next step, nothing else is begun, and nobody waits for it.

    Args:
        task: called with an item and what it must call between its steps.
        items: what to work on.
        n_jobs: how many at the same time; 1 works in the calling thread.
        progress: called between the steps of a task that works alone; several together report nothing.
    """
    if n_jobs == 1:
        for item in items:
            yield task(item, progress)
        return
    is_over = Event()

    def between_steps(_done: int, _total: int, _what: str) -> None:
        if is_over.is_set():
            raise Stopped

    pool = ThreadPoolExecutor(n_jobs, "meshguard-job")
    begun: deque[Future[_Result]] = deque()
    try:
        for item in items:
            begun.append(pool.submit(task, item, between_steps))
            if len(begun) >= AHEAD * n_jobs:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        is_over.set()
        pool.shutdown(wait=False, cancel_futures=True)
