"""Crowns that are labelled gum: found where a label was taken away, and nowhere on an arch that is labelled whole."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard.facts.dental import DentalFacts
from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.phantoms import phantom
from meshguard.policy import Policy

ARCH = phantom(faces=16_000, seed=1)


def facts(*forgotten: int, limits: dict[str, float] | None = None) -> DentalFacts:
    """The arch with some teeth labelled gum."""
    label = ARCH.vertex_data["label"].astype(np.int32)
    label[np.isin(label, forgotten)] = 0
    mesh = ARCH.without_labels().with_data(vertex={"label": label})
    return DentalFacts(MeshFacts(mesh, Policy(limits=limits or {})))


def test_an_arch_that_is_labelled_whole_has_none() -> None:
    faces, clusters = facts().unlabelled_crowns

    assert (len(faces), len(clusters)) == (0, 0)


@pytest.mark.parametrize("tooth", [44, 31, 37])
def test_a_tooth_whose_label_was_taken_away_is_found(tooth: int) -> None:
    faces, clusters = facts(tooth).unlabelled_crowns
    is_tooth = ARCH.face_data["label"][faces] == tooth

    assert set(clusters.tolist()) == {0}
    assert is_tooth.mean() > 0.9
    assert len(faces) > 0.2 * np.count_nonzero(ARCH.face_data["label"] == tooth)
    assert len(set(faces.tolist())) == len(faces)


def test_two_teeth_are_two_clusters() -> None:
    faces, clusters = facts(46, 34).unlabelled_crowns
    label = ARCH.face_data["label"][faces]

    found = {int(np.bincount(label[clusters == cluster]).argmax()) for cluster in set(clusters.tolist())}
    assert found == {46, 34}
    assert sorted(set(clusters.tolist())) == [0, 1]


def test_the_area_from_which_on_is_the_policys() -> None:
    assert len(facts(44, limits={"tooth_like_mm2": 1000.0}).unlabelled_crowns[0]) == 0


def test_without_a_row_nothing_is_looked_for() -> None:
    alone = facts(*(code for code in np.unique(ARCH.vertex_data["label"]).tolist() if code != 36))
    few = Mesh(vertices=np.eye(3), faces=[[0, 1, 2]], face_data={"label": np.array([11])})

    assert len(alone.unlabelled_crowns[0]) == 0
    assert len(DentalFacts(MeshFacts(few, Policy())).unlabelled_crowns[0]) == 0
