"""Boundary loops: their edges in order, what they measure, and which is the rim."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given

from meshguard.facts.mesh import MeshFacts
from meshguard.policy import Policy, policy
from tests import mutations, oracles, shapes
from tests.strategies import soups

if TYPE_CHECKING:
    from meshguard.mesh import Mesh


def facts_of(mesh: Mesh) -> MeshFacts:
    return MeshFacts(mesh, policy("scan"))


def test_the_border_of_a_flat_sheet_is_one_loop_and_its_rim() -> None:
    loops = facts_of(shapes.grid(2, 2, width=60.0, bulge=0.0)).loops

    assert (loops.n_loops, loops.is_closed.tolist(), loops.is_rim.tolist(), loops.component.tolist()) == (
        1,
        [True],
        [True],
        [0],
    )
    assert loops.perimeter.tolist() == [200.0]  # 60 by 40 mm
    assert loops.area.tolist() == pytest.approx([2400.0])
    assert loops.diameter.tolist() == pytest.approx([math.hypot(60.0, 40.0)])


@pytest.mark.parametrize(("mesh", "against"), [(shapes.grid(3, 2), 0), (shapes.moebius(), 12)])
def test_half_edges_follow_one_another_around_a_loop(mesh: Mesh, against: int) -> None:
    """Along a strip with one side half of them run against the loop: it enters these where they end."""
    facts = facts_of(mesh)
    loops = facts.loops
    ends = facts.edge_ends(loops.halfedges)

    for entered, left, pair in zip(loops.positions, np.roll(loops.positions, -1), ends, strict=True):
        assert {int(entered), int(left)} == set(pair.tolist())
    assert np.count_nonzero(loops.positions == ends[:, 1]) == against


def test_a_closed_body_has_none() -> None:
    loops = facts_of(shapes.cube()).loops

    assert (loops.n_loops, loops.offsets.tolist(), loops.owner.tolist()) == (0, [0], [])


def test_each_boundary_edge_has_its_loop() -> None:
    facts = facts_of(shapes.joined(shapes.grid(2, 2), shapes.cube(), shapes.triangle()))
    of_edge = facts.loops.of_edges(facts.edges.boundary)
    is_triangle = facts.edges.boundary // 3 == len(facts.corners) - 1

    assert np.bincount(of_edge).tolist() == np.diff(facts.loops.offsets).tolist()
    assert len(set(of_edge[is_triangle].tolist())) == 1 and np.count_nonzero(is_triangle) == 3
    assert not set(of_edge[is_triangle].tolist()) & set(of_edge[~is_triangle].tolist())


def test_a_hole_beside_the_rim_is_not_one() -> None:
    mesh = shapes.grid()
    corners = mesh.vertices[mesh.faces[40]]
    loops = facts_of(mutations.large_hole()).loops
    (hole,) = np.flatnonzero(~loops.is_rim).tolist()

    assert loops.n_loops == 2
    assert np.count_nonzero(loops.owner == hole) == 3
    assert loops.perimeter[hole] == pytest.approx(sum(math.dist(corners[k], corners[k - 1]) for k in range(3)))
    assert loops.diameter[hole] == pytest.approx(oracles.diameter(corners))
    assert loops.area[hole] == pytest.approx(
        np.linalg.norm(np.cross(corners[1] - corners[0], corners[2] - corners[0])) / 2
    )


def test_a_lone_loop_is_a_rim_only_where_it_is_wide_enough_for_its_sheet() -> None:
    narrow = mutations.hole_in_body()

    assert facts_of(narrow).loops.is_rim.tolist() == [False]
    assert MeshFacts(narrow, Policy(limits={"rim_share": 0.01})).loops.is_rim.tolist() == [True]
    assert facts_of(shapes.cube().take(np.arange(2, 12))).loops.is_rim.tolist() == [True]


def test_each_sheet_has_a_rim_of_its_own() -> None:
    loops = facts_of(mutations.two_sheets()).loops

    assert sorted(loops.component.tolist()) == [0, 1]
    assert loops.is_rim.tolist() == [True, True]


def test_two_holes_that_touch_are_two_loops_of_one_boundary_curve() -> None:
    """The faces at cells (1, 1) and (2, 2) of a sheet have its middle vertex in common, and nothing else."""
    facts = facts_of(shapes.grid(4, 4, bulge=0.0).take(~np.isin(np.arange(32), [10, 20])))
    loops = facts.loops
    first, second = np.flatnonzero(~loops.is_rim).tolist()

    assert loops.n_loops == 3
    assert loops.chain[first] == loops.chain[second] != loops.chain[loops.is_rim][0]
    assert facts.genus.tolist() == [0]


def test_a_border_that_ends_at_a_nonmanifold_edge_is_not_closed() -> None:
    loops = facts_of(mutations.fin()).loops

    assert sorted(loops.is_closed.tolist()) == [False, True]
    assert loops.is_closed[loops.is_rim].tolist() == [True]


@given(soups())
def test_every_boundary_edge_of_a_soup_lies_in_one_loop(mesh: Mesh) -> None:
    facts, twin = facts_of(mesh), oracles.Surface(mesh.vertices, mesh.faces)
    loops = facts.loops
    edges = [frozenset(pair) for pair in facts.edge_ends(loops.halfedges).tolist()]

    assert sorted(map(sorted, edges)) == sorted(map(sorted, twin.boundary))
    for loop in range(loops.n_loops):
        own = [sorted(edge) for edge, owner in zip(edges, loops.owner.tolist(), strict=True) if owner == loop]
        assert loops.perimeter[loop] == pytest.approx(sum(math.dist(*facts.positions[edge]) for edge in own))
    for component in range(facts.components.n_components):
        assert np.count_nonzero(loops.is_rim & (loops.component == component)) <= 1
