"""Islands and holes on a graph of labels: they only ever join what is around them, and never the main piece."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshguard.facts.dental.label_islands import IslandRule
from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import policy
from meshguard.repair.labels.islands import regions_of, without_islands
from meshguard.repair.labels.label_graph import face_graph
from tests import shapes

RULE = IslandRule(share=0.3, area_mm2=0.0, near_mm=0.0, speck_share=0.05)


def facts(mesh: Mesh) -> MeshFacts:
    return MeshFacts(mesh, policy("scan"))


@given(st.integers(0, 2**32 - 1))
def test_islands_only_ever_join_their_neighbours(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mesh = shapes.grid(8, 6)
    graph = face_graph(facts(mesh))
    labels = rng.choice([0, 11, 12], len(mesh.faces), p=[0.2, 0.6, 0.2]).astype(np.int32)
    mended, n_islands, n_holes = without_islands(graph, labels, RULE, specks=False)
    before, after = regions_of(graph, labels), regions_of(graph, mended)

    assert set(mended.tolist()) <= set(labels.tolist())
    assert len(after.area) <= len(before.area) and after.area.sum() == pytest.approx(before.area.sum())
    assert (n_islands + n_holes == 0) == bool((mended == labels).all())
    for label in set(labels.tolist()):
        largest = np.flatnonzero(before.of_node == int(np.argmax(np.where(before.label == label, before.area, -1))))
        assert (mended[largest] == label).all()
    again, *_ = without_islands(graph, mended, RULE._replace(share=0.0, area_mm2=0.0), specks=False)
    assert (again == mended).all()


def test_the_main_piece_is_large_in_area_and_in_faces() -> None:
    """An island on coarse ground wider than its tooth, as on the base of a cast, does not take the tooth's place."""
    tooth, ground = shapes.grid(20, 20, width=6.0, bulge=0.0), shapes.grid(2, 1, width=40.0, bulge=0.0)
    mesh = Mesh(
        vertices=np.concatenate([tooth.vertices, ground.vertices + [100, 0, 0]]),
        faces=np.concatenate([tooth.faces, ground.faces + len(tooth.vertices)]),
    )
    n = len(tooth.faces)
    labels = np.concatenate([np.full(n, 11), np.zeros(len(ground.faces))]).astype(np.int32)
    labels[n] = 11  # one face, many times as wide as the tooth
    graph = face_graph(facts(mesh))
    mended, n_islands, _ = without_islands(graph, labels, RULE, specks=False)

    assert graph.area[n] > 2 * graph.area[:n].sum()
    assert n_islands == 0 and (mended == labels).all()  # so wide a piece is for a person to look at
