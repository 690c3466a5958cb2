"""Closest points, faces within a distance, and hits of rays, by the tree of `kernels.bvh`: measured, not exact.

The closest point of a triangle is Ericson's (Real-Time Collision Detection, 2005, section 5.1.5); rays meet triangles
by Möller and Trumbore (Fast, Minimum Storage Ray/Triangle Intersection, 1997).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined, kernel
from meshguard.kernels.bvh import node_overlaps
from meshguard.kernels.simd_blocks import BLOCK, lowest, overlapping, sharing


@inlined
def _box_distance(nodes: npt.NDArray[np.float32], node: int, x: float, y: float, z: float) -> float:
    """The squared distance from a point to a node's box; infinite for a node that holds nothing."""
    if nodes[node, 0] > nodes[node, 3]:
        return np.inf
    dx: float = max(nodes[node, 0] - x, 0.0, x - nodes[node, 3])
    dy: float = max(nodes[node, 1] - y, 0.0, y - nodes[node, 4])
    dz: float = max(nodes[node, 2] - z, 0.0, z - nodes[node, 5])
    return dx * dx + dy * dy + dz * dz


@inlined
def _closest_on_triangle(
    positions: npt.NDArray[np.float64], a: int, b: int, c: int, x: float, y: float, z: float
) -> tuple[float, float, float]:
    """The point of triangle a, b, c closest to a point."""
    ax, ay, az = positions[a, 0], positions[a, 1], positions[a, 2]
    ux, uy, uz = positions[b, 0] - ax, positions[b, 1] - ay, positions[b, 2] - az
    vx, vy, vz = positions[c, 0] - ax, positions[c, 1] - ay, positions[c, 2] - az
    px, py, pz = x - ax, y - ay, z - az
    d1, d2 = ux * px + uy * py + uz * pz, vx * px + vy * py + vz * pz
    if d1 <= 0.0 and d2 <= 0.0:
        return ax, ay, az
    qx, qy, qz = px - ux, py - uy, pz - uz
    d3, d4 = ux * qx + uy * qy + uz * qz, vx * qx + vy * qy + vz * qz
    if d3 >= 0.0 and d4 <= d3:
        return ax + ux, ay + uy, az + uz
    on_ab = d1 * d4 - d3 * d2
    if on_ab <= 0.0 and d1 >= 0.0 and d3 <= 0.0:
        t = d1 / (d1 - d3)
        return ax + t * ux, ay + t * uy, az + t * uz
    rx, ry, rz = px - vx, py - vy, pz - vz
    d5, d6 = ux * rx + uy * ry + uz * rz, vx * rx + vy * ry + vz * rz
    if d6 >= 0.0 and d5 <= d6:
        return ax + vx, ay + vy, az + vz
    on_ac = d5 * d2 - d1 * d6
    if on_ac <= 0.0 and d2 >= 0.0 and d6 <= 0.0:
        t = d2 / (d2 - d6)
        return ax + t * vx, ay + t * vy, az + t * vz
    on_bc = d3 * d6 - d5 * d4
    if on_bc <= 0.0 and d4 - d3 >= 0.0 and d5 - d6 >= 0.0:
        t = (d4 - d3) / ((d4 - d3) + (d5 - d6))
        return ax + ux + t * (vx - ux), ay + uy + t * (vy - uy), az + uz + t * (vz - uz)
    total = on_ab + on_ac + on_bc
    s, t = on_ac / total, on_ab / total
    return ax + s * ux + t * vx, ay + s * uy + t * vy, az + s * uz + t * vz


