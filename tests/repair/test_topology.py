"""Steps on how faces hang together: duplicates, cracks, winding, what is inside out, loose vertices."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard import repair
from meshguard.mesh import Mesh
from meshguard.policy import Policy
from tests import mutations, shapes
from tests.repair import broken
from tests.repair.proof import is_same, proved, steps

CRACKS = "close cracks"


class TestDuplicates:
    @pytest.mark.parametrize("reverse", [False, True])
    def test_one_of_two_stays(self, reverse: bool) -> None:
        result = repair(broken.duplicates(reverse=reverse))
        stats = proved(result)

        assert steps(result)["drop duplicate faces"] == 1
        assert (stats["faces"], stats["boundary_edges"], stats["components"]) == (32, 16, 1)
        assert sorted(result.face_origin.tolist())[:13] == list(range(13))

    def test_of_three_the_way_of_two(self) -> None:
        result = repair(mutations.duplicate_face())

        proved(result)
        assert is_same(result.mesh, shapes.tetrahedron())

    def test_a_body_without_thickness_becomes_one_sheet(self) -> None:
        result = repair(broken.without_thickness())

        proved(result)
        assert len(result.mesh.faces) == 32
        assert result.area_removed_mm2 == pytest.approx(result.before.stats["area_mm2"] / 2)

    def test_neighbours_are_none(self) -> None:
        mesh = shapes.tetrahedron()

        assert repair(mesh).mesh is mesh


class TestCracks:
    def test_an_edge_split_on_one_side_is_split_on_the_other(self) -> None:
        result = repair(broken.t_junction())
        stats = proved(result)

        assert steps(result) == {CRACKS: 1}
        assert (stats["boundary_edges"], stats["faces"]) == (16, 34)
        assert result.max_displacement_mm == 0.0

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


class TestWinding:
    def test_a_face_turned_over_is_turned_back(self) -> None:
        result = repair(mutations.flipped_face())

        assert proved(result)["miswound_edges"] == 0
        assert is_same(result.mesh, Mesh(vertices=shapes.grid().vertices, faces=_turned_at(shapes.grid().faces, 40)))

    def test_half_the_faces_turned_over_end_the_right_way_round(self) -> None:
        mesh = shapes.torus()
        faces = mesh.faces.copy()
        faces[::2] = faces[::2, ::-1]
        result = repair(Mesh(vertices=mesh.vertices, faces=faces))

        assert proved(result)["inverted_bodies"] == 0
        assert result.area_removed_mm2 == 0.0
        assert result.vertex_origin.tolist() == list(range(len(mesh.vertices)))

    def test_what_is_wound_well_stays(self) -> None:
        mesh = shapes.torus()

        assert repair(mesh).mesh is mesh


class TestInsideOut:
    def test_a_cube_is_turned_over(self) -> None:
        result = repair(broken.turned(shapes.cube()))

        assert proved(result)["inverted_bodies"] == 0
        assert steps(result) == {"turn over what is inside out": 1}

    def test_a_sheet_far_away_is_turned_over(self) -> None:
        result = repair(mutations.inverted_sheet_far_away())
        normals = _normals(result.mesh)

        assert (normals[:, 2] > 0).all()

    def test_a_cavity_is_kept(self) -> None:
        mesh = broken.cavity()

        assert repair(mesh).mesh is mesh
        assert repair(mesh, policy="print").mesh is mesh


class TestLoose:
    def test_a_vertex_without_a_face_goes(self) -> None:
        mesh = mutations.unreferenced()
        result = repair(mesh)

        assert is_same(result.mesh, shapes.grid())
        assert steps(result) == {"drop vertices that no face uses": 1}

    def test_the_others_keep_their_order(self) -> None:
        mesh = mutations.unreferenced()
        order = np.roll(np.arange(len(mesh.vertices)), 1)
        rolled = Mesh(vertices=mesh.vertices[order], faces=mesh.faces + 1)
        result = repair(rolled)

        assert result.vertex_origin.tolist() == list(range(1, len(mesh.vertices)))


def _turned_at(faces: np.ndarray, place: int) -> np.ndarray:
    """Faces as they come back when one was reversed: wound well again, beginning with the corner that was first."""
    back = faces.copy()
    back[place] = faces[place][[2, 0, 1]]
    return back


def _normals(mesh: Mesh) -> np.ndarray:
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    return np.cross(b - a, c - a)
