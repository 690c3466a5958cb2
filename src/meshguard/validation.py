"""validate(): run the checks of a policy in order and assemble the report."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from meshguard._version import __version__
from meshguard.budget import VALIDATE_BYTES, Steps
from meshguard.checks import CATALOGUE, installed_plugins, plugin_failed, refuse_unknown_names, running
from meshguard.checks.plugins import Failure
from meshguard.checks.subjects import OF_PLUGINS, subjects_of
from meshguard.errors import BudgetExceeded, MeshError
from meshguard.facts.dental import CarriedLabels, DentalFacts, GivenLabels
from meshguard.facts.mesh import MeshFacts
from meshguard.interop import as_mesh
from meshguard.io import STEPS, load_in_steps
from meshguard.kernels._parallel import side_by_side
from meshguard.mesh import Mesh
from meshguard.policy import policy as as_policy
from meshguard.report import Finding, LabelSummary, Outcome, Report, grade_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from meshguard.budget import Budget, Progress
    from meshguard.checks import Check
    from meshguard.checks.plugins import Plugins
    from meshguard.io.labels import Labels, Source
    from meshguard.mesh import Jaw
    from meshguard.policy import Policy

NOT_REACHED = "Not reached: the time was up."
"""Why a check did not run in the report that `BudgetExceeded` carries."""


def validate(
    mesh_or_file: Mesh | str | Path | bytes | BinaryIO,
    *,
    policy: str | Path | Policy = "scan",
    labels: Labels | Source | None = None,
    jaw: Jaw | None = None,
    budget: Budget | None = None,
    progress: Progress | None = None,
) -> Report:
    """Say what is wrong with a mesh and where.

    Thread-safe; the mesh is not touched; the report is the same bytes for the same input, whatever the number of
    threads. `validate(load(file))` equals `validate(file)`.

    Args:
        mesh_or_file: a mesh, also one of trimesh, Open3D, pyvista or meshio (`meshguard.interop`), or what `load`
            takes: a path, bytes, or an open binary file.
        policy: a built-in policy's name, a `.toml` file, or a Policy.
        labels: the teeth: `Labels`, or what `read_labels` takes: a file, bytes, or an array with a label for each
            vertex or face, as the mesh's file counts them. They replace labels that the mesh carries. Too many or too
            few labels are a finding (F105), not an exception. None: those that the mesh carries, if any.
        jaw: "upper" or "lower", where it is known; it overrides what the mesh and the labels say.
        budget: what reading the file and checking the mesh may take. Its clock is a last resort: with it the outcome
            depends on the machine.
        progress: called between steps and during long ones; an exception that it raises ends the call.

    Raises:
        ReadError: the file cannot be read as a mesh.
        BudgetExceeded: the file or the mesh needs more than the budget allows. Where the time was up while it was
            checked, `report` holds what was known by then.
        PolicyError: the policy names a check, limit or value that does not exist.
    """
    rules = as_policy(policy)
    refuse_unknown_names(rules)
    mesh_or_file = as_mesh(mesh_or_file)
    is_mesh = isinstance(mesh_or_file, Mesh)
    total = n_steps() + (0 if is_mesh else STEPS)
    with Steps(budget, progress, total=total, bytes_a_face=VALIDATE_BYTES) as steps:
        mesh = mesh_or_file if isinstance(mesh_or_file, Mesh) else load_in_steps(mesh_or_file, steps)
        steps.check_faces(len(mesh.faces))
        mesh, given = labelled(mesh, labels, jaw, budget)
        facts = DentalFacts(MeshFacts(mesh, rules), CarriedLabels(mesh, given))
        report = report_of(facts, steps)
        steps.end()
    return report


def n_steps() -> int:
    """Steps of `report_of`."""
    return len(CATALOGUE) + len(installed_plugins().checks) + 1


def report_of(facts: DentalFacts, steps: Steps) -> Report:
    """The report on facts, some of which may be known already; `steps` is told about each check.

    Raises:
        BudgetExceeded: the time is up; it carries the report on what was known by then.
    """
    added = installed_plugins()
    outcomes: dict[str, Outcome] = {}
    findings: list[Finding] = []
    try:
        _find_in_parallel(facts)
        for check, found in _run(facts, steps, added):
            outcomes[check.id] = running.outcome(check, found)
            findings += [] if isinstance(found, str) else found
        steps.begin("the report")
        return _report(facts, outcomes, findings)
    except BudgetExceeded as error:
        for check in (*CATALOGUE, *added.checks):
            outcomes.setdefault(check.id, running.outcome(check, NOT_REACHED))
        error.report = _report(facts, outcomes, findings, over=str(error))
        raise


def _report(facts: DentalFacts, outcomes: dict[str, Outcome], findings: list[Finding], *, over: str = "") -> Report:
    """The report on what checks found; `over` says why some of them were not reached."""
    rules = facts.policy
    findings.sort(
        key=lambda finding: (-finding.severity, finding.check, -finding.count, finding.fingerprint, finding.message)
    )
    grade, decided_by = grade_of(findings, max_safety=rules.max_safety)
    ran = [check for check in (*CATALOGUE, plugin_failed, *installed_plugins().checks) if check.id in outcomes]
    stats = _known_stats(facts.surface) if over else _stats(facts.surface)
    read = {name: limit for check in ran if outcomes[check.id].findings for name, limit in check.limits.items()}
    return Report(
        outcomes=outcomes,
        findings=tuple(findings),
        stats=stats,
        labels=None if over else _label_summary(facts),
        ok=not over and not any(finding.severity >= rules.fail_on for finding in findings),
        grade=grade,
        decided_by=decided_by,
        policy=rules.name,
        policy_digest=rules.digest(),
        ignored={check.id: running.ignore_reason(check, rules) for check in ran if running.is_left_out(check, rules)},
        mesh_digest=facts.mesh.digest(),
        version=__version__,
        unchecked=(f"Not everything was checked: {over}.",) if over else tuple(_unchecked(facts, grade)),
        limits={name: rules.in_force(limit, stats) for name, limit in read.items()},
        rules=rules.to_dict(),
    )


def _unchecked(facts: DentalFacts, grade: int) -> Iterator[str]:
    """What the grade of a mesh in which nothing is wrong may be taken to say, and does not."""
    rules = facts.policy
    if grade > 1 or rules.rim == "closed" or rules.select:  # the policy asks for a body, or for some checks only
        return
    why = facts.why_not_an_arch
    if why is not None:
        yield f"It was not checked whether this is a dental arch: {why[0].lower()}{why[1:]}"


def _run(facts: DentalFacts, steps: Steps, added: Plugins) -> Iterator[tuple[Check, list[Finding] | str]]:
    """Each check whose subject exists, with what it finds or why it does not run; in the report's order."""
    subjects, rules = subjects_of(facts), facts.policy
    for check in CATALOGUE:
        steps.begin(f"{check.id} {check.title}")
        yield check, running.findings(check, subjects, rules)
    failures = list(added.failures)
    for check in added.checks:
        steps.begin(f"{check.id} {check.title}")
        if check.looks_at not in subjects:
            continue
        found = running.plugin_findings(check, added.origin[check.id], subjects, rules)
        if isinstance(found, Failure):
            failures.append(found)
            yield check, "The check failed (F111)."
        else:
            yield check, found
    if failures:
        yield plugin_failed, running.findings(plugin_failed, {OF_PLUGINS: tuple(failures)}, rules)


