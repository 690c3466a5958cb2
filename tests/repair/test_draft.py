"""Drafts: faces go, turn and are replaced, and each keeps where it came from."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard.facts.mesh import MeshFacts
from meshguard.policy import policy
from meshguard.repair.draft import NEW, Draft
from tests import mutations, shapes
from tests.repair import broken
from tests.repair.drafts import draft, pricked, same_as_anew


class TestOfAMesh:
    def test_it_is_the_mesh_and_knows_what_is_known_of_it(self) -> None:
        mesh = shapes.cube()
        facts = MeshFacts(mesh, policy("scan"))
        start = Draft.of(facts)

        assert start.facts is facts
        assert start.corners is facts.corners and start.positions is facts.positions
        assert start.vertices.tolist() == mesh.faces.tolist()
        assert start.origin.tolist() == list(range(12))
        assert not start.synthetic.any()

    def test_it_stands_on_positions_and_remembers_vertices(self) -> None:
        mesh = shapes.soup(shapes.tetrahedron())
        start = draft(mesh)

        assert (len(start.positions), start.corners.max()) == (4, 3)
        assert start.vertices.tolist() == np.arange(12).reshape(4, 3).tolist()

    def test_marks_of_an_earlier_repair_are_kept(self) -> None:
        marks = np.arange(12) % 3
        start = draft(shapes.cube().with_data(face={"synthetic": marks.astype(np.uint8)}))

        assert start.synthetic.tolist() == (marks != 0).tolist()


class TestWithout:
    def test_positions_that_only_they_used_go_too(self) -> None:
        start = draft(shapes.tetrahedron())
        after = start.without(np.array([False, True, True, True]))

        assert (len(after.corners), len(after.positions)) == (1, 3)
        assert after.origin.tolist() == [0]
        assert after.positions[after.corners[0]].tolist() == start.positions[start.corners[0]].tolist()
        assert after.vertices.tolist() == start.vertices[:1].tolist()

    def test_compacting_what_uses_all_is_nothing(self) -> None:
        start, loose = draft(shapes.cube()), draft(mutations.unreferenced())

        assert start.compacted() is start
        assert len(loose.compacted().positions) == len(loose.positions) - 1
        assert loose.compacted().vertices is loose.vertices


class TestTurned:
    def test_the_first_corner_stays_and_twice_is_nothing(self) -> None:
        start = draft(shapes.cube())
        some = np.arange(12) % 2 == 0
        once = start.turned(some)

        assert once.corners[0].tolist() == start.corners[0][[0, 2, 1]].tolist()
        assert once.vertices[0].tolist() == start.vertices[0][[0, 2, 1]].tolist()
        assert once.corners[1].tolist() == start.corners[1].tolist()
        assert np.array_equal(once.turned(some).corners, start.corners)
        assert np.array_equal(once.turned(some).vertices, start.vertices)


class TestRejoined:
    def test_corners_keep_the_vertex_behind_them(self) -> None:
        """One face of a tetrahedron gets a position of its own in the place of corner 0."""
        start = draft(shapes.tetrahedron())
        corners = start.corners.copy()
        corners[0, 0] = 4
        after = start.rejoined(corners, np.concatenate([start.positions, [[-1.0, -1.0, -1.0]]]))

        assert after.corners.tolist() == corners.tolist()
        assert after.vertices.tolist() == start.vertices.tolist()
        assert len(after.facts.edges.boundary) == 4

    def test_a_position_that_is_there_already_is_that_one(self) -> None:
        start = draft(shapes.tetrahedron())
        corners = start.corners.copy()
        corners[0, 0] = 4
        after = start.rejoined(corners, np.concatenate([start.positions, start.positions[:1]]))

        assert len(after.positions) == 4
        assert after.corners.tolist() == start.corners.tolist()


class TestRebuilt:
    @pytest.mark.parametrize("synthetic", [False, True])
    def test_new_surface_has_no_origin_and_is_marked_if_it_was_not_scanned(self, synthetic: bool) -> None:
        start = draft(shapes.cube())
        point = np.array([[30.0, 30.0, -9.0]])
        fan = np.array([[0, 2, 8], [2, 3, 8], [3, 1, 8], [1, 0, 8]], np.int32)  # in the place of the bottom
        after = start.rebuilt(np.arange(12) < 2, point, fan, synthetic=synthetic)

        assert after.origin.tolist() == [*range(2, 12), *[NEW] * 4]
        assert after.synthetic.tolist() == [False] * 10 + [synthetic] * 4
        assert after.vertices[-4:].tolist() == [[0, 2, NEW], [2, 3, NEW], [3, 1, NEW], [1, 0, NEW]]
        assert len(after.facts.edges.boundary) == 0
        assert same_as_anew(after)

    def test_parts_keep_their_parents_marks(self) -> None:
        start = draft(shapes.cube().with_data(face={"synthetic": (np.arange(12) == 5).astype(np.uint8)}))
        after = pricked(start, np.isin(np.arange(12), [4, 5]))

        assert np.flatnonzero(after.synthetic).tolist() == [11, 13, 15]

    def test_parts_keep_their_parents_origin_and_vertices(self) -> None:
        start = Draft.of(MeshFacts(shapes.cube(), policy("scan")))
        faces = np.arange(12) == 5
        after = pricked(start, faces)

        assert after.origin.tolist() == [*(f for f in range(12) if f != 5), 5, 5, 5]
        assert sorted(after.vertices[-3:].reshape(-1).tolist()) == sorted([NEW] * 3 + 2 * start.vertices[5].tolist())
        assert not after.synthetic.any()


def test_positions_that_become_equal_become_one() -> None:
    start = Draft.of(MeshFacts(broken.cubes_apart(), policy("scan")))
    near = start.positions.copy()
    near[near[:, 0] == 61.0, 0] = 60.0
    near[near[:, 1] == 61.0, 1] = 60.0
    after = start.moved(near)

    assert (len(start.positions), len(after.positions)) == (16, 14)
    assert after.vertices.tolist() == start.vertices.tolist()
    assert same_as_anew(after)
