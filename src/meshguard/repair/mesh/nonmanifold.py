"""Separation: sheets that share an edge or a vertex with more faces than a surface has are pulled apart.

Positions are identity once a file is an STL, so it is not enough to give each sheet vertices of its own: all but one
are moved a little into themselves. How far is a limit of the policy, far below what a scanner resolves.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from meshguard.facts.arrays import connected_components
from meshguard.halfedges import next_halfedge, opposite_corners, previous_halfedge
from meshguard.repair.mesh.edge_splits import split_faces
from meshguard.repair.mesh.rounding import rounded
from meshguard.repair.steps import Change

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.facts.mesh import MeshFacts
    from meshguard.mesh import FloatArray, IntArray
    from meshguard.repair.draft import Draft

_SHARE_OF_EDGE = 0.2
"""Nothing moves further than this share of the shortest edge at it, so that no face turns over."""

_FLAT = 0.05
"""A fan whose edges point nowhere on average (their mean is shorter than this) is a disc: it moves along its normal."""


def separate(draft: Draft) -> Change:
    """Pull apart what shares an edge with more than two faces, or a vertex with more than one fan.

    Around a non-manifold edge the faces are paired: between a face that looks away and the next that looks back lies
    the inside of one sheet, so these two belong together; where the sides do not balance, the straightest pairs do.
    What remains single is a fin and gets a border there.
    """
    facts = draft.facts
    twins = facts.edges.twins
    if not len(facts.edges.nonmanifold) and not facts.fans.n_nonmanifold:
        return Change(draft=draft)
    twins = twins.copy()
    pairs = pair_sheets(facts)
    twins[facts.edges.nonmanifold] = -1
    twins[pairs[:, 0]], twins[pairs[:, 1]] = pairs[:, 1], pairs[:, 0]
    suspects = facts.fans.at_position > 1
    suspects[facts.edge_ends(facts.edges.nonmanifold)] = True
    return _pulled_apart(draft, twins, suspects, mended=int(np.count_nonzero(suspects)))


def cut_nonorientable(draft: Draft) -> Change:
    """Cut components with one side only along the edges where their orientation contradicts itself."""
    facts = draft.facts
    against = facts.inconsistent_edges
    if not len(against):
        return Change(draft=draft)
    twins = facts.edges.twins.copy()
    twins[twins[against]] = -1
    twins[against] = -1
    twins[twins < 0] = -1
    suspects = np.zeros(len(draft.positions), np.bool_)
    suspects[facts.edge_ends(against)] = True
    return _pulled_apart(draft, twins, suspects, mended=len(against))


def pair_sheets(facts: MeshFacts) -> IntArray:
    """Half-edges on non-manifold edges whose faces are one sheet, int32 (k, 2)."""
    nonmanifold = facts.edges.nonmanifold
    if not len(nonmanifold):
        return np.empty((0, 2), np.int32)
    ends = facts.edge_ends(nonmanifold)
    low, high = ends.min(axis=1), ends.max(axis=1)
    positions = facts.positions
    opposite = opposite_corners(facts.corners, nonmanifold)
    axis = positions[high] - positions[low]
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    away = positions[opposite] - positions[low]
    away -= (away * axis).sum(axis=1, keepdims=True) * axis
    first = np.concatenate([[True], (low[1:] != low[:-1]) | (high[1:] != high[:-1])])
    group = np.cumsum(first) - 1
    reference = away[np.flatnonzero(first)][group]
    across = np.cross(axis, reference)
    angle = np.arctan2((away * across).sum(axis=1), (away * reference).sum(axis=1) * np.linalg.norm(axis, axis=1))
    upward = ends[:, 0] == low
    # Of faces that lie on one another the upward one comes first: between them is nothing, not the inside of a sheet.
    order = np.lexsort((nonmanifold, ~upward, np.round(angle, 9), group))
    bounds = np.append(np.flatnonzero(first), len(nonmanifold))
    found: list[tuple[int, int]] = []
    for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        around = order[begin:end]
        ups = upward[around]
        balanced = 2 * int(ups.sum()) == len(around)
        chosen = _by_inside(ups.tolist()) if balanced else _by_straightness(angle[around], ups)
        found += [(int(nonmanifold[around[i]]), int(nonmanifold[around[j]])) for i, j in chosen]
    return np.array(found, np.int32).reshape(-1, 2)


def _by_inside(ups: list[bool]) -> list[tuple[int, int]]:
    """Pairs around an edge with the inside of a sheet between them: brackets, opened by a downward face."""
    pairs: list[tuple[int, int]] = []
    waiting: list[int] = []
    paired: set[int] = set()
    for _ in range(2):  # what opens at the end of the turn closes at its beginning
        for place, up in enumerate(ups):
            if place in paired or place in waiting:
                continue
            if not up:
                waiting.append(place)
            elif waiting:
                opened = waiting.pop()
                pairs.append((opened, place))
                paired |= {opened, place}
    return pairs


def _by_straightness(angle: FloatArray, ups: BoolArray) -> list[tuple[int, int]]:
    """Pairs that go on straightest, those of opposite winding before all others."""
    count = len(ups)
    one, other = np.triu_indices(count, 1)
    turn = np.abs(np.angle(np.exp(1j * (angle[one] - angle[other]))))
    order = np.lexsort((other, one, -np.round(turn, 9), ups[one] == ups[other]))
    pairs: list[tuple[int, int]] = []
    used: set[int] = set()
    for place in order.tolist():
        i, j = int(one[place]), int(other[place])
        if i not in used and j not in used:
            used |= {i, j}
            pairs.append((i, j))
    return pairs


def _pulled_apart(draft: Draft, twins: IntArray, suspects: BoolArray, *, mended: int) -> Change:
    """The draft with faces joined only as these twins say: every fan at the suspects, bool (p,), stands on its own."""
    facts = draft.facts
    flat, positions = draft.corners.reshape(-1), draft.positions
    limit = draft.policy.tolerance("separation_mm").within(facts.diagonal)
    fan, several = _fans(flat, twins, suspects)
    corners = flat.copy()
    points: list[FloatArray] = []
    taken = {tuple(row) for row in positions[several].tolist()}
    at_several = np.zeros(len(positions), np.bool_)
    at_several[several] = True
    involved = np.flatnonzero(at_several[flat]).astype(np.int32)
    involved = involved[np.lexsort((involved, fan[involved], flat[involved]))]
    breaks = np.flatnonzero((np.diff(flat[involved]) != 0) | (np.diff(fan[involved]) != 0)) + 1
    groups = np.split(involved, breaks) if len(involved) else []
    area = facts.face_measures.area
    keeper: dict[int, tuple[float, int]] = {}
    for number, group in enumerate(groups):
        at = int(flat[group[0]])
        support = float(area[group // 3].sum())
        if at not in keeper or support > keeper[at][0] * (1 + 1e-9):
            keeper[at] = (support, number)
    for number, group in enumerate(groups):
        at = int(flat[group[0]])
        if keeper[at][1] == number:
            continue
        here = positions[at]
        ahead = next_halfedge(group)
        spokes = positions[np.concatenate([flat[ahead], flat[next_halfedge(ahead)]])] - here
        point = _moved_in(here, spokes, limit, taken)
        taken.add(tuple(point.tolist()))
        corners[group] = len(positions) + len(points)
        points.append(point)
    new = np.array(points, np.float64).reshape(-1, 3)
    pulled = draft.rejoined(
        corners.reshape(-1, 3).astype(np.int32), np.concatenate([positions, new]) if len(new) else positions
    )
    return Change(draft=_split_doubled(pulled, twins, limit), mended=mended, parameters={"separation_mm": limit})


def _moved_in(here: FloatArray, spokes: FloatArray, limit: float, taken: set[tuple[float, ...]]) -> FloatArray:
    """A position near `here`, a little into the fan whose edges are `spokes`, that nothing else stands on."""
    count = len(spokes) // 2
    lengths = np.linalg.norm(spokes, axis=1)
    direction = (spokes / np.maximum(lengths, 1e-300)[:, None]).mean(axis=0)
    if np.linalg.norm(direction) < _FLAT:
        direction = -np.cross(spokes[:count], spokes[count:]).sum(axis=0)
    norm = float(np.linalg.norm(direction))
    direction = direction / norm if norm > 0 else np.array([1.0, 0.0, 0.0])
    step = min(limit, _SHARE_OF_EDGE * float(lengths.min()))
    # A step below the spacing of float32 would round back.
    step = max(step, 2.0 * float(np.spacing(np.float32(np.abs(here).max()))))
    while True:
        point = rounded(here + step * direction)
        if tuple(point.tolist()) not in taken:
            return point
        step *= 1.5


def _split_doubled(draft: Draft, twins: IntArray, limit: float) -> Draft:
    """Split edges that two sheets still share since they hang together at both ends: all but one bend aside."""
    facts = draft.facts
    nonmanifold = facts.edges.nonmanifold
    if not len(nonmanifold) or len(facts.corners) * 3 != len(twins):
        return draft
    positions, flat = draft.positions, draft.corners.reshape(-1)
    middles = np.full(len(flat), -1, np.int32)
    points: list[FloatArray] = []
    ends = facts.edge_ends(nonmanifold)
    key = ends.min(axis=1).astype(np.int64) * len(positions) + ends.max(axis=1)
    area = facts.face_measures.area
    for edge in np.unique(key):
        here = nonmanifold[key == edge]
        sheets = sorted({tuple(sorted({int(h), int(twins[h])} - {-1})) for h in here})
        sheets.sort(key=lambda sheet: -math.fsum(float(area[h // 3]) for h in sheet))
        taken: set[tuple[float, ...]] = set()
        for sheet in sheets[1:]:
            a, b = positions[facts.edge_ends(np.array(sheet[:1]))[0]]
            middle = (a + b) / 2
            opposite = positions[opposite_corners(draft.corners, np.array(sheet))]
            spokes = np.concatenate([opposite - middle, opposite - middle])
            point = _moved_in(middle, spokes, limit, taken)
            taken.add(tuple(point.tolist()))
            middles[list(sheet)] = len(positions) + len(points)
            points.append(point)
    new = np.array(points, np.float64).reshape(-1, 3)
    split = split_faces(np.concatenate([positions, new]), draft.corners, middles.reshape(-1, 3))
    return draft.rebuilt(split.faces, new, split.corners, parents=split.parents)


def _fans(flat: IntArray, twins: IntArray, suspects: BoolArray) -> tuple[IntArray, IntArray]:
    """The fan of each corner at the suspects as twins join faces, int32 (3m,), and which of these have several."""
    there = np.flatnonzero(suspects[flat]).astype(np.int32)
    number = np.full(len(flat), -1, np.int32)
    number[there] = np.arange(len(there), dtype=np.int32)
    # At a corner two half-edges of its face meet: the one that starts there, and the one before it.
    ones: list[IntArray] = []
    twos: list[IntArray] = []
    for halfedges in (there, previous_halfedge(there)):
        other = twins[halfedges]
        kept = other >= 0
        corner, other = there[kept], other[kept]
        same = np.where(flat[other] == flat[corner], other, next_halfedge(other))
        ones.append(number[corner])
        twos.append(number[same])
    one, two = np.concatenate(ones), np.concatenate(twos)
    label = connected_components(len(there), one, two)
    fan = np.full(len(flat), -1, np.int32)
    fan[there] = label
    used = np.zeros(len(suspects), np.int64)
    first = np.unique(label, return_index=True)[1]
    np.add.at(used, flat[there[first]], 1)
    return fan, np.flatnonzero(used > 1).astype(np.int32)
