"""The shortest loop around a handle: one that passes a cut an odd number of times.

Such a loop goes around a handle, and the shortest one through a node consists of two shortest paths and an edge
(Thomassen's three-path condition). Nodes, edges and steps are those of `kernels.handles`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined, kernel
from meshguard.kernels.halfedges import next_halfedge, previous_halfedge
from meshguard.kernels.handles import edge_of, first_around

_SAME = 1e-9
"""Loops whose lengths differ by no more than this share are equally long."""


@inlined
def _is_before(positions: npt.NDArray[np.float64], p: int, q: int) -> bool:
    """Whether a position is less than another in x, then y, then z."""
    for d in range(3):
        if positions[p, d] != positions[q, d]:
            is_less: bool = positions[p, d] < positions[q, d]
            return is_less
    return False


@inlined
def _push(keys: npt.NDArray[np.float64], items: npt.NDArray[np.int32], size: int, key: float, item: int) -> int:
    """Put an item on a binary heap; returns its new size."""
    i = size
    while i > 0 and keys[(i - 1) // 2] > key:
        keys[i], items[i] = keys[(i - 1) // 2], items[(i - 1) // 2]
        i = (i - 1) // 2
    keys[i], items[i] = key, item
    return size + 1


@inlined
def _drop_first(keys: npt.NDArray[np.float64], items: npt.NDArray[np.int32], size: int) -> int:
    """Take the first item off a binary heap; returns its new size."""
    size -= 1
    key, item = keys[size], items[size]
    i = 0
    while 2 * i + 1 < size:
        child = 2 * i + 1
        if child + 1 < size and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[i], items[i] = keys[child], items[child]
        i = child
    keys[i], items[i] = key, item
    return size


class Surface(NamedTuple):
    """What a search along edges asks for.

    Attributes:
        positions: (p, 3) float64, mm.
        flat: (3m,) int32: position at each corner.
        twins: (3m,) int32.
        node: (3m,) int32: the node at each corner.
        corner: (n,) int32: a corner at each node.
    """

    positions: npt.NDArray[np.float64]
    flat: npt.NDArray[np.int32]
    twins: npt.NDArray[np.int32]
    node: npt.NDArray[np.int32]
    corner: npt.NDArray[np.int32]


class Search(NamedTuple):
    """What searches write to, one after the other: `turn` says which of them has seen a node last."""

    distance: npt.NDArray[np.float64]
    parent: npt.NDArray[np.int32]
    parity: npt.NDArray[np.bool_]
    is_settled: npt.NDArray[np.bool_]
    turn: npt.NDArray[np.int32]
    keys: npt.NDArray[np.float64]
    items: npt.NDArray[np.int32]
    is_odd: npt.NDArray[np.bool_]
    last_turn: npt.NDArray[np.int32]


def new_search(surface: Surface) -> Search:
    """What searches on a surface can write to."""
    count, length = len(surface.corner), len(surface.twins)
    return Search(
        np.empty(count, np.float64),
        np.empty(count, np.int32),
        np.empty(count, np.bool_),
        np.empty(count, np.bool_),
        np.zeros(count, np.int32),
        np.empty(2 * length + 1, np.float64),
        np.empty(2 * length + 1, np.int32),
        np.zeros(length, np.bool_),
        np.zeros(1, np.int32),
    )


@inlined
def _length(surface: Surface, h: int) -> float:
    """The length of a half-edge, mm."""
    p, q = surface.flat[h], surface.flat[next_halfedge(h)]
    x = surface.positions[p, 0] - surface.positions[q, 0]
    y = surface.positions[p, 1] - surface.positions[q, 1]
    z = surface.positions[p, 2] - surface.positions[q, 2]
    return math.sqrt(x * x + y * y + z * z)


@inlined
def _least_of(surface: Surface, parent: npt.NDArray[np.int32], v: int, w: int) -> int:
    """The least position of a loop, on the ways back from the two ends of its last edge."""
    least: int = surface.flat[surface.corner[v]]
    for end in (v, w):
        u = end
        while u >= 0:
            p = surface.flat[surface.corner[u]]
            if _is_before(surface.positions, p, least):
                least = p
            u = parent[u]
    return least


@inlined
def _write_loop(parent: npt.NDArray[np.int32], v: int, w: int, out_nodes: npt.NDArray[np.int32]) -> int:
    """Write the nodes of a loop, from v back to its base and on to w; how many."""
    count = 0
    u = v
    while u >= 0:
        out_nodes[count] = u
        count += 1
        u = parent[u]
    n_back = 0
    u = w
    while parent[u] >= 0:
        n_back += 1
        u = parent[u]
    u = w
    for k in range(n_back - 1, -1, -1):
        out_nodes[count + k] = u
        u = parent[u]
    return count + n_back


@inlined
def _search_from(
    surface: Surface,
    search: Search,
    base: int,
    turn: int,
    reach: float,
    best: float,
    n_best: int,
    least: int,
    out_nodes: npt.NDArray[np.int32],
) -> tuple[float, int, int, int]:
    """Shortest paths from a node: the shortest odd loop so far, its size and least position, and the work this took."""
    distance, parent, parity, is_settled = search.distance, search.parent, search.parity, search.is_settled
    distance[base], parent[base], parity[base], is_settled[base], search.turn[base] = 0.0, -1, False, False, turn
    size = _push(search.keys, search.items, 0, 0.0, base)
    work = 0
    while size > 0:
        far, v = search.keys[0], search.items[0]
        size = _drop_first(search.keys, search.items, size)
        if far > min(reach, 0.5 * best * (1.0 + _SAME)):
            break
        if is_settled[v]:
            continue
        is_settled[v] = True
        first = first_around(surface.twins, surface.corner[v])
        h, is_last = first, False
        while True:
            # Along h, which leaves v; the last edge of a fan along a boundary comes to v.
            w = surface.node[h] if is_last else surface.node[next_halfedge(h)]
            way = far + _length(surface, h)
            side = parity[v] != search.is_odd[edge_of(surface.twins, h)]
            work += 1
            if search.turn[w] != turn or (not is_settled[w] and way < distance[w]):
                search.turn[w] = turn
                distance[w], parent[w], parity[w], is_settled[w] = way, v, side, False
                size = _push(search.keys, search.items, size, way, w)
            elif is_settled[w] and parity[w] != side and way + distance[w] <= best * (1.0 + _SAME):
                lowest = _least_of(surface, parent, v, w)
                if way + distance[w] < best * (1.0 - _SAME) or _is_before(surface.positions, lowest, least):
                    best, least = way + distance[w], lowest
                    n_best = _write_loop(parent, v, w, out_nodes)
            if is_last:
                break
            g = previous_halfedge(h)
            if surface.twins[g] < 0:
                h, is_last = g, True
            else:
                h = surface.twins[g]
                if h == first:
                    break
    return best, n_best, least, work


@inlined
def _step_between(surface: Surface, v: int, w: int) -> int:
    """The step from a node to a neighbour."""
    first: int = first_around(surface.twins, surface.corner[v])
    h = first
    while True:
        if surface.node[next_halfedge(h)] == w:
            return h
        g = previous_halfedge(h)
        if surface.twins[g] < 0:
            return ~g
        h = surface.twins[g]
        if h == first:
            return first


@kernel
def shortest_loop(
    surface: Surface,
    first_cut: npt.NDArray[np.int32],
    first_bases: npt.NDArray[np.int32],
    second_cut: npt.NDArray[np.int32],
    second_bases: npt.NDArray[np.int32],
    first_reach: float,
    limit: float,
    most_work: int,
    search: Search,
    out_steps: npt.NDArray[np.int32],
) -> tuple[float, int]:
    """The shortest loop of edges that passes one of two cuts an odd number of times.

    It is looked for within a reach of some nodes, which is doubled until there is one. A search that has taken much
    work stops at the shortest loop so far.

    Args:
        surface: the surface.
        first_cut: (e,) int32: the edges that the first cut passes, as lower half-edges.
        first_bases: (b,) int32: the nodes through one of which a loop runs, in the order in which they are asked.
        second_cut: the same of the second cut.
        second_bases: likewise.
        first_reach: how far from its base the loop is looked for first, mm.
        limit: from where on it is looked for everywhere, mm.
        most_work: edges that are looked at before the search may stop.
        search: from `new_search`; the same for all searches on a surface.
        out_steps: (n,) int32: the steps along the loop, as in `cut_loops`; of equally long loops it is the one with
            the least position.

    Returns:
        Its length in mm, infinite where there is none, and how many steps it has.
    """
    nodes = np.empty(len(surface.corner), np.int32)
    best, n_best, least = np.inf, 0, -1
    reach, work, turn = first_reach, 0, search.last_turn[0]
    while True:
        for second in range(2):
            cut, bases = (second_cut, second_bases) if second else (first_cut, first_bases)
            for e in cut:
                search.is_odd[e] = True
            for base in bases:
                if work > most_work and (best < np.inf or reach < np.inf):
                    break
                turn += 1
                best, n_best, least, more = _search_from(surface, search, base, turn, reach, best, n_best, least, nodes)
                work += more
            for e in cut:
                search.is_odd[e] = False
        if best < np.inf or reach == np.inf:
            break
        reach = 2.0 * reach if 2.0 * reach < limit and work <= most_work else np.inf
    search.last_turn[0] = turn
    for i in range(n_best):
        out_steps[i] = _step_between(surface, nodes[i], nodes[(i + 1) % n_best])
    return best, n_best


@kernel
def node_normals(surface: Surface, nodes: npt.NDArray[np.int32], out_normals: npt.NDArray[np.float64]) -> None:
    """Area-weighted normals at some nodes.

    Args:
        surface: the surface.
        nodes: (k,) int32.
        out_normals: (k, 3) float64: twice the sum of the area vectors of the faces at each node, mm2.
    """
    positions, flat, twins = surface.positions, surface.flat, surface.twins
    for i in range(len(nodes)):
        first = first_around(twins, surface.corner[nodes[i]])
        h = first
        out_normals[i] = 0.0
        while True:
            g = previous_halfedge(h)
            a, b, c = flat[h], flat[next_halfedge(h)], flat[g]
            ux, uy, uz = (
                positions[b, 0] - positions[a, 0],
                positions[b, 1] - positions[a, 1],
                positions[b, 2] - positions[a, 2],
            )
            vx, vy, vz = (
                positions[c, 0] - positions[a, 0],
                positions[c, 1] - positions[a, 1],
                positions[c, 2] - positions[a, 2],
            )
            out_normals[i, 0] += uy * vz - uz * vy
            out_normals[i, 1] += uz * vx - ux * vz
            out_normals[i, 2] += ux * vy - uy * vx
            h = twins[g]
            if h < 0 or h == first:
                break
