"""Place the new vertices of a patch so that it continues its surroundings smoothly.

The energy is a weighted sum of the squared mean curvature normal and of its squared gradient (the discrete bi- and
tri-Laplacian), with cotangent weights; the surroundings are fixed. After Kobbelt et al. (Interactive Multi-Resolution
Modeling on Arbitrary Meshes, 1998) and Botsch and Kobbelt (An Intuitive Framework for Real-Time Freeform Modeling,
2004).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined, kernel

_MOST_COTANGENT = 20.0
"""Cotangents are capped here (about 3 degrees), so that one needle does not outweigh everything around it."""

_SOFTNESS = 0.1
"""Added to the square of a change of curvature, whose unit is the mean curvature over the width of a vertex's area."""


@inlined
def _list_neighbours(
    faces: npt.NDArray[np.int32],
    length: int,
    out_starts: npt.NDArray[np.int32],
    out_ends: npt.NDArray[np.int32],
    out_items: npt.NDArray[np.int32],
    out_sides: npt.NDArray[np.int8],
) -> None:
    """List each vertex's neighbours, and how many faces lie on the edge to each."""
    for v in range(length + 1):
        out_starts[v] = 0
    for f in range(len(faces)):
        for c in range(3):
            out_starts[faces[f, c] + 1] += 2
    for v in range(length):
        out_starts[v + 1] += out_starts[v]
    for v in range(length):
        out_ends[v] = out_starts[v]
    for f in range(len(faces)):
        for c in range(3):
            v = faces[f, c]
            for d in range(1, 3):
                neighbour = faces[f, (c + d) % 3]
                i = out_starts[v]
                while i < out_ends[v] and out_items[i] != neighbour:
                    i += 1
                if i == out_ends[v]:
                    out_items[i] = neighbour
                    out_sides[i] = 0
                    out_ends[v] += 1
                out_sides[i] += 1


@inlined
def _neighbour_entry(starts: npt.NDArray[np.int32], items: npt.NDArray[np.int32], v: int, neighbour: int) -> int:
    """Where a vertex's neighbour stands in `items`."""
    i = starts[v]
    while items[i] != neighbour:
        i += 1
    return int(i)


@inlined
def _cotangent_weights(
    points: npt.NDArray[np.float64],
    faces: npt.NDArray[np.int32],
    starts: npt.NDArray[np.int32],
    items: npt.NDArray[np.int32],
    interior: npt.NDArray[np.bool_],
    out_weights: npt.NDArray[np.float64],
    out_inner: npt.NDArray[np.float64],
    out_mass: npt.NDArray[np.float64],
) -> None:
    """Cotangent weights of all edges, the same from faces of interior vertices only, and each vertex's area."""
    for i in range(len(out_weights)):
        out_weights[i] = out_inner[i] = 0.0
    for v in range(len(out_mass)):
        out_mass[v] = 0.0
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ax, ay, az = points[a, 0], points[a, 1], points[a, 2]
        ux, uy, uz = points[b, 0] - ax, points[b, 1] - ay, points[b, 2] - az
        vx, vy, vz = points[c, 0] - ax, points[c, 1] - ay, points[c, 2] - az
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        double_area = math.sqrt(nx * nx + ny * ny + nz * nz)
        uu, vv, uv = ux * ux + uy * uy + uz * uz, vx * vx + vy * vy + vz * vz, ux * vx + uy * vy + uz * vz
        double_area = max(double_area, 1e-12 * max(uu, vv))
        is_inner = interior[a] and interior[b] and interior[c]
        cot_a, cot_b, cot_c = uv / double_area, (uu - uv) / double_area, (vv - uv) / double_area
        for k in range(3):
            if k == 0:
                p, q, cot = b, c, cot_a
            elif k == 1:
                p, q, cot = c, a, cot_b
            else:
                p, q, cot = a, b, cot_c
            cot = 0.5 * max(-_MOST_COTANGENT, min(_MOST_COTANGENT, cot))
            i, j = _neighbour_entry(starts, items, p, q), _neighbour_entry(starts, items, q, p)
            out_weights[i] += cot
            out_weights[j] += cot
            if is_inner:
                out_inner[i] += cot
                out_inner[j] += cot
        # The corner's part of the face (Meyer et al. 2003): its Voronoi area, or half and quarters in an obtuse face.
        if cot_a <= 0.0 or cot_b <= 0.0 or cot_c <= 0.0:
            out_mass[a] += double_area / (4.0 if cot_a <= 0.0 else 8.0)
            out_mass[b] += double_area / (4.0 if cot_b <= 0.0 else 8.0)
            out_mass[c] += double_area / (4.0 if cot_c <= 0.0 else 8.0)
        else:
            ww = uu + vv - 2.0 * uv
            out_mass[a] += (uu * cot_c + vv * cot_b) / 8.0
            out_mass[b] += (uu * cot_c + ww * cot_a) / 8.0
            out_mass[c] += (vv * cot_b + ww * cot_a) / 8.0


