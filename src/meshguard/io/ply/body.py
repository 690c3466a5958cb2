"""The body of a PLY, element by element, as columns and lists of indices.

The header's counts never decide how much memory is taken: no array is longer than the present bytes can fill.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from meshguard.errors import ReadError
from meshguard.io.numerals import exact_number, is_number, shown_token, unlike_text
from meshguard.io.ply.header import Element, Header, Notebook, row_dtype
from meshguard.kernels import ply_binary, text, tokens
from meshguard.kernels._parallel import side_by_side, thread_count
from meshguard.mesh import Irregularity

Column = npt.NDArray[Any]

_KINDS = {"i1": 0, "u1": 1, "i2": 2, "u2": 3, "i4": 4, "u4": 5, "f4": 6, "f8": 7}
_GRAIN = 100_000
"""The fewest faces that are worth a thread."""

_TEXT_NOTES = (
    (text.BLANK, "There are blank lines among the rows."),
    (text.COMMENT, "There are comments among the rows; they are not read."),
    (text.WRAPPED, "Rows continue on the next line."),
    (text.EXTRA, "Rows have more values than the header says; the surplus is not read."),
)


@dataclass(slots=True)
class Table:
    """What one element holds.

    Attributes:
        element: what the header says of it.
        rows: how many complete rows are present.
        columns: one array (rows,) for each scalar property, in file order; possibly a strided view in the file's byte
            order.
        lengths: int32 (rows,): corners of each face; None where no list is kept, or where all faces are triangles.
        items: int64 (corners,): their vertices; or int32 (rows, 3) in range, where all faces are triangles.
    """

    element: Element
    rows: int
    columns: list[Column] = field(default_factory=list)
    lengths: npt.NDArray[np.int32] | None = None
    items: npt.NDArray[Any] | None = None


@dataclass(slots=True)
class Body:
    """The tables of the elements that a mesh can hold, positions where they are read already, and irregularities."""

    tables: list[Table]
    notes: list[Irregularity]
    positions: npt.NDArray[np.float64] | None = None


def kept_elements(elements: list[Element]) -> dict[str, Element]:
    """The first element of each of the names vertex, face and tristrips."""
    by_name: dict[str, Element] = {}
    for element in elements:
        if element.name in ("vertex", "face", "tristrips"):
            by_name.setdefault(element.name, element)
    return by_name


def short(element: Element, rows: int, offset: int) -> Irregularity:
    """F101: fewer rows than the header says."""
    return Irregularity(
        check="F101",
        message=f"The header claims {element.count} rows for {element.shown}; {rows} can be read.",
        offset=offset,
        count=element.count - rows,
        measures={"declared": element.count, "present": rows},
    )


# Text


def read_text(content: bytes, header: Header) -> Body:
    """The tables of an ASCII body.

    Raises:
        ReadError: there is something other than a number where one must be.
    """
    data = np.frombuffer(content, np.uint8)
    elements = kept_elements(header.elements)
    body = Body([], [])
    found = Notebook()
    pos = header.body
    for element in header.elements:
        if not element.properties:
            continue
        is_kept = elements.get(element.name) is element
        table, pos = _text_table(content, data, element, pos, is_kept, found)
        if is_kept:
            body.tables.append(table)
        if table.rows < element.count:
            body.notes.append(short(element, table.rows, pos))
    body.notes[:0] = found.irregularities()
    rest = re.compile(rb"\S").search(content, pos)
    if rest is not None:
        body.notes.append(trailing(len(content) - rest.start(), rest.start()))
    return body


def trailing(count: int, offset: int) -> Irregularity:
    """F106: bytes that belong to no row."""
    return Irregularity(
        check="F106",
        message=f"The file continues after its last row; the rest is not read (bytes: {count}).",
        offset=offset,
        measures={"bytes": count},
        lost="bytes after the last row",
    )


def _text_table(
    content: bytes, data: npt.NDArray[np.uint8], element: Element, pos: int, is_kept: bool, found: Notebook
) -> tuple[Table, int]:
    """One element's rows of text, and the offset after them."""
    properties = element.properties
    index_list = element.index_list if is_kept and element.name != "vertex" else -1
    scalars = element.scalars
    codes = np.array(
        [
            (text.LIST if k == index_list else text.SKIPPED_LIST)
            if prop.length is not None
            else (text.SINGLE if prop.dtype == "f4" else text.SCALAR)
            for k, prop in enumerate(properties)
        ],
        np.int8,
    )
    codes.flags.writeable = False
    most = (len(content) - pos + 1) // 2  # a digit and a blank take two bytes
    most_rows = min(element.count, most // len(properties))
    values = np.empty((most_rows, len(scalars)))
    lengths = np.empty(most_rows if index_list >= 0 else 0, np.int32)
    items = np.empty(most if index_list >= 0 else 0, np.int64)
    notes = np.zeros(text.NOTES, np.int64)
    text.text_rows(data, codes, pos, most_rows, values, lengths, items, notes)
    if notes[text.ERROR] == text.BAD_LENGTH:
        raise _not_a_length(content, element, int(notes[text.ERROR_AT]))
    rows, n_items = int(notes[text.ROWS]), int(notes[text.ITEMS])
    for kind, message in _TEXT_NOTES:
        if notes[kind]:
            found.add(message, int(notes[kind + 1]), int(notes[kind]))
    table = Table(element, rows)
    if is_kept:
        values, items = values[:rows], items[:n_items]
        if notes[text.DEFERRALS]:
            try:
                settle(content, values, np.array([prop.dtype == "f4" for prop in scalars], bool))
                _settle_items(content, items)
            except ReadError as error:
                raise unlike_text(content, error.offset or pos) or error from None
        table.columns = [_typed(values[:, k], prop.dtype, pos, found) for k, prop in enumerate(scalars)]
        if index_list >= 0:
            table.lengths, table.items = lengths[:rows], items
    return table, int(notes[text.END])


def _list_length(element: Element) -> str:
    """What the length of a list in the element's rows means."""
    return "the number of a face's corners" if element.name == "face" else "the length of a list"


def _not_a_length(content: bytes, element: Element, offset: int) -> ReadError:
    """Why there is no length of a list where one must be."""
    token = re.compile(rb"[^\s#]*").match(content, offset)
    return unlike_text(content, offset) or ReadError(
        f"something else is where {_list_length(element)} should be: the header does not fit the rows, or the file is"
        " damaged",
        offset=offset,
        expected="a whole number of 0 or more",
        got="a number of another kind" if token and is_number(token[0]) else shown_token(content, offset),
    )


def settle(content: bytes, values: npt.NDArray[np.float64], single: npt.NDArray[np.bool_]) -> None:
    """Put the right value wherever a kernel deferred a token.

    Args:
        content: the file.
        values: (n, k) float64, changed in place.
        single: (k,) bool: columns whose value is the float32 nearest to the text.

    Raises:
        ReadError: a token is not a number.
    """
    offsets = tokens.deferred_offsets(values)
    for row, column in zip(*np.nonzero(offsets >= 0), strict=True):
        values[row, column] = exact_number(content, int(offsets[row, column]), single=bool(single[column]))


def _settle_items(content: bytes, items: npt.NDArray[np.int64]) -> None:
    for k in np.flatnonzero(items <= text.DEFERRED_ITEM):
        value = exact_number(content, text.DEFERRED_ITEM - int(items[k]), single=False)
        is_index = abs(value) < 2.0**53 and value == int(value)
        items[k] = int(value) if is_index else ply_binary.NOT_AN_INDEX


def _typed(values: npt.NDArray[np.float64], dtype: str, offset: int, found: Notebook) -> Column:
    """A column of numbers in the type of its property, or as doubles where a number does not fit that type."""
    with np.errstate(over="ignore", invalid="ignore"):
        typed = values.astype(dtype)
    if dtype[0] != "f" and not np.array_equal(typed, values):
        found.add("Values do not fit the type of their property; they are read as doubles.", offset)
        return np.ascontiguousarray(values)
    return typed


# Binary


def read_binary(content: bytes, header: Header) -> Body:
    """The tables of a binary body; positions and triangles in one pass where the layout is the usual one.

    Raises:
        ReadError: a list has a negative length.
    """
    data = np.frombuffer(content, np.uint8)
    elements = kept_elements(header.elements)
    body = Body([], [])
    pos = header.body
    starts: dict[str, int] = {}
    for element in header.elements:
        is_kept = elements.get(element.name) is element
        size = element.least_bytes
        rows = min(element.count, (len(content) - pos) // size) if size else 0
        if len(element.scalars) == len(element.properties):
            table = Table(element, rows)
            if is_kept:
                starts[element.name] = pos
                dtype = row_dtype(element.properties, header.order)
                view = np.frombuffer(content, dtype, rows, pos) if rows else np.empty(0, dtype)
                table.columns = [view[str(k)] for k in range(len(element.properties))]
            pos += rows * size
        else:
            fast = _usual_faces(content, data, header, element, pos, body, starts) if is_kept else None
            if fast is not None:
                table = fast
                pos += table.rows * (size + 12)
            else:
                table, pos = _listed(content, data, header, element, pos, rows, is_kept)
        if is_kept:
            body.tables.append(table)
        if size and table.rows < element.count:
            body.notes.append(short(element, table.rows, pos))
    if pos < len(content):
        body.notes.append(trailing(len(content) - pos, pos))
    return body


def _usual_faces(
    content: bytes,
    data: npt.NDArray[np.uint8],
    header: Header,
    element: Element,
    pos: int,
    body: Body,
    starts: dict[str, int],
) -> Table | None:
    """Positions and faces in one call; None if faces come before vertices, or if one is not a triangle in range."""
    lists = [k for k, prop in enumerate(element.properties) if prop.length is not None]
    vertex = next((table for table in body.tables if table.element.name == "vertex"), None)
    if element.name != "face" or vertex is None or "vertex" not in starts or len(lists) != 1 or vertex.rows == 0:
        return None
    listed = element.properties[lists[0]]
    stride = element.least_bytes + 12
    rows = min(element.count, (len(content) - pos) // stride)
    named = {prop.name: k for k, prop in reversed(list(enumerate(vertex.element.properties)))}
    if listed.dtype not in ("i4", "u4") or rows == 0 or rows < element.count or not {"x", "y", "z"} <= named.keys():
        return None
    if any(vertex.element.properties[named[axis]].dtype != "f4" for axis in "xyz"):
        return None
    ahead = sum(np.dtype(prop.dtype).itemsize for prop in element.properties[: lists[0]])
    length_size = np.dtype(listed.length).itemsize
    within = [sum(np.dtype(prop.dtype).itemsize for prop in vertex.element.properties[: named[axis]]) for axis in "xyz"]
    positions = np.empty((vertex.rows, 3))
    faces = np.empty((rows, 3), np.int32)
    vertex_layout = (starts["vertex"], vertex.element.least_bytes, within[0], within[1], within[2])
    face_layout = (pos, stride, ahead, length_size)
    parts = max(1, min(thread_count(), rows // _GRAIN))
    done = [0] * parts

    def read_part(part: int) -> None:
        v_lo, v_hi = (vertex.rows * k // parts for k in (part, part + 1))
        f_lo, f_hi = (rows * k // parts for k in (part, part + 1))
        done[part] = ply_binary.fixed_rows(
            data, header.order == ">", vertex_layout, face_layout, v_lo, v_hi, f_lo, f_hi, positions, faces
        )

    side_by_side([lambda part=part: read_part(part) for part in range(parts)])  # type: ignore[misc]
    positions.flags.writeable = False
    body.positions = positions
    if sum(done) < rows:
        return None
    faces.flags.writeable = False
    table = Table(element, rows, items=faces)
    offset = pos
    for k, prop in enumerate(element.properties):
        if k == lists[0]:
            offset += length_size + 12
            continue
        dtype = np.dtype(prop.dtype).newbyteorder(header.order or "=")
        table.columns.append(np.ndarray((rows,), dtype, content, offset, (stride,)))
        offset += dtype.itemsize
    return table


def _listed(
    content: bytes,
    data: npt.NDArray[np.uint8],
    header: Header,
    element: Element,
    pos: int,
    rows: int,
    is_kept: bool,
) -> tuple[Table, int]:
    """An element whose rows differ in size, and the offset after it."""
    properties = element.properties
    index_list = element.index_list if is_kept and element.name != "vertex" else -1
    layout = np.array(
        [
            (_KINDS[prop.length] if prop.length else -1, _KINDS[prop.dtype], np.dtype(prop.dtype).itemsize)
            for prop in properties
        ],
        np.int64,
    )
    layout.flags.writeable = False
    dtype = np.dtype(row_dtype(element.scalars, header.order))
    scalars = np.empty((rows, dtype.itemsize if is_kept else 0), np.uint8)
    lengths = np.empty(rows if index_list >= 0 else 0, np.int32)
    item_size = np.dtype(properties[index_list].dtype).itemsize
    items = np.empty((len(content) - pos) // item_size if index_list >= 0 else 0, np.int64)
    done, end, n_items, bad = ply_binary.list_rows(
        data, layout, pos, rows, index_list, header.order == ">", scalars, lengths, items
    )
    if bad >= 0:
        reason = f"{_list_length(element)} is negative: the header does not fit the rows, or the file is damaged"
        raise ReadError(reason, offset=bad, expected="0 or more", got="a negative number")
    table = Table(element, done)
    if is_kept:
        records = scalars[:done].reshape(-1).view(dtype) if dtype.itemsize else np.empty(done, dtype)
        table.columns = [records[str(k)] for k in range(len(element.scalars))]
        if index_list >= 0:
            table.lengths, table.items = lengths[:done], items[:n_items]
    return table, end
