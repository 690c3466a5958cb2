"""Draft: the mesh as it is being repaired, with where everything came from.

A draft stands on positions: what is connected is what a save and a load would leave connected. Drafts are immutable; a
step returns another one. Whatever is taken over keeps its origin, so that every attribute can be carried over at the
end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from meshguard.facts.arrays import frozen
from meshguard.facts.once import once
from meshguard.mesh import Mesh
from meshguard.repair.incremental import Ancestry, DraftFacts
from meshguard.repair.mesh.precision import Precision

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.facts.mesh import MeshFacts
    from meshguard.mesh import FloatArray, IntArray
    from meshguard.policy import Policy

NEW = -1
"""Origin of what the input did not have."""


@dataclass(frozen=True, eq=False)
class Draft:
    """A mesh under repair.

    Attributes:
        positions: float64 (p, 3), mm; no two the same.
        corners: int32 (m, 3), positions of each face's corners.
        vertices: int32 (m, 3), the input's vertex behind each corner, or NEW; a moved vertex keeps its number.
        origin: int32 (m,), the input's face that each face is, or is a part of, or NEW.
        synthetic: bool (m,), faces whose surface was not scanned.
        policy: the limits in force.
        precision: how positions are held, and every one that a step makes.
        ancestry: the draft that this one was made from, and what it shares with it.
    """

    positions: FloatArray
    corners: IntArray
    vertices: IntArray
    origin: IntArray
    synthetic: BoolArray
    policy: Policy
    precision: Precision = Precision.SINGLE
    ancestry: Ancestry | None = None

    @classmethod
    def of(cls, facts: MeshFacts, precision: Precision = Precision.SINGLE) -> Draft:
        """The draft that is the mesh itself; its facts are the ones given."""
        mesh = facts.mesh
        count = len(mesh.faces)
        marked = mesh.face_data.get("synthetic")
        draft = cls(
            positions=facts.positions,
            corners=facts.corners,
            vertices=mesh.faces,
            origin=frozen(np.arange(count, dtype=np.int32)),
            synthetic=frozen(np.zeros(count, np.bool_) if marked is None else np.asarray(marked) != 0),
            policy=facts.policy,
            precision=precision,
        )
        cls.facts.put(draft, facts)  # what is known of the mesh is known of the draft
        return draft

    @once
    def facts(self) -> MeshFacts:
        """Everything derived from the draft."""
        return DraftFacts(Mesh(vertices=self.positions, faces=self.corners), self.policy, self.ancestry)

    def moved(self, positions: FloatArray) -> Draft:
        """The same faces on other positions, float64 (p, 3)."""
        return replace(self, positions=frozen(positions), ancestry=None)._welded()

    def without(self, faces: BoolArray, *, components: bool = False) -> Draft:
        """The draft without some faces, bool (m,), and what only they used; `components`: they are whole components."""
        is_kept = ~faces
        return replace(
            self,
            corners=frozen(self.corners[is_kept]),
            vertices=frozen(self.vertices[is_kept]),
            origin=frozen(self.origin[is_kept]),
            synthetic=frozen(self.synthetic[is_kept]),
            ancestry=self._as_ancestor(np.flatnonzero(is_kept), dropped=components),
        ).compacted()

    def turned(self, faces: BoolArray) -> Draft:
        """The draft with some faces flipped, bool (m,); their first corner stays."""
        corners, vertices = self.corners.copy(), self.vertices.copy()
        for array in (corners, vertices):
            array[faces] = array[faces][:, [0, 2, 1]]
        ancestry = self._as_ancestor(np.arange(len(corners)))
        return replace(self, corners=frozen(corners), vertices=frozen(vertices), ancestry=ancestry)

    def rejoined(self, corners: IntArray, positions: FloatArray | None = None) -> Draft:
        """The same faces on other corners, int32 (m, 3), numbers into `positions` (those of the draft if None).

        Each corner keeps the vertex of the input behind it.
        """
        a, b, c = (corners == self.corners).T
        same = a & b & c
        changed = replace(
            self,
            corners=frozen(corners),
            positions=self.positions if positions is None else frozen(positions),
            ancestry=self._as_ancestor(np.where(same, np.arange(len(corners)), NEW)),
        )
        return changed if positions is None else changed._welded()

    def rebuilt(
        self,
        faces: BoolArray,
        points: FloatArray,
        corners: IntArray,
        *,
        parents: IntArray | None = None,
        synthetic: bool = False,
    ) -> Draft:
        """The draft with some faces replaced by others, which come last.

        Args:
            faces: bool (m,), those that are replaced.
            points: float64 (q, 3), new positions.
            corners: int32 (t, 3), the new faces: numbers below p are positions of the draft, p + i is points[i].
            parents: int32 (t,), face of the draft that each new one is a part of; None where they are new surface.
            synthetic: whether the new faces are surface that was not scanned.
        """
        is_kept, count = ~faces, len(corners)
        if parents is None:
            origin, marks = np.full(count, NEW, np.int32), np.full(count, synthetic)
            vertices = self._vertex_at[corners] if len(points) == 0 else self._known(corners)
        else:
            origin, marks = self.origin[parents], self.synthetic[parents]
            vertices = np.full((count, 3), NEW, np.int32)
            for corner in range(3):  # a corner of the parent keeps the parent's vertex
                same = corners == self.corners[parents, corner][:, None]
                vertices = np.where(same, self.vertices[parents, corner][:, None], vertices)
            vertices = np.where(vertices == NEW, self._known(corners), vertices)
        return (
            replace(
                self,
                positions=frozen(np.concatenate([self.positions, points])) if len(points) else self.positions,
                corners=frozen(np.concatenate([self.corners[is_kept], corners]).astype(np.int32)),
                vertices=frozen(np.concatenate([self.vertices[is_kept], vertices]).astype(np.int32)),
                origin=frozen(np.concatenate([self.origin[is_kept], origin]).astype(np.int32)),
                synthetic=frozen(np.concatenate([self.synthetic[is_kept], marks])),
                ancestry=self._as_ancestor(np.concatenate([np.flatnonzero(is_kept), np.full(count, NEW)])),
            )
            .compacted()
            ._welded()
        )

    def compacted(self) -> Draft:
        """The draft without positions that no face uses; the same object where all are used."""
        used = np.zeros(len(self.positions), np.bool_)
        used[self.corners] = True
        if used.all():
            return self
        number = (np.cumsum(used) - 1).astype(np.int32)
        ancestry = self.ancestry or self._as_ancestor(np.arange(len(self.corners)))
        positions, corners = frozen(self.positions[used]), frozen(number[self.corners])
        return replace(self, positions=positions, corners=corners, ancestry=ancestry)

    def _as_ancestor(self, faces: npt.NDArray[np.integer[Any]], *, dropped: bool = False) -> Ancestry:
        """What another draft may take over from this one.

        Args:
            faces: int (m,), the face of this draft that each of its faces is; −1 = another.
            dropped: whether it is this draft without some whole components.
        """
        dropped_from = (self.facts, frozen(faces.astype(np.int32))) if dropped else None
        ancestry = Ancestry(self.facts, frozen(faces.astype(np.int32)), dropped_from)
        if ancestry.knows_intersections or self.ancestry is None:
            return ancestry
        # Pairs were not asked of this draft: its own ancestor knows as much of them.
        known = frozen(np.where(faces >= 0, self.ancestry.faces[faces], NEW).astype(np.int32))
        return Ancestry(self.ancestry.facts, known, dropped_from)

    @once
    def _vertex_at(self) -> IntArray:
        """The input's vertex on each position, int32 (p,), NEW where there is none; of several the first face's."""
        vertex_at = np.full(len(self.positions), NEW, np.int32)
        vertex_at[self.corners[::-1]] = self.vertices[::-1]
        return vertex_at

    def _known(self, corners: IntArray) -> IntArray:
        """The input's vertex behind each corner, where the draft knows its position."""
        inside = corners < len(self.positions)
        return np.where(inside, self._vertex_at[np.where(inside, corners, 0)], NEW).astype(np.int32)

    def _welded(self) -> Draft:
        """The draft with equal positions welded, as a save and a load would weld them."""
        facts = self.facts
        if len(facts.positions) == len(self.positions):
            return self
        return replace(self, positions=facts.positions, corners=facts.corners, ancestry=None)
