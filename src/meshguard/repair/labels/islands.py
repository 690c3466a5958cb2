"""Regions of labels on a graph: islands are given to the label around them, and holes in teeth are filled."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.spatial import KDTree

from meshguard.facts.dental.label_islands import MOSTLY, IslandRule
from meshguard.halfedges import edge_keys
from meshguard.repair.labels.label_graph import components
from meshguard.watch import look

if TYPE_CHECKING:
    from meshguard.mesh import FloatArray, IntArray
    from meshguard.repair.labels.label_graph import LabelGraph


class GraphRegions(NamedTuple):
    """Connected nodes of one label: int32 (k,), the region of each node, and the label and area of each region."""

    of_node: IntArray
    label: IntArray
    area: FloatArray


def regions_of(graph: LabelGraph, labels: IntArray) -> GraphRegions:
    """The regions of labels on a graph."""
    of_node = components(graph, labels[graph.a] == labels[graph.b])
    count = int(of_node.max(initial=-1)) + 1
    label = np.zeros(count, np.int32)
    label[of_node] = labels
    return GraphRegions(of_node, label, np.bincount(of_node, graph.area, count).astype(np.float64))


def without_islands(
    graph: LabelGraph, labels: IntArray, rule: IslandRule, *, specks: bool
) -> tuple[IntArray, int, int]:
    """Islands given to the label around them; the main region of each label, and what has no neighbour, stays.

    Smallest first, so that an island in an island goes with it. Gum between two teeth is not a hole: a region of gum is
    filled where one tooth has most of its border. A region near its own tooth may be a part of it that a hole cuts off.

    Args:
        graph: the graph.
        labels: int32 (k,).
        rule: what is too large, too near, or a speck.
        specks: only specks, near or not; else all islands that are not near their own tooth.

    Returns:
        labels int32 (k,), how many islands, and how many holes (regions of gum) were given away.
    """
    regions = regions_of(graph, labels)
    merging = _Merging(graph, regions)
    candidates = [region for region in range(len(regions.area)) if _may_go(merging, region, rule, specks=specks)]
    near = set() if specks else _near_their_own(graph, regions, merging.main, candidates, rule.near_mm)
    n_islands = n_holes = 0
    candidates = [region for region in candidates if region not in near]
    for region in sorted(candidates, key=lambda region: (regions.area[region], region)):
        look()
        target = _label_to_join(merging, region, rule, specks=specks)
        if target is None:
            continue
        if regions.label[region] == 0:
            n_holes += 1
        else:
            n_islands += 1
        merging.join(region, target)
    return merging.labels(), n_islands, n_holes


def _may_go(merging: _Merging, region: int, rule: IslandRule, *, specks: bool) -> bool:
    """Whether a region may be an island or a hole."""
    label = int(merging.label[region])
    if region == merging.main[label] or not merging.borders[region]:
        return False
    return label == 0 or _is_small(merging, region, label, rule, specks=specks)


def _is_small(merging: _Merging, region: int, tooth: int, rule: IslandRule, *, specks: bool) -> bool:
    """Whether a region is small beside a tooth, by the tooth's area as it is now: regions grow as others join them."""
    area, tooth_area = float(merging.area[region]), float(merging.area[merging.main[tooth]])
    return rule.is_speck(area, tooth_area) if specks else not rule.is_too_large(area, tooth_area)


def _label_to_join(merging: _Merging, region: int, rule: IslandRule, *, specks: bool) -> int | None:
    """The label that a region is given to; None where it stays."""
    around = merging.labels_around(region)
    if not around:  # what was around it has become a part of it
        return None
    target = min(around, key=lambda label: (-around[label], label))
    label = int(merging.label[region])
    if label == 0 and around[target] < MOSTLY * sum(around.values()):
        return None
    is_small = _is_small(merging, region, target if label == 0 else label, rule, specks=specks)
    return target if is_small else None


