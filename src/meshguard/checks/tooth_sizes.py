"""D: sizes of labelled teeth, against the norm and against the same tooth on the other side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard import fdi
from meshguard.checks.clustering import Diagnosis
from meshguard.checks.crown_norms import area_of, norm_of
from meshguard.checks.tooth_findings import about_teeth, check, codes_in_words
from meshguard.quantities import significant
from meshguard.report import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from meshguard.facts.dental import DentalFacts

MIN_JUDGED = 6
"""With fewer teeth the sizes are compared with the norm itself, as crowns of real scans measure it."""

USUAL_SCALE = 1.15
"""Extents of labelled crowns over the norm's diameters: a turned crown reaches further than its diameter. The medians
of four real arches are 1.15 to 1.23."""

LEAST_SCALE, MOST_SCALE = 0.95, 1.35
"""The arch's own scale is taken within these: many half-erupted teeth do not make a small mouth."""

LEAST_IN_MM, MOST_IN_MM = 0.65, 1.75
"""Where the arch's scale along the arch is outside these, the unit of length is not mm."""


class _Crowns(NamedTuple):
    """The teeth along the arch and how their widths compare with the norm.

    Attributes:
        row: place and code of each tooth along the arch; a code of the other jaw is replaced by this jaw's.
        ratios: place -> widths over the norm's, along the arch (mesiodistal) and across it (buccolingual).
        scale: the arch's own scale: medians of both ratios.
    """

    row: list[tuple[int, int]]
    ratios: dict[int, tuple[float, float]]
    scale: tuple[float, float]


class _Shift(NamedTuple):
    """Teeth from some tooth to the last molar whose sizes fit other numbers better.

    Attributes:
        codes: of the teeth.
        by: 1 where the numbers one further back fit, -1 for those one further forward.
        gain: how much better they fit, as a sum of squared logarithms of ratios.
    """

    codes: list[int]
    by: int
    gain: float


@check(
    "D109",
    limits=("size_share", "size_error_share", "size_area_share", "shift_gain"),
    needs=("faces", "jaw"),
)
def implausible_tooth_size(facts: DentalFacts) -> Iterable[Finding]:
    """Implausible tooth size.

    The widths of a crown along the arch (mesiodistal) and across it (buccolingual) are compared with the averages of
    Wheeler's table, scaled by the median of this arch, since people and scans differ as a whole. Too wide: two teeth
    with one number, a label that bleeds, or a number that belongs to a larger tooth. Too narrow: a tooth that has not
    fully erupted or is cut by the boundary of the scan, or a wrong number. Where the sizes of a whole side fit the
    neighbouring numbers much better, that is reported once. Where all teeth deviate by about the same factor, the unit
    of length is wrong and only that is reported.
    """
    crowns = _measured_crowns(facts)
    if len(crowns.row) < 2:
        return
    if len(crowns.row) >= MIN_JUDGED and not LEAST_IN_MM < crowns.scale[0] < MOST_IN_MM:
        yield from _wrong_unit(facts, crowns)
        return
    shift = _best_shift(facts, crowns)
    if shift is not None:
        yield from _shifted_numbers(facts, shift)
    yield from _against_norm(facts, crowns, shift.codes if shift is not None else [])


def _measured_crowns(facts: DentalFacts) -> _Crowns:
    """The teeth along the arch, measured; none where there is no arch.

    A tooth of the other jaw is measured as the one of this jaw that it stands for, if only some are.
    """
    row, sizes = facts.tooth_row, facts.tooth_sizes
    if not row or sizes is None:
        return _Crowns([], {}, (1.0, 1.0))
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
    return _Crowns(row, ratios, (along, across))


def _wrong_unit(facts: DentalFacts, crowns: _Crowns) -> Iterable[Finding]:
    """One D109 about all teeth: they deviate by about the same factor."""
    scale = crowns.scale[0]
    diagnosis = Diagnosis(
        severity=Severity.WARNING,
        message=f"All teeth are about {significant(scale, 2)} times as wide as average; the unit of length may be "
        "wrong.",
        measures={"ratio": scale},
        limit="size_share",
    )
    yield from about_teeth(facts, "D109", [code for _, code in crowns.row], diagnosis)


