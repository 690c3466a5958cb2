"""Duplicate faces: one of those that stand on the same three positions is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.repair.step import Change

if TYPE_CHECKING:
    from meshguard.repair.draft import Draft


def drop_duplicates(draft: Draft) -> Change:
    """Keep one of the faces that stand on the same three positions: the first that is oriented as most of them are."""
    groups = draft.facts.excess_duplicates
    if not groups:
        return Change(draft=draft)
    is_dropped = np.zeros(len(draft.corners), np.bool_)
    for group in groups:
        corners = draft.corners[group]
        lowest = corners.argmin(axis=1)
        after = np.take_along_axis(corners, ((lowest + 1) % 3)[:, None], axis=1)[:, 0]
        upward = after == np.median(corners[0])
        is_usual = upward == (2 * np.count_nonzero(upward) >= len(group))
        is_dropped[group] = True
        is_dropped[group[np.flatnonzero(is_usual)[0]]] = False
    area = float(draft.facts.face_measures.area[is_dropped].sum())
    return Change(draft=draft.without(is_dropped), mended=len(groups), parameters={"second_copy_mm2": area})
