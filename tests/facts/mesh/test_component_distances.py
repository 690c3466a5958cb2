"""How far components are from the largest: by hand, and against all pairs of vertices."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import policy
from tests import shapes


def facts_of(mesh: Mesh) -> MeshFacts:
    return MeshFacts(mesh, policy("scan"))


def moved(mesh: Mesh, *by: float) -> Mesh:
    return Mesh(vertices=mesh.vertices + np.array(by), faces=mesh.faces)


def test_it_is_between_the_nearest_vertices_whichever_come_first() -> None:
    cube, tetrahedron = shapes.cube(), shapes.tetrahedron(10.0)
    beside, above = moved(tetrahedron, 63.0, 0.0, 0.0), moved(tetrahedron, 0.0, 0.0, 65.0)

    assert facts_of(shapes.joined(cube, beside, above)).distances_to_largest([1, 2]).tolist() == [3.0, 5.0]
    assert facts_of(shapes.joined(above, beside, cube)).distances_to_largest([1, 0]).tolist() == [3.0, 5.0]


def test_it_is_none_at_a_common_vertex() -> None:
    cube, tetrahedron = shapes.cube(), shapes.tetrahedron(10.0)

    assert facts_of(shapes.joined(cube, moved(tetrahedron, 60.0, 60.0, 60.0))).distances_to_largest([1]).tolist() == [
        0.0
    ]


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_it_is_that_of_comparing_all_vertices_with_all(seed: int) -> None:
    """One of the components has more vertices than are tried first, which decide what is looked at closely."""
    rng = np.random.default_rng(seed)
    largest, fine, coarse = shapes.grid(10, 8), shapes.grid(9, 9, width=20.0), shapes.triangle(5.0)
    others = [moved(mesh, *rng.uniform(-50, 50, 3)) for mesh in (fine, coarse)]
    expected = [min(math.dist(p, q) for p in mesh.vertices for q in largest.vertices) for mesh in others]

    found = facts_of(shapes.joined(largest, *others)).distances_to_largest([1, 2])

    assert len(fine.vertices) > 64
    assert found.tolist() == pytest.approx(expected)
