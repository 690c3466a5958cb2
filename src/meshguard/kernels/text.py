"""PLY rows and STL facets read from text, in one pass over the bytes.

Both note in `out_notes` what is irregular: how often each kind occurs, and the first offset.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined, kernel
from meshguard.kernels.tokens import (
    after_line,
    byte_at,
    deferred,
    is_blank,
    is_space,
    line_end,
    number_at,
    packed_word,
    rounds_twice,
    token_end,
    word_at,
)

DEFERRED_ITEM = -(1 << 62)
"""Stands for a list item that the caller must read: this number minus the offset of its token."""

SCALAR, SINGLE, LIST, SKIPPED_LIST = 0, 1, 2, 3
"""Codes of a row's properties: a number; a number to be rounded to float32 later; a list to keep; a list to skip."""

# The slots of `out_notes`. None has two meanings: what both kernels write, `text_rows` and `stl_facets` (a line each)
# share two ranges. First come single numbers, then kinds of irregularity, each with its count and, in the next slot,
# the first offset.
# fmt: off
(
    ROWS, END, ERROR, ERROR_AT,
    ITEMS, DEFERRALS,
    SOLIDS, OPEN_AT, TRAILING_AT, TRAILING_WORDS, LARGEST,
) = range(11)
(
    COMMENT,
    BLANK, WRAPPED, EXTRA,
    UNCLOSED, SPLIT, NO_NORMAL, UNKNOWN, CASE, HEADLESS, FEW, MANY, CARRIAGE, RUN_ON,
) = range(11, 39, 2)
# fmt: on
NOTES = 39

NO_ERROR, BAD_LENGTH, SHORT_ROW, BAD_NUMBER = 0, 1, 2, 3
"""Values of `out_notes[ERROR]`; the offset of the token stands in `out_notes[ERROR_AT]`."""

_SOLID, _FACET, _NORMAL, _OUTER, _LOOP = (
    packed_word("solid"),
    packed_word("facet"),
    packed_word("normal"),
    packed_word("outer"),
    packed_word("loop"),
)
_VERTEX, _ENDLOOP, _ENDFACET, _ENDSOLID = (
    packed_word("vertex"),
    packed_word("endloop"),
    packed_word("endfacet"),
    packed_word("endsolid"),
)
_END_ = packed_word("end")
_COMMENT, _OBJ_INFO = packed_word("comment"), packed_word("obj_info")


@inlined
def _note(out_notes: npt.NDArray[np.int64], kind: int, count: int, offset: int) -> None:
    if count > 0:
        if out_notes[kind] == 0:
            out_notes[kind + 1] = offset
        out_notes[kind] += count


@inlined
def _to_content(data: npt.NDArray[np.uint8], pos: int, out_notes: npt.NDArray[np.int64]) -> int:
    """From the start of a line to the first token outside comments; blank lines count when something follows them."""
    blank = 0
    first = pos
    while True:
        while pos < len(data) and is_blank(byte_at(data, pos)):
            pos += 1
        if pos >= len(data):
            return pos
        c = byte_at(data, pos)
        if c == 10 or c == 13:
            if blank == 0:
                first = pos
            blank += 1
            pos = after_line(data, pos)
            continue
        if c == 35:
            _note(out_notes, COMMENT, 1, pos)
            pos = after_line(data, pos)
            continue
        if c == 99 or c == 67 or c == 111 or c == 79:
            word, _, _ = word_at(data, pos)
            if word in (_COMMENT, _OBJ_INFO):
                _note(out_notes, COMMENT, 1, pos)
                pos = after_line(data, pos)
                continue
        _note(out_notes, BLANK, blank, first)
        return pos


