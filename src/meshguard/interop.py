"""To and from the meshes of trimesh, Open3D, pyvista and meshio, attributes included.

Plain arrays need no function: `Mesh(vertices=..., faces=...)` takes them, and `mesh.vertices` and `mesh.faces` are
arrays. A mesh never changes, so arrays that something else can write to are copied; arrays that nothing can write to
are shared if their type fits. Each function says which.

No library is imported before its function is called. `validate` and `repair` take all of these meshes as they are.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from meshguard.errors import MeshError, MeshGuardError
from meshguard.mesh import Mesh

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshguard.mesh import Jaw

__all__ = [
    "as_mesh",
    "from_meshio",
    "from_open3d",
    "from_pyvista",
    "from_trimesh",
    "to_meshio",
    "to_open3d",
    "to_pyvista",
    "to_trimesh",
]


def as_mesh(thing: Any) -> Any:
    """The `Mesh` in a mesh of trimesh, Open3D, pyvista or meshio; anything else as it is.

    The module of its class, or of one that it is derived from, says which library it is; none is imported to ask.

    Raises:
        MeshError: it is of such a library, and not a mesh of triangles.
    """
    readers = {"trimesh": from_trimesh, "open3d": from_open3d, "pyvista": from_pyvista, "meshio": from_meshio}
    for kind in type(thing).__mro__:
        read = readers.get(kind.__module__.partition(".")[0])
        if read is not None:
            return read(thing)
    return thing


def from_trimesh(mesh: Any, *, jaw: Jaw | None = None) -> Mesh:
    """The mesh in a `trimesh.Trimesh`, its vertices and faces in order.

    `vertex_attributes` and `face_attributes` keep their names and types. Colours become `color`, uint8 (n, 4) RGBA, of
    vertices or faces as in trimesh. A texture is left behind, and so are normals that trimesh calculated.

    Copied: faces (int64 in trimesh), and whatever can be written to, which is nearly everything in trimesh.
    Shared: vertices and attributes that came from a `Mesh` through `to_trimesh`.

    Args:
        mesh: a `trimesh.Trimesh`.
        jaw: which jaw it is; by default `mesh.metadata["jaw"]`, where `to_trimesh` puts it.

    Raises:
        MeshError: it is not a `trimesh.Trimesh` (a scene, for example), or an attribute does not hold numbers.
    """
    trimesh = _imported("trimesh", "trimesh")
    if not isinstance(mesh, trimesh.Trimesh):
        raise MeshError(
            f"this is not a trimesh.Trimesh but {type(mesh).__name__}; scene.to_mesh() makes one of a scene"
        )
    vertex_data = {str(name): np.asarray(values) for name, values in mesh.vertex_attributes.items()}
    face_data = {str(name): np.asarray(values) for name, values in mesh.face_attributes.items()}
    if mesh.visual.kind == "vertex":
        vertex_data["color"] = np.asarray(mesh.visual.vertex_colors)
    elif mesh.visual.kind == "face":
        face_data["color"] = np.asarray(mesh.visual.face_colors)
    stored = mesh.metadata.get("jaw")
    if jaw is None and stored in ("upper", "lower"):
        jaw = stored
    return Mesh(
        vertices=np.asarray(mesh.vertices),
        faces=np.asarray(mesh.faces),
        vertex_data=vertex_data,
        face_data=face_data,
        jaw=jaw,
    )


def to_trimesh(mesh: Mesh) -> Any:
    """A `trimesh.Trimesh` of a mesh, unprocessed: nothing is merged, dropped or reordered.

    Attributes become `vertex_attributes` and `face_attributes`. A `color` of bytes becomes the mesh's colours, RGBA in
    trimesh: three columns become four. Vertex colours win if faces have colours too; those stay an attribute. A vertex
    `normal` is also used by trimesh for shading. `jaw` is put into `metadata`, `source` is left behind.

    Shared: vertices and attributes, which therefore cannot be written to; those of `to_trimesh(mesh).copy()` can.
    Copied: faces (int64 in trimesh), and colours of three columns.

    Raises:
        MeshGuardError: trimesh cannot be imported.
    """
    trimesh = _imported("trimesh", "trimesh")
    vertex_data, face_data = dict(mesh.vertex_data), dict(mesh.face_data)
    colors: dict[str, npt.NDArray[Any]] = {}
    if _is_color(vertex_data.get("color")):
        colors["vertex_colors"] = vertex_data.pop("color")
    elif _is_color(face_data.get("color")):
        colors["face_colors"] = face_data.pop("color")
    normal = vertex_data.get("normal")
    return trimesh.Trimesh(
        vertices=mesh.vertices,
        faces=mesh.faces,
        vertex_normals=normal if normal is not None and normal.shape == mesh.vertices.shape else None,
        vertex_attributes=vertex_data,
        face_attributes=face_data,
        metadata={"jaw": mesh.jaw} if mesh.jaw else None,
        process=False,
        **colors,
    )


def from_open3d(mesh: Any, *, jaw: Jaw | None = None) -> Mesh:
    """The mesh in an Open3D `TriangleMesh`: of `open3d.geometry`, or of `open3d.t.geometry` on any device.

    Normals become `normal`, float64 (float32 from `t`). Colours become `color`, uint8 (n, 3): a number from 0 to 1 is
    rounded to the nearest of 256 levels. Other attributes of the `t` class keep their names and types. Texture
    coordinates and materials are left behind.

    Copied: everything, since Open3D owns its memory and can write to it.

    Raises:
        MeshError: it is not a `TriangleMesh`, or an attribute does not hold numbers.
        MeshGuardError: Open3D cannot be imported.
    """
    open3d = _open3d()
    if isinstance(mesh, open3d.t.geometry.TriangleMesh):
        return _from_tensors(mesh, jaw)
    if not isinstance(mesh, open3d.geometry.TriangleMesh):
        raise MeshError(f"this is not an open3d TriangleMesh but {type(mesh).__name__}")
    vertex_data: dict[str, npt.NDArray[Any]] = {}
    face_data: dict[str, npt.NDArray[Any]] = {}
    if mesh.has_vertex_colors():
        vertex_data["color"] = _bytes_of(np.asarray(mesh.vertex_colors))
    if mesh.has_vertex_normals():
        vertex_data["normal"] = np.asarray(mesh.vertex_normals)
    if mesh.has_triangle_normals():
        face_data["normal"] = np.asarray(mesh.triangle_normals)
    return Mesh(
        vertices=np.asarray(mesh.vertices),
        faces=np.asarray(mesh.triangles),
        vertex_data=vertex_data,
        face_data=face_data,
        jaw=jaw,
    )


def to_open3d(mesh: Mesh, *, tensor: bool = False) -> Any:
    """An Open3D `TriangleMesh` of a mesh, its vertices and faces in order.

    The class of `open3d.geometry` has room only for colours and normals of vertices and for normals of faces. The class
    of `open3d.t.geometry` takes all attributes under their own names, except `color` and `normal`, which are `colors`
    and `normals` there.

    Copied: everything, since Open3D may write to its memory.

    Args:
        mesh: the mesh; its `jaw` and `source` are left behind.
        tensor: make the class of `open3d.t.geometry`, with positions float64 and faces int64.

    Raises:
        MeshError: an attribute of a type that Open3D's tensors do not have, such as float16.
        MeshGuardError: Open3D cannot be imported.
    """
    open3d = _open3d()
    if tensor:
        return _to_tensors(mesh, open3d)
    vectors = open3d.utility.Vector3dVector
    made = open3d.geometry.TriangleMesh(
        vectors(np.array(mesh.vertices)), open3d.utility.Vector3iVector(np.array(mesh.faces))
    )
    color = mesh.vertex_data.get("color")
    if color is not None and _is_color(color):
        made.vertex_colors = vectors(color[:, :3] / 255.0)
    for data, name in ((mesh.vertex_data, "vertex_normals"), (mesh.face_data, "triangle_normals")):
        normal = data.get("normal")
        if normal is not None and normal.ndim == 2 and normal.shape[1] == 3:
            setattr(made, name, vectors(normal.astype(np.float64)))
    return made


def from_pyvista(mesh: Any, *, jaw: Jaw | None = None) -> Mesh:
    """The mesh in a `pyvista.PolyData` of triangles, its points and faces in order.

    Arrays of points and cells keep their names and types.

    Copied: everything, since VTK owns its memory and can write to it; each array once.

    Raises:
        MeshError: it is not a `PolyData`, it has other faces than triangles, or lines or vertices as cells, or an
            array does not hold numbers.
        MeshGuardError: pyvista cannot be imported.
    """
    pyvista = _imported("pyvista", "'meshguard[vtk]'")
    if not isinstance(mesh, pyvista.PolyData):
        raise MeshError(
            f"this is not a pyvista.PolyData but {type(mesh).__name__}; extract_surface() makes one of other grids"
        )
    if mesh.n_cells and (mesh.n_verts or mesh.n_lines or mesh.n_strips or not mesh.is_all_triangles):
        raise MeshError("this pyvista.PolyData has other cells than triangles; triangulate() makes triangles of faces")
    return Mesh(
        vertices=np.asarray(mesh.points),
        faces=np.asarray(mesh.regular_faces),
        vertex_data={str(name): np.asarray(values) for name, values in mesh.point_data.items()},
        face_data={str(name): np.asarray(values) for name, values in mesh.cell_data.items()},
        jaw=jaw,
    )


def to_pyvista(mesh: Mesh, *, shared: bool = False) -> Any:
    """A `pyvista.PolyData` of a mesh, its vertices and faces in order.

    Attributes become arrays of points and cells under their own names; `jaw` and `source` are left behind.

    Copied: everything. With `shared` nothing is, as far as VTK takes the types; then VTK can write to the memory of a
    mesh that must not change, so use it for what only reads, such as drawing.

    Raises:
        MeshGuardError: pyvista cannot be imported.
    """
    pyvista = _imported("pyvista", "'meshguard[vtk]'")

    def own(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return array if shared else array.copy()

    made = pyvista.PolyData.from_regular_faces(own(mesh.vertices), own(mesh.faces))
    for data, place in ((mesh.vertex_data, made.point_data), (mesh.face_data, made.cell_data)):
        for name, values in data.items():
            place.set_array(own(values), name)
    return made


def from_meshio(mesh: Any, *, jaw: Jaw | None = None) -> Mesh:
    """The mesh in the triangles of a `meshio.Mesh`, block after block; points keep their order.

    Point data keep their names and types, and so do cell data; lines and vertices are left behind.

    Copied: whatever can be written to, and faces and cell data of several blocks.
    Shared: what came from a `Mesh` through `to_meshio`.

    Raises:
        MeshError: it is not a `meshio.Mesh`, or has cells with more corners than triangles, or an array does not hold
            numbers.
        MeshGuardError: meshio cannot be imported.
    """
    meshio = _imported("meshio", "'meshguard[meshio]'")
    if not isinstance(mesh, meshio.Mesh):
        raise MeshError(f"this is not a meshio.Mesh but {type(mesh).__name__}")
    if any(block.type not in ("triangle", "line", "vertex") for block in mesh.cells):
        raise MeshError("this meshio.Mesh has other cells than triangles")
    places = [k for k, block in enumerate(mesh.cells) if block.type == "triangle"]

    def joined(arrays: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)

    return Mesh(
        vertices=np.asarray(mesh.points),
        faces=joined([np.asarray(mesh.cells[k].data) for k in places]) if places else np.empty((0, 3), np.int32),
        vertex_data={str(name): np.asarray(values) for name, values in mesh.point_data.items()},
        face_data={
            str(name): joined([np.asarray(blocks[k]) for k in places])
            for name, blocks in mesh.cell_data.items()
            if places
        },
        jaw=jaw,
    )


def to_meshio(mesh: Mesh) -> Any:
    """A `meshio.Mesh` of a mesh, its vertices and faces in order, with all attributes; `jaw` and `source` are left.

    Shared: everything, which therefore cannot be written to.

    Raises:
        MeshGuardError: meshio cannot be imported.
    """
    meshio = _imported("meshio", "'meshguard[meshio]'")
    return meshio.Mesh(
        mesh.vertices,
        [("triangle", mesh.faces)],
        point_data=dict(mesh.vertex_data),
        cell_data={name: [values] for name, values in mesh.face_data.items()},
    )


_OPEN3D_NAMES = {"color": "colors", "normal": "normals"}
_OWN_NAMES = {theirs: name for name, theirs in _OPEN3D_NAMES.items()}


def _from_tensors(mesh: Any, jaw: Jaw | None) -> Mesh:
    """The mesh in an `open3d.t.geometry.TriangleMesh`."""
    vertex = {name: mesh.vertex[name].cpu().numpy() for name in mesh.vertex}
    face = {name: mesh.triangle[name].cpu().numpy() for name in mesh.triangle}
    vertices, faces = vertex.pop("positions", np.empty((0, 3))), face.pop("indices", np.empty((0, 3), np.int32))
    face.pop("texture_uvs", None)
    return Mesh(vertices=vertices, faces=faces, vertex_data=_renamed(vertex), face_data=_renamed(face), jaw=jaw)


def _renamed(data: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Attributes under our names; colours as bytes."""
    named = {_OWN_NAMES.get(name, name): values for name, values in data.items()}
    if "color" in named and named["color"].dtype.kind == "f":
        named["color"] = _bytes_of(named["color"])
    return named


