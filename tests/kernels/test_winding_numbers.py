"""Winding numbers and stabbing lines against a sum over all faces, and against what is known of closed bodies."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard.facts.arrays import frozen
from meshguard.facts.mesh import MeshFacts
from meshguard.kernels import winding_numbers as kernels
from meshguard.kernels.bvh import NO_GROUPS, Tree, build_tree
from meshguard.mesh import Mesh
from meshguard.policy import policy
from tests import oracles, shapes


def dipoles_of(mesh: Mesh) -> tuple[MeshFacts, Tree, np.ndarray]:
    facts = MeshFacts(mesh, policy("scan"))
    tree = build_tree(facts.positions, facts.corners, facts.sound_faces, NO_GROUPS, facts.span)
    dipoles = np.empty((2 * tree.width, kernels.COLUMNS))
    kernels.place_dipoles(facts.positions, tree.nodes, tree.corners, tree.width, dipoles)
    return facts, tree, frozen(dipoles)


def winding_at(mesh: Mesh, points: np.ndarray) -> np.ndarray:
    facts, tree, dipoles = dipoles_of(mesh)
    found = np.full(len(points), np.nan)
    half = len(points) // 2
    for lo, hi in ((0, half), (half, len(points))):
        kernels.winding_numbers(facts.positions, tree.corners, tree.width, dipoles, frozen(points), lo, hi, found)
    return found


SHEETS = {
    "torus": shapes.torus(),
    "sheet": shapes.grid(),
    "triangle": shapes.triangle(),
    "fine torus": shapes.torus(60, 40),
    "open cube": shapes.cube().take(np.arange(2, 12)),
}


@pytest.mark.parametrize("name", SHEETS)
def test_the_winding_number_is_the_sum_of_solid_angles(name: str) -> None:
    mesh = SHEETS[name]
    points = np.random.default_rng(0).uniform(-60, 60, (60, 3))
    triangles = mesh.vertices[mesh.faces]
    expected = [oracles.winding_number(triangles, point) for point in points]

    assert winding_at(mesh, points) == pytest.approx(np.array(expected), abs=0.03)


def test_it_is_one_inside_a_body_and_none_outside() -> None:
    mesh = shapes.torus(60, 40)
    inside = np.array([[25.0, 0, 0], [0, 25, 2], [-25, 1, -3]])
    outside = np.array([[0.0, 0, 0], [60, 0, 0], [25, 0, 14]])

    assert winding_at(mesh, inside) == pytest.approx(1.0, abs=0.03)
    assert winding_at(mesh, outside) == pytest.approx(0.0, abs=0.03)
    turned = Mesh(vertices=mesh.vertices, faces=mesh.faces[:, ::-1])
    assert winding_at(turned, inside) == pytest.approx(-1.0, abs=0.03)


def test_two_bodies_in_one_another_count_twice() -> None:
    both = shapes.joined(shapes.cube(60.0), Mesh(vertices=shapes.cube(20.0).vertices + 20.0, faces=shapes.cube().faces))

    assert winding_at(both, np.array([[30.0, 31, 32], [10, 11, 12]])) == pytest.approx([2.0, 1.0], abs=0.03)


def test_the_dipole_of_the_root_holds_all_faces() -> None:
    mesh = shapes.grid()
    _, _, dipoles = dipoles_of(mesh)
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    area = np.cross(b - a, c - a) / 2
    weight = np.linalg.norm(area, axis=1)
    centre = ((a + b + c) / 3 * weight[:, None]).sum(axis=0) / weight.sum()

    assert dipoles[1, :3] == pytest.approx(area.sum(axis=0))
    assert dipoles[1, 3:6] == pytest.approx(centre)
    assert dipoles[1, 6] >= np.linalg.norm(mesh.vertices - centre, axis=1).max() * (1 - 1e-6)


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("name", ["torus", "sheet", "triangle", "open cube"])
def test_a_line_counts_what_it_enters_and_leaves(name: str, axis: int) -> None:
    mesh = SHEETS[name]
    origin, cell = np.array([-47.3173, -41.7131, -39.1871]), 21.0319
    out = np.empty((5, 4, 4), np.int16)
    kernels.stab_lines(mesh.vertices, mesh.faces, axis, frozen(origin), cell, out)
    triangles = mesh.vertices[mesh.faces]

    for place in np.ndindex(*out.shape):
        assert out[place] == oracles.crossings_below(triangles, origin + cell * np.array(place), axis), place


@pytest.mark.parametrize("axis", range(3))
def test_lines_through_vertices_and_along_edges_count_each_face_once(axis: int) -> None:
    """The cube's corners, edges and diagonals lie on grid lines: each must belong to one of its faces only."""
    mesh = shapes.cube(4.0)
    out = np.empty((7, 7, 7), np.int16)
    kernels.stab_lines(mesh.vertices, mesh.faces, axis, frozen(np.array([-1.0, -1.0, -1.0])), 1.0, out)
    across = [d for d in range(3) if d != axis]
    inner = np.moveaxis(out, axis, 0)

    assert set(np.unique(out).tolist()) == {0, 1}
    assert (inner[1:5, 2:5, 2:5] == 1).all()
    # Every line meets the body in one stretch, and a translate of the square by half-open borders is a square.
    columns = inner.max(axis=0)
    assert columns.sum() == 16
    assert (inner[5:].max(axis=0)[columns == 0] == 0).all()
    assert len(across) == 2


class TestAbove:
    def above(self, mesh: Mesh, points: np.ndarray, most: int = 1000) -> tuple[int, list[tuple[int, int]]]:
        facts, tree, _ = dipoles_of(mesh)
        point, face = np.empty(most, np.int32), np.empty(most, np.int32)
        count = kernels.faces_above(
            facts.positions, tree.order, tree.nodes, tree.corners, tree.width, frozen(points), point, face
        )
        found = min(count, most)
        return count, sorted(zip(point[:found].tolist(), face[:found].tolist(), strict=True))

    @pytest.mark.parametrize("name", SHEETS)
    def test_they_are_those_whose_shadow_holds_the_point_and_whose_plane_is_higher(self, name: str) -> None:
        mesh = SHEETS[name]
        points = np.random.default_rng(1).uniform(-60, 60, (40, 3))
        expected = []
        for place, (x, y, z) in enumerate(points):
            for face, (a, b, c) in enumerate(mesh.vertices[mesh.faces].astype(np.float64)):
                sides = np.column_stack([(b - a)[:2], (c - a)[:2]])
                if abs(np.linalg.det(sides)) < 1e-9:
                    continue
                to_b, to_c = np.linalg.solve(sides, [x, y] - a[:2])
                if min(to_b, to_c, 1 - to_b - to_c) >= 0 and a[2] + to_b * (b - a)[2] + to_c * (c - a)[2] > z:
                    expected.append((place, face))

        assert self.above(mesh, points)[1] == expected

    @pytest.mark.parametrize("x", [10.0, 30.0])
    def test_through_edges_and_vertices_the_number_tells_inside_from_outside(self, x: float) -> None:
        """The diagonal of the top is above one point, its middle vertex above the other."""
        cube = shapes.cube()
        for z, expected in ((-5.0, 0), (20.0, 1), (70.0, 0)):
            assert self.above(cube, np.array([[x, x, z]]))[0] % 2 == expected

    def test_those_that_find_no_room_are_counted(self) -> None:
        assert self.above(shapes.cube(), np.array([[10.0, 20.0, -5.0]]), most=0) == (2, [])
