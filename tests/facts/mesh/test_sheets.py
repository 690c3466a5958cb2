"""Sheets: which faces around a non-manifold edge belong together, and what they then are."""

from __future__ import annotations

import numpy as np

from meshguard.facts.mesh import MeshFacts
from meshguard.facts.mesh.sheets import find_sheets, pair_sheets
from meshguard.mesh import Mesh
from meshguard.policy import policy
from tests import mutations, shapes
from tests.repair import broken


class TestPairs:
    def test_at_two_cubes_the_faces_with_the_inside_between_them(self) -> None:
        mesh = broken.cubes_at_an_edge()
        pairs = pair_sheets(MeshFacts(mesh, policy("scan")))

        assert len(pairs) == 2
        assert [one // 36 == other // 36 for one, other in pairs.tolist()] == [True, True]  # 12 faces a cube

    def test_at_a_fin_the_sheet_stays_together(self) -> None:
        mesh = mutations.fin()
        pairs = pair_sheets(MeshFacts(mesh, policy("scan")))

        assert len(pairs) == 1
        assert 96 not in (pairs // 3)

    def test_there_is_none_at_a_crowded_edge_whose_sides_do_not_balance(self) -> None:
        turns = np.linspace(0.0, 2 * np.pi, 301, endpoint=False)
        tips = np.column_stack([np.cos(turns), np.sin(turns), np.full(301, 0.5)])
        faces = np.column_stack([np.zeros(301, int), np.ones(301, int), np.arange(2, 303)])
        book = Mesh(vertices=np.concatenate([[[0, 0, 0], [0, 0, 1]], tips]), faces=faces)

        assert pair_sheets(MeshFacts(book, policy("scan"))).shape == (0, 2)

    def test_there_is_none_on_a_surface(self) -> None:
        assert pair_sheets(MeshFacts(shapes.torus(), policy("scan"))).shape == (0, 2)


class TestSheets:
    def test_two_cubes_at_an_edge_are_two_closed_ones(self) -> None:
        sheets = find_sheets(MeshFacts(broken.cubes_at_an_edge(), policy("scan")))

        assert sheets.of_face.tolist() == [0] * 12 + [1] * 12
        assert sheets.is_closed.tolist() == [True, True]

    def test_a_fin_is_an_open_one_beside_its_open_sheet(self) -> None:
        mesh = mutations.fin()
        sheets = find_sheets(MeshFacts(mesh, policy("scan")))

        assert sheets.of_face.tolist() == [0] * 96 + [1]
        assert sheets.is_closed.tolist() == [False, False]

    def test_an_inner_wall_leaves_its_body_closed(self) -> None:
        sheets = find_sheets(MeshFacts(broken.inner_wall(), policy("scan")))

        assert np.bincount(sheets.of_face).tolist() == [20, 2]
        assert sheets.is_closed.tolist() == [True, False]

    def test_faces_without_edges_are_none_that_is_closed(self) -> None:
        mesh = mutations.repeated_corner()
        sheets = find_sheets(MeshFacts(mesh, policy("scan")))

        assert not sheets.is_closed[sheets.of_face[-1]]
