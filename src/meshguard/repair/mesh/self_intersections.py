"""Self-intersections: patches that intersect are replaced; of what cannot be, one face of each pair is removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.repair.acceptance import violating_pairs, wants_solid
from meshguard.repair.mesh.edge_splits import split_faces
from meshguard.repair.mesh.nonmanifold import split_nonmanifold
from meshguard.repair.mesh.patch_replacement import rebuild, replaced
from meshguard.repair.mesh.rounding import rounded
from meshguard.repair.steps import Change

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.mesh import IntArray
    from meshguard.repair.draft import Draft

_MOST_ROUNDS = 40

_GROWTH, _ALWAYS = 8, 200_000
"""Splitting before faces are taken away ends at so many times the faces that there were, or at so many in any case."""

_MOST_PAIRS = 4000
"""Intersecting pairs up to which pieces are made anew, one by one."""


def replace_intersecting_patches(draft: Draft) -> Change:
    """Take small pieces of surface that intersect out and make them anew; what cannot be is taken away if small."""
    pairs = violating_pairs(draft.facts)
    limit = draft.policy.tolerance("rebuild_diameter_mm").within(draft.facts.diagonal)
    if not 0 < len(pairs) <= _MOST_PAIRS:  # where so much intersects, it is not small pieces that do
        return Change(draft=draft)
    pieces, left = rebuild(draft, pairs, limit)
    # What is small and could not be made anew is taken away at once, where slits may stay.
    small = not wants_solid(draft.policy) and not _long_edges(draft, left).any()
    gone = _cover(draft, left) if small and len(left) else np.empty(0, np.int32)
    if not pieces and not len(gone):
        return Change(draft=draft)
    mended = split_nonmanifold(replaced(draft, pieces, gone)).draft
    return Change(
        draft=mended,
        mended=len(pairs) if small else len(pairs) - len(left),
        parameters={"rebuild_diameter_mm": limit, "pieces_made_anew": len(pieces), "faces_taken_away": len(gone)},
    )


def remove_intersecting_faces(draft: Draft) -> Change:
    """Take one face of every intersecting pair away, after splitting what is large, until nothing intersects.

    The last means: it invents nothing, but leaves slits. Faces that intersect are first split down to a
    share of the mesh, so that little more than the curve of intersection is lost.
    """
    start = len(violating_pairs(draft.facts))
    if not start or wants_solid(draft.policy):
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
    return Change(draft=draft, mended=start, parameters={"carve_mm": length})


def _long_edges(draft: Draft, pairs: IntArray) -> BoolArray:
    """Which edges of the faces of some pairs are so long that the face is split before it goes, bool (k, 3)."""
    ends = draft.positions[draft.corners[np.unique(pairs)]]
    length = draft.policy.limit("carve_fraction") * draft.facts.diagonal
    long: BoolArray = np.linalg.norm(np.roll(ends, -1, axis=1) - ends, axis=2) > length
    return long


def _split_long(draft: Draft, pairs: IntArray) -> Draft | None:
    """The draft with the longer edges of these faces halved, and of whatever shares them; None if all are short."""
    positions, corners = draft.positions, draft.corners
    faces = np.unique(pairs)
    long = _long_edges(draft, pairs)
    if not long.any():
        return None
    start, end = corners[faces][long], np.roll(corners[faces], -1, axis=1)[long]
    count = np.int64(len(positions))
    keys = np.unique(np.minimum(start, end) * count + np.maximum(start, end))
    points = rounded((positions[keys // count] + positions[keys % count]) / 2)
    a, b = corners.astype(np.int64), np.roll(corners, -1, axis=1).astype(np.int64)
    all_keys = np.minimum(a, b) * count + np.maximum(a, b)
    place = np.minimum(np.searchsorted(keys, all_keys), len(keys) - 1)
    middles = np.where(keys[place] == all_keys, count + place, -1).astype(np.int32)
    split = split_faces(np.concatenate([positions, points]), corners, middles)
    return draft.rebuilt(split.faces, points, split.corners, parents=split.parents)


def _cover(draft: Draft, pairs: IntArray) -> IntArray:
    """Faces without which none of these pairs is left: of a pair, the face that is supported less.

    That of the smaller component; of one component that with more pairs; then the smaller one. Pieces of one face of
    the input count their pairs together, so that of two faces that lie on one another one goes and one stays, whole.
    """
    facts = draft.facts
    faces, places = np.unique(pairs, return_inverse=True)
    places = places.reshape(-1, 2)
    degree = np.bincount(places.reshape(-1), minlength=len(faces))
    support = facts.components.area[facts.components.of_face[faces]]
    of_input = np.where(draft.origin[faces] >= 0, draft.origin[faces], len(draft.corners) + faces)
    whole, part = np.unique(of_input, return_inverse=True)
    degree_of_whole = np.bincount(part, degree, minlength=len(whole))[part]
    rank = np.empty(len(faces), np.int64)
    rank[np.lexsort((faces, facts.face_measures.area[faces], -degree, part, -degree_of_whole, support))] = np.arange(
        len(faces)
    )
    loser = np.where(rank[places[:, 0]] < rank[places[:, 1]], places[:, 0], places[:, 1])
    winner = places.sum(axis=1) - loser
    gone: BoolArray = np.zeros(len(faces), np.bool_)
    for place in np.argsort(rank[loser], kind="stable").tolist():
        if not gone[winner[place]]:
            gone[loser[place]] = True
    cover: IntArray = faces[gone]
    return cover
