"""A report as text: the verdict first, then what is wrong, where, how bad against which limit, and what would fix it.

A text that is longer than a screen ends with the verdict too. The length is bounded: a check shows its first few
findings and counts the rest, so ten thousand findings read as easily as one. Colours appear on a terminal only, and
nothing is said by colour alone.
"""

from __future__ import annotations

import io
from collections import Counter
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from meshguard.quantities import number, quantity, significant
from meshguard.render.words import (
    GRADES,
    NAMES,
    TIMES,
    boundary_in_words,
    bounded_measure,
    coordinate,
    decimals,
    findings_in_words,
    fix,
    grade_in_words,
    labels_in_words,
    limit_in_words,
    listed,
    many,
    name_and_unit,
    printable,
    title_of,
)
from meshguard.report import Severity, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import ConsoleOptions, RenderableType

    from meshguard.report import Finding, Report

__all__ = ["FIRST", "FIRST_VERBOSE", "GRADES", "HEIGHT", "WIDTH", "render", "text_of", "verdict", "without_symbols"]

FIRST = 4
"""Findings of one check that are shown; the rest are counted. Of mere notes one is enough."""

FIRST_VERBOSE = 20
"""The same, when asked for more."""

WIDTH = 100
"""Columns where there is no terminal."""

HEIGHT = 40
"""Lines of a screen where there is no terminal; the text of a longer report ends with its verdict."""

_STYLE = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_MARK = {Severity.ERROR: "✗", Severity.WARNING: "!", Severity.INFO: "·"}
_NUMBERED = {
    "loop": "vertex",
    "pair": "face",
    "component": "face",
    "tooth": "label",
    "file": "row",
    "edge": "half-edge",
}
_PLAIN = str.maketrans(
    {"✗": "x", "✓": "+", "·": "-", TIMES[1]: "x", "²": "2", "³": "3", "°": " deg", "…": "..."}
    | {"\N{MINUS SIGN}": "-", "\N{EM DASH}": "-"}
)


def render(
    report: Report,
    *,
    name: str | None = None,
    verbose: bool = False,
) -> RenderableType:
    """The report as something that rich can print, at any width from 40 columns.

    Args:
        report: what a validation found.
        name: what to call the mesh; a report itself never knows a file's name.
        verbose: show more findings of each check, their indices, and every check that passed or was skipped.
    """
    parts: list[RenderableType] = [verdict(report, name=name), *_because(report)]
    parts += [Padding(Text(sentence), (0, 0, 0, 2)) for sentence in report.unchecked]
    groups: dict[str, list[Finding]] = {}
    for finding in report.findings:
        groups.setdefault(finding.check, []).append(finding)
    digits = decimals(report.stats.get("diagonal_mm"))
    for check, findings in groups.items():
        parts.append(Text())
        parts.extend(_group(report, check, findings, digits, verbose))
    parts += [Text(), _tally(report, verbose)]
    if verbose:
        parts.extend(_unfailed(report))
    parts += [Text(), *_stats(report)]
    return _Whole(Group(*parts), verdict(report, name=name))


def text_of(
    report: Report,
    *,
    name: str | None = None,
    verbose: bool = False,
    width: int = WIDTH,
) -> str:
    """The same as plain text: no colour, no control characters, lines of at most `width` columns."""
    out = io.StringIO()
    console = Console(
        file=out, width=width, height=HEIGHT, color_system=None, force_terminal=False, highlight=False, markup=False
    )
    console.print(render(report, name=name, verbose=verbose))
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def without_symbols(text: str) -> str:
    """The text with its symbols replaced by ASCII, for an output that cannot show them."""
    return text.translate(_PLAIN)


def verdict(report: Report, *, name: str | None = None) -> Text:
    """The one line that says it all: good or not, the grade, how many findings, and whether all was checked."""
    if not report.ok:
        mark, style = "✗", "bold red"
    else:
        mark, style = ("✓", "bold green") if report.grade == 1 else ("!", "bold yellow")
    line = Text()
    line.append(f"{mark} ", style)
    if name is not None:
        line.append(f"{printable(name)}: ", "bold")
    line.append(grade_in_words(report), style)
    line.append(f": {findings_in_words(report)}")
    if report.unchecked:
        line.append("; not all was checked")
    return line


def _because(report: Report) -> list[RenderableType]:
    """Which checks decided the grade; nothing where there is only one check to name."""
    checks = {finding.fingerprint: finding.check for finding in report.findings}
    deciding = list(dict.fromkeys(checks[fingerprint] for fingerprint in report.decided_by if fingerprint in checks))
    if not deciding or len({finding.check for finding in report.findings}) < 2:
        return []
    return [Padding(Text(f"the grade is decided by {listed(deciding)}", "dim"), (0, 0, 0, 2))]


def _group(report: Report, check: str, findings: list[Finding], digits: int, verbose: bool) -> Iterator[RenderableType]:
    """One check: its title and count, its first findings, how many more there are, and what would fix them."""
    title = title_of(check, report)
    total = max(len(findings), report.outcomes[check].findings if check in report.outcomes else 0)
    counts = Counter(finding.severity for finding in findings)
    counts[findings[-1].severity] += total - len(findings)
    worst = max(counts)
    head = Text()
    head.append(f"{_MARK[worst]} {check}", _STYLE[worst])
    head.append(f" {title}" if title else "", "bold")
    head.append(": " + ", ".join(many(counts[severity], NAMES[severity]) for severity in sorted(counts, reverse=True)))
    yield head
    shown = findings[: FIRST_VERBOSE if verbose else FIRST if worst > Severity.INFO else 1]
    for finding, following in zip(shown, [*shown[1:], None], strict=True):
        facts = [*_where(finding, digits, verbose), *_how_bad(finding, report, verbose)]
        yield Padding(_Entry(finding.message, facts), (0, 0, 0, 4))
        # Once for a run of findings with the same fix.
        words = fix(finding, report)
        if words and (following is None or words != fix(following, report)):
            yield Padding(Text(words, "green"), (0, 0, 0, 4))
    if total > len(shown):
        rest = f"… and {number(total - len(shown))} more"
        yield Padding(Text(rest if verbose else f"{rest}; --format json lists them", "dim"), (0, 0, 0, 4))


