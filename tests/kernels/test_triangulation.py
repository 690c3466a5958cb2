"""Polygons and strips cut into triangles, against naive twins."""

from __future__ import annotations

import itertools
import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshguard.kernels import triangulation
from tests import oracles

Faces: TypeAlias = list[tuple[int, int, int]]
Points: TypeAlias = list[tuple[float, float]]

rows_of_indices = st.lists(st.lists(st.integers(-2, 6), max_size=7), max_size=8)


def naive_polygons(rows: list[list[int]], n: int) -> tuple[Faces, list[int], list[int]]:
    """Polygons of vertices that all lie on one line."""
    faces, origin, status = [], [], []
    for row, corners in enumerate(rows):
        if len(corners) < 3:
            status.append(triangulation.TOO_FEW)
        elif not all(0 <= corner < n for corner in corners):
            status.append(triangulation.OUT_OF_RANGE)
        else:
            polygon = triangulation.POLYGON | triangulation.NO_AREA
            status.append(triangulation.TRIANGLE if len(corners) == 3 else polygon)
            faces += [(corners[0], a, b) for a, b in itertools.pairwise(corners[1:])]
            origin += [row] * (len(corners) - 2)
    return faces, origin, status


def naive_strips(rows: list[list[int]], n: int) -> tuple[Faces, list[int], int]:
    faces, origin, stitches = [], [], 0
    for row, corners in enumerate(rows):
        runs: list[list[int]] = [[]]
        for corner in corners:
            if corner == -1:
                runs.append([])
            else:
                runs[-1].append(corner)
        for run in runs:
            for i in range(len(run) - 2):
                a, b, c = run[i : i + 3]
                if not all(0 <= corner < n for corner in (a, b, c)):
                    continue
                if len({a, b, c}) < 3:
                    stitches += 1
                    continue
                faces.append((a, b, c) if i % 2 == 0 else (b, a, c))
                origin.append(row)
    return faces, origin, stitches


def triangulated(
    rows: list[list[int]], vertices: npt.NDArray[np.float64], *, strips: bool = False
) -> tuple[Faces, list[int], list[int], int]:
    lengths = np.array([len(row) for row in rows], np.int32)
    items = np.array([corner for row in rows for corner in row], np.int64)
    vertices = np.array(vertices, np.float64)
    lengths.flags.writeable = items.flags.writeable = vertices.flags.writeable = False
    most = sum(max(0, len(row) - 2) for row in rows)
    faces, origin, status = np.empty((most, 3), np.int32), np.empty(most, np.int32), np.empty(len(rows), np.int8)
    count, stitches = triangulation.triangulate(lengths, items, vertices, strips, faces, origin, status)
    found = [(int(a), int(b), int(c)) for a, b, c in faces[:count]]
    return found, origin[:count].tolist(), status.tolist(), stitches


def placed(points: Points, axis: int = 2) -> npt.NDArray[np.float64]:
    """Points in a plane across an axis, at height 1."""
    return np.insert(np.array(points, np.float64), axis, 1.0, axis=1)


def cut(points: Points, corners: list[int] | None = None, axis: int = 2) -> tuple[Faces, int]:
    """The triangles of one polygon, and the flags found."""
    rows = [corners or list(range(len(points)))]
    faces, _, (status,), _ = triangulated(rows, placed(points, axis))
    return faces, status - triangulation.POLYGON


def assert_inside(points: Points, corners: list[int], faces: Faces) -> None:
    """All triangles go around as the polygon does, fill its area, overlap nowhere, and keep its sides.

    Triangles of one direction whose areas sum to the polygon's, and whose edges are its sides, once, and diagonals,
    once each way, cover each place as often as the polygon goes around it: once inside, nowhere outside.
    """
    area = oracles.doubled_area([points[corner] for corner in corners])
    areas = [oracles.doubled_area([points[corner] for corner in face]) for face in faces]
    assert len(faces) == len(corners) - 2
    assert sum(areas) == area
    assert all(one * area > 0 for one in areas)
    edges = [(face[i - 1], face[i]) for face in faces for i in range(3)]
    assert len(set(edges)) == len(edges)
    sides = {(corners[i - 1], corners[i]) for i in range(len(corners))}
    assert {(a, b) for a, b in edges if (b, a) not in edges} == sides


