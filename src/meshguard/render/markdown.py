"""A report as Markdown, to paste into a ticket: verdict, failed checks, the worst findings with places and measures.

GitHub's flavour, which most trackers read. The length is bounded, the bytes are the same for the same report, and
nothing in a message or a name is taken for markup.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from meshguard.quantities import number, quantity, significant
from meshguard.render.words import (
    NAMES,
    TIMES,
    boundary_in_words,
    bounded_measure,
    coordinate,
    decimals,
    findings_in_words,
    grade_in_words,
    labels_in_words,
    limit_in_words,
    many,
    name_and_unit,
    printable,
    remedy,
    title_of,
)
from meshguard.report import Severity, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from meshguard.report import Finding, Report

MOST = 10
"""Findings in the second table: the worst, at most `MOST_OF_ONE` of one check; the rest are counted."""

MOST_OF_ONE = 4
"""Findings of one check in the second table."""

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~#@$&])")


def markdown_of(report: Report, *, name: str | None = None) -> str:
    """The report as Markdown.

    Args:
        report: what a validation found.
        name: what to call the mesh; a report itself never knows a file's name.

    Returns:
        Lines that each end in a line feed.
    """
    return "".join(f"{line}\n" for line in _lines(report, name))


def _lines(report: Report, name: str | None) -> Iterator[str]:
    """The lines, one after the other."""
    mark = "❌" if not report.ok else "✅" if report.grade == 1 else "⚠️"
    yield f"## {mark} {'' if name is None else f'{code(printable(name))}: '}{grade_in_words(report)}"
    yield ""
    yield f"{findings_in_words(report).capitalize()}; policy {code(report.policy)}."
    yield from (escaped(sentence) for sentence in report.unchecked)
    failed = {check: outcome for check, outcome in report.outcomes.items() if outcome.status is Status.FAILED}
    if failed:
        yield ""
        yield from _table(("Check", "Severity", "Findings", "Repair"), "llrl", _failed_rows(report))
        yield ""
        yield "### Worst findings"
        yield ""
        shown = list(_worst(report))
        rows = _finding_rows(shown, report)
        yield from _table(("Check", "What", "Where (mm)", "Measures"), "llll", rows)
        rest = sum(outcome.findings for outcome in failed.values()) - len(shown)
        if rest > 0:
            yield ""
            yield f"… and {number(rest)} more; the report's JSON lists them."
    yield ""
    yield "### Mesh"
    yield ""
    yield from _table(("", ""), "lr", _stats_rows(report))
    skipped = [(check, outcome.reason) for check, outcome in sorted(report.outcomes.items()) if outcome.reason]
    yield ""
    passed = sum(outcome.status is Status.PASSED for outcome in report.outcomes.values())
    yield f"{passed} of {many(len(report.outcomes), 'check')} passed{', and these were skipped:' if skipped else '.'}"
    if skipped:
        yield ""
        yield from (f"- {_titled(check, report)}: {escaped(reason)}" for check, reason in skipped)
    yield ""
    yield f"meshguard {escaped(report.version)}, mesh {code(report.mesh_digest[:16])}"


def escaped(text: str) -> str:
    """Text that no reader of Markdown takes for markup, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(printable(" ".join(text.split())).split()))


def code(text: str) -> str:
    """Text as code, whatever backticks it holds; in code a renderer does not look for names and links either."""
    text = " ".join(text.split()) or " "
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    room = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{room}{text}{room}{fence}"


def _table(head: Iterable[str], sides: str, rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A table; `sides` says for each column whether it is aligned left (l) or right (r)."""
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---:' if side == 'r' else '---' for side in sides)} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _titled(check: str, report: Report) -> str:
    """A check's id and title."""
    return f"{check} {escaped(title_of(check, report))}".rstrip()


def _failed_rows(report: Report) -> Iterator[tuple[str, ...]]:
    """One row for each failed check, in the order of the findings, which is worst first."""
    groups: dict[str, list[Finding]] = {}
    for finding in report.findings:
        groups.setdefault(finding.check, []).append(finding)
    for check, findings in groups.items():
        outcome = report.outcomes.get(check)
        count = max(len(findings), outcome.findings if outcome is not None else 0)
        worst = max(finding.severity for finding in findings)
        fixes = dict.fromkeys(
            remedy(finding, report) for finding in findings if finding.fixable or finding.severity > Severity.INFO
        )
        yield _titled(check, report), NAMES[worst], number(count), escaped("; or ".join(fixes))


def _worst(report: Report) -> Iterator[Finding]:
    """The worst findings, only a few of each check, so that no check hides the others."""
    seen: dict[str, int] = {}
    shown = 0
    for finding in report.findings:
        seen[finding.check] = seen.get(finding.check, 0) + 1
        if shown < MOST and seen[finding.check] <= MOST_OF_ONE:
            shown += 1
            yield finding


def _finding_rows(findings: Iterable[Finding], report: Report) -> Iterator[tuple[str, ...]]:
    """One row for each finding: its check, what it says, where it is, and each measure with its unit."""
    digits = decimals(report.stats.get("diagonal_mm"))
    for finding in findings:
        place = "" if finding.location is None else ", ".join(coordinate(value, digits) for value in finding.location)
        if finding.tooth is not None:
            place = f"tooth {finding.tooth}{f': {place}' if place else ''}"
        bounded = bounded_measure(finding)
        measures = []
        for name in sorted(finding.measures, key=lambda name: (name != bounded, name)):
            words, unit = name_and_unit(name)
            bound = (
                f", {limit_in_words(finding.limit, report)}" if name == bounded and finding.limit is not None else ""
            )
            measures.append(escaped(f"{words} {quantity(finding.measures[name], unit)}{bound}"))
        yield finding.check, escaped(finding.message), place, "; ".join(measures)


def _stats_rows(report: Report) -> Iterator[tuple[str, str]]:
    """What the mesh is."""
    stats = report.stats
    for label, name in (("vertices", "vertices"), ("faces", "faces"), ("components", "components")):
        if name in stats:
            yield label, number(stats[name])
    boundary = boundary_in_words(report)
    if boundary is not None:
        yield "open boundary", boundary
    if "area_mm2" in stats:
        yield "area", quantity(stats["area_mm2"], "mm²")
    labels = labels_in_words(report)
    if labels is not None and report.labels is not None:
        yield "labels", escaped(" ".join([f"{labels}.", *report.labels.notes]))
    sides = [stats.get(f"extent_{axis}_mm") for axis in "xyz"]
    if None not in sides:
        yield "size", f"{TIMES.join(significant(side) for side in sides)} mm"
