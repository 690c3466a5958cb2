"""PLY, read faithfully: any order of elements and properties, any scalar types, text or binary of either byte order.

A mesh holds triangles. Polygons are cut into triangles inside them, triangle strips into triangles of alternating
direction, and `mesh.source.face_origin` says which of the file's faces each comes from. Everything that
a mesh cannot hold, and everything that is not as the format says, is listed in `mesh.source.irregularities`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from meshguard.budget import Steps
from meshguard.errors import ReadError
from meshguard.io.ply.body import Body, Column, Table, kept_elements, read_binary, read_text
from meshguard.io.ply.header import Header, read_header
from meshguard.io.ply.names import grouped
from meshguard.io.ply.writing import ply_bytes
from meshguard.io.polygons import too_many, triangles
from meshguard.mesh import MAX_ELEMENTS, Irregularity, Mesh, Source, frozen_array

__all__ = ["ply_bytes", "read_ply"]

_AXES = "xyz"


def read_ply(content: bytes, steps: Steps | None = None) -> Mesh:
    """The mesh in a PLY; its vertices and faces stay in file order.

    Args:
        content: the whole file, decompressed.
        steps: those of the call that this is part of; they know the budget.

    Returns:
        A mesh with `source`. Positions of a `float` property are the float32 nearest to the text, widened. Rows of
        `tristrips` follow those of `face`, in the triangles and in the numbers of `face_origin`. A file without
        vertices gives an empty mesh and an F108.

    Raises:
        ReadError: a header that cannot be understood, vertices without x, y and z, no complete row of the vertices that
            the header claims, or something other than a number where one must be.
        BudgetExceeded: more triangles than the budget allows, by the header or once polygons are cut.
    """
    steps = steps or Steps()
    header = read_header(content)
    steps.check_faces(_claimed_triangles(content, header))
    body = read_text(content, header) if header.order == "" else read_binary(content, header)
    steps.check_clock("its faces were made")
    tables = {table.element.name: table for table in body.tables}
    notes = [*header.notes, *_skipped(header, tables), *body.notes]
    vertices, vertex_data = _vertices(content, header, body, tables)
    faces, origin, face_data = _faces(tables, vertices, notes, steps)
    return Mesh(
        vertices=vertices,
        faces=faces,
        vertex_data=vertex_data,
        face_data=face_data,
        source=Source(
            format="ply-" + header.encoding.replace("_", "-"), irregularities=tuple(notes), face_origin=origin
        ),
    )


def _claimed_triangles(content: bytes, header: Header) -> int:
    """How many faces the header claims, but no more than the bytes left for them can hold as triangles."""
    element = kept_elements(header.elements).get("face")
    if element is None or element.index_list < 0:
        return 0
    is_text = header.order == ""
    row = element.least_bytes + 3 * np.dtype(element.properties[element.index_list].dtype).itemsize
    if is_text:
        row = 2 * (len(element.properties) + 3)  # a digit and a blank for each number
    room = len(content) - header.body
    for before in header.elements[: header.elements.index(element)]:
        room -= before.count * (2 * len(before.properties) if is_text else before.least_bytes)
    return min(element.count, max(0, room) // row)


def _skipped(header: Header, tables: dict[str, Table]) -> list[Irregularity]:
    """F108: elements and lists that a mesh cannot hold."""
    notes: list[Irregularity] = []
    elements = kept_elements(header.elements)
    if "vertex" not in elements:
        notes.append(Irregularity(check="F108", message="The file has no vertices; the mesh is empty."))
    for element in header.elements:
        if elements.get(element.name) is not element:
            if element.count > 0:
                notes.append(
                    Irregularity(
                        check="F108",
                        message=f"A mesh cannot hold {element.shown}; it is not read (rows: {element.count}).",
                        offset=element.offset,
                        count=element.count,
                        lost=f"{'more ' * (element.name in elements)}{element.kind}",
                    )
                )
            continue
        table = tables.get(element.name)
        index_list = element.index_list if element.name != "vertex" else -1
        lists = element.unkept_lists(index_list) if table is not None and table.rows > 0 else {}
        notes += [
            Irregularity(
                check="F108",
                message=f"The file has {kind}, which a mesh cannot hold; they are not kept (lists: {count}).",
                offset=element.offset,
                count=count,
                lost=kind,
            )
            for kind, count in lists.items()
        ]
        if index_list < 0 and element.name != "vertex" and element.count > 0:
            notes.append(
                Irregularity(
                    check="F108",
                    message=f"The rows of {element.shown} list no vertices; they are not read (rows: {element.count}).",
                    offset=element.offset,
                    count=element.count,
                    lost=f"{element.kind} without vertices",
                )
            )
    return notes


def _vertices(
    content: bytes, header: Header, body: Body, tables: dict[str, Table]
) -> tuple[npt.NDArray[np.float64], dict[str, Column]]:
    """Positions, float64 (n, 3), and attributes of the vertices."""
    element = kept_elements(header.elements).get("vertex")
    if element is None:
        return np.empty((0, 3)), {}
    names = [prop.name for prop in element.properties if prop.length is None]
    place = {name: k for k, name in reversed(list(enumerate(names)))}
    for axis in _AXES:
        if axis not in place and axis.upper() in place:
            place[axis] = place[axis.upper()]
    if element.count > 0 and not set(_AXES) <= place.keys():
        missing = ", ".join(axis for axis in _AXES if axis not in place)
        raise ReadError(
            "the vertices have no positions", offset=element.offset, expected="x, y and z", got=f"no {missing}"
        )
    table = tables.get("vertex")
    if table is None or not set(_AXES) <= place.keys():
        return np.empty((0, 3)), {}
    if element.count > 0 and table.rows == 0:
        raise ReadError(
            "the vertices are missing",
            offset=header.body,
            expected=f"{element.count} rows of vertices",
            got=f"{len(content) - header.body} bytes that hold no complete one",
        )
    positions = body.positions
    if positions is None:
        positions = np.empty((table.rows, 3))
        with np.errstate(invalid="ignore"):
            for k, axis in enumerate(_AXES):
                positions[:, k] = table.columns[place[axis]]
        positions.flags.writeable = False
    others = [k for k in range(len(names)) if k not in [place[axis] for axis in _AXES]]
    return positions, _attributes([names[k] for k in others], [table.columns[k] for k in others])


def _attributes(names: list[str], columns: list[Column]) -> dict[str, Column]:
    """Copies of the columns, in this machine's byte order, under the names of `ply.names`."""
    arrays: dict[str, Column] = {}
    for group in grouped(names, [column.dtype.str for column in columns]):
        first = columns[group.columns[0]]
        rows = len(first)
        array = np.empty((rows, len(group.columns)) if group.is_table else rows, first.dtype.newbyteorder("="))
        if group.is_table:
            for k, column in enumerate(group.columns):
                array[:, k] = columns[column]
        else:
            array[:] = first
        array.flags.writeable = False
        arrays[group.name] = array
    return arrays


