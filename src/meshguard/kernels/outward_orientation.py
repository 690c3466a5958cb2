"""Which side of a sheet faces outward, decided by what can be seen of it from outside.

Follow straight lines through a sheet: their first and last hits are what an observer far away sees. On a closed
surface that is oriented outward, both always show a front. On an open sheet a line with an odd number of hits shows one
front and one back and decides nothing; one with an even number shows two of a kind. Crowns stand out from a dental
arch, so lines across them show fronts. Unlike the signed volume, which for an open sheet depends on where the origin
lies, the votes do not change when the sheet is moved.

(Compare Takayama et al., A Simple Method for Correcting Facet Orientations in
Polygon Meshes Based on Ray Casting, JCGT 2014, which casts rays from every face.)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import kernel

FRONT, BACK = 0, 1
"""Columns of the votes: line ends that show a front, and a back."""


@kernel
def line_end_votes(
    positions: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    faces: npt.NDArray[np.int32],
    frames: npt.NDArray[np.float64],
    lo: int,
    hi: int,
    resolution: int,
    out_votes: npt.NDArray[np.int64],
) -> None:
    """Send a grid of lines through a sheet along each direction [lo, hi), and count what their two ends show.

    Args:
        positions: (p, 3) float64, mm.
        corners: (m, 3) int32: positions of each face's corners.
        faces: (k,) int32: the faces of the sheet.
        frames: (d, 3, 3) float64: for each direction two axes across it and the direction itself, orthonormal.
        lo: first direction.
        hi: direction after the last.
        resolution: lines along each of the two axes.
        out_votes: (d, 2) int64: `FRONT` and `BACK` line ends of each direction.
    """
    near = np.empty((resolution, resolution), np.float64)
    far = np.empty((resolution, resolution), np.float64)
    near_front = np.empty((resolution, resolution), np.bool_)
    far_front = np.empty((resolution, resolution), np.bool_)
    across = np.empty((len(positions), 2), np.float64)
    for d in range(lo, hi):
        frame = frames[d]
        for v in range(len(positions)):  # once for each position, which about six faces share
            x, y, z = positions[v, 0], positions[v, 1], positions[v, 2]
            across[v, 0] = frame[0, 0] * x + frame[0, 1] * y + frame[0, 2] * z
            across[v, 1] = frame[1, 0] * x + frame[1, 1] * y + frame[1, 2] * z
        least_u, least_v, most_u, most_v = np.inf, np.inf, -np.inf, -np.inf
        for i in range(len(faces)):
            for c in range(3):
                v = corners[faces[i], c]
                least_u, most_u = min(least_u, across[v, 0]), max(most_u, across[v, 0])
                least_v, most_v = min(least_v, across[v, 1]), max(most_v, across[v, 1])
        step_u, step_v = (most_u - least_u) / resolution, (most_v - least_v) / resolution
        out_votes[d] = 0
        if not (step_u > 0.0 and step_v > 0.0 and np.isfinite(step_u * step_v)):
            continue
        near[:] = np.inf
        far[:] = -np.inf
        for i in range(len(faces)):
            f = faces[i]
            a, b, c = corners[f, 0], corners[f, 1], corners[f, 2]
            # In units of the grid, so that line (i, j) stands at (i + 0.5, j + 0.5).
            au = (across[a, 0] - least_u) / step_u
            bu = (across[b, 0] - least_u) / step_u
            cu = (across[c, 0] - least_u) / step_u
            first_u = max(0, int(np.ceil(min(au, bu, cu) - 0.5)))
            last_u = min(resolution - 1, int(np.floor(max(au, bu, cu) - 0.5)))
            if first_u > last_u:
                continue
            av = (across[a, 1] - least_v) / step_v
            bv = (across[b, 1] - least_v) / step_v
            cv = (across[c, 1] - least_v) / step_v
            first_v = max(0, int(np.ceil(min(av, bv, cv) - 0.5)))
            last_v = min(resolution - 1, int(np.floor(max(av, bv, cv) - 0.5)))
            if first_v > last_v:
                continue
            turn = (bu - au) * (cv - av) - (bv - av) * (cu - au)
            if turn == 0.0:
                continue
            ad = frame[2, 0] * positions[a, 0] + frame[2, 1] * positions[a, 1] + frame[2, 2] * positions[a, 2]
            bd = frame[2, 0] * positions[b, 0] + frame[2, 1] * positions[b, 1] + frame[2, 2] * positions[b, 2]
            cd = frame[2, 0] * positions[c, 0] + frame[2, 1] * positions[c, 1] + frame[2, 2] * positions[c, 2]
            for s in range(first_u, last_u + 1):
                for t in range(first_v, last_v + 1):
                    pu, pv = s + 0.5, t + 0.5
                    to_c = ((bu - au) * (pv - av) - (bv - av) * (pu - au)) / turn
                    to_b = ((pu - au) * (cv - av) - (pv - av) * (cu - au)) / turn
                    if to_b < 0.0 or to_c < 0.0 or to_b + to_c > 1.0:
                        continue
                    depth = ad + to_b * (bd - ad) + to_c * (cd - ad)
                    # The frame is right-handed: a face that turns left in it looks along the direction, away from
                    # the near end.
                    if depth < near[s, t]:
                        near[s, t] = depth
                        near_front[s, t] = turn < 0.0
                    if depth > far[s, t]:
                        far[s, t] = depth
                        far_front[s, t] = turn > 0.0
        for s in range(resolution):
            for t in range(resolution):
                if near[s, t] <= far[s, t]:
                    for front in (near_front[s, t], far_front[s, t]):
                        out_votes[d, FRONT if front else BACK] += 1
