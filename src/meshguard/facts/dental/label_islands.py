"""Label islands: regions of a label beside its main one, and which of them repair gives to the label around.

One rule for the checks that promise a repair and for the repair that keeps the promise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import centroids

if TYPE_CHECKING:
    from meshguard.facts.dental.label_regions import LabelRegions
    from meshguard.facts.mesh.facts import MeshFacts
    from meshguard.mesh import Carrier, FloatArray, IntArray
    from meshguard.policy import Policy

MOSTLY = 0.8
"""Gum is a hole in a tooth when that has more than this share of its border: the rest may be an island beside it."""


class IslandRule(NamedTuple):
    """The limits that decide; areas in mm2, `whole` being that of the label's main region.

    Attributes:
        share: a region with more than this share of its tooth, and
        area_mm2: more area than this, may be a tooth of its own, or a part of one: a person must look.
        near_mm: nearer to its tooth than this a region may be a part of it that something cuts off,
        speck_share: unless it has less than this share of it.
    """

    share: float
    area_mm2: float
    near_mm: float
    speck_share: float

    @classmethod
    def of(cls, policy: Policy) -> IslandRule:
        """The rule under a policy."""
        return cls(
            policy.limit("label_error_share"),
            policy.limit("label_error_mm2"),
            policy.limit("label_near_mm"),
            policy.limit("label_speck_share"),
        )

    def is_large(self, area: float, whole: float) -> bool:
        """Whether a region is too large to be an island, or gum to be a hole."""
        return area > self.share * whole and area > self.area_mm2

    def is_speck(self, area: float, whole: float) -> bool:
        """Whether a region is given away however near its tooth it lies."""
        return area <= self.speck_share * whole


def main_regions(label: IntArray, area: FloatArray, nodes: FloatArray, ties: FloatArray) -> dict[int, int]:
    """The main region of each label, 0 included: large in area and in faces; of equals the one with the least tie.

    An island on coarse ground, such as the base of a cast, may be wider than a whole tooth and yet a few faces.
    """
    weight = np.round(np.sqrt(area * nodes), 9)
    main: dict[int, int] = {}
    for region in np.lexsort((ties, -weight)).tolist():
        main.setdefault(int(label[region]), region)
    return main


def region_distance_mm(surface: MeshFacts, per: Carrier, regions: LabelRegions, first: int, second: int) -> float:
    """Least distance between the faces' centroids, or the positions, of two regions."""
    from scipy.spatial import KDTree

    positions, corners = surface.positions, surface.corners
    here, there = (
        centroids(positions, corners[nodes]) if per == "face" else positions[nodes]
        for nodes in (regions.nodes_of(first), regions.nodes_of(second))
    )
    return float(np.min(KDTree(there).query(here)[0]))
