"""What a border of this very arch looks like, learned from the borders drawn on it.

Teeth end in grooves, but not everybody draws the border along the deepest line: many draw it one row of faces to the
side of it, and a cost that only likes grooves moves all of such a border by that row. Most of a ragged border is still
right, so the labels themselves say what bends beside a border and across it are the rule here, and on which side lies
the gum. How often a border runs where the surface bends so, against how often it could, is what an edge costs: the
negative logarithm of those odds, as in the unary terms of Boykov and Jolly, Interactive graph cuts, ICCV 2001.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.repair.labels.graph_cuts import BorderCost

if TYPE_CHECKING:
    from meshguard.facts.arrays import Whole
    from meshguard.mesh import FloatArray, IntArray
    from meshguard.repair.labels.label_graph import LabelGraph


ACROSS, BESIDE = 8, 4
"""Classes of the bend across an edge, and of each bend beside it: equally many borders in each (proposals)."""

PRIOR = 40.0
"""Edges that a class must hold to count as much as the wider class that it is a part of (proposal)."""

CHEAPEST, DEAREST = 0.1, 7.0
"""Limits of the cost of an edge of median length, in nats."""


class Flanks(NamedTuple):
    """How the surface bends on the two sides of each edge of a graph, degrees a mm: float64 (e, 2) for a and b each.

    First the sharpest bend of all other edges of that node, then the mean of them.
    """

    a: FloatArray
    b: FloatArray


def flanks(graph: LabelGraph) -> Flanks:
    """How the surface bends on the two sides of each edge; 0 where a node has no other edge."""
    a, b, bend, k = graph.a, graph.b, graph.bend, len(graph.area)
    weighed = graph.length * bend
    length = np.bincount(a, graph.length, k) + np.bincount(b, graph.length, k)
    whole = np.bincount(a, weighed, k) + np.bincount(b, weighed, k)
    ends, both = np.concatenate([a, b]), np.concatenate([bend, bend])
    order = np.lexsort((both, ends))
    last = np.flatnonzero(np.diff(ends[order], append=-1))
    first, second = np.zeros(k), np.zeros(k)
    of = ends[order[last]]
    first[of] = both[order[last]]
    more = (last > 0) & (ends[order[last - 1]] == of)
    second[of[more]] = both[order[last[more] - 1]]

    def beside(node: IntArray) -> FloatArray:
        sharpest = np.where(bend >= first[node], second[node], first[node])
        rest = length[node] - graph.length
        mean = np.where(rest > 1e-9, (whole[node] - weighed) / np.maximum(rest, 1e-9), 0.0)
        return np.stack([sharpest, mean], axis=1)

    return Flanks(beside(a), beside(b))


def learned_cost(graph: LabelGraph, sides: Flanks, labels: IntArray) -> BorderCost:
    """What a border along each edge costs, learned from where borders run now.

    Args:
        graph: the graph around borders; one of its edges is a border.
        sides: its flanks.
        labels: int32 (k,), 0 is the gum.

    Returns:
        BorderCost, an edge of median length at most `DEAREST`.
    """
    la, lb = labels[graph.a], labels[graph.b]
    cut = la != lb
    across = _classes(graph.bend, graph.bend[cut], ACROSS)
    levels = [(across, across, ACROSS)]
    for x in range(sides.a.shape[1]):
        values = np.concatenate([sides.a[cut, x], sides.b[cut, x]])
        of_a, of_b = _classes(sides.a[:, x], values, BESIDE), _classes(sides.b[:, x], values, BESIDE)
        there, back, n = levels[-1]
        levels.append(((there * BESIDE + of_a) * BESIDE + of_b, (back * BESIDE + of_b) * BESIDE + of_a, n * BESIDE**2))
    to_gum, from_gum, teeth = (
        np.flatnonzero(one) for one in (cut & (lb == 0), cut & (la == 0), cut & (la > 0) & (lb > 0))
    )
    tooth_gum, gum_tooth = _costs(graph.length, levels, to_gum, from_gum)
    # Two teeth are alike, so a border between them counts both ways round.
    one_way, other_way = _costs(graph.length, levels, teeth, teeth)
    tooth_tooth = (one_way + other_way) / 2
    # Borders between teeth are rarer everywhere; that they are rare is no reason to move them where the gum would be.
    rarer = np.quantile(tooth_tooth, 0.002) - np.quantile(np.minimum(tooth_gum, gum_tooth), 0.002)
    tooth_tooth = np.clip(tooth_tooth - rarer, CHEAPEST, DEAREST)
    length = graph.length / max(float(np.median(graph.length)), 1e-12)
    return BorderCost(
        length * tooth_gum,
        length * gum_tooth,
        # Never dearer than a strip of gum between the two: a cut asks that of costs.
        length * np.minimum(tooth_tooth, tooth_gum + gum_tooth),
    )


def _classes(values: FloatArray, borders: FloatArray, n: int) -> Whole:
    """The class of each value, of n that hold equally many borders."""
    return np.searchsorted(np.quantile(borders, np.linspace(0, 1, n + 1)[1:-1]), values)


def _costs(
    length: FloatArray,
    levels: list[tuple[Whole, Whole, int]],
    there: Whole,
    back: Whole,
) -> tuple[FloatArray, FloatArray]:
    """Costs of the two directions of each edge: for borders that run so, and for those that run the other way round.

    Each level divides the classes of the one before, and leans on it where it has seen little.
    """
    border, twice = np.concatenate([there, back]), np.concatenate([length, length])
    prior = PRIOR * float(length.mean())
    share = float(length[border].sum()) / max(float(twice.sum()), 1e-12)
    one, other = np.full(len(length), share), np.full(len(length), share)
    for ahead, behind, n in levels:
        seen = np.bincount(np.concatenate([ahead[there], behind[back]]), length[border], n)
        of = np.bincount(np.concatenate([ahead, behind]), twice, n)
        one = (seen[ahead] + prior * one) / np.maximum(of[ahead] + prior, 1e-12)
        other = (seen[behind] + prior * other) / np.maximum(of[behind] + prior, 1e-12)
    return _nats(one), _nats(other)


def _nats(share: FloatArray) -> FloatArray:
    """Minus the logarithm of the odds, within limits."""
    share = np.clip(share, 1e-9, 1 - 1e-9)
    return np.asarray(np.clip(np.log(1 - share) - np.log(share), CHEAPEST, DEAREST), np.float64)
