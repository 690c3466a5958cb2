"""Self-intersections: patches are replaced, and what still intersects is removed."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard import repair
from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import Policy, policy
from meshguard.repair.draft import Draft
from meshguard.repair.mesh.self_intersections import remove_intersecting_faces, replace_intersecting_patches
from tests import mutations, oracles
from tests.repair import broken
from tests.repair.proof import proved, steps

CARVED, REBUILT = "remove intersecting faces", "replace intersecting patches"


class TestRebuild:
    def test_a_vertex_that_pokes_through_is_made_anew_on_the_spot(self) -> None:
        mesh = broken.poke()
        result = repair(mesh)
        stats = proved(result)

        assert result.before.stats["intersecting_pairs"] > 0
        (record,) = [step for step in result.steps if step.name == REBUILT]
        assert (record.parameters["patches_replaced"], record.parameters["faces_removed"]) == (1, 0)
        assert CARVED not in steps(result)
        assert stats["boundary_edges"] == result.before.stats["boundary_edges"]
        assert 0 < result.area_added_mm2 < 2.5
        centre = mesh.vertices[40 * 101 + 50]
        new = result.mesh.vertices[result.mesh.faces[result.mesh.face_data["synthetic"] != 0]].reshape(-1, 3)
        assert np.linalg.norm(new - centre, axis=1).max() < 4.0

    def test_without_a_limit_for_it_slits_are_left(self) -> None:
        result = repair(broken.poke(), policy=Policy(limits={"rebuild_diameter_mm": 0.0, "hole_diameter_mm": 0.0}))

        proved(result)
        assert REBUILT not in steps(result) and CARVED in steps(result)

    def test_a_sheet_that_intersects_nothing_stays(self) -> None:
        sheet = draft(broken.fine_sheet())

        assert replace_intersecting_patches(sheet).draft is sheet


class TestCarve:
    def test_crossing_sheets_lose_little_beside_their_line(self) -> None:
        mesh = broken.crossing_sheets()
        result = repair(mesh)

        proved(result)
        assert steps(result)[CARVED] > 0
        # The line is 60 mm long; what is split to 1% of the diagonal is at most about a millimetre wide.
        assert 0 < result.area_removed_mm2 < 60 * 2.0
        assert result.area_added_mm2 == 0.0
        assert (result.face_origin >= 0).all()

    def test_of_coincident_sheets_the_larger_stays_whole(self) -> None:
        mesh = broken.coincident_sheets()
        result = repair(mesh)
        stats = proved(result)

        assert stats["area_mm2"] == pytest.approx(2400.0)
        assert stats["components"] == 1
        assert result.area_removed_mm2 == pytest.approx(25.0 * 25.0 * 2 / 3, rel=1e-4)

    def test_every_old_vertex_stays_where_it_is(self) -> None:
        mesh = Mesh(vertices=broken.crossing_sheets().vertices.astype(np.float32), faces=broken.crossing_sheets().faces)
        result = repair(mesh)
        old = result.vertex_origin >= 0

        assert np.array_equal(result.mesh.vertices[old], mesh.vertices[result.vertex_origin[old]])

    def test_a_stray_face_through_a_sheet(self) -> None:
        proved(repair(mutations.crossing()))

    def test_under_a_policy_that_wants_a_solid_it_does_nothing(self) -> None:
        start = draft(broken.crossing_sheets(), "print")

        assert remove_intersecting_faces(start).draft is start


def draft(mesh: Mesh, rules: str | Policy = "scan") -> Draft:
    return Draft.of(MeshFacts(mesh, policy(rules)))


def test_closed_bodies_that_reach_into_each_other_are_an_assembly() -> None:
    mesh = broken.overlapping_bodies()
    result = repair(mesh)

    assert result.mesh is mesh
    assert result.after.stats["between_bodies"] == len(oracles.intersecting_pairs(mesh.vertices, mesh.faces)) > 0
