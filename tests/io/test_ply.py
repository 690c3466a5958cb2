"""PLY: what is read, what is said about it, and that what is written comes back bit for bit."""

from __future__ import annotations

import contextlib
import itertools
import struct
import time
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from meshguard.errors import MeshError, ReadError
from meshguard.io.ply import ply_bytes, read_ply
from meshguard.mesh import Irregularity, Mesh
from meshguard.validation import validate

if TYPE_CHECKING:
    from pathlib import Path

Element: TypeAlias = tuple[str, list[tuple[str, Any]], list[list[Any]]]

LETTERS = {"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "f4": "f", "f8": "d"}
NAMES = {
    "i1": "char", "u1": "uint8", "i2": "short", "u2": "ushort", "i4": "int32", "u4": "uint", "f4": "float32",
    "f8": "double",
}  # fmt: skip

XYZ = "property float x\nproperty float y\nproperty float z\n"
TRIANGLE = "0 0 0\n1 0 0\n0 1 0\n"


def _ascii(header: str, body: str) -> bytes:
    return f"ply\nformat ascii 1.0\n{header}end_header\n{body}".encode()


def _notes(mesh: Mesh, check: str) -> list[Irregularity]:
    assert mesh.source is not None
    return [note for note in mesh.source.irregularities if note.check == check]


def _checks(mesh: Mesh) -> set[str]:
    assert mesh.source is not None
    return {note.check for note in mesh.source.irregularities}


def _twin(encoding: str, elements: list[Element]) -> bytes:
    """A naive writer: elements are (name, [(property, type or (length type, type))], rows)."""
    order = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}[encoding]
    header, body = f"ply\nformat {encoding} 1.0\n", bytearray()
    for name, properties, rows in elements:
        header += f"element {name} {len(rows)}\n"
        for key, kind in properties:
            if isinstance(kind, tuple):
                header += f"property list {NAMES[kind[0]]} {NAMES[kind[1]]} {key}\n"
            else:
                header += f"property {NAMES[kind]} {key}\n"
        for row in rows:
            words = []
            for value, (_, kind) in zip(row, properties, strict=True):
                for number, one in (
                    [(len(value), kind[0]), *((v, kind[1]) for v in value)]
                    if isinstance(kind, tuple)
                    else [(value, kind)]
                ):
                    words.append(repr(number))
                    if order:
                        body += struct.pack(order + LETTERS[one], number)
            if not order:
                body += (" ".join(words) + "\n").encode()
    return (header + "end_header\n").encode() + bytes(body)


