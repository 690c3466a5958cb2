"""Mending the labels of teeth: islands, holes and ragged borders, and the steps in which repair does it when asked.

Geometry is never touched. Islands and holes go to the label around them. The steps are taken once the mesh is sound;
each is proved, and undone if it did not help, like all others. They smooth borders only where one is ragged. Numbers
are never changed: `renumbering.propose_renumbering` says what would fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from meshguard.errors import MeshError
from meshguard.facts.dental import DentalFacts
from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh, frozen_array, label_of_corners
from meshguard.policy import policy as as_policy
from meshguard.repair.labels.boundary_smoothing import smooth_borders
from meshguard.repair.labels.islands import without_islands
from meshguard.repair.labels.label_graph import face_graph, vertex_graph
from meshguard.repair.result import LabelChanges, StepRecord
from meshguard.report import Safety, Severity
from meshguard.validation import findings_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meshguard.mesh import IntArray
    from meshguard.policy import Policy
    from meshguard.report import Finding


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MendedLabels:
    """What `mend_labels` did.

    Attributes:
        mesh: the mesh with mended labels; geometry and all other attributes as they were.
        per: "vertex" or "face": what carries the labels that were mended.
        changed: int32, sorted: vertices or faces whose label changed.
        before: int32 (c,): their labels before.
        after: int32 (c,): their labels now.
        n_islands: regions of a tooth given to the label around them.
        n_holes: regions of gum in a tooth that were filled.
    """

    mesh: Mesh
    per: Literal["vertex", "face"]
    changed: IntArray
    before: IntArray
    after: IntArray
    n_islands: int
    n_holes: int


def mend_labels(mesh: Mesh, *, policy: str | Path | Policy = "scan", borders: bool = True) -> MendedLabels:
    """Give islands to the label around them, fill holes in teeth, and smooth ragged borders.

    Islands are regions of a label beside its largest, as long as they are not a large share of it: such a region may be
    a tooth of its own, and is left for a person to look at. Holes are regions of gum that have one tooth around them.
    Borders are smoothed by graph cuts (`boundary_smoothing`) that prefer short lines and grooves; where that does not
    make a border much shorter, it moves by at most 0.5 mm.

    Where vertices and faces both carry labels, the vertices' are mended if the faces' say the same, and those of the
    faces follow; else the faces'. Instances are left behind where labels change, since they would contradict them.

    Args:
        mesh: carries `label`; any numbering, 0 is the gum.
        policy: its limits say what an island is.
        borders: whether to smooth borders.

    Returns:
        MendedLabels. The same input gives the same bytes.

    Raises:
        MeshError: the mesh carries no labels, or what it carries cannot be read as such, or it carries tooth numbers as
            instances (D119).
        PolicyError: no such policy.
    """
    facts = DentalFacts(MeshFacts(mesh, as_policy(policy)))
    if _hold_instances(facts):
        raise MeshError("the tooth numbers are not in the labels but in the instances, which mending leaves behind")
    return mended(facts, borders=borders)


def _hold_instances(facts: DentalFacts) -> bool:
    """Whether labels and instances are swapped: instances, which mending leaves behind, are then the tooth numbers."""
    return facts.has_labels and facts.are_swapped


def mended(facts: DentalFacts, *, borders: bool) -> MendedLabels:
    """What `mend_labels` returns, from facts that may be known in part already."""
    mesh, labelling = facts.mesh, facts.labelling
    if labelling is None:
        raise MeshError("the mesh carries no labels")
    per, labels = labelling.per, labelling.of_node
    stored = facts.carried.stored("label")
    if stored is None or len(labels) != (len(facts.surface.positions) if per == "vertex" else len(mesh.faces)):
        raise MeshError(f"the labels cannot be read: {labelling.mismatch}")
    old = stored.astype(np.int32).reshape(-1)
    # The crowns tell grooves from ridges, not the orientation of faces.
    outward = facts.teeth.outward if facts.has_labels and facts.surface.n_finite else 1.0
    graph = (vertex_graph if per == "vertex" else face_graph)(facts.surface, outward=outward)
    rule = facts.island_rule
    labels, n_islands, n_holes = without_islands(graph, labels, rule, specks=False)
    if borders:
        labels = smooth_borders(graph, labels)
    labels, more_islands, more_holes = without_islands(graph, labels, rule, specks=True)
    meant = labelling.of_node
    if per == "vertex":  # vertices on one position are mended as one
        labels, meant = labels[facts.surface.remap], meant[facts.surface.remap]
    # What needs no change keeps its id, also where vertices on one position disagreed.
    labels = np.where(labels == meant, old, labelling.meaning.stored(labels))
    changed = np.flatnonzero(labels != old).astype(np.int32)
    return MendedLabels(
        mesh=_with_labels(mesh, per, labels) if len(changed) else mesh,
        per=per,
        changed=frozen_array(changed),
        before=frozen_array(old[changed]),
        after=frozen_array(labels[changed].astype(np.int32)),
        n_islands=n_islands + more_islands,
        n_holes=n_holes + more_holes,
    )


def _with_labels(mesh: Mesh, per: Literal["vertex", "face"], labels: IntArray) -> Mesh:
    """The mesh with new labels, without instances, and with labels of faces that follow those of vertices."""
    vertex = {name: array for name, array in mesh.vertex_data.items() if name != "instance"}
    face = {name: array for name, array in mesh.face_data.items() if name != "instance"}
    data = vertex if per == "vertex" else face
    data["label"] = labels.astype(data["label"].dtype)
    if per == "vertex" and "label" in face:
        face["label"] = label_of_corners(labels, mesh.faces).astype(face["label"].dtype)
    return Mesh(
        vertices=mesh.vertices, faces=mesh.faces, vertex_data=vertex, face_data=face, jaw=mesh.jaw, source=mesh.source
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelStep:
    """One step; like `repair.step.Step`, but for a mesh with labels.

    Attributes:
        name: for people and for reports: a verb and what it is done to.
        checks: ids of the checks whose findings it mends.
        why: why it stands at its place.
        run: does it.
    """

    name: str
    checks: tuple[str, ...]
    why: str
    run: Callable[[DentalFacts], MendedLabels]


LABEL_STEPS: tuple[LabelStep, ...] = (
    LabelStep(
        name="merge label islands and fill label holes",
        checks=("D104", "D105"),
        why="first, so that no boundary is smoothed around an island",
        run=lambda facts: mended(facts, borders=False),
    ),
    LabelStep(
        name="smooth ragged label borders",
        checks=("D111",),
        why="on complete teeth; only where a boundary is ragged: one drawn by hand follows the gum better than any cut",
        run=lambda facts: mended(facts, borders=True),
    ),
)
"""The steps in order; `why` is the reason for its place."""


def with_mended_labels(facts: DentalFacts) -> tuple[DentalFacts, list[StepRecord]]:
    """Facts of the same mesh with mended labels, and a record of each step that did something or was undone.

    A step is taken where one of its checks finds something that can be repaired. It is undone if it leaves as many
    findings as there were, or causes any error of family D. None is taken where the instances hold the tooth numbers.
    """
    records: list[StepRecord] = []
    for step in () if _hold_instances(facts) else LABEL_STEPS:
        before = findings_of(facts, "D")
        n_before = _count(step, before)
        if not n_before:
            continue
        result = step.run(facts)
        if not len(result.changed):
            continue
        changed = facts.relabelled(result.mesh)
        after = findings_of(changed, "D")
        n_after, errors = _count(step, after), _errors(after) - _errors(before)
        undone = "" if n_after < n_before else f"it would have left {n_after} of {n_before}"
        if errors > 0:
            undone = f"it would have caused {errors} more label errors"
        records.append(
            StepRecord(
                name=step.name,
                checks=step.checks,
                safety=Safety.LOCAL,
                why=step.why,
                mended=0 if undone else n_before - n_after,
                parameters={
                    "islands": result.n_islands,
                    "holes": result.n_holes,
                    "vertices" if result.per == "vertex" else "faces": len(result.changed),
                },
                undone=undone,
            )
        )
        facts = facts if undone else changed
    return facts, records


def _count(step: LabelStep, findings: list[Finding]) -> int:
    """How many of these findings a step can repair."""
    return sum(finding.check in step.checks and finding.fixable is not None for finding in findings)


def _errors(findings: list[Finding]) -> int:
    """How many of these findings are errors."""
    return sum(finding.severity is Severity.ERROR for finding in findings)


def label_changes(before: DentalFacts, after: DentalFacts) -> LabelChanges:
    """Which labels differ between two meshes of the same faces."""
    per = before.labels.per
    old, new = (
        (facts.mesh.vertex_data if per == "vertex" else facts.mesh.face_data)["label"].reshape(-1)
        for facts in (before, after)
    )
    changed = np.flatnonzero(old != new).astype(np.int32)
    return LabelChanges(
        per=per,
        indices=frozen_array(changed),
        before=frozen_array(old[changed].astype(np.int32)),
        after=frozen_array(new[changed].astype(np.int32)),
    )
