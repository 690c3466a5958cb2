"""Boundary edges near points, and where an edge of the boundary ends in the middle of another one."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import BoolArray, frozen
from meshguard.kernels._parallel import fixed_bounds, in_blocks, side_by_side
from meshguard.kernels.closest_points import faces_within
from meshguard.watch import look

if TYPE_CHECKING:
    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import FloatArray, IntArray

MOST_PAIRS = 10_000_000
"""Bounds time and memory where very many boundary edges lie together: 80 MB of pairs."""

_BLOCK = 1 << 17
"""Pairs that are measured between two looks: some hundredths of a second."""


class TJunctions(NamedTuple):
    """Boundary vertices that lie on the boundary edge of a face to which they do not belong.

    Attributes:
        halfedge: int32 (k,), the boundary edges, ascending.
        vertex: int32 (k,), the position on each, by its place along the edge.
        along: float64 (k,), that place, from 0 where the half-edge starts to 1 where it ends.
        aside: float64 (k,), how far beside the edge the vertex lies, mm.
    """

    halfedge: IntArray
    vertex: IntArray
    along: FloatArray
    aside: FloatArray

    def only(self, chosen: BoolArray) -> TJunctions:
        """Some of them, bool (k,)."""
        return TJunctions(self.halfedge[chosen], self.vertex[chosen], self.along[chosen], self.aside[chosen])


def boundary_edges_near(mesh: Connectivity, points: FloatArray, apart: IntArray, distance: float) -> IntArray | None:
    """Pairs of a point and a boundary edge at most `distance` mm apart, int32 (k, 2), sorted; None if too many.

    Args:
        mesh: the mesh.
        points: float64 (q, 3), mm.
        apart: int32 (q, 2): two positions at which the edges of each point do not end.
        distance: mm.

    Returns:
        A place in `points` and one in `mesh.edges.boundary` each.
    """
    if not len(points) or not 0 < distance < np.inf:
        return np.empty((0, 2), np.int32)
    tree = mesh.boundary_tree
    points, apart = frozen(np.ascontiguousarray(points)), frozen(np.ascontiguousarray(apart, np.int32))
    found: list[list[IntArray]] = [[np.empty((0, 2), np.int32)] for _ in fixed_bounds(0)]  # of each part, its blocks

    def is_too_many() -> bool:
        return sum(len(block) for blocks in found for block in blocks) > MOST_PAIRS

    def search(part: int, lo: int, hi: int) -> None:
        if is_too_many():  # whichever thread sees it first: the answer is None
            return
        out = np.empty((hi - lo + 64, 2), np.int32)
        while True:
            count = faces_within(
                mesh.positions,
                tree.order,
                tree.nodes,
                tree.boxes,
                tree.corners,
                tree.width,
                points,
                apart,
                distance,
                lo,
                hi,
                MOST_PAIRS,
                out,
            )
            if count <= len(out):
                break
            out = np.empty((count, 2), np.int32)
        found[part].append(out[:count])

    side_by_side(
        [
            partial(in_blocks, lo, hi, partial(search, part), first=64)
            for part, (lo, hi) in enumerate(pairwise(fixed_bounds(len(points))))
        ]
    )
    if is_too_many():
        return None
    pairs = np.concatenate([block for blocks in found for block in blocks])
    look()
    ordered: IntArray = pairs[np.lexsort(pairs.T[::-1])]
    return ordered


@np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore")
def find_tjunctions(mesh: Connectivity, distance: float) -> TJunctions | None:
    """Where boundary vertices lie within `distance` mm of a boundary edge and not so near its ends.

    None where too many boundary edges lie together to be told apart.
    """
    boundary = mesh.edges.boundary
    ends = mesh.edge_ends(boundary)
    vertices = np.unique(ends)
    apart = np.stack([vertices, vertices], axis=1)
    pairs = boundary_edges_near(mesh, mesh.positions[vertices], apart, distance)
    if pairs is None:
        return None
    found: list[tuple[IntArray, IntArray, FloatArray, FloatArray]] = []
    for at in range(0, max(1, len(pairs)), _BLOCK):  # at least one, for the types of what is found
        look()
        vertex, edge = vertices[pairs[at : at + _BLOCK, 0]], pairs[at : at + _BLOCK, 1]
        is_other = (mesh.corners[boundary[edge] // 3] != vertex[:, None]).all(axis=1)
        vertex, edge = vertex[is_other], edge[is_other]
        start, end = (mesh.positions[ends[edge, side]] for side in (0, 1))
        away, length = mesh.positions[vertex] - start, np.linalg.norm(end - start, axis=1)
        direction = (end - start) / length[:, None]
        along = (away * direction).sum(axis=1)
        aside = np.linalg.norm(away - along[:, None] * direction, axis=1)
        is_on = (aside <= distance) & (along > distance) & (along < length - distance)
        found.append((boundary[edge[is_on]], vertex[is_on], (along / length)[is_on], aside[is_on]))
    halfedge, vertex, share, aside = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((vertex, share, halfedge))
    return TJunctions(
        frozen(halfedge[order]),
        frozen(vertex[order].astype(np.int32)),
        frozen(share[order]),
        frozen(aside[order]),
    )