def test_a_plain_file_has_nothing_to_report() -> None:
    content = _ascii(
        f"element vertex 3\n{XYZ}element face 1\nproperty list uchar int vertex_indices\n", TRIANGLE + "3 0 1 2\n"
    )
    mesh = read_ply(content)
    np.testing.assert_array_equal(mesh.vertices, [[0, 0, 0], [1, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(mesh.faces, [[0, 1, 2]])
    assert mesh.source is not None
    assert mesh.source.format == "ply-ascii"
    assert mesh.source.irregularities == ()
    assert mesh.source.face_origin is None


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["ascii", "binary_little_endian"])
def test_line_ends(ending: str, encoding: str) -> None:
    # The first byte of the binary body is a line feed: it must not be taken for a part of the header.
    x = struct.unpack("<f", b"\n\x00\x00\x41")[0]
    elements = [("vertex", [(axis, "f4") for axis in "xyz"], [[x, 1.0, 2.0]])]
    content = _twin(encoding, elements)
    at = content.index(b"end_header\n") + 11
    content = content[:at].replace(b"\n", ending.encode()) + content[at:]
    mesh = read_ply(content)
    np.testing.assert_array_equal(mesh.vertices, [[x, 1.0, 2.0]])
    assert _checks(mesh) == ({"F103"} if ending == "\r" else set())


def test_byte_order_mark_blanks_and_case() -> None:
    content = _ascii("element vertex 1\n" + XYZ, "1 2 3\n")
    assert _notes(read_ply(b"\xef\xbb\xbf" + content), "F103")[0].offset == 0
    assert _checks(read_ply(b" \n" + content)) == {"F103"}
    shouted = content.replace(b"ply", b"PLY").replace(b"element", b"ELEMENT").replace(b"end_header", b"End_Header")
    assert _notes(read_ply(shouted), "F103")[0].count == 3


def test_elements_and_properties_in_any_order() -> None:
    mesh = read_ply(
        _ascii(
            "element face 1\nproperty uchar flag\nproperty list uchar int vertex_index\nproperty float area\n"
            "element vertex 3\nproperty short z\nproperty float quality\nproperty double x\nproperty uint y\n",
            "7 3 2 1 0 0.5\n0 .25 0.1 0\n-3 .5 1 4000000000\n1 .75 0 1\n",
        )
    )
    np.testing.assert_array_equal(mesh.vertices, [[0.1, 0, 0], [1, 4e9, -3], [0, 1, 1]])
    np.testing.assert_array_equal(mesh.faces, [[2, 1, 0]])
    assert mesh.vertex_data["quality"].dtype == np.float32
    assert mesh.face_data["flag"].tolist() == [7]
    assert mesh.face_data["area"].tolist() == [0.5]
    assert _checks(mesh) == set()


@pytest.mark.parametrize("encoding", ["ascii", "binary_little_endian", "binary_big_endian"])
@pytest.mark.parametrize("position", ["f4", "f8", "i2"])
@pytest.mark.parametrize(
    ("length", "index"), [("u1", "i4"), ("i4", "u4"), ("u2", "i2"), ("u1", "u1"), ("u1", "f4"), ("u1", "f8")]
)
def test_twins_of_every_encoding_and_type(encoding: str, position: str, length: str, index: str) -> None:
    chance = np.random.default_rng(5)
    points = chance.integers(-99, 99, (9, 3)).tolist()
    if position[0] == "f":
        points = [[float(np.float32(v) / 8) for v in point] for point in points]
    corners = chance.integers(0, 9, (12, 3)).tolist()
    labels = chance.integers(0, 200, 12).tolist()
    cast = float if index[0] == "f" else int
    content = _twin(
        encoding,
        [
            (
                "vertex",
                [*((axis, position) for axis in "xyz"), ("label", "i1")],
                [[*p, k] for k, p in enumerate(points)],
            ),
            (
                "face",
                [("instance", "u1"), ("vertex_indices", (length, index)), ("tail", "f8")],
                [[label, [cast(c) for c in row], label / 7] for row, label in zip(corners, labels, strict=True)],
            ),
        ],
    )
    mesh = read_ply(content)
    np.testing.assert_array_equal(mesh.vertices, points)
    np.testing.assert_array_equal(mesh.faces, corners)
    assert mesh.vertex_data["label"].dtype == np.int8
    assert mesh.vertex_data["label"].tolist() == list(range(9))
    assert mesh.face_data["instance"].tolist() == labels
    assert mesh.face_data["tail"].tolist() == [label / 7 for label in labels]
    assert _checks(mesh) == set()
    assert mesh.source is not None
    assert mesh.source.format == "ply-" + encoding.replace("_", "-")


def _polygons(vertices: list[list[float]], rows: list[list[int]]) -> Mesh:
    elements: list[Element] = [
        ("vertex", [(axis, "f4") for axis in "xyz"], vertices),
        ("face", [("vertex_indices", ("u1", "i4"))], [[row] for row in rows]),
    ]
    return read_ply(_twin("binary_little_endian", elements))


def test_concave_polygons_make_a_closed_solid_without_intersections() -> None:
    outline = [(30, 10), (10, 10), (10, 20), (30, 20), (30, 30), (0, 30), (0, 0), (30, 0)]
    vertices: list[list[float]] = [[float(x), float(y), z] for z in (0.0, 5.0) for x, y in outline]
    sides = [[k, (k + 1) % 8, (k + 1) % 8 + 8, k + 8] for k in range(8)]
    mesh = _polygons(vertices, [list(range(8))[::-1], list(range(8, 16)), *sides])
    stats = validate(mesh).stats
    assert (stats["faces"], stats["area_mm2"]) == (28, 2200.0)
    assert [stats[key] for key in ("boundary_edges", "nonmanifold_edges", "intersecting_pairs")] == [0, 0, 0]
    assert [dict(note.measures) for note in _notes(mesh, "F107")] == [{"polygons": 10, "largest": 8}]


def test_the_shared_concave_solid_is_one_too(data_root: Path) -> None:
    stats = validate(data_root / "field" / "20_concave.ply").stats
    assert stats["area_mm2"] == 2200.0
    assert [stats[key] for key in ("boundary_edges", "nonmanifold_edges", "intersecting_pairs")] == [0, 0, 0]


def test_polygons_without_a_right_triangulation_are_told() -> None:
    vertices: list[list[float]] = [[0, 0, 0], [9, 0, 0], [9, 9, 0], [0, 9, 0], [0, 9, 4], [4, 0, 0]]
    mesh = _polygons(vertices, [[0, 1, 2, 3], [0, 1, 2, 4], [0, 2, 1, 3], [0, 1, 5, 0], [0, 1, 2]])
    told = [(note.indices.tolist(), dict(note.measures)) for note in _notes(mesh, "F107")]
    assert told == [
        ([0, 1, 2, 3], {"polygons": 4, "largest": 4}),
        ([1], {"non_planar": 1}),
        ([2], {"self_touching": 1}),
        ([3], {"without_area": 1}),
    ]
    assert len(mesh.faces) == 9


def test_many_polygons_are_read_as_a_few_are() -> None:
    corners = [[0, 1, 2, 3], [0, 1, 9], [1, 2, 3], [3, 0, 1, 2]]
    few = _polygons([[0.0, 0, 0], [9, 0, 0], [9, 9, 0], [0, 9, 0]], corners)
    many = _polygons([[0.0, 0, 0], [9, 0, 0], [9, 9, 0], [0, 9, 0]], corners * 60_000)
    assert few.source is not None
    assert many.source is not None
    assert few.source.face_origin is not None
    np.testing.assert_array_equal(many.faces, np.tile(few.faces, (60_000, 1)))
    expected = (np.arange(60_000)[:, None] * 4 + few.source.face_origin).ravel()
    np.testing.assert_array_equal(many.source.face_origin, expected)


@pytest.mark.parametrize("encoding", ["ascii", "binary_little_endian", "binary_big_endian"])
def test_polygons_are_cut_and_faces_without_vertices_left_out(encoding: str) -> None:
    rows = [[0, 1, 2], [0, 1, 2, 3, 4], [0, 1], [1, 2, 9], [-1, 0, 1], [4, 3, 2, 1]]
    content = _twin(
        encoding,
        [
            ("vertex", [(axis, "f4") for axis in "xyz"], [[float(k), float(k * k), 1.0] for k in range(5)]),
            ("face", [("vertex_indices", ("u1", "i4")), ("id", "u2")], [[row, k] for k, row in enumerate(rows)]),
        ],
    )
    mesh = read_ply(content)
    expected = [[0, 1, 2], [0, 1, 2], [0, 2, 3], [0, 3, 4], [4, 3, 1], [3, 2, 1]]
    np.testing.assert_array_equal(mesh.faces, expected)
    assert mesh.source is not None
    assert mesh.source.face_origin is not None
    assert mesh.source.face_origin.tolist() == [0, 1, 1, 1, 5, 5]
    assert mesh.face_data["id"].tolist() == [0, 1, 1, 1, 5, 5]
    cut, few = _notes(mesh, "F107")
    assert (cut.indices.tolist(), dict(cut.measures), cut.element) == ([1, 5], {"polygons": 2, "largest": 5}, "face")
    assert few.indices.tolist() == [2]
    assert _notes(mesh, "F102")[0].indices.tolist() == [3, 4]


@pytest.mark.parametrize("threads", ["1", "2", "5"])
def test_the_number_of_threads_changes_nothing(monkeypatch: pytest.MonkeyPatch, threads: str) -> None:
    chance = np.random.default_rng(3)
    mesh = Mesh(
        vertices=chance.normal(size=(50, 3)).astype(np.float32),
        faces=chance.integers(0, 50, (99, 3), dtype=np.int32),
    )
    monkeypatch.setattr("meshguard.io.ply.body._GRAIN", 7)
    monkeypatch.setenv("MESHGUARD_THREADS", threads)
    assert read_ply(ply_bytes(mesh)).digest() == mesh.digest()


def test_strips_alternate_and_join_the_faces() -> None:
    content = _ascii(
        f"element vertex 6\n{XYZ}element face 1\nproperty list uchar int vertex_indices\nproperty uchar k\n"
        "element tristrips 1\nproperty list int int vertex_indices\n",
        "0 0 0\n" * 6 + "3 0 1 2 9\n11 0 1 2 3 3 -1 5 4 3 2 8\n",
    )
    mesh = read_ply(content)
    np.testing.assert_array_equal(mesh.faces, [[0, 1, 2], [0, 1, 2], [2, 1, 3], [5, 4, 3], [3, 4, 2]])
    assert mesh.source is not None
    assert mesh.source.face_origin is not None
    assert mesh.source.face_origin.tolist() == [0, 1, 1, 1, 1]
    assert mesh.face_data["k"].tolist() == [9, 0, 0, 0, 0]
    assert dict(_notes(mesh, "F107")[0].measures) == {"strips": 1, "stitching": 1}
    assert _notes(mesh, "F102")[0].indices.tolist() == [1]
    assert len(_notes(mesh, "F108")) == 1


def test_strips_alone() -> None:
    header = f"element vertex 4\n{XYZ}element tristrips 1\nproperty list int int vertex_indices\n"
    mesh = read_ply(_ascii(header, "0 0 0\n" * 4 + "4 0 1 2 3\n"))
    np.testing.assert_array_equal(mesh.faces, [[0, 1, 2], [2, 1, 3]])


def test_known_names_become_arrays() -> None:
    mesh = read_ply(
        _ascii(
            f"element vertex 1\nproperty float nx\n{XYZ}property float ny\nproperty float nz\n"
            "property uchar diffuse_red\n"
            "property uchar diffuse_green\nproperty uchar diffuse_blue\nproperty uchar alpha\n"
            "property float s\nproperty float t\n"
            "property int w_0\nproperty int w_1\nproperty int lone_0\n",
            ".5 1 2 3 .25 .125 1 2 3 4 .5 .75 8 9 10\n",
        )
    )
    shapes = {name: (data.shape, data.dtype.name) for name, data in mesh.vertex_data.items()}
    assert shapes == {
        "normal": ((1, 3), "float32"), "color": ((1, 3), "uint8"), "alpha": ((1,), "uint8"), "s": ((1,), "float32"),
        "t": ((1,), "float32"), "w": ((1, 2), "int32"), "lone_0": ((1,), "int32"),
    }  # fmt: skip
    np.testing.assert_array_equal(mesh.vertices, [[1, 2, 3]])


def test_capital_letters_of_known_names_do_not_count() -> None:
    header = f"element vertex 1\n{XYZ}" + "".join(f"property uchar {name}\n" for name in ("Red", "GREEN", "Blue"))
    mesh = read_ply(_ascii(header, "0 0 0 7 8 9\n"))
    assert {name: data.tolist() for name, data in mesh.vertex_data.items()} == {"color": [[7, 8, 9]]}
    apart = mesh.with_data(vertex={name: np.ones(1, np.uint8) for name in ("Red", "Green", "Blue")})
    assert set(read_ply(ply_bytes(apart)).vertex_data) == {"color", "Red", "Green", "Blue"}


def test_names_that_clash_lose_nothing() -> None:
    header = f"element vertex 1\n{XYZ}property int q\nproperty int q\nproperty float x\nproperty uchar color\n"
    header += "property uchar red\nproperty uchar green\nproperty uchar blue\n"
    mesh = read_ply(_ascii(header, "1 2 3 4 5 6 7 8 9 10\n"))
    assert {name: data.tolist() for name, data in mesh.vertex_data.items()} == {
        "q": [4], "q_2": [5], "x": [6], "color": [7], "red": [8], "green": [9], "blue": [10],
    }  # fmt: skip


def test_what_a_mesh_cannot_hold_is_said_without_the_names_of_strangers() -> None:
    content = _ascii(
        f"comment Patient Doe\nobj_info Patient Doe\nelement vertex 1\n{XYZ}property list uchar int near\n"
        "element edge 1\nproperty int a\nelement Döe 1\nproperty list uchar int Doe\n",
        "0 0 0 2 5 6\n1\n2 3 4\n",
    )
    mesh = read_ply(content)
    messages = " ".join(note.message for note in _notes(mesh, "F108"))
    assert len(_notes(mesh, "F108")) == 3
    assert '"edge"' in messages
    assert "Doe" not in messages
    assert "Döe" not in messages


@pytest.mark.parametrize("encoding", ["ascii", "binary_little_endian", "binary_big_endian"])
def test_a_truncated_file_gives_its_complete_rows(encoding: str) -> None:
    vertex = ("vertex", [(axis, "f4") for axis in "xyz"], [[float(k), 1.0, 2.0] for k in range(4)])
    face = ("face", [("vertex_indices", ("u1", "i4"))], [[[0, 1, 2]], [[1, 2, 3]], [[0, 2, 3]]])
    content = _twin(encoding, [vertex, face])
    cut = content[: len(content) - 3]
    mesh = read_ply(cut)
    np.testing.assert_array_equal(mesh.faces, [[0, 1, 2], [1, 2, 3]])
    (note,) = _notes(mesh, "F101")
    assert dict(note.measures) == {"declared": 3, "present": 2}
    assert note.offset is not None
    assert 0 < note.offset < len(cut)


def test_trailing_bytes() -> None:
    vertex = ("vertex", [(axis, "f4") for axis in "xyz"], [[1.0, 1.0, 2.0]])
    content = _twin("binary_little_endian", [vertex])
    (note,) = _notes(read_ply(content + b"1234567"), "F106")
    assert (note.offset, dict(note.measures)) == (len(content), {"bytes": 7})
    content = _twin("ascii", [vertex])
    assert _checks(read_ply(content + b"\n \n")) == set()
    assert dict(_notes(read_ply(content + b"\n more\n"), "F106")[0].measures) == {"bytes": 5}


@pytest.mark.parametrize("encoding", ["ascii", "binary_little_endian", "binary_big_endian"])
@pytest.mark.parametrize("count", [10**12, 10**25, 700_000_000, 2**31])
@pytest.mark.parametrize("element", ["vertex", "face"])
def test_a_small_file_that_claims_much_fails_at_once(encoding: str, count: int, element: str) -> None:
    content = _twin(
        encoding,
        [
            ("vertex", [(axis, "f4") for axis in "xyz"], [[float(k), 1.0, 2.0] for k in range(3)]),
            ("face", [("vertex_indices", ("u1", "i4"))], [[[0, 1, 2]]]),
        ],
    )
    rows = b"3" if element == "vertex" else b"1"
    content = content.replace(f"element {element} ".encode() + rows, f"element {element} {count}".encode())
    start = time.perf_counter()
    try:
        mesh = read_ply(content)
    except ReadError as error:
        assert error.offset is not None  # noqa: PT017
    else:
        assert "F101" in _checks(mesh)
    assert time.perf_counter() - start < 60  # by the count it would take for ever


def test_an_unknown_element_that_claims_much_is_fast_too() -> None:
    for encoding in ("ascii", "binary_little_endian"):
        content = _twin(encoding, [("thing", [("a", ("u1", "u1"))], []), ("void", [], [])])
        content = content.replace(b"thing 0", b"thing 99999999999999").replace(b"void 0", b"void 99999999999999")
        start = time.perf_counter()
        assert "F108" in _checks(read_ply(content))
        assert time.perf_counter() - start < 60  # by the count it would take for ever


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (b"plx\n", "not a PLY"),
        (b"ply\nformat ascii 1.0\n", "not complete"),
        (b"ply\nend_header\n", "does not name the format"),
        (b"ply\nformat binary 1.0\nend_header\n", "format of the data is unknown"),
        (_ascii("element vertex -1\n" + XYZ, ""), "count is not a number"),
        (_ascii("element vertex\n" + XYZ, ""), "count is not a number"),
        (_ascii("element vertex many\n" + XYZ, ""), "count is not a number"),
        (_ascii("property float x\n", ""), "no element"),
        (_ascii("element vertex 1\nproperty real x\n", ""), "type is unknown"),
        (_ascii("element face 1\nproperty list float int vertex_indices\n", ""), "type is unknown"),
        (_ascii("element vertex 1\nproperty float\n", ""), "type is unknown"),
        (_ascii("element vertex 1\nproperty float x\nproperty float z\n", "1 2\n"), "no y"),
        (_ascii("element vertex 1\n", ""), "no x, y, z"),
        (_ascii(f"element vertex 5\n{XYZ}", "1 2\n"), "no complete one"),
        (_ascii(f"element vertex 1\n{XYZ}", "1 2 oops\n"), "expected a number, got a word of 4 letters"),
        (
            _ascii("element face 1\nproperty list uchar int vertex_indices\n", "-3 0 1 2\n"),
            "the header does not fit the rows",
        ),
        (_ascii("element face 1\nproperty list uchar int vertex_indices\n", "2.5 1 2\n"), "a face's corners should be"),
        (_ascii("element face 1\nproperty list uchar int vertex_indices\n", "3, 0, 1, 2\n"), "with commas"),
        (_ascii(f"element vertex 1\n{XYZ}", "0,5 1,5 2\n"), "with commas"),
        (_ascii(f"element vertex 1\n{XYZ}", "0.5; 1.5; 2.5\n"), "with commas"),
        (_ascii(f"element vertex 1\n{XYZ}", "\0\0 \1\2 \3\0\0\n"), "binary data"),
        (
            _ascii("element face 1\nproperty list uchar int vertex_indices\n", "3 0 1 x\n"),
            "expected a number, got a word of 1 letter",
        ),
    ],
)
def test_what_cannot_be_read_says_where_and_why(content: bytes, fragment: str) -> None:
    with pytest.raises(ReadError, match=fragment) as caught:
        read_ply(content)
    assert caught.value.offset is not None
    assert caught.value.expected is not None


