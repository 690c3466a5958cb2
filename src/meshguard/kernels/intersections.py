"""Pairs of faces that share more than their common vertices and edges, found exactly.

The boxes of a tree say which pairs may meet. Nearly all of these are neighbours: of a real arch's 1.8 million pairs of
overlapping boxes, 97 of 100 share a vertex. A certified fan (`kernels.fans`) decides all pairs that share its position.
So predicates decide only pairs without a common vertex, and those around the few positions without a certificate.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined, kernel
from meshguard.kernels.bvh import node_overlaps
from meshguard.kernels.predicates import FILTER_2D, FILTER_3D
from meshguard.kernels.simd_blocks import BLOCK, lowest, overlapping, sharing
from meshguard.kernels.triangle_triangle import AREA, EDGE_SEGMENT, NOTHING, POINT, SEGMENT, folds, intersection_kind

CROSSING, OVERLAP, TOUCH_POINT, TOUCH_SEGMENT, FOLD, VERTEX_CROSSING, DUPLICATE, VERTEX_OVERLAP = range(8)
"""How two faces intersect. Without a common vertex they share a segment inside both (CROSSING), an area (OVERLAP), a
point (TOUCH_POINT), or a segment along an edge of one (TOUCH_SEGMENT). With a common edge they are coplanar and on one
side of it (FOLD). With one common vertex they share a segment from it (VERTEX_CROSSING) or an area (VERTEX_OVERLAP).
DUPLICATE faces have their own check and are never pairs here."""

_CANDIDATES = 4096
"""Pairs that are collected before they are decided: searching stays a tight loop, and so does deciding."""


@inlined
def _class_of(positions: npt.NDArray[np.float64], a: int, b: int, c: int, d: int, e: int, f: int) -> int:
    """How faces a, b, c and d, e, f intersect; −1 where they do not, or are duplicates."""
    a_in, b_in, c_in = a == d or a == e or a == f, b == d or b == e or b == f, c == d or c == e or c == f
    shared = int(a_in) + int(b_in) + int(c_in)
    if shared == 3:
        return -1
    if shared == 2:
        tip, p, q = (c, a, b) if not c_in else (b, c, a) if not b_in else (a, b, c)
        opposite = d if d != p and d != q else e if e != p and e != q else f
        return FOLD if folds(positions, p, q, tip, opposite) else -1
    kind = intersection_kind(positions, a, b, c, d, e, f)
    if kind == NOTHING:
        return -1
    if shared == 1:
        if kind == POINT:
            return -1
        return VERTEX_OVERLAP if kind == AREA else VERTEX_CROSSING
    if kind == AREA:
        return OVERLAP
    if kind == SEGMENT:
        return CROSSING
    return TOUCH_SEGMENT if kind == EDGE_SEGMENT else TOUCH_POINT


@inlined
def _certified_faces(corners: npt.NDArray[np.int32], certified: npt.NDArray[np.bool_], block: int) -> int:
    """Bit k is set where all corners of face k of a block are certified."""
    bits = 0
    for k in range(BLOCK):
        a, b, c = corners[block, 0, k], corners[block, 1, k], corners[block, 2, k]
        if a >= 0 and certified[a] and certified[b] and certified[c]:
            bits |= 1 << k
    return bits


@inlined
def _collect(
    nodes: npt.NDArray[np.float32],
    boxes: npt.NDArray[np.float32],
    corners: npt.NDArray[np.int32],
    certified: npt.NDArray[np.bool_],
    certified_faces: int,
    node: int,
    block: int,
    other_block: int,
    out_candidates: npt.NDArray[np.int32],
    count: int,
) -> int:
    """Add the pairs of two blocks' faces whose boxes overlap and that no certificate decides; return the new count."""
    near = overlapping(
        boxes,
        block,
        nodes[node, 0],
        nodes[node, 1],
        nodes[node, 2],
        nodes[node, 3],
        nodes[node, 4],
        nodes[node, 5],
    )
    while near != 0:
        k = lowest(near)
        near &= near - 1
        hits = overlapping(
            boxes,
            other_block,
            boxes[block, 0, k],
            boxes[block, 1, k],
            boxes[block, 2, k],
            boxes[block, 3, k],
            boxes[block, 4, k],
            boxes[block, 5, k],
        )
        if other_block == block:
            hits &= ~((2 << k) - 1)
        if hits == 0:
            continue
        a, b, c = corners[block, 0, k], corners[block, 1, k], corners[block, 2, k]
        common = sharing(corners, other_block, a, b, c)
        if (certified_faces >> k) & 1 != 0:
            hits &= ~common
        while hits != 0:
            j = lowest(hits)
            hits &= hits - 1
            if (common >> j) & 1 != 0:
                d, e, f = corners[other_block, 0, j], corners[other_block, 1, j], corners[other_block, 2, j]
                if (
                    (certified[d] and (d == a or d == b or d == c))
                    or (certified[e] and (e == a or e == b or e == c))
                    or (certified[f] and (f == a or f == b or f == c))
                ):
                    continue
            out_candidates[count, 0] = block * BLOCK + k
            out_candidates[count, 1] = other_block * BLOCK + j
            count += 1
    return count


