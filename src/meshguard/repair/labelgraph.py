"""Labels on a graph: pieces of a label, islands and holes, and borders drawn anew by graph cuts.

The nodes are the faces or the vertices of a mesh, whichever carry the labels; an edge of the graph is a stretch of
possible border, with a length and with how sharply the surface bends there, as in the post-processing of MeshSegNet
(Lian et al., IEEE TMI 2020). Cuts after Boykov, Veksler and Zabih, Fast approximate energy minimization via graph cuts,
PAMI 2001; what a border costs is learned in `borderprofile`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, maximum_flow
from scipy.spatial import KDTree

if TYPE_CHECKING:
    from meshguard.facts import Facts
    from meshguard.mesh import FloatArray, IntArray

BoolArray: TypeAlias = npt.NDArray[np.bool_]
Whole: TypeAlias = npt.NDArray[np.signedinteger[Any]]

NORMAL_RANGE_MM = 0.3
"""Normals are averaged over about this distance, so that scanner noise on a fine mesh makes no grooves (proposal: an
edge of a scan of 40 faces a mm2 is 0.24 mm)."""

_STEEPEST = 200.0  # degrees a mm; what bends more is noise or a flaw
_UNITS = 1000  # capacities of a cut are whole numbers: thousandths


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelGraph:
    """What labels sit on.

    Attributes:
        area: float64 (k,), mm2 of each node.
        place: float64 (k, 3), mm.
        a: int32 (e,), lower node of each edge.
        b: int32 (e,), higher node.
        length: float64 (e,), mm of border between the two.
        middle: float64 (e, 3), mm: a point on that stretch.
        bend: float64 (e,), degrees a mm across it, positive in a groove.
    """

    area: FloatArray
    place: FloatArray
    a: IntArray
    b: IntArray
    length: FloatArray
    middle: FloatArray
    bend: FloatArray


class Pieces(NamedTuple):
    """Connected pieces of one label: int32 (k,), the piece of each node, and the label and area of each piece."""

    of: IntArray
    label: IntArray
    area: FloatArray


def face_graph(facts: Facts) -> LabelGraph:
    """Faces as nodes, joined across edges of two faces."""
    points, corners, twins = facts.positions, facts.corners, facts.edges.twins
    h = np.flatnonzero(twins > np.arange(len(twins)))
    a, b = h // 3, twins[h] // 3
    p, q = points[corners[a, h % 3]], points[corners[a, (h % 3 + 1) % 3]]
    cross = _crosses(points, corners)
    place = points[corners].mean(axis=1)
    normal = _smoothed(_unit(cross), facts.faces.area, a, b, place)
    return _graph(facts.faces.area, place, normal, a, b, np.linalg.norm(q - p, axis=1), (p + q) / 2)


def vertex_graph(facts: Facts) -> LabelGraph:
    """Positions as nodes, joined along edges; the border between two runs from face to face across their edge."""
    points, corners, n = facts.positions, facts.corners, len(facts.positions)
    cross = _crosses(points, corners)
    centre = points[corners].mean(axis=1)
    ends = np.stack([corners, corners[:, [1, 2, 0]]], axis=2).reshape(-1, 2)
    face = np.repeat(np.arange(len(corners)), 3)
    kept = (ends[:, 0] != ends[:, 1]) & np.isfinite(cross[face]).all(axis=1)
    ends, face = np.sort(ends[kept], axis=1), face[kept]
    half = np.linalg.norm(points[ends].mean(axis=1) - centre[face], axis=1)
    keys, of = np.unique(ends[:, 0].astype(np.int64) * n + ends[:, 1], return_inverse=True)
    a, b = keys // n, keys % n
    area = sum(np.bincount(corners[:, k], facts.faces.area / 3, n) for k in range(3))
    normal = np.stack([sum(np.bincount(corners[:, k], cross[:, x], n) for k in range(3)) for x in range(3)], axis=1)
    normal = _smoothed(_unit(normal), np.asarray(area), a, b, points)
    return _graph(np.asarray(area), points, normal, a, b, np.bincount(of, half), points[np.stack([a, b])].mean(axis=0))


def _crosses(points: FloatArray, corners: IntArray) -> FloatArray:
    """Twice the area of each face along its normal; zero where a corner is not finite."""
    p, q, r = (points[corners[:, k]] for k in range(3))
    with np.errstate(invalid="ignore", over="ignore"):
        cross: FloatArray = np.cross(q - p, r - p)
    return np.where(np.isfinite(cross).all(axis=1, keepdims=True), cross, 0.0)


def _unit(vectors: FloatArray) -> FloatArray:
    unit: FloatArray = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300)
    return unit


def _smoothed(normal: FloatArray, area: FloatArray, a: Whole, b: Whole, place: FloatArray) -> FloatArray:
    """Normals averaged with their neighbours' as often as it takes to reach `NORMAL_RANGE_MM`; not at all if coarse."""
    step = float(np.median(np.linalg.norm(place[a] - place[b], axis=1))) if len(a) else 0.0
    rounds = min(16, int((NORMAL_RANGE_MM / step) ** 2)) if step > 0 else 0
    weight = area[:, None]
    for _ in range(rounds):
        total = weight * normal
        there = total.copy()
        for x in range(3):
            there[:, x] += np.bincount(a, total[b, x], len(area)) + np.bincount(b, total[a, x], len(area))
        normal = _unit(there)
    return normal


