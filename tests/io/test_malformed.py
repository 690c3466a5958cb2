"""Sixty odd files, each with what reading it must give; the expectations come from what is odd about the file."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from meshguard.errors import ReadError
from meshguard.io import load

if TYPE_CHECKING:
    from pathlib import Path


class Expected(NamedTuple):
    """Vertices, faces and the checks that must report something; or a fragment of the error's sentence."""

    file: str
    vertices: int | None = None
    faces: int | None = None
    checks: frozenset[str] = frozenset()
    error: str | None = None


def _read(file: str, vertices: int | None, faces: int, *checks: str) -> Expected:
    return Expected(file, vertices, faces, frozenset(checks))


def _refused(file: str, fragment: str) -> Expected:
    return Expected(file, error=fragment)


SPHERE = "shanekirk+stlrepair__testdata_binary_5mm_sphere"
TABLE = [
    # Binary STL: the bytes that are present decide, not the count.
    _read(f"{SPHERE}_truncated_data.stl", 482, 960, "F101"),
    _read(f"{SPHERE}_weird_data_on_end.stl", 482, 960, "F106"),
    _read(f"{SPHERE}_with_abcs.stl", 482, 960, "F106"),
    _read(f"{SPHERE}_with_giant_triangle_count.stl", 482, 960, "F101"),
    _read(f"{SPHERE}_with_wrong_triangle_count.stl", 482, 960, "F101"),
    _read("shanekirk+stlrepair__testdata_binary_simple_one_triangle.stl", 3, 1, "F101"),
    _read("shanekirk+stlrepair__testdata_binarytoosmall.stl", 0, 0, "F106"),
    _read("ros-visualization+rviz__meshes_16bit_vs_32bit_should_fail.stl", None, 2, "F101"),
    _read("ros-visualization+rviz__meshes_invalid.stl", 3, 1, "F101"),
    _read("ros-visualization+rviz__meshes_invalid_extra.stl", None, 2, "F106"),
    _refused("ros-visualization+rviz__meshes_invalid_short.stl", "too short for an STL"),
    _read("ros-visualization+rviz__meshes_valid.stl", None, 2, "F106"),
    _read("mikedh+trimesh__emptyIO_stl_empty_bin.stl", 0, 0),
    _read("mikedh+trimesh__models_20mm-xyz-cube.stl", None, 260, "F106"),
    _read("mikedh+trimesh__models_unit_cube.STL", 8, 12),
    _read("mikedh+trimesh__models_busted.STL", None, 3878, "F104"),
    _read("wolph+numpy-stl__stl_binary_HalfDonut.stl", None, 288, "F106"),
    _read("wolph+numpy-stl__stl_binary_CubeInvalidUnicode.stl", 8, 12),
    _read("wolph+numpy-stl__stl_binary_StarWithEmptyHeader.stl", None, 68),
    # Text STL.
    _read("ros-visualization+rviz__meshes_invalid_end_tags.stl", 6, 2, "F103"),
    _read("assimp+assimp__STL_triangle_with_empty_solid.stl", 3, 1, "F109"),
    _read("assimp+assimp__STL_triangle_with_two_solids.stl", 6, 2, "F109"),
    _read("kovacsv+Online3DViewer__stl_single_triangle_with_comments.stl", 3, 1, "F103"),
    _read("kovacsv+Online3DViewer__stl_single_triangle_no_normal.stl", 3, 1, "F103"),
    _read("mikedh+trimesh__models_empty.stl", 0, 0),
    _read("mikedh+trimesh__emptyIO_stl_empty_ascii.stl", 0, 0),
    _read("mikedh+trimesh__models_two_objects_mixed_case_names.stl", None, 24, "F109"),
    _read("wolph+numpy-stl__stl_ascii_Cube.stl", 8, 12, "F103"),
    _read("wolph+numpy-stl__stl_ascii_Moon_Chinese.stl", None, 116),
    _read("wolph+numpy-stl__stl_tests_dos.stl", None, 116),
    # PLY.
    _refused("assimp+assimp__invalid_crash-30d6d0f7c529b3b66b4131700b7a4580cd7082df.ply", "header is not complete"),
    _refused("assimp+assimp__invalid_empty.ply", "file is empty"),
    _refused("assimp+assimp__PLY_issue623.ply", "the header does not fit the rows"),
    _read("assimp+assimp__PLY_cube_binary_starts_with_nl.ply", 8, 12, "F107"),
    _read("assimp+assimp__PLY_cube_binary_header_with_RN_newline.ply", 8, 12, "F103"),
    _read("assimp+assimp__PLY_float-color.ply", 3, 1),
    _read("assimp+assimp__PLY_points.ply", 4, 0),
    _read("google+draco__testdata_Box.ply", 24, 12, "F103", "F107", "F108"),
    _read("google+draco__testdata_test_extra_whitespace.ply", 3, 1, "F103"),
    _read("google+draco__testdata_test_more_datatypes.ply", 3, 1),
    _read("google+draco__testdata_float_inf_point_cloud.ply", 16, 0),
    _read("google+draco__testdata_int_point_cloud.ply", 16, 0),
    _read("google+draco__testdata_cube_quads.ply", 8, 12, "F107"),
    _read("kovacsv+Online3DViewer__ply_single_triangle_with_comments.ply", 3, 1, "F103"),
    _read("kovacsv+Online3DViewer__ply_cube.ply", 8, 12, "F103", "F107"),
    _read("kovacsv+Online3DViewer__ply_single_rectangle.ply", 4, 2, "F103", "F107"),
    _read("kovacsv+Online3DViewer__ply_two_triangles.ply", 6, 2, "F103"),
    _read("mikedh+trimesh__models_empty.ply", 0, 0),
    _read("mikedh+trimesh__emptyIO_ply_empty_header.ply", 0, 0, "F108"),
    _read("mikedh+trimesh__emptyIO_ply_empty_bin.ply", 0, 0),
    _read("mikedh+trimesh__emptyIO_ply_points_bin.ply", 8, 0),
    _read("mikedh+trimesh__models_points_ascii_with_lists.ply", 5, 0, "F108"),
    _read("mikedh+trimesh__models_metadata.ply", 4, 2),
    _read("Fluci+ply-rs__example_plys_leading_spaces_ok_ascii.ply", 0, 0, "F106", "F108"),
    _read("Fluci+ply-rs__example_plys_single_elements_err_ascii.ply", 0, 0, "F101", "F108"),
    _read("Fluci+ply-rs__example_plys_empty_2_ok_little_endian.ply", 0, 0),
    _read("Fluci+ply-rs__example_plys_greg_turk_example2_ok_ascii.ply", 8, 12, "F107", "F108"),
    _read("nmwsharp+potpourri3d__test_bunny_poly.ply", 1241, 2478, "F107"),
    # OFF, read by trimesh.
    _refused("assimp+assimp__invalid_empty.off", "file is empty"),
    _refused("assimp+assimp__invalid_OutOfMemory.off", "claims more than the file holds"),
]


