"""Which side of a sheet faces outward; see `kernels.outward_orientation` for the idea."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.facts.arrays import frozen
from meshguard.halfedges import unit_vectors
from meshguard.kernels import outward_orientation as kernels
from meshguard.kernels._parallel import over_ranges

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import FloatArray

LINES = 48
"""Lines along each side of the grid that is used to decide which side of an open sheet faces outward."""

OUTWARD_DECIDES = 0.1
"""The outward side of a sheet is decided when one side leads the other by more than this share of all votes."""


def outward_score(mesh: Connectivity, component: int) -> float:
    """Which side of a component faces outward: 1 the front, −1 the back, near 0 undecided."""
    votes = np.zeros((len(_FRAMES), 2), np.int64)
    faces, positions, corners = mesh.faces_of(component), mesh.positions, mesh.corners
    over_ranges(
        len(_FRAMES),
        lambda lo, hi: kernels.line_end_votes(positions, corners, faces, _FRAMES, lo, hi, LINES, votes),
        grain=1,
    )
    total = int(votes.sum())
    return float(int(votes[:, kernels.FRONT].sum()) - int(votes[:, kernels.BACK].sum())) / total if total else 0.0


def find_inverted_sheets(mesh: Connectivity, score: Callable[[int], float]) -> list[int]:
    """Open components that show their back to an observer outside, by the score of each.

    Debris and components that are not oriented consistently are not judged.
    """
    components = mesh.components
    least = mesh.policy.tolerance("floating_area_mm2").within(float(components.area.sum()))
    is_consistent = components.n_inconsistent_edges == 0
    sheets = np.flatnonzero(mesh.is_open & (components.area >= least) & is_consistent).tolist()
    return [sheet for sheet in sheets if score(sheet) < -OUTWARD_DECIDES]


def _frames() -> FloatArray:
    """Right-handed orthonormal frames (7, 3, 3) whose third axes are the axes and diagonals of a cube."""
    directions = np.array([(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1), (1, 1, -1), (1, -1, 1), (-1, 1, 1)], np.float64)
    directions = unit_vectors(directions)
    oblique = np.where(np.abs(directions[:, :1]) < 0.6, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    across = unit_vectors(np.cross(oblique, directions))
    return np.ascontiguousarray(np.stack([across, np.cross(directions, across), directions], axis=1))


_FRAMES = frozen(_frames())
