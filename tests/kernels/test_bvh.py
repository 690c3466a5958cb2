"""The tree: every face once, every box around what it holds, every number rounded outward."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from meshguard.kernels.bvh import Tree, build_tree
from meshguard.kernels.simd_blocks import BLOCK


def built(count: int, seed: int, *, scale: float = 1.0, slack: float = 0.0, groups: int = 0) -> tuple[Tree, np.ndarray]:
    """A tree over every other one of some random faces, and the corners' positions of all."""
    rng = np.random.default_rng(seed)
    positions = rng.normal(size=(3 * count + 3, 3)) * scale
    corners = rng.integers(0, len(positions), (2 * count, 3)).astype(np.int32)
    faces = np.arange(0, 2 * count, 2, dtype=np.int32)
    labels = rng.integers(0, groups, 2 * count).astype(np.int32) if groups else np.empty(0, np.int32)
    box = np.stack([positions.min(axis=0), positions.max(axis=0)])
    for array in (positions, corners, faces, labels):
        array.flags.writeable = False
    tree = build_tree(positions, corners, faces, labels, box, slack)
    if groups:
        assert (np.diff(labels[tree.order]) >= 0).all()
    for place, face in enumerate(tree.order.tolist()):
        assert tree.corners[place // BLOCK, :, place % BLOCK].tolist() == corners[face].tolist()
    return tree, positions[corners]


def narrowed(numbers: np.ndarray, towards: float) -> np.ndarray:
    """Numbers as float32, never on the wrong side of what they were."""
    rounded = numbers.astype(np.float32)
    wrong = rounded > numbers if towards < 0 else rounded < numbers
    return np.where(wrong, np.nextafter(rounded, np.float32(towards)), rounded)


@given(st.integers(1, 120), st.integers(0, 2**32 - 1), st.sampled_from([1.0, 1e-30, 1e30]), st.integers(0, 3))
def test_boxes_are_those_of_the_faces_rounded_outward(count: int, seed: int, scale: float, groups: int) -> None:
    tree, points = built(count, seed, scale=scale, groups=groups)

    assert sorted(tree.order.tolist()) == list(range(0, 2 * count, 2))
    low, high = narrowed(points.min(axis=1), -np.inf), narrowed(points.max(axis=1), np.inf)
    for place, face in enumerate(tree.order.tolist()):
        box = tree.boxes[place // BLOCK, :, place % BLOCK]
        assert np.array_equal(box, np.concatenate([low[face], high[face]]))
    for place in range(len(tree.order), len(tree.boxes) * BLOCK):
        assert (tree.boxes[place // BLOCK, :3, place % BLOCK] > tree.boxes[place // BLOCK, 3:, place % BLOCK]).all()
        assert (tree.corners[place // BLOCK, :, place % BLOCK] == -1).all()


@given(st.integers(1, 200), st.integers(0, 2**32 - 1))
def test_a_nodes_box_is_that_of_all_faces_below_it(count: int, seed: int) -> None:
    tree, points = built(count, seed, slack=0.25)
    low, high = narrowed(points.min(axis=1) - 0.25, -np.inf), narrowed(points.max(axis=1) + 0.25, np.inf)

    def faces_below(node: int) -> list[int]:
        if node < tree.width:
            return faces_below(2 * node) + faces_below(2 * node + 1)
        return list(map(int, tree.order[(node - tree.width) * BLOCK :][:BLOCK]))

    for node in range(1, 2 * tree.width):
        below = faces_below(node)
        if below:
            expected = np.concatenate([low[below].min(axis=0), high[below].max(axis=0)])
            assert np.array_equal(tree.nodes[node], expected)
        else:
            assert (tree.nodes[node, :3] > tree.nodes[node, 3:]).all()


def test_no_faces_make_a_tree_that_meets_nothing() -> None:
    none = np.empty((0, 3))
    empty, faces = np.empty((0, 3), np.int32), np.empty(0, np.int32)
    for array in (none, empty, faces):
        array.flags.writeable = False

    tree = build_tree(none, empty, faces, faces, np.zeros((2, 3)))

    assert len(tree.order) == len(tree.boxes) == 0
    assert (tree.nodes[:, :3] > tree.nodes[:, 3:]).all()