@inlined
def _misses_plane(positions: npt.NDArray[np.float64], a: int, b: int, c: int, d: int, e: int, f: int) -> bool:
    """Whether the corners of d, e, f that are not among a, b, c lie on one side of the plane of a, b, c.

    Beyond any rounding, by the filter of `orient3d`, three times. Then the triangles share at most their common corners
    and what those span.
    """
    ax, ay, az = positions[a, 0], positions[a, 1], positions[a, 2]
    ux, uy, uz = positions[b, 0] - ax, positions[b, 1] - ay, positions[b, 2] - az
    vx, vy, vz = positions[c, 0] - ax, positions[c, 1] - ay, positions[c, 2] - az
    yz, zy, zx, xz, xy, yx = uy * vz, uz * vy, uz * vx, ux * vz, ux * vy, uy * vx
    nx, ny, nz = yz - zy, zx - xz, xy - yx
    px, py, pz = abs(yz) + abs(zy), abs(zx) + abs(xz), abs(xy) + abs(yx)
    above = below = 0
    for corner in (d, e, f):
        if corner == a or corner == b or corner == c:
            continue
        wx, wy, wz = positions[corner, 0] - ax, positions[corner, 1] - ay, positions[corner, 2] - az
        determinant = nx * wx + ny * wy + nz * wz
        bound = FILTER_3D * (px * abs(wx) + py * abs(wy) + pz * abs(wz))
        if determinant > bound:
            above += 1
        elif -determinant > bound:
            below += 1
        else:
            return False
    return above == 0 or below == 0


@inlined
def _sure_turn(ax: float, ay: float, bx: float, by: float, cx: float, cy: float) -> int:
    """`orient2d` where its filter decides, else 0."""
    left = (ax - cx) * (by - cy)
    right = (ay - cy) * (bx - cx)
    determinant = left - right
    bound = FILTER_2D * (abs(left) + abs(right))
    return int(determinant > bound) - int(-determinant > bound)


@inlined
def _are_beside(positions: npt.NDArray[np.float64], a: int, b: int, c: int, d: int, e: int, f: int) -> bool:
    """Whether the triangles, seen along an axis, lie on two sides of a line along an edge of one, beyond any rounding.

    Common corners may lie on the line where they end that edge: then the triangles share at most these.
    """
    ax, ay, az = positions[a, 0], positions[a, 1], positions[a, 2]
    ux, uy, uz = positions[b, 0] - ax, positions[b, 1] - ay, positions[b, 2] - az
    vx, vy, vz = positions[c, 0] - ax, positions[c, 1] - ay, positions[c, 2] - az
    sx, sy, sz = abs(uy * vz - uz * vy), abs(uz * vx - ux * vz), abs(ux * vy - uy * vx)
    x, y = (1, 2) if sx >= sy and sx >= sz else (2, 0) if sy >= sz else (0, 1)
    for _ in range(2):
        for _ in range(3):
            px, py, qx, qy = positions[a, x], positions[a, y], positions[b, x], positions[b, y]
            inner = _sure_turn(px, py, qx, qy, positions[c, x], positions[c, y])
            if inner != 0 and (
                (d == a or d == b or _sure_turn(px, py, qx, qy, positions[d, x], positions[d, y]) == -inner)
                and (e == a or e == b or _sure_turn(px, py, qx, qy, positions[e, x], positions[e, y]) == -inner)
                and (f == a or f == b or _sure_turn(px, py, qx, qy, positions[f, x], positions[f, y]) == -inner)
            ):
                return True
            a, b, c = b, c, a
        a, b, c, d, e, f = d, e, f, a, b, c
    return False


