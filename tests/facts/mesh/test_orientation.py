"""Orientation: which edges contradict it, which faces to flip, which components have one side, which are inverted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import policy
from tests import mutations, oracles, shapes
from tests.strategies import soups


def facts_of(mesh: Mesh) -> MeshFacts:
    return MeshFacts(mesh, policy("scan"))


def flipped(mesh: Mesh, faces: np.ndarray) -> Mesh:
    """The mesh with some faces, bool (m,), that run the other way."""
    turned = mesh.faces.copy()
    turned[faces] = turned[faces][:, ::-1]
    return Mesh(vertices=mesh.vertices, faces=turned)


class TestEdges:
    def test_a_flipped_face_contradicts_its_three_neighbours(self) -> None:
        facts = facts_of(mutations.flipped_face())

        assert len(facts.inconsistent_edges) == 3
        assert (facts.edge_faces(facts.inconsistent_edges) == 40).any(axis=1).all()

    @pytest.mark.parametrize("mesh", [shapes.cube(), shapes.torus(), shapes.grid()], ids=["cube", "torus", "sheet"])
    def test_a_sound_mesh_has_none(self, mesh: Mesh) -> None:
        assert len(facts_of(mesh).inconsistent_edges) == 0

    @given(soups())
    def test_they_are_those_of_the_naive_twin(self, mesh: Mesh) -> None:
        facts, twin = facts_of(mesh), oracles.Surface(mesh.vertices, mesh.faces)
        expected = [
            tuple(sorted(edge)) for edge, sides in twin.sides.items() if len(sides) == 2 and sides[0][1] == sides[1][1]
        ]

        assert sorted(map(tuple, np.sort(facts.edge_ends(facts.inconsistent_edges)).tolist())) == sorted(expected)


class TestOrientation:
    def test_the_face_to_flip_is_told(self) -> None:
        found = facts_of(mutations.flipped_face()).orientation

        assert np.flatnonzero(found.is_opposed).tolist() == [40]
        assert found.is_nonorientable.tolist() == [False]
        assert set(found.first_face.tolist()) == {0}

    def test_each_patch_is_led_by_its_first_face(self) -> None:
        found = facts_of(shapes.joined(shapes.tetrahedron(), shapes.cube())).orientation

        assert found.first_face.tolist() == [0] * 4 + [4] * 12
        assert not found.is_opposed.any()

    def test_faces_without_edges_take_no_part(self) -> None:
        assert facts_of(mutations.repeated_corner()).orientation.first_face[-1] == -1

    def test_a_moebius_strip_has_one_side(self) -> None:
        assert facts_of(shapes.joined(shapes.grid(), shapes.moebius())).orientation.is_nonorientable.tolist() == [
            False,
            True,
        ]

    @given(soups())
    def test_flipped_so_only_what_has_one_side_contradicts_itself(self, mesh: Mesh) -> None:
        found = facts_of(mesh)
        after = facts_of(flipped(mesh, found.orientation.is_opposed))
        of_face, against = found.components.of_face, after.inconsistent_edges

        assert found.orientation.is_nonorientable[of_face[against // 3]].all()
        for component in np.flatnonzero(found.orientation.is_nonorientable).tolist():
            assert (of_face[against // 3] == component).any()


class TestInvertedBodies:
    def test_a_cube_inside_out(self) -> None:
        assert facts_of(mutations.inverted_body()).inverted_bodies == [0]
        assert facts_of(shapes.cube()).inverted_bodies == []

    def test_a_cavity_is_not_and_the_same_body_beside_is(self) -> None:
        inner = mutations.inverted_body()
        small = Mesh(vertices=inner.vertices / 3, faces=inner.faces)
        within, beside = (Mesh(vertices=small.vertices + place, faces=small.faces) for place in (20.0, 70.0))

        assert facts_of(shapes.joined(shapes.cube(), within)).inverted_bodies == []
        assert facts_of(shapes.joined(shapes.cube(), beside)).inverted_bodies == [1]

    def test_an_open_sheet_is_not_judged(self) -> None:
        assert facts_of(mutations.inverted_sheet_far_away()).inverted_bodies == []
