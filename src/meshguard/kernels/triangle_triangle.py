"""How two triangles meet: a point, a segment, an area, or not at all. Exactly, by signs alone.

Of two triangles in different planes each cuts the other's plane in an interval of the common line of the planes.
Whether and how the intervals overlap follows from the order of their ends, and each of these from one orientation of
four corners (Guigue and Devillers, Fast and Robust Triangle-Triangle Overlap Test Using Orientation Predicates, 2003;
here for every degenerate case too, and telling a point from a segment). Triangles in one plane are convex polygons: an
edge line of one separates them, or they overlap.
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
def _ends(a: int, b: int, c: int, at_a: int, at_b: int, at_c: int) -> tuple[int, int, int, int, bool]:
    """The two ends of the interval in which triangle a, b, c cuts a plane, on whose sides its corners lie.

    Each end is a pair of corners (upper, lower), the first not below and the second not above the plane, one of them
    off
    it: the end is where their segment meets the plane. The last value says whether the interval is one point.
    """
    # Turn the triangle so that corner a is alone on its side, or the one on the plane.
    if at_b * at_c < 0:
        if at_a == 0:  # the plane goes through a and cuts the opposite edge
            upper, lower = (b, c) if at_b > 0 else (c, b)
            return (a, lower, upper, lower, False)
        alone_b = at_b == -at_a and at_c == at_a
        if alone_b:
            a, b, c, at_a, at_b, at_c = b, c, a, at_b, at_c, at_a
        else:
            a, b, c, at_a, at_b, at_c = c, a, b, at_c, at_a, at_b
    if at_a == 0:
        other, at_other = (b, at_b) if at_b != 0 else (c, at_c)
        upper, lower = (other, a) if at_other > 0 else (a, other)
        if at_b == 0:  # a and b on the plane
            second_upper, second_lower = (other, b) if at_other > 0 else (b, other)
            return (upper, lower, second_upper, second_lower, False)
        if at_c == 0:
            second_upper, second_lower = (other, c) if at_other > 0 else (c, other)
            return (upper, lower, second_upper, second_lower, False)
        return (upper, lower, upper, lower, True)
    if at_b == 0 and at_c == 0:
        if at_a > 0:
            return (a, b, a, c, False)
        return (b, a, c, a, False)
    if at_b == 0 or at_c == 0:
        zero, other, at_other = (b, c, at_c) if at_b == 0 else (c, b, at_b)
        if at_other == at_a:
            upper, lower = (a, zero) if at_a > 0 else (zero, a)
            return (upper, lower, upper, lower, True)
        if at_a > 0:
            return (zero, other, a, other, False)
        return (zero, a, other, a, False)
    # a alone on its side, b and c on the other
    if at_a > 0:
        return (a, b, a, c, False)
    return (b, a, c, a, False)


@inlined
def meeting(positions: _Positions, a: int, b: int, c: int, d: int, e: int, f: int) -> int:
    """What triangles a, b, c and d, e, f have in common; neither is degenerate. Corners may be shared."""
    at_d, at_e, at_f = side(positions, a, b, c, d), side(positions, a, b, c, e), side(positions, a, b, c, f)
    if (at_d > 0 and at_e > 0 and at_f > 0) or (at_d < 0 and at_e < 0 and at_f < 0):
        return NOTHING
    if at_d == 0 and at_e == 0 and at_f == 0:
        return _meeting_in_plane(positions, a, b, c, d, e, f)
    at_a, at_b, at_c = side(positions, d, e, f, a), side(positions, d, e, f, b), side(positions, d, e, f, c)
    if (at_a > 0 and at_b > 0 and at_c > 0) or (at_a < 0 and at_b < 0 and at_c < 0):
        return NOTHING
    p, q, r, s, one_point = _ends(a, b, c, at_a, at_b, at_c)
    t, u, v, w, other_point = _ends(d, e, f, at_d, at_e, at_f)
    some_before = some_after = some_equal = False
    for first in range(2):
        upper, lower = (p, q) if first == 0 else (r, s)
        for second in range(2):
            over, under = (t, u) if second == 0 else (v, w)
            order = side(positions, upper, lower, over, under)
            some_before |= order < 0
            some_after |= order > 0
            some_equal |= order == 0
    if not (some_before and some_after):
        return POINT if some_equal else NOTHING
    if one_point or other_point:
        return POINT
    on_edge = (at_a == 0) + (at_b == 0) + (at_c == 0) == 2 or (at_d == 0) + (at_e == 0) + (at_f == 0) == 2
    return EDGE_SEGMENT if on_edge else SEGMENT


@inlined
def _meeting_in_plane(positions: _Positions, a: int, b: int, c: int, d: int, e: int, f: int) -> int:
    """The same for triangles in one plane."""
    x, y = 0, 1
    whole = turn(positions, x, y, a, b, c)
    if whole == 0:
        x, y = 1, 2
        whole = turn(positions, x, y, a, b, c)
        if whole == 0:
            x, y = 2, 0
            whole = turn(positions, x, y, a, b, c)
    if whole < 0:
        b, c = c, b
    if turn(positions, x, y, d, e, f) < 0:
        e, f = f, e
    touching = False
    for _ in range(2):  # the edges of one, then of the other
        for edge in range(3):
            if edge == 0:
                p, q = a, b
            elif edge == 1:
                p, q = b, c
            else:
                p, q = c, a
            at_d, at_e, at_f = (
                turn(positions, x, y, p, q, d),
                turn(positions, x, y, p, q, e),
                turn(positions, x, y, p, q, f),
            )
            if at_d > 0 or at_e > 0 or at_f > 0:
                continue
            on_line = (at_d == 0) + (at_e == 0) + (at_f == 0)
            if on_line == 0:
                return NOTHING
            # The line separates; on it lies the edge p, q and a corner or an edge of the other: how do these meet?
            if on_line == 1:
                corner = d if at_d == 0 else e if at_e == 0 else f
                contact = _contact_on_line(positions, x, y, p, q, corner, corner)
            else:
                first, second = (e, f) if at_d != 0 else (d, f) if at_e != 0 else (d, e)
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
    p_at, q_at = min(positions[p, axis], positions[q, axis]), max(positions[p, axis], positions[q, axis])
    r_at, s_at = min(positions[r, axis], positions[s, axis]), max(positions[r, axis], positions[s, axis])
    low, high = max(p_at, r_at), min(q_at, s_at)
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
        here = turn(positions, x, y, a, b, c)
        if here != 0:
            return here == turn(positions, x, y, a, b, d)
    return False