@inlined
def _decide(
    positions: npt.NDArray[np.float64],
    order: npt.NDArray[np.int32],
    corners: npt.NDArray[np.int32],
    candidates: npt.NDArray[np.int32],
    waiting: int,
    count: int,
    most: int,
    out_pairs: npt.NDArray[np.int32],
) -> int:
    """Write the candidates that intersect; return the new count of pairs, at most `most`."""
    for place in range(waiting):
        i, m = candidates[place, 0], candidates[place, 1]
        block, k, other_block, j = i // BLOCK, i % BLOCK, m // BLOCK, m % BLOCK
        a, b, c = corners[block, 0, k], corners[block, 1, k], corners[block, 2, k]
        d, e, f = corners[other_block, 0, j], corners[other_block, 1, j], corners[other_block, 2, j]
        if (
            _misses_plane(positions, a, b, c, d, e, f)
            or _misses_plane(positions, d, e, f, a, b, c)
            or _are_beside(positions, a, b, c, d, e, f)
        ):
            continue
        kind = _class_of(positions, a, b, c, d, e, f)
        if kind < 0:
            continue
        if count < len(out_pairs):
            out_pairs[count, 0] = min(order[i], order[m])
            out_pairs[count, 1] = max(order[i], order[m])
            out_pairs[count, 2] = kind
        count += 1
        if count >= most:
            return count
    return count


@kernel
def pairs_within(
    positions: npt.NDArray[np.float64],
    order: npt.NDArray[np.int32],
    nodes: npt.NDArray[np.float32],
    boxes: npt.NDArray[np.float32],
    corners: npt.NDArray[np.int32],
    certified: npt.NDArray[np.bool_],
    node_groups: npt.NDArray[np.int32],
    width: int,
    lo: int,
    hi: int,
    most: int,
    work: int,
    out_pairs: npt.NDArray[np.int32],
) -> tuple[int, int]:
    """Intersecting pairs whose earlier face along the curve lies in the blocks [lo, hi).

    Args:
        positions: (p, 3) float64.
        order: (k,) int32, of the tree.
        nodes: (2 * width, 6) float32, of the tree.
        boxes: (blocks, 6, BLOCK) float32, of the tree.
        corners: (blocks, 3, BLOCK) int32, of the tree.
        certified: (p,) bool, from `fans.certify_fans`.
        node_groups: (2 * width,) int32: number of the certified fan that all faces below a node belong to, 0 for none;
            or empty.
        width: of the tree.
        lo: first block.
        hi: block after the last.
        most: pairs after which to stop.
        work: nodes visited and pairs compared after which no further block is begun.
        out_pairs: (q, 3) int32: lower face, higher face, class; filled as far as it reaches.

    Returns:
        How many pairs there are, at most `most`, even where that is more than q; and the block to go on with.
    """
    stack = np.empty(130, np.int64)
    candidates = np.empty((_CANDIDATES + BLOCK * BLOCK, 2), np.int32)
    count = waiting = done = 0
    for block in range(lo, hi):
        if done + waiting >= work:
            return _decide(positions, order, corners, candidates, waiting, count, most, out_pairs), block
        q = nodes[width + block]
        least_x, least_y, least_z, most_x, most_y, most_z = q[0], q[1], q[2], q[3], q[4], q[5]
        group = node_groups[width + block] if len(node_groups) > 0 else 0
        certified_faces = _certified_faces(corners, certified, block)
        # All that comes later along the curve is to the right of the path from this block to the root.
        height = 1
        stack[0] = node = width + block
        while node > 1:
            if node & 1 == 0:
                stack[height] = node + 1
                height += 1
            node >>= 1
        while height > 0:
            height -= 1
            done += 1
            node = stack[height]
            if not node_overlaps(nodes, node, least_x, least_y, least_z, most_x, most_y, most_z):
                continue
            if group > 0 and node_groups[node] == group:
                continue
            if node < width:
                stack[height] = 2 * node + 1
                stack[height + 1] = 2 * node
                height += 2
                continue
            waiting = _collect(
                nodes, boxes, corners, certified, certified_faces, node, block, node - width, candidates, waiting
            )
            if waiting >= _CANDIDATES:
                count = _decide(positions, order, corners, candidates, waiting, count, most, out_pairs)
                done += waiting
                waiting = 0
                if count >= most:
                    return count, hi
    return _decide(positions, order, corners, candidates, waiting, count, most, out_pairs), hi


