"""A closed solid out of anything with an inside: the last resort where a policy asks for a closed body.

Winding numbers say on a grid what is inside. The surface between inside and outside is cut out of tetrahedra. It is
closed, manifold and free of intersections by construction: each cut lies in its tetrahedron, and no vertex comes near a
corner. Vertices stand where grid lines meet the given surface, so the new surface follows it where it is sound.

After Doi and Koide, An Efficient Method of Triangulating Equi-valued Surfaces by Using Tetrahedral Cells (1991), with
the winding numbers of `kernels.winding_numbers`.
"""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import frozen
from meshguard.kernels import winding_numbers as kernels
from meshguard.kernels._parallel import over_ranges
from meshguard.kernels.bvh import NO_GROUPS, Tree, build_tree
from meshguard.kernels.closest_points import first_hits

if TYPE_CHECKING:
    import numpy.typing as npt

    from meshguard.facts.arrays import BoolArray
    from meshguard.facts.mesh import MeshFacts
    from meshguard.mesh import FloatArray, IntArray

INSIDE = 0.5
"""Beyond this winding number a point is inside."""

_MOST_ASKED = 200_000
"""Nodes of which the winding number is asked, at most; beyond, the majority of the lines decides."""

_LEAST_SHARE, _LEAST_OF_COMPONENT = 0.9, 0.5
"""The share of the surface, and of each component, that must have an inside near it."""

_MOST_NODES = 2e8
"""Nodes of a grid, at most: a policy with finer cells gets no solid."""

_NEAREST = 0.08
"""No vertex is nearer to the end of its grid line than this share of it."""


class Solid(NamedTuple):
    """A closed surface: positions float64 (p, 3), mm; corners int32 (m, 3), outward."""

    positions: FloatArray
    corners: IntArray


class _Grid(NamedTuple):
    """A grid of nodes: origin, distance of neighbours (mm), nodes along each side."""

    origin: FloatArray
    cell: float
    shape: tuple[int, int, int]

    @property
    def strides(self) -> npt.NDArray[np.int64]:
        """By how much a node's number grows from one node to the next along each side, int64 (3,)."""
        return np.array([self.shape[1] * self.shape[2], self.shape[2], 1])

    def points(self, nodes: npt.NDArray[np.int64]) -> FloatArray:
        """Where nodes are, given by their numbers."""
        places = np.stack(np.unravel_index(nodes, self.shape), axis=1)
        points: FloatArray = self.origin + self.cell * places
        return points


def solid_of(facts: MeshFacts, cell: float) -> Solid | None:
    """The surface around what a mesh encloses, in cells of a given size in mm.

    None where it encloses nothing, or a component that is more than debris does: a sheet without thickness encloses
    nothing, and would be lost.
    """
    low, high = facts.box
    # Off the mesh's own planes, which tend to lie at round numbers.
    origin = low - cell * np.array([2.375, 2.4375, 2.40625])
    counts = np.ceil((high - origin) / cell) + 4
    if not counts.prod() <= _MOST_NODES:
        return None
    grid = _Grid(origin, cell, (int(counts[0]), int(counts[1]), int(counts[2])))
    tree = build_tree(facts.positions, facts.corners, facts.sound_faces, NO_GROUPS, facts.span)
    inside = _inside(facts, tree, grid)
    if not _has_inside(facts, grid, inside):
        return None
    return _boundary(facts, tree, grid, inside)


def _has_inside(facts: MeshFacts, grid: _Grid, inside: BoolArray) -> bool:
    """Whether there is an inside near almost all of the surface, and half of each component larger than debris.

    Near means a corner of the cell around the middle of a face.
    """
    faces = facts.sound_faces
    middles = facts.positions[facts.corners[faces]].mean(axis=1)
    cells = ((middles - grid.origin) / grid.cell).astype(np.int64)
    near = np.zeros(len(cells), np.bool_)
    for i, j, k in ((0, 0, 0), *_STEPS):
        near |= inside[cells[:, 0] + i, cells[:, 1] + j, cells[:, 2] + k]
    area, n_components = facts.face_measures.area[faces], facts.components.n_components
    component = facts.components.of_face[faces]
    total_area = np.bincount(component, area, minlength=n_components)
    near_area = np.bincount(component, area * near, minlength=n_components)
    debris = facts.policy.tolerance("floating_area_mm2").within(float(total_area.sum()))
    is_lost = (near_area < _LEAST_OF_COMPONENT * total_area) & (total_area >= debris)
    return bool(near.any()) and near_area.sum() >= _LEAST_SHARE * total_area.sum() and not is_lost.any()