def test_a_negative_length_is_refused() -> None:
    content = _twin("binary_little_endian", [("face", [("vertex_indices", ("i1", "i4"))], [[[0, 1, 2]]])])
    with pytest.raises(ReadError, match="corners is negative"):
        read_ply(content.replace(b"end_header\n\x03", b"end_header\n\xff"))


def test_values_that_do_not_fit_their_type_are_kept() -> None:
    mesh = read_ply(_ascii(f"element vertex 2\n{XYZ}property uchar a\nproperty char b\n", "1 2 3 300 1\n4 5 6 0 .5\n"))
    assert mesh.vertex_data["a"].tolist() == [300, 0]
    assert mesh.vertex_data["b"].tolist() == [1, 0.5]
    assert _notes(mesh, "F103")[0].count == 2


def test_float_positions_are_floats_and_doubles_are_doubles() -> None:
    single = read_ply(_ascii(f"element vertex 1\n{XYZ}", "0.1 16777217 1e39\n"))
    np.testing.assert_array_equal(single.vertices, [[np.float32(0.1), 16777216, np.inf]])
    double = read_ply(_ascii(f"element vertex 1\n{XYZ}".replace("float", "double"), "0.1 16777217 1e39\n"))
    np.testing.assert_array_equal(double.vertices, [[0.1, 16777217, 1e39]])


