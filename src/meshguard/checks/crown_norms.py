"""Widths of crowns: the averages that the sizes of teeth are compared with."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from meshguard import fdi

if TYPE_CHECKING:
    from collections.abc import Mapping

PERMANENT: Mapping[str, tuple[tuple[float, float], ...]] = MappingProxyType(
    {
        "upper": ((8.5, 7.0), (6.5, 6.0), (7.5, 8.0), (7.0, 9.0), (7.0, 9.0), (10.0, 11.0), (9.0, 11.0), (8.5, 10.0)),
        "lower": ((5.0, 6.0), (5.5, 6.5), (7.0, 7.5), (7.0, 7.5), (7.0, 8.0), (11.0, 10.5), (10.5, 10.0), (10.0, 9.5)),
    }
)
"""Jaw -> mesiodistal and buccolingual diameter in mm, from the central incisor to the third molar: Wheeler's averages.

The upper incisors, second premolar and first molar were read from a copy of the table; the other figures are from
memory of it and count as a proposal. Sizes may differ by 35 %, several times as much as such a figure may be off.
"""

DECIDUOUS: Mapping[str, tuple[tuple[float, float], ...]] = MappingProxyType(
    {
        "upper": ((6.5, 5.0), (5.1, 4.0), (7.0, 7.0), (7.3, 8.5), (8.2, 10.0)),
        "lower": ((4.2, 4.0), (4.1, 4.0), (5.0, 4.8), (7.7, 7.0), (9.9, 8.7)),
    }
)
"""Average widths of deciduous crowns, as in `PERMANENT`, from the central incisor to the second molar: proposal, from
memory of Wheeler."""


WALL_MM = 2.0
"""Height of the walls in `area_of`."""


def norm_of(code: int) -> tuple[float, float]:
    """Mesiodistal and buccolingual width of a tooth, mm."""
    table = DECIDUOUS if fdi.is_deciduous(code) else PERMANENT
    return table[fdi.jaw_of(code)][fdi.position(code) - 1]


def area_of(code: int) -> float:
    """The area that a crown of the norm's widths would have, mm2, up to a factor: only ratios of such areas count.

    The biting surface and walls of height `WALL_MM`: measured in this way, the fully erupted crowns of four real arches
    differ by at most a third from their median.
    """
    mesiodistal, buccolingual = norm_of(code)
    return mesiodistal * buccolingual + 2 * WALL_MM * (mesiodistal + buccolingual)
