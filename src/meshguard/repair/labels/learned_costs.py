"""Costs of a border, learned from the borders of the same arch.

Teeth end in grooves, but not everybody draws the border along the deepest line: many draw it one row of faces to the
side of it, and a cost that only prefers grooves moves all of such a border by that row. Most of a ragged border is
still right. So the labels themselves say which dihedrals are the rule beside a border and across it, and on which side
the gum lies. How often a border runs where the surface bends like that, against how often it could, decides what an
edge costs: the negative logarithm of those odds, as in the unary terms of Boykov and Jolly, Interactive graph cuts,
ICCV 2001.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.repair.labels.graph_cuts import BorderCost

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray, Whole
    from meshguard.mesh import FloatArray, IntArray
    from meshguard.repair.labels.label_graph import LabelGraph


ACROSS, BESIDE = 8, 4
"""Classes of the dihedral across an edge, and of each beside it: equally many borders in each (proposals)."""

PRIOR = 40.0
"""Edges that a class must hold to count as much as the wider class that it is a part of (proposal)."""

CHEAPEST, DEAREST = 0.1, 7.0
"""Limits of the cost of an edge of median length, in nats."""


class _Level(NamedTuple):
    """Classes of edges, int (e,): as each edge runs from a to b, and as it runs back; and how many there are."""

    ahead: Whole
    behind: Whole
    n_classes: int


class Flanks(NamedTuple):
    """How the surface bends on the two sides of each edge of a graph, degrees per mm: float64 (e, 2) for a and b each.

    First the sharpest dihedral of all other edges of that node, then their mean.
    """

    a: FloatArray
    b: FloatArray


def flanks(graph: LabelGraph) -> Flanks:
    """How the surface bends on the two sides of each edge; 0 where a node has no other edge."""
    a, b, dihedral, k = graph.a, graph.b, graph.dihedral, len(graph.area)
    weighted = graph.length * dihedral
    length = np.bincount(a, graph.length, k) + np.bincount(b, graph.length, k)
    total = np.bincount(a, weighted, k) + np.bincount(b, weighted, k)
    first, second = _two_sharpest(graph)

    def beside(node: IntArray) -> FloatArray:
        sharpest = np.where(dihedral >= first[node], second[node], first[node])
        rest = length[node] - graph.length
        mean = np.where(rest > 1e-9, (total[node] - weighted) / np.maximum(rest, 1e-9), 0.0)
        return np.stack([sharpest, mean], axis=1)

    return Flanks(beside(a), beside(b))


def _two_sharpest(graph: LabelGraph) -> tuple[FloatArray, FloatArray]:
    """The sharpest dihedral of the edges at each node and the next one, float64 (k,) each; 0 where there is none."""
    ends, dihedral = np.concatenate([graph.a, graph.b]), np.concatenate([graph.dihedral, graph.dihedral])
    order = np.lexsort((dihedral, ends))
    ends, dihedral = ends[order], dihedral[order]
    last = np.flatnonzero(np.diff(ends, append=-1))
    node = ends[last]
    first, second = np.zeros(len(graph.area)), np.zeros(len(graph.area))
    first[node] = dihedral[last]
    has_two = (last > 0) & (ends[last - 1] == node)
    second[node[has_two]] = dihedral[last[has_two] - 1]
    return first, second


def learned_cost(graph: LabelGraph, sides: Flanks, labels: IntArray) -> BorderCost:
    """What a border along each edge costs, learned from where borders run now.

    Args:
        graph: the graph around borders; one of its edges is a border.
        sides: its flanks.
        labels: int32 (k,), 0 is the gum.

    Returns:
        BorderCost, an edge of median length at most `DEAREST`.
    """
    label_a, label_b = labels[graph.a], labels[graph.b]
    border = label_a != label_b
    levels = _levels(graph, sides, border)
    to_gum = np.flatnonzero(border & (label_b == 0))
    from_gum = np.flatnonzero(border & (label_a == 0))
    teeth = np.flatnonzero(border & (label_a > 0) & (label_b > 0))
    tooth_gum, gum_tooth = _costs(graph.length, levels, to_gum, from_gum)
    # Two teeth are alike, so a border between them counts both ways round.
    forward, backward = _costs(graph.length, levels, teeth, teeth)
    tooth_tooth = (forward + backward) / 2
    # Borders between teeth are rarer everywhere, but that is not a reason to put a strip of gum there.
    rarer = np.quantile(tooth_tooth, 0.002) - np.quantile(np.minimum(tooth_gum, gum_tooth), 0.002)
    tooth_tooth = np.clip(tooth_tooth - rarer, CHEAPEST, DEAREST)
    length = graph.length / max(float(np.median(graph.length)), 1e-12)
    return BorderCost(
        length * tooth_gum,
        length * gum_tooth,
        # Never dearer than a strip of gum between the two: a graph cut requires that.
        length * np.minimum(tooth_tooth, tooth_gum + gum_tooth),
    )


def _levels(graph: LabelGraph, sides: Flanks, border: BoolArray) -> list[_Level]:
    """Finer and finer classes of edges: by the dihedral across, then by each dihedral beside too."""
    across = _classes(graph.dihedral, graph.dihedral[border], ACROSS)
    levels = [_Level(across, across, ACROSS)]
    for x in range(sides.a.shape[1]):
        values = np.concatenate([sides.a[border, x], sides.b[border, x]])
        a, b = _classes(sides.a[:, x], values, BESIDE), _classes(sides.b[:, x], values, BESIDE)
        ahead, behind, count = levels[-1]
        levels.append(_Level((ahead * BESIDE + a) * BESIDE + b, (behind * BESIDE + b) * BESIDE + a, count * BESIDE**2))
    return levels


def _classes(values: FloatArray, borders: FloatArray, n: int) -> Whole:
    """The class of each value, of n that hold equally many borders."""
    return np.searchsorted(np.quantile(borders, np.linspace(0, 1, n + 1)[1:-1]), values)


def _costs(
    length: FloatArray, levels: list[_Level], borders_ahead: Whole, borders_behind: Whole
) -> tuple[FloatArray, FloatArray]:
    """Costs of the two directions of each edge, from the edges that are borders in each direction.

    Each level divides the classes of the one before, and relies on that where it has seen few edges.
    """
    borders, length_both_ways = np.concatenate([borders_ahead, borders_behind]), np.concatenate([length, length])
    prior = PRIOR * float(length.mean())
    share = float(length[borders].sum()) / max(float(length_both_ways.sum()), 1e-12)
    share_ahead, share_behind = np.full(len(length), share), np.full(len(length), share)
    for ahead, behind, count in levels:
        classes = np.concatenate([ahead[borders_ahead], behind[borders_behind]])
        seen = np.bincount(classes, length[borders], count)
        total = np.bincount(np.concatenate([ahead, behind]), length_both_ways, count)
        share_ahead = (seen[ahead] + prior * share_ahead) / np.maximum(total[ahead] + prior, 1e-12)
        share_behind = (seen[behind] + prior * share_behind) / np.maximum(total[behind] + prior, 1e-12)
    return _negative_log_odds(share_ahead), _negative_log_odds(share_behind)


def _negative_log_odds(share: FloatArray) -> FloatArray:
    """Minus the logarithm of the odds, in nats, within limits."""
    share = np.clip(share, 1e-9, 1 - 1e-9)
    return np.asarray(np.clip(np.log(1 - share) - np.log(share), CHEAPEST, DEAREST), np.float64)
