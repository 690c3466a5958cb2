"""What is said of each face alone, against rational arithmetic and hand-made faces on both sides of each limit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from meshguard.kernels import triangles
from meshguard.kernels.triangles import CAP, COLLINEAR, NEEDLE, NONFINITE, OUTSIDE_EXACT, REPEATED, SHORT, TURNS
from tests import oracles


def measured(
    points: object, corners: object = None, *, aspect: float = 50.0, cap: float = 175.0, short: float = 1e-3
) -> tuple[np.ndarray, np.ndarray]:
    """Areas and flags of faces given by positions, one face of the three first points by default."""
    positions = np.array(points, np.float64).reshape(-1, 3)
    faces = np.array([[0, 1, 2]] if corners is None else corners, np.int32)
    positions.flags.writeable = faces.flags.writeable = False
    area, flags = np.empty(len(faces), np.float64), np.empty(len(faces), np.uint16)
    triangles.measure_faces(positions, faces, 0, len(faces), aspect, math.cos(math.radians(cap)), short, area, flags)
    return area, flags


def test_area_of_a_right_triangle() -> None:
    area, flags = measured([[0, 0, 0], [3, 0, 0], [0, 0, 4]])

    assert area.tolist() == [6.0]
    assert flags.tolist() == [TURNS << 3]  # seen along y the corners turn right


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_nonfinite_corner_is_all_that_is_said(bad: float) -> None:
    area, flags = measured([[0, 0, bad], [0, 0, 0], [0, 0, 0]])

    assert (area.tolist(), flags.tolist()) == ([0.0], [NONFINITE])


def test_a_finite_face_whose_coordinates_overflow_a_sum_is_finite() -> None:
    _, flags = measured([[1e308, 1e308, 0], [1e308, 0, 0], [0, 1e308, 0]])

    assert flags[0] & OUTSIDE_EXACT
    assert not flags[0] & NONFINITE


def test_a_repeated_corner_is_collinear_too() -> None:
    _, flags = measured([[0, 0, 0], [9, 0, 0]], [[0, 1, 1]])

    assert flags[0] & REPEATED
    assert flags[0] & COLLINEAR


def test_the_exact_range_ends_at_its_limits() -> None:
    assert not measured([[1e-70, 0, 0], [1, 0, 0], [0, 1, 0]])[1][0] & OUTSIDE_EXACT
    assert measured([[9e-71, 0, 0], [1, 0, 0], [0, 1, 0]])[1][0] & OUTSIDE_EXACT


def test_a_needle_is_beyond_the_aspect_and_not_before() -> None:
    assert not measured([[0, 0, 0], [49, 0, 0], [49, 1, 0]])[1][0] & NEEDLE
    assert measured([[0, 0, 0], [51, 0, 0], [51, 1, 0]])[1][0] & NEEDLE


def test_a_cap_is_beyond_the_angle_and_not_before() -> None:
    def face(angle: float) -> list[list[float]]:
        half = math.radians(angle / 2)
        return [[-math.sin(half), 0, 0], [0, math.cos(half), 0], [math.sin(half), 0, 0]]

    assert not measured(face(174.9))[1][0] & (CAP | NEEDLE)
    assert measured(face(175.1))[1][0] & (CAP | NEEDLE) == CAP


@pytest.mark.parametrize("corner", [0, 1, 2])
def test_a_short_edge_is_named_by_its_corner(corner: int) -> None:
    points = np.roll(np.array([[0, 0, 0], [0.0005, 0, 0], [0, 0.01, 0]]), corner, axis=0)

    _, flags = measured(points)

    assert flags[0] & (7 * SHORT) == SHORT << corner


SMALL = st.integers(-3, 3).map(float)
SCALES = st.sampled_from([1.0, 0.1, 1e-30, 1e30, 7e69, 1 / 3])


@given(hnp.arrays(np.float64, (12, 3), elements=SMALL), SCALES, st.integers(0, 2))
def test_collinear_is_exact(points: np.ndarray, scale: float, ulps: int) -> None:
    """Points of a small grid, where every fourth face is collinear, scaled so that rounding bends some of the lines."""
    points = points * scale
    points[:4] = np.where(points[:4] != 0, points[:4] * (1 + ulps * 2.0**-52), 0.0)
    corners = [[i, j, k] for i in range(4) for j in range(4, 8) for k in range(8, 12)]

    _, flags = measured(points, corners)

    expected = [oracles.is_collinear(*points[face]) for face in corners]
    assert ((flags & COLLINEAR) != 0).tolist() == expected


@given(hnp.arrays(np.float64, (12, 3), elements=SMALL), SCALES)
def test_turns_are_those_of_the_projections(points: np.ndarray, scale: float) -> None:
    """Where differences are exact the filter is sure of all that turns; elsewhere what it is sure of is right."""
    points = points * scale
    corners = [[i, j, k] for i in range(4) for j in range(4, 8) for k in range(8, 12)]

    _, flags = measured(points, corners)

    for face, flag in zip(corners, flags.tolist(), strict=True):
        for axis in range(3):
            x, y = (axis + 1) % 3, (axis + 2) % 3
            turn = oracles.orientation(*((points[v, x], points[v, y]) for v in face))
            said = (flag // TURNS >> 2 * axis) & 3
            assert said in ({0: 0, 1: 1, -1: 2}[turn], 0)
            if scale == 1.0:
                assert said == {0: 0, 1: 1, -1: 2}[turn]
