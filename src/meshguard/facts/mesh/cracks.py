"""Cracks: boundary vertices that a weld would join, and what the weld would close.

A crack is a set of boundary positions. Two of them are connected if they are within the weld distance of each other, or
if they are the ends of a boundary edge that the weld would close.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.facts.arrays import frozen
from meshguard.halfedges import edge_keys
from meshguard.kernels.loops import near_pairs

if TYPE_CHECKING:
    from meshguard.facts.mesh.boundary_loops import Loops
    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import FloatArray, IntArray

_MOST_COMPARISONS = 100_000_000
"""Bounds the time where a weld distance is so large that very many vertices lie within it."""

_MOST_PAIRS = 10_000_000
"""Bounds the memory there: 80 MB of pairs."""


class Cracks(NamedTuple):
    """Boundary positions that have another within the weld distance, and the crack that each belongs to.

    Attributes:
        positions: int32 (k,), ascending.
        crack: int32 (k,), crack of each of them, 0 to c - 1.
        gap: float64 (c,), largest distance within a pair that is welded, mm.
        n_edges_closed: int64 (c,), number of boundary edges that the weld closes.
        n_loops_closed: int64 (c,), number of boundary loops that it closes entirely.
    """

    positions: IntArray
    crack: IntArray
    gap: FloatArray
    n_edges_closed: npt.NDArray[np.int64]
    n_loops_closed: npt.NDArray[np.int64]


def find_cracks(mesh: Connectivity, loops: Loops, distance: float) -> Cracks | None:
    """The cracks of a mesh under a weld distance in mm; None where too many vertices lie within it to be paired."""
    pairs = _pairs(mesh, distance)
    if pairs is None:
        return None
    if not len(pairs):
        none = np.empty(0, np.int64)
        return Cracks(none.astype(np.int32), none.astype(np.int32), none.astype(np.float64), none, none)
    welded = np.arange(len(mesh.positions), dtype=np.int32)
    cluster = mesh.clusters(pairs)
    lowest = np.full(int(cluster.max()) + 1, len(welded), np.int32)
    np.minimum.at(lowest, cluster, pairs.min(axis=1))
    for column in (0, 1):
        welded[pairs[:, column]] = lowest[cluster]
    positions = np.unique(pairs).astype(np.int32)
    # A boundary edge closes when the weld lays exactly one other on it, or shrinks it to a point.
    boundary = mesh.edges.boundary
    ends = mesh.edge_ends(boundary)
    start, end = welded[ends].T
    _, inverse, sizes = np.unique(edge_keys(start, end, len(welded)), return_inverse=True, return_counts=True)
    closes = (sizes[inverse] == 2) | (start == end)
    is_welded = np.zeros(len(welded), np.bool_)
    is_welded[positions] = True
    closes &= is_welded[ends].any(axis=1)
    links = np.concatenate([pairs, ends[closes]])
    cluster = mesh.clusters(links)
    crack_of = np.empty(len(welded), np.int32)
    for column in (0, 1):
        crack_of[links[:, column]] = cluster
    count = int(cluster.max()) + 1
    gap = np.zeros(count)
    paired = mesh.positions[pairs]
    np.maximum.at(gap, cluster[: len(pairs)], np.linalg.norm(paired[:, 1] - paired[:, 0], axis=1))
    crack_of_closed = cluster[len(pairs) :]
    n_edges_closed = np.bincount(crack_of_closed, minlength=count)
    # A loop closes when all of its edges do.
    loop_of = np.empty(len(boundary), np.int64)
    loop_of[np.searchsorted(boundary, loops.halfedges)] = loops.owner
    loop_closes = np.bincount(loop_of, closes, minlength=loops.n_loops) == np.diff(loops.offsets)
    crack_and_loop = np.stack([crack_of_closed, loop_of[closes]], axis=1)
    crack_and_loop = np.unique(crack_and_loop[loop_closes[loop_of[closes]]], axis=0)
    n_loops_closed = np.bincount(crack_and_loop[:, 0], minlength=count)
    return Cracks(positions, crack_of[positions], gap, n_edges_closed, n_loops_closed)


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
        frozen(array)
    pairs = np.empty((4 * len(points), 2), np.int32)
    while True:
        count = near_pairs(mesh.positions, points, distance, order, cells, _MOST_COMPARISONS, pairs)
        if count < 0 or count > _MOST_PAIRS:
            return None
        if count <= len(pairs):
            break
        pairs = np.empty((count, 2), np.int32)
    pairs = points[pairs[:count]]
    ordered: IntArray = pairs[np.lexsort(pairs.T[::-1])]
    return ordered
