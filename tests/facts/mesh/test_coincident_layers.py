"""Coincident layers: patches that are covered twice, and what only overlaps."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import policy
from tests import shapes
from tests.repair import broken


def facts(mesh: Mesh) -> MeshFacts:
    return MeshFacts(mesh, policy("scan"))


@pytest.mark.parametrize("reverse", [False, True])
def test_a_quad_meshed_with_both_diagonals_is_covered_twice(reverse: bool) -> None:
    layers = facts(broken.doubled_quads(1, 1, {0}, reverse=reverse)).coincident_layers

    assert layers.n_patches == 1
    assert (layers.faces.tolist(), layers.layer.tolist()) == ([0, 1, 2, 3], [0, 0, 1, 1])


def test_each_quad_of_a_strip_is_a_patch_of_its_own() -> None:
    assert facts(broken.doubled_quads(10, 1, set(range(10)))).coincident_layers.n_patches == 10


def test_a_patch_may_have_other_vertices_inside() -> None:
    """A square of two faces, and of four around its middle."""
    vertices = np.array([[0, 0, 0], [40, 0, 0], [40, 40, 0], [0, 40, 0], [20, 12, 0.0]])
    mesh = Mesh(vertices=vertices, faces=[[0, 1, 2], [0, 2, 3], [0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]])
    layers = facts(mesh).coincident_layers

    assert layers.layer.tolist() == [0, 0, 1, 1, 1, 1]


def test_faces_that_overlap_in_part_are_no_layers() -> None:
    square = np.array([[0, 0, 0], [40, 0, 0], [40, 40, 0], [0, 40, 0.0]])
    mesh = Mesh(
        vertices=np.concatenate([square, square + [9, 7, 0]]), faces=[[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]]
    )

    assert facts(mesh).coincident_layers.n_patches == 0
    assert facts(shapes.grid()).coincident_layers.n_patches == 0


def test_a_quad_that_is_not_flat_is_covered_twice_where_its_diagonals_nearly_meet() -> None:
    def quad(height: float) -> Mesh:
        vertices = np.array([[0, 0, 0], [40, 0, height], [40, 46, 0], [0, 46, height]])
        return Mesh(vertices=vertices, faces=[[0, 1, 2], [0, 2, 3], [0, 1, 3], [1, 2, 3]])

    assert facts(quad(1e-3)).doubled_quads.n_patches == 1
    assert facts(quad(1e-3)).coincident_layers.n_patches == 0
    assert facts(quad(1.0)).doubled_quads.n_patches == 0
    assert facts(shapes.tetrahedron()).doubled_quads.n_patches == 0


def test_the_layer_that_goes_with_its_neighbours_stays() -> None:
    """The quad in the middle of a sheet: its first two faces are reversed, the two that lie on them are not."""
    mesh = broken.doubled_quads(3, 3, {4})
    faces = mesh.faces.copy()
    faces[8:10] = faces[8:10, ::-1]
    wrong = facts(Mesh(vertices=mesh.vertices, faces=faces))

    assert np.flatnonzero(wrong.redundant_faces(wrong.coincident_layers)).tolist() == [8, 9]
    right = facts(mesh)
    assert np.flatnonzero(right.redundant_faces(right.coincident_layers)).tolist() == [18, 19]
