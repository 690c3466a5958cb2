"""Boundary loops: edges with one face, chained around the surface's own fans, then cut where a chain meets itself.

A chain continues where the fan that it runs along ends. So there are as many chains as the surface has boundary curves
once its fans are pulled apart, which is the number in Euler's characteristic. Two holes that touch at a vertex are one
such chain, but people see two holes. That is why a loop is what a chain encloses between two passes of one position.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined, kernel
from meshguard.kernels.halfedges import next_halfedge, previous_halfedge
from meshguard.kernels.topology import BOUNDARY

PERIMETER, LOOP_AREA, CHORD, MEASURES = 0, 1, 2, 3
"""Columns of a loop's measures: length (mm), area of its vector area (mm2), largest chord (mm)."""

MAX_CHORD_POINTS = 4096
"""The largest chord is taken over at most this many evenly spaced vertices of a loop."""


@inlined
def _fan_end(flat: npt.NDArray[np.int32], twins: npt.NDArray[np.int32], h: int, position: int) -> int:
    """The other boundary half-edge of the fan around a position that begins at boundary half-edge h; −1 for none."""
    current = h
    while True:
        # The face's second half-edge at the position: of the two, one leaves it and one arrives.
        second = previous_halfedge(current) if flat[current] == position else next_halfedge(current)
        twin = twins[second]
        if twin == BOUNDARY:
            return second
        if twin < 0:
            return -1
        current = twin


@inlined
def _match_ends(
    flat: npt.NDArray[np.int32], twins: npt.NDArray[np.int32], boundary: npt.NDArray[np.int32], length: int
) -> npt.NDArray[np.int32]:
    """For each end (2 * i + side) of boundary half-edge i the end that follows it in a chain, −1 for none: (2b,) int32.

    Side 0 is the origin of a half-edge, side 1 its destination.
    """
    count = len(boundary)
    rank = np.full(len(twins), -1, np.int32)
    for i in range(count):
        rank[boundary[i]] = i
    match = np.full(2 * count, -1, np.int32)
    waiting = np.full(length, -1, np.int32)
    for i in range(count):
        h = boundary[i]
        for side in range(2):
            position = flat[h] if side == 0 else flat[next_halfedge(h)]
            fan_end = _fan_end(flat, twins, h, position)
            if fan_end >= 0:
                match[2 * i + side] = 2 * rank[fan_end] + (0 if flat[fan_end] == position else 1)
            elif waiting[position] < 0:
                waiting[position] = 2 * i + side
            else:  # two fans that end at non-manifold edges of one position continue each other
                match[2 * i + side] = waiting[position]
                match[waiting[position]] = 2 * i + side
                waiting[position] = -1
    return match


