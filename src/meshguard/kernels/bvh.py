"""A tree of boxes over faces, in flat arrays: built along a Morton curve, an implicit binary tree over blocks of faces.

Block b holds the faces order[BLOCK*b : BLOCK*(b + 1)] of the curve. Node i of the tree (1 is the root) has the children
2*i and 2*i + 1; block b is node width + b, where width is a power of two. Boxes are float32, rounded outward, so that a
box always holds its faces. A block keeps its faces' boxes as (6, BLOCK) rows, so that a processor compares a whole row
at a time.

After Morton (1966) and Karras, Maximizing Parallelism in the Construction of BVHs (2012); an implicit tree needs no
pointers, and what it loses for want of better splits it wins back in the blocks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined, kernel
from meshguard.kernels._parallel import over_ranges
from meshguard.kernels.simd_blocks import BLOCK

_AXIS_BITS = 9
_DIGIT_BITS = 14

NO_GROUPS: npt.NDArray[np.int32] = np.empty(0, np.int32)
"""The groups of a tree whose faces are in none: what `build_tree` takes then."""

NO_GROUPS.flags.writeable = False


@inlined
def node_overlaps(
    nodes: npt.NDArray[np.float32], node: int, a: float, b: float, c: float, d: float, e: float, f: float
) -> bool:
    """Whether the box of a node of `nodes`, (2 * width, 6), overlaps the box from a, b, c to d, e, f."""
    overlaps: bool = (
        nodes[node, 0] <= d and nodes[node, 3] >= a
        and nodes[node, 1] <= e and nodes[node, 4] >= b
        and nodes[node, 2] <= f and nodes[node, 5] >= c
    )  # fmt: skip
    return overlaps


class Tree(NamedTuple):
    """The tree; see the module.

    Attributes:
        order: int32 (k,), faces along the curve.
        nodes: float32 (2 * width, 6), smallest and largest coordinates.
        boxes: float32 (blocks, 6, BLOCK), of each block's faces.
        corners: int32 (blocks, 3, BLOCK), positions of each block's faces; −1 after the last.
        width: number of the first block's node.
    """

    order: npt.NDArray[np.int32]
    nodes: npt.NDArray[np.float32]
    boxes: npt.NDArray[np.float32]
    corners: npt.NDArray[np.int32]
    width: int


@inlined
def _spread(value: int) -> np.uint64:
    """The lowest bits of a number, spread three places apart."""
    x = np.uint64(value)
    x = (x | (x << np.uint64(32))) & np.uint64(0x1F00000000FFFF)
    x = (x | (x << np.uint64(16))) & np.uint64(0x1F0000FF0000FF)
    x = (x | (x << np.uint64(8))) & np.uint64(0x100F00F00F00F00F)
    x = (x | (x << np.uint64(4))) & np.uint64(0x10C30C30C30C30C3)
    return (x | (x << np.uint64(2))) & np.uint64(0x1249249249249249)


@inlined
def _below(value: float) -> np.float32:
    """The largest float32 that is not above a number."""
    rounded = np.float32(value)
    return np.nextafter(rounded, np.float32(-np.inf)) if rounded > value else rounded


@inlined
def _above(value: float) -> np.float32:
    """The smallest float32 that is not below a number."""
    rounded = np.float32(value)
    return np.nextafter(rounded, np.float32(np.inf)) if rounded < value else rounded


@kernel
def morton_keys(
    positions: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    faces: npt.NDArray[np.int32],
    lo: int,
    hi: int,
    least: npt.NDArray[np.float64],
    scale: float,
    out_keys: npt.NDArray[np.uint32],
) -> None:
    """The places of the faces [lo, hi) on a Morton curve, by their centres.

    Args:
        positions: (p, 3) float64, finite where `faces` use them.
        corners: (m, 3) int32: positions of each face's corners.
        faces: (k,) int32: the faces.
        lo: first of `faces` to place.
        hi: the one after the last.
        least: (3,) float64: smallest coordinates.
        scale: cells of the curve per unit of length.
        out_keys: (k,) uint32.
    """
    third = scale / 3.0
    for i in range(lo, hi):
        f = faces[i]
        a, b, c = corners[f, 0], corners[f, 1], corners[f, 2]
        key = np.uint64(0)
        for d in range(3):
            x = ((positions[a, d] - least[d]) + (positions[b, d] - least[d]) + (positions[c, d] - least[d])) * third
            cell = min(max(x, 0.0), 2.0**_AXIS_BITS - 1.0)
            key |= _spread(int(cell)) << np.uint64(d)
        out_keys[i] = np.uint32(key)


@kernel
def sort_by_key(
    faces: npt.NDArray[np.int32],
    keys: npt.NDArray[np.uint32],
    groups: npt.NDArray[np.int32],
    out_order: npt.NDArray[np.int32],
) -> None:
    """Sort faces by key, faces of one group together: a counting sort by the key's two digits, then by group.

    Args:
        faces: (k,) int32: the faces to sort.
        keys: (k,) uint32: below 2**27.
        groups: (m,) int32: group of each face, or empty for none; groups are kept apart, by number.
        out_order: (k,) int32: the faces in order; equal keys keep the order of `faces`.
    """
    count = len(faces)
    mask = np.uint32((1 << _DIGIT_BITS) - 1)
    lower, upper = np.zeros((1 << _DIGIT_BITS) + 1, np.int64), np.zeros((1 << _DIGIT_BITS) + 1, np.int64)
    for i in range(count):
        lower[np.int64(keys[i] & mask) + 1] += 1
        upper[np.int64(keys[i] >> np.uint32(_DIGIT_BITS)) + 1] += 1
    for i in range(1, len(lower)):
        lower[i] += lower[i - 1]
        upper[i] += upper[i - 1]
    rank, place = np.empty(count, np.int32), np.empty(count, np.int32)
    for i in range(count):
        digit = np.int64(keys[i] & mask)
        rank[lower[digit]] = i
        lower[digit] += 1
    for i in range(count):
        digit = np.int64(keys[rank[i]] >> np.uint32(_DIGIT_BITS))
        place[upper[digit]] = rank[i]
        upper[digit] += 1
    for i in range(count):
        out_order[i] = faces[place[i]]
    if len(groups) == 0:
        return
    most_group = 0
    for i in range(count):
        most_group = max(most_group, groups[out_order[i]])
    starts = np.zeros(most_group + 2, np.int64)
    for i in range(count):
        starts[groups[out_order[i]] + 1] += 1
    for i in range(1, len(starts)):
        starts[i] += starts[i - 1]
    for i in range(count):
        rank[i] = out_order[i]
    for i in range(count):
        group = groups[rank[i]]
        out_order[starts[group]] = rank[i]
        starts[group] += 1


@kernel
def box_blocks(
    positions: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    order: npt.NDArray[np.int32],
    lo: int,
    hi: int,
    width: int,
    slack: float,
    out_boxes: npt.NDArray[np.float32],
    out_corners: npt.NDArray[np.int32],
    out_nodes: npt.NDArray[np.float32],
) -> None:
    """Box the faces of the blocks [lo, hi), and the blocks.

    Args:
        positions: (p, 3) float64.
        corners: (m, 3) int32: positions of each face's corners.
        order: (k,) int32: faces along the curve.
        lo: first block.
        hi: block after the last.
        width: number of the first block's node.
        slack: boxes are wider by this on every side.
        out_boxes: (blocks, 6, BLOCK) float32; places after the last face get boxes that meet nothing.
        out_corners: (blocks, 3, BLOCK) int32: corners of each block's faces; −1 after the last face.
        out_nodes: (2 * width, 6) float32: rows of the blocks are written.
    """
    for block in range(lo, hi):
        node = out_nodes[width + block]
        node[:3] = np.inf
        node[3:] = -np.inf
        for k in range(BLOCK):
            i = block * BLOCK + k
            if i >= len(order):
                out_boxes[block, :3, k] = np.inf
                out_boxes[block, 3:, k] = -np.inf
                out_corners[block, :, k] = -1
                continue
            f = order[i]
            a, b, c = corners[f, 0], corners[f, 1], corners[f, 2]
            out_corners[block, 0, k], out_corners[block, 1, k], out_corners[block, 2, k] = a, b, c
            for d in range(3):
                low = _below(min(positions[a, d], positions[b, d], positions[c, d]) - slack)
                high = _above(max(positions[a, d], positions[b, d], positions[c, d]) + slack)
                out_boxes[block, d, k] = low
                out_boxes[block, 3 + d, k] = high
                node[d] = min(node[d], low)
                node[3 + d] = max(node[3 + d], high)


@kernel
def box_nodes(width: int, blocks: int, out_nodes: npt.NDArray[np.float32]) -> None:
    """Box the inner nodes from the blocks' rows up; nodes without a block get boxes that meet nothing.

    Args:
        width: number of the first block's node, a power of two.
        blocks: how many blocks there are.
        out_nodes: (2 * width, 6) float32: rows [width, width + blocks) are read, all others written.
    """
    out_nodes[0, :3] = out_nodes[width + blocks :, :3] = np.inf
    out_nodes[0, 3:] = out_nodes[width + blocks :, 3:] = -np.inf
    for node in range(width - 1, 0, -1):
        for d in range(3):
            out_nodes[node, d] = min(out_nodes[2 * node, d], out_nodes[2 * node + 1, d])
            out_nodes[node, 3 + d] = max(out_nodes[2 * node, 3 + d], out_nodes[2 * node + 1, 3 + d])


def build_tree(
    positions: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    faces: npt.NDArray[np.int32],
    groups: npt.NDArray[np.int32],
    box: npt.NDArray[np.float64],
    slack: float = 0.0,
) -> Tree:
    """The tree over some faces.

    Args:
        positions: (p, 3) float64, finite where `faces` use them.
        corners: (m, 3) int32: positions of each face's corners.
        faces: (k,) int32: the faces.
        groups: (m,) int32: group of each face, whose faces stay together on the curve; empty for none.
        box: (2, 3) float64: smallest and largest coordinates, for the curve only.
        slack: boxes are wider by this on every side, where positions are rounded.
    """
    least = np.ascontiguousarray(box[0])
    least.flags.writeable = False
    with np.errstate(over="ignore"):
        extent = float((box[1] - box[0]).max()) if len(faces) else 0.0
    scale = (2.0**_AXIS_BITS - 1.0) / extent if 0.0 < extent < np.inf else 0.0
    keys, order = np.empty(len(faces), np.uint32), np.empty(len(faces), np.int32)
    over_ranges(len(faces), lambda lo, hi: morton_keys(positions, corners, faces, lo, hi, least, scale, keys))
    keys.flags.writeable = False
    sort_by_key(faces, keys, groups, order)
    order.flags.writeable = False
    blocks = -(-len(order) // BLOCK)
    width = 1 << max(0, (blocks - 1).bit_length())
    boxes, nodes = np.empty((blocks, 6, BLOCK), np.float32), np.empty((2 * width, 6), np.float32)
    corners_along = np.empty((blocks, 3, BLOCK), np.int32)
    over_ranges(
        blocks,
        lambda lo, hi: box_blocks(positions, corners, order, lo, hi, width, slack, boxes, corners_along, nodes),
        grain=256,
    )
    box_nodes(width, blocks, nodes)
    for array in (boxes, nodes, corners_along):
        array.flags.writeable = False
    return Tree(order, nodes, boxes, corners_along, width)
