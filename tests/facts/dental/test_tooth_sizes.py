"""Sizes of crowns along the arch, and the order in which they stand."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard import fdi
from meshguard.facts.dental import DentalFacts
from meshguard.facts.dental.arch_curve import curve_through
from meshguard.facts.dental.tooth_sizes import ToothSizes, find_tooth_sizes
from meshguard.facts.mesh import MeshFacts
from meshguard.phantoms import phantom
from meshguard.policy import Policy
from tests import shapes

ARCH = phantom(faces=40_000, seed=1)
UP = np.array([0.0, 0.0, 1.0])


class TestRow:
    """Three blocks of 10 mm along x, 8 mm across and 5 mm high, and a speck of a fourth, on a straight row."""

    def sizes(self) -> tuple[list[int], ToothSizes]:
        cube = shapes.cube(1.0)
        blocks, labels = [], []
        for label, x, size in ((13, -12.0, 10), (11, 0.0, 10), (12, 12.0, 10), (14, 20.0, 0.5)):
            extents = np.array([size, 0.8 * size, 0.5 * size])
            blocks.append(cube.with_vertices((cube.vertices - 0.5) * extents + [x, 0, 0]))
            labels += [label] * len(cube.faces)
        mesh = shapes.joined(*blocks).with_data(face={"label": np.array(labels, np.int32)})
        facts = DentalFacts(MeshFacts(mesh, Policy()))
        curve = curve_through(facts.teeth.centres[:3], UP)
        assert curve is not None
        sizes = find_tooth_sizes(facts.surface, facts.label_regions, facts.teeth, curve, UP)
        return facts.teeth.labels.tolist(), sizes

    def test_extents_are_taken_along_the_row_across_it_and_upward(self) -> None:
        labels, sizes = self.sizes()
        middle = labels.index(11)

        assert sizes.mesiodistal[middle] == pytest.approx(10.0, abs=0.1)
        assert sizes.buccolingual[middle] == pytest.approx(8.0, abs=0.1)
        assert sizes.height == pytest.approx([5.0, 5.0, 5.0, 0.25])
        assert sizes.top == pytest.approx([2.5, 2.5, 2.5, 0.125])

    def test_the_order_is_that_of_the_places_and_holds_whole_teeth_only(self) -> None:
        labels, sizes = self.sizes()
        row = [labels[place] for place in sizes.order]

        assert row in ([13, 11, 12], [12, 11, 13])
        assert np.diff(sizes.along[sizes.order]) == pytest.approx([12.0, 12.0], abs=0.2)


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


def test_without_a_row_there_are_none() -> None:
    mesh = shapes.grid(8, 6).with_data(vertex={"label": np.full(63, 11)})

    assert DentalFacts(MeshFacts(mesh, Policy())).tooth_sizes is None
