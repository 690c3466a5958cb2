"""What a draft knows from the one before is what is found anew."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import Policy, policy
from meshguard.repair.draft import Draft
from tests import shapes
from tests.repair import broken
from tests.repair.drafts import draft, pricked, same_as_anew


def soup() -> Mesh:
    rng = np.random.default_rng(3)
    return Mesh(vertices=rng.normal(size=(400, 3)).astype(np.float32) * 20, faces=rng.integers(0, 400, (300, 3)))


@pytest.mark.parametrize("make", [soup, broken.crossing_sheets, broken.poke, shapes.torus])
@pytest.mark.parametrize("share", [0.01, 0.3, 1.0])
def test_after_faces_went_were_turned_and_replaced(make: object, share: float) -> None:
    assert callable(make)
    start = Draft.of(MeshFacts(make(), policy("scan")))
    assert len(start.facts.intersections.pairs) >= 0  # known from here on
    rng = np.random.default_rng(0)
    some = rng.random(len(start.corners)) < share
    some[0] = False
    for after in (
        start.without(some),
        start.turned(some),
        start.without(some).turned(rng.random(int((~some).sum())) < share),
        pricked(start, some),
        start.without(some).compacted() if hasattr(start, "compacted") else start.without(some),
    ):
        assert same_as_anew(after)


class TestTakenOver:
    def test_pairs_that_nothing_touched_are_not_looked_for_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        start = draft(broken.crossing_sheets())
        before = start.facts.intersections
        monkeypatch.setattr("meshguard.facts.mesh.facts.find_intersections", None)  # calling it would be an error

        after = start.turned(np.ones(len(start.corners), np.bool_))

        assert len(before.pairs) > 0
        assert after.facts.intersections.pairs.tolist() == before.pairs.tolist()
        assert after.facts.intersections.classes.tolist() == before.classes.tolist()

    def test_components_are_where_only_whole_ones_went(self) -> None:
        start = draft(shapes.joined(shapes.grid(), broken.moved(shapes.cube(), 0, 0, 100), shapes.torus()))
        known = start.facts.components
        gone = known.of_face == 1

        told = start.without(gone, components=True)
        untold = start.without(gone)

        assert told.facts.components.measures.tobytes() == known.measures[[0, 2]].tobytes()
        assert MeshFacts.edges.known(told.facts) is None  # components were not found, but taken over
        assert told.facts.components.of_face.tolist() == untold.facts.components.of_face.tolist()
        assert MeshFacts.edges.known(untold.facts) is not None

    def test_pairs_with_a_new_face_are_found(self) -> None:
        """A small triangle is put upright through a face of a sheet that is known to intersect nothing."""
        start = draft(shapes.grid(30, 20, bulge=0.0))
        assert len(start.facts.intersections.pairs) == 0
        p = len(start.positions)
        points = np.array([[0.3, 0.2, -1.0], [0.4, 0.2, -1.0], [0.35, 0.2, 1.0]])
        after = start.rebuilt(np.zeros(1200, np.bool_), points, np.array([[p, p + 1, p + 2]], np.int32))

        assert len(after.facts.intersections.pairs) == 1
        assert same_as_anew(after)

    def test_an_incomplete_search_tells_nothing(self) -> None:
        start = draft(broken.crossing_sheets(), Policy(limits={"max_pairs": 3}))
        known = start.facts.intersections
        after = start.turned(np.ones(len(start.corners), np.bool_))

        assert (len(known.pairs), known.complete) == (3, False)
        assert after.ancestry is not None and after.ancestry.intersections(after.facts) is None

    def test_the_box_is_that_of_what_is_left(self) -> None:
        start = draft(shapes.joined(shapes.cube(10.0), broken.moved(shapes.cube(10.0), 50, 0, 0)))
        after = start.without(np.arange(24) >= 12)

        assert after.facts.box.tolist() == [[0, 0, 0], [10, 10, 10]]
