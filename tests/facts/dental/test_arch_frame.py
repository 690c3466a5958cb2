"""The arch frame of labelled teeth: up, front and curve, as the shape alone gives them; and what cannot be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from benchmarks.teeth import moved

from meshguard.facts.dental import DentalFacts
from meshguard.facts.dental.arch_frame import frame_of_teeth, up_of_teeth
from meshguard.facts.mesh import MeshFacts
from meshguard.phantoms import phantom
from meshguard.policy import Policy

if TYPE_CHECKING:
    from meshguard.facts.dental.arch_frame import ArchFrame
    from meshguard.mesh import Jaw, Mesh

UP = np.array([0.0, 0.0, 1.0])


def frame(mesh: Mesh) -> ArchFrame:
    return DentalFacts(MeshFacts(mesh, Policy())).arch_frame


def axis(found: np.ndarray | None) -> np.ndarray:
    assert found is not None
    return found


@pytest.mark.parametrize("jaw", ["upper", "lower"])
def test_labels_and_shape_agree_with_how_a_phantom_stands(jaw: Jaw) -> None:
    mesh = phantom(jaw=jaw, faces=16_000)
    biting = UP if jaw == "lower" else -UP
    for found in (frame(mesh), frame(mesh.without_labels())):
        assert axis(found.up) @ biting > 0.98
        assert axis(found.front)[1] > 0.95
        assert min(found.up_confidence, found.front_confidence) > 0.8
        assert found.has_inside


def test_the_frame_moves_with_the_mesh() -> None:
    mesh = phantom(faces=12_000)
    there = moved(mesh, 4)
    turn = np.linalg.lstsq(
        mesh.vertices - mesh.vertices.mean(axis=0), there.vertices - there.vertices.mean(axis=0), rcond=None
    )[0]
    for labelled in (True, False):
        one, other = (frame(m if labelled else m.without_labels()) for m in (mesh, there))
        assert np.allclose(axis(one.up) @ turn, axis(other.up), atol=1e-6)
        assert np.allclose(axis(one.front) @ turn, axis(other.front), atol=1e-3)


def test_a_straight_row_has_a_curve_but_no_inside() -> None:
    row = np.stack([np.arange(0, 50, 10.0), np.zeros(5), np.zeros(5)], axis=1)
    found = frame_of_teeth(row, np.tile(UP, (5, 1)))

    assert found.curve is not None and not found.has_inside and found.front is None
    assert np.abs(np.diff(found.curve.along(found.curve.nearest(row)))) == pytest.approx([10.0] * 4, abs=0.2)
    assert "straight" in found.why_unsure[0]


def test_an_arch_without_front_teeth_is_open_behind() -> None:
    angles = np.radians([-10, 15, 40, 140, 165, 190])  # no tooth over 100 degrees in front, and over 160 behind
    backs = np.array([7, 6, 5, 5, 6, 7], np.int32)
    for wider in (0.0, 30.0):  # the wider gap is the one behind, then the one in front
        turned = angles + np.radians(wider) * np.where(angles < np.pi / 2, -1, 1)
        points = 25.0 * np.stack([np.cos(turned), np.sin(turned), 0 * turned], axis=1)
        found = frame_of_teeth(points, np.tile(UP, (6, 1)), backs)

        assert axis(found.front)[1] > 0.99
        assert found.curve is not None
        order = np.argsort(found.curve.along(found.curve.nearest(points)))
        assert order.tolist() in ([0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0])


def test_a_molar_of_one_side_and_three_of_the_other_make_no_row() -> None:
    points = np.array([[-25.0, 0, 0], [25, 20, 0], [26, 10, 0], [27, 0, 0]])
    found = frame_of_teeth(points, np.tile(UP, (4, 1)))

    assert found.up is not None and found.curve is None
    assert "far apart" in found.why_unsure[0]


def test_crowns_that_point_every_way_have_no_plane() -> None:
    found = frame_of_teeth(np.eye(3) * 20, np.array([[0, 0, 1.0], [0, 0, -1.0], [np.nan] * 3]))

    assert found.up is None and "point one way" in found.why_unsure[0]


class TestUp:
    def test_it_is_the_plane_of_the_crowns_on_the_side_that_they_point_to(self) -> None:
        angles = np.radians(np.linspace(0, 180, 8))
        centres = 25.0 * np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
        leaning = np.array([0.3, 0.0, -1.0]) / np.hypot(0.3, 1.0)
        up, confidence = up_of_teeth(centres, np.tile(leaning, (8, 1)))

        assert axis(up).tolist() == pytest.approx([0, 0, -1])
        assert confidence == pytest.approx(1.0)

    def test_a_straight_row_has_no_plane_but_axes(self) -> None:
        row = np.array([[10.0 * k, 0, 0] for k in range(6)])
        leaning = np.array([0.0, 0.6, 0.8])

        assert axis(up_of_teeth(row, np.tile(leaning, (6, 1)))[0]).tolist() == pytest.approx(leaning.tolist())

    def test_crowns_without_an_axis_are_left_out(self) -> None:
        axes = np.array([[np.nan] * 3, [0, 0, 1.0], [np.nan] * 3])

        assert axis(up_of_teeth(np.eye(3), axes)[0]).tolist() == [0, 0, 1]
        assert up_of_teeth(np.eye(3), np.full((3, 3), np.nan)) == (None, 0.0)


def test_one_side_of_an_arch_has_no_midline() -> None:
    angles = np.radians(np.linspace(100, 155, 6))
    found = frame_of_teeth(25.0 * np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1), np.tile(UP, (6, 1)))

    assert found.curve is not None
    assert (found.front, found.front_confidence) == (None, 0.0)
    assert len(found.why_unsure) == 1
