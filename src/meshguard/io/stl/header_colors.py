"""The colours in the header of a binary STL, as Materialise Magics writes them: the only part of a header that is kept.

`COLOR=` and four bytes give the colour of the whole; `,MATERIAL=` and twelve bytes right after them give a material. In
such a file a facet has a colour of its own where bit 15 of its attribute word is 0. In any other file (VisCAM,
SolidView) it has one where that bit is 1, and red and blue change places. So without the header the words mean
something else. Neither is part of the format: https://en.wikipedia.org/wiki/STL_(file_format)#Color describes both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshguard.mesh import Irregularity

if TYPE_CHECKING:
    from meshguard.mesh import Color

HEADER = b"binary STL, millimetres, written by meshguard"
"""The same text in every file: no name, no date, no path."""

HEADER_BYTES = 80
_COLOR, _MATERIAL = b"COLOR=", b",MATERIAL="


def read_header_colors(content: bytes) -> tuple[tuple[Color, ...], list[Irregularity]]:
    """The colour of the whole and those of its material, and an F106 that tells of them; empty for none.

    Four bytes that could be letters are text, such as a name, and not a colour: they are not kept.

    Args:
        content: a binary STL, or its first 80 bytes.
    """
    header = content[:HEADER_BYTES]
    at = header.find(_COLOR)
    if at < 0:
        return (), []
    start = at + len(_COLOR)
    colors = _colors(header[start : start + 4], 1)
    if not colors:
        return (), [_note("The header announces a colour (COLOR=) and gives none.", at)]
    notes = [
        _note("The header gives a colour for the whole (COLOR=), on which attribute words depend; it is kept.", at)
    ]
    start += 4
    if header.startswith(_MATERIAL, start):
        material = _colors(header[start + len(_MATERIAL) :], 3)
        colors += material
        if not material:
            notes.append(_note("The header announces a material (MATERIAL=) and gives none.", start))
    return colors, notes


def _note(message: str, offset: int) -> Irregularity:
    return Irregularity(check="F106", message=message, offset=offset)


def _colors(content: bytes, count: int) -> tuple[Color, ...]:
    """So many colours; none where bytes are missing, or where four of them read as text."""
    if len(content) < 4 * count:
        return ()
    quads = [content[4 * k : 4 * k + 4] for k in range(count)]
    if any(all(32 <= byte < 127 for byte in quad) for quad in quads):
        return ()
    return tuple((quad[0], quad[1], quad[2], quad[3]) for quad in quads)


def header_with(colors: tuple[Color, ...]) -> bytes:
    """The 80 bytes of a header that gives these colours; a constant where there are none."""
    head = b""
    if colors:
        head = _COLOR + bytes(colors[0])
        if len(colors) == 4:
            head += _MATERIAL + b"".join(bytes(color) for color in colors[1:])
        head += b" "
    return (head + HEADER).ljust(HEADER_BYTES)
