"""Faces cut into pieces: every point of a face in the slab lies in a box of that face."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from meshguard.kernels.slabs import cut_faces


@given(st.integers(0, 2**32 - 1), st.integers(0, 2), st.sampled_from([0.3, 2.0, 50.0]), st.booleans())
def test_every_point_of_the_layer_lies_in_a_box(seed: int, axis: int, size: float, is_gridded: bool) -> None:
    rng = np.random.default_rng(seed)
    positions = rng.integers(-6, 7, (12, 3)) / 3.0 if is_gridded else rng.normal(size=(12, 3)) * 4
    corners = rng.integers(0, 12, (6, 3)).astype(np.int32)
    faces = np.array([0, 2, 3, 5], np.int32)
    low, high = sorted(rng.integers(-6, 7, 2) / 3.0)
    for array in (positions, corners, faces):
        array.flags.writeable = False
    slack = 1e-13 * np.abs(positions).max()
    ends, face = np.empty((4000, 3)), np.empty(2000, np.int32)

    count = cut_faces(positions, corners, faces, axis, low, high, size, slack, ends, face)

    least, greatest = ends[0 : 2 * count : 2] - slack, ends[1 : 2 * count : 2] + slack
    assert set(face[:count].tolist()) <= set(faces.tolist())
    weights = np.concatenate([rng.dirichlet([0.5] * 3, 200), np.eye(3)])
    for f in faces:
        points = weights @ positions[corners[f]]
        points = points[(points[:, axis] >= low) & (points[:, axis] <= high)]
        mine = face[:count] == f
        held = (points[:, None] >= least[mine]).all(axis=2) & (points[:, None] <= greatest[mine]).all(axis=2)
        assert held.any(axis=1).all()


def test_a_buffer_that_is_too_small_is_told_how_much_is_needed() -> None:
    positions = np.array([[0.0, 0.0, 0.0], [10.0, 0.0, 0.0], [10.0, 0.1, 0.0]])
    corners, faces = np.array([[0, 1, 2]], np.int32), np.zeros(1, np.int32)
    for array in (positions, corners, faces):
        array.flags.writeable = False
    ends, face = np.empty((4, 3)), np.empty(2, np.int32)

    count = cut_faces(positions, corners, faces, 2, -np.inf, np.inf, 1.0, 1e-12, ends, face)

    assert count == 10
    assert ends[3, 0] - ends[2, 0] < 1.001
