"""Orientation: faces and components are turned over where that is right."""

from __future__ import annotations

import numpy as np

from meshguard import repair
from meshguard.mesh import Mesh
from meshguard.repair.mesh.orientation import flip_inverted, flip_ridged, inverted_components, orient, ridged_sheets
from meshguard.report import Safety
from tests import mutations, shapes
from tests.repair import broken
from tests.repair.drafts import draft
from tests.repair.proof import is_same, proved, steps

CRACKS = "stitch cracks"


class TestWinding:
    def test_a_face_turned_over_is_turned_back(self) -> None:
        result = repair(mutations.flipped_face())

        assert proved(result)["miswound_edges"] == 0
        assert is_same(result.mesh, Mesh(vertices=shapes.grid().vertices, faces=_turned_at(shapes.grid().faces, 40)))

    def test_half_the_faces_turned_over_end_the_right_way_round(self) -> None:
        mesh = shapes.torus()
        faces = mesh.faces.copy()
        faces[::2] = faces[::2, ::-1]
        result = repair(Mesh(vertices=mesh.vertices, faces=faces))

        assert proved(result)["inverted_bodies"] == 0
        assert result.area_removed_mm2 == 0.0
        assert result.vertex_origin.tolist() == list(range(len(mesh.vertices)))

    def test_what_is_wound_well_stays(self) -> None:
        mesh = shapes.torus()

        assert repair(mesh).mesh is mesh


class TestInsideOut:
    def test_a_cube_is_turned_over(self) -> None:
        result = repair(broken.turned(shapes.cube()))

        assert proved(result)["inverted_bodies"] == 0
        assert steps(result) == {"flip inverted components": 1}

    def test_a_sheet_far_away_is_turned_over(self) -> None:
        result = repair(mutations.inverted_sheet_far_away())
        normals = _normals(result.mesh)

        assert (normals[:, 2] > 0).all()
        assert steps(result)["flip sheets that show their back"] == 1

    def test_a_sheet_with_ridges_is_never_turned_over_as_lossless(self) -> None:
        """The scan of an impression has that shape too."""
        mesh = mutations.inverted_sheet_far_away()
        result = repair(mesh, lossless=True)

        assert result.mesh is mesh
        assert [left.check for left in result.not_repaired] == ["G107"]

    def test_a_hollow_sheet_is_left(self) -> None:
        mesh = mutations.hollow_sheet()

        assert repair(mesh).mesh is mesh

    def test_what_only_its_new_surface_decides_is_not_turned_over_as_lossless(self) -> None:
        """A hollow sheet that the policy has closed is a body that looks inward."""
        result = repair(mutations.hollow_sheet(), policy="print")
        (record,) = [step for step in result.steps if "G107" in step.checks]

        assert record.safety is Safety.LOCAL
        assert proved(result)["inverted_bodies"] == 0

    def test_a_sheet_that_is_nearly_closed_is_turned_over_as_lossless(self) -> None:
        ball = shapes.ball(open_deg=15.0)
        result = repair(broken.turned(ball), lossless=True)

        assert steps(result) == {"flip inverted components": 1}
        assert (_normals(result.mesh) * result.mesh.vertices[result.mesh.faces].mean(axis=1)).sum(axis=1).min() > 0

    def test_a_hollow_body_is_turned_over_with_its_cavity(self) -> None:
        mesh = broken.cavity()
        result = repair(broken.turned(mesh))

        assert steps(result) == {"flip inverted components": 2}
        assert is_same(Mesh(vertices=mesh.vertices, faces=np.roll(mesh.faces, 1, axis=1)), result.mesh)

    def test_a_body_in_another_that_looks_outward_too_is_left(self) -> None:
        mesh = mutations.nested_body()

        assert repair(mesh).mesh is mesh
        assert repair(mesh, policy="print").mesh is mesh

    def test_a_cavity_is_kept(self) -> None:
        mesh = broken.cavity()

        assert repair(mesh).mesh is mesh
        assert repair(mesh, policy="print").mesh is mesh


class TestSteps:
    def test_the_smaller_side_of_a_patch_is_flipped(self) -> None:
        """The eight faces at the sides of a cube are turned: the other four follow them."""
        mesh = shapes.cube()
        faces = mesh.faces.copy()
        faces[4:] = faces[4:, ::-1]
        change = orient(draft(Mesh(vertices=mesh.vertices, faces=faces)))

        assert change.draft.corners[4:].tolist() == faces[4:].tolist()
        assert change.draft.corners[:4].tolist() == faces[:4, [0, 2, 1]].tolist()
        assert change.mended == 8  # four edges of the bottom and four of the top
        assert len(change.draft.facts.inconsistent_edges) == 0

    def test_what_has_one_side_keeps_the_orientation_that_contradicts_itself_least(self) -> None:
        start = draft(shapes.moebius())

        assert orient(start).draft is start

    def test_inverted_bodies_and_sheets_are_flipped_whole(self) -> None:
        sheet = broken.moved(broken.turned(shapes.ball(open_deg=15.0)), 200, 0, 0)
        start = draft(shapes.joined(shapes.cube(), broken.moved(broken.turned(shapes.cube()), 0, 0, 100), sheet))
        change = flip_inverted(start)

        assert sorted(inverted_components(start.facts)) == [1, 2]
        assert change.mended == 2
        assert inverted_components(change.draft.facts) == []
        assert change.draft.corners[:12].tolist() == start.corners[:12].tolist()

    def test_sheets_with_ridges_are_flipped_by_a_step_of_their_own(self) -> None:
        start = draft(mutations.inverted_sheet_far_away())
        change = flip_ridged(start)

        assert inverted_components(start.facts) == []
        assert ridged_sheets(start.facts) == [0]
        assert change.mended == 1
        assert ridged_sheets(change.draft.facts) == []


def _turned_at(faces: np.ndarray, place: int) -> np.ndarray:
    """Faces as they come back when one was reversed: wound well again, beginning with the corner that was first."""
    back = faces.copy()
    back[place] = faces[place][[2, 0, 1]]
    return back


def _normals(mesh: Mesh) -> np.ndarray:
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    return np.cross(b - a, c - a)
