"""Commas in the numbers of a text STL: between numbers, or in place of decimal points. Read where only one is possible.

Programs write them under a locale or a template of their own: `0.5, 1.5, 2.5` or `0,5 1,5 2,5`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from meshguard.io.numerals import is_number
from meshguard.mesh import Irregularity

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORD = re.compile(rb"\S+")
_NUMERIC = re.compile(rb"[-+]?(?:[\d.,;]|nan|inf)", re.IGNORECASE)
_SEPARATED = re.compile(rb"([^\s,;]+)(\s*[,;]\s*|\s+)([^\s,;]+)(\s*[,;]\s*|\s+)([^\s,;]+)\s*[,;]?")
_THOUSANDS = re.compile(rb"[-+]?[1-9]\d{0,2},\d{3}")
_MOST_WORDS = 16


class _Triple(NamedTuple):
    """The words after `vertex` or `normal`: where they begin and end, and whether the text ends with them."""

    start: int
    end: int
    is_last: bool


def has_commas(content: bytes) -> bool:
    """Whether a number of the text may have a comma or a semicolon."""
    return any(b"," in content[t.start : t.end] or b";" in content[t.start : t.end] for t in _triples(content))


def without_commas(content: bytes) -> tuple[bytes, Irregularity] | None:
    """The text with blanks between numbers and points in them, at unchanged offsets, and an F103 that says so.

    None where it is not certain which of the two the commas are: all triples of numbers must agree. Decimal commas
    are certain only if no number has a point, and if not all of them could separate thousands.
    """
    triples = [(content[t.start : t.end], t) for t in _triples(content)]
    marked = [(raw, t) for raw, t in triples if b"," in raw or b";" in raw]
    complete = [raw for raw, t in marked if not t.is_last]
    if not complete:
        return None
    out = bytearray(content)
    if all(map(_is_separated, complete)):
        message = "Numbers are separated by commas or semicolons; these are read as blanks."
        for raw, t in marked:
            out[t.start : t.end] = raw.translate(_AS_BLANKS)
    elif all(map(_is_decimal, complete)) and _is_certain(raw for raw, t in triples if not t.is_last):
        message = "Numbers are written with decimal commas; these are read as decimal points."
        for raw, t in marked:
            out[t.start : t.end] = _with_points(raw)
    else:
        return None
    return bytes(out), Irregularity(check="F103", message=message, offset=marked[0][1].start, count=len(marked))


_AS_BLANKS = bytes.maketrans(b",;", b"  ")
_AS_POINTS = bytes.maketrans(b",;", b". ")


def _triples(content: bytes) -> Iterator[_Triple]:
    """The runs of numbers that follow `vertex` or `normal`."""
    start = end = -1
    wanted = words = 0
    for match in _WORD.finditer(content):
        if wanted:
            if words < _MOST_WORDS and _NUMERIC.match(match[0]):
                start, end, words = match.start() if start < 0 else start, match.end(), words + 1
                continue
            if start >= 0:
                yield _Triple(start, end, False)
        wanted, words, start = match[0].lower() in (b"vertex", b"normal"), 0, -1
    if wanted and start >= 0:
        yield _Triple(start, end, True)


def _is_separated(raw: bytes) -> bool:
    """Three numbers with a comma or semicolon after the first and the second."""
    match = _SEPARATED.fullmatch(raw)
    if match is None or not all(map(is_number, match.group(1, 3, 5))):
        return False
    return bool(match[2].strip()) == bool(match[4].strip())


def _with_points(raw: bytes) -> bytes:
    """Decimal commas as points; a comma or semicolon at the end of a number as a blank."""
    return re.sub(rb",(?=[\s;]|$)", b" ", raw).translate(_AS_POINTS)


def _is_decimal(raw: bytes) -> bool:
    """Three numbers between blanks or semicolons, each with one comma at most and no point."""
    words = _with_points(raw).split()
    return len(words) == 3 and all(map(is_number, words)) and b"." not in raw


def _is_certain(triples: Iterator[bytes]) -> bool:
    """Whether decimal commas are: no number has a point, and some comma cannot separate thousands."""
    certain = False
    for raw in triples:
        for word in re.split(rb"[\s;]+", raw):
            number = word.rstrip(b",")
            if b"." in number and b"#" not in number:
                return False
            certain = certain or (b"," in number and not _THOUSANDS.fullmatch(number))
    return certain
