"""How far components are from the largest, by their nearest vertices."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import FloatArray

_SAMPLE = 64


def distances_to_largest(mesh: Connectivity, components: Sequence[int]) -> FloatArray:
    """Distance between the nearest vertices of each of these components and the largest one, float64 (k,), mm."""
    p = len(mesh.positions)
    in_largest = np.bincount(mesh.corners[mesh.faces_of(mesh.largest_component)].reshape(-1), minlength=p) > 0
    faces = [mesh.faces_of(component) for component in components]
    owner = np.repeat(np.arange(len(faces)), [len(own) for own in faces])
    keys = np.unique(np.repeat(owner, 3) * p + mesh.corners[np.concatenate(faces)].reshape(-1))
    bounds = np.searchsorted(keys, np.arange(len(faces) + 1) * p).tolist()
    return _least_distances(
        mesh.positions[in_largest], [mesh.positions[keys[lo:hi] % p] for lo, hi in pairwise(bounds)]
    )


def _least_distances(points: FloatArray, sets: list[FloatArray]) -> FloatArray:
    """The distance (mm) between the nearest of some points and of each set of points, float64 (number of sets,).

    From afar all points of a tree are about as near, and finding the nearest is slow: so what lies further from the
    set's box than a few of its points are from the tree is left out first.
    """
    from scipy.spatial import cKDTree

    tree = cKDTree(points)
    distances = np.empty(len(sets))
    for place, own in enumerate(sets):
        sample = own[:: max(1, len(own) // _SAMPLE)]
        least = float(np.min(tree.query(sample)[0]))
        if len(own) > _SAMPLE:
            kept = points[_box_distance(points, own) <= least]
            near = own[_box_distance(own, points) <= least]
            if len(kept) and len(near):
                least = min(least, float(np.min(cKDTree(kept).query(near)[0])))
        distances[place] = least
    return distances


def _box_distance(points: FloatArray, others: FloatArray) -> FloatArray:
    """How far each of some points is from the box of others, float64 (k,), mm."""
    aside = np.maximum(np.maximum(others.min(axis=0) - points, points - others.max(axis=0)), 0.0)
    distance: FloatArray = np.sqrt((aside * aside).sum(axis=1)) * (1 - 1e-12)
    return distance
