"""D: labelled teeth as an arch: order, sides, slots, sizes, antimeres, and what is missing."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from meshguard import fdi
from meshguard.checks.clustering import Diagnosis, located
from meshguard.checks.crown_norms import area_of, norm_of
from meshguard.checks.labels import about_teeth, check
from meshguard.report import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from meshguard.facts.dental import DentalFacts
    from meshguard.mesh import IntArray

MIN_JUDGED = 6
"""With fewer teeth the sizes are compared with the norm itself, as crowns of real scans measure it."""

USUAL_SCALE = 1.15
"""Extents of labelled crowns over the norm's diameters: a turned crown reaches further than its diameter. The medians
of four real arches are 1.15 to 1.23."""

LEAST_SCALE, MOST_SCALE = 0.95, 1.35
"""The arch's own scale is taken within these: many half-erupted teeth make no small mouth."""

SAME_SIDE_MM = 25.0
"""Neighbours in a row that shows no arch are nearer than this: canines of either side stand 27 mm apart and more."""


def _out_of_order(indices: Sequence[int]) -> list[int]:
    """Places to take away so that the rest does not fall: all but the longest such row, the earliest of equals."""
    count = len(indices)
    length, before = [1] * count, [-1] * count
    for k in range(count):
        for j in range(k):
            if indices[j] <= indices[k] and length[j] + 1 > length[k]:
                length[k], before[k] = length[j] + 1, j
    kept: set[int] = set()
    k = max(range(count), key=lambda k: length[k]) if count else -1
    while k >= 0:
        kept.add(k)
        k = before[k]
    return [k for k in range(count) if k not in kept]


@check("D106", limits=("order_mm", "order_error_mm"), needs=("faces", "fdi"))
def order_broken(facts: DentalFacts) -> Iterable[Finding]:
    """Order along the arch is broken.

    Along the arch the numbers must run 8 … 1, 1 … 8, deciduous teeth at the place of their successors. As few teeth as
    possible are named that stand elsewhere, each with those it stands on the wrong side of, and by how much. Neighbours
    swapped, or a number given to the wrong tooth. Teeth that are crowded or have erupted out of the row stay within the
    limit; a true transposition (canine and premolar, rare) does not.
    """
    row = facts.tooth_row
    if len(row) < 3 or facts.tooth_sizes is None:
        return
    indices = [fdi.arch_index(code) for _, code in row]
    one, other = _out_of_order(indices), _out_of_order([-index for index in indices])
    away = one if len(one) <= len(other) else other
    rising = away is one
    along = [float(facts.tooth_sizes.along[place]) for place, _ in row]
    if not facts.arch_frame.has_inside and max(later - earlier for earlier, later in pairwise(along)) > SAME_SIDE_MM:
        return  # a few teeth of either side, without those between them, stand in no row
    mild, bad = facts.policy.limit("order_mm"), facts.policy.limit("order_error_mm")
    said_of: set[int] = set()
    for k in away:
        behind = [
            j
            for j in range(len(row))
            if indices[j] != indices[k] and ((indices[j] < indices[k]) == (j > k)) == rising and j not in said_of
        ]
        gap = max((abs(along[j] - along[k]) for j in behind), default=0.0)
        if gap <= mild:
            continue
        said_of.add(k)
        code, others = row[k][1], [row[j][1] for j in behind]
        diagnosis = Diagnosis(
            severity=Severity.ERROR if gap > bad else Severity.WARNING,
            message=f"Tooth {code} stands on the wrong side of {_listed(others)}, {gap:.1f} mm along the arch.",
            measures={"distance_mm": gap, "teeth": 1 + len(others)},
            limit="order_error_mm" if gap > bad else "order_mm",
            tooth=code,
        )
        yield from about_teeth(facts, "D106", [code, *others], diagnosis)


def _listed(codes: list[int]) -> str:
    """Numbers in words."""
    codes = sorted(codes)
    return " and ".join([", ".join(map(str, codes[:-1])), str(codes[-1])] if len(codes) > 1 else [str(codes[0])])


