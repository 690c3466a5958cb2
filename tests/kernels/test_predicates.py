"""Predicates against rational arithmetic, where rounding would decide wrongly."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from meshguard.kernels.predicates import are_collinear, orient2d, orient2d_exact
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
