"""Boundary edges near points, and T-junctions, against all pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from meshguard.facts.mesh import MeshFacts, near_boundary
from meshguard.facts.mesh.near_boundary import boundary_edges_near, find_tjunctions
from meshguard.kernels._parallel import fixed_bounds
from meshguard.kernels.closest_points import faces_within
from meshguard.mesh import Mesh
from meshguard.policy import policy
from tests import mutations, shapes

if TYPE_CHECKING:
    import pytest


def to_segment(point: np.ndarray, start: np.ndarray, end: np.ndarray) -> tuple[float, float]:
    """How far a point is from a segment, and where along its line it lies, from 0 at the start to 1 at the end."""
    share = float((point - start) @ (end - start) / ((end - start) @ (end - start)))
    return float(np.linalg.norm(point - start - np.clip(share, 0, 1) * (end - start))), share


def soup(seed: int, count: int) -> MeshFacts:
    rng = np.random.default_rng(seed)
    corners = rng.integers(0, 6, (count, 3, 3)) + rng.uniform(-0.2, 0.2, (count, 3, 3))
    return MeshFacts(Mesh(vertices=corners.reshape(-1, 3), faces=np.arange(3 * count).reshape(-1, 3)), policy("scan"))


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.floats(0.05, 3.0))
def test_pairs_are_all_within_the_distance(seed: int, count: int, distance: float) -> None:
    facts = soup(seed, count)
    ends = facts.edge_ends(facts.edges.boundary)
    points = np.random.default_rng(seed).uniform(0, 6, (20, 3))
    apart = ends[np.arange(20) % len(ends)]
    expected = [
        [i, edge]
        for i, point in enumerate(points)
        for edge, (start, end) in enumerate(ends.tolist())
        if not {start, end} & set(apart[i].tolist())
        and to_segment(point, facts.positions[start], facts.positions[end])[0] <= distance
    ]

    pairs = boundary_edges_near(facts, points, apart, distance)

    assert pairs is not None and pairs.tolist() == expected


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 20))
def test_tjunctions_are_all_vertices_beside_edges(seed: int, count: int) -> None:
    facts, distance = soup(seed, count), 0.3
    expected = []
    for halfedge in facts.edges.boundary.tolist():
        start, end = facts.positions[facts.edge_ends(np.array([halfedge]))[0]]
        length = np.linalg.norm(end - start)
        for vertex, point in enumerate(facts.positions):
            share = to_segment(point, start, end)[1]
            aside = np.linalg.norm(point - start - share * (end - start))
            is_inside = distance < share * length < length - distance
            if aside <= distance and is_inside and vertex not in facts.corners[halfedge // 3]:
                expected.append((halfedge, vertex))

    found = find_tjunctions(facts, distance)

    assert found is not None
    assert sorted(zip(found.halfedge.tolist(), found.vertex.tolist(), strict=True)) == expected
    assert (np.diff(found.halfedge) >= 0).all()
    assert found.aside.max(initial=0.0) <= distance


def test_a_vertex_in_the_middle_of_an_edge() -> None:
    found = find_tjunctions(MeshFacts(mutations.t_junction(), policy("scan")), 1e-3)

    assert found is not None
    assert (found.along.tolist(), found.aside.tolist()) == ([0.5], [0.0])
    assert found.vertex.tolist() == [len(shapes.grid().vertices)]


def test_a_distance_of_nothing_finds_nothing() -> None:
    facts = MeshFacts(mutations.t_junction(), policy("scan"))
    found, closed = find_tjunctions(facts, 0.0), find_tjunctions(MeshFacts(shapes.cube(), policy("scan")), 1e-3)

    assert found is not None and len(found.vertex) == 0
    assert closed is not None and len(closed.vertex) == 0


def test_the_search_ends_where_there_are_too_many_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def counted(*arguments: Any) -> int:
        asked.append(arguments)
        return int(faces_within(*arguments))

    facts = soup(0, 30)
    monkeypatch.setattr(near_boundary, "MOST_PAIRS", 1000)
    monkeypatch.setattr(near_boundary, "faces_within", counted)
    apart = np.full((10_000, 2), -1, np.int32)

    assert boundary_edges_near(facts, np.full((10_000, 3), 3.0), apart, 100.0) is None
    assert len(asked) <= 2 * len(fixed_bounds(1))  # one block of each part, counted and then filled
