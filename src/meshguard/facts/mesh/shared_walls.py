"""Shared walls: where two closed bodies touch in the same faces, run in opposite directions.

Each of the two needs its copy to be closed. So these are no duplicates of which one is too many. The two copies may be
meshed differently, with other edges within the same outline: coincident layers, of which both are needed too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import connected_components, frozen
from meshguard.facts.mesh.coincident_layers import NO_LAYERS, CoincidentLayers
from meshguard.facts.mesh.sheets import find_sheets
from meshguard.halfedges import edge_keys, face_normals, halfedges_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshguard.facts.arrays import BoolArray
    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import IntArray


class SharedWalls(NamedTuple):
    """Pairs of faces in which two closed bodies touch.

    Attributes:
        faces: int32 (k, 2), the two copies of each face of a wall, the lower first; the rows ascending.
        wall: int32 (k,), the wall that each pair belongs to: of the same two bodies, and connected through positions.
        layers: parts of walls that the two bodies mesh differently.
        wall_of_layers: int32, the wall that each face of these belongs to.
    """

    faces: IntArray
    wall: IntArray
    layers: CoincidentLayers = NO_LAYERS
    wall_of_layers: IntArray = NO_LAYERS.layer


def find_layered_walls(
    mesh: Connectivity, layers: CoincidentLayers, connected: Callable[[IntArray], tuple[Connectivity, list[IntArray]]]
) -> SharedWalls:
    """The shared walls of a mesh that may mesh them differently on both sides.

    They are the walls of the mesh in which the second layer of each patch is meshed as the first.

    Args:
        mesh: whose faces they are.
        layers: patches that may be walls.
        connected: asked with other faces for the same positions, int32 (t, 3): what they are connected to, and
            duplicates among them.
    """
    alike = mesh_alike(mesh, layers)
    kept, n_kept = np.flatnonzero(~alike.replaced), len(alike.replaced) - int(alike.replaced.sum())
    pairs, wall, _, _ = find_shared_walls(*connected(np.concatenate([mesh.corners[~alike.replaced], alike.corners])))
    is_of_layers = (pairs >= n_kept).any(axis=1)
    patch = alike.patch[pairs[is_of_layers].max(axis=1) - n_kept]
    n_walled = np.bincount(patch, minlength=layers.n_patches)
    is_wall = (n_walled > 0) & (n_walled == np.bincount(alike.patch, minlength=layers.n_patches))
    wall_of_patch = np.zeros(layers.n_patches, np.int32)
    wall_of_patch[patch] = wall[is_of_layers]
    walled = layers.only(is_wall)
    return SharedWalls(
        frozen(kept[pairs[~is_of_layers]].astype(np.int32)),
        frozen(wall[~is_of_layers]),
        walled,
        frozen(wall_of_patch[is_wall][walled.layer // 2]),
    )


class Alike(NamedTuple):
    """What meshes the second layer of each patch as the first.

    Attributes:
        replaced: bool (m,), the faces of the second layers.
        corners: int32 (t, 3), what replaces them; they face the way that the second layer does.
        patch: int32 (t,), the patch of each of these.
        parents: int32 (t,), a face of the second layer for each of these.
    """

    replaced: BoolArray
    corners: IntArray
    patch: IntArray
    parents: IntArray


def mesh_alike(mesh: Connectivity, layers: CoincidentLayers) -> Alike:
    """What meshes the second layer of each patch as the first."""
    replaced = np.zeros(len(mesh.corners), np.bool_)
    is_second = layers.layer % 2 == 1
    replaced[layers.faces[is_second]] = True
    normals = face_normals(mesh.positions, mesh.corners[layers.faces])
    sums = np.stack(
        [np.bincount(layers.layer, normals[:, axis], minlength=2 * layers.n_patches) for axis in range(3)], axis=1
    )
    is_opposite = (sums[::2] * sums[1::2]).sum(axis=1) < 0
    patch = layers.layer[~is_second] // 2
    corners = mesh.corners[layers.faces[~is_second]].copy()
    corners[is_opposite[patch]] = corners[is_opposite[patch]][:, [0, 2, 1]]
    second, count = layers.faces[is_second], np.bincount(layers.layer, minlength=2 * layers.n_patches)
    place = np.arange(len(patch)) - np.searchsorted(patch, patch)
    begins = np.cumsum(count[1::2]) - count[1::2]
    parents = second[begins[patch] + place % count[1::2][patch]].astype(np.int32)
    return Alike(replaced, corners, patch, parents)


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
    if len(pairs):  # sheets are dear, and hardly a duplicate is a wall
        pairs = pairs[_edges_of_two(mesh)[pairs].all(axis=(1, 2))]
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


def _edges_of_two(mesh: Connectivity) -> BoolArray:
    """Which edges of each face have at least four faces, bool (m, 3): at an edge of a wall each body has two."""
    n_faces = np.diff(mesh.nonmanifold_begins)
    of_two = np.zeros(3 * len(mesh.corners), np.bool_)
    of_two[mesh.edges.nonmanifold[np.repeat(n_faces, n_faces) >= 4]] = True
    by_face: BoolArray = of_two.reshape(-1, 3)
    return by_face


def find_possible_walls(mesh: Connectivity, layers: CoincidentLayers) -> CoincidentLayers:
    """The patches that may be walls: those whose outlines are edges of two bodies."""
    if not layers.n_patches:
        return layers
    halfedges = halfedges_of(layers.faces)
    layer = np.repeat(layers.layer, 3)
    ends = mesh.edge_ends(halfedges)
    edges = np.column_stack([layer, edge_keys(ends[:, 0], ends[:, 1], len(mesh.positions))])
    _, place, times = np.unique(edges, axis=0, return_inverse=True, return_counts=True)
    is_outline = times[place.reshape(-1)] == 1
    may_be = np.ones(layers.n_patches, np.bool_)
    may_be[layer[is_outline & ~_edges_of_two(mesh).reshape(-1)[halfedges]] // 2] = False
    return layers.only(may_be)


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
