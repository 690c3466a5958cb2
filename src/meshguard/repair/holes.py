"""Repair of holes: filled where they are small enough not to be anatomy; a rim never is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from meshguard.kernels import loops as kernels
from meshguard.repair.filling import fill_hole
from meshguard.repair.nearby import near_boxes
from meshguard.repair.rebuilding import Piece, accepted, replaced
from meshguard.repair.soundness import wants_solid
from meshguard.repair.steps import Change

if TYPE_CHECKING:
    from meshguard.facts import Facts
    from meshguard.mesh import IntArray
    from meshguard.repair.draft import Draft

_WAYS = ((True, True), (True, False), (False, False))
"""Refine and fair, in the order in which they are tried."""


def fillable(facts: Facts) -> IntArray:
    """The loops that the policy lets repair fill, int32: no rim but where none is legal, none beyond the limit."""
    loops, policy = facts.loops, facts.policy
    if policy.rim == "any":
        return np.empty(0, np.int32)
    limit = math.inf if wants_solid(policy) else policy.tolerance("hole").within(facts.diagonal)
    chosen = loops.closed & (loops.measures[:, kernels.CHORD] <= limit)
    if policy.rim == "one":
        chosen &= ~loops.rim
    return np.flatnonzero(chosen).astype(np.int32)


def fill_holes(draft: Draft) -> Change:
    """Fill small holes: with faces as dense as those around, bent on from them, and proved to intersect nothing.

    Where the fair surface would intersect something a plainer one is tried; where that does too the hole is left.
    """
    facts = draft.facts
    holes = fillable(facts)
    if not len(holes):
        return Change(draft=draft)
    loops = facts.loops
    rows = [loops.positions[loops.offsets[hole] : loops.offsets[hole + 1]][::-1] for hole in holes.tolist()]
    rows = [row for row in rows if len(row) >= 3 and len(np.unique(row)) == len(row)]
    taken: list[Piece] = []
    undone = 0
    waiting = rows
    if rows:
        low = np.array([draft.positions[row].min(axis=0) for row in rows])
        high = np.array([draft.positions[row].max(axis=0) for row in rows])
        margin = (high - low).max(axis=1, keepdims=True)
        near = np.flatnonzero(near_boxes(draft.positions, draft.corners, low - margin, high + margin)).astype(np.int32)
        corners = np.ascontiguousarray(draft.corners[near])
        corners.flags.writeable = False
    for refine, fair in _WAYS:
        tried: list[Piece] = []
        of: list[IntArray] = []
        for row in waiting:
            filling = fill_hole(draft.positions, corners, [row], refine=refine, fair=fair)
            if filling is not None:
                tried.append(Piece(np.empty(0, np.int32), filling.points, filling.faces))
                of.append(row)
        good = accepted(draft, near, taken, tried)
        undone += good.count(False)
        taken += [piece for piece, is_good in zip(tried, good, strict=True) if is_good]
        filled = {int(row[0]) for row, is_good in zip(of, good, strict=True) if is_good}
        waiting = [row for row in waiting if int(row[0]) not in filled]
        if not waiting:
            break
    limit = draft.policy.tolerance("hole").within(facts.diagonal)
    if not taken:
        return Change(draft=draft, undone=undone)
    return Change(
        draft=replaced(draft, taken), mended=len(taken), undone=undone, parameters={"hole_diameter_mm": limit}
    )
