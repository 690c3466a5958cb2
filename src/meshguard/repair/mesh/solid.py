"""The last resort where a policy asks for a closed body: a new surface is built around what the old one encloses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.repair.acceptance import allows_solid, violations
from meshguard.repair.mesh.debris import drop_floating
from meshguard.repair.mesh.marching_tetrahedra import solid_of
from meshguard.repair.step import Change

if TYPE_CHECKING:
    from meshguard.repair.draft import Draft


def make_solid(draft: Draft) -> Change:
    """Build a closed solid of what the surface encloses, where the policy asks for one and the mesh is not clean."""
    if not allows_solid(draft.policy) or not violations(draft.facts):
        return Change(draft=draft)
    cell = draft.policy.limit("solid_fraction") * draft.facts.diagonal
    if not cell > 0:  # nothing has an extent, or the policy allows no cells
        return Change(draft=draft)
    solid = solid_of(draft.facts, cell)
    if solid is None:
        return Change(draft=draft)
    all_faces = np.ones(len(draft.corners), np.bool_)
    points = draft.precision.held(solid.positions)
    rebuilt = draft.rebuilt(all_faces, points, solid.corners + np.int32(len(draft.positions)), synthetic=True)
    return Change(draft=drop_floating(rebuilt).draft, mended=1, parameters={"cell_mm": cell})
