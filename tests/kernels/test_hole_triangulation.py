"""Triangulations of polygons against all there are; refinement and fairing against what they promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshguard.facts.arrays import frozen
from meshguard.kernels.fairing import fair_points
from meshguard.kernels.hole_triangulation import faces_in_box, triangulate_polygon
from meshguard.kernels.refining import refine_patch
from tests import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_EDGES = frozen(np.empty(0, np.int64))


def triangulated(
    points: np.ndarray, polygon: np.ndarray, across: np.ndarray, edges: np.ndarray = NO_EDGES, most: int = 150
) -> tuple[np.ndarray, np.ndarray]:
    weight, faces = np.empty(2), np.empty((max(1, len(polygon) - 2), 3), np.int32)
    count = triangulate_polygon(
        frozen(points.copy()),
        frozen(polygon.astype(np.int32)),
        frozen(across.copy()),
        frozen(np.sort(edges).astype(np.int64)),
        most,
        weight,
        faces,
    )
    return weight, faces[:count]


def all_triangulations(corners: tuple[int, ...]) -> Iterator[list[tuple[int, int, int]]]:
    """Every way to cut a polygon into triangles on its last edge."""
    if len(corners) < 3:
        yield []
        return
    for m in range(1, len(corners) - 1):
        for left in all_triangulations(corners[: m + 1]):
            for right in all_triangulations(corners[m:]):
                yield [*left, (corners[0], corners[m], corners[-1]), *right]


def unit_normal(points: np.ndarray, face: tuple[int, int, int]) -> np.ndarray:
    a, b, c = points[list(face)]
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal)
    return np.asarray(normal / length)


def largest_turn(points: np.ndarray, faces: list[tuple[int, int, int]], across: np.ndarray) -> float:
    """Minus the least cosine between neighbours' normals, the polygon's outer neighbours included."""
    normals = {}
    for face in faces:
        for i in range(3):
            normals[face[i], face[(i + 1) % 3]] = unit_normal(points, face)
    worst = -2.0
    for (a, b), normal in normals.items():
        neighbour = normals.get((b, a), across[a] if b == (a + 1) % len(points) else None)
        if neighbour is not None and not np.isnan(neighbour).any():
            worst = max(worst, -float(normal @ neighbour))
    return worst


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 6), st.integers(0, 10_000))
def test_up_to_four_corners_no_triangulation_turns_less(count: int, seed: int) -> None:
    """With so few, the best parts make the best whole; with more they need not, but the weight told is the true one."""
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    points = np.stack([np.cos(angle), np.sin(angle), np.zeros(count)], axis=1) + 0.3 * rng.normal(size=(count, 3))
    across = np.tile([0.0, 0.0, 1.0], (count, 1))

    weight, faces = triangulated(points, np.arange(count), across)

    own = [tuple(face) for face in faces.tolist()]
    least = min(largest_turn(points, choice, across) for choice in all_triangulations(tuple(range(count))))
    assert weight[0] == pytest.approx(largest_turn(points, own, across), abs=1e-12)
    if count <= 4:
        assert weight[0] == pytest.approx(least, abs=1e-12)
    assert weight[0] >= least - 1e-12


@pytest.mark.parametrize("most", [150, 6])
@settings(max_examples=30, deadline=None)
@given(count=st.integers(3, 40), seed=st.integers(0, 10_000))
def test_every_edge_of_the_polygon_has_one_face_and_every_chord_two(most: int, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    points = np.stack([np.cos(angle), np.sin(angle), 0.1 * rng.normal(size=count)], axis=1)

    _, faces = triangulated(points, np.arange(count), np.full((count, 3), np.nan), most=most)

    assert len(faces) == count - 2
    directed = {(int(f[i]), int(f[(i + 1) % 3])) for f in faces for i in range(3)}
    assert len(directed) == 3 * len(faces)
    assert {(a, b) for a, b in directed if (b, a) not in directed} == {(i, (i + 1) % count) for i in range(count)}


def test_a_square_takes_the_diagonal_that_is_free() -> None:
    square = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
    free = np.full((4, 3), np.nan)

    def diagonal(*taken: tuple[int, int]) -> set[tuple[int, ...]]:
        faces = triangulated(square, np.arange(4), free, np.array([4 * a + b for a, b in taken], np.int64))[1]
        return {tuple(sorted(face)) for face in faces.tolist()}

    assert diagonal((0, 2)) == {(0, 1, 3), (1, 2, 3)}
    assert diagonal((1, 3)) == {(0, 1, 2), (0, 2, 3)}
    assert diagonal((0, 2), (1, 3)) == set()


def test_no_face_has_collinear_corners() -> None:
    """The middle of a side would be the corner of a face without area."""
    points = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 2, 0]], float)
    _, faces = triangulated(points, np.arange(4), np.full((4, 3), np.nan))

    assert {tuple(sorted(face)) for face in faces.tolist()} == {(0, 1, 3), (1, 2, 3)}
    assert len(triangulated(points, np.arange(3), np.full((3, 3), np.nan))[1]) == 0


def twelve_corners(radius: float) -> tuple[np.ndarray, np.ndarray]:
    """A flat polygon of twelve corners and a fan of ten faces from its first."""
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    points = radius * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    return points, np.array([[0, i, i + 1] for i in range(1, 11)], np.int32)


def refined(points: np.ndarray, faces: np.ndarray, alpha: float, room: int) -> tuple[np.ndarray, np.ndarray]:
    n_old = len(points)
    out_points, out_scale = np.zeros((n_old + room, 3)), np.ones(n_old + room)
    out_faces = np.zeros((len(faces) + 2 * room, 3), np.int32)
    out_points[:n_old], out_faces[: len(faces)] = points, faces
    count = refine_patch(NO_EDGES, n_old, n_old, len(faces), alpha, out_points, out_scale, out_faces)
    return out_points[:count], out_faces[: len(faces) + 2 * (count - n_old)]


def test_a_patch_is_refined_to_the_length_that_its_corners_call_for() -> None:
    points, faces = twelve_corners(4.0)
    fine_points, fine = refined(points, faces, 2**0.5, 500)

    corners = fine_points[fine]
    area = 0.5 * np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)
    assert area[:, 2].min() > 0
    assert area[:, 2].sum() == pytest.approx(0.5 * 12 * 16 * np.sin(np.pi / 6))
    assert (fine_points[:12] == points).all()
    assert 0.6 < np.median(lengths) < 1.6
    assert len(refined(points / 8, faces, 2**0.5, 500)[0]) == 12


def test_refining_stops_where_there_is_no_room() -> None:
    points, faces = twelve_corners(4.0)

    assert len(refined(points, faces, 2**0.5, 5)[0]) == 17


def test_alpha_zero_flips_only_and_leaves_a_delaunay_patch() -> None:
    points, faces = twelve_corners(4.0)
    same, flipped = refined(points * [1, 0.3, 1], faces, 0.0, 50)

    assert len(same) == 12
    for face in flipped:  # no corner lies inside the circle of a face
        (ax, ay), (bx, by), (cx, cy) = same[face, :2]
        for x, y in same[:, :2]:
            rows = [[px - x, py - y, (px - x) ** 2 + (py - y) ** 2] for px, py in ((ax, ay), (bx, by), (cx, cy))]
            assert np.linalg.det(np.array(rows)) < 1e-9


def test_an_edge_that_is_there_already_is_not_made_by_a_flip() -> None:
    points = np.array([[0, 0, 0], [4, 0, 0], [2, 0.5, 0], [2, -0.5, 0]])
    for edges, expected in ((NO_EDGES, True), (frozen(np.array([2 * 4 + 3], np.int64)), False)):
        out_points, out_scale, faces = points.copy(), np.ones(4), np.array([[0, 1, 2], [1, 0, 3]], np.int32)
        refine_patch(edges, 4, 4, 2, 0.0, out_points, out_scale, faces)
        assert all({2, 3} <= set(face) for face in faces.tolist()) is expected


@pytest.mark.parametrize("power", [2.0, 1.3])
def test_points_of_a_plane_go_back_to_it(power: float) -> None:
    mesh = shapes.grid(10, 10, bulge=0.0)
    points = mesh.vertices / 60.0
    free = np.flatnonzero((np.abs(points[:, :2]) < [0.25, 0.17]).all(axis=1)).astype(np.int32)
    moved = points.copy()
    moved[free, 2] += 0.05 * np.random.default_rng(0).normal(size=len(free))
    faces = frozen(mesh.faces.copy())

    done = fair_points(faces, frozen(free), frozen(np.zeros(3)), 0.01, 1.0, power, 8, 10**6, moved)

    assert len(free) > 10
    assert done == 8
    assert np.abs(moved[:, 2]).max() < 1e-6
    assert (np.delete(moved, free, axis=0) == np.delete(points, free, axis=0)).all()


def test_a_system_that_is_too_large_is_left_alone() -> None:
    mesh = shapes.grid()
    free = frozen(np.arange(20, 30, dtype=np.int32))
    moved = mesh.vertices.copy()

    assert fair_points(frozen(mesh.faces.copy()), free, frozen(np.zeros(3)), 1.0, 1.0, 2.0, 2, 5, moved) == 0
    assert (moved == mesh.vertices).all()


def test_the_faces_in_a_box_are_those_with_a_corner_there() -> None:
    mesh = shapes.grid()
    box = np.array([-10.0, -10.0, -1.0, 10.0, 10.0, 20.0])
    inside = np.empty(len(mesh.faces), np.bool_)

    count = faces_in_box(mesh.vertices, mesh.faces, frozen(box), inside)

    corners = mesh.vertices[mesh.faces]
    within = np.asarray(((corners >= box[:3]) & (corners <= box[3:])).all(axis=2), np.bool_).reshape(-1, 3)
    expected = within[:, 0] | within[:, 1] | within[:, 2]
    assert (inside == expected).all()
    assert count == expected.sum() > 0
