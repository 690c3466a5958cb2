"""Faces near marked cells against a twin that looks at every cell, and the promise that no near face is left out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshguard.facts.arrays import frozen
from meshguard.kernels import grid_query as kernels
from meshguard.repair.mesh.faces_near import near_boxes
from tests import oracles, shapes


@pytest.mark.parametrize("seed", range(6))
def test_it_is_what_looking_at_every_cell_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Multiples of a sixteenth: boxes that end on the border of a cell come by themselves, and nothing is rounded.
    middles = rng.integers(-16, 96, (80, 1, 3)) / 16
    triangles = middles + rng.integers(-16, 17, (80, 3, 3)) / 16 * rng.choice([0.25, 1.0, 4.0], (80, 1, 1))
    positions, corners = triangles.reshape(-1, 3), np.arange(240, dtype=np.int32).reshape(-1, 3)
    marked = rng.random((4, 5, 6)) < 0.1
    x, y, z, cell = 0.5, -0.25, 0.0, 0.5
    out = np.empty(len(corners), np.bool_)
    kernels.faces_near(frozen(positions), frozen(corners), frozen(marked), x, y, z, cell, 0, len(corners), out)

    assert out.tolist() == oracles.faces_near(
        positions, corners, marked, np.array([x, y, z]), cell, kernels._MOST_CELLS
    )
    assert 0 < out.sum() < len(out)


def test_only_the_range_is_written() -> None:
    mesh = shapes.grid()
    out = np.ones(len(mesh.faces), np.bool_)
    kernels.faces_near(
        mesh.vertices, mesh.faces, frozen(np.zeros((2, 2, 2), np.bool_)), 0.0, 0.0, 0.0, 1.0, 10, 20, out
    )

    assert np.flatnonzero(~out).tolist() == list(range(10, 20))


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_no_face_that_reaches_into_a_box_is_left_out(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    mesh = shapes.grid(12, 9)
    low = mesh.vertices[rng.integers(0, len(mesh.vertices), count)] + rng.normal(size=(count, 3))
    high = low + rng.random((count, 3)) * rng.choice([0.0, 1.0, 20.0])
    near = near_boxes(mesh.vertices, mesh.faces, low, high)
    ends = mesh.vertices[mesh.faces]
    least, most = ends.min(axis=1), ends.max(axis=1)
    reaches = np.zeros(len(mesh.faces), np.bool_)
    for low_end, high_end in zip(low, high, strict=True):
        reaches |= ((least <= high_end) & (most >= low_end)).all(axis=1)

    assert (near | ~reaches).all()


def test_most_of_a_large_mesh_is_not_near_a_small_box() -> None:
    mesh = shapes.grid(100, 80)
    here = mesh.vertices[4000]
    near = near_boxes(mesh.vertices, mesh.faces, (here - 1.0)[None], (here + 1.0)[None])

    assert 0 < near.sum() < 200
