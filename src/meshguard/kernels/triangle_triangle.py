"""How two triangles intersect: in a point, a segment, an area, or not at all. Exactly, by signs alone.

Two triangles in different planes each cut the other's plane in an interval of the line that the planes share. Whether
and how the intervals overlap follows from the order of their ends, and the order of two ends from one orientation of
four corners (Guigue and Devillers, Fast and Robust Triangle-Triangle Overlap Test Using Orientation Predicates, 2003;
here for every degenerate case too, and with points distinguished from segments). Triangles in one plane are convex
polygons: an edge line of one separates them, or they overlap.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined
from meshguard.kernels.predicates import orient2d, orient3d

NOTHING, POINT, EDGE_SEGMENT, SEGMENT, AREA = 0, 1, 2, 3, 4
"""What two triangles have in common: EDGE_SEGMENT is a segment along an edge of one of them."""

_Positions = npt.NDArray[np.float64]


@inlined
def side(positions: _Positions, a: int, b: int, c: int, d: int) -> int:
    """`orient3d` of four positions."""
    return orient3d(
        positions[a, 0], positions[a, 1], positions[a, 2],
        positions[b, 0], positions[b, 1], positions[b, 2],
        positions[c, 0], positions[c, 1], positions[c, 2],
        positions[d, 0], positions[d, 1], positions[d, 2],
    )  # fmt: skip


@inlined
def turn(positions: _Positions, x: int, y: int, a: int, b: int, c: int) -> int:
    """`orient2d` of three positions in the plane of two axes."""
    return orient2d(
        positions[a, x], positions[a, y], positions[b, x], positions[b, y], positions[c, x], positions[c, y]
    )


@inlined
def _ends(a: int, b: int, c: int, side_a: int, side_b: int, side_c: int) -> tuple[int, int, int, int, bool]:
    """The two ends of the interval in which triangle a, b, c cuts a plane, on whose sides its corners lie.

    Each end is a pair of corners (upper, lower): the first is not below the plane, the second not above it, and one of
    them is off it. The end is where their segment meets the plane. The last value says whether the interval is a point.
    """
    # Rotate the corners so that a is alone on its side, or is the one on the plane.
    if side_b * side_c < 0:
        if side_a == 0:  # the plane goes through a and cuts the opposite edge
            upper, lower = (b, c) if side_b > 0 else (c, b)
            return (a, lower, upper, lower, False)
        alone_b = side_b == -side_a and side_c == side_a
        if alone_b:
            a, b, c, side_a, side_b, side_c = b, c, a, side_b, side_c, side_a
        else:
            a, b, c, side_a, side_b, side_c = c, a, b, side_c, side_a, side_b
    if side_a == 0:
        corner_off, side_off = (b, side_b) if side_b != 0 else (c, side_c)
        upper, lower = (corner_off, a) if side_off > 0 else (a, corner_off)
        if side_b == 0:  # a and b on the plane
            other_upper, other_lower = (corner_off, b) if side_off > 0 else (b, corner_off)
            return (upper, lower, other_upper, other_lower, False)
        if side_c == 0:
            other_upper, other_lower = (corner_off, c) if side_off > 0 else (c, corner_off)
            return (upper, lower, other_upper, other_lower, False)
        return (upper, lower, upper, lower, True)
    if side_b == 0 and side_c == 0:
        if side_a > 0:
            return (a, b, a, c, False)
        return (b, a, c, a, False)
    if side_b == 0 or side_c == 0:
        corner_on, corner_off, side_off = (b, c, side_c) if side_b == 0 else (c, b, side_b)
        if side_off == side_a:
            upper, lower = (a, corner_on) if side_a > 0 else (corner_on, a)
            return (upper, lower, upper, lower, True)
        if side_a > 0:
            return (corner_on, corner_off, a, corner_off, False)
        return (corner_on, a, corner_off, a, False)
    # a alone on its side, b and c on the other
    if side_a > 0:
        return (a, b, a, c, False)
    return (b, a, c, a, False)


@inlined
def intersection_kind(positions: _Positions, a: int, b: int, c: int, d: int, e: int, f: int) -> int:
    """What triangles a, b, c and d, e, f have in common; neither is degenerate. Corners may be shared."""
    side_d, side_e, side_f = side(positions, a, b, c, d), side(positions, a, b, c, e), side(positions, a, b, c, f)
    if (side_d > 0 and side_e > 0 and side_f > 0) or (side_d < 0 and side_e < 0 and side_f < 0):
        return NOTHING
    if side_d == 0 and side_e == 0 and side_f == 0:
        return _coplanar_intersection_kind(positions, a, b, c, d, e, f)
    side_a, side_b, side_c = side(positions, d, e, f, a), side(positions, d, e, f, b), side(positions, d, e, f, c)
    if (side_a > 0 and side_b > 0 and side_c > 0) or (side_a < 0 and side_b < 0 and side_c < 0):
        return NOTHING
    p, q, r, s, first_is_point = _ends(a, b, c, side_a, side_b, side_c)
    t, u, v, w, second_is_point = _ends(d, e, f, side_d, side_e, side_f)
    any_before = any_after = any_equal = False
    for first in range(2):
        upper, lower = (p, q) if first == 0 else (r, s)
        for second in range(2):
            over, under = (t, u) if second == 0 else (v, w)
            order = side(positions, upper, lower, over, under)
            any_before |= order < 0
            any_after |= order > 0
            any_equal |= order == 0
    if not (any_before and any_after):
        return POINT if any_equal else NOTHING
    if first_is_point or second_is_point:
        return POINT
    on_edge = (side_a == 0) + (side_b == 0) + (side_c == 0) == 2 or (side_d == 0) + (side_e == 0) + (side_f == 0) == 2
    return EDGE_SEGMENT if on_edge else SEGMENT


@inlined
def _coplanar_intersection_kind(positions: _Positions, a: int, b: int, c: int, d: int, e: int, f: int) -> int:
    """What triangles a, b, c and d, e, f of one plane have in common."""
    x, y = 0, 1
    orientation = turn(positions, x, y, a, b, c)
    if orientation == 0:
        x, y = 1, 2
        orientation = turn(positions, x, y, a, b, c)
        if orientation == 0:
            x, y = 2, 0
            orientation = turn(positions, x, y, a, b, c)
    if orientation < 0:
        b, c = c, b
    if turn(positions, x, y, d, e, f) < 0:
        e, f = f, e
    touching = False
    for _ in range(2):  # the edges of the first, then of the second
        for edge in range(3):
            if edge == 0:
                p, q = a, b
            elif edge == 1:
                p, q = b, c
            else:
                p, q = c, a
            side_d, side_e, side_f = (
                turn(positions, x, y, p, q, d),
                turn(positions, x, y, p, q, e),
                turn(positions, x, y, p, q, f),
            )
            if side_d > 0 or side_e > 0 or side_f > 0:
                continue
            on_line = (side_d == 0) + (side_e == 0) + (side_f == 0)
            if on_line == 0:
                return NOTHING
            # The line separates. On it lie the edge p, q and a corner or an edge of the second: how do these meet?
            if on_line == 1:
                corner = d if side_d == 0 else e if side_e == 0 else f
                contact = _contact_on_line(positions, x, y, p, q, corner, corner)
            else:
                first, second = (e, f) if side_d != 0 else (d, f) if side_e != 0 else (d, e)
                contact = _contact_on_line(positions, x, y, p, q, first, second)
            if contact != POINT:
                return contact
            touching = True
        a, b, c, d, e, f = d, e, f, a, b, c
    return POINT if touching else AREA


@inlined
def _contact_on_line(positions: _Positions, x: int, y: int, p: int, q: int, r: int, s: int) -> int:
    """What the segments p, q and r, s of one line have in common; r may be s."""
    # Along an axis in which p and q differ, the order on the line is that of the coordinates.
    axis = x if positions[p, x] != positions[q, x] else y
    first_low, first_high = min(positions[p, axis], positions[q, axis]), max(positions[p, axis], positions[q, axis])
    second_low, second_high = min(positions[r, axis], positions[s, axis]), max(positions[r, axis], positions[s, axis])
    low, high = max(first_low, second_low), min(first_high, second_high)
    if low > high:
        return NOTHING
    return POINT if low == high else EDGE_SEGMENT


@inlined
def folds(positions: _Positions, a: int, b: int, c: int, d: int) -> bool:
    """Whether triangles a, b, c and a, b, d lie in one plane, on one side of their common edge a, b."""
    if side(positions, a, b, c, d) != 0:
        return False
    for axis in range(3):
        x, y = axis, (axis + 1) % 3
        first_turn = turn(positions, x, y, a, b, c)
        if first_turn != 0:
            return first_turn == turn(positions, x, y, a, b, d)
    return False