@check("D107", needs=("faces", "fdi"))
def sides_swapped(facts: DentalFacts) -> Iterable[Finding]:
    """Sides are swapped.

    The patient's right and left are told by the shape: the crowns point to the biting side, and the tongue is inside
    the arch. Labels that run the other way round are those of the mirrored arch, or the mesh itself was mirrored. The
    jaw is taken to be the labels' own; numbers of the other jaw run the other way round too, which the incisors show.
    Where the row of teeth is too straight to have an inside, nothing is said.
    """
    sides = facts.sides
    if sides is not None and sides.are_swapped:
        codes = [code for _, code in facts.tooth_row]
        what = "they may be those of the other jaw" if facts.looks_like_the_other_jaw else "sides are swapped"
        diagnosis = Diagnosis(
            severity=Severity.ERROR,
            message=f"The numbers of {len(codes)} teeth run from the patient's left to the right: {what}.",
            measures={"teeth": len(codes), "steps": sides.steps, "steps_reversed": sides.reversed},
        )
        yield from about_teeth(facts, "D107", codes, diagnosis)


@check("D108", needs=("faces", "fdi"))
def two_in_one_slot(facts: DentalFacts) -> Iterable[Finding]:
    """Permanent and deciduous tooth in one slot.

    A deciduous tooth and its successor are both labelled. While teeth change both may be there (a canine that erupts
    beside the milk canine), so this is a warning; more often one of the two numbers is wrong.
    """
    labels = set(facts.teeth.labels.tolist())
    for code in sorted(labels):
        successor = fdi.successor(code) if fdi.is_tooth(code) else None
        if successor in labels and successor is not None:
            places = np.searchsorted(facts.teeth.labels, [code, successor])
            apart = float(np.linalg.norm(np.subtract(*facts.teeth.centres[places])))
            diagnosis = Diagnosis(
                severity=Severity.WARNING,
                message=f"Teeth {code} and {successor} share a slot; they stand {apart:.1f} mm apart.",
                measures={"distance_mm": apart},
                tooth=code,
            )
            yield from about_teeth(facts, "D108", [code, successor], diagnosis)


def _ratios(facts: DentalFacts) -> tuple[list[tuple[int, int]], dict[int, tuple[float, float]], tuple[float, float]]:
    """The teeth along the arch; place -> widths over the norm, along and across; the medians of both.

    A tooth of the other jaw is measured as the one of this jaw that it stands for, if only some are.
    """
    row, sizes = facts.tooth_row, facts.tooth_sizes
    if not row or sizes is None:
        return [], {}, (1.0, 1.0)
    strangers = [code for _, code in row if fdi.jaw_of(code) != facts.labels.jaw]
    if 2 * len(strangers) <= len(row):
        row = [(place, fdi.antagonist(code) if code in strangers else code) for place, code in row]
    ratios = {}
    for place, code in row:
        mesiodistal, buccolingual = norm_of(code)
        ratios[place] = (
            float(sizes.mesiodistal[place]) / mesiodistal,
            float(sizes.buccolingual[place]) / buccolingual,
        )
    along, across = np.median(list(ratios.values()), axis=0).tolist()
    return row, ratios, (along, across)


def _area_ratios(facts: DentalFacts, row: list[tuple[int, int]]) -> dict[int, float]:
    """Place -> area of the largest piece over what is to be expected: the less of the antimere's and the norm's.

    The norm's is scaled so that the median of the arch is 1.
    """
    main = facts.teeth.main_areas
    areas = {code: float(main[place]) for place, code in row}
    usual = float(np.median([area / area_of(code) for code, area in areas.items()]))
    expected = {code: min(usual * area_of(code), areas.get(fdi.antimere(code), math.inf)) for code in areas}
    return {place: areas[code] / max(expected[code], 1e-12) for place, code in row}


