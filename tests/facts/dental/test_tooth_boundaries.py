"""Borders between two teeth: their edges, how they are cut into parts, and the surface along them."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard.facts.dental import DentalFacts
from meshguard.facts.dental.tooth_boundaries import NEAR_MM, band_along
from meshguard.facts.mesh import MeshFacts
from meshguard.policy import Policy
from tests import bridged, shapes
from tests.bridged import HIGH, LENGTH_MM, LOW


def test_a_border_has_its_edges_in_order() -> None:
    facts = DentalFacts(MeshFacts(bridged.slit(0.4), Policy()))
    borders, _ = facts.tooth_boundaries

    assert borders.pairs.tolist() == [[LOW, HIGH]]
    assert borders.totals().tolist() == pytest.approx([LENGTH_MM])
    y = facts.surface.positions[facts.surface.edge_ends(borders.edges)].mean(axis=1)[:, 1]
    from_either_end = [borders.along, LENGTH_MM - borders.along]
    assert min(np.abs(y - along).max() for along in from_either_end) < 1e-9


def test_parts_are_of_equal_length() -> None:
    borders, _ = DentalFacts(MeshFacts(bridged.slit(0.4), Policy())).tooth_boundaries
    part, pair = borders.parts(1.0)

    assert pair.tolist() == [0, 0, 0]
    assert np.bincount(part, borders.lengths) == pytest.approx([1.0, 1.0, 1.0], abs=0.31)


def test_there_are_no_more_parts_than_edges() -> None:
    borders, _ = DentalFacts(MeshFacts(bridged.slit(0.4), Policy())).tooth_boundaries
    part, pair = borders.parts(1e-6)

    assert len(pair) == len(borders.edges)
    assert sorted(part.tolist()) == list(range(len(borders.edges)))


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_faces_does_not_enter(seed: int) -> None:
    """Nor where the border is straight, and angles about its middle say nothing."""
    facts = DentalFacts(MeshFacts(shapes.shuffled(bridged.slit(0.4), seed), Policy()))
    borders, _ = facts.tooth_boundaries
    y = facts.surface.positions[facts.surface.edge_ends(borders.edges)].mean(axis=1)[:, 1]

    assert min(np.abs(y - along).max() for along in (borders.along, LENGTH_MM - borders.along)) < 1e-9


def test_a_band_lies_on_both_sides() -> None:
    facts = DentalFacts(MeshFacts(bridged.slit(0.4), Policy()))
    borders, band = facts.tooth_boundaries
    x = facts.surface.positions[facts.surface.corners[band.faces]].mean(axis=1)[:, 0]

    assert (np.sign(x) == np.sign(band.signed)).all()
    assert np.abs(band.signed).max() <= NEAR_MM
    assert band.outward == 1.0
    assert len(band_along(facts.surface, facts.label_regions, facts.teeth, borders, 0.3).faces) < len(band.faces)


def test_some_of_the_borders() -> None:
    mesh = bridged.slit(0.4)
    label = mesh.face_data["label"].copy()
    x = mesh.vertices[mesh.faces].mean(axis=1)[:, 0]
    label[(x > -4.0) & (x < -3.5)] = 13
    borders, _ = DentalFacts(
        MeshFacts(mesh.without_labels().with_data(face={"label": label}), Policy())
    ).tooth_boundaries
    second = borders.only(np.array([False, True]))

    assert borders.pairs.tolist() == [[LOW, HIGH], [LOW, 13]]
    assert second.pairs.tolist() == [[LOW, 13]]
    assert set(second.pair.tolist()) == {0}
    assert second.totals().tolist() == pytest.approx([LENGTH_MM])


def test_pairs_are_by_label_where_labels_are_negative() -> None:
    mesh = bridged.slit(0.4)
    label = np.select([mesh.face_data["label"] == LOW, mesh.face_data["label"] == HIGH], [-2, -1], 0)
    borders, band = DentalFacts(
        MeshFacts(mesh.without_labels().with_data(face={"label": label}), Policy())
    ).tooth_boundaries

    assert borders.pairs.tolist() == [[-2, -1]]
    assert (label[band.faces[band.signed < 0.0]] == -2).all()
