"""What a repair step is, and what it says about itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from meshguard.repair.draft import Draft
    from meshguard.report import Safety


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a step did.

    Attributes:
        draft: the draft after it; the same object where nothing changed.
        mended: how many defects it mended.
        parameters: limits and choices that decided, name -> number.
        lost_mm2: area of surface that is gone, with nothing in its place; debris and duplicates are no loss.
    """

    draft: Draft
    mended: int = 0
    parameters: Mapping[str, float] = field(default_factory=dict)
    lost_mm2: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the plan.

    Attributes:
        name: for people and for reports: a verb and what it is done to.
        checks: ids of the checks whose findings it mends.
        safety: what it does to the scan.
        why: why it stands at its place in the plan.
        run: does it.
        count: how many defects of its kind a draft has; the step's own proof that it helped.
        harm: how many defects a draft has of another kind that the step could cause and must not; None where it cannot
            undo the work of an earlier step.
    """

    name: str
    checks: tuple[str, ...]
    safety: Safety
    why: str
    run: Callable[[Draft], Change]
    count: Callable[[Draft], int]
    harm: Callable[[Draft], int] | None = None
