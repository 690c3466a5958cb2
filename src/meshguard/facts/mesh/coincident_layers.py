"""Coincident layers: the same patch of surface meshed twice, each time with other edges in it.

Faces of the two layers are not duplicates, since they have other corners, but they cover the same surface within the
same outline. Exactly flat patches are decided exactly, by the faces that overlap. A quadrilateral that is not quite
flat and meshed with both of its diagonals encloses a thin tetrahedron: there the thickness decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.facts.arrays import connected_components, frozen
from meshguard.halfedges import edge_keys, halfedges_of, opposite_corners
from meshguard.kernels.intersections import FOLD, OVERLAP, VERTEX_OVERLAP

if TYPE_CHECKING:
    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.facts.mesh.self_intersections import Intersections
    from meshguard.mesh import FloatArray, IntArray


_TWIST = 0.1
"""A quadrilateral whose outline is part of more surface is one layer meshed twice where its diagonals pass each other
within this share of the shorter one, for the tetrahedron between them is no object there. A proposal."""


class CoincidentLayers(NamedTuple):
    """Pairs of layers that cover the same patch.

    Attributes:
        faces: int32 (k,), the faces of all layers, by layer.
        layer: int32 (k,), the layer of each; layers 2*i and 2*i + 1 cover patch i, and the first has the lowest face.
    """

    faces: IntArray
    layer: IntArray

    @property
    def n_patches(self) -> int:
        """How many patches are covered twice."""
        return (int(self.layer[-1]) + 1) // 2 if len(self.layer) else 0

    def only(self, is_chosen: npt.NDArray[np.bool_]) -> CoincidentLayers:
        """Some of the patches, bool (n_patches,)."""
        if is_chosen.all():
            return self
        chosen = is_chosen[self.layer // 2]
        number = np.cumsum(is_chosen) - 1
        layer = 2 * number[self.layer[chosen] // 2] + self.layer[chosen] % 2
        return CoincidentLayers(frozen(self.faces[chosen]), frozen(layer.astype(np.int32)))

    def and_those_apart(self, other: CoincidentLayers) -> CoincidentLayers:
        """These patches, and those of `other` that have no face of them."""
        is_new = np.ones(other.n_patches, np.bool_)
        is_new[other.layer[np.isin(other.faces, self.faces)] // 2] = False
        other = other.only(is_new)
        layer = np.concatenate([self.layer, other.layer + 2 * self.n_patches]).astype(np.int32)
        return CoincidentLayers(frozen(np.concatenate([self.faces, other.faces])), frozen(layer))


NO_LAYERS = CoincidentLayers(frozen(np.empty(0, np.int32)), frozen(np.empty(0, np.int32)))
"""What is found where no patch is covered twice."""


def may_have_layers(mesh: Connectivity) -> bool:
    """Whether layers could coincide: where they end, edges have more than two faces or the surface folds back."""
    components = mesh.components
    return bool(len(mesh.edges.nonmanifold) or components.folds.any() or components.n_inconsistent_edges.any())


def find_coincident_layers(mesh: Connectivity, intersections: Intersections) -> CoincidentLayers:
    """Flat patches that are covered exactly twice.

    Faces that overlap are in different layers: the two sides of a bipartite graph. They cover the same patch where both
    have the same outline, since none of them overlaps itself and all lie in one plane.
    """
    pairs = intersections.pairs[np.isin(intersections.classes, (OVERLAP, FOLD, VERTEX_OVERLAP))]
    faces, ends = np.unique(pairs, return_inverse=True)
    count = len(faces)
    first, second = ends.reshape(-1, 2).T
    # In the double cover, each face stands on both sides: the two are apart where the graph is bipartite.
    side = connected_components(
        2 * count, np.concatenate([first, first + count]), np.concatenate([second + count, second])
    ).reshape(2, count)
    is_bipartite = side[0] != side[1]
    faces, layer, patch = faces[is_bipartite], side[0][is_bipartite], side.min(axis=0)[is_bipartite]
    if not len(faces):
        return NO_LAYERS
    # An edge belongs to a layer's outline if an odd number of the layer's faces have it.
    corners = mesh.corners[faces]
    keys = edge_keys(corners.reshape(-1), np.roll(corners, -1, axis=1).reshape(-1), len(mesh.positions))
    edges, of_edge = np.unique(keys, return_inverse=True)
    in_layer, n_faces = np.unique(np.repeat(layer, 3).astype(np.int64) * len(edges) + of_edge, return_counts=True)
    outline_layer, outline_edge = np.divmod(in_layer[n_faces % 2 == 1], len(edges))
    patch_of = np.zeros(2 * count, np.int64)
    patch_of[layer] = patch
    in_patch, n_layers = np.unique(patch_of[outline_layer] * len(edges) + outline_edge, return_counts=True)
    has_outline = np.bincount(in_patch // len(edges), minlength=2 * count) > 0
    has_other = np.bincount(in_patch // len(edges), n_layers != 2, minlength=2 * count) > 0
    is_covered_twice = (has_outline & ~has_other)[patch]
    return _layers(faces[is_covered_twice], layer[is_covered_twice], patch[is_covered_twice])


def find_doubled_quads(mesh: Connectivity, thickness: float) -> CoincidentLayers:
    """Quadrilaterals that are meshed with both diagonals, where these pass each other within `thickness` mm.

    Where its outline is part of more surface, a quadrilateral may be twisted more, up to a share of its diagonals.
    """
    halfedges = _possible_diagonals(mesh)
    twins = mesh.edges.twins[halfedges]
    ends = mesh.edge_ends(halfedges)
    tips = np.stack([opposite_corners(mesh.corners, halfedges), opposite_corners(mesh.corners, twins)], axis=1)
    size = len(mesh.positions)
    along, across = (edge_keys(rows[:, 0], rows[:, 1], size) for rows in (ends, tips))
    # Each diagonal of a quadrilateral runs between the tips of the two faces at the other diagonal.
    order = np.argsort(along, kind="stable")
    place = np.minimum(np.searchsorted(along[order], across), max(0, len(order) - 1))
    other = order[place] if len(order) else order
    is_doubled = (along[other] == across) & (across[other] == along) & (halfedges < halfedges[other])
    is_shared = np.zeros(len(mesh.corners), np.bool_)
    is_shared[mesh.edges.nonmanifold // 3] = True
    quads = np.stack([halfedges, twins, halfedges[other], twins[other]], axis=1)[is_doubled] // 3
    one, another = mesh.positions[ends[is_doubled]], mesh.positions[tips[is_doubled]]
    shorter = np.minimum(*(np.linalg.norm(line[:, 1] - line[:, 0], axis=1) for line in (one, another)))
    within = np.maximum(thickness, _TWIST * shorter * is_shared[quads].any(axis=1))
    quads = quads[_cross_within(one, another, within)]
    # A face is counted in one quadrilateral only.
    taken: set[int] = set()
    free = []
    for quad in quads.tolist():
        if len(set(quad)) == 4 and not taken.intersection(quad):
            taken.update(quad)
            free.append(quad)
    if not free:
        return NO_LAYERS
    faces = np.array(free, np.int32).reshape(-1)
    numbers = np.arange(len(free))
    return _layers(faces, np.repeat(np.arange(2 * len(free)), 2), np.repeat(numbers, 4))


def find_redundant_faces(mesh: Connectivity, layers: CoincidentLayers) -> npt.NDArray[np.bool_]:
    """The faces of one layer of each patch, bool (m,): of the one that goes with the faces around it less well.

    A layer goes with its neighbours where they run their common edges in opposite directions. Of two equals the one
    with the lowest face stays.
    """
    corners, size = mesh.corners, len(mesh.positions)
    is_layered = np.zeros(len(corners), np.bool_)
    is_layered[layers.faces] = True
    start, end = corners.reshape(-1), np.roll(corners, -1, axis=1).reshape(-1)
    inside = halfedges_of(layers.faces)
    keys = edge_keys(start[inside], end[inside], size)
    edges, of_edge = np.unique(keys, return_inverse=True)
    touches = np.zeros(size, np.bool_)
    touches[corners[layers.faces]] = True
    around = np.flatnonzero(np.repeat(~is_layered, 3) & touches[start] & touches[end])
    around_keys = edge_keys(start[around], end[around], size)
    place = np.minimum(np.searchsorted(edges, around_keys), len(edges) - 1)
    is_common = edges[place] == around_keys
    around, place = around[is_common], place[is_common]
    upward = np.bincount(place, np.where(start[around] < end[around], 1.0, -1.0), minlength=len(edges))
    agreement = -upward[of_edge] * np.where(start[inside] < end[inside], 1.0, -1.0)
    score = np.bincount(np.repeat(layers.layer, 3), agreement, minlength=2 * layers.n_patches).reshape(-1, 2)
    worse = 2 * np.arange(layers.n_patches) + (score[:, 0] >= score[:, 1])
    dropped = np.zeros(len(corners), np.bool_)
    dropped[layers.faces[np.isin(layers.layer, worse)]] = True
    return dropped


def _layers(faces: IntArray, layer: IntArray, patch: IntArray) -> CoincidentLayers:
    """Layers numbered as `CoincidentLayers` says, by the lowest face of each patch."""
    order = np.lexsort((faces, layer))
    faces, layer, patch = faces[order], layer[order], patch[order]
    starts = np.flatnonzero(np.diff(layer, prepend=-1))
    lowest, patch_of = faces[starts], patch[starts]
    least = np.full(int(patch_of.max(initial=-1)) + 1, np.iinfo(np.int32).max, np.int64)
    np.minimum.at(least, patch_of, lowest)
    number = np.empty(len(starts), np.int32)
    number[np.lexsort((lowest, least[patch_of]))] = np.arange(len(starts))
    layer = np.repeat(number, np.diff(np.append(starts, len(faces))))
    order = np.lexsort((faces, layer))
    return CoincidentLayers(frozen(faces[order].astype(np.int32)), frozen(layer[order]))


def _possible_diagonals(mesh: Connectivity) -> IntArray:
    """Lower half-edges of edges with two faces that could be diagonals, int32, ascending.

    The outline of a quadrilateral that is meshed twice has more than two faces at an edge; or it floats by itself, and
    is a component of four faces.
    """
    twins, components = mesh.edges.twins, mesh.components
    is_near = np.zeros(len(mesh.corners), np.bool_)
    is_near[mesh.edges.nonmanifold // 3] = True
    is_lone = (components.n_faces == 4) & ~components.is_open
    is_near[np.isin(components.of_face, np.flatnonzero(is_lone))] = True
    near = np.flatnonzero(is_near)
    beside = twins.reshape(-1, 3)[near].reshape(-1)
    is_near[beside[beside >= 0] // 3] = True
    is_near &= mesh.is_sound
    halfedges = np.flatnonzero(np.repeat(is_near, 3) & (twins > np.arange(len(twins))))
    return halfedges[is_near[twins[halfedges] // 3]].astype(np.int32)


def _cross_within(one: FloatArray, other: FloatArray, distance: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether two segments cross, seen along the normal of both, within a distance, bool (k,).

    The segments are float64 (k, 2, 3), the distances float64 (k,), mm.
    """
    along, across, away = one[:, 1] - one[:, 0], other[:, 1] - other[:, 0], other[:, 0] - one[:, 0]
    normal = np.cross(along, across)
    square = (normal * normal).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        share = (np.cross(away, across) * normal).sum(axis=1) / square
        other_share = (np.cross(away, along) * normal).sum(axis=1) / square
        apart = np.abs((away * normal).sum(axis=1)) / np.sqrt(square)
        is_crossing = (np.minimum(share, other_share) > 0) & (np.maximum(share, other_share) < 1)
        is_within: npt.NDArray[np.bool_] = is_crossing & (apart <= distance)
        return is_within
