"""Which side of a sheet faces outward, front, back or neither, wherever it lies; and which sheets are judged."""

from __future__ import annotations

import numpy as np

from meshguard.facts.mesh import MeshFacts
from meshguard.facts.mesh.outward_orientation import OUTWARD_DECIDES, find_inverted_sheets
from meshguard.mesh import Mesh
from meshguard.policy import Policy, policy
from tests import mutations, shapes


def facts_of(mesh: Mesh) -> MeshFacts:
    return MeshFacts(mesh, policy("scan"))


def test_it_tells_front_from_back_wherever_the_sheet_lies() -> None:
    mesh = shapes.grid(40, 40)
    for move in ([0, 0, 0], [1000, -500, 2000], [-1e6, 1e6, 0]):
        up = Mesh(vertices=mesh.vertices + move, faces=mesh.faces)
        down = Mesh(vertices=up.vertices, faces=up.faces[:, ::-1])
        assert facts_of(up).outward_score(0) > 0.2
        assert facts_of(down).outward_score(0) < -0.2


def test_a_closed_body_is_certain() -> None:
    assert facts_of(shapes.torus()).outward_score(0) == 1.0
    assert facts_of(mutations.inverted_body()).outward_score(0) == -1.0


def test_a_plane_has_no_outside() -> None:
    assert abs(facts_of(shapes.grid(bulge=0.0)).outward_score(0)) < 0.1


def test_each_component_has_a_score_of_its_own() -> None:
    up, down = (
        shapes.grid(20, 20),
        Mesh(vertices=shapes.grid(20, 20).vertices, faces=shapes.grid(20, 20).faces[:, ::-1]),
    )
    facts = facts_of(shapes.joined(up, Mesh(vertices=down.vertices + [200, 0, 0], faces=down.faces)))

    assert facts.outward_score(0) == -facts.outward_score(1) > 0.2
    assert facts.inverted_sheets == [1]


class TestJudged:
    def test_a_sheet_is_inverted_beyond_the_votes_that_decide(self) -> None:
        facts = facts_of(shapes.grid())

        assert find_inverted_sheets(facts, lambda _: -OUTWARD_DECIDES - 0.01) == [0]
        assert find_inverted_sheets(facts, lambda _: -OUTWARD_DECIDES + 0.01) == []

    def test_neither_bodies_nor_debris_nor_what_contradicts_itself(self) -> None:
        asked: list[int] = []

        def score(component: int) -> float:
            asked.append(component)
            return -1.0

        body = Mesh(vertices=shapes.cube().vertices + 100.0, faces=shapes.cube().faces)
        assert find_inverted_sheets(facts_of(shapes.joined(mutations.debris(), body)), score) == [0]
        assert find_inverted_sheets(facts_of(mutations.flipped_face()), score) == []
        assert asked == [0]

    def test_what_debris_is_says_the_policy(self) -> None:
        rules = Policy(limits={"floating_area_mm2": 0.0})

        assert find_inverted_sheets(MeshFacts(mutations.debris(), rules), lambda _: -1.0) == [0, 1]


def test_an_inverted_sheet_is_found_far_away() -> None:
    assert facts_of(mutations.inverted_sheet_far_away()).inverted_sheets == [0]
    assert facts_of(shapes.grid()).inverted_sheets == []
    assert np.abs(facts_of(mutations.inverted_sheet_far_away()).box).max() > 1000.0