@check(
    "D109",
    limits=("size_share", "size_error_share", "size_area_share", "shift_gain"),
    needs=("faces", "fdi"),
)
def implausible_size(facts: DentalFacts) -> Iterable[Finding]:
    """Implausible size.

    A crown's widths along the arch (mesiodistal) and across it (buccolingual) against the averages of Wheeler's table,
    scaled by the arch's own median, since people and scans differ as a whole. Too wide: two teeth with one number, a
    label that bleeds, or a number that belongs to a larger tooth; too narrow, a tooth that has not fully erupted or is
    cut by the scan's border, or a wrong number. Where the sizes of a whole side fit the numbers beside theirs much
    better, that is said once. Where all teeth are off alike, the unit of length is wrong and only that is said.
    """
    row, ratios, scale = _ratios(facts)
    if len(row) < 2:
        return
    if len(row) >= MIN_JUDGED and not 0.65 < scale[0] < 1.75:
        codes = [code for _, code in row]
        diagnosis = Diagnosis(
            severity=Severity.WARNING,
            message=f"All teeth are {scale[0]:.2g} times as wide as the norm; the unit of length may be wrong.",
            measures={"ratio": scale[0]},
            limit="size_share",
        )
        yield from about_teeth(facts, "D109", codes, diagnosis)
        return
    shifted: set[int] = set()
    for codes, by, gain in _shifts(facts, row, scale):
        shifted.update(codes)
        diagnosis = Diagnosis(
            severity=Severity.WARNING,
            message=f"The sizes of {_listed(codes)} fit the numbers one {'back' if by > 0 else 'forward'} better.",
            measures={"shift": by, "gain": gain, "teeth": len(codes)},
            limit="shift_gain",
            tooth=codes[0],
        )
        yield from about_teeth(facts, "D109", codes, diagnosis)
    few = len(row) < MIN_JUDGED
    usual = [USUAL_SCALE if few else min(max(one, LEAST_SCALE), MOST_SCALE) for one in scale]
    band, most, areal = (facts.policy.limit(name) for name in ("size_share", "size_error_share", "size_area_share"))
    labels, areas = facts.teeth.labels, _area_ratios(facts, row)
    for place, expected in row:
        code = int(labels[place])
        along, across, area = ratios[place][0] / usual[0], ratios[place][1] / usual[1], areas[place]
        worst = max((along, across), key=lambda ratio: abs(math.log(max(ratio, 1e-9))))
        if 1 - band <= worst <= 1 + band or (expected in shifted and along <= 1 + most):
            continue
        sizes = facts.tooth_sizes
        assert sizes is not None  # noqa: S101
        measures = {
            "mesiodistal_mm": float(sizes.mesiodistal[place]),
            "buccolingual_mm": float(sizes.buccolingual[place]),
            "mesiodistal_ratio": along,
            "buccolingual_ratio": across,
            "area_ratio": area,
        }
        # A front tooth that leans reaches far across the arch, and one that is turned as well along it; but only two
        # teeth have also so much surface.
        severe = along > 1 + most and area > 1 + areal
        diagnosis = Diagnosis(
            severity=Severity.ERROR if severe else Severity.WARNING if worst > 1 else Severity.INFO,
            message=(
                f"Tooth {code} measures {measures['mesiodistal_mm']:.1f} x {measures['buccolingual_mm']:.1f} mm, "
                f"{worst:.2f} times what this arch lets expect."
            ),
            measures=measures,
            limit="size_error_share" if severe else "size_share",
            tooth=code,
        )
        yield from about_teeth(facts, "D109", [code], diagnosis)


def _shifts(
    facts: DentalFacts, row: list[tuple[int, int]], scale: tuple[float, float]
) -> Iterable[tuple[list[int], int, float]]:
    """Runs of permanent teeth of one quadrant whose sizes fit the numbers one further on: codes, shift, gain.

    What a number lets expect is the scaled norm, and what its antimere measures. A run and its antimeres accuse each
    other: the one that fits the norm less is told.
    """
    sizes = facts.tooth_sizes
    if sizes is None or len(row) < MIN_JUDGED:
        return
    measured = {code: (float(sizes.mesiodistal[place]), float(sizes.buccolingual[place])) for place, code in row}
    # A tooth that is too wide or narrow itself, as two with one number are, is no measure for its antimere.
    band = 1 + facts.policy.limit("size_share")
    good = {code: widths for code, widths in measured.items() if 1 / band <= _width_over(code, widths, scale) <= band}
    found: list[tuple[float, list[int], int]] = []
    for quadrant in range(1, 5):
        permanent = [code for code in measured if not fdi.is_deciduous(code)]
        run = sorted(code for code in permanent if fdi.quadrant_of(code) == quadrant)
        for by in (-1, 1):
            best, start, gain = 0.0, len(run), 0.0
            # From some tooth to the last molar all are shifted.
            for k in range(len(run) - 1, -1, -1):
                if not 1 <= fdi.position(run[k]) + by <= 8:
                    break
                gain += _misfit(run[k], measured[run[k]], good, scale)
                gain -= _misfit(run[k] + by, measured[run[k]], good, scale)
                if gain > best:
                    best, start = gain, k
            if best > facts.policy.limit("shift_gain") and len(run) - start >= 2:
                found.append((best, run[start:], by))
    for best, codes, by in sorted(found, key=lambda one: -one[0])[:1]:
        yield codes, by, best


def _width_over(code: int, widths: tuple[float, float], scale: tuple[float, float]) -> float:
    """Width along the arch over the scaled norm's."""
    return widths[0] / (scale[0] * norm_of(code)[0])


