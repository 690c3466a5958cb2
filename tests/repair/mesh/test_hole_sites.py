"""A hole and its surroundings: rings around loops, what closes them, and how the surface meets them."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard.mesh import Mesh
from meshguard.repair.mesh.hole_filling import fill_hole
from meshguard.repair.mesh.hole_sites import HoleSite, hole_site, incidence, rings_around
from tests import shapes
from tests.repair.mesh.test_hole_filling import ball, heights, new_loops, without


def square_hole() -> tuple[HoleSite, np.ndarray]:
    """A flat sheet of squares of 15 by 10 mm with one square missing, and its two faces as the site numbers them."""
    mesh = shapes.grid(4, 4, bulge=0.0)
    missing = [10, 11]
    cut = mesh.take(np.delete(np.arange(len(mesh.faces)), missing))
    loop = next(loop for loop in new_loops(cut) if len(loop) == 4)
    site = hole_site(cut.vertices, cut.faces, [loop.astype(np.int32)], None)
    return site, np.searchsorted(site.numbers, mesh.faces[missing]).astype(np.int32)


def test_the_faces_around_loops_are_found_ring_by_ring() -> None:
    cut = without(ball(), heights(ball()) > 17.0)
    loop = new_loops(cut)[0]
    at = incidence(cut.faces, len(cut.vertices))
    touched = np.isin(cut.faces, loop).any(axis=1)

    one, two = rings_around(cut.faces, at, [loop], rings=1), rings_around(cut.faces, at, [loop], rings=2)

    assert one.tolist() == np.flatnonzero(touched).tolist()
    assert two.tolist() == np.flatnonzero(np.isin(cut.faces, cut.faces[touched]).any(axis=1)).tolist()
    named = fill_hole(cut.vertices, cut.faces, [loop], around=rings_around(cut.faces, at, [loop]))
    found = fill_hole(cut.vertices, cut.faces, [loop])
    assert named is not None and found is not None
    assert (named.points == found.points).all() and (named.faces == found.faces).all()


def test_the_faces_that_were_there_close_a_hole_and_others_do_not() -> None:
    site, faces = square_hole()

    assert site.is_closed_by(faces)
    assert not site.is_closed_by(faces[:1])  # a side stays open
    assert not site.is_closed_by(faces[:, ::-1])  # the wrong way round
    assert not site.is_closed_by(np.concatenate([faces, faces[:1]]))  # an edge twice
    assert not site.is_closed_by(np.concatenate([faces, site.faces[:1]]))  # a face that the mesh has


def test_edges_are_as_long_as_the_grid_makes_them() -> None:
    site, _ = square_hole()
    lengths = site.mean_edge_lengths()

    assert len(lengths) == len(site.numbers)
    diagonal = float(np.hypot(15.0, 10.0))
    assert ((lengths >= 10.0 - 1e-9) & (lengths <= diagonal + 1e-9)).all()


def test_the_surface_beside_a_flat_hole_is_flat() -> None:
    site, _ = square_hole()

    assert site.across[0] == pytest.approx(np.tile([0.0, 0.0, 1.0], (4, 1)))


def test_a_loop_without_a_face_beside_it_has_no_normal() -> None:
    lone = Mesh(vertices=[[0, 0, 0], [9, 0, 0], [0, 9, 0], [50, 50, 50]], faces=[[0, 1, 3]])
    site = hole_site(lone.vertices, lone.faces, [np.array([0, 1, 2], np.int32)], np.empty(0, np.int32))

    assert np.isnan(site.across[0]).all()
