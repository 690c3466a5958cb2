"""Wrong labels: each changes labels only, says what it changed, and is the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard.phantoms import LABEL_DEFECTS, mislabel, phantom
from tests import shapes

ARCH = phantom(faces=16_000)
BY_FACE = ARCH.without_labels().with_data(face={"label": ARCH.face_data["label"]})


@pytest.mark.parametrize("by", ["vertex", "face"])
@pytest.mark.parametrize("defect", LABEL_DEFECTS)
def test_labels_change_where_the_truth_says_and_the_mesh_does_not(defect: str, by: str) -> None:
    arch = ARCH if by == "vertex" else BY_FACE
    mesh, truth = mislabel(arch, defect, seed=5)
    again, _ = mislabel(arch, defect, seed=5)
    data, before = (mesh.vertex_data, arch.vertex_data) if by == "vertex" else (mesh.face_data, arch.face_data)
    changed = np.flatnonzero(data["label"] != before["label"])

    assert mesh.vertices is arch.vertices and mesh.faces is arch.faces
    assert mesh.digest() == again.digest()
    assert truth.element in (by, "file")
    if truth.element == "file":
        assert len(changed) > len(data["label"]) / 3
    elif truth.check != "D103":
        assert len(changed) and np.isin(changed, truth.indices).all()
    else:
        assert not len(changed) and "instance" in data
    if truth.location is not None:
        places = mesh.vertices if by == "vertex" else mesh.vertices[mesh.faces].mean(axis=1)
        assert np.abs(places[truth.indices] - truth.location).sum(axis=1).min() < 1e-9


def test_a_hole_is_connected_and_off_the_border() -> None:
    mesh, truth = mislabel(ARCH, "hole", seed=2)
    ring = np.unique(mesh.faces[np.isin(mesh.faces, truth.indices).any(axis=1)])

    assert set(np.unique(mesh.vertex_data["label"][np.setdiff1d(ring, truth.indices)])) == {truth.measures["tooth"]}


def test_what_cannot_be_done_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no label defect 'holes'"):
        mislabel(ARCH, "holes")
    with pytest.raises(ValueError, match="carries no labels"):
        mislabel(shapes.grid(), "hole")
