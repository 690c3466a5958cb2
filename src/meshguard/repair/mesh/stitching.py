"""Stitching: boundary edges that lie on one another within the weld distance become one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.facts.arrays import connected_components
from meshguard.repair.mesh.edge_splits import split_faces
from meshguard.repair.step import Change

if TYPE_CHECKING:
    from meshguard.facts.mesh.near_boundary import TJunctions
    from meshguard.mesh import FloatArray, IntArray
    from meshguard.repair.draft import Draft

_MOST_ROUNDS = 16
"""Bounds the work: each round splits a boundary edge at most once, so 16 of them can cut one
into 65,536 parts."""


def split_at_tjunctions(draft: Draft) -> Change:
    """Split boundary edges at the vertices that lie on them, where that alone closes a crack.

    No vertex is moved, and none is made: such a crack has no width.
    """
    split, mended = draft, 0
    for _ in range(_MOST_ROUNDS):
        junctions = _at_cracks_without_width(split)
        if junctions is None:
            break
        split, count = _split_at_vertices(split, junctions)
        if not count:
            break
        mended += count
    if len(split.facts.edges.boundary) >= len(draft.facts.edges.boundary):
        return Change(draft=draft)
    return Change(draft=split, mended=mended, parameters={"weld_mm": draft.facts.weld_distance})


def stitch_cracks(draft: Draft) -> Change:
    """Join boundary edges that pair up within the weld distance.

    First, boundary vertices that lie on the boundary edge of another face split that edge. Then boundary vertices that
    are near one another become one, where that closes boundary edges. What closes nothing is left as it is.
    """
    distance = draft.facts.weld_distance
    stitched, mended = draft, 0
    for step in (_split_everywhere, _weld_boundary):
        for _ in range(_MOST_ROUNDS):
            changed, count = step(stitched, distance)
            if not count:
                break
            stitched = changed
            mended += count
    if len(stitched.facts.edges.boundary) >= len(draft.facts.edges.boundary):
        return Change(draft=draft)
    return Change(draft=stitched, mended=mended, parameters={"weld_mm": distance})


def _at_cracks_without_width(draft: Draft) -> TJunctions | None:
    """The T-junctions that are all that a crack needs to close; None without any."""
    cracks, junctions = draft.facts.cracks, draft.facts.tjunctions
    if cracks is None or junctions is None or not len(cracks.split):
        return None
    is_meant = np.isin(junctions.halfedge, cracks.split)
    is_meant &= np.isin(junctions.vertex, cracks.positions[cracks.n_welded[cracks.crack] == 0])
    return junctions.only(is_meant)


def _split_everywhere(draft: Draft, distance: float) -> tuple[Draft, int]:
    """Split boundary edges at the boundary vertices of other faces that lie on them, one on each edge."""
    junctions = draft.facts.tjunctions
    return (draft, 0) if junctions is None or distance <= 0 else _split_at_vertices(draft, junctions)


def _split_at_vertices(draft: Draft, junctions: TJunctions) -> tuple[Draft, int]:
    """Split the edges of T-junctions at their vertices, one on each edge."""
    halfedges, vertex = junctions.halfedge, junctions.vertex
    if not len(vertex):
        return draft, 0
    # The vertex nearest to the middle first: the parts stay long.
    order = np.lexsort((vertex, np.abs(junctions.along - 0.5), halfedges))
    first = np.concatenate([[True], np.diff(halfedges[order]) != 0])
    halfedges, vertex = halfedges[order][first], vertex[order][first]
    middles = np.full((len(draft.corners), 3), -1, np.int32)
    middles[halfedges // 3, halfedges % 3] = vertex
    clash = (middles[:, :, None] == draft.corners[:, None, :]).any(axis=(1, 2))
    middles[clash] = -1
    split = split_faces(draft.positions, draft.corners, middles)
    count = int(np.count_nonzero(middles >= 0))
    if not count:
        return draft, 0
    return draft.rebuilt(split.faces, np.empty((0, 3)), split.corners, parents=split.parents), count


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
