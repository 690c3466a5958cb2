"""Report: what a validation found, as plain data that any tool can read without a compiler.

A `Finding` is one located defect, an `Outcome` the fate of one check, a `Report` all of it. A report explains itself:
it holds the titles of the checks, what would fix their findings, the limits that decided, and the policy in full, so
that a stored one can be read and rendered by a program that knows no check. Its canonical JSON has sorted keys,
shortest round-trip floats, no clock, no path and no text of the file: identical input gives identical bytes. Its schema
(JSON Schema, draft 2020-12) is shipped beside this module as `report.schema.json`.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass, field
from importlib import import_module, resources
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from meshguard.outcome import LimitInForce, Outcome, Safety, Severity, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "MAX_JSON_FINDINGS",
    "MAX_JSON_INDICES",
    "SCHEMA_VERSION",
    "Element",
    "Finding",
    "LabelSummary",
    "LimitInForce",
    "Outcome",
    "Report",
    "Safety",
    "Severity",
    "Status",
    "grade_of",
    "schema",
]

SCHEMA_VERSION = "1.1"
"""Version of the report's JSON: within a major version fields are only ever added."""

MAX_JSON_INDICES = 1000
"""Indices of one finding that JSON lists; `count` and `indices_total` tell the true number, Python keeps all."""

MAX_JSON_FINDINGS = 1000
"""Findings of one check that JSON lists, worst first; the check's outcome tells the true number."""

