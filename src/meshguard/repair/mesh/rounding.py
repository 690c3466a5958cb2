"""Rounding: positions become what a file with float32 coordinates would keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.float32 import rounded
from meshguard.repair.mesh.precision import Precision
from meshguard.repair.step import Change

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.repair.draft import Draft


def not_float32(draft: Draft) -> BoolArray:
    """Positions that a file with float32 coordinates can hold but would move, bool (p,); none if it keeps doubles."""
    positions = draft.positions
    near = rounded(positions)
    if draft.precision is Precision.DOUBLE or np.array_equal(near, positions):
        return np.zeros(len(positions), np.bool_)
    moved: BoolArray = (near != positions).any(axis=1)
    return moved & np.isfinite(positions).all(axis=1) & np.isfinite(near).all(axis=1)


def round_positions(draft: Draft) -> Change:
    """Round positions to float32 where they are not: an STL would, and what is proved must hold in the file."""
    moved = not_float32(draft)
    if not moved.any():
        return Change(draft=draft)
    positions = draft.positions.copy()
    positions[moved] = rounded(positions[moved])
    return Change(
        draft=draft.moved(positions),
        mended=int(np.count_nonzero(moved)),
        parameters={"rounding_mm": draft.facts.float32_tolerance("rounding_mm")},
    )
