"""Budget: how much a call may use before it gives up instead of taking a service down, and how it reports progress.

A budget counts bytes and faces wherever it can: then a call ends the same way on every machine. The clock is a last
resort, because with it the outcome depends on the machine. It is looked at between steps, and within a long one between
blocks of its work (see `meshguard.watch`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeAlias

from meshguard.errors import BudgetExceeded
from meshguard.quantities import quantity
from meshguard.watch import watched

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import TracebackType

Progress: TypeAlias = Callable[[int, int, str], object]
"""Called from the calling thread: steps done, number of steps, and what comes next ("" at the end).

It is called before each step, and again, with the same numbers, about every tenth of a second while a step takes long.
An exception that it raises ends the call and leaves nothing half done: that is how to cancel.
"""

_TELL_S = 0.1
"""Seconds between two calls of `progress` within a step."""

_GRACE = 0.25
"""Share of `max_seconds` that a refused repair may take beyond it, for the report on what it reached."""

LOAD_BYTES = 140
"""Bytes that loading takes for each face at its peak: a soup takes 135, a welded mesh 52."""

VALIDATE_BYTES = 260
"""Bytes that loading and validating take for each face at their peak: a soup takes 252, a welded mesh 160."""

REPAIR_BYTES = 480
"""Bytes that loading and repairing take for each face at their peak: a mesh with some defects takes 375, and a soup
about 90 more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Upper limits of one call; None means unlimited.

    Attributes:
        max_bytes: bytes of a file after decompression. The default, 4 GiB, refuses decompression bombs, and still
            admits a binary STL of 80 million faces.
        max_faces: triangles of a mesh; unlimited by default. A file is refused as soon as its header or its size
            gives the number, before memory is allocated for them.
        max_seconds: a last resort, unlimited by default: what it stops depends on the machine and on what else runs
            there. A call ends within about a quarter of a second of it; a repair may take a quarter of the time more to
            report what it reached. The readers of OBJ, OFF, 3MF and GLB finish what they have begun.
        max_memory: bytes that a call may take, unlimited by default. It is an estimate: where a mesh has so many faces
            that the call would probably take more (`LOAD_BYTES` and those after it for each), it is refused before
            memory is allocated. In `meshguard.isolated` the system holds the limit, too.
    """

    max_bytes: int | None = 4 << 30
    max_faces: int | None = None
    max_seconds: float | None = None
    max_memory: int | None = None


class Steps:
    """The steps of one call: each is announced before it begins, and the call ends once the budget is used up.

    As a context it watches over what is done within: see `meshguard.watch`.
    """

    def __init__(
        self,
        budget: Budget | None = None,
        progress: Progress | None = None,
        *,
        total: int = 0,
        bytes_a_face: int = LOAD_BYTES,
    ) -> None:
        """Start the clock.

        Args:
            budget: the limits; None for the default ones.
            progress: called at each step and during long ones, if given.
            total: how many steps there will be.
            bytes_a_face: memory that the call takes for each face of a mesh.
        """
        self.budget = budget or Budget()
        self._progress = progress
        self._total = total
        self._bytes_a_face = bytes_a_face
        self._done = 0
        self._what = ""
        self._thread = threading.get_ident()
        self._start = self._told = time.monotonic()
        self._ended: BaseException | None = None
        self._watched: AbstractContextManager[None] | None = None

    def __enter__(self) -> Self:
        self._watched = watched(self.look)
        self._watched.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watched is not None:
            self._watched.__exit__(kind, error, trace)

    def begin(self, what: str) -> None:
        """Announce the next step; what came before is done.

        Raises:
            BudgetExceeded: no time is left.
        """
        self._refuse_ended()
        self.check_clock(what)
        self._what = what
        self._done += 1
        self._tell()

    def look(self) -> None:
        """End the call where the time is up or `progress` wants it; called within steps, from any thread.

        Raises:
            BudgetExceeded: no time is left.
        """
        self._refuse_ended()
        self._check_clock("during", self._what)
        if self._progress is None or threading.get_ident() != self._thread:
            return
        if time.monotonic() - self._told >= _TELL_S:
            self._tell()

    def end(self) -> None:
        """Announce that everything is done."""
        if self._progress is not None:
            self._progress(max(self._total, self._done), max(self._total, self._done), "")

    def check_clock(self, what: str) -> None:
        """Give up when the time is up.

        Raises:
            BudgetExceeded: `max_seconds` have passed.
        """
        self._check_clock("before", what)

    def grace(self) -> Steps:
        """Steps for giving an account of what was done when the time is up: a quarter of the time that there was."""
        limit = self.budget.max_seconds
        return Steps(Budget(max_seconds=None if limit is None else _GRACE * limit))

    def _check_clock(self, when: str, what: str) -> None:
        limit = self.budget.max_seconds
        if limit is not None and time.monotonic() - self._start >= limit:
            raise BudgetExceeded(f"the time is up (max_seconds={limit:g}) {when} {what}")

    def _tell(self) -> None:
        """Call `progress`; what it raises ends the call, even if a plugin catches it on the way."""
        if self._progress is None:
            return
        try:
            self._progress(self._done - 1, max(self._total, self._done - 1), self._what)
        except BaseException as error:
            self._ended = error
            raise
        self._told = time.monotonic()

    def _refuse_ended(self) -> None:
        """Raise again what `progress` raised."""
        if self._ended is not None:
            raise self._ended

    def check_faces(self, count: int) -> None:
        """Give up on a mesh that is too large, before memory is allocated for it.

        Raises:
            BudgetExceeded: more than `max_faces`, or than fit into `max_memory`.
        """
        limit = self.budget.max_faces
        if limit is not None and count > limit:
            raise BudgetExceeded(f"there are {count} faces, more than the budget allows (max_faces={limit})")
        memory, needed = self.budget.max_memory, self._bytes_a_face * count
        if memory is not None and needed > memory:
            raise BudgetExceeded(
                f"{count} faces need about {quantity(needed / 2**20, 'MiB', 2)} of memory, more than the budget allows "
                f"(max_memory={memory})"
            )
