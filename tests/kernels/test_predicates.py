"""Predicates against rational arithmetic, where rounding would decide wrongly."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from meshguard.kernels.predicates import are_collinear, orient2d, orient2d_exact, orient3d, orient3d_exact
from tests import oracles

ANY = st.floats(-1e70, 1e70, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) >= 1e-70)
FLOAT32 = st.floats(-100, 100, width=32)


@st.composite
def near_lines(draw: st.DrawFn) -> tuple[tuple[float, float], ...]:
    """Three points on a line in real numbers, each then rounded and moved by at most three ulp."""
    ax, ay, dx, dy = (draw(FLOAT32) for _ in range(4))
    points = []
    for t in (0.0, draw(st.floats(-2, 2)), draw(st.floats(-2, 2))):
        point = []
        for x in (ax + t * dx, ay + t * dy):
            for _ in range(draw(st.integers(0, 3))):
                x = math.nextafter(x, draw(st.sampled_from([-math.inf, math.inf])))
            point.append(x if x == 0 or abs(x) >= 1e-70 else 0.0)
        points.append((point[0], point[1]))
    return tuple(points)


@given(st.tuples(*[st.tuples(ANY, ANY)] * 3))
@example(((1e70, -1e70), (1e-70, 1e-70), (-1e70, 1e70)))
@example(((1e70, 1e-70), (1e70, 1e-70), (1e-70, 1e70)))
def test_orient2d_is_exact_over_the_whole_range(points: tuple[tuple[float, float], ...]) -> None:
    a, b, c = points

    assert orient2d(*a, *b, *c) == oracles.orientation(a, b, c)
    assert orient2d_exact(*a, *b, *c) == oracles.orientation(a, b, c)


@given(near_lines())
def test_orient2d_is_exact_within_ulps_of_a_line(points: tuple[tuple[float, float], ...]) -> None:
    a, b, c = points

    assert orient2d(*a, *b, *c) == oracles.orientation(a, b, c)


def test_orient2d_decides_every_neighbour_of_a_point_on_a_line() -> None:
    """The grid of Kettner et al. (2008), on which a plain determinant misjudges most points."""
    wrong = 0
    for i in range(-12, 13):
        for j in range(-12, 13):
            a = (0.5 + i * 2.0**-53, 0.5 + j * 2.0**-53)
            expected = oracles.orientation(a, (12.0, 12.0), (24.0, 24.0))
            plain = (a[0] - 24.0) * (12.0 - 24.0) - (a[1] - 24.0) * (12.0 - 24.0)
            wrong += ((plain > 0) - (plain < 0)) != expected
            assert orient2d(*a, 12.0, 12.0, 24.0, 24.0) == expected
    assert wrong > 0  # else this grid proves nothing


@given(st.tuples(*[st.tuples(FLOAT32, FLOAT32, FLOAT32)] * 2), st.integers(-3, 3), st.integers(0, 5))
def test_are_collinear_is_exact(ends: tuple[tuple[float, ...], ...], factor: int, nudge: int) -> None:
    """Points a, b and a + factor * (b - a), exactly on the line where that is representable, else beside it."""
    a, b = (np.array(end) for end in ends)
    c = a + factor * (b - a)
    if nudge < 3 and c[nudge] != 0:
        c[nudge] = np.nextafter(c[nudge], np.inf)

    assert are_collinear(*a, *b, *c) == oracles.is_collinear(a, b, c)


@given(st.tuples(*[st.tuples(ANY, ANY, ANY)] * 4))
@example(((1e70, -1e70, 1e-70), (1e-70, 1e-70, 1e70), (-1e70, 1e70, 1e-70), (1e70, 1e70, 1e70)))
def test_orient3d_is_exact_over_the_whole_range(points: tuple[tuple[float, float, float], ...]) -> None:
    expected = oracles.orientation3(*points)
    flat = [x for point in points for x in point]

    assert orient3d(*flat) == expected
    assert orient3d_exact(*flat) == expected


@given(
    st.tuples(*[st.tuples(FLOAT32, FLOAT32, FLOAT32)] * 3),
    st.floats(-2, 2),
    st.floats(-2, 2),
    st.integers(-2, 2),
    st.booleans(),
)
def test_orient3d_is_exact_within_ulps_of_a_plane(
    triangle: tuple[tuple[float, float, float], ...], s: float, t: float, ulps: int, narrow: bool
) -> None:
    """A point computed in the plane of three others, so rounded beside it, or moved by ulps; in both widths."""
    a, b, c = (np.array(point) for point in triangle)
    d = a + s * (b - a) + t * (c - a)
    d = d.astype(np.float32).astype(np.float64) if narrow else d
    for _ in range(abs(ulps)):
        d[2] = np.nextafter(d[2], math.copysign(math.inf, ulps))
    d[np.abs(d) < 1e-70] = 0.0

    assert orient3d(*a, *b, *c, *d) == oracles.orientation3(a, b, c, d)
    assert orient3d_exact(*a, *b, *c, *d) == oracles.orientation3(a, b, c, d)


def test_orient3d_looks_from_the_side_its_docstring_says() -> None:
    assert orient3d(0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, -1) == 1
    assert orient3d(0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1) == -1