@kernel
def trace_loops(
    positions: npt.NDArray[np.float64],
    flat: npt.NDArray[np.int32],
    twins: npt.NDArray[np.int32],
    boundary: npt.NDArray[np.int32],
    length: int,
    out_offsets: npt.NDArray[np.int32],
    out_halfedges: npt.NDArray[np.int32],
    out_vertices: npt.NDArray[np.int32],
    out_closed: npt.NDArray[np.bool_],
    out_chain: npt.NDArray[np.int32],
    out_measures: npt.NDArray[np.float64],
) -> int:
    """Chain boundary half-edges into loops that pass no position twice, and measure each loop.

    Chains that end at an edge of more than two faces come first, then closed ones, both by lowest half-edge. The loops
    of one chain come in the order in which a walk along it closes them.

    Args:
        positions: (p, 3) float64, mm.
        flat: (3m,) int32: positions of the corners.
        twins: (3m,) int32, from `group_edges`.
        boundary: (b,) int32: the half-edges whose twin is `BOUNDARY`, ascending.
        length: p.
        out_offsets: (b + 1,) int32: first entry of each loop in the two arrays below.
        out_halfedges: (b,) int32: half-edges, loop by loop.
        out_vertices: (b,) int32: the position where each of them is entered.
        out_closed: (b,) bool: whether each loop returns to its start.
        out_chain: (b,) int32: the chain that each loop is part of.
        out_measures: (b, MEASURES) float64: see `PERIMETER` and the other columns.

    Returns:
        How many loops.
    """
    count = len(boundary)
    match = _match_ends(flat, twins, boundary, length)
    done = np.zeros(count, np.bool_)
    # The path walked since the last loop was cut off: half-edges, the positions where they are entered, and the place
    # of each position on it.
    path, entered = np.empty(count, np.int32), np.empty(count, np.int32)
    height_of = np.full(length, -1, np.int32)
    chains = loops = filled = 0
    out_offsets[0] = 0
    for closed in (False, True):
        for start in range(2 * count):
            i, side = start // 2, start % 2
            if done[i] or (side == 1 if closed else match[start] >= 0):
                continue
            end = start
            height = 0
            while end >= 0 and not done[end // 2]:
                i, side = end // 2, end % 2
                done[i] = True
                h = boundary[i]
                path[height] = h
                entered[height] = flat[h] if side == 0 else flat[next_halfedge(h)]
                height_of[entered[height]] = height
                height += 1
                destination = flat[next_halfedge(h)] if side == 0 else flat[h]
                below = height_of[destination]
                if below >= 0:  # back at a position of this path: what lies between is a loop of its own
                    for j in range(below, height):
                        out_halfedges[filled] = path[j]
                        out_vertices[filled] = entered[j]
                        height_of[entered[j]] = -1
                        filled += 1
                    out_closed[loops] = True
                    out_chain[loops] = chains
                    loops += 1
                    out_offsets[loops] = filled
                    height = below
                end = match[2 * i + 1 - side]
            if height:
                for j in range(height):
                    out_halfedges[filled] = path[j]
                    out_vertices[filled] = entered[j]
                    height_of[entered[j]] = -1
                    filled += 1
                out_closed[loops] = False
                out_chain[loops] = chains
                loops += 1
                out_offsets[loops] = filled
            chains += 1
    for loop in range(loops):
        lo, hi = out_offsets[loop], out_offsets[loop + 1]
        _measure_loop(positions, flat, out_halfedges[lo:hi], out_vertices[lo:hi], out_measures[loop])
    return loops


@inlined
def _measure_loop(
    positions: npt.NDArray[np.float64],
    flat: npt.NDArray[np.int32],
    halfedges: npt.NDArray[np.int32],
    vertices: npt.NDArray[np.int32],
    out_measures: npt.NDArray[np.float64],
) -> None:
    """Write the measures of one loop."""
    ox, oy, oz = positions[vertices[0], 0], positions[vertices[0], 1], positions[vertices[0], 2]
    perimeter = 0.0
    ax = ay = az = 0.0
    w = -1
    for i in range(len(vertices)):
        h = halfedges[i]
        v = vertices[i]
        w = flat[h] + flat[next_halfedge(h)] - v
        px, py, pz = positions[v, 0] - ox, positions[v, 1] - oy, positions[v, 2] - oz
        qx, qy, qz = positions[w, 0] - ox, positions[w, 1] - oy, positions[w, 2] - oz
        perimeter += math.sqrt((qx - px) * (qx - px) + (qy - py) * (qy - py) + (qz - pz) * (qz - pz))
        ax += py * qz - pz * qy
        ay += pz * qx - px * qz
        az += px * qy - py * qx
    out_measures[PERIMETER] = perimeter
    out_measures[LOOP_AREA] = 0.5 * math.sqrt(ax * ax + ay * ay + az * az)
    out_measures[CHORD] = _largest_chord(positions, vertices, w)


@inlined
def _largest_chord(positions: npt.NDArray[np.float64], vertices: npt.NDArray[np.int32], end: int) -> float:
    """The largest distance between two of a loop's vertices, its end included.

    A chord longer than the best so far needs two points whose distances from the mean add up to more than its length,
    and no distance is larger than `largest`. Few points qualify, once a long chord is known.
    """
    step = max(1, -(-(len(vertices) + 1) // MAX_CHORD_POINTS))
    count = (len(vertices) + step) // step
    points = np.empty(count, np.int32)
    mx = my = mz = 0.0
    for i in range(count):
        v = vertices[i * step] if i * step < len(vertices) else end
        points[i] = v
        mx, my, mz = mx + positions[v, 0] / count, my + positions[v, 1] / count, mz + positions[v, 2] / count
    distances = np.empty(count, np.float64)
    farthest = 0
    for i in range(count):
        dx, dy, dz = positions[points[i], 0] - mx, positions[points[i], 1] - my, positions[points[i], 2] - mz
        distances[i] = math.sqrt(dx * dx + dy * dy + dz * dz)
        if distances[i] > distances[farthest]:
            farthest = i
    largest = distances[farthest]
    best = 0.0
    for _ in range(3):  # from a far point to the one farthest from it: a long chord to begin with
        start = farthest
        best = 0.0
        for j in range(count):
            chord = _chord(positions, points[start], points[j])
            if chord > best:
                best, farthest = chord, j
    slack = 1e-12 * largest
    for i in range(count):
        if distances[i] + largest + slack < best:
            continue
        for j in range(i):
            if distances[i] + distances[j] + slack >= best:
                best = max(best, _chord(positions, points[i], points[j]))
    return best


@inlined
def _chord(positions: npt.NDArray[np.float64], v: int, w: int) -> float:
    """The distance between two positions."""
    dx, dy, dz = positions[v, 0] - positions[w, 0], positions[v, 1] - positions[w, 1], positions[v, 2] - positions[w, 2]
    return math.sqrt(dx * dx + dy * dy + dz * dz)


@kernel
def near_pairs(
    positions: npt.NDArray[np.float64],
    points: npt.NDArray[np.int32],
    distance: float,
    cell_order: npt.NDArray[np.int64],
    cells: npt.NDArray[np.int64],
    most: int,
    out_pairs: npt.NDArray[np.int32],
) -> int:
    """Pairs of points at most `distance` apart.

    Args:
        positions: (p, 3) float64, mm.
        points: (k,) int32: the positions to pair.
        distance: mm.
        cell_order: (k,) int64: the points in the order of their cells.
        cells: (k, 3) int64: cell of each point, in that order, lexicographic; cells are at least `distance` wide.
        most: comparisons after which to give up, so that many points in one cell cannot take for ever.
        out_pairs: (q, 2) int32: filled as far as it reaches, by rank in `points`, the lower first.

    Returns:
        How many pairs there are, even where that is more than q; −1 after too many comparisons.
    """
    count = 0
    compared = 0
    k = len(points)
    for i in range(k):
        for dx in range(-1, 2):
            for dy in range(-1, 2):
                x, y, z = cells[i, 0] + dx, cells[i, 1] + dy, cells[i, 2] - 1
                lo, hi = 0, k
                while lo < hi:  # first point whose cell is not before (x, y, z)
                    middle = (lo + hi) // 2
                    a, b, c = cells[middle, 0], cells[middle, 1], cells[middle, 2]
                    if a < x or (a == x and (b < y or (b == y and c < z))):
                        lo = middle + 1
                    else:
                        hi = middle
                j = lo
                while j < k and cells[j, 0] == x and cells[j, 1] == y and cells[j, 2] <= z + 2:
                    compared += 1
                    if compared > most:
                        return -1
                    first, second = cell_order[i], cell_order[j]
                    if first < second:
                        p, q = positions[points[first]], positions[points[second]]
                        square = (p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2 + (p[2] - q[2]) ** 2
                        if square <= distance * distance:
                            if count < len(out_pairs):
                                out_pairs[count, 0], out_pairs[count, 1] = first, second
                            count += 1
                    j += 1
    return count
