"""The row of numbered teeth: in which order they stand along the arch, and which way their numbers run."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from meshguard import fdi

if TYPE_CHECKING:
    from meshguard.facts.dental.arch_frame import ArchFrame
    from meshguard.facts.dental.teeth import Teeth
    from meshguard.facts.dental.tooth_sizes import ToothSizes

SIDES_AGREE = 0.8
"""Labels have their sides swapped when at least this share of neighbours runs the wrong way round."""


class Sides(NamedTuple):
    """Which way the numbers run along the row.

    Attributes:
        steps: number of neighbours with different places in the numbering.
        reversed: number of those whose numbers run from the patient's left to the right.
    """

    steps: int
    reversed: int

    @property
    def are_swapped(self) -> bool:
        """Whether the labels are those of the mirrored arch."""
        return self.steps > 0 and self.reversed >= SIDES_AGREE * self.steps


def row_of_codes(teeth: Teeth, sizes: ToothSizes | None) -> list[tuple[int, int]]:
    """Places (in `Teeth.labels`) and FDI codes of the whole teeth whose labels are codes, along the arch curve.

    Counter-clockwise, seen from the biting side. Empty without an arch curve.
    """
    if sizes is None:
        return []
    labels = teeth.labels
    return [(int(place), int(labels[place])) for place in sizes.order if fdi.is_tooth(int(labels[place]))]


def sides_of(codes: list[int], frame: ArchFrame) -> Sides | None:
    """Which way the numbers of a row run, FDI codes along the arch curve; None where that cannot be determined.

    The patient's right and left follow from the shape: the crowns point to the biting side, and the tongue is inside
    the arch. Seen from the biting side, a lower arch runs counter-clockwise from the patient's right to the left, an
    upper one clockwise. The jaw is the one that most of the numbers name.
    """
    n_upper = sum(fdi.jaw_of(code) == "upper" for code in codes)
    if len(codes) < 3 or 2 * n_upper == len(codes) or not frame.has_inside:
        return None
    sense = -1 if 2 * n_upper > len(codes) else 1
    indices = [fdi.arch_index(code) for code in codes]
    steps = [sense * (later - earlier) for earlier, later in pairwise(indices) if later != earlier]
    return Sides(len(steps), sum(step < 0 for step in steps))
