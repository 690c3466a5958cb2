"""Duplicate faces: whichever way they run, only on the same three positions, never without area."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from hypothesis import given

from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import policy
from tests import mutations, oracles, shapes
from tests.strategies import soups


def groups(mesh: Mesh) -> list[list[int]]:
    return [group.tolist() for group in MeshFacts(mesh, policy("scan")).duplicates]


def test_a_face_and_its_reverse_are_one_group() -> None:
    assert groups(mutations.doubled_triangle()) == [[0, 1]]
    assert groups(mutations.duplicate_face()) == [[0, 4, 5]]


def test_vertices_do_not_count_but_positions_do() -> None:
    mesh = mutations.doubled_triangle()

    assert groups(shapes.soup(mesh)) == [[0, 1]]


def test_two_common_positions_are_not_enough() -> None:
    mesh = Mesh(vertices=[[0, 0, 0], [60, 0, 0], [0, 60, 0], [0, 0, 60]], faces=[[0, 1, 2], [1, 0, 3]])

    assert groups(mesh) == []


def test_faces_without_area_are_not_compared() -> None:
    mesh = Mesh(vertices=[[0, 0, 0], [1, 0, 0], [2, 0, 0]], faces=[[0, 1, 2], [2, 1, 0]])

    assert groups(mesh) == []


@given(soups())
def test_they_are_those_of_the_naive_twin(mesh: Mesh) -> None:
    number = oracles.position_numbers(mesh.vertices)
    by_positions: dict[frozenset[int], list[int]] = defaultdict(list)
    for face, corners in enumerate(mesh.faces.tolist()):
        points = mesh.vertices[corners]
        if np.isfinite(points).all() and not oracles.is_collinear(*points):
            by_positions[frozenset(number[v] for v in corners)].append(face)

    assert groups(mesh) == [faces for faces in by_positions.values() if len(faces) > 1]
