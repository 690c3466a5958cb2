"""Layouts of a binary STL other than the usual one, each scored against the bytes before anything is read by it.

The usual layout is 84 bytes and 50 for each facet, little-endian. Another one is taken only where the bytes are
certain: the file's size fits to the byte, and the coordinates are lengths. Bytes that fit no layout are refused with
the likely cause.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.errors import ReadError
from meshguard.io.formats import STL_HEADER, STL_RECORD
from meshguard.mesh import Irregularity

if TYPE_CHECKING:
    from meshguard.budget import Steps

_SMALLEST, _LARGEST = 1e-20, 1e9
"""Magnitudes that a coordinate in millimetres can have, besides 0: in random bytes about a third do."""

_PLAUSIBLE = 0.99
"""The least share of coordinates with such a magnitude for a layout to be certain; some may be NaN."""

_CHUNK = 1 << 16
_SAMPLE = 1000

_EXPECTED = "a binary STL: 84 bytes, then 50 for each facet, little-endian"


class Layout(NamedTuple):
    """content: bytes with records of 50; start: offset of the first; facets: how many; notes: what was unusual."""

    content: bytes
    start: int
    facets: int
    notes: tuple[Irregularity, ...]


class _Score(NamedTuple):
    """plausible: share of coordinates that a length can have; wild: facets with one far beyond, such as 1e31 mm."""

    plausible: float
    wild: int

    @property
    def certain(self) -> bool:
        return self.plausible >= _PLAUSIBLE and not self.wild


def has_swapped_floats(start: bytes, count: int) -> bool:
    """Whether the facets after the usual header are big-endian, as far as the first of them say.

    Args:
        start: the content or its beginning, at least one facet.
        count: how many facets the file has.
    """
    if count < 4:
        return False
    # Most files end here: the first facet's corners are lengths.
    if all(v == 0 or _SMALLEST < abs(v) < _LARGEST for v in struct.unpack_from("<9f", start, STL_HEADER + 12)):
        return False
    count = min(count, _SAMPLE, (len(start) - STL_HEADER) // STL_RECORD)
    return _score(start, STL_HEADER, count, "<").plausible < 0.5 and _score(start, STL_HEADER, count, ">").certain


def swapped_layout(content: bytes, count: int) -> Layout | None:
    """The layout of a file of the usual size whose numbers are big-endian; None if some facets say otherwise."""
    if not _score(content, STL_HEADER, count, ">").certain:
        return None
    message = f"The numbers of all {count} facets are byte-swapped (big-endian), but not their count; they are read so."
    return _swapped(content, count, message)


def holds_unusual_layout(content: bytes) -> bool:
    """Whether the bytes are a binary STL in another layout, or one that text mode has damaged.

    Raises:
        ReadError: text mode damaged it.
    """
    return len(content) >= STL_HEADER and b"\x00" in content[:65536] and unusual_layout(content) is not None


def unusual_layout(content: bytes, steps: Steps | None = None) -> Layout | None:
    """The layout of a binary STL whose size is not the usual one for its count; None where no other is certain.

    Args:
        content: the whole file, at least 84 bytes.
        steps: those of the call that this is part of; they know the budget.

    Raises:
        ReadError: the file was damaged by writing it in text mode.
        BudgetExceeded: more facets than the budget allows.
    """
    layout = _with_payload(content, steps) or _big_endian(content, steps) or _without_count(content, steps)
    if layout is None:
        _refuse_text_mode(content)
    return layout


def believable_count(content: bytes, declared: int, count: int) -> int:
    """How many of the `count` facets that the bytes have room for are facets.

    All of them, unless those beyond the declared number are another kind of data.

    Raises:
        ReadError: coordinates are far beyond any length: the bytes are not facets. The likely cause is named.
    """
    if 0 < declared < count:
        beyond = _score(content, STL_HEADER + STL_RECORD * declared, count - declared, "<")
        if beyond.wild > (count - declared) // 2 and not _score(content, STL_HEADER, declared, "<").wild:
            return declared
    score = _score(content, STL_HEADER, count, "<")
    if score.wild <= max(1, count // 100):
        return count
    if _score(content, STL_HEADER, count, ">").certain:
        reason = "the numbers are byte-swapped (big-endian), and the size of the file does not fit their facet count"
    elif content.count(b"\xef\xbf\xbd") >= 8:
        reason = (
            "a program handled this binary STL as UTF-8 text, which destroyed bytes: send it again as a binary file"
        )
    elif 0 < STL_HEADER + STL_RECORD * declared - len(content) < len(content) // 8 and b"\r\n" not in content:
        reason = (
            "bytes are missing inside this binary STL, as when it is transferred in text mode (0D 0A became 0A): send"
            " it again as a binary file"
        )
    else:
        reason = (
            f"the bytes after the header are not facets: {score.wild} of {count} would have coordinates beyond"
            f" {_LARGEST:g} mm"
        )
    raise ReadError(reason, offset=STL_HEADER, expected=_EXPECTED, got=f"{len(content)} bytes of another layout")


def _numbers(content: bytes, start: int, count: int, order: str) -> npt.NDArray[np.float32]:
    """Normals and corners of facets that begin every 50 bytes, (count, 12), as a view."""
    return np.ndarray((count, 12), f"{order}f4", content, start, (STL_RECORD, 4))


def _score(content: bytes, start: int, count: int, order: str) -> _Score:
    """How well facets that begin every 50 bytes fit the bytes; no facets fit fully."""
    plausible = wild = 0
    for first in range(0, count, _CHUNK):
        part = _numbers(content, start + STL_RECORD * first, min(_CHUNK, count - first), order)
        with np.errstate(invalid="ignore"):
            size = np.abs(part[:, 3:].astype("=f4"))
            plausible += int(np.count_nonzero((size == 0) | ((size > _SMALLEST) & (size < _LARGEST))))
            wild += int(np.count_nonzero(((size >= _LARGEST) & np.isfinite(size)).any(axis=1)))
    return _Score(plausible / (9 * count) if count else 1.0, wild)


def _has_normals(content: bytes, start: int, count: int) -> bool:
    """Whether nearly all facets store a normal of length 1 or 0, or none that is a number."""
    normals = _numbers(content, start, min(count, _SAMPLE), "<")[:, :3].astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        plausible = ((normals == 0) | (np.abs(normals) > _SMALLEST) | np.isnan(normals)).all(axis=1)
        length = np.linalg.norm(normals, axis=1)
        usual = plausible & ((length == 0) | (np.abs(length - 1) < 0.1) | np.isnan(length))
    return bool(usual[:1].all()) and float(np.count_nonzero(usual)) >= _PLAUSIBLE * len(usual)


def _positions(content: bytes, start: int, count: int) -> float:
    """Different positions per corner of the first facets; facets that share corners have few, shifted ones many."""
    corners = _numbers(content, start, min(count, 20_000), "<")[:, 3:].reshape(-1, 3)
    return len(np.unique(corners, axis=0)) / len(corners) if len(corners) else math.inf


def _checked(count: int, steps: Steps | None) -> None:
    if steps is not None:
        steps.check_faces(count)


def _big_endian(content: bytes, steps: Steps | None) -> Layout | None:
    """Where the size is exactly the one for a byte-swapped count: all numbers are swapped, or only the count is."""
    count: int = struct.unpack_from(">I", content, 80)[0]
    if len(content) != STL_HEADER + STL_RECORD * count or not count:
        return None
    _checked(count, steps)
    if _score(content, STL_HEADER, count, "<").certain:
        note = Irregularity(
            check="F101",
            message=f"The facet count is byte-swapped (big-endian); the bytes hold {count} facets, which are read.",
            offset=80,
            measures={"present": count},
        )
        return Layout(content, STL_HEADER, count, (note,))
    if not _score(content, STL_HEADER, count, ">").certain:
        return None
    return _swapped(
        content,
        count,
        f"All numbers are byte-swapped (big-endian); the count so read is {count} facets, which fits the size of the"
        " file, and they are read so.",
    )


def _swapped(content: bytes, count: int, message: str) -> Layout:
    """Facets turned round to little-endian."""
    record = np.dtype([("numbers", "<f4", 12), ("attribute", "<u2")])
    turned = np.frombuffer(content, record.newbyteorder(">"), count, STL_HEADER).astype(record)
    note = Irregularity(check="F101", message=message, offset=80, measures={"present": count})
    return Layout(bytes(STL_HEADER) + turned.tobytes(), STL_HEADER, count, (note,))


def _without_count(content: bytes, steps: Steps | None) -> Layout | None:
    """Where facets begin at byte 80: the size is 80 + 50 n, and what is read so is better than read from byte 84.

    A file of the usual layout that was cut short can have this size too. Its count, read as the first number of a
    normal, is a denormal.
    """
    count, rest = divmod(len(content) - 80, STL_RECORD)
    if rest or not count or not _score(content, 80, count, "<").certain or not _has_normals(content, 80, count):
        return None
    shifted = count - 1
    if (
        shifted
        and _score(content, STL_HEADER, shifted, "<").certain
        and _positions(content, 80, count) >= 0.8 * _positions(content, STL_HEADER, shifted)
    ):
        return None
    _checked(count, steps)
    note = Irregularity(
        check="F101",
        message=f"The header has no facet count; {count} facets from byte 80 to the end are read.",
        offset=80,
        measures={"present": count},
    )
    return Layout(content, 80, count, (note,))


def _with_payload(content: bytes, steps: Steps | None) -> Layout | None:
    """Where the attribute word of a facet is the number of bytes that follow it.

    Certain where as many facets as declared end exactly at the end of the file.
    """
    declared: int = struct.unpack_from("<I", content, 80)[0]
    if not 0 < declared < (len(content) - STL_HEADER) // STL_RECORD + 1:
        return None
    _checked(declared, steps)
    starts = _walk(content, declared, steps)
    if starts is None:
        return None
    payloads = np.diff(starts) - STL_RECORD
    starts = starts[:-1]
    whole = np.frombuffer(content, np.uint8)
    facets: npt.NDArray[np.uint8] = np.zeros((declared, STL_RECORD), np.uint8)
    for first in range(0, declared, _CHUNK):
        part = starts[first : first + _CHUNK, None] + np.arange(STL_RECORD - 2)
        facets[first : first + _CHUNK, : STL_RECORD - 2] = whole[part]
    usual = bytes(STL_HEADER) + facets.tobytes()
    if not _score(usual, STL_HEADER, declared, "<").certain:
        return None
    with_some, size = int(np.count_nonzero(payloads)), int(payloads.sum())
    note = Irregularity(
        check="F106",
        message=(
            f"Attribute bytes follow {with_some} of the {declared} facets, as many as the facet's attribute word says;"
            f" these {size} bytes are left out."
        ),
        offset=int(starts[np.flatnonzero(payloads)[0]]) + STL_RECORD,
        count=with_some,
        measures={"facets": with_some, "bytes": size},
    )
    return Layout(usual, STL_HEADER, declared, (note,))


def _walk(content: bytes, declared: int, steps: Steps | None) -> npt.NDArray[np.int64] | None:
    """Where each of the declared facets begins, and the end, if attribute words are lengths; None if that fails."""
    starts = np.empty(declared + 1, np.int64)
    word: Any = struct.Struct("<H").unpack_from
    pos, last = STL_HEADER, len(content) - STL_RECORD
    for k in range(declared):
        if pos > last:
            return None
        starts[k] = pos
        pos += STL_RECORD + word(content, pos + STL_RECORD - 2)[0]
        if steps is not None and k & 0xFFFF == 0xFFFF:
            steps.check_clock("the attribute bytes of its facets were found")
    starts[declared] = pos
    return starts if pos == len(content) and pos != STL_HEADER + STL_RECORD * declared else None


def _refuse_text_mode(content: bytes) -> None:
    """Refuse a binary STL that was written in text mode, which puts 0D before every 0A.

    Raises:
        ReadError: it was: each 0A follows a 0D, and without those the bytes are facets.
    """
    pairs = content.count(b"\r\n", 80)
    if not pairs or content.count(b"\n") != content.count(b"\r\n"):
        return
    restored = content.replace(b"\r\n", b"\n")
    count = (len(restored) - STL_HEADER) // STL_RECORD
    if count <= 0 or not _score(restored, STL_HEADER, count, "<").certain:
        return
    declared: int = struct.unpack_from("<I", restored, 80)[0]
    exact = len(restored) == STL_HEADER + STL_RECORD * declared
    if not exact and _score(content, STL_HEADER, (len(content) - STL_HEADER) // STL_RECORD, "<").certain:
        return
    raise ReadError(
        "this binary STL was written in text mode, which put a byte 0D before every byte 0A: export or transfer it"
        " again as a binary file",
        offset=content.index(b"\r\n", 80),
        expected=_EXPECTED,
        got=f"{pairs} pairs 0D 0A and no other 0A",
    )