@inlined
def _add_row(
    v: int,
    sign: float,
    starts: npt.NDArray[np.int32],
    ends: npt.NDArray[np.int32],
    items: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float64],
    mass: npt.NDArray[np.float64],
    coefficient: npt.NDArray[np.float64],
    used: npt.NDArray[np.int32],
    n_used: int,
) -> int:
    """Add a vertex's Laplacian times a sign to a sparse row; a coefficient not in use is NaN. Return how many are."""
    factor = sign / mass[v]
    total = 0.0
    for i in range(starts[v], ends[v] + 1):
        w, value = v, -total
        if i < ends[v]:
            w, value = items[i], weights[i] * factor
            total += value
        if coefficient[w] != coefficient[w]:
            coefficient[w] = value
            used[n_used] = w
            n_used += 1
        else:
            coefficient[w] += value
    return n_used


@inlined
def _add_normal_equation(
    factor: float,
    coefficient: npt.NDArray[np.float64],
    used: npt.NDArray[np.int32],
    n_used: int,
    rank: npt.NDArray[np.int32],
    points: npt.NDArray[np.float64],
    band: npt.NDArray[np.float64],
    right: npt.NDArray[np.float64],
) -> None:
    """Add the term factor * (row . x)^2 to the normal equations of the free vertices, and empty the row."""
    x = y = z = 0.0
    n_free = 0
    for i in range(n_used):
        w = used[i]
        value = coefficient[w]
        if rank[w] >= 0:
            used[n_free] = w
            n_free += 1
        else:
            x, y, z = x + value * points[w, 0], y + value * points[w, 1], z + value * points[w, 2]
            coefficient[w] = np.nan
    for i in range(n_free):
        a = rank[used[i]]
        value = factor * coefficient[used[i]]
        right[a, 0] -= value * x
        right[a, 1] -= value * y
        right[a, 2] -= value * z
        for j in range(n_free):
            b = rank[used[j]]
            if b <= a:
                band[b, a - b] += value * coefficient[used[j]]
    for i in range(n_free):
        coefficient[used[i]] = np.nan


