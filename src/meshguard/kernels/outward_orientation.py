"""Where straight lines meet a sheet, and which side of it each line sees there.

What the hits tell about the side that faces outward is said in `facts.mesh.outward_orientation`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import kernel


@kernel
def line_hits(
    positions: npt.NDArray[np.float64],
    corners: npt.NDArray[np.int32],
    faces: npt.NDArray[np.int32],
    frame: npt.NDArray[np.float64],
    resolution: int,
    most: int,
    out_line: npt.NDArray[np.int32],
    out_depth: npt.NDArray[np.float64],
    out_up: npt.NDArray[np.bool_],
) -> int:
    """Send a square grid of lines through a sheet along one direction, and list every face that each line passes.

    A line through an edge passes both of its faces. Where the sheet has no width across the direction, no line is sent.

    Args:
        positions: (p, 3) float64, mm; finite where `faces` use them.
        corners: (m, 3) int32: positions of each face's corners.
        faces: (k,) int32: the faces of the sheet.
        frame: (3, 3) float64: two axes across the direction and the direction itself, orthonormal and right-handed.
        resolution: lines along each of the two axes.
        most: pairs of a face and a line to look at, at most; a sheet with more has too many layers to be told apart.
        out_line: (q,) int32: the line of each hit, `resolution` times its row plus its column; by face, then by line.
        out_depth: (q,) float64: where along the direction it is, mm.
        out_up: (q,) bool: whether the face looks along the direction there, away from where the line begins.

    Returns:
        How many hits there are; those beyond q are counted, not written. −1 where it would take more than `most`.
    """
    is_used = np.zeros(len(positions), np.bool_)
    for i in range(len(faces)):
        f = faces[i]
        is_used[corners[f, 0]] = is_used[corners[f, 1]] = is_used[corners[f, 2]] = True
    across = np.empty((len(positions), 2), np.float64)
    least_u, least_v, most_u, most_v = np.inf, np.inf, -np.inf, -np.inf
    for p in range(len(positions)):  # once for each position, which about six faces share
        if is_used[p]:
            x, y, z = positions[p, 0], positions[p, 1], positions[p, 2]
            u = frame[0, 0] * x + frame[0, 1] * y + frame[0, 2] * z
            v = frame[1, 0] * x + frame[1, 1] * y + frame[1, 2] * z
            across[p, 0], across[p, 1] = u, v
            least_u, most_u = min(least_u, u), max(most_u, u)
            least_v, most_v = min(least_v, v), max(most_v, v)
    step_u, step_v = (most_u - least_u) / resolution, (most_v - least_v) / resolution
    if not (step_u > 0.0 and step_v > 0.0 and np.isfinite(step_u * step_v)):
        return 0
    for p in range(len(positions)):
        if is_used[p]:  # in units of the grid, so that line (i, j) is at (i, j)
            across[p, 0] = (across[p, 0] - least_u) / step_u - 0.5
            across[p, 1] = (across[p, 1] - least_v) / step_v - 0.5
    count = looked_at = 0
    for i in range(len(faces)):
        f = faces[i]
        a, b, c = corners[f, 0], corners[f, 1], corners[f, 2]
        au, bu, cu = across[a, 0], across[b, 0], across[c, 0]
        first_u = max(0, int(np.ceil(min(au, bu, cu))))
        last_u = min(resolution - 1, int(np.floor(max(au, bu, cu))))
        if first_u > last_u:
            continue
        av, bv, cv = across[a, 1], across[b, 1], across[c, 1]
        first_v = max(0, int(np.ceil(min(av, bv, cv))))
        last_v = min(resolution - 1, int(np.floor(max(av, bv, cv))))
        if first_v > last_v:
            continue
        turn = (bu - au) * (cv - av) - (bv - av) * (cu - au)
        if turn == 0.0:
            continue
        ad = frame[2, 0] * positions[a, 0] + frame[2, 1] * positions[a, 1] + frame[2, 2] * positions[a, 2]
        bd = frame[2, 0] * positions[b, 0] + frame[2, 1] * positions[b, 1] + frame[2, 2] * positions[b, 2]
        cd = frame[2, 0] * positions[c, 0] + frame[2, 1] * positions[c, 1] + frame[2, 2] * positions[c, 2]
        looked_at += (last_u - first_u + 1) * (last_v - first_v + 1)
        if looked_at > most:
            return -1
        for u_line in range(first_u, last_u + 1):
            for v_line in range(first_v, last_v + 1):
                to_c = ((bu - au) * (v_line - av) - (bv - av) * (u_line - au)) / turn
                to_b = ((u_line - au) * (cv - av) - (v_line - av) * (cu - au)) / turn
                if to_b < 0.0 or to_c < 0.0 or to_b + to_c > 1.0:
                    continue
                if count < len(out_line):
                    out_line[count] = resolution * u_line + v_line
                    out_depth[count] = ad + to_b * (bd - ad) + to_c * (cd - ad)
                    out_up[count] = turn > 0.0  # the frame is right-handed: a face that turns left looks along it
                count += 1
    return count
