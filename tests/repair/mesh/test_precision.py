"""Precision: in which numbers a mesh is repaired, and how far float32 would move it."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import policy
from meshguard.repair.mesh.precision import Precision, furthest_rounding, precision_for, rounds_too_far
from tests import shapes


def shifted(mesh: Mesh, by: object) -> Mesh:
    return Mesh(vertices=mesh.vertices + np.asarray(by), faces=mesh.faces)


def facts(mesh: Mesh) -> MeshFacts:
    return MeshFacts(mesh, policy("scan"))


FINE = shifted(shapes.grid(), 1e-9)
"""A sheet that float32 does not hold as it is."""

FAR = shifted(shapes.grid(), [1e6 + 1e-3, 0.0, 0.0])
"""The same at 1 km, where float32 has steps of 0.06 mm."""


class TestPrecision:
    @pytest.mark.parametrize(
        ("mesh", "stl", "ply"),
        [
            (shapes.grid(), Precision.SINGLE, Precision.SINGLE),
            (FINE, Precision.SINGLE, Precision.DOUBLE),
            (FAR, Precision.DOUBLE, Precision.DOUBLE),
        ],
        ids=["float32 already", "within the limit", "beyond it"],
    )
    def test_it_follows_from_the_mesh_and_the_target(self, mesh: Mesh, stl: Precision, ply: Precision) -> None:
        assert precision_for(facts(mesh), "stl") is stl
        assert precision_for(facts(mesh), "ply") is ply

    def test_how_points_are_held(self) -> None:
        points = np.array([[0.1, 1 / 3, 0.5]])

        assert Precision.DOUBLE.held(points) is points
        assert np.array_equal(Precision.SINGLE.held(points), points.astype(np.float32))
        assert (Precision.SINGLE.spacing(1.0), Precision.DOUBLE.spacing(1.0)) == (2.0**-23, 2.0**-52)


def test_how_far_rounding_goes_is_measured_at_the_corners_of_faces() -> None:
    vertices = np.concatenate([FINE.vertices, [[1e9 + 0.1, 0, 0], [np.nan, 0, 0]]])
    stray = facts(Mesh(vertices=vertices, faces=FINE.faces))
    moved = np.linalg.norm(FINE.vertices.astype(np.float32) - FINE.vertices, axis=1).max()

    assert furthest_rounding(stray) == moved
    assert not rounds_too_far(stray)
    assert furthest_rounding(facts(shapes.grid())) == 0.0
    assert rounds_too_far(facts(FAR))
