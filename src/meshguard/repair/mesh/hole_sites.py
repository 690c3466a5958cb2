"""A hole and its surroundings: the loops, the rings of faces around them, and how the surface meets each loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.facts.arrays import frozen
from meshguard.halfedges import directed_keys, edge_ends, edge_keys, face_normals
from meshguard.kernels import hole_triangulation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshguard.mesh import FloatArray, IntArray

RINGS = 4
"""Rings of faces around a hole that say how the surface goes on."""


class HoleSite(NamedTuple):
    """A hole and its surroundings, with numbers of their own for positions and faces.

    Attributes:
        numbers: int64 (n,), ascending: the number that each position has in the mesh.
        n_positions: positions of the whole mesh.
        positions: float64 (n, 3), mm: where they are.
        origin: float64 (3,), mm: a position on a loop.
        points: float64 (n, 3), mm: the positions, seen from the origin.
        faces: int32 (f, 3): the faces around the hole.
        loops: the loops.
        edges: int64 (e,): sorted `edge_keys` of all edges.
        across: float64 (k, 3), for each loop: unit normal of the face across each of its edges, or NaN.
    """

    numbers: npt.NDArray[np.int64]
    n_positions: int
    positions: FloatArray
    origin: FloatArray
    points: FloatArray
    faces: IntArray
    loops: list[IntArray]
    edges: npt.NDArray[np.int64]
    across: list[FloatArray]

    def is_closed_by(self, faces: IntArray) -> bool:
        """Whether faces close the loops: each edge once in each direction with the loops' own, none the mesh's."""
        length = len(self.points)
        start, end = face_edges(faces)
        directed = directed_keys(start, end, length)
        if len(np.unique(directed)) < len(directed):
            return False
        boundary = np.setdiff1d(directed, directed_keys(end, start, length))
        loops = np.sort(np.concatenate([directed_keys(loop, np.roll(loop, -1), length) for loop in self.loops]))
        if not np.array_equal(boundary, loops):
            return False
        is_inner = np.isin(directed, boundary, invert=True)
        if np.isin(edge_keys(start[is_inner], end[is_inner], length), self.edges).any():
            return False
        return not np.isin(_triple_keys(faces, length), _triple_keys(self.faces, length)).any()

    def mean_edge_lengths(self) -> FloatArray:
        """The mean length of the edges at each point, float64 (n,), mm."""
        length = len(self.points)
        # The loops' own edges count too: a vertex on the loop may have no face around the hole.
        on_loops = [edge_keys(loop, np.roll(loop, -1), length) for loop in self.loops]
        edges = np.unique(np.concatenate([self.edges, *on_loops]))
        low, high = edges // length, edges % length
        size = np.linalg.norm(self.points[low] - self.points[high], axis=1)
        total = np.bincount(low, size, length) + np.bincount(high, size, length)
        count = np.bincount(low, minlength=length) + np.bincount(high, minlength=length)
        mean: FloatArray = total / np.maximum(count, 1)
        return mean


def hole_site(positions: FloatArray, corners: IntArray, loops: list[IntArray], around: IntArray | None) -> HoleSite:
    """Describe a hole and its surroundings; arguments as for `fill_hole`."""
    on_loops = np.concatenate(loops)
    if around is None:
        around = _found_around(positions, corners, on_loops)
    near = corners[around]
    numbers = np.unique(np.concatenate([near.reshape(-1), on_loops]))
    faces = np.searchsorted(numbers, near).astype(np.int32)
    faces = faces[(faces != np.roll(faces, 1, axis=1)).all(axis=1)]
    loops = [frozen(np.searchsorted(numbers, loop).astype(np.int32)) for loop in loops]
    origin = positions[on_loops[0]]
    points = positions[numbers] - origin
    # The loops' edges are edges of the mesh, also where `around` lacks their faces.
    start, end = face_edges(faces)
    start = np.concatenate([start, *loops])
    end = np.concatenate([end, *(np.roll(loop, -1) for loop in loops)])
    return HoleSite(
        numbers=numbers,
        n_positions=len(positions),
        positions=positions[numbers],
        origin=origin,
        points=frozen(points),
        faces=faces,
        loops=loops,
        edges=frozen(np.unique(edge_keys(start, end, len(numbers)))),
        across=_normals_across(points, faces, loops),
    )


def face_edges(faces: IntArray) -> tuple[IntArray, IntArray]:
    """Where each half-edge of faces starts and ends, int32 (3f,) each."""
    start, end = edge_ends(faces, np.arange(faces.size, dtype=np.int32)).T
    return start, end


def unit_normals(points: FloatArray, faces: IntArray) -> FloatArray:
    """Unit normals of faces, float64 (f, 3); NaN where a face has no area, since no turn can be measured there."""
    normals = face_normals(points, faces)
    with np.errstate(divide="ignore", invalid="ignore"):
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return normals


def _normals_across(points: FloatArray, faces: IntArray, loops: list[IntArray]) -> list[FloatArray]:
    """For each loop the unit normal of the face across each of its edges, float64 (k, 3), or NaN."""
    length = len(points)
    normals = unit_normals(points, faces)
    directed = directed_keys(*face_edges(faces), length)
    order = np.argsort(directed, kind="stable")
    across = []
    for loop in loops:
        twins = directed_keys(np.roll(loop, -1), loop, length)
        place = np.minimum(np.searchsorted(directed, twins, sorter=order), max(len(order) - 1, 0))
        found = directed[order[place]] == twins if len(order) else np.zeros(len(loop), np.bool_)
        normal = np.full((len(loop), 3), np.nan)
        normal[found] = normals[order[place[found]] // 3]
        across.append(normal)
    return across


def _triple_keys(faces: IntArray, length: int) -> npt.NDArray[np.int64]:
    """One number for the three vertices of each face, in whatever order they stand there."""
    a, b, c = np.sort(faces, axis=1).astype(np.int64).T
    keys: npt.NDArray[np.int64] = (a * length + b) * length + c
    return keys


def _found_around(positions: FloatArray, corners: IntArray, on_loops: IntArray) -> IntArray:
    """Some rings of faces around loops, found by looking at all faces once."""
    points = positions[on_loops]
    box = np.concatenate([points.min(axis=0), points.max(axis=0)])
    steps = np.linalg.norm(points - np.roll(points, 1, axis=0), axis=1)
    reach = 3.0 * RINGS * float(np.median(steps))
    box += reach * np.array([-1, -1, -1, 1, 1, 1])
    inside = np.empty(len(corners), np.bool_)
    hole_triangulation.faces_in_box(positions, corners, frozen(box), inside)
    near = np.flatnonzero(inside).astype(np.int32)
    near_corners = corners[near]
    reached = np.zeros(len(positions), np.bool_)
    reached[on_loops] = True
    in_rings: npt.NDArray[np.bool_] = np.zeros(len(near), np.bool_)
    for _ in range(RINGS):
        in_rings = reached[near_corners[:, 0]] | reached[near_corners[:, 1]] | reached[near_corners[:, 2]]
        reached[near_corners[in_rings]] = True
    return near[in_rings]


class Incidence(NamedTuple):
    """The faces at each position, for finding surroundings in a mesh with many holes.

    Attributes:
        offsets: int64 (p + 1,), first entry of each position.
        faces: int32 (3m,), faces at each position, ascending.
    """

    offsets: npt.NDArray[np.int64]
    faces: IntArray


def incidence(corners: IntArray, n_positions: int) -> Incidence:
    """The faces at each position, found once for all holes of a mesh."""
    flat = corners.reshape(-1)
    order = np.argsort(flat, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(flat, minlength=n_positions))])
    return Incidence(offsets, (order // 3).astype(np.int32))


def rings_around(corners: IntArray, incident: Incidence, loops: Sequence[IntArray], *, rings: int = RINGS) -> IntArray:
    """The faces within some rings of loops, ascending: what `fill_hole` takes as `around`.

    Args:
        corners: int32 (m, 3): positions of each face's corners.
        incident: the faces at each position.
        loops: positions.
        rings: how many; the first are the faces that touch the loops.
    """
    faces = np.empty(0, np.int32)
    positions = np.unique(np.concatenate([np.asarray(loop, np.int32) for loop in loops]))
    for _ in range(rings):
        first, count = incident.offsets[positions], incident.offsets[positions + 1] - incident.offsets[positions]
        ahead = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        faces = np.unique(incident.faces[np.repeat(first, count) + ahead])
        positions = np.unique(corners[faces])
    return faces
