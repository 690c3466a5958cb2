"""The arch frame: up, front, curve and jaw, from labels and from the shape alone; and what cannot be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from benchmarks.teeth import moved

import meshguard
from meshguard.facts.dental import DentalFacts
from meshguard.facts.dental.arch_curve import curve_through
from meshguard.facts.dental.arch_frame import frame_of_teeth
from meshguard.facts.mesh import MeshFacts
from meshguard.phantoms import phantom
from meshguard.policy import Policy
from tests import shapes

if TYPE_CHECKING:
    from pathlib import Path

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


def test_a_circle_is_followed_all_along() -> None:
    angles = np.radians(np.linspace(-20, 200, 12))
    points = 25.0 * np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1) + [3, 4, 5]
    curve = curve_through(points, UP)

    assert curve is not None
    assert curve.centre == pytest.approx([3, 4, 5])
    assert curve.along(curve.nearest(points)) == pytest.approx(25.0 * (angles - angles[0]), abs=0.1)
    assert np.abs(curve.placed(points)[1]).max() < 1e-6
    straight_on = points[-1] + 8.0 * np.array([-np.sin(angles[-1]), np.cos(angles[-1]), 0])
    assert curve.placed(straight_on[None])[0][0] == pytest.approx(25.0 * np.ptp(angles) + 8.0, abs=0.1)


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


def test_what_is_no_arch_says_so() -> None:
    assert frame(shapes.triangle()).up is None
    ball = frame(shapes.cube())
    assert ball.up is None and ball.why_unsure


@pytest.mark.parametrize("jaw", ["upper", "lower"])
def test_incisors_tell_the_jaw(jaw: Jaw) -> None:
    told, sure = DentalFacts(MeshFacts(phantom(jaw=jaw, faces=16_000), Policy())).jaw_of_incisors

    assert (told, sure > 0.7) == (jaw, True)
    assert DentalFacts(MeshFacts(phantom(faces=8_000, teeth=2), Policy())).jaw_of_incisors[0] is None


def test_incisors_that_disagree_tell_no_jaw() -> None:
    mesh = phantom(jaw="upper", faces=16_000)
    label = mesh.vertex_data["label"].astype(int)
    swapped = label.copy()
    swapped[label == 21], swapped[label == 22] = 22, 21
    facts = DentalFacts(MeshFacts(mesh.without_labels().with_data(vertex={"label": swapped}), Policy()))

    assert facts.jaw_of_incisors == (None, 0.0)


def test_real_arches(data_root: Path) -> None:
    for name, jaw in (("ios_001_upper", "upper"), ("ios_001_lower", "lower"), ("ios_055_lower", "lower")):
        found = frame(meshguard.load(data_root / "dental" / f"{name}_16k.ply"))
        assert (found.jaw, found.jaw_confidence > 0.8, found.front_confidence > 0.8) == (jaw, True, True)
    # Without a palate, or on a base, the shape does not tell.
    for name in ("arch_100k.ply", "lower_based_213k.ply", "upper_cast_closed_81k.stl"):
        found = frame(meshguard.load(data_root / "dental" / name))
        assert found.jaw is None and found.why_unsure
