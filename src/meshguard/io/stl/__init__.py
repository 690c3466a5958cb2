"""STL, binary and ASCII: read into a welded mesh, written as binary.

A binary facet is 50 bytes: normal and three corners as little-endian float32, and an attribute word. The count at byte
80 is only a claim; the bytes present decide. Stored normals that agree with the corners are redundant and not kept. If
any disagrees, all are kept as `face_data["normal"]` for the checks, and written back by `stl_bytes`.
"""

from __future__ import annotations

import math
import os
import stat
import struct
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from meshguard.budget import Steps
from meshguard.errors import MeshError, ReadError
from meshguard.io.formats import has_stl_keywords
from meshguard.io.stl.header_colors import header_with, read_header_colors
from meshguard.io.stl.normals import nonfinite_normals, zero_normals
from meshguard.io.stl_layouts import (
    STL_HEADER,
    STL_RECORD,
    believable_count,
    is_binary_stl_size,
    is_doubtful,
    swapped_layout,
    unusual_layout,
)
from meshguard.io.wide_text import wide_encoding
from meshguard.kernels._parallel import part_bounds, side_by_side
from meshguard.kernels.weld import (
    ATTRIBUTE,
    DISAGREE,
    NONFINITE_NORMAL,
    ZERO,
    merge_part,
    weld_facets,
    weld_positions,
)
from meshguard.mesh import MAX_ELEMENTS, FloatArray, Irregularity, Mesh, Source
from meshguard.watch import look

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
"""A facet of a binary STL."""

_LARGE = 1 << 20
"""A binary STL of this many bytes or more is read chunk by chunk."""

_CHUNK = 8192
"""Facets in a chunk: 400 kB."""

_IN_MEMORY = 1 << 19
"""Facets in a chunk of a file that is in memory already: it is cut only so that reading can be ended."""

NORMAL_KEPT_DEG = 5.0
"""Stored normals are kept for the checks when any is farther off than this; rounding explains smaller angles."""


def read_stl(content: bytes, steps: Steps | None = None) -> Mesh:
    """The welded mesh of an STL, binary or ASCII.

    Vertices are welded on bit-equal positions, first occurrence first; `source.soup_origin` says where each came from.
    `face_data` holds "normal" (stored normals, if any disagrees), "attribute" (uint16, if any is not zero) and "solid"
    (the number of the solid, if there are several).

    Args:
        content: the whole file, decompressed.
        steps: those of the call that this is part of; they know the budget.

    Raises:
        ReadError: the content is too short for a binary STL and is not text, or is text that makes no sense.
        BudgetExceeded: more facets than the budget allows, by the size of a binary STL, or once a text is read.
    """
    steps = steps or Steps()
    if not is_binary_stl_size(content) and (has_stl_keywords(content) or wide_encoding(content) is not None):
        return _read_text(content, steps)
    return _read_binary(content, steps)


