"""Checks of other packages: found through an entry point group, loaded when first asked for, refused by name.

A package adds checks by an entry point of the group `meshguard.checks` that names a `Check`, several of them, or a
module with `CHECKS`. What another package does wrong never ends a validation: a plugin that cannot be loaded, adds what
it must not, or raises, becomes a finding (F111).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from meshguard.checks.clustering import fingerprint
from meshguard.checks.registry import FAMILIES, Check, check
from meshguard.checks.subjects import OF_PLUGINS, SUBJECTS
from meshguard.policy import LIMITS
from meshguard.report import Finding, Severity

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "meshguard.checks"
"""The entry point group."""

SWITCH = "MESHGUARD_PLUGINS"
"""Environment variable; 0 leaves all plugins out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What went wrong with a plugin. It names the plugin and kinds only: an error's text may quote a file.

    Attributes:
        plugin: name of its entry point.
        what: what went wrong, the rest of a sentence that begins with the plugin.
    """

    plugin: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugins:
    """What was found.

    Attributes:
        checks: of all plugins, by the plugins' names, each in its own order.
        origin: check id -> name of the plugin that adds it.
        failures: plugins that were refused or could not be loaded.
        are_left_out: whether none was looked for.
    """

    checks: tuple[Check, ...] = ()
    origin: dict[str, str]
    failures: tuple[Failure, ...] = ()
    are_left_out: bool = False

    def may_bring(self, name: str) -> bool:
        """Whether a check id or a limit's name may be that of a plugin that is left out or failed."""
        is_of_a_plugin = "." in name or re.match("[A-Z]9", name) is not None
        return is_of_a_plugin and (self.are_left_out or bool(self.failures))


def found_plugins(core: tuple[Check, ...]) -> Plugins:
    """The plugins that are installed, found once; none where the environment variable leaves them out.

    Args:
        core: meshguard's own checks, whose ids and limits no plugin may use.
    """
    if os.environ.get(SWITCH) == "0":
        return Plugins(origin={}, are_left_out=True)
    return _installed(core)


@cache
def _installed(core: tuple[Check, ...]) -> Plugins:
    from importlib.metadata import entry_points

    points = sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))
    taken = {check.id: "meshguard" for check in (*core, plugin_failed)}
    limits = {name: "meshguard" for check in core for name in check.limits}
    checks: list[Check] = []
    failures: list[Failure] = []
    for point in points:
        brought = _loaded(point)
        what = brought if isinstance(brought, str) else _why_refused(brought, taken, limits)
        if isinstance(brought, str) or what is not None:
            failures.append(Failure(plugin=point.name, what=str(what)))
            continue
        taken |= {check.id: point.name for check in brought}
        limits |= {name: point.name for check in brought for name in check.limits if "." in name}
        checks += brought
    origin = {check.id: taken[check.id] for check in checks}
    return Plugins(checks=tuple(checks), origin=origin, failures=tuple(failures))


def _loaded(point: EntryPoint) -> list[Check] | str:
    """The checks that an entry point names, or why there are none."""
    try:
        named = point.load()
        if isinstance(named, ModuleType):
            named = named.CHECKS
        brought = [named] if isinstance(named, Check) else list(named) if isinstance(named, Iterable) else [named]
    except (Exception, SystemExit) as error:  # noqa: BLE001 (whatever another package raises while it loads)
        return f"could not be loaded ({type(error).__name__})"
    if not all(isinstance(item, Check) and isinstance(item.id, str) for item in brought):
        return "contains something that is not a check"
    return brought


def _why_refused(brought: list[Check], taken: dict[str, str], limits: dict[str, str]) -> str | None:
    """Why checks of a plugin are refused, or None."""
    seen: set[str] = set()
    for new in brought:
        if new.id in taken or new.id in seen:
            return f"adds check {new.id}, which {taken.get(new.id, 'it')} already has"
        if not re.fullmatch(r"[A-Z]9[0-9]{2}", new.id) or new.id[0] not in FAMILIES:
            return f"adds a check whose id is not the letter of a family and a number from 900 to 999: {new.id[:8]}"
        if new.looks_at not in SUBJECTS or new.looks_at == OF_PLUGINS:
            return f"adds check {new.id}, which looks at something that does not exist"
        seen.add(new.id)
        for name, limit in new.limits.items():
            if "." in name and name in limits:
                return f"adds limit {name}, which {limits[name]} already has"
            if "." not in name and LIMITS.get(name) is not limit:
                return f"adds a limit whose name does not begin with a package and a dot: {name[:30]}"
    return None


@check("F111", looks_at=OF_PLUGINS, remedy="update or remove the package that adds the checks, or leave plugins out")
def plugin_failed(failures: tuple[Failure, ...]) -> Iterable[Finding]:
    """Plugin failed.

    A package that adds checks could not be loaded, was refused, or one of its checks raised an error. The other checks
    ran; what that plugin looks for was not checked. It is a warning, since not everything was looked at, but says
    nothing about the file or the mesh. This check is in a report only where a plugin failed. Update or remove the
    package, or leave plugins out (`--no-plugins`).
    """
    for failure in failures:
        yield Finding(
            check="F111",
            severity=Severity.WARNING,
            message=f"Plugin {failure.plugin} {failure.what}.",
            element="file",
            indices=np.empty(0, np.int32),
            count=1,
            location=None,
            fingerprint=fingerprint("F111", failure.plugin, failure.what),
        )
