"""What is known of a draft from the one it was made from: intersecting pairs among faces that did not change stay."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.facts import Components, Facts
from meshguard.facts.arrays import frozen
from meshguard.facts.intersections import Intersections
from meshguard.mesh import Mesh
from meshguard.repair.nearby import near_boxes

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.mesh import FloatArray, IntArray
    from meshguard.policy import Policy

_LARGEST_SHARE = 0.1
"""Where more of the faces are new than this, everything is looked at again."""


class Past(NamedTuple):
    """Where a draft comes from.

    Attributes:
        facts: of the draft before.
        faces: int32 (m,), the face of it that each face is, on the same positions in whatever order; −1 = another.
        whole: facts of the draft just before, where only whole components were dropped from it, and the face of it
            that each face is.
    """

    facts: Facts
    faces: IntArray
    whole: tuple[Facts, IntArray] | None = None


class DraftFacts(Facts):
    """Facts that look again only at what changed, where that is little. What they say is the same."""

    def __init__(self, mesh: Mesh, policy: Policy, past: Past | None) -> None:
        super().__init__(mesh, policy)
        self._past = past
        if past is not None and isinstance(past.facts, DraftFacts) and "intersections" in vars(past.facts):
            past.facts._past = None  # what it was made from has nothing more to tell

    @cached_property
    def box(self) -> FloatArray:
        """Smallest and largest coordinates of the faces' finite corners, float64 (2, 3), mm; zeros without any."""
        if self._past is None or not self.is_finite.all():
            return super().box
        return self.span  # a draft that a step made has no position that no face uses

    @cached_property
    def components(self) -> Components:
        """Components with their sums, near-folds, and faces that may be doubled."""
        whole = self._past.whole if self._past is not None else None
        if whole is None or "components" not in vars(whole[0]):
            return super().components
        known, faces = whole[0].components, whole[1]
        kept = np.zeros(len(known.counts), np.bool_)
        kept[known.of_face[faces]] = True
        number = (np.cumsum(kept) - 1).astype(np.int32)
        return Components(
            frozen(number[known.of_face[faces]]),
            frozen(known.measures[kept]),
            frozen(known.counts[kept]),
            frozen(known.folds.reshape(-1, 3)[faces].reshape(-1)),
            frozen(known.doubled[faces]),
        )

    @cached_property
    def intersections(self) -> Intersections:
        """Pairs of faces that share more than their common vertices and edges, up to the policy's cap."""
        past = self._past
        if past is None or "intersections" not in vars(past.facts):
            return super().intersections
        known = past.facts.intersections
        new = past.faces < 0
        if not known.complete or np.count_nonzero(new) > _LARGEST_SHARE * len(new):
            return super().intersections
        number = np.full(len(past.facts.corners), -1, np.int32)
        number[past.faces[~new]] = np.flatnonzero(~new)
        pairs = number[known.pairs]
        kept = (pairs >= 0).all(axis=1)
        pairs, classes = np.sort(pairs[kept], axis=1), known.classes[kept]
        if new.any():
            fresh, fresh_classes, whole = self._among_new(new)
            if not whole:
                return super().intersections
            pairs, classes = np.concatenate([pairs, fresh]), np.concatenate([classes, fresh_classes])
        order = np.lexsort((pairs[:, 1], pairs[:, 0]))
        most = int(min(self.policy.limit("max_pairs"), 2**31 - 1))
        return Intersections(
            frozen(np.ascontiguousarray(pairs[order][:most], np.int32)),
            frozen(classes[order][:most]),
            len(pairs) <= most,
        )

    def _among_new(self, new: BoolArray) -> tuple[IntArray, npt.NDArray[np.int8], bool]:
        """The intersecting pairs with a new face, their classes, and whether these are all."""
        ends = self.positions[self.corners[new]]
        low, high = ends.min(axis=1), ends.max(axis=1)
        near = new | near_boxes(self.positions, self.corners, low, high)
        faces = np.flatnonzero(near).astype(np.int32)
        used, corners = np.unique(self.corners[faces], return_inverse=True)
        part = Facts(
            Mesh(vertices=self.positions[used], faces=corners.reshape(-1, 3).astype(np.int32)), self.policy
        ).intersections
        pairs = faces[part.pairs]
        kept = new[pairs].any(axis=1)
        return pairs[kept], part.classes[kept], part.complete