@kernel
def measure_pairs(
    positions: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    pairs: npt.NDArray[np.int32],
    lo: int,
    hi: int,
    out_ends: npt.NDArray[np.float64],
    out_depth: npt.NDArray[np.float64],
) -> None:
    """Where the pairs [lo, hi) meet, and how deep, rounded.

    What two faces share is spanned by the corners of each that lie in the other, and by the points where an edge of one
    cuts the other. Its ends are the two of these points that are farthest apart.

    Args:
        positions: (p, 3) float64, mm.
        corners: (m, 3) int32: positions of each face's corners.
        pairs: (k, 2) int32: faces that intersect.
        lo: first pair.
        hi: pair after the last.
        out_ends: (k, 2, 3) float64: the ends, mm; twice the same point where faces touch in one.
        out_depth: (k,) float64: mm; see `facts.intersections.pair_segments`.
    """
    points = np.empty((16, 3), np.float64)
    for place in range(lo, hi):
        count = 0
        depth = np.inf
        for swap in range(2):
            f, g = pairs[place, swap], pairs[place, 1 - swap]
            a, b, c = corners[g, 0], corners[g, 1], corners[g, 2]
            ax, ay, az = positions[a, 0], positions[a, 1], positions[a, 2]
            ux, uy, uz = positions[b, 0] - ax, positions[b, 1] - ay, positions[b, 2] - az
            vx, vy, vz = positions[c, 0] - ax, positions[c, 1] - ay, positions[c, 2] - az
            nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
            length = np.sqrt(nx * nx + ny * ny + nz * nz)
            slack = 1e-12 * length * max(abs(ux), abs(uy), abs(uz), abs(vx), abs(vy), abs(vz))
            above = below = 0.0
            for k in range(3):
                p, q = corners[f, k], corners[f, (k + 1) % 3]
                px, py, pz = positions[p, 0], positions[p, 1], positions[p, 2]
                qx, qy, qz = positions[q, 0], positions[q, 1], positions[q, 2]
                height_p = nx * (px - ax) + ny * (py - ay) + nz * (pz - az)
                height_q = nx * (qx - ax) + ny * (qy - ay) + nz * (qz - az)
                above, below = max(above, height_p), max(below, -height_p)
                t = -1.0
                if abs(height_p) <= slack:
                    t = 0.0
                elif height_p * height_q < 0.0 and abs(height_q) > slack:
                    t = height_p / (height_p - height_q)
                if t < 0.0:
                    continue
                x, y, z = px + t * (qx - px), py + t * (qy - py), pz + t * (qz - pz)
                if count < len(points) and _is_inside(x - ax, y - ay, z - az, ux, uy, uz, vx, vy, vz, nx, ny, nz):
                    points[count, 0], points[count, 1], points[count, 2] = x, y, z
                    count += 1
            if length > 0.0:
                depth = min(depth, min(above, below) / length)
        out_depth[place] = depth if np.isfinite(depth) else 0.0
        if count == 0:  # rounding put every point outside: take a corner of the first face
            p = corners[pairs[place, 0], 0]
            points[0, 0], points[0, 1], points[0, 2] = positions[p, 0], positions[p, 1], positions[p, 2]
            count = 1
        first = second = 0
        widest = 0.0
        for i in range(count):
            for j in range(i):
                dx, dy, dz = points[i, 0] - points[j, 0], points[i, 1] - points[j, 1], points[i, 2] - points[j, 2]
                square = dx * dx + dy * dy + dz * dz
                if square > widest:
                    widest, first, second = square, j, i
        for d in range(3):
            out_ends[place, 0, d], out_ends[place, 1, d] = points[first, d], points[second, d]


