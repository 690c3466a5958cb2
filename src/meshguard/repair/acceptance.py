"""When a mesh is clean: the one thing that repair vouches for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.facts.mesh import MeshFacts
from meshguard.float32 import rounded
from meshguard.mesh import Mesh
from meshguard.quantities import quantity
from meshguard.repair.mesh.precision import furthest_rounding, rounds_too_far
from meshguard.report import Safety

if TYPE_CHECKING:
    from meshguard.mesh import IntArray
    from meshguard.policy import Policy


INTERSECTING = "intersecting pairs of faces"
"""What violating pairs are called where they are counted."""


def allows_solid(policy: Policy) -> bool:
    """Whether the policy asks for a closed body, and allows repair to invent what closes it."""
    return policy.rim == "closed" and policy.max_safety is Safety.INVENTIVE


def violating_pairs(facts: MeshFacts) -> IntArray:
    """Intersecting pairs that are violations, int32 (k, 2): all but those of an assembly in which a body is closed."""
    pairs = facts.intersections.pairs
    if facts.policy.rim == "closed" or not len(pairs):  # one solid has no inner walls
        return pairs
    return pairs[facts.assemblies.of_one_surface | facts.assemblies.of_sheets]


def mendable_pairs(facts: MeshFacts) -> IntArray:
    """Violating pairs that repair may mend, int32 (k, 2): where two open objects cross, either would lose a piece."""
    if facts.policy.rim == "closed":
        return violating_pairs(facts)
    mendable: IntArray = facts.intersections.pairs[facts.assemblies.of_one_surface]
    return mendable


def violations(facts: MeshFacts) -> dict[str, int]:
    """What keeps a mesh from being clean: a few words for each kind, and how many there are; empty if it is clean."""
    counts = {
        "faces with a non-finite corner": len(facts.nonfinite_faces),
        "faces without area": len(facts.collinear_faces),
        "duplicate faces": len(facts.duplicates),
        "non-manifold edges": int(facts.components.n_nonmanifold_edges.sum()),
        "non-manifold vertices": facts.fans.n_nonmanifold,
        "edges oriented inconsistently": len(facts.inconsistent_edges),
        "inverted closed components": len(facts.inverted_bodies),
        INTERSECTING: len(violating_pairs(facts)),
        "boundary edges": len(facts.edges.boundary) if facts.policy.rim == "closed" else 0,
    }
    if not len(facts.corners):
        counts["meshes without a face"] = 1
    return {kind: count for kind, count in counts.items() if count}


def violations_as_stl(facts: MeshFacts) -> tuple[str, ...]:
    """What would keep a mesh from being clean in an STL file, which rounds positions to float32: a phrase for each."""
    if facts.is_float32:
        return ()
    vertices = rounded(facts.mesh.vertices)
    if not np.isfinite(vertices).all():
        return ("some coordinates are too large for an STL",)
    if rounds_too_far(facts):
        furthest, limit = furthest_rounding(facts), facts.float32_tolerance("rounding_mm")
        return (
            f"an STL would move vertices by up to {quantity(furthest, 'mm', 3)}, more than the limit of "
            f"{quantity(limit, 'mm', 3)}, since the mesh lies "
            f"{facts.distance:,.0f} mm from the origin: save it as PLY, or have it moved to the origin (--recentre)",
        )
    found = violations(MeshFacts(Mesh(vertices=vertices, faces=facts.mesh.faces), facts.policy))
    return tuple(f"{count} {kind} once rounded to the precision of an STL" for kind, count in found.items())