def _misfit(
    code: int, widths: tuple[float, float], measured: Mapping[int, tuple[float, float]], scale: tuple[float, float]
) -> float:
    """Sum of the squared logarithms of both widths over the scaled norm, and over the antimere's if it is there."""
    expected = [tuple(one * norm for one, norm in zip(scale, norm_of(code), strict=True))]
    if fdi.antimere(code) in measured:
        expected.append(measured[fdi.antimere(code)])
    return sum(
        math.log(max(width, 0.1) / max(other, 0.1)) ** 2
        for others in expected
        for width, other in zip(widths, others, strict=True)
    )


@check("D110", limits=("antimere_ratio",), needs=("faces", "fdi"))
def antimeres_differ(facts: DentalFacts) -> Iterable[Finding]:
    """Antimeres differ in size.

    The labelled areas of a tooth and of the same tooth on the other side. They are much alike in a mouth; a large
    difference means that one is only partly erupted, scanned or labelled.
    """
    labels, areas = facts.teeth.labels, facts.teeth.areas
    present = set(labels.tolist())
    limit = facts.policy.limit("antimere_ratio")
    for code in sorted(present):
        if not fdi.is_tooth(code) or fdi.antimere(code) not in present or fdi.antimere(code) < code:
            continue
        pair = [code, fdi.antimere(code)]
        first, second = (float(areas[np.searchsorted(labels, one)]) for one in pair)
        ratio = max(first, second) / max(min(first, second), 1e-9)
        if ratio > limit:
            smaller = pair[0] if first < second else pair[1]
            diagnosis = Diagnosis(
                severity=Severity.INFO,
                message=f"Teeth {pair[0]} and {pair[1]} have {first:.0f} and {second:.0f} mm²: {ratio:.2f} times.",
                measures={"ratio": ratio, "smaller_mm2": min(first, second), "larger_mm2": max(first, second)},
                limit="antimere_ratio",
                tooth=smaller,
            )
            yield from about_teeth(facts, "D110", [smaller, *(code for code in pair if code != smaller)], diagnosis)


@check("D113", limits=("tooth_like_mm2",))
def unlabelled_tooth(facts: DentalFacts) -> Iterable[Finding]:
    """Unlabelled region like a tooth.

    Surface labelled gum that lies on the arch and stands as high as the middle of the crowns beside it. A tooth that
    was forgotten, or the part of one that its label does not cover. High gum behind the last molar can look like it.
    """
    faces, clusters = facts.unlabelled_crowns

    def describe(places: IntArray) -> Diagnosis:
        area = float(facts.surface.face_measures.area[faces[places]].sum())
        return Diagnosis(
            severity=Severity.WARNING,
            message=f"{area:.1f} mm² that stand as high as the crowns beside them are labelled gum.",
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


@check("D114", needs=("faces", "fdi"))
def missing_teeth(facts: DentalFacts) -> Iterable[Finding]:
    """Teeth are missing.

    Numbers between the last labelled tooth of either side that no label has, deciduous teeth counting for their
    successors. This is told, not judged: teeth are extracted, lost, or never formed.
    """
    codes = [label for label in facts.teeth.labels.tolist() if fdi.is_tooth(label)]
    jaw = facts.labels.jaw
    slots = sorted({fdi.arch_index(code) for code in codes if fdi.jaw_of(code) == jaw})
    if jaw is None or len(slots) < 2:
        return
    order = fdi.arch_order(jaw)
    missing = [order[index] for index in range(slots[0], slots[-1]) if index not in slots]
    if missing:
        diagnosis = Diagnosis(
            severity=Severity.INFO,
            message=f"{'Tooth' if len(missing) == 1 else 'Teeth'} {_listed(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not labelled.",
            measures={"teeth": len(missing)},
            tooth=missing[0] if len(missing) == 1 else None,
            count=len(missing),
        )
        beside = order[max(index for index in slots if index < fdi.arch_index(missing[0]))]
        yield from _missing(facts, beside, missing, diagnosis)


def _missing(facts: DentalFacts, beside: int, missing: list[int], diagnosis: Diagnosis) -> Iterable[Finding]:
    """One D114, which stands on the tooth before the first gap and lists what is not there."""
    from dataclasses import replace

    labels = set(facts.teeth.labels.tolist())
    present = beside if beside in labels else (fdi.predecessor(beside) or beside)
    for finding in about_teeth(facts, "D114", [present], diagnosis):
        yield replace(finding, indices=np.array(sorted(missing), np.int32), indices_total=len(missing))


CHECKS = (
    order_broken,
    sides_swapped,
    two_in_one_slot,
    implausible_size,
    antimeres_differ,
    unlabelled_tooth,
    missing_teeth,
)