def _to_tensors(mesh: Mesh, open3d: Any) -> Any:
    """An `open3d.t.geometry.TriangleMesh` of a mesh."""
    tensor = open3d.core.Tensor
    made = open3d.t.geometry.TriangleMesh(tensor(np.array(mesh.vertices)), tensor(mesh.faces.astype(np.int64)))
    for data, place, owner in ((mesh.vertex_data, made.vertex, "vertex"), (mesh.face_data, made.triangle, "face")):
        for name, values in data.items():
            try:
                place[_OPEN3D_NAMES.get(name, name)] = tensor(np.array(values))
            except (RuntimeError, TypeError) as error:
                raise MeshError(f"{owner}_data[{name!r}] holds {values.dtype}, which Open3D does not have") from error
    return made


def _is_color(values: npt.NDArray[Any] | None) -> bool:
    """Whether an attribute is a colour as other libraries store it: RGB or RGBA in bytes."""
    return values is not None and values.dtype == np.uint8 and values.ndim == 2 and values.shape[1] in (3, 4)


def _bytes_of(colors: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Numbers from 0 to 1 as bytes."""
    scaled: npt.NDArray[np.uint8] = np.rint(255.0 * np.nan_to_num(np.clip(colors, 0.0, 1.0))).astype(np.uint8)
    return scaled


def _imported(name: str, wanted: str) -> Any:
    """A library, or how to install it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MeshGuardError(f"{name} cannot be imported: pip install {wanted}") from error


def _open3d() -> Any:
    try:
        import open3d
    except (ImportError, OSError) as error:  # OSError: a system library that it needs is missing
        raise MeshGuardError(
            f"open3d cannot be imported ({error}): pip install 'meshguard[open3d]', "
            "and the system libraries that it needs, libusb on Debian"
        ) from error
    return open3d