@inlined
def _is_inside(
    wx: float,
    wy: float,
    wz: float,
    ux: float,
    uy: float,
    uz: float,
    vx: float,
    vy: float,
    vz: float,
    nx: float,
    ny: float,
    nz: float,
) -> bool:
    """Whether a point of a triangle's plane lies in the triangle, but for rounding, relative to its first corner."""
    square = nx * nx + ny * ny + nz * nz
    # Barycentric coordinates by triple products: (u x w) . n and (w x v) . n.
    along_v = (uy * wz - uz * wy) * nx + (uz * wx - ux * wz) * ny + (ux * wy - uy * wx) * nz
    along_u = (wy * vz - wz * vy) * nx + (wz * vx - wx * vz) * ny + (wx * vy - wy * vx) * nz
    slack = 1e-9 * square
    return along_u >= -slack and along_v >= -slack and along_u + along_v <= square + slack


@kernel
def pairs_between(
    positions: npt.NDArray[np.float64],
    order: npt.NDArray[np.int32],
    nodes: npt.NDArray[np.float32],
    boxes: npt.NDArray[np.float32],
    corners: npt.NDArray[np.int32],
    width: int,
    other_order: npt.NDArray[np.int32],
    other_nodes: npt.NDArray[np.float32],
    other_boxes: npt.NDArray[np.float32],
    other_corners: npt.NDArray[np.int32],
    other_width: int,
    lo: int,
    hi: int,
    out_pairs: npt.NDArray[np.int32],
) -> int:
    """Intersecting pairs of a face of one surface, in the blocks [lo, hi) of its tree, and a face of another.

    Args:
        positions: (p, 3) float64, of both surfaces, which have no position in common.
        order: (k,) int32, of the first surface's tree.
        nodes: (2 * width, 6) float32, of that tree.
        boxes: (blocks, 6, BLOCK) float32, of that tree.
        corners: (blocks, 3, BLOCK) int32, of that tree.
        width: of that tree.
        other_order: (l,) int32, of the second surface's tree; what follows likewise.
        other_nodes: (2 * other_width, 6) float32.
        other_boxes: (other blocks, 6, BLOCK) float32.
        other_corners: (other blocks, 3, BLOCK) int32.
        other_width: of the second tree.
        lo: first block.
        hi: block after the last.
        out_pairs: (q, 3) int32: face of the first, face of the second, class; filled as far as it reaches.

    Returns:
        How many pairs there are, even where that is more than q.
    """
    stack = np.empty(130, np.int64)
    count = 0
    for block in range(lo, hi):
        q = nodes[width + block]
        rows = boxes[block]
        stack[0] = 1
        height = 1
        while height > 0:
            height -= 1
            node = stack[height]
            if not node_overlaps(other_nodes, node, q[0], q[1], q[2], q[3], q[4], q[5]):
                continue
            if node < other_width:
                stack[height], stack[height + 1] = 2 * node + 1, 2 * node
                height += 2
                continue
            other_block = node - other_width
            for k in range(min(BLOCK, len(order) - block * BLOCK)):
                hits = overlapping(
                    other_boxes,
                    other_block,
                    rows[0, k],
                    rows[1, k],
                    rows[2, k],
                    rows[3, k],
                    rows[4, k],
                    rows[5, k],
                )
                a, b, c = corners[block, 0, k], corners[block, 1, k], corners[block, 2, k]
                while hits != 0:
                    j = lowest(hits)
                    hits &= hits - 1
                    other = other_corners[other_block]
                    d, e, f = other[0, j], other[1, j], other[2, j]
                    if (
                        _misses_plane(positions, a, b, c, d, e, f)
                        or _misses_plane(positions, d, e, f, a, b, c)
                        or _are_beside(positions, a, b, c, d, e, f)
                    ):
                        continue
                    kind = _class_of(positions, a, b, c, d, e, f)
                    if kind < 0:
                        continue
                    if count < len(out_pairs):
                        out_pairs[count, 0] = order[block * BLOCK + k]
                        out_pairs[count, 1] = other_order[other_block * BLOCK + j]
                        out_pairs[count, 2] = kind
                    count += 1
    return count
