"""Borders moved by graph cuts, and what of a cut is kept.

After Boykov, Veksler and Zabih, Fast approximate energy minimization via graph cuts, PAMI 2001.
`boundary_smoothing` and `learned_costs` say what a border costs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow
from scipy.spatial import KDTree

from meshguard.repair.labels.label_graph import components
from meshguard.watch import look

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray, Whole
    from meshguard.mesh import FloatArray, IntArray
    from meshguard.repair.labels.label_graph import LabelGraph

_UNITS = 1000
"""Capacities of a cut are whole numbers: thousandths."""

_DEAREST = 1000.0
"""No cost is more, so that capacities fit into 32 bits."""


class BorderCost(NamedTuple):
    """What a border along each edge costs, float64 (e,), by what lies on its two sides.

    `tooth_tooth` is at most the sum of the other two, or a cut may miss the cheapest borders.
    """

    tooth_gum: FloatArray
    gum_tooth: FloatArray
    tooth_tooth: FloatArray

    def of(self, edges: Whole, a: IntArray, b: IntArray) -> FloatArray:
        """What these edges cost with these labels of their ends."""
        teeth = np.where(b == 0, self.tooth_gum[edges], self.tooth_tooth[edges])
        return np.where(a == b, 0.0, np.where(a == 0, self.gum_tooth[edges], teeth))


def within_reach(graph: LabelGraph, labels: IntArray, reach_mm: float) -> dict[int, Whole]:
    """For each label that has a border, the nodes within reach of one of its borders, int32, sorted."""
    border = labels[graph.a] != labels[graph.b]
    middle, sides = graph.middle[border], np.stack([labels[graph.a[border]], labels[graph.b[border]]], axis=1)
    if not len(middle):
        return {}
    near = np.flatnonzero(KDTree(middle).query(graph.place, distance_upper_bound=reach_mm)[0] <= reach_mm)
    reached: dict[int, Whole] = {}
    for label in np.unique(sides).tolist():
        borders = KDTree(middle[(sides == label).any(axis=1)])
        distance = borders.query(graph.place[near], distance_upper_bound=reach_mm)[0]
        reached[label] = near[distance <= reach_mm].astype(np.int32)
    return reached


def recut(
    graph: LabelGraph, labels: IntArray, reached: dict[int, Whole], cost: BorderCost, stay: FloatArray, *, sweeps: int
) -> IntArray:
    """Labels with borders moved to where they are cheaper: alpha expansion.

    The energy is what borders cost, and `stay` of each node that changes its label.

    Args:
        graph: the graph.
        labels: int32 (k,).
        reached: label -> the nodes that may take it.
        cost: of the edges.
        stay: float64 (k,).
        sweeps: over all labels, at most.
    """
    start, labels = labels, labels.copy()
    for _ in range(sweeps):
        changed = 0
        for label, nodes in reached.items():
            look()
            active: Whole = nodes[labels[nodes] != label]
            if len(active):
                taken: Whole = active[_expansion(graph, labels, start, active, label, cost, stay)]
                labels[taken] = label
                changed += len(taken)
        if not changed:
            break
    return labels


def _expansion(
    graph: LabelGraph,
    labels: IntArray,
    start: IntArray,
    active: Whole,
    label: int,
    cost: BorderCost,
    stay: FloatArray,
) -> BoolArray:
    """Which active nodes take the label in the cheapest expansion: a minimum cut."""
    n = len(active)
    number = np.full(len(labels), -1, np.int64)
    number[active] = np.arange(n)
    p, q = number[graph.a], number[graph.b]
    touched = np.flatnonzero((p >= 0) | (q >= 0))
    p, q, label_p, label_q = p[touched], q[touched], labels[graph.a[touched]], labels[graph.b[touched]]
    taken = np.full(len(touched), label, np.int32)
    both_keep, q_takes, p_takes = (
        cost.of(touched, *ends) for ends in ((label_p, label_q), (label_p, taken), (taken, label_q))
    )
    keep = np.where(labels[active] == start[active], 0.0, stay[active])
    take = np.where(start[active] == label, 0.0, stay[active])
    for inner, outer, alone_takes in ((p, q, p_takes), (q, p, q_takes)):
        alone = (inner >= 0) & (outer < 0)
        keep += np.bincount(inner[alone], both_keep[alone], n)
        take += np.bincount(inner[alone], alone_takes[alone], n)
    both = (p >= 0) & (q >= 0)
    p, q, both_keep, q_takes, p_takes = p[both], q[both], both_keep[both], q_takes[both], p_takes[both]
    # Two that keep pay `both_keep`, two that take nothing: submodular while one of each pays at least as much.
    take += np.bincount(p, p_takes - both_keep, n) - np.bincount(q, p_takes, n)
    gain = take - keep
    source, sink = n, n + 1
    rows = np.concatenate([p, np.full(int((gain > 0).sum()), source), np.flatnonzero(gain < 0)])
    columns = np.concatenate([q, np.flatnonzero(gain > 0), np.full(int((gain < 0).sum()), sink)])
    capacity = np.concatenate([np.maximum(q_takes + p_takes - both_keep, 0.0), gain[gain > 0], -gain[gain < 0]])
    capacity = np.round(_UNITS * np.minimum(capacity, _DEAREST)).astype(np.int32)
    network = coo_array((capacity, (rows, columns)), shape=(n + 2, n + 2)).tocsr()
    residual = network - maximum_flow(network, source, sink).flow
    residual.data = np.maximum(residual.data, 0)
    residual.eliminate_zeros()
    takes = np.ones(n + 2, np.bool_)
    takes[breadth_first_order(residual, source, return_predecessors=False)] = False
    return takes[:n]


def without_mere_shifts(
    graph: LabelGraph,
    old: IntArray,
    new: IntArray,
    *,
    band_mm: float,
    farthest_mm: float,
    shortening: float,
    surely: float,
) -> IntArray:
    """The labels of a new cut, without changes that only move a border.

    A bite or a spur makes a border long, and removing it shortens the border. So a region that changes may reach the
    farther from the old border the more it shortens it.

    Args:
        graph: the graph.
        old: int32 (k,), labels before.
        new: int32 (k,), labels after.
        band_mm: how far a region may reach that shortens the border less than `shortening` times.
        farthest_mm: how far one may reach that shortens it less than `surely` times.
        shortening: old length of the border over the new one.
        surely: old length over the new one too; a region that shortens the border so much may reach as far as it does.
    """
    changed = old != new
    if not changed.any():
        return new
    a, b = graph.a, graph.b
    alike = changed[a] & changed[b] & (old[a] == old[b]) & (new[a] == new[b])
    region = components(graph, alike)
    count = int(region.max()) + 1
    before, after = np.zeros(count), np.zeros(count)
    for inner, outer in ((a, b), (b, a)):
        is_outline = changed[inner] & (region[inner] != region[outer])
        inside, outside, length = inner[is_outline], outer[is_outline], graph.length[is_outline]
        before += np.bincount(region[inside], length * (old[inside] != old[outside]), count)
        after += np.bincount(region[inside], length * (new[inside] != new[outside]), count)
    reach = np.where(before >= surely * after, np.inf, np.where(before >= shortening * after, farthest_mm, band_mm))
    doubtful = np.flatnonzero(changed & np.isfinite(reach[region]))
    border = old[a] != old[b]
    distance = KDTree(graph.middle[border]).query(graph.place[doubtful])[0]
    labels = new.copy()
    too_far = doubtful[distance > reach[region[doubtful]]]
    labels[too_far] = old[too_far]
    return labels
