"""Handles: for each handle of a surface a shortest loop around it, which says where it is and how thick.

A handle has two kinds of loops: around it, and along it and back. They cross once. Pairs of such loops are taken from
a graph that cuts the surface open; of all loops of edges that cross one of a pair an odd number of times, the shortest
is the place of the handle, and what is left to find is freed of it. (Erickson and Whittlesey, Greedy Optimal
Homotopy and Homology Generators, 2005; compare Dey, Fan and Wang, An Efficient Computation of Handle and Tunnel Loops
via Reeb Graphs, 2013.)
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.facts.arrays import frozen
from meshguard.halfedges import next_halfedge, unit_vectors
from meshguard.kernels import handles as kernels
from meshguard.kernels.shortest_loops import Surface, new_search, node_normals, shortest_loop

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.facts.mesh.boundary_loops import Loops
    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import FloatArray, IntArray

MOST_HANDLES = 64
"""Handles of a mesh that are looked for; of more, those whose loops in the cut graph are shortest."""

_FIRST_REACH = 4.0
"""How far from the cut a loop is looked for first, in mean lengths of edges; then twice as far, and so on."""

_MOST_WORK, _LEAST_WORK = 3_000_000, 100_000
"""Edges that the searches for all loops may look at together, and at least for each: bounds the work."""


class Handle(NamedTuple):
    """A handle, by the shortest loop around it that was found.

    Attributes:
        component: the component that has it.
        loop: int32 (k,), positions along the loop.
        length: of the loop, mm.
        lean: mean cosine between the surface's normals along the loop, in its plane, and the directions away from its
            middle: near 1 where the loop goes around material, near −1 where it goes around air.
    """

    component: int
    loop: IntArray
    length: float
    lean: float


def find_handles(mesh: Connectivity, genus: IntArray, loops: Loops) -> list[Handle]:
    """Handles of the components that are oriented consistently, by component, then shortest first.

    Args:
        mesh: the mesh.
        genus: handles of each component, int32 (C,); −1 where it is not defined.
        loops: the boundary loops.
    """
    has_handles = (genus > 0) & (mesh.components.n_inconsistent_edges == 0)
    if not has_handles.any():
        return []
    surface = _surface(mesh)
    found = _shortest_loops(surface, _cut_loops(mesh, surface, np.flatnonzero(has_handles), loops))
    handles = [_handle(mesh, surface, length, steps) for length, steps in found]
    return sorted(handles, key=lambda handle: (handle.component, handle.length))


def _surface(mesh: Connectivity) -> Surface:
    """The surface with its fans as nodes."""
    of_corner = mesh.fans.of_corner
    is_name = of_corner == np.arange(len(of_corner))
    corner = np.flatnonzero(is_name).astype(np.int32)
    number = np.empty(len(of_corner), np.int32)
    number[corner] = np.arange(len(corner), dtype=np.int32)
    node = frozen(number[of_corner])
    return Surface(mesh.positions, mesh.corners.reshape(-1), mesh.edges.twins, node, frozen(corner))


class _CutLoops(NamedTuple):
    """Loops in the cut graph, two for each handle.

    Attributes:
        steps: the half-edges along each, as in `kernels.handles`.
        edges: int32, the edges along all of them.
        starts: where each loop's edges begin.
        lengths: of each loop, mm.
    """

    steps: list[IntArray]
    edges: IntArray
    starts: npt.NDArray[np.int64]
    lengths: FloatArray


def _cut_loops(mesh: Connectivity, surface: Surface, components: npt.NDArray[np.intp], loops: Loops) -> _CutLoops:
    """Loops in the cut graph of some components."""
    twins, node, n_nodes = surface.twins, surface.node, len(surface.corner)
    seeds = frozen(np.array([mesh.faces_of(int(component))[0] for component in components], np.int32))
    of_entry = loops.chain[loops.owner]
    order = np.argsort(of_entry, kind="stable")
    offsets = np.searchsorted(of_entry[order], np.arange(int(of_entry.max(initial=-1)) + 2)).astype(np.int32)
    curve = np.full(len(twins), -1, np.int32)
    curve[loops.halfedges] = of_entry
    is_cut = np.empty(len(twins), np.bool_)
    along_curves = frozen(loops.halfedges[order])
    kernels.cut_graph(twins, node, n_nodes, seeds, frozen(offsets), along_curves, frozen(curve), is_cut)
    edges = frozen(np.flatnonzero(is_cut).astype(np.int32))
    bounds, steps = np.empty(len(edges) + 1, np.int64), np.empty(8 * len(edges), np.int32)
    while True:
        count = kernels.cut_loops(twins, node, n_nodes, edges, bounds, steps)
        if bounds[count] <= len(steps):
            break
        steps = np.empty(int(bounds[count]), np.int32)
    bounds, steps = bounds[: count + 1], frozen(steps[: bounds[count]])
    along = _edges_along(surface, steps)
    ends = surface.positions[surface.flat[np.stack([along, next_halfedge(along)])]]
    lengths = np.add.reduceat(np.linalg.norm(ends[1] - ends[0], axis=1), bounds[:-1])
    return _CutLoops([steps[lo:hi] for lo, hi in pairwise(bounds)], along, bounds[:-1], lengths)


class _Crossings(NamedTuple):
    """A sum of loops, by what crosses it.

    Attributes:
        edges: int32, edges that leave it to its left an odd number of times, ascending.
        nodes: int32, nodes along it: each of the edges starts or ends at one of them.
        is_odd: bool, whether each loop of the cut graph crosses it an odd number of times.
    """

    edges: IntArray
    nodes: IntArray
    is_odd: BoolArray


class _Found:
    """The pairs of sums of loops that were found so far: first, second, first, second, and so on.

    Attributes:
        sums: the sums; the two of a pair cross once, and sums of different pairs do not cross.
        is_odd: bool, a row for each sum: whether each loop of the cut graph crosses it an odd number of times.
    """

    def __init__(self, surface: Surface, loops: _CutLoops) -> None:
        self._surface, self._loops = surface, loops
        self._is_marked = np.zeros(len(surface.twins), np.bool_)
        self._of_loop: dict[int, _Crossings] = {}
        self.sums: list[_Crossings] = []
        self.is_odd = np.zeros((0, len(loops.steps)), np.bool_)

    def add(self, first: _Crossings, second: _Crossings) -> None:
        """Add a pair."""
        self.sums += [first, second]
        self.is_odd = np.concatenate([self.is_odd, [first.is_odd, second.is_odd]])

    def freed_loop(self, number: int) -> _Crossings:
        """A loop of the cut graph without what it has of the pairs."""
        if number not in self._of_loop:
            self._of_loop[number] = self._crossings(self._loops.steps[number])
        return self._freed(self._of_loop[number], self.is_odd[:, number])

    def freed(self, steps: IntArray) -> _Crossings:
        """Any loop without what it has of the pairs."""
        items = np.concatenate([np.empty(0, np.int32), *(found.edges for found in self.sums)])
        starts = np.cumsum([0, *(len(found.edges) for found in self.sums)])[:-1]
        crosses = self._parities(_edges_along(self._surface, steps), items, starts)
        return self._freed(self._crossings(steps), crosses)

    def _freed(self, loop: _Crossings, crosses: BoolArray) -> _Crossings:
        """A loop without what it has of the pairs, where it crosses some of their sums an odd number of times."""
        if not crosses.any():
            return loop
        partners = np.flatnonzero(crosses) ^ 1  # to cross one of a pair is to hold the other
        parts = [loop, *(self.sums[place] for place in partners.tolist())]
        return _Crossings(
            frozen(_odd(np.concatenate([part.edges for part in parts]))),
            frozen(np.unique(np.concatenate([part.nodes for part in parts]))),
            loop.is_odd ^ np.logical_xor.reduce(self.is_odd[partners], axis=0),
        )

    def _crossings(self, steps: IntArray) -> _Crossings:
        """A loop by what crosses it."""
        surface, loops = self._surface, self._loops
        left = frozen(_left_of(surface, steps))
        nodes = surface.node[np.where(steps < 0, next_halfedge(~steps), steps)]
        return _Crossings(left, frozen(np.sort(nodes)), self._parities(left, loops.edges, loops.starts))

    def _parities(self, edges: IntArray, items: IntArray, starts: npt.NDArray[np.int64]) -> BoolArray:
        """Whether each of some lists of edges has an odd number of these edges, bool (s,); an empty one has none."""
        self._is_marked[edges] = True
        so_far = np.cumsum(np.concatenate([[0], self._is_marked[items]]))
        self._is_marked[edges] = False
        is_odd: BoolArray = (so_far[np.append(starts[1:], len(items))] - so_far[starts]) % 2 == 1
        return is_odd[: len(starts)]


def _shortest_loops(surface: Surface, loops: _CutLoops) -> list[tuple[float, IntArray]]:
    """For each handle the length and the steps of a shortest loop, shortest loops of the cut graph first.

    Two loops of the cut graph that cross once are the cuts: of the loops that cross one of them an odd number of times
    the shortest is found. From then on all others are freed of it and of a partner that it crosses, as vectors are
    made orthogonal: a loop is a sum of loops of the cut graph, modulo 2, and whether two cross an odd number of times
    is a product that is linear in both. So no loop is found twice, nor a sum of those before.
    """
    pairs = _Found(surface, loops)
    found: list[tuple[float, IntArray]] = []
    n_sought = min(MOST_HANDLES, len(loops.steps) // 2)
    work = max(_LEAST_WORK, _MOST_WORK // n_sought)
    search = new_search(surface)
    steps_found = np.empty(len(surface.corner), np.int32)
    for number in np.argsort(loops.lengths, kind="stable").tolist():
        if len(found) == n_sought:
            break
        first = pairs.freed_loop(number)
        if not first.is_odd.any():  # those before add up to it
            continue
        second = pairs.freed_loop(_partner(loops, first))
        limit = float(loops.lengths[number])
        reach = _FIRST_REACH * limit / len(loops.steps[number])
        length, count = shortest_loop(
            surface,
            first.edges,
            _scattered(first.nodes),
            second.edges,
            _scattered(second.nodes),
            reach,
            limit,
            work,
            search,
            steps_found,
        )
        found.append((length, frozen(steps_found[:count].copy())))
        tightened = pairs.freed(found[-1][1])
        pairs.add(tightened, pairs.freed_loop(_partner(loops, tightened)))
    return found


def _partner(loops: _CutLoops, crossings: _Crossings) -> int:
    """The shortest loop of the cut graph that crosses a sum of loops an odd number of times."""
    partners = np.flatnonzero(crossings.is_odd)
    return int(partners[np.argmin(loops.lengths[partners])])


def _edges_along(surface: Surface, steps: IntArray) -> IntArray:
    """The edge of each step, as its lower half-edge, int32."""
    halfedges = np.where(steps < 0, ~steps, steps)
    twins = surface.twins[halfedges]
    return np.where(twins >= 0, np.minimum(halfedges, twins), halfedges).astype(np.int32)


def _left_of(surface: Surface, steps: IntArray) -> IntArray:
    """The edges that leave a loop to its left an odd number of times, int32, ascending."""
    most = 8 * len(steps)
    while True:
        edges = np.empty(most, np.int32)
        count = kernels.edges_to_the_left(surface.twins, steps, edges)
        if count <= most:
            return _odd(edges[:count])
        most = count


def _odd(items: IntArray) -> IntArray:
    """What occurs an odd number of times, int32, ascending."""
    distinct, times = np.unique(items, return_counts=True)
    odd: IntArray = distinct[times % 2 == 1].astype(np.int32)
    return odd


def _scattered(nodes: IntArray) -> IntArray:
    """Nodes in another order, scattered, int32: the first of them may be all that are asked."""
    return frozen(nodes[np.argsort(np.arange(len(nodes)) * 0.6180339887498949 % 1.0, kind="stable")])


def _handle(mesh: Connectivity, surface: Surface, length: float, steps: IntArray) -> Handle:
    """A handle from the loop that was found."""
    halfedges = np.where(steps < 0, next_halfedge(~steps), steps)  # the half-edge or a corner where each step starts
    normals = np.empty((len(steps), 3))
    node_normals(surface, frozen(surface.node[halfedges]), normals)
    loop = surface.flat[halfedges]
    points = mesh.positions[loop]
    outward = points - points.mean(axis=0)
    # What the normals have across the plane of the loop says nothing: a loop may run along an edge of the body.
    across = unit_vectors(np.cross(outward, np.roll(outward, -1, axis=0)).sum(axis=0, keepdims=True))
    normals -= (normals @ across.T) * across
    cosines = (unit_vectors(normals) * unit_vectors(outward)).sum(axis=1)
    component = int(mesh.components.of_face[halfedges[0] // 3])
    return Handle(component, frozen(loop), length, float(cosines.mean()))
