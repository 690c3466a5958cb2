"""Rows of a binary PLY."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined, kernel

NOT_AN_INDEX = -(1 << 61)
"""Stands for a list item that is not an integer: no mesh has such a vertex."""


@inlined
def _bits32(data: npt.NDArray[np.uint8], pos: int | np.uint64, big: bool) -> np.uint32:
    # Indices are unsigned: without a test for negative ones, the compiler turns the four loads into one of 32 bits.
    offset = np.uint64(pos)
    a, b = np.uint32(data[offset]), np.uint32(data[offset + np.uint64(1)])
    c, d = np.uint32(data[offset + np.uint64(2)]), np.uint32(data[offset + np.uint64(3)])
    if big:
        return d | (c << np.uint32(8)) | (b << np.uint32(16)) | (a << np.uint32(24))
    return a | (b << np.uint32(8)) | (c << np.uint32(16)) | (d << np.uint32(24))


@inlined
def _bits64(data: npt.NDArray[np.uint8], pos: int, big: bool) -> np.uint64:
    first, second = np.uint64(_bits32(data, pos, big)), np.uint64(_bits32(data, pos + 4, big))
    if big:
        first, second = second, first
    return first | (second << np.uint64(32))


@inlined
def _as_index(value: float) -> int:
    if abs(value) < 9007199254740992.0 and np.floor(value) == value:
        return np.int64(value)  # type: ignore[return-value]
    return NOT_AN_INDEX


@inlined
def _integer(data: npt.NDArray[np.uint8], pos: int, kind: int, big: bool) -> int:
    """The number at `pos`; kind: 0 int8, 1 uint8, 2 int16, 3 uint16, 4 int32, 5 uint32, 6 float32, 7 float64."""
    if kind == 1:
        return np.int64(data[pos])  # type: ignore[return-value]
    if kind == 4:
        return np.int64(np.int32(_bits32(data, pos, big)))  # type: ignore[return-value]
    if kind == 5:
        return np.int64(_bits32(data, pos, big))  # type: ignore[return-value]
    if kind == 0:
        small = np.int64(data[pos])
        return small - 256 if small > 127 else small  # type: ignore[return-value]
    if kind == 2 or kind == 3:
        low, high = np.int64(data[pos]), np.int64(data[pos + 1])
        if big:
            low, high = high, low
        short = low | (high << 8)
        return short - 65536 if kind == 2 and short > 32767 else short  # type: ignore[return-value]
    if kind == 6:
        return _as_index(np.float64(np.uint32(_bits32(data, pos, big)).view(np.float32)))
    return _as_index(np.uint64(_bits64(data, pos, big)).view(np.float64))


@kernel
def fixed_rows(
    data: npt.NDArray[np.uint8],
    big: bool,
    vertex_layout: tuple[int, int, int, int, int],
    face_layout: tuple[int, int, int, int],
    v_lo: int,
    v_hi: int,
    f_lo: int,
    f_hi: int,
    out_vertices: npt.NDArray[np.float64],
    out_faces: npt.NDArray[np.int32],
) -> int:
    """Widen float32 positions, and read faces that are all triangles of 32-bit indices.

    Args:
        data: (bytes,) uint8: the file.
        big: whether numbers are big-endian.
        vertex_layout: offset of the first row, bytes per row, and the offsets of x, y and z within a row.
        face_layout: offset of the first row, bytes per row, offset of the list within a row, bytes of its length.
        v_lo: first vertex to read.
        v_hi: vertex after the last to read.
        f_lo: first face to read.
        f_hi: face after the last to read.
        out_vertices: (n, 3) float64: positions; rows [v_lo, v_hi) are written.
        out_faces: (m, 3) int32: rows [f_lo, f_hi) are written, up to the first that is not such a triangle.

    Returns:
        How many faces from the start of the range on are triangles of vertices in [0, n); all in file order. 0 for an
        empty range.
    """
    start, stride, x, y, z = vertex_layout
    n = len(out_vertices)
    for i in range(v_lo, v_hi):
        pos = start + i * stride
        out_vertices[i, 0] = np.uint32(_bits32(data, pos + x, big)).view(np.float32)
        out_vertices[i, 1] = np.uint32(_bits32(data, pos + y, big)).view(np.float32)
        out_vertices[i, 2] = np.uint32(_bits32(data, pos + z, big)).view(np.float32)
    start, stride, length_offset, length_size = face_layout
    three = np.uint8(3)
    if length_size == 1 and not big:
        # Nearly every file is so: the same as below, with nothing left to decide in the loop.
        step = np.uint64(stride)
        bound = np.uint32(n)
        offset = np.uint64(start + f_lo * stride + length_offset)
        for f in range(f_lo, f_hi):
            a = _bits32(data, offset + np.uint64(1), False)
            b = _bits32(data, offset + np.uint64(5), False)
            c = _bits32(data, offset + np.uint64(9), False)
            if data[offset] != three or max(a, b, c) >= bound:
                return f - f_lo
            row = np.uint64(f)
            out_faces[row, 0] = a
            out_faces[row, 1] = b
            out_faces[row, 2] = c
            offset += step
        return f_hi - f_lo
    low_byte = length_size - 1 if big else 0
    for f in range(f_lo, f_hi):
        pos = start + f * stride + length_offset
        if data[np.uint64(pos + low_byte)] != three:
            return f - f_lo
        for k in range(length_size):
            if k != low_byte and data[pos + k] != np.uint8(0):
                return f - f_lo
        pos += length_size
        a, b, c = _bits32(data, pos, big), _bits32(data, pos + 4, big), _bits32(data, pos + 8, big)
        if a >= n or b >= n or c >= n:
            return f - f_lo
        out_faces[f, 0] = a
        out_faces[f, 1] = b
        out_faces[f, 2] = c
    return f_hi - f_lo


@kernel
def list_rows(
    data: npt.NDArray[np.uint8],
    table: npt.NDArray[np.int64],
    start: int,
    rows: int,
    kept_list: int,
    big: bool,
    out_scalars: npt.NDArray[np.uint8],
    out_lengths: npt.NDArray[np.int32],
    out_items: npt.NDArray[np.int64],
) -> tuple[int, int, int, int]:
    """Walk through the rows of a binary element that has lists, in file order.

    Args:
        data: (bytes,) uint8: the file.
        table: (properties, 3) int64: kind of a list's length (−1: a scalar), kind of the item, bytes of the item;
            kinds as in `_integer`.
        start: offset of the first row.
        rows: how many rows to read at most.
        kept_list: the property whose list is kept, −1 for none.
        big: whether numbers are big-endian.
        out_scalars: (rows, bytes) uint8: the bytes of each row's scalars, one after the other; zero columns for none.
        out_lengths: (rows,) int32: length of the kept list.
        out_items: (items,) int64: items of the kept lists in turn; NOT_AN_INDEX for what is not an integer.

    Returns:
        Complete rows, the offset after them, items, and the offset of a negative length or −1. 0 rows for an empty
        range.
    """
    end = len(data)
    sizes = (1, 1, 2, 2, 4, 4, 4, 8)
    pos = start
    items = 0
    width = out_scalars.shape[1]
    for row in range(rows):
        row_start = pos
        row_items = items
        column = 0
        for k in range(len(table)):
            length_kind, kind, size = table[k, 0], table[k, 1], table[k, 2]
            if length_kind < 0:
                if pos + size > end:
                    return row, row_start, row_items, -1
                if width > 0:
                    for i in range(size):
                        out_scalars[row, column + i] = data[pos + i]
                    column += size
                pos += size
                continue
            if pos + sizes[length_kind] > end:
                return row, row_start, row_items, -1
            length = _integer(data, pos, length_kind, big)
            if length < 0:
                return row, row_start, row_items, pos
            pos += sizes[length_kind]
            if length * size > end - pos:
                return row, row_start, row_items, -1
            if k == kept_list:
                out_lengths[row] = length
                if (kind == 4 or kind == 5) and not big:
                    # Nearly every file is so: the same as below, in a loop that the compiler makes short.
                    offset, item = np.uint64(pos), np.uint64(items)
                    for _ in range(length):
                        bits = _bits32(data, offset, False)
                        out_items[item] = np.int64(bits) if kind == 5 else np.int64(np.int32(bits))
                        offset += np.uint64(4)
                        item += np.uint64(1)
                else:
                    for i in range(length):
                        out_items[items + i] = _integer(data, pos + i * size, kind, big)
                items += length
            pos += length * size
    return rows, pos, items, -1