def stl_bytes(mesh: Mesh) -> bytes:
    """The mesh as binary STL: positions rounded to float32, a header that is constant but for `source.header_colors`.

    Normals are those of the faces (zero for a face without area), or the stored ones that the mesh still carries.

    Positions that differ by less than float32 resolves become one; PLY keeps them apart.

    Raises:
        MeshError: the mesh has what an STL cannot hold: a finite coordinate beyond float32, or attributes that are not
            16-bit words.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        narrow = mesh.vertices.astype(np.float32)
        lost = np.flatnonzero((np.isinf(narrow) & np.isfinite(mesh.vertices)).any(axis=1))
        if len(lost):
            raise MeshError(f"vertex {lost[0]} has a coordinate that an STL cannot hold; save it as PLY")
        corners = narrow[mesh.faces]
        records = np.zeros(len(mesh.faces), RECORD)
        records["corners"] = corners
        stored = mesh.face_data.get("normal")
        if stored is not None and stored.shape == (len(records), 3):
            records["normal"] = stored
        else:
            records["normal"] = _unit_normals(corners.astype(np.float64))
    attribute = mesh.face_data.get("attribute")
    if attribute is not None:
        if attribute.ndim != 1 or attribute.dtype.kind not in "iu" or (attribute != attribute.astype(np.uint16)).any():
            raise MeshError("face_data['attribute'] does not hold one 16-bit word per face; an STL cannot hold it")
        records["attribute"] = attribute
    header = header_with(mesh.source.header_colors if mesh.source is not None else ())
    return b"".join((header, struct.pack("<I", len(records)), records.tobytes()))


def _read_binary(content: bytes, steps: Steps) -> Mesh:
    if len(content) < STL_HEADER:
        raise ReadError(
            "the file is too short for an STL",
            offset=len(content),
            expected="84 bytes of header",
            got=f"{len(content)} bytes",
        )
    declared: int = struct.unpack_from("<I", content, 80)[0]
    count, rest = divmod(len(content) - STL_HEADER, STL_RECORD)
    notes: list[Irregularity] = []
    layout = None
    if declared != count or rest:
        layout = unusual_layout(content, steps)
        if layout is None:
            believed = believable_count(content, declared, count)
            if believed < count:
                count, rest = believed, len(content) - STL_HEADER - STL_RECORD * believed
    elif is_doubtful(content, count):
        layout = swapped_layout(content, count)
    if layout is not None:
        _check_supported(layout.facets)
        steps.check_faces(layout.facets)
        records = partial(_in_memory, layout.content, layout.start)
        return _welded(records, layout.facets, content, list(layout.notes), start=layout.start)
    # The last record may lack only its attribute word: its geometry is complete.
    padded = rest == STL_RECORD - 2 or rest == STL_RECORD - 1
    if declared == count and rest:
        notes.append(_trailing(STL_HEADER + STL_RECORD * count, rest))
    elif declared != count or rest:
        present = count + padded
        lost = f", and {rest} bytes of an incomplete one are left out" if rest and not padded else ""
        notes.append(
            Irregularity(
                check="F101",
                message=f"The header declares {declared} facets; the bytes hold {present}, which are read{lost}.",
                offset=80,
                measures={"declared": declared, "present": present},
            )
        )
        if declared < count:
            notes.append(
                _trailing(STL_HEADER + STL_RECORD * declared, len(content) - STL_HEADER - STL_RECORD * declared)
            )
        elif padded:
            content = content + bytes(STL_RECORD - rest)
            count += 1
    _check_supported(count)
    steps.check_faces(count)
    return _welded(partial(_in_memory, content, STL_HEADER), count, content, notes)


def _check_supported(count: int) -> None:
    if count > MAX_ELEMENTS:
        raise ReadError(
            "the file holds more facets than are supported", offset=80, expected=f"{MAX_ELEMENTS}", got=f"{count}"
        )


Chunk: TypeAlias = "tuple[int, npt.NDArray[np.uint32], npt.NDArray[np.float32], npt.NDArray[np.uint16]]"
"""Some facets: the number of the first, normals and corners as bit patterns and as numbers, (k, 12), and words."""

Records: TypeAlias = "Callable[[int, int], Iterator[Chunk]]"


def read_stl_file(path: str | Path, steps: Steps) -> Mesh | None:
    """The mesh of a large binary STL, whose bytes are never all in memory; None for any other file: see `read_stl`.

    Each range of facets is read in chunks into one buffer that stays in the processor's cache. When a large file is
    read in one go, the system spends more time on handing out memory than on reading.

    Raises:
        BudgetExceeded: more faces or seconds than the budget allows.
        OSError: the file cannot be opened.
    """
    most = steps.budget.max_bytes
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 (the hot path needs no Path object for a str)
        status = os.fstat(file.fileno())
        unfit = status.st_size < _LARGE or (most is not None and status.st_size > most)
        if unfit or not stat.S_ISREG(status.st_mode) or not hasattr(os, "preadv"):
            return None
        head = os.pread(file.fileno(), STL_HEADER + 64 * STL_RECORD, 0)
        count, rest = divmod(status.st_size - STL_HEADER, STL_RECORD)
        if rest or len(head) < STL_HEADER or struct.unpack_from("<I", head, 80)[0] != count or count > MAX_ELEMENTS:
            return None
        if is_doubtful(head, count):
            return None
        steps.begin("finding the format")
        steps.check_faces(count)
        steps.begin("making a mesh of STL")
        try:
            return _welded(partial(_in_file, file.fileno()), count, head, [])
        except EOFError:  # another process is cutting it short: let `read_stl` read what is left
            return None


def _views(buffer: memoryview, offset: int, first: int, count: int) -> Chunk:
    """Some facets as views of the memory that holds their records."""
    shape, strides = (count, 12), (STL_RECORD, 4)
    patterns: npt.NDArray[np.uint32] = np.ndarray(shape, np.uint32, buffer, offset, strides)
    numbers: npt.NDArray[np.float32] = np.ndarray(shape, np.float32, buffer, offset, strides)
    words: npt.NDArray[np.uint16] = np.ndarray((count,), np.uint16, buffer, offset + 48, (STL_RECORD,))
    return first, patterns, numbers, words


def _in_memory(content: bytes, start: int, lo: int, hi: int) -> Iterator[Chunk]:
    """The facets [lo, hi) of a file's content, whose first facet begins at `start`, in chunks."""
    for first in range(lo, hi, _IN_MEMORY):
        yield _views(memoryview(content), start + STL_RECORD * first, first, min(_IN_MEMORY, hi - first))


