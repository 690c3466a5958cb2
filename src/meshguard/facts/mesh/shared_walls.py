"""Shared walls: where two closed bodies touch in the same faces, run in opposite directions.

Each of the two needs its copy to be closed. So these are no duplicates of which one is too many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import connected_components, frozen
from meshguard.facts.mesh.sheets import find_sheets

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import IntArray


class SharedWalls(NamedTuple):
    """Pairs of faces in which two closed bodies touch.

    Attributes:
        faces: int32 (k, 2), the two copies of each face of a wall, the lower first; the rows ascending.
        wall: int32 (k,), the wall that each pair belongs to: of the same two bodies, and connected through positions.
    """

    faces: IntArray
    wall: IntArray


def find_shared_walls(mesh: Connectivity, duplicates: list[IntArray]) -> SharedWalls:
    """The shared walls of a mesh.

    A wall is made of pairs of faces with the same three positions that run in opposite directions and belong to two
    different closed sheets, each of which has other faces too.

    Args:
        mesh: whose faces they are.
        duplicates: groups of faces with the same three positions.
    """
    pairs = np.array([group for group in duplicates if len(group) == 2], np.int32).reshape(-1, 2)
    pairs = pairs[are_opposite(mesh.corners[pairs[:, 0]], mesh.corners[pairs[:, 1]])]
    if not len(pairs):
        return SharedWalls(frozen(pairs), frozen(np.empty(0, np.int32)))
    sheets = find_sheets(mesh)
    bodies = np.sort(sheets.of_face[pairs], axis=1)
    is_wall = (bodies[:, 0] != bodies[:, 1]) & sheets.is_closed[bodies].all(axis=1)
    # A body all of whose faces are there twice is one body too many.
    n_faces = np.bincount(sheets.of_face)
    n_in_walls = np.bincount(bodies[is_wall].reshape(-1), minlength=len(n_faces))
    is_wall &= (n_in_walls < n_faces)[bodies].all(axis=1)
    pairs, bodies = pairs[is_wall], bodies[is_wall]
    return SharedWalls(frozen(pairs), frozen(_walls(mesh.corners[pairs[:, 0]], bodies)))


def find_excess_duplicates(duplicates: list[IntArray], shared: SharedWalls) -> list[IntArray]:
    """Of groups of faces with the same three positions those of which one face is enough: all but shared walls."""
    of_walls = set(shared.faces[:, 0].tolist())
    return [group for group in duplicates if int(group[0]) not in of_walls]


def are_opposite(first: IntArray, second: IntArray) -> BoolArray:
    """Whether faces on the same three positions, int32 (k, 3) each, run in opposite directions, bool (k,)."""
    place = (second == first[:, :1]).argmax(axis=1)[:, None]
    following = np.take_along_axis(second, (place + 1) % 3, axis=1)[:, 0]
    differs: BoolArray = following != first[:, 1]
    return differs


def _walls(corners: IntArray, bodies: IntArray) -> IntArray:
    """The wall of each pair: pairs of the same two bodies that share a position are connected."""
    keys = np.concatenate([np.column_stack([bodies, corners[:, [corner]]]) for corner in range(3)])
    node = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)
    count = len(corners)
    label = connected_components(count + int(node.max(initial=-1)) + 1, np.tile(np.arange(count), 3), count + node)
    walls: IntArray = np.unique(label[:count], return_inverse=True)[1].astype(np.int32)
    return walls
