"""The checks: each finds one kind of defect and has a permanent id; `CATALOGUE` has meshguard's own, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshguard.checks import (
    file,
    geometry,
    label_boundaries,
    label_regions,
    labels,
    layers,
    surface,
    tooth_numbers,
    tooth_sizes,
    topology,
)
from meshguard.checks.plugins import Plugins, found_plugins, plugin_failed
from meshguard.checks.registry import FAMILIES, Check
from meshguard.errors import PolicyError
from meshguard.policy import CLASSES, LIMITS, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshguard.policy import Policy

_MODULES = (
    file,
    topology,
    geometry,
    surface,
    layers,
    labels,
    label_regions,
    label_boundaries,
    tooth_numbers,
    tooth_sizes,
)

CATALOGUE: tuple[Check, ...] = tuple(
    sorted(
        (check for module in _MODULES for check in module.CHECKS),
        key=lambda check: (list(FAMILIES).index(check.id[0]), check.id),
    )
)

__all__ = ["CATALOGUE", "Check", "every_check", "installed_plugins", "plugin_failed", "refuse_unknown_names"]


def installed_plugins() -> Plugins:
    """Checks that other packages add, loaded when this is first called."""
    return found_plugins(CATALOGUE)


def every_check() -> tuple[Check, ...]:
    """All checks that the report of one mesh can have: meshguard's own, those of plugins, and the one about plugins."""
    return (*CATALOGUE, plugin_failed, *installed_plugins().checks)


def refuse_unknown_names(policy: Policy) -> None:
    """Refuse a policy that names a check, a class of intersections, or a limit of a plugin that does not exist.

    Plugins are loaded only where meshguard's own checks do not have the name.

    Raises:
        PolicyError: with the nearest that exists.
    """
    built_in = (*CATALOGUE, plugin_failed)
    if next(_unknown(policy, built_in), None) is not None:
        for name, message in _unknown(policy, every_check()):
            # A policy for a plugin goes on to work where plugins are left out, or one cannot be loaded.
            if not installed_plugins().may_bring(name):
                raise PolicyError(message)


def _unknown(policy: Policy, checks: tuple[Check, ...]) -> Iterator[tuple[str, str]]:
    """Each name in a policy that none of these checks has, and a sentence about it."""
    known = [check.id for check in checks]
    weighed = [*known, *(f"{check.id}:{name}" for check in checks if check.weighs_classes for name in CLASSES)]
    for names, keys in ((known, (*policy.select, *policy.ignore)), (weighed, tuple(policy.severities))):
        for key in keys:
            if not key or not any(name.startswith(key) for name in names):
                yield key, f"there is no check {key!r}{nearest(key, names)}"
    limits = {*LIMITS, *(name for check in checks for name in check.limits)}
    for name in policy.limits:
        if name not in limits:
            yield name, f"there is no limit {name!r}{nearest(name, limits)}"
