"""Numbers as people read them: in plain digits with their units, never as powers of ten where digits can tell."""

from __future__ import annotations

import math

_SMALLEST, _LARGEST = 1e-9, 1e9
"""What lies beyond them is written as a power of ten: its digits would fill the line."""


LENGTHS = {"cm": ("centimetres", 10.0), "inch": ("inches", 25.4), "m": ("metres", 1000.0), "um": ("micrometres", 0.001)}
"""What a command calls a unit -> its name and its millimetres: those that a scan may have been written in."""


def number(value: float) -> str:
    """A count with its thousands separated."""
    return f"{int(value):,}"


def significant(value: float | None, digits: int = 4) -> str:
    """A number rounded to some significant digits, but never to less than whole ones: 0.0312, 2.093, 5,003.

    Args:
        value: None and what is not finite are said in words.
        digits: how many, zeros in front not counted; zeros at the end are left out.
    """
    if value is None or not math.isfinite(value):
        return "not a finite number"
    size = abs(value)
    if size >= _LARGEST or 0 < size < _SMALLEST:
        return f"{value:.{digits - 1}e}"
    decimals = 0 if size == 0 else max(0, digits - 1 - math.floor(math.log10(size)))
    text = f"{value + 0.0:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text


def quantity(value: float | None, unit: str, digits: int = 4) -> str:
    """A number and its unit, the degree sign without a space; a number that is not finite has none."""
    if value is None or not math.isfinite(value):
        return significant(value)
    return f"{significant(value, digits)}{'' if unit in ('', '°') else ' '}{unit}"
