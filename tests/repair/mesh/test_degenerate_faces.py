"""Degenerate faces: dissolved where they have no area, dropped where they have no place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from meshguard import repair
from meshguard.mesh import Mesh
from tests import mutations, shapes
from tests.repair import broken
from tests.repair.proof import proved, steps

if TYPE_CHECKING:
    from collections.abc import Callable

DISSOLVED, DROPPED = "dissolve faces without area", "drop faces with a repeated corner"


class TestDissolve:
    @pytest.mark.parametrize(
        ("make", "flat"), [(broken.cap, 1), (broken.chain_of_caps, 3), (broken.caps_back_to_back, 2)]
    )
    def test_a_cap_goes_and_the_surface_stays(self, make: Callable[[], Mesh], flat: int) -> None:
        mesh: Mesh = make()
        result = repair(mesh)
        stats = proved(result)

        assert stats["boundary_edges"] == 16  # the rim, and no crack where the cap was
        assert stats["area_mm2"] == pytest.approx(2400.0)
        assert result.before.stats["degenerate"] == flat
        assert steps(result)[DISSOLVED] >= flat
        assert result.max_displacement_mm == 0.0
        assert result.area_removed_mm2 == pytest.approx(0.0, abs=1e-9)
        assert result.area_added_mm2 == 0.0
        assert (result.face_origin >= 0).all()

    def test_a_cap_on_the_border_goes(self) -> None:
        result = repair(broken.cap_on_the_border())
        stats = proved(result)

        assert steps(result) == {DISSOLVED: 1}
        assert stats["area_mm2"] == pytest.approx(2400.0)
        assert stats["components"] == 1
        assert stats["boundary_loops"] == 1

    def test_a_cap_in_a_closed_body(self) -> None:
        result = repair(mutations.collinear())
        stats = proved(result)

        assert (stats["boundary_edges"], stats["closed_components"]) == (0, 1)
        assert stats["area_mm2"] == pytest.approx(6 * 60.0**2)

    def test_what_is_nearly_without_area_stays(self) -> None:
        mesh = broken.cap()
        vertices = mesh.vertices.copy()
        vertices[25, 2] = 1e-3
        lifted = Mesh(vertices=vertices.astype(np.float32), faces=mesh.faces)
        result = repair(lifted)

        assert result.mesh is lifted

    def test_a_mesh_of_nothing_else_is_refused_not_emptied(self) -> None:
        from meshguard.errors import RepairRefused

        line = Mesh(vertices=np.array([[0, 0, 0], [1, 0, 0], [3, 0, 0.0]]), faces=[[0, 1, 2]])
        with pytest.raises(RepairRefused) as refused:
            repair(line)

        assert any("face" in reason for reason in refused.value.reasons)


class TestRepeated:
    @pytest.mark.parametrize("make", [mutations.repeated_corner, mutations.repeated_position])
    def test_it_goes(self, make: Callable[[], Mesh]) -> None:
        result = repair(make())

        proved(result)
        assert steps(result)[DROPPED] == 1
        assert len(result.mesh.faces) == 96

    def test_a_sound_mesh_has_none(self) -> None:
        assert DROPPED not in steps(repair(shapes.grid()))


class TestNonfinite:
    def test_its_faces_go_and_so_does_the_vertex(self) -> None:
        mesh = mutations.nonfinite()
        result = repair(mesh)

        proved(result)
        assert steps(result)["drop non-finite faces"] == 3
        assert np.isfinite(result.mesh.vertices).all()
        assert len(result.mesh.vertices) == len(mesh.vertices) - 1
        assert 4 not in result.vertex_origin

    def test_under_lossless_it_stays_and_is_refused(self) -> None:
        from meshguard.errors import RepairRefused

        with pytest.raises(RepairRefused) as refused:
            repair(mutations.nonfinite(), lossless=True)

        assert "3 faces with a non-finite corner" in refused.value.reasons
        assert any(
            left.check == "G101" and "at most lossless" in left.reason for left in refused.value.result.not_repaired
        )
