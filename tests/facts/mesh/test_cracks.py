"""Cracks against all pairs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import policy
from tests import oracles


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60))
def test_cracks_join_all_pairs_within_the_weld_distance(seed: int, count: int) -> None:
    """Separate triangles with corners moved about a few common points by up to the weld distance and more."""
    rng = np.random.default_rng(seed)
    anchors = rng.uniform(-40, 40, (4, 3))
    anchors[0], anchors[1] = [-50, -50, -50], [50, 50, 50]
    corners = anchors[rng.integers(0, 4, (count, 3))] + rng.uniform(-1e-3, 1e-3, (count, 3, 3))
    mesh = Mesh(vertices=corners.reshape(-1, 3), faces=np.arange(3 * count).reshape(-1, 3))
    facts = MeshFacts(mesh, policy("scan"))
    distance = facts.policy.tolerance("weld_mm").within(facts.diagonal)

    boundary = sorted({v for edge in oracles.Surface(mesh.vertices, mesh.faces).boundary for v in edge})
    pairs = [
        [a, b]
        for number, a in enumerate(boundary)
        for b in boundary[number + 1 :]
        if ((facts.positions[a] - facts.positions[b]) ** 2).sum() <= distance**2
    ]

    cracks = facts.cracks
    assert cracks is not None
    assert cracks.points.tolist() == sorted({v for pair in pairs for v in pair})
    for a, b in pairs:
        owners = cracks.owner[np.searchsorted(cracks.points, [a, b])]
        assert owners[0] == owners[1]
    if pairs:
        widest = max(float(np.linalg.norm(facts.positions[a] - facts.positions[b])) for a, b in pairs)
        assert cracks.gap.max() == pytest.approx(widest, rel=1e-12)


def test_a_crowd_is_given_up_on() -> None:
    """20,000 separate triangles within the weld distance of two far points."""
    rng = np.random.default_rng(0)
    corners = np.array([[0.0, 0, 0], [60, 0, 0], [0, 60, 0]]) + rng.uniform(0, 1e-4, (20_000, 3, 3))

    facts = MeshFacts(Mesh(vertices=corners.reshape(-1, 3), faces=np.arange(60_000).reshape(-1, 3)), policy("scan"))

    assert facts.cracks is None
