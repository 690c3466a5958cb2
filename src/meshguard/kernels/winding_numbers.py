"""How often a surface goes around a point: generalised winding numbers, and what lies exactly above a point.

A closed surface gives whole winding numbers; across a hole the number changes smoothly, so one half is a natural border
between inside and outside. Far parts of the surface count as one dipole, after Barill, Dickson, Schmidt, Levin and
Jacobson, Fast Winding Numbers for Soups and Clouds (2018); the number itself after Jacobson, Kavan and Sorkine-Hornung
(2013) and the solid angle of a triangle after van Oosterom and Strackee (1983).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from meshguard.kernels._jit import inlined, kernel
from meshguard.kernels.predicates import orient2d, orient3d
from meshguard.kernels.simd_blocks import BLOCK

if TYPE_CHECKING:
    import numpy.typing as npt

COLUMNS = 7
"""Columns of a dipole: sum of area vectors (3), centre (3), radius."""

_FAR = 2.0


@kernel
def place_dipoles(
    positions: npt.NDArray[np.float64],
    nodes: npt.NDArray[np.float32],
    corners: npt.NDArray[np.int32],
    width: int,
    out_dipoles: npt.NDArray[np.float64],
) -> None:
    """Add up the area vectors of the faces below each node of a tree, at their centre.

    Args:
        positions: (p, 3) float64, mm.
        nodes: (2 * width, 6) float32, of the tree.
        corners: (blocks, 3, BLOCK) int32, of the tree.
        width: of the tree.
        out_dipoles: (2 * width, 7) float64: area vector in mm2, centre and radius in mm; radius −1 without faces.
    """
    weight = np.zeros(2 * width)
    out_dipoles[:, :] = 0.0
    for block in range(len(corners)):
        node = width + block
        for k in range(BLOCK):
            a, b, c = corners[block, 0, k], corners[block, 1, k], corners[block, 2, k]
            if a < 0:
                break
            ux = positions[b, 0] - positions[a, 0]
            uy = positions[b, 1] - positions[a, 1]
            uz = positions[b, 2] - positions[a, 2]
            vx = positions[c, 0] - positions[a, 0]
            vy = positions[c, 1] - positions[a, 1]
            vz = positions[c, 2] - positions[a, 2]
            nx, ny, nz = 0.5 * (uy * vz - uz * vy), 0.5 * (uz * vx - ux * vz), 0.5 * (ux * vy - uy * vx)
            area = math.sqrt(nx * nx + ny * ny + nz * nz)
            out_dipoles[node, 0] += nx
            out_dipoles[node, 1] += ny
            out_dipoles[node, 2] += nz
            weight[node] += area
            for d in range(3):
                out_dipoles[node, 3 + d] += area * (positions[a, d] + positions[b, d] + positions[c, d]) / 3.0
    for node in range(width - 1, 0, -1):
        weight[node] = weight[2 * node] + weight[2 * node + 1]
        for d in range(6):
            out_dipoles[node, d] = out_dipoles[2 * node, d] + out_dipoles[2 * node + 1, d]
    for node in range(1, 2 * width):
        if not weight[node] > 0.0:
            out_dipoles[node, 6] = -1.0 if nodes[node, 0] > nodes[node, 3] else 0.0
            if out_dipoles[node, 6] < 0.0:
                continue
            for d in range(3):
                out_dipoles[node, 3 + d] = 0.5 * (nodes[node, d] + nodes[node, 3 + d])
        else:
            for d in range(3):
                out_dipoles[node, 3 + d] /= weight[node]
        square = 0.0
        for d in range(3):
            reach = max(out_dipoles[node, 3 + d] - nodes[node, d], nodes[node, 3 + d] - out_dipoles[node, 3 + d])
            square += reach * reach
        out_dipoles[node, 6] = math.sqrt(square)


@kernel
def winding_numbers(
    positions: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    width: int,
    dipoles: npt.NDArray[np.float64],
    points: npt.NDArray[np.float64],
    lo: int,
    hi: int,
    out_winding: npt.NDArray[np.float64],
) -> None:
    """The winding number of a surface around the points [lo, hi), to a few hundredths.

    Args:
        positions: (p, 3) float64, mm.
        corners: (blocks, 3, BLOCK) int32, of the tree.
        width: of the tree.
        dipoles: (2 * width, 7) float64, from `place_dipoles`.
        points: (q, 3) float64, mm.
        lo: first point.
        hi: point after the last.
        out_winding: (q,) float64: 1 inside a closed surface that is oriented outward, 0 outside.
    """
    stack = np.empty(130, np.int64)
    for i in range(lo, hi):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        total = 0.0
        stack[0] = 1
        height = 1
        while height > 0:
            height -= 1
            node = stack[height]
            radius = dipoles[node, 6]
            if radius < 0.0:
                continue
            dx, dy, dz = dipoles[node, 3] - x, dipoles[node, 4] - y, dipoles[node, 5] - z
            square = dx * dx + dy * dy + dz * dz
            if square > (_FAR * radius) * (_FAR * radius):
                dot = dipoles[node, 0] * dx + dipoles[node, 1] * dy + dipoles[node, 2] * dz
                total += dot / (square * math.sqrt(square))
            elif node < width:
                stack[height], stack[height + 1] = 2 * node + 1, 2 * node
                height += 2
            else:
                block = node - width
                for k in range(BLOCK):
                    a, b, c = corners[block, 0, k], corners[block, 1, k], corners[block, 2, k]
                    if a < 0:
                        break
                    total += _solid_angle(positions, a, b, c, x, y, z)
        out_winding[i] = total / (4.0 * math.pi)


@inlined
def _solid_angle(positions: npt.NDArray[np.float64], a: int, b: int, c: int, x: float, y: float, z: float) -> float:
    """The signed solid angle of a face seen from a point; positive when it shows its back."""
    ax, ay, az = positions[a, 0] - x, positions[a, 1] - y, positions[a, 2] - z
    bx, by, bz = positions[b, 0] - x, positions[b, 1] - y, positions[b, 2] - z
    cx, cy, cz = positions[c, 0] - x, positions[c, 1] - y, positions[c, 2] - z
    length_a, length_b, length_c = (
        math.sqrt(ax * ax + ay * ay + az * az),
        math.sqrt(bx * bx + by * by + bz * bz),
        math.sqrt(cx * cx + cy * cy + cz * cz),
    )
    volume = ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)
    denominator = (
        length_a * length_b * length_c
        + (ax * bx + ay * by + az * bz) * length_c
        + (bx * cx + by * cy + bz * cz) * length_a
        + (cx * ax + cy * ay + cz * az) * length_b
    )
    return 2.0 * math.atan2(volume, denominator)


@kernel
def stab_lines(
    positions: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    axis: int,
    origin: npt.NDArray[np.float64],
    cell: float,
    out_winding: npt.NDArray[np.int16],
) -> None:
    """The winding number of a surface around each node of a grid, as the grid lines along one axis see it from below.

    A line adds one where it enters and subtracts one where it leaves. For a closed surface this is the winding number.
    Where a line passes through a hole it is not, and the line's last node shows that: the number there is not 0.

    Args:
        positions: (p, 3) float64, mm.
        corners: (m, 3) int32, of faces that are not degenerate and lie in the grid.
        axis: the one along which the lines run.
        origin: (3,) float64, first node of the grid, mm.
        cell: distance between neighbouring nodes, mm.
        out_winding: (i, j, k) int16.
    """
    u, v = (axis + 1) % 3, (axis + 2) % 3
    out_winding[:, :, :] = 0
    place = np.empty(3, np.int64)
    for f in range(len(corners)):
        a, b, c = corners[f, 0], corners[f, 1], corners[f, 2]
        au, av, bu, bv, cu, cv = (
            positions[a, u],
            positions[a, v],
            positions[b, u],
            positions[b, v],
            positions[c, u],
            positions[c, v],
        )
        orientation = orient2d(au, av, bu, bv, cu, cv)
        if orientation == 0:
            continue
        area = (bu - au) * (cv - av) - (bv - av) * (cu - au)
        first_u = max(0, math.ceil((min(au, bu, cu) - origin[u]) / cell))
        last_u = min(out_winding.shape[u] - 1, math.floor((max(au, bu, cu) - origin[u]) / cell))
        first_v = max(0, math.ceil((min(av, bv, cv) - origin[v]) / cell))
        last_v = min(out_winding.shape[v] - 1, math.floor((max(av, bv, cv) - origin[v]) / cell))
        for i in range(first_u, last_u + 1):
            x = origin[u] + i * cell
            for j in range(first_v, last_v + 1):
                y = origin[v] + j * cell
                in_bc = is_left(bu, bv, cu, cv, x, y, orientation)
                in_ca = is_left(cu, cv, au, av, x, y, orientation)
                in_ab = is_left(au, av, bu, bv, x, y, orientation)
                if not (in_ab and in_bc and in_ca):
                    continue
                weight_b = ((x - au) * (cv - av) - (y - av) * (cu - au)) / area
                weight_c = ((bu - au) * (y - av) - (bv - av) * (x - au)) / area
                height = (
                    positions[a, axis]
                    + weight_b * (positions[b, axis] - positions[a, axis])
                    + weight_c * (positions[c, axis] - positions[a, axis])
                )
                k = max(0, math.ceil((height - origin[axis]) / cell))
                if k < out_winding.shape[axis]:
                    place[u], place[v], place[axis] = i, j, k
                    # A line leaves where a face looks up along the axis.
                    out_winding[place[0], place[1], place[2]] -= np.int16(orientation)
    for i in range(out_winding.shape[u]):
        for j in range(out_winding.shape[v]):
            total = np.int16(0)
            place[u], place[v] = i, j
            for k in range(out_winding.shape[axis]):
                place[axis] = k
                total += out_winding[place[0], place[1], place[2]]
                out_winding[place[0], place[1], place[2]] = total


@kernel
def faces_above(
    positions: npt.NDArray[np.float64],
    order: npt.NDArray[np.int32],
    nodes: npt.NDArray[np.float32],
    corners: npt.NDArray[np.int32],
    width: int,
    points: npt.NDArray[np.float64],
    out_point: npt.NDArray[np.int32],
    out_face: npt.NDArray[np.int32],
) -> int:
    """The faces that a line upward (along z) from each point passes, decided exactly.

    A closed surface has the point inside when the line passes an odd number of its faces. A line through an edge or a
    vertex passes one face of each two that it may be counted to, so that the number stays odd or even. A point on the
    surface is inside or outside, as it happens.

    Args:
        positions: (p, 3) float64, within the range of the exact predicates.
        order: (k,) int32, of the tree.
        nodes: (2 * width, 6) float32, of the tree.
        corners: (blocks, 3, BLOCK) int32, of the tree, over faces that are not degenerate.
        width: of the tree.
        points: (q, 3) float64, within the same range.
        out_point: (r,) int32: the point of each passage, by point; within one in no useful order.
        out_face: (r,) int32: the face that is passed.

    Returns:
        How many passages there are; those beyond r are counted, not written.
    """
    stack = np.empty(130, np.int64)
    count = 0
    for i in range(len(points)):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        stack[0] = 1
        height = 1
        while height > 0:
            height -= 1
            node = stack[height]
            # Boxes are rounded outward, so what a box excludes its faces exclude.
            if (
                x < nodes[node, 0]
                or y < nodes[node, 1]
                or x > nodes[node, 3]
                or y > nodes[node, 4]
                or z > nodes[node, 5]
            ):
                continue
            if node < width:
                stack[height], stack[height + 1] = 2 * node + 1, 2 * node
                height += 2
                continue
            block = node - width
            for k in range(min(BLOCK, len(order) - block * BLOCK)):
                a, b, c = corners[block, 0, k], corners[block, 1, k], corners[block, 2, k]
                ax, ay, az = positions[a, 0], positions[a, 1], positions[a, 2]
                bx, by, bz = positions[b, 0], positions[b, 1], positions[b, 2]
                cx, cy, cz = positions[c, 0], positions[c, 1], positions[c, 2]
                orientation = orient2d(ax, ay, bx, by, cx, cy)
                if orientation == 0:
                    continue
                in_bc = is_left(bx, by, cx, cy, x, y, orientation)
                in_ca = is_left(cx, cy, ax, ay, x, y, orientation)
                in_ab = is_left(ax, ay, bx, by, x, y, orientation)
                if not (in_ab and in_bc and in_ca):
                    continue
                if orient3d(ax, ay, az, bx, by, bz, cx, cy, cz, x, y, z) * orientation > 0:
                    if count < len(out_point):
                        out_point[count], out_face[count] = i, order[block * BLOCK + k]
                    count += 1
    return count


@inlined
def is_left(au: float, av: float, bu: float, bv: float, x: float, y: float, orientation: int) -> bool:
    """Whether a point is on the inner side of an edge; a point on the edge belongs to only one of its two faces."""
    side = orient2d(au, av, bu, bv, x, y) * orientation
    if side != 0:
        return side > 0
    # The edge in the direction of the face with positive area: one that runs up, or level to the left, owns its points.
    du, dv = (bu - au) * orientation, (bv - av) * orientation
    return dv > 0.0 or (dv == 0.0 and du < 0.0)
