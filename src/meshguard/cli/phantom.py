"""`meshguard phantom` makes an arch with known defects; `meshguard demo` makes one and validates it."""

from __future__ import annotations

import io
import math
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshguard.mesh import Mesh
    from meshguard.phantoms import Truth
    from meshguard.report import Finding, Report

DEMO_DEFECTS = ("hole", "floating_piece", "flipped_patch", "nonmanifold_edge", "duplicate_face", "crack")
"""What `demo` injects: defects that scans commonly have."""


class _ListsDefects(click.Command):
    """A command whose help lists the defects; they are looked up only when help is asked for."""

    def format_epilog(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the names that --defect takes."""
        from meshguard.phantoms import DEFECTS

        formatter.write_paragraph()
        formatter.write_text(f"Defects: {', '.join(sorted(DEFECTS))}.")


@click.command(cls=_ListsDefects, short_help="Make an arch with known defects, to test tools with.")
@click.argument("out", metavar="OUT.stl|OUT.ply")
@click.option(
    "--jaw", type=click.Choice(["lower", "upper"]), default="lower", show_default=True, help="The jaw of the arch."
)
@click.option("--teeth", type=click.IntRange(2, 16), default=14, show_default=True, help="Number of teeth.")
@click.option(
    "--faces",
    type=click.IntRange(2_000, 4_000_000),
    default=50_000,
    show_default=True,
    help="Approximate number of faces.",
)
@click.option("--size", type=float, default=1.0, show_default=True, help="Scale of the arch; 1 is an adult arch in mm.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="The same seed gives the same arch and defects.",
)
@click.option(
    "--defect",
    "defects",
    multiple=True,
    metavar="NAME",
    help="Inject a defect of this name; may be given several times.",
)
@click.option("--truth", metavar="PATH|-", help="Write as JSON what was injected and where.")
def phantom(
    out: str, jaw: str, teeth: int, faces: int, size: float, seed: int, defects: tuple[str, ...], truth: str | None
) -> None:
    """Make a dental arch, labelled tooth by tooth in PLY, and write it to OUT."""
    import json
    from pathlib import Path

    from meshguard.errors import MeshGuardError
    from meshguard.io.content import replace_file
    from meshguard.phantoms import DEFECTS, mutate
    from meshguard.phantoms import phantom as make_phantom
    from meshguard.policy import nearest

    for name in defects:
        if name not in DEFECTS:
            raise click.UsageError(f"there is no defect {name!r}{nearest(name, DEFECTS)}")
    try:
        mesh = make_phantom(jaw=jaw, teeth=teeth, faces=faces, size=size, seed=seed)  # type: ignore[arg-type]
        mesh, truths = mutate(mesh, *defects, seed=seed) if defects else (mesh, ())
    except (MeshGuardError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    record = {
        "jaw": jaw,
        "teeth": teeth,
        "size": size,
        "seed": seed,
        "vertices": len(mesh.vertices),
        "faces": len(mesh.faces),
        "mesh_digest": mesh.digest(),
        "defects": [
            {"name": name, **_plain(found)} for name, found in zip(_names(defects, truths), truths, strict=True)
        ],
    }
    _save(mesh, out)
    if truth == "-":
        click.echo(json.dumps(record, sort_keys=True))
    elif truth is not None:
        try:
            replace_file(Path(truth), f"{json.dumps(record, sort_keys=True)}\n".encode())
        except OSError as error:
            raise click.UsageError(f"{truth}: cannot be written: {error.strerror or error}") from error
    if truth != "-":
        click.echo(f"{out}: {len(mesh.vertices):,} vertices, {len(mesh.faces):,} faces, {len(truths)} defects injected")


@click.command(short_help="Make an arch with known defects, validate it, and show the report.")
@click.option("--keep", metavar="PATH", help="Also write the arch to this file (.stl or .ply).")
def demo(keep: str | None) -> None:
    """Make a dental arch, damage it in known places, validate it and print the report.

    The arch is broken on purpose. The exit code is 0 when every defect was found, so this also tests an installation.
    """
    from meshguard.cli.notice import compilation_notice, symbols
    from meshguard.cli.output import printed
    from meshguard.io import save
    from meshguard.phantoms import mutate
    from meshguard.phantoms import phantom as make_phantom
    from meshguard.render.text import render
    from meshguard.validation import validate

    def say(text: str) -> None:
        click.echo(symbols(text, sys.stdout.encoding))

    say("A phantom of a lower arch, damaged on purpose, and what meshguard says about it.\n")
    with compilation_notice():
        mesh, truths = mutate(make_phantom(jaw="lower", faces=50_000, seed=1), *DEMO_DEFECTS, seed=1)
        file = io.BytesIO()
        save(mesh, file, format="ply")
        report = validate(file.getvalue())
    if keep is not None:
        _save(mesh, keep)
    shown = render(report, name=keep or "phantom")
    click.echo(symbols(printed(shown, to_terminal=sys.stdout.isatty()), sys.stdout.encoding), nl=False)
    say(f"\nInjected on purpose, and found by:\n{_comparison(truths, report)}")
    missed = [truth for truth in truths if _found(truth, report) is None]
    if missed:
        raise click.ClickException(f"{len(missed)} of {len(truths)} defects were not found: this is a bug in meshguard")
    say("\nAll defects were found. The arch is broken on purpose, so this command succeeds")
    say("(exit code 0); `meshguard validate` on such a file exits with 1.")


def _save(mesh: Mesh, path: str) -> None:
    """Write a mesh, or say what is wrong with the path."""
    from meshguard.errors import MeshGuardError
    from meshguard.io import save

    try:
        save(mesh, path)
    except MeshGuardError as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        raise click.UsageError(f"{path}: cannot be written: {error.strerror or error}") from error


def _names(defects: tuple[str, ...], truths: Sequence[Truth]) -> list[str]:
    """The defect behind each truth; where a defect has several truths, `mutate` gives them one after another."""
    return list(defects) if len(defects) == len(truths) else [""] * len(truths)


def _plain(truth: Truth) -> dict[str, object]:
    """A truth as JSON holds it."""
    return {
        "check": truth.check,
        "element": truth.element,
        "indices": [int(index) for index in truth.indices],
        "location": None if truth.location is None else list(truth.location),
        "also": list(truth.also),
        "measures": {name: float(value) for name, value in truth.measures.items()},
    }


def _comparison(truths: Sequence[Truth], report: Report) -> str:
    """One line for each defect: its kind, where it was made, and the check that found it."""
    titles = _names(DEMO_DEFECTS, truths)
    lines = []
    for name, truth in zip(titles, truths, strict=True):
        place = ", ".join(f"{value:.2f}" for value in truth.location or ())
        finding = _found(truth, report)
        verdict = "NOT FOUND" if finding is None else f"{finding.check} ✓"
        lines.append(f"  {name.replace('_', ' '):<18} at ({place}) mm   {verdict}")
    return "\n".join(lines)


def _found(truth: Truth, report: Report) -> Finding | None:
    """The finding of the truth's check that is nearest to where the defect was made."""
    candidates = [finding for finding in report.findings if finding.check == truth.check]

    def distance(finding: Finding) -> float:
        return math.dist(finding.location or (0, 0, 0), truth.location or (0, 0, 0))

    return min(candidates, key=distance, default=None)
