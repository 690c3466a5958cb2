"""Numbers out of text against Python's own float, and rows of text against a naive reader."""

from __future__ import annotations

import random
import struct
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshguard.errors import ReadError
from meshguard.io.numerals import exact_number
from meshguard.io.ply.body import settle
from meshguard.kernels import text

HARD = [
    "0", "-0", "0.0", "-0.0e5", "1", "+1", ".5", "5.", "-.5e-3", "1e0", "1E+5", "1d5", "1D-3", "007", "0e999999999999",
    "9007199254740992", "9007199254740993", "9007199254740994", "9007199254740995", "9007199254740991e22", "1e22",
    "1e23", "8.5e22", "1.7976931348623157e308", "1.7976931348623158e308", "1.7976931348623159e308", "1e309", "1e400",
    "2.2250738585072014e-308", "2.2250738585072011e-308", "2.225073858507201e-308", "4.9406564584124654e-324",
    "2.4703282292062327e-324", "2.4703282292062328e-324", "1e-324", "1e-400", "0." + "0" * 400 + "1e400", "1" * 400,
    "1" * 400 + "e-399", "18446744073709551615", "18446744073709551616", "9999999999999999999", "10000000000000000000",
    "99999999999999999999", "0.1", "0.3", "123456789012345678.9", "7.2057594037927933e16",
    "1.00000000000000011102230246251565",
    "1.00000000000000011102230246251565404236316680908203125",
    "1.00000000000000011102230246251565404236316680908203124",
    "1.00000000000000011102230246251565404236316680908203126", "6929495644600919.5", "3.7455744005952583e15",
    "5e-324", "9.5e-323", "1e-310",
]  # fmt: skip

SINGLES = [
    "16777217", "16777219", "16777217.0000000000000001", "16777216.9999999999999999", "1.000000059604644775390625",
    "1.0000000596046447753906251", "1.0000000596046447753906249", "1.000000178813934326171875", "3.4028235677973366e38",
    "3.40282356779733661637539395458142568447e38", "3.4028235677973366163753939545814256844e38", "3.5e38", "1e39",
    "1.401298464324817e-45", "7.006492321624085e-46", "7.00649232162408535461864791644958065640e-46",
    "7.0064923216240853546186479164495806564013097093825788587853e-46", "7.1e-46", "1e-50", "1.1754943508222875e-38",
    "1.17549429e-38", "0.1", "-16777217.0000000000000000001", "8388608.5", "8388609.5",
]  # fmt: skip


def _numbers(tokens: list[str], code: int = text.SCALAR) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Tokens, one a line, through the kernel and what settles the rest."""
    content = ("\n".join(tokens) + "\n").encode()
    codes = np.array([code], np.int8)
    codes.flags.writeable = False
    values = np.empty((len(tokens), 1))
    notes = np.zeros(text.NOTES, np.int64)
    nothing = np.empty(0, np.int32), np.empty(0, np.int64)
    text.text_rows(np.frombuffer(content, np.uint8), codes, 0, len(tokens), values, *nothing, notes)
    assert notes[text.ROWS] == len(tokens)
    settle(content, values, np.array([code == text.SINGLE]))
    return values[:, 0]


def _singles(tokens: list[str]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Tokens as a `float` property holds them."""
    with np.errstate(over="ignore"):
        return _numbers(tokens, text.SINGLE).astype(np.float32).astype(np.float64)


def _single(token: str) -> float:
    """The float32 nearest to a decimal, found without the double between: ties go to the even neighbour."""
    exact = abs(Fraction(token))
    guess = np.float32(min(float(exact), 3.4028234663852886e38))
    with np.errstate(over="ignore"):
        above = np.nextafter(guess, np.float32(np.inf))
    near = [guess, np.nextafter(guess, np.float32(0)), above]
    places = [Fraction(2**128) if np.isinf(one) else Fraction(float(one)) for one in near]
    best = min(range(3), key=lambda k: (abs(places[k] - exact), int(near[k].view(np.uint32)) & 1))
    return -float(near[best]) if token.startswith("-") else float(near[best])


def _same(found: np.ndarray[tuple[int], np.dtype[np.float64]], expected: list[float]) -> None:
    np.testing.assert_array_equal(found.view(np.uint64), np.array(expected).view(np.uint64))


def test_hard_decimals_are_the_doubles_that_python_reads() -> None:
    tokens = [*HARD, *("-" + token for token in HARD if token[0] not in "+-")]
    _same(_numbers(tokens), [float(token.lower().replace("d", "e")) for token in tokens])


