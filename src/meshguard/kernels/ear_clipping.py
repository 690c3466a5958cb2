"""One polygon cut into triangles inside it: convex ones at once, others by clipping ears, decided without rounding.

A polygon is looked at along the axis that its normal is nearest to. That leaves two of the three coordinates as they
are, so the exact predicates decide about the very numbers of the file, and no rounding can choose a diagonal outside.

A simple polygon that has more than three corners has two ears: corners whose triangle holds no other corner of it, not
even on its border (Meisters, Polygons have ears, 1975). Corners in the middle of a straight side never become an ear
but end others, so no triangle is without area. Clipping an ear leaves a simple polygon.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined
from meshguard.kernels.predicates import orient2d

NON_PLANAR, SELF_TOUCHING, NO_AREA, TOO_LARGE = 8, 16, 32, 64
"""What was found of a polygon: corners off its plane; sides that cross or touch; collinear, coincident or non-finite
corners; not convex and too many corners."""

MOST_CORNERS = 8192
"""Clipping takes time with the square of the corners: at this number a fifth of a second. Larger polygons that are not
convex become a fan."""

_PLANAR_SHARE = 0.01
"""A polygon is planar where its corners keep within this share of its size: within 10 µm for one of 1 mm."""

_ROUNDING = 4.8e-7
"""What rounding to float32 may move a corner by, as a share of its largest coordinate, eight times over."""

_FARTHEST = 1e70
"""The predicates are exact up to here."""

_Indices = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]


@inlined
def turn(u: _Floats, v: _Floats, i: int, j: int, k: int) -> int:
    """1 where corners i, j, k turn left, −1 right, 0 where they are exactly collinear."""
    return orient2d(u[i], v[i], u[j], v[j], u[k], v[k])


@inlined
def is_off_plane(spread: float, reach: float, normal: float) -> bool:
    """Whether heights spread over more than `_PLANAR_SHARE`: times the normal's length, squares of size and normal."""
    return spread * spread > _PLANAR_SHARE * _PLANAR_SHARE * reach * normal


@inlined
def is_more_than_rounding(spread: float, reach: float, largest: float) -> bool:
    """Whether heights spread over more than rounding to float32 explains, at a largest coordinate."""
    return spread > _ROUNDING * largest * reach


@inlined
def project(
    vertices: _Floats, items: npt.NDArray[np.int64], first: int, length: int, out_u: _Floats, out_v: _Floats
) -> int:
    """Write a polygon's corners, seen so that they go around to the left by Newell's normal; return its flags.

    Coordinates are not changed: one is dropped, and the other two may change places.
    """
    origin = items[first]
    ox, oy, oz = vertices[origin, 0], vertices[origin, 1], vertices[origin, 2]
    largest = max(abs(ox), abs(oy), abs(oz))
    total = largest
    px = py = pz = nx = ny = nz = reach = ax = ay = az = 0.0
    for i in range(1, length):
        corner = items[first + i]
        x, y, z = vertices[corner, 0], vertices[corner, 1], vertices[corner, 2]
        size = max(abs(x), abs(y), abs(z))
        total += abs(x) + abs(y) + abs(z)
        largest = max(largest, size)
        x, y, z = x - ox, y - oy, z - oz
        reach = max(reach, x * x + y * y + z * z)
        cx, cy, cz = py * z - pz * y, pz * x - px * z, px * y - py * x
        nx, ny, nz = nx + cx, ny + cy, nz + cz
        ax, ay, az = ax + abs(cx), ay + abs(cy), az + abs(cz)
        px, py, pz = x, y, z
    if not total <= _FARTHEST:  # not a number included
        return NO_AREA
    if abs(nx) + abs(ny) + abs(nz) > 1e-12 * (ax + ay + az):
        ax, ay, az = abs(nx), abs(ny), abs(nz)
    # Else what goes round to the left and to the right cancels out, as in an hourglass.
    axis = 2 if az >= ax and az >= ay else (1 if ay >= ax else 0)
    first_axis, second_axis = (axis + 1) % 3, (axis + 2) % 3
    if (nz if axis == 2 else (ny if axis == 1 else nx)) < 0.0:
        first_axis, second_axis = second_axis, first_axis
    lowest = highest = 0.0
    for i in range(length):
        corner = items[first + i]
        height = (vertices[corner, 0] - ox) * nx + (vertices[corner, 1] - oy) * ny + (vertices[corner, 2] - oz) * nz
        lowest, highest = min(lowest, height), max(highest, height)
        out_u[i], out_v[i] = vertices[corner, first_axis], vertices[corner, second_axis]
    spread = highest - lowest
    squared = nx * nx + ny * ny + nz * nz
    is_off = is_off_plane(spread, reach, squared) and is_more_than_rounding(spread, reach, largest)
    return NON_PLANAR if is_off else 0