@kernel
def text_rows(
    data: npt.NDArray[np.uint8],
    codes: npt.NDArray[np.int8],
    start: int,
    rows: int,
    out_scalars: npt.NDArray[np.float64],
    out_lengths: npt.NDArray[np.int32],
    out_items: npt.NDArray[np.int64],
    out_notes: npt.NDArray[np.int64],
) -> None:
    """Read the rows of one PLY element from text; they stay in file order.

    A row takes one line. Wrapped rows are read, blank lines, comments and surplus tokens skipped; all are counted.

    Args:
        data: (bytes,) uint8: the file.
        codes: (properties,) int8: SCALAR, SINGLE, LIST (at most one) or SKIPPED_LIST, in file order.
        start: offset of the first byte after the header or the previous element.
        rows: how many rows to read at most; the arrays below have room for them, or for as many as the bytes can hold.
        out_scalars: (rows, scalar properties) float64: numbers; deferred ones are NaN with the token's offset.
        out_lengths: (rows,) int32: length of the kept list; not written where there is none.
        out_items: (items,) int64: items of the kept lists in turn; what is not an integer is DEFERRED_ITEM − offset.
            Room for half as many as there are bytes is enough.
        out_notes: (NOTES,) int64, zeros: complete ROWS, END offset, ITEMS, DEFERRALS, ERROR, and kinds of irregularity.

    An empty range gives no rows and END = start.
    """
    end = len(data)
    pos = start
    items = 0
    row = 0
    while row < rows:
        pos = _to_content(data, pos, out_notes)
        if pos >= end:
            break
        row_start = pos
        row_items = items
        column = 0
        wrapped = False
        error = NO_ERROR
        for k in range(len(codes)):
            code = codes[k]
            left = np.int64(1)
            is_length = code >= LIST
            while left > 0:
                while pos < end and is_blank(byte_at(data, pos)):
                    pos += 1
                if pos < end and (byte_at(data, pos) == 10 or byte_at(data, pos) == 13):
                    wrapped = True
                    pos = _to_content(data, after_line(data, pos), out_notes)
                if pos >= end:
                    error = SHORT_ROW
                    break
                token = pos
                left -= 1
                # Most tokens of most files are so: an index or a colour of a few digits.
                short = np.int64(0)
                c = byte_at(data, pos)
                while code != SINGLE and 48 <= c <= 57 and pos - token < 10:
                    short = short * 10 + (c - 48)
                    pos += 1
                    c = byte_at(data, pos) if pos < end else 32
                if pos > token and (c == 32 or 9 <= c <= 13):
                    if code == LIST and not is_length and items < len(out_items):
                        out_items[items] = short
                        items += 1
                        continue
                    value = float(short)
                else:
                    value, pos = number_at(data, token)
                if is_length:
                    if not (0.0 <= value <= 2147483647.0) or np.floor(value) != value:
                        error = BAD_LENGTH
                        out_notes[ERROR_AT] = token
                        break
                    is_length = False
                    left = np.int64(value)
                    if code == LIST:
                        out_lengths[row] = left
                elif code == LIST:
                    is_index = abs(value) < 9007199254740992.0 and np.floor(value) == value
                    if items >= len(out_items):
                        error = SHORT_ROW
                        break
                    if is_index:
                        out_items[items] = np.int64(value)
                    else:
                        out_items[items] = DEFERRED_ITEM - token
                        out_notes[DEFERRALS] += 1
                    items += 1
                elif code <= SINGLE:
                    if np.isnan(value):
                        out_notes[DEFERRALS] += 1
                    elif code == SINGLE and rounds_twice(value):
                        value = deferred(token)
                        out_notes[DEFERRALS] += 1
                    out_scalars[row, column] = value
            if error != NO_ERROR:
                break
            if code <= SINGLE:
                column += 1
        if error != NO_ERROR:
            out_notes[ERROR] = error
            items = row_items
            pos = row_start
            break
        if wrapped:
            _note(out_notes, WRAPPED, 1, row_start)
        while pos < end and is_blank(byte_at(data, pos)):
            pos += 1
        if pos < end and byte_at(data, pos) != 10 and byte_at(data, pos) != 13:
            if byte_at(data, pos) == 35:
                _note(out_notes, COMMENT, 1, pos)
            else:
                _note(out_notes, EXTRA, 1, pos)
        pos = after_line(data, pos)
        row += 1
    out_notes[ROWS] = row
    out_notes[END] = pos
    out_notes[ITEMS] = items


@inlined
def _next_token(data: npt.NDArray[np.uint8], pos: int, out_notes: npt.NDArray[np.int64]) -> int:
    """The offset of the next token outside comments, or the end."""
    # No `break` here or where numbers are read: with one, Numba counts references to the arrays at each call, which
    # takes longer than the call.
    between = True
    while between and pos < len(data):
        c = byte_at(data, pos)
        if is_space(c):
            if c == 13 and (pos + 1 >= len(data) or byte_at(data, pos + 1) != 10):
                _note(out_notes, CARRIAGE, 1, pos)
            pos += 1
        elif c == 35 or (c == 47 and pos + 1 < len(data) and byte_at(data, pos + 1) == 47):
            _note(out_notes, COMMENT, 1, pos)
            pos = line_end(data, pos)
        else:
            between = False
    return pos


@inlined
def _starts_number(c: int) -> bool:
    """Whether a token with this first byte is meant as a number: a digit, sign or point, or the i of inf, n of nan."""
    return 48 <= c <= 57 or c == 43 or c == 45 or c == 46 or c == 105 or c == 73 or c == 110 or c == 78


