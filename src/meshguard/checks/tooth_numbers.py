"""D: whether numbers fit the places of the teeth in the arch: order, sides, two in one place, forgotten, missing."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from meshguard import fdi
from meshguard.checks.clustering import Diagnosis, located
from meshguard.checks.tooth_findings import about_teeth, check, codes_in_words
from meshguard.report import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from meshguard.facts.dental import DentalFacts
    from meshguard.mesh import IntArray

SAME_SIDE_MM = 25.0
"""Neighbours in a row that shows no arch are closer than this: left and right canine stand 27 mm apart and more."""


def _out_of_order(indices: Sequence[int]) -> list[int]:
    """Places outside the longest subsequence that never falls; of equally long ones the earliest counts."""
    count = len(indices)
    length, previous = [1] * count, [-1] * count
    for k in range(count):
        for j in range(k):
            if indices[j] <= indices[k] and length[j] + 1 > length[k]:
                length[k], previous[k] = length[j] + 1, j
    in_order: set[int] = set()
    k = max(range(count), key=lambda k: length[k]) if count else -1
    while k >= 0:
        in_order.add(k)
        k = previous[k]
    return [k for k in range(count) if k not in in_order]


@check("D106", limits=("order_mm", "order_error_mm"), needs=("faces", "fdi"))
def teeth_out_of_order(facts: DentalFacts) -> Iterable[Finding]:
    """Teeth out of order along the arch.

    Along the arch the numbers must run 8 … 1, 1 … 8, with deciduous teeth in the places of their successors. As few
    teeth as possible are reported as out of place, each with those it stands on the wrong side of, and by how much. The
    cause is swapped neighbours, or a number given to the wrong tooth. Teeth that are crowded or have erupted out of the
    row stay within the limit; a true transposition (canine and premolar, rare) does not.
    """
    row = facts.tooth_row
    if len(row) < 3 or facts.tooth_sizes is None:
        return
    indices = [fdi.arch_index(code) for _, code in row]
    out_of_rising, out_of_falling = _out_of_order(indices), _out_of_order([-index for index in indices])
    is_rising = len(out_of_rising) <= len(out_of_falling)
    along = [float(facts.tooth_sizes.along[place]) for place, _ in row]
    if not facts.arch_frame.has_inside and max(later - earlier for earlier, later in pairwise(along)) > SAME_SIDE_MM:
        return  # a few teeth of either side, without those between them, do not form a row
    least_mm, error_mm = facts.policy.limit("order_mm"), facts.policy.limit("order_error_mm")
    reported: set[int] = set()
    for k in out_of_rising if is_rising else out_of_falling:
        passed = [
            j
            for j in range(len(row))
            if indices[j] != indices[k] and ((indices[j] < indices[k]) == (j > k)) == is_rising and j not in reported
        ]
        distance = max((abs(along[j] - along[k]) for j in passed), default=0.0)
        if distance <= least_mm:
            continue
        reported.add(k)
        code, passed_codes = row[k][1], [row[j][1] for j in passed]
        is_error = distance > error_mm
        diagnosis = Diagnosis(
            severity=Severity.ERROR if is_error else Severity.WARNING,
            message=f"Tooth {code} is on the wrong side of {codes_in_words(passed_codes)}, by {distance:.1f} mm along "
            "the arch.",
            measures={"distance_mm": distance, "teeth": 1 + len(passed_codes)},
            limit="order_error_mm" if is_error else "order_mm",
            tooth=code,
        )
        yield from about_teeth(facts, "D106", [code, *passed_codes], diagnosis)


@check("D107", needs=("faces", "jaw"))
def sides_swapped(facts: DentalFacts) -> Iterable[Finding]:
    """Left and right are swapped.

    The shape tells the patient's right from the left: the crowns point to the biting side, and the tongue is inside the
    arch. Labels that run the other way round are those of the mirrored arch, or the mesh itself was mirrored. The jaw
    is taken from the labels; numbers of the other jaw run the other way round too, which the incisors show. Where the
    row of teeth is too straight to have an inside, nothing is reported.
    """
    sides = facts.sides
    if sides is not None and sides.are_swapped:
        codes = [code for _, code in facts.tooth_row]
        cause = "they may be those of the other jaw" if facts.looks_like_the_other_jaw else "the sides are swapped"
        diagnosis = Diagnosis(
            severity=Severity.ERROR,
            message=f"The numbers of {len(codes)} teeth run from the patient's left to the right: {cause}.",
            measures={"teeth": len(codes), "steps": sides.steps, "steps_reversed": sides.reversed},
        )
        yield from about_teeth(facts, "D107", codes, diagnosis)


@check("D108", needs=("faces", "fdi"))
def two_in_one_place(facts: DentalFacts) -> Iterable[Finding]:
    """Deciduous and permanent tooth in one place.

    A deciduous tooth and its successor are both labelled. In a mixed dentition both may be there (a canine that erupts
    beside the milk canine), so this is a warning; more often one of the two numbers is wrong.
    """
    labels = set(facts.teeth.labels.tolist())
    for code in sorted(labels):
        successor = fdi.successor(code) if fdi.is_tooth(code) else None
        if successor in labels and successor is not None:
            places = [facts.teeth.place_of(code), facts.teeth.place_of(successor)]
            distance = float(np.linalg.norm(np.subtract(*facts.teeth.centres[places])))
            diagnosis = Diagnosis(
                severity=Severity.WARNING,
                message=f"Tooth {code} and its successor {successor} are both labelled, {distance:.1f} mm apart.",
                measures={"distance_mm": distance},
                tooth=code,
            )
            yield from about_teeth(facts, "D108", [code, successor], diagnosis)


@check("D113", limits=("tooth_like_mm2",))
def unlabelled_tooth(facts: DentalFacts) -> Iterable[Finding]:
    """Unlabelled region looks like a tooth.

    Surface labelled as gum that lies on the arch and is as high as the middle of the crowns beside it: a tooth that was
    forgotten, or the part of one that its label does not cover. High gum behind the last molar can look the same.
    """
    faces, clusters = facts.unlabelled_crowns

    def describe(places: IntArray) -> Diagnosis:
        area = float(facts.surface.face_measures.area[faces[places]].sum())
        return Diagnosis(
            severity=Severity.WARNING,
            message=f"Surface of {area:.1f} mm² that is as high as the crowns beside it is labelled as gum.",
            measures={"area_mm2": area},
            limit="tooth_like_mm2",
        )

    yield from located(
        facts.surface,
        "D113",
        element="face",
        indices=faces,
        rows=facts.surface.corners[faces],
        labels=clusters,
        describe=describe,
    )


@check("D114", needs=("faces", "jaw"))
def missing_teeth(facts: DentalFacts) -> Iterable[Finding]:
    """Missing teeth.

    Numbers that no label has, between the last labelled teeth of the two sides; a deciduous tooth counts for its
    successor. This is reported and not judged: teeth are extracted, lost, or never form.
    """
    codes = [label for label in facts.teeth.labels.tolist() if fdi.is_tooth(label)]
    jaw = facts.labels.jaw
    occupied = sorted({fdi.arch_index(code) for code in codes if fdi.jaw_of(code) == jaw})
    if jaw is None or len(occupied) < 2:
        return
    order = fdi.arch_order(jaw)
    missing = [order[index] for index in range(occupied[0], occupied[-1]) if index not in occupied]
    if missing:
        diagnosis = Diagnosis(
            severity=Severity.INFO,
            message=f"{'Tooth' if len(missing) == 1 else 'Teeth'} {codes_in_words(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not labelled.",
            measures={"teeth": len(missing)},
            tooth=missing[0] if len(missing) == 1 else None,
            count=len(missing),
        )
        before_gap = order[max(index for index in occupied if index < fdi.arch_index(missing[0]))]
        yield from _missing(facts, before_gap, missing, diagnosis)


def _missing(facts: DentalFacts, before_gap: int, missing: list[int], diagnosis: Diagnosis) -> Iterable[Finding]:
    """One D114, which is located on the tooth before the first gap and lists the teeth that are not there."""
    labels = set(facts.teeth.labels.tolist())
    neighbour = before_gap if before_gap in labels else (fdi.predecessor(before_gap) or before_gap)
    for finding in about_teeth(facts, "D114", [neighbour], diagnosis):
        yield replace(finding, indices=np.array(sorted(missing), np.int32), indices_total=len(missing))


CHECKS = (teeth_out_of_order, sides_swapped, two_in_one_place, unlabelled_tooth, missing_teeth)
