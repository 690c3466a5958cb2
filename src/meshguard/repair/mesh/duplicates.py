"""Duplicate faces: one of those that stand on the same three positions is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.repair.steps import Change

if TYPE_CHECKING:
    from meshguard.repair.draft import Draft


def drop_duplicates(draft: Draft) -> Change:
    """Keep one of the faces that stand on the same three positions: the first that is wound as most of them are."""
    groups = draft.facts.duplicates
    if not groups:
        return Change(draft=draft)
    gone = np.zeros(len(draft.corners), np.bool_)
    for group in groups:
        corners = draft.corners[group]
        lowest = corners.argmin(axis=1)
        after = np.take_along_axis(corners, ((lowest + 1) % 3)[:, None], axis=1)[:, 0]
        upward = after == np.median(corners[0])
        kept = group[np.flatnonzero(upward == (2 * np.count_nonzero(upward) >= len(group)))[0]]
        gone[group] = True
        gone[kept] = False
    return Change(draft=draft.without(gone), mended=len(groups))
