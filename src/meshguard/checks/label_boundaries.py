"""D: borders of labelled teeth: whether they are smooth, lie where crowns meet, and join teeth that stand apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.checks.clustering import Diagnosis, located
from meshguard.checks.tooth_findings import check, name_of, tooth_of
from meshguard.report import Finding, Safety, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshguard.facts.dental import DentalFacts
    from meshguard.mesh import IntArray

MIN_BORDER_MM = 2.0
"""A shorter border between two teeth says little about where the embrasure is."""

MIN_BRIDGED_MM = 1.5
"""A shorter gap beside a border may be a single fold of the surface: three cross-sections at least."""


@check(
    "D111",
    limits=("ragged_ratio", "ragged_face_share", "ragged_vertex_share"),
)
def ragged_border(facts: DentalFacts) -> Iterable[Finding]:
    """Ragged label border.

    The length of a tooth's border divided by that of the same border smoothed over about a millimetre. A drawn border
    follows the gum line; one that zigzags is what a network gives face by face, without a graph cut after it. It must
    also lie far enough from the smooth line for the size of the faces there: along long thin faces any border zigzags.
    Where vertices carry the labels, the border is taken between them.
    """
    limit = facts.policy.limit("ragged_ratio")
    ratios, strays = facts.raggedness
    least = facts.policy.limit("ragged_face_share" if facts.labels.per == "face" else "ragged_vertex_share")
    ragged = np.flatnonzero((ratios > limit) & (strays > least))
    if not len(ragged):
        return
    borders, teeth = facts.label_regions.borders, facts.teeth
    sides = facts.label_regions.label_of_face[facts.surface.edge_faces(borders)]
    borders_of = [borders[(sides == label).any(axis=1)] for label in teeth.labels[ragged]]
    edges = np.concatenate(borders_of)
    owner = np.repeat(np.arange(len(ragged), dtype=np.int32), [len(border) for border in borders_of])

    def describe(members: IntArray) -> Diagnosis:
        place = int(ragged[owner[members[0]]])
        label, ratio = int(teeth.labels[place]), float(ratios[place])
        return Diagnosis(
            severity=Severity.INFO,
            message=f"The label border of {name_of(facts, label)} is {ratio:.2f} times as long as a smooth one.",
            measures={"ratio": ratio, "stray_share": float(strays[place])},
            limit="ragged_ratio",
            fixable=Safety.LOCAL,
            tooth=tooth_of(facts, label),
        )

    yield from located(
        facts.surface,
        "D111",
        element="edge",
        indices=edges,
        rows=facts.surface.edge_ends(edges),
        labels=owner,
        describe=describe,
    )


def _along(facts: DentalFacts, check: str, edges: IntArray, diagnosis: Diagnosis) -> Iterable[Finding]:
    """One finding about edges."""
    return located(
        facts.surface,
        check,
        element="edge",
        indices=edges,
        rows=facts.surface.edge_ends(edges),
        describe=diagnosis,
    )


@check("D112", limits=("bleed_mm",))
def bleeding(facts: DentalFacts) -> Iterable[Finding]:
    """Label bleeds onto its neighbour.

    Two crowns meet in a groove of the surface (the embrasure), and the border of their labels must lie there. Here the
    border runs over a crown, where the surface is convex, and the embrasure lies inside one of the two labels: that
    label reaches over it. The measure is the distance between border and embrasure, found from the mean curvature in
    bands along the border. A distance smaller than the usual size of the faces there cannot be detected.
    """
    embrasures, limit = facts.embrasures, facts.policy.limit("bleed_mm")
    for k in np.flatnonzero(embrasures.strayed_mm >= MIN_BORDER_MM).tolist():
        offset = float(embrasures.offset[k])
        if abs(offset) < max(limit, float(embrasures.grain_mm[k])):
            continue
        low, high = (int(facts.teeth.labels[place]) for place in embrasures.pairs[k])
        # The embrasure is inside a label: what lies between it and the border belongs to the neighbour.
        bleeding_label, neighbour = (high, low) if offset > 0 else (low, high)
        diagnosis = Diagnosis(
            severity=Severity.WARNING,
            message=(
                f"The label of {name_of(facts, bleeding_label)} reaches about {abs(offset):.1f} mm "
                f"onto {name_of(facts, neighbour)}."
            ),
            measures={
                "over_mm": abs(offset),
                "strayed_mm": float(embrasures.strayed_mm[k]),
                "border_mm": float(embrasures.length[k]),
            },
            limit="bleed_mm",
            tooth=tooth_of(facts, bleeding_label),
        )
        yield from _along(facts, "D112", embrasures.edges[k], diagnosis)


@check("D115", limits=("bridge_mm", "bridge_share", "bridge_sure_share"))
def bridged(facts: DentalFacts) -> Iterable[Finding]:
    """Teeth fused by bridging surface.

    Neighbours meet in a valley whose walls converge. Here the surface runs from one crown to the other although their
    walls face each other across empty space right beside it: scanners close narrow gaps with a sheet of surface that is
    not there. The measure is the distance between the walls, where it is more than the limit and more than the faces
    there can show; how much of the border lies in such a gap tells how sure the finding is. A neck is a border that is
    closed, with air all around. Repair leaves it: only another scan can tell where the true walls of the crowns are.
    """
    share, sure_share = facts.policy.limit("bridge_share"), facts.policy.limit("bridge_sure_share")
    bridges = facts.bridges(facts.policy.limit("bridge_mm"))
    least_mm = np.maximum(MIN_BRIDGED_MM, share * bridges.length)
    for k in np.flatnonzero(bridges.bridged_mm >= least_mm).tolist():
        low, high = bridges.pairs[k].tolist()
        is_sure = bool(bridges.bridged_mm[k] >= sure_share * bridges.length[k])
        gap, is_neck = float(bridges.gap_mm[k]), bool(bridges.is_neck[k])
        diagnosis = Diagnosis(
            severity=Severity.WARNING if is_sure else Severity.INFO,
            message=(
                f"{name_of(facts, low).capitalize()} and {name_of(facts, high)} are joined by a "
                f"{'neck' if is_neck else 'sheet'} of surface across a gap of {gap:.2f} mm."
            ),
            measures={
                "gap_mm": gap,
                "bridged_mm": float(bridges.bridged_mm[k]),
                "border_mm": float(bridges.length[k]),
                "neck": int(is_neck),
            },
            limit="bridge_sure_share" if is_sure else "bridge_share",
            tooth=tooth_of(facts, low),
        )
        yield from _along(facts, "D115", bridges.edges[k], diagnosis)


CHECKS = (ragged_border, bleeding, bridged)
