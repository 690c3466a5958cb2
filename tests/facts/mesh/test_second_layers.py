"""Second layers: what lies over what, on the smallest meshes; and nothing on what only looks like it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import meshguard
from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import Policy, policy
from tests import mutations, shapes

if TYPE_CHECKING:
    from meshguard.facts.mesh.second_layers import SecondLayers


def found(mesh: Mesh, rules: Policy | None = None) -> SecondLayers:
    return MeshFacts(mesh, rules or policy("scan")).second_layers


def sheets(gap: float, *, flip: bool = False, columns: int = 8) -> Mesh:
    """A flat sheet, and its middle third of 20 × 40 mm again, a gap above."""
    mesh = shapes.grid(columns * 3, 6, bulge=0.0)
    middle = mesh.take(np.abs(mesh.vertices[mesh.faces].mean(axis=1)[:, 0]) < 10)
    faces = middle.faces[:, ::-1] if flip else middle.faces
    return shapes.joined(mesh, Mesh(vertices=middle.vertices + [0, 0, gap], faces=faces))


@pytest.mark.parametrize("gap", [0.005, 0.04, -0.04, 0.1])
@pytest.mark.parametrize("columns", [2, 200])
def test_a_layer_is_measured(gap: float, columns: int) -> None:
    """With few faces all are asked; with many, a sample first."""
    mesh = sheets(gap, columns=columns)
    layers = found(mesh)

    assert layers.area.tolist() == pytest.approx([800.0])
    assert layers.gap.tolist() == pytest.approx([abs(gap)])
    assert layers.faces.tolist() == list(range(36 * columns, 48 * columns))


def test_a_layer_of_the_same_component_counts_once() -> None:
    """A strip that lies over the sheet and is connected with it along one edge."""
    sheet = shapes.grid(8, 6, bulge=0.0)
    n = len(sheet.vertices)
    x = np.linspace(-30, 30, 9)
    points = np.concatenate([np.stack([x, np.full(9, y), np.full(9, 0.05)], axis=1) for y in (-20.0, -5.0)])
    faces = []
    for i in range(8):
        a, b, c, d = n + i, n + i + 1, n + 9 + i, n + 10 + i
        faces += [[i, i + 1, b], [i, b, a], [a, b, d], [a, d, c]]
    flap = Mesh(vertices=np.concatenate([sheet.vertices, points]), faces=np.concatenate([sheet.faces, faces]))
    layers = found(flap)

    assert MeshFacts(flap, policy("scan")).components.n_components == 1
    assert layers.area.sum() == pytest.approx(60 * 15, rel=0.2)
    assert layers.gap.tolist() == pytest.approx([0.05])


def test_two_layers_apart_are_two() -> None:
    mesh = shapes.grid(24, 6, bulge=0.0)
    outer = mesh.take(np.abs(mesh.vertices[mesh.faces].mean(axis=1)[:, 0]) > 20)
    layers = found(shapes.joined(mesh, Mesh(vertices=outer.vertices + [0, 0, 0.02], faces=outer.faces)))

    assert layers.area.tolist() == pytest.approx([400.0, 400.0])


def test_the_two_sides_of_a_wall_are_none() -> None:
    assert len(found(sheets(0.05, flip=True)).area) == 0


def test_what_lies_further_away_or_is_small_is_none() -> None:
    assert len(found(sheets(0.2)).area) == 0
    assert len(found(sheets(0.05), Policy(limits={"layer_area_mm2": 900.0, "layer_area_fraction": 1.0})).area) == 0


def test_what_covers_a_patch_exactly_is_for_another_check() -> None:
    assert len(found(mutations.doubled_triangle()).area) == 0


def test_an_arch_has_none() -> None:
    assert len(found(meshguard.phantom(faces=20_000)).area) == 0
