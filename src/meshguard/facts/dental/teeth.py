"""The labelled teeth: the main region of each, its axis towards the biting side, and whether enough of it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import BoolArray, centroids, frozen
from meshguard.facts.dental.label_islands import main_regions

if TYPE_CHECKING:
    from meshguard.facts.dental.label_regions import LabelRegions
    from meshguard.facts.mesh.facts import MeshFacts
    from meshguard.mesh import FloatArray, IntArray

FRAGMENT_MM2 = 12.0
"""A label with less surface in one region is a remnant at a cut, not a crown that has a place in the row. The crowns of
lower incisors, the smallest, have 70 to 110 mm2 in real scans."""


class Teeth(NamedTuple):
    """The teeth: labels other than 0, ascending.

    Attributes:
        labels: int32 (T,).
        main: int32 (T,), largest region of each, in area and in faces.
        areas: float64 (T,), of all its regions, mm2.
        main_areas: float64 (T,), of the largest region, mm2.
        centres: float64 (T, 3), of the largest region, mm.
        axes: float64 (T, 3), unit vectors towards the biting side of each crown; NaN where it has none.
        of_region: int32 (R + 1,), place in `labels` of each largest region, −1 for others; the last is for no region.
        is_whole: bool (T,), whether enough of a tooth is there to have a place in the row, and a size.
        outward: 1 where normals of the crowns point out of them, −1 where the faces are oriented the other way. Told by
            the crowns, whose biting side is known from their shape.
    """

    labels: IntArray
    main: IntArray
    areas: FloatArray
    main_areas: FloatArray
    centres: FloatArray
    axes: FloatArray
    of_region: IntArray
    is_whole: BoolArray
    outward: float

    def place_of(self, label: int) -> int:
        """The place of a label that is there, in `labels`."""
        return int(np.searchsorted(self.labels, label))

    def main_area_of(self, label: int) -> float:
        """Area of the largest region of a label that is there, mm2."""
        return float(self.main_areas[self.place_of(label)])


def find_teeth(surface: MeshFacts, regions: LabelRegions) -> Teeth:
    """The teeth with their largest regions, axes and borders."""
    area = regions.area
    labels = np.unique(regions.label[regions.label != 0]).astype(np.int32)
    # Whatever the order of faces: of equal regions it is the one with the least centre.
    ties = np.nan_to_num(regions.centre[:, 0])
    mains = main_regions(regions.label, area, regions.n_nodes, ties)
    main = np.array([mains[label] for label in labels.tolist()], np.int32)
    is_tooth = regions.label != 0
    summed = np.bincount(np.searchsorted(labels, regions.label[is_tooth]), area[is_tooth], len(labels))
    centres = regions.centre[main]

    of_region = np.full(len(area) + 1, -1, np.int32)
    of_region[main] = np.arange(len(main), dtype=np.int32)
    axes = _axes(surface, labels, regions, centres, regions.vector_area[main])
    areas: FloatArray = summed.astype(np.float64, copy=False)
    is_cut = _are_cut(area[main], regions.rim_length[main], has_gum=bool((regions.label == 0).any()))
    is_whole = frozen((area[main] >= FRAGMENT_MM2) & ~is_cut)
    outward = 1.0 if float(np.nansum(regions.vector_area[main] * axes)) >= 0.0 else -1.0
    return Teeth(
        labels=frozen(labels),
        main=frozen(main),
        areas=frozen(areas),
        main_areas=frozen(area[main]),
        centres=frozen(centres),
        axes=frozen(axes),
        of_region=frozen(of_region),
        is_whole=is_whole,
        outward=outward,
    )


def _are_cut(area: FloatArray, rim: FloatArray, *, has_gum: bool) -> BoolArray:
    """Whether the border of the scan takes much off a crown, bool (T,): more than the side of a square as large.

    Where only crowns are there all of them end at that border, and only clearly more than usual tells.
    """
    usual = 0.0 if has_gum or not len(rim) else 1.5 * float(np.median(rim))
    cut: BoolArray = rim > np.sqrt(area) + usual
    return cut


def _axes(
    surface: MeshFacts, labels: IntArray, regions: LabelRegions, centres: FloatArray, vector: FloatArray
) -> FloatArray:
    """Unit vectors towards the biting side: normals summed over a cap point along its axis, whichever way it bulges.

    Which of the two ways is up is told by its border, which lies below the cap's own middle; so the orientation of
    the faces does not enter.
    """
    borders, of_face = regions.borders, regions.label_of_face
    count = len(labels)
    of_borders = centroids(surface.positions, surface.edge_ends(borders))
    owners = of_face[surface.edge_faces(borders)].T.reshape(-1)
    rim = surface.edges.boundary
    rim = rim[of_face[rim // 3] != 0]
    places = np.concatenate([of_borders, of_borders, centroids(surface.positions, surface.edge_ends(rim))])
    owners = np.concatenate([owners, of_face[rim // 3]])
    places, owners = places[owners != 0], owners[owners != 0]
    tooth = np.searchsorted(labels, owners)
    sizes = np.bincount(tooth, minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.stack([np.bincount(tooth, places[:, d], count) / sizes for d in range(3)], axis=1)
        sign = np.sign(((centres - mean) * vector).sum(axis=1, keepdims=True))
        axes: FloatArray = sign * vector / np.linalg.norm(vector, axis=1, keepdims=True)
    return axes
