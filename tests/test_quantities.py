"""Numbers as people read them: plain digits, thousands separated, units, and no power of ten in a scan's range."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshguard.quantities import number, quantity, significant


@pytest.mark.parametrize(
    ("value", "digits", "said"),
    [
        (172.3, 2, "172"),
        (99.96, 2, "100"),
        (5003.2, 3, "5,003"),
        (1234.56, 4, "1,235"),
        (100_000.0, 4, "100,000"),
        (12, 4, "12"),
        (2.0, 4, "2"),
        (2.093, 4, "2.093"),
        (2.0931, 4, "2.093"),
        (0.35, 2, "0.35"),
        (0.0996, 2, "0.1"),
        (9.963e-5, 4, "0.00009963"),
        (4e-5, 2, "0.00004"),
        (1e-9, 2, "0.000000001"),
        (-171.25, 4, "-171.2"),
        (0.0, 4, "0"),
        (-0.0, 4, "0"),
        (1.5e12, 4, "1.500e+12"),
        (1e-12, 2, "1.0e-12"),
        (math.nan, 4, "not a finite number"),
        (-math.inf, 4, "not a finite number"),
        (None, 4, "not a finite number"),
    ],
)
def test_significant(value: float | None, digits: int, said: str) -> None:
    assert significant(value, digits) == said


@given(st.floats(1e-9, 1e9, exclude_max=True), st.integers(1, 6), st.sampled_from([1, -1]))
def test_it_is_plain_and_as_near_as_its_digits(size: float, digits: int, sign: int) -> None:
    value = sign * size
    said = significant(value, digits)
    unit = min(1.0, 10.0 ** (math.floor(math.log10(size)) - digits + 1))

    assert "e" not in said and not said.endswith(".")
    assert float(said.replace(",", "")) == pytest.approx(value, abs=0.5001 * unit)


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (1.5, "mm", "1.5 mm"),
        (1.5, "°", "1.5°"),
        (1.5, "", "1.5"),
        (5003.0, "mm²", "5,003 mm²"),
        (math.nan, "mm", "not a finite number"),
    ],
)
def test_quantity(value: float, unit: str, said: str) -> None:
    assert quantity(value, unit) == said


def test_digits_of_a_quantity() -> None:
    assert quantity(0.03456, "mm", 2) == "0.035 mm"


def test_a_count() -> None:
    assert number(12_345.0) == "12,345"
