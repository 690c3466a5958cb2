"""Cuts: an expansion against all that there are, and what of a cut is kept."""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshguard.facts.mesh import MeshFacts
from meshguard.policy import policy
from meshguard.repair.labels import graph_cuts as cuts
from meshguard.repair.labels.graph_cuts import BorderCost, recut, within_reach, without_mere_shifts
from meshguard.repair.labels.label_graph import LabelGraph, face_graph
from tests import shapes
from tests.graphs import random_graph

if TYPE_CHECKING:
    import numpy.typing as npt

    from meshguard.mesh import Mesh

reasonable = partial(without_mere_shifts, band_mm=0.4, farthest_mm=0.5, shortening=1.5, surely=2.5)


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


class TestWithinReach:
    def reached(self, reach_mm: float) -> tuple[npt.NDArray[np.float64], dict[int, set[int]]]:
        """Where the faces of a strip of 24 mm are, of which the left half is 11 and the right half 21."""
        mesh = shapes.grid(24, 2, width=24.0, bulge=0.0)
        graph = face_graph(facts(mesh))
        labels = np.where(graph.place[:, 0] < 0, 11, 21).astype(np.int32)
        return graph.place, {
            label: set(nodes.tolist()) for label, nodes in within_reach(graph, labels, reach_mm).items()
        }

    def test_nodes_of_either_side_within_reach_of_the_border(self) -> None:
        place, reached = self.reached(6.0)

        assert reached[11] == reached[21]
        for node, (x, y, _) in enumerate(place.tolist()):
            # The middles of the two border edges lie at (0, -4) and (0, 4).
            apart = min(np.hypot(x, y - 4), np.hypot(x, y + 4))
            assert (node in reached[11]) == (apart <= 6.0)

    def test_labels_without_a_border_reach_nothing(self) -> None:
        graph = face_graph(facts(shapes.grid(4, 4)))

        assert within_reach(graph, np.full(32, 11, np.int32), 5.0) == {}


class TestRecut:
    def strip(self, weak: int) -> tuple[list[int], list[int]]:
        """A row of nodes, 11 on the left and gum on the right, whose one weak edge is the cheapest border."""
        n = 8
        graph = LabelGraph(
            area=np.ones(n),
            place=np.stack([np.arange(n), 0 * np.arange(n), 0 * np.arange(n)], axis=1).astype(np.float64),
            a=np.arange(n - 1, dtype=np.int32),
            b=np.arange(1, n, dtype=np.int32),
            length=np.ones(n - 1),
            middle=np.zeros((n - 1, 3)),
            dihedral=np.zeros(n - 1),
        )
        labels = np.where(np.arange(n) < 4, 11, 0).astype(np.int32)
        cost = np.where(np.arange(n - 1) == weak, 0.1, 1.0)
        every = {label: np.arange(n, dtype=np.int32) for label in (0, 11)}
        found = recut(graph, labels, every, BorderCost(cost, cost, cost), np.full(n, 0.4), sweeps=2)
        return labels.tolist(), found.tolist()

    @pytest.mark.parametrize(("weak", "n_tooth"), [(3, 4), (4, 5), (5, 6), (6, 4), (2, 3), (0, 4)])
    def test_the_border_moves_where_that_costs_less_than_the_labels_that_change(self, weak: int, n_tooth: int) -> None:
        """It saves 0.9, and each node that changes costs 0.4: two may, three do not."""
        before, after = self.strip(weak)

        assert before == [11] * 4 + [0] * 4
        assert after == [11] * n_tooth + [0] * (8 - n_tooth)


def test_what_a_border_costs_depends_on_what_lies_on_its_sides() -> None:
    cost = BorderCost(np.array([1.0, 10.0]), np.array([2.0, 20.0]), np.array([3.0, 30.0]))
    first, second = np.array([11, 0, 11, 11, 0], np.int32), np.array([0, 11, 12, 11, 0], np.int32)

    assert cost.of(np.ones(5, np.int32), first, second).tolist() == [10.0, 20.0, 30.0, 0.0, 0.0]
    assert cost.of(np.zeros(5, np.int32), first, second).tolist() == [1.0, 2.0, 3.0, 0.0, 0.0]


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