@inlined
def _solve(band: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> bool:
    """Solve a positive definite banded system in place (Cholesky); False where it is not positive definite."""
    count, width = band.shape
    for j in range(count):
        if not band[j, 0] > 0.0:
            return False
        root = math.sqrt(band[j, 0])
        reach = min(width, count - j)
        for k in range(reach):
            band[j, k] /= root
        for k in range(1, reach):
            factor = band[j, k]
            if factor != 0.0:
                for d in range(reach - k):
                    band[j + k, d] -= factor * band[j, k + d]
        for d in range(3):
            right[j, d] /= band[j, 0]
            for k in range(1, reach):
                right[j + k, d] -= band[j, k] * right[j, d]
    for j in range(count - 1, -1, -1):
        reach = min(width, count - j)
        for d in range(3):
            value = right[j, d]
            for k in range(1, reach):
                value -= band[j, k] * right[j + k, d]
            right[j, d] = value / band[j, 0]
    return True


@inlined
def _mean_curvature_normals(
    points: npt.NDArray[np.float64],
    starts: npt.NDArray[np.int32],
    ends: npt.NDArray[np.int32],
    items: npt.NDArray[np.int32],
    interior: npt.NDArray[np.bool_],
    weights: npt.NDArray[np.float64],
    mass: npt.NDArray[np.float64],
    out_normals: npt.NDArray[np.float64],
) -> float:
    """Write the mean curvature normal (the Laplacian of the position) of each interior vertex.

    Returns:
        The mean over the area of its squared length.
    """
    total = area = 0.0
    for v in range(len(mass)):
        if not interior[v]:
            continue
        area += mass[v]
        for d in range(3):
            value = 0.0
            for i in range(starts[v], ends[v]):
                value += weights[i] * (points[items[i], d] - points[v, d])
            out_normals[v, d] = value / mass[v]
            total += value * value / mass[v]
    return total / area if area > 0.0 else 0.0


@inlined
def _edge_factor(
    points: npt.NDArray[np.float64],
    normals: npt.NDArray[np.float64],
    mean: float,
    axis: npt.NDArray[np.float64],
    power: float,
    area: float,
    v: int,
    w: int,
) -> float:
    """The weight of the change of curvature along an edge: more along the axis, less where the change is large."""
    along = length = change = 0.0
    for d in range(3):
        step = points[v, d] - points[w, d]
        along += step * axis[d]
        length += step * step
        change += (normals[v, d] - normals[w, d]) ** 2
    factor = 1.0 + along * along / length
    if mean > 0.0:
        factor *= (change / length * area / mean + _SOFTNESS) ** (0.5 * power - 1.0)
    return factor


@inlined
def _mark_interior(
    starts: npt.NDArray[np.int32],
    ends: npt.NDArray[np.int32],
    sides: npt.NDArray[np.int8],
    out_interior: npt.NDArray[np.bool_],
) -> None:
    """Mark the interior vertices, which have faces all around: only those have a Laplacian."""
    for v in range(len(out_interior)):
        out_interior[v] = ends[v] > starts[v]
        for i in range(starts[v], ends[v]):
            out_interior[v] &= sides[i] == 2


@inlined
def _find_reach(
    starts: npt.NDArray[np.int32],
    ends: npt.NDArray[np.int32],
    items: npt.NDArray[np.int32],
    interior: npt.NDArray[np.bool_],
    rank: npt.NDArray[np.int32],
    count: int,
    out_lowest: npt.NDArray[np.int32],
    out_highest: npt.NDArray[np.int32],
) -> None:
    """Find the lowest and highest rank of the free vertices that each Laplacian depends on; `count` and −1 for none."""
    for v in range(len(interior)):
        out_lowest[v], out_highest[v] = count, -1
        if interior[v]:
            out_lowest[v] = rank[v] if rank[v] >= 0 else count
            out_highest[v] = rank[v]
            for i in range(starts[v], ends[v]):
                r = rank[items[i]]
                if r >= 0:
                    out_lowest[v], out_highest[v] = min(out_lowest[v], r), max(out_highest[v], r)


@inlined
def _band_width(
    starts: npt.NDArray[np.int32],
    ends: npt.NDArray[np.int32],
    items: npt.NDArray[np.int32],
    interior: npt.NDArray[np.bool_],
    lowest: npt.NDArray[np.int32],
    highest: npt.NDArray[np.int32],
) -> int:
    """One more than the largest difference between the ranks of two free vertices that share a term of the energy."""
    width = 1
    for v in range(len(interior)):
        width = max(width, highest[v] - lowest[v] + 1)
        if interior[v]:
            for i in range(starts[v], ends[v]):
                w = items[i]
                if w > v and interior[w]:
                    width = max(width, max(highest[v], highest[w]) - min(lowest[v], lowest[w]) + 1)
    return width


@inlined
def _assemble(
    points: npt.NDArray[np.float64],
    starts: npt.NDArray[np.int32],
    ends: npt.NDArray[np.int32],
    items: npt.NDArray[np.int32],
    interior: npt.NDArray[np.bool_],
    rank: npt.NDArray[np.int32],
    highest: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float64],
    inner: npt.NDArray[np.float64],
    mass: npt.NDArray[np.float64],
    normals: npt.NDArray[np.float64],
    mean: float,
    axis: npt.NDArray[np.float64],
    bilaplacian_weight: float,
    trilaplacian_weight: float,
    power: float,
    coefficient: npt.NDArray[np.float64],
    used: npt.NDArray[np.int32],
    out_band: npt.NDArray[np.float64],
    out_right: npt.NDArray[np.float64],
) -> None:
    """Write the normal equations: a term for each interior vertex, then one for each edge to a higher vertex."""
    for i in range(len(out_band)):
        for k in range(out_band.shape[1]):
            out_band[i, k] = 0.0
        for d in range(3):
            out_right[i, d] = 0.0
    for v in range(len(interior)):
        if not interior[v]:
            continue
        factor = bilaplacian_weight * mass[v]
        if highest[v] >= 0 and factor != 0.0:
            n = _add_row(v, 1.0, starts, ends, items, weights, mass, coefficient, used, 0)
            _add_normal_equation(factor, coefficient, used, n, rank, points, out_band, out_right)
        for i in range(starts[v], ends[v]):
            w = items[i]
            factor = trilaplacian_weight * inner[i]
            if w < v or not interior[w] or max(highest[v], highest[w]) < 0 or factor == 0.0:
                continue
            n = _add_row(v, 1.0, starts, ends, items, weights, mass, coefficient, used, 0)
            n = _add_row(w, -1.0, starts, ends, items, weights, mass, coefficient, used, n)
            factor *= _edge_factor(points, normals, mean, axis, power, mass[v], v, w)
            _add_normal_equation(factor, coefficient, used, n, rank, points, out_band, out_right)


