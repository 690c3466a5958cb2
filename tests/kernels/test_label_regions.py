"""Regions of equal label, what they measure, and borders, against a slow twin and by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshguard.facts.dental import DentalFacts
from meshguard.facts.mesh import MeshFacts
from meshguard.kernels import label_regions as kernels
from meshguard.mesh import Mesh
from meshguard.policy import Policy
from tests import oracles, shapes

if TYPE_CHECKING:
    from meshguard.facts.dental.label_regions import LabelRegions


def regions_of(mesh: Mesh) -> LabelRegions:
    return DentalFacts(MeshFacts(mesh, Policy())).label_regions


@given(st.integers(0, 2**32), st.booleans(), st.integers(1, 4))
def test_regions_are_those_of_the_slow_twin(seed: int, by_face: bool, classes: int) -> None:
    mesh = shapes.grid(5, 4)
    random = np.random.default_rng(seed)
    label = random.integers(0, classes + 1, len(mesh.faces) if by_face else len(mesh.vertices))
    label[0] = 1
    labelled = mesh.with_data(face={"label": label}) if by_face else mesh.with_data(vertex={"label": label})
    facts = DentalFacts(MeshFacts(labelled, Policy()))
    if not facts.has_labels:
        return  # so mixed that they count as another file's

    found = [
        set(np.flatnonzero(facts.label_regions.of_node == k).tolist()) for k in range(len(facts.label_regions.label))
    ]

    assert found == oracles.label_pieces(facts.surface.corners.tolist(), label.tolist(), by_face=by_face)
    assert facts.label_regions.measures[:, kernels.AREA].sum() == pytest.approx(facts.surface.face_measures.area.sum())
    assert facts.label_regions.measures[:, kernels.NODES].tolist() == [len(region) for region in found]


def test_a_patch_measures_its_faces_and_meets_the_gum() -> None:
    mesh = shapes.grid(bulge=0.0)
    label = np.zeros(len(mesh.faces), int)
    label[[40, 41]] = 11  # one cell of 7.5 x 20/3 mm
    found = regions_of(mesh.with_data(face={"label": label}))
    (tooth,) = np.flatnonzero(found.label == 11)

    assert found.measures[tooth, kernels.AREA] == pytest.approx(50.0)
    assert found.measures[tooth, kernels.VECTOR : kernels.VECTOR + 3] == pytest.approx([0, 0, 50.0])
    assert found.measures[tooth, kernels.BOUNDARY_LENGTH] == 0.0
    assert found.measures[1 - tooth, kernels.BOUNDARY_LENGTH] == pytest.approx(200.0)
    assert found.pairs.tolist() == [[0, 1]]
    assert len(found.borders) == 4


def test_faces_hang_together_over_an_edge_with_three_faces() -> None:
    mesh = Mesh(
        vertices=[[0, 0, 0], [9, 0, 0], [0, 9, 0], [0, -9, 0], [0, 0, 9]], faces=[[0, 1, 2], [1, 0, 3], [0, 1, 4]]
    )

    assert regions_of(mesh.with_data(face={"label": np.array([11, 0, 11])})).of_node.tolist() == [0, 1, 0]


def test_positions_decide_not_vertices() -> None:
    soup = shapes.soup(shapes.grid())
    label = np.where(soup.vertices[:, 0] > 0, 11, 21)

    assert len(regions_of(soup.with_data(vertex={"label": label})).label) == 2


def test_smoothing_leaves_a_straight_border_as_it_is_and_shortens_a_zigzag() -> None:
    straight = np.stack([np.arange(20.0), np.zeros(20), np.zeros(20)], axis=1)
    zigzag = straight + np.array([[0, (-1) ** k, 0] for k in range(20)])
    ends = np.stack([np.arange(19), np.arange(1, 20)], axis=1).astype(np.int32)
    owners = np.tile(np.array([0, -1], np.int32), (19, 1))
    for array in (straight, zigzag, ends, owners):
        array.flags.writeable = False
    unchanged, shortened = np.empty((1, 4)), np.empty((1, 4))

    kernels.smoothed_lengths(straight, ends, owners, 30, unchanged)
    kernels.smoothed_lengths(zigzag, ends, owners, 30, shortened)

    assert unchanged[0] == pytest.approx([19.0, 19.0, 0.0, 38.0])
    assert shortened[0, 0] == pytest.approx(19 * 5**0.5)
    assert shortened[0, 1] < 22.0


def test_bands_grow_with_the_distance_and_stay_inside_their_label() -> None:
    mesh = shapes.grid(40, 30, bulge=0.0)
    centres = mesh.vertices[mesh.faces].mean(axis=1)
    label = np.where(centres[:, 0] < 0, 11, 21)
    facts = DentalFacts(MeshFacts(mesh.with_data(face={"label": label}), Policy()))
    distance, seed = np.full(len(label), np.inf), np.full(len(label), -1, np.int32)
    faces = np.empty(len(label), np.int32)

    count = kernels.faces_near_borders(
        facts.surface.positions,
        facts.surface.corners,
        facts.surface.edges.twins,
        facts.label_regions.label_of_face,
        facts.label_regions.borders,
        5.0,
        distance,
        seed,
        faces,
    )

    near = np.sort(faces[:count])
    assert near.tolist() == np.flatnonzero(np.isfinite(distance)).tolist()
    # Centre to centre is never shorter than straight, and not much longer.
    assert (distance[near] >= np.abs(centres[near, 0]) - 1e-9).all()
    assert (np.abs(centres[near, 0]) < 5.0).all()
    assert set(np.flatnonzero(np.abs(centres[:, 0]) < 3.0)) <= set(near.tolist())
