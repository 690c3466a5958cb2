"""Layouts of a binary STL other than the usual one, each scored against the bytes before anything is read by it.

The usual layout is 84 bytes and 50 for each facet, little-endian. Another one is taken only where the bytes are
certain: the file's size fits to the byte, and the coordinates are lengths. Bytes that fit no layout are refused with
the likely cause.
"""

from __future__ import annotations

import codecs
import math
import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.errors import ReadError
from meshguard.mesh import Irregularity

if TYPE_CHECKING:
    from meshguard.budget import Steps

STL_HEADER = 84
"""Bytes before the first facet of a binary STL: 80 of free text and the number of facets as uint32."""

STL_RECORD = 50
"""Bytes of a facet in a binary STL: a normal and three corners as float32, and an attribute word."""

_SMALLEST, _LARGEST = 1e-20, 1e9
"""Magnitudes that a coordinate in millimetres can have, besides 0: in random bytes about a third do."""

_PLAUSIBLE = 0.99
"""The least share of coordinates with such a magnitude for a layout to be certain; some may be NaN."""

_CHUNK = 1 << 16
_SAMPLE = 1000
_FIRST = 8

_MANY = 48
"""So many different coordinates without a byte above 7F are no coincidence: of arbitrary ones, 1 in 16 has none."""

_EXPECTED = "a binary STL: 84 bytes, then 50 for each facet, little-endian"


class Layout(NamedTuple):
    """content: bytes with records of 50; start: offset of the first; facets: how many; notes: what was unusual."""

    content: bytes
    start: int
    facets: int
    notes: tuple[Irregularity, ...]


class _Score(NamedTuple):
    """plausible: share of the coordinates other than 0 that a length can have; wild: facets with one far beyond."""

    plausible: float
    wild: int

    @property
    def certain(self) -> bool:
        return self.plausible >= _PLAUSIBLE and not self.wild


def is_binary_stl_size(content: bytes) -> bool:
    """Whether the size is exactly that of a binary STL with as many facets as byte 80 says."""
    if len(content) < STL_HEADER:
        return False
    count: int = struct.unpack_from("<I", content, 80)[0]
    return len(content) == STL_HEADER + STL_RECORD * count


def is_doubtful(start: bytes, count: int) -> bool:
    """Whether the largest coordinate of one of the first facets is no length, or they are ASCII and not all 0.

    Then `swapped_layout` looks further. One facet is not enough: of byte-swapped ones, one in a hundred would pass.

    Args:
        start: the content of a file of the usual size or its beginning, at least `_FIRST` facets if it has as many.
        count: how many facets the file has.
    """
    if count < 4:
        return False
    count = min(count, _FIRST)
    with np.errstate(invalid="ignore"):
        largest = np.abs(_numbers(start, STL_HEADER, count, "<")[:, 3:]).max(axis=1)
        is_length = (largest == 0) | ((largest > _SMALLEST) & (largest < _LARGEST))
    if not is_length.all():
        return True
    return bool(largest.any()) and start[STL_HEADER : STL_HEADER + STL_RECORD * count].isascii()


