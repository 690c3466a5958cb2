"""The arch curve: a circle is followed, a straight row is a line, and what stands in no row has no curve."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard.facts.dental.arch_curve import LARGEST_RADIUS_MM, ArchCurve, curve_through

UP = np.array([0.0, 0.0, 1.0])


def on_circle(degrees: np.ndarray, radius: float = 25.0) -> np.ndarray:
    """Points of a circle about (3, 4, 5) in the plane across `UP`."""
    angles = np.radians(degrees)
    return np.asarray(radius * np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1) + [3, 4, 5])


def through(points: np.ndarray, backs: np.ndarray | None = None) -> ArchCurve:
    curve = curve_through(points, UP, backs)
    assert curve is not None
    return curve


class TestCircle:
    def test_it_is_followed_all_along(self) -> None:
        angles = np.radians(np.linspace(-20, 200, 12))
        points = 25.0 * np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1) + [3, 4, 5]
        curve = curve_through(points, UP)

        assert curve is not None
        assert curve.centre == pytest.approx([3, 4, 5])
        assert curve.along(curve.nearest(points)) == pytest.approx(25.0 * (angles - angles[0]), abs=0.1)
        assert np.abs(curve.placed(points)[1]).max() < 1e-6
        straight_on = points[-1] + 8.0 * np.array([-np.sin(angles[-1]), np.cos(angles[-1]), 0])
        assert curve.placed(straight_on[None])[0][0] == pytest.approx(25.0 * np.ptp(angles) + 8.0, abs=0.1)

    def test_angles_grow_counter_clockwise_from_the_first_tooth(self) -> None:
        points = on_circle(np.array([0.0, 45, 90, 135, 180]))
        curve = through(points[[3, 0, 4, 1, 2]])
        angles = curve.angles(points)

        assert np.diff(angles) == pytest.approx([np.pi / 4] * 4)
        assert (angles[0], angles[-1]) == (pytest.approx(curve.low), pytest.approx(curve.high))

    def test_radii_tangents_and_sagitta_are_the_circles(self) -> None:
        degrees = np.linspace(0, 180, 9)
        points = on_circle(degrees)
        curve = through(points)
        angles = curve.angles(points)
        radius, slope = curve.radii(angles)

        assert radius == pytest.approx(25.0) and slope == pytest.approx(0.0, abs=1e-6)
        turned = np.radians(degrees + 90)
        assert curve.tangents(angles) == pytest.approx(
            np.stack([np.cos(turned), np.sin(turned), 0 * turned], axis=1), abs=1e-6
        )
        assert curve.sagitta_mm == pytest.approx(25.0)  # half a circle

    def test_across_is_positive_outward(self) -> None:
        curve = through(on_circle(np.linspace(0, 180, 9)))
        along, across = curve.placed(np.array([[3.0, 31.0, 5.0], [3.0, 24.0, -9.0]]))

        assert across == pytest.approx([2.0, -5.0])
        assert along == pytest.approx([25.0 * np.pi / 2] * 2, abs=0.01)

    def test_it_is_open_at_the_widest_gap_or_between_the_last_teeth(self) -> None:
        points = on_circle(np.array([-10.0, 15, 40, 140, 165, 190]))
        behind = through(points)
        as_numbered = through(points, np.array([5, 6, 7, 7, 6, 5], np.int32))

        # From 40 to 140 degrees no tooth stands, and from 190 to 350: the wider gap, unless the numbers say otherwise.
        assert np.argsort(behind.angles(points)).tolist() == [0, 1, 2, 3, 4, 5]
        assert np.argsort(as_numbered.angles(points)).tolist() == [3, 4, 5, 0, 1, 2]


class TestStraight:
    def test_a_row_on_a_line_has_its_own_length(self) -> None:
        row = np.array([[10.0 * k, 0.0, 0.0] for k in range(4)])
        curve = through(row)
        sagitta = LARGEST_RADIUS_MM * (1 - np.cos(15.0 / LARGEST_RADIUS_MM))

        assert np.abs(np.diff(curve.along(curve.nearest(row)))) == pytest.approx([10.0] * 3, abs=0.2)
        assert curve.sagitta_mm == pytest.approx(sagitta, rel=0.01)
        assert np.abs(curve.placed(row)[1]).max() < 0.5 * sagitta

    def test_too_few_teeth_for_a_circle_are_a_line(self) -> None:
        four = on_circle(np.array([80.0, 87, 93, 100]))

        assert float(np.linalg.norm(through(four).centre - four.mean(axis=0))) == pytest.approx(LARGEST_RADIUS_MM)


class TestNone:
    @pytest.mark.parametrize(
        "points",
        [
            np.array([[1.0, 2.0, 3.0]]),
            np.array([[1.0, 2.0, 3.0]] * 3),
            np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 9.0]]),
            np.array([[-25.0, 0, 0], [25, 20, 0], [26, 10, 0], [27, 0, 0]]),
            on_circle(np.linspace(0, 300, 9), radius=8.0),
        ],
        ids=["one point", "one place", "one above the other", "two sides", "too narrow a circle"],
    )
    def test_what_stands_in_no_row_has_no_curve(self, points: np.ndarray) -> None:
        assert curve_through(points, UP) is None
