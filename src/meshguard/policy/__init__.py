"""Policy: which checks run, their limits and severities, and what counts as failing.

Limits are lengths in mm, areas in mm2 and angles in degrees. Those about the mesh and those about teeth have a table
each; other packages may bring their own. A limit that deletes, fills or welds is a `Tolerance`: a length or area that
is never more than a fraction of the mesh, so that a scan in centimetres or a model of unit size is not destroyed.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from numbers import Real
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, TypeVar, get_args

from meshguard.errors import PolicyError
from meshguard.policy.dental_limits import DENTAL_LIMITS
from meshguard.policy.limit import Limit, Tolerance, by_name
from meshguard.policy.mesh_limits import MESH_LIMITS
from meshguard.report import LimitInForce, Safety, Severity

__all__ = [
    "BUILT_IN",
    "CLASSES",
    "LIMITS",
    "Limit",
    "Need",
    "Policy",
    "Rim",
    "Tolerance",
    "nearest",
    "policy",
]

_T = TypeVar("_T")
Rim: TypeAlias = Literal["one", "any", "closed"]
Need: TypeAlias = Literal["optional", "required"]


CLASSES = (
    "crossing",
    "overlap",
    "touch_point",
    "touch_segment",
    "fold",
    "vertex_crossing",
    "duplicate",
    "vertex_overlap",
)
"""How two faces can intersect, by the number in kernels; a policy can set a severity for each: `S102:touch_point`."""


LIMITS: Mapping[str, Limit] = by_name(*MESH_LIMITS.values(), *DENTAL_LIMITS.values())
"""Every limit of meshguard by name: what it means, its default and the source of the default."""


_LARGEST_LIMIT = 1e300


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Which checks run, with which limits, and what counts as failing.

    Attributes:
        name: for people; the digest is what identifies a policy.
        select: check ids or prefixes that run ("T", "T1", "T101"); empty means all.
        ignore: check ids or prefixes that do not run -> the reason, shown in the report ("" if none is given).
        limits: limit name -> value; limits that are not named keep their defaults. A name with a dot is a limit of
            another package.
        severities: check id or prefix -> severity of all its findings; the longest match wins.
        rim: which open boundary is allowed: "one" rim for each sheet, "any" boundary, or none ("closed").
        labels: whether labels of teeth may be missing ("optional") or not ("required").
        max_safety: the most that repair may do.
        fail_on: a report is not `ok` from this severity on.

    Raises:
        PolicyError: a name or value that does not exist; ids, and limits of other packages, are checked when the
            policy is used, because only then it is known which packages bring them.
    """

    name: str = "scan"
    select: tuple[str, ...] = ()
    ignore: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    severities: Mapping[str, Severity] = field(default_factory=dict)
    rim: Rim = "one"
    labels: Need = "optional"
    max_safety: Safety = Safety.LOCAL
    fail_on: Severity = Severity.ERROR

    def __post_init__(self) -> None:
        put = object.__setattr__
        if not isinstance(self.name, str):
            raise PolicyError(f"a policy's name is a string, not {self.name!r}")
        lists, tables = ("select", "ignore"), ("limits", "severities")
        for key in (*lists, *tables):
            given: object = getattr(self, key)
            has_type = isinstance(given, (str, Iterable) if key in lists else Mapping)
            if not has_type or not all(isinstance(name, str) for name in given):  # type: ignore[attr-defined]
                raise PolicyError(f"{key} of a policy names checks or limits by strings, not {given!r}")
        # A single id is a list of one, not a list of letters.
        select: str | Iterable[str] = self.select
        ignore: str | Iterable[str] | Mapping[str, str] = self.ignore
        put(self, "select", (select,) if isinstance(select, str) else tuple(select))
        ignore = (ignore,) if isinstance(ignore, str) else ignore
        reasons = ignore if isinstance(ignore, Mapping) else dict.fromkeys(ignore, "")
        put(self, "ignore", MappingProxyType({str(key): str(reason) for key, reason in reasons.items()}))
        for key, value in self.limits.items():
            if key not in LIMITS and "." not in key:
                raise PolicyError(f"there is no limit {key!r}{nearest(key, LIMITS)}")
            number: object = value
            if isinstance(number, bool) or not isinstance(number, Real) or not 0 <= float(number) <= _LARGEST_LIMIT:
                raise PolicyError(f"limit {key} must be a number of at least 0 and at most 1e300, not {value!r}")
        put(self, "limits", MappingProxyType({key: float(value) for key, value in self.limits.items()}))
        severities = {str(key): _severity(value) for key, value in self.severities.items()}
        put(self, "severities", MappingProxyType(severities))
        put(self, "fail_on", _severity(self.fail_on))
        put(self, "max_safety", _safety(self.max_safety))
        for key, word, kind in (("rim", self.rim, Rim), ("labels", self.labels, Need)):
            if word not in get_args(kind):
                raise PolicyError(f"{key} must be one of {', '.join(get_args(kind))}, not {word!r}")

    def __reduce__(self) -> tuple[object, ...]:
        return _policy, (
            self.name,
            self.select,
            dict(self.ignore),
            dict(self.limits),
            dict(self.severities),
            self.rim,
            self.labels,
            self.max_safety,
            self.fail_on,
        )

    def limit(self, limit: str | Limit) -> float:
        """The value of a limit under this policy.

        Args:
            limit: its name, or the limit itself: a limit of another package is not in `LIMITS`, and brings its default.

        Raises:
            PolicyError: there is no limit of that name.
        """
        name = limit.name if isinstance(limit, Limit) else limit
        return self.limits[name] if name in self.limits else _known(limit).default

    def tolerance(self, limit: str | Limit) -> Tolerance:
        """A limit together with the fraction of the mesh that bounds it.

        Raises:
            PolicyError: there is no limit of that name, or no fraction bounds it.
        """
        known = _known(limit)
        if known.bound is None:
            raise PolicyError(f"no fraction of the mesh bounds limit {known.name}; it only has a value")
        return Tolerance(self.limit(known), self.limit(known.bound))

    def in_force(self, limit: str | Limit, stats: Mapping[str, float]) -> LimitInForce:
        """A limit as it applies to a mesh: where a fraction of the mesh bounds it, it is never more than that.

        Args:
            limit: its name, or the limit itself, as for `limit`.
            stats: of the mesh, as in a report.

        Raises:
            PolicyError: there is no limit of that name.
        """
        known = _known(limit)
        size = stats.get(known.whole)
        is_bounded = known.bound is not None and bool(size)
        return LimitInForce(
            value=self.tolerance(known).within(float(size or 0.0)) if is_bounded else self.limit(known),
            unit=known.unit,
            direction=known.direction,
            meaning=known.meaning,
            source=known.source,
        )

    def selects(self, check: str) -> bool:
        """Whether a check runs: selected, and not ignored by an id or prefix at least as long."""
        selected = max((len(key) for key in self.select if check.startswith(key)), default=-1 if self.select else 0)
        ignored = max((len(key) for key in self.ignore if check.startswith(key)), default=-1)
        return selected >= 0 and selected > ignored

    def severity_of(self, check: str) -> Severity | None:
        """The severity this policy gives to all findings of a check, or None where the check decides."""
        keys = [key for key in self.severities if check.startswith(key)]
        return self.severities[max(keys, key=len)] if keys else None

    def replace(self, **changes: Any) -> Policy:
        """A copy with some fields changed."""
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, every limit with its value in force, and those of other packages that the policy sets."""
        return {
            "name": self.name,
            "select": list(self.select),
            "ignore": dict(self.ignore),
            "limits": {key: self.limit(key) for key in dict.fromkeys((*LIMITS, *self.limits))},
            "severities": {key: str(severity) for key, severity in self.severities.items()},
            "rim": self.rim,
            "labels": self.labels,
            "max_safety": self.max_safety.value,
            "fail_on": str(self.fail_on),
        }

    def digest(self) -> str:
        """SHA-256 of the policy as hexadecimal."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Policy:
        """A policy from plain data, as a TOML file holds it. `base` names a built-in policy to start from.

        Limits of another package may stand under its name: `{"acme": {"gum_band_mm": 2}}` is `acme.gum_band_mm`.

        Raises:
            PolicyError: an unknown key or value; the message names the nearest one that exists.
        """
        data = dict(data)
        base = _choice(data.pop("base", "scan"), BUILT_IN)
        known = {"name", "select", "ignore", "limits", "severities", "rim", "labels", "max_safety", "fail_on"}
        for key in data:
            if key not in known:
                raise PolicyError(f"a policy has no {key!r}{nearest(key, {*known, 'base'})}")
        for key, kind in (("limits", Mapping), ("severities", Mapping), ("select", list), ("ignore", (list, Mapping))):
            if key in data and not isinstance(data[key], kind):
                raise PolicyError(f"{key} of a policy is a {'table' if kind is Mapping else 'list'}")
        changes: dict[str, Any] = {"name": f"{base.name} (changed)", **data}
        changes["limits"] = {**base.limits, **_flat(data.get("limits", {}))}
        changes["severities"] = {**base.severities, **data.get("severities", {})}
        return base.replace(**changes)

    @classmethod
    def from_toml(cls, path: str | Path) -> Policy:
        """A policy from a TOML file.

        Raises:
            PolicyError: the file cannot be read, is not TOML, or names what does not exist.
        """
        try:
            return cls.from_dict(tomllib.loads(Path(path).read_text("utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise PolicyError(f"the policy file cannot be read: {error}") from error


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of an error message: the known word nearest to an unknown one, or all known words."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(known)}"


def _known(limit: str | Limit) -> Limit:
    """The limit of that name, or a PolicyError that names the nearest one."""
    if isinstance(limit, Limit):
        return limit
    if "." in limit:
        raise PolicyError(
            f"limit {limit!r} belongs to another package, and this policy does not set it: ask with its Limit"
        )
    if limit not in LIMITS:
        raise PolicyError(f"there is no limit {limit!r}{nearest(limit, LIMITS)}")
    return LIMITS[limit]


def _flat(limits: Mapping[str, Any]) -> dict[str, Any]:
    """Limits by their full names, where those of another package may stand in a table under its name."""
    pairs: list[tuple[str, Any]] = []
    for key, value in limits.items():
        # A table under a limit's own name is a wrong value, not a package.
        if isinstance(value, Mapping) and key not in LIMITS:
            pairs += [(f"{key}.{name}", number) for name, number in value.items()]
        else:
            pairs.append((key, value))
    for name, times in Counter(name for name, _ in pairs).items():
        if times > 1:
            raise PolicyError(f"limit {name} is given twice")
    return dict(pairs)


def _severity(word: object) -> Severity:
    """The severity of that name."""
    if isinstance(word, Severity):
        return word
    return _choice(word, {str(severity): severity for severity in Severity})


def _safety(word: object) -> Safety:
    """The safety of that name."""
    return word if isinstance(word, Safety) else _choice(word, {safety.value: safety for safety in Safety})


def _choice(word: object, known: Mapping[str, _T]) -> _T:
    """The value of that word, or a PolicyError that names the nearest one."""
    if not isinstance(word, str) or word not in known:
        raise PolicyError(f"{word!r} is not a value here{nearest(str(word), known)}")
    return known[word]


BUILT_IN: Mapping[str, Policy] = MappingProxyType(
    {
        # An open arch as a scanner makes it: one rim for each sheet is allowed.
        "scan": Policy(name="scan"),
        # A closed solid for a printer: no boundary is allowed, and repair may invent what closes it.
        "print": Policy(name="print", rim="closed", max_safety=Safety.INVENTIVE),
        # As `scan`, and every tooth must be labelled.
        "labelled": Policy(name="labelled", labels="required"),
        # Any warning fails, and repair may only make lossless changes.
        "strict": Policy(name="strict", fail_on=Severity.WARNING, max_safety=Safety.LOSSLESS),
    }
)
"""The policies that ship with meshguard, by name."""


def policy(source: str | Path | Policy) -> Policy:
    """The policy itself, a built-in one by its name, or one from a `.toml` file.

    Raises:
        PolicyError: no such policy; the message names the nearest one.
    """
    if isinstance(source, Policy):
        return source
    if not isinstance(source, (str, Path)):
        raise PolicyError(f"a policy is a Policy, the name of one, or a .toml file, not {source!r}")
    if isinstance(source, Path) or source.lower().endswith(".toml"):
        return Policy.from_toml(source)
    if source not in BUILT_IN:
        raise PolicyError(f"there is no policy {source!r}{nearest(source, BUILT_IN)}")
    return BUILT_IN[source]


def _policy(
    name: str,
    select: tuple[str, ...],
    ignore: Mapping[str, str],
    limits: Mapping[str, float],
    severities: Mapping[str, Severity],
    rim: Rim,
    labels: Need,
    max_safety: Safety,
    fail_on: Severity,
) -> Policy:
    """Rebuild a pickled policy, whose fields are keyword-only and partly read-only mappings."""
    return Policy(
        name=name,
        select=select,
        ignore=ignore,
        limits=limits,
        severities=severities,
        rim=rim,
        labels=labels,
        max_safety=max_safety,
        fail_on=fail_on,
    )
