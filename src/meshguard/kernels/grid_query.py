"""Which faces lie near certain places: a grid of marked cells, and the faces whose boxes reach into one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshguard.kernels._jit import kernel

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_MOST_CELLS = 64
"""A box that covers more cells than this counts as near without a look."""


@kernel
def faces_near(
    positions: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    marked: npt.NDArray[np.bool_],
    origin_x: float,
    origin_y: float,
    origin_z: float,
    cell: float,
    lo: int,
    hi: int,
    out_near: npt.NDArray[np.bool_],
) -> None:
    """Mark the faces of [lo, hi) whose boxes reach into a marked cell; very large ones always count.

    Args:
        positions: (p, 3) float64, mm.
        corners: (m, 3) int32.
        marked: (i, j, k) bool, cells of a grid.
        origin_x: origin of the grid, mm; with `origin_y` and `origin_z`.
        origin_y: see `origin_x`.
        origin_z: see `origin_x`.
        cell: side of a cell, mm.
        lo: first face.
        hi: face after the last.
        out_near: (m,) bool.
    """
    nx, ny, nz = marked.shape
    for f in range(lo, hi):
        a, b, c = corners[f, 0], corners[f, 1], corners[f, 2]
        x0 = (min(positions[a, 0], positions[b, 0], positions[c, 0]) - origin_x) / cell
        y0 = (min(positions[a, 1], positions[b, 1], positions[c, 1]) - origin_y) / cell
        z0 = (min(positions[a, 2], positions[b, 2], positions[c, 2]) - origin_z) / cell
        x1 = (max(positions[a, 0], positions[b, 0], positions[c, 0]) - origin_x) / cell
        y1 = (max(positions[a, 1], positions[b, 1], positions[c, 1]) - origin_y) / cell
        z1 = (max(positions[a, 2], positions[b, 2], positions[c, 2]) - origin_z) / cell
        out_near[f] = False
        if not (x1 >= 0.0 and y1 >= 0.0 and z1 >= 0.0 and x0 < nx and y0 < ny and z0 < nz):
            continue
        i0, j0, k0 = int(max(x0, 0.0)), int(max(y0, 0.0)), int(max(z0, 0.0))
        i1, j1, k1 = int(min(x1, nx - 1.0)), int(min(y1, ny - 1.0)), int(min(z1, nz - 1.0))
        if (i1 - i0 + 1) * (j1 - j0 + 1) * (k1 - k0 + 1) > _MOST_CELLS:
            out_near[f] = True
            continue
        for i in range(i0, i1 + 1):
            for j in range(j0, j1 + 1):
                for k in range(k0, k1 + 1):
                    if marked[i, j, k]:
                        out_near[f] = True
