"""The header of a PLY: which elements follow, in which layout, and what is not as the format says."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from meshguard.errors import ReadError
from meshguard.mesh import MAX_ELEMENTS, Irregularity

FORMATS: dict[str, Literal["<", ">", ""]] = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
"""The encodings of a PLY's body, with NumPy's letter for the byte order."""

TYPES = {
    **dict.fromkeys(("char", "int8"), "i1"),
    **dict.fromkeys(("uchar", "uint8"), "u1"),
    **dict.fromkeys(("short", "int16"), "i2"),
    **dict.fromkeys(("ushort", "uint16"), "u2"),
    **dict.fromkeys(("int", "int32"), "i4"),
    **dict.fromkeys(("uint", "uint32"), "u4"),
    **dict.fromkeys(("float", "float32"), "f4"),
    **dict.fromkeys(("double", "float64"), "f8"),
}
"""NumPy's name for each scalar type."""

_MOST_HEADER = 1 << 20
_BOM = b"\xef\xbb\xbf"
_END = re.compile(rb"(?<=[\r\n])[ \t\x0b\x0c]*end_header[ \t\x0b\x0c]*(?=[\r\n]|\Z)", re.IGNORECASE)
_PICTURE = re.compile(rb"(?<=[\r\n])[ \t]*(?:comment|obj_info)[ \t]+TextureFile[ \t]+[^\s]", re.IGNORECASE)
_LINE = re.compile(rb"[^\r\n]*(\r\n|\r|\n|\Z)")

KINDS = {
    "vertex": "vertices",
    "face": "faces",
    "tristrips": "triangle strips",
    "edge": "edges",
    "material": "materials",
    "camera": "cameras",
    "range_grid": "range grids",
    "multi_texture_vertex": "texture coordinates",
    "multi_texture_face": "texture coordinates of the faces",
}
"""Elements that programs write -> what they hold. Another name may be a person's and is never shown."""

_COORDINATES = re.compile(
    r"(?:multi_?)?tex(?:ture)?_?(?:coord|coordinate|number|num|index|id)s?|uvs?|st", re.IGNORECASE
)
"""Lists that place a picture on the faces, as MeshLab, Blender and others call them."""


@dataclass(frozen=True, slots=True)
class Property:
    """A column of an element; `length` is the type of a list's length, None for a scalar. Types are NumPy's names."""

    name: str
    dtype: str
    length: str | None = None


@dataclass(slots=True)
class Element:
    """An element: how many rows the header claims, and its properties in file order."""

    name: str
    count: int
    offset: int
    properties: list[Property] = field(default_factory=list)

    @property
    def shown(self) -> str:
        """What a message calls it: by its name only if that is one of those that programs write."""
        return f'the element "{self.name}"' if self.name in KINDS else "an unknown element"

    @property
    def kind(self) -> str:
        """What its rows are."""
        return KINDS.get(self.name, "rows of an unknown element")

    @property
    def least_bytes(self) -> int:
        """Bytes of a binary row whose lists are all empty."""
        return sum(np.dtype(prop.length or prop.dtype).itemsize for prop in self.properties)

    @property
    def scalars(self) -> list[Property]:
        """The properties that are not lists."""
        return [prop for prop in self.properties if prop.length is None]

    def unkept_lists(self, index_list: int) -> dict[str, int]:
        """The lists other than the one that is kept: kind -> how many."""
        lists = [prop for k, prop in enumerate(self.properties) if prop.length is not None and k != index_list]
        kinds = ["texture coordinates" if _COORDINATES.fullmatch(prop.name) else "lists" for prop in lists]
        return {f"{kind} of the {self.kind}": kinds.count(kind) for kind in dict.fromkeys(kinds)}

    @property
    def index_list(self) -> int:
        """The list of a face's vertices: `vertex_indices` or `vertex_index`, else the first list; −1 for none."""
        lists = [k for k, prop in enumerate(self.properties) if prop.length is not None]
        named = [k for k in lists if self.properties[k].name.lower() in ("vertex_indices", "vertex_index")]
        return next(iter([*named, *lists]), -1)


@dataclass(frozen=True, slots=True)
class Header:
    """A PLY's header: its encoding (a key of `FORMATS`), elements, the offset of the body, and what is irregular."""

    encoding: str
    elements: list[Element]
    body: int
    notes: list[Irregularity]

    @property
    def order(self) -> Literal["<", ">", ""]:
        """NumPy's letter for the byte order; "" for text."""
        return FORMATS[self.encoding]


class Notebook:
    """Non-conforming text by kind: how often it occurs, and where first."""

    def __init__(self) -> None:
        self._kinds: dict[str, list[int]] = {}

    def add(self, message: str, offset: int, count: int = 1) -> None:
        """Count one more of a kind; the message is the kind."""
        kind = self._kinds.setdefault(message, [offset, 0])
        kind[1] += count

    def irregularities(self) -> list[Irregularity]:
        """One F103 per kind, in the order of first appearance."""
        return [
            Irregularity(check="F103", message=message, offset=offset, count=count)
            for message, (offset, count) in self._kinds.items()
        ]


