"""Pieces of a label beside its largest: which may be a tooth of their own, and which are strays that repair gives away.

One rule for the checks that promise a repair and for the repair that keeps the promise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import middles
from meshguard.kernels import teeth as kernels

if TYPE_CHECKING:
    from meshguard.facts import Facts
    from meshguard.mesh import FloatArray, IntArray
    from meshguard.policy import Policy

MOSTLY = 0.8
"""Gum is a hole in a tooth when that has more than this share of its border: the rest may be a stray beside it."""


class StrayRule(NamedTuple):
    """The limits that decide; areas in mm2, `whole` being that of the label's largest piece.

    Attributes:
        share: a piece with more than this share of its tooth, and
        area_mm2: more area than this, may be a tooth of its own, or a part of one: a person must look.
        near_mm: nearer to its tooth than this a piece may be a part of it that something cuts off,
        speck_share: unless it has less than this share of it.
    """

    share: float
    area_mm2: float
    near_mm: float
    speck_share: float

    @classmethod
    def of(cls, policy: Policy) -> StrayRule:
        """The rule under a policy."""
        return cls(
            policy.limit("label_error_share"),
            policy.limit("label_error_mm2"),
            policy.limit("label_near_mm"),
            policy.limit("label_speck_share"),
        )

    def is_large(self, area: float, whole: float) -> bool:
        """Whether a piece is too large to be a stray, or gum to be a hole."""
        return area > self.share * whole and area > self.area_mm2

    def is_speck(self, area: float, whole: float) -> bool:
        """Whether a piece is given away however near its tooth it lies."""
        return area <= self.speck_share * whole


def main_pieces(label: IntArray, area: FloatArray, nodes: FloatArray, ties: FloatArray) -> dict[int, int]:
    """The main piece of each label, 0 included: large in area and in faces; of equals the one with the least tie.

    An island on coarse ground, such as the base of a cast, may be wider than a whole tooth and yet a few faces.
    """
    weight = np.round(np.sqrt(area * nodes), 9)
    main: dict[int, int] = {}
    for piece in np.lexsort((ties, -weight)).tolist():
        main.setdefault(int(label[piece]), piece)
    return main


def distance_mm(facts: Facts, piece: int, other: int) -> float:
    """Least distance between the faces' middles, or the positions, of two pieces."""
    from scipy.spatial import KDTree

    nodes = [np.flatnonzero(facts.pieces.of_node == one) for one in (piece, other)]
    by_face = facts.labels.per == "face"
    here, there = (middles(facts.positions, facts.corners[one]) if by_face else facts.positions[one] for one in nodes)
    return float(np.min(KDTree(there).query(here)[0]))


def is_given_away(facts: Facts, piece: int) -> bool:
    """Whether repair, when asked, gives a piece of a tooth beside its largest to the label around it."""
    pieces, teeth = facts.pieces, facts.teeth
    main = int(teeth.main[np.searchsorted(teeth.labels, pieces.label[piece])])
    area, whole = (float(pieces.measures[one, kernels.AREA]) for one in (piece, main))
    rule = StrayRule.of(facts.policy)
    if rule.is_large(area, whole):
        return False
    return rule.is_speck(area, whole) or distance_mm(facts, piece, main) > rule.near_mm
