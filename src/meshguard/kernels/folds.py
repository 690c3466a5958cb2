"""Edges where a surface nearly folds back on itself."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined, kernel
from meshguard.kernels.halfedges import previous_halfedge


@kernel
def mark_folds(
    positions: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    twins: npt.NDArray[np.int32],
    fold_cos: float,
    lo: int,
    hi: int,
    out_fold: npt.NDArray[np.bool_],
) -> None:
    """Mark near-folds among the half-edges of the faces [lo, hi).

    Args:
        positions: (p, 3) float64, mm.
        corners: (m, 3) int32: positions of each face's corners.
        twins: (3m,) int32, from `group_edges`.
        fold_cos: an edge of two faces folds when the cosine between their normals is below this.
        lo: first face.
        hi: face after the last.
        out_fold: (3m,) bool: the lower half-edge of each folding edge; its faces are oriented consistently and are not
            duplicates.
    """
    flat = corners.ravel()
    for f in range(lo, hi):
        ax, ay, az = _normal(positions, corners, f)
        for h in range(3 * f, 3 * f + 3):
            g = twins[h]
            out_fold[h] = False
            if g > h and flat[g] != flat[h] and flat[previous_halfedge(g)] != flat[previous_halfedge(h)]:
                bx, by, bz = _normal(positions, corners, g // 3)
                dot = ax * bx + ay * by + az * bz
                if dot < 0.0:
                    squares = (ax * ax + ay * ay + az * az) * (bx * bx + by * by + bz * bz)
                    out_fold[h] = dot < fold_cos * np.sqrt(squares)


@inlined
def _normal(positions: npt.NDArray[np.float64], corners: npt.NDArray[np.int32], f: int) -> tuple[float, float, float]:
    """The normal of a face, as long as twice its area."""
    a, b, c = corners[f, 0], corners[f, 1], corners[f, 2]
    ax, ay, az = positions[a, 0], positions[a, 1], positions[a, 2]
    ux, uy, uz = positions[b, 0] - ax, positions[b, 1] - ay, positions[b, 2] - az
    vx, vy, vz = positions[c, 0] - ax, positions[c, 1] - ay, positions[c, 2] - az
    return uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
