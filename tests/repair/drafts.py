"""Drafts for tests: of a mesh, with faces split, and whether what one knows is what is found without a past."""

from __future__ import annotations

import numpy as np

from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import Policy, policy
from meshguard.repair.draft import Draft
from meshguard.repair.mesh.precision import Precision


def draft(mesh: Mesh, rules: str | Policy = "scan", precision: Precision = Precision.SINGLE) -> Draft:
    """The draft that a repair of the mesh begins with."""
    return Draft.of(MeshFacts(mesh, policy(rules)), precision)


def same_as_anew(draft: Draft) -> bool:
    """Whether a draft's facts say what facts without a past say."""
    fresh = MeshFacts(Mesh(vertices=draft.positions, faces=draft.corners), draft.policy)
    known = draft.facts
    return (
        known.intersections.pairs.tolist() == fresh.intersections.pairs.tolist()
        and known.intersections.classes.tolist() == fresh.intersections.classes.tolist()
        and np.array_equal(known.components.of_face, fresh.components.of_face)
        and np.array_equal(known.components.counts, fresh.components.counts)
        and np.array_equal(known.edges.twins, fresh.edges.twins)
    )


def pricked(draft: Draft, faces: np.ndarray) -> Draft:
    """The draft with each of these faces split at its middle."""
    chosen = np.flatnonzero(faces)
    points = draft.positions[draft.corners[chosen]].mean(axis=1).astype(np.float32).astype(np.float64)
    middle = len(draft.positions) + np.arange(len(chosen), dtype=np.int32)
    corners = draft.corners[chosen]
    parts = np.concatenate(
        [np.stack([corners[:, c], corners[:, (c + 1) % 3], middle], axis=1) for c in range(3)]
    ).astype(np.int32)
    return draft.rebuilt(faces, points, parts, parents=np.tile(chosen, 3).astype(np.int32))
