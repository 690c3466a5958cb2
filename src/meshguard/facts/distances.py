"""How far pieces are from the largest, by their nearest vertices."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from meshguard.facts import Facts
    from meshguard.mesh import FloatArray, IntArray

_SAMPLE = 64


def distances_to_main(facts: Facts, faces: IntArray, labels: IntArray, count: int) -> FloatArray:
    """Distance (mm) between the nearest vertices of each of `count` labelled sets of faces and the main piece."""
    p = len(facts.positions)
    main = np.bincount(facts.corners[facts.faces_of(facts.main)].reshape(-1), minlength=p) > 0
    keys = np.unique(np.repeat(labels, 3) * np.int64(p) + facts.corners[faces].reshape(-1))
    bounds = np.searchsorted(keys, np.arange(count + 1) * p).tolist()
    return _least_distances(facts.positions[main], [facts.positions[keys[lo:hi] % p] for lo, hi in pairwise(bounds)])


def _least_distances(points: FloatArray, pieces: list[FloatArray]) -> FloatArray:
    """The distance (mm) between the nearest of some points and of each piece's points, float64 (number of pieces,).

    From afar all points of a tree are about as near, and finding the nearest is slow: so what lies further from the
    piece's box than a few of its points are from the tree is left out first.
    """
    from scipy.spatial import cKDTree

    tree = cKDTree(points)
    distances = np.empty(len(pieces))
    for place, piece in enumerate(pieces):
        sample = piece[:: max(1, len(piece) // _SAMPLE)]
        least = float(np.min(tree.query(sample)[0]))
        if len(piece) > _SAMPLE:
            kept = points[_box_distance(points, piece) <= least]
            near = piece[_box_distance(piece, points) <= least]
            if len(kept) and len(near):
                least = min(least, float(np.min(cKDTree(kept).query(near)[0])))
        distances[place] = least
    return distances


def _box_distance(points: FloatArray, others: FloatArray) -> FloatArray:
    """How far each of some points is from the box of others, float64 (k,), mm."""
    aside = np.maximum(np.maximum(others.min(axis=0) - points, points - others.max(axis=0)), 0.0)
    distance: FloatArray = np.sqrt((aside * aside).sum(axis=1)) * (1 - 1e-12)
    return distance
