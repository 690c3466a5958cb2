"""Pieces of labels on a graph: islands given to what is around them, and holes in teeth filled."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.spatial import KDTree

from meshguard.facts.dental.label_islands import MOSTLY, main_regions
from meshguard.repair.labels.label_graph import joined

if TYPE_CHECKING:
    from meshguard.facts.dental.label_islands import IslandRule
    from meshguard.mesh import FloatArray, IntArray
    from meshguard.repair.labels.label_graph import LabelGraph


class LabelPieces(NamedTuple):
    """Connected pieces of one label: int32 (k,), the piece of each node, and the label and area of each piece."""

    of: IntArray
    label: IntArray
    area: FloatArray


def pieces_of(graph: LabelGraph, labels: IntArray) -> LabelPieces:
    """Connected pieces of one label."""
    same = labels[graph.a] == labels[graph.b]
    of = joined(graph, same)
    n = int(of.max(initial=-1)) + 1
    label = np.zeros(n, np.int32)
    label[of] = labels
    return LabelPieces(of, label, np.bincount(of, graph.area, n).astype(np.float64))


def without_islands(
    graph: LabelGraph, labels: IntArray, rule: IslandRule, *, specks: bool
) -> tuple[IntArray, int, int]:
    """Strays given to the label around them; the main piece of each label, and what has no neighbour, stays.

    Smallest first, so that an island in an island goes with it. Gum between two teeth is no hole: a piece of gum is
    filled where one tooth has most of its border. A piece near its own tooth may be a part of it that a hole cuts off.

    Args:
        graph: the graph.
        labels: int32 (k,).
        rule: what is too large, too near, or a speck.
        specks: only specks, near or not; else all strays that are not near their own tooth.

    Returns:
        labels int32 (k,), how many islands, and how many holes (pieces of gum) were given away.
    """
    of, label, area = pieces_of(graph, labels)
    main = main_regions(
        label, area, np.bincount(of, minlength=len(area)).astype(np.float64), np.arange(len(area), dtype=np.float64)
    )
    borders = _piece_borders(graph, of)

    def is_stray(piece: int, tooth: int) -> bool:
        # Areas of pieces grow as others join them, so each is compared with the tooth as it is now.
        whole = float(area[main[tooth]])
        one = float(area[piece])
        return rule.is_speck(one, whole) if specks else not rule.is_large(one, whole)

    wanted = [
        piece
        for piece in range(len(area))
        if piece != main[int(label[piece])] and borders[piece] and (label[piece] == 0 or is_stray(piece, label[piece]))
    ]
    kept = set() if specks else _near_their_own(graph, of, label, main, wanted, rule.near_mm)
    into = list(range(len(area)))
    n_islands = n_holes = 0
    for piece in sorted((piece for piece in wanted if piece not in kept), key=lambda piece: (area[piece], piece)):
        around: dict[int, float] = {}
        for other, length in borders[piece].items():
            around[int(label[other])] = around.get(int(label[other]), 0.0) + length
        if not around:
            continue  # what was around it has become a part of it
        to = min(around, key=lambda one: (-around[one], one))
        if label[piece] == 0:
            if around[to] < MOSTLY * sum(around.values()) or not is_stray(piece, to):
                continue
            n_holes += 1
        else:
            if not is_stray(piece, int(label[piece])):
                continue
            n_islands += 1
        # The main piece of a label takes up the others, since it is never given away itself.
        hosts = sorted(
            (other for other in borders[piece] if label[other] == to),
            key=lambda one: (one != main[to], -area[one], one),
        )
        for gone in (piece, *hosts[1:]):
            _merge(gone, hosts[0], into, borders, area)
    for piece in range(len(into)):
        while into[piece] != into[into[piece]]:
            into[piece] = into[into[piece]]
    return label[np.array(into, np.int64)][of] if len(into) else labels, n_islands, n_holes


def _piece_borders(graph: LabelGraph, of: IntArray) -> list[dict[int, float]]:
    """For each piece, the pieces it touches and the length of the border with each, mm."""
    n = int(of.max(initial=-1)) + 1
    a, b = of[graph.a], of[graph.b]
    cut = a != b
    keys, number = np.unique(np.minimum(a, b)[cut].astype(np.int64) * n + np.maximum(a, b)[cut], return_inverse=True)
    lengths = np.bincount(number, graph.length[cut], len(keys))
    borders: list[dict[int, float]] = [{} for _ in range(n)]
    for key, length in zip(keys.tolist(), lengths.tolist(), strict=True):
        one, other = divmod(key, n)
        borders[one][other] = borders[other][one] = length
    return borders


def _near_their_own(
    graph: LabelGraph,
    of: IntArray,
    label: IntArray,
    largest: dict[int, int],
    wanted: list[int],
    near_mm: float,
) -> set[int]:
    """Pieces of teeth that lie near the largest piece of their tooth."""
    kept: set[int] = set()
    if near_mm <= 0 or not wanted:
        return kept
    may = np.zeros(len(label), np.bool_)
    may[wanted] = True
    nodes = np.flatnonzero(may[of] & (label[of] != 0))
    of_label = label[of[nodes]]
    for tooth in np.unique(of_label).tolist():
        mine = nodes[of_label == tooth]
        main = KDTree(graph.place[of == largest[tooth]])
        apart = main.query(graph.place[mine], distance_upper_bound=near_mm)[0]
        kept.update(np.unique(of[mine[apart <= near_mm]]).tolist())
    return kept


def _merge(gone: int, host: int, into: list[int], borders: list[dict[int, float]], area: FloatArray) -> None:
    """Make a piece a part of another."""
    into[gone] = host
    area[host] += area[gone]
    borders[host].pop(gone, None)
    for other, length in borders[gone].items():
        borders[other].pop(gone, None)
        if other != host:
            borders[host][other] = borders[other][host] = borders[host].get(other, 0.0) + length
    borders[gone] = {}