def _graph(
    area: FloatArray,
    place: FloatArray,
    normal: FloatArray,
    a: Whole,
    b: Whole,
    length: npt.NDArray[Any],
    middle: FloatArray,
) -> LabelGraph:
    """A graph whose bends are those of these normals."""
    across = place[b] - place[a]
    apart = np.maximum(np.linalg.norm(across, axis=1), 1e-9)
    turn = np.degrees(np.arccos(np.clip((normal[a] * normal[b]).sum(axis=1), -1.0, 1.0)))
    # In a groove each normal leans towards the other side.
    sign = np.sign(((normal[a] - normal[b]) * across).sum(axis=1))
    length = np.nan_to_num(length)
    bend = np.clip(np.nan_to_num(sign * turn / apart), -_STEEPEST, _STEEPEST)
    # An edge that runs along a groove beside its deepest line is a place for a border too: half is the mean around it.
    k = len(area)
    weight = np.bincount(a, length, k) + np.bincount(b, length, k)
    around = (np.bincount(a, length * bend, k) + np.bincount(b, length * bend, k)) / np.maximum(weight, 1e-12)
    bend = 0.5 * bend + 0.25 * (around[a] + around[b])
    return LabelGraph(
        area=np.nan_to_num(area),
        place=np.nan_to_num(place),
        a=a.astype(np.int32),
        b=b.astype(np.int32),
        length=length,
        middle=np.nan_to_num(middle),
        bend=bend,
    )


def pieces_of(graph: LabelGraph, labels: IntArray) -> Pieces:
    """Connected pieces of one label."""
    same = labels[graph.a] == labels[graph.b]
    of = _joined(graph, same)
    n = int(of.max(initial=-1)) + 1
    label = np.zeros(n, np.int32)
    label[of] = labels
    return Pieces(of, label, np.bincount(of, graph.area, n).astype(np.float64))


def _joined(graph: LabelGraph, kept: BoolArray) -> IntArray:
    """Components over the kept edges, int32 (k,)."""
    k = len(graph.area)
    links = coo_array((np.ones(int(kept.sum()), np.int8), (graph.a[kept], graph.b[kept])), shape=(k, k))
    of: IntArray = connected_components(links, directed=False)[1]
    return of


