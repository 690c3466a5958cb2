"""`meshguard validate`: check files and print a report of each."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, TypeAlias

import click

from meshguard.cli.inputs import inputs_of
from meshguard.cli.options import (
    UnreadableLabelsError,
    budget_of,
    budget_options,
    chosen_policy,
    label_options,
    plugin_option,
)
from meshguard.cli.output import Writer, refuse_place, shown
from meshguard.render import RENDERERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshguard.budget import Budget
    from meshguard.cli.options import LabelOptions
    from meshguard.policy import Policy
    from meshguard.report import Report

    Verdict: TypeAlias = tuple[Report | None, str, str]
    """A report; or None, what failed, and why."""


@click.command(short_help="Check files and say what is wrong, where and how bad.")
@click.argument("files", nargs=-1, required=True, metavar="FILE|FOLDER...")
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
    type=click.Choice([*RENDERERS, "json"]),
    default="text",
    show_default=True,
    help="Form of the report.",
)
@click.option(
    "--output",
    "-o",
    metavar="PATH",
    help="Write to this file instead of the terminal, completely or not at all; JSON lines are appended one by one.",
)
@click.option(
    "--paths",
    is_flag=True,
    help="Name the files in JSON lines and Markdown, which else only number them: a name may be a patient's.",
)
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(1),
    default=1,
    metavar="N",
    help="Work on so many files at the same time; the output is the same.",
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
    paths: bool,
    jobs: int,
    labelled: LabelOptions,
    max_bytes: int | None,
    max_faces: int | None,
    max_seconds: float | None,
    max_memory: int | None,
    verbose: bool,
    quiet: bool,
) -> None:
    """Check each FILE and print a report: STL, PLY, OBJ, OFF, 3MF or GLB, also gzip-compressed; "-" is standard input.

    A folder stands for the meshes in it and in its folders, a quoted pattern ('scans/*.stl') for the files that match.

    With --format json, one file gives exactly the library's canonical JSON; several give one line for each file,
    {"file": number, "report": {...}} or {"error": text, "file": number}, and --paths puts the names there. --format
    markdown is for tickets.
    """
    policy = chosen_policy(policy_name, select, ignore, fail_on)
    inputs = inputs_of(files)
    if labelled.path is not None and not inputs.is_one:
        raise click.UsageError("--labels belong to one mesh: give one FILE")
    if output is not None and output != "-":
        refuse_place("--output", output, *inputs.names)
    from meshguard.cli import startup
    from meshguard.cli.jobs import in_order
    from meshguard.cli.notice import Progress, compilation_notice

    budget = budget_of(max_bytes, max_faces, max_seconds, max_memory)

    def validated(name: str, between_steps: Callable[[int, int, str], object]) -> Verdict:
        return _validated(name, policy, budget, labelled, between_steps)

    n_jobs = 1 if "-" in inputs.names else min(jobs, len(inputs.names))  # no thread waits for standard input
    tally = _Tally(len(inputs.names))
    with (
        Writer(None if output == "-" else output) as writer,
        tally,
        Progress(inputs.names) as progress,
        compilation_notice(progress.pause),
        closing(in_order(validated, inputs.names, n_jobs, progress.step)) as verdicts,
    ):
        for number, (name, (report, failure, trouble)) in enumerate(zip(inputs.names, verdicts, strict=True), 1):
            startup.loaded()
            progress.pause()
            if report is None:
                click.echo(f"{name}: {failure}: {trouble}", err=True)
            if format_ == "json":
                _write_json(writer, name if paths else number, report, trouble, alone=inputs.is_one)
            elif report is not None:
                title = None if inputs.is_one else f"file {number}"
                is_named = paths or format_ == "text"
                writer.report(
                    report,
                    format_,
                    name=shown(name) if is_named else title,
                    verbose=verbose,
                    quiet=quiet,
                    first=not tally.n_reports,
                )
            tally.add(report)
            progress.advance()
        if not inputs.is_one and format_ == "text":
            writer.text(f"{'' if quiet else chr(10)}{tally.in_words()}\n")
    click.get_current_context().exit(tally.worst)


class _Tally:
    """How the files ended, and, when an interrupt ends the command, how many of them were done."""

    def __init__(self, n_files: int) -> None:
        self._n_files = n_files
        self._counts = Counter({0: 0})

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is KeyboardInterrupt and self._n_files > 1:
            click.echo(f"interrupted: {self._counts.total()} of {self._n_files} files are done", err=True)

    def add(self, report: Report | None) -> None:
        """One more file: good, with findings that fail, or without a report."""
        self._counts[2 if report is None else 0 if report.ok else 1] += 1

    @property
    def n_reports(self) -> int:
        """How many files have a report."""
        return self._counts[0] + self._counts[1]

    @property
    def worst(self) -> int:
        """The exit code."""
        return max(code for code in self._counts if self._counts[code])

    def in_words(self) -> str:
        """A line with all the counts."""
        words = {0: "good", 1: "with findings that fail", 2: "cannot be read"}
        counts = ", ".join(f"{self._counts[code]} {words[code]}" for code in words if code == 0 or self._counts[code])
        return f"{self._n_files} {'file' if self._n_files == 1 else 'files'}: {counts}"


def _validated(
    name: str,
    policy: Policy,
    budget: Budget,
    labelled: LabelOptions,
    between_steps: Callable[[int, int, str], object],
) -> Verdict:
    """The report of a file, or None with what failed and why."""
    from meshguard.errors import BudgetExceeded, ReadError
    from meshguard.validation import validate as validated

    try:
        read = labelled.labels_for(name, budget)
    except UnreadableLabelsError as error:
        return None, "its labels cannot be read", str(error)
    try:
        source = sys.stdin.buffer if name == "-" else name
        report = validated(source, policy=policy, labels=read, jaw=labelled.jaw, budget=budget, progress=between_steps)
        return report, "", ""
    except BudgetExceeded as error:
        return None, "not validated", str(error)
    except ReadError as error:
        return None, "cannot be read", str(error)
    except OSError as error:
        return None, "cannot be read", error.strerror or type(error).__name__


def _write_json(writer: Writer, file: str | int, report: Report | None, trouble: str, *, alone: bool) -> None:
    """One line: the canonical report of a single file, or an object that also says which file it is about."""
    import json

    if alone:
        if report is not None:
            writer.text(f"{report.to_json()}\n")
    elif report is None:
        writer.line(json.dumps({"error": trouble, "file": file}))
    else:
        writer.line(f'{{"file":{json.dumps(file)},"report":{report.to_json()}}}')