def findings_of(facts: DentalFacts, family: str) -> list[Finding]:
    """What meshguard's checks of a family (the letter of their ids) find under the policy, in the catalogue's order."""
    subjects = subjects_of(facts)
    results = [running.findings(check, subjects, facts.policy) for check in CATALOGUE if check.id.startswith(family)]
    return [finding for result in results if not isinstance(result, str) for finding in result]


def labelled(
    mesh: Mesh, labels: Labels | Source | None, jaw: Jaw | None, budget: Budget | None
) -> tuple[Mesh, GivenLabels | None]:
    """The mesh with the labels and the jaw that the caller gives, and what is known about those labels.

    Labels that do not fit become an irregularity of the mesh (F105), and those that it carries are dropped.

    Raises:
        MeshError: the jaw is neither "upper" nor "lower".
        ReadError: the labels cannot be read.
    """
    if jaw not in (None, "upper", "lower"):
        raise MeshError(f"jaw must be 'upper', 'lower' or None, not {jaw!r}")
    if jaw is not None and jaw != mesh.jaw:
        mesh = mesh.with_jaw(jaw)
    from meshguard.io.labels import Labels, attach_labels, misfit, named_labels, read_labels

    read: Labels | None
    if labels is None:
        read = named_labels(mesh, jaw)
    else:
        read = labels if isinstance(labels, Labels) else read_labels(labels, jaw=jaw, budget=budget)
    if read is None:
        return mesh, None
    note = misfit(mesh, read)
    if note is not None:
        return mesh.without_labels().with_irregularity(note), None
    known = read.in_fdi(mesh.jaw) if mesh.jaw is not None else read
    return attach_labels(mesh, known), GivenLabels("fdi" if known.numbering == "fdi" else "anonymous", known.notes)


