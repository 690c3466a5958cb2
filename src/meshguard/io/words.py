"""Lines of text as words and numbers, many at once: for formats that are read in Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from meshguard.errors import ReadError
from meshguard.io.numerals import is_number, shown_token, unlike_text
from meshguard.mesh import frozen_array

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMENT = re.compile(rb"#[^\n]*")
_NEWLINE, _BLANK = 10, 32


def counted_words(lines: list[bytes]) -> tuple[list[bytes], npt.NDArray[np.int32]]:
    """The words of some lines outside comments, in turn, and how many each line has: int32 (lines,)."""
    text = b"\n".join(lines)
    if b"#" in text:
        text = _COMMENT.sub(b"", text)
    data = np.frombuffer(text, np.uint8)
    is_blank = (data == _BLANK) | ((data >= 9) & (data <= 13))
    begins = ~is_blank
    begins[1:] &= is_blank[:-1]
    line = np.searchsorted(np.flatnonzero(data == _NEWLINE), np.flatnonzero(begins))
    return text.split(), np.bincount(line, minlength=len(lines)).astype(np.int32)


def numbers(words: list[bytes]) -> npt.NDArray[np.float64]:
    """Words as numbers, each the double nearest to it: float64 (words,).

    Raises:
        ValueError: one of them is not a number.
    """
    return np.fromiter(map(float, words), np.float64, len(words))


def singles(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Numbers as float32, read-only; what is beyond its range is infinite."""
    with np.errstate(over="ignore", under="ignore"):
        narrow: npt.NDArray[np.float32] = frozen_array(values.astype(np.float32))
    return narrow


def indices(words: list[bytes]) -> npt.NDArray[np.int64]:
    """Words as whole numbers, int64 (words,).

    Raises:
        ValueError: one of them is not a whole number of 64 bits.
    """
    try:
        return np.fromiter(map(int, words), np.int64, len(words))
    except OverflowError as error:
        raise ValueError("more than 64 bits") from error


def not_a_number(content: bytes, lines: Iterator[re.Match[bytes]], what: str) -> ReadError:
    """An error that says where in some lines the first word is that is not a number, and what it is.

    Args:
        content: the whole file.
        lines: matches in it, whose first group is the numbers of a line.
        what: is not readable.
    """
    for line in lines:
        for word in re.finditer(rb"[^\s#/]+", line[1]):
            if not is_number(word[0]):
                offset = line.start(1) + word.start()
                return unlike_text(content, offset) or ReadError(
                    f"{what} is not readable", offset=offset, expected="a number", got=shown_token(content, offset)
                )
    return ReadError(f"{what} is not readable", expected="whole numbers", got="another number")


def taken(values: npt.NDArray[Any], lengths: npt.NDArray[np.int32], lo: Any, hi: Any) -> npt.NDArray[Any]:
    """The values of each row from place `lo` to before place `hi`, in turn; both a number or one for each row."""
    place = np.arange(len(values)) - np.repeat(np.cumsum(lengths, dtype=np.int64) - lengths, lengths)
    lo, hi = (np.repeat(np.broadcast_to(end, lengths.shape), lengths) for end in (lo, hi))
    within: npt.NDArray[Any] = values[(place >= lo) & (place < hi)]
    return within
