"""Splitting: sheets that share an edge or a vertex with more faces than a surface has are moved apart.

A sheet is here one of the surfaces that meet at such an edge or vertex: of one component, or of several.
Positions are identity once a file is an STL, so it is not enough to give each sheet vertices of its own: all but one
are moved a little into themselves. How far is a limit of the policy, far below what a scanner resolves.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from meshguard.facts.arrays import connected_components
from meshguard.halfedges import edge_keys, next_halfedge, opposite_corners, previous_halfedge
from meshguard.repair.mesh.edge_splits import split_faces
from meshguard.repair.step import Change
from meshguard.watch import look

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.mesh import FloatArray, IntArray
    from meshguard.repair.draft import Draft
    from meshguard.repair.mesh.precision import Precision

_SHARE_OF_EDGE = 0.2
"""Nothing moves further than this share of the shortest edge at it, so that no face turns over."""

_FLAT = 0.05
"""A fan whose edges point nowhere on average (their mean is shorter than this) is a disc: it moves along its normal."""


def split_nonmanifold(draft: Draft) -> Change:
    """Split edges with more than two faces, and vertices with more than one fan.

    Around a non-manifold edge the faces are paired. Between a face that looks away and the next that looks back lies
    the inside of one sheet, so these two belong together; where the sides do not balance, the straightest pairs do.
    What remains single is a fin and gets a boundary there.
    """
    facts = draft.facts
    if not len(facts.edges.nonmanifold) and not facts.fans.n_nonmanifold:
        return Change(draft=draft)
    twins = facts.edges.twins.copy()
    pairs = facts.sheet_pairs
    twins[facts.edges.nonmanifold] = -1
    twins[pairs[:, 0]], twins[pairs[:, 1]] = pairs[:, 1], pairs[:, 0]
    suspects = facts.fans.at_position > 1
    suspects[facts.edge_ends(facts.edges.nonmanifold)] = True
    return _moved_apart(draft, twins, suspects, mended=int(np.count_nonzero(suspects)))


def cut_nonorientable(draft: Draft) -> Change:
    """Cut non-orientable components along the edges where their orientation contradicts itself."""
    facts = draft.facts
    inconsistent = facts.inconsistent_edges
    if not len(inconsistent):
        return Change(draft=draft)
    twins = facts.edges.twins.copy()
    twins[twins[inconsistent]] = -1
    twins[inconsistent] = -1
    twins[twins < 0] = -1
    suspects = np.zeros(len(draft.positions), np.bool_)
    suspects[facts.edge_ends(inconsistent)] = True
    return _moved_apart(draft, twins, suspects, mended=len(inconsistent))


def _moved_apart(draft: Draft, twins: IntArray, suspects: BoolArray, *, mended: int) -> Change:
    """The draft with faces joined only as these twins say: every fan at the suspects, bool (p,), stands on its own.

    Of several fans at one position the largest closed one stays there, or the largest if all are open: what ends on a
    surface moves, not the surface. The others move a little into themselves, and so do all but the largest of the
    sheets that still share an edge then.
    """
    positions, flat = draft.positions, draft.corners.reshape(-1)
    limit = draft.policy.tolerance("separation_mm").within(draft.facts.diagonal)
    fans = _fans_in_one_place(flat, twins, suspects)
    staying = _largest_fans(fans, flat, twins, draft.facts.face_measures.area)
    taken = {tuple(positions[flat[fan[0]]].tolist()) for fan in fans}
    corners = flat.copy()
    points: list[FloatArray] = []
    for number, fan in enumerate(fans):
        look()
        if number in staying:
            continue
        place = positions[flat[fan[0]]]
        ahead = next_halfedge(fan)
        spokes = positions[np.concatenate([flat[ahead], flat[next_halfedge(ahead)]])] - place
        corners[fan] = len(positions) + len(points)
        points.append(_moved_in(place, spokes, limit, taken, draft.precision))
    new = np.array(points, np.float64).reshape(-1, 3)
    moved = draft.rejoined(
        corners.reshape(-1, 3).astype(np.int32), np.concatenate([positions, new]) if len(new) else positions
    )
    return Change(draft=_split_shared_edges(moved, twins, limit), mended=mended, parameters={"separation_mm": limit})


def _fans_in_one_place(flat: IntArray, twins: IntArray, suspects: BoolArray) -> list[IntArray]:
    """The corners of each fan, at those suspects that have several as twins join faces; ordered by position."""
    corners = np.flatnonzero(suspects[flat]).astype(np.int32)
    label = _fan_of_corners(flat, twins, corners)
    first = np.unique(label, return_index=True)[1]
    n_fans = np.bincount(flat[corners[first]], minlength=len(suspects))
    is_shared = n_fans[flat[corners]] > 1
    corners, label = corners[is_shared], label[is_shared]
    if not len(corners):
        return []
    order = np.lexsort((corners, label, flat[corners]))
    corners, label = corners[order], label[order]
    return np.split(corners, np.flatnonzero((np.diff(flat[corners]) != 0) | (np.diff(label) != 0)) + 1)


def _fan_of_corners(flat: IntArray, twins: IntArray, corners: IntArray) -> IntArray:
    """The fan of each of some corners, as twins join faces: all corners at their positions, int32 (k,)."""
    number = np.full(len(flat), -1, np.int32)
    number[corners] = np.arange(len(corners), dtype=np.int32)
    # At a corner two half-edges of its face meet: the one that starts there, and the one before it.
    firsts: list[IntArray] = []
    seconds: list[IntArray] = []
    for halfedges in (corners, previous_halfedge(corners)):
        twin = twins[halfedges]
        has_twin = twin >= 0
        corner, twin = corners[has_twin], twin[has_twin]
        neighbour = np.where(flat[twin] == flat[corner], twin, next_halfedge(twin))
        firsts.append(number[corner])
        seconds.append(number[neighbour])
    return connected_components(len(corners), np.concatenate(firsts), np.concatenate(seconds))


def _largest_fans(fans: list[IntArray], flat: IntArray, twins: IntArray, area: FloatArray) -> set[int]:
    """Numbers of the fans that stay: the largest closed one at each position, else the largest; of equals the first."""
    largest: dict[int, tuple[bool, float, int]] = {}
    for number, fan in enumerate(fans):
        is_closed = bool((twins[fan] >= 0).all() and (twins[previous_halfedge(fan)] >= 0).all())
        position, fan_area = int(flat[fan[0]]), float(area[fan // 3].sum())
        known_closed, known_area, _ = largest.get(position, (False, -1.0, -1))
        if (is_closed, fan_area) > (known_closed, known_area * (1 + 1e-9) if is_closed == known_closed else known_area):
            largest[position] = (is_closed, fan_area, number)
    return {number for _, _, number in largest.values()}


def _moved_in(
    place: FloatArray, spokes: FloatArray, limit: float, taken: set[tuple[float, ...]], precision: Precision
) -> FloatArray:
    """A position near `place`, a little into the fan whose edges are `spokes`, that is not taken; it is taken then."""
    count = len(spokes) // 2
    lengths = np.linalg.norm(spokes, axis=1)
    direction = (spokes / np.maximum(lengths, 1e-300)[:, None]).mean(axis=0)
    if np.linalg.norm(direction) < _FLAT:
        direction = -np.cross(spokes[:count], spokes[count:]).sum(axis=0)
    norm = float(np.linalg.norm(direction))
    direction = direction / norm if norm > 0 else np.array([1.0, 0.0, 0.0])
    step = min(limit, _SHARE_OF_EDGE * float(lengths.min()))
    # A step below the spacing of the numbers would round back.
    step = max(step, 2.0 * precision.spacing(float(np.abs(place).max())))
    while True:
        look()
        point = precision.held(place + step * direction)
        key = tuple(point.tolist())
        if key not in taken:
            taken.add(key)
            return point
        step *= 1.5


def _split_shared_edges(draft: Draft, twins: IntArray, limit: float) -> Draft:
    """Split edges that two sheets still share, since they are connected at both ends: all but one are bent aside."""
    facts = draft.facts
    nonmanifold = facts.edges.nonmanifold
    if not len(nonmanifold) or len(facts.corners) * 3 != len(twins):
        return draft
    positions = draft.positions
    middles = np.full(len(twins), -1, np.int32)
    points: list[FloatArray] = []
    ends = facts.edge_ends(nonmanifold)
    keys = edge_keys(ends[:, 0], ends[:, 1], len(positions))
    for key in np.unique(keys):
        look()
        taken: set[tuple[float, ...]] = set()
        for sheet in _sheets(nonmanifold[keys == key], twins, facts.face_measures.area)[1:]:
            start, end = positions[facts.edge_ends(np.array(sheet[:1]))[0]]
            middle = (start + end) / 2
            opposite = positions[opposite_corners(draft.corners, np.array(sheet))]
            spokes = np.concatenate([opposite - middle, opposite - middle])
            middles[list(sheet)] = len(positions) + len(points)
            points.append(_moved_in(middle, spokes, limit, taken, draft.precision))
    new = np.array(points, np.float64).reshape(-1, 3)
    split = split_faces(np.concatenate([positions, new]), draft.corners, middles.reshape(-1, 3))
    return draft.rebuilt(split.faces, new, split.corners, parents=split.parents)


def _sheets(halfedges: IntArray, twins: IntArray, area: FloatArray) -> list[tuple[int, ...]]:
    """The half-edges on one edge by the sheet that their faces belong to, the sheet with the largest area first."""
    sheets = sorted({tuple(sorted({int(h), int(twins[h])} - {-1})) for h in halfedges})
    return sorted(sheets, key=lambda sheet: -math.fsum(float(area[h // 3]) for h in sheet))
