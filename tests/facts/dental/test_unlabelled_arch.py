"""The frame of an arch that nobody labelled: from its shape alone, or the reason why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import meshguard
from meshguard.facts.dental import DentalFacts
from meshguard.facts.dental.unlabelled_arch import frame_of_shape, why_not_an_arch
from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.phantoms import phantom
from meshguard.policy import Policy
from tests import shapes

if TYPE_CHECKING:
    from pathlib import Path

    from meshguard.facts.dental.arch_frame import ArchFrame
    from meshguard.mesh import Jaw


def frame(mesh: Mesh) -> ArchFrame:
    return DentalFacts(MeshFacts(mesh, Policy())).arch_frame


@pytest.mark.parametrize("jaw", ["upper", "lower"])
def test_a_phantom_bites_away_from_its_border(jaw: Jaw) -> None:
    mesh = phantom(jaw=jaw, faces=8000).without_labels()
    found = frame_of_shape(MeshFacts(mesh, Policy()))

    assert found.source == "geometry"
    assert found.up is not None and found.up[2] * (1 if jaw == "lower" else -1) > 0.98
    assert found.front is not None and found.front[1] > 0.95


def test_neither_the_winding_nor_a_second_component_enters() -> None:
    mesh = phantom(faces=8000).without_labels()
    turned = Mesh(vertices=mesh.vertices, faces=mesh.faces[:, ::-1])
    beside = shapes.joined(Mesh(vertices=shapes.cube(9.0).vertices + 200.0, faces=shapes.cube().faces), mesh)
    expected = frame(mesh).up

    assert expected is not None
    for other in (turned, beside):
        up = frame(other).up
        assert up is not None and float(up @ expected) > 0.999


class TestWhyNot:
    def test_too_few_faces(self) -> None:
        found = frame(shapes.cube())

        assert (found.up, found.curve, found.front, found.jaw) == (None, None, None, None)
        assert "few faces" in found.why_unsure[0]

    def test_a_body_as_thick_as_wide_has_no_plane(self) -> None:
        block = shapes.joined(*(_side(axis, at) for axis in range(3) for at in (0.0, 40.0)))

        assert len(block.faces) > 100
        assert frame(block).up is None

    def test_a_flat_body_without_border_or_base_has_no_biting_side(self) -> None:
        found = frame(shapes.torus(24, 12))

        assert (found.up, found.up_confidence) == (None, 0.0)

    def test_a_bulging_sheet_has_a_side_and_no_midline(self) -> None:
        found = frame(shapes.grid(12, 12))

        assert found.up is not None and found.up[2] > 0.99
        assert found.front is None and found.why_unsure

    def test_a_mesh_without_a_place(self) -> None:
        nowhere = Mesh(vertices=np.full((303, 3), np.nan), faces=np.arange(303).reshape(-1, 3))

        assert frame(nowhere).up is None
        assert frame(Mesh(vertices=[], faces=[])).up is None


def _side(axis: int, at: float) -> Mesh:
    """A side of a block of 40 mm, across an axis."""
    flat = shapes.grid(6, 4, width=40.0, bulge=0.0)
    x, y = flat.vertices[:, 0] + 20.0, 1.5 * flat.vertices[:, 1] + 20.0
    columns = [x, y]
    columns.insert(axis, np.full(len(x), at))
    return Mesh(vertices=np.stack(columns, axis=1), faces=flat.faces)


def test_what_is_no_arch_says_so() -> None:
    assert frame(shapes.triangle()).up is None
    ball = frame(shapes.cube())
    assert ball.up is None and ball.why_unsure


def test_real_arches(data_root: Path) -> None:
    for name, jaw in (("ios_001_upper", "upper"), ("ios_001_lower", "lower"), ("ios_055_lower", "lower")):
        found = frame(meshguard.load(data_root / "dental" / f"{name}_16k.ply"))
        assert (found.jaw, found.jaw_confidence > 0.8, found.front_confidence > 0.8) == (jaw, True, True)
    # Without a palate, or on a base, the shape does not tell.
    for name in ("arch_100k.ply", "lower_based_213k.ply", "upper_cast_closed_81k.stl"):
        found = frame(meshguard.load(data_root / "dental" / name))
        assert found.jaw is None and found.why_unsure


def test_a_closed_ring_is_not_an_arch() -> None:
    ring = MeshFacts(shapes.torus(36, 24).take(np.arange(800)), Policy())

    assert why_not_an_arch(ring) is not None