class _Merging:
    """Regions that become parts of others, one by one.

    Attributes:
        label: int32 (n,), of each region.
        area: float64 (n,), mm2 of each region as it is now.
        main: label -> its main region.
        borders: for each region, the regions it touches now and the length of the border with each, mm.
    """

    def __init__(self, graph: LabelGraph, regions: GraphRegions) -> None:
        count = len(regions.area)
        self.label = regions.label
        self.area = regions.area.copy()
        n_nodes = np.bincount(regions.of_node, minlength=count).astype(np.float64)
        self.main = IslandRule.main_regions(regions.label, regions.area, n_nodes, np.arange(count, dtype=np.float64))
        self.borders = _borders(graph, regions)
        self._of_node = regions.of_node
        self._host = list(range(count))

    def labels_around(self, region: int) -> dict[int, float]:
        """The labels around a region, and the length of its border with each, mm."""
        around: dict[int, float] = {}
        for neighbour, length in self.borders[region].items():
            label = int(self.label[neighbour])
            around[label] = around.get(label, 0.0) + length
        return around

    def join(self, region: int, label: int) -> None:
        """Give a region to its neighbours of a label, which become one with it."""
        # The main region of a label takes up the others, since it is never given away itself.
        hosts = sorted(
            (neighbour for neighbour in self.borders[region] if self.label[neighbour] == label),
            key=lambda host: (host != self.main[label], -self.area[host], host),
        )
        for joining in (region, *hosts[1:]):
            self._merge(joining, hosts[0])

    def labels(self) -> IntArray:
        """The label of each node now, int32 (k,)."""
        for region in range(len(self._host)):
            while self._host[region] != self._host[self._host[region]]:
                self._host[region] = self._host[self._host[region]]
        return self.label[np.array(self._host, np.int64)][self._of_node]

    def _merge(self, region: int, host: int) -> None:
        """Make a region a part of another."""
        borders = self.borders
        self._host[region] = host
        self.area[host] += self.area[region]
        borders[host].pop(region, None)
        for neighbour, length in borders[region].items():
            borders[neighbour].pop(region, None)
            if neighbour != host:
                borders[host][neighbour] = borders[neighbour][host] = borders[host].get(neighbour, 0.0) + length
        borders[region] = {}


def _borders(graph: LabelGraph, regions: GraphRegions) -> list[dict[int, float]]:
    """For each region, the regions it touches and the length of the border with each, mm."""
    count = len(regions.area)
    a, b = regions.of_node[graph.a], regions.of_node[graph.b]
    is_border = a != b
    keys, number = np.unique(edge_keys(a, b, count)[is_border], return_inverse=True)
    lengths = np.bincount(number, graph.length[is_border], len(keys))
    borders: list[dict[int, float]] = [{} for _ in range(count)]
    for key, length in zip(keys.tolist(), lengths.tolist(), strict=True):
        low, high = divmod(key, count)
        borders[low][high] = borders[high][low] = length
    return borders


def _near_their_own(
    graph: LabelGraph, regions: GraphRegions, main: dict[int, int], candidates: list[int], near_mm: float
) -> set[int]:
    """Candidates of teeth that lie near the main region of their tooth."""
    near: set[int] = set()
    if near_mm <= 0 or not candidates:
        return near
    is_candidate = np.zeros(len(regions.label), np.bool_)
    is_candidate[candidates] = True
    of_node = regions.of_node
    nodes = np.flatnonzero(is_candidate[of_node] & (regions.label[of_node] != 0))
    tooth_of_node = regions.label[of_node[nodes]]
    for tooth in np.unique(tooth_of_node).tolist():
        tooth_nodes = nodes[tooth_of_node == tooth]
        main_region = KDTree(graph.place[of_node == main[tooth]])
        distance = main_region.query(graph.place[tooth_nodes], distance_upper_bound=near_mm)[0]
        near.update(np.unique(of_node[tooth_nodes[distance <= near_mm]]).tolist())
    return near
