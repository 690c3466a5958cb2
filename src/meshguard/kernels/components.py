"""What each component adds up to: area, volume, box, centre and radius; faces, edges of each kind, fans."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined, kernel
from meshguard.kernels.halfedges import next_halfedge
from meshguard.kernels.topology import BOUNDARY

AREA, VOLUME, RADIUS, CENTRE, BOX, ABSOLUTE_VOLUME, COLUMNS = 0, 1, 2, 3, 6, 12, 13
"""Columns of a component's row in `out_measures`: area, signed volume about its anchor's first corner, largest distance
of a corner from the mean of its corners, that mean (3), smallest and largest coordinates (3 and 3), volume with all
signs positive."""

FACES, EDGES, BOUNDARY_EDGES, NONMANIFOLD_EDGES, INCONSISTENT_EDGES, FANS, COUNTS = 0, 1, 2, 3, 4, 5, 6
"""Columns of a component's row in `out_counts`."""


@inlined
def _clear(out_measures: npt.NDArray[np.float64], out_counts: npt.NDArray[np.int64]) -> None:
    """Set all sums to zero and all boxes to empty."""
    out_measures[:] = 0.0
    out_counts[:] = 0
    for k in range(len(out_measures)):
        out_measures[k, BOX : BOX + 3] = np.inf
        out_measures[k, BOX + 3 : BOX + 6] = -np.inf


@inlined
def _add_surfaces(
    positions: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    component: npt.NDArray[np.int32],
    anchor: npt.NDArray[np.int32],
    area: npt.NDArray[np.float64],
    out_measures: npt.NDArray[np.float64],
) -> None:
    """Add up areas, volumes and boxes; CENTRE becomes the sum of the corners, relative to the anchor's first corner.

    Faces of one component mostly follow one another: during such a run the sums are kept in variables.
    """
    f = 0
    while f < len(corners):
        k = component[f]
        if k < 0:
            f += 1
            continue
        o = corners[anchor[k], 0]
        ox, oy, oz = positions[o, 0], positions[o, 1], positions[o, 2]
        row = out_measures[k]
        surface, volume, absolute_volume = row[AREA], row[VOLUME], row[ABSOLUTE_VOLUME]
        sum_x, sum_y, sum_z = row[CENTRE], row[CENTRE + 1], row[CENTRE + 2]
        low_x, low_y, low_z = row[BOX], row[BOX + 1], row[BOX + 2]
        high_x, high_y, high_z = row[BOX + 3], row[BOX + 4], row[BOX + 5]
        while f < len(corners) and component[f] == k:
            surface += area[f]
            a, b, c = corners[f, 0], corners[f, 1], corners[f, 2]
            px, py, pz = positions[a, 0], positions[a, 1], positions[a, 2]
            qx, qy, qz = positions[b, 0], positions[b, 1], positions[b, 2]
            rx, ry, rz = positions[c, 0], positions[c, 1], positions[c, 2]
            low_x, high_x = min(low_x, px, qx, rx), max(high_x, px, qx, rx)
            low_y, high_y = min(low_y, py, qy, ry), max(high_y, py, qy, ry)
            low_z, high_z = min(low_z, pz, qz, rz), max(high_z, pz, qz, rz)
            ax, ay, az = px - ox, py - oy, pz - oz
            bx, by, bz = qx - ox, qy - oy, qz - oz
            cx, cy, cz = rx - ox, ry - oy, rz - oz
            sum_x, sum_y, sum_z = sum_x + ax + bx + cx, sum_y + ay + by + cy, sum_z + az + bz + cz
            xy, xz, yz = ax * by - bx * ay, ax * cy - cx * ay, bx * cy - cx * by
            part = (xy * cz - xz * bz + yz * az) / 6.0
            volume += part
            absolute_volume += abs(part)
            f += 1
        row[AREA], row[VOLUME], row[ABSOLUTE_VOLUME] = surface, volume, absolute_volume
        row[CENTRE], row[CENTRE + 1], row[CENTRE + 2] = sum_x, sum_y, sum_z
        row[BOX], row[BOX + 1], row[BOX + 2] = low_x, low_y, low_z
        row[BOX + 3], row[BOX + 4], row[BOX + 5] = high_x, high_y, high_z


