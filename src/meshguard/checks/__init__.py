"""The checks: each finds one kind of defect and has a permanent id; `CATALOGUE` is all of them as they run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshguard.checks import borders, file, geometry, labels, surface, teeth, topology
from meshguard.checks.registry import Check
from meshguard.errors import PolicyError
from meshguard.policy import CLASSES, WEIGHED, nearest

if TYPE_CHECKING:
    from meshguard.policy import Policy

_OF_TEETH = sorted((*labels.CHECKS, *teeth.CHECKS, *borders.CHECKS), key=lambda check: check.id)

CATALOGUE: tuple[Check, ...] = (*file.CHECKS, *topology.CHECKS, *geometry.CHECKS, *surface.CHECKS, *_OF_TEETH)

__all__ = ["CATALOGUE", "Check", "refuse_unknown_checks"]


def refuse_unknown_checks(policy: Policy) -> None:
    """Refuse a policy that names a check, a prefix of checks, or a class of intersections that does not exist.

    Raises:
        PolicyError: with the nearest that exists.
    """
    known = [check.id for check in CATALOGUE]
    weighed = [*known, *(f"{check}:{name}" for check in WEIGHED for name in CLASSES)]
    for names, keys in ((known, (*policy.select, *policy.ignore)), (weighed, tuple(policy.severities))):
        for key in keys:
            if not key or not any(name.startswith(key) for name in names):
                raise PolicyError(f"there is no check {key!r}{nearest(key, names)}")
