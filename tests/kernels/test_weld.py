"""Welding against a dictionary of bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from meshguard.kernels.weld import weld_positions
from tests import oracles

COORDINATES = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.1, np.nan, np.inf, 1e-320, 1e300])


def welded(vertices: np.ndarray) -> tuple[int, list[int]]:
    vertices = vertices.copy()
    vertices.flags.writeable = False
    remap = np.empty(len(vertices), np.int32)
    return weld_positions(vertices, remap), remap.tolist()


@given(hnp.arrays(np.float64, st.tuples(st.integers(0, 60), st.just(3)), elements=COORDINATES))
def test_positions_are_numbered_by_first_occurrence(vertices: np.ndarray) -> None:
    expected = oracles.position_numbers(vertices)

    assert welded(vertices) == (len(set(expected)), expected)


def test_negative_zero_is_zero_and_neighbours_stay_apart() -> None:
    a, b = 1.0, np.nextafter(1.0, 2.0)

    count, remap = welded(np.array([[0.0, a, 0.0], [-0.0, a, -0.0], [0.0, b, 0.0]]))

    assert (count, remap) == (2, [0, 0, 1])


def test_no_vertices() -> None:
    assert welded(np.empty((0, 3))) == (0, [])


@pytest.mark.parametrize("distinct", [1, 2, 1000, 99_999])
def test_many_vertices_on_few_and_many_positions(distinct: int) -> None:
    rng = np.random.default_rng(distinct)
    numbers = rng.integers(0, distinct, 100_000)
    vertices = np.stack([numbers * 0.1, numbers % 7, -numbers.astype(np.float64)], axis=1)

    count, remap = welded(vertices)

    _, first = np.unique(numbers, return_index=True)
    assert count == len(first)
    assert np.array_equal(np.sort(first)[remap], np.sort(first)[np.array(oracles.position_numbers(vertices))])
