"""Sizes of labelled crowns along the arch curve and across it, and their order along it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import frozen
from meshguard.kernels import label_regions as kernels
from meshguard.kernels._parallel import part_bounds, side_by_side

if TYPE_CHECKING:
    from meshguard.facts.dental.arch_curve import ArchCurve
    from meshguard.facts.dental.label_regions import LabelRegions
    from meshguard.facts.dental.teeth import Teeth
    from meshguard.facts.mesh.facts import MeshFacts
    from meshguard.mesh import FloatArray, IntArray


class ToothSizes(NamedTuple):
    """The teeth along the arch.

    Attributes:
        order: int32 (k,), places of the whole teeth along the arch, counter-clockwise seen from the biting side.
        along: float64 (T,), place of each tooth along the arch curve, mm.
        mesiodistal, buccolingual, height: float64 (T,), extents of each main region along the arch, across it and
            towards the biting side, mm.
        top: float64 (T,), coordinate of each tooth's highest point along `ArchFrame.up`, mm.
    """

    order: IntArray
    along: FloatArray
    mesiodistal: FloatArray
    buccolingual: FloatArray
    height: FloatArray
    top: FloatArray


def find_tooth_sizes(
    surface: MeshFacts, regions: LabelRegions, teeth: Teeth, curve: ArchCurve, up: FloatArray
) -> ToothSizes:
    """Order and sizes of the teeth along the arch curve; `up` is the unit vector towards the biting side."""
    angles = curve.nearest(teeth.centres)
    tangents = curve.tangents(angles)
    axes = np.stack([tangents, np.cross(tangents, up), np.broadcast_to(up, tangents.shape)], axis=1)
    of_face = regions.of_face
    bounds, axes = part_bounds(len(surface.corners)), frozen(np.ascontiguousarray(axes))
    parts = np.empty((len(bounds) - 1, len(angles), 3, 2))

    def part(k: int) -> None:
        kernels.extents_along(
            surface.positions, surface.corners, of_face, teeth.of_region, axes, bounds[k], bounds[k + 1], parts[k]
        )

    side_by_side([partial(part, k) for k in range(len(parts))])
    extents = np.stack([parts[..., 0].min(axis=0), parts[..., 1].max(axis=0)], axis=-1)
    with np.errstate(invalid="ignore"):
        spans = extents[:, :, 1] - extents[:, :, 0]
    spans[~np.isfinite(spans)] = 0.0
    along = curve.along(angles)
    order = np.argsort(along, kind="stable").astype(np.int32)
    return ToothSizes(order[teeth.is_whole[order]], along, spans[:, 0], spans[:, 1], spans[:, 2], extents[:, 2, 1])
