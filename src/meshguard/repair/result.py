"""RepairResult: the repaired mesh, what was done to it and why, and the proof."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from meshguard.mesh import frozen_array

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from meshguard.mesh import IntArray, Mesh
    from meshguard.report import Report, Safety


Target: TypeAlias = Literal["stl", "ply"]
"""The format of the file for which a repair is proved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """What one step did, or why it was undone.

    Attributes:
        name: the step's name.
        checks: ids of the checks whose findings it mends.
        safety: what it does to the scan.
        why: why it stands at its place in the plan.
        mended: how many defects of its kind it mended; for a step that mends none (`checks` is empty), what it changed.
        parameters: limits that decided, and what it measured, name -> number.
        undone: why it was undone, or not done; "" if it was done.
    """

    name: str
    checks: tuple[str, ...]
    safety: Safety
    why: str
    mended: int
    parameters: Mapping[str, float] = field(default_factory=dict)
    undone: str = ""

    @property
    def second_copy_mm2(self) -> float:
        """Area of what was there twice and is there once now, mm2."""
        return 0.0 if self.undone else self.parameters.get("second_copy_mm2", 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "name": self.name,
            "checks": list(self.checks),
            "safety": self.safety.value,
            "why": self.why,
            "mended": self.mended,
            "parameters": {name: float(value) for name, value in self.parameters.items()},
            "undone": self.undone,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRepaired:
    """A finding that is still there, and why.

    Attributes:
        check: its check's id.
        message: the finding's own sentence.
        reason: why it was left.
        location: x, y, z in mm of a point on it, or None.
        fingerprint: the finding's fingerprint in the report after.
    """

    check: str
    message: str
    reason: str
    location: tuple[float, float, float] | None
    fingerprint: str

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "check": self.check,
            "message": self.message,
            "reason": self.reason,
            "location": None if self.location is None else list(self.location),
            "fingerprint": self.fingerprint,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelChanges:
    """Labels that were mended.

    Attributes:
        per: what carries them.
        indices: int32, sorted: vertices or faces of the result whose label changed.
        before: int32 (k,): their labels before.
        after: int32 (k,): their labels now.
    """

    per: Literal["vertex", "face"]
    indices: IntArray
    before: IntArray
    after: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Renumbering:
    """A proposal: these labels would fit if all of them were renumbered like this. Nothing happens until `applied_to`.

    Attributes:
        kind: "other jaw", "mirrored" or "shifted".
        mapping: label -> label.
        reason: one sentence.
        measures: name -> number, the evidence.
    """

    kind: Literal["other jaw", "mirrored", "shifted"]
    mapping: Mapping[int, int]
    reason: str
    measures: Mapping[str, float]

    def applied_to(self, mesh: Mesh) -> Mesh:
        """The mesh with renumbered labels, of vertices and faces."""

        def renumbered(values: npt.NDArray[Any]) -> IntArray:
            new = values.astype(np.int32)
            for old, to in self.mapping.items():
                new[values == old] = to
            return frozen_array(new)

        return mesh.with_data(
            vertex={"label": renumbered(mesh.vertex_data["label"])} if "label" in mesh.vertex_data else {},
            face={"label": renumbered(mesh.face_data["label"])} if "label" in mesh.face_data else {},
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "kind": self.kind,
            "mapping": {str(old): new for old, new in self.mapping.items()},
            "reason": self.reason,
            "measures": {name: float(value) for name, value in self.measures.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RepairResult:
    """A repaired mesh and all that is known about it.

    Attributes:
        mesh: the repaired mesh; the input itself if nothing had to be done. `face_data["synthetic"]` marks every face
            whose surface was not scanned. Its `source` keeps what reading the file found, since repair cannot bring
            back what the file does not hold.
        before, after: reports on the input and on the result.
        steps: what was done in order, what was undone, and what the policy did not allow.
        vertex_origin: int32 (n,), for each vertex the input's vertex that it is, moved or not; −1 = new.
        face_origin: int32 (m,), for each face the input's face that it is or is a part of; −1 = new.
        max_displacement_mm: the furthest that a vertex of the input was moved, apart from `scale` and `shift_mm`, which
            were asked for.
        area_added_mm2: area of the faces whose surface was not scanned.
        area_removed_mm2: area of the input's surface that was removed: dropped components, and what was cut out,
            whether it was filled again or not. Surface that was there twice and is there once is not removed.
        not_repaired: findings of the report after, from warnings on, and why each was left.
        clean: whether the result is sound: no non-manifold edge or vertex, faces oriented consistently and outward, no
            face without area, no duplicate, and nothing intersects but closed bodies of an assembly; under a policy
            whose rim is "closed" also no boundary, and nothing intersects at all. It is true of the file that is
            written in the format of `target`; where positions are float32, of either format.
        relabelled: labels that were mended, if that was asked for and anything was done; else None.
        proposal: what would make the numbers of a whole arch fit, for a person to decide; None if nothing is proposed.
        target: the format that the result was proved for.
        scale: what every coordinate of the input was multiplied by before anything else, because it was asked for.
        shift_mm: x, y, z that were subtracted after that, because it was asked for; adding them gives every bit back.
    """

    mesh: Mesh
    before: Report
    after: Report
    steps: tuple[StepRecord, ...]
    vertex_origin: IntArray
    face_origin: IntArray
    max_displacement_mm: float
    area_added_mm2: float
    area_removed_mm2: float
    not_repaired: tuple[NotRepaired, ...]
    clean: bool
    relabelled: LabelChanges | None = None
    proposal: Renumbering | None = None
    target: Target = "ply"
    scale: float = 1.0
    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __repr__(self) -> str:
        """On one line: whether it is clean and good, what the mesh is now, and what was done."""
        done = ", ".join(step.name for step in self.steps if step.mended and not step.undone) or "nothing done"
        clean = "clean" if self.clean else "not clean"
        grades = f"grade {self.before.grade} before, {self.after.grade} after"
        return f"<RepairResult: {clean}, {grades}, {self.mesh}, {done}>"

    @property
    def changed(self) -> bool:
        """Whether anything was done."""
        return self.scale != 1.0 or any(self.shift_mm) or any(step.mended and not step.undone for step in self.steps)

    def to_dict(self) -> dict[str, Any]:
        """The result without its mesh and maps, as plain data that JSON can hold.

        `lost` says for each format what saving the mesh in it would lose, as `lost_on_saving` does.
        """
        from meshguard.io.losses import lost_on_saving

        return {
            "schema": "1.0",
            "clean": self.clean,
            "changed": self.changed,
            "target": self.target,
            "scale": self.scale,
            "shift_mm": list(self.shift_mm),
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "steps": [step.to_dict() for step in self.steps],
            "not_repaired": [left.to_dict() for left in self.not_repaired],
            "max_displacement_mm": self.max_displacement_mm,
            "area_added_mm2": self.area_added_mm2,
            "area_removed_mm2": self.area_removed_mm2,
            "lost": {"ply": list(lost_on_saving(self.mesh, "ply")), "stl": list(lost_on_saving(self.mesh, "stl"))},
            "new_vertices": int((self.vertex_origin < 0).sum()),
            "new_faces": int((self.face_origin < 0).sum()),
            "relabelled": None
            if self.relabelled is None
            else {"per": self.relabelled.per, "count": len(self.relabelled.indices)},
            "proposal": None if self.proposal is None else self.proposal.to_dict(),
        }

    def to_json(self) -> str:
        """Canonical JSON of `to_dict`: sorted keys, shortest round-trip floats, one line."""
        import json

        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