def without_islands(graph: LabelGraph, labels: IntArray, *, share: float, near_mm: float) -> tuple[IntArray, int, int]:
    """Small pieces given to the label around them; the largest piece of each label, and what has no neighbour, stays.

    Smallest first, so that an island in an island goes with it. Gum between two teeth is no hole: a piece of gum is
    filled where one tooth has most of its border. A piece that lies near its tooth may be a part of it that a hole cuts
    off: it stays, however small.

    Args:
        graph: the graph.
        labels: int32 (k,).
        share: of its label's largest piece that a smaller one may have at most; a hole, of its tooth's.
        near_mm: nearer than this to that piece is near.

    Returns:
        labels int32 (k,), how many islands, and how many holes (pieces of gum) were given away.
    """
    of, label, area = pieces_of(graph, labels)
    # An island on coarse ground, such as the base of a cast, may be wider than a whole tooth and yet a few faces: the
    # main piece of a label is large in both.
    area = np.sqrt(area * np.bincount(of, minlength=len(area)))
    largest: dict[int, int] = {}
    for piece in np.lexsort((np.arange(len(area)), -area)).tolist():
        largest.setdefault(int(label[piece]), piece)
    borders = _piece_borders(graph, of)
    wanted = [
        piece
        for piece in range(len(area))
        if piece != largest[int(label[piece])]
        and borders[piece]
        and (label[piece] == 0 or area[piece] <= share * area[largest[int(label[piece])]])
    ]
    kept = _near_their_own(graph, of, label, largest, wanted, near_mm)
    into = list(range(len(area)))
    n_islands = n_holes = 0
    for piece in sorted((piece for piece in wanted if piece not in kept), key=lambda piece: (area[piece], piece)):
        around: dict[int, float] = {}
        for other, length in borders[piece].items():
            around[int(label[other])] = around.get(int(label[other]), 0.0) + length
        to = min(around, key=lambda one: (-around[one], one)) if around else -1
        if to < 0:
            continue
        # Areas of pieces grow as others join them, so a hole is compared with its tooth as it is now.
        is_hole = around[to] >= 0.8 * sum(around.values()) and area[piece] <= share * area[largest[to]]
        if not is_hole if label[piece] == 0 else area[piece] > share * area[largest[int(label[piece])]]:
            continue
        n_holes, n_islands = n_holes + (label[piece] == 0), n_islands + (label[piece] != 0)
        # The largest piece of a label takes up the others, since it is never given away itself.
        hosts = sorted(
            (other for other in borders[piece] if label[other] == to),
            key=lambda one: (one != largest[to], -area[one], one),
        )
        for gone in (piece, *hosts[1:]):
            _merge(gone, hosts[0], into, borders, area)
    for piece in range(len(into)):
        while into[piece] != into[into[piece]]:
            into[piece] = into[into[piece]]
    return label[np.array(into, np.int64)][of] if len(into) else labels, int(n_islands), int(n_holes)


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
    at, sides = graph.middle[border], np.stack([labels[graph.a[border]], labels[graph.b[border]]], axis=1)
    if not len(at):
        return {}
    near = np.flatnonzero(KDTree(at).query(graph.place, distance_upper_bound=reach_mm)[0] <= reach_mm)
    reached: dict[int, Whole] = {}
    for one in np.unique(sides).tolist():
        its = KDTree(at[(sides == one).any(axis=1)])
        apart = its.query(graph.place[near], distance_upper_bound=reach_mm)[0]
        reached[one] = near[apart <= reach_mm].astype(np.int32)
    return reached


def around(graph: LabelGraph, nodes: BoolArray) -> LabelGraph:
    """The same nodes with only those edges that end at one of these, bool (k,)."""
    kept = nodes[graph.a] | nodes[graph.b]
    return replace(
        graph,
        a=graph.a[kept],
        b=graph.b[kept],
        length=graph.length[kept],
        middle=graph.middle[kept],
        bend=graph.bend[kept],
    )


