"""`meshguard render`: show stored reports to people, without the files and without a compiler."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from meshguard.cli.output import CannotReadError, Writer, refuse_place
from meshguard.render import RENDERERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshguard.report import Report


@click.command(short_help="Show stored reports as text or Markdown.")
@click.argument("source", metavar="REPORT.json")
@click.option(
    "--format",
    "format_",
    type=click.Choice(list(RENDERERS)),
    default="text",
    show_default=True,
    help="Form of the report.",
)
@click.option("--output", "-o", metavar="PATH", help="Write to this file instead of the terminal.")
@click.option("--verbose", "--all", "-v", is_flag=True, help="List every check, and show more findings of each.")
@click.option("--quiet", "-q", is_flag=True, help="Print only one line for each report, the verdict.")
def render(source: str, format_: str, output: str | None, verbose: bool, quiet: bool) -> None:
    """Show the report that `meshguard validate --format json` wrote, or each report of its JSON lines.

    The result is what `validate` would have printed: a report holds the titles, limits and remedies that were in force
    when it was made. What `meshguard repair --report` wrote is shown as the reports before and after. "-" is standard
    input. Exit codes: 0 shown, whatever the verdicts are; 2 not a report.
    """
    if output is not None and output != "-":
        refuse_place("--output", output, source)
    from meshguard.render.words import printable

    with Writer(None if output == "-" else output) as writer:
        for number, (name, report) in enumerate(_reports(source)):
            if isinstance(report, str):
                lead = "" if quiet or not number else "\n"
                writer.text(f"{lead}{name}: not validated: {printable(report)}\n")
            else:
                writer.report(report, format_, name=name, verbose=verbose, quiet=quiet, first=number == 0)


def _reports(source: str) -> Iterator[tuple[str | None, Report | str]]:
    """Each report of a file with what the file calls it; or why there is none."""
    import json

    text = _text_of(source)
    try:
        whole = json.loads(text)
    except ValueError:
        whole = None
    if not isinstance(whole, dict) or "schema" not in whole:
        yield from _reports_of_lines(text)
    elif {"before", "after"} <= set(whole):  # the record of a repair
        for when in ("before", "after"):
            yield f"{when} repair", _report(json.dumps(whole[when]))
    else:
        yield None, _report(text)


def _reports_of_lines(text: str) -> Iterator[tuple[str | None, Report | str]]:
    """The reports of JSON lines, each with the name or number of its file; or why there is none."""
    import json

    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        _refuse("it is empty")
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
        except ValueError:
            _refuse(f"line {number} is not JSON")
        if not isinstance(entry, dict) or not {"report", "error"} & set(entry):
            _refuse(f"line {number} holds neither a report nor an error")
        file = entry.get("file", number)
        name = file if isinstance(file, str) else f"file {file}"
        yield name, _report(json.dumps(entry["report"])) if "report" in entry else str(entry["error"])


def _report(text: str) -> Report:
    """The report that a text is."""
    from meshguard.report import Report

    try:
        return Report.from_json(text)
    except ValueError as error:
        _refuse(str(error))


def _text_of(source: str) -> str:
    """What a file or standard input holds."""
    try:
        return (sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()).decode("utf-8")
    except OSError as error:
        _refuse(error.strerror or type(error).__name__)
    except UnicodeDecodeError:
        _refuse("it is not text in UTF-8")


def _refuse(why: str) -> NoReturn:
    raise CannotReadError(f"the report cannot be read: {why}")
