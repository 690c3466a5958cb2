"""Precision: the numbers in which a repair holds positions, so that the file that will be written can hold them too."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from meshguard.float32 import rounded

if TYPE_CHECKING:
    from meshguard.facts.mesh import MeshFacts
    from meshguard.mesh import FloatArray
    from meshguard.repair.result import Target


class Precision(Enum):
    """The numbers in which the positions of a draft can be held, and every position that a step makes."""

    SINGLE = "f4"
    DOUBLE = "f8"

    def held(self, points: FloatArray) -> FloatArray:
        """Points as they are held, float64."""
        return rounded(points) if self is Precision.SINGLE else points

    def spacing(self, coordinate: float) -> float:
        """How far neighbouring numbers are apart at this coordinate."""
        return float(np.spacing(np.asarray(coordinate, self.value)))


def precision_for(facts: MeshFacts, target: Target) -> Precision:
    """In which numbers a mesh is repaired.

    Float32 where its positions are float32 already, whatever the target: then a PLY stays small, and what is proved
    holds for an STL too. Float32 also where an STL is to be written, which holds no others; but not where that would
    move a vertex beyond the limit: then the repair is refused, and what it carries is better not spoiled. Else
    doubles, which a PLY keeps.
    """
    if facts.is_float32 or (target == "stl" and not rounds_too_far(facts)):
        return Precision.SINGLE
    return Precision.DOUBLE


def rounds_too_far(facts: MeshFacts) -> bool:
    """Whether rounding to float32 would move a corner of a face further than the policy allows."""
    return furthest_rounding(facts) > facts.float32_tolerance("rounding_mm")


def furthest_rounding(facts: MeshFacts) -> float:
    """How far rounding to float32 moves the corner of a face that it moves most, mm; infinite beyond their range."""
    if facts.is_float32:
        return 0.0
    used = np.zeros(len(facts.positions), np.bool_)
    used[facts.corners] = True
    points = facts.positions[used & np.isfinite(facts.positions).all(axis=1)]
    return float(np.linalg.norm(rounded(points) - points, axis=1).max(initial=0.0))