def test_thousands_of_equal_names_are_fast() -> None:
    content = _ascii(f"element vertex 1\n{XYZ}" + "property int q\n" * 10_000, "1 " * 10_003)
    start = time.perf_counter()
    assert len(read_ply(content).vertex_data) == 10_000
    assert time.perf_counter() - start < 5.0


# Writing


DTYPES = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64"]
names = st.one_of(
    st.sampled_from(
        ["color", "normal", "label", "x", "red", "green", "blue", "alpha", "nx", "a_0", "a_1", "vertex_indices", "r"]
    ),
    st.text(max_size=8),
)


@st.composite
def attributes(draw: st.DrawFn, rows: int) -> dict[str, npt.NDArray[Any]]:
    found: dict[str, npt.NDArray[Any]] = {}
    for name in draw(st.lists(names, unique=True, max_size=5)):
        columns = draw(st.sampled_from([None, None, 1, 2, 3, 4, 5]))
        dtype = np.dtype(draw(st.sampled_from(DTYPES)))
        found[name] = draw(hnp.arrays(dtype, (rows,) if columns is None else (rows, columns)))
    return found


@st.composite
def meshes(draw: st.DrawFn) -> Mesh:
    n = draw(st.integers(0, 6))
    m = draw(st.integers(0, 6)) if n else 0
    width = draw(st.sampled_from([32, 64]))
    vertices = draw(hnp.arrays(np.dtype(f"float{width}"), (n, 3))).astype(np.float64)
    faces = draw(hnp.arrays(np.int32, (m, 3), elements=st.integers(0, max(0, n - 1))))
    return Mesh(vertices=vertices, faces=faces, vertex_data=draw(attributes(n)), face_data=draw(attributes(m)))


