"""Embrasures: whether borders between neighbours lie in them, and where one lies beside a border that does not."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard.facts.dental import DentalFacts
from meshguard.facts.dental.embrasures import _strayed
from meshguard.facts.mesh import MeshFacts
from meshguard.phantoms import mislabel, phantom
from meshguard.policy import Policy

ARCH = phantom(faces=40_000, seed=1)


def test_borders_of_neighbours_lie_in_creases_until_a_label_bleeds() -> None:
    whole = DentalFacts(MeshFacts(ARCH, Policy()))
    mesh, truth = mislabel(ARCH, "bleeding", seed=2)
    bled = DentalFacts(MeshFacts(mesh, Policy()))

    assert (whole.embrasures.strayed_mm < 2.0).all()
    k = int(np.argmax(bled.embrasures.strayed_mm))
    pair = bled.teeth.labels[bled.embrasures.pairs[k]].tolist()
    assert truth.measures["tooth"] in pair
    # The crease lies on the side of the tooth whose label reaches too far.
    assert (bled.embrasures.offset[k] > 0) == (truth.measures["tooth"] == pair[1])


def test_the_nearest_crease_beside_a_convex_border_counts() -> None:
    n = 26
    curved, area = np.full((2, n), -0.2), np.ones((2, n))
    curved[0, [17, 18, 24]] = [2.0, 2.0, 3.0]
    curved[1, [12, 13]] = 2.0  # in the border itself

    strays, offsets = _strayed(curved, area)

    assert strays.tolist() == [True, False]
    assert offsets[0] == pytest.approx(2.0, abs=0.45)


def test_without_neighbours_there_is_nothing_to_judge() -> None:
    alone = ARCH.without_labels().with_data(
        vertex={"label": np.where(ARCH.vertex_data["label"] == 36, 36, 0).astype(np.int32)}
    )
    found = DentalFacts(MeshFacts(alone, Policy())).embrasures

    assert (len(found.pairs), len(found.strayed_mm), found.edges) == (0, 0, [])
