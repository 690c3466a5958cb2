"""The part of a mesh near some places: what a local change has to be checked against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.facts.arrays import frozen
from meshguard.kernels._parallel import over_ranges
from meshguard.kernels.grid_query import faces_near

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.mesh import FloatArray, IntArray

_MOST_CELLS = 96
"""Cells along a side of the grid."""


def near_boxes(positions: FloatArray, corners: IntArray, low: FloatArray, high: FloatArray) -> BoolArray:
    """Faces that may reach into one of some boxes, bool (m,): every face that does is among them.

    Args:
        positions: float64 (p, 3), mm.
        corners: int32 (m, 3).
        low: float64 (b, 3), lower corners of the boxes.
        high: float64 (b, 3), upper corners.
    """
    near = np.empty(len(corners), np.bool_)
    origin, end = low.min(axis=0), high.max(axis=0)
    cell = max(float(np.median((high - low).max(axis=1))), float((end - origin).max()) / _MOST_CELLS)
    if not cell > 0:
        near[:] = True
        return near
    first = ((low - origin) / cell).astype(np.int64)
    last = ((high - origin) / cell).astype(np.int64)
    marked = np.zeros(last.max(axis=0) + 1, np.bool_)
    for (i, j, k), (u, v, w) in zip(first.tolist(), last.tolist(), strict=True):
        marked[i : u + 1, j : v + 1, k : w + 1] = True
    x, y, z = origin.tolist()
    over_ranges(
        len(corners), lambda lo, hi: faces_near(positions, corners, frozen(marked), x, y, z, cell, lo, hi, near)
    )
    return near
