"""Repair of holes: filled where they are small enough not to be anatomy; a rim never is."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from meshguard.facts.arrays import frozen
from meshguard.repair.acceptance import allows_solid
from meshguard.repair.mesh.faces_near import near_boxes
from meshguard.repair.mesh.hole_filling import fill_hole
from meshguard.repair.mesh.patch_replacement import Replacement, which_fit, with_replacements
from meshguard.repair.step import Change
from meshguard.watch import look

if TYPE_CHECKING:
    import numpy.typing as npt

    from meshguard.facts.arrays import BoolArray
    from meshguard.facts.mesh import MeshFacts
    from meshguard.mesh import FloatArray, IntArray
    from meshguard.repair.draft import Draft

_WAYS = ((True, True), (False, False))
"""Refine and fair, in the order in which they are tried."""


def fillable_loops(facts: MeshFacts) -> IntArray:
    """The loops that the policy lets repair fill, int32: none above the limit, and a rim only where it allows none."""
    loops, policy = facts.loops, facts.policy
    if policy.rim == "any":
        return np.empty(0, np.int32)
    limit = math.inf if allows_solid(policy) else policy.tolerance("hole_diameter_mm").within(facts.diagonal)
    chosen = loops.is_closed & (loops.diameter <= limit)
    if policy.rim == "one":
        chosen &= ~loops.is_rim
    return np.flatnonzero(chosen).astype(np.int32)


def islands_in_open_holes(facts: MeshFacts, components: IntArray) -> IntArray:
    """Of some components those that lie in a hole which repair leaves open, int32, ascending."""
    loops = facts.loops
    is_open = loops.is_closed & ~loops.is_rim
    is_open[fillable_loops(facts)] = False
    return components[_is_in_holes(facts, components, facts, np.flatnonzero(is_open))]


def islands_in_closed_holes(draft: Draft, components: IntArray) -> IntArray:
    """Of some components those without which the holes that they lie in are filled or were none, int32, ascending.

    Where something else stands in the way of the faces that would fill a hole, a component in it is not among them.
    """
    facts = draft.facts
    if not _is_in_holes(facts, components, facts, _fillable_holes(facts)).any():
        return components
    filled = fill_holes(draft.without(np.isin(facts.components.of_face, components), components=True)).draft.facts
    return components[~_is_in_holes(facts, components, filled, _fillable_holes(filled))]


def _fillable_holes(facts: MeshFacts) -> IntArray:
    """The fillable loops that are no rims, int32: what lies within a rim does not lie in a hole."""
    loops = fillable_loops(facts)
    return loops[~facts.loops.is_rim[loops]]


def _is_in_holes(
    facts: MeshFacts, components: IntArray, of_holes: MeshFacts, holes: npt.NDArray[np.integer[Any]]
) -> BoolArray:
    """Whether each of some components lies in one of some holes, bool (k,).

    Seen along the hole's vector area, the middle of an island lies within the hole's loop, and no farther above or
    below the middle of that loop than a quarter of the hole's diameter. It is smaller than the hole.
    """
    loops = of_holes.loops
    is_island = np.zeros(len(components), np.bool_)
    lowest, highest = facts.components.lowest[components], facts.components.highest[components]
    middles, sizes = 0.5 * (lowest + highest), np.linalg.norm(highest - lowest, axis=1)
    for loop in holes.tolist():
        look()
        points = of_holes.positions[loops.positions[loops.offsets[loop] : loops.offsets[loop + 1]]]
        reach = float(loops.diameter[loop])
        is_near = np.linalg.norm(middles - points.mean(axis=0), axis=1) <= reach
        is_near &= ~is_island & (sizes < np.linalg.norm(np.ptp(points, axis=0)))
        is_island[is_near] = _is_within(points, middles[is_near], 0.25 * reach)
    return is_island


def _is_within(loop: FloatArray, points: FloatArray, height: float) -> BoolArray:
    """Whether points lie within a loop as it is seen along its vector area, and this near to its plane, bool (k,)."""
    middle = loop.mean(axis=0)
    corners, points = loop - middle, points - middle
    normal = np.cross(corners, np.roll(corners, -1, axis=0)).sum(axis=0)
    axes = np.linalg.svd(normal[None])[2]  # the normal, and two axes across it
    across, from_start = corners @ axes[1:].T, points @ axes[1:].T
    start = across[None] - from_start[:, None]
    end = np.roll(start, -1, axis=1)
    turn = np.arctan2(start[..., 0] * end[..., 1] - start[..., 1] * end[..., 0], (start * end).sum(axis=2)).sum(axis=1)
    is_within: BoolArray = (np.abs(turn) > np.pi) & (np.abs(points @ axes[0]) <= height)
    return is_within


def fill_holes(draft: Draft) -> Change:
    """Fill small holes with faces as dense as those around, that go on from them smoothly and intersect nothing.

    A hole with islands in it is filled up to them. Where the fair surface would intersect something, a plainer one is
    tried; where that does too, the hole is left.
    """
    facts = draft.facts
    limit = draft.policy.tolerance("hole_diameter_mm").within(facts.diagonal)
    waiting = _with_islands(facts, fillable_loops(facts))
    if not waiting:
        return Change(draft=draft)
    low = np.array([draft.positions[loops[0]].min(axis=0) for loops in waiting])
    high = np.array([draft.positions[loops[0]].max(axis=0) for loops in waiting])
    margin = (high - low).max(axis=1, keepdims=True)
    near = np.flatnonzero(near_boxes(draft.positions, draft.corners, low - margin, high + margin)).astype(np.int32)
    corners = frozen(np.ascontiguousarray(draft.corners[near]))
    fill = partial(fill_hole, draft.positions, corners, precision=draft.precision)
    accepted: list[Replacement] = []
    for refine, fair in _WAYS:
        filled = [(loops, patch) for loops in waiting if (patch := fill(loops, refine=refine, fair=fair)) is not None]
        candidates = [Replacement(np.empty(0, np.int32), patch.points, patch.faces) for _, patch in filled]
        fits = which_fit(draft, near, accepted, candidates)
        accepted += [candidate for candidate, does_fit in zip(candidates, fits, strict=True) if does_fit]
        done = {int(loops[0][0]) for (loops, _), does_fit in zip(filled, fits, strict=True) if does_fit}
        waiting = [loops for loops in waiting if int(loops[0][0]) not in done]
        if not waiting:
            break
    if not accepted:
        return Change(draft=draft)
    filled_draft = with_replacements(draft, accepted)
    return Change(draft=filled_draft, mended=len(accepted), parameters={"hole_diameter_mm": limit})


def _with_islands(facts: MeshFacts, holes: IntArray) -> list[list[IntArray]]:
    """Each hole's loop, and the loops of what floats in it, as the faces that fill it run along them.

    An island is a component of its own whose boundary lies in the box of the hole. An island's loop is not filled too.
    """
    loops = facts.loops
    along = [loops.positions[loops.offsets[loop] : loops.offsets[loop + 1]][::-1] for loop in range(loops.n_loops)]
    simple = [len(loop) >= 3 and len(np.unique(loop)) == len(loop) for loop in along]
    low = np.array([facts.positions[loop].min(axis=0) for loop in along]).reshape(-1, 3)
    high = np.array([facts.positions[loop].max(axis=0) for loop in along]).reshape(-1, 3)
    found: list[list[IntArray]] = []
    islands: set[int] = set()
    for hole in holes.tolist():
        look()
        if not simple[hole]:
            continue
        inside = (low > low[hole]).all(axis=1) & (high < high[hole]).all(axis=1)
        # The loop is the rim of another component, not a hole in another sheet that lies close by.
        inside &= (loops.component != loops.component[hole]) & loops.is_closed & loops.is_rim
        within = [int(loop) for loop in np.flatnonzero(inside) if simple[loop]]
        islands |= set(within)
        found.append([along[hole], *(along[loop] for loop in within)])
    firsts = {int(along[loop][0]) for loop in islands}
    return [group for group in found if int(group[0][0]) not in firsts]