def _where(finding: Finding, digits: int, verbose: bool) -> Iterator[str]:
    """Where a finding is: the tooth, the point, and if asked the indices."""
    if finding.tooth is not None:
        yield f"tooth {finding.tooth}"
    if finding.location is not None:
        yield f"at ({', '.join(coordinate(value, digits) for value in finding.location)}) mm"
    if verbose and len(finding.indices):
        first = ", ".join(str(index) for index in finding.indices[:5])
        more = f" … ({number(finding.indices_total)} in all)" if finding.indices_total > 5 else ""
        yield f"{_NUMBERED.get(finding.element, finding.element)} {first}{more}"


def _how_bad(finding: Finding, report: Report, verbose: bool) -> Iterator[str]:
    """Each measure of a finding with its unit, and the limit beside the measure that it bounds.

    Bare counts, which the message gives too, are left to the verbose text.
    """
    bounded = bounded_measure(finding)
    if finding.limit is not None and bounded is None:
        yield limit_in_words(finding.limit, report)
    for name in sorted(finding.measures, key=lambda name: (name != bounded, name)):
        words, unit = name_and_unit(name)
        if not unit and name != bounded and not verbose:
            continue
        text = f"{words} {quantity(finding.measures[name], unit)}"
        yield f"{text}, {limit_in_words(finding.limit, report)}" if name == bounded and finding.limit else text


def _tally(report: Report, verbose: bool) -> Text:
    """How many checks ran and how they ended."""
    counts = Counter(outcome.status for outcome in report.outcomes.values())
    parts = [f"{counts[Status.PASSED]} of {many(len(report.outcomes), 'check')} passed"]
    if counts[Status.FAILED]:
        parts.append(f"{counts[Status.FAILED]} found something")
    if counts[Status.SKIPPED]:
        parts.append(f"{counts[Status.SKIPPED]} skipped")
    return Text(", ".join(parts) + ("" if verbose else " (-v lists them)"))


def _unfailed(report: Report) -> Iterator[RenderableType]:
    """The checks that passed, and those that were skipped with the reason."""
    for status, mark, style in ((Status.PASSED, "✓", "green"), (Status.SKIPPED, "-", "dim")):
        for check in sorted(report.outcomes):
            outcome = report.outcomes[check]
            if outcome.status is not status:
                continue
            line = Text()
            line.append(f"{mark} ", style)
            line.append(f"{check} {outcome.title}".rstrip())
            line.append(f": {outcome.reason}" if outcome.reason else "", "dim")
            yield Padding(line, (0, 0, 0, 2))


def _stats(report: Report) -> list[RenderableType]:
    """What the mesh is, in two columns."""
    stats = report.stats

    def count(name: str) -> str | None:
        return number(stats[name]) if name in stats else None

    def length(name: str) -> str | None:
        return significant(stats[name]) if name in stats else None

    sides = [length(f"extent_{axis}_mm") for axis in "xyz"]
    area = length("area_mm2")
    rows: list[tuple[str, str | None, str, str | None]] = [
        ("vertices", count("vertices"), "size", f"{TIMES.join(map(str, sides))} mm" if all(sides) else None),
        ("faces", count("faces"), "area", None if area is None else f"{area} mm²"),
        ("components", count("components"), "boundary", boundary_in_words(report)),
        ("policy", report.policy, "meshguard", report.version),
    ]
    table = Table.grid(padding=(0, 2))
    for style in ("dim", None, "dim", None):
        table.add_column(style=style, overflow="fold")
    for left, left_value, right, right_value in rows:
        if left_value is None and right_value is None:
            continue
        cells = ["", ""] if left_value is None else [left, left_value]
        cells += ["", ""] if right_value is None else [right, right_value]
        table.add_row(*(Text(cell) for cell in cells))
    labels = labels_in_words(report)
    if labels is None or report.labels is None:
        return [table]
    notes = [Padding(Text(note, "dim"), (0, 0, 0, 2)) for note in report.labels.notes]
    return [table, Text().append("labels".ljust(12), "dim").append(labels), *notes]


class _Whole:
    """A text, and its verdict once more where the first one has left the screen by the time that all is printed."""

    def __init__(self, text: RenderableType, verdict: Text) -> None:
        self.text = text
        self.verdict = verdict

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        yield self.text
        if len(console.render_lines(self.text, options, pad=False)) > options.size.height:
            yield Text()
            yield self.verdict


class _Entry:
    """A sentence and its facts: on one line if they fit; else the facts below, broken between facts if possible."""

    def __init__(self, sentence: str, facts: Iterable[str]) -> None:
        self.sentence = sentence
        self.facts = list(facts)

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        everything = "; ".join(self.facts)
        if cell_len(self.sentence) + 2 + cell_len(everything) <= options.max_width:
            yield Text(self.sentence).append(f"  {everything}" if everything else "", "dim")
            return
        yield Text(self.sentence)
        line = ""
        for fact in self.facts:
            if line and cell_len(line) + 4 + cell_len(fact) > options.max_width:
                yield Padding(Text(line, "dim"), (0, 0, 0, 2))
                line = fact
            else:
                line = f"{line}; {fact}" if line else fact
        yield Padding(Text(line, "dim"), (0, 0, 0, 2))