def recut(
    graph: LabelGraph, labels: IntArray, reached: dict[int, Whole], cost: BorderCost, stay: FloatArray, *, sweeps: int
) -> IntArray:
    """Borders drawn anew where that makes them cheaper: alpha expansion.

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
        for one, nodes in reached.items():
            active: Whole = nodes[labels[nodes] != one]
            if len(active):
                taken: Whole = active[_expansion(graph, labels, start, active, one, cost, stay)]
                labels[taken] = one
                changed += len(taken)
        if not changed:
            break
    return labels


def _expansion(
    graph: LabelGraph,
    labels: IntArray,
    start: IntArray,
    active: Whole,
    one: int,
    cost: BorderCost,
    stay: FloatArray,
) -> BoolArray:
    """Which active nodes take the label in the cheapest expansion: a minimum cut."""
    n = len(active)
    number = np.full(len(labels), -1, np.int64)
    number[active] = np.arange(n)
    p, q = number[graph.a], number[graph.b]
    touched = np.flatnonzero((p >= 0) | (q >= 0))
    p, q, of_p, of_q = p[touched], q[touched], labels[graph.a[touched]], labels[graph.b[touched]]
    taken = np.full(len(touched), one, np.int32)
    both_keep, q_takes, p_takes = (cost.of(touched, *ends) for ends in ((of_p, of_q), (of_p, taken), (taken, of_q)))
    keep = np.where(labels[active] == start[active], 0.0, stay[active])
    take = np.where(start[active] == one, 0.0, stay[active])
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
    whole = np.round(_UNITS * np.minimum(capacity, 1000.0)).astype(np.int32)
    network = coo_array((whole, (rows, columns)), shape=(n + 2, n + 2)).tocsr()
    rest = network - maximum_flow(network, source, sink).flow
    rest.data = np.maximum(rest.data, 0)
    rest.eliminate_zeros()
    takes = np.ones(n + 2, np.bool_)
    takes[breadth_first_order(rest, source, return_predecessors=False)] = False
    return takes[:n]


def within_reason(
    graph: LabelGraph,
    old: IntArray,
    new: IntArray,
    *,
    band_mm: float,
    farthest_mm: float,
    shortening: float,
    surely: float,
) -> IntArray:
    """A new cut, without what only moves a border.

    A bite or a spur makes a border long, and taking it away shortens it. So a patch that changes may reach the farther
    from the old border the more it shortens it.

    Args:
        graph: the graph.
        old: int32 (k,), labels before.
        new: int32 (k,), labels after.
        band_mm: how far a patch may reach that shortens the border less than `shortening` times.
        farthest_mm: how far one may that shortens it less than `surely` times.
        shortening: old length of the border over the new one.
        surely: the same; a patch that shortens it so much may reach as far as it does.
    """
    changed = old != new
    if not changed.any():
        return new
    a, b = graph.a, graph.b
    alike = changed[a] & changed[b] & (old[a] == old[b]) & (new[a] == new[b])
    of = _joined(graph, alike)
    n = int(of.max()) + 1
    before, after = np.zeros(n), np.zeros(n)
    for inner, outer in ((a, b), (b, a)):
        rim = changed[inner] & (of[inner] != of[outer])
        at, length = of[inner[rim]], graph.length[rim]
        before += np.bincount(at, length * (old[inner[rim]] != old[outer[rim]]), n)
        after += np.bincount(at, length * (new[inner[rim]] != new[outer[rim]]), n)
    reach = np.where(before >= surely * after, np.inf, np.where(before >= shortening * after, farthest_mm, band_mm))
    doubtful = np.flatnonzero(changed & np.isfinite(reach[of]))
    border = old[a] != old[b]
    apart = KDTree(graph.middle[border]).query(graph.place[doubtful])[0]
    kept = new.copy()
    back = doubtful[apart > reach[of[doubtful]]]
    kept[back] = old[back]
    return kept
