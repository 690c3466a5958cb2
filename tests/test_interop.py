"""Interop: geometry and attributes survive the way there and back; what is said to be shared is."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import meshguard
from meshguard import Mesh, MeshError, MeshGuardError, interop
from tests.shapes import cube, grid

trimesh: Any = pytest.importorskip("trimesh")


@pytest.fixture(scope="module")
def open3d() -> Any:
    """Open3D; without it, or without what it needs of the system, the test is skipped with the reason."""
    try:
        import open3d
    except (ImportError, OSError) as error:
        pytest.skip(f"open3d cannot be imported: {error}")
    return open3d


@pytest.fixture
def mesh() -> Mesh:
    """A sheet with an attribute of every kind."""
    plain, rng = grid(), np.random.default_rng(0)
    n, m = len(plain.vertices), len(plain.faces)
    return Mesh(
        vertices=rng.normal(size=(n, 3)),
        faces=plain.faces,
        vertex_data={
            "label": rng.integers(11, 49, n).astype(np.uint8),
            "color": rng.integers(0, 256, (n, 4)).astype(np.uint8),
            "normal": rng.normal(size=(n, 3)),
            "curvature": rng.normal(size=n).astype(np.float32),
        },
        face_data={"instance": rng.integers(0, 9, m).astype(np.int32), "synthetic": rng.integers(0, 2, m) > 0},
        jaw="lower",
    )


def untouched(mesh: Mesh) -> bool:
    """Whether nothing of a mesh can be written to."""
    arrays: list[npt.NDArray[Any]] = [mesh.vertices, mesh.faces]
    arrays += [*mesh.vertex_data.values(), *mesh.face_data.values()]
    return not any(array.flags.writeable for array in arrays)


class TestTrimesh:
    def test_there_and_back(self, mesh: Mesh) -> None:
        assert interop.from_trimesh(interop.to_trimesh(mesh)).digest() == mesh.digest()

    def test_what_is_shared(self, mesh: Mesh) -> None:
        theirs = interop.to_trimesh(mesh)
        back = interop.from_trimesh(theirs)

        assert np.shares_memory(theirs.vertices, mesh.vertices)
        assert all(
            np.shares_memory(theirs.vertex_attributes[key], mesh.vertex_data[key]) for key in ("label", "normal")
        )
        assert not np.shares_memory(theirs.faces, mesh.faces)
        assert np.shares_memory(back.vertices, mesh.vertices)
        assert np.shares_memory(back.vertex_data["label"], mesh.vertex_data["label"])
        assert untouched(mesh) and untouched(back)

    def test_what_is_shared_cannot_be_written_to_and_a_copy_can(self, mesh: Mesh) -> None:
        theirs = interop.to_trimesh(mesh)
        with pytest.raises(ValueError, match="read-only"):
            theirs.vertices[0] = 0.0
        own = theirs.copy()
        own.vertices[0] = 0.0

        assert mesh.vertices[0].any()

    def test_what_trimesh_can_write_to_is_copied(self) -> None:
        theirs = trimesh.creation.box()
        ours = interop.from_trimesh(theirs)
        theirs.vertices[:] = 0.0
        theirs.faces[:] = 0

        assert ours.vertices.any() and ours.faces.any()

    def test_nothing_is_merged_dropped_or_reordered(self) -> None:
        odd = Mesh(
            vertices=np.array([[0, 0, 0], [0, 0, 0], [1, 0, 0], [np.nan, 1, 0], [9, 9, 9]]),
            faces=[[0, 1, 2], [3, 2, 1], [0, 1, 2]],
        )

        assert interop.from_trimesh(interop.to_trimesh(odd)).digest() == odd.digest()

    def test_an_empty_mesh(self) -> None:
        empty = Mesh(vertices=[], faces=[])

        assert interop.from_trimesh(interop.to_trimesh(empty)).digest() == empty.digest()

    def test_three_columns_of_colour_become_four(self) -> None:
        colors = np.arange(24, dtype=np.uint8).reshape(8, 3)
        back = interop.from_trimesh(interop.to_trimesh(cube().with_data(vertex={"color": colors})))

        np.testing.assert_array_equal(back.vertex_data["color"], np.column_stack([colors, np.full(8, 255, np.uint8)]))

    def test_colours_of_faces(self) -> None:
        colors = np.arange(48, dtype=np.uint8).reshape(12, 4)
        theirs = interop.to_trimesh(cube().with_data(face={"color": colors}))

        assert theirs.visual.kind == "face"
        np.testing.assert_array_equal(interop.from_trimesh(theirs).face_data["color"], colors)

    def test_colours_of_both(self) -> None:
        data = {"color": np.zeros((8, 4), np.uint8)}
        both = cube().with_data(vertex=data, face={"color": np.ones((12, 4), np.uint8)})

        assert interop.from_trimesh(interop.to_trimesh(both)).digest() == both.digest()

    def test_it_shades_with_the_normals(self, mesh: Mesh) -> None:
        np.testing.assert_array_equal(interop.to_trimesh(mesh).vertex_normals, mesh.vertex_data["normal"])

    def test_the_jaw_given_counts(self, mesh: Mesh) -> None:
        assert interop.from_trimesh(interop.to_trimesh(mesh), jaw="upper").jaw == "upper"
        assert interop.from_trimesh(trimesh.creation.box()).jaw is None

    def test_what_is_no_mesh_is_refused(self) -> None:
        with pytest.raises(MeshError, match=r"Scene; scene.to_mesh\(\) makes one"):
            interop.from_trimesh(trimesh.Scene())

    def test_an_attribute_that_holds_no_numbers_is_refused(self) -> None:
        theirs = trimesh.creation.box()
        theirs.vertex_attributes["name"] = np.array(["a"] * len(theirs.vertices))
        with pytest.raises(MeshError, match="'name'"):
            interop.from_trimesh(theirs)


class TestOpen3D:
    def test_there_and_back(self, mesh: Mesh, open3d: Any) -> None:
        back = interop.from_open3d(interop.to_open3d(mesh), jaw="lower")

        assert (back.vertices.tobytes(), back.faces.tobytes()) == (mesh.vertices.tobytes(), mesh.faces.tobytes())
        assert set(back.vertex_data) == {"color", "normal"}
        np.testing.assert_array_equal(back.vertex_data["color"], mesh.vertex_data["color"][:, :3])
        np.testing.assert_array_equal(back.vertex_data["normal"], mesh.vertex_data["normal"])
        assert back.jaw == "lower"

    def test_tensors_keep_every_attribute(self, mesh: Mesh, open3d: Any) -> None:
        back = interop.from_open3d(interop.to_open3d(mesh, tensor=True), jaw="lower")

        assert back.digest() == mesh.digest()

    def test_normals_of_faces(self, open3d: Any) -> None:
        ours = cube().with_data(face={"normal": np.arange(36, dtype=np.float32).reshape(12, 3)})
        theirs = interop.to_open3d(ours)

        assert theirs.has_triangle_normals()
        np.testing.assert_array_equal(interop.from_open3d(theirs).face_data["normal"], ours.face_data["normal"])

    @pytest.mark.parametrize("tensor", [False, True])
    def test_everything_is_copied(self, mesh: Mesh, open3d: Any, tensor: bool) -> None:
        theirs = interop.to_open3d(mesh, tensor=tensor)
        vertices = theirs.vertex["positions"].numpy() if tensor else np.asarray(theirs.vertices)
        back = interop.from_open3d(theirs)

        assert not np.shares_memory(vertices, mesh.vertices)
        assert not np.shares_memory(vertices, back.vertices)
        assert untouched(mesh) and untouched(back)

    @pytest.mark.parametrize("tensor", [False, True])
    def test_an_empty_mesh(self, open3d: Any, tensor: bool) -> None:
        empty = Mesh(vertices=[], faces=[])

        assert interop.from_open3d(interop.to_open3d(empty, tensor=tensor)).digest() == empty.digest()

    def test_colours_are_rounded_to_bytes(self, open3d: Any) -> None:
        theirs = interop.to_open3d(cube())
        theirs.vertex_colors = open3d.utility.Vector3dVector(np.linspace(-0.5, 1.5, 24).reshape(8, 3))
        colors = interop.from_open3d(theirs).vertex_data["color"]

        assert colors.dtype == np.uint8
        assert (int(colors.min()), int(colors.max())) == (0, 255)

    def test_a_type_that_open3d_has_not_is_refused(self, open3d: Any) -> None:
        with pytest.raises(MeshError, match=r"vertex_data\['half'\] holds float16"):
            interop.to_open3d(cube().with_data(vertex={"half": np.zeros(8, np.float16)}), tensor=True)

    def test_what_is_no_mesh_is_refused(self, open3d: Any) -> None:
        with pytest.raises(MeshError, match="not an open3d TriangleMesh but PointCloud"):
            interop.from_open3d(open3d.geometry.PointCloud())


class TestPyvista:
    @pytest.fixture
    def pyvista(self) -> Any:
        return pytest.importorskip("pyvista")

    def test_there_and_back(self, mesh: Mesh, pyvista: Any) -> None:
        for shared in (False, True):
            back = interop.from_pyvista(interop.to_pyvista(mesh, shared=shared), jaw="lower")
            assert back.digest() == mesh.digest() and untouched(back)

    def test_nothing_is_shared_unless_asked(self, mesh: Mesh, pyvista: Any) -> None:
        copied, shared = interop.to_pyvista(mesh), interop.to_pyvista(mesh, shared=True)

        assert not np.shares_memory(copied.points, mesh.vertices)
        assert not np.shares_memory(copied.point_data["label"], mesh.vertex_data["label"])
        assert not np.shares_memory(copied.regular_faces, mesh.faces)
        assert np.shares_memory(shared.points, mesh.vertices)
        assert np.shares_memory(shared.point_data["label"], mesh.vertex_data["label"])
        assert not np.shares_memory(interop.from_pyvista(shared).vertices, mesh.vertices)
        copied.points[0] = 7.0
        assert not (mesh.vertices[0] == 7.0).all()

    def test_other_cells_and_other_grids_are_refused(self, pyvista: Any) -> None:
        with pytest.raises(MeshError, match="triangulate"):
            interop.from_pyvista(pyvista.Plane(i_resolution=1, j_resolution=1))
        with pytest.raises(MeshError, match="triangulate"):
            interop.from_pyvista(pyvista.Line())
        with pytest.raises(MeshError, match="extract_surface"):
            interop.from_pyvista(pyvista.ImageData(dimensions=(2, 2, 2)))

    def test_an_empty_mesh(self, pyvista: Any) -> None:
        assert interop.from_pyvista(pyvista.PolyData()).digest() == Mesh(vertices=[], faces=[]).digest()


class TestMeshio:
    @pytest.fixture
    def meshio(self) -> Any:
        return pytest.importorskip("meshio")

    def test_there_and_back_without_a_copy(self, mesh: Mesh, meshio: Any) -> None:
        theirs = interop.to_meshio(mesh)
        back = interop.from_meshio(theirs, jaw="lower")

        assert back.digest() == mesh.digest() and untouched(mesh) and untouched(back)
        assert np.shares_memory(back.vertices, mesh.vertices) and np.shares_memory(back.faces, mesh.faces)
        assert np.shares_memory(back.vertex_data["label"], mesh.vertex_data["label"])
        assert np.shares_memory(back.face_data["instance"], mesh.face_data["instance"])
        with pytest.raises(ValueError, match="read-only"):
            theirs.points[0] = 0.0

    def test_blocks_of_triangles_are_joined_and_lines_left(self, meshio: Any) -> None:
        points = np.eye(4, 3)
        cells = [("triangle", [[0, 1, 2]]), ("line", [[0, 1]]), ("triangle", [[0, 2, 3]])]
        found = interop.from_meshio(meshio.Mesh(points, cells, cell_data={"tag": [[1], [2], [3]]}))

        assert found.faces.tolist() == [[0, 1, 2], [0, 2, 3]] and found.face_data["tag"].tolist() == [1, 3]
        points[:] = 9.0
        assert not (found.vertices == 9.0).any()

    def test_other_cells_and_other_things_are_refused(self, meshio: Any) -> None:
        with pytest.raises(MeshError, match="other cells than triangles"):
            interop.from_meshio(meshio.Mesh(np.eye(4, 3), [("quad", [[0, 1, 2, 3]])]))
        with pytest.raises(MeshError, match=r"not a meshio\.Mesh but list"):
            interop.from_meshio([])

    def test_points_alone(self, meshio: Any) -> None:
        assert len(interop.from_meshio(meshio.Mesh(np.eye(3), [])).faces) == 0


class TestTakenAsTheyAre:
    """`validate` and `repair` know the meshes of these libraries by the module of their class."""

    @pytest.mark.parametrize("library", ["trimesh", "open3d", "pyvista", "meshio"])
    def test_the_same_report(self, library: str, request: pytest.FixtureRequest) -> None:
        if library == "open3d":
            request.getfixturevalue("open3d")
        else:
            pytest.importorskip(library)
        theirs = getattr(interop, f"to_{library}")(cube())

        report, wanted = meshguard.validate(theirs), meshguard.validate(cube())
        assert report.findings == wanted.findings == () and report.stats == wanted.stats
        assert report.mesh_digest == wanted.mesh_digest
        assert meshguard.repair(theirs).mesh.digest() == cube().digest()

    def test_classes_derived_from_theirs(self) -> None:
        class Own(trimesh.Trimesh):  # type: ignore[misc]
            pass

        assert interop.as_mesh(Own(cube().vertices, cube().faces, process=False)).digest() == cube().digest()

    def test_anything_else_is_left_alone(self) -> None:
        for thing in (b"solid", "a.stl", 5, cube()):
            assert interop.as_mesh(thing) is thing
        with pytest.raises(MeshError, match="scene"):
            meshguard.validate(trimesh.Scene())


class TestWithout:
    @pytest.mark.parametrize(
        ("package", "call", "said"),
        [
            ("open3d", interop.to_open3d, r"meshguard\[open3d\]"),
            ("trimesh", interop.to_trimesh, "pip install trimesh"),
            ("pyvista", interop.to_pyvista, r"meshguard\[vtk\]"),
            ("meshio", interop.to_meshio, r"meshguard\[meshio\]"),
        ],
    )
    def test_the_error_says_what_to_install(
        self, package: str, call: Any, said: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(MeshGuardError, match=said):
            call(cube())

    def test_importing_it_imports_none(self) -> None:
        libraries = {"trimesh", "open3d", "pyvista", "meshio", "numba"}
        code = f"import sys; from meshguard import interop; print({libraries} & set(sys.modules))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

        assert done.stdout == "set()\n"