def swapped_layout(content: bytes, count: int) -> Layout | None:
    """The layout of a file of the usual size whose numbers are big-endian; None if they are not.

    Raises:
        ReadError: most facets have a coordinate far beyond any length, and they are not big-endian; or the highest bit
            of each byte was cleared.
    """
    _refuse_seven_bits(content, count)
    if _score(content, STL_HEADER, count, "<").plausible >= 0.5 or not _score(content, STL_HEADER, count, ">").certain:
        refuse_wild(content, count, count // 2)
        return None
    message = (
        f"The numbers of all {count} facets are byte-swapped (big-endian), but not their count; they are read that way."
    )
    return _swapped(content, count, message)


def holds_facets(content: bytes) -> bool:
    """Whether bytes that disagree with the count at byte 80 can still be a binary STL, cut short or appended to.

    A text cannot. In a binary STL most coordinates of the first facets have a magnitude that a length can have; of
    arbitrary bytes about a third do.
    """
    if not _may_be_binary(content):
        return False
    count = min(_SAMPLE, (len(content) - STL_HEADER) // STL_RECORD)
    size = np.abs(_numbers(content, STL_HEADER, count, "<")[:, 3:])
    plausible = (size == 0) | ((size > _SMALLEST) & (size < _LARGEST))
    return bool(np.count_nonzero(plausible) >= 0.6 * plausible.size)


def holds_unusual_layout(content: bytes) -> bool:
    """Whether the bytes are a binary STL in another layout.

    Raises:
        ReadError: they are, but damaged; see `unusual_layout`.
    """
    return _may_be_binary(content) and unusual_layout(content) is not None


def unusual_layout(content: bytes, steps: Steps | None = None) -> Layout | None:
    """The layout of a binary STL whose size is not the usual one for its count; None where no other is certain.

    Args:
        content: the whole file, at least 84 bytes.
        steps: those of the call that this is part of; they know the clock.

    Raises:
        ReadError: text mode damaged the file, or it is cut short or appended to in a layout that needs its exact size.
        BudgetExceeded: the time is up.
    """
    layout = _with_payload(content, steps) or _big_endian(content) or _without_count(content)
    if layout is None:
        count = (len(content) - STL_HEADER) // STL_RECORD
        usual = _score(content, STL_HEADER, count, "<")
        _refuse_text_mode(content, count, usual)
        _refuse_misfit(content, count, usual)
    return layout


def believable_count(content: bytes, declared: int, count: int) -> int:
    """How many of the `count` facets that the bytes have room for are facets.

    All of them, unless those beyond the declared number are another kind of data.

    Raises:
        ReadError: coordinates are far beyond any length: the bytes are not facets.
    """
    if 0 < declared < count:
        beyond = _score(content, STL_HEADER + STL_RECORD * declared, count - declared, "<")
        if beyond.wild > (count - declared) // 2 and not _score(content, STL_HEADER, declared, "<").wild:
            return declared
    refuse_wild(content, count, max(1, count // 100))
    return count


def refuse_wild(content: bytes, count: int, most: int) -> None:
    """Refuse facets whose coordinates are far beyond any length.

    Args:
        content: the whole file.
        count: facets that the bytes have room for.
        most: so many of them may have such coordinates.

    Raises:
        ReadError: more have.
    """
    score = _score(content, STL_HEADER, count, "<")
    if score.wild <= most:
        return
    wild = f"{score.wild} of {count} would have coordinates beyond {_LARGEST:,.0f} mm"
    reason = f"the bytes after the header are not facets: {wild}"
    raise ReadError(reason, offset=STL_HEADER, expected=_EXPECTED, got=f"{len(content)} bytes of another kind")


def _may_be_binary(content: bytes) -> bool:
    """Whether there is a header, and a NUL, which a text has not."""
    return len(content) >= STL_HEADER and b"\x00" in content[:65536]


def _numbers(content: bytes, start: int, count: int, order: str) -> npt.NDArray[np.float32]:
    """Normals and corners of facets that begin every 50 bytes, (count, 12), as a view."""
    return np.ndarray((count, 12), f"{order}f4", content, start, (STL_RECORD, 4))


def _score(content: bytes, start: int, count: int, order: str) -> _Score:
    """How well facets that begin every 50 bytes fit the bytes; no facets fit fully."""
    plausible = nonzero = wild = 0
    for first in range(0, count, _CHUNK):
        part = _numbers(content, start + STL_RECORD * first, min(_CHUNK, count - first), order)
        with np.errstate(invalid="ignore"):
            size = np.abs(part[:, 3:].astype("=f4"))
            nonzero += int(np.count_nonzero(size))
            plausible += int(np.count_nonzero((size > _SMALLEST) & (size < _LARGEST)))
            wild += int(np.count_nonzero(((size >= _LARGEST) & np.isfinite(size)).any(axis=1)))
    return _Score(plausible / nonzero if nonzero else 1.0, wild)


def _has_normals(content: bytes, start: int, count: int) -> bool:
    """Whether nearly all facets store a normal of length 1 or 0, or none that is a number."""
    with np.errstate(invalid="ignore", over="ignore"):  # a signalling NaN may come along
        normals = _numbers(content, start, min(count, _SAMPLE), "<")[:, :3].astype(np.float64)
        plausible = ((normals == 0) | (np.abs(normals) > _SMALLEST) | np.isnan(normals)).all(axis=1)
        length = np.linalg.norm(normals, axis=1)
        usual = plausible & ((length == 0) | (np.abs(length - 1) < 0.1) | np.isnan(length))
    return bool(usual[:1].all()) and float(np.count_nonzero(usual)) >= _PLAUSIBLE * len(usual)


def _positions(content: bytes, start: int, count: int) -> float:
    """Different positions per corner of the first facets; facets that share corners have few, shifted ones many."""
    corners = _numbers(content, start, min(count, 20_000), "<")[:, 3:].reshape(-1, 3)
    return len(np.unique(corners, axis=0)) / len(corners) if len(corners) else math.inf


def _big_endian(content: bytes) -> Layout | None:
    """Where the size is exactly the one for a byte-swapped count: all numbers are swapped, or only the count is."""
    count: int = struct.unpack_from(">I", content, 80)[0]
    if len(content) != STL_HEADER + STL_RECORD * count or not count:
        return None
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
        f"All numbers are byte-swapped (big-endian); read that way, the count is {count} facets and fits the"
        " size of the file.",
    )


def _swapped(content: bytes, count: int, message: str) -> Layout:
    """Facets turned round to little-endian."""
    record = np.dtype([("numbers", "<f4", 12), ("attribute", "<u2")])
    turned = np.frombuffer(content, record.newbyteorder(">"), count, STL_HEADER).astype(record)
    note = Irregularity(check="F101", message=message, offset=80, measures={"present": count})
    return Layout(bytes(STL_HEADER) + turned.tobytes(), STL_HEADER, count, (note,))


def _begins_at_80(content: bytes) -> bool:
    """Whether facets that begin at byte 80 fit the bytes, and those that begin at byte 84 do not, or fit worse.

    The count of a file in the usual layout, read as the first number of a normal, is a denormal.
    """
    count = (len(content) - 80) // STL_RECORD
    if not count or not _score(content, 80, count, "<").certain or not _has_normals(content, 80, count):
        return False
    shifted = (len(content) - STL_HEADER) // STL_RECORD
    if not shifted or not _score(content, STL_HEADER, shifted, "<").certain:
        return True
    if not _has_normals(content, STL_HEADER, shifted):
        return True
    return _positions(content, 80, count) < 0.8 * _positions(content, STL_HEADER, shifted)


def _without_count(content: bytes) -> Layout | None:
    """Where facets begin at byte 80 and the size is 80 + 50 n."""
    count, rest = divmod(len(content) - 80, STL_RECORD)
    if rest or not _begins_at_80(content):
        return None
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
        lost="attribute bytes after the facets",
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


def _refuse_misfit(content: bytes, count: int, usual: _Score) -> None:
    """Refuse bytes that are big-endian or have no count, and whose size does not fit such a layout.

    Args:
        content: the whole file.
        count: facets that the bytes have room for.
        usual: how well these fit the usual layout.

    Raises:
        ReadError: they are; which of the two is said.
    """
    if not count:
        return
    swapped = count >= 4 and not usual.certain and _score(content, STL_HEADER, count, ">").certain
    if swapped and usual.plausible < 0.5:
        reason = "the numbers are byte-swapped (big-endian), and the size of the file does not fit their facet count"
    elif count >= 4 and _begins_at_80(content):
        reason = "this binary STL has no facet count, and the size of the file is not that of whole facets from byte 80"
    else:
        return
    raise ReadError(
        f"{reason}: export it again",
        offset=80,
        expected=_EXPECTED,
        got=f"{len(content)} bytes of another layout",
    )


def _refuse_text_mode(content: bytes, count: int, usual: _Score) -> None:
    """Refuse a binary STL that was handled as text: 0A became 0D 0A or the reverse, or bytes became UTF-8.

    Args: as `_refuse_misfit`.

    Raises:
        ReadError: it was.
    """
    declared: int = struct.unpack_from("<I", content, 80)[0]
    _refuse_seven_bits(content, count)
    unfit = usual.wild > max(1, count // 100)
    if _is_utf8(content):
        reason = "a program handled this binary STL as UTF-8 text, which changed bytes: send it again as a binary file"
        raise ReadError(reason, offset=80, expected=_EXPECTED, got="valid UTF-8")
    pairs = content.count(b"\r\n")
    missing = STL_HEADER + STL_RECORD * declared - len(content)
    if unfit and not pairs and 0 < missing < len(content) // 8:
        reason = (
            "bytes are missing inside this binary STL, as when it is transferred in text mode (0D 0A became 0A): send"
            " it again as a binary file"
        )
        raise ReadError(reason, offset=84, expected=_EXPECTED, got=f"{missing} bytes fewer than declared")
    if content.find(b"\r\n", 80) < 0 or content.count(b"\n") != pairs:
        return
    restored = content.replace(b"\r\n", b"\n")
    if not (unfit and pairs >= 8):
        count = (len(restored) - STL_HEADER) // STL_RECORD
        if count <= 0 or not _score(restored, STL_HEADER, count, "<").certain:
            return
        if usual.certain and not is_binary_stl_size(restored):
            return
    raise ReadError(
        "this binary STL was written in text mode, which put a byte 0D before every byte 0A: export or transfer it"
        " again as a binary file",
        offset=content.index(b"\r\n", 80),
        expected=_EXPECTED,
        got=f"{pairs} pairs 0D 0A and no other 0A",
    )


def _refuse_seven_bits(content: bytes, count: int) -> None:
    """Refuse facets whose bytes have lost their highest bit, and with it signs and digits of the numbers.

    Args:
        content: the whole file.
        count: facets that the bytes have room for.

    Raises:
        ReadError: no byte has that bit, although the corners have many different coordinates.
    """
    start = content[STL_HEADER : STL_HEADER + 65536]
    if not start.isascii() or np.frombuffer(content, np.uint8, offset=STL_HEADER).max(initial=0) > 0x7F:
        return
    coordinates = _numbers(content, STL_HEADER, min(count, _SAMPLE), "<")[:, 3:]
    if len(np.unique(coordinates)) < _MANY:
        return
    raise ReadError(
        "this binary STL was transferred as text of 7 bits, which cleared the highest bit of each byte: send it again"
        " as a binary file",
        offset=STL_HEADER,
        expected=_EXPECTED,
        got="no byte above 7F",
    )


def _is_utf8(content: bytes) -> bool:
    """Whether the bytes are valid UTF-8 with several characters beyond ASCII, which floats hardly ever are."""
    start = content[: 1 << 20]
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return len(start) - len(text) >= 8
