"""Normals at nodes, and the shortest loop through a cut against one that is found by trying all of a ring."""

from __future__ import annotations

import math

import numpy as np
import pytest

from meshguard.facts.arrays import frozen
from meshguard.facts.mesh import MeshFacts
from meshguard.facts.mesh.handles import _surface
from meshguard.kernels.shortest_loops import new_search, node_normals, shortest_loop
from meshguard.policy import policy
from tests import shapes


@pytest.mark.parametrize(("reach", "work"), [(1.0, 10**9), (1000.0, 10**9), (1.0, 0)])
def test_the_shortest_way_along_a_ring_is_its_inner_equator(reach: float, work: int) -> None:
    """The cut is all edges from one row around the wall to the next; a way that passes it once goes around the ring."""
    facts = MeshFacts(shapes.torus(40, 30), policy("scan"))
    surface, twins = _surface(facts), facts.edges.twins
    halfedges = np.arange(len(twins), dtype=np.int32)
    rows = np.sort(facts.edge_ends(halfedges) // 30, axis=1)
    cut = frozen(halfedges[(rows == [0, 1]).all(axis=1) & (halfedges < twins)])
    bases = frozen(np.unique(surface.node[np.concatenate([cut, twins[cut]])]))
    nothing, steps = frozen(np.empty(0, np.int32)), np.empty(len(surface.corner), np.int32)
    length, count = shortest_loop(surface, cut, bases, nothing, nothing, reach, 200.0, work, new_search(surface), steps)
    loop = surface.flat[steps[:count]]
    ends = surface.positions[np.stack([loop, np.roll(loop, -1)])]
    equator = 40 * 2 * 15.0 * math.sin(math.pi / 40)

    assert length == pytest.approx(np.linalg.norm(ends[1] - ends[0], axis=1).sum())
    assert length == pytest.approx(equator, rel=1e-6) if work else length > equator - 1e-3


def test_normals_at_nodes_are_sums_over_their_faces() -> None:
    facts = MeshFacts(shapes.ball(), policy("scan"))
    surface = _surface(facts)
    nodes = np.arange(len(surface.corner), dtype=np.int32)
    normals = np.empty((len(nodes), 3))
    node_normals(surface, frozen(nodes), normals)
    a, b, c = facts.positions[facts.corners].transpose(1, 0, 2)
    expected = np.zeros((len(facts.positions), 3))
    for corner in range(3):
        np.add.at(expected, facts.corners[:, corner], np.cross(b - a, c - a))

    assert normals == pytest.approx(expected[surface.flat[surface.corner]])
