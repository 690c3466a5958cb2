"""When a mesh is clean: the one question that repair answers for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshguard.report import Safety

if TYPE_CHECKING:
    from meshguard.facts import MeshFacts
    from meshguard.mesh import IntArray
    from meshguard.policy import Policy


def wants_solid(policy: Policy) -> bool:
    """Whether the policy wants a closed body, and lets repair invent what makes it one."""
    return policy.rim == "closed" and policy.max_safety is Safety.INVENTIVE


def faulty_pairs(facts: MeshFacts) -> IntArray:
    """Intersecting pairs that are faults: all but those of two different closed components, int32 (k, 2)."""
    pairs = facts.intersections.pairs
    if facts.policy.rim == "closed" or not len(pairs):  # one solid has no inner walls
        return pairs
    return pairs[~facts.is_between_bodies]


def faults(facts: MeshFacts) -> dict[str, int]:
    """What keeps a mesh from being clean: a few words for each kind, and how many there are; empty if it is clean."""
    found = {
        "faces with a corner that is no number": len(facts.nonfinite_faces),
        "faces without area": len(facts.collinear_faces),
        "duplicate faces": len(facts.duplicates),
        "non-manifold edges": int(facts.components.n_nonmanifold_edges.sum()),
        "non-manifold vertices": facts.fans.n_nonmanifold,
        "edges wound against each other": len(facts.inconsistent_edges),
        "bodies inside out": len(facts.inverted_bodies),
        "intersecting pairs of faces": len(faulty_pairs(facts)),
        "boundary edges": len(facts.edges.boundary) if facts.policy.rim == "closed" else 0,
    }
    if not len(facts.corners):
        found["meshes without a face"] = 1
    return {kind: count for kind, count in found.items() if count}
