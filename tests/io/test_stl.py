"""Binary STL: read, welded, written; ASCII's own grammar is in test_stl_text."""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshguard.errors import MeshError, ReadError
from meshguard.io import load, save
from meshguard.io.stl import RECORD, stl_bytes
from meshguard.io.stl.header_colors import HEADER
from meshguard.mesh import Mesh
from tests import oracles, shapes
from tests.strategies import soups

if TYPE_CHECKING:
    from pathlib import Path


def binary(records: np.ndarray, *, header: bytes = b"", count: int | None = None, tail: bytes = b"") -> bytes:
    """A binary STL written by hand."""
    number = len(records) if count is None else count
    return header.ljust(80, b"\0") + struct.pack("<I", number) + records.tobytes() + tail


def records(mesh: Mesh) -> np.ndarray:
    """A mesh's facets without normals."""
    made = np.zeros(len(mesh.faces), RECORD)
    made["corners"] = mesh.vertices[mesh.faces]
    return made


def noted(mesh: Mesh) -> dict[str, dict[str, float]]:
    assert mesh.source is not None
    return {note.check: dict(note.measures) for note in mesh.source.irregularities}


@given(soups())
def test_a_file_is_welded_like_the_naive_twin(mesh: Mesh) -> None:
    found = load(binary(records(mesh)))
    soup = mesh.vertices[mesh.faces].reshape(-1, 3).astype(np.float32).astype(np.float64)
    numbers = oracles.position_numbers(soup)

    assert found.faces.reshape(-1).tolist() == numbers
    assert found.source is not None
    origin = found.source.soup_origin
    assert origin is not None
    assert origin.tolist() == [numbers.index(number) for number in range(len(found.vertices))]
    assert np.array_equal(found.vertices, soup[origin] + 0.0, equal_nan=True)


