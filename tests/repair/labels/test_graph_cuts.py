"""Cuts: an expansion against all that there are, and what of a cut is kept."""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from meshguard.facts.mesh import MeshFacts
from meshguard.policy import policy
from meshguard.repair.labels import graph_cuts as cuts
from meshguard.repair.labels.graph_cuts import BorderCost, within_reason
from meshguard.repair.labels.label_graph import face_graph
from tests import shapes
from tests.graphs import random_graph

if TYPE_CHECKING:
    import numpy.typing as npt

    from meshguard.mesh import Mesh

reasonable = partial(within_reason, band_mm=0.4, farthest_mm=0.5, shortening=1.5, surely=2.5)


def facts(mesh: Mesh) -> MeshFacts:
    return MeshFacts(mesh, policy("scan"))


@given(st.integers(0, 2**32 - 1))
def test_an_expansion_is_the_cheapest_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    nodes = int(rng.integers(2, 8))
    graph = random_graph(rng, nodes)
    start = rng.integers(0, 3, nodes).astype(np.int32)
    labels = rng.integers(0, 3, nodes).astype(np.int32)
    to_gum, from_gum = rng.uniform(0.1, 2, (2, len(graph.a)))
    between = np.minimum(rng.uniform(0.1, 4, len(graph.a)), to_gum + from_gum)
    cost, stay = BorderCost(to_gum, from_gum, between), rng.uniform(0.1, 2, nodes)
    one = int(rng.integers(0, 3))
    active = np.flatnonzero((labels != one) & (rng.random(nodes) < 0.8)).astype(np.int32)

    def energy(of: np.ndarray) -> float:
        borders = 0.0
        for at, (one, other) in enumerate(zip(of[graph.a].tolist(), of[graph.b].tolist(), strict=True)):
            if one != other:
                borders += to_gum[at] if other == 0 else from_gum[at] if one == 0 else between[at]
        return float(stay[of != start].sum() + borders)

    found = labels.copy()
    if len(active):
        found[active[cuts._expansion(graph, labels, start, active, one, cost, stay)]] = one
    least = min(
        energy(np.where(np.isin(np.arange(nodes), chosen), one, labels))
        for size in range(len(active) + 1)
        for chosen in itertools.combinations(active.tolist(), size)
    )

    assert energy(found) <= least + 0.001 * (len(graph.a) + nodes)  # capacities are thousandths


class TestWithinReason:
    """A rectangle of 4 mm along a straight border that a cut takes away: the deeper, the shorter the border gets."""

    def taken(self, depth_mm: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        """Distance of each face of the rectangle from its outline, and whether it was taken away."""
        mesh = shapes.grid(80, 60, width=16.0, bulge=0.0)
        middle = mesh.vertices[mesh.faces].mean(axis=1)
        graph = face_graph(facts(mesh))
        spur = (middle[:, 0] > 0) & (middle[:, 0] < depth_mm) & (np.abs(middle[:, 1]) < 2.0)
        new = np.where(middle[:, 0] < 0, 11, 21).astype(np.int32)
        kept = reasonable(graph, np.where(spur, 11, new).astype(np.int32), new)
        from_outline = np.minimum(depth_mm - middle[spur, 0], 2.0 - np.abs(middle[spur, 1]))
        return from_outline, kept[spur] == 21

    def test_a_deep_spur_goes_as_a_whole(self) -> None:
        from_outline, gone = self.taken(4.8)  # (2 * 4.8 + 4) / 4 = 3.4 times as long

        assert gone.all() and from_outline.max() > 1.5

    def test_one_that_may_be_drawn_so_goes_up_to_half_a_millimetre(self) -> None:
        from_outline, gone = self.taken(1.6)  # 1.8 times

        assert gone[from_outline < 0.35].all() and gone[from_outline < 0.5].any()
        assert not gone[from_outline > 0.6].any() and (from_outline > 0.6).any()

    def test_one_that_hardly_shortens_the_border_goes_up_to_the_band(self) -> None:
        from_outline, gone = self.taken(0.6)  # 1.3 times

        assert gone[from_outline < 0.25].all()
        assert not gone[from_outline > 0.5].any() and (from_outline > 0.5).any()

    def test_nothing_changed(self) -> None:
        mesh = shapes.grid(8, 8)
        labels = np.zeros(len(mesh.faces), np.int32)

        assert reasonable(face_graph(facts(mesh)), labels, labels) is labels
