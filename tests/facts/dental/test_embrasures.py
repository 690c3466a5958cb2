"""Crowns along the arch: what they measure, where creases lie, how ragged their borders are."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard import fdi
from meshguard.facts.dental import DentalFacts
from meshguard.facts.dental.embrasures import _strayed
from meshguard.facts.mesh import MeshFacts
from meshguard.phantoms import mislabel, phantom
from meshguard.policy import Policy

ARCH = phantom(faces=40_000, seed=1)


def test_teeth_stand_in_order_and_measure_what_they_were_made_with() -> None:
    facts = DentalFacts(MeshFacts(ARCH, Policy()))
    sizes = facts.tooth_sizes
    assert sizes is not None
    codes = [int(code) for code in facts.teeth.labels[sizes.order]]

    assert [fdi.arch_index(code) for code in codes] == list(range(1, 15))
    assert (np.diff(sizes.along[sizes.order]) > 3.0).all()
    molar, incisor = (int(np.flatnonzero(facts.teeth.labels == code)[0]) for code in (46, 41))
    # Neighbours overlap by 7 % of their width, and sizes differ by seed.
    assert sizes.mesiodistal[molar] == pytest.approx(11.0, rel=0.15)
    assert sizes.mesiodistal[incisor] == pytest.approx(5.0, rel=0.2)


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


def test_random_labels_along_a_border_make_it_ragged() -> None:
    mesh, truth = mislabel(ARCH, "ragged", seed=1)
    place = DentalFacts(MeshFacts(ARCH, Policy())).teeth.labels.tolist().index(truth.measures["tooth"])
    (_, before), (_, after) = (DentalFacts(MeshFacts(m, Policy())).raggedness for m in (ARCH, mesh))

    assert after[place] > 1.1 * before[place]