@kernel
def closest_points(
    positions: npt.NDArray[np.float64],
    order: npt.NDArray[np.int32],
    nodes: npt.NDArray[np.float32],
    corners: npt.NDArray[np.int32],
    width: int,
    points: npt.NDArray[np.float64],
    lo: int,
    hi: int,
    out_face: npt.NDArray[np.int32],
    out_closest: npt.NDArray[np.float64],
    out_distance: npt.NDArray[np.float64],
) -> None:
    """The point of a surface closest to each of the points [lo, hi).

    Args:
        positions: (p, 3) float64, mm.
        order: (k,) int32, of the tree.
        nodes: (2 * width, 6) float32, of the tree.
        corners: (blocks, 3, BLOCK) int32, of the tree.
        width: of the tree.
        points: (q, 3) float64, mm.
        lo: first point.
        hi: point after the last.
        out_face: (q,) int32: the lowest of the closest faces; −1 without faces or for a non-finite point.
        out_closest: (q, 3) float64: the closest point on it, mm; NaN where there is no face.
        out_distance: (q,) float64: mm; infinite where there is no face.
    """
    stack = np.empty(130, np.int64)
    distances = np.empty(130, np.float64)
    for i in range(lo, hi):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        out_face[i] = -1
        out_closest[i] = np.nan
        out_distance[i] = np.inf
        if len(order) == 0 or not np.isfinite(x + y + z):
            continue
        best = np.inf
        stack[0], distances[0] = 1, 0.0
        height = 1
        while height > 0:
            height -= 1
            node = stack[height]
            if distances[height] > best:
                continue
            if node < width:
                left, right = _box_distance(nodes, 2 * node, x, y, z), _box_distance(nodes, 2 * node + 1, x, y, z)
                first, second = (2 * node, 2 * node + 1) if left <= right else (2 * node + 1, 2 * node)
                stack[height], distances[height] = second, max(left, right)
                stack[height + 1], distances[height + 1] = first, min(left, right)
                height += 2
                continue
            block = node - width
            for k in range(min(BLOCK, len(order) - block * BLOCK)):
                cx, cy, cz = _closest_on_triangle(
                    positions, corners[block, 0, k], corners[block, 1, k], corners[block, 2, k], x, y, z
                )
                square = (cx - x) ** 2 + (cy - y) ** 2 + (cz - z) ** 2
                face = order[block * BLOCK + k]
                if square < best or (square == best and face < out_face[i]):
                    best = square
                    out_face[i] = face
                    out_closest[i, 0], out_closest[i, 1], out_closest[i, 2] = cx, cy, cz
        out_distance[i] = np.sqrt(best)


@kernel
def faces_within(
    positions: npt.NDArray[np.float64],
    order: npt.NDArray[np.int32],
    nodes: npt.NDArray[np.float32],
    boxes: npt.NDArray[np.float32],
    corners: npt.NDArray[np.int32],
    width: int,
    points: npt.NDArray[np.float64],
    apart: npt.NDArray[np.int32],
    distance: float,
    lo: int,
    hi: int,
    most: int,
    out_pairs: npt.NDArray[np.int32],
) -> int:
    """The faces at most a distance away from each of the points [lo, hi).

    Args:
        positions: (p, 3) float64, mm.
        order: (k,) int32, of the tree.
        nodes: (2 * width, 6) float32, of the tree.
        boxes: (blocks, 6, BLOCK) float32, of the tree.
        corners: (blocks, 3, BLOCK) int32, of the tree; a face whose last two corners are one is a segment.
        width: of the tree.
        points: (q, 3) float64, mm; one that is not finite has no face.
        apart: (q, 2) int32: positions that are no corners of the faces of each point.
        distance: mm.
        lo: first point.
        hi: point after the last.
        most: the search stops once there are more pairs.
        out_pairs: (r, 2) int32: point and face, by point, filled as far as it reaches.

    Returns:
        How many pairs there are, even where that is more than r; at most `most` + 1.
    """
    stack = np.empty(130, np.int64)
    low, high = np.float32(-np.inf), np.float32(np.inf)
    count = 0
    for i in range(lo, hi):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        least_x: float = np.nextafter(np.float32(x - distance), low)
        least_y: float = np.nextafter(np.float32(y - distance), low)
        least_z: float = np.nextafter(np.float32(z - distance), low)
        most_x: float = np.nextafter(np.float32(x + distance), high)
        most_y: float = np.nextafter(np.float32(y + distance), high)
        most_z: float = np.nextafter(np.float32(z + distance), high)
        stack[0] = 1
        height = 1
        while height > 0:
            height -= 1
            node = stack[height]
            if not node_overlaps(nodes, node, least_x, least_y, least_z, most_x, most_y, most_z):
                continue
            if node < width:
                stack[height], stack[height + 1] = 2 * node + 1, 2 * node
                height += 2
                continue
            block = node - width
            near = overlapping(boxes, block, least_x, least_y, least_z, most_x, most_y, most_z)
            if near != 0:
                near &= ~sharing(corners, block, apart[i, 0], apart[i, 1], apart[i, 1])
            while near != 0:
                k = lowest(near)
                near &= near - 1
                cx, cy, cz = _closest_on_triangle(
                    positions, corners[block, 0, k], corners[block, 1, k], corners[block, 2, k], x, y, z
                )
                if (cx - x) ** 2 + (cy - y) ** 2 + (cz - z) ** 2 > distance * distance:
                    continue
                if count > most:
                    return count
                if count < len(out_pairs):
                    out_pairs[count, 0], out_pairs[count, 1] = i, order[block * BLOCK + k]
                count += 1
    return count