def _shifted_numbers(facts: DentalFacts, shift: _Shift) -> Iterable[Finding]:
    """One D109 about teeth whose numbers are shifted along the arch."""
    direction = "molars" if shift.by > 0 else "incisors"
    diagnosis = Diagnosis(
        severity=Severity.WARNING,
        message=f"The sizes of teeth {codes_in_words(shift.codes)} fit better with each number moved by one towards "
        f"the {direction}.",
        measures={"shift": shift.by, "gain": shift.gain, "teeth": len(shift.codes)},
        limit="shift_gain",
        tooth=shift.codes[0],
    )
    yield from about_teeth(facts, "D109", shift.codes, diagnosis)


def _against_norm(facts: DentalFacts, crowns: _Crowns, shifted: list[int]) -> Iterable[Finding]:
    """A D109 for each tooth whose size is off; those with shifted numbers only where they are far too wide."""
    is_few = len(crowns.row) < MIN_JUDGED
    usual = [USUAL_SCALE if is_few else min(max(scale, LEAST_SCALE), MOST_SCALE) for scale in crowns.scale]
    band, most = facts.policy.limit("size_share"), facts.policy.limit("size_error_share")
    area_ratios = _area_ratios(facts, crowns.row)
    for place, code in crowns.row:
        along, across = (ratio / scale for ratio, scale in zip(crowns.ratios[place], usual, strict=True))
        worst = max((along, across), key=lambda ratio: abs(math.log(max(ratio, 1e-9))))
        if 1 - band <= worst <= 1 + band or (code in shifted and along <= 1 + most):
            continue
        labelled_code = int(facts.teeth.labels[place])
        diagnosis = _size_diagnosis(facts, place, along=along, across=across, area=area_ratios[place], worst=worst)
        yield from about_teeth(facts, "D109", [labelled_code], diagnosis)


def _size_diagnosis(
    facts: DentalFacts, place: int, *, along: float, across: float, area: float, worst: float
) -> Diagnosis:
    """What is said of a tooth whose size is off, by its ratios to what is expected; `worst` is that of a width."""
    sizes, code = facts.tooth_sizes, int(facts.teeth.labels[place])
    assert sizes is not None  # noqa: S101
    mesiodistal, buccolingual = float(sizes.mesiodistal[place]), float(sizes.buccolingual[place])
    # A front tooth that leans reaches far across the arch, and one that is turned as well along it; but only two
    # teeth have also so much surface.
    is_error = along > 1 + facts.policy.limit("size_error_share") and area > 1 + facts.policy.limit("size_area_share")
    return Diagnosis(
        severity=Severity.ERROR if is_error else Severity.WARNING if worst > 1 else Severity.INFO,
        message=f"Tooth {code} measures {mesiodistal:.1f} x {buccolingual:.1f} mm, {worst:.2f} times what is expected "
        "in this arch.",
        measures={
            "mesiodistal_mm": mesiodistal,
            "buccolingual_mm": buccolingual,
            "mesiodistal_ratio": along,
            "buccolingual_ratio": across,
            "area_ratio": area,
        },
        limit="size_error_share" if is_error else "size_share",
        tooth=code,
    )


def _area_ratios(facts: DentalFacts, row: list[tuple[int, int]]) -> dict[int, float]:
    """Place -> area of the main region over what is expected: the smaller of the antimere's and the norm's.

    The norm's is scaled so that the median of the arch is 1.
    """
    main_areas = facts.teeth.main_areas
    areas = {code: float(main_areas[place]) for place, code in row}
    usual = float(np.median([area / area_of(code) for code, area in areas.items()]))
    expected = {code: min(usual * area_of(code), areas.get(fdi.antimere(code), math.inf)) for code in areas}
    return {place: areas[code] / max(expected[code], 1e-12) for place, code in row}


