"""Triangulate the polygon of a hole so that the largest dihedral angle is least, then the area.

Barequet and Sharir (Filling Gaps in the Boundary of a Polyhedron, 1995) gave the dynamic programme, Liepa (Filling
Holes in Meshes, 2003) the weight. Its work grows with the cube of the number of corners, so polygons with more corners
than a given number are shortened first, by cutting off their best ears.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined, kernel

_NO_ANGLE = -2.0
"""Less than the weight of any angle, which is minus its cosine."""


@inlined
def is_narrow(points: npt.NDArray[np.float64], a: int, b: int, c: int) -> bool:
    """Whether three corners are collinear, exactly or nearly (1e-10 radians); with a repeated corner they are.

    Exactly collinear corners give a cross product of rounding errors only, far below this bound. So a face that passes
    is not degenerate, and no exact predicate has to be compiled here.
    """
    ax, ay, az = points[a, 0], points[a, 1], points[a, 2]
    ux, uy, uz = points[b, 0] - ax, points[b, 1] - ay, points[b, 2] - az
    vx, vy, vz = points[c, 0] - ax, points[c, 1] - ay, points[c, 2] - az
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    longest = max(ux * ux + uy * uy + uz * uz, vx * vx + vy * vy + vz * vz)
    return not nx * nx + ny * ny + nz * nz > 1e-20 * longest * longest


@inlined
def holds_edge(edges: npt.NDArray[np.int64], length: int, a: int, b: int) -> bool:
    """Whether sorted keys lower * length + higher hold the edge a, b."""
    key = np.int64(min(a, b)) * length + max(a, b)
    lo, hi = 0, len(edges)
    while lo < hi:
        middle = (lo + hi) // 2
        if edges[middle] < key:
            lo = middle + 1
        else:
            hi = middle
    return lo < len(edges) and edges[lo] == key


@inlined
def _unit_normal(points: npt.NDArray[np.float64], a: int, b: int, c: int, out_normal: npt.NDArray[np.float64]) -> float:
    """Write the unit normal of a triangle (NaN where it has none); return its area."""
    ax, ay, az = points[a, 0], points[a, 1], points[a, 2]
    ux, uy, uz = points[b, 0] - ax, points[b, 1] - ay, points[b, 2] - az
    vx, vy, vz = points[c, 0] - ax, points[c, 1] - ay, points[c, 2] - az
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    size = math.sqrt(nx * nx + ny * ny + nz * nz)
    out_normal[0], out_normal[1], out_normal[2] = nx / size, ny / size, nz / size
    return 0.5 * size


@inlined
def _turn(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    """Minus the cosine of the angle between two unit normals; the least weight where one is unknown."""
    turn = -(first[0] * second[0] + first[1] * second[1] + first[2] * second[2])
    return turn if turn == turn else _NO_ANGLE


@inlined
def _ear(
    points: npt.NDArray[np.float64],
    polygon: npt.NDArray[np.int32],
    across: npt.NDArray[np.float64],
    edges: npt.NDArray[np.int64],
    before: int,
    corner: int,
    after: int,
    normal: npt.NDArray[np.float64],
) -> float:
    """The cost of cutting off a corner: its new edge squared, more for a turn; infinite where that is not allowed."""
    a, b, c = polygon[before], polygon[corner], polygon[after]
    if a == c or holds_edge(edges, len(points), a, c) or is_narrow(points, a, b, c):
        return math.inf
    _unit_normal(points, a, b, c, normal)
    turn = max(_turn(normal, across[before]), _turn(normal, across[corner]))
    dx, dy, dz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
    # An ear that folds back (a reflex corner) costs far more than any that does not, however long that one is.
    fold = 1.0 + 50.0 * max(0.0, 1.0 + turn) ** 2
    cost: float = (dx * dx + dy * dy + dz * dz) * (fold if turn < -0.2 else 1e6 * fold)
    return cost


@inlined
def _cut_ears(
    points: npt.NDArray[np.float64],
    polygon: npt.NDArray[np.int32],
    across: npt.NDArray[np.float64],
    edges: npt.NDArray[np.int64],
    most: int,
    out_faces: npt.NDArray[np.int32],
) -> tuple[int, int]:
    """Cut off the cheapest ear until `most` corners are left, in place; return how many corners and faces there are."""
    count = len(polygon)
    before, after = np.empty(count, np.int32), np.empty(count, np.int32)
    cost = np.empty(count, np.float64)
    normal = np.empty(3, np.float64)
    for i in range(count):
        before[i], after[i] = (i - 1) % count, (i + 1) % count
    for i in range(count):
        cost[i] = _ear(points, polygon, across, edges, before[i], i, after[i], normal)
    faces = 0
    n_corners = count
    while n_corners > most:
        best = 0
        for i in range(count):
            if cost[i] < cost[best]:
                best = i
        if cost[best] == math.inf:
            break
        lo, hi = before[best], after[best]
        a, b, c = polygon[lo], polygon[best], polygon[hi]
        out_faces[faces, 0], out_faces[faces, 1], out_faces[faces, 2] = a, b, c
        faces += 1
        n_corners -= 1
        # The next ears are compared with this ear's normal and those before it: one small ear's normal says little.
        _unit_normal(points, a, b, c, normal)
        square = 0.0
        for d in range(3):
            for component in (across[lo, d], across[best, d]):
                normal[d] += component if component == component else 0.0
            square += normal[d] * normal[d]
        for d in range(3):
            across[lo, d] = normal[d] / math.sqrt(square) if square > 0.0 else math.nan
        after[lo], before[hi] = hi, lo
        cost[best] = math.inf
        after[best] = -1
        cost[lo] = _ear(points, polygon, across, edges, before[lo], lo, after[lo], normal)
        cost[hi] = _ear(points, polygon, across, edges, before[hi], hi, after[hi], normal)
    n_left = 0
    for i in range(count):
        if after[i] >= 0:
            polygon[n_left] = polygon[i]
            for d in range(3):
                across[n_left, d] = across[i, d]
            n_left += 1
    return n_left, faces


@inlined
def _choose_tips(
    points: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    normals: npt.NDArray[np.float64],
    edges: npt.NDArray[np.int64],
    out_turns: npt.NDArray[np.float64],
    out_areas: npt.NDArray[np.float64],
    out_choice: npt.NDArray[np.int32],
) -> None:
    """Find the best triangulation of each part of a polygon, from short parts to the whole.

    Part i, j is what the chord from corner i to corner j cuts off. Its choice is the tip of the triangle on that chord,
    −1 for none; its turn and its area are those of the best triangulation, infinite on entry.
    """
    count = len(corners)
    facing = np.empty((count, count, 3))
    normal = np.empty(3, np.float64)
    for i in range(count - 1):
        out_turns[i, i + 1], out_areas[i, i + 1] = _NO_ANGLE, 0.0
        for d in range(3):
            facing[i, i + 1, d] = normals[i, d]
    for gap in range(2, count):
        for i in range(count - gap):
            j = i + gap
            is_whole_polygon = i == 0 and j == count - 1
            if not is_whole_polygon and (
                corners[i] == corners[j] or holds_edge(edges, len(points), corners[i], corners[j])
            ):
                continue
            for m in range(i + 1, j):
                turn = max(out_turns[i, m], out_turns[m, j])
                if turn > out_turns[i, j] or turn == np.inf:
                    continue
                area = out_areas[i, m] + out_areas[m, j]
                a, b, c = corners[i], corners[m], corners[j]
                if is_narrow(points, a, b, c):
                    continue
                area += _unit_normal(points, a, b, c, normal)
                turn = max(turn, _turn(normal, facing[i, m]), _turn(normal, facing[m, j]))
                if is_whole_polygon:
                    turn = max(turn, _turn(normal, normals[j]))
                if turn < out_turns[i, j] or (turn == out_turns[i, j] and area < out_areas[i, j]):
                    out_turns[i, j], out_areas[i, j], out_choice[i, j] = turn, area, m
                    for d in range(3):
                        facing[i, j, d] = normal[d]


@inlined
def _write_faces(
    corners: npt.NDArray[np.int32], choice: npt.NDArray[np.int32], faces: int, out_faces: npt.NDArray[np.int32]
) -> int:
    """Write the chosen triangles after the first `faces` faces; return how many faces there are."""
    count = len(corners)
    stack = np.empty((count, 2), np.int32)
    stack[0, 0], stack[0, 1] = 0, count - 1
    height = 1
    while height > 0:
        height -= 1
        i, j = stack[height, 0], stack[height, 1]
        m = choice[i, j]
        out_faces[faces, 0], out_faces[faces, 1], out_faces[faces, 2] = corners[i], corners[m], corners[j]
        faces += 1
        if m - i > 1:
            stack[height, 0], stack[height, 1] = i, m
            height += 1
        if j - m > 1:
            stack[height, 0], stack[height, 1] = m, j
            height += 1
    return faces


@kernel
def cut_ears(
    points: npt.NDArray[np.float64],
    edges: npt.NDArray[np.int64],
    most: int,
    out_polygon: npt.NDArray[np.int32],
    out_across: npt.NDArray[np.float64],
    out_faces: npt.NDArray[np.int32],
) -> tuple[int, int]:
    """Cut off the cheapest ears of a polygon until few corners are left; cut in several calls, the ears are the same.

    Args:
        points: (n, 3) float64, mm.
        edges: (e,) int64: see `triangulate_polygon`.
        most: corners that may be left.
        out_polygon: (k,) int32: its corners; those that are left come first.
        out_across: (k, 3) float64: see `triangulate_polygon`; those of the corners that are left come first.
        out_faces: (k - most, 3) int32, oriented as the polygon runs.

    Returns:
        How many corners are left, more than `most` where no other ear can be cut off; and how many faces there are.
    """
    return _cut_ears(points, out_polygon, out_across, edges, most, out_faces)


@kernel
def triangulate_polygon(
    points: npt.NDArray[np.float64],
    polygon: npt.NDArray[np.int32],
    across: npt.NDArray[np.float64],
    edges: npt.NDArray[np.int64],
    most: int,
    out_weight: npt.NDArray[np.float64],
    out_faces: npt.NDArray[np.int32],
) -> int:
    """Triangulate a polygon in space without new vertices.

    The turn between two triangles is weighed by minus the cosine of the angle between their normals. A triangulation
    is better than another when its largest turn is less, where turns against the faces across the polygon's edges count
    too; among equal ones, when its area is less. No chord is an edge that exists already, and no face is collinear. The
    dynamic programme combines the best triangulations of parts, which for a largest angle is not always the best of the
    whole (as Liepa says too).

    Args:
        points: (n, 3) float64, mm.
        polygon: (k,) int32: its corners in order; one point may be several corners.
        across: (k, 3) float64: unit normal of the face across the edge from each corner to the next; NaN for none.
        edges: (e,) int64: sorted keys lower * n + higher of the edges that exist already, the polygon's included.
        most: corners up to which the dynamic programme is used, whose work is most**3 / 6; the ears of longer polygons
            are cut off first, in k * (k - most) steps.
        out_weight: (2,) float64: the largest turn of the dynamic programme's part, and its area in mm2.
        out_faces: (k - 2, 3) int32, oriented as the polygon runs.

    Returns:
        How many faces: k − 2, or 0 where there is no such triangulation.
    """
    corners, normals = polygon.copy(), across.copy()
    count, faces = len(corners), 0
    if count > most:
        count, faces = _cut_ears(points, corners, normals, edges, most, out_faces)
        if count > most:
            return 0
    if count < 3:
        return 0
    turns = np.full((count, count), np.inf)
    areas = np.full((count, count), np.inf)
    choice = np.full((count, count), -1, np.int32)
    _choose_tips(points, corners[:count], normals, edges, turns, areas, choice)
    if choice[0, count - 1] < 0:
        return 0
    out_weight[0], out_weight[1] = turns[0, count - 1], areas[0, count - 1]
    return _write_faces(corners[:count], choice, faces, out_faces)


@kernel
def faces_in_box(
    positions: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    box: npt.NDArray[np.float64],
    out_inside: npt.NDArray[np.bool_],
) -> int:
    """Mark the faces with a corner inside a box; return how many.

    Args:
        positions: (p, 3) float64, mm.
        corners: (m, 3) int32.
        box: (6,) float64: smallest, then largest coordinates, mm; its sides count as inside.
        out_inside: (m,) bool.
    """
    # Each position is tested once, in order: testing the corners face by face takes several times as long.
    within = np.empty(len(positions), np.bool_)
    for v in range(len(positions)):
        x, y, z = positions[v, 0], positions[v, 1], positions[v, 2]
        within[v] = box[0] <= x <= box[3] and box[1] <= y <= box[4] and box[2] <= z <= box[5]
    count = 0
    for f in range(len(corners)):
        out_inside[f] = within[corners[f, 0]] or within[corners[f, 1]] or within[corners[f, 2]]
        count += out_inside[f]
    return count
