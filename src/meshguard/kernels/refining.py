"""Refine a patch to the density of its surroundings: split faces at their centroids, flip edges.

After Liepa (Filling Holes in Meshes, 2003, section 4).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined, kernel
from meshguard.kernels.halfedges import next_halfedge, previous_halfedge
from meshguard.kernels.hole_triangulation import holds_edge, is_narrow

_ROUNDS = 16
_PASSES = 40


@inlined
def _pair(flat: npt.NDArray[np.int32], count: int, vertices: int, twins: npt.NDArray[np.int32]) -> None:
    """Pair the half-edges of `count` consistently oriented faces with their twins; −1 on the boundary."""
    starts = np.zeros(vertices + 1, np.int32)
    for h in range(3 * count):
        starts[flat[h] + 1] += 1
    for v in range(vertices):
        starts[v + 1] += starts[v]
    leaving = np.empty(3 * count, np.int32)
    filled = starts.copy()
    for h in range(3 * count):
        leaving[filled[flat[h]]] = h
        filled[flat[h]] += 1
    for h in range(3 * count):
        twins[h] = -1
        end = flat[next_halfedge(h)]
        for i in range(starts[end], starts[end + 1]):
            if flat[next_halfedge(leaving[i])] == flat[h]:
                twins[h] = leaving[i]


@inlined
def _meets(flat: npt.NDArray[np.int32], twins: npt.NDArray[np.int32], start: int, v: int) -> bool:
    """Whether an edge of the patch joins the origin of half-edge `start` and vertex `v`."""
    h = start
    while True:
        if flat[next_halfedge(h)] == v or flat[previous_halfedge(h)] == v:
            return True
        h = twins[previous_halfedge(h)]
        if h == start:
            return False
        if h < 0:
            break
    h = start
    while twins[h] >= 0:
        h = next_halfedge(twins[h])
        if flat[next_halfedge(h)] == v or flat[previous_halfedge(h)] == v:
            return True
    return False


@inlined
def _square_distance(points: npt.NDArray[np.float64], a: int, b: int) -> float:
    """The squared distance between two points."""
    dx, dy, dz = points[a, 0] - points[b, 0], points[a, 1] - points[b, 1], points[a, 2] - points[b, 2]
    square: float = dx * dx + dy * dy + dz * dz
    return square


@inlined
def _normal(points: npt.NDArray[np.float64], a: int, b: int, c: int) -> tuple[float, float, float]:
    """The normal of a triangle, as long as twice its area."""
    ax, ay, az = points[a, 0], points[a, 1], points[a, 2]
    ux, uy, uz = points[b, 0] - ax, points[b, 1] - ay, points[b, 2] - az
    vx, vy, vz = points[c, 0] - ax, points[c, 1] - ay, points[c, 2] - az
    return uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx


@inlined
def _cotangent(points: npt.NDArray[np.float64], a: int, b: int, c: int) -> float:
    """The cotangent of the angle at c."""
    dot = 0.0
    for d in range(3):
        dot += (points[a, d] - points[c, d]) * (points[b, d] - points[c, d])
    nx, ny, nz = _normal(points, a, b, c)
    cotangent: float = dot / math.sqrt(nx * nx + ny * ny + nz * nz)
    return cotangent


@inlined
def _is_better_flipped(points: npt.NDArray[np.float64], a: int, b: int, c: int, d: int) -> bool:
    """Whether the faces a b c and b a d are better as c d b and d c a: Delaunay within the surface, and no fold."""
    if not _cotangent(points, a, b, c) + _cotangent(points, a, b, d) < -1e-9:
        return False
    ux, uy, uz = _normal(points, a, b, c)
    vx, vy, vz = _normal(points, b, a, d)
    px, py, pz = _normal(points, c, d, b)
    qx, qy, qz = _normal(points, d, c, a)
    sx, sy, sz = ux + vx, uy + vy, uz + vz
    if px * sx + py * sy + pz * sz <= 0.0 or qx * sx + qy * sy + qz * sz <= 0.0:
        return False
    old_cos = (ux * vx + uy * vy + uz * vz) / math.sqrt((ux * ux + uy * uy + uz * uz) * (vx * vx + vy * vy + vz * vz))
    new_cos = (px * qx + py * qy + pz * qz) / math.sqrt((px * px + py * py + pz * pz) * (qx * qx + qy * qy + qz * qz))
    return new_cos >= 0.5 or new_cos >= old_cos


@inlined
def _flip(flat: npt.NDArray[np.int32], twins: npt.NDArray[np.int32], h: int, g: int) -> None:
    """Flip the edge of half-edges h and g: faces (a b c) and (b a d) become (c d b) and (d c a)."""
    hn, hb, gn, gb = next_halfedge(h), previous_halfedge(h), next_halfedge(g), previous_halfedge(g)
    a, b, c, d = flat[h], flat[g], flat[hb], flat[gb]
    bc, ca, ad, db = twins[hn], twins[hb], twins[gn], twins[gb]
    # Face of h: h = c to d, hn = d to b, hb = b to c; face of g: g = d to c, gn = c to a, gb = a to d.
    flat[h], flat[hn], flat[hb] = c, d, b
    flat[g], flat[gn], flat[gb] = d, c, a
    twins[hn], twins[hb], twins[gn], twins[gb] = db, bc, ca, ad
    if db >= 0:
        twins[db] = hn
    if bc >= 0:
        twins[bc] = hb
    if ca >= 0:
        twins[ca] = gn
    if ad >= 0:
        twins[ad] = gb


@inlined
def _relax(
    points: npt.NDArray[np.float64],
    flat: npt.NDArray[np.int32],
    twins: npt.NDArray[np.int32],
    count: int,
    edges: npt.NDArray[np.int64],
    n_old: int,
) -> None:
    """Flip the patch's inner edges until none is better flipped, or until a fixed number of passes is done."""
    for _ in range(_PASSES):
        flips = 0
        for h in range(3 * count):
            g = twins[h]
            if g < h:
                continue
            c, d = flat[previous_halfedge(h)], flat[previous_halfedge(g)]
            if not _is_better_flipped(points, flat[h], flat[g], c, d):
                continue
            if c < n_old and d < n_old and holds_edge(edges, n_old, c, d):
                continue
            if _meets(flat, twins, previous_halfedge(h), d):
                continue
            if is_narrow(points, c, d, flat[g]) or is_narrow(points, d, c, flat[h]):
                continue
            _flip(flat, twins, h, g)
            flips += 1
        if flips == 0:
            break