def _best_shift(facts: DentalFacts, crowns: _Crowns) -> _Shift | None:
    """The permanent teeth of one quadrant whose sizes fit the numbers beside theirs best, where any fit better.

    A number predicts the scaled norm, and what its antimere measures. Teeth and their antimeres accuse each other: the
    side that fits the norm less is reported.
    """
    sizes = facts.tooth_sizes
    if sizes is None or len(crowns.row) < MIN_JUDGED:
        return None
    measured = {code: (float(sizes.mesiodistal[place]), float(sizes.buccolingual[place])) for place, code in crowns.row}
    # A tooth that is itself too wide or narrow, as two with one number are, is no measure for its antimere.
    most = 1 + facts.policy.limit("size_share")
    good = {
        code: widths for code, widths in measured.items() if 1 / most <= _width_over(code, widths, crowns.scale) <= most
    }
    shifts = []
    for quadrant in range(1, 5):
        permanent = [code for code in measured if not fdi.is_deciduous(code)]
        codes = sorted(code for code in permanent if fdi.quadrant_of(code) == quadrant)
        for by in (-1, 1):
            start, gain = _start_of_shift(codes, by, measured, good, crowns.scale)
            if gain > facts.policy.limit("shift_gain") and len(codes) - start >= 2:
                shifts.append(_Shift(codes[start:], by, gain))
    return max(shifts, key=lambda shift: shift.gain, default=None)


def _start_of_shift(
    codes: list[int],
    by: int,
    measured: Mapping[int, tuple[float, float]],
    good: Mapping[int, tuple[float, float]],
    scale: tuple[float, float],
) -> tuple[int, float]:
    """From which of a quadrant's teeth on, to the last molar, a shift of the numbers gains most, and how much."""
    best, start, gain = 0.0, len(codes), 0.0
    for k in range(len(codes) - 1, -1, -1):
        if not 1 <= fdi.position(codes[k]) + by <= 8:
            break
        gain += _misfit(codes[k], measured[codes[k]], good, scale)
        gain -= _misfit(codes[k] + by, measured[codes[k]], good, scale)
        if gain > best:
            best, start = gain, k
    return start, best


def _width_over(code: int, widths: tuple[float, float], scale: tuple[float, float]) -> float:
    """Width along the arch over the scaled norm's."""
    return widths[0] / (scale[0] * norm_of(code)[0])


def _misfit(
    code: int, widths: tuple[float, float], measured: Mapping[int, tuple[float, float]], scale: tuple[float, float]
) -> float:
    """Sum of the squared logarithms of both widths over the scaled norm's, and over the antimere's if it is there."""
    predictions = [tuple(factor * norm for factor, norm in zip(scale, norm_of(code), strict=True))]
    if fdi.antimere(code) in measured:
        predictions.append(measured[fdi.antimere(code)])
    return sum(
        math.log(max(width, 0.1) / max(predicted_width, 0.1)) ** 2
        for predicted in predictions
        for width, predicted_width in zip(widths, predicted, strict=True)
    )


@check("D110", limits=("antimere_ratio",), needs=("faces", "fdi"))
def antimeres_differ(facts: DentalFacts) -> Iterable[Finding]:
    """Left and right tooth differ in size.

    The labelled area of a tooth is compared with that of the same tooth on the other side (its antimere). In one mouth
    the two are much alike; a large difference means that one is only partly erupted, scanned or labelled.
    """
    labels, areas = facts.teeth.labels, facts.teeth.areas
    present = set(labels.tolist())
    limit = facts.policy.limit("antimere_ratio")
    for code in sorted(present):
        if not fdi.is_tooth(code) or fdi.antimere(code) not in present or fdi.antimere(code) < code:
            continue
        pair = [code, fdi.antimere(code)]
        first, second = (float(areas[facts.teeth.place_of(tooth)]) for tooth in pair)
        ratio = max(first, second) / max(min(first, second), 1e-9)
        if ratio > limit:
            smaller, larger = pair if first < second else reversed(pair)
            diagnosis = Diagnosis(
                severity=Severity.INFO,
                message=f"Teeth {pair[0]} and {pair[1]} have areas of {first:.0f} and {second:.0f} mm²: one is "
                f"{ratio:.2f} times as large.",
                measures={"ratio": ratio, "smaller_mm2": min(first, second), "larger_mm2": max(first, second)},
                limit="antimere_ratio",
                tooth=smaller,
            )
            yield from about_teeth(facts, "D110", [smaller, larger], diagnosis)


CHECKS = (implausible_tooth_size, antimeres_differ)
