"""Regions of equal label: against naive twins on random labels, whatever carries them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshguard.facts.dental import DentalFacts
from meshguard.facts.mesh import MeshFacts
from meshguard.phantoms import phantom
from meshguard.policy import Policy
from tests import oracles, shapes

if TYPE_CHECKING:
    from meshguard.mesh import Mesh

ARCH = phantom(faces=12_000)


def facts(mesh: Mesh) -> DentalFacts:
    return DentalFacts(MeshFacts(mesh, Policy()))


def faces_of_edges(mesh: Mesh) -> dict[frozenset[int], list[int]]:
    """The faces at each edge."""
    found: dict[frozenset[int], list[int]] = defaultdict(list)
    for face, corners in enumerate(mesh.faces.tolist()):
        for k in range(3):
            found[frozenset((corners[k], corners[k - 2]))].append(face)
    return found


def areas(mesh: Mesh) -> np.ndarray:
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    found: np.ndarray = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    return found


def random_labels(seed: int, by: str) -> tuple[Mesh, np.ndarray, list[int]]:
    """A small sheet with random labels, those of its nodes, and those of its faces."""
    mesh = shapes.grid(3, 2)
    count = len(mesh.faces) if by == "face" else len(mesh.vertices)
    labels = np.random.default_rng(seed).choice([0, 11, 12], count).astype(np.int32)
    labels[0] = 11  # one tooth at least
    if by == "face":
        return mesh.with_data(face={"label": labels}), labels, labels.tolist()
    return mesh.with_data(vertex={"label": labels}), labels, oracles.face_labels(mesh.faces, labels)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["face", "vertex"]))
def test_they_are_those_of_the_naive_twin(seed: int, by: str) -> None:
    mesh, labels, of_face = random_labels(seed, by)
    pieces = oracles.label_pieces(mesh.faces.tolist(), labels.tolist(), by_face=by == "face")
    number = {node: place for place, piece in enumerate(pieces) for node in piece}
    regions = facts(mesh).label_regions

    assert [set(regions.nodes_of(place).tolist()) for place in range(regions.n_regions)] == pieces
    assert regions.label.tolist() == [int(labels[min(piece)]) for piece in pieces]
    assert regions.n_nodes.tolist() == [len(piece) for piece in pieces]
    assert regions.label_of_face.tolist() == of_face
    edges = faces_of_edges(mesh)
    if by == "face":
        met = {tuple(sorted(number[f] for f in faces)) for faces in edges.values() if len(faces) == 2}
        assert regions.of_face.tolist() == regions.of_node.tolist()
        assert regions.area.tolist() == pytest.approx([areas(mesh)[list(piece)].sum() for piece in pieces])
        assert len(regions.mixed) == 0
    else:
        met = {tuple(sorted(number[v] for v in edge)) for edge in edges}
        mixed = [f for f, corners in enumerate(mesh.faces.tolist()) if len({int(labels[v]) for v in corners}) > 1]
        assert regions.mixed.tolist() == mixed
        assert regions.area.sum() == pytest.approx(areas(mesh).sum())
    assert regions.pairs.tolist() == sorted([a, b] for a, b in met if a != b)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["face", "vertex"]))
def test_borders_are_the_edges_between_faces_that_differ(seed: int, by: str) -> None:
    mesh, _, of_face = random_labels(seed, by)
    found = facts(mesh)
    differ = {e for e, faces in faces_of_edges(mesh).items() if len({of_face[f] for f in faces}) == 2}
    borders = found.label_regions.borders

    assert {frozenset(pair) for pair in found.surface.edge_ends(borders).tolist()} == differ
    assert len(borders) == len(differ) and (np.diff(borders) > 0).all()


def test_measures_of_half_a_sheet() -> None:
    mesh = shapes.grid(4, 2, width=60.0, bulge=0.0)
    left = mesh.vertices[mesh.faces].mean(axis=1)[:, 0] < 0
    regions = facts(mesh.with_data(face={"label": np.where(left, 11, 12).astype(np.int32)})).label_regions

    assert regions.label.tolist() == [11, 12]
    assert regions.area.tolist() == pytest.approx([1200.0, 1200.0])
    assert regions.centre == pytest.approx(np.array([[-15.0, 0, 0], [15.0, 0, 0]]))
    assert regions.vector_area == pytest.approx(np.array([[0, 0, 1200.0], [0, 0, 1200.0]]))
    assert regions.boundary_length.tolist() == pytest.approx([100.0, 100.0])  # 30 + 40 + 30 mm


def test_labels_of_faces_are_those_that_the_mesh_carries_too() -> None:
    assert np.array_equal(facts(ARCH).label_regions.label_of_face, ARCH.face_data["label"])


def test_both_carriers_have_the_same_borders() -> None:
    by_face = ARCH.without_labels().with_data(face={"label": ARCH.face_data["label"]})
    one, other = DentalFacts(MeshFacts(ARCH, Policy())), DentalFacts(MeshFacts(by_face, Policy()))

    assert other.labels.per == "face"
    assert np.array_equal(one.label_regions.borders, other.label_regions.borders)
    assert one.teeth.labels.tolist() == other.teeth.labels.tolist()
    assert np.abs(one.teeth.centres - other.teeth.centres).max() < 0.5
