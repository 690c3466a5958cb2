"""Self-intersections: patches that intersect are replaced; of what cannot be, one face of each pair is removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.facts.arrays import centroids
from meshguard.halfedges import edge_ends, edge_keys
from meshguard.repair.acceptance import allows_solid, mendable_pairs
from meshguard.repair.mesh.debris import floating_components
from meshguard.repair.mesh.edge_splits import split_faces
from meshguard.repair.mesh.nonmanifold import split_nonmanifold
from meshguard.repair.mesh.patch_replacement import replacements_for, with_replacements
from meshguard.repair.step import Change
from meshguard.watch import look

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.mesh import FloatArray, IntArray
    from meshguard.repair.draft import Draft

_MOST_ROUNDS = 40
"""Bounds the work: each round halves what is long or removes what still intersects."""

_GROWTH, _GROWTH_OF_FEW, _FEW = 8, 1500, 200_000
"""Faces are split before some are removed, but never into more than `_GROWTH` times as many as the mesh has; or, where
that is more, `_GROWTH_OF_FEW` times as many, though not more than `_FEW`: a small mesh may have large faces that cross
everywhere."""

_MOST_PAIRS = 4000
"""Intersecting pairs up to which patches are replaced, one by one."""


def replace_intersecting_patches(draft: Draft) -> Change:
    """Replace small patches that intersect; what cannot be replaced is removed if it is small."""
    pairs = mendable_pairs(draft.facts)
    limit = draft.policy.tolerance("rebuild_diameter_mm").within(draft.facts.diagonal)
    if not 0 < len(pairs) <= _MOST_PAIRS:  # where so much intersects, it is not small patches that do
        return Change(draft=draft)
    replacements, left = replacements_for(draft, pairs, limit)
    # What is small and could not be replaced is removed at once, where slits may stay.
    small = not allows_solid(draft.policy) and not _long_edges(draft, np.unique(left)).any()
    gone = _cover(draft, left) if small and len(left) else np.empty(0, np.int32)
    if not replacements and not len(gone):
        return Change(draft=draft)
    mended = split_nonmanifold(with_replacements(draft, replacements, gone)).draft
    lost, _ = _removed_area(mended, [_places(draft, gone)])
    return Change(
        draft=mended,
        mended=len(pairs) if small else len(pairs) - len(left),
        lost_mm2=lost,
        parameters={
            "rebuild_diameter_mm": limit,
            "patches_replaced": len(replacements),
            "faces_removed": len(gone),
        },
    )


def remove_intersecting_faces(draft: Draft) -> Change:
    """Remove one face of every intersecting pair, after splitting it if it is large, until nothing intersects.

    The last resort: it invents nothing, but leaves slits. Faces that are to be removed are first split down to a
    share of the mesh, so that little more than the curve of intersection is lost; the others stay as they are.
    """
    start = len(mendable_pairs(draft.facts))
    if not start or allows_solid(draft.policy):
        return Change(draft=draft)
    length = draft.policy.limit("carve_fraction") * draft.facts.diagonal
    most, objects = most_faces(len(draft.corners)), _Objects(draft)
    removed: list[tuple[FloatArray, FloatArray]] = []
    for _ in range(_MOST_ROUNDS):
        pairs = objects.mendable_pairs(draft)
        if not len(pairs):
            break
        losers = _cover(draft, pairs)
        finer = _split_long(draft, losers, most)
        if finer is not None:
            draft = finer
            continue
        gone = np.zeros(len(draft.corners), np.bool_)
        gone[losers] = True
        removed.append(_places(draft, losers))
        draft = split_nonmanifold(draft.without(gone)).draft
    lost, twice = _removed_area(draft, removed)
    parameters = {"longest_edge_mm": length}
    if twice > lost:  # layers lay on one another; where sheets cross, a little of one lies on the other too
        parameters["second_copy_mm2"] = twice
    return Change(draft=draft, mended=start, parameters=parameters, lost_mm2=lost)


class _Objects:
    """Which components crossed as objects when a step began: splitting faces makes no object of a stray patch."""

    def __init__(self, start: Draft) -> None:
        self._couples = start.facts.assemblies.objects
        self._component = np.full(int(start.origin.max(initial=-1)) + 2, -1, np.int32)  # the last is that of new faces
        self._component[start.origin] = start.facts.components.of_face
        self._component[-1] = -1

    def mendable_pairs(self, draft: Draft) -> IntArray:
        """Intersecting pairs of a draft that are to be mended, int32 (k, 2): all but those of two objects."""
        pairs = draft.facts.intersections.pairs
        if draft.policy.rim == "closed" or not len(pairs):
            return pairs
        first, second = np.sort(self._component[draft.origin[pairs]], axis=1).T
        is_left = draft.facts.is_between_bodies.copy()
        for couple in self._couples:
            is_left |= (first == couple[0]) & (second == couple[1])
        mendable: IntArray = pairs[~is_left]
        return mendable


def most_faces(count: int) -> int:
    """Faces that a mesh of so many may be split into before some are removed."""
    return max(_GROWTH * count, min(_GROWTH_OF_FEW * count, _FEW))


def _places(draft: Draft, faces: IntArray) -> tuple[FloatArray, FloatArray]:
    """The centroids of faces, float64 (k, 3), mm, and their areas, float64 (k,), mm2."""
    return centroids(draft.positions, draft.corners[faces]), draft.facts.face_measures.area[faces]


def _removed_area(draft: Draft, removed: list[tuple[FloatArray, FloatArray]]) -> tuple[float, float]:
    """The area of removed faces, and of what is debris without them, where nothing is left; and where surface is, mm2.

    Args:
        draft: what is left.
        removed: centroids and areas of what is not.
    """
    facts = draft.facts
    is_debris = np.isin(facts.components.of_face, floating_components(facts))
    places = [*removed, _places(draft, np.flatnonzero(is_debris).astype(np.int32))]
    points, area = (np.concatenate(parts) for parts in zip(*places, strict=True))
    staying = np.flatnonzero(facts.is_sound & ~is_debris).astype(np.int32)
    if not len(points) or not len(staying):
        return float(area.sum()), 0.0
    is_covered = facts.distances_to(staying, points) <= draft.policy.tolerance("separation_mm").within(facts.diagonal)
    return float(area[~is_covered].sum()), float(area[is_covered].sum())


def _long_edges(draft: Draft, faces: IntArray) -> BoolArray:
    """Which edges of faces are so long that the face is split before it is removed, bool (k, 3)."""
    triangles = draft.positions[draft.corners[faces]]
    longest = draft.policy.limit("carve_fraction") * draft.facts.diagonal
    is_long: BoolArray = np.linalg.norm(np.roll(triangles, -1, axis=1) - triangles, axis=2) > longest
    return is_long


def _split_long(draft: Draft, faces: IntArray, most: int) -> Draft | None:
    """The draft with the longer edges of these faces halved, and of whatever shares them.

    None if all are short, or there would be more than `most` faces.
    """
    positions, corners, count = draft.positions, draft.corners, len(draft.positions)
    is_long = _long_edges(draft, faces)
    if not is_long.any():
        return None
    start, end = edge_ends(corners, np.arange(corners.size, dtype=np.int32)).T
    keys = edge_keys(start, end, count).reshape(-1, 3)
    split_keys = np.unique(keys[faces][is_long])
    points = draft.precision.held((positions[split_keys // count] + positions[split_keys % count]) / 2)
    place = np.minimum(np.searchsorted(split_keys, keys), len(split_keys) - 1)
    middles = np.where(split_keys[place] == keys, count + place, -1).astype(np.int32)
    if len(corners) + np.count_nonzero(middles >= 0) > most:  # each split edge of a face makes one more
        return None
    split = split_faces(np.concatenate([positions, points]), corners, middles)
    return draft.rebuilt(split.faces, points, split.corners, parents=split.parents)


def _cover(draft: Draft, pairs: IntArray) -> IntArray:
    """Faces without which none of these pairs is left: of a pair, the face that has less support.

    A closed component keeps its faces where it meets an open one. Else the face of the smaller component loses; in one
    component the one with more pairs; then the smaller one. Parts of
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
    is_closed = ~facts.is_open[facts.components.of_face[faces]]
    order = np.lexsort((faces, area, -n_pairs, parent, -n_pairs_of_parent, component_area, is_closed))
    rank[order] = np.arange(len(faces))
    loser = np.where(rank[places[:, 0]] < rank[places[:, 1]], places[:, 0], places[:, 1])
    winner = places.sum(axis=1) - loser
    gone: BoolArray = np.zeros(len(faces), np.bool_)
    for place in np.argsort(rank[loser], kind="stable").tolist():
        look()
        if not gone[winner[place]]:
            gone[loser[place]] = True
    cover: IntArray = faces[gone]
    return cover
