"""Handles of a surface: a graph to cut it along, loops in that graph, and the shortest loop around each handle.

A surface without its cut graph is one disc. The graph is what a spanning tree of faces does not cross, without its dead
ends; each edge of it outside a spanning tree of its own closes a loop, and there are two for each handle (Erickson and
Whittlesey, Greedy Optimal Homotopy and Homology Generators, 2005). Boundary curves count as faces, so that the surface
is one without a boundary. Two loops cross an odd or an even number of times: push one of them to its left, and count
how often the other passes from there. A loop that crosses another an odd number of times goes around a handle, and the
shortest such loop through a vertex consists of two shortest paths and an edge (Thomassen's three-path condition).

Vertices are fans here, so that the surface is manifold: nodes for short. An edge is known by its lower half-edge.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined, kernel
from meshguard.kernels.halfedges import next_halfedge, previous_halfedge

_SAME = 1e-9
"""Loops whose lengths differ by no more than this share are equally long."""


@inlined
def _edge(twins: npt.NDArray[np.int32], h: int) -> int:
    """The lower half-edge of an edge."""
    g = twins[h]
    return g if 0 <= g < h else h


@inlined
def _reversed(twins: npt.NDArray[np.int32], step: int) -> int:
    """A step the other way: along the twin, or backwards along a half-edge without one, h, which is written ~h."""
    if step < 0:
        return ~step
    g = twins[step]
    return g if g >= 0 else ~step


@inlined
def _first_around(twins: npt.NDArray[np.int32], h: int) -> int:
    """Of the half-edges that start where h does, the first counter-clockwise: after the boundary, or h if none is."""
    first = h
    while twins[first] >= 0:
        first = next_halfedge(twins[first])
        if first == h:
            break
    return first


@kernel
def cut_graph(
    twins: npt.NDArray[np.int32],
    node: npt.NDArray[np.int32],
    n_nodes: int,
    seeds: npt.NDArray[np.int32],
    curve_offsets: npt.NDArray[np.int32],
    curve_halfedges: npt.NDArray[np.int32],
    curve: npt.NDArray[np.int32],
    out_is_cut: npt.NDArray[np.bool_],
) -> None:
    """The cut graph of some components, without dead ends.

    Args:
        twins: (3m,) int32, from `group_edges`.
        node: (3m,) int32: the node at each corner.
        n_nodes: how many nodes there are.
        seeds: (k,) int32: a face of each component.
        curve_offsets: (c + 1,) int32: first entry of each boundary curve.
        curve_halfedges: (b,) int32: half-edges of the boundary, by curve.
        curve: (3m,) int32: curve of each half-edge of the boundary; −1 for others.
        out_is_cut: (3m,) bool: edges of the graph, at their lower half-edges.
    """
    count = len(twins) // 3
    is_seen, is_curve_seen = np.zeros(count, np.bool_), np.zeros(len(curve_offsets) - 1, np.bool_)
    is_crossed = np.zeros(len(twins), np.bool_)
    queue = np.empty(count + len(curve_offsets), np.int32)  # faces, and curves c as ~c
    head = tail = 0
    for f in seeds:
        is_seen[f] = True
        queue[tail] = f
        tail += 1
    while head < tail:
        item = queue[head]
        head += 1
        if item < 0:
            for i in range(curve_offsets[~item], curve_offsets[~item + 1]):
                h = curve_halfedges[i]
                if not is_seen[h // 3]:
                    is_seen[h // 3] = is_crossed[h] = True
                    queue[tail] = h // 3
                    tail += 1
            continue
        for h in range(3 * item, 3 * item + 3):
            g = twins[h]
            if g >= 0:
                if not is_seen[g // 3]:
                    is_seen[g // 3] = is_crossed[min(g, h)] = True
                    queue[tail] = g // 3
                    tail += 1
            elif curve[h] >= 0 and not is_curve_seen[curve[h]]:
                is_curve_seen[curve[h]] = is_crossed[h] = True
                queue[tail] = ~curve[h]
                tail += 1
    degree, together = np.zeros(n_nodes, np.int32), np.zeros(n_nodes, np.int32)
    for h in range(len(twins)):
        out_is_cut[h] = is_seen[h // 3] and not is_crossed[h] and _edge(twins, h) == h
        if out_is_cut[h]:
            for end in (node[h], node[next_halfedge(h)]):
                degree[end] += 1
                together[end] ^= h  # where one edge is left, this is it
    for start in range(n_nodes):
        v = start
        while degree[v] == 1:
            h = together[v]
            out_is_cut[h] = False
            degree[v] = 0
            v = node[h] if node[h] != v else node[next_halfedge(h)]
            degree[v] -= 1
            together[v] ^= h


@kernel
def cut_loops(
    twins: npt.NDArray[np.int32],
    node: npt.NDArray[np.int32],
    n_nodes: int,
    edges: npt.NDArray[np.int32],
    out_offsets: npt.NDArray[np.int64],
    out_steps: npt.NDArray[np.int32],
) -> int:
    """A loop for each edge of a graph that a spanning forest of it leaves out: the edge, and the way back in the tree.

    Args:
        twins: (3m,) int32.
        node: (3m,) int32.
        n_nodes: how many nodes there are.
        edges: (e,) int32: edges of the graph.
        out_offsets: (>= loops + 1,) int64: first step of each loop, then the number of all.
        out_steps: (q,) int32: half-edges along the loops; ~h where a step runs backwards along h, which has no twin.

    Returns:
        How many loops there are. Steps beyond q are counted, not written.
    """
    offsets = np.zeros(n_nodes + 1, np.int32)
    for e in edges:
        offsets[node[e] + 1] += 1
        offsets[node[next_halfedge(e)] + 1] += 1
    for v in range(n_nodes):
        offsets[v + 1] += offsets[v]
    place, at_node = offsets[:-1].copy(), np.empty(2 * len(edges), np.int32)
    for i in range(len(edges)):
        for v in (node[edges[i]], node[next_halfedge(edges[i])]):
            at_node[place[v]] = i
            place[v] += 1
    depth, up = np.full(n_nodes, -1, np.int32), np.empty(n_nodes, np.int32)
    is_tree = np.zeros(len(edges), np.bool_)
    queue = np.empty(n_nodes, np.int32)
    for e in edges:
        if depth[node[e]] >= 0:
            continue
        depth[node[e]] = 0
        queue[0] = node[e]
        head, tail = 0, 1
        while head < tail:
            v = queue[head]
            head += 1
            for k in range(offsets[v], offsets[v + 1]):
                h = edges[at_node[k]]
                step = h if node[h] != v else _reversed(twins, h)  # the way back to v
                w = node[h] if node[h] != v else node[next_halfedge(h)]
                if depth[w] < 0:
                    depth[w], up[w] = depth[v] + 1, step
                    is_tree[at_node[k]] = True
                    queue[tail] = w
                    tail += 1
    loops = filled = 0
    down = np.empty(n_nodes, np.int32)
    out_offsets[0] = 0
    for i in range(len(edges)):
        if is_tree[i]:
            continue
        v, w = node[edges[i]], node[next_halfedge(edges[i])]
        if filled < len(out_steps):
            out_steps[filled] = edges[i]
        filled += 1
        n_down = 0
        while v != w:  # up from both ends, the deeper one first, until they meet
            if depth[w] >= depth[v]:
                step = up[w]
                if filled < len(out_steps):
                    out_steps[filled] = step
                filled += 1
                w = node[next_halfedge(step)] if step >= 0 else node[~step]
            else:
                step = up[v]
                down[n_down] = _reversed(twins, step)
                n_down += 1
                v = node[next_halfedge(step)] if step >= 0 else node[~step]
        for k in range(n_down - 1, -1, -1):
            if filled < len(out_steps):
                out_steps[filled] = down[k]
            filled += 1
        loops += 1
        out_offsets[loops] = filled
    return loops


@kernel
def edges_to_the_left(
    twins: npt.NDArray[np.int32], steps: npt.NDArray[np.int32], out_edges: npt.NDArray[np.int32]
) -> int:
    """The edges that leave a loop to its left, as often as they do; across a boundary the other side follows.

    Args:
        twins: (3m,) int32.
        steps: (k,) int32: the loop, as in `cut_loops`.
        out_edges: (q,) int32: edges, by where they leave.

    Returns:
        How many there are; those beyond q are counted, not written.
    """
    count = 0
    for i in range(len(steps)):
        before, step = steps[i - 1], steps[i]
        last = _edge(twins, before if before >= 0 else ~before)
        # Counter-clockwise around the node, from the step that leaves it to the one that came.
        if step >= 0:
            h = step
        else:
            h = _first_around(twins, next_halfedge(~step))
            if _edge(twins, h) == last:
                continue
            if count < len(out_edges):
                out_edges[count] = _edge(twins, h)
            count += 1
        while True:
            g = previous_halfedge(h)
            e = _edge(twins, g)
            if e == last:
                break
            if count < len(out_edges):
                out_edges[count] = e
            count += 1
            if twins[g] >= 0:
                h = twins[g]
                continue
            h = _first_around(twins, next_halfedge(g))
            if _edge(twins, h) == last:
                break
            if count < len(out_edges):
                out_edges[count] = _edge(twins, h)
            count += 1
    return count


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


class _Search(NamedTuple):
    """What searches write to, one after the other: `turn` says which of them has seen a node last."""

    distance: npt.NDArray[np.float64]
    parent: npt.NDArray[np.int32]
    parity: npt.NDArray[np.bool_]
    is_settled: npt.NDArray[np.bool_]
    turn: npt.NDArray[np.int32]
    keys: npt.NDArray[np.float64]
    items: npt.NDArray[np.int32]
    is_odd: npt.NDArray[np.bool_]


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
    search: _Search,
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
        first = _first_around(surface.twins, surface.corner[v])
        h, is_last = first, False
        while True:
            # Along h, which leaves v; the last edge of a fan along a boundary comes to v.
            w = surface.node[h] if is_last else surface.node[next_halfedge(h)]
            way = far + _length(surface, h)
            side = parity[v] != search.is_odd[_edge(surface.twins, h)]
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
    first: int = _first_around(surface.twins, surface.corner[v])
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
        out_steps: (n,) int32: the steps along the loop, as in `cut_loops`; of equally long loops it is the one with
            the least position.

    Returns:
        Its length in mm, infinite where there is none, and how many steps it has.
    """
    count, length = len(surface.corner), len(surface.twins)
    search = _Search(
        np.empty(count, np.float64),
        np.empty(count, np.int32),
        np.empty(count, np.bool_),
        np.empty(count, np.bool_),
        np.zeros(count, np.int32),
        np.empty(2 * length + 1, np.float64),
        np.empty(2 * length + 1, np.int32),
        np.zeros(length, np.bool_),
    )
    nodes = np.empty(count, np.int32)
    best, n_best, least = np.inf, 0, -1
    reach, work, turn = first_reach, 0, 0
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
        first = _first_around(twins, surface.corner[nodes[i]])
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
