"""Positional identity: which vertices have bit-equal positions (−0 counts as +0).

Open addressing with linear probing over a table of vertex numbers, keyed by the position itself; first occurrence
first. The remap table old -> new is the idea of meshoptimizer's index generator; the multipliers are those of Fibonacci
hashing (Knuth, The Art of Computer Programming 3, section 6.4).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined, kernel

_MIX_X = np.uint64(0x9E3779B97F4A7C15)
_MIX_Y = np.uint64(0xC2B2AE3D27D4EB4F)
_MIX_Z = np.uint64(0x165667B19E3779F9)

DISAGREE, ZERO, NONFINITE_NORMAL, ATTRIBUTE = 0, 1, 2, 3
"""What `weld_facets` counts in each place of `out_counts`: stored normals that disagree, are zero, or are not finite;
attribute words that are not zero."""


@inlined
def _slot(x: np.uint64, y: np.uint64, z: np.uint64, bits: int) -> int:
    """The first of 2**bits slots to try for a position given as three bit patterns."""
    mixed = (x * _MIX_X) ^ (y * _MIX_Y) ^ (z * _MIX_Z)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * _MIX_X
    return np.int64(mixed >> np.uint64(64 - bits))  # type: ignore[return-value]  # an int once compiled


@inlined
def _grown(keys: npt.NDArray[np.unsignedinteger], length: int, bits: int) -> npt.NDArray[np.int32]:
    """A table of 2**bits slots that holds the first `length` rows of `keys`, all different."""
    table = np.full(1 << bits, -1, np.int32)
    for v in range(length):
        slot = _slot(np.uint64(keys[v, 0]), np.uint64(keys[v, 1]), np.uint64(keys[v, 2]), bits)
        while table[slot] >= 0:
            slot = (slot + 1) & ((1 << bits) - 1)
        table[slot] = v
    return table


@inlined
def _bits_for(length: int) -> int:
    """The bits of a table that is at most half full with `length` keys."""
    bits = 6
    while (1 << bits) < 2 * length:
        bits += 1
    return bits


@kernel
def weld_facets(
    patterns: npt.NDArray[np.uint32],
    numbers: npt.NDArray[np.float32],
    words: npt.NDArray[np.uint16],
    first: int,
    length: int,
    cos_limit: float,
    table: npt.NDArray[np.int32],
    out_faces: npt.NDArray[np.int32],
    out_keys: npt.NDArray[np.uint32],
    out_origin: npt.NDArray[np.int32],
    out_counts: npt.NDArray[np.int64],
) -> tuple[int, npt.NDArray[np.int32]]:
    """Weld some facets of a binary STL to earlier ones of the same range, and compare their stored normals on the way.

    Args:
        patterns: (k, 12) uint32: each record's normal and three corners as bit patterns.
        numbers: (k, 12) float32: the same memory as numbers.
        words: (k,) uint16: the attribute words.
        first: number of the first of these facets in the file.
        length: vertices of the range so far, the first rows of `out_keys` and `out_origin`.
        cos_limit: a stored normal disagrees when the cosine of its angle to the facet's own is below this.
        table: (2**bits,) int32: slots of those vertices, −1 where free; not to be used afterwards.
        out_faces: (m, 3) int32: rows [first, first + k) become numbers of vertices within the range.
        out_keys: (q, 3) uint32: position of each vertex as bit patterns, −0 as +0; room for three more per facet.
        out_origin: (q,) int32: corner 3*facet + corner where each vertex occurs first.
        out_counts: (4,) int64: see `DISAGREE` and those after it; added to.

    Returns:
        How many vertices the range has now, in order of first occurrence; and the table of their slots.
    """
    negative_zero = np.uint32(0x80000000)
    bits = 0
    while (1 << bits) < len(table):
        bits += 1
    for f in range(len(words)):
        for c in range(3):
            x, y, z = patterns[f, 3 * c + 3], patterns[f, 3 * c + 4], patterns[f, 3 * c + 5]
            x = np.uint32(0) if x == negative_zero else x
            y = np.uint32(0) if y == negative_zero else y
            z = np.uint32(0) if z == negative_zero else z
            slot = _slot(np.uint64(x), np.uint64(y), np.uint64(z), bits)
            while True:
                v = table[slot]
                if v < 0:
                    v = length
                    table[slot] = v
                    out_keys[v, 0], out_keys[v, 1], out_keys[v, 2] = x, y, z
                    out_origin[v] = 3 * (first + f) + c
                    length += 1
                    if 2 * length > (1 << bits):
                        bits += 1
                        table = _grown(out_keys, length, bits)
                    break
                if out_keys[v, 0] == x and out_keys[v, 1] == y and out_keys[v, 2] == z:
                    break
                slot = (slot + 1) & ((1 << bits) - 1)
            out_faces[first + f, c] = v
        ax, ay, az = np.float64(numbers[f, 3]), np.float64(numbers[f, 4]), np.float64(numbers[f, 5])
        ux, uy, uz = np.float64(numbers[f, 6]) - ax, np.float64(numbers[f, 7]) - ay, np.float64(numbers[f, 8]) - az
        vx, vy, vz = np.float64(numbers[f, 9]) - ax, np.float64(numbers[f, 10]) - ay, np.float64(numbers[f, 11]) - az
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        sx, sy, sz = np.float64(numbers[f, 0]), np.float64(numbers[f, 1]), np.float64(numbers[f, 2])
        stored_square = sx * sx + sy * sy + sz * sz
        if stored_square == 0.0:
            out_counts[ZERO] += 1
        elif not np.isfinite(stored_square):
            out_counts[NONFINITE_NORMAL] += 1
        else:
            dot = nx * sx + ny * sy + nz * sz
            normal_square = nx * nx + ny * ny + nz * nz
            if normal_square > 0.0 and (dot < 0.0 or dot * dot < cos_limit * cos_limit * normal_square * stored_square):
                out_counts[DISAGREE] += 1
        if words[f] != 0:
            out_counts[ATTRIBUTE] += 1
    return length, table


@inlined
def _weld_keys(keys: npt.NDArray[np.unsignedinteger], out_remap: npt.NDArray[np.int32]) -> int:
    """Number the rows of `keys` by first occurrence; return how many different ones there are."""
    bits = _bits_for(len(keys))
    table = np.full(1 << bits, -1, np.int32)
    length = 0
    for i in range(len(keys)):
        x, y, z = keys[i, 0], keys[i, 1], keys[i, 2]
        slot = _slot(np.uint64(x), np.uint64(y), np.uint64(z), bits)
        while True:
            first = table[slot]
            if first < 0:
                table[slot] = i
                out_remap[i] = length
                length += 1
                break
            if keys[first, 0] == x and keys[first, 1] == y and keys[first, 2] == z:
                out_remap[i] = out_remap[first]
                break
            slot = (slot + 1) & ((1 << bits) - 1)
    return length


@kernel
def weld_positions(vertices: npt.NDArray[np.float64], out_remap: npt.NDArray[np.int32]) -> int:
    """Number the vertices' positions, bit-equal ones (−0 as +0; equal NaN patterns too) alike, by first occurrence.

    Args:
        vertices: (n, 3) float64.
        out_remap: (n,) int32: the number of each vertex's position.

    Returns:
        How many different positions there are; 0 for no vertices.
    """
    # x + 0.0 turns −0 into +0 and leaves every other number as it is, a NaN's pattern included.
    return _weld_keys((vertices + 0.0).view(np.uint64), out_remap)


@kernel
def merge_part(
    table: npt.NDArray[np.int32],
    length: int,
    start: int,
    n_added: int,
    lo: int,
    hi: int,
    out_keys: npt.NDArray[np.uint32],
    out_origin: npt.NDArray[np.int32],
    out_faces: npt.NDArray[np.int32],
) -> tuple[int, npt.NDArray[np.int32]]:
    """Weld what `weld_facets` found in one range to what it found in all ranges before.

    Args:
        table: (2**bits,) int32: slots of the first `length` rows of `out_keys`; not to be used afterwards.
        length: vertices so far, the first rows of `out_keys` and `out_origin`.
        start: row where the range's vertices begin, not before `length`.
        n_added: how many vertices the range has.
        lo: first facet of the range.
        hi: facet after its last.
        out_keys: (k, 3) uint32: the range's new vertices are moved up to follow the others.
        out_origin: (k,) int32: likewise.
        out_faces: (m, 3) int32: rows [lo, hi) are renumbered.

    Returns:
        How many vertices there are now, in order of first occurrence, and the table of their slots.
    """
    bits = 0
    while (1 << bits) < len(table):
        bits += 1
    remap = np.empty(n_added, np.int32)
    for i in range(start, start + n_added):
        x, y, z = out_keys[i, 0], out_keys[i, 1], out_keys[i, 2]
        slot = _slot(np.uint64(x), np.uint64(y), np.uint64(z), bits)
        while True:
            v = table[slot]
            if v < 0:
                v = length
                table[slot] = v
                out_keys[v, 0], out_keys[v, 1], out_keys[v, 2] = x, y, z
                out_origin[v] = out_origin[i]
                length += 1
                if 2 * length > (1 << bits):
                    bits += 1
                    table = _grown(out_keys, length, bits)
                break
            if out_keys[v, 0] == x and out_keys[v, 1] == y and out_keys[v, 2] == z:
                break
            slot = (slot + 1) & ((1 << bits) - 1)
        remap[i - start] = v
    for f in range(lo, hi):
        for c in range(3):
            out_faces[f, c] = remap[out_faces[f, c]]
    return length, table
