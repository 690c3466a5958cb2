"""Faces cut to a slab of space and into parts, so that the boxes of long faces fit them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined, kernel

_MOST_PARTS = 4096
"""Parts of one face in a slab, at most: bounds the work where a face is far longer than a slab is thick."""


@inlined
def _clip(
    points: npt.NDArray[np.float64],
    count: int,
    axis: int,
    bound: float,
    sign: float,
    out_points: npt.NDArray[np.float64],
) -> int:
    """Write the part of a convex polygon where sign * coordinate >= sign * bound, rounded; return its size."""
    n_out = 0
    for i in range(count):
        j = i + 1 if i + 1 < count else 0
        distance, next_distance = sign * (points[i, axis] - bound), sign * (points[j, axis] - bound)
        if distance >= 0.0:
            for d in range(3):
                out_points[n_out, d] = points[i, d]
            n_out += 1
        if (distance < 0.0 < next_distance) or (next_distance < 0.0 < distance):
            t = distance / (distance - next_distance)
            for d in range(3):
                out_points[n_out, d] = points[i, d] + t * (points[j, d] - points[i, d])
            n_out += 1
    return n_out


@inlined
def _box(
    points: npt.NDArray[np.float64],
    count: int,
    out_least: npt.NDArray[np.float64],
    out_greatest: npt.NDArray[np.float64],
) -> None:
    """Write the smallest and largest coordinates of some points, at least one."""
    for d in range(3):
        out_least[d] = out_greatest[d] = points[0, d]
        for i in range(1, count):
            out_least[d] = min(out_least[d], points[i, d])
            out_greatest[d] = max(out_greatest[d], points[i, d])


@kernel
def cut_faces(
    positions: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    faces: npt.NDArray[np.int32],
    axis: int,
    low: float,
    high: float,
    size: float,
    slack: float,
    out_ends: npt.NDArray[np.float64],
    out_face: npt.NDArray[np.int32],
) -> int:
    """Cut faces to a slab, and what is then longer than a size along another axis into parts; box the parts.

    Clipping (Sutherland and Hodgman, Reentrant Polygon Clipping, 1974) rounds. So every cut is made `slack` farther
    out, and each point of a face in the slab lies in one of that face's boxes, to within `slack`.

    Args:
        positions: (p, 3) float64.
        corners: (m, 3) int32: positions of each face's corners.
        faces: (k,) int32: the faces to cut.
        axis: across the slab: 0, 1 or 2.
        low: where the slab begins; may be infinite.
        high: where it ends.
        size: roughly how long parts are.
        slack: more than the rounding of four cuts, 1e-13 of the largest coordinate.
        out_ends: (2 * q, 3) float64: smallest and largest coordinates of each part, in turn; filled as far as it
            reaches.
        out_face: (q,) int32: the face that each part is cut from.

    Returns:
        How many parts there are, even where that is more than q.
    """
    most = len(out_face)
    clipped, part = np.empty((12, 3), np.float64), np.empty((12, 3), np.float64)
    scratch = np.empty((12, 3), np.float64)
    least, greatest = np.empty(3, np.float64), np.empty(3, np.float64)
    count = 0
    for f in faces:
        for c in range(3):
            for d in range(3):
                scratch[c, d] = positions[corners[f, c], d]
        corner_count = _clip(scratch, 3, axis, low - slack, 1.0, part)
        corner_count = _clip(part, corner_count, axis, high + slack, -1.0, clipped)
        if corner_count == 0:
            continue
        along, extent = axis, -1.0
        _box(clipped, corner_count, least, greatest)
        for d in range(3):
            if d != axis and greatest[d] - least[d] > extent:
                along, extent = d, greatest[d] - least[d]
        parts = 1
        if extent > size:
            parts = int(min(np.ceil(extent / size), float(_MOST_PARTS)))
        start = least[along]
        for i in range(parts):
            if parts > 1:
                begin = -np.inf if i == 0 else start + extent * (i / parts)
                end = np.inf if i == parts - 1 else start + extent * ((i + 1) / parts)
                part_corners = _clip(clipped, corner_count, along, begin - slack, 1.0, scratch)
                part_corners = _clip(scratch, part_corners, along, end + slack, -1.0, part)
                if part_corners == 0:
                    continue
                _box(part, part_corners, least, greatest)
            if count < most:
                for d in range(3):
                    out_ends[2 * count, d], out_ends[2 * count + 1, d] = least[d], greatest[d]
                out_face[count] = f
            count += 1
    return count
