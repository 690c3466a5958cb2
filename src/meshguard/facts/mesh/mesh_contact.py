"""Two surfaces that reach into each other: which faces meet, and how deep one lies behind the other."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.halfedges import unit_vectors
from meshguard.kernels._parallel import over_ranges, part_bounds, side_by_side
from meshguard.kernels.bvh import Tree, build_tree
from meshguard.kernels.closest_points import closest_points
from meshguard.kernels.intersections import pairs_between

if TYPE_CHECKING:
    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import FloatArray, IntArray


class Contact(NamedTuple):
    """How two meshes meet.

    Attributes:
        pairs: int32 (k, 2), a face of the first and a face of the second, sorted.
        classes: int8 (k,), crossing 0, overlap 1, touch_point 2, touch_segment 3.
        depth_mm: how deep the one lies behind the other where they meet, the larger of both ways, rounded; 0 where they
            do not.
        location: x, y, z in mm of the deepest vertex, or None.
    """

    pairs: IntArray
    classes: npt.NDArray[np.int8]
    depth_mm: float
    location: tuple[float, float, float] | None


def find_contact(first_mesh: Connectivity, second_mesh: Connectivity) -> Contact:
    """Where two meshes meet. Pairs are exact; depth is measured.

    Depth: starting from the vertices of the faces that meet, the part of a surface that lies behind the other (the
    nearest point of the other looks away from it) is followed from neighbour to neighbour; the farthest of its
    vertices counts. So an open sheet has a behind near the contact only, as it should.
    """
    trees = [_tree(mesh) for mesh in (first_mesh, second_mesh)]
    shift = len(first_mesh.positions)
    positions = np.concatenate([first_mesh.positions, second_mesh.positions])
    positions.flags.writeable = False
    first, second = trees
    there = second.corners + np.int32(shift) * (second.corners >= 0)
    there = there.astype(np.int32)
    there.flags.writeable = False
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
                there,
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
    pairs, classes = np.ascontiguousarray(rows[:, :2]), rows[:, 2].astype(np.int8)
    for array in (pairs, classes):
        array.flags.writeable = False
    depths = [
        _depth_behind(first_mesh, pairs[:, 0], second_mesh, second),
        _depth_behind(second_mesh, pairs[:, 1], first_mesh, first),
    ]
    depth, place = max(depths, key=lambda found: found[0])
    return Contact(pairs, classes, depth, place)


def _tree(mesh: Connectivity) -> Tree:
    """The tree over a mesh's sound faces."""
    none = np.empty(0, np.int32)
    none.flags.writeable = False
    return build_tree(mesh.positions, mesh.corners, mesh.sound_faces, none, mesh.span)


def _depth_behind(
    mesh: Connectivity, faces: IntArray, wall: Connectivity, tree: Tree
) -> tuple[float, tuple[float, float, float] | None]:
    """How far a mesh reaches behind another, followed from some of its faces, mm; and its deepest vertex."""
    frontier = np.unique(mesh.corners[faces])
    seen = np.zeros(len(mesh.positions), np.bool_)
    seen[frontier] = True
    sound = mesh.corners[mesh.sound_faces]
    normals = _vertex_normals(wall) if len(frontier) else np.empty((0, 3))
    deepest, place = 0.0, -1
    while len(frontier):
        face, closest, distance = nearest(wall, tree, mesh.positions[frontier])
        outward = _normals_at(wall, normals, face, closest)
        behind = (outward * (mesh.positions[frontier] - closest)).sum(axis=1) < 0
        if behind.any():
            farthest = int(np.where(behind, distance, -1.0).argmax())
            if distance[farthest] > deepest:
                deepest, place = float(distance[farthest]), int(frontier[farthest])
        inside = np.zeros(len(seen), np.bool_)
        inside[frontier[behind]] = True
        around = np.unique(sound[inside[sound].any(axis=1)])
        frontier = around[~seen[around]]
        seen[frontier] = True
    if place < 0:
        return 0.0, None
    x, y, z = mesh.positions[place].tolist()
    return deepest, (x, y, z)


def _vertex_normals(mesh: Connectivity) -> FloatArray:
    """Angle-weighted normals of the positions, float64 (p, 3), of any length.

    They tell front from back for whatever is nearest to a vertex (Bærentzen and Aanæs, Signed Distance Computation
    Using the Angle Weighted Pseudonormal, 2005).
    """
    corners = mesh.corners[mesh.sound_faces]
    points = mesh.positions[corners]
    ahead = np.roll(points, -1, axis=1) - points
    behind = np.roll(points, 1, axis=1) - points
    normal = unit_vectors(np.cross(ahead[:, 0], behind[:, 0]))
    angle = np.arccos(np.clip((unit_vectors(ahead) * unit_vectors(behind)).sum(axis=2), -1.0, 1.0))
    total = np.zeros((len(mesh.positions), 3))
    for c in range(3):
        np.add.at(total, corners[:, c], angle[:, c, None] * normal)
    return total


def _normals_at(mesh: Connectivity, vertex_normals: FloatArray, face: IntArray, point: FloatArray) -> FloatArray:
    """The normal that tells front from back at a point of each of some faces: its own, an edge's or a corner's."""
    corners = mesh.corners[face]
    a, b, c = mesh.positions[corners].transpose(1, 0, 2)
    cross = np.cross(b - a, c - a)
    square = (cross * cross).sum(axis=1)
    # Weights of the corners at the point: twice the areas of the parts it cuts the face into.
    weights = np.stack(
        [
            (np.cross(second - point, third - point) * cross).sum(axis=1) / square
            for second, third in ((b, c), (c, a), (a, b))
        ],
        axis=1,
    )
    present = weights > 1e-9
    outward = unit_vectors(cross)
    for corner in range(3):  # the point is a corner
        alone = present.sum(axis=1) == 1
        here = alone & present[:, corner]
        outward[here] = vertex_normals[corners[here, corner]]
    for corner in range(3):  # the point is on the edge opposite to a corner
        here = (present.sum(axis=1) == 2) & ~present[:, corner]
        twin = mesh.edges.twins[3 * face[here] + (corner + 1) % 3]
        paired = np.flatnonzero(here)[twin >= 0]
        d, e, f = mesh.positions[mesh.corners[twin[twin >= 0] // 3]].transpose(1, 0, 2)
        outward[paired] += unit_vectors(np.cross(e - d, f - d))
    return outward


def nearest(mesh: Connectivity, tree: Tree, points: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """The nearest point of a surface to each of some points: face int32 (q,), float64 (q, 3), distance mm (q,)."""
    points = np.ascontiguousarray(points)
    points.flags.writeable = False
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
