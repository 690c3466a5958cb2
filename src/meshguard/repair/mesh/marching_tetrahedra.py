"""A solid out of anything with an inside: the last means where a policy wants a closed body.

Winding numbers say on a grid what is inside; the border between inside and outside is made of tetrahedra's cuts. It is
closed, manifold and free of intersections by construction: each cut lies in its tetrahedron, and no vertex comes near a
corner. Vertices stand where grid lines meet the given surface, so that where that is sound the new one follows it.

After Doi and Koide, An Efficient Method of Triangulating Equi-valued Surfaces by Using Tetrahedral Cells (1991), with
the winding numbers of `kernels.winding`.
"""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import frozen
from meshguard.kernels import winding
from meshguard.kernels._parallel import over_ranges
from meshguard.kernels.bvh import Tree, build_tree
from meshguard.kernels.nearest import first_hits
from meshguard.repair.mesh.rounding import rounded

if TYPE_CHECKING:
    import numpy.typing as npt

    from meshguard.facts.arrays import BoolArray
    from meshguard.facts.mesh import MeshFacts
    from meshguard.mesh import FloatArray, IntArray

_INSIDE = 0.5
_MOST_ASKED = 200_000
"""Nodes of which the winding number is asked, at most; beyond, the majority of the lines decides."""

_LEAST_SHARE, _LEAST_OF_PIECE = 0.9, 0.5
"""The share of the surface, and of each piece, that must have an inside near it."""

_MOST_NODES = 2e8
"""Nodes of a grid, at most: a policy with finer cells gets no solid."""

_NEAREST = 0.08
"""No vertex is nearer to the end of its grid line than this share of it."""


class Solid(NamedTuple):
    """A closed surface: positions float64 (p, 3), mm, each a float32; corners int32 (m, 3), outward."""

    positions: FloatArray
    corners: IntArray


class _Grid(NamedTuple):
    """A grid of nodes: origin, distance of neighbours (mm), nodes along each side."""

    origin: FloatArray
    cell: float
    shape: tuple[int, int, int]

    def points(self, nodes: npt.NDArray[np.int64]) -> FloatArray:
        """Where nodes are, given by their numbers."""
        places = np.stack(np.unravel_index(nodes, self.shape), axis=1)
        points: FloatArray = self.origin + self.cell * places
        return points


def solid_of(facts: MeshFacts, cell: float) -> Solid | None:
    """The surface of what a mesh has inside, in cells of a given size in mm.

    None where it has no inside, or a part of the surface that is more than debris has none: a sheet without thickness
    is the border of nothing, and would be gone.
    """
    low, high = facts.box
    # Off the mesh's own planes, which tend to lie at round numbers.
    origin = low - cell * np.array([2.375, 2.4375, 2.40625])
    counts = np.ceil((high - origin) / cell) + 4
    if not counts.prod() <= _MOST_NODES:
        return None
    grid = _Grid(origin, cell, (int(counts[0]), int(counts[1]), int(counts[2])))
    none = frozen(np.empty(0, np.int32))
    tree = build_tree(facts.positions, facts.corners, facts.sound_faces, none, facts.span)
    inside = _inside(facts, tree, grid)
    if not _has_inside(facts, grid, inside):
        return None
    return _cut(facts, tree, grid, inside)


def _has_inside(facts: MeshFacts, grid: _Grid, inside: BoolArray) -> bool:
    """Whether there is an inside near nearly all of the surface, and half of each piece that is more than debris.

    Near means a corner of the cell around the middle of a face.
    """
    faces = facts.sound_faces
    middles = facts.positions[facts.corners[faces]].mean(axis=1)
    cells = ((middles - grid.origin) / grid.cell).astype(np.int64)
    near = np.zeros(len(cells), np.bool_)
    for i, j, k in ((0, 0, 0), *_STEPS):
        near |= inside[cells[:, 0] + i, cells[:, 1] + j, cells[:, 2] + k]
    area, components = facts.face_measures.area[faces], facts.components.n_components
    of_face = facts.components.of_face[faces]
    whole = np.bincount(of_face, area, minlength=components)
    found = np.bincount(of_face, area * near, minlength=components)
    debris = facts.policy.tolerance("floating_area_mm2").within(float(whole.sum()))
    lost = found < _LEAST_OF_PIECE * whole
    return bool(near.any()) and found.sum() >= _LEAST_SHARE * whole.sum() and not (lost & (whole >= debris)).any()


def _inside(facts: MeshFacts, tree: Tree, grid: _Grid) -> BoolArray:
    """Whether each node is inside, bool of the grid's shape.

    Grid lines along the three axes are followed from both ends. Nodes on which all six agree are decided; of the
    others, which lie where the surface is open, the generalised winding number is asked.
    """
    used = frozen(np.ascontiguousarray(facts.corners[facts.sound_faces]))
    origin = frozen(grid.origin.copy())
    votes = np.zeros(grid.shape, np.int8)
    seen = np.empty(grid.shape, np.int16)
    for axis in range(3):
        winding.stab_lines(facts.positions, used, axis, origin, grid.cell, seen)
        last = np.take(seen, [-1], axis=axis)
        votes += seen > 0
        votes += seen - last > 0
    inside = votes > 3
    nodes = np.flatnonzero((votes > 0) & (votes < 6))
    if 0 < len(nodes) <= _MOST_ASKED:
        inside.reshape(-1)[nodes] = _winding_at(facts, tree, frozen(grid.points(nodes))) > _INSIDE
    # Beyond the mesh is outside, whatever lines through open surface say: a body that reached the border would be open.
    whole = inside
    inside = np.zeros_like(whole)
    inside[1:-1, 1:-1, 1:-1] = whole[1:-1, 1:-1, 1:-1]
    return inside


