"""Stitching: cracks are closed, and nothing else is joined."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard import repair
from meshguard.errors import RepairRefused
from meshguard.mesh import Mesh
from meshguard.policy import Policy
from tests import mutations, shapes
from tests.repair import broken
from tests.repair.proof import proved, steps

CRACKS = "stitch cracks"
TJUNCTIONS = "split edges at T-junctions"


class TestCracks:
    def test_an_edge_split_on_one_side_is_split_on_the_other(self) -> None:
        result = repair(broken.t_junction())
        stats = proved(result)

        assert steps(result) == {TJUNCTIONS: 1}
        assert (stats["boundary_edges"], stats["faces"]) == (16, 34)
        assert result.max_displacement_mm == 0.0

    def test_splitting_is_lossless(self) -> None:
        result = repair(mutations.t_junction(), lossless=True)

        assert steps(result) == {TJUNCTIONS: 1}
        assert proved(result)["boundary_loops"] == 1
        assert (result.area_added_mm2, result.area_removed_mm2) == (0.0, 0.0)

    def test_what_needs_a_weld_too_is_not(self) -> None:
        """The vertex on the edge, and one end of the edge, are 1e-4 mm beside it."""
        mesh = mutations.t_junction()
        a, b = mesh.faces[-2][0], mesh.faces[-1][1]
        vertices = np.concatenate([mesh.vertices, mesh.vertices[b : b + 1] + [0, 0, 1e-4]]).astype(np.float32)
        faces = mesh.faces.copy()
        faces[-1][faces[-1] == b] = len(mesh.vertices)
        result = repair(Mesh(vertices=vertices, faces=faces))

        assert a != b
        assert CRACKS in steps(result)
        assert proved(result)["boundary_loops"] == 1
        with pytest.raises(RepairRefused):
            repair(Mesh(vertices=vertices, faces=faces), lossless=True)

    def test_borders_a_little_apart_are_welded(self) -> None:
        result = repair(mutations.crack())
        stats = proved(result)

        assert stats["boundary_loops"] == 1
        assert stats["components"] == 1
        assert 0 < result.max_displacement_mm <= 1e-3

    def test_borders_further_apart_than_the_limit_are_not(self) -> None:
        mesh = mutations.crack()
        vertices = mesh.vertices.copy()
        right = np.flatnonzero((vertices[:, 0] > 0) & (vertices[:, 0] < 1))
        vertices[right, 0] = 0.01
        result = repair(Mesh(vertices=vertices.astype(np.float32), faces=mesh.faces))

        assert CRACKS not in steps(result)
        assert proved(result)["components"] == 2

    def test_the_policy_says_how_far(self) -> None:
        none = repair(mutations.crack(), policy=Policy(limits={"weld_mm": 0.0}))

        assert CRACKS not in steps(none)

    def test_a_soup_has_no_cracks_and_stays_as_it_is(self) -> None:
        mesh = shapes.soup(shapes.grid())

        assert repair(mesh).mesh is mesh

    def test_a_soup_whose_points_are_a_little_apart_becomes_one_sheet(self) -> None:
        mesh = shapes.soup(shapes.grid(4, 4))
        noise = np.random.default_rng(0).uniform(-1, 1, mesh.vertices.shape) * 5e-5
        result = repair(Mesh(vertices=(mesh.vertices + noise).astype(np.float32), faces=mesh.faces))
        stats = proved(result)

        assert (stats["components"], stats["boundary_edges"], stats["faces"]) == (1, 16, 32)


def _normals(mesh: Mesh) -> np.ndarray:
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    return np.cross(b - a, c - a)
