"""Wavefront OBJ: its vertices and faces in file order, polygons cut into triangles inside them.

A line is a keyword and its values; the body names vertices by their numbers from 1, or counted back from the last one.
Vertices stay one for each `v` line: texture coordinates and normals that corners of faces name besides do not split
them. See the appendix B1 of the Advanced Visualizer manual (Wavefront Technologies).
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from meshguard.budget import Steps
from meshguard.errors import ReadError
from meshguard.io.polygons import triangles
from meshguard.io.words import counted_words, indices, not_a_number, numbers, singles, taken
from meshguard.mesh import Irregularity, Mesh, Source, frozen_array

_LOST = {
    b"vt": "texture coordinates of the faces",
    **dict.fromkeys((b"mtllib", b"usemtl", b"maplib", b"usemap"), "materials"),
    **dict.fromkeys((b"l", b"p"), "lines and points"),
    **dict.fromkeys((b"vp", b"curv", b"curv2", b"surf", b"parm", b"trim", b"hole", b"scrv", b"sp"), "curved surfaces"),
}
"""Keywords of what a mesh cannot hold -> its kind."""

_KNOWN = frozenset(
    b"s end con cstype deg bmat step mg bevel c_interp d_interp lod shadow_obj trace_obj ctech stech".split()
)
"""Other keywords of the format: they belong to a curved surface, or say how to draw."""

_AFTER_SLASH = re.compile(rb"/[^\s]*")
_CONTINUED = re.compile(rb"\\[ \t]*(?:\r\n|\n|\r)")


class _Lines:
    """What the lines hold, sorted by their keyword.

    Attributes:
        content: the file, with continued lines joined.
        vertices, normals, faces: the values of each such line.
        vertices_before: face with a number that is counted back -> how many vertices come before it.
        objects, groups: how many faces come before each object or group.
        lost: kind of what a mesh cannot hold -> how many lines.
        unknown: lines whose keyword is not of the format.
    """

    def __init__(self, content: bytes) -> None:
        self.content = _CONTINUED.sub(_blanks, content) if b"\\" in content else content
        self.vertices: list[bytes] = []
        self.normals: list[bytes] = []
        self.faces: list[bytes] = []
        self.vertices_before: dict[int, int] = {}
        self.objects: list[int] = []
        self.groups: list[int] = []
        self.lost: dict[str, int] = {}
        self.unknown = 0
        vertices, faces = self.vertices, self.faces
        for line in self.content.splitlines():
            start = line[:2]
            if start == b"v ":
                vertices.append(line[2:])
            elif start == b"f ":
                if b"-" in line:
                    self.vertices_before[len(faces)] = len(vertices)
                faces.append(line[2:])
            else:
                self._add(line.split(None, 1))

    def _add(self, words: list[bytes]) -> None:
        """A line as its keyword and the rest of it."""
        keyword, rest = words[0] if words else b"", words[1] if len(words) > 1 else b""
        if keyword == b"vn":
            self.normals.append(rest)
        elif keyword == b"v":
            self.vertices.append(rest)
        elif keyword in (b"f", b"fo"):
            if b"-" in rest:
                self.vertices_before[len(self.faces)] = len(self.vertices)
            self.faces.append(rest)
        elif keyword in (b"o", b"g"):
            (self.objects if keyword == b"o" else self.groups).append(len(self.faces))
        elif keyword in _LOST:
            self.lost[_LOST[keyword]] = self.lost.get(_LOST[keyword], 0) + 1
        elif keyword and keyword not in _KNOWN and not keyword.startswith(b"#"):
            self.unknown += 1


def _blanks(match: re.Match[bytes]) -> bytes:
    """As many blanks, so that offsets stay what they are."""
    return b" " * len(match[0])


def read_obj(content: bytes, steps: Steps | None = None) -> Mesh:
    """The mesh in an OBJ; numbers after a position are colours if all vertices have three or four.

    Args:
        content: the whole file, decompressed.
        steps: those of the call that this is part of; they know the budget.

    Returns:
        A mesh with `source`. `vertex_data` has "color" (float32) where the file gives colours, and "normal" where
        each vertex has the normal of its own number. `face_data` has "solid" where there are several objects.

    Raises:
        ReadError: a vertex without three numbers, or a corner that is not a whole number.
        BudgetExceeded: more triangles than the budget allows.
    """
    steps = steps or Steps()
    lines = _Lines(content.removeprefix(b"\xef\xbb\xbf"))
    steps.check_clock("its faces were made")
    notes = _lost(lines)
    vertices, vertex_data = _vertices(lines, notes)
    words, lengths = counted_words(lines.faces)
    items = _indices(lines, words, lengths)
    faces, origin, found = triangles(lengths, items, vertices, steps)
    vertex_data |= _normals(lines, words, items, len(vertices), notes)
    solid = _numbered(lines.objects, len(lengths))
    face_data = {}
    if len(solid) and solid[0] != solid[-1]:
        face_data["solid"] = frozen_array(solid if origin is None else solid[origin])
        count = int(solid[-1]) + 1
        message = f"The file holds {count} objects; they are read as one mesh."
        found.append(Irregularity(check="F109", message=message, count=count))
    return Mesh(
        vertices=vertices,
        faces=faces,
        vertex_data=vertex_data,
        face_data=face_data,
        source=Source(format="obj", irregularities=(*notes, *found), face_origin=origin),
    )


def _numbered(starts: list[int], count: int) -> npt.NDArray[np.int32]:
    """The number of the object or group of each face, int32 (count,), from 0; those without faces are not counted."""
    bounds = np.unique([start for start in starts if 0 < start < count])
    return np.searchsorted(bounds, np.arange(count), side="right").astype(np.int32)


def _not_a_number(lines: _Lines, keyword: bytes) -> ReadError:
    rows = re.finditer(rb"(?m)^[ \t]*" + keyword + rb"[ \t]([^\r\n]*)", lines.content)
    return not_a_number(lines.content, rows, "a number of the OBJ")


def _vertices(lines: _Lines, notes: list[Irregularity]) -> tuple[npt.NDArray[np.float64], dict[str, npt.NDArray[Any]]]:
    """Positions, float64 (n, 3), and colours where the file gives them."""
    if not lines.vertices:
        return np.empty((0, 3)), {}
    words, lengths = counted_words(lines.vertices)
    try:
        values = numbers(words)
    except ValueError:
        raise _not_a_number(lines, b"v") from None
    least, most = int(lengths.min()), int(lengths.max())
    if least < 3:
        reason = f"vertex {int(np.argmin(lengths))} of the OBJ has no position"
        raise ReadError(reason, expected="three numbers", got=f"{least} of them")
    table = (values if least == most else taken(values, lengths, 0, 3)).reshape(len(lengths), -1)
    vertices, more = table[:, :3].copy(), table[:, 3:]
    vertices.flags.writeable = False
    if more.shape[1] in (3, 4):
        return vertices, {"color": singles(more)}
    is_weight = most == 4 and least == 4 and bool((more == 1.0).all())
    if most > 3 and not is_weight:
        message = "Vertices have numbers after their position that are not colours; they are not kept."
        notes.append(Irregularity(check="F108", message=message, lost="numbers after the positions of vertices"))
    return vertices, {}


def _indices(lines: _Lines, words: list[bytes], lengths: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """The vertices of the faces' corners, from 0; the number 0 and what is counted back too far are out of range."""
    if any(b"/" in line for line in lines.faces):
        words = _AFTER_SLASH.sub(b"", b" ".join(words)).split()
    try:
        items = indices(words)
        if len(items) < int(lengths.sum()):
            raise ValueError("a corner begins with a slash")
    except ValueError:
        raise _not_a_number(lines, rb"fo?") from None
    if not lines.vertices_before:
        return items - 1
    before = np.zeros(len(lengths), np.int64)
    before[list(lines.vertices_before)] = list(lines.vertices_before.values())
    return np.where(items < 0, np.repeat(before, lengths) + items, items - 1)


