"""The graph that labels sit on: its geometry, and expansions against all that there are."""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshguard.facts import Facts
from meshguard.mesh import Mesh
from meshguard.policy import policy
from meshguard.repair import labelgraph
from meshguard.repair.labelgraph import (
    BorderCost,
    LabelGraph,
    face_graph,
    pieces_of,
    vertex_graph,
    within_reason,
    without_islands,
)
from tests import shapes

if TYPE_CHECKING:
    import numpy.typing as npt

reasonable = partial(within_reason, band_mm=0.4, farthest_mm=0.5, shortening=1.5, surely=2.5)


def facts(mesh: Mesh) -> Facts:
    return Facts(mesh, policy("scan"))


def roof(lift: float) -> Mesh:
    """Two squares of 10 mm that meet at an edge; lifted or lowered there."""
    points: list[list[float]] = [[-10, 0, 0], [-10, 10, 0], [0, 0, lift], [0, 10, lift], [10, 0, 0], [10, 10, 0]]
    return Mesh(vertices=points, faces=[[0, 2, 3], [0, 3, 1], [2, 4, 5], [2, 5, 3]])


def test_a_groove_bends_up_and_a_ridge_down() -> None:
    groove, ridge, flat = (face_graph(facts(roof(lift))) for lift in (-4.0, 4.0, 0.0))
    across = list(zip(groove.a.tolist(), groove.b.tolist(), strict=True)).index((0, 3))

    assert groove.bend[across] > 2 and ridge.bend[across] < -2 and np.abs(flat.bend).max() < 1e-9
    assert groove.length[across] == pytest.approx(10.0) and groove.middle[across].tolist() == [0.0, 5.0, -4.0]


def test_areas_and_places() -> None:
    mesh = shapes.grid(4, 3)
    for graph in (face_graph(facts(mesh)), vertex_graph(facts(mesh))):
        corners = mesh.vertices[mesh.faces]
        whole = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum() / 2
        assert graph.area.sum() == pytest.approx(whole)
        assert (graph.a < graph.b).all() and (graph.length > 0).all()
    assert len(vertex_graph(facts(mesh)).a) == 4 * 4 + 5 * 3 + 4 * 3  # rows, columns and diagonals


def random_graph(rng: np.random.Generator, nodes: int) -> LabelGraph:
    """Nodes on a small sheet, with random lengths and bends."""
    pairs = [(i, j) for i, j in itertools.combinations(range(nodes), 2) if rng.random() < 0.5] or [(0, 1)]
    a, b = np.array(pairs, np.int32).T
    place = rng.normal(size=(nodes, 3))
    return LabelGraph(
        area=rng.uniform(0.1, 2, nodes),
        place=place,
        a=a,
        b=b,
        length=rng.uniform(0.1, 2, len(a)),
        middle=(place[a] + place[b]) / 2,
        bend=rng.normal(size=len(a)) * 60,
    )


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
        found[active[labelgraph._expansion(graph, labels, start, active, one, cost, stay)]] = one
    least = min(
        energy(np.where(np.isin(np.arange(nodes), chosen), one, labels))
        for size in range(len(active) + 1)
        for chosen in itertools.combinations(active.tolist(), size)
    )

    assert energy(found) <= least + 0.001 * (len(graph.a) + nodes)  # capacities are thousandths


@given(st.integers(0, 2**32 - 1))
def test_islands_only_ever_join_their_neighbours(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mesh = shapes.grid(8, 6)
    graph = face_graph(facts(mesh))
    labels = rng.choice([0, 11, 12], len(mesh.faces), p=[0.2, 0.6, 0.2]).astype(np.int32)
    mended, n_islands, n_holes = without_islands(graph, labels, share=0.3, near_mm=0.0)
    before, after = pieces_of(graph, labels), pieces_of(graph, mended)

    assert set(mended.tolist()) <= set(labels.tolist())
    assert len(after.area) <= len(before.area) and after.area.sum() == pytest.approx(before.area.sum())
    assert (n_islands + n_holes == 0) == bool((mended == labels).all())
    for label in set(labels.tolist()):
        largest = np.flatnonzero(before.of == int(np.argmax(np.where(before.label == label, before.area, -1))))
        assert (mended[largest] == label).all()
    again, *_ = without_islands(graph, mended, share=0.0, near_mm=0.0)
    assert (again == mended).all()


def test_the_main_piece_is_large_in_area_and_in_faces() -> None:
    """An island on coarse ground wider than its tooth, as on the base of a cast, does not take the tooth's place."""
    tooth, ground = shapes.grid(20, 20, width=6.0, bulge=0.0), shapes.grid(2, 1, width=40.0, bulge=0.0)
    mesh = Mesh(
        vertices=np.concatenate([tooth.vertices, ground.vertices + [100, 0, 0]]),
        faces=np.concatenate([tooth.faces, ground.faces + len(tooth.vertices)]),
    )
    n = len(tooth.faces)
    labels = np.concatenate([np.full(n, 11), np.zeros(len(ground.faces))]).astype(np.int32)
    labels[n] = 11  # one face, many times as wide as the tooth
    graph = face_graph(facts(mesh))
    mended, n_islands, _ = without_islands(graph, labels, share=0.3, near_mm=1.5)

    assert graph.area[n] > 2 * graph.area[:n].sum()
    assert n_islands == 1 and mended[n] == 0 and (mended[:n] == labels[:n]).all()


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
