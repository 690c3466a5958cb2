"""What is known of a draft from the one it was made from: intersecting pairs among faces that did not change stay."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.facts import Facts
from meshguard.facts.arrays import frozen
from meshguard.facts.intersections import Intersections
from meshguard.mesh import Mesh
from meshguard.repair.nearby import near_boxes

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.mesh import IntArray
    from meshguard.policy import Policy

_LARGEST_SHARE = 0.1
"""Where more of the faces are new than this, everything is looked at again."""


class Past(NamedTuple):
    """Where a draft comes from.

    Attributes:
        facts: of the draft before.
        faces: int32 (m,), the face of it that each face is, on the same positions in whatever order; −1 = another.
    """

    facts: Facts
    faces: IntArray


class DraftFacts(Facts):
    """Facts that look again only at what changed, where that is little. What they say is the same."""

    def __init__(self, mesh: Mesh, policy: Policy, past: Past | None) -> None:
        super().__init__(mesh, policy)
        self._past = past

    @cached_property
    def intersections(self) -> Intersections:
        """Pairs of faces that share more than their common vertices and edges, up to the policy's cap."""
        past, self._past = self._past, None  # drafts do not keep one another alive
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
            fresh, fresh_classes = self._among_new(new)
            pairs, classes = np.concatenate([pairs, fresh]), np.concatenate([classes, fresh_classes])
        order = np.lexsort((pairs[:, 1], pairs[:, 0]))
        most = int(min(self.policy.limit("max_pairs"), 2**31 - 1))
        return Intersections(
            frozen(np.ascontiguousarray(pairs[order][:most], np.int32)),
            frozen(classes[order][:most]),
            len(pairs) <= most,
        )

    def _among_new(self, new: BoolArray) -> tuple[IntArray, npt.NDArray[np.int8]]:
        """The intersecting pairs with a new face, and their classes."""
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
        return pairs[kept], part.classes[kept]
