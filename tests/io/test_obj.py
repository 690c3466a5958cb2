"""OBJ: vertices stay as they are written, faces name them any way the format allows, and what is lost is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from meshguard.budget import Budget, Steps
from meshguard.errors import BudgetExceeded, ReadError
from meshguard.io.losses import lost_on_saving
from meshguard.io.obj import read_obj

if TYPE_CHECKING:
    from meshguard.mesh import Mesh

V = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 0\n"
T = "vt 0 0\nvt 1 0\nvt 0 1\n"
N = "vn 0 0 1\nvn 0 1 0\nvn 1 0 0\nvn 0 0 -1\n"


def read(text: str) -> Mesh:
    return read_obj(text.encode())


def notes(mesh: Mesh) -> list[tuple[str, int]]:
    assert mesh.source is not None
    return [(note.check, note.count) for note in mesh.source.irregularities]


def test_vertices_stay_unmerged_and_in_order() -> None:
    mesh = read(f"# a comment\n{V}v 9 9 9\nf 1 2 3\nf 4 3 2\n")

    assert mesh.vertices.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0], [9, 9, 9]]
    assert mesh.faces.tolist() == [[0, 1, 2], [3, 2, 1]]
    assert mesh.source is not None and (mesh.source.format, mesh.source.irregularities) == ("obj", ())


@pytest.mark.parametrize(
    "text",
    [
        f"{V}f 1 2 3\nf 4 3 2\n",
        f"{V}f 1 2 3\nf 4 3 2",
        f"\ufeff{V}f 1 2 3\nf 4 3 2",
        f"{V}fo 1 2 3\nf 4 3 2\n",
        f"{V}\n\n  f\t1 2   3 # one\r\nf 4 3 2\r\n",
        f"{V.replace(' ', chr(9))}f 1 2 \\\n 3\nf 4 \\\r\n3 2\n",
        f"{V}f -4 -3 -2\nf -1 -2 -3\n",
        "v 0 0 0\nv 1 0 0\nv 0 1 0\nf -3 -2 -1\nv 0 0 0\nf -1 -2 -3\n",
        f"f 1 2 3\nf 4 3 2\n{V}",
        f"{V}s 1\ns off\nf 1 2 3\nf 4 3 2\n",
        f"{V.replace(chr(10), ' 1' + chr(10))}f 1 2 3\nf 4 3 2\n",
    ],
)
def test_however_faces_are_written(text: str) -> None:
    mesh = read(text)

    assert mesh.vertices.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert mesh.faces.tolist() == [[0, 1, 2], [3, 2, 1]]
    assert notes(mesh) == []


@pytest.mark.parametrize("face", ["1/1 2/2 3/3", "1/1/2 2/2/3 3/3/1", "1//2 2//3 3//1", "1/ 2/ 3/", "1//4 2 3"])
def test_other_numbers_of_corners_split_no_vertex(face: str) -> None:
    mesh = read(f"{V}{T}{N}f {face}\n")

    assert mesh.faces.tolist() == [[0, 1, 2]]
    assert lost_on_saving(mesh, "ply") == ("texture coordinates of the faces", "normals of the corners")


@pytest.mark.parametrize("face", ["f 1//1 2//2 3//3\nf 4//4 3//3 2//2", "f 1/1/1 2/2/2 3/3/3\nf 4/1/4 3/2/3 2/3/2"])
def test_normals_of_vertices_are_kept(face: str) -> None:
    mesh = read(f"{V}{N}{face}\n")

    assert mesh.vertex_data["normal"].tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 0, -1]]
    assert notes(mesh) == []


@pytest.mark.parametrize(("width", "kept"), [(3, True), (4, True), (1, False), (2, False), (5, False)])
def test_numbers_after_a_position_are_colours_or_told(width: int, kept: bool) -> None:
    more = " 0.5" * width
    mesh = read(V.replace("\n", f"{more}\n") + "f 1 2 3\n")

    assert mesh.vertices.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert ("color" in mesh.vertex_data) == kept
    assert bool(lost_on_saving(mesh, "ply")) != kept
    if kept:
        assert mesh.vertex_data["color"].tolist() == [[0.5] * width] * 4


def test_colours_of_some_vertices_are_told() -> None:
    mesh = read("v 0 0 0 1 0 0\nv 1 0 0\nv 0 1 0 1 0 0\nf 1 2 3\n")

    assert mesh.vertices.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    assert lost_on_saving(mesh, "ply") == ("numbers after the positions of vertices",)


def test_what_a_mesh_cannot_hold_is_told_without_names() -> None:
    mesh = read(f"mtllib MUELLER.mtl\n{V}vt 0 0\nusemtl MUELLER\nf 1 2 3\nl 1 2\np 3\ncurv 0 1 1 2\nMUELLER 1\n")

    assert lost_on_saving(mesh, "ply") == (
        "materials",
        "texture coordinates of the faces",
        "lines and points",
        "curved surfaces",
    )
    assert notes(mesh) == [("F108", 2), ("F108", 1), ("F108", 2), ("F108", 1), ("F103", 1)]
    assert mesh.source is not None
    assert "MUELLER" not in " ".join(note.message for note in mesh.source.irregularities)


def test_objects_are_numbered_and_groups_told() -> None:
    mesh = read(f"{V}o empty\no a\nf 1 2 3 4\no b\no c\nf 1 2 3\nf 3 2 4\n")

    assert mesh.face_data["solid"].tolist() == [0, 0, 1, 1]
    assert notes(mesh)[-1] == ("F109", 2)
    assert notes(read(f"{V}o a\nf 1 2 3\n")) == []
    assert notes(read(f"{V}g a\nf 1 2 3\n")) == []
    assert lost_on_saving(read(f"{V}g a\nf 1 2 3\ng b\nf 4 3 2\n"), "ply") == ("groups of faces",)


def test_faces_without_vertices_and_with_too_few_are_left_out_and_told() -> None:
    mesh = read(f"{V}f 1 2 9\nf 1 2 3\nf 1 2\nf 0 1 2\nf -9 1 2\n")

    assert mesh.faces.tolist() == [[0, 1, 2]]
    assert mesh.source is not None and mesh.source.face_origin is not None
    assert mesh.source.face_origin.tolist() == [1]
    assert {note.check: note.indices.tolist() for note in mesh.source.irregularities} == {
        "F107": [2],
        "F102": [0, 3, 4],
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("v 0 0\n", "vertex 0 of the OBJ has no position"),
        ("v 0 0 MUELLER\n", "got a word of 7 letters"),
        ("v 0,5 1,5 2,5\n", "with commas"),
        (f"{V}f 1 2 MUELLER\n", "got a word of 7 letters"),
        (f"{V}f 1 2.5 3\n", "whole numbers"),
        (f"{V}f /1 /2 /3\n", "whole numbers"),
        (f"{V}f 1 2 {'9' * 30}\n", "whole numbers"),
    ],
)
def test_what_is_not_a_number_is_said_without_quoting_it(text: str, reason: str) -> None:
    with pytest.raises(ReadError, match=reason) as refusal:
        read(text)
    assert "MUELLER" not in str(refusal.value)


def test_points_without_faces_and_nothing_at_all() -> None:
    assert len(read("v 0 0 0\nv 1 1 1\n").vertices) == 2
    assert len(read("# nothing\n").vertices) == 0


def test_a_budget_of_faces_counts_triangles() -> None:
    with pytest.raises(BudgetExceeded):
        read_obj(f"{V}f 1 2 3 4\n".encode(), Steps(Budget(max_faces=1)))


def test_numbers_are_the_nearest_doubles() -> None:
    texts = ["0.1", "1e-7", "123456.789012345678", "-.5", "+3."]
    mesh = read("".join(f"v {text} 0 0\n" for text in texts))

    assert np.array_equal(mesh.vertices[:, 0], np.array([float(text) for text in texts]))
