"""Second layers: surface that lies over other surface of the same orientation, closer than anything real could.

A scanner that registers a part of the mouth twice leaves two sheets there, some micrometres apart. From the centre of
a face, the other sheet is met along the normal, and it faces the same way: the two sides of a wall do not, nor do
neighbouring teeth. A sample of the faces is asked first. Only where these hint at a layer large enough, all are.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import connected_components, frozen
from meshguard.kernels._parallel import over_ranges
from meshguard.kernels.closest_points import parallel_faces

if TYPE_CHECKING:
    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import FloatArray, IntArray

_SAMPLE = 1024
"""Faces that are asked first: bounds the time on a mesh without layers. On an arch it is about one for each 4 mm2."""

_HINT_SHARE = 0.5
"""All faces are asked where the sample stands for at least this share of the least area of a layer."""

_LEAST_COS = math.cos(math.radians(45.0))
"""Two layers face the same way where their normals are at most 45 degrees apart."""


class SecondLayers(NamedTuple):
    """Layers over other surface.

    Attributes:
        faces: int32 (k,), faces of all layers, ascending within each.
        layer: int32 (k,), layer of each of them, 0 to n - 1.
        area: float64 (n,), of each layer, mm2.
        gap: float64 (n,), median distance from the other surface along the normals, mm.
    """

    faces: IntArray
    layer: IntArray
    area: FloatArray
    gap: FloatArray


def find_second_layers(mesh: Connectivity, reach: float, least_area: float) -> SecondLayers:
    """The layers at most `reach` mm over other surface and at least `least_area` mm2 large."""
    sound, area = mesh.sound_faces, mesh.face_measures.area
    sample = frozen(np.ascontiguousarray(sound[:: max(1, len(sound) // _SAMPLE)]))
    under, gap = _parallel_faces(mesh, sample, reach)
    is_covered = under >= 0
    if not is_covered.any():
        return _NO_LAYERS
    share = float(area[sample[is_covered]].sum()) / float(area[sample].sum())
    if share * float(area[sound].sum()) < 2 * _HINT_SHARE * least_area:  # both sheets of a layer are met
        return _NO_LAYERS
    if len(sample) < len(sound):
        under, gap = _parallel_faces(mesh, sound, reach)
    return _layers(mesh, under, np.abs(gap), least_area)


def _parallel_faces(mesh: Connectivity, faces: IntArray, reach: float) -> tuple[IntArray, FloatArray]:
    """The nearest face over or under each of some faces, int32 (k,) or −1; and how far along the normal, (k,), mm."""
    positions, corners, tree = mesh.positions, mesh.corners, mesh.tree
    found, gap = np.empty(len(faces), np.int32), np.empty(len(faces))
    over_ranges(
        len(faces),
        lambda lo, hi: parallel_faces(
            positions,
            tree.order,
            tree.nodes,
            tree.boxes,
            tree.corners,
            tree.width,
            corners,
            faces,
            reach,
            _LEAST_COS,
            lo,
            hi,
            found,
            gap,
        ),
        grain=512,
    )
    return found, gap


def _layers(mesh: Connectivity, under: IntArray, gap: FloatArray, least_area: float) -> SecondLayers:
    """The layers, from the face that lies over or under each sound face.

    The two sheets at a place are connected by what lies over what, and each by its edges. Where they are of several
    components, the one of the largest area is the surface and the others are layers; within one component, the two
    cannot be told apart, and half of the area counts.
    """
    sound, components, twins = mesh.sound_faces, mesh.components, mesh.edges.twins
    other = np.full(len(mesh.corners), -1, np.int32)
    other[sound] = under
    gap_of = np.zeros(len(mesh.corners))
    gap_of[sound] = gap
    is_met = other >= 0
    met = np.flatnonzero(is_met)
    halfedges = np.flatnonzero((twins > np.arange(len(twins))) & np.repeat(is_met, 3))
    halfedges = halfedges[is_met[twins[halfedges] // 3]]
    place = connected_components(
        len(mesh.corners),
        np.concatenate([halfedges // 3, met]),
        np.concatenate([twins[halfedges] // 3, other[met]]),
    )[met]
    component = components.of_face[met]
    area = mesh.face_measures.area[met]
    # Of the components at a place, the surface is the largest.
    order = np.lexsort((component, -components.area[component], place))
    first = order[np.flatnonzero(np.diff(place[order], prepend=-1))]
    surface = np.zeros(int(place.max()) + 1, np.int64)
    surface[place[first]] = component[first]
    is_several = np.zeros(len(surface), np.bool_)
    is_several[place[component != surface[place]]] = True
    is_layer = (component != surface[place]) | ~is_several[place]
    size = np.bincount(place, area * is_layer, minlength=len(surface)) / np.where(is_several, 1.0, 2.0)
    large = np.flatnonzero(size >= least_area)
    chosen = is_layer & np.isin(place, large)
    faces, layer = met[chosen], np.searchsorted(large, place[chosen]).astype(np.int32)
    order = np.lexsort((faces, layer))
    faces, layer = faces[order].astype(np.int32), layer[order]
    bounds = np.searchsorted(layer, np.arange(len(large) + 1))
    gaps = [float(np.median(gap_of[faces[lo:hi]])) for lo, hi in pairwise(bounds.tolist())]
    return SecondLayers(frozen(faces), frozen(layer), frozen(size[large]), frozen(np.array(gaps)))


_NO_LAYERS = SecondLayers(
    frozen(np.empty(0, np.int32)), frozen(np.empty(0, np.int32)), frozen(np.empty(0)), frozen(np.empty(0))
)
