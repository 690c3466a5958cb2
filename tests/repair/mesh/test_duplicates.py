"""Duplicate faces: one of them stays."""

from __future__ import annotations

import pytest

from meshguard import repair
from tests import mutations, shapes
from tests.repair import broken
from tests.repair.proof import is_same, proved, steps

CRACKS = "stitch cracks"


class TestDuplicates:
    @pytest.mark.parametrize("reverse", [False, True])
    def test_one_of_two_stays(self, reverse: bool) -> None:
        result = repair(broken.duplicates(reverse=reverse))
        stats = proved(result)

        assert steps(result)["drop duplicate faces"] == 1
        assert (stats["faces"], stats["boundary_edges"], stats["components"]) == (32, 16, 1)
        assert sorted(result.face_origin.tolist())[:13] == list(range(13))

    def test_of_three_the_way_of_two(self) -> None:
        result = repair(mutations.duplicate_face())

        proved(result)
        assert is_same(result.mesh, shapes.tetrahedron())

    def test_a_body_without_thickness_becomes_one_sheet(self) -> None:
        result = repair(broken.without_thickness())

        proved(result)
        assert len(result.mesh.faces) == 32
        assert result.area_removed_mm2 == pytest.approx(0.0, abs=1e-3)  # all of its surface is still there
        assert result.steps[0].second_copy_mm2 == pytest.approx(result.before.stats["area_mm2"] / 2)

    def test_neighbours_are_none(self) -> None:
        mesh = shapes.tetrahedron()

        assert repair(mesh).mesh is mesh