@kernel
def fair_points(
    faces: npt.NDArray[np.int32],
    order: npt.NDArray[np.int32],
    axis: npt.NDArray[np.float64],
    bilaplacian_weight: float,
    trilaplacian_weight: float,
    power: float,
    rounds: int,
    most: int,
    out_points: npt.NDArray[np.float64],
) -> int:
    """Move the free vertices of a patch to where the energy of the surface is least.

    The energy is bilaplacian_weight * (area integral of the squared Laplacian of the position) + trilaplacian_weight *
    (that of the size of its gradient to a power), lengths in the units of `out_points`. The first round solves for
    power 2. Each later one reweights every edge by what the round before found (iteratively reweighted least squares)
    and takes the cotangents again. A power below 2 lets curvature change in few places, where the surroundings call
    for that: ridges and grooves continue. A vertex on the boundary of the given faces has no Laplacian, and faces at
    such vertices do not count.

    Args:
        faces: (m, 3) int32: the patch and at least two rings of faces around it.
        order: (k,) int32: the free vertices, neighbours close to each other, so that the system has a narrow band.
        axis: (3,) float64: a change along this direction counts 1 + (its length)**2 times as much as one across it.
        bilaplacian_weight: above 0, for where the surroundings are too narrow for the other term.
        trilaplacian_weight: see above.
        power: between 1 and 2.
        rounds: how often to solve.
        most: largest system (free vertices * width of the band) that is solved at all.
        out_points: (n, 3) float64: where the points are; free ones are moved.

    Returns:
        How many rounds were done: fewer than asked where the system was too large or not definite.
    """
    length, count = len(out_points), len(order)
    starts, ends = np.empty(length + 1, np.int32), np.empty(length, np.int32)
    items, sides = np.empty(6 * len(faces), np.int32), np.empty(6 * len(faces), np.int8)
    _list_neighbours(faces, length, starts, ends, items, sides)
    interior = np.empty(length, np.bool_)
    _mark_interior(starts, ends, sides, interior)
    rank = np.full(length, -1, np.int32)
    for i in range(count):
        rank[order[i]] = i
    lowest, highest = np.empty(length, np.int32), np.empty(length, np.int32)
    _find_reach(starts, ends, items, interior, rank, count, lowest, highest)
    width = min(_band_width(starts, ends, items, interior, lowest, highest), count)
    if count == 0 or count * width > most:
        return 0
    weights, inner = np.empty(len(items), np.float64), np.empty(len(items), np.float64)
    mass, normals = np.empty(length, np.float64), np.zeros((length, 3), np.float64)
    band, right = np.empty((count, width), np.float64), np.empty((count, 3), np.float64)
    coefficient, used = np.full(length, np.nan), np.empty(length, np.int32)
    for n_done in range(rounds):
        _cotangent_weights(out_points, faces, starts, items, interior, weights, inner, mass)
        mean = (
            _mean_curvature_normals(out_points, starts, ends, items, interior, weights, mass, normals)
            if n_done > 0
            else 0.0
        )
        _assemble(
            out_points, starts, ends, items, interior, rank, highest, weights, inner, mass, normals, mean,
            axis, bilaplacian_weight, trilaplacian_weight, power, coefficient, used, band, right,
        )  # fmt: skip
        if not _solve(band, right):
            return n_done
        for i in range(count):
            for d in range(3):
                out_points[order[i], d] = right[i, d]
    return rounds
