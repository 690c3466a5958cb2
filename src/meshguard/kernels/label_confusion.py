"""Two labellings of the same points, counted against each other, with the centroid and size of each tooth.

Ids are small whole numbers that index the outputs. Id 0, the gum, is counted like any other.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from meshguard.kernels._jit import kernel

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@kernel
def count_confusion(
    truth: npt.NDArray[np.int32],
    predicted: npt.NDArray[np.int32],
    points: npt.NDArray[np.float64],
    out_confusion: npt.NDArray[np.int64],
    out_truth: npt.NDArray[np.float64],
    out_predicted: npt.NDArray[np.float64],
) -> None:
    """Count pairs of ids, and measure where the points of each id lie.

    Sums run in the order of the points, so the same input gives the same bits.

    Args:
        truth: (k,) int32 in [0, t).
        predicted: (k,) int32 in [0, p).
        points: (k, 3) float64, mm; (0, 3) leaves the measures at 0.
        out_confusion: (t, p) int64, zeros: number of points with each pair of ids.
        out_truth: (t, 7) float64, zeros: centroid x, y, z; sum of squared deviations from it along x, y, z, mm2;
            largest squared distance from it, mm2.
        out_predicted: (p, 3) float64, zeros: centroid. An id without points keeps NaN.
    """
    has_points = len(points) > 0
    start = 0
    while start < len(truth):  # a run of one pair of ids stays in registers
        t, p, first = truth[start], predicted[start], start
        if has_points:
            a, b, c = out_truth[t, 0], out_truth[t, 1], out_truth[t, 2]
            x, y, z = out_predicted[p, 0], out_predicted[p, 1], out_predicted[p, 2]
            while start < len(truth) and truth[start] == t and predicted[start] == p:
                u, v, w = points[start, 0], points[start, 1], points[start, 2]
                a, b, c, x, y, z = a + u, b + v, c + w, x + u, y + v, z + w
                start += 1
            out_truth[t, 0], out_truth[t, 1], out_truth[t, 2] = a, b, c
            out_predicted[p, 0], out_predicted[p, 1], out_predicted[p, 2] = x, y, z
        else:
            while start < len(truth) and truth[start] == t and predicted[start] == p:
                start += 1
        out_confusion[t, p] += start - first
    if not has_points:
        return
    for t in range(out_confusion.shape[0]):
        count = 0
        for p in range(out_confusion.shape[1]):
            count += out_confusion[t, p]
        for axis in range(3):
            out_truth[t, axis] = out_truth[t, axis] / count if count else math.nan
    for p in range(out_confusion.shape[1]):
        count = 0
        for t in range(out_confusion.shape[0]):
            count += out_confusion[t, p]
        for axis in range(3):
            out_predicted[p, axis] = out_predicted[p, axis] / count if count else math.nan
    start = 0
    while start < len(truth):
        t = truth[start]
        a, b, c = out_truth[t, 0], out_truth[t, 1], out_truth[t, 2]
        x, y, z, most = out_truth[t, 3], out_truth[t, 4], out_truth[t, 5], out_truth[t, 6]
        while start < len(truth) and truth[start] == t:
            u, v, w = a - points[start, 0], b - points[start, 1], c - points[start, 2]
            u, v, w = u * u, v * v, w * w
            x, y, z, most = x + u, y + v, z + w, max(most, u + v + w)
            start += 1
        out_truth[t, 3], out_truth[t, 4], out_truth[t, 5], out_truth[t, 6] = x, y, z, most


@kernel
def label_changes(
    faces: npt.NDArray[np.int32], labels: npt.NDArray[np.int32], out_halfedges: npt.NDArray[np.int32]
) -> int:
    """The half-edges between vertices of different labels, ascending; an edge of two faces gives two.

    Args:
        faces: (m, 3) int32.
        labels: (n,) int32, of the vertices.
        out_halfedges: (3m,) int32: half-edges 3*f + c; only the first entries are written.

    Returns:
        How many there are.
    """
    count = 0
    for f in range(len(faces)):
        a, b, c = labels[faces[f, 0]], labels[faces[f, 1]], labels[faces[f, 2]]
        if a == b and b == c:
            continue
        if a != b:
            out_halfedges[count] = 3 * f
            count += 1
        if b != c:
            out_halfedges[count] = 3 * f + 1
            count += 1
        if c != a:
            out_halfedges[count] = 3 * f + 2
            count += 1
    return count
