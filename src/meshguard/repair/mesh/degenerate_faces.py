"""Degenerate faces: non-finite ones and those with a repeated corner are dropped, those without area dissolved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.repair.step import Change
from meshguard.watch import look

if TYPE_CHECKING:
    from meshguard.mesh import FloatArray, IntArray
    from meshguard.repair.draft import Draft

_MOST_ROUNDS = 64
"""Bounds the work: dissolving a face may leave parts without area, which the next round dissolves."""


def drop_nonfinite(draft: Draft) -> Change:
    """Drop faces with a corner that is NaN or infinite: they lie nowhere."""
    return _drop(draft, draft.facts.nonfinite_faces)


def drop_repeated(draft: Draft) -> Change:
    """Drop faces with two corners on one position: their edges already lie on one another."""
    return _drop(draft, draft.facts.repeated_faces)


def _drop(draft: Draft, faces: IntArray) -> Change:
    """The draft without some faces."""
    if not len(faces):
        return Change(draft=draft)
    gone = np.zeros(len(draft.corners), np.bool_)
    gone[faces] = True
    return Change(draft=draft.without(gone), mended=len(faces))


def zero_area_faces(draft: Draft) -> IntArray:
    """Faces whose three corners are different and exactly collinear."""
    collinear, measures = draft.facts.collinear_faces, draft.facts.face_measures
    flat: IntArray = collinear[~(measures.is_repeated | measures.is_nonfinite)[collinear]]
    return flat


def dissolve_zero_area(draft: Draft) -> Change:
    """Dissolve faces without area: remove them, and split what lies across their longest edge at the corner on it.

    Removing such a face alone would leave its middle corner on an edge of its neighbour: a crack without width. After
    the split the surface is the same set of points, and every other face is as it was.
    """
    mended = 0
    for _ in range(_MOST_ROUNDS):
        flat = zero_area_faces(draft)
        if not len(flat):
            return Change(draft=draft, mended=mended)
        draft = _dissolved(draft, flat)
        mended += len(flat)
    return Change(draft=_drop(draft, zero_area_faces(draft)).draft, mended=mended)


def _dissolved(draft: Draft, flat: IntArray) -> Draft:
    """The draft without some faces that have no area; parts of what is split may have none either."""
    corners = draft.corners
    touched = np.zeros(len(draft.positions), np.bool_)
    touched[corners[flat]] = True
    near = np.flatnonzero(touched[corners].sum(axis=1) > 1).astype(np.int32)
    faces = _FaceEdits(corners, near)
    for face in flat.tolist():
        look()
        if face in faces.corners:  # otherwise it was split or dropped with another
            _dissolve(faces, face, draft.positions)
    gone = np.zeros(len(corners), np.bool_)
    gone[near] = True
    gone[[face for face in faces.corners if face < len(corners)]] = False
    parts = [face for face in faces.corners if face >= len(corners)]
    return draft.rebuilt(
        gone,
        np.empty((0, 3)),
        np.array([faces.corners[part] for part in parts], np.int32).reshape(-1, 3),
        parents=np.array([faces.parents[part] for part in parts], np.int32),
    )


def _dissolve(faces: _FaceEdits, face: int, positions: FloatArray) -> None:
    """Remove a face without area, and split the faces across its longest edge at the corner that is on it."""
    triple = faces.corners[face]
    places = positions[list(triple)]
    # Of three points on a line the one between is the middle one by coordinates, exactly.
    between = sorted(range(3), key=lambda corner: tuple(places[corner].tolist()))[1]
    middle, start, end = triple[between], triple[(between + 1) % 3], triple[(between + 2) % 3]
    faces.remove(face)
    for across in faces.on_edge(start, end):
        a, b, c = faces.corners[across]
        faces.remove(across)
        if middle in (a, b, c):  # the same three positions: a second face without area
            continue
        for replaced in (start, end):
            a_to, b_to, c_to = (middle if corner == replaced else corner for corner in (a, b, c))
            faces.add((a_to, b_to, c_to), parent=faces.parents[across])


class _FaceEdits:
    """Edits of some faces of a draft: faces are removed one by one, and parts of them are added.

    Attributes:
        corners: face -> its corners; what is added has numbers beyond the draft's faces.
        parents: face -> the face of the draft that it is a part of, or is; also of what was removed.
    """

    def __init__(self, corners: IntArray, faces: IntArray) -> None:
        self.corners: dict[int, tuple[int, int, int]] = {}
        self.parents: dict[int, int] = {}
        self._n_faces = len(corners)
        self._at_edge: dict[tuple[int, int], set[int]] = {}
        for face in faces.tolist():
            self._put(face, tuple(corners[face].tolist()), face)

    def on_edge(self, start: int, end: int) -> list[int]:
        """The faces on an edge, ascending."""
        return sorted(self._at_edge.get((min(start, end), max(start, end)), ()))

    def add(self, triple: tuple[int, int, int], *, parent: int) -> None:
        """Add a part of a face."""
        self._put(self._n_faces + len(self.parents), triple, parent)

    def remove(self, face: int) -> None:
        """Remove a face."""
        a, b, c = self.corners.pop(face)
        for edge in ((a, b), (b, c), (c, a)):
            self._at_edge[min(edge), max(edge)].discard(face)

    def _put(self, face: int, triple: tuple[int, int, int], parent: int) -> None:
        a, b, c = triple
        self.corners[face], self.parents[face] = triple, parent
        for edge in ((a, b), (b, c), (c, a)):
            self._at_edge.setdefault((min(edge), max(edge)), set()).add(face)
