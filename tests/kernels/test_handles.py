"""The parts of the search for handles: a graph whose complement is a disc, loops in it, and what crosses a loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from meshguard.facts.arrays import connected_components, frozen
from meshguard.facts.mesh import MeshFacts
from meshguard.facts.mesh import handles as facts_of_handles
from meshguard.halfedges import next_halfedge
from meshguard.kernels import handles as kernels
from meshguard.policy import policy
from tests import mutations, shapes

if TYPE_CHECKING:
    from meshguard.kernels.shortest_loops import Surface
    from meshguard.mesh import Mesh

MESHES = {
    "torus": (shapes.torus(), 1),
    "open torus": (mutations.hole_in_body(), 1),
    "plate": (shapes.drilled(3, 2), 6),
    "ball": (shapes.ball(), 0),
    "open ball": (shapes.ball(open_deg=30.0), 0),
}


def cut(mesh: Mesh) -> tuple[MeshFacts, Surface, facts_of_handles._CutLoops]:
    facts = MeshFacts(mesh, policy("scan"))
    surface = facts_of_handles._surface(facts)
    return facts, surface, facts_of_handles._cut_loops(facts, surface, np.arange(1), facts.loops)


def nodes_along(surface: Surface, steps: np.ndarray) -> tuple[list[int], list[int]]:
    """Where the steps of a loop start, and where they end."""
    start, end = surface.node, surface.node[next_halfedge(np.arange(len(surface.node), dtype=np.int32))]
    return (
        [int(start[step] if step >= 0 else end[~step]) for step in steps.tolist()],
        [int(end[step] if step >= 0 else start[~step]) for step in steps.tolist()],
    )


@pytest.mark.parametrize("name", [name for name, (_, genus) in MESHES.items() if genus])
class TestCutLoops:
    def test_there_are_two_for_each_handle_and_each_is_closed(self, name: str) -> None:
        mesh, genus = MESHES[name]
        _, surface, loops = cut(mesh)

        assert len(loops.steps) == 2 * genus
        for steps in loops.steps:
            starts, ends = nodes_along(surface, steps)
            assert np.roll(ends, 1).tolist() == starts
            assert len(set(starts)) == len(starts)

    def test_without_their_edges_the_faces_are_connected(self, name: str) -> None:
        facts, _, loops = cut(MESHES[name][0])
        twins = facts.edges.twins
        paired = np.setdiff1d(facts.edges.paired, loops.edges)

        assert not connected_components(len(facts.corners), paired // 3, twins[paired] // 3).any()

    def test_crossings_do_not_depend_on_which_loop_is_pushed_aside(self, name: str) -> None:
        """Whether two loops cross is symmetric, a loop does not cross itself, and every loop is crossed by another."""
        _, surface, loops = cut(MESHES[name][0])
        pairs = facts_of_handles._Found(surface, loops)
        crossings = np.array([pairs.freed(steps).is_odd for steps in loops.steps])

        assert (crossings == crossings.T).all()
        assert not crossings.diagonal().any()
        assert round(abs(np.linalg.det(crossings.astype(float)))) % 2 == 1

    def test_what_finds_no_room_is_counted(self, name: str) -> None:
        _, surface, loops = cut(MESHES[name][0])
        steps = loops.steps[0]
        edges = np.empty(1000, np.int32)
        count = kernels.edges_to_the_left(surface.twins, steps, edges)

        assert kernels.edges_to_the_left(surface.twins, steps, np.empty(0, np.int32)) == count


@pytest.mark.parametrize("name", ["ball", "open ball"])
def test_without_handles_nothing_is_left_of_the_graph(name: str) -> None:
    facts = MeshFacts(MESHES[name][0], policy("scan"))
    surface = facts_of_handles._surface(facts)
    curve = np.full(len(surface.twins), -1, np.int32)
    curve[facts.loops.halfedges] = 0
    offsets = frozen(np.array([0, len(facts.loops.halfedges)], np.int32))
    is_cut = np.empty(len(surface.twins), np.bool_)
    kernels.cut_graph(
        surface.twins,
        surface.node,
        len(surface.corner),
        frozen(np.zeros(1, np.int32)),
        offsets,
        facts.loops.halfedges,
        frozen(curve),
        is_cut,
    )

    assert not is_cut.any()
