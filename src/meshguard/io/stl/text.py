"""The text form of STL, read as it is found in the wild: any case, any line ends, comments, several solids.

Every position is the double nearest to its decimal. Welding, and the comparison of stored normals with the geometry,
happen one floor above.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from meshguard.budget import Steps
from meshguard.errors import ReadError
from meshguard.io.numerals import exact_number
from meshguard.io.polygons import triangles
from meshguard.io.stl.commas import has_commas, without_commas
from meshguard.io.stl.normals import nonfinite_normals
from meshguard.io.wide_text import Encoding, narrowed, wide_encoding
from meshguard.kernels import text, tokens
from meshguard.mesh import Irregularity, frozen_array

Facets: TypeAlias = tuple[
    npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int32], int, tuple[Irregularity, ...]
]

_NUMBER = "a number"
"""What `exact_number` expects."""

_BOM = b"\xef\xbb\xbf"
_LEAST_FACET = 12
"""The fewest bytes of text that make a triangle: one more vertex line of a fan."""

_KINDS = (
    (text.CARRIAGE, "Lines end with a carriage return only."),
    (text.COMMENT, "There are comments in the text; they are not read."),
    (text.RUN_ON, "A facet is on the same line as the name of its solid."),
    (text.HEADLESS, "Facets are outside any solid."),
    (text.SPLIT, "A closing keyword is written as two words."),
    (text.CASE, "Keywords are not in lower case."),
    (text.NO_NORMAL, "Facets have no normal."),
    (text.UNKNOWN, "There are unknown words in the text; they are not read."),
)


def read_stl_text(content: bytes, steps: Steps | None = None) -> Facets:
    """The facets of a text STL, in file order.

    A facet of more than three vertices is cut into triangles inside it; one of fewer is left out. Both are an F107.

    Args:
        content: the whole file, decompressed.
        steps: those of the call that this is part of; they know the budget.

    Returns:
        corners float64 (m, 3, 3) · stored normals float64 (m, 3), NaN where a facet has none · int32 (m,), the number
        of the solid that each facet is in, from 0 · how many solids there are, empty ones included · what is irregular:
        F103 (one per kind), F101 (the end cuts something off), F106 (text after the last solid), F107, F109 (several
        solids).

    Raises:
        ReadError: no STL keyword at all, or something other than a number where one must be.
        BudgetExceeded: cutting facets takes longer than the budget allows.
    """
    steps = steps or Steps()
    encoding = wide_encoding(content)
    if encoding is not None:
        return _read_wide(content, encoding, steps)
    try:
        return _read_plain(content, steps)
    except ReadError as error:
        if error.expected != _NUMBER or not has_commas(content):
            raise
        repaired = without_commas(content)
        if repaired is None:
            raise ReadError(
                "numbers are written with commas, and whether these are decimal commas or separate numbers is not"
                " certain",
                offset=error.offset,
                expected="a number with a decimal point",
                got=error.got,
            ) from error
        corners, normals, solid, solids, notes = _read_plain(repaired[0], steps)
        return corners, normals, solid, solids, (repaired[1], *notes)


def _read_wide(content: bytes, encoding: Encoding, steps: Steps) -> Facets:
    """The facets of a text in UTF-16 or UTF-32; offsets are those of the file."""

    def in_file(offset: int | None) -> int | None:
        return None if offset is None else encoding.mark + encoding.width * offset

    try:
        corners, normals, solid, solids, notes = read_stl_text(narrowed(content, encoding), steps)
    except ReadError as error:
        raise ReadError(error.reason, offset=in_file(error.offset), expected=error.expected, got=error.got) from error
    note = Irregularity(check="F103", message=f"The text is in {encoding.name}; it is read.", offset=0)
    return corners, normals, solid, solids, (note, *(replace(n, offset=in_file(n.offset)) for n in notes))


def _read_plain(content: bytes, steps: Steps) -> Facets:
    """The facets of a text in ASCII or UTF-8."""
    notes: list[Irregularity] = []
    start = 0
    if content.startswith(_BOM):
        start = 3
        notes.append(Irregularity(check="F103", message="The file begins with a byte order mark.", offset=0))
    if content[start : start + 1].isspace():
        message = "There are blanks before the first word of the file."
        notes.append(Irregularity(check="F103", message=message, offset=start))
    most = (len(content) - start) // _LEAST_FACET + 1
    corners = np.empty((most, 3, 3))
    normals = np.empty((most, 3))
    solid = np.empty(most, np.int32)
    found = np.zeros(text.NOTES, np.int64)
    text.stl_facets(np.frombuffer(content, np.uint8), start, corners, normals, solid, found)
    if found[text.ERROR] == text.BAD_NUMBER:
        exact_number(content, int(found[text.ERROR_AT]), single=False)  # raises, and says what is there
    rows, solids = int(found[text.ROWS]), int(found[text.SOLIDS])
    if rows == 0 and solids == 0:
        raise ReadError("this is not a text STL", offset=start, expected="solid or facet", got="other text")
    # Copies release the memory that was meant for the shortest possible facets.
    corners, normals, solid = corners[:rows].copy(), normals[:rows].copy(), solid[:rows].copy()
    _settle(content, corners)
    nonfinite = _settle_normals(content, normals)
    notes += _irregularities(content, found, rows)
    if found[text.MANY]:
        continues = solid < 0
        solid[continues] = ~solid[continues]
        notes += _cut(corners, continues, int(found[text.MANY + 1]), steps)
    if nonfinite:
        notes.append(nonfinite_normals(nonfinite))
    return corners, normals, solid, solids, tuple(notes)


def _cut(
    corners: npt.NDArray[np.float64], continues: npt.NDArray[np.bool_], offset: int, steps: Steps
) -> list[Irregularity]:
    """Facets of more than three vertices, which are fans, cut into triangles inside them: `corners` is changed.

    Args:
        corners: (m, 3, 3) float64; each polygon of n vertices is a fan of n − 2 rows from its first.
        continues: (m,): rows that are not the first of their facet.
        offset: of the first such facet.
        steps: for the clock.

    Returns:
        F107 of those that have no right triangulation.
    """
    first = np.flatnonzero(~continues)
    sizes = np.diff(first, append=len(corners))
    rows = np.flatnonzero(np.repeat(sizes > 1, sizes))
    first, sizes = first[sizes > 1], sizes[sizes > 1]
    ends = np.cumsum(sizes + 2)
    vertices = np.empty((int(ends[-1]), 3))
    is_further = np.ones(len(vertices), np.bool_)
    for k in range(2):
        vertices[ends - sizes - 2 + k] = corners[first, k]
        is_further[ends - sizes - 2 + k] = False
    vertices[is_further] = corners[rows, 2]
    faces, _, notes = triangles((sizes + 2).astype(np.int32), np.arange(len(vertices)), vertices, steps)
    corners[rows] = vertices[faces]
    nothing = frozen_array(np.empty(0, np.int32))
    return [
        replace(note, element="file", indices=nothing, offset=offset)
        for note in notes
        if "largest" not in note.measures
    ]


def _settle(content: bytes, values: npt.NDArray[np.float64]) -> None:
    """Put the right value wherever the kernel deferred a token; a missing normal stays NaN."""
    flat = values.reshape(-1)
    if not np.isnan(flat).any():
        return
    offsets = tokens.deferred_offsets(flat)
    for k in np.flatnonzero(offsets >= 0):
        flat[k] = exact_number(content, int(offsets[k]), single=False)


def _settle_normals(content: bytes, normals: npt.NDArray[np.float64]) -> int:
    """Like `_settle`, but a word that is not a number is NaN; how many rows hold one, or an infinite number."""
    if not np.isnan(normals).any():
        return 0
    offsets = tokens.deferred_offsets(normals)
    rows = np.flatnonzero((offsets >= 0).any(axis=1))
    must_be_numbers: bool | None = None  # commas are repaired in all numbers or in none
    for row in rows:
        for axis in np.flatnonzero(offsets[row] >= 0):
            try:
                normals[row, axis] = exact_number(content, int(offsets[row, axis]), single=False)
            except ReadError:
                if must_be_numbers is None:
                    must_be_numbers = has_commas(content)
                if must_be_numbers:
                    raise
                normals[row, axis] = np.nan
    return int(np.count_nonzero(~np.isfinite(normals[rows]).all(axis=1)))


def _irregularities(content: bytes, found: npt.NDArray[np.int64], rows: int) -> list[Irregularity]:
    """What the kernel counted, in words."""
    notes = [
        Irregularity(check="F103", message=message, offset=int(found[kind + 1]), count=int(found[kind]))
        for kind, message in _KINDS
        if found[kind]
    ]
    if found[text.MANY]:
        notes.append(
            Irregularity(
                check="F107",
                message="Facets with more than three vertices were cut into triangles.",
                offset=int(found[text.MANY + 1]),
                count=int(found[text.MANY]),
                measures={"polygons": int(found[text.MANY]), "largest": int(found[text.LARGEST])},
            )
        )
    if found[text.FEW]:
        notes.append(
            Irregularity(
                check="F107",
                message="Facets with fewer than three vertices are left out.",
                offset=int(found[text.FEW + 1]),
                count=int(found[text.FEW]),
                lost="faces with fewer than three corners",
            )
        )
    if found[text.OPEN_AT]:
        notes.append(
            Irregularity(
                check="F101",
                message="The text ends in the middle of a facet; the complete facets before it are read.",
                offset=int(found[text.OPEN_AT]) - 1,
                measures={"present": rows},
            )
        )
    elif found[text.UNCLOSED]:
        notes.append(
            Irregularity(
                check="F101",
                message="A solid has no endsolid line; facets may be missing.",
                offset=int(found[text.UNCLOSED + 1]),
                count=int(found[text.UNCLOSED]),
                measures={"present": rows},
            )
        )
    if found[text.TRAILING_AT]:
        offset = int(found[text.TRAILING_AT]) - 1
        count = len(content) - offset
        notes.append(
            Irregularity(
                check="F106",
                message=f"The file continues after its last solid; the rest is not read (bytes: {count}).",
                offset=offset,
                measures={"bytes": count},
                lost="text after the last solid",
            )
        )
    if found[text.SOLIDS] > 1:
        solids = int(found[text.SOLIDS])
        notes.append(
            Irregularity(
                check="F109", message=f"The file holds {solids} solids; they are read as one mesh.", count=solids
            )
        )
    return notes
