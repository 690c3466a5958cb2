"""Self-intersections: patches that intersect are replaced; of what cannot be, one face of each pair is removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.halfedges import edge_ends, edge_keys
from meshguard.repair.acceptance import allows_solid, violating_pairs
from meshguard.repair.mesh.edge_splits import split_faces
from meshguard.repair.mesh.nonmanifold import split_nonmanifold
from meshguard.repair.mesh.patch_replacement import replacements_for, with_replacements
from meshguard.repair.mesh.rounding import rounded
from meshguard.repair.step import Change

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.mesh import IntArray
    from meshguard.repair.draft import Draft

_MOST_ROUNDS = 40
"""Bounds the work: each round halves what is long or removes what still intersects."""

_GROWTH, _ALWAYS = 8, 200_000
"""Faces are split before some are removed until there are so many times as many, or so many if that is more."""

_MOST_PAIRS = 4000
"""Intersecting pairs up to which patches are replaced, one by one."""


def replace_intersecting_patches(draft: Draft) -> Change:
    """Replace small patches that intersect; what cannot be replaced is removed if it is small."""
    pairs = violating_pairs(draft.facts)
    limit = draft.policy.tolerance("rebuild_diameter_mm").within(draft.facts.diagonal)
    if not 0 < len(pairs) <= _MOST_PAIRS:  # where so much intersects, it is not small patches that do
        return Change(draft=draft)
    replacements, left = replacements_for(draft, pairs, limit)
    # What is small and could not be replaced is removed at once, where slits may stay.
    small = not allows_solid(draft.policy) and not _long_edges(draft, left).any()
    gone = _cover(draft, left) if small and len(left) else np.empty(0, np.int32)
    if not replacements and not len(gone):
        return Change(draft=draft)
    mended = split_nonmanifold(with_replacements(draft, replacements, gone)).draft
    return Change(
        draft=mended,
        mended=len(pairs) if small else len(pairs) - len(left),
        parameters={"rebuild_diameter_mm": limit, "patches_replaced": len(replacements), "faces_removed": len(gone)},
    )


def remove_intersecting_faces(draft: Draft) -> Change:
    """Remove one face of every intersecting pair, after splitting what is large, until nothing intersects.

    The last resort: it invents nothing, but leaves slits. Faces that intersect are first split down to a
    share of the mesh, so that little more than the curve of intersection is lost.
    """
    start = len(violating_pairs(draft.facts))
    if not start or allows_solid(draft.policy):
        return Change(draft=draft)
    length = draft.policy.limit("carve_fraction") * draft.facts.diagonal
    most = max(_GROWTH * len(draft.corners), _ALWAYS)
    for _ in range(_MOST_ROUNDS):
        pairs = violating_pairs(draft.facts)
        if not len(pairs):
            break
        finer = _split_long(draft, pairs) if len(draft.corners) < most else None
        if finer is not None:
            draft = finer
            continue
        gone = np.zeros(len(draft.corners), np.bool_)
        gone[_cover(draft, pairs)] = True
        draft = split_nonmanifold(draft.without(gone)).draft
    return Change(draft=draft, mended=start, parameters={"longest_edge_mm": length})


def _long_edges(draft: Draft, pairs: IntArray) -> BoolArray:
    """Which edges of the faces of some pairs are so long that the face is split before it is removed, bool (k, 3)."""
    triangles = draft.positions[draft.corners[np.unique(pairs)]]
    longest = draft.policy.limit("carve_fraction") * draft.facts.diagonal
    is_long: BoolArray = np.linalg.norm(np.roll(triangles, -1, axis=1) - triangles, axis=2) > longest
    return is_long


def _split_long(draft: Draft, pairs: IntArray) -> Draft | None:
    """The draft with the longer edges of these faces halved, and of whatever shares them; None if all are short."""
    positions, corners, count = draft.positions, draft.corners, len(draft.positions)
    is_long = _long_edges(draft, pairs)
    if not is_long.any():
        return None
    start, end = edge_ends(corners, np.arange(corners.size, dtype=np.int32)).T
    keys = edge_keys(start, end, count).reshape(-1, 3)
    split_keys = np.unique(keys[np.unique(pairs)][is_long])
    points = rounded((positions[split_keys // count] + positions[split_keys % count]) / 2)
    place = np.minimum(np.searchsorted(split_keys, keys), len(split_keys) - 1)
    middles = np.where(split_keys[place] == keys, count + place, -1).astype(np.int32)
    split = split_faces(np.concatenate([positions, points]), corners, middles)
    return draft.rebuilt(split.faces, points, split.corners, parents=split.parents)


def _cover(draft: Draft, pairs: IntArray) -> IntArray:
    """Faces without which none of these pairs is left: of a pair, the face that has less support.

    That is the one of the smaller component; in one component the one with more pairs; then the smaller one. Parts of
    one face of the input count their pairs together: of two faces that lie on one another, one is removed and one
    stays in one part.
    """
    facts = draft.facts
    faces, places = np.unique(pairs, return_inverse=True)
    places = places.reshape(-1, 2)
    n_pairs = np.bincount(places.reshape(-1), minlength=len(faces))
    component_area = facts.components.area[facts.components.of_face[faces]]
    parents = np.where(draft.origin[faces] >= 0, draft.origin[faces], len(draft.corners) + faces)
    parents, parent = np.unique(parents, return_inverse=True)
    n_pairs_of_parent = np.bincount(parent, n_pairs, minlength=len(parents))[parent]
    rank = np.empty(len(faces), np.int64)
    area = facts.face_measures.area[faces]
    order = np.lexsort((faces, area, -n_pairs, parent, -n_pairs_of_parent, component_area))
    rank[order] = np.arange(len(faces))
    loser = np.where(rank[places[:, 0]] < rank[places[:, 1]], places[:, 0], places[:, 1])
    winner = places.sum(axis=1) - loser
    gone: BoolArray = np.zeros(len(faces), np.bool_)
    for place in np.argsort(rank[loser], kind="stable").tolist():
        if not gone[winner[place]]:
            gone[loser[place]] = True
    cover: IntArray = faces[gone]
    return cover