@inlined
def _after_name(data: npt.NDArray[np.uint8], pos: int, out_notes: npt.NDArray[np.int64]) -> int:
    """The offset after a solid's name: the line's end, or a facet with a normal on the same line."""
    stop = line_end(data, pos)
    while pos < stop:
        while pos < stop and is_space(byte_at(data, pos)):
            pos += 1
        if pos >= stop:
            break
        token = pos
        word, pos, _ = word_at(data, pos)
        if pos == token:
            pos += 1
        if word == _FACET:
            after = pos
            while after < stop and is_space(byte_at(data, after)):
                after += 1
            second, after, _ = word_at(data, after)
            while after < stop and is_space(byte_at(data, after)):
                after += 1
            c = byte_at(data, after) if after < stop else 32
            if second == _NORMAL and (48 <= c <= 57 or c == 43 or c == 45 or c == 46):
                _note(out_notes, RUN_ON, 1, token)
                return token
    return stop


@inlined
def _closing_word(
    data: npt.NDArray[np.uint8], token: int, after_end: int, out_notes: npt.NDArray[np.int64]
) -> tuple[np.uint64, int, bool]:
    """The closing keyword whose first word is `end`, the offset after it, and whether its second word has upper case.

    Where no such second word follows, it is `end` alone, which is not a keyword.
    """
    second_at = _next_token(data, after_end, out_notes)
    if second_at < len(data):
        second, after, upper = word_at(data, second_at)
        if second in (_LOOP, _FACET, _SOLID):
            _note(out_notes, SPLIT, 1, token)
            return (_ENDLOOP if second == _LOOP else (_ENDFACET if second == _FACET else _ENDSOLID)), after, upper
    return _END_, after_end, False


@inlined
def _is_keyword(word: np.uint64) -> bool:
    """Whether a word is one of those that make up a text STL; `normal` is only looked for after `facet`."""
    known = word in (_SOLID, _FACET, _OUTER, _LOOP, _VERTEX)
    return known or word in (_ENDLOOP, _ENDFACET, _ENDSOLID)


@inlined
def _note_unknown(token: int, outside: bool, out_notes: npt.NDArray[np.int64]) -> None:
    """Note a word that is not a keyword; after the last solid it may belong to what follows the text: counted apart."""
    if outside and out_notes[SOLIDS] > 0:
        if out_notes[TRAILING_AT] == 0:
            out_notes[TRAILING_AT] = token + 1
        out_notes[TRAILING_WORDS] += 1
    else:
        _note(out_notes, UNKNOWN, 1, token)


@inlined
def _reopen(out_notes: npt.NDArray[np.int64]) -> None:
    """Note that a keyword follows words that seemed to come after the text: they are unknown words within it."""
    if out_notes[TRAILING_AT] > 0:
        _note(out_notes, UNKNOWN, out_notes[TRAILING_WORDS], out_notes[TRAILING_AT] - 1)
        out_notes[TRAILING_AT] = 0
        out_notes[TRAILING_WORDS] = 0


@inlined
def _note_corners(corners: int, facet_at: int, out_notes: npt.NDArray[np.int64]) -> None:
    """Note a facet that has ended, if it had fewer or more than three corners."""
    if corners < 3:
        _note(out_notes, FEW, 1, facet_at)
    elif corners > 3:
        _note(out_notes, MANY, 1, facet_at)
        out_notes[LARGEST] = max(out_notes[LARGEST], corners)


@inlined
def _read_normal(
    data: npt.NDArray[np.uint8],
    facet_at: int,
    pos: int,
    row: int,
    out_normals: npt.NDArray[np.float64],
    out_notes: npt.NDArray[np.int64],
) -> int:
    """Read a facet's normal, NaN where there is none of three numbers, and return the offset after it."""
    for axis in range(3):
        out_normals[row, axis] = np.nan
    pos = _next_token(data, pos, out_notes)
    found = False
    if pos < len(data):
        word, after, upper = word_at(data, pos)
        if word == _NORMAL:
            if upper:
                _note(out_notes, CASE, 1, pos)
            pos = after
            found = True
            for axis in range(3):
                pos = _next_token(data, pos, out_notes)
                if pos < len(data) and _starts_number(byte_at(data, pos)):
                    out_normals[row, axis], pos = number_at(data, pos)
                else:
                    found = False
    if not found:
        _note(out_notes, NO_NORMAL, 1, facet_at)
        for axis in range(3):
            out_normals[row, axis] = np.nan
    return pos


@inlined
def _continue_fan(row: int, out_corners: npt.NDArray[np.float64], out_normals: npt.NDArray[np.float64]) -> None:
    """Begin the fan's next triangle with its first corner and its last; the next vertex is the third."""
    for axis in range(3):
        out_corners[row, 0, axis] = out_corners[row - 1, 0, axis]
        out_corners[row, 1, axis] = out_corners[row - 1, 2, axis]
        out_normals[row, axis] = out_normals[row - 1, axis]


