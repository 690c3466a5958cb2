"""Numbers, words and lines in text: numbers exact to the last bit, at the speed of one pass over the bytes.

A decimal of at most 19 digits becomes the nearest double by Clinger's exact case (W. D. Clinger, "How to read floating
point numbers accurately", PLDI 1990) or by a 128-bit product with a truncated power of five (D. Lemire, "Number
parsing at a gigabyte per second", Software: Practice and Experience 51, 2021). A token that neither decides (more
digits in a close case, subnormals, inf, nan, anything that is not a number) is left to the caller: in its place stands
a quiet NaN whose low bits are the byte offset of the token plus one, see `deferred_offsets`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined

DEFERRED = 0x7FF8_0000_0000_0000
"""Bits of the quiet NaN to which the offset of a token that the caller must read, plus one, is added."""

_LOWEST, _HIGHEST = -342, 308


def _powers_of_five() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """The leading 128 bits of 5**q for q from −342 to 308, truncated (rounded up for q < 0), as two halves."""
    high = np.empty(_HIGHEST - _LOWEST + 1, np.uint64)
    low = np.empty_like(high)
    for q in range(_LOWEST, _HIGHEST + 1):
        power = 5 ** abs(q)
        if q >= 0:
            bits = power << 128 >> power.bit_length()
        else:
            size = (power - 1).bit_length()
            bits = (1 << (size + 127 if q >= -27 else 2 * size + 128)) // power + 1
            bits >>= max(0, bits.bit_length() - 128)
        high[q - _LOWEST], low[q - _LOWEST] = bits >> 64, bits & (2**64 - 1)
    high.flags.writeable = low.flags.writeable = False
    return high, low


_FIVES_HIGH, _FIVES_LOW = _powers_of_five()
_TENS = np.array([10.0**q for q in range(23)])
_TENS.flags.writeable = False


def packed_word(text: str) -> np.uint64:
    """A lower-case word of at most eight letters as `word_at` packs it."""
    return np.uint64(int.from_bytes(text.encode(), "big"))


def deferred_offsets(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """The offset of each deferred token in an array that a kernel wrote, or −1."""
    bits = values.view(np.int64)
    return np.where(np.isnan(values), (bits & ((1 << 51) - 1)) - 1, -1)


@inlined
def deferred(offset: int) -> float:
    """The NaN that stands for the deferred token at an offset."""
    return np.uint64(DEFERRED + offset + 1).view(np.float64)


@inlined
def _nearest(w: np.uint64, q: int) -> np.uint64:
    """The bits of the double nearest to w * 10**q, w > 0; all ones where this algorithm does not decide."""
    undecided = ~np.uint64(0)
    if q < _LOWEST or q > _HIGHEST:
        return undecided
    one = np.uint64(1)
    shift = 0
    step = 32
    while step > 0:
        if (w >> np.uint64(64 - step)) == np.uint64(0):
            w = w << np.uint64(step)
            shift += step
        step >>= 1
    half = np.uint64(32)
    mask = np.uint64(0xFFFFFFFF)
    high, low = np.uint64(0), np.uint64(0)
    for part in range(2):
        five = _FIVES_HIGH[q - _LOWEST] if part == 0 else _FIVES_LOW[q - _LOWEST]
        a0, a1, b0, b1 = w & mask, w >> half, five & mask, five >> half
        p00, p01, p10 = a0 * b0, a0 * b1, a1 * b0
        middle = (p00 >> half) + (p01 & mask) + (p10 & mask)
        upper = a1 * b1 + (p01 >> half) + (p10 >> half) + (middle >> half)
        if part == 0:
            high, low = upper, (middle << half) | (p00 & mask)
            if (high & np.uint64(0x1FF)) != np.uint64(0x1FF):
                break
        else:
            room = ~low
            if upper > room:
                low = upper - room - one
                high = high + one
            else:
                low = low + upper
    if low == undecided and (q < -27 or q > 55):
        return undecided
    top = high >> np.uint64(63)
    cut = top + np.uint64(9)
    mantissa = high >> cut
    power = ((217706 * q) >> 16) + 63 + np.int64(top) - shift + 1023
    if power <= 0 or power >= 2046:
        return undecided
    # Only with small powers can it be exactly halfway; then the even neighbour is right.
    if low <= one and -4 <= q <= 23 and (mantissa & np.uint64(3)) == one and (mantissa << cut) == high:
        mantissa = mantissa & ~one
    mantissa = (mantissa + (mantissa & one)) >> one
    if mantissa >= np.uint64(1 << 53):
        mantissa = np.uint64(1 << 52)
        power += 1
    return (mantissa & np.uint64((1 << 52) - 1)) | (np.uint64(power) << np.uint64(52))


@inlined
def byte_at(data: npt.NDArray[np.uint8], pos: int) -> int:
    """The byte at `pos`; an unsigned index spares the test for a negative one."""
    return np.int64(data[np.uint64(pos)])  # type: ignore[return-value]


@inlined
def is_blank(c: int) -> bool:
    """Whether a byte is white space within a line."""
    return c == 32 or c == 9 or c == 11 or c == 12


@inlined
def is_space(c: int) -> bool:
    """Whether a byte is white space or ends a line."""
    return c == 32 or 9 <= c <= 13


@inlined
def token_end(data: npt.NDArray[np.uint8], pos: int) -> int:
    """The offset after the token that stands at an offset."""
    while pos < len(data) and not is_space(byte_at(data, pos)):
        pos += 1
    return pos


@inlined
def number_at(data: npt.NDArray[np.uint8], pos: int) -> tuple[float, int]:
    """The number that starts at `pos`, and the offset after its token; a deferred NaN where it is not decided here."""
    start = pos
    end = len(data)
    c = byte_at(data, pos)
    negative = c == 45
    if negative or c == 43:
        pos += 1
    w = np.uint64(0)
    ten = np.uint64(10)
    exponent = 0
    first = pos
    c = byte_at(data, pos) if pos < end else 32
    while 48 <= c <= 57 and pos - first < 19:
        w = w * ten + np.uint64(c - 48)
        pos += 1
        c = byte_at(data, pos) if pos < end else 32
    digits = pos - first
    if c == 46:
        pos += 1
        point = pos
        c = byte_at(data, pos) if pos < end else 32
        while 48 <= c <= 57 and digits + pos - point < 19:
            w = w * ten + np.uint64(c - 48)
            pos += 1
            c = byte_at(data, pos) if pos < end else 32
        exponent = point - pos
        digits -= exponent
    rest = False
    if 48 <= c <= 57:
        w, exponent, rest, pos = _long_digits(data, first)
    seen = digits > 0
    if pos < end and seen:
        c = byte_at(data, pos) | 32
        if c == 101 or c == 100:  # e, and d as Fortran writes it
            pos += 1
            below = pos < end and byte_at(data, pos) == 45
            if below or (pos < end and byte_at(data, pos) == 43):
                pos += 1
            seen = False
            power = 0
            while pos < end and 48 <= byte_at(data, pos) <= 57:
                seen = True
                if power < 100_000:
                    power = power * 10 + (byte_at(data, pos) - 48)
                pos += 1
            exponent += -power if below else power
    if not seen or (pos < end and not is_space(byte_at(data, pos)) and not _is_comment_after_number(data, pos)):
        return deferred(start), token_end(data, pos)
    value = 0.0
    if w != np.uint64(0):
        if not rest and w <= np.uint64(1 << 53) and -22 <= exponent <= 22:
            value = np.float64(w)
            value = value * _TENS[exponent] if exponent >= 0 else value / _TENS[-exponent]
        else:
            bits = _nearest(w, exponent)
            if bits == ~np.uint64(0) or (rest and _nearest(w + np.uint64(1), exponent) != bits):
                return deferred(start), pos
            value = np.uint64(bits).view(np.float64)
    return (-value if negative else value), pos


@inlined
def _is_comment_after_number(data: npt.NDArray[np.uint8], pos: int) -> bool:
    """Whether a `#` begins a comment here, and is not the one in 1.#INF, 1.#IND, 1.#QNAN or 1.#SNAN."""
    if byte_at(data, pos) != 35:
        return False
    c = (byte_at(data, pos + 1) | 32) if pos + 1 < len(data) else 32
    return byte_at(data, pos - 1) != 46 or (c != 105 and c != 113 and c != 115)


