"""Budget: how much a call may use before it gives up instead of taking a service down, and how it reports progress.

A budget counts bytes and faces wherever it can: then a call ends the same way on every machine. The clock is a last
resort, because with it the outcome depends on the machine. Both are checked between steps, never inside one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from meshguard.errors import BudgetExceeded

Progress: TypeAlias = Callable[[int, int, str], object]
"""Called between steps, from the calling thread: steps done, number of steps, and what comes next ("" at the end).

An exception that it raises ends the call and leaves nothing half done: that is how to cancel.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Upper limits of one call; None means unlimited.

    Attributes:
        max_bytes: bytes of a file after decompression. The default, 4 GiB, refuses decompression bombs, and still
            admits a binary STL of 80 million faces.
        max_faces: triangles of a mesh; unlimited by default. A file is refused as soon as its header or its size
            gives the number, before memory is allocated for them.
        max_seconds: a last resort, unlimited by default: what it stops depends on the machine and on what else runs
            there. A step that has begun is finished, so a call may take longer.
        max_memory: bytes that a call may take, unlimited by default. Only `meshguard.isolated` can hold it: the system
            refuses more to the process in which the call runs.
    """

    max_bytes: int | None = 4 << 30
    max_faces: int | None = None
    max_seconds: float | None = None
    max_memory: int | None = None


class Steps:
    """The steps of one call: each is announced before it begins, and none begins once the budget is used up."""

    def __init__(self, budget: Budget | None = None, progress: Progress | None = None, *, total: int = 0) -> None:
        """Start the clock.

        Args:
            budget: the limits; None for the default ones.
            progress: called at each step, if given.
            total: how many steps there will be.
        """
        self.budget = budget or Budget()
        self._progress = progress
        self._total = total
        self._done = 0
        self._start = time.monotonic()

    def begin(self, what: str) -> None:
        """Announce the next step; what came before is done.

        Raises:
            BudgetExceeded: no time is left.
        """
        self.check_clock(what)
        if self._progress is not None:
            self._progress(self._done, max(self._total, self._done), what)
        self._done += 1

    def end(self) -> None:
        """Announce that everything is done."""
        if self._progress is not None:
            self._progress(max(self._total, self._done), max(self._total, self._done), "")

    def check_clock(self, what: str) -> None:
        """Give up when the time is up.

        Raises:
            BudgetExceeded: `max_seconds` have passed.
        """
        limit = self.budget.max_seconds
        if limit is not None and time.monotonic() - self._start >= limit:
            raise BudgetExceeded(f"the time is up (max_seconds={limit:g}) before {what}")

    def check_faces(self, count: int) -> None:
        """Give up on a mesh that is too large, before memory is allocated for it.

        Raises:
            BudgetExceeded: more than `max_faces`.
        """
        limit = self.budget.max_faces
        if limit is not None and count > limit:
            raise BudgetExceeded(f"there are {count} faces, more than the budget allows (max_faces={limit})")