def test_random_decimals_are_the_doubles_that_python_reads() -> None:
    chance = random.Random(7)  # noqa: S311
    tokens = []
    for _ in range(20_000):
        digits = "".join(chance.choice("0123456789") for _ in range(chance.choice([1, 3, 8, 17, 18, 19, 20, 21, 30])))
        point = chance.randint(0, len(digits))
        token = chance.choice(["", "-", "+"]) + digits[:point] + "." + digits[point:]
        if chance.random() < 0.6:
            token += f"e{chance.choice([chance.randint(-30, 30), chance.randint(-345, 312)])}"
        tokens.append(token)
        double = struct.unpack("<d", chance.randbytes(8))[0]
        if np.isfinite(double):
            tokens += [repr(double), f"{double:.17g}", f"{double:.25e}"]
        # Exactly halfway between two doubles, and one digit beside.
        odd = 2 * (chance.getrandbits(52) | 1 << 52) + 1
        tokens += [
            str(odd),
            f"{odd}.0000000000000000000001",
            f"{odd - 1}.9999999999999999999999",
            str(odd * 5**4) + "e-4",
        ]
    _same(_numbers(tokens), [float(token) for token in tokens])


def test_singles_are_rounded_once() -> None:
    _same(_singles(SINGLES), [_single(token) for token in SINGLES])


def test_random_singles_are_rounded_once() -> None:
    chance = random.Random(8)  # noqa: S311
    tokens = []
    for _ in range(3_000):
        single = np.uint32(chance.getrandbits(31)).view(np.float32)
        if not np.isfinite(single):
            continue
        with np.errstate(over="ignore"):
            above = np.nextafter(single, np.float32(np.inf))
        with localcontext() as context:
            context.prec = 400
            middle = (Decimal(float(single)) + Decimal(float(above))) / 2 if np.isfinite(above) else Decimal(1)
        tokens += [f"{middle:f}", f"{middle:f}1" if "." in f"{middle:f}" else f"{middle:f}.1", f"{float(single):.9g}"]
    _same(_singles(tokens), [_single(token) for token in tokens])


@settings(deadline=None)
@given(st.floats(allow_nan=False), st.integers(0, 25))
def test_what_is_printed_is_what_is_read(value: float, digits: int) -> None:
    tokens = [repr(value), f"{value:.{digits}e}", f"{value:.{digits}g}"]
    _same(_numbers(tokens), [float(token) for token in tokens])


@pytest.mark.parametrize(
    ("token", "value"),
    [
        ("inf", np.inf), ("+inf", np.inf), ("-inf", -np.inf), ("Infinity", np.inf), ("-INF", -np.inf),
        ("1.#INF", np.inf),
        ("-1.#INF", -np.inf), ("1.#INF00", np.inf), ("nan", np.nan), ("NaN", np.nan), ("-nan(ind)", np.nan),
        ("nan(snan)", np.nan), ("1.#QNAN", np.nan), ("-1.#IND", np.nan), ("1.#QNAN0", np.nan), ("-1.#IND00", np.nan),
    ],
)  # fmt: skip
def test_what_c_libraries_print_for_no_number(token: str, value: float) -> None:
    np.testing.assert_array_equal(_numbers([token, "2"]), [value, 2.0])


@pytest.mark.parametrize(
    "token", ["abc", "1e", "1e+", "-", "+", ".", "1.2.3", "1_000", "0x10", "1,5", "--1", "e5", "½"]
)
def test_garbage_is_refused_with_its_offset(token: str) -> None:
    with pytest.raises(ReadError, match="expected a number") as caught:
        _numbers(["1", token, "2"])
    assert caught.value.offset == 2


def test_a_long_token_is_not_quoted() -> None:
    name = "PatientNameThatIsQuiteLong"
    with pytest.raises(ReadError) as caught:
        exact_number(name.encode(), 0, single=False)
    assert name not in str(caught.value)
    assert caught.value.got == "a word of 26 letters"


def test_rows_count_what_is_irregular() -> None:
    content = b"\n1 2\ncomment hello\n# hi\n3\n4\n5 6 7 8 # more\r\n\r\n9 10"
    codes = np.array([text.SCALAR, text.SCALAR], np.int8)
    codes.flags.writeable = False
    values = np.empty((9, 2))
    notes = np.zeros(text.NOTES, np.int64)
    nothing = np.empty(0, np.int32), np.empty(0, np.int64)
    text.text_rows(np.frombuffer(content, np.uint8), codes, 0, 9, values, *nothing, notes)
    assert notes[text.ROWS] == 4
    np.testing.assert_array_equal(values[:4], [[1, 2], [3, 4], [5, 6], [9, 10]])
    assert list(notes[[text.BLANK, text.COMMENT, text.WRAPPED, text.EXTRA]]) == [2, 2, 1, 1]
    assert notes[text.END] == len(content)


def test_kernels_have_one_signature() -> None:
    for entry in (text.text_rows, text.stl_facets):
        assert len(getattr(entry, "signatures", [])) <= 1
