"""Crown shapes of the permanent teeth as heights over the arch: sizes, cusps, and the surface they make.

Crown widths are the Wheeler averages of the table in the docstring of `STANDARD_TEETH`; heights and cusp places are
proposals, chosen to look right. Everything here is a height field: a crown is a function of the position (p, q) on the
arch, p along it and q across it (buccal positive), so crowns cannot intersect themselves or each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping

Form = Literal["incisor", "canine", "premolar", "molar"]
Cusp = tuple[float, float, float]
Floats = npt.NDArray[np.float64]

_UPPER_INCISOR: tuple[Cusp, ...] = ()
_UPPER_PREMOLAR = ((0.0, 0.50, 0.0), (-0.06, -0.50, -0.5))
_LOWER_PREMOLAR = ((0.0, 0.42, 0.2), (-0.10, -0.55, -1.5))
_LOWER_SECOND_PREMOLAR = ((0.0, 0.48, 0.0), (-0.32, -0.52, -0.7), (0.36, -0.50, -0.9))
_UPPER_MOLAR = ((-0.40, 0.56, 0.0), (0.46, 0.54, -0.2), (-0.30, -0.52, -0.1), (0.52, -0.56, -0.7))
_UPPER_LAST_MOLAR = ((-0.40, 0.54, 0.0), (0.46, 0.50, -0.4), (-0.05, -0.54, -0.2))
_LOWER_FIRST_MOLAR = (
    (-0.56, 0.54, -0.1),
    (0.06, 0.60, -0.25),
    (0.62, 0.34, -0.6),
    (-0.44, -0.56, 0.1),
    (0.40, -0.56, 0.0),
)
_LOWER_MOLAR = ((-0.44, 0.55, -0.1), (0.46, 0.54, -0.3), (-0.44, -0.56, 0.1), (0.44, -0.56, -0.1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Crown:
    """The standard shape of one tooth type.

    Attributes:
        form: which family of shapes it belongs to.
        mesiodistal_mm: width along the arch.
        buccolingual_mm: width across the arch.
        height_mm: from the gum margin to the highest cusp or edge.
        cusps: (distal, buccal, height) of each cusp tip: the place as a share of the half width along and across, the
            height in mm relative to `height_mm`.
    """

    form: Form
    mesiodistal_mm: float
    buccolingual_mm: float
    height_mm: float
    cusps: tuple[Cusp, ...] = ()


def _crown(form: Form, sizes: tuple[float, float, float], cusps: tuple[Cusp, ...] = ()) -> Crown:
    return Crown(form=form, mesiodistal_mm=sizes[0], buccolingual_mm=sizes[1], height_mm=sizes[2], cusps=cusps)


STANDARD_TEETH: Mapping[str, tuple[Crown, ...]] = MappingProxyType(
    {
        "upper": (
            _crown("incisor", (8.5, 7.0, 9.8)),
            _crown("incisor", (6.5, 6.0, 8.8)),
            _crown("canine", (7.5, 8.0, 9.8)),
            _crown("premolar", (7.0, 9.0, 8.4), _UPPER_PREMOLAR),
            _crown("premolar", (7.0, 9.0, 8.0), _UPPER_PREMOLAR),
            _crown("molar", (10.0, 11.0, 7.4), _UPPER_MOLAR),
            _crown("molar", (9.0, 11.0, 7.0), _UPPER_MOLAR),
            _crown("molar", (8.5, 10.0, 6.6), _UPPER_LAST_MOLAR),
        ),
        "lower": (
            _crown("incisor", (5.0, 6.0, 8.6)),
            _crown("incisor", (5.5, 6.5, 8.8)),
            _crown("canine", (7.0, 7.5, 10.0)),
            _crown("premolar", (7.0, 7.5, 8.6), _LOWER_PREMOLAR),
            _crown("premolar", (7.0, 8.0, 8.0), _LOWER_SECOND_PREMOLAR),
            _crown("molar", (11.0, 10.5, 7.4), _LOWER_FIRST_MOLAR),
            _crown("molar", (10.5, 10.0, 7.0), _LOWER_MOLAR),
            _crown("molar", (10.0, 9.5, 6.8), _LOWER_MOLAR),
        ),
    }
)
"""Jaw -> the eight crowns from the midline backwards.

Widths in mm, mesiodistal x buccolingual (Wheeler averages as tabulated in what-when-how, table 1-1): upper 8.5x7.0,
6.5x6.0, 7.5x8.0, 7.0x9.0, 7.0x9.0, 10.0x11.0, 9.0x11.0, 8.5x10.0; lower 5.0x6.0, 5.5x6.5, 7.0x7.5, 7.0x7.5, 7.0x8.0,
11.0x10.5, 10.5x10.0, 10.0x9.5. Only the upper incisors, second premolar and first molar were checked against a second
source; the other widths, and all heights and cusps, are proposals.
"""

CUSP_SLOPE = 0.62
"""Slope of a cusp's flanks, mm per mm: an incline of about 32 degrees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tooth:
    """One tooth placed on the arch.

    Attributes:
        label: FDI number.
        crown: its shape, individual sizes included.
        centre_mm: its place along the arch, 0 at the midline, positive to the patient's right.
        offset_mm: its place across the arch, positive to the cheek or lip.
        rotation: about its long axis, radians.
        base_mm: height of its gum margin.
        distal: +1 if distal is the direction in which the arch coordinate grows, else -1.
    """

    label: int
    crown: Crown
    centre_mm: float
    offset_mm: float
    rotation: float
    base_mm: float
    distal: int


