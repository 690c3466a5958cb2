"""A graph to cut a surface along, loops in that graph, and what crosses a loop.

A surface without its cut graph is one disc. The graph is what a spanning tree of faces does not cross, without its dead
ends; each edge of it outside a spanning tree of its own closes a loop, and there are two for each handle (Erickson and
Whittlesey, Greedy Optimal Homotopy and Homology Generators, 2005). Boundary curves count as faces, so that the surface
is one without a boundary. Two loops cross an odd or an even number of times: push one of them to its left, and count
how often the other passes from there.

Vertices are fans here, so that the surface is manifold: nodes for short. An edge is known by its lower half-edge.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined, kernel
from meshguard.kernels.halfedges import next_halfedge, previous_halfedge


@inlined
def edge_of(twins: npt.NDArray[np.int32], h: int) -> int:
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
def first_around(twins: npt.NDArray[np.int32], h: int) -> int:
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
        out_is_cut[h] = is_seen[h // 3] and not is_crossed[h] and edge_of(twins, h) == h
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
        last = edge_of(twins, before if before >= 0 else ~before)
        # Counter-clockwise around the node, from the step that leaves it to the one that came.
        if step >= 0:
            h = step
        else:
            h = first_around(twins, next_halfedge(~step))
            if edge_of(twins, h) == last:
                continue
            if count < len(out_edges):
                out_edges[count] = edge_of(twins, h)
            count += 1
        while True:
            g = previous_halfedge(h)
            e = edge_of(twins, g)
            if e == last:
                break
            if count < len(out_edges):
                out_edges[count] = e
            count += 1
            if twins[g] >= 0:
                h = twins[g]
                continue
            h = first_around(twins, next_halfedge(g))
            if edge_of(twins, h) == last:
                break
            if count < len(out_edges):
                out_edges[count] = edge_of(twins, h)
            count += 1
    return count
