"""OFF, the Object File Format of Geomview: vertices and faces in file order, polygons cut into triangles inside them.

A row takes a line. The keyword says what follows a vertex's position: N a normal, C a colour, ST texture coordinates,
in this order (Geomview manual, section 4.2.5). Files in the wild have colours without the C, and no keyword at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from meshguard.budget import Steps
from meshguard.errors import ReadError
from meshguard.io.polygons import triangles
from meshguard.io.words import counted_words, not_a_number, numbers, singles, taken
from meshguard.mesh import Irregularity, Mesh, Source, frozen_array

_KEYWORD = re.compile(rb"(ST)?(C)?(N)?(4)?(n)?OFF(?![\w])")
_ROW = re.compile(rb"(?m)^[^\S\r\n]*([^\s#][^\r\n#]*)")
_WORD = re.compile(rb"[^\s#]+")
_EXPECTED = "numbers of vertices and faces"


def read_off(content: bytes, steps: Steps | None = None) -> Mesh:
    """The mesh in an OFF.

    Args:
        content: the whole file, decompressed.
        steps: those of the call that this is part of; they know the budget.

    Returns:
        A mesh with `source`. `vertex_data` has "normal", "color", "s" and "t", float32, where the file gives them;
        `face_data` has "color" where every face has three or four numbers after its corners. Whole colours up to 255
        are uint8, others float32.

    Raises:
        ReadError: a header that is not complete or claims more than the file holds, binary data, more than three
            dimensions, or something other than a number where one must be.
        BudgetExceeded: more triangles than the budget allows.
    """
    steps = steps or Steps()
    content = content.removeprefix(b"\xef\xbb\xbf")
    if b"\n" not in content:
        content = content.replace(b"\r", b"\n")
    header = _header(content)
    steps.check_faces(min(header.n_faces, len(content) // 8))
    rows = [line for line in content[header.body :].splitlines() if _ROW.match(line)]
    steps.check_clock("its faces were made")
    of_vertices = rows[: header.n_vertices]
    of_faces = rows[header.n_vertices : header.n_vertices + header.n_faces]
    notes = [
        Irregularity(
            check="F101",
            message=f"The header claims {claimed} {name}; {present} can be read.",
            count=claimed - present,
            measures={"declared": claimed, "present": present},
        )
        for name, claimed, present in (
            ("vertices", header.n_vertices, len(of_vertices)),
            ("faces", header.n_faces, len(of_faces)),
        )
        if present < claimed
    ]
    if len(rows) > header.n_vertices + header.n_faces:
        message = "The file continues after its last row; the rest is not read."
        notes.append(Irregularity(check="F106", message=message, lost="text after the last row"))
    vertices, vertex_data = _vertices(header, of_vertices, notes)
    values, widths = _numbers(header, of_faces)
    lengths = _leading(header, values, widths)
    items = taken(values, widths, 1, lengths + 1)
    if not ((np.floor(items) == items) & (np.abs(items) < 2.0**53)).all():
        raise ReadError("a face of the OFF names a vertex by a number with decimals", expected="whole numbers")
    faces, origin, cut = triangles(lengths, items.astype(np.int64), vertices, steps)
    color = _colors(taken(values, widths, lengths + 1, widths), widths - lengths - 1, "faces", notes)
    if color is not None and origin is not None:
        color = frozen_array(color[origin])
    return Mesh(
        vertices=vertices,
        faces=faces,
        vertex_data=vertex_data,
        face_data={} if color is None else {"color": color},
        source=Source(format="off", irregularities=(*notes, *cut), face_origin=origin),
    )


@dataclass(frozen=True, slots=True)
class _Header:
    """What the header says, and where the rows begin; has_… is about what follows each vertex's position."""

    content: bytes
    has_texture: bool
    has_normal: bool
    n_vertices: int
    n_faces: int
    body: int


