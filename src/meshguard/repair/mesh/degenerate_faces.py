"""Degenerate faces: non-finite ones and those with a repeated corner are dropped, those without area dissolved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.repair.steps import Change

if TYPE_CHECKING:
    from meshguard.mesh import IntArray
    from meshguard.repair.draft import Draft

_MOST_ROUNDS = 64


def drop_nonfinite(draft: Draft) -> Change:
    """Drop faces with a corner that is NaN or infinite: they have no place."""
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


def zero_area(draft: Draft) -> IntArray:
    """Faces whose three corners are different and exactly collinear."""
    collinear = draft.facts.collinear_faces
    measures = draft.facts.face_measures
    repeated = (measures.is_repeated | measures.is_nonfinite)[collinear]
    flat: IntArray = collinear[repeated == 0]
    return flat


def dissolve_zero_area(draft: Draft) -> Change:
    """Take faces without area away by splitting what lies across their longest edge at the corner that is on it.

    Only deleting such a face would leave its middle corner on an edge of its neighbour: a crack without width. After
    the split the surface is the same set of points, and every other face is as it was.
    """
    mended = 0
    for _ in range(_MOST_ROUNDS):
        flat = zero_area(draft)
        if not len(flat):
            return Change(draft=draft, mended=mended)
        draft = _dissolved(draft, flat)
        mended += len(flat)
    return Change(draft=_drop(draft, zero_area(draft)).draft, mended=mended)


def _dissolved(draft: Draft, flat: IntArray) -> Draft:
    """The draft without some faces that have no area; pieces of what is split may have none either."""
    corners, positions = draft.corners, draft.positions
    touched = np.zeros(len(positions), np.bool_)
    touched[corners[flat]] = True
    near = np.flatnonzero(touched[corners].sum(axis=1) > 1)
    # Faces by number; pieces get numbers beyond the draft's, and their parents.
    faces: dict[int, tuple[int, int, int]] = {int(face): tuple(corners[face].tolist()) for face in near}
    parents = {face: face for face in faces}
    at: dict[tuple[int, int], set[int]] = {}
    for face, (a, b, c) in faces.items():
        for edge in ((a, b), (b, c), (c, a)):
            at.setdefault((min(edge), max(edge)), set()).add(face)

    def remove(face: int) -> None:
        a, b, c = faces.pop(face)
        for edge in ((a, b), (b, c), (c, a)):
            at[min(edge), max(edge)].discard(face)

    for face in flat.tolist():
        if face not in faces:  # split or dropped with another
            continue
        triple = faces[face]
        ends = positions[list(triple)]
        # Of three points on a line the one between is the middle one by coordinates, exactly.
        between = sorted(range(3), key=lambda corner: tuple(ends[corner].tolist()))[1]
        middle, start, end = triple[between], triple[(between + 1) % 3], triple[(between + 2) % 3]
        remove(face)
        for other in sorted(at.get((min(start, end), max(start, end)), ())):
            around = faces[other]
            remove(other)
            if middle in around:  # the same three positions: a second face without area
                continue
            for replaced in (start, end):
                piece: tuple[int, int, int] = tuple(middle if corner == replaced else corner for corner in around)  # type: ignore[assignment]
                number = len(corners) + len(parents)
                faces[number], parents[number] = piece, parents[other]
                for edge in (piece[:2], piece[1:], (piece[2], piece[0])):
                    at.setdefault((min(edge), max(edge)), set()).add(number)
    gone = np.zeros(len(corners), np.bool_)
    gone[near] = True
    gone[[face for face in faces if face < len(corners)]] = False
    pieces = [number for number in faces if number >= len(corners)]
    return draft.rebuilt(
        gone,
        np.empty((0, 3)),
        np.array([faces[number] for number in pieces], np.int32).reshape(-1, 3),
        parents=np.array([parents[number] for number in pieces], np.int32),
    )
