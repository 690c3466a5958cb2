"""The graph that labels sit on: areas, lengths, places and bends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import policy
from meshguard.repair.labels.label_graph import components, edges_at, face_graph, vertex_graph
from tests import oracles, shapes
from tests.graphs import random_graph


def facts(mesh: Mesh) -> MeshFacts:
    return MeshFacts(mesh, policy("scan"))


def roof(lift: float) -> Mesh:
    """Two squares of 10 mm that meet at an edge; lifted or lowered there."""
    points: list[list[float]] = [[-10, 0, 0], [-10, 10, 0], [0, 0, lift], [0, 10, lift], [10, 0, 0], [10, 10, 0]]
    return Mesh(vertices=points, faces=[[0, 2, 3], [0, 3, 1], [2, 4, 5], [2, 5, 3]])


def test_a_groove_bends_up_and_a_ridge_down() -> None:
    groove, ridge, flat = (face_graph(facts(roof(lift))) for lift in (-4.0, 4.0, 0.0))
    across = list(zip(groove.a.tolist(), groove.b.tolist(), strict=True)).index((0, 3))

    assert groove.dihedral[across] > 2 and ridge.dihedral[across] < -2 and np.abs(flat.dihedral).max() < 1e-9
    assert groove.length[across] == pytest.approx(10.0) and groove.middle[across].tolist() == [0.0, 5.0, -4.0]


def test_areas_and_places() -> None:
    mesh = shapes.grid(4, 3)
    for graph in (face_graph(facts(mesh)), vertex_graph(facts(mesh))):
        corners = mesh.vertices[mesh.faces]
        whole = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum() / 2
        assert graph.area.sum() == pytest.approx(whole)
        assert (graph.a < graph.b).all() and (graph.length > 0).all()
    assert len(vertex_graph(facts(mesh)).a) == 4 * 4 + 5 * 3 + 4 * 3  # rows, columns and diagonals


def test_edges_at_nodes_are_those_that_end_there() -> None:
    graph = random_graph(np.random.default_rng(1), 7)
    nodes = np.isin(np.arange(7), [0, 3])
    found = edges_at(graph, nodes)
    kept = [edge for edge, ends in enumerate(zip(graph.a.tolist(), graph.b.tolist(), strict=True)) if {0, 3} & {*ends}]

    assert found.a.tolist() == graph.a[kept].tolist() and found.b.tolist() == graph.b[kept].tolist()
    assert (
        found.length.tolist() == graph.length[kept].tolist()
        and found.dihedral.tolist() == graph.dihedral[kept].tolist()
    )
    assert found.middle.tolist() == graph.middle[kept].tolist()
    assert found.area is graph.area and found.place is graph.place


@given(st.integers(0, 2**32 - 1))
def test_nodes_are_connected_over_the_kept_edges(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, int(rng.integers(2, 9)))
    kept = rng.random(len(graph.a)) < 0.4
    links = [[int(a), int(b)] for a, b, is_kept in zip(graph.a, graph.b, kept, strict=True) if is_kept]
    expected = sorted(oracles.groups({node: [] for node in range(len(graph.area))}, links), key=min)
    found = components(graph, kept)

    assert [set(np.flatnonzero(found == number).tolist()) for number in range(len(expected))] == expected
