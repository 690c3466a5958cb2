"""Orientation: whether neighbours run their common edge in opposite directions, and which bodies are inverted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import BoolArray, frozen
from meshguard.kernels import topology

if TYPE_CHECKING:
    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import IntArray


class Orientation(NamedTuple):
    """Which components can be oriented consistently, and which faces to flip for it.

    Attributes:
        is_nonorientable: bool (C,), components with one side only.
        is_opposed: bool (m,), faces oriented against their `first_face`.
        first_face: int32 (m,), the lowest of the faces that each face is connected to through edges with exactly two
            faces; −1 for faces without edges.
    """

    is_nonorientable: BoolArray
    is_opposed: BoolArray
    first_face: IntArray


def find_orientation(mesh: Connectivity) -> Orientation:
    """The orientation of every component of a mesh."""
    m, components = len(mesh.corners), mesh.components
    is_opposed, first_face = np.empty(m, np.bool_), np.empty(m, np.int32)
    is_nonorientable = np.empty(components.n_components, np.bool_)
    topology.orient_faces(
        mesh.edges.twins, mesh.corners.reshape(-1), components.of_face, is_opposed, first_face, is_nonorientable
    )
    return Orientation(frozen(is_nonorientable), frozen(is_opposed), frozen(first_face))


def find_inconsistent_edges(mesh: Connectivity) -> IntArray:
    """Lower half-edge of each edge that both of its faces run in the same direction, int32, ascending."""
    flat, twins, paired = mesh.corners.reshape(-1), mesh.edges.twins, mesh.edges.paired
    inconsistent: IntArray = paired[flat[paired] == flat[twins[paired]]]
    return inconsistent


def find_inverted_bodies(mesh: Connectivity) -> list[int]:
    """Closed components of negative volume that lie in the bounding box of no other closed component."""
    components = mesh.components
    bodies = np.flatnonzero(~mesh.is_open)
    lowest, highest = components.lowest[bodies], components.highest[bodies]
    inverted = []
    for place in np.flatnonzero(components.volume[bodies] < 0):
        is_around = (lowest < lowest[place]).all(axis=1) & (highest > highest[place]).all(axis=1)
        if not is_around.any():
            inverted.append(int(bodies[place]))
    return inverted
