"""Patches that are cut out and filled: their neighbourhoods and boundaries, and the proof before one is taken in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from meshguard.repair.acceptance import violating_pairs
from meshguard.repair.mesh.patch_replacement import (
    Neighbourhood,
    Replacement,
    replacement_of,
    replacements_for,
    which_fit,
    which_intersect,
    with_replacements,
)
from tests import mutations, oracles, shapes
from tests.repair import broken
from tests.repair.drafts import draft

if TYPE_CHECKING:
    from meshguard.mesh import Mesh


def every(mesh: Mesh) -> Neighbourhood:
    """The neighbourhood of all faces."""
    return Neighbourhood(draft(mesh), np.arange(len(mesh.faces), dtype=np.int32))


def ring(mesh: Mesh, faces: set[int], rings: int) -> set[int]:
    """Faces and rings of those that share a vertex with them, by sets."""
    for _ in range(rings):
        touched = {int(v) for face in faces for v in mesh.faces[face]}
        faces = {face for face, corners in enumerate(mesh.faces.tolist()) if touched & set(corners)}
    return faces


def masked(neighbourhood: Neighbourhood, *faces: int) -> np.ndarray:
    """Whether each face of a neighbourhood is one of these, bool (m,)."""
    return np.asarray(np.isin(np.arange(len(neighbourhood.faces)), faces))


class TestNeighbourhood:
    @pytest.mark.parametrize("rings", [0, 1, 2])
    def test_rings_are_faces_that_share_a_vertex(self, rings: int) -> None:
        mesh = shapes.grid(8, 6)
        neighbourhood, patch = every(mesh), np.array([40, 41], np.int32)
        around = ring(mesh, {40, 41}, rings)

        assert set(np.flatnonzero(neighbourhood.dilated(masked(neighbourhood, 40, 41), rings)).tolist()) == around
        assert set(neighbourhood.around(patch, rings).tolist()) == around - {40, 41}

    def test_faces_with_a_neighbour_outside_are_the_fringe(self) -> None:
        mesh = shapes.grid(8, 6, bulge=0.0)
        faces = np.flatnonzero(mesh.vertices[mesh.faces].mean(axis=1)[:, 0] < 0).astype(np.int32)
        neighbourhood = Neighbourhood(draft(mesh), faces)
        beyond = set(range(96)) - set(faces.tolist())
        sides = oracles.Surface(mesh.vertices, mesh.faces).sides.values()
        expected = {f for pair in sides for f, _ in pair if {g for g, _ in pair} & beyond} - beyond

        assert set(faces[neighbourhood.is_fringe].tolist()) == expected
        assert not every(mesh).is_fringe.any()  # the rim is not a neighbour

    def test_patches_are_connected_through_edges(self) -> None:
        """Two faces of a square, and one that only shares a vertex with them."""
        neighbourhood = every(shapes.grid(4, 4, bulge=0.0))

        assert [patch.tolist() for patch in neighbourhood.patches(masked(neighbourhood, 10, 11, 20))] == [
            [10, 11],
            [20],
        ]

    def test_a_patch_whose_boundary_passes_a_vertex_twice_grows_around_it(self) -> None:
        """A ring of faces around a vertex, without two of them that lie opposite to one another."""
        mesh = shapes.grid(4, 4, bulge=0.0)
        neighbourhood = every(mesh)
        (around,) = (np.flatnonzero((mesh.faces == 12).any(axis=1)),)
        middle = mesh.vertices[12]
        angle = np.arctan2(*(mesh.vertices[mesh.faces[around]].mean(axis=1) - middle)[:, 1::-1].T)
        in_order = around[np.argsort(angle)]
        pinched = np.delete(in_order, [0, 3]).astype(np.int32)

        assert set(around.tolist()) <= set(neighbourhood.without_pinches(pinched).tolist())
        assert neighbourhood.without_pinches(in_order[:2].astype(np.int32)).tolist() == in_order[:2].tolist()

    def test_its_width_is_that_of_a_disc_as_large(self) -> None:
        neighbourhood = every(shapes.grid(4, 4, bulge=0.0))  # squares of 15 by 10 mm

        assert neighbourhood.width(np.array([10, 11], np.int32)) == pytest.approx(2 * math.sqrt(150.0 / math.pi))


class TestBoundary:
    def test_a_square_has_one_loop_that_runs_as_its_faces_do(self) -> None:
        mesh = shapes.grid(4, 4, bulge=0.0)
        loops = every(mesh).boundary(np.array([10, 11], np.int32))

        assert loops is not None
        (loop,) = (own.tolist() for own in loops)
        start = loop.index(6)
        assert loop[start:] + loop[:start] == [6, 7, 12, 11]

    def test_a_ring_has_two_loops_the_widest_first(self) -> None:
        mesh = shapes.grid(5, 5, bulge=0.0)
        neighbourhood = every(mesh)
        place = np.abs(mesh.vertices[mesh.faces].mean(axis=1)[:, :2] / [6.0, 4.0])
        loops = neighbourhood.boundary(
            np.flatnonzero((place.max(axis=1) < 3) & (place.max(axis=1) > 1)).astype(np.int32)
        )

        assert loops is not None
        assert [len(loop) for loop in loops] == [12, 4]

    def test_a_hole_inside_a_patch_is_no_loop_of_it(self) -> None:
        mesh = mutations.large_hole()
        around = np.setdiff1d(sorted(ring(shapes.grid(), {40}, 1)), [40])
        neighbourhood = every(mesh)
        loops = neighbourhood.boundary(np.where(around > 40, around - 1, around).astype(np.int32))

        assert loops is not None and len(loops) == 1

    @pytest.mark.parametrize(
        ("mesh", "patch"),
        [
            (shapes.cube(), list(range(12))),
            (shapes.grid(4, 4), [10, 20]),
            (shapes.torus(), list(range(1, 192))),
            (mutations.fin(), [40]),
        ],
        ids=["no loop", "two faces at a vertex", "a handle", "at a non-manifold edge"],
    )
    def test_what_cannot_be_filled_as_it_is_has_none(self, mesh: Mesh, patch: list[int]) -> None:
        assert every(mesh).boundary(np.array(patch, np.int32)) is None


def upright(mesh: Mesh, x: float, height: float) -> Replacement:
    """A new face that stands upright on a flat sheet, or through it."""
    p = len(draft(mesh).positions)
    points = np.array([[x, 0.5, -height], [x + 1, 0.5, -height], [x, 0.5, 3.0]])
    return Replacement(np.empty(0, np.int32), points, np.array([[p, p + 1, p + 2]], np.int32))


class TestProof:
    SHEET = shapes.grid(6, 6, bulge=0.0)
    FACES = np.arange(72, dtype=np.int32)

    def crossing(self) -> tuple[Replacement, Replacement]:
        """Two faces that stand on the sheet, each through the other."""
        one, other = upright(self.SHEET, 3.0, -1.0), upright(self.SHEET, 3.25, -1.0)
        return one, Replacement(other.faces, other.points + [[0, -0.5, 0], [-1, 0.5, 0], [0, 0, -1]], other.corners)

    def test_a_piece_that_stands_through_the_draft_intersects_it(self) -> None:
        replacements = [upright(self.SHEET, 3.0, 1.0), upright(self.SHEET, 13.0, -1.0)]

        assert which_intersect(draft(self.SHEET), self.FACES, replacements).tolist() == [True, False]
        assert which_intersect(draft(self.SHEET), self.FACES, []).tolist() == []

    def test_pieces_may_intersect_one_another(self) -> None:
        one, across = self.crossing()

        assert which_intersect(draft(self.SHEET), self.FACES, [one, across]).tolist() == [True, True]
        assert which_intersect(draft(self.SHEET), self.FACES, [across]).tolist() == [False]

    def test_what_a_piece_replaces_does_not_count(self) -> None:
        replacement = upright(self.SHEET, 3.0, 1.0)
        own = np.array([[0, 1, 2], [3, 4, 5]], np.int32)
        pairs = [np.concatenate([self.SHEET.vertices[face], replacement.points]) for face in self.SHEET.faces]
        found = np.flatnonzero([len(oracles.intersecting_pairs(points, own)) for points in pairs])

        assert len(found) > 0
        assert which_intersect(
            draft(self.SHEET),
            self.FACES,
            [Replacement(found.astype(np.int32), replacement.points, replacement.corners)],
        ).tolist() == [False]

    def test_a_third_face_on_an_edge_is_no_surface(self) -> None:
        a, b = self.SHEET.faces[40][:2]
        fin = Replacement(np.empty(0, np.int32), np.array([[0.0, 0.0, 9.0]]), np.array([[a, b, 49]], np.int32))

        assert which_intersect(draft(self.SHEET), self.FACES, [fin]).tolist() == [True]

    def test_what_intersects_is_left_out_and_the_rest_is_taken(self) -> None:
        good, bad = upright(self.SHEET, 13.0, -1.0), upright(self.SHEET, 3.0, 1.0)

        assert which_fit(draft(self.SHEET), self.FACES, [], [good, bad]).tolist() == [True, False]

    def test_what_was_taken_in_before_stays_and_what_intersects_it_does_not_come_in(self) -> None:
        one, across = self.crossing()

        assert which_fit(draft(self.SHEET), self.FACES, [], [across]).tolist() == [True]
        assert which_fit(draft(self.SHEET), self.FACES, [one], [across]).tolist() == [False]


def test_pieces_come_in_and_faces_go() -> None:
    sheet = shapes.grid(6, 6, bulge=0.0)
    replacements = [upright(sheet, 3.0, -1.0), upright(sheet, 13.0, -1.0)]
    replacements[0] = replacements[0]._replace(faces=np.array([5], np.int32))
    after = with_replacements(draft(sheet), replacements, without=np.array([7, 8], np.int32))

    assert after.origin.tolist() == [face for face in range(72) if face not in (5, 7, 8)] + [-1, -1]
    assert after.synthetic.tolist() == [False] * 69 + [True] * 2
    assert after.positions[after.corners[-2:]].tolist() == [replacement.points.tolist() for replacement in replacements]


class TestRefilled:
    def test_a_patch_is_filled_within_its_own_boundary(self) -> None:
        neighbourhood = every(shapes.grid(8, 6))
        patch = neighbourhood.around(np.array([40], np.int32), 1)
        whole = np.append(patch, 40).astype(np.int32)
        replacement = replacement_of(neighbourhood, whole, 1e3, plain=True)

        assert replacement is not None
        assert sorted(replacement.faces.tolist()) == sorted(whole.tolist())
        after = with_replacements(neighbourhood.draft, [replacement])
        assert len(after.facts.edges.boundary) == 28 and len(after.facts.edges.nonmanifold) == 0

    def test_a_patch_wider_than_the_limit_is_not(self) -> None:
        neighbourhood = every(shapes.grid(8, 6))
        whole = np.append(neighbourhood.around(np.array([40], np.int32), 1), 40).astype(np.int32)
        width = neighbourhood.width(whole)

        assert replacement_of(neighbourhood, whole, 0.99 * width, plain=True) is None
        assert replacement_of(neighbourhood, whole, 1.01 * width, plain=True) is not None

    def test_one_face_would_come_back_as_it_was(self) -> None:
        assert replacement_of(every(shapes.grid(8, 6)), np.array([40], np.int32), 1e3, plain=True) is None


class TestRebuild:
    def test_a_vertex_that_pokes_through_is_mended_by_one_piece(self) -> None:
        start = draft(broken.poke())
        pairs = violating_pairs(start.facts)
        replacements, left = replacements_for(start, pairs, 4.0)
        after = with_replacements(start, replacements)

        assert len(pairs) > 0
        assert (len(replacements), len(left)) == (1, 0)
        assert len(violating_pairs(after.facts)) == 0

    def test_what_no_piece_mends_is_left(self) -> None:
        start = draft(broken.poke())
        pairs = violating_pairs(start.facts)
        replacements, left = replacements_for(start, pairs, 0.0)

        assert replacements == []
        assert left.tolist() == pairs.tolist()
