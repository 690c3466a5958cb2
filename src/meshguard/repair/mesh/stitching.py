"""Stitching: boundary edges that pair up within the weld distance become one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.facts.arrays import connected_components
from meshguard.repair.mesh.edge_splits import split_faces
from meshguard.repair.step import Change

if TYPE_CHECKING:
    from meshguard.mesh import FloatArray, IntArray
    from meshguard.repair.draft import Draft

_MOST_ROUNDS = 16
"""Bounds the work: each round splits a boundary edge at most once, so 16 of them can cut one
into 65,536 parts."""


def stitch_cracks(draft: Draft) -> Change:
    """Join boundary edges that pair up within the weld distance.

    First, boundary vertices that lie on the boundary edge of another face split that edge. Then boundary vertices that
    are near one another become one, where that closes boundary edges. What closes nothing is left as it is.
    """
    distance = draft.policy.tolerance("weld_mm").within(draft.facts.diagonal)
    stitched, mended = draft, 0
    for step in (_split_at_vertices, _weld_boundary):
        for _ in range(_MOST_ROUNDS):
            changed, count = step(stitched, distance)
            if not count:
                break
            stitched = changed
            mended += count
    if len(stitched.facts.edges.boundary) >= len(draft.facts.edges.boundary):
        return Change(draft=draft)
    return Change(draft=stitched, mended=mended, parameters={"weld_mm": distance})


def _split_at_vertices(draft: Draft, distance: float) -> tuple[Draft, int]:
    """Split boundary edges at the boundary vertices of other faces that lie on them, one on each edge."""
    facts = draft.facts
    boundary = facts.edges.boundary
    if not len(boundary) or distance <= 0:
        return draft, 0
    ends = facts.edge_ends(boundary)
    pairs = _vertices_on_edges(draft.positions, ends, distance)
    if not len(pairs):
        return draft, 0
    edge, vertex, along = pairs[:, 0].astype(np.int64), pairs[:, 1].astype(np.int64), pairs[:, 2]
    # The vertex nearest to the middle first: the parts stay long.
    order = np.lexsort((vertex, np.abs(along - 0.5), edge))
    first = np.concatenate([[True], np.diff(edge[order]) != 0])
    edge, vertex = edge[order][first], vertex[order][first]
    middles = np.full((len(draft.corners), 3), -1, np.int32)
    halfedges = boundary[edge]
    middles[halfedges // 3, halfedges % 3] = vertex
    clash = (middles[:, :, None] == draft.corners[:, None, :]).any(axis=(1, 2))
    middles[clash] = -1
    split = split_faces(draft.positions, draft.corners, middles)
    count = int(np.count_nonzero(middles >= 0))
    if not count:
        return draft, 0
    return draft.rebuilt(split.faces, np.empty((0, 3)), split.corners, parents=split.parents), count


def _vertices_on_edges(positions: FloatArray, ends: IntArray, distance: float) -> FloatArray:
    """Boundary vertices within a distance of a boundary edge, not near its ends: float64 (k, 3).

    Each row holds the edge, the vertex, and how far along the edge it lies as a share of the length.
    """
    from scipy.spatial import cKDTree

    vertices = np.unique(ends)
    start, end = positions[ends[:, 0]], positions[ends[:, 1]]
    length = np.linalg.norm(end - start, axis=1)
    found = cKDTree(positions[vertices]).query_ball_point((start + end) / 2, length / 2 + distance, return_sorted=True)
    rows = np.repeat(np.arange(len(ends)), [len(near) for near in found])
    if not len(rows):
        return np.empty((0, 3))
    near = vertices[np.concatenate([np.asarray(places, np.int64) for places in found])]
    away = positions[near] - start[rows]
    direction = (end - start)[rows] / length[rows][:, None]
    along = (away * direction).sum(axis=1)
    aside = np.linalg.norm(away - along[:, None] * direction, axis=1)
    is_on = (aside <= distance) & (along > distance) & (along < length[rows] - distance)
    is_on &= (near != ends[rows, 0]) & (near != ends[rows, 1])
    return np.stack([rows[is_on], near[is_on], along[is_on] / length[rows][is_on]], axis=1)


def _weld_boundary(draft: Draft, distance: float) -> tuple[Draft, int]:
    """Weld boundary vertices that are near one another where that closes boundary edges."""
    cracks = draft.facts.cracks
    if cracks is None or not len(cracks.positions):
        return draft, 0
    closing = np.flatnonzero(cracks.n_edges_closed > 0)
    chosen = np.isin(cracks.crack, closing)
    points, owner = cracks.positions[chosen], cracks.crack[chosen]
    if not len(points):
        return draft, 0
    target = _nearest_groups(draft.positions, points, owner, distance)
    moved = target != points
    target_of = np.arange(len(draft.positions), dtype=np.int32)
    target_of[points] = target
    corners = target_of[draft.corners]
    repeated = (corners == np.roll(corners, -1, axis=1)).any(axis=1)
    welded = draft.rejoined(corners).compacted()
    if repeated.any():
        welded = welded.without(repeated)
    before, after = draft.facts, welded.facts
    is_worse = (
        len(after.edges.nonmanifold) > len(before.edges.nonmanifold)
        or after.fans.n_nonmanifold > before.fans.n_nonmanifold
    )
    if is_worse or len(after.edges.boundary) >= len(before.edges.boundary):
        return draft, 0
    return welded, int(np.count_nonzero(moved))


def _nearest_groups(positions: FloatArray, points: IntArray, owner: IntArray, distance: float) -> IntArray:
    """The position that each point becomes: the lowest of those connected to it by steps within the distance."""
    from scipy.spatial import cKDTree

    pairs = cKDTree(positions[points]).query_pairs(distance, output_type="ndarray")
    pairs = pairs[owner[pairs[:, 0]] == owner[pairs[:, 1]]]
    label = connected_components(len(points), pairs[:, 0], pairs[:, 1])
    lowest = np.full(int(label.max()) + 1, np.iinfo(np.int32).max, np.int32)
    np.minimum.at(lowest, label, points)
    target: IntArray = lowest[label]
    return target
