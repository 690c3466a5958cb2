"""Pairs between two surfaces, range by range, against comparing all with all; rows against plain loops."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from meshguard.kernels import intersections, simd_blocks
from meshguard.kernels._jit import inlined
from meshguard.kernels.bvh import NO_GROUPS, Tree, build_tree
from meshguard.kernels.intersections import pairs_between
from meshguard.kernels.simd_blocks import BLOCK
from meshguard.policy import CLASSES
from tests import oracles


def test_a_class_has_the_number_of_its_place_among_the_names() -> None:
    assert [getattr(intersections, name.upper()) for name in CLASSES] == list(range(len(CLASSES)))


NAMES = {"segment": 0, "area": 1, "point": 2, "edge": 3}


def tree_over(positions: np.ndarray, corners: np.ndarray) -> Tree:
    faces = [f for f in range(len(corners)) if not oracles.is_collinear(*(positions[v] for v in corners[f].tolist()))]
    sound = np.array(faces, np.int32)
    sound.flags.writeable = False
    return build_tree(positions, corners, sound, NO_GROUPS, np.stack([positions.min(axis=0), positions.max(axis=0)]))


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40), st.integers(0, 3))
def test_pairs_between_are_those_of_comparing_all_with_all(seed: int, count: int, others: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    positions = rng.integers(0, 6, (60, 3)).astype(np.float64)
    corners = rng.integers(0, 30, (count, 3)).astype(np.int32)
    other_corners = rng.integers(30, 60, (others, 3)).astype(np.int32)
    for array in (positions, corners, other_corners):
        array.flags.writeable = False
    first, second = tree_over(positions, corners), tree_over(positions, other_corners)
    expected = [
        (f, g, NAMES[met])
        for f in sorted(first.order.tolist())
        for g in sorted(second.order.tolist())
        if (met := oracles.meeting(positions[corners[f]], positions[other_corners[g]])) in NAMES
    ]

    found = []
    blocks = len(first.boxes)
    for lo, hi in ((0, min(cut, blocks)), (min(cut, blocks), blocks)):
        out = np.empty((2000, 3), np.int32)
        few = np.empty((1, 3), np.int32)
        for buffer in (few, out):
            n_found = pairs_between(
                positions,
                first.order,
                first.nodes,
                first.boxes,
                first.corners,
                first.width,
                second.order,
                second.nodes,
                second.boxes,
                second.corners,
                second.width,
                lo,
                hi,
                buffer,
            )
        found += out[:n_found].tolist()

    assert sorted(map(tuple, found)) == expected


@inlined
def row_bits(boxes: np.ndarray, corners: np.ndarray, block: int, k: int) -> tuple[int, int]:
    """What the vectors say of box k and face k of the first block beside a block."""
    near = simd_blocks.overlapping(
        boxes,
        block,
        boxes[0, 0, k],
        boxes[0, 1, k],
        boxes[0, 2, k],
        boxes[0, 3, k],
        boxes[0, 4, k],
        boxes[0, 5, k],
    )
    return near, simd_blocks.sharing(corners, block, corners[0, 0, k], corners[0, 1, k], corners[0, 2, k])


@inlined
def lowest_bit(bits: int) -> int:
    return simd_blocks.lowest(bits)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2), st.integers(0, BLOCK - 1))
def test_rows_are_compared_as_one_by_one(seed: int, block: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    low = rng.integers(0, 4, (3, 3, BLOCK)).astype(np.float32)
    boxes = np.concatenate([low, low + rng.integers(0, 3, low.shape).astype(np.float32)], axis=1)
    boxes[2, :3, 5:], boxes[2, 3:, 5:] = np.inf, -np.inf  # after the last face
    corners = rng.integers(0, 20, (3, 3, BLOCK)).astype(np.int32)

    near, common = row_bits(boxes, corners, block, k)

    for j in range(BLOCK):
        meets = all(
            boxes[block, d, j] <= boxes[0, 3 + d, k] and boxes[0, d, k] <= boxes[block, 3 + d, j] for d in range(3)
        )
        assert bool(near >> j & 1) == meets
        assert bool(common >> j & 1) == bool(set(corners[block, :, j].tolist()) & set(corners[0, :, k].tolist()))


@given(st.integers(1, 2**BLOCK - 1))
def test_the_lowest_bit_is_found(bits: int) -> None:
    assert lowest_bit(bits) == bin(bits)[::-1].index("1")
