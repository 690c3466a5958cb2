"""Debris: components too small to be part of the scan, and vertices that no face uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.repair.mesh.holes import islands_in_closed_holes, islands_in_open_holes
from meshguard.repair.step import Change

if TYPE_CHECKING:
    from meshguard.facts.mesh import MeshFacts
    from meshguard.mesh import IntArray
    from meshguard.repair.draft import Draft


def n_unreferenced(draft: Draft) -> int:
    """Number of positions that no face uses."""
    used = np.zeros(len(draft.positions), np.bool_)
    used[draft.corners] = True
    return int(np.count_nonzero(~used))


def drop_unreferenced(draft: Draft) -> Change:
    """Drop vertices that no face uses."""
    count = n_unreferenced(draft)
    return Change(draft=draft.compacted(), mended=count) if count else Change(draft=draft)


def floating_components(facts: MeshFacts) -> IntArray:
    """Components that are debris: smaller than the policy's limit, not the largest, and not in a hole left open.

    What was scanned in the middle of a hole is part of the scan: without it the hole would only be larger. Empty where
    they make up a large part of the mesh together: a mesh of small components is not debris.
    """
    areas = facts.components.area
    small = areas < facts.debris_area
    if facts.largest_component >= 0:
        small[facts.largest_component] = False
    if areas[small].sum() > facts.policy.limit("debris_fraction") * areas.sum():
        small[:] = False
    debris = np.flatnonzero(small).astype(np.int32)
    return np.setdiff1d(debris, islands_in_open_holes(facts, debris)) if len(debris) else debris


def drop_floating(draft: Draft) -> Change:
    """Drop components that are debris; every larger one is kept, and what lies in a hole that cannot be filled."""
    facts = draft.facts
    debris = floating_components(facts)
    if len(debris):
        debris = islands_in_closed_holes(draft, debris)
    if not len(debris):
        return Change(draft=draft)
    area = float(facts.components.area[debris].sum())
    return Change(
        draft=draft.without(np.isin(facts.components.of_face, debris), components=True),
        mended=len(debris),
        parameters={"floating_area_mm2": facts.debris_area, "dropped_mm2": area},
    )
