"""The graph that labels sit on: areas, lengths, places and bends."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import policy
from meshguard.repair.labels.label_graph import face_graph, vertex_graph
from tests import shapes


def facts(mesh: Mesh) -> MeshFacts:
    return MeshFacts(mesh, policy("scan"))


def roof(lift: float) -> Mesh:
    """Two squares of 10 mm that meet at an edge; lifted or lowered there."""
    points: list[list[float]] = [[-10, 0, 0], [-10, 10, 0], [0, 0, lift], [0, 10, lift], [10, 0, 0], [10, 10, 0]]
    return Mesh(vertices=points, faces=[[0, 2, 3], [0, 3, 1], [2, 4, 5], [2, 5, 3]])


def test_a_groove_bends_up_and_a_ridge_down() -> None:
    groove, ridge, flat = (face_graph(facts(roof(lift))) for lift in (-4.0, 4.0, 0.0))
    across = list(zip(groove.a.tolist(), groove.b.tolist(), strict=True)).index((0, 3))

    assert groove.bend[across] > 2 and ridge.bend[across] < -2 and np.abs(flat.bend).max() < 1e-9
    assert groove.length[across] == pytest.approx(10.0) and groove.middle[across].tolist() == [0.0, 5.0, -4.0]


def test_areas_and_places() -> None:
    mesh = shapes.grid(4, 3)
    for graph in (face_graph(facts(mesh)), vertex_graph(facts(mesh))):
        corners = mesh.vertices[mesh.faces]
        whole = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum() / 2
        assert graph.area.sum() == pytest.approx(whole)
        assert (graph.a < graph.b).all() and (graph.length > 0).all()
    assert len(vertex_graph(facts(mesh)).a) == 4 * 4 + 5 * 3 + 4 * 3  # rows, columns and diagonals
