"""How two triangles intersect, against clipping one with the other in rational numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from meshguard.kernels.triangle_triangle import AREA, EDGE_SEGMENT, NOTHING, POINT, SEGMENT, folds, intersection_kind
from tests import oracles

NAMES = {NOTHING: "nothing", POINT: "point", EDGE_SEGMENT: "edge", SEGMENT: "segment", AREA: "area"}


@st.composite
def two_triangles(draw: st.DrawFn) -> np.ndarray:
    """Six points of a small grid, some shared, some flat, scaled so that coordinates are or are not exact."""
    side = draw(st.integers(2, 5))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    points = rng.integers(0, side, (6, 3)).astype(np.float64)
    if draw(st.booleans()):
        points[3] = points[0]
    if draw(st.integers(0, 3)) == 0:
        points[:, rng.integers(3)] = 1.0
    points *= draw(st.sampled_from([1.0, 0.1, 1 / 3, 1e-20, 1e20]))
    assume(not oracles.is_collinear(*points[:3]) and not oracles.is_collinear(*points[3:]))
    points.flags.writeable = False
    return points


@settings(max_examples=1500)
@given(two_triangles(), st.permutations(range(3)), st.permutations(range(3, 6)))
def test_triangles_meet_as_clipping_says(points: np.ndarray, first: list[int], second: list[int]) -> None:
    expected = oracles.meeting(points[:3], points[3:])

    assert NAMES[intersection_kind(points, *first, *second)] == expected
    assert NAMES[intersection_kind(points, *second, *first)] == expected


@pytest.mark.parametrize(
    ("tip", "expected"),
    [
        ([0.0, 2.0, 0.0], True),  # on the same side, in the plane
        ([0.0, -2.0, 0.0], False),  # on the other side
        ([0.0, 2.0, 1e-300], False),  # ever so little out of the plane
    ],
)
def test_a_fold_is_flat_and_on_one_side(tip: list[float], expected: bool) -> None:
    points = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.5, 1.0, 0.0], tip])
    points.flags.writeable = False

    assert folds(points, 0, 1, 2, 3) == expected