@kernel
def refine_patch(
    edges: npt.NDArray[np.int64],
    n_old: int,
    n_points: int,
    n_faces: int,
    alpha: float,
    out_points: npt.NDArray[np.float64],
    out_scale: npt.NDArray[np.float64],
    out_faces: npt.NDArray[np.int32],
) -> int:
    """Split the faces of a patch that are large for the edges around it, and flip its edges towards Delaunay.

    A face is split at its centroid when the centroid lies farther from each corner than the corner's scale and than the
    mean scale of the three, both divided by `alpha` (Liepa takes √2). No edge of the patch's boundary is split, and no
    edge becomes one that exists already. An edge is flipped where the two angles opposite it add up to more than 180
    degrees, unless that folds the patch.

    Args:
        edges: (e,) int64: sorted keys lower * n_old + higher of edges outside the patch.
        n_old: how many points there were before the patch.
        n_points: points so far.
        n_faces: faces of the patch so far, consistently oriented, at most two on an edge, one fan around each point.
        alpha: see above; 0 only flips.
        out_points: (q, 3) float64: the points so far, then new ones as far as it reaches, mm.
        out_scale: (q,) float64: the edge length called for at each point, mm.
        out_faces: (n_faces + 2 * (q - n_points), 3) int32: the faces so far, then new ones.

    Returns:
        How many points there are; the faces have grown by two for each new one.
    """
    flat = out_faces.reshape(-1)
    twins = np.empty(len(flat), np.int32)
    _pair(flat, n_faces, n_points, twins)
    for round_number in range(_ROUNDS):
        _relax(out_points, flat, twins, n_faces, edges, n_old)
        if alpha <= 0.0 or n_points == len(out_points) or round_number == _ROUNDS - 1:
            break
        splits = 0
        for f in range(n_faces):
            if n_points == len(out_points):
                break
            a, b, c = flat[3 * f], flat[3 * f + 1], flat[3 * f + 2]
            m = n_points
            for d in range(3):
                out_points[m, d] = (out_points[a, d] + out_points[b, d] + out_points[c, d]) / 3.0
            out_scale[m] = (out_scale[a] + out_scale[b] + out_scale[c]) / 3.0
            is_large = True
            for v in (a, b, c):
                limit = max(out_scale[v], out_scale[m]) / alpha
                is_large = is_large and _square_distance(out_points, v, m) > limit * limit
            if not is_large or is_narrow(out_points, a, b, m) or is_narrow(out_points, b, c, m):
                continue
            if is_narrow(out_points, c, a, m):
                continue
            # Face f keeps its first half-edge: (a b m); then (b c m) and (c a m).
            first, second = 3 * (n_faces + splits * 2), 3 * (n_faces + splits * 2) + 3
            bc, ca = twins[3 * f + 1], twins[3 * f + 2]
            flat[3 * f + 2] = m
            flat[first], flat[first + 1], flat[first + 2] = b, c, m
            flat[second], flat[second + 1], flat[second + 2] = c, a, m
            twins[first], twins[second] = bc, ca
            if bc >= 0:
                twins[bc] = first
            if ca >= 0:
                twins[ca] = second
            twins[3 * f + 1], twins[first + 2] = first + 2, 3 * f + 1
            twins[first + 1], twins[second + 2] = second + 2, first + 1
            twins[second + 1], twins[3 * f + 2] = 3 * f + 2, second + 1
            n_points += 1
            splits += 1
        n_faces += 2 * splits
        if splits == 0:
            break
    return n_points
