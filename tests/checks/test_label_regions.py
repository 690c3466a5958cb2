"""Regions of a label: islands, second regions with one number, and holes in a tooth label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from meshguard.phantoms import mislabel
from meshguard.report import Severity
from tests import shapes
from tests.checks.test_labels import ARCH, of, renumbered

if TYPE_CHECKING:
    from meshguard.mesh import Mesh


def patched(label: int, cells: slice, *, other: int = 0) -> Mesh:
    """A fine flat sheet, a block of it a tooth and a few cells of that another label."""
    mesh = shapes.grid(40, 40, bulge=0.0)
    centres = mesh.vertices[mesh.faces].mean(axis=1)
    labels = np.where(np.abs(centres[:, :2]).max(axis=1) < 14, 36, 0)
    inside = np.flatnonzero(np.abs(centres[:, :2]).max(axis=1) < 8)
    labels[inside[cells]] = label
    labels[centres[:, 0] > 25] = other
    return mesh.with_data(face={"label": labels})


def test_a_hole_of_gum_in_a_tooth() -> None:
    (finding,) = of(patched(0, slice(100, 104)), "D105")

    assert (finding.tooth, finding.count, finding.severity) == (36, 4, Severity.WARNING)
    assert finding.measures["area_mm2"] == pytest.approx(3.0)


def test_an_island_of_another_tooth_is_an_island_not_a_hole() -> None:
    mesh = patched(37, slice(100, 104), other=37)

    assert [(f.tooth, f.count) for f in of(mesh, "D104")] == [(37, 4)]
    assert of(mesh, "D105") == []


def test_a_label_that_is_only_inside_a_tooth_is_a_hole() -> None:
    (finding,) = of(patched(37, slice(100, 104)), "D105")

    assert finding.measures["label_inside"] == 37


def test_two_teeth_with_one_number_are_an_error() -> None:
    (finding,) = of(renumbered(t33=36), "D104")

    assert (finding.severity, finding.tooth) == (Severity.ERROR, 36)
    assert finding.measures["distance_mm"] > 10.0


def test_a_region_that_the_scan_border_cuts_off_is_not_an_error() -> None:
    mesh = shapes.grid(40, 40, bulge=0.0)
    centres = mesh.vertices[mesh.faces].mean(axis=1)
    label = np.where(np.abs(centres[:, 1]) < 5, 36, 0)
    cut = mesh.with_data(face={"label": label}).take((label == 0) | (np.abs(centres[:, 0]) > 3))

    assert {f.severity for f in of(cut, "D104")} == {Severity.WARNING}


def test_a_component_of_the_mesh_is_not_an_island_of_a_label() -> None:
    debris = shapes.grid(width=3.0)
    label = {"label": np.full(len(debris.faces), 36)}
    loose = shapes.joined(patched(36, slice(0)).without_labels(), debris)
    both = np.concatenate([patched(36, slice(0)).face_data["label"], label["label"]])

    assert of(loose.with_data(face={"label": both}), "D104") == []


def test_vertices_that_carry_labels_are_listed_as_vertices() -> None:
    mesh, truth = mislabel(ARCH, "hole", seed=2)
    (finding,) = of(mesh, "D105")

    assert (finding.element, finding.indices.tolist()) == ("vertex", truth.indices.tolist())
