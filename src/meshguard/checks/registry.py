"""What a check is, and how its docstring becomes its title and explanation."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from meshguard.report import Finding

LooksAt: TypeAlias = Literal["mesh", "teeth"]
"""What a check is handed: `MeshFacts` of the mesh, or `DentalFacts` of its teeth."""

Run: TypeAlias = "Callable[[Any], Iterable[Finding]]"

FAMILIES = {
    "F": "file",
    "T": "topology",
    "G": "geometry",
    "S": "surface",
    "D": "teeth",
    "A": "arch",
    "B": "bite",
    "P": "privacy",
    "C": "comparison",
}
"""Letter of a check id -> the family's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check of the catalogue.

    Attributes:
        id: a letter for the family and three digits; permanent, never reused.
        title: a few words, from the first line of the docstring.
        explanation: what it finds, why it matters and what would fix it; the rest of the docstring.
        looks_at: what `run` is handed.
        limits: names of the policy limits that it reads.
        needs: what must hold for it to run: "source" (the mesh was read from a file), "faces" (it has any), "labels"
            (it has labels of teeth), "fdi" (they are FDI codes), "instances" (and tell instances).
        run: the check itself.
    """

    id: str
    title: str
    explanation: str
    looks_at: LooksAt
    limits: tuple[str, ...]
    needs: tuple[str, ...]
    run: Run

    @property
    def family(self) -> str:
        """Name of the family that the id's letter stands for."""
        return FAMILIES[self.id[0]]


def check(
    id: str,  # noqa: A002
    *,
    looks_at: LooksAt = "mesh",
    limits: tuple[str, ...] = (),
    needs: tuple[str, ...] = ("faces",),
) -> Callable[[Run], Check]:
    """Make a check of a function that takes facts and gives findings; its docstring is what people read about it."""

    def registered(run: Run) -> Check:
        title, _, explanation = inspect.cleandoc(run.__doc__ or "").partition("\n")
        if not title or not explanation.strip():
            raise TypeError(f"check {id} needs a docstring with a title and an explanation")
        return Check(
            id=id,
            title=title.rstrip("."),
            explanation=explanation.strip(),
            looks_at=looks_at,
            limits=limits,
            needs=needs,
            run=run,
        )

    return registered
