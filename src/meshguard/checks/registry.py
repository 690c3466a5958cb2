"""What a check is, and how its docstring becomes its title and explanation."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from meshguard.checks.subjects import SUBJECTS
from meshguard.policy import LIMITS, Limit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from meshguard.report import Finding

Run: TypeAlias = "Callable[[Any], Iterable[Finding]]"
"""A check's function: what it looks at -> findings."""

FAMILIES = {
    "F": "file",
    "T": "topology",
    "G": "geometry",
    "S": "surface",
    "D": "teeth",
    "A": "arch",
    "B": "bite",
    "K": "case",
    "P": "privacy",
    "C": "comparison",
}
"""Letter of a check id -> the family's name."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Check:
    """One check of the catalogue. What anything else needs to know about a check is a property of it.

    Attributes:
        id: a letter for the family and three digits; permanent, never reused.
        title: a few words, from the first line of the docstring.
        explanation: what it finds, why it matters and what would fix it; the rest of the docstring.
        looks_at: what `run` is given, by its name in `SUBJECTS`.
        run: the check itself.
        limits: the policy limits that it reads, name -> limit.
        needs: what must hold for it to run, names of its subject's conditions.
        skips: asked with the policy: why a check does not run under it although its conditions hold, or None.
        required_by: asked with the policy: whether it runs because of what the policy requires, even where the policy
            selects other checks; None for a check that only runs where it is selected.
        remedy: what would fix a finding that repair cannot, where that is not to scan or export again.
        why_left: why repair leaves a finding that it could mend within the policy, where there is a special reason.
        weighs_classes: whether its severity depends on the class of an intersection, which a policy may weigh each
            (`S102:touch_point`); such a check asks the policy itself.
    """

    id: str
    title: str
    explanation: str
    looks_at: str
    run: Run
    limits: Mapping[str, Limit] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    skips: Callable[[Any], str | None] | None = None
    required_by: Callable[[Any], bool] | None = None
    remedy: str | None = None
    why_left: str | None = None
    weighs_classes: bool = False

    @property
    def family(self) -> str:
        """Name of the family that the id's letter stands for."""
        return FAMILIES[self.id[0]]


def check(
    id: str,  # noqa: A002
    *,
    looks_at: str = "mesh",
    limits: tuple[str | Limit, ...] = (),
    needs: tuple[str, ...] | None = None,
    skips: Callable[[Any], str | None] | None = None,
    required_by: Callable[[Any], bool] | None = None,
    remedy: str | None = None,
    why_left: str | None = None,
    weighs_classes: bool = False,
) -> Callable[[Run], Check]:
    """Make a check out of a function; its docstring is what people read about it.

    Args:
        id: of the check.
        looks_at: what the function is given, by its name in `SUBJECTS`.
        limits: names of the policy's limits that it reads, or limits of its own, whose names begin with the name of
            its package and a dot.
        needs: conditions of its subject that must hold; by default those that nearly every check of it needs.
        skips: see `Check`; so are the others.
        required_by: see `Check`.
        remedy: see `Check`.
        why_left: see `Check`.
        weighs_classes: see `Check`.

    Raises:
        TypeError: the function has no docstring with a title and an explanation, or a name does not exist.
    """
    if not isinstance(id, str):
        raise TypeError(f"the id of a check is a string, not {type(id).__name__}")
    if looks_at not in SUBJECTS:
        raise TypeError(f"check {id} looks at {looks_at!r}; there are {', '.join(SUBJECTS)}")
    subject = SUBJECTS[looks_at]
    needed = subject.usual_needs if needs is None else needs
    for need in needed:
        if need not in subject.conditions:
            raise TypeError(
                f"check {id} needs {need!r}; what {looks_at} can be asked is {', '.join(subject.conditions)}"
            )

    def registered(run: Run) -> Check:
        title, _, explanation = inspect.cleandoc(run.__doc__ or "").partition("\n")
        if not title or not explanation.strip():
            raise TypeError(f"check {id} needs a docstring with a title and an explanation")
        return Check(
            id=id,
            title=title.rstrip("."),
            explanation=explanation.strip(),
            looks_at=looks_at,
            run=run,
            limits=_table(id, limits),
            needs=needed,
            skips=skips,
            required_by=required_by,
            remedy=remedy,
            why_left=why_left,
            weighs_classes=weighs_classes,
        )

    return registered


def _table(id: str, limits: tuple[str | Limit, ...]) -> Mapping[str, Limit]:  # noqa: A002
    """Name -> limit."""
    unknown = [limit for limit in limits if isinstance(limit, str) and limit not in LIMITS]
    if unknown:
        raise TypeError(f"check {id} reads limit {unknown[0]!r}, which does not exist")
    read = [LIMITS[limit] if isinstance(limit, str) else limit for limit in limits]
    for limit in read:
        if limit.name not in LIMITS and isinstance(limit.bound, str) and limit.bound not in LIMITS:
            raise TypeError(f"check {id}: the bound of {limit.name} is a limit of its own; give that, not its name")
    read += [limit.bound for limit in read if isinstance(limit.bound, Limit)]
    return MappingProxyType({limit.name: limit for limit in read})
