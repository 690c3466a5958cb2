"""Seams: two stretches of boundary that run along each other, further apart than a crack and closer than a hole.

A boundary edge may belong to a seam where another edge runs beside its middle, within the limit. It certainly does if
the gap, not the surface, is between the two, and the surface goes on behind it: a narrow strip of surface and two walls
whose rims lie beside each other look the same otherwise. Along a ragged cut, or in a sharp groove, not every edge is
certain; a seam is a connected stretch most of which is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.facts.arrays import BoolArray, frozen, offsets_to_segments
from meshguard.facts.mesh.near_boundary import boundary_edges_near
from meshguard.halfedges import face_normals, unit_vectors

if TYPE_CHECKING:
    from meshguard.facts.mesh.boundary_loops import Loops
    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.facts.mesh.cracks import Cracks
    from meshguard.mesh import FloatArray, IntArray

_LEAST_COS = 0.5
"""Two edges run along each other where their directions are at most 60 degrees apart."""

_WALL_COS = 0.87
"""Where the surface folds back by more than 150 degrees, the edges are the rims of two walls and not a seam."""

_CERTAIN_SHARE = 0.5
"""At least this share of a seam's length is certain."""

_SLIT_SHARE = 0.5
"""A loop is a seam and not a hole where at least this share of its length lies in seams, and it encloses no more."""


class Seams(NamedTuple):
    """Boundary edges that lie in seams, and the seam that each belongs to.

    Attributes:
        halfedges: int32 (k,), ascending.
        seam: int32 (k,), seam of each of them, 0 to s - 1.
        width: float64 (k,), from the middle of each to the edge beside it, mm.
        length: float64 (s,), of each seam, mm: the mean of its two sides.
        is_slit: bool (L,), whether each boundary loop is a seam that goes all around.
    """

    halfedges: IntArray
    seam: IntArray
    width: FloatArray
    length: FloatArray
    is_slit: BoolArray


def find_seams(mesh: Connectivity, loops: Loops, cracks: Cracks | None, width: float, least_length: float) -> Seams:
    """The seams at most `width` mm wide and at least `least_length` mm long; none where boundaries are too crowded.

    What is a crack is not a seam.
    """
    boundary = mesh.edges.boundary
    row, beside, distance, is_certain = _edges_beside(mesh, width)
    ends = mesh.edge_ends(boundary)
    if cracks is not None and len(cracks.positions):
        is_cracked = np.zeros(len(mesh.positions), np.bool_)
        is_cracked[cracks.positions] = True
        is_open = ~np.asarray(is_cracked[ends].any(axis=1) | np.isin(boundary, cracks.split))[row]
        row, beside, distance, is_certain = row[is_open], beside[is_open], distance[is_open], is_certain[is_open]
    if not len(row):
        none = np.empty(0, np.int32)
        return Seams(none, none, np.empty(0), np.empty(0), np.zeros(loops.n_loops, np.bool_))
    lengths = mesh.edge_lengths(ends)
    seam = mesh.clusters(np.concatenate([ends[row], ends[beside]], axis=1))
    length = np.bincount(seam, lengths[row]) / 2
    is_long = length >= least_length
    is_long &= np.bincount(seam, lengths[row] * is_certain) / 2 >= _CERTAIN_SHARE * length
    number = np.cumsum(is_long) - 1
    chosen = is_long[seam]
    row, distance, seam = row[chosen], distance[chosen], number[seam[chosen]].astype(np.int32)
    loop_of = loops.of_edges(boundary)
    in_seam = np.bincount(loop_of[row], lengths[row], minlength=loops.n_loops)
    return Seams(
        halfedges=frozen(boundary[row]),
        seam=frozen(seam),
        width=frozen(distance),
        length=frozen(length[is_long]),
        is_slit=frozen(
            (in_seam > 0) & (in_seam >= _SLIT_SHARE * loops.perimeter) & (loops.area <= width / 2 * loops.perimeter)
        ),
    )


@np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore")
def _edges_beside(
    mesh: Connectivity, width: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], FloatArray, BoolArray]:
    """Boundary edges with another beside their middle, the nearest of these, its distance in mm, and if for certain.

    Edges are known by their places in `mesh.edges.boundary`; the first are ascending.
    """
    boundary = mesh.edges.boundary
    ends = mesh.edge_ends(boundary)
    start, end = mesh.positions[ends[:, 0]], mesh.positions[ends[:, 1]]
    middle = (start + end) / 2
    pairs = boundary_edges_near(mesh, middle, ends, width)
    edge, other = np.empty((2, 0), np.int64) if pairs is None else pairs.astype(np.int64).T
    direction = [unit_vectors(end[edges] - start[edges]) for edges in (edge, other)]
    runs_along = np.abs((direction[0] * direction[1]).sum(axis=1)) >= _LEAST_COS
    edge, other = edge[runs_along], other[runs_along]
    away = offsets_to_segments(middle[edge], start[other], end[other])
    distance = np.linalg.norm(away, axis=1)
    order = np.lexsort((other, distance, edge))
    nearest = order[np.flatnonzero(np.diff(edge[order], prepend=-1))]
    edge, other, away, distance = edge[nearest], other[nearest], away[nearest], distance[nearest]
    outward, outward_of_other = (
        np.cross(  # away from the face, in its plane
            unit_vectors(end[edges] - start[edges]),
            unit_vectors(face_normals(mesh.positions, mesh.corners[boundary[edges] // 3])),
        )
        for edges in (edge, other)
    )
    is_certain = (outward * outward_of_other).sum(axis=1) < _WALL_COS
    is_certain &= (outward * away).sum(axis=1) >= -0.5 * distance
    return edge, other, distance, is_certain