@kernel
def parallel_faces(
    positions: npt.NDArray[np.float64],
    order: npt.NDArray[np.int32],
    nodes: npt.NDArray[np.float32],
    boxes: npt.NDArray[np.float32],
    corners: npt.NDArray[np.int32],
    width: int,
    face_corners: npt.NDArray[np.int32],
    faces: npt.NDArray[np.int32],
    reach: float,
    least_cos: float,
    lo: int,
    hi: int,
    out_face: npt.NDArray[np.int32],
    out_gap: npt.NDArray[np.float64],
) -> None:
    """For each of the faces [lo, hi), the nearest one over or under its centre that faces the same way.

    Args:
        positions: (p, 3) float64, mm.
        order: (k,) int32, of the tree.
        nodes: (2 * width, 6) float32, of the tree.
        boxes: (blocks, 6, BLOCK) float32, of the tree.
        corners: (blocks, 3, BLOCK) int32, of the tree.
        width: of the tree.
        face_corners: (m, 3) int32: positions of each face's corners.
        faces: (q,) int32: the faces, none of them without area.
        reach: how far along the normal, on both sides, mm.
        least_cos: cosine of the largest angle between the normals of the two faces.
        lo: first of `faces`.
        hi: the one after the last.
        out_face: (q,) int32: the nearest, of several the lowest; −1 for none. It shares no corner with the face.
        out_gap: (q,) float64: how far along the normal it is, less than 0 behind the face, mm; infinite for none.
    """
    stack = np.empty(130, np.int64)
    low, high = np.float32(-np.inf), np.float32(np.inf)
    for i in range(lo, hi):
        out_face[i], out_gap[i] = -1, np.inf
        a, b, c = face_corners[faces[i], 0], face_corners[faces[i], 1], face_corners[faces[i], 2]
        nx, ny, nz = _unit_normal(positions, a, b, c)
        # From behind the face to before it.
        x = (positions[a, 0] + positions[b, 0] + positions[c, 0]) / 3.0 - reach * nx
        y = (positions[a, 1] + positions[b, 1] + positions[c, 1]) / 3.0 - reach * ny
        z = (positions[a, 2] + positions[b, 2] + positions[c, 2]) / 3.0 - reach * nz
        end_x, end_y, end_z = x + 2.0 * reach * nx, y + 2.0 * reach * ny, z + 2.0 * reach * nz
        least_x: float = np.nextafter(np.float32(min(x, end_x)), low)
        most_x: float = np.nextafter(np.float32(max(x, end_x)), high)
        least_y: float = np.nextafter(np.float32(min(y, end_y)), low)
        most_y: float = np.nextafter(np.float32(max(y, end_y)), high)
        least_z: float = np.nextafter(np.float32(min(z, end_z)), low)
        most_z: float = np.nextafter(np.float32(max(z, end_z)), high)
        stack[0] = 1
        height = 1
        while height > 0:
            height -= 1
            node = stack[height]
            if not node_overlaps(nodes, node, least_x, least_y, least_z, most_x, most_y, most_z):
                continue
            if node < width:
                stack[height], stack[height + 1] = 2 * node + 1, 2 * node
                height += 2
                continue
            block = node - width
            near = overlapping(boxes, block, least_x, least_y, least_z, most_x, most_y, most_z)
            if near != 0:
                near &= ~sharing(corners, block, a, b, c)
            while near != 0:
                k = lowest(near)
                near &= near - 1
                d, e, f = corners[block, 0, k], corners[block, 1, k], corners[block, 2, k]
                gap = _ray_meets_face(positions, d, e, f, x, y, z, nx, ny, nz) - reach
                face = order[block * BLOCK + k]
                if gap > reach or abs(gap) > abs(out_gap[i]) or (abs(gap) == abs(out_gap[i]) and face > out_face[i]):
                    continue
                mx, my, mz = _unit_normal(positions, d, e, f)
                if nx * mx + ny * my + nz * mz >= least_cos:
                    out_face[i], out_gap[i] = face, gap


@inlined
def _unit_normal(positions: npt.NDArray[np.float64], a: int, b: int, c: int) -> tuple[float, float, float]:
    """The unit normal of triangle a, b, c; NaN without area."""
    ax, ay, az = positions[a, 0], positions[a, 1], positions[a, 2]
    ux, uy, uz = positions[b, 0] - ax, positions[b, 1] - ay, positions[b, 2] - az
    vx, vy, vz = positions[c, 0] - ax, positions[c, 1] - ay, positions[c, 2] - az
    x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    length = np.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