def _inside(facts: MeshFacts, tree: Tree, grid: _Grid) -> BoolArray:
    """Whether each node is inside, bool of the grid's shape.

    Grid lines along the three axes are followed from both ends. Nodes on which all six agree are decided. Where
    the surface is open they do not, and the generalised winding number decides.
    """
    corners = frozen(np.ascontiguousarray(facts.corners[facts.sound_faces]))
    origin = frozen(grid.origin.copy())
    votes = np.zeros(grid.shape, np.int8)
    seen = np.empty(grid.shape, np.int16)
    for axis in range(3):
        kernels.stab_lines(facts.positions, corners, axis, origin, grid.cell, seen)
        last = np.take(seen, [-1], axis=axis)
        votes += seen > 0
        votes += seen - last > 0
    is_inside = votes > 3
    nodes = np.flatnonzero((votes > 0) & (votes < 6))
    if 0 < len(nodes) <= _MOST_ASKED:
        is_inside.reshape(-1)[nodes] = winding_at(facts, tree, frozen(grid.points(nodes))) > INSIDE
    # Beyond the mesh is outside, whatever lines through open surface say: a body that reached the grid's end would be
    # open.
    for axis in range(3):
        for end in (0, -1):
            np.moveaxis(is_inside, axis, 0)[end] = False
    return is_inside


def winding_at(facts: MeshFacts, tree: Tree, points: FloatArray) -> FloatArray:
    """The generalised winding number at points, float64 (q,)."""
    dipoles = np.empty((2 * tree.width, kernels.COLUMNS))
    kernels.place_dipoles(facts.positions, tree.nodes, tree.corners, tree.width, dipoles)
    dipoles.flags.writeable = False
    numbers = np.empty(len(points))
    over_ranges(
        len(points),
        lambda lo, hi: kernels.winding_numbers(
            facts.positions, tree.corners, tree.width, dipoles, points, lo, hi, numbers
        ),
        grain=1024,
    )
    return numbers


_STEPS = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1))
"""The grid lines of a cell and its diagonals, by which way they run."""


def _boundary(facts: MeshFacts, tree: Tree, grid: _Grid, inside: BoolArray) -> Solid:
    """The surface between inside and outside, cut out of the tetrahedra around each cell's diagonal."""
    lines, faces = np.unique(_cut_lines(grid, inside), return_inverse=True)
    points = _points_on_lines(facts, tree, grid, inside.reshape(-1), lines)
    return Solid(frozen(points), frozen(np.ascontiguousarray(faces.reshape(-1, 3), np.int32)))


def _mixed_cells(inside: BoolArray) -> npt.NDArray[np.int64]:
    """The first corner of each cell with corners inside and outside, int64 (c, 3): its place along each side."""
    first = inside[:-1, :-1, :-1]
    a, b, c = first.shape
    same = np.ones(first.shape, np.bool_)
    for i, j, k in _STEPS:
        same &= inside[i : i + a, j : j + b, k : k + c] == first
    return np.argwhere(~same)


def _cut_lines(grid: _Grid, inside: BoolArray) -> npt.NDArray[np.int64]:
    """The line that each corner of each triangle stands on, int64 (m, 3): step * n_nodes + the node it starts at."""
    flat, strides = inside.reshape(-1), grid.strides
    cells = _mixed_cells(inside) @ strides
    triangles: list[npt.NDArray[np.int64]] = []
    for path, faces_of_case in _tetrahedra():
        nodes = [cells + int(np.dot(place, strides)) for place in path]
        case = sum(flat[node].astype(np.int64) << bit for bit, node in enumerate(nodes))
        for number, faces in faces_of_case.items():
            is_case = case == number
            if not is_case.any():
                continue
            for face in faces:
                corners = []
                for i, j in face:
                    (a, b, c), (u, v, w) = path[i], path[j]
                    corners.append(_STEPS.index((u - a, v - b, w - c)) * flat.size + nodes[i][is_case])
                triangles.append(np.stack(corners, axis=1))
    return np.concatenate(triangles)


def _points_on_lines(
    facts: MeshFacts, tree: Tree, grid: _Grid, inside: BoolArray, lines: npt.NDArray[np.int64]
) -> FloatArray:
    """Where lines between an inner and an outer node meet the given surface, float64 (k, 3)."""
    node, step = lines % inside.size, lines // inside.size
    beyond = node + (np.array(_STEPS) @ grid.strides)[step]
    start = np.where(inside[node], beyond, node)  # from outside inward: the outermost surface counts
    end = np.where(inside[node], node, beyond)
    origins = frozen(grid.points(start))
    directions = frozen(grid.points(end) - origins)
    hit, along = np.empty(len(lines), np.int32), np.empty(len(lines))
    over_ranges(
        len(lines),
        lambda lo, hi: first_hits(
            facts.positions, tree.order, tree.nodes, tree.corners, tree.width, origins, directions, lo, hi, hit, along
        ),
        grain=1024,
    )
    along = np.clip(np.where(along < 1.0, along, 0.5), _NEAREST, 1.0 - _NEAREST)
    points: FloatArray = origins + along[:, None] * directions
    return points


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
