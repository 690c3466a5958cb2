"""Boundary smoothing: along grooves where borders are drawn there, as the others run where not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import meshguard
from meshguard.facts.mesh import MeshFacts
from meshguard.policy import policy
from meshguard.repair.labels import boundary_smoothing
from meshguard.repair.labels.boundary_smoothing import smooth_borders
from meshguard.repair.labels.label_graph import face_graph
from tests.arches import REAL, by_face, real

if TYPE_CHECKING:
    from pathlib import Path

    from meshguard.mesh import Mesh


def learns(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether what a border costs is learned from this arch."""
    asked: list[int] = []

    def noted(graph: object, labels: object, *rest: object) -> object:
        asked.append(1)
        return labels

    monkeypatch.setattr(boundary_smoothing, "_along_learned_course", noted)
    smooth_borders(face_graph(MeshFacts(mesh, policy("scan"))), mesh.face_data["label"].astype(np.int32))
    return bool(asked)


@pytest.mark.parametrize("jaw", ["upper", "lower"])
def test_a_phantoms_borders_lie_beside_the_groove(jaw: meshguard.mesh.Jaw, monkeypatch: pytest.MonkeyPatch) -> None:
    assert learns(by_face(meshguard.phantom(jaw=jaw, faces=16_000)), monkeypatch)


@pytest.mark.parametrize("name", REAL)
def test_people_draw_borders_in_the_groove(data_root: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not learns(real(data_root, name), monkeypatch)


def test_without_borders_nothing_is_done() -> None:
    mesh = by_face(meshguard.phantom(faces=2000))
    labels = np.full(len(mesh.faces), 11, np.int32)

    assert smooth_borders(face_graph(MeshFacts(mesh, policy("scan"))), labels) is labels
