"""Cracks: boundaries that lie on one another within the weld distance, and what joining them would close.

A crack is a set of boundary positions. Two of them are connected if they are within the weld distance of each other, or
if they are the ends of a part of a boundary edge that would close. Edges have parts where vertices of other edges lie
on them (T-junctions): there a crack has no width, and its sides fit once the edges are split at these vertices.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.facts.arrays import frozen, offsets_to_segments
from meshguard.facts.mesh.self_intersections import pair_segments
from meshguard.halfedges import edge_keys
from meshguard.kernels.loops import near_pairs

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.facts.mesh.boundary_loops import Loops
    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.facts.mesh.near_boundary import TJunctions
    from meshguard.mesh import FloatArray, IntArray

_MOST_COMPARISONS = 100_000_000
"""Bounds the time where a weld distance is so large that very many vertices lie within it."""

_MOST_PAIRS = 10_000_000
"""Bounds the memory there: 80 MB of pairs."""


class Cracks(NamedTuple):
    """Boundary positions that lie on another boundary within the weld distance, and the crack that each belongs to.

    Attributes:
        positions: int32 (k,), ascending: those with another within the weld distance, and those at T-junctions of edges
            that close.
        crack: int32 (k,), crack of each of them, 0 to c - 1.
        gap: float64 (c,), largest distance within a pair that is welded, or of a T-junction from its edge, mm.
        length: float64 (c,), length that closes, mm.
        n_welded: int64 (c,), number of pairs of vertices within the weld distance; where there are none, splitting
            edges closes the crack, and no vertex is moved.
        n_tjunctions: int64 (c,), number of T-junctions on edges that close.
        n_edges_closed: int64 (c,), number of boundary edges that close.
        n_loops_closed: int64 (c,), number of boundary loops that close entirely.
        closes_loop: bool (L,), whether each boundary loop closes entirely.
        split: int32, half-edges that are split at T-junctions and close in whole or in part, ascending.
    """

    positions: IntArray
    crack: IntArray
    gap: FloatArray
    length: FloatArray
    n_welded: npt.NDArray[np.int64]
    n_tjunctions: npt.NDArray[np.int64]
    n_edges_closed: npt.NDArray[np.int64]
    n_loops_closed: npt.NDArray[np.int64]
    closes_loop: BoolArray
    split: IntArray


_NO_NUMBERS, _NO_LENGTHS, _NO_COUNTS = np.empty(0, np.int32), np.empty(0), np.empty(0, np.int64)

_NO_CRACKS = Cracks(
    positions=_NO_NUMBERS,
    crack=_NO_NUMBERS,
    gap=_NO_LENGTHS,
    length=_NO_LENGTHS,
    n_welded=_NO_COUNTS,
    n_tjunctions=_NO_COUNTS,
    n_edges_closed=_NO_COUNTS,
    n_loops_closed=_NO_COUNTS,
    closes_loop=np.empty(0, np.bool_),
    split=_NO_NUMBERS,
)


def find_cracks(mesh: Connectivity, loops: Loops, junctions: TJunctions | None, distance: float) -> Cracks | None:
    """The cracks of a mesh under a weld distance in mm; None where too many vertices lie within it to be paired."""
    pairs = _pairs(mesh, distance)
    if pairs is None or junctions is None:
        return None
    if not len(pairs) and not len(junctions.vertex):
        return _NO_CRACKS._replace(closes_loop=np.zeros(loops.n_loops, np.bool_))
    boundary, size = mesh.edges.boundary, len(mesh.positions)
    welded = np.arange(size, dtype=np.int32)
    if len(pairs):
        cluster = mesh.clusters(pairs)
        lowest = np.full(int(cluster.max()) + 1, size, np.int32)
        np.minimum.at(lowest, cluster, pairs.min(axis=1))
        for column in (0, 1):
            welded[pairs[:, column]] = lowest[cluster]
    # A part of a boundary edge closes when the weld lays exactly one other on it, or shrinks it to a point.
    ends, edge_of = _parts(mesh, junctions)
    start, end = welded[ends].T
    _, inverse, sizes = np.unique(edge_keys(start, end, size), return_inverse=True, return_counts=True)
    closes: BoolArray = np.asarray((sizes[inverse] == 2) | (start == end))
    is_met = np.zeros(size, np.bool_)
    is_met[pairs] = is_met[junctions.vertex] = True
    closes &= is_met[ends].any(axis=1)
    links = np.concatenate([pairs, ends[closes]])
    if not len(links):
        return _NO_CRACKS._replace(closes_loop=np.zeros(loops.n_loops, np.bool_))
    cluster = mesh.clusters(links)
    crack_of = np.empty(size, np.int32)
    for column in (0, 1):
        crack_of[links[:, column]] = cluster
    count = int(cluster.max()) + 1
    # T-junctions count where a part that they bound closes.
    is_met[:] = False
    is_met[ends[closes]] = True
    closes_partly = np.bincount(edge_of[closes], minlength=len(boundary)) > 0
    is_real = closes_partly[np.searchsorted(boundary, junctions.halfedge)] & is_met[junctions.vertex]
    at_junction = crack_of[junctions.vertex[is_real]]
    # An edge closes when all of its parts do, and a loop when all of its edges do.
    edge_closes = np.bincount(edge_of, ~closes, minlength=len(boundary)) == 0
    closed_edges = np.flatnonzero(edge_closes)
    crack_of_edge = crack_of[mesh.edge_ends(boundary[closed_edges])[:, 0]]
    n_welded = np.bincount(cluster[: len(pairs)], minlength=count)
    n_edges_closed = np.bincount(crack_of_edge, minlength=count)
    # Where two boundaries slid along each other, edges coincide in part: that is not a crack, but perhaps a seam.
    is_crack = (n_welded > 0) | (n_edges_closed > 0)
    if not is_crack.all():
        is_real[is_real] = is_crack[at_junction]
        return find_cracks(mesh, loops, junctions.only(is_real), distance)
    loop_of = loops.of_edges(boundary)
    closes_loop: BoolArray = np.bincount(loop_of, edge_closes, minlength=loops.n_loops) == np.diff(loops.offsets)
    crack_and_loop = np.stack([crack_of_edge, loop_of[closed_edges]], axis=1)
    crack_and_loop = np.unique(crack_and_loop[closes_loop[loop_of[closed_edges]]], axis=0)
    gap = np.zeros(count)
    paired, sides = mesh.positions[pairs], mesh.positions[ends[closes]]
    np.maximum.at(gap, cluster[: len(pairs)], np.linalg.norm(paired[:, 1] - paired[:, 0], axis=1))
    np.maximum.at(gap, at_junction, junctions.aside[is_real])
    lengths = np.linalg.norm(sides[:, 1] - sides[:, 0], axis=1)
    positions = np.unique(np.concatenate([pairs.reshape(-1), junctions.vertex[is_real]])).astype(np.int32)
    return Cracks(
        positions=positions,
        crack=crack_of[positions],
        gap=gap,
        length=np.bincount(cluster[len(pairs) :], lengths, minlength=count) / 2,
        n_welded=n_welded,
        n_tjunctions=np.bincount(at_junction, minlength=count),
        n_edges_closed=n_edges_closed,
        n_loops_closed=np.bincount(crack_and_loop[:, 0], minlength=count),
        closes_loop=closes_loop,
        split=np.unique(junctions.halfedge[is_real]).astype(np.int32),
    )


def meets_at_crack(mesh: Connectivity, cracks: Cracks | None, pairs: IntArray, distance: float) -> BoolArray:
    """Whether all that each intersecting pair of faces shares lies on an edge that is split at T-junctions, bool (k,).

    Args:
        mesh: the mesh.
        cracks: its cracks, None where they could not be found.
        pairs: int32 (k, 2), the faces.
        distance: how far beside such an edge what they share may lie, mm.
    """
    at_crack = np.zeros(len(pairs), np.bool_)
    if cracks is None or not len(cracks.split) or not len(pairs):
        return at_crack
    is_split = np.zeros(mesh.corners.size, np.bool_)
    is_split[cracks.split] = True
    face_is_split: BoolArray = np.asarray(is_split.reshape(-1, 3).any(axis=1))
    rows = np.flatnonzero(face_is_split[pairs].any(axis=1))
    shared, _ = pair_segments(mesh, pairs[rows])
    for side in (0, 1):
        for corner in range(3):
            halfedge = 3 * pairs[rows, side] + corner
            start, end = mesh.positions[mesh.edge_ends(halfedge)].transpose(1, 0, 2)
            lies_on_edge = is_split[halfedge]
            for point in (shared[:, 0], shared[:, 1]):
                lies_on_edge &= np.linalg.norm(offsets_to_segments(point, start, end), axis=1) <= distance
            at_crack[rows] |= lies_on_edge
    return at_crack


def _parts(mesh: Connectivity, junctions: TJunctions) -> tuple[IntArray, npt.NDArray[np.int64]]:
    """The parts of the boundary edges between T-junctions: ends int32 (k, 2), and which edge each is a part of (k,)."""
    boundary = mesh.edges.boundary
    ends = mesh.edge_ends(boundary)
    edge = np.concatenate([np.arange(len(boundary)), np.searchsorted(boundary, junctions.halfedge)])
    order = np.lexsort((np.concatenate([np.full(len(boundary), -1.0), junctions.along]), edge))
    edge, starts = edge[order], np.concatenate([ends[:, 0], junctions.vertex])[order]
    is_last = np.append(edge[1:] != edge[:-1], True)[: len(edge)]
    stops = np.where(is_last, ends[edge, 1], np.append(starts[1:], 0)[: len(edge)])
    return np.stack([starts, stops], axis=1).astype(np.int32), edge


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