def _faces(
    tables: dict[str, Table], vertices: npt.NDArray[np.float64], notes: list[Irregularity], steps: Steps
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32] | None, dict[str, Column]]:
    """Triangles int32 (m, 3), the file's face that each comes from (None where they are the same), and attributes."""
    parts: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32] | None, dict[str, Column]]] = []
    ahead = 0
    for name in ("face", "tristrips"):
        table = tables.get(name)
        if table is None or table.items is None or (table.rows == 0 and name == "tristrips"):
            continue
        faces, origin = table.items, None
        if table.lengths is not None:
            strips = name == "tristrips"
            faces, origin, found = triangles(table.lengths, table.items, vertices, steps, strips=strips, ahead=ahead)
            notes += found
        scalars = table.element.scalars
        data = _attributes([prop.name for prop in scalars], table.columns)
        if origin is not None:
            data = {key: frozen_array(values[origin]) for key, values in data.items()}
            if ahead:
                origin = frozen_array(origin + np.int32(ahead))
        parts.append((faces, origin, data))
        ahead += table.rows
    if not parts:
        return np.empty((0, 3), np.int32), None, {}
    if len(parts) == 1:
        return parts[0]
    if sum(len(faces) for faces, _, _ in parts) > MAX_ELEMENTS:
        raise too_many()
    return _joined(parts, notes)


def _joined(
    parts: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32] | None, dict[str, Column]]],
    notes: list[Irregularity],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], dict[str, Column]]:
    """Faces and strips together; an attribute of only one of them is 0 or NaN on the other, and an F108 says so."""
    origins = [np.arange(len(faces), dtype=np.int32) if origin is None else origin for faces, origin, _ in parts]
    data: dict[str, Column] = {}
    for name in dict.fromkeys(name for _, _, values in parts for name in values):
        arrays: list[Any] = [values.get(name) for _, _, values in parts]
        sample = next(array for array in arrays if array is not None)
        kinds = {(array.dtype, array.shape[1:]) for array in arrays if array is not None}
        if len(kinds) > 1:
            arrays[1] = None
        if any(array is None for array in arrays):
            message = "An attribute belongs to faces only or to strips only; the others get 0 or no number."
            notes.append(Irregularity(check="F108", message=message))
        filler = np.nan if sample.dtype.kind == "f" else 0
        data[name] = frozen_array(
            np.concatenate(
                [
                    np.full((len(faces), *sample.shape[1:]), filler, sample.dtype) if array is None else array
                    for array, (faces, _, _) in zip(arrays, parts, strict=True)
                ]
            )
        )
    return frozen_array(np.concatenate([faces for faces, _, _ in parts])), frozen_array(np.concatenate(origins)), data
