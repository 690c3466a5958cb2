"""Outcome: what became of one check, in words and with the limits that explain it to someone without meshguard.

What the parts of a report below its findings are made of: how bad, what a repair would do, and the limits in force.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Severity(IntEnum):
    """How bad a finding is; ordered."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    def __str__(self) -> str:
        return self.name.lower()


class Safety(Enum):
    """What the repair of a finding would do to the scan; ordered from harmless to inventive.

    LOSSLESS moves nothing and invents nothing; LOCAL moves or rebuilds surface within the policy's limits; INVENTIVE
    makes surface that was not scanned, or drops surface that was.
    """

    LOSSLESS = "lossless"
    LOCAL = "local"
    INVENTIVE = "inventive"

    @property
    def rank(self) -> int:
        """0 for the most harmless."""
        return list(Safety).index(self)


class Status(Enum):
    """Fate of a check: PASSED found nothing, FAILED found something, SKIPPED could not or should not run."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


NOT_FIXABLE = "none"
"""The key of `REMEDIES` for a finding that repair cannot or must not fix."""

REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        Safety.LOSSLESS.value: "can be repaired without moving or inventing anything",
        Safety.LOCAL.value: "can be repaired locally, within the policy's limits",
        Safety.INVENTIVE.value: "only by inventing or removing surface: a person decides, or scan again",
        NOT_FIXABLE: "cannot be repaired safely: scan or export again, or edit by hand",
    }
)
"""What would fix a finding, by what its repair would do; a check may know better where repair does nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Fate of one check, and what it needs to be understood.

    Attributes:
        status: passed, failed or skipped.
        reason: why it was skipped, in a sentence; None otherwise.
        findings: how many findings it has, also where JSON lists fewer.
        severity: the worst of them, or None.
        title: of the check, a few words; "" in a report of schema 1.0.
        explanation: what the check finds, why that matters and what would fix it; "" where it found nothing.
        remedies: what would fix its findings, a few words each, by their `fixable` ("none" where that is None).
    """

    status: Status
    reason: str | None = None
    findings: int = 0
    severity: Severity | None = None
    title: str = ""
    explanation: str = ""
    remedies: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it; what has nothing to say is left out, as in a report of schema 1.0."""
        words = {"title": self.title, "explanation": self.explanation, "remedies": dict(self.remedies)}
        return {
            "status": self.status.value,
            "reason": self.reason,
            "findings": self.findings,
            "severity": None if self.severity is None else str(self.severity),
            **{name: value for name, value in words.items() if value},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Outcome:
        """From what `to_dict` gives."""
        return cls(
            status=Status(data["status"]),
            reason=data["reason"],
            findings=data["findings"],
            severity=None if data["severity"] is None else Severity[data["severity"].upper()],
            title=data.get("title", ""),
            explanation=data.get("explanation", ""),
            remedies=dict(data.get("remedies", {})),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitInForce:
    """A limit as it was applied to one mesh.

    Attributes:
        value: in `unit`; that of the policy, or less where a fraction of the mesh bounds it.
        unit: "mm", "mm2", "deg", or "" for a ratio or a count.
        direction: what happens beyond the value, the words before it: "dropped below", "an error above"; "" where the
            limit has none.
        meaning: one sentence.
        source: where the policy's default comes from: authors, year and DOI, or the word "proposal".
    """

    value: float
    unit: str = ""
    direction: str = ""
    meaning: str = ""
    source: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "value": float(self.value),
            "unit": self.unit,
            "direction": self.direction,
            "meaning": self.meaning,
            "source": self.source,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> LimitInForce:
        """From what `to_dict` gives."""
        return cls(**{name: data[name] for name in ("value", "unit", "direction", "meaning", "source")})