@inlined
def _read_vertex(
    data: npt.NDArray[np.uint8],
    pos: int,
    row: int,
    corner: int,
    out_corners: npt.NDArray[np.float64],
    out_notes: npt.NDArray[np.int64],
) -> int:
    """Read the three numbers of a vertex, and return the offset after them; what is not a number is an ERROR."""
    for axis in range(3):
        pos = _next_token(data, pos, out_notes)
        if pos < len(data):
            if _starts_number(byte_at(data, pos)):
                out_corners[row, corner, axis], pos = number_at(data, pos)
            else:
                out_notes[ERROR] = BAD_NUMBER
                out_notes[ERROR_AT] = pos
    return pos


@kernel
def stl_facets(
    data: npt.NDArray[np.uint8],
    start: int,
    out_corners: npt.NDArray[np.float64],
    out_normals: npt.NDArray[np.float64],
    out_solid: npt.NDArray[np.int32],
    out_notes: npt.NDArray[np.int64],
) -> None:
    """Read the facets of a text STL in file order; a facet of more than three vertices becomes a fan from its first.

    Args:
        data: (bytes,) uint8: the file.
        start: offset of its first byte of text.
        out_corners: (m, 3, 3) float64: corners, deferred numbers as NaN with the token's offset; m = bytes // 12 + 1
            is enough.
        out_normals: (m, 3) float64: stored normals, NaN (with no offset) where there is none.
        out_solid: (m,) int32: number k of the `solid` line before the facet, from 0; −1 − k where the triangle
            continues the fan of the one before it.
        out_notes: (NOTES,) int64, zeros: ROWS triangles, END offset, SOLIDS, ERROR, OPEN_AT (offset + 1 of a facet
            that the end of the file cuts off), TRAILING_AT (offset + 1 of what follows the last `endsolid`), UNCLOSED,
            and kinds of irregularity.

    An empty text gives no facets. ERROR is BAD_NUMBER where a vertex has fewer than three numbers.
    """
    pos = start
    rows = corners = 0
    facet_at = start
    in_facet, closed, outside = False, False, True
    while True:
        token = _next_token(data, pos, out_notes)
        if token >= len(data):
            pos = token
            break
        word, pos, upper = word_at(data, token)
        if pos == token:
            pos += 1
        if word == _END_:
            word, pos, second_upper = _closing_word(data, token, pos, out_notes)
            upper = upper or second_upper
        if not _is_keyword(word):
            _note_unknown(token, outside, out_notes)
            pos = token_end(data, pos)
            continue
        if upper:
            _note(out_notes, CASE, 1, token)
        _reopen(out_notes)
        if in_facet and word in (_FACET, _ENDFACET, _SOLID, _ENDSOLID):
            in_facet = False
            _note_corners(corners, facet_at, out_notes)
        if word == _SOLID:
            if not outside:
                _note(out_notes, UNCLOSED, 1, token)
            outside = False
            out_notes[SOLIDS] += 1
            pos = _after_name(data, pos, out_notes)
        elif word == _ENDSOLID:
            outside = True
            pos = _after_name(data, pos, out_notes)
        elif word == _FACET:
            if outside:
                _note(out_notes, HEADLESS, 1, token)
                outside = False
                out_notes[SOLIDS] += 1
            in_facet, closed = True, False
            facet_at, corners = token, 0
            pos = _read_normal(data, facet_at, pos, rows, out_normals, out_notes)
        elif word == _VERTEX:
            if not in_facet:
                _note(out_notes, UNKNOWN, 1, token)
                continue
            if corners >= 3:
                _continue_fan(rows, out_corners, out_normals)
            pos = _read_vertex(data, pos, rows, min(corners, 2), out_corners, out_notes)
            if out_notes[ERROR] != NO_ERROR:
                out_notes[ROWS] = rows
                return
            corners += 1
            if corners >= 3:
                solid = max(0, out_notes[SOLIDS] - 1)
                out_solid[rows] = solid if corners == 3 else ~solid
                rows += 1
                if rows >= len(out_corners):
                    break
        elif word in (_ENDLOOP, _ENDFACET):
            closed = True
    if in_facet and closed:
        _note_corners(corners, facet_at, out_notes)
    elif in_facet:
        # The text ends first. Without an `endloop` even the last number may be cut off, so the facet is left out.
        rows -= max(0, corners - 2)
        out_notes[OPEN_AT] = facet_at + 1
    if not outside:
        _note(out_notes, UNCLOSED, 1, len(data))
    out_notes[ROWS] = rows
    out_notes[END] = pos
