"""Rows of a binary PLY against what struct makes of them."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshguard.kernels import ply_binary

LETTERS = "bBhHiIfd"
"""struct's letter of each kind of number, in the kernels' order."""


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(-1, 5), st.integers(0, 7)), min_size=1, max_size=4),
    st.integers(0, 6),
    st.booleans(),
    st.integers(0, 12),
    st.randoms(use_true_random=False),
)
def test_list_rows_as_struct_unpacks_them(
    properties: list[tuple[int, int]], n_rows: int, big: bool, cut: int, chance: st.DataObject
) -> None:
    order = ">" if big else "<"
    lists = [k for k, (length, _) in enumerate(properties) if length >= 0]
    kept_list = lists[0] if lists else -1
    content, ends, lengths, items, scalars = b"xyz", [], [], [], []
    for _ in range(n_rows):
        row_scalars = b""
        for k, (length, kind) in enumerate(properties):
            values = [chance.randint(0, 100) for _ in range(chance.randint(0, 4) if length >= 0 else 1)]  # type: ignore[attr-defined]
            packed = struct.pack(order + LETTERS[kind] * len(values), *values)
            if length >= 0:
                content += struct.pack(order + LETTERS[length], len(values))
                if k == kept_list:
                    lengths.append(len(values))
                    items += values
            else:
                row_scalars += packed
            content += packed
        scalars.append(row_scalars)
        ends.append(len(content))
    content = content[: max(3, len(content) - cut)]
    complete = sum(end <= len(content) for end in ends)
    table = np.array([(length, kind, struct.calcsize("=" + LETTERS[kind])) for length, kind in properties], np.int64)
    table.flags.writeable = False
    width = sum(int(size) for length, _, size in table if length < 0)
    out_scalars = np.empty((n_rows, width), np.uint8)
    out_lengths, out_items = np.empty(n_rows, np.int32), np.empty(len(content), np.int64)
    rows, end, n_items, bad = ply_binary.list_rows(
        np.frombuffer(content, np.uint8), table, 3, n_rows, kept_list, big, out_scalars, out_lengths, out_items
    )
    assert (rows, bad) == (complete, -1)
    assert end == ([3, *ends])[complete]
    assert [row.tobytes() for row in out_scalars[:rows]] == scalars[:complete]
    if kept_list >= 0:
        assert out_lengths[:rows].tolist() == lengths[:complete]
        assert out_items[:n_items].tolist() == items[: sum(lengths[:complete])]


def test_a_negative_length_stops_the_walk() -> None:
    content = struct.pack("<bib", 1, 7, -1)
    table = np.array([(0, 4, 4)], np.int64)
    table.flags.writeable = False
    found = ply_binary.list_rows(
        np.frombuffer(content, np.uint8), table, 0, 2, 0, False, np.empty((2, 0), np.uint8), np.empty(2, np.int32),
        np.empty(2, np.int64),
    )  # fmt: skip
    assert found == (1, 5, 1, 5)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("length_letter", ["B", "H", "i"])
def test_fixed_rows_stop_at_what_is_no_triangle(big: bool, length_letter: str) -> None:
    order = ">" if big else "<"
    points = [(0.1, -2.0, 3e30), (4.0, float("inf"), 6.0), (-0.0, 8.0, 9.0)]
    content = b"h" + b"".join(struct.pack(order + "fBff", z, 7, x, y) for x, y, z in points)
    start = len(content)
    for corners in [(0, 1, 2), (2, 1, 0), (0, 1, 3), (0, 1, 2)]:
        content += struct.pack(order + "H" + length_letter + "3i", 9, 3, *corners)
    size = struct.calcsize("=" + length_letter)
    vertices, faces = np.zeros((3, 3)), np.zeros((4, 3), np.int32)
    layouts = (1, 13, 5, 9, 0), (start, 14 + size, 2, size)
    data = np.frombuffer(content, np.uint8)
    assert ply_binary.fixed_rows(data, big, *layouts, 0, 3, 0, 4, vertices, faces) == 2
    assert ply_binary.fixed_rows(data, big, *layouts, 0, 0, 3, 4, vertices, faces) == 1
    np.testing.assert_array_equal(vertices, np.array(points, np.float32).astype(np.float64))
    np.testing.assert_array_equal(faces, [(0, 1, 2), (2, 1, 0), (0, 0, 0), (0, 1, 2)])


def test_kernels_have_one_signature() -> None:
    for entry in (ply_binary.fixed_rows, ply_binary.list_rows):
        assert len(getattr(entry, "signatures", [])) <= 1