def _in_file(descriptor: int, lo: int, hi: int) -> Iterator[Chunk]:
    """The facets [lo, hi) of an open file; each chunk is overwritten by the next."""
    buffer = memoryview(bytearray(STL_RECORD * min(_CHUNK, hi - lo)))
    for first in range(lo, hi, _CHUNK):
        count = min(_CHUNK, hi - first)
        part = buffer[: STL_RECORD * count]
        filled = 0
        while filled < len(part):
            read = os.preadv(descriptor, [part[filled:]], STL_HEADER + STL_RECORD * first + filled)
            if not read:
                raise EOFError
            filled += read
        yield _views(part.toreadonly(), 0, first, count)


def _trailing(offset: int, length: int) -> Irregularity:
    return Irregularity(
        check="F106",
        message=f"{length} bytes follow the last declared facet.",
        offset=offset,
        measures={"bytes": length},
        lost="bytes after the last facet",
    )


def _welded(records: Records, count: int, head: bytes, notes: list[Irregularity], *, start: int = STL_HEADER) -> Mesh:
    """The mesh of `count` facets, of which `records` gives any range chunk by chunk; the first begins at `start`.

    `head` begins with the file's 80 bytes of header.
    """
    if not count:
        return Mesh(
            vertices=np.empty((0, 3)),
            faces=np.empty((0, 3), np.int32),
            source=Source(format="stl-binary", irregularities=tuple(notes), soup_origin=np.empty(0, np.int32)),
        )
    bounds = part_bounds(count)
    faces = np.empty((count, 3), np.int32)
    keys = np.empty((3 * count, 3), np.uint32)
    origin = np.empty(3 * count, np.int32)
    counts = np.zeros((len(bounds) - 1, 4), np.int64)
    cos_kept = math.cos(math.radians(NORMAL_KEPT_DEG))
    found: list[tuple[int, npt.NDArray[np.int32]]] = [(0, origin[:0])] * len(counts)

    def weld(part: int) -> None:
        lo, hi = bounds[part], bounds[part + 1]
        # A closed mesh has half as many vertices as faces; for others the table grows. The first range's takes in all.
        length, table = 0, np.full(1 << (count if part == 0 else hi - lo).bit_length(), -1, np.int32)
        for first, patterns, numbers, words in records(lo, hi):
            look()
            length, table = weld_facets(
                patterns,
                numbers,
                words,
                first,
                length,
                cos_kept,
                table,
                faces,
                keys[3 * lo :],
                origin[3 * lo :],
                counts[part],
            )
        found[part] = length, table

    side_by_side([partial(weld, part) for part in range(len(counts))])
    n, table = found[0]
    for part in range(1, len(counts)):
        look()
        lo, hi = bounds[part], bounds[part + 1]
        n, table = merge_part(table, n, 3 * lo, found[part][0], lo, hi, keys, origin, faces)
    keys, origin = keys[:n], origin[:n].copy()
    with np.errstate(invalid="ignore"):  # a signalling NaN stays a NaN
        vertices = keys.view(np.float32).astype(np.float64)
    totals = counts.sum(axis=0)
    face_data: dict[str, npt.NDArray[Any]] = {}
    if totals[DISAGREE] or totals[NONFINITE_NORMAL]:
        face_data["normal"] = np.concatenate([numbers[:, :3].copy() for _, _, numbers, _ in records(0, count)])
    elif totals[ZERO]:
        notes.append(zero_normals(int(totals[ZERO])))
    if totals[NONFINITE_NORMAL]:
        notes.append(nonfinite_normals(int(totals[NONFINITE_NORMAL])))
    if totals[ATTRIBUTE]:
        face_data["attribute"] = np.concatenate([words.copy() for _, _, _, words in records(0, count)])
        notes.append(
            Irregularity(
                check="F106",
                message=f"{totals[ATTRIBUTE]} facets carry an attribute word (colour in some programs); it is kept.",
                offset=start + 48,
                count=int(totals[ATTRIBUTE]),
                measures={"facets": int(totals[ATTRIBUTE])},
            )
        )
    colors, color_notes = read_header_colors(head)
    notes += color_notes
    made: list[npt.NDArray[Any]] = [vertices, faces, origin, *face_data.values()]
    for array in made:
        array.flags.writeable = False
    source = Source(format="stl-binary", irregularities=tuple(notes), soup_origin=origin, header_colors=colors)
    return Mesh(vertices=vertices, faces=faces, face_data=face_data, source=source)


