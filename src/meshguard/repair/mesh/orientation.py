"""Orientation: faces that neighbours contradict are turned over, and so are components that are inverted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.repair.steps import Change

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.facts.mesh import MeshFacts
    from meshguard.mesh import IntArray
    from meshguard.repair.draft import Draft


def orient(draft: Draft) -> Change:
    """Orient faces so that the two of every edge run it in opposite ways; the smaller side of each patch is flipped."""
    facts = draft.facts
    against = facts.inconsistent_edges
    if not len(against):
        return Change(draft=draft)
    is_nonorientable, flip, patch = facts.orientation
    used = patch >= 0
    area = np.where(used, facts.face_measures.area, 0.0)
    lead = np.where(used, patch, 0)
    turned = np.bincount(lead, area * flip, minlength=len(flip))
    whole = np.bincount(lead, area, minlength=len(flip))
    turn = flip ^ (turned > whole - turned)[lead]
    turn &= used
    # A component with one side only cannot be oriented; it keeps the orientation that contradicts itself least.
    of_face = facts.components.of_face
    before = np.bincount(of_face[against // 3], minlength=len(is_nonorientable))
    after = np.bincount(of_face[_inconsistent_after(facts, turn) // 3], minlength=len(is_nonorientable))
    turn &= (after < before)[of_face]
    if not turn.any():
        return Change(draft=draft)
    return Change(draft=draft.turned(turn), mended=int(np.maximum(before - after, 0).sum()))


def _inconsistent_after(facts: MeshFacts, turn: BoolArray) -> IntArray:
    """The lower half-edge of each edge that is run the same way from both sides when some faces are turned."""
    halfedges = np.arange(3 * len(turn), dtype=np.int32)
    twins, flat = facts.edges.twins, facts.corners.reshape(-1)
    pairs = halfedges[twins > halfedges]
    same_way: BoolArray = (flat[pairs] == flat[twins[pairs]]) ^ turn[pairs // 3] ^ turn[twins[pairs] // 3]
    return pairs[same_way]


def inverted_components(facts: MeshFacts) -> list[int]:
    """Components that are inverted, by the rule of check G107, and closed ones of any negative volume."""
    return [*facts.inverted_bodies, *facts.inverted_sheets]


def flip_inverted(draft: Draft) -> Change:
    """Flip components that are inverted."""
    inverted = inverted_components(draft.facts)
    if not inverted:
        return Change(draft=draft)
    return Change(draft=draft.turned(np.isin(draft.facts.components.of_face, inverted)), mended=len(inverted))