def named_scalars(*names: str) -> Mesh:
    data = {name: np.arange(2, dtype=np.int8) + k for k, name in enumerate(names)}
    return Mesh(vertices=np.zeros((2, 3)), faces=np.zeros((2, 3), np.int32), vertex_data=data, face_data=data)


@settings(deadline=None, max_examples=200)
@given(meshes())
@example(named_scalars("a_0", "a_1"))
@example(
    named_scalars("red", "green", "blue", "alpha", "x", "nx", "ny", "nz", "", "%", "a b", "vertex_indices", "a_0of1")
)
def test_what_is_written_comes_back_bit_for_bit(mesh: Mesh) -> None:
    content = ply_bytes(mesh)
    back = read_ply(content)
    assert back.digest() == mesh.digest()
    assert list(back.vertex_data) == list(mesh.vertex_data)
    assert _checks(back) == set()
    assert ply_bytes(back) == content


def test_types_that_a_ply_lacks_are_written_as_ones_that_hold_the_values() -> None:
    wide = {
        "flag": np.array([True, False]),
        "small": np.array([-5, 7]),
        "large": np.array([2**40, -(2**52)]),
        "whole": np.array([2**32 - 1, 0], np.uint64),
        "half": np.array([0.5, np.nan], np.float16),
    }
    mesh = Mesh(vertices=np.zeros((2, 3)), faces=np.empty((0, 3), np.int32), vertex_data=wide)
    back = read_ply(ply_bytes(mesh)).vertex_data
    assert {name: data.dtype.name for name, data in back.items()} == {
        "flag": "uint8", "small": "int32", "large": "float64", "whole": "uint32", "half": "float32",
    }  # fmt: skip
    for name, data in wide.items():
        np.testing.assert_array_equal(back[name], data)


