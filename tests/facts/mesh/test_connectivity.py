"""Connectivity: positions, boxes, edges, fans and components, against naive twins and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import Policy, policy
from meshguard.validation import validate
from tests import mutations, oracles, shapes
from tests.strategies import soups


def facts_of(mesh: Mesh) -> MeshFacts:
    return MeshFacts(mesh, policy("scan"))


class TestPositions:
    @given(soups())
    def test_they_are_numbered_by_first_occurrence(self, mesh: Mesh) -> None:
        for given_mesh in (mesh, shapes.soup(mesh)):
            facts, numbers = facts_of(given_mesh), oracles.position_numbers(given_mesh.vertices)

            assert facts.remap.tolist() == numbers
            assert facts.first_vertex.tolist() == [numbers.index(number) for number in range(len(set(numbers)))]
            assert facts.positions.tobytes() == given_mesh.vertices[facts.first_vertex].tobytes()
            assert facts.corners.tolist() == [[numbers[v] for v in face] for face in given_mesh.faces]

    def test_a_mesh_without_doubles_keeps_its_own_arrays(self) -> None:
        mesh = shapes.cube()

        assert facts_of(mesh).positions is mesh.vertices
        assert facts_of(mesh).corners is mesh.faces


class TestBox:
    def test_the_box_is_that_of_the_faces_and_the_span_that_of_all_vertices(self) -> None:
        vertices = [[0, 0, 0], [3, 0, 0], [0, 4, 0], [100, 0, -7], [np.nan, 0, 500]]
        facts = facts_of(Mesh(vertices=np.array(vertices, np.float64), faces=[[0, 1, 2]]))

        assert facts.is_finite.tolist() == [True, True, True, True, False]
        assert facts.span.tolist() == [[0, 0, -7], [100, 4, 0]]
        assert facts.box.tolist() == [[0, 0, 0], [3, 4, 0]]
        assert (facts.extent.tolist(), facts.diagonal) == ([3, 4, 0], 5.0)

    def test_without_anything_they_are_zero(self) -> None:
        empty = facts_of(Mesh(vertices=[], faces=[]))
        nowhere = facts_of(Mesh(vertices=np.full((3, 3), np.nan), faces=[[0, 1, 2]]))

        for facts in (empty, nowhere):
            assert facts.span.tolist() == facts.box.tolist() == [[0, 0, 0], [0, 0, 0]]
            assert facts.diagonal == 0.0

    def test_an_extent_that_overflows_is_infinite(self) -> None:
        facts = facts_of(Mesh(vertices=np.array([[-1e308, 0, 0], [1e308, 0, 0], [0, 1, 0]]), faces=[[0, 1, 2]]))

        assert facts.extent.tolist() == [np.inf, 1, 0]
        assert facts.diagonal == np.inf


class TestFaces:
    def test_each_kind_is_listed(self) -> None:
        vertices = np.array([[0, 0, 0], [4, 0, 0], [0, 4, 0], [2, 0, 0], [np.inf, 0, 0], [0, 0, 1e-80]])
        faces = [[0, 1, 2], [0, 1, 1], [0, 3, 1], [0, 1, 4], [0, 1, 5]]
        facts = facts_of(Mesh(vertices=vertices, faces=faces))

        assert facts.nonfinite_faces.tolist() == [3]
        assert facts.repeated_faces.tolist() == [1]
        assert facts.collinear_faces.tolist() == [1, 2]
        assert facts.n_finite == 4
        assert facts.is_degenerate.tolist() == [False, True, True, True, False]
        assert facts.sound_faces.tolist() == [0]  # the last is too small for the exact predicates
        assert facts.is_sound.tolist() == [True, False, False, False, False]

    def test_the_longest_edge_of_each(self) -> None:
        mesh = Mesh(vertices=[[0, 0, 0], [3, 0, 0], [3, 4, 0], [3, 0, 12]], faces=[[0, 1, 2], [1, 2, 3], [3, 1, 0]])

        assert facts_of(mesh).longest_edges(np.array([2, 0], np.int32)).tolist() == pytest.approx(
            [math.hypot(3.0, 12.0), 5.0]
        )
        assert facts_of(mesh).edge_lengths(np.array([[0, 1], [3, 1]], np.int32)).tolist() == [3.0, 12.0]


class TestEdges:
    def test_twins_of_a_tetrahedron_are_mutual_and_run_the_other_way(self) -> None:
        facts = facts_of(shapes.tetrahedron())
        twins, flat = facts.edges.twins, facts.corners.reshape(-1)

        assert (twins[twins] == np.arange(12)).all()
        assert (flat[twins] != flat).all()
        assert facts.edges.n_edges == 6

    def test_a_vertex_with_thousands_of_edges_is_grouped_right(self) -> None:
        """A fan around one vertex, in which half-edges of an edge come in both orders: the long-bucket branch."""
        n = 5000
        angles = 2 * np.pi * np.arange(n) / n
        vertices = np.concatenate(
            [[[0, 0, 30.0]], np.stack([30 * np.cos(angles), 30 * np.sin(angles), 0 * angles], axis=1)]
        )
        order = np.random.default_rng(1).permutation(n)
        faces = np.stack([np.zeros(n, int), 1 + order, 1 + (order + 1) % n], axis=1)

        stats = validate(Mesh(vertices=vertices, faces=faces)).stats

        assert (stats["edges"], stats["boundary_edges"], stats["miswound_edges"]) == (2 * n, n, 0)
        assert (stats["nonmanifold_edges"], stats["components"]) == (0, 1)

    @given(soups())
    def test_they_are_those_of_the_naive_twin(self, mesh: Mesh) -> None:
        facts, twin = facts_of(mesh), oracles.Surface(mesh.vertices, mesh.faces)

        def listed(halfedges: np.ndarray) -> set[frozenset[int]]:
            return {frozenset(pair) for pair in facts.edge_ends(halfedges).tolist()}

        paired = np.flatnonzero(facts.edges.twins >= 0).astype(np.int32)
        assert facts.edges.n_edges == len(twin.sides)
        assert listed(facts.edges.boundary) == set(twin.boundary)
        assert listed(facts.edges.nonmanifold) == {edge for edge, sides in twin.sides.items() if len(sides) > 2}
        assert len(paired) == 2 * sum(len(sides) == 2 for sides in twin.sides.values())
        assert facts.edge_faces(paired).tolist() == [[h // 3, facts.edges.twins[h] // 3] for h in paired.tolist()]

    @given(soups())
    def test_fans_are_those_of_the_naive_twin(self, mesh: Mesh) -> None:
        facts, twin = facts_of(mesh), oracles.Surface(mesh.vertices, mesh.faces)

        assert facts.fans.n_nonmanifold == twin.nonmanifold_vertices
        assert np.count_nonzero(facts.fans.at_position > 1) == twin.nonmanifold_vertices


class TestComponents:
    @given(soups())
    def test_components_are_numbered_by_first_face(self, mesh: Mesh) -> None:
        facts, twin = facts_of(mesh), oracles.Surface(mesh.vertices, mesh.faces)
        kept = [f for f in range(len(mesh.faces)) if np.isfinite(mesh.vertices[mesh.faces[f]]).all()]
        expected = np.full(len(mesh.faces), -1)
        for number, component in enumerate(sorted(twin.components(), key=min)):
            expected[[kept[f] for f in component]] = number

        assert facts.components.of_face.tolist() == expected.tolist()

    @given(soups())
    def test_the_faces_of_each_are_listed(self, mesh: Mesh) -> None:
        facts = facts_of(mesh)
        of_face = facts.components.of_face

        for component in range(facts.components.n_components):
            faces, least = facts.faces_of(component), facts.least_position(component)
            corners = {int(v) for f in faces for v in facts.corners[f]}
            assert faces.tolist() == np.flatnonzero(of_face == component).tolist()
            assert least == min(corners, key=lambda v: tuple(facts.positions[v].tolist()))

    def test_the_largest_is_that_of_the_largest_area(self) -> None:
        assert facts_of(shapes.joined(shapes.triangle(5.0), shapes.cube())).largest_component == 1
        assert facts_of(Mesh(vertices=[], faces=[])).largest_component == -1

    def test_debris_is_below_the_limit_and_its_fraction_of_the_area(self) -> None:
        limits = {"floating_area_mm2": 7.0, "floating_area_fraction": 0.25}  # the faces of a cube have 6 times 4 mm2
        cubes = (shapes.cube(2.0), Mesh(vertices=shapes.cube(2.0).vertices + 9.0, faces=shapes.cube().faces))

        assert MeshFacts(cubes[0], Policy(limits=limits)).debris_area == 6.0
        assert MeshFacts(shapes.joined(*cubes), Policy(limits=limits)).debris_area == 7.0

    @pytest.mark.parametrize("seed", range(4))
    def test_of_equals_it_is_the_one_with_the_least_position_whatever_the_order(self, seed: int) -> None:
        left, right = (Mesh(vertices=shapes.grid().vertices + [x, 0, 0], faces=shapes.grid().faces) for x in (0, 100))
        facts = facts_of(shapes.shuffled(shapes.joined(right, left), seed))
        faces = facts.faces_of(facts.largest_component)

        assert facts.positions[facts.corners[faces], 0].max() == 30.0

    def test_a_sheet_is_open_and_a_body_is_not(self) -> None:
        assert facts_of(shapes.joined(shapes.cube(), shapes.grid())).is_open.tolist() == [False, True]
        assert facts_of(mutations.doubled_triangle()).is_open.tolist() == [False]


@given(st.integers(0, 2**32 - 1), st.integers(1, 10), st.integers(1, 3))
def test_clusters_are_elements_that_share_positions(seed: int, count: int, width: int) -> None:
    rows = np.random.default_rng(seed).integers(0, 63, (count, width)).astype(np.int32)
    sets = oracles.groups({v: [] for row in rows.tolist() for v in row}, rows.tolist())
    number = [next(place for place, group in enumerate(sets) if row[0] in group) for row in rows.tolist()]

    found = facts_of(shapes.grid()).clusters(rows)

    assert len(set(zip(found.tolist(), number, strict=True))) == len(set(number)) == len(set(found.tolist()))
    assert sorted(set(found.tolist())) == list(range(len(set(number))))


def test_half_edges_of_each_nonmanifold_edge_are_side_by_side() -> None:
    """Three faces at one edge, four at another, and none where all edges have two."""
    vertices = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [5, 0, 0], [6, 0, 0], *np.eye(3), [5, -1, 0]]
    book = [[0, 1, 2], [1, 0, 3], [0, 1, 4], [5, 6, 7], [6, 5, 8], [5, 6, 9], [6, 5, 10]]
    facts = MeshFacts(Mesh(vertices=vertices, faces=book), policy("scan"))

    assert facts.nonmanifold_begins.tolist() == [0, 3, 7]
    assert sorted(facts.edges.nonmanifold[:3].tolist()) == [0, 3, 6]
    assert MeshFacts(shapes.cube(), policy("scan")).nonmanifold_begins.tolist() == [0]
