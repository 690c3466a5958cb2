"""Two surfaces that reach into each other: which faces meet, and how deep one lies behind the other."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.facts.arrays import frozen
from meshguard.halfedges import face_normals, next_halfedge, triangle_normals, unit_vectors
from meshguard.kernels._parallel import over_ranges, part_bounds, side_by_side
from meshguard.kernels.closest_points import closest_points
from meshguard.kernels.intersections import pairs_between
from meshguard.watch import look

if TYPE_CHECKING:
    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.kernels.bvh import Tree
    from meshguard.mesh import FloatArray, IntArray


class Contact(NamedTuple):
    """How two meshes meet.

    Attributes:
        pairs: int32 (k, 2), a face of the first and a face of the second, sorted.
        classes: int8 (k,), crossing 0, overlap 1, touch_point 2, touch_segment 3.
        depth_mm: how deep one lies behind the other where they meet, the larger of the two, rounded; 0 where they do
            not meet.
        location: x, y, z in mm of the deepest vertex, or None.
    """

    pairs: IntArray
    classes: npt.NDArray[np.int8]
    depth_mm: float
    location: tuple[float, float, float] | None


def find_contact(first_mesh: Connectivity, second_mesh: Connectivity) -> Contact:
    """Where two meshes meet. Pairs are exact; depth is measured.

    Depth: a vertex lies behind a surface when the surface faces away from it at its nearest point. Starting from the
    vertices of the faces that meet, the part of a mesh that lies behind the other is followed from neighbour to
    neighbour; its farthest vertex counts. So behind an open sheet counts only what is near the contact, as it should.
    """
    shift = len(first_mesh.positions)
    positions = frozen(np.concatenate([first_mesh.positions, second_mesh.positions]))
    first, second = first_mesh.tree, second_mesh.tree
    second_corners = frozen((second.corners + np.int32(shift) * (second.corners >= 0)).astype(np.int32))
    bounds = part_bounds(len(first.boxes), grain=16)
    found: list[IntArray] = [np.empty((0, 3), np.int32)] * (len(bounds) - 1)

    def search(part: int) -> None:
        out = np.empty((1024, 3), np.int32)
        while True:
            count = pairs_between(
                positions,
                first.order,
                first.nodes,
                first.boxes,
                first.corners,
                first.width,
                second.order,
                second.nodes,
                second.boxes,
                second_corners,
                second.width,
                bounds[part],
                bounds[part + 1],
                out,
            )
            if count <= len(out):
                break
            out = np.empty((count, 3), np.int32)
        found[part] = out[:count]

    side_by_side([partial(search, part) for part in range(len(found))])
    rows = np.concatenate(found)
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    pairs, classes = frozen(np.ascontiguousarray(rows[:, :2])), frozen(rows[:, 2].astype(np.int8))
    depths = [
        _depth_behind(first_mesh, pairs[:, 0], second_mesh, second),
        _depth_behind(second_mesh, pairs[:, 1], first_mesh, first),
    ]
    depth, location = max(depths, key=lambda way: way[0])
    return Contact(pairs, classes, depth, location)


def _depth_behind(
    mesh: Connectivity, faces: IntArray, wall: Connectivity, tree: Tree
) -> tuple[float, tuple[float, float, float] | None]:
    """How far a mesh reaches behind another, followed from some of its faces, mm; and where its deepest vertex is."""
    frontier = np.unique(mesh.corners[faces])
    is_seen = np.zeros(len(mesh.positions), np.bool_)
    is_seen[frontier] = True
    corners = mesh.corners[mesh.sound_faces]
    normals = _vertex_normals(wall) if len(frontier) else np.empty((0, 3))
    depth, deepest = 0.0, -1
    while len(frontier):
        look()
        face, closest, distance = nearest(wall, tree, mesh.positions[frontier])
        outward = _normals_at(wall, normals, face, closest)
        is_behind = (outward * (mesh.positions[frontier] - closest)).sum(axis=1) < 0
        if is_behind.any():
            farthest = int(np.where(is_behind, distance, -1.0).argmax())
            if distance[farthest] > depth:
                depth, deepest = float(distance[farthest]), int(frontier[farthest])
        is_followed = np.zeros(len(is_seen), np.bool_)
        is_followed[frontier[is_behind]] = True
        neighbours = np.unique(corners[is_followed[corners].any(axis=1)])
        frontier = neighbours[~is_seen[neighbours]]
        is_seen[frontier] = True
    if deepest < 0:
        return 0.0, None
    x, y, z = mesh.positions[deepest].tolist()
    return depth, (x, y, z)


def _vertex_normals(mesh: Connectivity) -> FloatArray:
    """Angle-weighted normals of the positions, float64 (p, 3), of any length.

    They tell front from back for a point to which a vertex is nearest (Bærentzen and Aanæs, Signed Distance Computation
    Using the Angle Weighted Pseudonormal, 2005).
    """
    corners = mesh.corners[mesh.sound_faces]
    points = mesh.positions[corners]
    ahead = np.roll(points, -1, axis=1) - points
    behind = np.roll(points, 1, axis=1) - points
    normal = unit_vectors(triangle_normals(points))
    angle = np.arccos(np.clip((unit_vectors(ahead) * unit_vectors(behind)).sum(axis=2), -1.0, 1.0))
    total = np.zeros((len(mesh.positions), 3))
    for corner in range(3):
        np.add.at(total, corners[:, corner], angle[:, corner, None] * normal)
    return total


def _normals_at(mesh: Connectivity, vertex_normals: FloatArray, face: IntArray, point: FloatArray) -> FloatArray:
    """The normal that tells front from back at a point of each face: that of the face, of an edge or of a corner."""
    corners = mesh.corners[face]
    a, b, c = mesh.positions[corners].transpose(1, 0, 2)
    normals = face_normals(mesh.positions, corners)
    square = (normals * normals).sum(axis=1)
    # Weights of the corners at the point: twice the areas of the parts that it divides the face into.
    weights = np.stack(
        [
            (np.cross(second - point, third - point) * normals).sum(axis=1) / square
            for second, third in ((b, c), (c, a), (a, b))
        ],
        axis=1,
    )
    has_weight = weights > 1e-9
    outward = unit_vectors(normals)
    for corner in range(3):
        is_at_corner = (has_weight.sum(axis=1) == 1) & has_weight[:, corner]
        outward[is_at_corner] = vertex_normals[corners[is_at_corner, corner]]
    for corner in range(3):
        is_on_opposite_edge = (has_weight.sum(axis=1) == 2) & ~has_weight[:, corner]
        twin = mesh.edges.twins[next_halfedge(3 * face[is_on_opposite_edge] + corner)]
        paired = np.flatnonzero(is_on_opposite_edge)[twin >= 0]
        outward[paired] += unit_vectors(face_normals(mesh.positions, mesh.corners[twin[twin >= 0] // 3]))
    return outward


def nearest(mesh: Connectivity, tree: Tree, points: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """The point of a surface nearest to each given point: its face int32 (q,), float64 (q, 3), distance (q,), mm."""
    points = frozen(np.ascontiguousarray(points))
    face, closest = np.empty(len(points), np.int32), np.empty((len(points), 3))
    distance = np.empty(len(points))
    over_ranges(
        len(points),
        lambda lo, hi: closest_points(
            mesh.positions,
            tree.order,
            tree.nodes,
            tree.corners,
            tree.width,
            points,
            lo,
            hi,
            face,
            closest,
            distance,
        ),
        grain=64,
    )
    return face, closest, distance
