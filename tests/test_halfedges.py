"""Half-edge arithmetic, edge keys and normals in NumPy, against one face by hand and the compiled twins."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard import halfedges
from tests import shapes

H = np.arange(12, dtype=np.int32)


def test_around_a_face_and_back() -> None:
    assert halfedges.next_halfedge(H).tolist() == [1, 2, 0, 4, 5, 3, 7, 8, 6, 10, 11, 9]
    assert halfedges.previous_halfedge(halfedges.next_halfedge(H)).tolist() == H.tolist()


def test_half_edges_of_faces_are_three_each_in_their_order() -> None:
    found = halfedges.halfedges_of(np.array([5, 0], np.int32))

    assert found.tolist() == [15, 16, 17, 0, 1, 2]
    assert found.dtype == np.int32


def test_ends_and_the_corner_opposite() -> None:
    corners = np.array([[7, 8, 9]], np.int32)
    three = np.arange(3, dtype=np.int32)

    assert halfedges.edge_ends(corners, three).tolist() == [[7, 8], [8, 9], [9, 7]]
    assert halfedges.opposite_corners(corners, three).tolist() == [9, 7, 8]


def test_keys_tell_edges_apart_and_know_the_direction_only_where_asked() -> None:
    start, end = np.array([3, 9, 3], np.int32), np.array([9, 3, 4], np.int32)

    assert halfedges.edge_keys(start, end, 10).tolist() == [39, 39, 34]
    assert halfedges.directed_keys(start, end, 10).tolist() == [39, 93, 34]


def test_keys_of_many_positions_do_not_overflow() -> None:
    most = np.array([2**31 - 2], np.int32)

    assert halfedges.edge_keys(most, most, 2**31 - 1).tolist() == [(2**31 - 2) * (2**31)]


def test_normals_are_twice_as_long_as_faces_are_large() -> None:
    mesh = shapes.cube(2.0)
    normals = halfedges.face_normals(mesh.vertices, mesh.faces)

    assert np.linalg.norm(normals, axis=1) == pytest.approx(np.full(12, 4.0))
    assert np.array_equal(normals, halfedges.triangle_normals(mesh.vertices[mesh.faces]))
    centres = mesh.vertices[mesh.faces].mean(axis=1) - mesh.vertices.mean(axis=0)
    assert ((normals * centres).sum(axis=1) > 0).all()


def test_what_has_no_length_stays_zero() -> None:
    assert halfedges.unit_vectors(np.array([[0.0, 0, 0], [0, 3, 4]])).tolist() == [[0, 0, 0], [0, 0.6, 0.8]]