def read_header(content: bytes) -> Header:
    """Parse the header.

    Raises:
        ReadError: no `ply` line, no `end_header`, no known `format`, an unknown property type, a count that is not a
            number or is more than a mesh can have.
    """
    notes = Notebook()
    start = 0
    if content.startswith(_BOM):
        start = 3
        notes.add("The file begins with a byte order mark.", 0)
    while content[start : start + 1].strip() == b"" and start < len(content):
        start += 1
    if start > 0 and not content.startswith(_BOM):
        notes.add("There are blanks before the first line of the file.", 0)
    if content[start : start + 3].lower() != b"ply":
        raise ReadError("this is not a PLY", offset=start, expected="a line that says ply", got=f"{len(content)} bytes")
    end = _END.search(content, start, start + _MOST_HEADER)
    if end is None:
        raise ReadError(
            "the PLY header is not complete",
            offset=min(len(content), start + _MOST_HEADER),
            expected="a line that says end_header",
            got="the end of the file" if len(content) <= start + _MOST_HEADER else "a megabyte without one",
        )
    encoding, elements, endings = _parse(content, start, end.end(), notes)
    body = end.end()
    # With CR alone as line end, a 0x0A after the last one is the first byte of binary data.
    if content[body : body + 2] == b"\r\n" and not (endings == {b"\r"} and encoding != "ascii"):
        body += 2
        endings.add(b"\r\n")
    elif body < len(content):
        endings.add(content[body : body + 1])
        body += 1
    if endings == {b"\r"}:
        notes.add("Header lines end with a carriage return only.", start)
    elif len(endings) > 1:
        notes.add("Header lines end in different ways.", start)
    return Header(encoding, elements, body, [*notes.irregularities(), *_pictures(content, start, end.end())])


def _pictures(content: bytes, start: int, stop: int) -> list[Irregularity]:
    """F108: names of pictures with a texture, in a comment as MeshLab and Blender write it; at most one."""
    found = [match.start() for match in _PICTURE.finditer(content, start, stop)]
    if not found:
        return []
    message = f"The header names pictures of a texture, which a mesh cannot hold; names not kept: {len(found)}."
    return [
        Irregularity(check="F108", message=message, offset=found[0], count=len(found), lost="names of texture pictures")
    ]


def _parse(content: bytes, start: int, stop: int, notes: Notebook) -> tuple[str, list[Element], set[bytes]]:
    """Encoding and elements of the header lines in [start, stop), and the line ends between them."""
    encoding = ""
    elements: list[Element] = []
    endings: set[bytes] = set()
    offset = start
    while offset < stop:
        match = _LINE.match(content, offset, stop)
        if match is None or match.end() == offset:
            break
        line = content[offset : match.start(1)]
        if match.group(1):
            endings.add(match.group(1))
        line_offset, offset = offset, match.end()
        words = [word.decode(errors="backslashreplace") for word in line.split()]
        if not words:
            notes.add("There is a blank line in the header.", line_offset)
            continue
        word = words[0].lower()
        if line[:1].isspace():
            notes.add("There are blanks before the first word of a header line.", line_offset)
        if word in ("comment", "obj_info"):
            continue
        if word != words[0] and word in ("ply", "format", "element", "property", "end_header"):
            notes.add("A header keyword is not in lower case.", line_offset)
        if word == "format":
            encoding = _encoding(words, line_offset, notes)
        elif word == "element":
            elements.append(_element(words, line_offset, notes))
        elif word == "property":
            if not elements:
                raise ReadError(
                    "a property belongs to no element", offset=line_offset, expected="an element line before it"
                )
            elements[-1].properties.append(_property(words, line_offset, notes))
        elif word not in ("ply", "end_header"):
            notes.add("A header line begins with an unknown word; it is not read.", line_offset)
    if not encoding:
        raise ReadError("the PLY header does not name the format of its data", offset=stop, expected="a format line")
    return encoding, elements, endings


def _encoding(words: list[str], offset: int, notes: Notebook) -> str:
    encoding = words[1].lower() if len(words) > 1 else ""
    if encoding not in FORMATS:
        raise ReadError(
            "the format of the data is unknown", offset=offset, expected=" or ".join(FORMATS), got="another word"
        )
    if encoding != words[1]:
        notes.add("A header keyword is not in lower case.", offset)
    if words[2:] != ["1.0"]:
        notes.add("The version in the header is not 1.0.", offset)
    return encoding


def _element(words: list[str], offset: int, notes: Notebook) -> Element:
    count = words[2] if len(words) > 2 else ""
    if not re.fullmatch(r"\+?[0-9]{1,30}", count):
        raise ReadError(
            "an element's count is not a number", offset=offset, expected="element NAME COUNT", got="other text"
        )
    if len(words) > 3:
        notes.add("A header line has more words than it needs.", offset)
    name = words[1]
    if name.lower() in ("vertex", "face", "tristrips"):
        if name != name.lower():
            notes.add("A header keyword is not in lower case.", offset)
        name = name.lower()
        if int(count) > MAX_ELEMENTS:
            raise ReadError(
                "the header claims more rows than a mesh can have",
                offset=offset,
                expected=f"at most {MAX_ELEMENTS}",
                got=str(int(count)),
            )
    return Element(name, int(count), offset)


def _property(words: list[str], offset: int, notes: Notebook) -> Property:
    is_list = len(words) > 1 and words[1].lower() == "list"
    types, names = (words[2:4], words[4:]) if is_list else (words[1:2], words[2:])
    known = [TYPES.get(word.lower(), "") for word in types]
    if not all(known) or len(known) < 1 + is_list or not names or (is_list and known[0][0] == "f"):
        raise ReadError(
            "a property's type is unknown, or its name is missing",
            offset=offset,
            expected="property TYPE NAME or property list TYPE TYPE NAME",
            got="other text",
        )
    if len(names) > 1:
        notes.add("A header line has more words than it needs.", offset)
    return Property(names[0], known[-1], known[0] if is_list else None)


def row_dtype(properties: list[Property], order: Literal["<", ">", ""]) -> np.dtype[np.void]:
    """The packed layout of scalar properties; fields are named by their place."""
    return np.dtype([(str(k), np.dtype(prop.dtype).newbyteorder(order or "=")) for k, prop in enumerate(properties)])
