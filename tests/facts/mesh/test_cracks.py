"""Cracks against all pairs, and what a weld of the smallest ones closes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import Policy, policy
from tests import mutations, oracles, shapes


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60))
def test_cracks_join_all_pairs_within_the_weld_distance(seed: int, count: int) -> None:
    """Separate triangles with corners moved about a few common points by up to the weld distance and more."""
    rng = np.random.default_rng(seed)
    anchors = rng.uniform(-40, 40, (4, 3))
    anchors[0], anchors[1] = [-50, -50, -50], [50, 50, 50]
    corners = anchors[rng.integers(0, 4, (count, 3))] + rng.uniform(-1e-3, 1e-3, (count, 3, 3))
    mesh = Mesh(vertices=corners.reshape(-1, 3), faces=np.arange(3 * count).reshape(-1, 3))
    facts = MeshFacts(mesh, policy("scan"))
    distance = facts.policy.tolerance("weld_mm").within(facts.diagonal)

    boundary = sorted({v for edge in oracles.Surface(mesh.vertices, mesh.faces).boundary for v in edge})
    pairs = [
        [a, b]
        for number, a in enumerate(boundary)
        for b in boundary[number + 1 :]
        if ((facts.positions[a] - facts.positions[b]) ** 2).sum() <= distance**2
    ]

    cracks = facts.cracks
    assert cracks is not None
    assert facts.tjunctions is not None
    paired, found = {v for pair in pairs for v in pair}, set(cracks.positions.tolist())
    assert paired <= found <= paired | set(facts.tjunctions.vertex.tolist())
    for a, b in pairs:
        owners = cracks.crack[np.searchsorted(cracks.positions, [a, b])]
        assert owners[0] == owners[1]
    if pairs:
        widest = max(float(np.linalg.norm(facts.positions[a] - facts.positions[b])) for a, b in pairs)
        assert widest * (1 - 1e-12) <= cracks.gap.max() <= distance


def test_a_crowd_is_given_up_on() -> None:
    """20,000 separate triangles within the weld distance of two far points."""
    rng = np.random.default_rng(0)
    corners = np.array([[0.0, 0, 0], [60, 0, 0], [0, 60, 0]]) + rng.uniform(0, 1e-4, (20_000, 3, 3))

    facts = MeshFacts(Mesh(vertices=corners.reshape(-1, 3), faces=np.arange(60_000).reshape(-1, 3)), policy("scan"))

    assert facts.cracks is None


class TestByHand:
    def facts(self, gap: float) -> MeshFacts:
        """A cube of which one face stands a gap beside the hole that it leaves."""
        cube = shapes.cube()
        face = Mesh(vertices=cube.vertices[cube.faces[0]] - [0, 0, gap], faces=[[0, 1, 2]])
        return MeshFacts(shapes.joined(cube.take(np.arange(1, 12)), face), policy("scan"))

    def test_a_face_beside_its_hole_is_one_crack_that_closes_both_loops(self) -> None:
        cracks = self.facts(1e-4).cracks

        assert cracks is not None
        assert (len(cracks.positions), cracks.crack.tolist()) == (6, [0] * 6)
        assert cracks.gap.tolist() == pytest.approx([1e-4])
        assert (cracks.n_edges_closed.tolist(), cracks.n_loops_closed.tolist()) == ([6], [2])

    def test_further_apart_than_the_weld_distance_it_is_none(self) -> None:
        cracks = self.facts(2e-3).cracks

        assert cracks is not None
        assert (len(cracks.positions), len(cracks.gap)) == (0, 0)

    def test_two_halves_of_a_sheet_close_along_their_seam(self) -> None:
        """Six edges of each half; the rest of both loops stays open."""
        cracks = MeshFacts(mutations.crack(), policy("scan")).cracks

        assert cracks is not None
        assert (cracks.n_edges_closed.tolist(), cracks.n_loops_closed.tolist()) == ([12], [0])
        assert len(cracks.positions) == 2 * 7

    def test_a_vertex_on_an_edge_is_a_crack_without_width(self) -> None:
        """Of the three edges of its loop, the longest has the vertex in its middle."""
        facts = MeshFacts(mutations.t_junction(), policy("scan"))
        cracks = facts.cracks

        assert cracks is not None
        assert (cracks.n_welded.tolist(), cracks.n_tjunctions.tolist()) == ([0], [1])
        assert (cracks.n_edges_closed.tolist(), cracks.n_loops_closed.tolist()) == ([3], [1])
        assert cracks.length.tolist() == pytest.approx([7.5])
        assert cracks.gap.tolist() == [0.0]
        assert facts.loops.is_rim[~cracks.closes_loop].tolist() == [True]
        assert len(cracks.split) == 1

    def test_what_touches_at_the_vertex_only_is_at_the_crack(self) -> None:
        facts = MeshFacts(mutations.t_junction(), policy("scan"))

        assert len(facts.intersections.pairs) > 0
        assert facts.is_at_crack.all()

    def test_a_vertex_on_an_edge_that_would_not_close_is_not_a_crack(self) -> None:
        """A face touches the border of a sheet with one corner."""
        sheet = shapes.grid(bulge=0.0)
        middle = (sheet.vertices[0] + sheet.vertices[1]) / 2
        face = Mesh(vertices=[middle, middle - [2, 9, 0], middle + [2, -9, 0]], faces=[[0, 1, 2]])
        facts = MeshFacts(shapes.joined(sheet, face), policy("scan"))

        assert facts.tjunctions is not None and len(facts.tjunctions.vertex) == 1
        assert facts.cracks is not None and len(facts.cracks.positions) == 0
        assert len(facts.intersections.pairs) > 0
        assert not facts.is_at_crack.any()

    def test_a_weld_distance_of_nothing_joins_nothing(self) -> None:
        cracks = MeshFacts(mutations.crack(), Policy(limits={"weld_mm": 0.0})).cracks

        assert cracks is not None and len(cracks.positions) == 0
