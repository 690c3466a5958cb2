"""Label islands: regions of a label other than its main one, and which of them repair gives to the label around them.

Checks, which promise a repair, and repair itself follow the same rule.
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
"""A region of gum is a hole in a tooth when at least this share of its border is with that tooth: the rest may be with
an island beside it."""


class IslandRule(NamedTuple):
    """Which region of a label is the main one, and which others are islands. The area of a tooth is its main region's.

    Attributes:
        share: a region with more than this share of its tooth's area, and
        area_mm2: with more area than this, may be a tooth or a part of one: a person must look at it.
        near_mm: a region nearer to its tooth than this may be a part of it that something cuts off,
        speck_share: unless it has at most this share of the tooth's area.
    """

    share: float
    area_mm2: float
    near_mm: float
    speck_share: float

    @classmethod
    def from_policy(cls, policy: Policy) -> IslandRule:
        """The rule with the limits of a policy."""
        return cls(
            policy.limit("label_error_share"),
            policy.limit("label_error_mm2"),
            policy.limit("label_near_mm"),
            policy.limit("label_speck_share"),
        )

    def is_too_large(self, area: float, tooth_area: float) -> bool:
        """Whether a region, area in mm2, is too large to be an island, or a region of gum too large to be a hole."""
        return area > self.share * tooth_area and area > self.area_mm2

    def is_speck(self, area: float, tooth_area: float) -> bool:
        """Whether a region is so small that it is given away however near its tooth it lies."""
        return area <= self.speck_share * tooth_area

    @staticmethod
    def main_regions(label: IntArray, area: FloatArray, n_nodes: FloatArray, tie_breaker: FloatArray) -> dict[int, int]:
        """The main region of each label, 0 included: the one that is largest in area and in number of nodes.

        Of equals it is the one with the least tie breaker. Area alone would not do: an island on a coarse part of the
        mesh, such as the base of a cast, may be larger than a tooth, and yet it is only a few faces.
        """
        weight = np.round(np.sqrt(area * n_nodes), 9)
        main: dict[int, int] = {}
        for region in np.lexsort((tie_breaker, -weight)).tolist():
            main.setdefault(int(label[region]), region)
        return main


def region_distance_mm(surface: MeshFacts, per: Carrier, regions: LabelRegions, first: int, second: int) -> float:
    """Least distance between two regions, from centroid to centroid of their faces or from position to position, mm."""
    from scipy.spatial import KDTree

    positions, corners = surface.positions, surface.corners
    first_points, second_points = (
        centroids(positions, corners[nodes]) if per == "face" else positions[nodes]
        for nodes in (regions.nodes_of(first), regions.nodes_of(second))
    )
    return float(np.min(KDTree(second_points).query(first_points)[0]))
