"""How ragged the border of a crown is: as long as when it is smoothed where it is straight, longer where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from meshguard.facts.dental import DentalFacts
from meshguard.facts.mesh import MeshFacts
from meshguard.phantoms import mislabel, phantom
from meshguard.policy import Policy
from tests import shapes

if TYPE_CHECKING:
    from meshguard.mesh import Mesh

ARCH = phantom(faces=40_000, seed=1)


def facts(mesh: Mesh) -> DentalFacts:
    return DentalFacts(MeshFacts(mesh, Policy()))


def halves(*, teeth: int = 0) -> Mesh:
    """A flat sheet of 0.5 mm squares, tooth 11 to the left and 12 to the right; teeth of the border, 1 mm deep."""
    mesh = shapes.grid(24, 40, width=12.0, bulge=0.0)
    x, y = mesh.vertices[mesh.faces].mean(axis=1)[:, :2].T
    edge = np.where(np.isin(np.floor(y), np.arange(-teeth, teeth, 2)), 1.0, 0.0)
    return mesh.with_data(face={"label": np.where(x < edge, 11, 12).astype(np.int32)})


def test_a_straight_border_is_as_long_as_when_it_is_smoothed() -> None:
    longer, strays = facts(halves()).raggedness

    assert longer == pytest.approx([1.0, 1.0])
    assert strays == pytest.approx([0.0, 0.0], abs=1e-6)


def test_the_more_it_zigzags_the_longer_it_is() -> None:
    few, many = (facts(halves(teeth=teeth)).raggedness for teeth in (1, 3))

    assert (few[0] > 1.05).all() and (many[0] > few[0]).all()
    assert (many[1] > few[1]).all() and (few[1] > 0.0).all()
    assert many[0][0] == pytest.approx(many[0][1])  # it is the border of both


def test_a_tooth_without_a_border_has_no_value() -> None:
    mesh = shapes.grid(8, 6)
    for data in ({"face": {"label": np.full(len(mesh.faces), 11)}}, {"vertex": {"label": np.full(63, 11)}}):
        longer, strays = facts(mesh.with_data(**data)).raggedness

        assert np.isnan(longer).tolist() == np.isnan(strays).tolist() == [True]


def test_vertices_have_their_border_between_them() -> None:
    mesh = shapes.grid(24, 40, width=12.0, bulge=0.0)
    label = np.where(mesh.vertices[:, 0] < 0.1, 11, 12).astype(np.int32)
    longer, _ = facts(mesh.with_data(vertex={"label": label})).raggedness

    assert longer == pytest.approx([1.0, 1.0])


def test_random_labels_along_a_border_make_it_ragged() -> None:
    mesh, truth = mislabel(ARCH, "ragged", seed=1)
    place = DentalFacts(MeshFacts(ARCH, Policy())).teeth.labels.tolist().index(truth.measures["tooth"])
    (_, before), (_, after) = (DentalFacts(MeshFacts(m, Policy())).raggedness for m in (ARCH, mesh))

    assert after[place] > 1.1 * before[place]
