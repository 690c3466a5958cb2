"""Labels on a graph: the nodes that carry them, and how sharply the surface bends where a border could run.

The nodes are the faces or the vertices of a mesh, whichever carry the labels; an edge of the graph is a stretch of
possible border, with a length and with how sharply the surface bends there, as in the post-processing of MeshSegNet
(Lian et al., IEEE TMI 2020). `islands` and `graph_cuts` work on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from meshguard.facts.arrays import centroids, connected_components
from meshguard.halfedges import edge_ends, edge_keys, face_normals, unit_vectors

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray, Whole
    from meshguard.facts.mesh import MeshFacts
    from meshguard.mesh import FloatArray, IntArray

NORMAL_RANGE_MM = 0.3
"""Normals are averaged over about this distance, so that scanner noise on a fine mesh does not look like grooves
(proposal: an edge of a scan of 40 faces per mm2 is 0.24 mm)."""

_STEEPEST = 200.0
"""Degrees per mm: a sharper dihedral is noise or a flaw."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelGraph:
    """The nodes that carry labels, and the edges between them.

    Attributes:
        area: float64 (k,), mm2 of each node.
        place: float64 (k, 3), mm.
        a: int32 (e,), lower node of each edge.
        b: int32 (e,), higher node.
        length: float64 (e,), mm of border between the two.
        middle: float64 (e, 3), mm: a point on that stretch.
        dihedral: float64 (e,), degrees per mm: how sharply the surface bends across it, positive in a groove.
    """

    area: FloatArray
    place: FloatArray
    a: IntArray
    b: IntArray
    length: FloatArray
    middle: FloatArray
    dihedral: FloatArray


def face_graph(facts: MeshFacts, *, outward: float = 1.0) -> LabelGraph:
    """Faces as nodes, joined across edges of two faces; outward is −1 where the faces are inverted."""
    points, corners, paired = facts.positions, facts.corners, facts.edges.paired
    a, b = facts.edge_faces(paired).T
    start, end = np.moveaxis(points[facts.edge_ends(paired)], 1, 0)
    place, area = centroids(points, corners), facts.face_measures.area
    normal = _smoothed(unit_vectors(outward * _area_normals(points, corners)), area, a, b, place)
    return _graph(area, place, normal, a, b, np.linalg.norm(end - start, axis=1), (start + end) / 2)


def vertex_graph(facts: MeshFacts, *, outward: float = 1.0) -> LabelGraph:
    """Positions as nodes, joined along edges; the border between two runs from face to face across their edge."""
    points, corners, n = facts.positions, facts.corners, len(facts.positions)
    face_normal = outward * _area_normals(points, corners)
    centre = centroids(points, corners)
    ends = edge_ends(corners, np.arange(corners.size, dtype=np.int32))
    face = np.repeat(np.arange(len(corners)), 3)
    is_edge = (ends[:, 0] != ends[:, 1]) & np.isfinite(face_normal[face]).all(axis=1)
    ends, face = np.sort(ends[is_edge], axis=1), face[is_edge]
    # In each face the border runs from the middle of the edge to the face's centroid.
    half = np.linalg.norm(centroids(points, ends) - centre[face], axis=1)
    keys, edge = np.unique(edge_keys(ends[:, 0], ends[:, 1], n), return_inverse=True)
    a, b = keys // n, keys % n
    area = np.asarray(sum(np.bincount(corners[:, k], facts.face_measures.area / 3, n) for k in range(3)))
    sums = [sum(np.bincount(corners[:, k], face_normal[:, x], n) for k in range(3)) for x in range(3)]
    normal = _smoothed(unit_vectors(np.stack(sums, axis=1)), area, a, b, points)
    return _graph(area, points, normal, a, b, np.bincount(edge, half), points[np.stack([a, b])].mean(axis=0))


def _area_normals(points: FloatArray, corners: IntArray) -> FloatArray:
    """Normals of faces, each twice as long as its face's area; zero where a corner is not finite."""
    with np.errstate(invalid="ignore", over="ignore"):
        normals = face_normals(points, corners)
    return np.where(np.isfinite(normals).all(axis=1, keepdims=True), normals, 0.0)


def _smoothed(normal: FloatArray, area: FloatArray, a: Whole, b: Whole, place: FloatArray) -> FloatArray:
    """Normals averaged with their neighbours' as often as it takes to reach `NORMAL_RANGE_MM`; not at all if coarse."""
    step = float(np.median(np.linalg.norm(place[a] - place[b], axis=1))) if len(a) else 0.0
    rounds = min(16, int((NORMAL_RANGE_MM / step) ** 2)) if step > 0 else 0
    weight = area[:, None]
    for _ in range(rounds):
        weighted = weight * normal
        total = weighted.copy()
        for x in range(3):
            total[:, x] += np.bincount(a, weighted[b, x], len(area)) + np.bincount(b, weighted[a, x], len(area))
        normal = unit_vectors(total)
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
    """A graph whose dihedrals are those of these normals."""
    across = place[b] - place[a]
    distance = np.maximum(np.linalg.norm(across, axis=1), 1e-9)
    turn = np.degrees(np.arccos(np.clip((normal[a] * normal[b]).sum(axis=1), -1.0, 1.0)))
    # In a groove each normal leans towards the other side.
    sign = np.sign(((normal[a] - normal[b]) * across).sum(axis=1))
    length = np.nan_to_num(length)
    dihedral = np.clip(np.nan_to_num(sign * turn / distance), -_STEEPEST, _STEEPEST)
    # An edge that runs along a groove beside its deepest line is a place for a border too: half is the mean around it.
    k, weighted = len(area), length * dihedral
    weight = np.bincount(a, length, k) + np.bincount(b, length, k)
    mean = (np.bincount(a, weighted, k) + np.bincount(b, weighted, k)) / np.maximum(weight, 1e-12)
    dihedral = 0.5 * dihedral + 0.25 * (mean[a] + mean[b])
    return LabelGraph(
        area=np.nan_to_num(area),
        place=np.nan_to_num(place),
        a=a.astype(np.int32),
        b=b.astype(np.int32),
        length=length,
        middle=np.nan_to_num(middle),
        dihedral=dihedral,
    )


def edges_at(graph: LabelGraph, nodes: BoolArray) -> LabelGraph:
    """The graph with all of its nodes, and only those edges that end at one of `nodes`, bool (k,)."""
    edges = nodes[graph.a] | nodes[graph.b]
    return replace(
        graph,
        a=graph.a[edges],
        b=graph.b[edges],
        length=graph.length[edges],
        middle=graph.middle[edges],
        dihedral=graph.dihedral[edges],
    )


def components(graph: LabelGraph, edges: BoolArray) -> IntArray:
    """The connected component of each node over some of the edges, bool (e,); int32 (k,)."""
    return connected_components(len(graph.area), graph.a[edges], graph.b[edges])
