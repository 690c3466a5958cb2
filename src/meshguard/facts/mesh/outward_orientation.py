"""Which side of an open sheet faces outward, as far as its shape tells.

Follow straight lines through a sheet: their first and last hits are what an observer far away sees. On a closed
surface that is oriented outward, both always show a front. On an open sheet a line with an odd number of hits shows one
front and one back and decides nothing; one with an even number shows two of a kind. Crowns stand out from a dental
arch, so lines across them show fronts. Unlike the signed volume, which for an open sheet depends on where the origin
lies, the score does not change when the sheet is moved.

A sheet that shows its back is not inverted for that alone: a palate or an impression is concave, and its scan shows its
back from most directions. Two things decide. Where nearly every line shows two of a kind, the sheet is nearly closed,
and nothing could have scanned it from within. And where many lines along its plane pass through two walls with a gap
between them, the sheet has the ridges of an arch, which no bowl has.

(Compare Takayama et al., A Simple Method for Correcting Facet Orientations in Polygon Meshes Based on Ray Casting, JCGT
2014, which casts rays from every face. How many lines pass through an opening measures its area: Crofton's formula.)
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import frozen
from meshguard.halfedges import unit_vectors
from meshguard.kernels import outward_orientation as kernels
from meshguard.kernels._parallel import side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from meshguard.facts.arrays import BoolArray
    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import FloatArray, IntArray

LINES = 48
"""Lines along each side of the grid that is sent along a direction."""

OUTWARD_DECIDES = 0.1
"""A sheet shows its back when backs lead fronts by more than this share of all line ends."""

NEARLY_CLOSED = 0.8
"""A sheet is nearly closed when one side leads by at least this share: less than a fifth of all lines are undecided."""

RIDGES_DECIDE = 0.08
"""A sheet has the ridges of an arch when at least this share of the lines along its plane passes through two walls.

Real arches have 0.098 to 0.235, vaults with folds as high as 1 mm at most 0.023.
"""

WALL_SHARE = 0.03
"""A wall, and the gap between two of them, is at least this share of the sheet's extent thick."""

_MOST_WORK = 2_000_000
"""Pairs of a face and a line that are looked at along a direction: about a thousand faces on each line (proposal).

Lines pass through a few faces of a scan each. With more of them than this a direction shows nothing.
"""

_FRONTS_SUFFICE = 0.2
"""Where fronts lead by more than this along the axes, the diagonals are not asked."""


class BackSheet(NamedTuple):
    """An open component that shows its back to an observer outside.

    Attributes:
        component: its number.
        score: how far line ends that show fronts lead those that show backs: negative, −1 at least.
        ridges: share of the lines along its plane that pass through two walls and show backs at both ends.
    """

    component: int
    score: float
    ridges: float

    @property
    def is_nearly_closed(self) -> bool:
        """Whether it has a small opening only: then it is inverted."""
        return self.score <= -NEARLY_CLOSED

    @property
    def is_ridged(self) -> bool:
        """Whether it has the ridges of an arch: it is inverted, or the scan of an impression, which looks the same."""
        return not self.is_nearly_closed and self.ridges >= RIDGES_DECIDE


def outward_score(mesh: Connectivity, component: int) -> float:
    """Which side of a component faces outward: 1 the front, −1 the back, near 0 undecided.

    Lines are sent along the axes, and along the diagonals too unless fronts lead clearly along the axes.
    """
    seen = _seen_along(mesh, component, _FRAMES[:3])
    if _share(seen, "lead") <= _FRONTS_SUFFICE:
        seen += _seen_along(mesh, component, _FRAMES[3:])
    return _share(seen, "lead")


def find_back_sheets(mesh: Connectivity, score: Callable[[int], float]) -> list[BackSheet]:
    """Open components that show their back to an observer outside, by the score of each.

    Debris and components that are not oriented consistently are not judged.
    """
    components = mesh.components
    is_consistent = components.n_inconsistent_edges == 0
    sheets = np.flatnonzero(mesh.is_open & (components.area >= mesh.debris_area) & is_consistent).tolist()
    return [BackSheet(sheet, score(sheet), _ridges(mesh, sheet)) for sheet in sheets if score(sheet) < -OUTWARD_DECIDES]


