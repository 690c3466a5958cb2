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
    is_more_than_rounding,
    is_off_plane,
    orient_left,
    project,
    touches_itself,
    turn,
)
from meshguard.kernels.predicates import FILTER_2D

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
def _certain_quad(
    vertices: npt.NDArray[np.float64], items: npt.NDArray[np.int64], first: int
) -> tuple[bool, int, bool, bool]:
    """Whether rounding leaves a quad's turns certain · NON_PLANAR or 0 · which of its diagonals are inside.

    Nearly every quad is decided here, from registers alone. The rest is for `_exact_quad`.
    """
    a, b, c, d = (
        np.uint64(items[first]),
        np.uint64(items[first + 1]),
        np.uint64(items[first + 2]),
        np.uint64(items[first + 3]),
    )
    ax, ay, az = vertices[a, 0], vertices[a, 1], vertices[a, 2]
    bx, by, bz = vertices[b, 0], vertices[b, 1], vertices[b, 2]
    cx, cy, cz = vertices[c, 0], vertices[c, 1], vertices[c, 2]
    dx, dy, dz = vertices[d, 0], vertices[d, 1], vertices[d, 2]
    abx, aby, abz = bx - ax, by - ay, bz - az
    acx, acy, acz = cx - ax, cy - ay, cz - az
    adx, ady, adz = dx - ax, dy - ay, dz - az
    bcx, bcy, bcz = cx - bx, cy - by, cz - bz
    bdx, bdy, bdz = dx - bx, dy - by, dz - bz
    nx, ny, nz = acy * bdz - acz * bdy, acz * bdx - acx * bdz, acx * bdy - acy * bdx
    # The diagonals lie in two parallel planes, this far from one another (times the normal's length).
    spread = abs(abx * nx + aby * ny + abz * nz)
    reach = max(acx * acx + acy * acy + acz * acz, bdx * bdx + bdy * bdy + bdz * bdz)
    flags = 0
    if is_off_plane(spread, reach, nx * nx + ny * ny + nz * nz):
        largest = max(
            max(abs(ax), abs(ay), abs(az), abs(bx), abs(by), abs(bz)),
            max(abs(cx), abs(cy), abs(cz), abs(dx), abs(dy), abs(dz)),
        )
        flags = NON_PLANAR if is_more_than_rounding(spread, reach, largest) else 0
    if abs(nz) >= abs(nx) and abs(nz) >= abs(ny):
        pass
    elif abs(ny) >= abs(nx):
        abx, aby, acx, acy, adx, ady, bcx, bcy, bdx, bdy = abz, abx, acz, acx, adz, adx, bcz, bcx, bdz, bdx
    else:
        abx, aby, acx, acy, adx, ady, bcx, bcy, bdx, bdy = aby, abz, acy, acz, ady, adz, bcy, bcz, bdy, bdz
    more_0, less_0 = abx * ady, aby * adx
    more_1, less_1 = abx * acy, aby * acx
    more_2, less_2 = bcx * bdy, bcy * bdx
    more_3, less_3 = acx * ady, acy * adx
    is_certain = (
        (abs(more_0 - less_0) > FILTER_2D * (abs(more_0) + abs(less_0)))
        & (abs(more_1 - less_1) > FILTER_2D * (abs(more_1) + abs(less_1)))
        & (abs(more_2 - less_2) > FILTER_2D * (abs(more_2) + abs(less_2)))
        & (abs(more_3 - less_3) > FILTER_2D * (abs(more_3) + abs(less_3)))
    )
    return is_certain, flags, (more_1 > less_1) == (more_3 > less_3), (more_0 > less_0) == (more_2 > less_2)


@inlined
def _exact_quad(u: npt.NDArray[np.float64], v: npt.NDArray[np.float64]) -> tuple[int, bool, bool]:
    """SELF_TOUCHING, NO_AREA or 0 for a quad, and which of its diagonals are inside."""
    even_turns = odd_turns = turned = 0
    for i in range(4):
        side = turn(u, v, (i + 3) & 3, i, (i + 1) & 3)
        turned |= side
        if i & 1:
            odd_turns += side
        else:
            even_turns += side
    if abs(odd_turns) < 2 and abs(even_turns) < 2:
        return SELF_TOUCHING if turned else NO_AREA, False, False
    return 0, abs(odd_turns) == 2, abs(even_turns) == 2


@inlined
def _is_second_shorter(vertices: npt.NDArray[np.float64], items: npt.NDArray[np.int64], first: int) -> bool:
    """Whether the diagonal from a quad's second corner to its fourth is the shorter one, and not by rounding."""
    length_02 = length_13 = 0.0
    for axis in range(3):
        difference = vertices[items[first + 2], axis] - vertices[items[first], axis]
        length_02 += difference * difference
        difference = vertices[items[first + 3], axis] - vertices[items[first + 1], axis]
        length_13 += difference * difference
    return length_13 < _TIE * length_02


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
        length = lengths[row] + 0  # a 64-bit integer, as its numbers of corners are
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
                if length == 4:
                    # A diagonal is inside if the corners beside it lie on either side of it, that is, if the polygon
                    # turns the same way at both. Of two such the shorter is taken if the quad is planar. Else the
                    # choice would change the surface: the first is taken then, as nearly every program does.
                    is_certain, flags, is_first, is_second = _certain_quad(vertices, items, first)
                    if not (is_certain and (is_first or is_second)):
                        flags = project(vertices, items, first, length, u, v)
                        is_first, is_second = True, False
                        if not flags & NO_AREA:
                            found, is_first, is_second = _exact_quad(u, v)
                            flags |= found
                    if is_second and (not is_first or (flags == 0 and _is_second_shorter(vertices, items, first))):
                        is_fan = False
                        corners[0, 0], corners[0, 1], corners[0, 2] = 0, 1, 3
                        corners[1, 0], corners[1, 1], corners[1, 2] = 1, 2, 3
                    status |= flags
                    flags = 0
                else:
                    flags = project(vertices, items, first, length, u, v)
                if length == 4 or flags & NO_AREA:
                    pass
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
