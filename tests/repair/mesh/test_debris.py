"""Debris: unreferenced vertices and small components go, and nothing else does."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard import repair
from meshguard.mesh import Mesh
from meshguard.policy import Policy
from tests import mutations, shapes
from tests.repair import broken
from tests.repair.proof import is_same, proved, steps

CRACKS = "stitch cracks"


DROPPED = "drop floating components"


class TestLoose:
    def test_a_vertex_without_a_face_goes(self) -> None:
        mesh = mutations.unreferenced()
        result = repair(mesh)

        assert is_same(result.mesh, shapes.grid())
        assert steps(result) == {"drop unreferenced vertices": 1}

    def test_the_others_keep_their_order(self) -> None:
        mesh = mutations.unreferenced()
        order = np.roll(np.arange(len(mesh.vertices)), 1)
        rolled = Mesh(vertices=mesh.vertices[order], faces=mesh.faces + 1)
        result = repair(rolled)

        assert result.vertex_origin.tolist() == list(range(1, len(mesh.vertices)))


class TestFloating:
    def test_below_the_limit_a_piece_goes_and_is_told(self) -> None:
        result = repair(broken.piece_beside(3.0))
        (record,) = [step for step in result.steps if step.name == DROPPED]

        assert is_same(result.mesh, shapes.grid())
        assert record.mended == 1
        assert record.parameters["dropped_mm2"] == pytest.approx(4.5)
        assert result.area_removed_mm2 == pytest.approx(4.5)
        assert proved(result)["components"] == 1

    def test_above_the_limit_it_stays(self) -> None:
        mesh = broken.piece_beside(10.0)

        assert repair(mesh).mesh is mesh

    def test_the_limit_is_the_policys_and_never_more_than_a_share(self) -> None:
        mesh = broken.piece_beside(10.0)
        kept = repair(broken.piece_beside(3.0), policy=Policy(limits={"floating_area_mm2": 1.0}))
        bounded = repair(mesh, policy=Policy(limits={"floating_area_mm2": 1000.0}))
        dropped = repair(mesh, policy=Policy(limits={"floating_area_mm2": 1000.0, "floating_area_fraction": 0.1}))

        assert len(kept.mesh.faces) == 97
        assert bounded.mesh is mesh
        assert len(dropped.mesh.faces) == 96

    def test_the_largest_piece_never_goes(self) -> None:
        mesh = shapes.triangle(1.0)
        generous = Policy(limits={"floating_area_mm2": 1e6, "floating_area_fraction": 10.0})

        assert len(repair(mesh, policy=generous).mesh.faces) == 1

    def test_under_lossless_it_stays(self) -> None:
        mesh = broken.piece_beside(3.0)

        assert repair(mesh, lossless=True).mesh is mesh


def test_what_is_made_of_small_pieces_is_not_debris() -> None:
    grid = np.stack(np.meshgrid(*[np.arange(7)] * 3), axis=-1).reshape(-1, 3) * 10.0
    cube = shapes.cube()
    count, size = len(cube.vertices), float(np.ptp(cube.vertices, axis=0).max())
    vertices = np.concatenate([cube.vertices / size + place for place in grid])
    faces = np.concatenate([cube.faces + count * number for number in range(len(grid))])
    mesh = Mesh(vertices=vertices.astype(np.float32), faces=faces)

    result = repair(mesh)

    assert result.mesh is mesh and result.clean


class TestIslands:
    def sheet(self, hole: int, island: int, *, rise: float = 0.0) -> Mesh:
        """A sheet of 60 x 60 cells with a square hole, and a square of it left in the middle, this much higher."""
        mesh = shapes.grid(60, 60, bulge=6.0)
        cell = np.floor(30.0 * mesh.vertices[mesh.faces].mean(axis=1)[:, :2] / [30.0, 20.0]) + 0.5
        place = np.abs(cell).max(axis=1)
        whole = mesh.take(place > hole / 2)
        piece = mesh.take(place < island / 2)
        return shapes.joined(whole, Mesh(vertices=np.float32(piece.vertices + [0, 0, rise]), faces=piece.faces))

    @pytest.mark.parametrize(("hole", "island"), [(4, 2), (8, 2), (20, 4)])
    def test_what_lies_in_a_hole_that_stays_open_is_kept(self, hole: int, island: int) -> None:
        mesh = self.sheet(hole, island)
        result = repair(mesh)

        assert result.mesh is mesh
        assert {"S101", "S103"} <= {left.check for left in result.not_repaired}

    def test_what_floats_above_it_is_not(self) -> None:
        result = repair(self.sheet(8, 2, rise=5.0))

        assert steps(result) == {"drop floating components": 1}

    def test_in_a_hole_that_is_filled_nothing_is_left_open(self) -> None:
        result = repair(self.sheet(4, 2), policy=Policy(limits={"hole_diameter_mm": 6.0, "hole_fraction": 1.0}))

        assert "S101" not in {finding.check for finding in result.after.findings}

    def test_in_a_hole_that_cannot_be_filled_it_is_kept(self) -> None:
        """A pole through the hole would cross whatever fills it."""
        sheet = self.sheet(8, 2)
        height = float(sheet.vertices[:, 2].max())
        pole = shapes.cube(1.0)
        place = (pole.vertices - pole.vertices.mean(axis=0)) * [0.4, 0.4, 20.0] + [2.5, 0.0, height]
        mesh = shapes.joined(sheet, Mesh(vertices=np.float32(place), faces=pole.faces))
        policy = Policy(limits={"hole_diameter_mm": 20.0, "hole_fraction": 1.0, "floating_area_mm2": 5.0})
        result = repair(mesh, policy=policy)
        alone = repair(sheet, policy=policy)

        assert steps(alone) == {"drop floating components": 1, "fill holes": 1}
        assert steps(result) == {}
        assert result.mesh is mesh