@pytest.mark.parametrize(
    "data", [np.array([2**60 + 1]), np.array([2**64 - 1], np.uint64), np.zeros((1, 2, 2)), np.zeros((1, 0))]
)
def test_what_a_ply_cannot_hold_is_refused(data: npt.NDArray[Any]) -> None:
    mesh = Mesh(vertices=np.zeros((1, 3)), faces=np.empty((0, 3), np.int32), vertex_data={"a": data})
    with pytest.raises(MeshError, match="vertex_data"):
        ply_bytes(mesh)


def test_the_header_says_the_layout_and_nothing_else() -> None:
    mesh = Mesh(
        vertices=np.eye(3),
        faces=np.array([[0, 1, 2]], np.int32),
        vertex_data={"color": np.zeros((3, 4), np.uint8), "normal": np.zeros((3, 3))},
        face_data={"label": np.zeros(1, np.int32)},
        jaw="upper",
    )
    header = ply_bytes(mesh).split(b"end_header\n")[0].decode()
    assert header.splitlines() == [
        "ply", "format binary_little_endian 1.0", "element vertex 3", "property float x", "property float y",
        "property float z", "property uchar red", "property uchar green", "property uchar blue", "property uchar alpha",
        "property double nx", "property double ny", "property double nz", "element face 1",
        "property list uchar int vertex_indices", "property int label",
    ]  # fmt: skip
    assert "property double x" in ply_bytes(mesh.with_vertices(np.eye(3) / 3)).decode("latin-1")


