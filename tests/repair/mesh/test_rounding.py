"""Rounding: positions become what a file with float32 coordinates keeps."""

from __future__ import annotations

import numpy as np

from meshguard import repair
from meshguard.mesh import Mesh
from meshguard.repair.mesh.rounding import not_float32, rounded
from tests import shapes
from tests.repair import broken
from tests.repair.drafts import draft
from tests.repair.proof import proved, steps

DISSOLVED, DROPPED = "dissolve faces without area", "drop faces with a repeated corner"


class TestRounding:
    def test_positions_become_what_an_stl_would_keep(self) -> None:
        mesh = shapes.grid()
        exact = Mesh(vertices=mesh.vertices + 1e-9, faces=mesh.faces)
        result = repair(exact)

        assert steps(result) == {"round positions to float32": len(mesh.vertices)}
        assert np.array_equal(result.mesh.vertices, exact.vertices.astype(np.float32).astype(np.float64))
        assert 0 < result.max_displacement_mm < 4e-6
        assert result.area_removed_mm2 == 0.0

    def test_what_float32_cannot_hold_is_refused_or_kept_as_it_is(self) -> None:
        mesh = shapes.cube()
        huge = Mesh(vertices=mesh.vertices * 1e40, faces=mesh.faces)
        result = repair(huge, lossless=True)

        assert result.mesh is huge

    def test_lossless_keeps_them(self) -> None:
        mesh = shapes.grid()
        exact = Mesh(vertices=mesh.vertices + 1e-9, faces=mesh.faces)

        assert repair(exact, lossless=True).mesh is exact

    def test_faces_that_rounding_makes_flat_are_dissolved_after_it(self) -> None:
        mesh = broken.cap()
        vertices = mesh.vertices.copy()
        vertices[25, :2] += [1e-9, -1e-9]
        result = repair(Mesh(vertices=vertices, faces=mesh.faces))

        proved(result)
        assert list(steps(result)) == ["round positions to float32", DISSOLVED]


def test_rounded_points_are_what_float32_holds() -> None:
    points = np.array([[0.1, 1 / 3, 1e-50]])

    assert rounded(points).dtype == np.float64
    assert np.array_equal(rounded(points), rounded(rounded(points)))
    assert np.array_equal(rounded(points).astype(np.float32), points.astype(np.float32))


def test_only_what_a_file_would_move_and_can_hold_is_not_float32() -> None:
    points = np.array([[1.0, 0.5, -0.25], [0.1, 0, 0], [np.nan, 0.1, 0], [1e40, 0.1, 0], [0, 0, 2.0**100]])
    found = not_float32(draft(Mesh(vertices=points, faces=[[0, 1, 2], [1, 3, 4]])))

    assert found.tolist() == [False, True, False, False, False]
