"""What a draft takes over from the one it was made from: intersecting pairs of faces that did not change stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.facts.arrays import frozen
from meshguard.facts.mesh import MeshFacts
from meshguard.facts.mesh.self_intersections import Intersections
from meshguard.facts.once import once
from meshguard.mesh import Mesh
from meshguard.repair.mesh.faces_near import near_boxes

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.facts.mesh.elements import Components
    from meshguard.mesh import FloatArray, IntArray
    from meshguard.policy import Policy

_LARGEST_SHARE = 0.1
"""Where a larger share of the faces is new, everything is searched again."""


class Ancestry(NamedTuple):
    """Where a draft comes from. Each thing that it may take over from there is a method here.

    Attributes:
        facts: of the draft before.
        faces: int32 (m,), the face of it that each face is, on the same positions in whatever order; −1 = another.
        dropped_from: where only whole components were dropped from the draft just before: its facts, and the face of it
            that each face is.
    """

    facts: MeshFacts
    faces: IntArray
    dropped_from: tuple[MeshFacts, IntArray] | None = None

    @property
    def knows_intersections(self) -> bool:
        """Whether intersecting pairs of the draft before are known."""
        return MeshFacts.intersections.known(self.facts) is not None

    def components(self) -> Components | None:
        """The components, where whole ones were dropped and the others are known; else None."""
        if self.dropped_from is None:
            return None
        facts, faces = self.dropped_from
        known = MeshFacts.components.known(facts)
        return None if known is None else known.only(faces)

    def intersections(self, facts: MeshFacts) -> Intersections | None:
        """The intersecting pairs of a draft from those of the one before; None where all must be searched again.

        The result is the same. Pairs of faces that did not change stay; pairs with a new face are searched among new
        faces and what is near them, where that is little.
        """
        known = MeshFacts.intersections.known(self.facts)
        new = self.faces < 0
        if known is None or not known.complete or np.count_nonzero(new) > _LARGEST_SHARE * len(new):
            return None
        number = np.full(len(self.facts.corners), -1, np.int32)
        number[self.faces[~new]] = np.flatnonzero(~new)
        pairs = number[known.pairs]
        is_kept = (pairs >= 0).all(axis=1)
        pairs, classes = np.sort(pairs[is_kept], axis=1), known.classes[is_kept]
        if new.any():
            found, found_classes, is_all = _pairs_with_new(facts, new)
            if not is_all:
                return None
            pairs, classes = np.concatenate([pairs, found]), np.concatenate([classes, found_classes])
        order = np.lexsort((pairs[:, 1], pairs[:, 0]))
        most = int(min(facts.policy.limit("max_pairs"), 2**31 - 1))
        return Intersections(
            frozen(np.ascontiguousarray(pairs[order][:most], np.int32)),
            frozen(classes[order][:most]),
            len(pairs) <= most,
        )


class DraftFacts(MeshFacts):
    """Facts that take over what an ancestor knows, and derive again only what changed."""

    def __init__(self, mesh: Mesh, policy: Policy, ancestry: Ancestry | None) -> None:
        super().__init__(mesh, policy)
        self._ancestry = ancestry
        if ancestry is not None and isinstance(ancestry.facts, DraftFacts) and ancestry.knows_intersections:
            ancestry.facts._ancestry = None  # nothing more is taken over from its own ancestor

    @once
    def box(self) -> FloatArray:
        """Smallest and largest coordinates of the faces' finite corners, float64 (2, 3), mm; zeros without any."""
        if self._ancestry is None or not self.is_finite.all():
            return super().box
        return self.span  # a draft that a step made has no unreferenced position

    @once
    def components(self) -> Components:
        """Components with their sums, near-folds, and faces that may be doubled."""
        known = self._ancestry.components() if self._ancestry is not None else None
        return super().components if known is None else known

    @once
    def intersections(self) -> Intersections:
        """Pairs of faces that share more than their common vertices and edges, up to the policy's cap."""
        known = self._ancestry.intersections(self) if self._ancestry is not None else None
        return super().intersections if known is None else known


def _pairs_with_new(facts: MeshFacts, new: BoolArray) -> tuple[IntArray, npt.NDArray[np.int8], bool]:
    """The intersecting pairs with a new face, their classes, and whether these are all."""
    positions, corners = facts.positions, facts.corners
    triangles = positions[corners[new]]
    low, high = triangles.min(axis=1), triangles.max(axis=1)
    faces = np.flatnonzero(new | near_boxes(positions, corners, low, high)).astype(np.int32)
    part = MeshFacts(_part_of(facts, faces), facts.policy).intersections
    pairs = faces[part.pairs]
    has_new = new[pairs].any(axis=1)
    return pairs[has_new], part.classes[has_new], part.complete


def _part_of(facts: MeshFacts, faces: IntArray) -> Mesh:
    """Some faces of a mesh, in the same order, as a mesh."""
    used, corners = np.unique(facts.corners[faces], return_inverse=True)
    return Mesh(vertices=facts.positions[used], faces=corners.reshape(-1, 3).astype(np.int32))
