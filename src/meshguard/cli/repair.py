"""`meshguard repair`: mend a file, prove the result, and only then write it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal

import click

from meshguard.cli.options import (
    UnreadableLabelsError,
    budget_of,
    budget_options,
    chosen_policy,
    label_options,
    plugin_option,
)
from meshguard.cli.output import printed, refuse_folder, refuse_place, replaced, shown, written

if TYPE_CHECKING:
    from meshguard.budget import Budget
    from meshguard.cli.options import LabelOptions
    from meshguard.policy import Policy
    from meshguard.repair.result import RepairResult


@click.command(short_help="Mend a file as far as the policy allows, and prove the result.")
@click.argument("source", metavar="IN")
@click.argument("target", metavar="[OUT.stl|OUT.ply]", required=False)
@click.option(
    "--policy",
    "policy_name",
    default="scan",
    metavar="NAME|FILE.toml",
    help="What repair may do and what the result must be: scan (default; an open arch), print (a closed solid), "
    "labelled, strict, or a TOML file.",
)
@click.option(
    "--unit",
    type=click.Choice(["um", "\N{MICRO SIGN}m", "mm", "cm", "m", "inch"]),
    help="The unit of IN, where it is not mm: everything is converted to mm first, and the report says so.",
)
@click.option(
    "--scale",
    type=click.FloatRange(0, min_open=True),
    metavar="F",
    help="Multiply every coordinate by F first, and say so; another way to give the unit.",
)
@click.option(
    "--recentre",
    is_flag=True,
    help="First shift IN to the origin if it lies so far away that an STL would be too coarse, and report the shift.",
)
@click.option("--lossless", is_flag=True, help="Do only what neither moves nor invents anything.")
@click.option(
    "--best-effort", is_flag=True, help="Write OUT even if the result is not clean; the exit code is then still 1."
)
@click.option("--dry-run", is_flag=True, help="Say what would be done and write nothing; OUT is then not needed.")
@click.option(
    "--report",
    "report_path",
    metavar="FILE",
    help="Write everything that was done, with the reports before and after, as JSON.",
)
@label_options
@click.option(
    "--mend-labels",
    is_flag=True,
    help="Relabel islands and holes in labels as their surroundings, and smooth ragged borders.",
)
@click.option(
    "--labels-out", metavar="PATH", help="Write the labels of the result: .json (Teeth3DS), .npy, .csv, .txt."
)
@budget_options
@plugin_option
@click.option("--quiet", "-q", is_flag=True, help="Print only one line, the verdict.")
def repair(
    source: str,
    target: str | None,
    policy_name: str,
    unit: str | None,
    scale: float | None,
    recentre: bool,
    lossless: bool,
    best_effort: bool,
    dry_run: bool,
    report_path: str | None,
    labelled: LabelOptions,
    mend_labels: bool,
    labels_out: str | None,
    max_bytes: int | None,
    max_faces: int | None,
    max_seconds: float | None,
    max_memory: int | None,
    quiet: bool,
) -> None:
    """Mend the file IN and write the result to OUT, whose suffix chooses the format; "-" is standard input.

    The result is proved for the format of OUT. PLY keeps doubles. STL holds float32 only, so positions are rounded to
    it; where that would move one beyond the policy's limit, as it does far from the origin, the repair is refused (see
    --recentre).

    OUT may be the same file as IN: it is replaced only when the whole result is on the disk. If the result would not be
    clean, nothing is written, unless --best-effort is given. PLY marks every face that was not scanned as `synthetic`
    and keeps labels; STL can do neither, and --labels-out then writes the labels of its facets, or of their corners
    where vertices carry the labels.

    Exit codes: 0 clean, and nothing is left that fails the policy; 1 refused, and nothing written; 2 IN cannot be read,
    OUT cannot be written, or wrong usage; 3 clean and written, but findings are left that fail the policy and that
    repair may not mend.
    """
    policy = chosen_policy(policy_name)
    _refuse_scale(unit, scale)
    if target is None and not dry_run:
        raise click.UsageError("OUT is missing: name the file to write, or give --dry-run")
    if target is not None:
        _refuse_target(target)
    for option, path in (("--report", report_path), ("--labels-out", labels_out)):
        if path is not None:
            refuse_place(option, path, source, target)
    if labels_out is not None:
        _refuse_labels(labels_out, report_path)
    from meshguard.cli import startup
    from meshguard.cli.notice import Progress, compilation_notice

    budget = budget_of(max_bytes, max_faces, max_seconds, max_memory)
    with Progress((source,)) as progress, compilation_notice(progress.pause):
        result, reasons = _repaired(
            source,
            policy,
            budget,
            labelled,
            target=None if target is None else "stl" if _is_stl(target) else "ply",
            unit=unit,
            scale=scale,
            recentre=recentre,
            lossless=lossless,
            mend_labels=mend_labels,
        )
        startup.loaded()
        progress.pause()
        if mend_labels and not labelled.are_named and result.mesh.label_carrier() is None:
            raise click.UsageError("there are no labels to mend: give them with --labels, or as colours with --palette")
        write = target is not None and not dry_run and (not reasons or best_effort) and len(result.mesh.faces) > 0
        if report_path is not None:  # first, so that no file is replaced without its record
            replaced(report_path, f"{result.to_json()}\n".encode())
        if write and target is not None:
            if labels_out is not None:
                _write_labels(result, labels_out, target)
            _write(result, target)
        progress.advance()
    from meshguard.render.repaired import render_repair, repair_verdict

    rendered = (
        repair_verdict(result, name=shown(source), reasons=reasons)
        if quiet
        else render_repair(
            result,
            name=shown(source),
            reasons=reasons,
            written=target if write else None,
            lost=_lost(result, target, labels_out) if write or dry_run else (),
        )
    )
    click.echo(printed(rendered, to_terminal=sys.stdout.isatty()), nl=False)
    click.get_current_context().exit(1 if reasons else 0 if result.after.ok else 3)


def _refuse_scale(unit: str | None, scale: float | None) -> None:
    """A usage error where the unit and a factor are both given, or the factor is not finite."""
    from meshguard.errors import MeshError
    from meshguard.repair.placement import scale_of

    try:
        scale_of(unit, scale)
    except MeshError as error:
        raise click.UsageError(str(error)) from error


def _refuse_target(target: str) -> None:
    """A usage error where OUT has no suffix that names a format, or no folder."""
    if not target.lower().removesuffix(".gz").endswith((".stl", ".ply")):
        raise click.UsageError("OUT must end in .stl or .ply, or in .stl.gz or .ply.gz")
    refuse_folder("OUT", target)


def _refuse_labels(path: str, report: str | None) -> None:
    """A usage error where labels cannot be written under that name."""
    from meshguard.io.labels import LABEL_SUFFIXES

    if not path.lower().endswith(LABEL_SUFFIXES):
        raise click.UsageError(f"--labels-out must end in {', '.join(LABEL_SUFFIXES)}")
    refuse_place("--labels-out", path, report)


def _repaired(
    source: str, policy: Policy, budget: Budget, labelled: LabelOptions, **options: Any
) -> tuple[RepairResult, tuple[str, ...]]:
    """The result and why it was refused; or an error that ends the command with exit code 2."""
    from meshguard.errors import BudgetExceeded, ReadError, RepairRefused
    from meshguard.repair import repair as repaired

    try:
        read = labelled.labels_for(source, budget)
        file = sys.stdin.buffer if source == "-" else source
        result = repaired(
            file,
            policy=policy,
            labels=read,
            jaw=labelled.jaw,
            budget=budget,
            **options,
        )
        return result, ()
    except RepairRefused as refused:
        return refused.result, refused.reasons
    except UnreadableLabelsError as error:
        trouble = f"its labels cannot be read: {error}"
    except BudgetExceeded as error:
        trouble = f"not repaired: {error}"
    except ReadError as error:
        trouble = f"cannot be read: {error}"
    except OSError as error:
        trouble = f"cannot be read: {error.strerror or type(error).__name__}"
    click.echo(f"{source}: {trouble}", err=True)
    raise click.exceptions.Exit(2)


def _write(result: RepairResult, target: str) -> None:
    """Write the mesh completely or not at all."""
    from meshguard.io import save

    with written(target):
        save(result.mesh, target)


def _lost(result: RepairResult, target: str | None, labels_out: str | None) -> tuple[str, ...]:
    """What OUT cannot hold, and no file beside it either; without OUT, what neither format can hold."""
    from meshguard.io import lost_on_saving

    mesh = result.mesh if labels_out is None else result.mesh.without_labels()
    return lost_on_saving(mesh, "stl" if target is not None and _is_stl(target) else "ply")


def _write_labels(result: RepairResult, path: str, target: str) -> None:
    """Write the labels of the result; beside an STL, which does not keep vertices, those of its corners or facets."""
    from meshguard.io.labels import save_labels

    per: Literal["corner", "face"] = "corner" if result.mesh.label_carrier() == "vertex" else "face"
    with written(path):
        save_labels(result.mesh, path, per=per if _is_stl(target) else None)


def _is_stl(target: str) -> bool:
    return target.lower().removesuffix(".gz").endswith(".stl")
