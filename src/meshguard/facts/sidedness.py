"""Which side of a sheet faces outward; see `kernels.sidedness` for the idea."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.kernels import sidedness, topology
from meshguard.kernels._parallel import over_ranges

if TYPE_CHECKING:
    from meshguard.facts import Facts
    from meshguard.mesh import FloatArray

LINES = 48
"""Lines along each side of the grid that decides which side of an open sheet faces outward."""

SIDEDNESS_DECIDES = 0.1
"""A sheet's sidedness is decided when the votes for one side exceed those for the other by this share of all."""


def sidedness_of(facts: Facts, component: int) -> float:
    """Which side of a component faces outward: 1 its front, −1 its back, near 0 undecided."""
    votes = np.zeros((len(_FRAMES), 2), np.int64)
    faces, positions, corners = facts.faces_of(component), facts.positions, facts.corners
    over_ranges(
        len(_FRAMES),
        lambda lo, hi: sidedness.line_end_votes(positions, corners, faces, _FRAMES, lo, hi, LINES, votes),
        grain=1,
    )
    total = int(votes.sum())
    return float(int(votes[:, sidedness.FRONT].sum()) - int(votes[:, sidedness.BACK].sum())) / total if total else 0.0


def inverted_sheets(facts: Facts) -> list[int]:
    """Open components that show their back to an observer outside.

    Debris, and what is not wound one way, is not judged.
    """
    components = facts.components
    areas = components.measures[:, topology.AREA]
    least = facts.policy.tolerance("floating_area").within(float(areas.sum()))
    miswound = components.counts[:, topology.MISWOUND_EDGES] > 0
    sheets = np.flatnonzero(facts.is_open & (areas >= least) & ~miswound).tolist()
    return [sheet for sheet in sheets if facts.sidedness(sheet) < -SIDEDNESS_DECIDES]


def _frames() -> FloatArray:
    """Right-handed orthonormal frames (7, 3, 3) whose third axes are the axes and diagonals of a cube."""
    directions = np.array([(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1), (1, 1, -1), (1, -1, 1), (-1, 1, 1)], np.float64)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    helper = np.where(np.abs(directions[:, :1]) < 0.6, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    across = np.cross(helper, directions)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    return np.ascontiguousarray(np.stack([across, np.cross(directions, across), directions], axis=1))


_FRAMES = _frames()
_FRAMES.flags.writeable = False