@inlined
def _long_digits(data: npt.NDArray[np.uint8], pos: int) -> tuple[np.uint64, int, bool, int]:
    """The first 19 significant digits of a long number, and what goes with them.

    Returns:
        The digits, their power of ten, whether a digit other than 0 follows, and the offset after all digits.
    """
    end = len(data)
    ten = np.uint64(10)
    w = np.uint64(0)
    digits = 0
    exponent = 0
    rest = False
    fraction = False
    while pos < end:
        c = byte_at(data, pos)
        if c == 46 and not fraction:
            fraction = True
        elif c < 48 or c > 57:
            break
        elif digits < 19:
            w = w * ten + np.uint64(c - 48)
            if w != np.uint64(0):
                digits += 1
            if fraction:
                exponent -= 1
        else:
            rest = rest or c != 48
            if not fraction:
                exponent += 1
        pos += 1
    return w, exponent, rest, pos


@inlined
def rounds_twice(value: float) -> bool:
    """Whether a double may round to float32 unlike its decimal: at a midpoint, or below float32's normal range."""
    bits = np.float64(value).view(np.uint64)
    return (bits & np.uint64(0x1FFFFFFF)) == np.uint64(0x10000000) or (value != 0.0 and abs(value) < 1.1754944e-38)


@inlined
def word_at(data: npt.NDArray[np.uint8], pos: int) -> tuple[np.uint64, int, bool]:
    """A token's letters in lower case, packed; its end; and whether a letter was upper case.

    Packed is 0 for a token of more than eight characters or with any but letters and underscores.
    """
    packed = np.uint64(0)
    start = pos
    upper = False
    plain = True
    while pos < len(data) and not is_space(byte_at(data, pos)):
        c = byte_at(data, pos)
        if 65 <= c <= 90:
            upper = True
            c += 32
        elif c == 35:
            break
        plain = plain and (97 <= c <= 122 or c == 95)
        packed = (packed << np.uint64(8)) | np.uint64(c)
        pos += 1
    if not plain or pos - start > 8:
        return np.uint64(0), pos, False
    return packed, pos, upper


@inlined
def line_end(data: npt.NDArray[np.uint8], pos: int) -> int:
    """The offset of the line's first CR or LF, or the end."""
    while pos < len(data) and byte_at(data, pos) != 10 and byte_at(data, pos) != 13:
        pos += 1
    return pos


@inlined
def after_line(data: npt.NDArray[np.uint8], pos: int) -> int:
    """The start of the next line; CR LF is one line end."""
    pos = line_end(data, pos)
    if pos + 1 < len(data) and byte_at(data, pos) == 13 and byte_at(data, pos + 1) == 10:
        pos += 1
    return min(pos + 1, len(data))