IntArray: TypeAlias = npt.NDArray[np.int32]
Element: TypeAlias = Literal["file", "vertex", "edge", "face", "loop", "component", "tooth", "pair"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Finding:
    """One located defect.

    Attributes:
        check: id of the check that found it.
        severity: under the policy in force.
        message: one sentence, with the measure that matters.
        element: what `indices` number. An edge is named by its lowest half-edge 3*face + corner, a component by its
            lowest face, a loop by its vertices, a pair by its faces, a tooth by its label.
        indices: int32 (k,), sorted, all of them, into the mesh that was validated ("file": rows of the file).
        count: how many elements the defect has.
        location: x, y, z in mm of a point on the defect; None where it has no finite point.
        measures: name -> number, unit in the name.
        limit: name of the policy limit that decided, or None where the definition alone decides.
        tooth: FDI number where labels exist.
        fixable: what its repair would do; None where repair cannot or must not.
        fingerprint: 16 hexadecimal digits, stable under reordering of vertices and faces.
    """

    check: str
    severity: Severity
    message: str
    element: Element
    indices: IntArray
    count: int
    location: tuple[float, float, float] | None
    measures: Mapping[str, float] = field(default_factory=dict)
    limit: str | None = None
    tooth: int | None = None
    fixable: Safety | None = None
    fingerprint: str = ""
    indices_total: int = -1

    def __post_init__(self) -> None:
        put = object.__setattr__
        indices = np.array(self.indices, np.int32)
        indices.flags.writeable = False
        put(self, "indices", indices)
        put(self, "indices_total", len(self.indices) if self.indices_total < 0 else int(self.indices_total))
        put(self, "count", int(self.count))
        if self.location is not None:
            # −0.0 and NumPy's floats become plain ones; a point that is not finite is left out.
            x, y, z = (float(value) + 0.0 for value in self.location)
            put(self, "location", (x, y, z) if math.isfinite(x) and math.isfinite(y) and math.isfinite(z) else None)

    def __repr__(self) -> str:
        return f"<Finding {self.check}, {self.severity}: {self.message}>"

    def __reduce__(self) -> tuple[object, ...]:
        return Finding._from_dict, (self._to_dict(len(self.indices)),)

    def _to_dict(self, most: int = MAX_JSON_INDICES) -> dict[str, Any]:
        return {
            "check": self.check,
            "severity": str(self.severity),
            "message": self.message,
            "element": self.element,
            "indices": self.indices[:most].tolist(),
            "indices_total": self.indices_total,
            "count": self.count,
            "location": None if self.location is None else list(self.location),
            "measures": {name: _number(value) for name, value in self.measures.items()},
            "limit": self.limit,
            "tooth": self.tooth,
            "fixable": None if self.fixable is None else self.fixable.value,
            "fingerprint": self.fingerprint,
        }

    @classmethod
    def _from_dict(cls, data: Mapping[str, Any]) -> Finding:
        x_y_z = data["location"]
        return cls(
            check=data["check"],
            severity=Severity[data["severity"].upper()],
            message=data["message"],
            element=data["element"],
            indices=np.array(data["indices"], np.int32),
            indices_total=data["indices_total"],
            count=data["count"],
            location=None if x_y_z is None else (x_y_z[0], x_y_z[1], x_y_z[2]),
            measures=dict(data["measures"]),
            limit=data["limit"],
            tooth=data["tooth"],
            fixable=None if data["fixable"] is None else Safety(data["fixable"]),
            fingerprint=data["fingerprint"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSummary:
    """What the labels of teeth are: what carries them, what their ids mean, and of which jaw they are.

    Attributes:
        per: whether vertices or faces carry them.
        numbering: "fdi", or "anonymous" for classes without names.
        jaw: the jaw that was told, or else the one that most labels are of; None for anonymous classes.
        jaw_is_told: whether the mesh, the labels or the caller said the jaw.
        ids: the different labels but 0, ascending.
        notes: what had to be decided when they were read, a sentence each.
    """

    per: Literal["vertex", "face"]
    numbering: Literal["fdi", "anonymous"]
    jaw: Literal["upper", "lower"] | None
    jaw_is_told: bool
    ids: tuple[int, ...]
    notes: tuple[str, ...] = ()

    def _to_dict(self) -> dict[str, Any]:
        return {
            "per": self.per,
            "numbering": self.numbering,
            "jaw": self.jaw,
            "jaw_is_told": self.jaw_is_told,
            "ids": list(self.ids[:MAX_JSON_INDICES]),
            "notes": list(self.notes),
        }

    @classmethod
    def _from_dict(cls, data: Mapping[str, Any]) -> LabelSummary:
        return cls(
            per=data["per"],
            numbering=data["numbering"],
            jaw=data["jaw"],
            jaw_is_told=data["jaw_is_told"],
            ids=tuple(data["ids"]),
            notes=tuple(data["notes"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Report:
    """What a validation found. Two reports say the same when their `to_json()` is the same.

    `str(report)` is the text that people read, `repr(report)` one line.

    Attributes:
        outcomes: check id -> Outcome, every check of the catalogue, by id.
        findings: worst first; within a severity by check, then the larger defect, then fingerprint.
        stats: counts on the position-welded mesh and lengths; `docs` define each.
        labels: what the labels of teeth are; None where there are none that can be used.
        ok: no finding reaches the policy's `fail_on`.
        grade: 1 ideal; 2 minor, usable; 3 usable with risk; 4 rescan (`grade_of` is the rule).
        decided_by: fingerprints of the findings that decided the grade, at most ten.
        policy, policy_digest: name and SHA-256 of the policy in force.
        ignored: check id -> the reason the policy gives for ignoring it.
        mesh_digest: SHA-256 of the mesh (`Mesh.digest`).
        version: of meshguard.
        schema: version of the JSON.
        unchecked: what the verdict does not cover although it may be taken to, a sentence each. It changes neither the
            grade nor `ok`; JSON has it only where there is something to say.
        limits: limit name -> the limit as it was applied to this mesh, for each limit of a check that found something.
        rules: the policy in full, plain data that `Policy.from_dict` takes; empty in a report of schema 1.0.
    """

    outcomes: Mapping[str, Outcome]
    findings: tuple[Finding, ...]
    stats: Mapping[str, float | int]
    ok: bool
    grade: int
    decided_by: tuple[str, ...]
    policy: str
    policy_digest: str
    ignored: Mapping[str, str]
    mesh_digest: str
    version: str
    labels: LabelSummary | None = None
    schema: str = SCHEMA_VERSION
    unchecked: tuple[str, ...] = ()
    limits: Mapping[str, LimitInForce] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        counts = Counter(finding.severity for finding in self.findings)
        found = ", ".join(f"{counts[severity]} {severity}" for severity in reversed(Severity) if counts[severity])
        verdict = "ok" if self.ok else "not ok"
        return f"<Report: {verdict}, grade {self.grade} of 4, {found or 'nothing found'}, policy {self.policy!r}>"

    def __str__(self) -> str:
        return self.to_text().rstrip("\n")

    def to_text(self, *, width: int = 100, name: str | None = None, verbose: bool = False) -> str:
        """The report as text for people: the verdict, what is wrong, where, how bad, and what would fix it.

        Args:
            width: columns, at least 40.
            name: what to call the mesh; a report itself never knows a file's name.
            verbose: show more findings of each check, their indices, and every check that passed or was skipped.

        Returns:
            Lines that each end in a line feed.
        """
        return _rendered(self, "text", width=width, name=name, verbose=verbose)

    def to_markdown(self, *, name: str | None = None) -> str:
        """The report as Markdown, for a ticket.

        Args:
            name: what to call the mesh; a report itself never knows a file's name.

        Returns:
            Lines that each end in a line feed.
        """
        return _rendered(self, "markdown", name=name)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON holds it: plain dicts, lists, strings and numbers."""
        listed: Counter[str] = Counter()
        findings = []
        for finding in self.findings:
            listed[finding.check] += 1
            if listed[finding.check] <= MAX_JSON_FINDINGS:
                findings.append(finding._to_dict())
        return {
            "schema": self.schema,
            "version": self.version,
            "ok": self.ok,
            "grade": self.grade,
            "decided_by": list(self.decided_by),
            "policy": {
                "name": self.policy,
                "digest": self.policy_digest,
                "ignored": dict(self.ignored),
                **({"rules": dict(self.rules)} if self.rules else {}),
            },
            "mesh": {"digest": self.mesh_digest},
            "stats": {name: _number(value) for name, value in self.stats.items()},
            "labels": None if self.labels is None else self.labels._to_dict(),
            "outcomes": {check: outcome.to_dict() for check, outcome in self.outcomes.items()},
            "findings": findings,
            **({"limits": {name: limit.to_dict() for name, limit in self.limits.items()}} if self.limits else {}),
            **({"unchecked": list(self.unchecked)} if self.unchecked else {}),
        }

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, shortest round-trip floats, one line."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Report:
        """The report that `to_json` wrote; `Report.from_json(text).to_json() == text`.

        Raises:
            ValueError: the text is not a report, or one of another major version of the schema.
        """
        data = json.loads(text)
        if not isinstance(data, dict) or "schema" not in data:
            raise ValueError("this JSON is not a meshguard report: it has no 'schema'")
        major = str(data["schema"]).split(".")[0]
        if major != SCHEMA_VERSION.split(".")[0]:
            raise ValueError(f"this report has schema {data['schema']}; this version reads {SCHEMA_VERSION}")
        try:
            report = cls._from_dict(data)
            report.to_json()  # what cannot be written again was not a report
            return report
        except (LookupError, TypeError, AttributeError, OverflowError, ValueError) as error:
            raise ValueError(f"this JSON is not a meshguard report: {type(error).__name__} {error}") from error

    @classmethod
    def _from_dict(cls, data: Mapping[str, Any]) -> Report:
        return cls(
            outcomes={check: Outcome.from_dict(outcome) for check, outcome in data["outcomes"].items()},
            findings=tuple(Finding._from_dict(finding) for finding in data["findings"]),
            stats=dict(data["stats"]),
            labels=LabelSummary._from_dict(data["labels"]) if data.get("labels") is not None else None,
            ok=data["ok"],
            grade=data["grade"],
            decided_by=tuple(data["decided_by"]),
            policy=data["policy"]["name"],
            policy_digest=data["policy"]["digest"],
            ignored=dict(data["policy"]["ignored"]),
            mesh_digest=data["mesh"]["digest"],
            version=data["version"],
            schema=data["schema"],
            unchecked=tuple(data.get("unchecked", ())),
            limits={name: LimitInForce.from_dict(limit) for name, limit in data.get("limits", {}).items()},
            rules=dict(data["policy"].get("rules", {})),
        )

    def rows(self, *, file: str | None = None) -> list[dict[str, object]]:
        """Flat records for tables, one for each finding, with each of its measures as a column of its own.

        Args:
            file: what to write in the `file` column; a report itself never knows a file's name.
        """
        rows: list[dict[str, object]] = []
        for finding in self.findings:
            x, y, z = finding.location or (None, None, None)
            rows.append(
                {
                    "file": file,
                    "check": finding.check,
                    "severity": str(finding.severity),
                    "count": finding.count,
                    "element": finding.element,
                    "x_mm": x,
                    "y_mm": y,
                    "z_mm": z,
                    "tooth": finding.tooth,
                    "limit": finding.limit,
                    "fixable": None if finding.fixable is None else finding.fixable.value,
                    "fingerprint": finding.fingerprint,
                    "message": finding.message,
                    **finding.measures,
                }
            )
        return rows


def grade_of(findings: Iterable[Finding], *, max_safety: Safety) -> tuple[int, tuple[str, ...]]:
    """The grade and the fingerprints of the findings that decided it.

    4 (rescan): an error that repair cannot fix within the policy. 3 (usable with risk): any other error. 2 (minor,
    usable): a warning. 1 (ideal): neither. The four grades are those of Henry Schein's Reveal intake form.

    Args:
        findings: worst first.
        max_safety: the most that the policy lets repair do.
    """
    grade = 1
    decided: list[str] = []
    for finding in findings:
        is_fixable = finding.fixable is not None and finding.fixable.rank <= max_safety.rank
        if finding.severity is Severity.ERROR:
            finding_grade = 3 if is_fixable else 4
        else:
            finding_grade = 2 if finding.severity is Severity.WARNING else 1
        if finding_grade > grade:
            grade, decided = finding_grade, []
        if finding_grade == grade > 1:
            decided.append(finding.fingerprint)
    return grade, tuple(decided[:10])


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a report's JSON."""
    text = resources.files("meshguard").joinpath("report.schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _rendered(report: Report, form: str, **options: Any) -> str:
    """A report in one of the forms that people read.

    This is the one place where a low floor names a high one, and it does so by a string: a program that only reads
    reports needs no renderer.
    """
    text: str = import_module("meshguard.render").rendered(report, form, **options)
    return text


def _number(value: float | None) -> float | int | None:
    """A number that JSON can hold: an int stays one, −0.0 becomes 0.0, what is not finite becomes null."""
    if value is None:
        return None
    if isinstance(value, (bool, int, np.integer)):
        return int(value)
    value = float(value)
    return value + 0.0 if math.isfinite(value) else None