# Adversarial bytes


def _seeds() -> list[bytes]:
    vertex: Element = (
        "vertex",
        [*((axis, "f4") for axis in "xyz"), ("q", "i2")],
        [[k + 0.5, 1.5, 2.0, k] for k in range(4)],
    )
    face: Element = (
        "face",
        [("vertex_indices", ("u1", "i4")), ("k", "u1")],
        [[[0, 1, 2], 1], [[1, 2, 3, 0], 2], [[0, 2, 3], 3]],
    )
    strips: Element = ("tristrips", [("vertex_indices", ("i4", "i4"))], [[[0, 1, 2, 3, -1, 1, 2, 3]]])
    edge: Element = ("edge", [("a", "i4"), ("l", ("u2", "f8"))], [[1, [0.5, 0.25]]])
    encodings = ("ascii", "binary_little_endian", "binary_big_endian")
    return [
        _twin(encoding, list(chosen))
        for encoding in encodings
        for chosen in itertools.permutations([vertex, face, strips, edge], 3)
    ]


SEEDS = _seeds()


@settings(deadline=None, max_examples=400)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=4), st.integers(0, 4)), max_size=6),
    st.integers(0, 2000),
)
def test_mutated_files_give_a_mesh_or_a_read_error(seed: bytes, edits: list[tuple[int, bytes, int]], cut: int) -> None:
    content = bytearray(seed)
    for at, put, out in edits:
        at %= len(content) + 1
        content[at : at + out] = put
    content = content[: cut if cut < len(content) else None]
    start = time.perf_counter()
    try:
        mesh = read_ply(bytes(content))
    except ReadError as error:
        assert error.reason  # noqa: PT017
    else:
        assert len(mesh.vertices) <= len(content)
        assert len(mesh.faces) <= len(content)
        assert read_ply(ply_bytes(mesh)).digest() == mesh.digest()
    assert time.perf_counter() - start < 5.0


@settings(deadline=None)
@given(st.sampled_from(["ascii", "binary_little_endian", "binary_big_endian"]), st.binary(max_size=200))
def test_any_body_gives_a_mesh_or_a_read_error(encoding: str, body: bytes) -> None:
    header = f"ply\nformat {encoding} 1.0\nelement vertex 9\n{XYZ}element face 9\n"
    header += "property list uchar int vertex_indices\nend_header\n"
    with contextlib.suppress(ReadError):
        read_ply(header.encode() + body)


def test_every_prefix_of_a_file_gives_a_mesh_or_a_read_error() -> None:
    for seed in SEEDS:
        for end in range(len(seed)):
            with contextlib.suppress(ReadError):
                read_ply(seed[:end])
