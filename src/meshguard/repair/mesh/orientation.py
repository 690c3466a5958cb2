"""Orientation: faces that their neighbours contradict are flipped, and so are inverted components."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.repair.step import Change

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.facts.mesh import MeshFacts
    from meshguard.mesh import IntArray
    from meshguard.repair.draft import Draft


def orient(draft: Draft) -> Change:
    """Orient faces so that the two of every edge run it in opposite ways; the smaller side of each patch is flipped."""
    facts = draft.facts
    inconsistent = facts.inconsistent_edges
    if not len(inconsistent):
        return Change(draft=draft)
    is_nonorientable, flip, patch = facts.orientation
    in_patch = patch >= 0
    area = np.where(in_patch, facts.face_measures.area, 0.0)
    first_face = np.where(in_patch, patch, 0)
    flipped_area = np.bincount(first_face, area * flip, minlength=len(flip))
    total_area = np.bincount(first_face, area, minlength=len(flip))
    flip = (flip ^ (flipped_area > total_area - flipped_area)[first_face]) & in_patch
    # A non-orientable component keeps the orientation that contradicts itself least.
    of_face = facts.components.of_face
    before = np.bincount(of_face[inconsistent // 3], minlength=len(is_nonorientable))
    after = np.bincount(of_face[_inconsistent_after(facts, flip) // 3], minlength=len(is_nonorientable))
    flip &= (after < before)[of_face]
    if not flip.any():
        return Change(draft=draft)
    return Change(draft=draft.turned(flip), mended=int(np.maximum(before - after, 0).sum()))


def _inconsistent_after(facts: MeshFacts, flip: BoolArray) -> IntArray:
    """The lower half-edge of each edge that both its faces run the same way once some faces are flipped."""
    halfedges = np.arange(3 * len(flip), dtype=np.int32)
    twins, flat = facts.edges.twins, facts.corners.reshape(-1)
    lower = halfedges[twins > halfedges]
    same_way: BoolArray = (flat[lower] == flat[twins[lower]]) ^ flip[lower // 3] ^ flip[twins[lower] // 3]
    return lower[same_way]


def inverted_components(facts: MeshFacts) -> list[int]:
    """Components that are inverted by the rule of check G107, and closed ones of any negative volume."""
    return [*facts.inverted_bodies, *facts.inverted_sheets]


def flip_inverted(draft: Draft) -> Change:
    """Flip components that are inverted."""
    inverted = inverted_components(draft.facts)
    if not inverted:
        return Change(draft=draft)
    return Change(draft=draft.turned(np.isin(draft.facts.components.of_face, inverted)), mended=len(inverted))