def _find_in_parallel(facts: DentalFacts) -> None:
    """Find two facts in parallel, one for checks of teeth and one of surface: each keeps one processor busy."""
    if not any(facts.policy.selects(check.id) for check in CATALOGUE if "labels" in check.needs):
        return
    if facts.surface.n_finite and facts.has_labels:
        side_by_side([lambda: facts.label_regions, lambda: facts.surface.fans])


def _label_summary(facts: DentalFacts) -> LabelSummary | None:
    """What the labels are, where the mesh has any that can be used."""
    if not facts.has_labels:
        return None
    labelling, given = facts.labels, facts.carried.given
    return LabelSummary(
        per=labelling.per,
        numbering="fdi" if labelling.is_fdi else "anonymous",
        jaw=labelling.jaw,
        jaw_is_told=labelling.jaw_is_told,
        ids=tuple(facts.teeth.labels.tolist()) if facts.surface.n_finite else (),
        notes=(*(given.notes if given is not None else ()), *labelling.meaning.notes),
    )


def _stats(facts: MeshFacts) -> dict[str, float | int]:
    """Counts on the position-welded mesh without its non-finite faces, and lengths.

    Degenerate faces count in all of them but duplicate_pairs; a repeated corner only in faces and degenerate.

    - vertices: different positions; faces: those without a non-finite corner; edges: all, however many faces they have
    - degenerate: exactly collinear faces, repeated corners included
    - boundary_edges: edges with one face; boundary_groups: sets of them that share positions; boundary_loops: chains
      of them along the surface's fans; rims: loops that enclose their sheet
    - nonmanifold_edges: edges with more than two faces; nonmanifold_vertices: positions with more than one fan
    - miswound_edges: edges whose two faces run them the same way (inconsistent orientation)
    - components: sets of faces connected through edges; closed_components: those without a boundary edge
    - inverted_bodies: closed components of negative volume (summed in float64) in no other closed component's box
    - duplicate_pairs: pairs of faces with area and the same three positions
    - intersecting_pairs: pairs of faces that share more than their common vertices and edges, duplicates apart, up to
      the policy's cap; between_bodies: those of them between two different closed components
    - tunnels: genus, added up over the components that have one
    """
    return {name: stat(facts) for name, stat in _STATS.items()}


def _known_stats(facts: MeshFacts) -> dict[str, float | int]:
    """Those of the stats that are known when the time is up: a fact that is not known cannot be derived any more."""
    known: dict[str, float | int] = {}
    for name, stat in _STATS.items():
        with suppress(BudgetExceeded):
            known[name] = stat(facts)
    return known


_STATS: dict[str, Callable[[MeshFacts], float | int]] = {
    "mesh_vertices": lambda facts: len(facts.mesh.vertices),
    "mesh_faces": lambda facts: len(facts.mesh.faces),
    "vertices": lambda facts: len(facts.positions),
    "faces": lambda facts: facts.n_finite,
    "edges": lambda facts: facts.edges.n_edges,
    "degenerate": lambda facts: len(facts.collinear_faces),
    "boundary_edges": lambda facts: len(facts.edges.boundary),
    "boundary_groups": lambda facts: facts.boundary_groups,
    "boundary_loops": lambda facts: facts.loops.n_loops,
    "rims": lambda facts: int(np.count_nonzero(facts.loops.is_rim)),
    "nonmanifold_edges": lambda facts: int(facts.components.n_nonmanifold_edges.sum()),
    "nonmanifold_vertices": lambda facts: facts.fans.n_nonmanifold,
    "miswound_edges": lambda facts: int(facts.components.n_inconsistent_edges.sum()),
    "inverted_bodies": lambda facts: len(facts.inverted_bodies),
    "duplicate_pairs": lambda facts: sum(len(group) * (len(group) - 1) // 2 for group in facts.duplicates),
    "components": lambda facts: facts.components.n_components,
    "closed_components": lambda facts: int(np.count_nonzero(~facts.is_open)),
    "intersecting_pairs": lambda facts: len(facts.intersections.pairs),
    "between_bodies": lambda facts: int(np.count_nonzero(facts.is_between_bodies)),
    "tunnels": lambda facts: int(facts.genus[facts.genus > 0].sum()),
    "area_mm2": lambda facts: float(facts.components.area.sum()),
    "diagonal_mm": lambda facts: facts.diagonal,
    "extent_x_mm": lambda facts: float(facts.extent[0]),
    "extent_y_mm": lambda facts: float(facts.extent[1]),
    "extent_z_mm": lambda facts: float(facts.extent[2]),
}
"""How each of the stats is told from facts."""
