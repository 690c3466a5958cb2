"""MeshFacts as a whole: against naive twins on integer-grid soups, computed once, carried to other data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import policy
from meshguard.validation import validate
from tests import mutations, oracles, shapes
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


class TestOnce:
    def test_nothing_is_computed_before_it_is_asked_and_nothing_twice(self) -> None:
        facts = facts_of(shapes.cube())

        assert MeshFacts.components.known(facts) is None
        assert facts.components is facts.components
        assert facts.outward_score(0) is facts.outward_score(0)
        assert MeshFacts.intersections.known(facts) is None

    def test_what_is_known_is_known_of_the_same_surface_with_other_data(self) -> None:
        mesh = shapes.cube()
        facts = facts_of(mesh)
        components, loops = facts.components, facts.loops
        coloured = mesh.with_data(face={"weight": np.arange(12.0)})

        carried = facts.carried_to(coloured)

        assert carried.mesh is coloured and carried.policy is facts.policy
        assert MeshFacts.components.known(carried) is components
        assert MeshFacts.loops.known(carried) is loops
        assert MeshFacts.intersections.known(carried) is None

    @pytest.mark.parametrize(("mesh", "count"), [(mutations.flipped_face(), 3), (shapes.grid(), 0)])
    def test_inconsistent_edges_are_the_same_before_and_after_components_are_known(
        self, mesh: Mesh, count: int
    ) -> None:
        before, after = facts_of(mesh), facts_of(mesh)

        assert after.components.n_components == 1
        assert before.inconsistent_edges.tolist() == after.inconsistent_edges.tolist()
        assert len(before.inconsistent_edges) == count
        assert MeshFacts.components.known(before) is None


class TestVolume:
    def test_a_doubled_sheet_has_none(self) -> None:
        mesh = shapes.grid()
        doubled = Mesh(vertices=mesh.vertices, faces=np.concatenate([mesh.faces, mesh.faces[:, ::-1]]))

        assert not facts_of(doubled).has_volume(0)
        assert facts_of(shapes.cube()).has_volume(0)

    def test_a_negative_one_is_one(self) -> None:
        assert facts_of(mutations.inverted_body()).has_volume(0)


class TestBoundary:
    def test_groups_are_sets_of_edges_that_touch(self) -> None:
        touching = shapes.grid(4, 4, bulge=0.0).take(~np.isin(np.arange(32), [10, 20]))

        assert facts_of(shapes.cube()).boundary_groups == 0
        assert facts_of(mutations.large_hole()).boundary_groups == 2
        assert facts_of(touching).boundary_groups == 2  # the rim, and two holes with a vertex in common


class TestIntersections:
    def hinge(self, angle: float) -> MeshFacts:
        """Two faces at a common edge of 60 mm, the second turned about it by an angle from lying on the first."""
        turn = np.radians(angle)
        tip = [30.0, float(np.round(20 * np.cos(turn), 12)), float(np.round(20 * np.sin(turn), 12))]
        vertices = np.array([[0, 0, 0], [60, 0, 0], [30, 30, 0], tip], np.float64)
        return facts_of(Mesh(vertices=vertices, faces=[[0, 1, 2], [1, 0, 3]]))

    @pytest.mark.parametrize(("angle", "expected"), [(0.0, True), (1.0, False), (90.0, False), (180.0, False)])
    def test_a_fold_is_exact_where_one_face_lies_flat_on_its_neighbour(self, angle: float, expected: bool) -> None:
        assert self.hinge(angle).is_exact_fold(np.array([0], np.int32)).tolist() == [expected]

    def test_a_fold_is_told_at_its_edge_only(self) -> None:
        facts = facts_of(mutations.fold())
        paired = np.flatnonzero(facts.edges.twins > np.arange(len(facts.edges.twins))).astype(np.int32)

        assert not facts.is_exact_fold(paired).any()  # its tip stands half a millimetre off the plane

    def test_only_pairs_of_two_closed_components_are_between_bodies(self) -> None:
        both = facts_of(mutations.assembly())
        crossing = facts_of(mutations.crossing())

        assert len(both.is_between_bodies) == len(both.intersections.pairs) > 0 and both.is_between_bodies.all()
        assert len(crossing.is_between_bodies) > 0 and not crossing.is_between_bodies.any()