def _ridges(mesh: Connectivity, component: int) -> float:
    """Share of the lines along a sheet's plane that pass through two walls and show backs at both ends."""
    points = mesh.positions[np.unique(mesh.corners[mesh.faces_of(component)])]
    size = float(mesh.components.radius[component])
    if not 0.0 < size < np.inf:
        return 0.0
    spread = (points - points.mean(axis=0)) / size
    across, along, longest = np.linalg.eigh(spread.T @ spread)[1].T  # the first: what the plane is seen from
    turns = np.radians([0.0, 45.0, 90.0, 135.0])
    directions = np.cos(turns)[:, None] * longest + np.sin(turns)[:, None] * along
    return max(0.0, -_share(_seen_along(mesh, component, _frames(directions, across)), "walls"))


class _Seen(NamedTuple):
    """How many lines along one direction met a sheet, and what they showed.

    Attributes:
        lines: that met it.
        lead: lines with fronts at both ends, less those with backs.
        walls: the same of those that pass through two walls.
    """

    lines: int
    lead: int
    walls: int


def _share(seen: Sequence[_Seen], name: str) -> float:
    """What lines along all directions showed, as a share of these lines."""
    lines = sum(direction.lines for direction in seen)
    return sum(getattr(direction, name) for direction in seen) / lines if lines else 0.0


def _seen_along(mesh: Connectivity, component: int, frames: Sequence[FloatArray]) -> list[_Seen]:
    """What lines along the third axis of each frame show of a component."""
    positions, corners, faces = mesh.positions, mesh.corners, mesh.faces_of(component)
    thick = WALL_SHARE * 2.0 * float(mesh.components.radius[component])
    seen = [_Seen(0, 0, 0)] * len(frames)

    def look(place: int) -> None:
        most = 8 * LINES * LINES
        while True:
            line, depth, up = np.empty(most, np.int32), np.empty(most), np.empty(most, np.bool_)
            count = kernels.line_hits(positions, corners, faces, frames[place], LINES, _MOST_WORK, line, depth, up)
            if count <= most:
                break
            most = count
        if count < 0:
            return
        order = np.lexsort((depth[:count], line[:count]))
        seen[place] = _shown(line[order], depth[order], up[order], thick)

    side_by_side([partial(look, place) for place in range(len(frames))])
    return seen


def _shown(line: IntArray, depth: FloatArray, up: BoolArray, thick: float) -> _Seen:
    """What the hits of lines show, sorted by line and depth."""
    is_first = np.diff(line, prepend=-1) != 0
    first = np.flatnonzero(is_first)
    last = np.append(first, len(line))[1:] - 1
    # A line begins in front of a face that looks against it, and ends in front of one that looks along it.
    lead = up[last].astype(np.int64) - up[first]
    owner = np.cumsum(is_first) - 1
    is_thick = np.diff(depth, prepend=0.0) >= thick
    is_thick[first] = False
    has_walls = np.bincount(owner[is_thick], minlength=len(first)) >= 3  # a wall, the gap, the other wall
    return _Seen(len(first), int(lead.sum()), int(lead[has_walls].sum()))


def _frames(directions: FloatArray, oblique: FloatArray) -> list[FloatArray]:
    """Right-handed orthonormal frames (3, 3) whose third axes are unit vectors; each has another one oblique to it."""
    across = unit_vectors(np.cross(oblique, directions))
    frames = np.stack([across, np.cross(directions, across), directions], axis=1)
    return [frozen(np.ascontiguousarray(frame)) for frame in frames]


_DIRECTIONS = unit_vectors(
    np.array([(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1), (1, 1, -1), (1, -1, 1), (-1, 1, 1)], np.float64)
)
_FRAMES = _frames(_DIRECTIONS, np.where(np.abs(_DIRECTIONS[:, :1]) < 0.6, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]))
"""Frames whose third axes are the axes and the diagonals of a cube."""
