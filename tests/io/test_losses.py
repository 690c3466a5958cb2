"""What saving loses is told by its kind, whatever the file calls it; what is kept comes back and is not told."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest

from meshguard.io import load, lost_on_saving, save
from meshguard.io.stl import RECORD, stl_bytes
from meshguard.io.stl.header_colors import HEADER
from meshguard.mesh import Mesh
from meshguard.repair import repair
from meshguard.validation import validate
from tests import shapes
from tests.repair import broken

if TYPE_CHECKING:
    from pathlib import Path

    from meshguard.mesh import Source

XYZ = "property float x\nproperty float y\nproperty float z\n"
LIST = "property list uchar int vertex_indices\n"
GREY, BLUE = (169, 169, 255, 255), (0, 0, 255, 0)


def ply(more: str, rows: str = "3 0 1 2", *, of_vertex: str = "", values: str = "") -> bytes:
    """One triangle: `more` continues the header after the face's list, `rows` is the face and what follows it.

    Args:
        more: header lines.
        rows: the face and what follows it.
        of_vertex: header lines of the vertices, after x, y and z.
        values: of these, the same for each vertex.
    """
    points = "".join(f"{point} {values}\n" for point in ("0 0 0", "9 0 0", "0 9 0"))
    head = f"element vertex 3\n{XYZ}{of_vertex}element face 1\n{LIST}{more}"
    return f"ply\nformat ascii 1.0\n{head}end_header\n{points}{rows}\n".encode()


def again(mesh: Mesh, kind: Literal["stl", "ply"]) -> Mesh:
    """The mesh saved and loaded."""
    file = io.BytesIO()
    save(mesh, file, format=kind)
    return load(file.getvalue())


def source(mesh: Mesh) -> Source:
    assert mesh.source is not None
    return mesh.source


@pytest.mark.parametrize("kind", ["stl", "ply"])
def test_nothing_is_lost_of_a_surface_alone(kind: Literal["stl", "ply"]) -> None:
    assert lost_on_saving(shapes.grid(), kind) == ()
    assert lost_on_saving(load(stl_bytes(shapes.cube())), kind) == ()


@pytest.mark.parametrize("name", ["texcoord", "texcoords", "TexCoord", "texnumber", "texture_coordinates", "uv"])
def test_lists_of_texture_coordinates_are_told_by_kind(name: str) -> None:
    mesh = load(ply(f"property list uchar float {name}\n", "3 0 1 2 6 0 0 1 0 0 1"))

    (note,) = source(mesh).irregularities
    assert (note.check, note.lost) == ("F108", "texture coordinates of the faces")
    assert (
        "texture coordinates of the faces"
        in {finding.check: finding.message for finding in validate(mesh).findings}["F108"]
    )
    for kind in ("stl", "ply"):
        assert lost_on_saving(mesh, kind) == ("texture coordinates of the faces",)


def test_names_of_pictures_are_told_by_kind_and_never_shown() -> None:
    lines = "comment TextureFile MUELLER.png\r\nobj_info texturefile MUELLER 2.png\ncomment MUELLER\n"
    content = ply(f"{lines}property list uchar float texcoord\n", "3 0 1 2 0")
    mesh = load(content)
    pictures, coordinates = (note for note in source(mesh).irregularities if note.check == "F108")

    assert (pictures.count, coordinates.count) == (2, 1)
    assert lost_on_saving(mesh, "ply") == ("names of texture pictures", "texture coordinates of the faces")
    told = [*lost_on_saving(mesh, "stl"), *(note.message for note in source(mesh).irregularities)]
    assert "MUELLER" not in " ".join(told)


@pytest.mark.parametrize(
    ("header", "row", "lost"),
    [
        ("property list uchar int MUELLER\n", "3 0 1 2 1 5", "lists of the faces"),
        ("element material 1\nproperty int MUELLER\n", "3 0 1 2\n7", "materials"),
        ("element edge 1\nproperty int a\nproperty int b\n", "3 0 1 2\n7 8", "edges"),
        ("element MUELLER 1\nproperty int MUELLER\n", "3 0 1 2\n7", "rows of an unknown element"),
        ("element face 1\nproperty int MUELLER\n", "3 0 1 2\n7", "more faces"),
        ("", "3 0 1 2\nand more", "bytes after the last row"),
        ("", "3 0 1 9", "faces that name vertices that do not exist"),
        ("", "2 0 1", "faces with fewer than three corners"),
    ],
)
def test_what_a_mesh_cannot_hold_is_lost_in_both_formats(header: str, row: str, lost: str) -> None:
    mesh = load(ply(header, row))

    assert lost_on_saving(mesh, "ply") == (lost,)
    assert lost in lost_on_saving(mesh, "stl")
    assert "MUELLER" not in " ".join(note.message for note in source(mesh).irregularities)


@pytest.mark.parametrize("names", ["s t", "u v", "texture_u texture_v", "tex_coord_u tex_coord_v"])
def test_texture_coordinates_of_vertices_are_kept_in_a_ply(names: str) -> None:
    lines = "".join(f"property float {name}\n" for name in names.split())
    mesh = load(ply("", of_vertex=lines, values="0.25 0.5"))
    back = again(mesh, "ply")

    assert lost_on_saving(mesh, "ply") == ()
    assert {name: back.vertex_data[name].tolist() for name in names.split()} == {
        name: [value] * 3 for name, value in zip(names.split(), (0.25, 0.5), strict=True)
    }
    assert lost_on_saving(mesh, "stl") == ("texture coordinates of the vertices",)


def test_an_stl_has_no_place_for_attributes_but_normals_and_words_of_faces() -> None:
    mesh = shapes.tetrahedron()
    n, m = len(mesh.vertices), len(mesh.faces)
    vertex: dict[str, np.ndarray] = {
        "label": np.zeros(n, np.int32),
        "color": np.zeros((n, 3)),
        "normal": np.zeros((n, 3)),
    }
    face: dict[str, np.ndarray] = {
        "normal": np.ones((m, 3), np.float32),
        "attribute": np.ones(m, np.uint16),
        "synthetic": np.ones(m, np.uint8),
        "solid": np.zeros(m, np.int32),
        "MUELLER": np.zeros(m),
        "quality": np.zeros(m),
    }
    full = mesh.with_data(vertex=vertex, face=face)

    assert lost_on_saving(full, "ply") == ()
    assert again(full, "ply").face_data.keys() == face.keys()
    assert lost_on_saving(full, "stl") == (
        "labels of the vertices",
        "colours of the vertices",
        "normals of the vertices",
        "marks of the faces that were not scanned",
        "the solids that the faces belong to",
        "other attributes of the faces (2)",
    )
    assert again(full, "stl").face_data.keys() == {"normal", "attribute"}


def test_vertices_without_faces_are_lost_in_an_stl() -> None:
    mesh = shapes.triangle()
    more = Mesh(vertices=np.vstack([mesh.vertices, [[1, 2, 3]]]), faces=mesh.faces)

    assert lost_on_saving(more, "ply") == ()
    assert lost_on_saving(more, "stl") == ("vertices without faces (1)",)
    assert len(again(more, "stl").vertices) == 3


def magics(header: bytes, *, words: int = 0x1F, size: int = 8) -> bytes:
    """An STL with this header, in which every other facet has an attribute word."""
    made = np.frombuffer(stl_bytes(shapes.grid(size, size)), RECORD, offset=84).copy()
    made["attribute"][::2] = words
    return header.ljust(80) + struct.pack("<I", len(made)) + made.tobytes()


@pytest.mark.parametrize("words", [0, 0x1F, 0x801F])
@pytest.mark.parametrize("size", [8, 120])
@pytest.mark.parametrize(
    ("header", "colors"),
    [
        (b"COLOR=" + bytes(GREY), (GREY,)),
        (b"Patient Doe COLOR=" + bytes(GREY) + b" 1974", (GREY,)),
        (b"COLOR=" + bytes(BLUE) + b",MATERIAL=" + 3 * bytes(GREY) + b";Doe", (BLUE, GREY, GREY, GREY)),
        (b"COLOR=" + bytes(GREY) + b",MATERIAL=Patient Doe ", (GREY,)),
        (b"COLOR=Doe, Patient", ()),
        (b"a header that ends in COLOR=".rjust(80), ()),
        (b"COLOR is grey", ()),
    ],
)
def test_colours_of_the_header_are_kept_and_nothing_else_of_it(
    tmp_path: Path, header: bytes, colors: tuple[tuple[int, ...], ...], words: int, size: int
) -> None:
    content = magics(header, words=words, size=size)
    (tmp_path / "file.stl").write_bytes(content)
    mesh = load(tmp_path / "file.stl")
    written = stl_bytes(mesh)
    back = load(written)

    assert source(mesh).header_colors == source(load(content)).header_colors == colors
    assert source(back).header_colors == colors
    assert back.digest() == mesh.digest()
    assert b"Doe" not in written and b"1974" not in written and len(written) == len(content)
    assert any("COLOR=" in note.message for note in source(mesh).irregularities) == (b"COLOR=" in header)
    assert lost_on_saving(mesh, "stl") == ()
    assert bool(lost_on_saving(mesh, "ply")) == bool(colors)


def test_a_header_without_colours_is_constant() -> None:
    assert stl_bytes(load(magics(b"Patient Doe")))[:80] == HEADER.ljust(80)


def test_what_is_lost_survives_repair() -> None:
    text = ply("comment TextureFile a.png\n").replace(b"3 0 1 2\n", b"")
    read = source(load(text.replace(b"element face 1", b"element face 0")))
    hole = broken.small_hole()
    result = repair(Mesh(vertices=hole.vertices, faces=hole.faces, source=read))

    assert result.changed
    assert "names of texture pictures" in lost_on_saving(result.mesh, "stl")
    assert result.to_dict()["lost"] == {
        "ply": ["names of texture pictures"],
        "stl": ["names of texture pictures", "marks of the faces that were not scanned"],
    }


class TestField:
    """Files as they were found: `field/manifest.csv`."""

    def test_texture_coordinates_and_a_texture_file(self, data_root: Path) -> None:
        mesh = load(data_root / "field" / "15_texcoord.ply")

        assert len(mesh.faces) == 320
        for kind in ("stl", "ply"):
            lost = lost_on_saving(mesh, kind)
            assert lost == ("names of texture pictures", "texture coordinates of the faces")

    def test_colours_in_the_header_and_attribute_words(self, data_root: Path) -> None:
        content = (data_root / "field" / "53_magics.stl").read_bytes()
        result = repair(content)
        written = stl_bytes(result.mesh)
        kept = np.frombuffer(written, RECORD, offset=84)["attribute"]
        words = np.frombuffer(content, RECORD, offset=84)["attribute"]

        assert written[:32] == content[:32]  # COLOR= and MATERIAL=
        assert kept.tolist() == words[result.face_origin].tolist()
        assert lost_on_saving(result.mesh, "stl") == ()

    def test_normals_that_are_not_numbers(self, data_root: Path) -> None:
        mesh = load(data_root / "field" / "06_ind_normals.stl")

        assert lost_on_saving(mesh, "stl") == ("stored normals that are not numbers",)
