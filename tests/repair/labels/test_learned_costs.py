"""What borders of an arch look like: flanks against a loop over all edges, and costs of a border beside a groove."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import policy
from meshguard.repair.labels.label_graph import face_graph
from meshguard.repair.labels.learned_costs import flanks, learned_cost
from tests import shapes
from tests.graphs import random_graph


@given(st.integers(0, 2**32 - 1))
def test_flanks_are_what_the_other_edges_of_a_node_do(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, int(rng.integers(2, 8)))
    sides = flanks(graph)
    for edge in range(len(graph.a)):
        for node, found in ((graph.a[edge], sides.a[edge]), (graph.b[edge], sides.b[edge])):
            others = [e for e in range(len(graph.a)) if e != edge and node in (graph.a[e], graph.b[e])]
            if others:
                mean = np.average(graph.dihedral[others], weights=graph.length[others])
                assert found.tolist() == pytest.approx([graph.dihedral[others].max(), mean])
            else:
                assert found.tolist() == [0.0, 0.0]


def furrow() -> Mesh:
    """A sheet of 0.5 mm squares with a groove along x = 0."""
    flat = shapes.grid(24, 40, width=12.0, bulge=0.0)
    points = flat.vertices.copy()
    points[:, 2] = np.abs(points[:, 0])
    return Mesh(vertices=points, faces=flat.faces)


@pytest.mark.parametrize("drawn_at", [0.0, 0.5, -0.5])
def test_a_border_is_cheapest_where_it_is_drawn_and_never_the_other_way_round(drawn_at: float) -> None:
    mesh = furrow()
    graph = face_graph(MeshFacts(mesh, policy("scan")))
    labels = np.where(graph.place[:, 0] < drawn_at, 11, 0).astype(np.int32)
    cost = learned_cost(graph, flanks(graph), labels)
    edges = np.arange(len(graph.a))
    tooth, gum = np.full(len(edges), 11, np.int32), np.zeros(len(edges), np.int32)
    leftward = graph.place[graph.a, 0] < graph.place[graph.b, 0]
    # Away from the rim; the middles of diagonals and of edges across lie between two columns.
    inside = np.abs(graph.middle[:, 1]) < 0.8 * np.abs(graph.middle[:, 1]).max()
    along = inside & np.isclose(np.round(2 * graph.middle[:, 0]) / 2, graph.middle[:, 0])
    as_drawn = np.where(leftward, cost.of(edges, tooth, gum), cost.of(edges, gum, tooth))
    turned = np.where(leftward, cost.of(edges, gum, tooth), cost.of(edges, tooth, gum))
    here = along & np.isclose(graph.middle[:, 0], drawn_at)
    column = np.round(2 * graph.middle[:, 0])
    others = [as_drawn[along & (column == x)].mean() for x in np.unique(column[along & ~here])]

    assert here.sum() >= 20 and as_drawn[here].mean() < min(others)
    if drawn_at:  # in the groove itself both ways are alike
        assert as_drawn[here].mean() < turned[here].mean()
    assert (cost.tooth_tooth <= cost.tooth_gum + cost.gum_tooth + 1e-12).all()
    assert cost.of(edges, tooth, tooth).tolist() == [0.0] * len(edges)
