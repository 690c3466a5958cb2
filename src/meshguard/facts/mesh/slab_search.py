"""Slab search: intersecting pairs among long faces in every direction, slab by slab, over parts of the faces.

The box of a long slanted face is nearly empty, and it overlaps nearly all other boxes. Cut into n slabs, and within a
slab into parts as short as the slab is thick, the same faces overlap n times less often. Two faces that meet do so in
some slab.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from meshguard.facts.arrays import frozen
from meshguard.kernels._parallel import in_blocks, side_by_side
from meshguard.kernels.bvh import NO_GROUPS, Tree, build_tree
from meshguard.kernels.simd_blocks import BLOCK
from meshguard.kernels.slabs import cut_faces

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import FloatArray, IntArray

    Search: TypeAlias = Callable[[Tree, IntArray, IntArray, int], IntArray]

_SAMPLE = 256
"""Faces of the sample, all of whose boxes are compared with one another: bounds the work."""

_LEAST_OVERLAPS = 16
"""Overlaps that a sample shows at least where slabs are needed: a few may be chance."""

_MANY_OVERLAPS = 300
"""Pairs of overlapping boxes for each face, from which on a tree of whole faces prunes too little."""

_MOST_SLABS = 1024
"""Bounds the work: each slab has a tree of its own."""

_BATCH = 8
"""Slabs that are searched before the cap is looked at: enough for several threads, and the same for any number of them,
so that a capped search always finds the same pairs."""

_FIRST_FACES = 1024
"""Faces that are cut before it is known how long one takes; each has at most a few thousand parts."""


class Cut(NamedTuple):
    """The arguments of `kernels.slabs.cut_faces`."""

    positions: FloatArray
    corners: IntArray
    faces: IntArray
    axis: int
    low: float
    high: float
    size: float
    slack: float


def needs_slabs(mesh: Connectivity, boxed: FloatArray) -> bool:
    """Whether a tree of whole faces would prune too little: boxes of faces without a common corner overlap hundreds.

    Decided by a sample of the faces; `boxed` holds the positions in the frame of the boxes, float64 (p, 3).
    """
    faces = mesh.sound_faces
    count = len(faces)
    sample = mesh.corners[faces[:: max(1, -(-count // _SAMPLE))]]
    points = boxed[sample]
    low, high = points.min(axis=1), points.max(axis=1)
    overlaps = np.ones((len(sample), len(sample)), np.bool_)
    for x in range(3):
        overlaps &= low[:, x, None] <= high[:, x]
    first, second = np.nonzero(np.triu(overlaps & overlaps.T, 1))
    is_apart = ~(sample[first][:, :, None] == sample[second][:, None]).any(axis=(1, 2))
    n_overlaps, n_pairs = int(np.count_nonzero(is_apart)), len(sample) * (len(sample) - 1) // 2
    return n_overlaps >= _LEAST_OVERLAPS and n_overlaps * count >= 2 * _MANY_OVERLAPS * n_pairs


def pairs_in_slabs(mesh: Connectivity, search: Search, most: int) -> IntArray:
    """The intersecting pairs with their classes, int32 (k, 3), sorted, each once; if there are more than `most`, some.

    Of those it returns more than `most`. The slabs that a capped search looks at do not depend on the number of
    threads.

    Args:
        mesh: the mesh.
        search: finds the pairs of a tree, given the tree, its faces in order, their corners in that order, and a cap.
        most: the cap.
    """
    positions, corners, faces = mesh.positions, mesh.corners, mesh.sound_faces
    if not len(faces):
        return np.empty((0, 3), np.int32)
    axis = int((mesh.span[1] - mesh.span[0]).argmax())
    low, high = positions[corners[faces], axis].min(axis=1), positions[corners[faces], axis].max(axis=1)
    count = min(_MOST_SLABS, max(16, math.isqrt(len(faces))))
    size = float(high.max() - low.min()) / count
    bounds = low.min() + size * np.arange(1, count)
    slack = 1e-13 * float(np.abs(mesh.span).max())
    # Faces by the slab in which they begin; the next slab takes over those that go on.
    begin, end = np.searchsorted(bounds, low, side="left"), np.searchsorted(bounds, high, side="right")
    by_begin = np.argsort(begin, kind="stable")
    offsets = np.searchsorted(begin[by_begin], np.arange(count + 1))
    bounds = np.concatenate([[-np.inf], bounds, [np.inf]])
    pairs = np.empty((0, 3), np.int32)
    active = np.empty(0, np.int64)
    for first in range(0, count, _BATCH):
        slabs = range(first, min(first + _BATCH, count))
        found = [pairs[:0]] * len(slabs)
        tasks: list[Callable[[], object]] = []
        for place, slab in enumerate(slabs):
            active = np.concatenate([active[end[active] >= slab], by_begin[offsets[slab] : offsets[slab + 1]]])
            in_slab = frozen(np.sort(faces[active]))
            cut = Cut(positions, corners, in_slab, axis, float(bounds[slab]), float(bounds[slab + 1]), size, slack)
            tasks.append(partial(_write_slab, cut, search, most, found, place))
        side_by_side(tasks)
        pairs = distinct(np.concatenate([pairs, *found]))
        if len(pairs) > most:
            break
    return pairs


def _write_slab(cut: Cut, search: Search, most: int, out_found: list[IntArray], place: int) -> None:
    """Write the pairs of a slab into `out_found[place]`."""
    out_found[place] = _pairs_in_slab(cut, search, most)


def _pairs_in_slab(cut: Cut, search: Search, most: int) -> IntArray:
    """The pairs that meet in a slab, each once; if there are more than `most`, more than `most` of them."""
    ends, face = _parts(cut)
    count = len(face)
    if count < 2:
        return np.empty((0, 3), np.int32)
    low = 2 * np.arange(count, dtype=np.int32)
    box = np.stack([ends.min(axis=0), ends.max(axis=0)])
    parts = frozen(np.arange(count, dtype=np.int32))
    tree = build_tree(ends, frozen(np.stack([low, low + 1, low], axis=1)), parts, NO_GROUPS, box, cut.slack)
    order = frozen(face[tree.order])
    ordered_corners = corners_in_blocks(cut.corners, order, len(tree.boxes))
    cap = most + 1
    while True:
        found = search(tree, order, ordered_corners, cap)
        pairs = distinct(found)
        if len(found) < cap or len(pairs) > most:
            return pairs
        cap = 2 * cap  # several parts of a face find the same pair, and each time counts towards the cap


def _parts(cut: Cut) -> tuple[FloatArray, IntArray]:
    """The parts that faces are cut into: ends of their boxes, float64 (2 * k, 3), and the face of each, int32 (k,)."""
    ends_found, faces_found = [np.empty((0, 3))], [np.empty(0, np.int32)]

    def write(lo: int, hi: int) -> None:
        faces = cut.faces[lo:hi]
        room = 2 * len(faces)
        while True:
            ends, face = np.empty((2 * room, 3)), np.empty(room, np.int32)
            count = cut_faces(*cut._replace(faces=faces), ends, face)
            if count <= room:
                break
            room = count
        ends_found.append(ends[: 2 * count])
        faces_found.append(face[:count])

    in_blocks(0, len(cut.faces), write, first=_FIRST_FACES)
    return frozen(np.concatenate(ends_found)), np.concatenate(faces_found)


def corners_in_blocks(corners: IntArray, order: IntArray, blocks: int) -> IntArray:
    """The corners of faces in a given order, laid out as the blocks of a tree: int32 (blocks, 3, BLOCK), −1 beyond."""
    rows = np.full((blocks * BLOCK, 3), -1, np.int32)
    rows[: len(order)] = corners[order]
    return frozen(np.ascontiguousarray(rows.reshape(-1, BLOCK, 3).transpose(0, 2, 1)))


def distinct(pairs: IntArray) -> IntArray:
    """Pairs as rows of lower face, higher face and class, sorted, each pair once."""
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    is_first = np.ones(len(pairs), np.bool_)
    is_first[1:] = (pairs[1:, :2] != pairs[:-1, :2]).any(axis=1)
    return pairs[is_first]
