"""Long faces in every direction: the search for intersecting pairs, slab by slab, over parts of faces.

Boxes of long slanted faces hold nearly nothing, and overlap nearly all others. Cut into n slabs, and within a slab
into parts as short as it is thick, the same faces overlap n times less often. Two faces that meet do so in some slab.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from meshguard.facts.arrays import frozen
from meshguard.kernels._parallel import side_by_side
from meshguard.kernels.bvh import Tree, build_tree
from meshguard.kernels.simd_blocks import BLOCK
from meshguard.kernels.slabs import cut_faces

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import FloatArray, IntArray

    Search: TypeAlias = Callable[[Tree, IntArray, IntArray, int], IntArray]

_SAMPLE = 256
_LEAST_MET = 16
_MANY_MET = 300
_MOST_SLABS = 1024
_BATCH = 8


class Cut(NamedTuple):
    """What `kernels.slabs.cut_faces` takes."""

    positions: FloatArray
    corners: IntArray
    faces: IntArray
    axis: int
    low: float
    high: float
    size: float
    slack: float


def are_boxes_entangled(mesh: Connectivity, boxed: FloatArray) -> bool:
    """Whether, by a sample, boxes of faces without a common corner overlap hundreds of others each."""
    faces = mesh.sound_faces
    count = len(faces)
    sample = mesh.corners[faces[:: max(1, -(-count // _SAMPLE))]]
    points = boxed[sample]
    low, high = points.min(axis=1), points.max(axis=1)
    met = np.ones((len(sample), len(sample)), np.bool_)
    for x in range(3):
        met &= low[:, x, None] <= high[:, x]
    met = np.triu(met & met.T, 1)
    ones, others = np.nonzero(met)
    apart = ~(sample[ones][:, :, None] == sample[others][:, None]).any(axis=(1, 2))
    n_met, n_pairs = int(np.count_nonzero(apart)), len(sample) * (len(sample) - 1) // 2
    return n_met >= _LEAST_MET and n_met * count >= 2 * _MANY_MET * n_pairs


def rows_in_slabs(mesh: Connectivity, search: Search, most: int) -> IntArray:
    """The intersecting pairs with their classes, int32 (k, 3), sorted, each once; more than `most` where there are.

    `search` finds the pairs of a tree whose faces, and their corners along its curve, are given, up to a number. The
    slabs that a capped search looks at do not depend on the number of threads.
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
    # Faces by the slab in which they begin; a search takes over those that go on.
    begin, end = np.searchsorted(bounds, low, side="left"), np.searchsorted(bounds, high, side="right")
    by_begin = np.argsort(begin, kind="stable")
    offsets = np.searchsorted(begin[by_begin], np.arange(count + 1))
    bounds = np.concatenate([[-np.inf], bounds, [np.inf]])
    rows = np.empty((0, 3), np.int32)
    active = np.empty(0, np.int64)
    for first in range(0, count, _BATCH):
        slabs = range(first, min(first + _BATCH, count))
        found = [rows[:0]] * len(slabs)
        tasks: list[Callable[[], object]] = []
        for place, slab in enumerate(slabs):
            active = np.concatenate([active[end[active] >= slab], by_begin[offsets[slab] : offsets[slab + 1]]])
            here = frozen(np.sort(faces[active]))
            cut = Cut(positions, corners, here, axis, float(bounds[slab]), float(bounds[slab + 1]), size, slack)
            tasks.append(partial(_write_slab, cut, search, most, found, place))
        side_by_side(tasks)
        rows = distinct(np.concatenate([rows, *found]))
        if len(rows) > most:
            break
    return rows


def _write_slab(cut: Cut, search: Search, most: int, out_found: list[IntArray], place: int) -> None:
    """Find the pairs that meet in a slab, each once; more than `most` where there are, but not all then."""
    out_found[place] = _rows_in_slab(cut, search, most)


def _rows_in_slab(cut: Cut, search: Search, most: int) -> IntArray:
    """The pairs that meet in a slab, each once; more than `most` where there are, but not all then."""
    room = 2 * len(cut.faces)
    while True:
        ends, face = np.empty((2 * room, 3)), np.empty(room, np.int32)
        count = cut_faces(*cut, ends, face)
        if count <= room:
            break
        room = count
    ends, face = frozen(np.ascontiguousarray(ends[: 2 * count])), face[:count]
    if count < 2:
        return np.empty((0, 3), np.int32)
    low = 2 * np.arange(count, dtype=np.int32)
    box = np.stack([ends.min(axis=0), ends.max(axis=0)])
    pieces = frozen(np.arange(count, dtype=np.int32))
    none = frozen(np.empty(0, np.int32))
    tree = build_tree(ends, frozen(np.stack([low, low + 1, low], axis=1)), pieces, none, box, cut.slack)
    order = frozen(face[tree.order])
    along = corners_along(cut.corners, order, len(tree.boxes))
    asked = most + 1
    while True:
        rows = search(tree, order, along, asked)
        found = distinct(rows)
        if len(rows) < asked or len(found) > most:
            return found
        asked = 2 * asked  # pieces found pairs several times: these counted too


def corners_along(corners: IntArray, order: IntArray, blocks: int) -> IntArray:
    """The corners of faces in an order, as blocks of a tree keep them: int32 (blocks, 3, BLOCK)."""
    rows = np.full((blocks * BLOCK, 3), -1, np.int32)
    rows[: len(order)] = corners[order]
    return frozen(np.ascontiguousarray(rows.reshape(-1, BLOCK, 3).transpose(0, 2, 1)))


def distinct(rows: IntArray) -> IntArray:
    """Rows of lower face, higher face and class, sorted, each pair once."""
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    new = np.ones(len(rows), np.bool_)
    new[1:] = (rows[1:, :2] != rows[:-1, :2]).any(axis=1)
    return rows[new]