def star(radii: list[int]) -> Points:
    """A star-shaped polygon: a corner in each of as many directions."""
    n = len(radii)
    rays = [(2 * math.pi * k / n, radius) for k, radius in enumerate(radii)]
    return [(round(1000 * r * math.cos(angle)), round(1000 * r * math.sin(angle))) for angle, r in rays]


def comb(depths: list[int]) -> Points:
    """A bar with teeth of these depths, whose gaps reach to the bar."""
    teeth = [[(4 * k, 0), (4 * k, -depth), (4 * k + 2, -depth), (4 * k + 2, 0)] for k, depth in enumerate(depths)]
    corners = [corner for tooth in teeth for corner in tooth]
    return [*corners, (4 * len(depths), 0), (4 * len(depths), 3), (0, 3)]


def spiral(windings: int) -> Points:
    """A corridor of width 1 that winds inwards around a square, and back."""
    outer: Points = []
    inner: Points = []
    for k in range(windings):
        low, high = 2 * k, 4 * windings - 2 * k
        outer += [(low, low), (high, low), (high, high), (low + 2, high)]
        inner += [(low - 1 + 2, low + 1), (high - 1, low + 1), (high - 1, high - 1), (low + 3, high - 1)]
    return outer + inner[::-1]


simple_polygons: st.SearchStrategy[Points] = st.one_of(
    st.lists(st.integers(1, 20), min_size=4, max_size=24).map(star),
    st.lists(st.integers(1, 9), min_size=2, max_size=8).map(comb),
    st.integers(1, 4).map(spiral),
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=4, max_size=9, unique=True).map(
        lambda points: [(float(x), float(y)) for x, y in points]
    ),
).filter(lambda points: not oracles.crosses_itself(points))


@settings(deadline=None)
@given(rows_of_indices, st.sampled_from([1.0, math.nan, math.inf]))
def test_polygons_without_area_as_the_naive_twin_cuts_them(rows: list[list[int]], step: float) -> None:
    line = np.outer(np.arange(5), [1.0, 2.0, 3.0]) if math.isfinite(step) else np.full((5, 3), step)
    faces, origin, status, _ = triangulated(rows, line)
    assert (faces, origin, status) == naive_polygons(rows, 5)


@settings(deadline=None)
@given(rows_of_indices)
def test_strips_as_the_naive_twin_cuts_them(rows: list[list[int]]) -> None:
    faces, origin, status, stitches = triangulated(rows, np.zeros((5, 3)), strips=True)
    assert (faces, origin, stitches) == naive_strips(rows, 5)
    bad = [any(corner != -1 and not 0 <= corner < 5 for corner in row) for row in rows]
    assert [code == triangulation.OUT_OF_RANGE for code in status] == bad


@settings(deadline=None, max_examples=300)
@given(simple_polygons, st.integers(0, 2))
def test_simple_polygons_are_filled_from_every_corner_and_both_ways_round(points: Points, axis: int) -> None:
    naive = points if oracles.doubled_area(points) > 0 else points[::-1]
    assert_inside(naive, list(range(len(naive))), oracles.ear_triangles(naive))
    for direction in (1, -1):
        for shift in range(len(points)):
            corners = list(range(len(points)))[::direction]
            corners = corners[shift:] + corners[:shift]
            faces, flags = cut(points, corners, axis)
            assert flags == 0
            assert_inside(points, corners, faces)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=4, max_size=10))
def test_any_polygon_keeps_its_sides_and_is_told_where_it_touches_itself(points: Points) -> None:
    faces, flags = cut(points)
    assert len(faces) == len(points) - 2
    edges = [(face[i - 1], face[i]) for face in faces for i in range(3)]
    assert {(i, (i + 1) % len(points)) for i in range(len(points))} <= set(edges)
    is_flat = all(oracles.is_collinear((*points[0], 0), (*a, 0), (*b, 0)) for a in points for b in points)
    expected = triangulation.SELF_TOUCHING if oracles.crosses_itself(points) else 0
    assert flags == (triangulation.NO_AREA if is_flat else expected)