@inlined
def is_convex(u: _Floats, v: _Floats, length: int) -> bool:
    """Whether a polygon turns one way at every corner, nowhere goes straight on, and goes around once."""
    lefts = rights = changes = 0
    first_sign = last_sign = 0
    for i in range(length):
        j = i + 1 if i + 1 < length else 0
        k = j + 1 if j + 1 < length else 0
        side = turn(u, v, i, j, k)
        if side > 0:
            lefts += 1
        elif side < 0:
            rights += 1
        if lefts < i + 1 and rights < i + 1:
            return False
        sign = int(u[j] > u[i]) - int(u[j] < u[i])
        if sign != 0:
            if first_sign == 0:
                first_sign = sign
            elif sign != last_sign:
                changes += 1
            last_sign = sign
    return changes + int(first_sign != last_sign) == 2


@inlined
def is_flat(u: _Floats, v: _Floats, length: int) -> bool:
    """Whether all corners lie exactly on one line."""
    other = 1
    while other < length - 1 and u[other] == u[0] and v[other] == v[0]:
        other += 1
    turns = 0
    for i in range(other + 1, length):
        turns += abs(turn(u, v, 0, other, i))
    return turns == 0


@inlined
def _goes_back(u: _Floats, v: _Floats, a: int, b: int, c: int) -> bool:
    """Of collinear a, b, c: whether c lies on a's side of b, or b on one of them."""
    if (u[a] == u[b] and v[a] == v[b]) or (u[b] == u[c] and v[b] == v[c]):
        return True
    if u[a] != u[b]:
        return bool((u[a] < u[b]) == (u[c] < u[b]))
    return bool((v[a] < v[b]) == (v[c] < v[b]))


@inlined
def _are_beside(u: _Floats, v: _Floats, a: int, b: int, c: int, d: int) -> bool:
    """Whether c and d lie on the same side of the line a, b, and not on it."""
    side = 0
    for corner in (c, d):
        side += turn(u, v, a, b, corner)
    return abs(side) == 2


@inlined
def touches_itself(u: _Floats, v: _Floats, length: int) -> bool:
    """Whether two sides of a polygon have a point in common other than the corner that they share."""
    for i in range(length):
        i_end = i + 1 if i + 1 < length else 0
        i_after = i_end + 1 if i_end + 1 < length else 0
        if turn(u, v, i, i_end, i_after) == 0 and _goes_back(u, v, i, i_end, i_after):
            return True
        u_low, u_high = min(u[i], u[i_end]), max(u[i], u[i_end])
        v_low, v_high = min(v[i], v[i_end]), max(v[i], v[i_end])
        for j in range(i + 2, length if i > 0 else length - 1):
            j_end = j + 1 if j + 1 < length else 0
            if max(u[j], u[j_end]) < u_low or min(u[j], u[j_end]) > u_high:
                continue
            if max(v[j], v[j_end]) < v_low or min(v[j], v[j_end]) > v_high:
                continue
            if not _are_beside(u, v, i, i_end, j, j_end) and not _are_beside(u, v, j, j_end, i, i_end):
                return True
    return False


@inlined
def orient_left(u: _Floats, v: _Floats, length: int) -> None:
    """Let a simple polygon go around to the left, by the corner that is farthest out, where a normal may be rounded."""
    far = 0
    for i in range(1, length):
        if u[i] < u[far] or (u[i] == u[far] and v[i] < v[far]):
            far = i
    if turn(u, v, (far - 1) % length, far, (far + 1) % length) < 0:
        for i in range(length):
            u[i], v[i] = v[i], u[i]


@inlined
def _enters(u: _Floats, v: _Floats, a: int, b: int, c: int, before: int, after: int) -> bool:
    """Whether a chain `before`, b's place, `after` goes strictly into the angle at b of the triangle a, b, c."""
    for corner in (before, after):
        lefts = 0
        for start, end in ((a, b), (b, c)):
            lefts += int(turn(u, v, start, end, corner) > 0)
        if lefts == 2:
            return True
    return False


