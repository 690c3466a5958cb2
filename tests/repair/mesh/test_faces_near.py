"""The faces near some places: none that reaches there is left out, and hardly any that does not is taken in."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from meshguard.facts.arrays import frozen
from meshguard.repair.mesh.faces_near import near_boxes
from tests import shapes


def near(vertices: np.ndarray, faces: np.ndarray, low: object, high: object) -> list[int]:
    """The faces near boxes."""
    found = near_boxes(
        frozen(np.array(vertices, np.float64)),
        frozen(np.array(faces, np.int32)),
        np.array(low, np.float64).reshape(-1, 3),
        np.array(high, np.float64).reshape(-1, 3),
    )
    return np.flatnonzero(found).tolist()


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_no_face_whose_box_meets_one_of_them_is_left_out(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    vertices = rng.integers(-8, 9, (20, 3)).astype(np.float64)
    faces = rng.integers(0, 20, (30, 3))
    low = rng.integers(-8, 9, (count, 3)).astype(np.float64)
    high = low + rng.integers(0, 4, (count, 3))
    meeting = {
        face
        for face, corners in enumerate(vertices[faces])
        for a, b in zip(low, high, strict=True)
        if all(corners[:, x].min() <= b[x] and corners[:, x].max() >= a[x] for x in range(3))
    }

    assert meeting <= set(near(vertices, faces, low, high))


def test_faces_a_cell_away_are_not_near() -> None:
    """A box of 10 mm in the corner of a sheet of 60 by 40 mm: cells are as large, and 10 mm beyond it end all."""
    mesh = shapes.grid(60, 40, bulge=0.0)
    found = near(mesh.vertices, mesh.faces, [-30, -20, -1], [-20, -10, 1])
    low, high = (edge(mesh.vertices[mesh.faces], axis=1) for edge in (np.min, np.max))
    reaching = np.flatnonzero((low[:, 0] <= -20) & (low[:, 1] <= -10)).tolist()

    assert set(reaching) <= set(found)
    assert (low[found][:, 0] <= -10).all() and (low[found][:, 1] <= 0).all()
    assert len(found) < 0.3 * len(mesh.faces)
    assert (high[reaching] >= [-30, -20, 0]).all()


def test_faces_far_from_two_boxes_far_apart_are_not_near() -> None:
    mesh = shapes.grid(60, 40, bulge=0.0)
    found = near(mesh.vertices, mesh.faces, [[-30, -20, -1], [28, 18, -1]], [[-28, -18, 1], [30, 20, 1]])
    middle = mesh.vertices[mesh.faces].mean(axis=1)

    assert len(found) > 0
    assert (np.abs(middle[found][:, 0]) > 20).all()
    assert {np.sign(x) for x in middle[found][:, 0]} == {-1.0, 1.0}


def test_boxes_without_an_extent_leave_no_face_out() -> None:
    cube = shapes.cube()

    assert near(cube.vertices, cube.faces, [200, 0, 0], [200, 0, 0]) == list(range(12))
