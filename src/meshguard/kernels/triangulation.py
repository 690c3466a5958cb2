"""Polygons and strips cut into triangles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshguard.kernels._jit import kernel

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

TRIANGLE, POLYGON, TOO_FEW, OUT_OF_RANGE = 0, 1, 2, 3
"""What became of a face: kept; cut into a fan; left out for fewer than three corners; left out for a missing vertex."""


@kernel
def triangulate(
    lengths: npt.NDArray[np.int32],
    items: npt.NDArray[np.int64],
    n_vertices: int,
    are_strips: bool,
    out_faces: npt.NDArray[np.int32],
    out_origin: npt.NDArray[np.int32],
    out_status: npt.NDArray[np.int8],
) -> tuple[int, int]:
    """Cut polygons into fans (0, i, i + 1) from their first corner, or strips into triangles of alternating direction.

    Args:
        lengths: (rows,) int32: corners of each polygon or strip.
        items: (corners,) int64: their vertices in turn; in a strip −1 begins a new run.
        n_vertices: vertices are [0, n_vertices). A polygon that names any other is left out, and so is each such
            triangle of a strip.
        are_strips: whether rows are strips.
        out_faces: (m, 3) int32: triangles in file order; room for the sum of max(0, length − 2).
        out_origin: (m,) int32: the row that each triangle comes from.
        out_status: (rows,) int8: TRIANGLE, POLYGON, TOO_FEW or OUT_OF_RANGE; of strips TRIANGLE or OUT_OF_RANGE.

    Returns:
        Triangles written, and triangles of strips left out because a corner repeats, as it does where a strip is
        stitched together from several. (0, 0) for no rows.
    """
    triangles = 0
    stitches = 0
    first = 0
    for row in range(len(lengths)):
        length = lengths[row]
        status = TRIANGLE
        if are_strips:
            run = 0
            for i in range(length):
                c = items[first + i]
                if c == -1:
                    run = 0
                    continue
                run += 1
                if c < 0 or c >= n_vertices:
                    status = OUT_OF_RANGE
                if run < 3:
                    continue
                a, b = items[first + i - 2], items[first + i - 1]
                if a < 0 or b < 0 or c < 0 or a >= n_vertices or b >= n_vertices or c >= n_vertices:
                    continue
                if a in (b, c) or b == c:
                    stitches += 1
                    continue
                out_faces[triangles, 0] = a if run % 2 == 1 else b
                out_faces[triangles, 1] = b if run % 2 == 1 else a
                out_faces[triangles, 2] = c
                out_origin[triangles] = row
                triangles += 1
        elif length < 3:
            status = TOO_FEW
        else:
            status = TRIANGLE if length == 3 else POLYGON
            for i in range(length):
                if items[first + i] < 0 or items[first + i] >= n_vertices:
                    status = OUT_OF_RANGE
                    break
            if status != OUT_OF_RANGE:
                for i in range(1, length - 1):
                    out_faces[triangles, 0] = items[first]
                    out_faces[triangles, 1] = items[first + i]
                    out_faces[triangles, 2] = items[first + i + 1]
                    out_origin[triangles] = row
                    triangles += 1
        out_status[row] = status
        first += length
    return triangles, stitches
