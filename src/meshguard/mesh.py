"""Mesh: a frozen triangle mesh, and Source: what reading it from a file saw.

A mesh promises only what keeps kernels memory-safe: shapes, dtypes and face indices in range. Everything else that can
be wrong with it is a finding, not an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from meshguard.errors import MeshError

Jaw: TypeAlias = Literal["upper", "lower"]
Carrier: TypeAlias = Literal["vertex", "face"]
"""What carries labels."""

Color: TypeAlias = tuple[int, int, int, int]
"""Red, green, blue and opacity, each from 0 to 255."""

Attributes: TypeAlias = Mapping[str, npt.NDArray[Any]]
FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int32]

MAX_ELEMENTS = 2**31 // 3 - 1
"""The most vertices or faces that a mesh can have: half-edges 3*f + c must fit an int32."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Irregularity:
    """One thing in a file that is not as its format says, or that a mesh cannot hold.

    Attributes:
        check: id of the F-check that reports it.
        message: one sentence. It never quotes the file's text, which may identify a patient.
        offset: byte offset in the (decompressed) file, where there is one.
        element: what `indices` refer to: "face" and "vertex" as the file counts them (row, not mesh index).
        indices: int32 (k,), sorted.
        count: how many there are; `indices` may be empty where listing them says nothing.
        measures: name -> number, unit in the name.
        lost: the kind of content that is in the file and not in the mesh, such as "texture coordinates of the faces",
            so that saving the mesh would lose it; "" where nothing is. A kind is ours, never a name from the file.
    """

    check: str
    message: str
    offset: int | None = None
    element: Literal["file", "face", "vertex"] = "file"
    indices: IntArray = field(default_factory=lambda: frozen_array(np.empty(0, np.int32)))
    count: int = 1
    measures: Mapping[str, float] = field(default_factory=dict)
    lost: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """What reading a file saw; not part of the mesh's digest.

    Attributes:
        format: "stl-binary", "stl-ascii", "ply-ascii", "ply-binary-little-endian", "ply-binary-big-endian",
            "obj", "off", or "trimesh:SUFFIX" for a format read by trimesh.
        irregularities: in the order in which the file shows them.
        soup_origin: int32 (n,): for each welded vertex of an STL, the file's corner 3*facet + corner where its position
            occurs first; None where the format has its own vertices.
        face_origin: int32 (m,): the file's face behind each triangle, where they differ (polygons, strips,
            dropped faces); None where they are the same.
        header_colors: red, green, blue and opacity, from 0 to 255, of the whole, as the header of a binary STL gives
            them (`COLOR=`), then of its material, if there is one (`MATERIAL=`): diffuse, specular, ambient. Empty for
            none. What the words in `face_data["attribute"]` mean depends on whether there are any.

    A mesh that repair changed keeps all but the two maps: those of the `RepairResult` lead to the input.
    """

    format: str
    irregularities: tuple[Irregularity, ...] = ()
    soup_origin: IntArray | None = None
    face_origin: IntArray | None = None
    header_colors: tuple[Color, ...] = ()


