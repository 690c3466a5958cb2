"""What a draft knows from the one before is what is found anew."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import policy
from meshguard.repair.draft import NEW, Draft
from tests import shapes
from tests.repair import broken


def soup() -> Mesh:
    rng = np.random.default_rng(3)
    return Mesh(vertices=rng.normal(size=(400, 3)).astype(np.float32) * 20, faces=rng.integers(0, 400, (300, 3)))


def same_as_anew(draft: Draft) -> bool:
    """Whether a draft's facts say what facts without a past say."""
    fresh = MeshFacts(Mesh(vertices=draft.positions, faces=draft.corners), draft.policy)
    known = draft.facts
    return (
        known.intersections.pairs.tolist() == fresh.intersections.pairs.tolist()
        and known.intersections.classes.tolist() == fresh.intersections.classes.tolist()
        and np.array_equal(known.components.of_face, fresh.components.of_face)
        and np.array_equal(known.components.counts, fresh.components.counts)
        and np.array_equal(known.edges.twins, fresh.edges.twins)
    )


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
        _pricked(start, some),
        start.without(some).compacted() if hasattr(start, "compacted") else start.without(some),
    ):
        assert same_as_anew(after)


def _pricked(draft: Draft, faces: np.ndarray) -> Draft:
    """The draft with each of these faces split at its middle."""
    chosen = np.flatnonzero(faces)
    points = draft.positions[draft.corners[chosen]].mean(axis=1).astype(np.float32).astype(np.float64)
    middle = len(draft.positions) + np.arange(len(chosen), dtype=np.int32)
    corners = draft.corners[chosen]
    parts = np.concatenate(
        [np.stack([corners[:, c], corners[:, (c + 1) % 3], middle], axis=1) for c in range(3)]
    ).astype(np.int32)
    return draft.rebuilt(faces, points, parts, parents=np.tile(chosen, 3).astype(np.int32))


def test_parts_keep_their_parents_origin_and_vertices() -> None:
    start = Draft.of(MeshFacts(shapes.cube(), policy("scan")))
    faces = np.arange(12) == 5
    after = _pricked(start, faces)

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
