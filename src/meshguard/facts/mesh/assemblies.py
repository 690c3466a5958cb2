"""Assemblies: objects that were put into one file and cross each other, told from one surface that cuts through itself.

A planned tooth in a scan, or the crowns of a bridge, are each sound by themselves. Where they cross nothing is broken,
and whatever is removed there is taken from an object that needs it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.facts.arrays import BoolArray, frozen
from meshguard.halfedges import face_normals, unit_vectors
from meshguard.kernels import intersections as kernels

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.facts.mesh.self_intersections import Intersections
    from meshguard.mesh import FloatArray, IntArray

NONE, BODIES, BODY_AND_SHEET, SHEETS = range(4)
"""What a pair of intersecting faces belongs to: one surface, two closed components, a closed and an open one, two open
ones. All but the first are two objects."""

_LEAST_FACES, _MANY_FACES = 200, 800
"""Faces of an open object, at least: a scanned crown has several times as many, and fewer are a stray patch. From so
many faces on a component is an object in whatever unit the file is."""

_LAYER_COS = math.cos(math.radians(30.0))
"""Faces that cross at a smaller angle and face the same way are layers of one surface: where a scan was stitched,
nearly all do. A crown and its neighbour, or a planned tooth and the gum, face each other."""

_BROKEN_SHARE = 0.05
"""A component is no object of its own where a larger share of its faces intersects other faces of it."""


class Assemblies(NamedTuple):
    """Which intersecting pairs of faces are of two objects.

    Attributes:
        of_pair: int8 (k,), one of the four kinds.
        objects: the pairs of components, the lower first, that are two objects which cross, one of them open.
    """

    of_pair: npt.NDArray[np.int8]
    objects: frozenset[tuple[int, int]]

    @property
    def of_one_surface(self) -> BoolArray:
        """Pairs of a surface that cuts through itself, bool (k,)."""
        return np.equal(self.of_pair, NONE)

    @property
    def of_bodies(self) -> BoolArray:
        """Pairs of two closed components, bool (k,)."""
        return np.equal(self.of_pair, BODIES)

    @property
    def of_body_and_sheet(self) -> BoolArray:
        """Pairs of a closed object and an open one, bool (k,)."""
        return np.equal(self.of_pair, BODY_AND_SHEET)

    @property
    def of_sheets(self) -> BoolArray:
        """Pairs of two open objects, bool (k,)."""
        return np.equal(self.of_pair, SHEETS)


def find_assemblies(
    mesh: Connectivity, found: Intersections, segments: Callable[[IntArray], tuple[FloatArray, FloatArray]]
) -> Assemblies:
    """Which intersecting pairs are of two objects.

    Two closed components always are. Where one or both are open, each must be an object: at least `floating_area_mm2`,
    whatever the size of the mesh, or of very many faces; hardly intersecting itself; and more than a stray patch. And
    they must cross, where faces that are layers of one surface do not count; two open ones by more than a touch: along
    a curve of at least `crossing_share` of the square root of the smaller one's area.

    Args:
        mesh: whose faces intersect.
        found: the pairs.
        segments: where pairs, int32 (k, 2), meet: their ends, float64 (k, 2, 3), mm, and how deep.
    """
    kind = np.zeros(len(found.pairs), np.int8)
    if not len(found.pairs):
        return Assemblies(frozen(kind), frozenset())
    components, is_open = mesh.components, mesh.is_open
    couple = np.sort(components.of_face[found.pairs], axis=1)
    first, second = couple.T
    are_two = first != second
    kind[are_two & ~is_open[first] & ~is_open[second]] = BODIES
    is_object = _are_objects(mesh, found.pairs[~are_two])
    asked = np.flatnonzero(are_two & (kind == NONE) & is_object[first] & is_object[second])
    couples, of_asked = np.unique(couple[asked], axis=0, return_inverse=True)
    of_asked = of_asked.reshape(-1)
    ends, _ = segments(found.pairs[asked])
    is_crossing = (found.classes[asked] == kernels.CROSSING) & ~_are_layers(mesh, found.pairs[asked])
    length = np.bincount(of_asked, np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1) * is_crossing, len(couples))
    least = mesh.policy.limit("crossing_share") * np.sqrt(components.area[couples].min(axis=1, initial=np.inf))
    are_sheets = is_open[couples].all(axis=1)
    do_cross = (length > 0) & ((length >= least) | ~are_sheets)
    kind[asked] = np.where(do_cross, np.where(are_sheets, SHEETS, BODY_AND_SHEET), NONE)[of_asked]
    return Assemblies(frozen(kind), frozenset((int(a), int(b)) for a, b in couples[do_cross].tolist()))


def _are_layers(mesh: Connectivity, pairs: IntArray) -> BoolArray:
    """Whether the two faces of pairs, int32 (k, 2), run along each other and face the same way, bool (k,)."""
    first, second = (unit_vectors(face_normals(mesh.positions, mesh.corners[faces])) for faces in pairs.T)
    are_layers: BoolArray = (first * second).sum(axis=1) > _LAYER_COS
    return are_layers


def _are_objects(mesh: Connectivity, own_pairs: IntArray) -> BoolArray:
    """Which components are objects of their own, bool (C,): more than debris, and hardly intersecting themselves.

    Args:
        mesh: whose components they are.
        own_pairs: int32 (k, 2), intersecting pairs of faces within one component each.
    """
    components = mesh.components
    n_broken = np.bincount(components.of_face[np.unique(own_pairs)], minlength=components.n_components)
    is_large = components.area >= mesh.policy.limit("floating_area_mm2")
    is_large |= (components.n_faces >= _MANY_FACES) & (components.area >= mesh.debris_area)
    is_patch = mesh.is_open & (components.n_faces < _LEAST_FACES)
    is_object: BoolArray = is_large & ~is_patch & (n_broken <= _BROKEN_SHARE * components.n_faces)
    return is_object
