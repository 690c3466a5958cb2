"""Numbers of teeth that would fit: proposals for a whole arch that is mirrored, shifted, or of the other jaw.

Only a person can decide: nothing is renumbered silently.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from meshguard import fdi
from meshguard.facts.dental import DentalFacts
from meshguard.facts.mesh import MeshFacts
from meshguard.policy import policy
from meshguard.repair.result import Renumbering

if TYPE_CHECKING:
    from meshguard.mesh import Mesh

LEAST_TEETH = 6
"""With fewer teeth nothing is proposed."""

MOST_SHIFT = 2
"""Labels that are shifted are shifted by one tooth, rarely two."""

CLEARLY = 0.12
"""Antimeres agree better when the mean of the logarithms of their areas' ratios falls by this much (proposal)."""


def propose_renumbering(mesh: Mesh) -> Renumbering | None:
    """What would make the numbers of a whole arch fit, or None where they fit or the evidence does not suffice.

    The mesh alone decides, in any position and whatever the orientation of its faces: whether all teeth are of the
    other jaw (the mesh must know its jaw); whether sides are swapped, by the rule of the check D107; whether numbers
    are shifted along the arch (another shift makes antimeres agree better in area by a clear margin). At least six
    teeth, with numbers of both sides, are needed.

    Args:
        mesh: carries FDI labels of vertices or faces.
    """
    return proposal_for(DentalFacts(MeshFacts(mesh, policy("scan"))))


def proposal_for(facts: DentalFacts) -> Renumbering | None:
    """What `propose_renumbering` returns, from facts that may be known in part already."""
    if not facts.has_labels or not facts.labels.is_fdi or not facts.surface.n_finite:
        return None
    labelling = facts.labels
    teeth = [int(label) for label in facts.teeth.labels if fdi.is_tooth(int(label))]
    jaws = {fdi.jaw_of(tooth) for tooth in teeth}
    if len(teeth) < LEAST_TEETH or len(jaws) != 1 or not labelling.meaning.teeth_are_ids:
        return None
    jaw = jaws.pop()
    if labelling.jaw_is_told and labelling.jaw != jaw:
        return Renumbering(
            kind="other jaw",
            mapping={tooth: fdi.antagonist(tooth) for tooth in teeth},
            reason=f"All {len(teeth)} teeth have numbers of the {jaw} jaw, and this is the {labelling.jaw} one.",
            measures={"teeth": len(teeth)},
        )
    if len({fdi.side_of(tooth) for tooth in teeth}) < 2:
        return None
    sides = facts.sides
    if sides is not None and sides.are_swapped and facts.looks_like_the_other_jaw:
        return Renumbering(
            kind="other jaw",
            mapping={tooth: fdi.antagonist(tooth) for tooth in teeth},
            reason=f"The numbers of the {jaw} jaw run the wrong way round, and the incisors look like the other jaw's.",
            measures={"teeth": len(teeth), "steps_reversed": sides.reversed},
        )
    if sides is not None and sides.are_swapped:
        return Renumbering(
            kind="mirrored",
            mapping={tooth: fdi.antimere(tooth) for tooth in teeth},
            reason="The numbers run from the patient's left to the right: sides are swapped.",
            measures={"steps": sides.steps, "steps_reversed": sides.reversed},
        )
    return _shifted(facts, jaw)


def _shifted(facts: DentalFacts, jaw: fdi.Jaw) -> Renumbering | None:
    """A proposal to move all numbers along the arch, where antimeres then agree better."""
    row = sorted((fdi.arch_index(code), code, place) for place, code in facts.tooth_row)
    if len(row) < LEAST_TEETH or any(fdi.is_deciduous(code) for _, code, _ in row):
        return None
    disagreement: dict[int, float] = {}
    for shift in range(-MOST_SHIFT, MOST_SHIFT + 1):
        if row[0][0] + shift < 0 or row[-1][0] + shift > 15:
            continue
        area = {index + shift: float(facts.teeth.areas[place]) for index, _, place in row}
        ratios = [abs(math.log(area[index] / area[15 - index])) for index in area if index < 8 and 15 - index in area]
        if len(ratios) >= LEAST_TEETH // 2:
            disagreement[shift] = sum(ratios) / len(ratios)
    best = min(disagreement, key=lambda shift: (disagreement[shift], abs(shift)), default=0)
    if best == 0 or 0 not in disagreement or disagreement[0] - disagreement[best] < CLEARLY:
        return None
    return Renumbering(
        kind="shifted",
        mapping={code: fdi.arch_order(jaw)[index + best] for index, code, _ in row},
        reason=f"Moved by {best:+d} along the arch, right and left teeth agree better in size.",
        measures={"shift": best, "disagreement": disagreement[0], "disagreement_shifted": disagreement[best]},
    )