def test_each_odd_file_has_a_row(data_root: Path) -> None:
    there = {path.name for path in (data_root / "malformed").iterdir()} - {"manifest.csv"}
    assert {row.file for row in TABLE} == there
    assert len(TABLE) == 60


@pytest.mark.parametrize("row", TABLE, ids=[row.file for row in TABLE])
def test_odd_file(data_root: Path, row: Expected) -> None:
    path = data_root / "malformed" / row.file
    if row.error is not None:
        with pytest.raises(ReadError, match=row.error) as caught:
            load(path)
        assert caught.value.offset is not None
        assert caught.value.expected is not None
        return
    mesh = load(path)
    assert len(mesh.faces) == row.faces
    assert row.vertices is None or len(mesh.vertices) == row.vertices
    assert mesh.source is not None
    found = {note.check for note in mesh.source.irregularities}
    assert row.checks <= found
    # A file that is only unusual, not irregular, has nothing to report but what its normals and polygons say.
    assert row.checks or found <= {"F104"}


@pytest.mark.parametrize("row", TABLE, ids=[row.file for row in TABLE])
def test_odd_file_is_fast(data_root: Path, row: Expected) -> None:
    content = (data_root / "malformed" / row.file).read_bytes()
    for _ in range(2):  # the first round loads kernels
        start = time.perf_counter()
        with contextlib.suppress(ReadError):
            load(content)
        spent = time.perf_counter() - start
    assert spent < 1.0


def test_messages_never_quote_the_file(data_root: Path) -> None:
    for row in TABLE:
        content = (data_root / "malformed" / row.file).read_bytes()
        try:
            mesh = load(content)
        except ReadError as error:
            text = str(error)
        else:
            assert mesh.source is not None
            text = " ".join(note.message for note in mesh.source.irregularities)
        for private in ("Rhino", "Turk", "Blender", "VCGLIB", "bourke", "friendly", "MeshName", "Cube"):
            assert private not in text
