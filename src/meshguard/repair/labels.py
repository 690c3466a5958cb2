"""The steps of repair that mend labels: asked for, taken after the mesh is sound, each proved and undone as the others.

Geometry is never touched. Islands and holes go to the label around them; borders are drawn anew only where they are
ragged. Numbers are never changed: `repair.teeth.propose_renumbering` says what would fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from meshguard.facts.teeth import relabelled
from meshguard.mesh import frozen_array
from meshguard.repair.result import Relabelling, StepRecord
from meshguard.repair.teeth import mend_labels
from meshguard.report import Safety, Severity
from meshguard.validation import findings_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshguard.facts import Facts
    from meshguard.mesh import Mesh
    from meshguard.repair.teeth import MendedLabels
    from meshguard.report import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelStep:
    """One step; as `steps.Step`, but it takes and gives a mesh with labels.

    Attributes:
        name: for people and for reports; a verb and what it is done to.
        checks: ids of the checks whose findings it mends.
        why: why it stands at its place.
        run: does it.
    """

    name: str
    checks: tuple[str, ...]
    why: str
    run: Callable[[Mesh], MendedLabels]


LABEL_STEPS: tuple[LabelStep, ...] = (
    LabelStep(
        name="give islands and holes of labels to what is around them",
        checks=("D104", "D105"),
        why="first, so that no border is drawn around what has no place",
        run=lambda mesh: mend_labels(mesh, borders=False),
    ),
    LabelStep(
        name="draw ragged borders of labels anew",
        checks=("D111",),
        why="on whole teeth; only where a border is ragged, since a drawn one follows the gum better than any cut",
        run=mend_labels,
    ),
)
"""The steps in order; `why` is the reason for its place."""


def with_mended_labels(facts: Facts) -> tuple[Facts, list[StepRecord]]:
    """Facts of the same mesh with mended labels, and a record of each step that did something or was undone.

    A step is taken where one of its checks finds something that can be repaired. It is undone when it leaves as many
    findings as there were, or brings any error of family D.
    """
    records: list[StepRecord] = []
    for step in LABEL_STEPS:
        before = findings_of(facts, "D")
        wanted = _of(step, before)
        if not wanted:
            continue
        done = step.run(facts.mesh)
        if not len(done.changed):
            continue
        changed = relabelled(facts, done.mesh)
        after = findings_of(changed, "D")
        remain, errors = _of(step, after), _errors(after) - _errors(before)
        undone = "" if remain < wanted else f"it would have left {remain} of {wanted}"
        if errors > 0:
            undone = f"it would have made {errors} more errors of labels"
        records.append(
            StepRecord(
                name=step.name,
                checks=step.checks,
                safety=Safety.LOCAL,
                why=step.why,
                mended=0 if undone else wanted - remain,
                parameters={
                    "islands": done.n_islands,
                    "holes": done.n_holes,
                    "vertices" if done.per == "vertex" else "faces": len(done.changed),
                },
                undone=undone,
            )
        )
        facts = facts if undone else changed
    return facts, records


def _of(step: LabelStep, findings: list[Finding]) -> int:
    """How many of these a step is for."""
    return sum(finding.check in step.checks and finding.fixable is not None for finding in findings)


def _errors(findings: list[Finding]) -> int:
    return sum(finding.severity is Severity.ERROR for finding in findings)


def relabelling(before: Mesh, after: Mesh) -> Relabelling:
    """Which labels differ between two meshes of the same faces; those of the vertices, if these have any."""
    per: Literal["vertex", "face"] = "vertex" if "label" in before.vertex_data else "face"
    old, new = (mesh.vertex_data if per == "vertex" else mesh.face_data for mesh in (before, after))
    changed = np.flatnonzero(old["label"] != new["label"]).astype(np.int32)
    was, now = (frozen_array(data["label"][changed].astype(np.int32)) for data in (old, new))
    return Relabelling(per=per, indices=frozen_array(changed), before=was, after=now)
