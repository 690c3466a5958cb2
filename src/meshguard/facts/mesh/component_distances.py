"""How far components are from the largest one, by their nearest vertices."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from meshguard.watch import look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import FloatArray

_SAMPLE = 64
"""Vertices of a component that are searched for first, so that most others need no search: bounds the work."""


def distances_to_largest(mesh: Connectivity, components: Sequence[int]) -> FloatArray:
    """Distance from each of these components to the largest one, nearest vertex to nearest vertex: float64 (k,), mm."""
    p = len(mesh.positions)
    in_largest = np.bincount(mesh.corners[mesh.faces_of(mesh.largest_component)].reshape(-1), minlength=p) > 0
    faces = [mesh.faces_of(component) for component in components]
    owner = np.repeat(np.arange(len(faces)), [len(members) for members in faces])
    keys = np.unique(np.repeat(owner, 3) * p + mesh.corners[np.concatenate(faces)].reshape(-1))
    bounds = np.searchsorted(keys, np.arange(len(faces) + 1) * p).tolist()
    return _least_distances(
        mesh.positions[in_largest], [mesh.positions[keys[lo:hi] % p] for lo, hi in pairwise(bounds)]
    )


def _least_distances(points: FloatArray, sets: list[FloatArray]) -> FloatArray:
    """The least distance between some points and each set of points, float64 (number of sets,), mm.

    Seen from afar, all points of a tree are about equally near, and finding the nearest is slow. So points are left out
    first if they lie further from the other set's box than a few samples of the set lie from the tree.
    """
    from scipy.spatial import cKDTree

    tree = cKDTree(points)
    distances = np.empty(len(sets))
    for place, members in enumerate(sets):
        look()
        sample = members[:: max(1, len(members) // _SAMPLE)]
        least = float(np.min(tree.query(sample)[0]))
        if len(members) > _SAMPLE:
            near_points = points[_box_distance(points, members) <= least]
            near_members = members[_box_distance(members, points) <= least]
            if len(near_points) and len(near_members):
                least = min(least, float(np.min(cKDTree(near_points).query(near_members)[0])))
        distances[place] = least
    return distances


def _box_distance(points: FloatArray, boxed: FloatArray) -> FloatArray:
    """How far each point is from the bounding box of the others, float64 (k,), mm; rounded down."""
    aside = np.maximum(np.maximum(boxed.min(axis=0) - points, points - boxed.max(axis=0)), 0.0)
    distance: FloatArray = np.sqrt((aside * aside).sum(axis=1)) * (1 - 1e-12)
    return distance
