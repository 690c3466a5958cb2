"""Certified fans: positions around which no two faces can meet but where they hang together.

Project the faces around a position along the main axis of their summed normal. If every corner there turns the same
way, exactly, then each face covers a sector of less than half a turn. If every sector begins where another ends, by
vertex number, the sectors go around a whole number of times, and how often is counted by those that hold one fixed
direction. Once around means that sectors do not overlap; then two faces share a common edge, or the position alone,
since all that they share lies above what their projections share. A chain of sectors that leaves some direction free
goes around less than once. Nothing is estimated: turns are exact predicates, and the rest is comparing numbers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined, kernel
from meshguard.kernels.predicates import orient2d
from meshguard.kernels.sorting import sort_in_place

_FEW = 24
"""Corners around a position up to which each pair is compared; above, they are sorted."""


@kernel
def certify_fans(
    positions: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    skipped: npt.NDArray[np.bool_],
    lo: int,
    hi: int,
    out_certified: npt.NDArray[np.bool_],
    out_valence: npt.NDArray[np.int32],
) -> None:
    """Certify the fans of the positions [lo, hi).

    Args:
        positions: (p, 3) float64.
        corners: (m, 3) int32: positions of each face's corners.
        skipped: (m,) bool: faces that take no part: a non-finite corner, or exactly collinear ones.
        lo: first position.
        hi: position after the last.
        out_certified: (p,) bool: whether the faces around each position that take part meet in common edges and the
            position only.
        out_valence: (p,) int32: how many they are.
    """
    starts = np.zeros(hi - lo + 1, np.int32)
    for f in range(len(corners)):
        if not skipped[f]:
            for c in range(3):
                v = corners[f, c]
                if lo <= v < hi:
                    starts[v - lo + 1] += 1
    for i in range(1, len(starts)):
        starts[i] += starts[i - 1]
    around = np.empty(starts[-1], np.int32)
    for f in range(len(corners)):
        if not skipped[f]:
            for c in range(3):
                v = corners[f, c]
                if lo <= v < hi:
                    around[starts[v - lo]] = 3 * f + c
                    starts[v - lo] += 1
    most = first = 0
    for i in range(hi - lo):
        most = max(most, starts[i] - first)  # filling moved each start to the next
        first = starts[i]
    begins, ends = np.empty(most, np.int32), np.empty(most, np.int32)
    first = 0
    for v in range(lo, hi):
        last = starts[v - lo]
        for i in range(first, last):
            f, c = np.divmod(around[i], np.int32(3))
            begins[i - first], ends[i - first] = corners[f, (c + 1) % 3], corners[f, (c + 2) % 3]
        out_valence[v] = last - first
        out_certified[v] = last > first and _is_certain(positions, v, begins[: last - first], ends[: last - first])
        first = last


@inlined
def _is_certain(
    positions: npt.NDArray[np.float64], v: int, begins: npt.NDArray[np.int32], ends: npt.NDArray[np.int32]
) -> bool:
    """Whether the sectors around a position, each from one vertex to another, do not overlap; the arrays are spent."""
    count = len(begins)
    vx, vy, vz = positions[v, 0], positions[v, 1], positions[v, 2]
    nx = ny = nz = 0.0
    for i in range(count):
        u, w = begins[i], ends[i]
        ax, ay, az = positions[u, 0] - vx, positions[u, 1] - vy, positions[u, 2] - vz
        bx, by, bz = positions[w, 0] - vx, positions[w, 1] - vy, positions[w, 2] - vz
        nx += ay * bz - az * by
        ny += az * bx - ax * bz
        nz += ax * by - ay * bx
    # Two axes of the projection, so ordered that the summed normal looks at the reader.
    sx, sy, sz = abs(nx), abs(ny), abs(nz)
    x, y, along = (1, 2, nx) if sx >= sy and sx >= sz else (2, 0, ny) if sy >= sz else (0, 1, nz)
    if along < 0.0:
        x, y = y, x
    vx, vy = positions[v, x], positions[v, y]
    east = west = north = south = 0
    for i in range(count):
        u, w = begins[i], ends[i]
        ux, uy, wx, wy = positions[u, x], positions[u, y], positions[w, x], positions[w, y]
        if orient2d(ux, uy, wx, wy, vx, vy) <= 0:
            return False
        # A sector holds its first direction and not its last. Turning left by less than half a turn, it holds east,
        # say, exactly when it begins at or below the axis and ends above it.
        east += (uy <= vy) & (wy > vy)
        west += (uy >= vy) & (wy < vy)
        north += (ux >= vx) & (wx < vx)
        south += (ux <= vx) & (wx > vx)
    loose = _loose_ends(begins, ends)
    if loose == 0:
        return east == 1
    return loose == 1 and (east == 0 or west == 0 or north == 0 or south == 0)


@inlined
def _loose_ends(begins: npt.NDArray[np.int32], ends: npt.NDArray[np.int32]) -> int:
    """How many sectors begin where none ends; a large number where two begin at one vertex, or two end there."""
    count = len(begins)
    loose = 0
    if count <= _FEW:
        for i in range(count):
            met = 0
            for j in range(count):
                met += ends[j] == begins[i]
                if j < i and (begins[j] == begins[i] or ends[j] == ends[i]):
                    return count + 2
            loose += met == 0
        return loose
    sort_in_place(begins)
    sort_in_place(ends)
    j = 0
    for i in range(count):
        if i > 0 and (begins[i] == begins[i - 1] or ends[i] == ends[i - 1]):
            return count + 2
        while j < count and ends[j] < begins[i]:
            j += 1
        loose += j == count or ends[j] != begins[i]
    return loose