@inlined
def _blocker(
    u: _Floats,
    v: _Floats,
    b: int,
    before: _Indices,
    after: _Indices,
    reflex: _Indices,
    n_reflex: int,
    is_reflex: npt.NDArray[np.bool_],
    start: int,
) -> int:
    """Where, from `start` on, the list of reflex corners has one that lies in the triangle at b; −1 for nowhere.

    A corner in the place of one of the triangle's own is in the way only if the polygon goes on from it into the
    triangle: so holes that a seam joins to the border are cut as they should be. Where it goes back at once by the same
    two sides, all that is left has no area, and the triangle would cover what is outside.
    """
    a, c = before[b], after[b]
    u_low, u_high = min(u[a], u[b], u[c]), max(u[a], u[b], u[c])
    v_low, v_high = min(v[a], v[b], v[c]), max(v[a], v[b], v[c])
    for k in range(start, n_reflex):
        p = reflex[k]
        if not is_reflex[p] or p == a or p == c:
            continue
        x, y = u[p], v[p]
        if x < u_low or x > u_high or y < v_low or y > v_high:
            continue
        is_inside = True
        for start_corner, end_corner in ((a, b), (b, c), (c, a)):
            is_inside = is_inside and turn(u, v, start_corner, end_corner, p) >= 0
        if not is_inside:
            continue
        same = -1
        for corner in (a, b, c):
            if x == u[corner] and y == v[corner]:
                same = corner
        if same >= 0:
            previous = a if same == b else (c if same == a else b)
            following = c if same == b else (b if same == a else a)
            goes_back = same == b and before[p] == c and after[p] == a
            if not goes_back and not _enters(u, v, previous, same, following, before[p], after[p]):
                continue
        return k
    return -1


@inlined
def _least_bad(u: _Floats, v: _Floats, start: int, before: _Indices, after: _Indices) -> int:
    """The corner to clip where there is no ear: a spike, else one that turns left, else one that goes straight on."""
    best, least = start, 4
    i = start
    while True:
        side = turn(u, v, before[i], i, after[i])
        rank = 1 if side > 0 else 3
        if side == 0:
            rank = 0 if _goes_back(u, v, before[i], i, after[i]) else 2
        if rank < least:
            best, least = i, rank
        i = after[i]
        if i == start:
            return best


@inlined
def _list_reflex(
    u: _Floats,
    v: _Floats,
    before: _Indices,
    after: _Indices,
    corner: int,
    count: int,
    reflex: _Indices,
    n_reflex: int,
    is_reflex: npt.NDArray[np.bool_],
    is_listed: npt.NDArray[np.bool_],
) -> int:
    """Note of some corners in a row whether they are reflex or straight, and list those; return the list's length."""
    for _ in range(count):
        is_reflex[corner] = turn(u, v, before[corner], corner, after[corner]) <= 0
        if is_reflex[corner] and not is_listed[corner]:
            is_listed[corner] = True
            reflex[n_reflex] = corner
            n_reflex += 1
        corner = after[corner]
    return n_reflex


@inlined
def clip(
    u: _Floats,
    v: _Floats,
    length: int,
    before: _Indices,
    after: _Indices,
    reflex: _Indices,
    scanned: _Indices,
    is_reflex: npt.NDArray[np.bool_],
    is_listed: npt.NDArray[np.bool_],
    out_corners: _Indices,
) -> None:
    """Write the length − 2 triangles, as corner numbers, of a polygon that goes around to the left.

    Reflex corners can only become fewer, so a triangle that one of them blocks is looked at again from that corner on:
    in all, each of less than 3 · length triangles passes the list of reflex corners once.

    Args:
        u: (length,) float64: first coordinates.
        v: (length,) float64: second coordinates.
        length: corners, four or more.
        before: scratch, like the next five: int64 or bool, (length,) each.
        after: the corners that are left form a ring.
        reflex: a list of corners that are, or have been, reflex or straight.
        scanned: how far the list has been passed for the triangle at each corner.
        is_reflex: of corners that are left, whether they do not turn left.
        is_listed: whether a corner is in the list.
        out_corners: (length − 2, 3) int64: triangles that go around to the left; all of them have an area where the
            polygon is simple.
    """
    for i in range(length):
        before[i] = i - 1 if i > 0 else length - 1
        after[i] = i + 1 if i + 1 < length else 0
        scanned[i] = 0
        is_listed[i] = False
    n_reflex = _list_reflex(u, v, before, after, 0, length, reflex, 0, is_reflex, is_listed)
    corner = passed = count = 0
    left = length
    while left > 3:
        is_ear = not is_reflex[corner]
        if is_ear:
            place = _blocker(u, v, corner, before, after, reflex, n_reflex, is_reflex, scanned[corner])
            if place >= 0:
                scanned[corner] = place
                is_ear = False
        if not is_ear:
            passed += 1
            if passed < left:
                corner = after[corner]
                continue
            corner = _least_bad(u, v, after[corner], before, after)
        a, c = before[corner], after[corner]
        out_corners[count, 0], out_corners[count, 1], out_corners[count, 2] = a, corner, c
        count += 1
        after[a], before[c] = c, a
        is_reflex[corner] = False
        left -= 1
        passed = 0
        scanned[a] = scanned[c] = 0
        n_reflex = _list_reflex(u, v, before, after, a, 2, reflex, n_reflex, is_reflex, is_listed)
        corner = after[c]
    out_corners[count, 0], out_corners[count, 1], out_corners[count, 2] = before[corner], corner, after[corner]
