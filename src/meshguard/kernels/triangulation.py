"""Polygons and strips cut into triangles."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined, kernel
from meshguard.kernels.ear_clipping import (
    MOST_CORNERS,
    NO_AREA,
    NON_PLANAR,
    SELF_TOUCHING,
    TOO_LARGE,
    clip,
    is_convex,
    is_flat,
    orient_left,
    project,
    touches_itself,
    turn,
)

__all__ = [
    "MOST_CORNERS",
    "NON_PLANAR",
    "NO_AREA",
    "OUT_OF_RANGE",
    "POLYGON",
    "SELF_TOUCHING",
    "TOO_FEW",
    "TOO_LARGE",
    "TRIANGLE",
    "triangulate",
]

TRIANGLE, POLYGON, TOO_FEW, OUT_OF_RANGE = 0, 1, 2, 3
"""What became of a face: kept; cut into triangles; left out for fewer than three corners; left out for a missing
vertex."""

_TIE = 1.0 - 2.0**-20
"""One diagonal is shorter than another where its square is, by more than rounding to float32 can do."""


@inlined
def _second_diagonal(
    vertices: npt.NDArray[np.float64],
    items: npt.NDArray[np.int64],
    first: int,
    u: npt.NDArray[np.float64],
    v: npt.NDArray[np.float64],
    is_planar: bool,
) -> tuple[bool, int]:
    """Whether a quad is cut from its second corner to its fourth rather than from first to third, and its flags.

    A diagonal is inside if the other two corners lie on either side of it. Where only one is, it is taken. Where both
    are, the quad is convex: if it is planar the shorter is taken. Else the choice would change the surface, and the
    first diagonal is taken, as nearly every program does.
    """
    # Whether the two corners beside each diagonal turn the same way, that is, lie on either side of it.
    even_turns = odd_turns = turned = 0
    for i in range(4):
        side = turn(u, v, (i + 3) & 3, i, (i + 1) & 3)
        turned |= side
        if i & 1:
            odd_turns += side
        else:
            even_turns += side
    if abs(odd_turns) < 2:
        if abs(even_turns) == 2:
            return True, 0
        return False, SELF_TOUCHING if turned else NO_AREA
    if abs(even_turns) < 2 or not is_planar:
        return False, 0
    length_02 = length_13 = 0.0
    for axis in range(3):
        difference = vertices[items[first + 2], axis] - vertices[items[first], axis]
        length_02 += difference * difference
        difference = vertices[items[first + 3], axis] - vertices[items[first + 1], axis]
        length_13 += difference * difference
    return length_13 < _TIE * length_02, 0


@kernel
def triangulate(
    lengths: npt.NDArray[np.int32],
    items: npt.NDArray[np.int64],
    vertices: npt.NDArray[np.float64],
    are_strips: bool,
    out_faces: npt.NDArray[np.int32],
    out_origin: npt.NDArray[np.int32],
    out_status: npt.NDArray[np.int8],
) -> tuple[int, int]:
    """Cut polygons into triangles inside them, or strips into triangles of alternating direction.

    Every polygon of n corners becomes n − 2 triangles that keep its sides and its direction. Quads are cut along the
    diagonal that is inside, and planar ones with two such along the shorter (else that from the first corner); convex
    polygons into a fan (0, i, i + 1) from their first corner; others by clipping ears. Those without area, and those
    that are too large, become a fan wherever it lies.

    Args:
        lengths: (rows,) int32: corners of each polygon or strip.
        items: (corners,) int64: their vertices in turn; in a strip −1 begins a new run.
        vertices: (n, 3) float64: positions. A polygon that names a vertex outside [0, n) is left out, and so is each
            such triangle of a strip.
        are_strips: whether rows are strips.
        out_faces: (m, 3) int32: triangles in file order; room for the sum of max(0, length − 2).
        out_origin: (m,) int32: the row that each triangle comes from.
        out_status: (rows,) int8: TRIANGLE, POLYGON, TOO_FEW or OUT_OF_RANGE, of strips TRIANGLE or OUT_OF_RANGE; added
            to POLYGON, any of NON_PLANAR, SELF_TOUCHING, NO_AREA and TOO_LARGE.

    Returns:
        Triangles written, and triangles of strips left out because a corner repeats, as it does where a strip is
        stitched together from several. (0, 0) for no rows.
    """
    n_vertices = len(vertices)
    most = 4
    if not are_strips:
        for row in range(len(lengths)):
            most = max(most, lengths[row])
    u, v = np.empty(most, np.float64), np.empty(most, np.float64)
    most = min(most, MOST_CORNERS)
    before, after = np.empty(most, np.int64), np.empty(most, np.int64)
    reflex, scanned = np.empty(most, np.int64), np.empty(most, np.int64)
    is_reflex, is_listed = np.empty(most, np.bool_), np.empty(most, np.bool_)
    corners = np.empty((most, 3), np.int64)
    triangles = 0
    stitches = 0
    first = 0
    for row in range(len(lengths)):
        length = np.int64(lengths[row])
        status = TRIANGLE
        if are_strips:
            run = 0
            for i in range(length):
                c = items[first + i]
                if c == -1:
                    run = 0
                    continue
                run += 1
                if c < 0 or c >= n_vertices:
                    status = OUT_OF_RANGE
                if run < 3:
                    continue
                a, b = items[first + i - 2], items[first + i - 1]
                if a < 0 or b < 0 or c < 0 or a >= n_vertices or b >= n_vertices or c >= n_vertices:
                    continue
                if a in (b, c) or b == c:
                    stitches += 1
                    continue
                out_faces[triangles, 0] = a if run % 2 == 1 else b
                out_faces[triangles, 1] = b if run % 2 == 1 else a
                out_faces[triangles, 2] = c
                out_origin[triangles] = row
                triangles += 1
        elif length < 3:
            status = TOO_FEW
        else:
            status = TRIANGLE if length == 3 else POLYGON
            for i in range(length):
                if items[first + i] < 0 or items[first + i] >= n_vertices:
                    status = OUT_OF_RANGE
                    break
            is_fan = True
            if status == POLYGON:
                flags = project(vertices, items, first, length, u, v)
                if flags & NO_AREA:
                    pass
                elif length == 4:
                    is_second, found = _second_diagonal(vertices, items, first, u, v, flags == 0)
                    flags |= found
                    if is_second:
                        is_fan = False
                        corners[0, 0], corners[0, 1], corners[0, 2] = 0, 1, 3
                        corners[1, 0], corners[1, 1], corners[1, 2] = 1, 2, 3
                elif not is_convex(u, v, length):
                    if is_flat(u, v, length):
                        flags |= NO_AREA
                    elif length > MOST_CORNERS:
                        flags |= TOO_LARGE
                    else:
                        is_fan = False
                        if touches_itself(u, v, length):
                            flags |= SELF_TOUCHING
                        else:
                            orient_left(u, v, length)
                        clip(u, v, length, before, after, reflex, scanned, is_reflex, is_listed, corners)
                status |= flags
            if not is_fan:
                for i in range(length - 2):
                    for k in range(3):
                        out_faces[triangles, k] = items[first + corners[i, k]]
                    out_origin[triangles] = row
                    triangles += 1
            elif status != OUT_OF_RANGE:
                for i in range(1, length - 1):
                    out_faces[triangles, 0] = items[first]
                    out_faces[triangles, 1] = items[first + i]
                    out_faces[triangles, 2] = items[first + i + 1]
                    out_origin[triangles] = row
                    triangles += 1
        out_status[row] = status
        first += length
    return triangles, stitches
