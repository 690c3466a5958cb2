"""Nearest points and first hits against every face in turn."""

from __future__ import annotations

import numpy as np
import pytest

import meshguard
from meshguard.facts.mesh import MeshFacts
from meshguard.facts.mesh.mesh_contact import nearest
from meshguard.kernels.bvh import NO_GROUPS, Tree, build_tree
from meshguard.kernels.closest_points import faces_within, first_hits, parallel_faces
from meshguard.mesh import Mesh
from meshguard.policy import policy
from tests import shapes


def facts_and_tree(mesh: Mesh) -> tuple[MeshFacts, Tree]:
    facts = MeshFacts(mesh, policy("scan"))
    return facts, build_tree(facts.positions, facts.corners, facts.sound_faces, NO_GROUPS, facts.span)


def distance_to_triangle(point: np.ndarray, corners: np.ndarray) -> float:
    """By projecting on the plane, the three edges and the three corners, and keeping the nearest that lies inside."""
    a, b, c = corners
    normal = np.cross(b - a, c - a)
    foot = point - normal * ((point - a) @ normal) / (normal @ normal)
    weights = np.linalg.lstsq(np.stack([b - a, c - a], axis=1), foot - a, rcond=None)[0]
    found = [np.linalg.norm(point - corner) for corner in corners]
    if weights.min() >= 0 and weights.sum() <= 1:
        found.append(np.linalg.norm(point - foot))
    for p, q in ((a, b), (b, c), (c, a)):
        t = np.clip((point - p) @ (q - p) / ((q - p) @ (q - p)), 0, 1)
        found.append(np.linalg.norm(point - p - t * (q - p)))
    return float(min(found))


@pytest.mark.parametrize("mesh", [shapes.torus(), shapes.grid(), shapes.triangle()], ids=["torus", "sheet", "triangle"])
def test_the_nearest_point_is_that_of_the_nearest_face(mesh: Mesh) -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(-60, 60, (150, 3))
    facts, tree = facts_and_tree(mesh)

    face, closest, distance = nearest(facts, tree, points)

    corners = mesh.vertices[mesh.faces]
    for i, point in enumerate(points):
        expected = [distance_to_triangle(point, triangle) for triangle in corners]
        assert distance[i] == pytest.approx(min(expected), rel=1e-9)
        assert expected[face[i]] == pytest.approx(min(expected), rel=1e-9)
        assert np.linalg.norm(closest[i] - point) == pytest.approx(distance[i], rel=1e-9)


def test_a_vertex_of_the_surface_is_at_no_distance() -> None:
    mesh = meshguard.phantom(faces=4000)
    facts, tree = facts_and_tree(mesh)

    assert nearest(facts, tree, mesh.vertices)[2].max() < 1e-12


def test_nothing_is_near_an_empty_mesh_or_a_point_that_is_nowhere() -> None:
    empty = facts_and_tree(Mesh(vertices=np.empty((0, 3)), faces=np.empty((0, 3), np.int32)))
    sheet = facts_and_tree(shapes.grid())

    assert nearest(*empty, np.zeros((1, 3)))[0].tolist() == [-1]
    assert nearest(*sheet, np.full((1, 3), np.nan))[2].tolist() == [np.inf]


@pytest.mark.parametrize("mesh", [shapes.torus(), shapes.grid()], ids=["torus", "sheet"])
def test_the_first_hit_is_the_nearest_of_all(mesh: Mesh) -> None:
    rng = np.random.default_rng(1)
    origins, directions = rng.uniform(-60, 60, (200, 3)), rng.normal(size=(200, 3))
    directions[:20] = np.eye(3)[rng.integers(0, 3, 20)]
    for array in (origins, directions):
        array.flags.writeable = False
    facts, tree = facts_and_tree(mesh)
    face, along = np.empty(200, np.int32), np.empty(200)
    first_hits(
        facts.positions, tree.order, tree.nodes, tree.corners, tree.width, origins, directions, 0, 200, face, along
    )

    hits = 0
    for i in range(200):
        expected = np.inf
        for a, b, c in mesh.vertices[mesh.faces]:
            matrix = np.stack([b - a, c - a, -directions[i]], axis=1)
            if abs(np.linalg.det(matrix)) < 1e-12:
                continue
            s, t, length = np.linalg.solve(matrix, origins[i] - a)
            if s >= 0 and t >= 0 and s + t <= 1 and length > 0:
                expected = min(expected, length)
        hits += expected < np.inf
        assert along[i] == pytest.approx(expected, rel=1e-9)
        assert (face[i] >= 0) == (expected < np.inf)
    assert hits > 10