def _normals(
    lines: _Lines, words: list[bytes], items: npt.NDArray[np.int64], count: int, notes: list[Irregularity]
) -> dict[str, npt.NDArray[Any]]:
    """Normals of the vertices, if each corner names the normal that has its vertex's number; an F108 of any others."""
    if not lines.normals:
        return {}
    normals, lengths = counted_words(lines.normals)
    try:
        if len(lengths) == count and bool((lengths == 3).all()):
            of_corner = indices([word.rpartition(b"/")[2] for word in words if word.count(b"/") == 2])
            if np.array_equal(of_corner - 1, items):
                return {"normal": singles(numbers(normals).reshape(-1, 3))}
    except ValueError:  # they are left out like those of corners
        pass
    message = "The file has normals of the faces' corners, which a mesh cannot hold; they are not kept."
    notes.append(Irregularity(check="F108", message=message, count=len(lengths), lost="normals of the corners"))
    return {}


def _lost(lines: _Lines) -> list[Irregularity]:
    """F108: texture coordinates, materials, groups, lines and curves; F103: words that are not of the format."""
    counts = dict(lines.lost)
    n_groups = int(_numbered(lines.groups, len(lines.faces)).max(initial=0)) + 1
    if n_groups > 1:
        counts["groups of faces"] = n_groups
    notes = [
        Irregularity(
            check="F108",
            message=f"The file has {kind}, which a mesh cannot hold; they are not kept: {count}.",
            count=count,
            lost=kind,
        )
        for kind, count in counts.items()
    ]
    if lines.unknown:
        message = "There are unknown words in the text; they are not read."
        notes.append(Irregularity(check="F103", message=message, count=lines.unknown))
    return notes
