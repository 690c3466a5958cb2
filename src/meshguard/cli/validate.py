"""`meshguard validate`: check files and print a report of each."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import click

from meshguard.cli.options import (
    UnreadableLabelsError,
    budget_of,
    budget_options,
    chosen_policy,
    label_options,
    plugin_option,
)
from meshguard.cli.output import Writer, refuse_folder, shown

if TYPE_CHECKING:
    from meshguard.budget import Budget
    from meshguard.cli.options import LabelOptions
    from meshguard.policy import Policy
    from meshguard.report import Report


@click.command(short_help="Check files and say what is wrong, where and how bad.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--policy",
    "policy_name",
    default="scan",
    metavar="NAME|FILE.toml",
    help="Limits and selection: scan (default; an open arch), print (a closed solid), labelled "
    "(tooth labels required), strict (any warning fails), or a TOML file.",
)
@click.option("--select", multiple=True, metavar="ID,...", help="Run only these checks: ids or prefixes, e.g. T,S101.")
@click.option(
    "--ignore",
    multiple=True,
    metavar="ID,...",
    help="Do not run these checks; ID=REASON puts the reason in the report.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["info", "warning", "error"]),
    help="Lowest severity for which the exit code is 1; by default the policy decides.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="Form of the report.",
)
@click.option(
    "--output", "-o", metavar="PATH", help="Write to this file instead of the terminal; completely or not at all."
)
@label_options
@budget_options
@plugin_option
@click.option("--verbose", "--all", "-v", is_flag=True, help="List every check, and show more findings of each.")
@click.option("--quiet", "-q", is_flag=True, help="Print only one line for each file, the verdict.")
def validate(
    files: tuple[str, ...],
    policy_name: str,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    fail_on: str | None,
    format_: str,
    output: str | None,
    labelled: LabelOptions,
    max_bytes: int | None,
    max_faces: int | None,
    max_seconds: float | None,
    verbose: bool,
    quiet: bool,
) -> None:
    """Check each FILE and print a report: STL, PLY, OBJ, OFF, 3MF or GLB, also gzip-compressed; "-" is standard input.

    With --format json, one file gives exactly the library's canonical JSON; several give one line for each file,
    {"file": name, "report": {...}} or {"error": text, "file": name}. --format markdown is for tickets.
    """
    policy = chosen_policy(policy_name, select, ignore, fail_on)
    if labelled.path is not None and len(files) > 1:
        raise click.UsageError("--labels belong to one mesh: give one FILE")
    from meshguard.cli import startup
    from meshguard.cli.notice import Progress, compilation_notice

    budget = budget_of(max_bytes, max_faces, max_seconds)

    if output is not None and output != "-":
        refuse_folder("--output", output)
    writer = Writer(None if output == "-" else output)
    verdicts = Counter({0: 0})
    with Progress(files) as progress, compilation_notice(progress.pause):
        for name in files:
            report, failure, trouble = _validated(name, policy, budget, labelled)
            startup.loaded()
            progress.pause()
            if report is None:
                click.echo(f"{name}: {failure}: {trouble}", err=True)
            if format_ == "json":
                _write_json(writer, name, report, trouble, alone=len(files) == 1)
            elif report is not None:
                first = not verdicts[0] + verdicts[1]
                if format_ == "markdown":
                    _write_markdown(writer, name, report, quiet=quiet, first=first)
                else:
                    _write_text(writer, name, report, verbose=verbose, quiet=quiet, first=first)
            verdicts[2 if report is None else 0 if report.ok else 1] += 1
            progress.advance()
    if len(files) > 1 and format_ == "text":
        words = {0: "good", 1: "with findings that fail", 2: "cannot be read"}
        counts = ", ".join(f"{verdicts[code]} {words[code]}" for code in sorted(verdicts))
        writer.text(f"{'' if quiet else chr(10)}{len(files)} files: {counts}\n")
    writer.close()
    click.get_current_context().exit(max(code for code in verdicts if verdicts[code]))


def _validated(name: str, policy: Policy, budget: Budget, labelled: LabelOptions) -> tuple[Report | None, str, str]:
    """The report of a file, or None with what failed and why."""
    from meshguard.errors import BudgetExceeded, ReadError
    from meshguard.validation import validate as validated

    try:
        read = labelled.labels_for(name, budget)
    except UnreadableLabelsError as error:
        return None, "its labels cannot be read", str(error)
    try:
        source = sys.stdin.buffer if name == "-" else name
        return validated(source, policy=policy, labels=read, jaw=labelled.jaw, budget=budget), "", ""
    except BudgetExceeded as error:
        return None, "not validated", str(error)
    except ReadError as error:
        return None, "cannot be read", str(error)
    except OSError as error:
        return None, "cannot be read", error.strerror or type(error).__name__


def _write_json(writer: Writer, name: str, report: Report | None, trouble: str, *, alone: bool) -> None:
    """One line: the canonical report of a single file, or an object that also names the file."""
    import json

    if alone:
        if report is not None:
            writer.text(f"{report.to_json()}\n")
    elif report is None:
        writer.text(json.dumps({"error": trouble, "file": name}) + "\n")
    else:
        writer.text(f'{{"file":{json.dumps(name)},"report":{report.to_json()}}}\n')


def _write_text(writer: Writer, name: str, report: Report, *, verbose: bool, quiet: bool, first: bool) -> None:
    """The report for people, or its first line only."""
    from meshguard.render.text import render, verdict

    if quiet:
        writer.rich(verdict(report, name=shown(name)))
        return
    if not first:
        writer.text("\n")
    writer.rich(render(report, name=shown(name), verbose=verbose))


def _write_markdown(writer: Writer, name: str, report: Report, *, quiet: bool, first: bool) -> None:
    """The report for a ticket, or its heading only."""
    from meshguard.render.markdown import markdown_of

    text = markdown_of(report, name=shown(name))
    lead = "" if first else "\n"
    writer.text(lead + (text.partition("\n")[0] + "\n" if quiet else text))