def _read_text(content: bytes, steps: Steps) -> Mesh:
    from meshguard.io.stl.text import read_stl_text

    corners, normals, solid, solids, irregularities = read_stl_text(content, steps)
    steps.check_faces(len(corners))
    steps.check_clock("its facets were welded")
    notes = list(irregularities)
    soup = np.ascontiguousarray(corners.reshape(-1, 3)) + 0.0
    soup.flags.writeable = False
    remap = np.empty(len(soup), np.int32)
    n = weld_positions(soup, remap)
    origin = np.empty(n, np.int32)
    origin[remap[::-1]] = np.arange(len(remap) - 1, -1, -1, dtype=np.int32)
    face_data: dict[str, npt.NDArray[Any]] = {}
    with np.errstate(invalid="ignore", over="ignore"):
        facet_normals = _unit_normals(corners)
        lengths = np.linalg.norm(normals, axis=1)
        cosines = (facet_normals * normals).sum(axis=1) / lengths
        comparable = (lengths > 0) & np.isfinite(lengths) & facet_normals.any(axis=1)
        disagree = comparable & (cosines < math.cos(math.radians(NORMAL_KEPT_DEG)))
    zero = int((lengths == 0).sum())
    if disagree.any():
        face_data["normal"] = normals.astype(np.float32)
    else:
        notes = [
            replace(note, lost="stored normals that are not numbers") if note.check == "F104" else note
            for note in notes
        ]
        if zero:
            notes.append(zero_normals(zero))
    if solids > 1:
        face_data["solid"] = solid
    source = Source(format="stl-ascii", irregularities=tuple(notes), soup_origin=origin)
    return Mesh(vertices=soup[origin], faces=remap.reshape(-1, 3), face_data=face_data, source=source)


def _unit_normals(corners: FloatArray) -> FloatArray:
    """Unit normals of triangles (m, 3, 3); zero where there is no area or a corner is not finite."""
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(cross, axis=1, keepdims=True)
    usable = np.isfinite(length) & (length > 0)
    unit: FloatArray = np.divide(cross, length, out=np.zeros_like(cross), where=usable)
    return unit
