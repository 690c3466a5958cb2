"""Cracks: boundary vertices that a weld would join, and what it would close.

A crack is a set of boundary positions that are connected by being near one another, or by a boundary edge that the weld
would close.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.kernels.loops import near_pairs

if TYPE_CHECKING:
    from meshguard.facts.mesh.boundary_loops import Loops
    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import FloatArray, IntArray

_MOST_COMPARISONS = 100_000_000
_MOST_PAIRS = 10_000_000


class Cracks(NamedTuple):
    """Boundary positions that have another within the weld distance, by the crack that each belongs to.

    points: int32 (k,), positions, ascending; owner: int32 (k,), crack of each, 0 to c - 1; gap: float64 (c,), largest
    distance of a near pair, mm; edges_closed, loops_closed: int64 (c,), boundary edges and whole loops that a weld
    closes.
    """

    points: IntArray
    owner: IntArray
    gap: FloatArray
    edges_closed: npt.NDArray[np.int64]
    loops_closed: npt.NDArray[np.int64]


def find_cracks(mesh: Connectivity, loops: Loops, distance: float) -> Cracks | None:
    """The cracks of a mesh under a weld distance in mm; None where too many vertices crowd within it to be paired."""
    pairs = _pairs(mesh, distance)
    if pairs is None:
        return None
    if not len(pairs):
        none = np.empty(0, np.int64)
        return Cracks(none.astype(np.int32), none.astype(np.int32), none.astype(np.float64), none, none)
    welded = np.arange(len(mesh.positions), dtype=np.int32)
    labels = mesh.clusters(pairs)
    lowest = np.full(int(labels.max()) + 1, len(welded), np.int32)
    np.minimum.at(lowest, labels, pairs.min(axis=1))
    for column in (0, 1):
        welded[pairs[:, column]] = lowest[labels]
    points = np.unique(pairs).astype(np.int32)
    # A boundary edge closes when the weld lays exactly one other on it, or shrinks it to a point.
    boundary = mesh.edges.boundary
    ends = mesh.edge_ends(boundary)
    low, high = np.sort(welded[ends], axis=1).astype(np.int64).T
    _, inverse, sizes = np.unique(low * len(welded) + high, return_inverse=True, return_counts=True)
    closes = (sizes[inverse] == 2) | (low == high)
    touched = np.zeros(len(welded), np.bool_)
    touched[points] = True
    closes &= touched[ends].any(axis=1)
    rows = np.concatenate([pairs, ends[closes]])
    labels = mesh.clusters(rows)
    owner_of = np.empty(len(welded), np.int32)
    for column in (0, 1):
        owner_of[rows[:, column]] = labels
    count = int(labels.max()) + 1
    gap = np.zeros(count)
    between = mesh.positions[pairs]
    np.maximum.at(gap, labels[: len(pairs)], np.linalg.norm(between[:, 1] - between[:, 0], axis=1))
    edges_closed = np.bincount(labels[len(pairs) :], minlength=count)
    # A loop closes when all of its edges do.
    loop_of = np.empty(len(boundary), np.int64)
    loop_of[np.searchsorted(boundary, loops.halfedges)] = loops.owner
    whole = np.bincount(loop_of, closes, minlength=loops.n_loops) == np.diff(loops.offsets)
    owner_and_loop = np.stack([labels[len(pairs) :], loop_of[closes]], axis=1)
    owner_and_loop = np.unique(owner_and_loop[whole[loop_of[closes]]], axis=0)
    loops_closed = np.bincount(owner_and_loop[:, 0], minlength=count)
    return Cracks(points, owner_of[points], gap, edges_closed, loops_closed)


def _pairs(mesh: Connectivity, distance: float) -> IntArray | None:
    """Pairs of boundary positions at most `distance` apart, int32 (k, 2), sorted; None where they are too many."""
    points = np.unique(mesh.edge_ends(mesh.edges.boundary)).astype(np.int32)
    if not len(points) or not 0 < distance < math.inf:
        return np.empty((0, 2), np.int32)
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.floor((mesh.positions[points] - mesh.box[0]) / distance)
    if not (scaled < 2.0**62).all():
        return None
    cells = scaled.astype(np.int64)
    order = np.lexsort(cells.T[::-1])
    cells = np.ascontiguousarray(cells[order])
    for array in (points, cells, order):
        array.flags.writeable = False
    pairs = np.empty((4 * len(points), 2), np.int32)
    while True:
        count = near_pairs(mesh.positions, points, distance, order, cells, _MOST_COMPARISONS, pairs)
        if count < 0 or count > _MOST_PAIRS:
            return None
        if count <= len(pairs):
            break
        pairs = np.empty((count, 2), np.int32)
    found = points[pairs[:count]]
    ordered: IntArray = found[np.lexsort(found.T[::-1])]
    return ordered