def _header(content: bytes) -> _Header:
    """The keyword and the counts.

    Raises:
        ReadError: they are not complete, or claim more than the bytes can hold.
    """
    words = [
        (word[0], word.end())
        for line in islice(_ROW.finditer(content[:4096]), 8)
        for word in _WORD.finditer(line.string, *line.span(1))
    ]
    keyword = _KEYWORD.fullmatch(words[0][0]) if words else None
    if keyword is not None:
        words = words[1:]
        if keyword[4] or keyword[5]:
            raise ReadError("the OFF has more than three dimensions", offset=0, expected="x, y and z of each vertex")
    if words and words[0][0].upper() == b"BINARY":
        raise ReadError("the OFF is binary: export it as text, or as STL or PLY", offset=0, expected="a text OFF")
    counts = [int(word) for word, _ in words[:2] if re.fullmatch(rb"\d{1,18}", word)]
    if len(counts) < 2:
        raise ReadError("the OFF header is not complete", offset=0, expected=_EXPECTED, got=f"{len(counts)} of the two")
    claimed = 2 * 3 * counts[0] + 2 * counts[1]  # a number and a blank take at least two bytes
    if claimed > len(content):
        raise ReadError(
            "the OFF header claims more than the file holds",
            offset=0,
            expected=f"at least {claimed} bytes for {counts[0]} vertices and {counts[1]} faces",
            got=f"{len(content)} bytes",
        )
    after = re.compile(rb"[^\r\n]*").match(content, words[1][1])
    has_texture, has_normal = (keyword is not None and keyword[group] is not None for group in (1, 3))
    return _Header(content, has_texture, has_normal, counts[0], counts[1], after.end() if after else len(content))


def _numbers(header: _Header, lines: list[bytes]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32]]:
    """The numbers of some rows, in turn, and how many each has.

    Raises:
        ReadError: a word is not a number.
    """
    words, widths = counted_words(lines)
    try:
        return numbers(words), widths
    except ValueError:
        rows = _ROW.finditer(header.content, header.body)
        raise not_a_number(header.content, rows, "a number of the OFF") from None


def _vertices(
    header: _Header, lines: list[bytes], notes: list[Irregularity]
) -> tuple[npt.NDArray[np.float64], dict[str, npt.NDArray[Any]]]:
    """Positions, float64 (n, 3), and what follows them in each row."""
    values, widths = _numbers(header, lines)
    normal, texture = 3 * header.has_normal, 2 * header.has_texture
    if int(widths.min(initial=3 + normal + texture)) < 3 + normal + texture:
        reason = "a row of the OFF has too few numbers for a vertex"
        raise ReadError(reason, offset=header.body, expected=f"{3 + normal + texture} or more", got="fewer")
    vertices = taken(values, widths, 0, 3).reshape(-1, 3)
    vertices.flags.writeable = False
    data: dict[str, npt.NDArray[Any]] = {}
    if normal:
        data["normal"] = singles(taken(values, widths, 3, 6).reshape(-1, 3))
    if texture:
        s, t = taken(values, widths, widths - 2, widths).reshape(-1, 2).T
        data |= {"s": singles(s), "t": singles(t)}
    first, end = 3 + normal, widths - texture
    color = _colors(taken(values, widths, first, end), end - first, "vertices", notes)
    return vertices, data if color is None else {**data, "color": color}


def _leading(header: _Header, values: npt.NDArray[np.float64], widths: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The first number of each face's row, int32 (rows,): how many corners follow.

    Raises:
        ReadError: it is not a whole number, or the row has fewer numbers.
    """
    lengths = taken(values, widths, 0, 1)
    if not ((lengths >= 0) & (lengths < widths) & (np.floor(lengths) == lengths)).all():
        reason = "a row of the OFF has fewer corners than it says"
        raise ReadError(reason, offset=header.body, expected="as many", got="fewer")
    return lengths.astype(np.int32)


def _colors(
    values: npt.NDArray[np.float64], widths: npt.NDArray[np.int32], carriers: str, notes: list[Irregularity]
) -> npt.NDArray[Any] | None:
    """Colours, uint8 or float32 (k, 3 or 4), where each row has one; an F108 where only some have, or other numbers."""
    if not len(values):
        return None
    if int(widths.min()) != int(widths.max()) or widths[0] not in (3, 4):
        kind = f"colours of the {carriers}"
        message = f"The file has {kind} in a form that a mesh cannot hold; they are not kept."
        notes.append(Irregularity(check="F108", message=message, lost=kind))
        return None
    color = values.reshape(len(widths), -1)
    # Whole numbers up to 1 are more often floats that were written short, such as white and black.
    is_byte = bool(((color >= 0) & (color <= 255) & (np.floor(color) == color)).all()) and float(color.max()) > 1
    return frozen_array(color.astype(np.uint8)) if is_byte else singles(color)
