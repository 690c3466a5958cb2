"""What several facts do with arrays: against plain Python, and in the form that kernels take."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshguard.facts.arrays import centroids, connected_components, frozen, offsets_to_segments
from tests import oracles


def test_a_frozen_array_is_the_same_array_and_cannot_be_written_to() -> None:
    array = np.zeros(3)

    assert frozen(array) is array
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1.0


@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_centroid_is_the_mean_of_its_points(width: int) -> None:
    points = np.array([[0, 0, 0], [6, 0, 0], [0, 12, 0], [0, 0, 24]], np.float64)
    rows = np.array([[1, 2, 3], [3, 3, 0]], np.int32)[:, :width]
    expected = {1: [[6, 0, 0], [0, 0, 24]], 2: [[3, 6, 0], [0, 0, 24]], 3: [[2, 4, 8], [0, 0, 16]]}

    assert centroids(points, rows).tolist() == expected[width]
    assert points[1].tolist() == [6, 0, 0]


def test_the_nearest_place_on_a_segment_is_beside_a_point_or_an_end() -> None:
    points = np.array([[1, 3, 0], [-2, 1, 0], [7, 0, 5]], np.float64)
    start, end = np.zeros((3, 3)), np.tile([4.0, 0, 0], (3, 1))

    assert offsets_to_segments(points, start, end).tolist() == [[0, -3, 0], [2, -1, 0], [-3, 0, -5]]


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(0, 12))
def test_components_are_those_of_the_naive_twin_numbered_by_lowest_node(seed: int, count: int, n_pairs: int) -> None:
    pairs = np.random.default_rng(seed).integers(0, count, (n_pairs, 2)).astype(np.int32)
    first, second = pairs.T
    expected = sorted(oracles.groups({node: [] for node in range(count)}, pairs.tolist()), key=min)

    found = connected_components(count, first, second)

    assert [set(np.flatnonzero(found == number).tolist()) for number in range(len(expected))] == expected