def _winding_at(facts: MeshFacts, tree: Tree, points: FloatArray) -> FloatArray:
    """The winding number at points, float64 (q,)."""
    dipoles = np.empty((2 * tree.width, winding.COLUMNS))
    winding.place_dipoles(facts.positions, tree.nodes, tree.corners, tree.width, dipoles)
    dipoles.flags.writeable = False
    found = np.empty(len(points))
    over_ranges(
        len(points),
        lambda lo, hi: winding.winding_numbers(
            facts.positions, tree.corners, tree.width, dipoles, points, lo, hi, found
        ),
        grain=1024,
    )
    return found


_STEPS = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1))
"""The grid lines of a cell and its diagonals, by which way they run."""


def _cut(facts: MeshFacts, tree: Tree, grid: _Grid, inside: BoolArray) -> Solid:
    """The border of the inside, in tetrahedra around each cell's diagonal."""
    shape = grid.shape
    flat = inside.reshape(-1)
    strides = np.array([shape[1] * shape[2], shape[2], 1])
    offsets = [int(np.dot(step, strides)) for step in _STEPS]
    corner = inside[:-1, :-1, :-1]
    same = np.ones(tuple(side - 1 for side in shape), np.bool_)
    for i, j, k in _STEPS:
        same &= inside[i : i + same.shape[0], j : j + same.shape[1], k : k + same.shape[2]] == corner
    at = np.argwhere(~same) @ strides
    lines: list[npt.NDArray[np.int64]] = []
    count = np.int64(flat.size)
    for path, triangles in _tetrahedra():
        nodes = [at + int(np.dot(place, strides)) for place in path]
        case = sum(flat[node].astype(np.int64) << bit for bit, node in enumerate(nodes))
        for number, faces in triangles.items():
            here = case == number
            if not here.any():
                continue
            for face in faces:
                corners = []
                for i, j in face:
                    (a, b, c), (u, v, w) = path[i], path[j]
                    corners.append(_STEPS.index((u - a, v - b, w - c)) * count + nodes[i][here])
                lines.append(np.stack(corners, axis=1))
    keys, corners_of = np.unique(np.concatenate(lines), return_inverse=True)
    node, way = keys % count, keys // count
    other = node + np.array(offsets)[way]
    start = np.where(flat[node], other, node)  # from outside inward: the outermost surface counts
    end = np.where(flat[node], node, other)
    origins = frozen(grid.points(start))
    directions = frozen(grid.points(end) - origins)
    hit, along = np.empty(len(keys), np.int32), np.empty(len(keys))
    over_ranges(
        len(keys),
        lambda lo, hi: first_hits(
            facts.positions, tree.order, tree.nodes, tree.corners, tree.width, origins, directions, lo, hi, hit, along
        ),
        grain=1024,
    )
    along = np.clip(np.where(along < 1.0, along, 0.5), _NEAREST, 1.0 - _NEAREST)
    points = rounded(origins + along[:, None] * directions)
    return Solid(frozen(points), frozen(np.ascontiguousarray(corners_of.reshape(-1, 3), np.int32)))


_Line = tuple[int, int]


def _tetrahedra() -> list[tuple[list[tuple[int, int, int]], dict[int, list[tuple[_Line, _Line, _Line]]]]]:
    """The six tetrahedra of a cell: corners, and the outward triangles for each set of corners that is inside.

    Corners are in the order of the path from the cell's first corner to its last; a triangle's corner stands on the
    line between two of them.
    """
    found = []
    for axes in permutations(range(3)):
        path = [(0, 0, 0)]
        for axis in axes:
            i, j, k = path[-1]
            path.append((i + (axis == 0), j + (axis == 1), k + (axis == 2)))
        places = np.array(path, np.float64)
        triangles: dict[int, list[tuple[_Line, _Line, _Line]]] = {}
        for case in range(1, 15):
            within = [corner for corner in range(4) if case >> corner & 1]
            without = [corner for corner in range(4) if not case >> corner & 1]
            lines = [(min(a, b), max(a, b)) for a in within for b in without]
            if len(lines) == 4:  # a quadrilateral: neighbours in it share a corner
                lines = [lines[0], lines[1], lines[3], lines[2]]
            outward = places[without].mean(axis=0) - places[within].mean(axis=0)
            faces = []
            for face in [lines[:3]] if len(lines) == 3 else [lines[:3], [lines[0], lines[2], lines[3]]]:
                a, b, c = (places[list(line)].mean(axis=0) for line in face)
                if np.dot(np.cross(b - a, c - a), outward) < 0:
                    face = [face[0], face[2], face[1]]
                faces.append((face[0], face[1], face[2]))
            triangles[case] = faces
        found.append((path, triangles))
    return found
