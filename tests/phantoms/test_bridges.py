"""A phantom with a bridge: it is sound, says where the sheet is, and differs from the phantom there only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import meshguard
from meshguard.phantoms import bridged_phantom, phantom

if TYPE_CHECKING:
    from meshguard.mesh import Jaw


@pytest.mark.parametrize("jaw", ["lower", "upper"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_is_a_whole_sheet_that_does_not_cross_itself(jaw: Jaw, seed: int) -> None:
    mesh, _ = bridged_phantom(jaw=jaw, faces=20_000, seed=seed)

    assert [f.check for f in meshguard.validate(mesh).findings if f.check != "D115"] == []
    assert len(meshguard.boundary_loops(mesh)[0]) == 2


def test_the_sheet_is_as_wide_as_its_gap_and_belongs_to_both_teeth() -> None:
    mesh, truth = bridged_phantom(faces=40_000, seed=3, gap_mm=0.5)
    sheet = mesh.faces[truth.indices]
    low, high = truth.measures["tooth"], truth.measures["other"]

    assert set(np.unique(mesh.vertex_data["label"][sheet]).tolist()) == {low, high}
    # Along the arch it is narrow; across it, a part of the crowns' width.
    flat = mesh.vertices[np.unique(sheet)][:, :2]
    directions = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)[2]
    extents = np.ptp(flat @ directions.T, axis=0)
    assert extents[1] == pytest.approx(0.5, abs=0.15)
    assert 2.0 < extents[0] < 8.0
    places = mesh.vertices[sheet].mean(axis=1)
    assert truth.location is not None and np.linalg.norm(places - truth.location, axis=1).min() < 1e-9


def test_elsewhere_it_is_the_phantom() -> None:
    mesh, truth = bridged_phantom(faces=20_000, seed=5)
    plain = phantom(faces=20_000, seed=5)
    assert truth.location is not None
    far = np.linalg.norm(plain.vertices - truth.location, axis=1) > 16.0

    assert np.isin(plain.vertices[far].view("f8,f8,f8"), mesh.vertices.view("f8,f8,f8")).all()


def test_it_is_the_same_for_the_same_seed() -> None:
    assert bridged_phantom(faces=8_000, seed=2)[0].digest() == bridged_phantom(faces=8_000, seed=2)[0].digest()


def test_what_cannot_be_done_is_refused() -> None:
    with pytest.raises(ValueError, match="gap_mm must be a number"):
        bridged_phantom(gap_mm=1.5)
    with pytest.raises(ValueError, match="jaw must be"):
        bridged_phantom(jaw="both")  # type: ignore[arg-type]