@pytest.mark.parametrize("mesh", [shapes.torus(), shapes.grid(), shapes.triangle()], ids=["torus", "sheet", "triangle"])
def test_the_faces_within_a_distance_are_all_that_are_and_stand_apart(mesh: Mesh) -> None:
    rng = np.random.default_rng(2)
    points = rng.uniform(-40, 40, (60, 3))
    points[0] = np.nan
    apart = rng.integers(0, len(mesh.vertices), (60, 2)).astype(np.int32)
    for array in (points, apart):
        array.flags.writeable = False
    facts, tree = facts_and_tree(mesh)
    expected = [
        [i, face]
        for i, point in enumerate(points)
        for face, corners in enumerate(mesh.faces.tolist())
        if i and not set(corners) & set(apart[i].tolist()) and distance_to_triangle(point, mesh.vertices[corners]) <= 12
    ]

    def pairs(room: int, most: int) -> tuple[int, list[list[int]]]:
        out = np.empty((room, 2), np.int32)
        at = (facts.positions, tree.order, tree.nodes, tree.boxes, tree.corners, tree.width)
        count = faces_within(*at, points, apart, 12.0, 0, 60, most, out)
        return count, sorted(out[: min(count, room)].tolist())

    assert pairs(10_000, 10_000) == (len(expected), expected)
    assert pairs(1, 10_000)[0] == len(expected)
    assert pairs(10_000, 3)[0] == min(4, len(expected))


def test_the_nearest_face_of_the_same_orientation_is_found_on_either_side() -> None:
    """Four flat sheets, the third of them reversed."""
    sheet = shapes.grid(bulge=0.0)
    n = len(sheet.faces)
    heights = (0.0, 1.0, 1.25, 3.5)
    layers = [
        Mesh(vertices=sheet.vertices + [0, 0, z], faces=sheet.faces[:, ::-1] if z == 1.25 else sheet.faces)
        for z in heights
    ]
    facts, tree = facts_and_tree(shapes.joined(*layers))
    faces = np.arange(4 * n, dtype=np.int32)
    faces.flags.writeable = False
    found, gap = np.empty(4 * n, np.int32), np.empty(4 * n)
    at = (facts.positions, tree.order, tree.nodes, tree.boxes, tree.corners, tree.width, facts.corners)
    parallel_faces(*at, faces, 3.0, 0.9, 0, 4 * n, found, gap)

    own = np.arange(n)
    assert found.tolist() == [*(n + own), *own, *[-1] * n, *(n + own)]
    assert gap == pytest.approx(np.repeat([1.0, -1.0, np.inf, -2.5], n))


@pytest.mark.parametrize(("apart", "expected"), [(0.0, [-1, -1]), (0.1, [1, 0])])
def test_a_face_over_another_counts_where_they_have_no_common_corner(apart: float, expected: list[int]) -> None:
    """Two triangles that open like a beak, from a common corner or from two that are a little apart."""
    below = np.array([[0, 0, 0], [9, 0, 0], [0, 9, 0.0]])
    above = np.array([[0, 0, apart], [9, 0, 1], [0, 9, 1.0]])
    facts, tree = facts_and_tree(Mesh(vertices=np.concatenate([below, above]), faces=[[0, 1, 2], [3, 4, 5]]))
    faces = np.arange(2, dtype=np.int32)
    faces.flags.writeable = False
    found, gap = np.empty(2, np.int32), np.empty(2)
    at = (facts.positions, tree.order, tree.nodes, tree.boxes, tree.corners, tree.width, facts.corners)
    parallel_faces(*at, faces, 3.0, 0.9, 0, 2, found, gap)

    assert found.tolist() == expected
