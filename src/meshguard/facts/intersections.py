"""Intersecting faces: the pairs, their classes, and where and how deep they meet."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.kernels import intersections as kernels
from meshguard.kernels._parallel import over_ranges, side_by_side
from meshguard.kernels.bvh import Tree, build_tree
from meshguard.kernels.fans import certify_fans

if TYPE_CHECKING:
    from meshguard.facts import Facts
    from meshguard.mesh import FloatArray, IntArray

_CHUNKS = 64
_BATCH = 8
_BUSY_VALENCE = 64


class Intersections(NamedTuple):
    """Pairs of faces that share more than their common vertices and edges.

    pairs: int32 (k, 2), each and the whole sorted; classes: int8 (k,), numbers of `kernels.intersections`; complete:
        False
    where the search stopped at its cap, and there may be more.
    """

    pairs: IntArray
    classes: npt.NDArray[np.int8]
    complete: bool


def find_intersections(facts: Facts, most: int) -> Intersections:
    """The intersecting pairs of a mesh's faces, at most `most` of them, the same ones for every number of threads.

    Degenerate faces and those with a non-finite corner take no part; duplicates are no pairs.
    """
    positions, corners = facts.positions, facts.corners
    skipped = facts.is_degenerate
    certified = np.empty(len(positions), np.bool_)
    valence = np.empty(len(positions), np.int32)
    over_ranges(
        len(positions), lambda lo, hi: certify_fans(positions, corners, skipped, lo, hi, certified, valence), grain=4096
    )
    certified.flags.writeable = False
    groups = _busy_fans(corners, skipped, certified, valence)
    tree = build_tree(positions, corners, facts.sound_faces, groups, facts.span)
    node_groups = _node_groups(tree, groups)
    blocks = len(tree.boxes)
    bounds = [blocks * chunk // _CHUNKS for chunk in range(_CHUNKS + 1)]
    found: list[IntArray] = [np.empty((0, 3), np.int32)] * _CHUNKS

    def search(chunk: int) -> None:
        out = np.empty((256, 3), np.int32)
        while True:
            count = kernels.pairs_within(
                positions,
                tree.order,
                tree.nodes,
                tree.boxes,
                tree.corners,
                certified,
                node_groups,
                tree.width,
                bounds[chunk],
                bounds[chunk + 1],
                most + 1,
                out,
            )
            if count <= len(out):
                break
            out = np.empty((count, 3), np.int32)
        found[chunk] = out[:count]

    # Chunks are cut and stopped at without regard to threads, so that a capped search always finds the same pairs.
    total = done = 0
    while done < _CHUNKS and total <= most:
        batch = range(done, min(_CHUNKS, done + _BATCH) if total or done == 0 else _CHUNKS)
        side_by_side([partial(search, chunk) for chunk in batch])
        total += sum(len(found[chunk]) for chunk in batch)
        done = batch.stop
    rows = np.concatenate(found)
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))][:most]
    pairs, classes = np.ascontiguousarray(rows[:, :2]), rows[:, 2].astype(np.int8)
    for array in (pairs, classes):
        array.flags.writeable = False
    return Intersections(pairs, classes, total <= most)


def pair_segments(facts: Facts, pairs: IntArray) -> tuple[FloatArray, FloatArray]:
    """Where pairs of faces meet, rounded: both ends of what they share, float64 (k, 2, 3), and how deep, float64 (k,).

    Both are in mm. Depth is how far one of the two must move along the other's normal to come free: the least, over
    both faces, of how far their corners reach beyond the other's plane on the side where they reach less.
    """
    ends, depth = np.empty((len(pairs), 2, 3)), np.empty(len(pairs))
    positions, corners = facts.positions, facts.corners
    over_ranges(len(pairs), lambda lo, hi: kernels.measure_pairs(positions, corners, pairs, lo, hi, ends, depth))
    return ends, depth


def _busy_fans(
    corners: IntArray, skipped: npt.NDArray[np.bool_], certified: npt.NDArray[np.bool_], valence: IntArray
) -> IntArray:
    """For each face the number, from 1, of a certified fan of very many faces that it belongs to, or 0; empty for none.

    All boxes of such a fan overlap at its position. Kept together in the tree, its pairs are never looked at.
    """
    busy = np.flatnonzero(certified & (valence > _BUSY_VALENCE))
    groups = np.empty(0, np.int32)
    if len(busy):
        number = np.zeros(len(valence), np.int32)
        order = busy[np.argsort(valence[busy], kind="stable")]  # a larger fan has a larger number
        number[order] = np.arange(1, len(order) + 1, dtype=np.int32)
        groups = number[corners].max(axis=1).astype(np.int32)
        groups[skipped] = 0
    groups.flags.writeable = False
    return groups


def _node_groups(tree: Tree, groups: IntArray) -> IntArray:
    """Number of the fan that all faces below each node belong to, 0 where they are not of one; empty for no fans."""
    if not len(groups):
        return groups
    block = np.full(len(tree.boxes) * len(tree.boxes[0, 0]), -1, np.int32)
    block[: len(tree.order)] = groups[tree.order]
    rows = block.reshape(len(tree.boxes), -1)
    first = rows[:, :1]
    nodes = np.zeros(2 * tree.width, np.int32)
    nodes[tree.width :] = -1  # a node without a block belongs to every fan
    nodes[tree.width : tree.width + len(rows)] = np.where(((rows == first) | (rows < 0)).all(axis=1), first[:, 0], 0)
    start = tree.width
    while start > 1:
        left, right = nodes[start : 2 * start : 2], nodes[start + 1 : 2 * start : 2]
        nodes[start // 2 : start] = np.where((left == right) | (right < 0), left, 0)
        start //= 2
    nodes.flags.writeable = False
    return nodes
