"""MeshFacts against naive twins on integer-grid soups, and by hand on the smallest shapes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import policy
from meshguard.validation import validate
from tests import oracles, shapes
from tests.strategies import soups


def facts_of(mesh: Mesh) -> MeshFacts:
    return MeshFacts(mesh, policy("scan"))


@settings(max_examples=300)
@given(soups())
def test_counts_are_those_of_the_naive_twin(mesh: Mesh) -> None:
    stats, twin = validate(mesh).stats, oracles.Surface(mesh.vertices, mesh.faces)

    expected = {
        "vertices": twin.n_positions,
        "faces": len(twin.faces),
        "edges": len(twin.sides),
        "degenerate": twin.degenerate,
        "boundary_edges": len(twin.boundary),
        "boundary_groups": twin.boundary_groups,
        "nonmanifold_edges": twin.nonmanifold_edges,
        "nonmanifold_vertices": twin.nonmanifold_vertices,
        "miswound_edges": twin.miswound_edges,
        "components": len(twin.components()),
        "duplicate_pairs": twin.duplicate_pairs,
    }
    if twin.has_volumes:
        expected["inverted_bodies"] = twin.inverted_bodies
    assert {name: stats[name] for name in expected} == expected


@given(soups(), st.integers(0, 1000))
def test_no_count_depends_on_order_or_on_welding(mesh: Mesh, seed: int) -> None:
    names = [
        "degenerate",
        "boundary_edges",
        "boundary_groups",
        "nonmanifold_edges",
        "nonmanifold_vertices",
        "components",
    ]
    names += ["miswound_edges", "duplicate_pairs", "edges", "faces"]
    reports = [validate(other).stats for other in (mesh, shapes.shuffled(mesh, seed), shapes.soup(mesh))]

    for name in names:
        assert len({report[name] for report in reports}) == 1, name


@given(soups())
def test_components_are_numbered_by_first_face(mesh: Mesh) -> None:
    facts, twin = facts_of(mesh), oracles.Surface(mesh.vertices, mesh.faces)
    kept = [f for f in range(len(mesh.faces)) if np.isfinite(mesh.vertices[mesh.faces[f]]).all()]
    expected = np.full(len(mesh.faces), -1)
    for number, component in enumerate(sorted(twin.components(), key=min)):
        expected[[kept[f] for f in component]] = number

    assert facts.components.of_face.tolist() == expected.tolist()


def test_twins_of_a_tetrahedron_are_mutual_and_run_the_other_way() -> None:
    facts = facts_of(shapes.tetrahedron())
    twins, flat = facts.edges.twins, facts.corners.reshape(-1)

    assert (twins[twins] == np.arange(12)).all()
    assert (flat[twins] != flat).all()
    assert facts.edges.n_edges == 6


def test_a_vertex_with_thousands_of_edges_is_grouped_right() -> None:
    """A fan around one vertex, in which half-edges of an edge come in both orders: the long-bucket branch."""
    n = 5000
    angles = 2 * np.pi * np.arange(n) / n
    vertices = np.concatenate(
        [[[0, 0, 30.0]], np.stack([30 * np.cos(angles), 30 * np.sin(angles), 0 * angles], axis=1)]
    )
    order = np.random.default_rng(1).permutation(n)
    faces = np.stack([np.zeros(n, int), 1 + order, 1 + (order + 1) % n], axis=1)

    stats = validate(Mesh(vertices=vertices, faces=faces)).stats

    assert (stats["edges"], stats["boundary_edges"], stats["miswound_edges"]) == (2 * n, n, 0)
    assert (stats["nonmanifold_edges"], stats["components"]) == (0, 1)


@pytest.mark.parametrize(
    ("mesh", "genus"),
    [(shapes.cube(), [0]), (shapes.torus(), [1]), (shapes.grid(), [0]), (shapes.moebius(), [-1])],
    ids=["cube", "torus", "sheet", "moebius"],
)
def test_genus(mesh: Mesh, genus: list[int]) -> None:
    assert facts_of(mesh).genus.tolist() == genus


def test_genus_counts_a_bow_tie_as_two_bodies_that_touch() -> None:
    one = shapes.torus()
    mesh = shapes.joined(one, Mesh(vertices=2 * one.vertices[0] - one.vertices, faces=one.faces[:, ::-1]))

    assert facts_of(mesh).genus.tolist() == [1, 1]
    assert facts_of(mesh).fans.n_nonmanifold == 1


def test_sidedness_tells_front_from_back_wherever_the_sheet_lies() -> None:
    mesh = shapes.grid(40, 40)
    for move in ([0, 0, 0], [1000, -500, 2000], [-1e6, 1e6, 0]):
        up = Mesh(vertices=mesh.vertices + move, faces=mesh.faces)
        down = Mesh(vertices=up.vertices, faces=up.faces[:, ::-1])
        assert facts_of(up).outward_score(0) > 0.2
        assert facts_of(down).outward_score(0) < -0.2


def test_sidedness_of_a_closed_body_is_certain() -> None:
    assert facts_of(shapes.torus()).outward_score(0) == 1.0


def test_a_plane_has_no_outside() -> None:
    assert abs(facts_of(shapes.grid(bulge=0.0)).outward_score(0)) < 0.1


def test_a_doubled_sheet_has_no_volume() -> None:
    mesh = shapes.grid()
    doubled = Mesh(vertices=mesh.vertices, faces=np.concatenate([mesh.faces, mesh.faces[:, ::-1]]))

    assert not facts_of(doubled).has_volume(0)
    assert facts_of(shapes.cube()).has_volume(0)


def test_volume_of_a_cube() -> None:
    assert facts_of(shapes.cube(2.0)).components.volume[0] == pytest.approx(8.0)
