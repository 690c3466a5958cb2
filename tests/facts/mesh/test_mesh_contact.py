"""Two meshes that reach into each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import meshguard
from meshguard.mesh import Mesh
from tests import oracles, shapes
from tests.strategies import soups


def moved(mesh: Mesh, x: float, y: float, z: float) -> Mesh:
    return Mesh(vertices=mesh.vertices + [x, y, z], faces=mesh.faces)


@settings(max_examples=40)
@given(soups(most_faces=12), soups(most_faces=12), st.sampled_from([0.0, 0.25, 0.1]))
def test_pairs_are_those_of_comparing_all_with_all(one: Mesh, other: Mesh, shift: float) -> None:
    other = moved(other, shift, shift, 0.0)
    names = {"segment": 0, "area": 1, "point": 2, "edge": 3}
    expected = []
    for f, face in enumerate(one.vertices[one.faces]):
        for g, facet in enumerate(other.vertices[other.faces]):
            whole = np.isfinite(face).all() and np.isfinite(facet).all()
            if whole and not oracles.is_collinear(*face) and not oracles.is_collinear(*facet):
                met = oracles.meeting(face, facet)
                if met in names:
                    expected.append((f, g, names[met]))

    found = meshguard.intersections(one, other)

    assert [(*pair, kind) for pair, kind in zip(found.pairs.tolist(), found.classes.tolist(), strict=True)] == expected


def test_depth_of_a_corner_in_a_cube() -> None:
    """A tetrahedron's corner reaches 4 mm below the top of a cube, far from its sides."""
    cube = shapes.cube()
    corners = np.array([[30, 30, 56], [20, 20, 90], [40, 20, 90], [30, 42, 90]], np.float64)
    body = Mesh(vertices=corners, faces=[[0, 2, 1], [0, 3, 2], [0, 1, 3], [1, 2, 3]])

    found = meshguard.intersections(cube, body)

    assert len(found.pairs) > 0
    assert found.depth_mm == pytest.approx(4.0)
    assert found.location == (30.0, 30.0, 56.0)
    assert meshguard.intersections(body, cube).depth_mm == pytest.approx(4.0)


def test_apart_is_apart() -> None:
    found = meshguard.intersections(shapes.cube(), moved(shapes.cube(), 100, 0, 0))

    assert (len(found.pairs), found.depth_mm, found.location) == (0, 0.0, None)


def test_equal_vertices_of_two_meshes_touch() -> None:
    found = meshguard.intersections(shapes.triangle(), moved(shapes.triangle(), 60.0, -60.0, 0.0))

    assert found.pairs.tolist() == [[0, 0]]
    assert found.classes.tolist() == [2]


def test_two_sheets_pressed_into_each_other() -> None:
    lower = shapes.grid(30, 30)
    upper = Mesh(vertices=lower.vertices * [1, 1, -1] + [0, 0, 23.0], faces=lower.faces[:, ::-1])

    found = meshguard.intersections(lower, upper)

    assert found.depth_mm == pytest.approx(1.0, abs=0.05)  # two bulges of 12 mm, 23 mm apart at the rims
