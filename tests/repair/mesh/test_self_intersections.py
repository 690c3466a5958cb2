"""Self-intersections: patches are replaced, and what still intersects is removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import meshguard
from meshguard import repair
from meshguard.errors import RepairRefused
from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import Policy, policy
from meshguard.repair.draft import Draft
from meshguard.repair.mesh.self_intersections import (
    most_faces,
    remove_intersecting_faces,
    replace_intersecting_patches,
)
from tests import mutations, oracles, shapes
from tests.repair import broken
from tests.repair.proof import proved, steps

if TYPE_CHECKING:
    from pathlib import Path

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
        assert result.area_removed_mm2 == pytest.approx(0.0, abs=1e-3)  # all of it is there in the larger one
        twice = sum(step.second_copy_mm2 for step in result.steps)
        assert twice == pytest.approx(25.0 * 25.0 * 2 / 3, rel=1e-4)

    def test_every_old_vertex_stays_where_it_is(self) -> None:
        mesh = Mesh(vertices=broken.crossing_sheets().vertices.astype(np.float32), faces=broken.crossing_sheets().faces)
        result = repair(mesh)
        old = result.vertex_origin >= 0

        assert np.array_equal(result.mesh.vertices[old], mesh.vertices[result.vertex_origin[old]])

    def test_a_stray_face_through_a_sheet(self) -> None:
        proved(repair(mutations.crossing()))

    def test_a_closed_body_keeps_its_faces(self) -> None:
        """The patch that crosses it has more area, but too few faces to be an object."""
        box = broken.moved(shapes.cube(13.0), 1.0, 2.0, -6.0)
        patch = shapes.grid(6, 5, bulge=0.0)
        result = repair(shapes.joined(patch, box))
        stats = proved(result)

        assert stats["closed_components"] == 1
        assert set(range(60, 72)) <= set(result.face_origin.tolist())
        assert np.isin(result.face_origin, range(60, 72)).sum() == 12

    def test_what_is_not_removed_is_not_split(self) -> None:
        """The sheet with less area loses, so the other one keeps each of its faces whole."""
        smaller = broken.moved(broken.upright(shapes.grid(9, 7, width=50.0, bulge=0.0)), 0.0, 1.0, 3.0)
        result = repair(shapes.joined(shapes.grid(9, 7, bulge=0.0), smaller))
        parts = np.bincount(result.face_origin, minlength=252)

        assert CARVED in steps(result)
        assert (parts[:126] == 1).all()
        assert parts[126:].max() > 1

    def test_a_quad_meshed_with_both_diagonals_does_not_explode(self) -> None:
        quad = np.array([[0, 0, 0], [40.0, 0, 0], [40.0, 40.0, 0], [0, 40.0, 0]])
        result = repair(Mesh(vertices=quad, faces=[[0, 1, 2], [0, 2, 3], [0, 1, 3], [1, 2, 3]]))

        proved(result)
        assert len(result.mesh.faces) <= most_faces(4) == 6000

    def test_beyond_the_limit_it_is_undone_and_refused(self) -> None:
        """The slit is 60 mm long and at most about a millimetre wide, of 4,800 mm2 in all."""
        mesh = broken.crossing_sheets()
        with pytest.raises(RepairRefused) as caught:
            repair(mesh, policy=Policy(limits={"removed_fraction": 0.001}))

        assert any("of the surface would be gone" in reason for reason in caught.value.reasons)
        assert caught.value.result.area_removed_mm2 == 0.0
        assert len(caught.value.result.mesh.faces) == len(mesh.faces)

    def test_a_layer_on_another_is_no_loss(self) -> None:
        """All of the smaller sheet goes, a sixth of the area: the larger one lies in its place."""
        result = repair(broken.coincident_sheets(), policy=Policy(limits={"removed_fraction": 0.01}))

        assert proved(result)["area_mm2"] == pytest.approx(2400.0)

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


def test_a_closed_body_in_a_scan_is_told_and_left() -> None:
    mesh = broken.tooth_in_scan()
    result = repair(mesh)

    assert result.mesh is mesh and result.clean and result.after.ok
    assert {finding.check for finding in result.after.findings} == {"S103", "S107"}
    # The judge knows assemblies of closed bodies only.
    assert result.after.stats["between_bodies"] == 0 < result.after.stats["intersecting_pairs"]
    assert {left.check for left in result.not_repaired} == {"S107"}


def test_open_surfaces_that_cross_are_refused_and_neither_is_cut() -> None:
    mesh = broken.crossing_scans()
    with pytest.raises(RepairRefused, match="only a person can say") as caught:
        repair(mesh)

    assert caught.value.result.mesh is mesh
    (finding,) = [finding for finding in caught.value.result.after.findings if finding.check == "S102"]
    assert finding.message.startswith("Two open surfaces pass through each other along 60 mm")
    assert finding.fixable is None


def test_a_defect_beside_an_assembly_is_mended_all_the_same() -> None:
    """A vertex of the scan is pulled over its neighbours, away from the box that stands in it."""
    scan = broken.poke()
    box = broken.moved(shapes.cube(13.0), -20.0, -6.0, -6.0)
    mesh = shapes.joined(scan, box)
    result = repair(mesh)

    assert steps(result).keys() & {CARVED, REBUILT}
    assert result.clean
    facts = MeshFacts(result.mesh, policy("scan"))
    closed = np.flatnonzero(~facts.is_open)
    assert len(closed) == 1 and len(facts.faces_of(int(closed[0]))) == 12
    assert {finding.check for finding in result.after.findings} >= {"S107"}
    assert "S102" not in {finding.check for finding in result.after.findings}


class TestField:
    def test_a_planned_tooth_in_an_open_scan_is_not_torn(self, data_root: Path) -> None:
        mesh = meshguard.load(data_root / "field" / "56_pontic.stl")
        result = repair(mesh)

        assert result.mesh is mesh
        assert result.after.stats["closed_components"] == 1
        (finding,) = [finding for finding in result.after.findings if finding.check == "S107"]
        assert finding.measures["pairs"] == result.after.stats["intersecting_pairs"] > 0

    def test_crowns_that_cross_are_neither_cut_nor_lost(self, data_root: Path) -> None:
        mesh = meshguard.load(data_root / "field" / "23_bridge_open.stl")
        with pytest.raises(RepairRefused, match="only a person can say") as caught:
            repair(mesh)

        assert caught.value.result.mesh is mesh
        assert [left.check for left in caught.value.result.not_repaired].count("S102") == 2

    def test_a_quad_meshed_twice_does_not_explode(self, data_root: Path) -> None:
        result = repair(data_root / "field" / "58_both_diagonals.ply")

        assert len(result.mesh.faces) <= most_faces(4)
