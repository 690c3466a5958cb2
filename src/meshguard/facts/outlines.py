"""What the outlines of labelled crowns are like: ragged, off the crease between two crowns, or missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from meshguard.facts.crowns import Creases, find_creases, raggedness
from meshguard.facts.unlabelled import tooth_like_gum
from meshguard.kernels._parallel import side_by_side

if TYPE_CHECKING:
    from meshguard.facts import Facts
    from meshguard.mesh import FloatArray, IntArray


class Outlines(NamedTuple):
    """Three searches that need nothing of one another.

    Attributes:
        ragged: length of each tooth's border over its smoothed length, and how far it strays, float64 (T,) each; see
            `facts.crowns.raggedness`.
        creases: the borders between two teeth, and the creases beside them.
        unlabelled: faces labelled gum that look like a crown, int32 (k,), and the cluster of each.
    """

    ragged: tuple[FloatArray, FloatArray]
    creases: Creases
    unlabelled: tuple[IntArray, IntArray]


def find_outlines(facts: Facts) -> Outlines:
    """All three, side by side: together they take most of the time that labels take."""
    ragged: list[tuple[FloatArray, FloatArray]] = []
    creases: list[Creases] = []
    unlabelled: list[tuple[IntArray, IntArray]] = []
    _ = facts.teeth, facts.sizes, facts.borders  # what they share is found once, and before
    side_by_side(
        [
            lambda: unlabelled.append(tooth_like_gum(facts, facts.policy.limit("tooth_like_mm2"))),
            lambda: ragged.append(raggedness(facts)),
            lambda: creases.append(find_creases(facts)),
        ]
    )
    return Outlines(ragged[0], creases[0], unlabelled[0])
