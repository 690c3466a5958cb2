"""Writing PLY: binary, little-endian, with a header that says nothing but the layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from meshguard.errors import MeshError
from meshguard.io.ply.names import property_names

if TYPE_CHECKING:
    from meshguard.mesh import Attributes, Mesh

_NAMES = {
    "i1": "char",
    "u1": "uchar",
    "i2": "short",
    "u2": "ushort",
    "i4": "int",
    "u4": "uint",
    "f4": "float",
    "f8": "double",
}
_WIDENED = {"b": ("u1",), "i": ("i4", "f8"), "u": ("u4", "f8"), "f": ("f4", "f8")}


def ply_bytes(mesh: Mesh) -> bytes:
    """The mesh as a binary little-endian PLY: geometry and every attribute, the same bytes for the same mesh.

    Positions are float where that keeps every bit of each, else double. Attributes keep their names (see `ply.names`)
    and types. A type that PLY lacks is written as one that holds each of its values exactly: bool as uchar, 64-bit
    integers as int or uint or else double, half precision as float, long double as double. `jaw` and `source` are not
    written.

    Raises:
        MeshError: an attribute of more than two axes or of no columns, or with values that no PLY type holds exactly.
    """
    narrow = _as_float(mesh.vertices)
    position = ("f8", mesh.vertices) if narrow is None else ("f4", narrow)
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(mesh.vertices)}"]
    header += [f"property {_NAMES[position[0]]} {axis}" for axis in "xyz"]
    fields, columns = _columns(mesh.vertex_data, "vertex_data", header)
    vertices = np.empty(len(mesh.vertices), [("xyz", "<" + position[0], (3,)), *fields])
    vertices["xyz"] = position[1]
    for (name, _), values in zip(fields, columns, strict=True):
        vertices[name] = values
    header += [f"element face {len(mesh.faces)}", "property list uchar int vertex_indices"]
    fields, columns = _columns(mesh.face_data, "face_data", header)
    faces = np.empty(len(mesh.faces), [("length", "u1"), ("corners", "<i4", (3,)), *fields])
    faces["length"] = 3
    faces["corners"] = mesh.faces
    for (name, _), values in zip(fields, columns, strict=True):
        faces[name] = values
    header.append("end_header\n")
    return b"".join(["\n".join(header).encode("ascii"), vertices.tobytes(), faces.tobytes()])


def _as_float(vertices: npt.NDArray[np.float64]) -> npt.NDArray[np.float32] | None:
    """The positions as float32, or None if one of them would not be read back bit for bit."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        narrow = vertices.astype(np.float32)
        back = narrow.astype(np.float64)
    return narrow if np.array_equal(back.view(np.uint64), vertices.view(np.uint64)) else None


def _columns(data: Attributes, owner: str, header: list[str]) -> tuple[list[tuple[str, str]], list[npt.NDArray[Any]]]:
    """Fields and columns of the attributes of one element; their lines are added to the header."""
    held: dict[str, tuple[int, str]] = {}
    columns: list[npt.NDArray[Any]] = []
    for name, array in data.items():
        if array.ndim > 2 or (array.ndim == 2 and array.shape[1] == 0):
            raise MeshError(f"{owner}[{name!r}] has shape {array.shape}; a PLY holds arrays of one or more columns")
        dtype = _held_type(array, f"{owner}[{name!r}]")
        held[name] = (array.shape[1] if array.ndim == 2 else 0, dtype)
        columns += [array[:, k] for k in range(array.shape[1])] if array.ndim == 2 else [array]
    names = property_names(held, owner)
    dtypes = [dtype for width, dtype in held.values() for _ in range(max(1, width))]
    header += [f"property {_NAMES[dtype]} {name}" for name, dtype in zip(names, dtypes, strict=True)]
    return [(f"data_{k}", "<" + dtype) for k, dtype in enumerate(dtypes)], columns


def _held_type(array: npt.NDArray[Any], owner: str) -> str:
    """The PLY type of an array: its own, or the first that holds every value."""
    name = array.dtype.str[1:]
    if name in _NAMES:
        return name
    for dtype in _WIDENED[array.dtype.kind]:
        with np.errstate(all="ignore"):
            converted = array.astype(dtype)
            back = converted.astype(array.dtype)
        if dtype == "f8" and array.dtype.kind in "iu" and array.size and float(np.abs(converted).max()) > 2.0**53:
            continue
        if np.array_equal(back, array, equal_nan=array.dtype.kind == "f"):
            return dtype
    raise MeshError(f"{owner} holds values of {array.dtype} that no PLY type holds exactly")
