"""Policy: which checks run, their limits and severities, and what counts as failing.

Limits are lengths in mm, areas in mm2 and angles in degrees. A limit that deletes, fills or welds is a `Tolerance`: a
length or area that is never more than a fraction of the mesh, so that a scan in centimetres or a model of unit size is
not eaten.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from numbers import Real
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, TypeVar, get_args

from meshguard.errors import PolicyError
from meshguard.report import Safety, Severity

_T = TypeVar("_T")
Rim: TypeAlias = Literal["one", "any", "closed"]
Need: TypeAlias = Literal["optional", "required"]
Name: TypeAlias = Literal["weld", "short_edge", "separation", "hole", "rebuild", "floating_area"]


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
"""How two faces can intersect, by the number that kernels give; a policy can weigh each: `S102:touch_point`."""


WEIGHED = ("S102", "S107")
"""The checks whose severity depends on the class; they ask the policy for each class themselves."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A threshold of the policy.

    Attributes:
        default: its value under the policy `scan`.
        meaning: one sentence.
        source: where the value comes from; "proposal" where no published figure was found.
    """

    default: float
    meaning: str
    source: str = "proposal"


LIMITS: Mapping[str, Limit] = MappingProxyType(
    {
        "normal_angle_deg": Limit(45.0, "A stored normal disagrees when it is further than this from its face's."),
        "weld_mm": Limit(1e-3, "Vertices on a boundary closer than this belong together."),
        "weld_fraction": Limit(1e-5, "Upper bound of weld_mm, as a fraction of the mesh's diagonal."),
        "aspect": Limit(50.0, "A needle's longest edge is more than this times its shortest."),
        "cap_angle_deg": Limit(175.0, "A cap's largest angle is more than this."),
        "short_edge_mm": Limit(1e-3, "An edge shorter than this is short."),
        "short_edge_fraction": Limit(1e-5, "Upper bound of short_edge_mm, as a fraction of the mesh's diagonal."),
        "fold_angle_deg": Limit(170.0, "Two neighbours fold when their normals differ by more than this."),
        "size_min_mm": Limit(
            40.0, "The longest side of an arch's bounding box is at least this.", "derived from published arch widths"
        ),
        "size_max_mm": Limit(
            110.0, "The longest side of an arch's bounding box is at most this.", "derived from published arch widths"
        ),
        "separation_mm": Limit(0.005, "Repair moves a vertex at most this far to pull apart sheets that touch."),
        "separation_fraction": Limit(5e-5, "Upper bound of separation_mm, as a fraction of the mesh's diagonal."),
        "carve_fraction": Limit(
            0.01,
            "Where intersecting faces can only be taken away, those longer than this share of the diagonal are split "
            "first.",
        ),
        "solid_fraction": Limit(
            0.005,
            "Where a closed body can only be made anew, it is made in cells whose side is this share of the diagonal.",
        ),
        "rim_share": Limit(
            0.6,
            "A boundary loop is the rim of its sheet when its largest chord is at least this share of the sheet's "
            "extent (twice the largest distance of its vertices from their mean).",
            "tuned on real arches",
        ),
        "hole_diameter_mm": Limit(
            2.0,
            "An interior hole up to this diameter may be filled; a larger one is an error.",
            "derived: in a published study, rescanned holes of 2, 4 and 6 mm lowered a scan's accuracy",
        ),
        "hole_fraction": Limit(0.02, "Upper bound of hole_diameter_mm, as a fraction of the mesh's diagonal."),
        "rebuild_diameter_mm": Limit(
            4.0,
            "A piece of surface that intersects may be taken out and made anew up to the area of a disc this wide.",
        ),
        "rebuild_fraction": Limit(0.04, "Upper bound of rebuild_diameter_mm, as a fraction of the mesh's diagonal."),
        "max_pairs": Limit(1_000_000.0, "The search for intersecting faces stops after this many pairs, and says so."),
        "floating_area_mm2": Limit(20.0, "A floating piece smaller than this is debris that repair may drop."),
        "debris_fraction": Limit(
            0.05, "Where floating pieces below the limit are more than this share of the area, they are no debris."
        ),
        "floating_area_fraction": Limit(5e-3, "Upper bound of floating_area_mm2, as a fraction of the mesh's area."),
        "instance_share": Limit(
            0.05, "An instance and a label that disagree are an error when the lesser part is more than this share."
        ),
        "jaw_confidence": Limit(0.6, "The jaw that incisors look like counts from this confidence on, 0 to 1."),
        "label_part_mm2": Limit(
            0.1,
            "A stray piece of a label, or a hole in a tooth, with less area is only mentioned.",
            "derived: about four faces of a published scan of 40 faces/mm2 on teeth",
        ),
        "label_error_share": Limit(
            0.15, "A stray piece or hole is an error when it has more than this share of the tooth's area."
        ),
        "label_error_mm2": Limit(4.0, "A stray piece or hole is an error when it has more area than this."),
        "label_near_mm": Limit(
            1.5, "A stray piece of a label nearer to its tooth than this may be a part that something cuts off it."
        ),
        "label_speck_share": Limit(
            0.05,
            "Repair gives away a stray piece with less than this share of its tooth, however near it lies.",
            "proposal: islands below 5 % of a tooth's area are fixable",
        ),
        "order_mm": Limit(1.5, "Two teeth are out of order when they stand the wrong way round by more than this."),
        "order_error_mm": Limit(3.0, "Teeth out of order are an error when it is by more than this."),
        "size_share": Limit(
            0.35,
            "A crown's width may differ from the norm, scaled to the arch, by this share.",
            "derived: covers published means of upper incisors and canines (extracted teeth, both sexes)",
        ),
        "size_error_share": Limit(
            0.6, "A crown is an error when its width along the arch exceeds the scaled norm by more than this share."
        ),
        "size_area_share": Limit(
            0.5,
            "And when its area exceeds the scaled norm's, or its antimere's, by more than this share; a turned tooth's "
            "does not.",
            "tuned on real arches, whose crowns have up to 1.34 times the area; two as one have 1.6 and more",
        ),
        "shift_gain": Limit(
            0.1,
            "Numbers look shifted when the sizes of a side fit its neighbours' numbers better by this much (sum of "
            "squared logarithms of ratios).",
            "tuned on real arches and phantoms",
        ),
        "antimere_ratio": Limit(1.67, "The crown areas of a tooth and its antimere differ by less than this factor."),
        "ragged_ratio": Limit(
            1.25,
            "A border is ragged when it is longer than this times its length after smoothing.",
            "tuned on real arches, whose drawn borders have up to 1.17 by face and 1.31 by vertex",
        ),
        "ragged_face_share": Limit(
            0.28,
            "Where faces carry the labels, a ragged border strays by more than this share of their longest edges.",
            "tuned on real arches and phantoms, which have up to 0.27",
        ),
        "ragged_vertex_share": Limit(
            0.24,
            "Where vertices carry the labels, a ragged border strays by more than this share of the longest edges.",
            "tuned on real arches and phantoms, which have up to 0.24",
        ),
        "bleed_mm": Limit(
            0.9,
            "A label bleeds over its neighbour when the crease between them lies this far from the labels' border.",
            "tuned on real arches: beyond the width of the crease itself",
        ),
        "bridge_mm": Limit(
            0.2,
            "Surface that joins two teeth is a bridge when their walls beside it stand apart by more than this.",
            "derived: seven scanners bridged gaps of 0.1 to 0.4 mm in a published study, and one and a half faces of a "
            "raw scan, below which a gap is not told from a rounded valley, are 0.2 mm",
        ),
        "bridge_share": Limit(
            0.3,
            "A bridge is told when at least this share of the border between two teeth lies in a gap.",
            "tuned on real arches and phantoms, of which none has both this share and 1.5 mm in a gap",
        ),
        "bridge_sure_share": Limit(0.5, "A bridge is a warning, not a note, from this share of the border on."),
        "tooth_like_mm2": Limit(
            20.0, "Gum that stands as high as the middle of the crowns beside it looks like a tooth from this area on."
        ),
    }
)
"""Every limit by name: what it means, its default and the source of the default."""


_LARGEST_LIMIT = 1e300


@dataclass(frozen=True, slots=True)
class Tolerance:
    """A limit that is never more than a fraction of the mesh.

    Attributes:
        limit: in mm or mm2.
        fraction: of the mesh's diagonal or area.
    """

    limit: float
    fraction: float

    def within(self, whole: float) -> float:
        """The limit for a mesh whose diagonal (mm) or area (mm2) is `whole`."""
        return min(self.limit, self.fraction * whole)


_TOLERANCES = {
    "weld": ("weld_mm", "weld_fraction"),
    "short_edge": ("short_edge_mm", "short_edge_fraction"),
    "separation": ("separation_mm", "separation_fraction"),
    "hole": ("hole_diameter_mm", "hole_fraction"),
    "rebuild": ("rebuild_diameter_mm", "rebuild_fraction"),
    "floating_area": ("floating_area_mm2", "floating_area_fraction"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Which checks run, with which limits, and what counts as failing.

    Attributes:
        name: for people; the digest is what identifies a policy.
        select: check ids or prefixes that run ("T", "T1", "T101"); empty means all.
        ignore: check ids or prefixes that do not run -> the reason, shown in the report ("" if none is given).
        limits: limit name -> value; what is not named keeps its default.
        severities: check id or prefix -> severity of all its findings; the longest match wins.
        rim: which open boundary is legal: "one" rim for each sheet, "any" boundary, or none ("closed").
        labels: whether labels of teeth may be missing ("optional") or not ("required").
        max_safety: the most that repair may do.
        fail_on: a report is not `ok` from this severity on.

    Raises:
        PolicyError: a name or value that does not exist; ids are checked when the policy is used.
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
            fits = isinstance(given, (str, Iterable) if key in lists else Mapping)
            if not fits or not all(isinstance(name, str) for name in given):  # type: ignore[attr-defined]
                raise PolicyError(f"{key} of a policy names checks or limits by strings, not {given!r}")
        # A single id is a list of one, not a list of letters.
        select: str | Iterable[str] = self.select
        ignore: str | Iterable[str] | Mapping[str, str] = self.ignore
        put(self, "select", (select,) if isinstance(select, str) else tuple(select))
        ignore = (ignore,) if isinstance(ignore, str) else ignore
        reasons = ignore if isinstance(ignore, Mapping) else dict.fromkeys(ignore, "")
        put(self, "ignore", MappingProxyType({str(key): str(reason) for key, reason in reasons.items()}))
        for key, value in self.limits.items():
            if key not in LIMITS:
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

    def limit(self, name: str) -> float:
        """The value of a limit under this policy."""
        return self.limits.get(name, LIMITS[name].default)

    def tolerance(self, name: Name) -> Tolerance:
        """A limit together with the fraction of the mesh that bounds it."""
        limit, fraction = _TOLERANCES[name]
        return Tolerance(self.limit(limit), self.limit(fraction))

    def selects(self, check: str) -> bool:
        """Whether a check runs: selected, and not ignored by an id or prefix at least as long."""
        chosen = max((len(key) for key in self.select if check.startswith(key)), default=-1 if self.select else 0)
        refused = max((len(key) for key in self.ignore if check.startswith(key)), default=-1)
        return chosen >= 0 and chosen > refused

    def severity_of(self, check: str) -> Severity | None:
        """The severity this policy gives to all findings of a check, or None where the check decides."""
        keys = [key for key in self.severities if check.startswith(key)]
        return self.severities[max(keys, key=len)] if keys else None

    def replace(self, **changes: Any) -> Policy:
        """A copy with some fields changed."""
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, every limit with its value in force."""
        return {
            "name": self.name,
            "select": list(self.select),
            "ignore": dict(self.ignore),
            "limits": {key: self.limit(key) for key in LIMITS},
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

        Raises:
            PolicyError: an unknown key or value; the text names the nearest that exists.
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
        changes["limits"] = {**base.limits, **data.get("limits", {})}
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
    """The end of an error text: the known word nearest to one that is not, or all of them."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(known)}"


def _severity(word: object) -> Severity:
    """The severity of that name."""
    if isinstance(word, Severity):
        return word
    return _choice(word, {str(severity): severity for severity in Severity})


def _safety(word: object) -> Safety:
    """The safety of that name."""
    return word if isinstance(word, Safety) else _choice(word, {safety.value: safety for safety in Safety})


def _choice(word: object, known: Mapping[str, _T]) -> _T:
    """The value under that word, or a PolicyError that names the nearest."""
    if not isinstance(word, str) or word not in known:
        raise PolicyError(f"{word!r} is no value here{nearest(str(word), known)}")
    return known[word]


BUILT_IN: Mapping[str, Policy] = MappingProxyType(
    {
        # An open arch as a scanner gives it: one rim for each sheet is legal.
        "scan": Policy(name="scan"),
        # A closed solid for a printer: no boundary is legal, and repair may invent what closes it.
        "print": Policy(name="print", rim="closed", max_safety=Safety.INVENTIVE),
        # As `scan`, and every tooth must be labelled.
        "labelled": Policy(name="labelled", labels="required"),
        # Anything that is at all amiss fails.
        "strict": Policy(name="strict", fail_on=Severity.WARNING, max_safety=Safety.LOSSLESS),
    }
)
"""The policies that ship with meshguard, by name."""


def policy(source: str | Path | Policy) -> Policy:
    """The policy itself, a built-in one by its name, or one from a `.toml` file.

    Raises:
        PolicyError: no such policy; the text names the nearest.
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
