"""What a limit is: a threshold with its meaning and source, and the fraction of a mesh that may bound it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

UNITS = ("mm", "mm2", "mm3", "deg", "um", "bytes", "s")
"""Units of limits, as the last word of a limit's name spells them."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A threshold that a check or a step of repair asks the policy for.

    Attributes:
        name: what a policy calls it, with the unit at the end; a limit of another package has that package's name
            and a dot before it (`acme.gum_band_mm`).
        default: its value under the policy `scan`.
        meaning: one sentence.
        source: where the value comes from: authors, year and DOI; or "proposal" where no published figure decides it,
            and what it was tuned on.
        direction: what happens beyond the value, the words before it in a sentence: "dropped below", "an error above";
            "" where there are none.
        bound: for a limit in mm or mm2 that is never more than a fraction of the mesh, the limit that is this fraction:
            by its name, or the limit itself where it is that of another package.
    """

    name: str
    default: float
    meaning: str
    source: str = field(default="proposal", kw_only=True)
    direction: str = field(default="", kw_only=True)
    bound: str | Limit | None = field(default=None, kw_only=True)

    @property
    def unit(self) -> str:
        """The last word of the name, where that is a unit; "" for a ratio or a count."""
        unit = self.name.rpartition("_")[2]
        return unit if unit in UNITS else ""

    @property
    def whole(self) -> str:
        """The stat of a mesh that `bound` is a fraction of: its area for an area, its diagonal for a length."""
        return "area_mm2" if self.name.endswith("_mm2") else "diagonal_mm"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """A limit that is never more than a fraction of the mesh.

    Attributes:
        limit: in mm or mm2.
        fraction: of the mesh's diagonal or area.
    """

    limit: float
    fraction: float

    def within(self, size: float) -> float:
        """The limit for a mesh with this diagonal (mm) or area (mm2)."""
        return min(self.limit, self.fraction * size)


def by_name(*limits: Limit) -> Mapping[str, Limit]:
    """A table of limits under their own names, in the order given.

    Raises:
        ValueError: two limits have the same name.
    """
    table = {limit.name: limit for limit in limits}
    if len(table) < len(limits):
        raise ValueError("two limits have the same name")
    return MappingProxyType(table)
