"""The labelled teeth: their main regions and sums, their axes, and whether enough of each is there."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard.facts.dental import DentalFacts
from meshguard.facts.dental.teeth import FRAGMENT_MM2
from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.phantoms import phantom
from meshguard.policy import Policy
from tests import shapes

ARCH = phantom(faces=12_000)


def facts(mesh: Mesh) -> DentalFacts:
    return DentalFacts(MeshFacts(mesh, Policy()))


def knob(height: float, *, gum: bool = True) -> Mesh:
    """A flat sheet of 60 by 40 mm with a block of 20 by 20 mm, tooth 36, that stands up from it or hangs down."""
    mesh = shapes.grid(24, 16, bulge=0.0)
    x, y = np.abs(mesh.vertices[:, :2]).T
    is_top = (x < 8) & (y < 8)
    vertices = mesh.vertices + np.where(is_top, height, 0.0)[:, None] * [0, 0, 1]
    middle = np.abs(mesh.vertices[mesh.faces].mean(axis=1)[:, :2]).max(axis=1)
    label = np.where(middle < 10, 36, 0 if gum else 37).astype(np.int32)
    return Mesh(vertices=vertices, faces=mesh.faces, face_data={"label": label})


class TestSums:
    def mesh(self) -> Mesh:
        """A sheet of 48 squares of 7.5 by 6.67 mm; tooth 12 has a square beside its main region of 16."""
        sheet = shapes.grid(8, 6, bulge=0.0)
        x, y = sheet.vertices[sheet.faces].mean(axis=1)[:, :2].T
        label = np.where(np.abs(x) < 15, np.where(np.abs(y) < 13, 12, 0), 0)
        label[(x > 22) & (y > 14)] = 12
        label[(x < -22) & (y < -14)] = 11
        return sheet.with_data(face={"label": label.astype(np.int32)})

    def test_of_two_regions_the_larger_is_the_main_one(self) -> None:
        found = facts(self.mesh())
        teeth, square = found.teeth, 7.5 * 40 / 6

        assert teeth.labels.tolist() == [11, 12]
        assert teeth.areas == pytest.approx([square, 17 * square])
        assert teeth.main_areas == pytest.approx([square, 16 * square])
        assert teeth.centres[1] == pytest.approx([0, 0, 0], abs=1e-4)
        assert teeth.place_of(12) == 1 and teeth.main_area_of(12) == pytest.approx(16 * square)
        assert found.label_regions.label[teeth.main_region].tolist() == [11, 12]
        assert teeth.of_region[teeth.main_region].tolist() == [0, 1]
        assert np.count_nonzero(teeth.of_region >= 0) == 2 and teeth.of_region[-1] == -1

    @pytest.mark.parametrize("seed", range(3))
    def test_of_equal_regions_it_is_the_one_with_the_least_centre(self, seed: int) -> None:
        sheet = shapes.grid(8, 6, bulge=0.0)
        x = sheet.vertices[sheet.faces].mean(axis=1)[:, 0]
        label = np.where(np.abs(x) > 15, 11, 0).astype(np.int32)
        teeth = facts(shapes.shuffled(sheet.with_data(face={"label": label}), seed)).teeth

        assert teeth.centres[0, 0] == pytest.approx(-22.5)


class TestAxes:
    @pytest.mark.parametrize("height", [6.0, -6.0])
    @pytest.mark.parametrize("turned", [False, True])
    def test_they_point_from_the_border_to_the_crown(self, height: float, turned: bool) -> None:
        mesh = knob(height)
        faces = mesh.faces[:, ::-1] if turned else mesh.faces
        teeth = facts(Mesh(vertices=mesh.vertices, faces=faces, face_data=mesh.face_data)).teeth

        assert teeth.axes[0] == pytest.approx([0, 0, np.sign(height)], abs=1e-6)
        assert teeth.outward == (1.0 if (height > 0) != turned else -1.0)

    def test_a_label_without_a_border_has_none(self) -> None:
        cube = shapes.cube()

        assert np.isnan(facts(cube.with_data(face={"label": np.full(12, 11, np.int32)})).teeth.axes).all()

    def test_crowns_point_to_the_biting_side_whatever_the_winding(self) -> None:
        turned = Mesh(
            vertices=ARCH.vertices, faces=ARCH.faces[:, ::-1], vertex_data={"label": ARCH.vertex_data["label"]}
        )
        for mesh in (ARCH, turned):
            assert (facts(mesh).teeth.axes[:, 2] > 0.7).all()


class TestWhole:
    def test_a_crown_within_the_scan_is(self) -> None:
        assert facts(knob(6.0)).teeth.is_whole.tolist() == [True]

    def test_a_fragment_is_not(self) -> None:
        sheet = shapes.grid(40, 40, width=40.0, bulge=0.0)  # squares of 1 by 2 / 3 mm
        place = np.abs(sheet.vertices[sheet.faces].mean(axis=1)[:, :2])
        label = np.zeros(len(sheet.faces), np.int32)
        for half, expected in ((3.0, True), (2.0, False)):
            label[:] = np.where((place[:, 0] < half) & (place[:, 1] < 1.4), 11, 0)
            area = 2 * half * 2 * 4 / 3
            assert (area > FRAGMENT_MM2) == expected
            assert facts(sheet.with_data(face={"label": label})).teeth.is_whole.tolist() == [expected]

    def test_a_crown_that_the_border_of_the_scan_cuts_is_not(self) -> None:
        """A crown of 25 by 10 mm: what the border leaves of it is 20 by 10, then 25 by 7.5."""
        sheet = shapes.grid(24, 16, bulge=0.0)
        x, y = sheet.vertices[sheet.faces].mean(axis=1)[:, :2].T
        mesh = sheet.with_data(face={"label": np.where((np.abs(x) < 12.5) & (np.abs(y) < 5), 36, 0).astype(np.int32)})

        assert facts(mesh.take(x < 7.5)).teeth.is_whole.tolist() == [True]  # 10 mm of border, and a square has 14.1
        assert facts(mesh.take(y < 2.5)).teeth.is_whole.tolist() == [False]  # 25 mm, and a square has 13.7

    def test_a_remnant_has_no_place_in_the_row(self) -> None:
        label = ARCH.vertex_data["label"].astype(int)
        label[np.flatnonzero(label == 36)[8:]] = 0
        found = facts(ARCH.without_labels().with_data(vertex={"label": label}))

        (place,) = np.flatnonzero(~found.teeth.is_whole)
        assert found.teeth.labels[place] == 36
        assert found.tooth_sizes is not None and place not in found.tooth_sizes.order
