"""Genus: handles of closed, open and non-orientable components, and of those with non-manifold edges."""

from __future__ import annotations

import pytest

from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import policy
from tests import mutations, shapes


def facts_of(mesh: Mesh) -> MeshFacts:
    return MeshFacts(mesh, policy("scan"))


@pytest.mark.parametrize(
    ("mesh", "genus"),
    [(shapes.cube(), [0]), (shapes.torus(), [1]), (shapes.grid(), [0]), (shapes.moebius(), [-1])],
    ids=["cube", "torus", "sheet", "moebius"],
)
def test_handles_of_each_component(mesh: Mesh, genus: list[int]) -> None:
    assert facts_of(mesh).genus.tolist() == genus


def test_it_counts_a_bow_tie_as_two_bodies_that_touch() -> None:
    one = shapes.torus()
    mesh = shapes.joined(one, Mesh(vertices=2 * one.vertices[0] - one.vertices, faces=one.faces[:, ::-1]))

    assert facts_of(mesh).genus.tolist() == [1, 1]
    assert facts_of(mesh).fans.n_nonmanifold == 1


def test_it_is_not_told_where_an_edge_has_three_faces() -> None:
    assert facts_of(mutations.fin()).genus.tolist() == [-1]
