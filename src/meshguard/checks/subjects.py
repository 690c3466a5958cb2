"""What checks look at: each subject by name, what a check of it is given, and the conditions it can ask for.

A run has some of the subjects: the validation of one mesh has `file`, `mesh`, `teeth` and `arch`. A check whose subject
a run does not have is not part of it. A condition says in a sentence why a check cannot run, or None where it can.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from meshguard.facts.dental import DentalFacts
    from meshguard.facts.mesh import MeshFacts
    from meshguard.mesh import Source

    Condition: TypeAlias = Callable[[Any], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Something that a check can look at.

    Attributes:
        handed: what the check's function is given, in words.
        conditions: name -> why a check that needs it cannot run on what it is given, or None where it can.
        usual_needs: what nearly every check of it needs.
    """

    handed: str
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    usual_needs: tuple[str, ...] = ()


def _why_no_source(source: Source | None) -> str | None:
    return "The mesh was made from arrays, not read from a file." if source is None else None


def _why_no_faces(surface: MeshFacts) -> str | None:
    return None if surface.n_finite else "The mesh has no faces."


def _why_no_labels(facts: DentalFacts) -> str | None:
    labelling = facts.labelling
    if labelling is not None:
        return labelling.why_unusable
    source = facts.mesh.source
    if source is not None and any(note.check == "F105" for note in source.irregularities):
        return "The labels do not fit the mesh (F105)."
    return "The mesh carries no tooth labels."


def _why_no_codes(facts: DentalFacts) -> str | None:
    if facts.labels.is_fdi:
        return None
    return _why_swapped(facts) or "The numbering of the labels is unknown: they are anonymous classes."


def _why_swapped(facts: DentalFacts) -> str | None:
    return "The tooth numbers are not in the labels but in the instances (D119)." if facts.are_swapped else None


def _why_no_jaw(facts: DentalFacts) -> str | None:
    return None if facts.labels.jaw is not None else "It is open which jaw this is: its numbers are of both (D102)."


def _why_no_instances(facts: DentalFacts) -> str | None:
    if facts.carried.stored("instance") is None:
        return "The labels come without instances."
    return None if facts.carried.instances() is not None else "The instances are not whole numbers."


def _why_no_frame(facts: DentalFacts) -> str | None:
    frame = facts.arch_frame
    return None if frame.up is not None else " ".join(frame.why_unsure)


_OF_TEETH = MappingProxyType(
    {
        "faces": lambda facts: _why_no_faces(facts.surface),
        "labels": _why_no_labels,
        "fdi": lambda facts: _why_no_labels(facts) or _why_no_codes(facts),
        "jaw": lambda facts: _why_no_labels(facts) or _why_no_codes(facts) or _why_no_jaw(facts),
        "instances": lambda facts: _why_no_labels(facts) or _why_no_instances(facts),
        "unswapped": lambda facts: _why_no_labels(facts) or _why_swapped(facts),
    }
)

OF_PLUGINS = "plugins"
"""The subject of the check about plugins themselves."""

SUBJECTS: Mapping[str, Subject] = MappingProxyType(
    {
        "file": Subject(
            handed="`meshguard.mesh.Source`: what reading the file saw",
            conditions=MappingProxyType({"source": _why_no_source}),
            usual_needs=("source",),
        ),
        "mesh": Subject(
            handed="`meshguard.facts.mesh.MeshFacts`",
            conditions=MappingProxyType(
                {"source": lambda surface: _why_no_source(surface.mesh.source), "faces": _why_no_faces}
            ),
            usual_needs=("faces",),
        ),
        "teeth": Subject(
            handed="`meshguard.facts.dental.DentalFacts`", conditions=_OF_TEETH, usual_needs=("faces", "labels")
        ),
        "arch": Subject(
            handed="`meshguard.facts.dental.DentalFacts`, labelled or not; its `arch_frame` says where the teeth bite",
            conditions=MappingProxyType({"faces": lambda facts: _why_no_faces(facts.surface), "frame": _why_no_frame}),
            usual_needs=("faces", "frame"),
        ),
        OF_PLUGINS: Subject(handed="the failures of plugins, `meshguard.checks.plugins.Failure` each"),
    }
)
"""Name -> subject."""


def subjects_of(facts: DentalFacts) -> dict[str, Any]:
    """What the validation of one mesh has to look at."""
    return {"file": facts.mesh.source, "mesh": facts.surface, "teeth": facts, "arch": facts}
