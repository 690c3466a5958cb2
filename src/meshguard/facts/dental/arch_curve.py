"""The arch curve: the curve that the teeth stand on, seen along the axis towards the biting side."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.halfedges import unit_vectors

if TYPE_CHECKING:
    from meshguard.mesh import FloatArray, IntArray

MIN_TEETH = 5
"""With fewer teeth no circle is fitted, only a line: two teeth out of line would bend a circle through four."""

MIN_RADIUS_MM = 12.0
"""No arch is this narrow: such a circle weaves among teeth that are out of line."""

MOST_SCATTER = 0.3
"""The teeth's root mean square distance from the circle is less than this share of its sagitta."""

WIDE_GAP = 0.5
"""The arch may be open at any gap of at least this share of the widest one: behind the last molars an arch is open over
80 degrees and more, and a missing incisor leaves 30."""

MOST_ASIDE_MM = 4.0
"""Teeth without a circle have a root mean square distance from a straight line of less than this: for four crowded
neighbours it is 2, for a molar of one side with three of the other it is 8."""

LARGEST_RADIUS_MM = 150.0
"""A row with a larger radius is straight."""


class ArchCurve(NamedTuple):
    """The curve that the teeth stand on, seen along `up`: a radius for each angle about a centre inside the arch.

    Attributes:
        centre: float64 (3,), mm.
        east, north: float64 (3,): unit vectors of angle 0 and 90 degrees; with `up` right-handed.
        cut: angle in radians at which the arch is open; angles along the arch grow from there, counter-clockwise as
            seen from where `up` points to.
        low, high: angles of the first and last tooth, from the cut.
        coefficients: float64 (d + 1,): the radius as a polynomial of the angle, scaled to -1 .. 1 over the arch; as
            `numpy.polynomial.polynomial` has it.
        sagitta_mm: distance of the middle of the row from the line between its ends: how much the row curves.
    """

    centre: FloatArray
    east: FloatArray
    north: FloatArray
    cut: float
    low: float
    high: float
    coefficients: FloatArray
    sagitta_mm: float

    def angles(self, points: FloatArray) -> FloatArray:
        """Angle of each point from the cut, 0 to 2 pi, float64 (k,)."""
        away = points - self.centre
        angles: FloatArray = np.mod(np.arctan2(away @ self.north, away @ self.east) - self.cut, 2 * np.pi)
        return angles

    def radii(self, angles: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The curve's radius at each angle from the cut, mm, and its derivative; beyond the ends both stay constant."""
        half = max(1e-9, 0.5 * (self.high - self.low))
        x = np.clip((angles - 0.5 * (self.low + self.high)) / half, -1.0, 1.0)
        # Horner's rule for both at once.
        radius, slope = np.full_like(x, self.coefficients[-1]), np.zeros_like(x)
        for coefficient in self.coefficients[-2::-1]:
            slope = slope * x + radius
            radius = radius * x + coefficient
        return radius, slope / half

    def along(self, angles: FloatArray) -> FloatArray:
        """Length of the curve up to each angle, mm, 0 at the first tooth."""
        fine = np.linspace(self.low, self.high, 721)
        radius, slope = self.radii(fine)
        speed = np.sqrt(radius**2 + slope**2)
        length = np.concatenate([[0.0], np.cumsum(0.5 * (speed[1:] + speed[:-1]) * np.diff(fine))])
        inside = np.interp(angles, fine, length)
        ends = self.radii(np.array([self.low, self.high]))[0]
        before, behind = np.minimum(angles - self.low, 0.0), np.maximum(angles - self.high, 0.0)
        lengths: FloatArray = inside + ends[0] * before + ends[1] * behind
        return lengths

    def nearest(self, points: FloatArray) -> FloatArray:
        """The place on the curve nearest to each point, as an angle from the cut, float64 (k,)."""
        fine = np.linspace(self.low, self.high, 721)
        absolute = fine + self.cut
        places = self.radii(fine)[0][:, None] * np.stack([np.cos(absolute), np.sin(absolute)], axis=1)
        flat = (points - self.centre) @ np.stack([self.east, self.north], axis=1)
        nearest: FloatArray = fine[((flat[:, None] - places) ** 2).sum(axis=2).argmin(axis=1)]
        return nearest

    def placed(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Where points are: mm along the curve and mm across it, positive outward; straight beyond its ends."""
        plane = np.stack([self.east, self.north], axis=1)
        flat = (points - self.centre) @ plane
        angles = np.mod(np.arctan2(flat[:, 1], flat[:, 0]) - self.cut, 2 * np.pi)
        along, across = self.along(angles), np.hypot(flat[:, 0], flat[:, 1]) - self.radii(angles)[0]
        ends = np.array([self.low, self.high])
        radius, tangent, length = self.radii(ends)[0], self.tangents(ends) @ plane, self.along(ends)
        for end, is_beyond in ((0, angles < self.low), (1, angles > self.high)):
            absolute = ends[end] + self.cut
            away = flat[is_beyond] - radius[end] * np.array([np.cos(absolute), np.sin(absolute)])
            along[is_beyond] = length[end] + away @ tangent[end]
            across[is_beyond] = away @ np.array([tangent[end, 1], -tangent[end, 0]])
        return along, across

    def tangents(self, angles: FloatArray) -> FloatArray:
        """Unit vectors along the curve, counter-clockwise, float64 (k, 3)."""
        radius, slope = self.radii(angles)
        absolute = angles + self.cut
        outward = np.cos(absolute)[:, None] * self.east + np.sin(absolute)[:, None] * self.north
        across = -np.sin(absolute)[:, None] * self.east + np.cos(absolute)[:, None] * self.north
        tangent = slope[:, None] * outward + radius[:, None] * across
        return unit_vectors(tangent)


def curve_through(points: FloatArray, up: FloatArray, backs: IntArray | None = None) -> ArchCurve | None:
    """The curve through points seen along `up`; None for fewer than two, for points at one place, or not in a row.

    The arch is open at its widest gap. Where front teeth are missing, another gap may be about as wide: then the arch
    is open between the two points that stand farthest back by `backs`, whole numbers, if they are given.

    First a circle is fitted (Kasa 1976). Its centre gives the angles: seen from inside an arch, the teeth follow one
    another by angle. Points on a line get a circle so large that it is nearly straight, with its centre on either side.
    """
    oblique = np.eye(3)[np.argmin(np.abs(up))]
    east = np.cross(oblique, up)
    east /= np.linalg.norm(east)
    north = np.cross(up, east)
    middle = points.mean(axis=0)
    flat = (points - middle) @ np.stack([east, north], axis=1)
    if len(points) < 2 or float(np.abs(flat).max()) < 1.0:
        return None
    circle = _circle_through(flat)
    if circle is None:
        return None
    centre, radius = circle
    away = flat - centre
    absolute = np.arctan2(away[:, 1], away[:, 0])
    order = np.argsort(absolute, kind="stable")
    gaps = np.diff(np.concatenate([absolute[order], absolute[order[:1]] + 2 * np.pi]))
    opening = int(np.argmax(gaps))
    if backs is not None:
        behind = backs[order] + np.roll(backs[order], -1)
        opening = int(np.argmax(np.where(gaps > WIDE_GAP * gaps[opening], behind + gaps / 7.0, -1.0)))
    cut = float(absolute[order[opening]] + 0.5 * gaps[opening])
    angles = np.mod(absolute - cut, 2 * np.pi)
    low, high = float(angles.min()), float(angles.max())
    half = 0.5 * (high - low)
    sagitta = radius * (1.0 - np.cos(min(half, np.pi)))
    from numpy.polynomial import polynomial

    scaled = (angles - 0.5 * (low + high)) / max(half, 1e-9)
    degree = max(0, min(4, len(points) // 2 - 1))
    coefficients = polynomial.polyfit(scaled, np.hypot(*away.T), degree)
    origin = middle + centre @ np.stack([east, north])
    return ArchCurve(origin, east, north, cut, low, high, coefficients, float(sagitta))


def _circle_through(flat: FloatArray) -> tuple[FloatArray, float] | None:
    """Centre and radius of the circle through points in the plane whose mean is 0; None where they lie on no circle."""
    if len(flat) >= MIN_TEETH:
        system = np.concatenate([2 * flat, np.ones((len(flat), 1))], axis=1)
        solution, _, rank, _ = np.linalg.lstsq(system, (flat**2).sum(axis=1), rcond=1e-9)
        radius = float(np.sqrt(max(0.0, solution[2] + solution[0] ** 2 + solution[1] ** 2)))
        if rank == 3 and MIN_RADIUS_MM < radius < LARGEST_RADIUS_MM:
            away = flat - solution[:2]
            scatter = float(np.sqrt(((np.hypot(*away.T) - radius) ** 2).mean()))
            cosine = away @ -solution[:2] / np.maximum(np.hypot(*away.T) * np.hypot(*solution[:2]), 1e-12)
            if scatter < MOST_SCATTER * radius * (1.0 - float(cosine.min())):
                return solution[:2], radius
    across = np.linalg.svd(flat, full_matrices=True)[2][1]
    if float(np.sqrt(((flat @ across) ** 2).mean())) > MOST_ASIDE_MM:
        return None
    return -LARGEST_RADIUS_MM * across, LARGEST_RADIUS_MM