@inlined
def _count_elements(
    flat: npt.NDArray[np.int32],
    twins: npt.NDArray[np.int32],
    component: npt.NDArray[np.int32],
    fan: npt.NDArray[np.int32],
    out_counts: npt.NDArray[np.int64],
) -> None:
    """Count faces, fans, and edges of one and of two faces, in the same runs as `_add_surfaces`."""
    first = 0
    while first < len(component):
        k = component[first]
        last = first + 1
        while last < len(component) and component[last] == k:
            last += 1
        fans = boundary = edges = inconsistent = 0
        for h in range(3 * first, 3 * last):
            fans += fan[h] == h
            g = twins[h]
            boundary += g == BOUNDARY
            if g > h:
                edges += 1
                inconsistent += flat[g] == flat[h]
        if k >= 0:
            out_counts[k, FACES] += last - first
            out_counts[k, FANS] += fans
            out_counts[k, BOUNDARY_EDGES] += boundary
            out_counts[k, EDGES] += boundary + edges
            out_counts[k, INCONSISTENT_EDGES] += inconsistent
        first = last


@inlined
def _count_nonmanifold(
    flat: npt.NDArray[np.int32],
    component: npt.NDArray[np.int32],
    nonmanifold: npt.NDArray[np.int32],
    out_counts: npt.NDArray[np.int64],
) -> None:
    """Count edges of more than two faces, each at the first of its half-edges."""
    low = high = -1
    for h in nonmanifold:
        v, w = flat[h], flat[next_halfedge(h)]
        if min(v, w) != low or max(v, w) != high:
            low, high = min(v, w), max(v, w)
            out_counts[component[h // 3], NONMANIFOLD_EDGES] += 1
            out_counts[component[h // 3], EDGES] += 1


@inlined
def _place_centres(
    positions: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    anchor: npt.NDArray[np.int32],
    counts: npt.NDArray[np.int64],
    out_measures: npt.NDArray[np.float64],
) -> None:
    """Turn CENTRE, a sum relative to the anchor, into the mean of the corners."""
    for k in range(len(out_measures)):
        for d in range(3):
            mean = out_measures[k, CENTRE + d] / (3 * max(1, counts[k, FACES]))
            out_measures[k, CENTRE + d] = mean + positions[corners[anchor[k], 0], d]


@inlined
def _measure_radii(
    positions: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    component: npt.NDArray[np.int32],
    out_measures: npt.NDArray[np.float64],
) -> None:
    """Measure how far each component's corners reach from its CENTRE."""
    for f in range(len(corners)):
        k = component[f]
        if k < 0:
            continue
        centre_x, centre_y, centre_z = out_measures[k, CENTRE], out_measures[k, CENTRE + 1], out_measures[k, CENTRE + 2]
        square = out_measures[k, RADIUS]
        for c in range(3):
            v = corners[f, c]
            dx, dy, dz = positions[v, 0] - centre_x, positions[v, 1] - centre_y, positions[v, 2] - centre_z
            square = max(square, dx * dx + dy * dy + dz * dz)
        out_measures[k, RADIUS] = square
    for k in range(len(out_measures)):
        out_measures[k, RADIUS] = np.sqrt(out_measures[k, RADIUS])


@kernel
def measure_components(
    positions: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    twins: npt.NDArray[np.int32],
    component: npt.NDArray[np.int32],
    anchor: npt.NDArray[np.int32],
    fan: npt.NDArray[np.int32],
    area: npt.NDArray[np.float64],
    nonmanifold: npt.NDArray[np.int32],
    out_measures: npt.NDArray[np.float64],
    out_counts: npt.NDArray[np.int64],
) -> None:
    """Measure each component and count its elements.

    Args:
        positions: (p, 3) float64, mm.
        corners: (m, 3) int32: positions of each face's corners.
        twins: (3m,) int32, from `group_edges`.
        component: (m,) int32, from `connect_faces`.
        anchor: (>= C,) int32, from `connect_faces`.
        fan: (3m,) int32, from `connect_corners`.
        area: (m,) float64, mm2.
        nonmanifold: (k,) int32: half-edges of edges with more than two faces, those of one edge side by side.
        out_measures: (C, COLUMNS) float64: see `AREA` and the other columns; mm, mm2, mm3.
        out_counts: (C, COUNTS) int64: see `FACES` and the other columns.
    """
    flat = corners.ravel()
    _clear(out_measures, out_counts)
    _add_surfaces(positions, corners, component, anchor, area, out_measures)
    _count_elements(flat, twins, component, fan, out_counts)
    _count_nonmanifold(flat, component, nonmanifold, out_counts)
    _place_centres(positions, corners, anchor, out_counts, out_measures)
    _measure_radii(positions, corners, component, out_measures)
