"""A repair as text: the verdict first, then what was done, what it cost, and what was left and why."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from meshguard.quantities import quantity
from meshguard.render.words import findings_in_words, many, printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from meshguard.repair.result import NotRepaired, Renumbering, RepairResult

FIRST = 3
"""Findings of one check that were left and are shown; the rest are counted."""


def repair_verdict(result: RepairResult, *, name: str, reasons: tuple[str, ...]) -> Text:
    """The one line that says it all: clean or refused, what was replaced, how much was repaired, and what is left.

    A clean result can still be a bad scan: repair cannot fix a missing molar, wrong tooth numbers, or a file that is
    cut short. Only a result that is clean and good has the mark of success.
    """
    line = Text()
    if reasons:
        mark, style = "✗", "bold red"
    else:
        mark, style = ("✓", "bold green") if result.after.ok else ("!", "bold yellow")
    line.append(f"{mark} ", style)
    line.append(f"{printable(name)}: ", "bold")
    if reasons:
        line.append(f"refused: {'; '.join(reasons)}", style)
        return line
    line.append("clean" if result.after.ok else "a clean surface", style)
    line.append("".join(f", {words}" for words in _asked_in_brief(result)))
    if _is_rebuilt(result):
        line.append(", all of it rebuilt: no scanned face is left")
    # A step without checks, such as rounding, changes the mesh but mends no defect.
    n_repaired = sum(step.mended for step in result.steps if step.checks and not step.undone)
    has_rest = bool(result.not_repaired) or not result.after.ok
    if n_repaired:
        line.append(f", {many(n_repaired, 'defect')} repaired")
    else:
        line.append(", nothing was repaired" if has_rest else ", nothing to repair")
    if has_rest:
        line.append(f"; left: {findings_in_words(result.after)}")
    return line


def _asked_in_brief(result: RepairResult) -> list[str]:
    """What was done because it was asked for, in a word or two each."""
    scaled = [f"scaled by {result.scale:.15g}"] if result.scale != 1.0 else []
    return scaled + (["moved to the origin"] if any(result.shift_mm) else [])


def _asked(result: RepairResult) -> list[RenderableType]:
    """The same with the numbers that it takes to go back."""
    lines = [f"every coordinate was multiplied by {result.scale:.15g}"] if result.scale != 1.0 else []
    if any(result.shift_mm):
        shift = ", ".join(f"{-shift + 0.0:.15g}" for shift in result.shift_mm)
        is_rounded = any(not step.checks and not step.undone for step in result.steps)
        back = "moving it back gives the same bits again"
        if is_rounded:
            back = "but for rounding, moving it back undoes this"
        lines.append(f"everything was moved by ({shift}) mm; {back}")
    return [_indented(line) for line in lines]


def _is_rebuilt(result: RepairResult) -> bool:
    """Whether the result is new surface and nothing else, as where a closed solid was built around what was there."""
    return len(result.face_origin) > 0 and bool((result.face_origin < 0).all())


def render_repair(
    result: RepairResult, *, name: str, reasons: tuple[str, ...], written: str | None, lost: tuple[str, ...] = ()
) -> RenderableType:
    """The repair as something that rich can print.

    Args:
        result: what repair did.
        name: what to call the input.
        reasons: why it was refused; empty where it was not.
        written: the file that was written, if one was.
        lost: what the file cannot hold: kinds, as `lost_on_saving` gives them.
    """
    parts: list[RenderableType] = [repair_verdict(result, name=name, reasons=reasons)]
    asked = _asked(result)
    if asked:
        parts += [Text(), Text("What was asked for", "bold"), *asked]
    done = [_indented(f"{step.name}: {step.mended}") for step in result.steps if not step.undone]
    undone = [_indented(f"{step.name}: {step.undone}") for step in result.steps if step.undone]
    if done:
        parts += [Text(), Text("What was done", "bold"), *done]
        parts += [Text(), Text("What it cost", "bold"), *_cost(result)]
    if lost:
        parts += [Text(), Text("What is lost", "bold"), *map(_indented, lost)]
    if undone:
        parts += [Text(), Text("What was undone or not done", "bold"), *undone]
    if result.proposal is not None:
        parts += [Text(), Text("Proposed, not done", "bold"), _indented(_proposal(result.proposal))]
    if result.not_repaired:
        parts += [Text(), Text("What was left", "bold")]
        groups: dict[str, list[NotRepaired]] = {}
        for left in result.not_repaired:
            groups.setdefault(left.check, []).append(left)
        for check, lefts in groups.items():
            parts += [_indented(f"{check} {left.message} {left.reason}") for left in lefts[:FIRST]]
            if len(lefts) > FIRST:
                parts.append(_indented(f"{check} and {len(lefts) - FIRST} more"))
    parts += [Text(), Text(_outcome(result, reasons, written))]
    return Group(*parts)


def _proposal(proposal: Renumbering) -> str:
    """The renumbering that would make the numbers fit."""
    pairs = ", ".join(f"{old} to {new}" for old, new in sorted(proposal.mapping.items()))
    return f"{proposal.reason} Renumber {pairs}."


def _cost(result: RepairResult) -> list[RenderableType]:
    """What the repair did to the scan, in numbers."""
    n_new = Counter(result.face_origin.tolist())[-1]
    labels = result.relabelled
    relabelled = [] if labels is None else [f"{many(len(labels.indices), f'{labels.per} label')} changed"]
    moved = result.max_displacement_mm
    furthest = f" by more than {quantity(moved, 'mm')}" if moved else ""
    added, removed = quantity(result.area_added_mm2, "mm²"), quantity(result.area_removed_mm2, "mm²")
    if _is_rebuilt(result):  # no scanned vertex is left, so nothing can be said about how far one moved
        costs = [
            f"all of the surface was rebuilt: {removed} of it were replaced by {added} that were not scanned",
            f"{many(n_new, 'new face')}, and no scanned face is left",
            *relabelled,
        ]
    else:
        costs = [
            *relabelled,
            f"{many(n_new, 'new face')}, {added} of surface that was not scanned",
            f"{removed} of scanned surface removed",
            *_merged(result),
            f"no scanned vertex moved{furthest}",
        ]
    return [_indented(cost) for cost in costs]


def _merged(result: RepairResult) -> list[str]:
    """How much of the surface was there twice and is there once now; nothing where none was."""
    area = sum(step.second_copy_mm2 for step in result.steps)
    return [f"a second copy of {quantity(area, 'mm²')} of surface removed, the first is left"] if area else []


def _outcome(result: RepairResult, reasons: tuple[str, ...], written: str | None) -> str:
    """The grades before and after, and what was written."""
    before, after = result.before, result.after
    grades = " ".join([f"Grade {before.grade} before, {after.grade} after.", *after.unchecked])
    if written is not None:
        return f"{grades} Written to {printable(written)}."
    return f"{grades} Nothing was written{': the repair was refused' if reasons else ''}."


def _indented(text: str) -> RenderableType:
    """A line under a heading."""
    return Padding(Text(text), (0, 0, 0, 2))
