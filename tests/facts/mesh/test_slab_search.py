"""Layers give the pairs that the tree gives, and are used where boxes crowd."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import HealthCheck, given, settings

import meshguard
from meshguard.facts.mesh import MeshFacts
from meshguard.facts.mesh import self_intersections as facts_intersections
from meshguard.facts.mesh.slab_search import corners_in_blocks, distinct, needs_slabs
from meshguard.mesh import Mesh
from meshguard.policy import policy
from tests import oracles, shapes
from tests.strategies import soups

if TYPE_CHECKING:
    import pytest


def slivers(count: int, length: float, seed: int = 0) -> Mesh:
    """Faces a few micrometres wide, in every direction, in a cube of 60 mm."""
    rng = np.random.default_rng(seed)
    middle = rng.uniform(-30, 30, (count, 3))
    along = rng.normal(size=(count, 3))
    along *= 0.5 * length / np.linalg.norm(along, axis=1, keepdims=True)
    across = 0.005 * rng.normal(size=(count, 3))
    corners = np.stack([middle - along, middle + along + across, middle + along - across], axis=1)
    return Mesh(vertices=corners.reshape(-1, 3), faces=np.arange(3 * count).reshape(-1, 3))


def crowded(mesh: Mesh) -> bool:
    facts = MeshFacts(mesh, policy("scan"))
    return needs_slabs(facts, facts.positions)


def test_long_slivers_crowd_and_others_do_not() -> None:
    assert crowded(slivers(5000, 60.0))
    assert not crowded(slivers(5000, 3.0))
    assert not crowded(slivers(200, 60.0))  # so few are sooner compared than cut
    assert not crowded(meshguard.phantom(faces=5000))


def test_a_fan_does_not_crowd() -> None:
    """Its boxes all overlap, but its faces share a vertex, for which there are certificates."""
    angle = 2 * np.pi * np.arange(3000) / 3000
    rim = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    ring = 1 + np.arange(3000)
    faces = np.stack([0 * ring, ring, np.roll(ring, -1)], axis=1)

    assert not crowded(Mesh(vertices=np.concatenate([[[0.0, 0.0, 0.0]], rim]), faces=faces))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(soups(most_faces=20))
def test_pairs_are_those_of_comparing_all_with_all(monkeypatch: pytest.MonkeyPatch, mesh: Mesh) -> None:
    monkeypatch.setattr(facts_intersections, "needs_slabs", lambda *_: True)

    pairs, classes = meshguard.self_intersections(mesh, classes=True)

    found = [(*pair, kind) for pair, kind in zip(pairs.tolist(), classes.tolist(), strict=True)]
    assert found == oracles.intersecting_pairs(mesh.vertices, mesh.faces)


def test_pairs_are_the_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = shapes.joined(slivers(4000, 60.0), shapes.grid(12, 12))
    assert crowded(mesh)
    pairs, classes = meshguard.self_intersections(mesh, classes=True)
    capped = meshguard.self_intersections(mesh, max_pairs=20)

    monkeypatch.setattr(facts_intersections, "needs_slabs", lambda *_: False)
    expected, kinds = meshguard.self_intersections(mesh, classes=True)

    assert len(pairs) > 200
    assert np.array_equal(pairs, expected)
    assert np.array_equal(classes, kinds)
    assert len(capped) == 20
    assert set(map(tuple, capped.tolist())) <= set(map(tuple, pairs.tolist()))


def test_rows_are_sorted_and_each_pair_is_kept_once() -> None:
    found = distinct(np.array([[3, 5, 0], [1, 2, 4], [3, 5, 0], [1, 9, 2], [1, 2, 4]], np.int32))

    assert found.tolist() == [[1, 2, 4], [1, 9, 2], [3, 5, 0]]


def test_corners_lie_block_by_block_and_a_block_is_filled_up() -> None:
    block = corners_in_blocks(np.empty((0, 3), np.int32), np.empty(0, np.int32), 1).shape[2]
    corners = np.arange(3 * (block + 1), dtype=np.int32).reshape(-1, 3)
    order = np.arange(block + 1, dtype=np.int32)[::-1].copy()

    along = corners_in_blocks(corners, order, 2)

    assert along.shape == (2, 3, block)
    assert along[0].T.tolist() == corners[order[:block]].tolist()
    assert along[1, :, 0].tolist() == corners[0].tolist()
    assert (along[1, :, 1:] == -1).all()