@settings(deadline=None)
@given(simple_polygons, st.integers(0, 2**32 - 1))
def test_polygons_anywhere_in_space_are_filled(points: Points, seed: int) -> None:
    rng = np.random.default_rng(seed)
    turned = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    vertices = (placed(points) @ turned.T + rng.normal(size=3)).astype(np.float32).astype(np.float64)
    corners = list(range(len(points)))
    faces, _, (status,), _ = triangulated([corners], vertices)
    sides = vertices[np.array(faces)]
    areas = np.linalg.norm(np.cross(sides[:, 1] - sides[:, 0], sides[:, 2] - sides[:, 0]), axis=1)
    expected = abs(float(oracles.doubled_area(points)))
    if status == triangulation.POLYGON:  # else rounding made sides touch
        assert areas.sum() == pytest.approx(expected, rel=1e-3, abs=1e-3)


class TestQuads:
    def test_the_shorter_diagonal_of_a_planar_convex_one(self) -> None:
        points: Points = [(-5, 0), (0, -1), (5, 0), (0, 1)]
        assert cut(points) == ([(0, 1, 3), (1, 2, 3)], 0)
        assert cut(points, [1, 2, 3, 0]) == ([(1, 2, 3), (1, 3, 0)], 0)

    def test_the_first_of_equal_ones(self) -> None:
        assert cut([(0, 0), (1, 0), (1, 1), (0, 1)]) == ([(0, 1, 2), (0, 2, 3)], 0)

    def test_the_one_inside_though_it_is_longer(self) -> None:
        points: Points = [(0, 0), (9, -9), (1, 0), (9, 9)]
        assert cut(points)[0] == [(0, 1, 2), (0, 2, 3)]
        assert cut(points, [1, 2, 3, 0])[0] == [(1, 2, 0), (2, 3, 0)]

    def test_the_first_of_one_that_is_not_planar(self) -> None:
        vertices = np.array([(-5, 0, 1), (0, -1, 0), (5, 0, 1), (0, 1, 0)], float)
        faces, _, status, _ = triangulated([[0, 1, 2, 3]], vertices)
        assert faces == [(0, 1, 2), (0, 2, 3)]
        assert status == [triangulation.POLYGON | triangulation.NON_PLANAR]


def test_a_hole_joined_by_a_seam_stays_a_hole() -> None:
    points: Points = [(0, 0), (9, 0), (9, 9), (0, 9), (3, 3), (3, 6), (6, 6), (6, 3)]
    corners = [0, 1, 2, 3, 0, 4, 5, 6, 7, 4]
    for shift in range(len(corners)):
        turned = corners[shift:] + corners[:shift]
        faces, flags = cut(points, turned)
        areas = [oracles.doubled_area([points[corner] for corner in face]) for face in faces]
        assert flags == triangulation.SELF_TOUCHING
        assert sum(areas) == 2 * (81 - 9)
        assert all(area > 0 for area in areas)


def test_two_parts_that_meet_in_a_corner_cover_nothing_else() -> None:
    points: Points = [(0, 0), (5, 5), (9, 0), (9, 9), (0, 9)]
    corners = [0, 1, 2, 3, 1, 4]
    around = oracles.doubled_area([points[corner] for corner in corners])
    for shift in range(len(corners)):
        faces, flags = cut(points, corners[shift:] + corners[:shift])
        areas = [oracles.doubled_area([points[corner] for corner in face]) for face in faces]
        assert flags == triangulation.SELF_TOUCHING
        assert sum(map(abs, areas)) == sum(areas) == around


def test_too_large_a_polygon_becomes_a_fan_unless_it_is_convex() -> None:
    n = triangulation.MOST_CORNERS + 4
    turns = 2 * np.pi * np.arange(n) / n
    circle = np.stack([np.cos(turns), np.sin(turns), 0 * turns], axis=1) * 1e9
    faces, _, status, _ = triangulated([list(range(n))], circle)
    assert status == [triangulation.POLYGON]
    circle[5] = 0
    dented, _, status, _ = triangulated([list(range(n))], circle)
    assert status == [triangulation.POLYGON | triangulation.TOO_LARGE]
    assert faces == dented == [(0, i, i + 1) for i in range(1, n - 1)]


def test_the_kernel_has_one_signature() -> None:
    assert len(getattr(triangulation.triangulate, "signatures", [])) <= 1
