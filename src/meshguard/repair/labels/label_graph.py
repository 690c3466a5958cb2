"""Labels on a graph: what labels sit on, and how sharply the surface bends where a border could run.

The nodes are the faces or the vertices of a mesh, whichever carry the labels; an edge of the graph is a stretch of
possible border, with a length and with how sharply the surface bends there, as in the post-processing of MeshSegNet
(Lian et al., IEEE TMI 2020). `islands` and `cuts` work on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from meshguard.facts.arrays import centroids, connected_components
from meshguard.halfedges import face_normals, unit_vectors

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray, Whole
    from meshguard.facts.mesh import MeshFacts
    from meshguard.mesh import FloatArray, IntArray

NORMAL_RANGE_MM = 0.3
"""Normals are averaged over about this distance, so that scanner noise on a fine mesh makes no grooves (proposal: an
edge of a scan of 40 faces a mm2 is 0.24 mm)."""

_STEEPEST = 200.0  # degrees a mm; what bends more is noise or a flaw


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


def face_graph(facts: MeshFacts, *, outward: float = 1.0) -> LabelGraph:
    """Faces as nodes, joined across edges of two faces; outward is −1 where the faces are wound inside out."""
    points, corners, twins = facts.positions, facts.corners, facts.edges.twins
    h = np.flatnonzero(twins > np.arange(len(twins)))
    a, b = h // 3, twins[h] // 3
    p, q = points[corners[a, h % 3]], points[corners[a, (h % 3 + 1) % 3]]
    cross = outward * _crosses(points, corners)
    place = centroids(points, corners)
    normal = _smoothed(unit_vectors(cross), facts.face_measures.area, a, b, place)
    return _graph(facts.face_measures.area, place, normal, a, b, np.linalg.norm(q - p, axis=1), (p + q) / 2)


def vertex_graph(facts: MeshFacts, *, outward: float = 1.0) -> LabelGraph:
    """Positions as nodes, joined along edges; the border between two runs from face to face across their edge."""
    points, corners, n = facts.positions, facts.corners, len(facts.positions)
    cross = outward * _crosses(points, corners)
    centre = centroids(points, corners)
    ends = np.stack([corners, corners[:, [1, 2, 0]]], axis=2).reshape(-1, 2)
    face = np.repeat(np.arange(len(corners)), 3)
    kept = (ends[:, 0] != ends[:, 1]) & np.isfinite(cross[face]).all(axis=1)
    ends, face = np.sort(ends[kept], axis=1), face[kept]
    half = np.linalg.norm(centroids(points, ends) - centre[face], axis=1)
    keys, of = np.unique(ends[:, 0].astype(np.int64) * n + ends[:, 1], return_inverse=True)
    a, b = keys // n, keys % n
    area = sum(np.bincount(corners[:, k], facts.face_measures.area / 3, n) for k in range(3))
    normal = np.stack([sum(np.bincount(corners[:, k], cross[:, x], n) for k in range(3)) for x in range(3)], axis=1)
    normal = _smoothed(unit_vectors(normal), np.asarray(area), a, b, points)
    return _graph(np.asarray(area), points, normal, a, b, np.bincount(of, half), points[np.stack([a, b])].mean(axis=0))


def _crosses(points: FloatArray, corners: IntArray) -> FloatArray:
    """Twice the area of each face along its normal; zero where a corner is not finite."""
    with np.errstate(invalid="ignore", over="ignore"):
        cross = face_normals(points, corners)
    return np.where(np.isfinite(cross).all(axis=1, keepdims=True), cross, 0.0)


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
        normal = unit_vectors(there)
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


def joined(graph: LabelGraph, kept: BoolArray) -> IntArray:
    """Components over the kept edges, int32 (k,)."""
    return connected_components(len(graph.area), graph.a[kept], graph.b[kept])
