"""Text in UTF-16 or UTF-32, with or without a byte order mark: recognised, and narrowed to one byte per character."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32", "<u4"),
    (b"\x00\x00\xfe\xff", "UTF-32", ">u4"),
    (b"\xff\xfe", "UTF-16", "<u2"),
    (b"\xfe\xff", "UTF-16", ">u2"),
)
"""Byte order marks; those of UTF-32 come first, as one of them begins like one of UTF-16."""

_SAMPLE = 512
"""Characters that are looked at. Half of them lie beyond the 80 bytes of free text of a binary STL."""

_LEAST_MARKED, _LEAST_UNMARKED = 0.5, 0.9
"""The least share of ASCII among them: behind a byte order mark, where a name may be in any script, and without one."""


class Encoding(NamedTuple):
    """name: "UTF-16" or "UTF-32"; unit: dtype of a character; mark: bytes of the byte order mark, 0 without one."""

    name: str
    unit: str
    mark: int

    @property
    def width(self) -> int:
        """Bytes of a character."""
        return int(self.unit[-1])


def wide_encoding(content: bytes) -> Encoding | None:
    """The encoding of a text whose characters take two or four bytes each; None for anything else."""
    for mark, name, unit in _MARKS:
        if content.startswith(mark):
            encoding = Encoding(name, unit, len(mark))
            if _ascii_share(content, encoding) >= _LEAST_MARKED:
                return encoding
    if b"\x00" not in content[:4]:  # a text begins with ASCII; a wide one has a zero beside it
        return None
    for _, name, unit in _MARKS:
        encoding = Encoding(name, unit, 0)
        if _ascii_share(content, encoding) >= _LEAST_UNMARKED:
            return encoding
    return None


def narrowed(content: bytes, encoding: Encoding) -> bytes:
    """The text with one byte per character; `?` stands for what is not ASCII, so that offsets stay proportional."""
    units = np.frombuffer(content, encoding.unit, (len(content) - encoding.mark) // encoding.width, encoding.mark)
    return np.where(units < 128, units, ord("?")).astype(np.uint8).tobytes()


def _ascii_share(content: bytes, encoding: Encoding) -> float:
    """The share of printable ASCII and white space among the first characters; 0 for fewer than four."""
    count = min(_SAMPLE, (len(content) - encoding.mark) // encoding.width)
    if count < 4:
        return 0.0
    units = np.frombuffer(content, encoding.unit, count, encoding.mark)
    is_ascii = ((units >= 32) & (units < 127)) | ((units >= 9) & (units <= 13))
    return float(np.count_nonzero(is_ascii)) / count
