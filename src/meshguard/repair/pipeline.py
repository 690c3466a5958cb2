"""From an input to a RepairResult: read, report, run the plan, assemble, report again, or refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, get_args

from meshguard.budget import REPAIR_BYTES, Steps
from meshguard.checks import every_check, installed_plugins, refuse_unknown_names
from meshguard.errors import BudgetExceeded, MeshError, RepairRefused
from meshguard.facts.dental import CarriedLabels, DentalFacts
from meshguard.facts.mesh import MeshFacts
from meshguard.interop import as_mesh
from meshguard.io import STEPS, load_in_steps
from meshguard.mesh import Mesh
from meshguard.policy import policy as as_policy
from meshguard.repair.acceptance import INTERSECTING, violations, violations_as_stl
from meshguard.repair.assembly import assemble
from meshguard.repair.draft import Draft
from meshguard.repair.labels.renumbering import proposal_for
from meshguard.repair.labels.steps import LABEL_STEPS, label_changes, with_mended_labels
from meshguard.repair.mesh.precision import precision_for
from meshguard.repair.placement import placed, scale_of
from meshguard.repair.plan import MOST_PASSES, PLAN, run_plan
from meshguard.repair.result import NotRepaired, RepairResult, Target
from meshguard.report import Safety, Severity
from meshguard.validation import labelled, n_steps, report_of

if TYPE_CHECKING:
    from pathlib import Path

    from meshguard.budget import Budget, Progress
    from meshguard.io.labels import Labels, Source
    from meshguard.mesh import Jaw
    from meshguard.policy import Policy
    from meshguard.repair.placement import Unit
    from meshguard.repair.result import StepRecord
    from meshguard.report import Finding, Report

OF_THE_FILE = "This is about the file as it was read; repair cannot bring back what is not in it."
"""Why what reading found is left."""


def repaired(
    mesh_or_file: Mesh | str | Path | bytes | BinaryIO,
    *,
    policy: str | Path | Policy,
    target: Target | None,
    unit: Unit | None,
    scale: float | None,
    recentre: bool,
    lossless: bool,
    labels: Labels | Source | None,
    jaw: Jaw | None,
    mend_labels: bool,
    budget: Budget | None,
    progress: Progress | None,
) -> RepairResult:
    """See `meshguard.repair`."""
    rules = as_policy(policy)
    refuse_unknown_names(rules)
    factor = scale_of(unit, scale)
    if target not in (None, *get_args(Target)):
        raise MeshError(f"target must be 'stl', 'ply' or None, not {target!r}")
    most = Safety.LOSSLESS if lossless else rules.max_safety
    total = 2 * n_steps() + MOST_PASSES * len(PLAN) + 1
    mesh_or_file = as_mesh(mesh_or_file)
    is_mesh = isinstance(mesh_or_file, Mesh)
    total += 0 if is_mesh else STEPS
    with Steps(budget, progress, total=total, bytes_a_face=REPAIR_BYTES) as steps:
        mesh = mesh_or_file if isinstance(mesh_or_file, Mesh) else load_in_steps(mesh_or_file, steps)
        steps.check_faces(len(mesh.faces))
        mesh, given = labelled(mesh, labels, jaw, budget)
        given_facts = DentalFacts(MeshFacts(mesh, rules), CarriedLabels(mesh, given))
        before = report_of(given_facts, steps)
        target = target or _own_format(given_facts.surface)
        placement = placed(given_facts.surface, factor, recentre=recentre)
        facts = given_facts
        if placement.mesh is not mesh:
            facts = DentalFacts(MeshFacts(placement.mesh, rules), CarriedLabels(placement.mesh, given))
        start = Draft.of(facts.surface, precision_for(facts.surface, target))
        draft, records, over = run_plan(start, steps, most)
        assembly = assemble(start, draft)
        is_input = assembly.facts is facts.surface
        unmended = facts if is_input else DentalFacts(assembly.facts, CarriedLabels(assembly.mesh, given))
        final, after = unmended, before
        reasons: list[str] = []
        try:
            if not over:
                reasons = _why_not_clean(assembly.facts, records)
                if mend_labels and Safety.LOCAL.rank <= most.rank:
                    steps.begin("mend labels")
                    final, label_records = with_mended_labels(final)
                    records += label_records
                after = before if final is given_facts else report_of(final, steps)
                if target == "stl" and not reasons:
                    reasons += violations_as_stl(final.surface)
        except BudgetExceeded as error:
            over = str(error)
        if over:  # what is there now is reported, as far as there is time for it, and refused
            reasons, after = _account(final, before if final is given_facts else None, records, steps.grace())
            reasons.insert(0, over)
        result = RepairResult(
            mesh=final.mesh,
            before=before,
            after=after,
            steps=tuple(records),
            vertex_origin=assembly.vertex_origin,
            face_origin=assembly.face_origin,
            max_displacement_mm=assembly.max_displacement_mm,
            area_added_mm2=assembly.area_added_mm2,
            area_removed_mm2=max(0.0, assembly.area_removed_mm2 - sum(record.second_copy_mm2 for record in records)),
            not_repaired=tuple(_left(after, most, mend_labels=mend_labels)),
            clean=not reasons,
            relabelled=None if final is unmended else label_changes(unmended, final),
            proposal=None if over else proposal_for(final),
            target=target,
            scale=placement.scale,
            shift_mm=placement.shift_mm,
        )
        steps.end()
    if reasons:
        raise RepairRefused(result=result, reasons=tuple(reasons))
    return result


def _own_format(facts: MeshFacts) -> Target:
    """The format of the file that a mesh was read from; "ply", which loses nothing, for one from elsewhere.

    A text STL may hold any digits. Doubles on what was a binary STL came later, as by a change of unit.
    """
    source = facts.mesh.source
    kind = "" if source is None else source.format
    return "stl" if kind == "stl-ascii" or (kind == "stl-binary" and facts.is_float32) else "ply"


def _why_not_clean(facts: MeshFacts, records: list[StepRecord]) -> list[str]:
    """What keeps a mesh from being clean, in words."""
    found = violations(facts)
    reasons = [f"{count} {kind}" for kind, count in found.items()]
    return reasons + (_why_still_intersecting(facts, records) if INTERSECTING in found else [])


def _why_still_intersecting(facts: MeshFacts, records: list[StepRecord]) -> list[str]:
    """Why faces still intersect, where repair stopped short of what it could have done."""
    reasons = [record.undone for record in records if record.undone and "S102" in record.checks][-1:]
    if facts.assemblies.of_sheets.any() and facts.policy.rim != "closed":
        reasons.append("open surfaces pass through each other, and only a person can say which of them loses a piece")
    return reasons


def _account(
    final: DentalFacts, known: Report | None, records: list[StepRecord], grace: Steps
) -> tuple[list[str], Report]:
    """What keeps a mesh from being clean, and the report on it: as much as can be told in the time of grace."""
    with grace:
        reasons: list[str] = []
        try:
            after = known or report_of(final, grace)
            reasons = _why_not_clean(final.surface, records)
        except BudgetExceeded as error:
            after = error.report or after
    return reasons, after


def _left(after: Report, most: Safety, *, mend_labels: bool) -> list[NotRepaired]:
    """What is still found, from warnings on, and why it was left."""
    return [
        NotRepaired(
            check=finding.check,
            message=finding.message,
            reason=_reason(finding, most, mend_labels=mend_labels),
            location=finding.location,
            fingerprint=finding.fingerprint,
        )
        for finding in after.findings
        if finding.severity >= Severity.WARNING
    ]


def _reason(finding: Finding, most: Safety, *, mend_labels: bool) -> str:
    """Why a finding was left."""
    check = next((check for check in every_check() if check.id == finding.check), None)
    if check is not None and check.looks_at == "file":
        return OF_THE_FILE
    if finding.fixable is None:
        decided = "Repair does not decide this"
        return (
            f"{decided}: a person has to." if check is None or check.remedy is None else f"{decided}: {check.remedy}."
        )
    if finding.fixable.rank > most.rank:
        if finding.fixable is Safety.INVENTIVE:
            return "Only inventing or removing surface would mend it, which the policy does not allow."
        return f"Its repair is {finding.fixable.value}, and at most {most.value} repair is allowed."
    if check is not None and check.why_left is not None:
        return check.why_left
    of_labels = any(finding.check in step.checks for step in LABEL_STEPS)
    if of_labels and not mend_labels:
        return "Labels are mended only on request."
    if finding.check in installed_plugins().origin:
        return "No step of repair mends what this check of a plugin finds."
    if not of_labels and not any(finding.check in step.checks for step in PLAN):
        return "It was left alone: the surface is sound with it."
    return "What was tried did not help or would have made something worse, so it was undone."
