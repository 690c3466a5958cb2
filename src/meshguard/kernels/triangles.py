"""What each face shows by itself: area, exact degeneracy, needles, caps, short edges."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from meshguard.kernels._jit import kernel
from meshguard.kernels.predicates import FILTER_2D, are_collinear

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

NONFINITE = 1
"""A corner is NaN or infinite."""
REPEATED = 2
"""Two corners are one position."""
COLLINEAR = 4
"""The corners are exactly collinear; set with REPEATED too."""
NEEDLE = 8
"""The longest edge is more than the limit times the shortest."""
CAP = 16
"""The largest angle is beyond the limit."""
SHORT = 32
"""Half-edge 0 is shorter than the limit; the next two bits are for half-edges 1 and 2."""
OUTSIDE_EXACT = 256
"""A coordinate lies outside the range in which predicates are exact."""

TURNS = 512
"""Seen along x the corners turn left, beyond any rounding; the next five bits: right along x, left and right along y
and along z. The axis points at the observer. None of these is set for a collinear face."""

_LEAST, _MOST = 1e-70, 1e70


@kernel
def measure_faces(
    positions: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    lo: int,
    hi: int,
    aspect: float,
    cap_cos: float,
    short: float,
    out_area: npt.NDArray[np.float64],
    out_flags: npt.NDArray[np.uint16],
) -> None:
    """Measure the faces [lo, hi).

    Args:
        positions: (p, 3) float64, mm.
        corners: (m, 3) int32: positions of each face's corners.
        lo: first face.
        hi: face after the last.
        aspect: a face is a needle when its longest edge is more than this times its shortest.
        cap_cos: a face is a cap when the cosine of its largest angle is below this, which is negative.
        short: an edge shorter than this (mm) is short.
        out_area: (m,) float64: area in mm2, 0 for faces with a non-finite corner.
        out_flags: (m,) uint16: bits from `NONFINITE` on. Needles and caps have area, and no face is both.
    """
    for f in range(lo, hi):
        a, b, c = corners[f, 0], corners[f, 1], corners[f, 2]
        ax, ay, az = positions[a, 0], positions[a, 1], positions[a, 2]
        bx, by, bz = positions[b, 0], positions[b, 1], positions[b, 2]
        cx, cy, cz = positions[c, 0], positions[c, 1], positions[c, 2]
        out_area[f] = 0.0
        out_flags[f] = 0
        if not math.isfinite(ax + ay + az + bx + by + bz + cx + cy + cz):
            # The sum may overflow though every corner is finite.
            finite = True
            for value in (ax, ay, az, bx, by, bz, cx, cy, cz):
                finite = finite and math.isfinite(value)
            if not finite:
                out_flags[f] = NONFINITE
                continue
        flags = 0
        greatest = max(abs(ax), abs(ay), abs(az), abs(bx), abs(by), abs(bz), abs(cx), abs(cy), abs(cz))
        least = min(abs(ax), abs(ay), abs(az), abs(bx), abs(by), abs(bz), abs(cx), abs(cy), abs(cz))
        if greatest > _MOST or least < _LEAST:
            for value in (ax, ay, az, bx, by, bz, cx, cy, cz):
                size = abs(value)
                if size > _MOST or (size < _LEAST and size != 0.0):
                    flags |= OUTSIDE_EXACT
        ux, uy, uz = bx - ax, by - ay, bz - az
        vx, vy, vz = cx - bx, cy - by, cz - bz
        wx, wy, wz = ax - cx, ay - cy, az - cz
        yz, zy, zx, xz, xy, yx = uy * vz, uz * vy, uz * vx, ux * vz, ux * vy, uy * vx
        nx, ny, nz = yz - zy, zx - xz, xy - yx
        if flags == 0:
            rx, ry, rz = abs(yz) + abs(zy), abs(zx) + abs(xz), abs(xy) + abs(yx)  # `orient2d`'s filter, three times
            flags |= (int(nx > FILTER_2D * rx) + 2 * int(-nx > FILTER_2D * rx)) * TURNS
            flags |= (int(ny > FILTER_2D * ry) + 2 * int(-ny > FILTER_2D * ry)) * (TURNS << 2)
            flags |= (int(nz > FILTER_2D * rz) + 2 * int(-nz > FILTER_2D * rz)) * (TURNS << 4)
        area = 0.5 * math.sqrt(nx * nx + ny * ny + nz * nz)
        out_area[f] = area if math.isfinite(area) else 0.0
        u = ux * ux + uy * uy + uz * uz
        v = vx * vx + vy * vy + vz * vz
        w = wx * wx + wy * wy + wz * wz
        longest = max(u, v, w)
        shortest = min(u, v, w)
        repeated = a == b or b == c or c == a
        if repeated:
            flags |= REPEATED | COLLINEAR
        elif area * area <= 1e-20 * longest * longest and are_collinear(ax, ay, az, bx, by, bz, cx, cy, cz):
            # Exactly collinear corners give a cross product of rounding errors only, far below that bound.
            flags |= COLLINEAR
        else:
            # By the law of cosines, with both sides squared: the largest angle is obtuse and beyond the limit.
            middle = max(min(u, v), min(max(u, v), w))
            excess = longest - shortest - middle
            if excess > 0.0 and excess * excess > 4.0 * cap_cos * cap_cos * shortest * middle:
                flags |= CAP
            elif longest > aspect * aspect * shortest:
                flags |= NEEDLE
        if u < short * short:
            flags |= SHORT
        if v < short * short:
            flags |= SHORT << 1
        if w < short * short:
            flags |= SHORT << 2
        out_flags[f] = flags
