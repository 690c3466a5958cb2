"""Words that every form of a report shares: for grades and repairs, numbers with their units, limits in force."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from meshguard.outcome import NOT_FIXABLE, REMEDIES
from meshguard.quantities import number, quantity
from meshguard.report import Severity, Status

if TYPE_CHECKING:
    from meshguard.report import Finding, Report

GRADES = {1: "ideal", 2: "minor, usable", 3: "usable with risk", 4: "rescan"}
"""What each grade means, in words."""

NAMES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
"""What a person calls each severity."""

UNITS = {"mm": "mm", "mm2": "mm²", "mm3": "mm³", "deg": "°", "bytes": "bytes"}
"""The last word of a measure's name -> its unit as it is written."""

TIMES = " \N{MULTIPLICATION SIGN} "
"""The sign between the sides of a box."""


def severity_counts(report: Report) -> Counter[Severity]:
    """Findings of each severity. Where JSON listed only the worst of a check, the rest count as its mildest listed."""
    counts = Counter(finding.severity for finding in report.findings)
    shown = Counter(finding.check for finding in report.findings)
    mildest = {finding.check: finding.severity for finding in report.findings}
    for check, outcome in report.outcomes.items():
        unlisted = outcome.findings - shown[check]
        severity = mildest.get(check, outcome.severity)
        if unlisted > 0 and severity is not None:
            counts[severity] += unlisted
    return counts


def grade_in_words(report: Report) -> str:
    """The grade, in words and as a number."""
    return f"{GRADES.get(report.grade, 'unknown')} (grade {report.grade} of 4)"


def findings_in_words(report: Report) -> str:
    """How many findings of each severity there are, the worst first."""
    counts = severity_counts(report)
    found = (many(counts[severity], NAMES[severity]) for severity in reversed(Severity) if counts[severity])
    outcomes = report.outcomes.values()
    none_ran = bool(outcomes) and all(outcome.status is Status.SKIPPED for outcome in outcomes)
    return ", ".join(found) or ("nothing was checked" if none_ran else "nothing found")


def boundary_in_words(report: Report) -> str | None:
    """How much open boundary there is; None where the report does not say."""
    edges, groups = report.stats.get("boundary_edges"), report.stats.get("boundary_groups")
    if edges is None:
        return None
    if not edges:
        return "none"
    return f"{many(groups, 'loop')}, {many(edges, 'edge')}" if groups else many(edges, "edge")


def bounded_measure(finding: Finding) -> str | None:
    """The measure that the finding's limit bounds: of its kind, and with the most words in common with it.

    Where several have as many, it is not one that says more than another: the longest side, not that side if inches.
    """
    if finding.limit is None:
        return None
    limit, kind = set(finding.limit.split("_")), _kind(finding.limit)
    words = {name: set(name.split("_")) for name in sorted(finding.measures) if _kind(name) == kind}
    return max(
        words,
        key=lambda name: (len(limit & words[name]), not any(other < words[name] for other in words.values())),
        default=None,
    )


def _kind(name: str) -> str:
    """What a measure or a limit is in: its unit, or where it has none its last word, as in a share or a ratio."""
    return name_and_unit(name)[1] or name.rpartition("_")[2]


def limit_in_words(name: str, report: Report) -> str:
    """A limit as it was applied, with what happens beyond it; its name alone where the report does not say more."""
    limit = report.limits.get(name)
    if limit is None:
        return f"limit {name}"
    return f"{limit.direction or 'limit'} {quantity(limit.value, UNITS.get(limit.unit, limit.unit))} ({name})"


def fix(finding: Finding, report: Report) -> str:
    """What would fix a finding; empty for a note that cannot or need not be fixed."""
    if finding.fixable is None and finding.severity is Severity.INFO:
        return ""
    return f"fix: {remedy(finding, report)}"


def remedy(finding: Finding, report: Report) -> str:
    """What would fix a finding, as the report says it."""
    key = NOT_FIXABLE if finding.fixable is None else finding.fixable.value
    outcome = report.outcomes.get(finding.check)
    return REMEDIES[key] if outcome is None else outcome.remedies.get(key, REMEDIES[key])


def title_of(check: str, report: Report) -> str:
    """A check's title; "" where the report does not have it."""
    return report.outcomes[check].title if check in report.outcomes else ""


def name_and_unit(name: str) -> tuple[str, str]:
    """The words of a name like `hole_diameter_mm`, and its unit ("" where it has none)."""
    words, _, unit = name.rpartition("_")
    return (words.replace("_", " "), UNITS[unit]) if words and unit in UNITS else (name.replace("_", " "), "")


def decimals(diagonal: float | None) -> int:
    """Decimals of a coordinate that resolve about a ten-thousandth of the mesh: three for an arch in mm."""
    if not diagonal or not math.isfinite(diagonal):
        return 3
    return min(9, max(0, 4 - math.floor(math.log10(diagonal) + 0.5)) + 1) if diagonal < 1e7 else 0


def coordinate(value: float, digits: int) -> str:
    """A coordinate in fixed notation where that is readable."""
    return f"{value + 0.0:.{digits}f}" if abs(value) < 1e7 else f"{value:.6g}"


def many(count: float, noun: str) -> str:
    """A count with its noun, singular or plural."""
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"


def listed(words: list[str]) -> str:
    """Words as a sentence lists them."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def printable(name: str) -> str:
    """A file's name without control characters, which would disturb a terminal."""
    return "".join(char if char.isprintable() else "?" for char in name)


def labels_in_words(report: Report) -> str | None:
    """What the labels of teeth are, in a line; None where there are none."""
    labels = report.labels
    if labels is None:
        return None
    carried = {"vertex": "by vertex", "face": "by face"}[labels.per]
    if labels.numbering == "anonymous":
        return f"{len(labels.ids)} {'class' if len(labels.ids) == 1 else 'classes'} without names, {carried}"
    jaw = "" if labels.jaw is None else f" of the {labels.jaw} jaw{'' if labels.jaw_is_told else ' by their numbers'}"
    return f"{len(labels.ids)} {'tooth' if len(labels.ids) == 1 else 'teeth'}{jaw}, {carried}"