@pytest.mark.parametrize("threads", ["1", "2", "3", "7"])
def test_ranges_weld_to_the_same_mesh(threads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = stl_bytes(shapes.shuffled(shapes.grid(250, 250), 5))
    monkeypatch.setenv("MESHGUARD_THREADS", "1")
    alone = load(content)

    monkeypatch.setenv("MESHGUARD_THREADS", threads)
    together = load(content)

    assert together.digest() == alone.digest()
    assert together.source is not None
    assert alone.source is not None
    assert together.source.soup_origin is not None
    assert alone.source.soup_origin is not None
    assert together.source.soup_origin.tolist() == alone.source.soup_origin.tolist()


@given(soups(), st.booleans())
def test_what_was_saved_is_loaded_bit_for_bit(mesh: Mesh, words: bool) -> None:
    once = load(stl_bytes(mesh))
    if words and len(once.faces):
        once = once.with_data(face={"attribute": np.arange(1, len(once.faces) + 1, dtype=np.uint16)})

    again = load(stl_bytes(once))

    assert again.digest() == once.digest()
    assert stl_bytes(again) == stl_bytes(once)


def test_negative_zero_is_welded_with_zero() -> None:
    made = np.zeros(2, RECORD)
    made["corners"] = [[[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[-0.0, -0.0, 0], [0, 1, -0.0], [-1, 0, 0]]]

    mesh = load(binary(made))

    assert len(mesh.vertices) == 4
    assert not np.signbit(mesh.vertices[0]).any()


def test_normals_that_agree_are_not_kept_and_zero_ones_are_noted() -> None:
    body = shapes.cube()
    written = np.frombuffer(stl_bytes(body), RECORD, offset=84)

    assert "normal" not in load(stl_bytes(body)).face_data
    assert noted(load(stl_bytes(body))) == {}
    assert np.allclose(np.linalg.norm(written["normal"], axis=1), 1)
    assert noted(load(binary(records(body)))) == {"F104": {"facets": 12}}


def test_normals_that_disagree_are_kept_and_written_back() -> None:
    made = records(shapes.cube())
    made["normal"] = np.frombuffer(stl_bytes(shapes.cube()), RECORD, offset=84)["normal"]
    made["normal"][3] *= -1

    mesh = load(binary(made))

    assert np.array_equal(mesh.face_data["normal"], made["normal"])
    assert np.array_equal(np.frombuffer(stl_bytes(mesh), RECORD, offset=84)["normal"], made["normal"])


def test_attribute_words_are_kept_and_noted() -> None:
    made = records(shapes.cube())
    made["attribute"][2] = 0x1F00

    mesh = load(binary(made))

    assert mesh.face_data["attribute"].tolist() == made["attribute"].tolist()
    assert noted(mesh)["F106"] == {"facets": 1}


@pytest.mark.parametrize(
    ("count", "cut", "tail", "faces", "expected"),
    [
        (None, 0, b"?????", 12, {"F106": {"bytes": 5}}),
        (None, 1, b"", 12, {"F101": {"declared": 12, "present": 12}}),
        (None, 2, b"", 12, {"F101": {"declared": 12, "present": 12}}),
        (None, 3, b"", 11, {"F101": {"declared": 12, "present": 11}}),
        (None, 60, b"", 10, {"F101": {"declared": 12, "present": 10}}),
        (1, 0, b"", 12, {"F101": {"declared": 1, "present": 12}}),
        (0xFEFEFEFE, 0, b"", 12, {"F101": {"declared": 0xFEFEFEFE, "present": 12}}),
        (0, 0, b"", 12, {"F101": {"declared": 0, "present": 12}}),
    ],
)
def test_a_wrong_count_loses_nothing(
    count: int | None, cut: int, tail: bytes, faces: int, expected: dict[str, dict[str, int]]
) -> None:
    content = binary(records(shapes.cube()), count=count)
    content = content[: len(content) - cut] + tail

    mesh = load(content)

    found = {check: measures for check, measures in noted(mesh).items() if check != "F104"}
    assert len(mesh.faces) == faces
    for check, measures in expected.items():
        assert found[check] == measures


def test_a_huge_count_fails_or_reads_at_once() -> None:
    start = time.perf_counter()
    mesh = load(binary(np.zeros(4, RECORD), count=2**32 - 1))

    assert len(mesh.faces) == 4
    assert time.perf_counter() - start < 60  # a read by the count would need 200 GB


def test_the_word_solid_does_not_make_a_file_text() -> None:
    mesh = load(binary(records(shapes.cube()), header=b"solid but binary"))

    assert len(mesh.faces) == 12
    assert mesh.source is not None
    assert mesh.source.format == "stl-binary"


def test_fewer_bytes_than_a_header_are_refused_with_their_number(tmp_path: Path) -> None:
    (tmp_path / "short.stl").write_bytes(b"\0" * 70)
    with pytest.raises(ReadError) as caught:
        load(tmp_path / "short.stl")

    assert caught.value.offset == 70
    assert "84" in str(caught.value)


def test_an_empty_file_of_84_bytes_is_a_mesh_without_faces() -> None:
    mesh = load(binary(np.zeros(0, RECORD)))

    assert (len(mesh.vertices), len(mesh.faces)) == (0, 0)


def test_the_header_is_constant_and_holds_no_name(tmp_path: Path) -> None:
    save(shapes.cube(), tmp_path / "patient-0815.stl")

    assert (tmp_path / "patient-0815.stl").read_bytes()[:80] == HEADER.ljust(80)
    assert not HEADER.startswith(b"solid")


def test_positions_are_rounded_to_float32_once() -> None:
    mesh = Mesh(vertices=np.array([[0.1, 0.2, 0.3], [1, 0, 0], [0, 1, 0]]), faces=[[0, 1, 2]])

    found = load(stl_bytes(mesh)).vertices

    assert found[0].tolist() == [float(np.float32(x)) for x in (0.1, 0.2, 0.3)]


def test_what_an_stl_cannot_hold_is_refused() -> None:
    large = Mesh(vertices=np.array([[0, 0, 0], [1e300, 0, 0], [0, 1, 0]]), faces=[[0, 1, 2]])
    words = shapes.triangle().with_data(face={"attribute": np.array([70_000])})

    with pytest.raises(MeshError, match="vertex 1"):
        stl_bytes(large)
    with pytest.raises(MeshError, match="16-bit"):
        stl_bytes(words)
    assert load(stl_bytes(shapes.triangle().with_data(face={"attribute": np.array([7])}))).face_data["attribute"] == [7]


@given(st.binary(min_size=0, max_size=400))
def test_any_bytes_are_a_mesh_or_a_read_error(content: bytes) -> None:
    for head in (b"", b"solid x\n", b"\0" * 84):
        try:
            mesh = load(head + content)
        except ReadError as error:
            refused = str(error)
            assert refused
        else:
            assert isinstance(mesh, Mesh)


def test_a_large_file_is_read_in_pieces_to_the_same_mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a path piece by piece, from bytes as a whole; with normals that disagree and words that are not zero."""
    mesh = shapes.shuffled(shapes.grid(150, 100), 1)
    made = np.frombuffer(stl_bytes(mesh), RECORD, offset=84).copy()
    made["normal"][::7] *= -1
    made["attribute"] = np.arange(len(made)) % 5
    content = binary(made)
    (tmp_path / "large.stl").write_bytes(content)

    at_once, in_chunks = load(content), load(tmp_path / "large.stl")

    assert len(content) > 1 << 20
    assert in_chunks.digest() == at_once.digest()
    assert noted(in_chunks) == noted(at_once)

    # Another process cuts the file short while it is read.
    monkeypatch.setattr("os.preadv", lambda *_: 0)
    assert load(tmp_path / "large.stl").digest() == at_once.digest()
