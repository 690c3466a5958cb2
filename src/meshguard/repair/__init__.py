"""repair(): a mesh made sound with as little change as possible, every change recorded, the result proved."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path

    from meshguard.budget import Budget, Progress
    from meshguard.io.labels import Labels, Source
    from meshguard.mesh import Jaw, Mesh
    from meshguard.policy import Policy
    from meshguard.repair.placement import Unit
    from meshguard.repair.result import RepairResult, Target


def repair(
    mesh_or_file: Mesh | str | Path | bytes | BinaryIO,
    *,
    policy: str | Path | Policy = "scan",
    target: Target | None = None,
    unit: Unit | None = None,
    scale: float | None = None,
    recentre: bool = False,
    lossless: bool = False,
    labels: Labels | Source | None = None,
    jaw: Jaw | None = None,
    mend_labels: bool = False,
    budget: Budget | None = None,
    progress: Progress | None = None,
) -> RepairResult:
    """Repair a mesh as far as the policy allows, and prove the result for the file that will be written.

    The input is not touched. Untouched vertices stay bit-exact, unless an STL cannot hold
    them; a clean mesh comes back as it is; repairing a result changes nothing. Deterministic for every number of
    threads.

    Args:
        mesh_or_file: as for `validate`.
        policy: a built-in policy's name, a `.toml` file, or a Policy; its `max_safety` bounds what may be done.
        target: the format that the result will be saved in. An STL holds float32, so for "stl" positions are rounded
            first, within the policy's `rounding_mm`; for "ply" they stay what they are. None: the format of the file
            that the mesh was read from, and "ply" for a mesh from elsewhere.
        unit: what the coordinates are in: "um", "mm", "cm", "m" or "inch". They are converted to mm before anything
            else, and the limits then are true mm.
        scale: the same by a factor: mm in a unit of the input. `unit` and `scale` exclude each other.
        recentre: shift a mesh that lies many times its size away from the origin to it, so that float32 is fine enough.
            The shift is in the result, and adding it gives every bit back. A mesh near the origin stays where it is.
        lossless: do only what moves nothing and invents nothing.
        labels: the teeth, as for `validate`; they are carried to the result.
        jaw: as for `validate`.
        mend_labels: merge label islands into the labels around them, fill holes in teeth, and smooth ragged label
            boundaries. Numbers are never changed; the result may hold a proposal.
        budget: as for `validate`. When its clock runs out the repair is refused.
        progress: called between steps and during long ones; an exception that it raises ends the call.

    Raises:
        MeshError: `unit`, `scale`, `target` or `jaw` has a value that does not exist.
        RepairRefused: the file would not be clean; the error carries the best state as `.result`, and the reasons.
        ReadError: the file cannot be read as a mesh.
        BudgetExceeded: the file or the mesh needs more than the budget allows.
        PolicyError: the policy names a check, limit or value that does not exist.
    """
    from meshguard.repair.pipeline import repaired

    return repaired(
        mesh_or_file,
        policy=policy,
        target=target,
        unit=unit,
        scale=scale,
        recentre=recentre,
        lossless=lossless,
        labels=labels,
        jaw=jaw,
        mend_labels=mend_labels,
        budget=budget,
        progress=progress,
    )