def crown_heights(tooth: Tooth, s: Floats, n: Floats) -> Floats:
    """Height of a crown's surface over the arch, in mm; far below the gum away from the tooth.

    Args:
        tooth: the tooth.
        s: place along the arch, mm; broadcast against `n`.
        n: place across the arch, mm, buccal positive.

    Returns:
        float64, the broadcast shape of `s` and `n`.
    """
    crown = tooth.crown
    cos, sin = np.cos(tooth.rotation), np.sin(tooth.rotation)
    along, across = s - tooth.centre_mm, n - tooth.offset_mm
    p = (cos * along + sin * across) * tooth.distal
    q = cos * across - sin * along
    # Neighbours overlap a little, so that they meet in a contact well above the gum.
    half_p, half_q = 0.535 * crown.mesiodistal_mm, 0.5 * crown.buccolingual_mm
    x, y = p / half_p, q / half_q
    if crown.form == "incisor":
        top, roundness, wall = _incisor_top(x, y, q, half_q, crown.height_mm), 2.5, 7.0
    elif crown.form == "canine":
        top, roundness, wall = _canine_top(x, y, p, q, half_q, crown.height_mm), 2.1, 6.0
    else:
        top, roundness, wall = _cusped_top(x, y, half_p, half_q, crown), 2.7, 7.0
        if crown.form == "premolar":
            roundness, wall = 2.3, 6.0
    radius_power = (np.abs(x) ** roundness + np.abs(y) ** roundness) ** (wall / roundness)
    heights: Floats = tooth.base_mm + np.maximum(top - crown.height_mm * radius_power, -40.0)
    return heights


def soft_maximum(first: Floats, second: Floats, *, width: float) -> Floats:
    """The larger of two heights, rounded where they are within about `width` mm of each other."""
    difference = first - second
    larger: Floats = 0.5 * (first + second + np.sqrt(difference * difference + width * width))
    return larger


def _incisor_top(x: Floats, y: Floats, q: Floats, half_q: float, height: float) -> Floats:
    """An edge along the tooth near the lip, a scooped lingual side and a cingulum."""
    edge = 0.30 * half_q
    behind = np.maximum(edge - q, 0.0)
    scoop = height - 0.15 * behind - 0.62 * height * (1.0 - np.exp(-((behind / (0.62 * half_q)) ** 1.6)))
    cingulum = 0.10 * height * np.exp(-((x / 0.45) ** 2) - ((y + 0.62) / 0.22) ** 2)
    corners = 0.05 * height * np.abs(x) ** 3
    front = 0.10 * np.maximum(q - edge - 0.2, 0.0) * height / half_q
    top: Floats = scoop + cingulum - corners - front
    return top


def _canine_top(x: Floats, y: Floats, p: Floats, q: Floats, half_q: float, height: float) -> Floats:
    """One pointed cusp with two sloping edges, a lingual ridge between two hollows, and a cingulum."""
    tip = 0.26 * half_q
    behind = np.maximum(tip - q, 0.0)
    point = height - 0.60 * (np.sqrt(p * p + 0.12) - np.sqrt(0.12))
    fall = 0.55 * height * (1.0 - np.exp(-((behind / (0.72 * half_q)) ** 1.5)))
    ridge = 0.06 * height * np.exp(-((x / 0.22) ** 2) - ((y + 0.15) / 0.4) ** 2)
    cingulum = 0.10 * height * np.exp(-((x / 0.5) ** 2) - ((y + 0.62) / 0.25) ** 2)
    front = 0.10 * np.maximum(q - tip, 0.0) * height / half_q
    top: Floats = point - fall + ridge + cingulum - front
    return top


def _cusped_top(x: Floats, y: Floats, half_p: float, half_q: float, crown: Crown) -> Floats:
    """Rounded cones, one for each cusp; where two meet there is a fissure. A ridge closes the table at each end."""
    top: Floats | None = None
    # Without ridges the cones would fall away at both ends; with them the table is as deep there as its deepest fossa.
    for distal, buccal, above in crown.cusps:
        dx, dy = (x - distal) * half_p, (y - buccal) * half_q
        distance = np.sqrt(dx * dx + dy * dy + 0.20) - np.sqrt(0.20)
        cone = crown.height_mm + above - CUSP_SLOPE * distance
        top = cone if top is None else soft_maximum(top, cone, width=0.12)
    if top is None:
        raise ValueError("a premolar or molar needs cusps")
    for end in (-0.74, 0.74):
        ridge = np.exp(-(((x - end) / 0.16) ** 2) - (y / 0.42) ** 2)
        top = top + 0.075 * crown.height_mm * ridge
    return top