def frozen_array(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The array, C-contiguous and read-only: the same memory if nothing else can write to it, else a copy."""
    array = np.ascontiguousarray(array)
    if array.flags.writeable or not _is_immutable(array):
        array = array.copy()
        array.flags.writeable = False
    return array


def _is_immutable(array: npt.NDArray[Any]) -> bool:
    """Whether no array that owns this memory is writable."""
    base: object = array
    while isinstance(base, np.ndarray):
        if base.flags.writeable:
            return False
        base = base.base
    return base is None or isinstance(base, bytes)


def _as_array(values: npt.ArrayLike, name: str) -> npt.NDArray[Any]:
    """The array, or a MeshError that names it."""
    try:
        return np.asarray(values)
    except (ValueError, TypeError, OverflowError) as error:
        raise MeshError(f"{name} is not an array: {error}") from error


def _converted(array: npt.ArrayLike, dtype: npt.DTypeLike, kinds: str, name: str) -> npt.NDArray[Any]:
    """An (n, 3) array of `dtype`, frozen, or a MeshError that names the array."""
    rows = _as_array(array, name)
    if rows.size == 0 and rows.ndim != 2:
        rows = rows.reshape(0, 3)
    if rows.ndim != 2 or rows.shape[1] != 3:
        raise MeshError(f"{name} must have shape (n, 3), not {rows.shape}")
    if rows.size and rows.dtype.kind not in kinds:
        raise MeshError(f"{name} must hold numbers of kind {'/'.join(kinds)}, not {rows.dtype}")
    if len(rows) > MAX_ELEMENTS:
        raise MeshError(f"{name} has {len(rows)} rows; at most {MAX_ELEMENTS} are supported")
    if rows.dtype.kind in "iu" and np.dtype(dtype).kind == "i" and rows.dtype.itemsize >= 4 and rows.size:
        limits = np.iinfo(np.int32)
        if rows.dtype != np.int32 and (int(rows.min()) < limits.min or int(rows.max()) > limits.max):
            raise MeshError(f"{name} has an index outside the range of int32")
    if rows.dtype != dtype:
        rows = rows.astype(dtype)
        rows.flags.writeable = False
    return frozen_array(rows)


def _attributes(data: Mapping[str, npt.ArrayLike], length: int, name: str) -> Attributes:
    """A read-only mapping of frozen arrays whose first axis is `length`."""
    checked: dict[str, npt.NDArray[Any]] = {}
    for key, values in data.items():
        array = _as_array(values, f"{name}[{key!r}]")
        if array.ndim == 0 or len(array) != length:
            raise MeshError(f"{name}[{key!r}] must have first axis {length}, not shape {array.shape}")
        if array.dtype.kind not in "biuf":
            raise MeshError(f"{name}[{key!r}] must hold numbers or booleans, not {array.dtype}")
        checked[str(key)] = frozen_array(array)
    return MappingProxyType(checked)


@dataclass(frozen=True, slots=True, init=False, eq=False)
class Mesh:
    """A triangle mesh, frozen. Lengths are in mm by definition: readers never guess units, but a check does.

    Integer and float arrays of any width are converted once. Arrays that are writable elsewhere are copied, so that a
    mesh cannot change. Meshes compare by identity, or by `digest()`.

    Attributes:
        vertices: float64 (n, 3), C-contiguous, read-only; any value allowed, NaN included.
        faces: int32 (m, 3), C-contiguous, read-only; every index in [0, n), repeated corners allowed. Half-edge
            h = 3*f + c runs from corner c to corner (c + 1) % 3 of face f.
        vertex_data: name -> read-only array with first axis n. Known names: label, instance, color, normal, synthetic.
        face_data: name -> read-only array with first axis m; the same names, and `solid` and `attribute` from STL.
        jaw: "upper", "lower" or None where it is not known.
        source: what reading saw, or None for a mesh made from arrays.

    Raises:
        MeshError: a wrong shape, dtype or length, or a face index outside [0, n).
    """

    vertices: FloatArray
    faces: IntArray
    vertex_data: Attributes
    face_data: Attributes
    jaw: Jaw | None
    source: Source | None

    def __init__(
        self,
        *,
        vertices: npt.ArrayLike,
        faces: npt.ArrayLike,
        vertex_data: Mapping[str, npt.ArrayLike] | None = None,
        face_data: Mapping[str, npt.ArrayLike] | None = None,
        jaw: Jaw | None = None,
        source: Source | None = None,
    ) -> None:
        """Convert what needs converting, and check what kernels rely on."""
        put = object.__setattr__
        put(self, "vertices", _converted(vertices, np.float64, "iuf", "vertices"))
        put(self, "faces", _converted(faces, np.int32, "iu", "faces"))
        n, m = len(self.vertices), len(self.faces)
        if m and (int(self.faces.min()) < 0 or int(self.faces.max()) >= n):
            bad = int(np.flatnonzero(((self.faces < 0) | (self.faces >= n)).any(axis=1))[0])
            raise MeshError(f"face {bad} names a vertex outside [0, {n})")
        put(self, "vertex_data", _attributes(vertex_data or {}, n, "vertex_data"))
        put(self, "face_data", _attributes(face_data or {}, m, "face_data"))
        if jaw not in (None, "upper", "lower"):
            raise MeshError(f"jaw must be 'upper', 'lower' or None, not {jaw!r}")
        put(self, "jaw", jaw)
        put(self, "source", source)

    def __reduce__(self) -> tuple[object, ...]:
        # Pickling loses read-only flags, so a copy goes through the constructor.
        fields = (self.vertices, self.faces, dict(self.vertex_data), dict(self.face_data), self.jaw, self.source)
        return _mesh, fields

    def __repr__(self) -> str:
        names = [f"vertex_data={sorted(self.vertex_data)}"] if self.vertex_data else []
        names += [f"face_data={sorted(self.face_data)}"] if self.face_data else []
        names += [f"jaw={self.jaw!r}"] if self.jaw else []
        return f"Mesh({', '.join([f'{len(self.vertices)} vertices', f'{len(self.faces)} faces', *names])})"

    def digest(self) -> str:
        """SHA-256 of geometry, attributes and jaw, as hexadecimal; `source` is left out."""
        sha = hashlib.sha256(f"meshguard mesh 1 {self.jaw}".encode())
        named: list[tuple[str, npt.NDArray[Any]]] = [("vertices", self.vertices), ("faces", self.faces)]
        named += [(f"vertex_data {name}", self.vertex_data[name]) for name in sorted(self.vertex_data)]
        named += [(f"face_data {name}", self.face_data[name]) for name in sorted(self.face_data)]
        for name, array in named:
            little = array.astype(array.dtype.newbyteorder("<"), copy=False)
            sha.update(f"\n{name} {little.dtype.str} {little.shape}\n".encode())
            sha.update(little.data)
        return sha.hexdigest()

    def with_data(self, *, vertex: Attributes | None = None, face: Attributes | None = None) -> Mesh:
        """The same mesh with attributes added or replaced by name."""
        return Mesh(
            vertices=self.vertices,
            faces=self.faces,
            vertex_data={**self.vertex_data, **(vertex or {})},
            face_data={**self.face_data, **(face or {})},
            jaw=self.jaw,
            source=self.source,
        )

    def with_jaw(self, jaw: Jaw | None) -> Mesh:
        """The same mesh with another jaw."""
        return _mesh(self.vertices, self.faces, self.vertex_data, self.face_data, jaw, self.source)

    def label_carrier(self) -> Carrier | None:
        """Whether vertices or faces carry the labels of teeth that are used; None where there are none.

        Where both do, it is the vertices if the faces say the same, else the faces. A face says the same if it has the
        label of two of its corners, or of three different ones the middle.
        """
        of_face, of_vertex = self.face_data.get("label"), self.vertex_data.get("label")
        if of_face is None or of_vertex is None:
            return "face" if of_face is not None else "vertex" if of_vertex is not None else None
        if of_face.size != len(of_face) or of_vertex.size != len(of_vertex):
            return "face"  # several numbers each are not labels
        same = np.array_equal(label_of_corners(of_vertex.reshape(-1), self.faces), of_face.reshape(-1))
        return "vertex" if same else "face"

    def without_labels(self) -> Mesh:
        """The same mesh without `label` and `instance`."""
        vertex, face = (
            {name: data for name, data in mapping.items() if name not in ("label", "instance")}
            for mapping in (self.vertex_data, self.face_data)
        )
        return _mesh(self.vertices, self.faces, vertex, face, self.jaw, self.source)

    def with_irregularity(self, note: Irregularity) -> Mesh:
        """The same mesh with one more irregularity in its source."""
        source = self.source or Source(format="unknown")
        return Mesh(
            vertices=self.vertices,
            faces=self.faces,
            vertex_data=self.vertex_data,
            face_data=self.face_data,
            jaw=self.jaw,
            source=replace(source, irregularities=(*source.irregularities, note)),
        )

    def with_vertices(self, vertices: npt.ArrayLike) -> Mesh:
        """The same faces and attributes with moved vertices, shape (n, 3), without `source`.

        Stored normals are left out too: they described the old positions.
        """
        moved = np.asarray(vertices)
        if moved.shape != self.vertices.shape:
            raise MeshError(f"vertices must have shape {self.vertices.shape}, not {moved.shape}")
        return Mesh(
            vertices=moved,
            faces=self.faces,
            vertex_data={name: data for name, data in self.vertex_data.items() if name != "normal"},
            face_data={name: data for name, data in self.face_data.items() if name != "normal"},
            jaw=self.jaw,
        )

    def take(self, faces: npt.ArrayLike) -> Mesh:
        """The mesh of the given faces (indices or a mask), in that order, with the vertices they use in mesh order.

        Raises:
            MeshError: an index outside the mesh, or a mask of another length.
        """
        chosen = np.asarray(faces)
        if chosen.size == 0 and chosen.dtype.kind != "b":
            chosen = np.empty(0, np.int32)
        try:
            rows = np.arange(len(self.faces))[chosen]
        except IndexError as error:
            raise MeshError(f"these are not faces of a mesh of {len(self.faces)}: {error}") from error
        used = np.unique(self.faces[rows])
        remap = np.full(len(self.vertices), -1, np.int32)
        remap[used] = np.arange(len(used), dtype=np.int32)
        return Mesh(
            vertices=self.vertices[used],
            faces=remap[self.faces[rows]],
            vertex_data={name: data[used] for name, data in self.vertex_data.items()},
            face_data={name: data[rows] for name, data in self.face_data.items()},
            jaw=self.jaw,
        )


def _mesh(
    vertices: FloatArray,
    faces: IntArray,
    vertex_data: Attributes,
    face_data: Attributes,
    jaw: Jaw | None,
    source: Source | None,
) -> Mesh:
    """Rebuild a pickled mesh through the constructor."""
    return Mesh(vertices=vertices, faces=faces, vertex_data=vertex_data, face_data=face_data, jaw=jaw, source=source)


def label_of_corners(of_vertex: npt.NDArray[Any], faces: IntArray) -> npt.NDArray[Any]:
    """Label of each face from those of its vertices, (m,): that of two corners, of three different ones the middle.

    It does not depend on the order of the corners.
    """
    a, b, c = (of_vertex[faces[:, corner]] for corner in range(3))
    middle: npt.NDArray[Any] = np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))
    return middle
