"""How far two sets of points are from one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

    from meshguard.mesh import FloatArray

_SAMPLE = 64


def least_distance(points: FloatArray, others: FloatArray, tree: cKDTree) -> float:
    """The distance (mm) between the nearest of some points, which `tree` holds, and some others.

    From afar all points of a tree are about as near, and finding the nearest is slow: so what lies further from the
    other set's box than a few of them are from the tree is left out first.
    """
    from scipy.spatial import cKDTree

    sample = others[:: max(1, len(others) // _SAMPLE)]
    least = float(tree.query(sample)[0].min())
    if len(others) <= _SAMPLE:
        return least
    kept = points[_box_distance(points, others) <= least]
    near = others[_box_distance(others, points) <= least]
    return min(least, float(cKDTree(kept).query(near)[0].min())) if len(kept) and len(near) else least


def _box_distance(points: FloatArray, others: FloatArray) -> FloatArray:
    """How far each of some points is from the box of others, float64 (k,), mm."""
    aside = np.maximum(np.maximum(others.min(axis=0) - points, points - others.max(axis=0)), 0.0)
    distance: FloatArray = np.sqrt((aside * aside).sum(axis=1)) * (1 - 1e-12)
    return distance
