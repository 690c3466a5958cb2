"""The rare numbers in text that a kernel does not decide, read exactly; and what a token is that is not a number."""

from __future__ import annotations

import re
from decimal import Decimal

import numpy as np

from meshguard.errors import ReadError

_KEYWORDS = frozenset(b"solid facet normal outer loop vertex endloop endfacet endsolid element property".split())
_TOKEN = re.compile(rb"[^\s#]+")
_WORD = re.compile(rb"\S*")
_WITH_COMMAS = re.compile(rb"[-+\d.eE]*[,;][-+\d.,;eE]*")
_DECIMAL = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[edED][+-]?\d+)?")
_INFINITE = re.compile(rb"[+-]?(?:inf(?:inity)?|1\.#inf0*)", re.IGNORECASE)
_NAN = re.compile(rb"[+-]?(?:nan(?:\(\w*\))?|1\.#(?:[qs]nan|ind)\w*)", re.IGNORECASE)
_MICROSOFT = re.compile(rb"[+-]?1\.#[IiQqSs]\w*")


def exact_number(content: bytes, offset: int, *, single: bool) -> float:
    """The number whose token begins at `offset`, rounded once: to double, or to float32.

    Besides decimals, these are numbers: inf, infinity, nan, nan(...) and what old C libraries print (1.#INF, 1.#QNAN,
    1.#IND).

    Raises:
        ReadError: it is not a number.
    """
    token = _token(content, offset)
    if _INFINITE.fullmatch(token):
        return float("-inf") if token[:1] == b"-" else float("inf")
    if _NAN.fullmatch(token):
        return float("nan")
    if not _DECIMAL.fullmatch(token):
        raise ReadError(
            "a number is not readable", offset=offset, expected="a number", got=shown_token(content, offset)
        )
    decimal = token.lower().replace(b"d", b"e").decode()
    value = float(decimal)
    if not single or value == 0.0 or not np.isfinite(value):
        return value
    with np.errstate(over="ignore", under="ignore"):
        # Decimal to double to float32 rounds twice. That goes wrong only where the double is the midpoint of two
        # float32 and the decimal is not. Then the side on which the decimal lies decides.
        below, above = float(np.float32(np.nextafter(value, -np.inf))), float(np.float32(np.nextafter(value, np.inf)))
        middle = (np.clip(below, -(2.0**128), 2.0**128) + np.clip(above, -(2.0**128), 2.0**128)) / 2
        if middle == value and below != above:
            exact, rounded = Decimal(decimal), Decimal(value)
            if exact != rounded:
                return above if exact > rounded else below
        return float(np.float32(value))


def is_number(token: bytes) -> bool:
    """Whether `exact_number` reads a token."""
    return bool(_INFINITE.fullmatch(token) or _NAN.fullmatch(token) or _DECIMAL.fullmatch(token))


def shown_token(content: bytes, offset: int) -> str:
    """A token as an error shows it: by kind and length, never its text, which may be a name.

    The keywords of STL and PLY are of the format, not of the file, and are named.
    """
    token = _token(content, offset)
    if not token:
        return "the end of the text" if offset >= len(content) else "no token"
    if token.lower() in _KEYWORDS:
        return f"the keyword {token.lower().decode()}"
    if token.isalpha() and token.isascii():
        return f"a word of {len(token)} letter{'s' * (len(token) != 1)}"
    return f"{len(token)} other character{'s' * (len(token) != 1)}"


def unlike_text(content: bytes, offset: int) -> ReadError | None:
    """The cause where what is not a number shows one: binary data, or commas; else None."""
    token = _WORD.match(content, offset)
    if b"\x00" in content[offset : offset + 64]:
        reason = "the header says that the numbers are text, but they are not: the file is damaged"
        return ReadError(reason, offset=offset, expected="text", got="binary data")
    if token and _WITH_COMMAS.fullmatch(token[0]):
        return ReadError(
            "numbers are written with commas, which is read in STL only: export with decimal points and blanks",
            offset=offset,
            expected="numbers with decimal points, and blanks between them",
            got=shown_token(content, offset),
        )
    return None


def _token(content: bytes, offset: int) -> bytes:
    """The token at `offset`; a `#` ends it, except for the one in 1.#INF."""
    match = _MICROSOFT.match(content, offset) or _TOKEN.match(content, offset)
    return match.group() if match else b""
