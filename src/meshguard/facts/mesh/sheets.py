"""Sheets: the surfaces that meet at non-manifold edges, and which faces around such an edge are one of them.

Around a non-manifold edge the faces are paired. Between a face that looks away and the next that looks back lies the
inside of one sheet, so these two belong together; where the sides do not balance, the straightest pairs do. What
remains single has a boundary there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import BoolArray, connected_components, frozen
from meshguard.halfedges import opposite_corners
from meshguard.watch import look

if TYPE_CHECKING:
    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import FloatArray, IntArray

_MOST_AROUND = 256
"""Faces around an edge whose sides do not balance, at most, for all pairs of them to be compared (proposal)."""


class Sheets(NamedTuple):
    """The sheets of a mesh: what its faces would be connected to if its non-manifold edges were split.

    Attributes:
        of_face: int32 (m,), sheet of each face, numbered by first face; a face without edges is one of its own.
        is_closed: bool (S,), sheets without a boundary.
    """

    of_face: IntArray
    is_closed: BoolArray


def find_sheets(mesh: Connectivity) -> Sheets:
    """The sheets of a mesh."""
    twins, pairs = mesh.edges.twins, pair_sheets(mesh)
    paired = mesh.edges.paired
    first = np.concatenate([paired, pairs[:, 0]]) // 3
    second = np.concatenate([twins[paired], pairs[:, 1]]) // 3
    of_face = connected_components(len(mesh.corners), first, second)
    is_single = twins < 0  # a boundary, a face without edges, or a non-manifold edge whose faces are not paired
    is_single[pairs] = False
    is_closed = np.ones(int(of_face.max(initial=-1)) + 1, np.bool_)
    is_closed[of_face[np.flatnonzero(is_single) // 3]] = False
    return Sheets(frozen(of_face), frozen(is_closed))


def pair_sheets(mesh: Connectivity) -> IntArray:
    """Half-edges on non-manifold edges whose faces are one sheet, int32 (k, 2)."""
    nonmanifold = mesh.edges.nonmanifold
    if not len(nonmanifold):
        return np.empty((0, 2), np.int32)
    ends = mesh.edge_ends(nonmanifold)
    low, high = ends.min(axis=1), ends.max(axis=1)
    begins, n_faces = mesh.nonmanifold_begins[:-1], np.diff(mesh.nonmanifold_begins)
    edge = np.repeat(np.arange(len(begins)), n_faces)
    angle = _angles(mesh, nonmanifold, low, high, begins[edge])
    upward = ends[:, 0] == low
    upward ^= mesh.components.volume[mesh.components.of_face[nonmanifold // 3]] < 0  # an inverted body has them turned
    # Of faces that lie on one another the upward one comes first: nothing lies between them, so no sheet's inside does.
    order = np.lexsort((nonmanifold, ~upward, np.round(angle, 9), edge))
    pairs: list[tuple[int, int]] = []
    for around in np.split(order, begins[1:]):
        look()
        ups = upward[around]
        balanced = 2 * int(ups.sum()) == len(around)
        chosen = _by_inside(ups.tolist()) if balanced else _by_straightness(angle[around], ups)
        pairs += [(int(nonmanifold[around[i]]), int(nonmanifold[around[j]])) for i, j in chosen]
    return np.array(pairs, np.int32).reshape(-1, 2)


def _angles(mesh: Connectivity, halfedges: IntArray, low: IntArray, high: IntArray, first: IntArray) -> FloatArray:
    """The angle of each half-edge's face about its edge from `low` to `high`, measured from a first face's.

    Args:
        mesh: whose half-edges they are.
        halfedges: int32 (k,).
        low: int32 (k,), the lower end of each.
        high: int32 (k,), the higher end.
        first: int32 (k,), row of the half-edge on the same edge from whose face the angle is measured.

    Returns:
        float64 (k,), radians from −π to π.
    """
    positions = mesh.positions
    axis = positions[high] - positions[low]
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    away = positions[opposite_corners(mesh.corners, halfedges)] - positions[low]
    away -= (away * axis).sum(axis=1, keepdims=True) * axis
    reference = away[first]
    across = np.cross(axis, reference)
    angle: FloatArray = np.arctan2(
        (away * across).sum(axis=1), (away * reference).sum(axis=1) * np.linalg.norm(axis, axis=1)
    )
    return angle


def _by_inside(ups: list[bool]) -> list[tuple[int, int]]:
    """Pairs around an edge with the inside of a sheet between them: brackets, opened by a downward face."""
    pairs: list[tuple[int, int]] = []
    waiting: list[int] = []
    paired: set[int] = set()
    for turn in range(2):  # what opens at the end of the turn closes at its beginning
        for place, up in enumerate(ups):
            look()
            if not up:
                if turn == 0:
                    waiting.append(place)
            elif waiting and place not in paired:
                opened = waiting.pop()
                pairs.append((opened, place))
                paired |= {opened, place}
    return pairs


def _by_straightness(angle: FloatArray, ups: BoolArray) -> list[tuple[int, int]]:
    """Pairs that go on straightest, those of consistent orientation before all others; none at a crowded edge."""
    if len(ups) > _MOST_AROUND:
        return []
    first, second = np.triu_indices(len(ups), 1)
    turn = np.abs(np.angle(np.exp(1j * (angle[first] - angle[second]))))
    order = np.lexsort((second, first, -np.round(turn, 9), ups[first] == ups[second]))
    pairs: list[tuple[int, int]] = []
    paired: set[int] = set()
    for place in order.tolist():
        look()
        i, j = int(first[place]), int(second[place])
        if i not in paired and j not in paired:
            paired |= {i, j}
            pairs.append((i, j))
    return pairs
