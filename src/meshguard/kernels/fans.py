"""Certified fans: positions around which no two faces share more than a common edge, or the position itself.

Look along an axis along which every face around a position turns the same way, beyond any rounding. Then each face
covers a sector of less than half a turn. Where every edge at the position has two faces that run along it in opposite
directions, each sector begins where another one ends. So the sectors form rings, and each ring goes around once or more
often. How often all of them together go around is the number of sectors that hold one fixed direction. Once means that
there is one ring and that no sectors overlap. Then two faces share a common edge or the position alone, since all that
they share lies above what their projections share.

With a boundary there is a chain of sectors too. Where some direction is left free, the chain is all there is, and it
goes around less than once. Nothing is estimated: turns are signs that a filter is sure of, and the rest compares
numbers. A position where anything else is found has no certificate.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import kernel
from meshguard.kernels.topology import BOUNDARY, CHUNK
from meshguard.kernels.triangles import NONFINITE, REPEATED, TURNS

_EAST, _ANYWHERE = 1, 15


@kernel
def certify_fans(
    positions: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    spans: npt.NDArray[np.int32],
    twins: npt.NDArray[np.int32],
    flags: npt.NDArray[np.uint16],
    lo: int,
    hi: int,
    out_certified: npt.NDArray[np.bool_],
    out_valence: npt.NDArray[np.int32],
) -> None:
    """Certify the fans of the positions [lo, hi).

    Args:
        positions: (p, 3) float64.
        corners: (m, 3) int32: positions of each face's corners.
        spans: (chunks, 2) int32: lowest and highest position of each `CHUNK` faces.
        twins: (3m,) int32, from `topology.group_edges`.
        flags: (m,) uint16, from `triangles.measure_faces`.
        lo: first position.
        hi: position after the last.
        out_certified: (p,) bool: whether the faces around each position that take part in edges meet in common edges
            and the position only; False without such faces.
        out_valence: (p,) int32: how many faces that is.
    """
    flat = corners.ravel()
    turns = np.full(hi - lo, 63, np.uint8)  # bit i: all faces so far have bit i of `TURNS`
    ends = np.zeros(hi - lo, np.uint8)  # 1: a boundary edge leaves; 2: one arrives
    held = np.zeros(hi - lo, np.uint8)  # bit i: a sector holds direction i; bit i + 4: two do
    edge = np.empty(3, np.uint8)
    for v in range(lo, hi):
        out_valence[v] = 0
    for chunk in range(len(spans)):
        if spans[chunk, 0] >= hi or spans[chunk, 1] < lo:
            continue
        for f in range(chunk * CHUNK, min((chunk + 1) * CHUNK, len(corners))):
            if flags[f] & (NONFINITE | REPEATED) != 0:
                continue
            for c in range(3):
                g = twins[3 * f + c]
                edge[c] = (1 if g == BOUNDARY else 2) if g < 0 else 2 * int(flat[g] == corners[f, c])
            for c in range(3):
                v = corners[f, c]
                if lo <= v < hi:
                    i = v - lo
                    out_valence[v] += 1
                    leaves, arrives = edge[c], edge[c - 1]
                    ending = (leaves & 1) | ((arrives & 1) << 1)
                    if leaves >= 2 or arrives >= 2 or ends[i] & ending != 0:
                        turns[i] = 0
                    ends[i] |= ending
                    turns[i] &= flags[f] // TURNS
    for chunk in range(len(spans)):
        if spans[chunk, 0] >= hi or spans[chunk, 1] < lo:
            continue
        for f in range(chunk * CHUNK, min((chunk + 1) * CHUNK, len(corners))):
            if flags[f] & (NONFINITE | REPEATED) != 0:
                continue
            for c in range(3):
                v = corners[f, c]
                if not lo <= v < hi or turns[v - lo] == 0:
                    continue
                u, w = corners[f, (c + 1) % 3], corners[f, (c + 2) % 3]
                ways = turns[v - lo]
                # The two axes of the projection, in the order in which sectors turn left.
                if ways & 3 != 0:
                    x, y = (1, 2) if ways & 1 != 0 else (2, 1)
                elif ways & 12 != 0:
                    x, y = (2, 0) if ways & 4 != 0 else (0, 2)
                else:
                    x, y = (0, 1) if ways & 16 != 0 else (1, 0)
                vx, vy = positions[v, x], positions[v, y]
                ux, uy, wx, wy = positions[u, x], positions[u, y], positions[w, x], positions[w, y]
                # A sector holds its first direction but not its last. As it turns left by less than half a turn, it
                # holds east, for example, exactly when it begins at or below the axis and ends above it.
                holds = int((uy <= vy) & (wy > vy)) * _EAST
                holds |= int((uy >= vy) & (wy < vy)) << 1
                holds |= int((ux >= vx) & (wx < vx)) << 2
                holds |= int((ux <= vx) & (wx > vx)) << 3
                held[v - lo] |= holds | ((holds & held[v - lo]) << 4)
    for v in range(lo, hi):
        once, twice, ending = held[v - lo] & _ANYWHERE, held[v - lo] >> 4, ends[v - lo]
        is_ring = ending == 0 and once & ~twice & _EAST != 0
        out_certified[v] = turns[v - lo] != 0 and (is_ring or (ending == 3 and once != _ANYWHERE))
