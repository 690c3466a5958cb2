"""Layers that cover the same patch: one stays, and nothing else changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from meshguard import repair
from meshguard.mesh import Mesh
from tests import shapes
from tests.repair import broken
from tests.repair.proof import proved, steps

if TYPE_CHECKING:
    from pathlib import Path

FLAT, BENT = "merge coincident layers", "merge quadrilaterals meshed twice"

PATCH = {18, 19, 20, 21, 26, 27, 28, 29, 34, 35}


@pytest.mark.parametrize("reverse", [False, True])
def test_ten_quads_meshed_twice_become_ten(reverse: bool) -> None:
    result = repair(broken.doubled_quads(8, 8, PATCH, reverse=reverse), lossless=True)
    stats = proved(result)

    assert steps(result) == {FLAT: 10}
    assert (stats["faces"], stats["boundary_edges"], stats["components"]) == (128, 32, 1)
    assert result.max_displacement_mm == 0.0


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_lone_quad_stays_as_two_faces(axis: int) -> None:
    mesh = broken.doubled_quads(1, 1, {0})
    result = repair(Mesh(vertices=np.roll(mesh.vertices, axis, axis=1), faces=mesh.faces))

    assert proved(result)["faces"] == 2
    assert result.face_origin.tolist() == [0, 1]


@pytest.mark.parametrize("bulge", [3.0, 40.0])
@pytest.mark.parametrize("reverse", [False, True])
def test_quads_that_are_not_flat_are_merged_too(reverse: bool, bulge: float) -> None:
    result = repair(broken.doubled_quads(12, 12, {40, 41, 42, 52, 53, 54}, bulge=bulge, reverse=reverse))
    stats = proved(result)

    assert steps(result)[BENT] == 6
    assert (stats["faces"], stats["boundary_edges"], stats["components"]) == (288, 48, 1)


def test_a_thin_body_is_left_alone() -> None:
    mesh = shapes.tetrahedron()
    thin = Mesh(vertices=mesh.vertices * [1, 1, 0.03125], faces=mesh.faces)

    assert repair(thin).mesh is thin


def test_the_shared_file(data_root: Path) -> None:
    path = data_root / "field" / "58_both_diagonals.ply"
    if not path.is_file():
        pytest.skip("the shared data hold no field/58_both_diagonals.ply")

    assert proved(repair(path))["faces"] == 2
