"""Orientation: whether neighbours run their common edge in opposite ways, and which bodies are inverted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import BoolArray, frozen
from meshguard.kernels import topology

if TYPE_CHECKING:
    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import IntArray


class Orientation(NamedTuple):
    """Which components can be oriented consistently, and the faces to turn over for it.

    Attributes:
        is_nonorientable: bool (C,), components that have one side only.
        flip: bool (m,), faces oriented against the first face of their patch, where a patch is what edges of exactly
            two faces connect.
        patch: int32 (m,), that first face; −1 for faces that take no part.
    """

    is_nonorientable: BoolArray
    flip: BoolArray
    patch: IntArray


def find_orientation(mesh: Connectivity) -> Orientation:
    """The orientation of every patch of a mesh."""
    m, components = len(mesh.corners), mesh.components
    flip, patch = np.empty(m, np.bool_), np.empty(m, np.int32)
    nonorientable = np.empty(components.n_components, np.bool_)
    topology.orient_faces(mesh.edges.twins, mesh.corners.reshape(-1), components.of_face, flip, patch, nonorientable)
    return Orientation(frozen(nonorientable), frozen(flip), frozen(patch))


def find_inconsistent_edges(mesh: Connectivity) -> IntArray:
    """Lower half-edge of each edge whose two faces run it the same way, int32, ascending."""
    flat, twins = mesh.corners.reshape(-1), mesh.edges.twins
    pairs = np.flatnonzero(twins > np.arange(len(twins))).astype(np.int32)
    same_way: IntArray = pairs[flat[pairs] == flat[twins[pairs]]]
    return same_way


def find_inverted_bodies(mesh: Connectivity) -> list[int]:
    """Closed components of negative volume that lie in no other closed component's bounding box."""
    components = mesh.components
    closed = np.flatnonzero(~mesh.is_open)
    lowest, highest = components.lowest[closed], components.highest[closed]
    inverted = []
    for place in np.flatnonzero(components.volume[closed] < 0):
        within = (lowest < lowest[place]).all(axis=1) & (highest > highest[place]).all(axis=1)
        if not within.any():
            inverted.append(int(closed[place]))
    return inverted
