"""OFF: rows with and without normals, colours and texture coordinates, polygons, and headers that promise too much."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from meshguard.errors import ReadError
from meshguard.io import load
from meshguard.io.losses import lost_on_saving
from meshguard.io.off import read_off

if TYPE_CHECKING:
    from meshguard.mesh import Mesh

OFF = "OFF\n# a comment\n4 2 0\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n3 0 1 2\n3 0 2 3\n"
POINTS = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]


def read(text: str) -> Mesh:
    return read_off(text.encode())


def with_more(keyword: str, vertex: str, face: str = "") -> str:
    """The file above with another keyword, and more numbers in each row."""
    lines = OFF.splitlines()
    rows = [f"{row} {vertex}" for row in lines[3:7]] + [f"{row} {face}" for row in lines[7:]]
    return "\n".join([keyword, *lines[2:3], *rows, ""])


def notes(mesh: Mesh) -> list[tuple[str, int]]:
    assert mesh.source is not None
    return [(note.check, note.count) for note in mesh.source.irregularities]


@pytest.mark.parametrize(
    "text",
    [
        OFF,
        OFF.replace("\n", "\r\n"),
        OFF.replace("\n", "\r"),
        OFF.replace("OFF\n# a comment\n", "OFF "),
        OFF.replace("4 2 0", "4 2"),
        OFF.replace("\n", "\n\n").replace("1 0 0", "  1\t0 0 # one"),
        OFF.replace("# a comment\n", ""),
        f"# first\n{OFF}# last\n",
        f"\ufeff{OFF}",
    ],
)
def test_however_rows_are_written(text: str) -> None:
    mesh = read(text)

    assert (mesh.vertices.tolist(), mesh.faces.tolist()) == (POINTS, [[0, 1, 2], [0, 2, 3]])
    assert mesh.source is not None and (mesh.source.format, mesh.source.irregularities) == ("off", ())
    assert read(text.replace("OFF", "", 1)).digest() == mesh.digest()


@pytest.mark.parametrize("keyword", ["OFF", "COFF", "NOFF", "CNOFF", "STOFF", "STCNOFF"])
def test_by_content_whatever_the_name(keyword: str) -> None:
    more = " 0 0 1" * ("N" in keyword) + " 9 9 9" * ("C" in keyword) + " 0.25 0.75" * ("ST" in keyword)
    mesh = load(with_more(keyword, more).encode())

    assert (mesh.vertices.tolist(), mesh.faces.tolist()) == (POINTS, [[0, 1, 2], [0, 2, 3]])
    assert ("normal" in mesh.vertex_data) == ("N" in keyword)
    assert ("color" in mesh.vertex_data) == ("C" in keyword)
    assert ("s" in mesh.vertex_data) == ("ST" in keyword)
    assert notes(mesh) == []


@pytest.mark.parametrize(
    ("more", "dtype", "row"),
    [
        ("200 100 0", np.uint8, [200, 100, 0]),
        ("200 100 0 255", np.uint8, [200, 100, 0, 255]),
        ("0.5 0.25 1", np.float32, [0.5, 0.25, 1]),
        ("0.5 0.25 1 1.0", np.float32, [0.5, 0.25, 1, 1]),
        ("0 1 1", np.float32, [0, 1, 1]),
        ("300 0 0", np.float32, [300, 0, 0]),
        ("1e300 0 0", np.float32, [np.inf, 0, 0]),
    ],
)
def test_colours_are_kept(more: str, dtype: type, row: list[float]) -> None:
    for text, vertices in ((with_more("OFF", more), True), (with_more("OFF", "", more), False)):
        mesh = read(text)
        color = (mesh.vertex_data if vertices else mesh.face_data)["color"]

        assert color.dtype == np.dtype(dtype) and color[0].tolist() == row
        assert lost_on_saving(mesh, "ply") == ()


def test_colours_of_a_polygon_are_those_of_its_triangles() -> None:
    mesh = read("OFF\n4 2 0\n0 0 0\n1 0 0\n1 1 0\n0 1 0\n4 0 1 2 3 9 8 7\n3 0 2 1 6 5 4\n")

    assert mesh.face_data["color"].tolist() == [[9, 8, 7], [9, 8, 7], [6, 5, 4]]


@pytest.mark.parametrize("more", ["7", "1 2", "1 2 3 4 5"])
def test_colours_in_another_form_are_told(more: str) -> None:
    assert lost_on_saving(read(with_more("OFF", "", more)), "ply") == ("colours of the faces",)
    assert lost_on_saving(read(with_more("OFF", more)), "ply") == ("colours of the vertices",)


def test_rows_that_are_missing_and_rows_that_follow_are_told() -> None:
    assert notes(read(OFF.replace("3 0 2 3\n", ""))) == [("F101", 1)]
    assert notes(read(OFF + "3 0 1 2\n")) == [("F106", 1)]
    assert notes(read(OFF.replace("3 0 2 3", "3 0 2 9"))) == [("F102", 1)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("OFF\n", "OFF header is not complete"),
        ("OFF\n4\n", "OFF header is not complete"),
        ("OFF\n999999999 999999999 0\n0 0 0\n", "OFF header claims more"),
        ("OFF\n" + "9" * 4000 + " 1 0\n", "OFF header is not complete"),
        ("OFF\n4 2 0\n0 0\n", "OFF header claims more"),
        ("OFF BINARY\n4 2 0\n", "OFF is binary"),
        ("4OFF\n4 2 0\n", "more than three dimensions"),
        (OFF.replace("1 0 0", "1 0"), "too few numbers for a vertex"),
        (OFF.replace("1 0 0", "1 0 MUELLER"), "got a word of 7 letters"),
        (OFF.replace("1 0 0", "1,5 0 0"), "with commas"),
        (OFF.replace("3 0 2 3", "9 0 2 3"), "fewer corners than it says"),
        (OFF.replace("3 0 2 3", "-3 0 2 3"), "fewer corners than it says"),
        (OFF.replace("3 0 2 3", "3 0 2.5 3"), "number with decimals"),
        (OFF.replace("3 0 2 3", "3 0 inf 3"), "number with decimals"),
        (OFF.replace("3 0 2 3", "3 0 1e300 3"), "number with decimals"),
    ],
)
def test_what_cannot_be_read_says_why_without_quoting_it(text: str, reason: str) -> None:
    with pytest.raises(ReadError, match=reason) as refusal:
        read(text)
    assert "MUELLER" not in str(refusal.value)
