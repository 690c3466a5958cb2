"""Labelled surfaces: regions of equal label, what each measures, and the borders between labels.

A node is what carries the label: a face, or a position. Two nodes are connected where they have the same label and an
edge of the mesh joins them: two faces through the edge they share, two positions along the edge between them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined, kernel
from meshguard.kernels.halfedges import next_halfedge
from meshguard.kernels.topology import BOUNDARY, UNUSED, unite

AREA, CENTRE, VECTOR, NODES, BOUNDARY_LENGTH, COLUMNS = 0, 1, 4, 7, 8, 9
"""Columns of a region's measures: area, mean of its surface (3), sum of its faces' normals times their areas (3),
number of nodes, length of the mesh's boundary along it."""


@inlined
def _middle(a: int, b: int, c: int) -> int:
    """The middle of three labels, which is the one that two corners have, if any two agree."""
    return max(min(a, b), min(max(a, b), c))


@inlined
def _label_faces(
    corners: npt.NDArray[np.int32],
    twins: npt.NDArray[np.int32],
    labels: npt.NDArray[np.int32],
    by_face: bool,
    out_face_label: npt.NDArray[np.int32],
    out_region: npt.NDArray[np.int32],
    out_mixed: npt.NDArray[np.int32],
) -> int:
    """Label each face, list mixed faces, and make each node that takes part its own set; return how many are mixed."""
    for node in range(len(labels)):
        out_region[node] = -1
    mixed = 0
    for f in range(len(corners)):
        used = twins[3 * f] != UNUSED
        if by_face:
            out_face_label[f] = labels[f]
            if used:
                out_region[f] = f
        else:
            a, b, c = corners[f, 0], corners[f, 1], corners[f, 2]
            out_face_label[f] = _middle(labels[a], labels[b], labels[c])
            if used:
                out_region[a], out_region[b], out_region[c] = a, b, c
                if labels[a] != labels[b] or labels[a] != labels[c]:
                    out_mixed[mixed] = f
                    mixed += 1
    return mixed


@inlined
def _unite_nodes(
    corners: npt.NDArray[np.int32],
    twins: npt.NDArray[np.int32],
    labels: npt.NDArray[np.int32],
    by_face: bool,
    face_label: npt.NDArray[np.int32],
    out_region: npt.NDArray[np.int32],
    out_borders: npt.NDArray[np.int32],
    out_node_borders: npt.NDArray[np.int32],
) -> tuple[int, int]:
    """Unite the sets of nodes that an edge joins; list the edges where labels differ, and return how many there are."""
    borders = node_borders = 0
    for f in range(len(corners)):
        for c in range(3):
            h = 3 * f + c
            twin = twins[h]
            if twin == UNUSED or 0 <= twin < h:
                continue
            g = twin // 3 if twin >= 0 else f
            if face_label[f] != face_label[g]:
                out_borders[borders] = h
                borders += 1
            a, b = (f, g) if by_face else (corners[f, c], corners[f, (c + 1) % 3])
            # Most nodes were joined with the same set before, which shows without a search.
            if out_region[a] == out_region[b]:
                continue
            if labels[a] == labels[b]:
                unite(out_region, a, b)
            elif not by_face:
                out_node_borders[node_borders] = h
                node_borders += 1
    return borders, node_borders


