"""The labelled teeth: the main region of each, its axis towards the biting side, and whether enough of it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import BoolArray, centroids, frozen
from meshguard.facts.dental.label_islands import IslandRule

if TYPE_CHECKING:
    from meshguard.facts.dental.label_regions import LabelRegions
    from meshguard.facts.mesh.facts import MeshFacts
    from meshguard.mesh import FloatArray, IntArray

FRAGMENT_MM2 = 12.0
"""A label whose main region has less area is a remnant at a cut, not a crown with a place in the row. The crowns of
lower incisors, which are the smallest, have 70 to 110 mm2 in real scans."""


class Teeth(NamedTuple):
    """The teeth: labels other than 0, ascending.

    Attributes:
        labels: int32 (T,).
        main_region: int32 (T,), the largest region of each, in area and in number of nodes.
        areas: float64 (T,), of all regions together, mm2.
        main_areas: float64 (T,), of the main region, mm2.
        centres: float64 (T, 3), of the main region, mm.
        axes: float64 (T, 3), unit vectors towards the biting side of each crown; NaN where it has none.
        of_region: int32 (R + 1,), place in `labels` of each main region, −1 for others; the last is for no region.
        is_whole: bool (T,), whether enough of a tooth is present for it to have a place in the row, and a size.
        outward: 1 where the normals of the crowns point out of them, −1 where the faces are oriented the other way.
            Decided by the crowns, whose biting side is known from their shape.
    """

    labels: IntArray
    main_region: IntArray
    areas: FloatArray
    main_areas: FloatArray
    centres: FloatArray
    axes: FloatArray
    of_region: IntArray
    is_whole: BoolArray
    outward: float

    @property
    def is_main_region(self) -> BoolArray:
        """Whether each region is the main one of a tooth, bool (R,)."""
        return self.of_region[:-1] >= 0

    def place_of(self, label: int) -> int:
        """The place in `labels` of a label that is among them."""
        return int(np.searchsorted(self.labels, label))

    def main_area_of(self, label: int) -> float:
        """Area of the main region of a label that is among them, mm2."""
        return float(self.main_areas[self.place_of(label)])


def find_teeth(surface: MeshFacts, regions: LabelRegions) -> Teeth:
    """The teeth with their main regions and axes."""
    area = regions.area
    labels = np.unique(regions.label[regions.label != 0]).astype(np.int32)
    # In any order of faces the same: of equal regions the one whose centre has the least x.
    tie_breaker = np.nan_to_num(regions.centre[:, 0])
    region_of_label = IslandRule.main_regions(regions.label, area, regions.n_nodes, tie_breaker)
    main = np.array([region_of_label[label] for label in labels.tolist()], np.int32)
    is_tooth = regions.label != 0
    summed = np.bincount(np.searchsorted(labels, regions.label[is_tooth]), area[is_tooth], len(labels))
    centres = regions.centre[main]

    of_region = np.full(len(area) + 1, -1, np.int32)
    of_region[main] = np.arange(len(main), dtype=np.int32)
    axes = _axes(surface, labels, regions, centres, regions.vector_area[main])
    areas: FloatArray = summed.astype(np.float64, copy=False)
    is_cut = _are_cut(area[main], regions.boundary_length[main], has_gum=bool((regions.label == 0).any()))
    is_whole = frozen((area[main] >= FRAGMENT_MM2) & ~is_cut)
    outward = 1.0 if float(np.nansum(regions.vector_area[main] * axes)) >= 0.0 else -1.0
    return Teeth(
        labels=frozen(labels),
        main_region=frozen(main),
        areas=frozen(areas),
        main_areas=frozen(area[main]),
        centres=frozen(centres),
        axes=frozen(axes),
        of_region=frozen(of_region),
        is_whole=is_whole,
        outward=outward,
    )


def _are_cut(area: FloatArray, cut_length: FloatArray, *, has_gum: bool) -> BoolArray:
    """Whether the boundary of the scan cuts much off a crown, bool (T,): along more than the side of a square as large.

    Where a scan holds only crowns, all of them end at its boundary, so only clearly more than usual counts.
    """
    usual = 0.0 if has_gum or not len(cut_length) else 1.5 * float(np.median(cut_length))
    is_cut: BoolArray = cut_length > np.sqrt(area) + usual
    return is_cut


def _axes(
    surface: MeshFacts, labels: IntArray, regions: LabelRegions, centres: FloatArray, vector: FloatArray
) -> FloatArray:
    """Unit vectors towards the biting side: the normals of a crown's surface, summed, point along its axis either way.

    Which way is up is decided by the border of that surface, which lies below its middle. So the orientation of the
    faces does not matter.
    """
    borders, of_face = regions.borders, regions.label_of_face
    count = len(labels)
    of_borders = centroids(surface.positions, surface.edge_ends(borders))
    owners = of_face[surface.edge_faces(borders)].T.reshape(-1)
    boundary = surface.edges.boundary
    boundary = boundary[of_face[boundary // 3] != 0]
    places = np.concatenate([of_borders, of_borders, centroids(surface.positions, surface.edge_ends(boundary))])
    owners = np.concatenate([owners, of_face[boundary // 3]])
    places, owners = places[owners != 0], owners[owners != 0]
    tooth = np.searchsorted(labels, owners)
    sizes = np.bincount(tooth, minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.stack([np.bincount(tooth, places[:, d], count) / sizes for d in range(3)], axis=1)
        sign = np.sign(((centres - mean) * vector).sum(axis=1, keepdims=True))
        axes: FloatArray = sign * vector / np.linalg.norm(vector, axis=1, keepdims=True)
    return axes
