"""Duplicate faces: faces with the same three positions, whichever way they run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import IntArray


def find_duplicates(mesh: Connectivity) -> list[IntArray]:
    """Groups of faces with area that have the same three positions, each int32 and ascending, by first face."""
    suspects = np.flatnonzero(mesh.components.doubled & ~mesh.face_measures.is_collinear)
    triples = np.sort(mesh.corners[suspects], axis=1)
    order = np.lexsort((suspects, triples[:, 2], triples[:, 1], triples[:, 0]))
    triples, suspects = triples[order], suspects[order].astype(np.int32)
    first = np.flatnonzero(np.concatenate([[True], (triples[1:] != triples[:-1]).any(axis=1)])) if len(order) else order
    groups = [group.astype(np.int32) for group in np.split(suspects, first[1:]) if len(group) > 1]
    return sorted(groups, key=lambda group: int(group[0]))
