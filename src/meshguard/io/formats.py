"""Which format a file's bytes are in, by what they hold. Its suffix only counts where content cannot tell."""

from __future__ import annotations

import re

from meshguard.errors import ReadError
from meshguard.io.containers import (
    MESHES,
    check_archive,
    is_archive,
    refuse_container,
    refuse_markup,
    refuse_packed,
)
from meshguard.io.stl_layouts import STL_HEADER, STL_RECORD, holds_facets, holds_unusual_layout, is_binary_stl_size
from meshguard.io.wide_text import Encoding, narrowed, wide_encoding

OTHERS = ("obj", "off", "3mf", "glb")
"""Formats other than STL and PLY."""

_SPACE = b" \t\r\n\x0b\x0c"
_BOM = b"\xef\xbb\xbf"


def format_of(content: bytes, suffix: str = "") -> str:
    """The name of the format: "stl", "ply", or one of `OTHERS`.

    Args:
        content: the whole file, decompressed.
        suffix: of the file's name, lower case, "" where there is none; OBJ has no mark of its own and needs it.

    Raises:
        ReadError: the content is empty, or of no known format; archives, HTML, XML and packed scanner exports are
            refused by what they are.
    """
    if not content:
        raise ReadError("the file is empty", offset=0, expected="a mesh", got="0 bytes")
    head = content[:256].removeprefix(_BOM).lstrip(_SPACE)
    if is_binary_stl_size(content) and content[80:84] != bytes(4):
        return "stl"  # before anything else, as the 80 bytes of free text may imitate it
    if content[:4] == b"glTF":
        return "glb"
    if is_archive(content):
        check_archive(content, suffix)
        return "3mf"
    refuse_container(content)
    if head[:3].lower() == b"ply" and head[3:4].strip() == b"":
        return "ply"
    if is_binary_stl_size(content):
        return "stl"
    encoding = wide_encoding(content)
    if encoding is not None:
        return _wide_format(content, encoding)
    refuse_markup(content)
    if re.match(rb"(ST)?C?N?4?n?OFF\s", head):
        return "off"
    if has_stl_keywords(content):
        return "stl"
    if suffix in (*OTHERS, "ply"):
        return suffix
    if holds_facets(content):
        return "stl"
    if holds_unusual_layout(content):
        return "stl"
    # The name counts where the bytes do not contradict it: too few for a header, or a whole number of facets.
    if suffix == "stl" and (len(content) < STL_HEADER or (len(content) - STL_HEADER) % STL_RECORD == 0):
        return "stl"
    refuse_packed(content, suffix)
    raise ReadError("the format is not recognised", offset=0, expected=MESHES, got=f"{len(content)} bytes")


def _wide_format(content: bytes, encoding: Encoding) -> str:
    """The format of a text in UTF-16 or UTF-32; of these, only STL is read.

    Raises:
        ReadError: it is another text; the encoding is named.
    """
    text = narrowed(content[: 4096 * encoding.width], encoding)
    refuse_markup(text)
    if has_stl_keywords(text):
        return "stl"
    raise ReadError(
        f"the file is text in {encoding.name}, which is read for STL only: save it as plain text (UTF-8)",
        offset=0,
        expected="plain text",
        got=f"text in {encoding.name}",
    )


def has_stl_keywords(content: bytes) -> bool:
    """Whether the text looks like an ASCII STL: one of its keywords begins a line, and no byte is NUL.

    The keyword may follow any number of comments and blank lines, but not a kilobyte of other things.
    """
    start = content[:4096]
    if b"\x00" in start:
        return False
    words = {line.split(maxsplit=1)[0].lower() for line in start.removeprefix(_BOM).splitlines() if line.strip()}
    return not words.isdisjoint({b"solid", b"facet", b"endsolid", b"vertex"})