@kernel
def first_hits(
    positions: npt.NDArray[np.float64],
    order: npt.NDArray[np.int32],
    nodes: npt.NDArray[np.float32],
    corners: npt.NDArray[np.int32],
    width: int,
    origins: npt.NDArray[np.float64],
    directions: npt.NDArray[np.float64],
    lo: int,
    hi: int,
    out_face: npt.NDArray[np.int32],
    out_along: npt.NDArray[np.float64],
) -> None:
    """The first face that each of the rays [lo, hi) meets, from either side.

    Args:
        positions: (p, 3) float64, mm.
        order: (k,) int32, of the tree.
        nodes: (2 * width, 6) float32, of the tree.
        corners: (blocks, 3, BLOCK) int32, of the tree.
        width: of the tree.
        origins: (q, 3) float64, mm.
        directions: (q, 3) float64, of any length but zero.
        lo: first ray.
        hi: ray after the last.
        out_face: (q,) int32: the lowest of the faces met first; −1 for none.
        out_along: (q,) float64: how many lengths of the ray's direction away it is, more than 0; infinite for none.
    """
    stack = np.empty(130, np.int64)
    for i in range(lo, hi):
        ox, oy, oz = origins[i, 0], origins[i, 1], origins[i, 2]
        dx, dy, dz = directions[i, 0], directions[i, 1], directions[i, 2]
        out_face[i], out_along[i] = -1, np.inf
        if len(order) == 0:
            continue
        stack[0] = 1
        height = 1
        while height > 0:
            height -= 1
            node = stack[height]
            if not _ray_meets_box(nodes, node, ox, oy, oz, dx, dy, dz, out_along[i]):
                continue
            if node < width:
                stack[height], stack[height + 1] = 2 * node + 1, 2 * node
                height += 2
                continue
            block = node - width
            for k in range(min(BLOCK, len(order) - block * BLOCK)):
                along = _ray_meets_face(
                    positions, corners[block, 0, k], corners[block, 1, k], corners[block, 2, k], ox, oy, oz, dx, dy, dz
                )
                face = order[block * BLOCK + k]
                if along < out_along[i] or (along == out_along[i] and along < np.inf and face < out_face[i]):
                    out_along[i], out_face[i] = along, face


@inlined
def _ray_meets_box(
    nodes: npt.NDArray[np.float32],
    node: int,
    ox: float,
    oy: float,
    oz: float,
    dx: float,
    dy: float,
    dz: float,
    most: float,
) -> bool:
    """Whether a ray meets a node's box before `most` lengths."""
    if nodes[node, 0] > nodes[node, 3]:
        return False
    near, far = 0.0, most
    for axis in range(3):
        origin, along = (ox, dx) if axis == 0 else (oy, dy) if axis == 1 else (oz, dz)
        low, high = np.float64(nodes[node, axis]) - origin, np.float64(nodes[node, 3 + axis]) - origin
        if along == 0.0:
            if low > 0.0 or high < 0.0:
                return False
            continue
        first, last = low / along, high / along
        if first > last:
            first, last = last, first
        # Division rounds by less than one part in 2**52, so widen by more.
        near = max(near, first - 1e-15 * abs(first))
        far = min(far, last + 1e-15 * abs(last))
    return near <= far


@inlined
def _ray_meets_face(
    positions: npt.NDArray[np.float64],
    a: int,
    b: int,
    c: int,
    ox: float,
    oy: float,
    oz: float,
    dx: float,
    dy: float,
    dz: float,
) -> float:
    """How many lengths along a ray a triangle lies; infinite where the ray misses it or runs in its plane."""
    ax, ay, az = positions[a, 0], positions[a, 1], positions[a, 2]
    ux, uy, uz = positions[b, 0] - ax, positions[b, 1] - ay, positions[b, 2] - az
    vx, vy, vz = positions[c, 0] - ax, positions[c, 1] - ay, positions[c, 2] - az
    px, py, pz = dy * vz - dz * vy, dz * vx - dx * vz, dx * vy - dy * vx
    determinant = ux * px + uy * py + uz * pz
    if determinant == 0.0:
        return np.inf
    tx, ty, tz = ox - ax, oy - ay, oz - az
    s = (tx * px + ty * py + tz * pz) / determinant
    qx, qy, qz = ty * uz - tz * uy, tz * ux - tx * uz, tx * uy - ty * ux
    t = (dx * qx + dy * qy + dz * qz) / determinant
    if not (s >= 0.0 and t >= 0.0 and s + t <= 1.0):
        return np.inf
    along = (vx * qx + vy * qy + vz * qz) / determinant
    return along if along > 0.0 else np.inf
