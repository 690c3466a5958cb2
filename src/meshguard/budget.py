"""Budget: how much a call may take before it gives up instead of taking a service down; and who is told how far it is.

A budget counts bytes and faces wherever it can: they make a call end the same way on every machine. The clock is a last
resort, since with it the outcome depends on the machine. Both are looked at between steps, never inside one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from meshguard.errors import BudgetExceeded

Progress: TypeAlias = Callable[[int, int, str], object]
"""Called between steps, from the calling thread: steps done, steps in all, and what comes next ("" at the end).

An exception that it raises ends the call, which leaves nothing half-done behind: that is how to cancel.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Upper limits of one call; a limit of None is no limit.

    Attributes:
        max_bytes: bytes of a file after decompression. The default, 4 GiB, refuses decompression bombs, and still
            admits a binary STL of 80 million faces.
        max_faces: triangles of a mesh; none by default. A file is refused as soon as its header or its size tells the
            number, before memory is taken for them.
        max_seconds: a last resort, none by default: what it stops depends on the machine and on what else runs there. A
            step that has begun is finished, so a call may take longer.
    """

    max_bytes: int | None = 4 << 30
    max_faces: int | None = None
    max_seconds: float | None = None


class Steps:
    """The steps of one call: each is announced before it begins, and none begins outside the budget."""

    def __init__(self, budget: Budget | None = None, progress: Progress | None = None, *, total: int = 0) -> None:
        """Start the clock.

        Args:
            budget: the limits; the default ones where None.
            progress: who is told.
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
        """Announce that all is done."""
        if self._progress is not None:
            self._progress(max(self._total, self._done), max(self._total, self._done), "")

    def check_clock(self, what: str) -> None:
        """Give up when the time is over.

        Raises:
            BudgetExceeded: `max_seconds` have passed.
        """
        most = self.budget.max_seconds
        if most is not None and time.monotonic() - self._start >= most:
            raise BudgetExceeded(f"the time is over (max_seconds={most:g}) before {what}")

    def check_faces(self, count: int) -> None:
        """Give up on a mesh that is too large, before memory is taken for it.

        Raises:
            BudgetExceeded: more than `max_faces`.
        """
        most = self.budget.max_faces
        if most is not None and count > most:
            raise BudgetExceeded(f"there are {count} faces, more than the budget allows (max_faces={most})")