@inlined
def _unite_at_nonmanifold(
    flat: npt.NDArray[np.int32],
    nonmanifold: npt.NDArray[np.int32],
    labels: npt.NDArray[np.int32],
    out_region: npt.NDArray[np.int32],
) -> None:
    """Unite faces of one label that share an edge with more than two faces."""
    for k in range(1, len(nonmanifold)):
        h = nonmanifold[k]
        for j in range(k - 1, -1, -1):
            g = nonmanifold[j]
            same_sum = flat[g] + flat[next_halfedge(g)] == flat[h] + flat[next_halfedge(h)]
            if not same_sum or min(flat[g], flat[next_halfedge(g)]) != min(flat[h], flat[next_halfedge(h)]):
                break
            if labels[g // 3] == labels[h // 3]:
                unite(out_region, g // 3, h // 3)


@inlined
def _number_regions(
    labels: npt.NDArray[np.int32],
    out_region: npt.NDArray[np.int32],
    out_label: npt.NDArray[np.int32],
    out_nodes: npt.NDArray[np.int32],
) -> int:
    """Turn sets into numbers of regions, and write the label and size of each; return how many regions there are.

    A representative is the lowest node of its set, so it is numbered before the others look it up. Until all are
    numbered, k is written as −2 - k.
    """
    count = 0
    for node in range(len(labels)):
        if out_region[node] == node:
            out_region[node] = -2 - count
            out_label[count] = labels[node]
            out_nodes[count] = 0
            count += 1
        elif out_region[node] >= 0:
            # All representatives on the way up are lower, and so numbered already.
            root = out_region[node]
            while root >= 0:
                root = out_region[root]
            out_region[node] = root
    for node in range(len(labels)):
        if out_region[node] < -1:
            out_region[node] = -2 - out_region[node]
            out_nodes[out_region[node]] += 1
    return count


@kernel
def label_regions(
    corners: npt.NDArray[np.int32],
    twins: npt.NDArray[np.int32],
    nonmanifold: npt.NDArray[np.int32],
    labels: npt.NDArray[np.int32],
    by_face: bool,
    out_face_label: npt.NDArray[np.int32],
    out_region: npt.NDArray[np.int32],
    out_borders: npt.NDArray[np.int32],
    out_node_borders: npt.NDArray[np.int32],
    out_mixed: npt.NDArray[np.int32],
    out_label: npt.NDArray[np.int32],
    out_nodes: npt.NDArray[np.int32],
) -> tuple[int, int, int, int]:
    """Label each face, number the regions of connected nodes, and list the edges and faces where labels differ.

    Args:
        corners: (m, 3) int32: positions of each face's corners.
        twins: (3m,) int32: see `kernels.topology`.
        nonmanifold: (k,) int32: half-edges of edges with more than two faces, those of an edge side by side.
        labels: (N,) int32: label of each node; N = m by face, else the number of positions.
        by_face: whether nodes are faces.
        out_face_label: (m,) int32: label of each face: the middle one of its corners' labels.
        out_region: (N,) int32: region of each node, 0 to R - 1 by lowest node; −1 for one that takes no part.
        out_borders: (3m,) int32: the first of them hold half-edges between faces that differ, ascending and one for
            each edge.
        out_node_borders: (3m,) int32: likewise between nodes that differ; not written by face, where they are the same.
        out_mixed: (m,) int32: the first of them hold faces whose corners differ, ascending; none by face.
        out_label: (N,) int32: the first R hold the label of each region.
        out_nodes: (N,) int32: the first R hold the number of its nodes.

    Returns:
        R, and the numbers of borders, node borders and mixed faces. Zeros for no faces.
    """
    mixed = _label_faces(corners, twins, labels, by_face, out_face_label, out_region, out_mixed)
    borders, node_borders = _unite_nodes(
        corners, twins, labels, by_face, out_face_label, out_region, out_borders, out_node_borders
    )
    if by_face:
        _unite_at_nonmanifold(corners.reshape(-1), nonmanifold, labels, out_region)
    return _number_regions(labels, out_region, out_label, out_nodes), borders, node_borders, mixed


@kernel
def measure_regions(
    positions: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    twins: npt.NDArray[np.int32],
    areas: npt.NDArray[np.float64],
    labels: npt.NDArray[np.int32],
    face_label: npt.NDArray[np.int32],
    region: npt.NDArray[np.int32],
    by_face: bool,
    lo: int,
    hi: int,
    out_sums: npt.NDArray[np.float64],
    out_face_region: npt.NDArray[np.int32],
) -> None:
    """Add up the faces [lo, hi) over each region; a position has a third of each of its faces.

    Args:
        positions: (p, 3) float64: mm.
        corners: (m, 3) int32: positions of each face's corners.
        twins: (3m,) int32: see `kernels.topology`.
        areas: (m,) float64: of each face, mm2.
        labels: (N,) int32: of each node.
        face_label: (m,) int32: label of each face.
        region: (N,) int32: of each node, from `label_regions`.
        by_face: whether nodes are faces.
        lo: first face.
        hi: face after the last.
        out_sums: (R, COLUMNS) float64: overwritten with AREA and BOUNDARY_LENGTH, and for labels other than 0 with
            VECTOR and, under CENTRE, the surface's centre times its area; NODES is left at 0.
        out_face_region: (m,) int32: region of each face, which is that of its first corner with its label; −1 for one
            that takes no part.
    """
    out_sums[:, :] = 0.0
    centre, vector = np.empty(3), np.empty(3)
    for f in range(lo, hi):
        out_face_region[f] = -1
        if twins[3 * f] == UNUSED:
            continue
        a, b, c = corners[f, 0], corners[f, 1], corners[f, 2]
        area = areas[f]
        is_one_region = by_face or (region[a] == region[b] and region[a] == region[c])
        is_gum = is_one_region and face_label[f] == 0
        if not is_gum:
            for d in range(3):
                e, g = (d + 1) % 3, (d + 2) % 3
                centre[d] = area * (positions[a, d] + positions[b, d] + positions[c, d]) / 3.0
                vector[d] = 0.5 * (
                    (positions[b, e] - positions[a, e]) * (positions[c, g] - positions[a, g])
                    - (positions[b, g] - positions[a, g]) * (positions[c, e] - positions[a, e])
                )
        for corner in range(3):
            node = f if by_face else corners[f, corner]
            if out_face_region[f] < 0 and labels[node] == face_label[f]:
                out_face_region[f] = region[node]
            row = out_sums[region[node]]
            share = 1.0 if is_one_region else 1.0 / 3.0
            row[AREA] += share * area
            if labels[node] != 0:
                for d in range(3):
                    row[CENTRE + d] += share * centre[d]
                    row[VECTOR + d] += share * vector[d]
            if is_one_region:
                break
        for corner in range(3):
            if twins[3 * f + corner] == BOUNDARY:
                a, b = corners[f, corner], corners[f, (corner + 1) % 3]
                length = 0.0
                for d in range(3):
                    length += (positions[b, d] - positions[a, d]) ** 2
                node = f if by_face else a
                out_sums[region[node], BOUNDARY_LENGTH] += np.sqrt(length)


@kernel
def extents_along(
    positions: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    region: npt.NDArray[np.int32],
    owner: npt.NDArray[np.int32],
    axes: npt.NDArray[np.float64],
    lo: int,
    hi: int,
    out_extents: npt.NDArray[np.float64],
) -> None:
    """Smallest and largest coordinates of the faces [lo, hi) along the axes of their owner.

    Args:
        positions: (p, 3) float64: mm.
        corners: (m, 3) int32: positions of each face's corners.
        region: (m,) int32: of each face, −1 for none.
        owner: (R + 1,) int32: of each region, 0 to T - 1, or −1 for one that counts nowhere; the last is for faces
            without a region.
        axes: (T, 3, 3) float64: three unit vectors of each owner.
        lo: first face.
        hi: face after the last.
        out_extents: (T, 3, 2) float64: overwritten, mm; inf and −inf for an owner without faces.
    """
    out_extents[:, :, 0] = np.inf
    out_extents[:, :, 1] = -np.inf
    for f in range(lo, hi):
        t = owner[region[f]]
        if t < 0:
            continue
        for corner in range(3):
            p = corners[f, corner]
            for k in range(3):
                along = (
                    positions[p, 0] * axes[t, k, 0] + positions[p, 1] * axes[t, k, 1] + positions[p, 2] * axes[t, k, 2]
                )
                out_extents[t, k, 0] = min(out_extents[t, k, 0], along)
                out_extents[t, k, 1] = max(out_extents[t, k, 1], along)


@inlined
def _between_centres(positions: npt.NDArray[np.float64], corners: npt.NDArray[np.int32], f: int, g: int) -> float:
    """The distance between the centres of two faces."""
    total = 0.0
    for d in range(3):
        sum_f = positions[corners[f, 0], d] + positions[corners[f, 1], d] + positions[corners[f, 2], d]
        sum_g = positions[corners[g, 0], d] + positions[corners[g, 1], d] + positions[corners[g, 2], d]
        total += (sum_f - sum_g) ** 2
    return float(np.sqrt(total) / 3.0)


@kernel
def faces_near_borders(
    positions: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    twins: npt.NDArray[np.int32],
    labels: npt.NDArray[np.int32],
    seeds: npt.NDArray[np.int32],
    reach: float,
    out_distance: npt.NDArray[np.float64],
    out_seed: npt.NDArray[np.int32],
    out_faces: npt.NDArray[np.int32],
) -> int:
    """Faces near borders, each with its distance to the nearest border over the surface of its own label.

    Distances run from centre to centre and start at the middle of the border's edge. They are a little too long,
    equally on both sides. They are settled by relaxation over a queue, whose order does not affect the result.

    Args:
        positions: (p, 3) float64: mm.
        corners: (m, 3) int32: positions of each face's corners.
        twins: (3m,) int32: see `kernels.topology`.
        labels: (m,) int32: label of each face.
        seeds: (k,) int32: half-edges of borders, one for each edge.
        reach: mm; faces farther away are left out.
        out_distance: (m,) float64: infinite on entry; mm, infinite where no border is within reach.
        out_seed: (m,) int32: −1 on entry; place in `seeds` of the nearest border edge; of equally near ones the lower.
        out_faces: (m,) int32: the first of them hold the faces within reach, in no particular order.

    Returns:
        The number of faces within reach.
    """
    m = len(corners)
    queue = np.empty(m, np.int32)
    queued = np.zeros(m, np.bool_)
    head, waiting, found = 0, 0, 0
    flat = corners.reshape(-1)
    for s in range(len(seeds)):
        for side in range(2):
            h = seeds[s] if side == 0 else twins[seeds[s]]
            f = h // 3
            a, b = flat[h], flat[next_halfedge(h)]
            start = 0.0
            for d in range(3):
                centre = (positions[corners[f, 0], d] + positions[corners[f, 1], d] + positions[corners[f, 2], d]) / 3.0
                start += (centre - 0.5 * (positions[a, d] + positions[b, d])) ** 2
            start = np.sqrt(start)
            if start < out_distance[f] or (start == out_distance[f] and s < out_seed[f]):
                if out_seed[f] < 0:
                    out_faces[found] = f
                    found += 1
                out_distance[f] = start
                out_seed[f] = s
                if not queued[f]:
                    queue[(head + waiting) % m] = f
                    waiting += 1
                    queued[f] = True
    while waiting:
        f = queue[head]
        head = (head + 1) % m
        waiting -= 1
        queued[f] = False
        for c in range(3):
            twin = twins[3 * f + c]
            if twin < 0:
                continue
            g = twin // 3
            if labels[g] != labels[f]:
                continue
            distance = out_distance[f] + _between_centres(positions, corners, f, g)
            if distance > reach:
                continue
            if distance < out_distance[g] or (distance == out_distance[g] and out_seed[f] < out_seed[g]):
                if out_seed[g] < 0:
                    out_faces[found] = g
                    found += 1
                out_distance[g] = distance
                out_seed[g] = out_seed[f]
                if not queued[g]:
                    queue[(head + waiting) % m] = g
                    waiting += 1
                    queued[g] = True
    return found


@inlined
def _distance(first_points: npt.NDArray[np.float64], p: int, second_points: npt.NDArray[np.float64], q: int) -> float:
    """The distance between a point of one array and a point of another."""
    total = 0.0
    for d in range(3):
        total += (first_points[p, d] - second_points[q, d]) ** 2
    return float(np.sqrt(total))


@kernel
def smoothed_lengths(
    points: npt.NDArray[np.float64],
    ends: npt.NDArray[np.int32],
    owners: npt.NDArray[np.int32],
    rounds: int,
    out_lengths: npt.NDArray[np.float64],
) -> None:
    """Lengths of borders before and after smoothing, added up for the teeth on either side.

    Each round moves every point halfway to the mean of its neighbours along the border. Points where one edge ends or
    more than two meet stay where they are.

    Args:
        points: (q, 3) float64: points of the borders, mm.
        ends: (k, 2) int32: the two points of each edge.
        owners: (k, 2) int32: the two owners of each edge, −1 for none.
        rounds: how often to smooth.
        out_lengths: (T, 4) float64: overwritten; lengths before and after in mm, the sum of how far the ends of edges
            moved in mm, and the number of those ends.
    """
    q, k = len(points), len(ends)
    degree = np.zeros(q, np.int32)
    neighbours = np.zeros((q, 2), np.int32)
    for e in range(k):
        for end in range(2):
            p = ends[e, end]
            if degree[p] < 2:
                neighbours[p, degree[p]] = ends[e, 1 - end]
            degree[p] += 1
    smoothed, moved = points.copy(), points.copy()
    for _ in range(rounds):
        for p in range(q):
            if degree[p] == 2:
                before_p, after_p = neighbours[p, 0], neighbours[p, 1]
                for d in range(3):
                    moved[p, d] = 0.5 * smoothed[p, d] + 0.25 * (smoothed[before_p, d] + smoothed[after_p, d])
        smoothed, moved = moved, smoothed
    out_lengths[:, :] = 0.0
    for e in range(k):
        a, b = ends[e, 0], ends[e, 1]
        length, smoothed_length = _distance(points, a, points, b), _distance(smoothed, a, smoothed, b)
        shift = _distance(points, a, smoothed, a) + _distance(points, b, smoothed, b)
        for side in range(2):
            owner = owners[e, side]
            if owner >= 0:
                out_lengths[owner, 0] += length
                out_lengths[owner, 1] += smoothed_length
                out_lengths[owner, 2] += shift
                out_lengths[owner, 3] += 2.0
