"""Binary STL in other layouts: read where the bytes are certain, refused with the cause where they are not."""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest

from meshguard.budget import Budget
from meshguard.errors import BudgetExceeded, ReadError
from meshguard.io import load
from meshguard.io.stl import RECORD, stl_bytes
from tests import shapes

if TYPE_CHECKING:
    from pathlib import Path

    from meshguard.mesh import Mesh

HEADER = b"a header".ljust(80)
SHAPES = {"cube": shapes.cube(), "grid": shapes.grid(20, 20)}


def facets(name: str, *, normals: bool = True) -> np.ndarray:
    """A shape's facets, off the origin, with or without normals."""
    made = np.frombuffer(stl_bytes(SHAPES[name]), RECORD, offset=84).copy()
    if not normals:
        made["normal"] = 0
    return made


def swapped(made: np.ndarray) -> bytes:
    """The facets as big-endian bytes."""
    return made.astype(made.dtype.newbyteorder(">")).tobytes()


def told(mesh: Mesh) -> dict[str, str]:
    assert mesh.source is not None
    return {note.check: note.message for note in mesh.source.irregularities if note.check != "F104"}


@pytest.fixture(params=["cube", "grid"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("normals", [True, False])
@pytest.mark.parametrize("order", ["both", "floats", "count"])
def test_byte_swapped_files_are_read_and_said(name: str, normals: bool, order: str) -> None:
    made = facets(name, normals=normals)
    count = struct.pack("<I" if order == "floats" else ">I", len(made))
    mesh = load(HEADER + count + (made.tobytes() if order == "count" else swapped(made)))

    assert mesh.digest() == load(HEADER + struct.pack("<I", len(made)) + made.tobytes()).digest()
    assert "byte-swapped" in told(mesh)["F101"]


@pytest.mark.parametrize("layout", ["swapped", "swapped floats", "swapped count", "no count", "payload"])
def test_the_budget_counts_the_facets_of_every_layout(layout: str) -> None:
    made = facets("grid")
    count, other = struct.pack("<I", len(made)), struct.pack(">I", len(made))
    one = made.copy()
    one["attribute"][-1] = 2
    content = (
        HEADER
        + {
            "swapped": other + swapped(made),
            "swapped floats": count + swapped(made),
            "swapped count": other + made.tobytes(),
            "no count": made.tobytes(),
            "payload": count + one.tobytes() + b"??",
        }[layout]
    )

    assert len(load(content, budget=Budget(max_faces=len(made))).faces) == len(made)
    with pytest.raises(BudgetExceeded, match="max_faces"):
        load(content, budget=Budget(max_faces=len(made) - 1))


def test_a_large_byte_swapped_file_is_read_from_its_path(tmp_path: Path) -> None:
    made = np.frombuffer(stl_bytes(shapes.grid(110, 110)), RECORD, offset=84)
    for order in "<>":
        content = HEADER + struct.pack(f"{order}I", len(made)) + swapped(made)
        (tmp_path / "large.stl").write_bytes(content)
        mesh = load(tmp_path / "large.stl")
        assert len(content) > 1 << 20
        assert len(mesh.faces) == len(made)
        assert "byte-swapped" in told(mesh)["F101"]


@pytest.mark.parametrize("normals", [True, False])
def test_a_missing_count_is_read_from_byte_80(name: str, normals: bool) -> None:
    made = facets(name, normals=normals)
    made["attribute"][0] = 7
    mesh = load(HEADER + made.tobytes())

    assert mesh.digest() == load(HEADER + struct.pack("<I", len(made)) + made.tobytes()).digest()
    assert "no facet count" in told(mesh)["F101"]


@pytest.mark.parametrize("count", [None, 0, 2**32 - 1])
@pytest.mark.parametrize("normals", [True, False])
def test_a_file_cut_to_the_size_without_count_is_not_shifted(name: str, normals: bool, count: int | None) -> None:
    made = facets(name, normals=normals)
    number = len(made) if count is None else count
    mesh = load((HEADER + struct.pack("<I", number) + made.tobytes())[:-4])

    assert len(mesh.faces) == len(made) - 1
    assert len(mesh.vertices) == len(SHAPES[name].vertices)


@pytest.mark.parametrize("lengths", ["all", "one", "some", "last", "long"])
def test_attribute_bytes_that_follow_are_left_out_and_told(name: str, lengths: str) -> None:
    made = facets(name)
    rng = random.Random(1)  # noqa: S311
    sizes = {
        "all": [4] * len(made),
        "one": [0, 0, 0, 2] + [0] * (len(made) - 4),
        "some": [rng.choice([0, 3, 50]) for _ in made],
        "last": [0] * (len(made) - 1) + [9],
        "long": [60_000] + [0] * (len(made) - 1),
    }[lengths]
    made["attribute"] = sizes
    body = b"".join(made[k : k + 1].tobytes() + rng.randbytes(size) for k, size in enumerate(sizes))
    mesh = load(HEADER + struct.pack("<I", len(made)) + body)

    assert (len(mesh.faces), len(mesh.vertices)) == (len(made), len(SHAPES[name].vertices))
    assert "attribute" not in mesh.face_data
    assert f"{sum(sizes)} bytes are left out" in told(mesh)["F106"]


def test_colours_and_trailing_bytes_are_still_what_they_are() -> None:
    made = facets("grid")
    made["attribute"] = np.arange(len(made))
    mesh = load(HEADER + struct.pack("<I", len(made)) + made.tobytes() + b"12345")

    assert mesh.face_data["attribute"].tolist() == made["attribute"].tolist()


def test_data_behind_the_declared_facets_does_not_become_facets() -> None:
    mesh = load(stl_bytes(SHAPES["cube"]) + b"Patient Mueller " * 40)

    assert len(mesh.faces) == 12
    assert told(mesh)["F106"] == "640 bytes follow the last declared facet."


def damaged() -> bytes:
    """A binary STL with 0A, 0D 0A and bytes beyond ASCII in its coordinates."""
    made = facets("grid")
    made["corners"] += np.float32(11.37)
    made["corners"][::3] *= np.float32(1.618)
    content = bytearray(HEADER + struct.pack("<I", len(made)) + made.tobytes())
    for k in range(20):
        content[84 + 50 * 7 * k + 12 : 84 + 50 * 7 * k + 14] = b"\r\n" if k % 2 else b"\n\x01"
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (damaged().replace(b"\n", b"\r\n"), "written in text mode"),
        (damaged().replace(b"\r\n", b"\n"), "bytes are missing"),
        (damaged().decode("latin-1").encode(), "UTF-8"),
        (damaged().decode("utf-8", "replace").encode(), "UTF-8"),
        (HEADER + struct.pack(">I", 99) + swapped(facets("grid")), "byte-swapped"),
        (HEADER + struct.pack(">I", 12) + swapped(facets("cube"))[:-7], "byte-swapped"),
        (HEADER + facets("grid").tobytes()[:-9], "no facet count"),
        (HEADER + facets("cube", normals=False).tobytes()[:-9], "no facet count"),
    ],
)
@pytest.mark.parametrize("suffix", ["stl", "bin"])
def test_damage_is_refused_with_its_cause(tmp_path: Path, content: bytes, cause: str, suffix: str) -> None:
    (tmp_path / f"scan.{suffix}").write_bytes(content)
    with pytest.raises(ReadError, match=cause) as caught:
        load(tmp_path / f"scan.{suffix}")
    assert caught.value.offset is not None
    assert caught.value.expected is not None


def test_positions_beyond_any_length_are_not_a_mesh() -> None:
    made = facets("cube")
    made["corners"] = made["corners"] * np.float32(1e30) + np.float32(1e31)
    with pytest.raises(ReadError, match="are not facets"):
        load(HEADER + struct.pack("<I", len(made)) + made.tobytes())


@pytest.mark.parametrize("seed", range(3))
def test_arbitrary_bytes_of_the_right_size_are_not_a_mesh(seed: int) -> None:
    noise = random.Random(seed).randbytes(50 * 300)  # noqa: S311
    with pytest.raises(ReadError, match="are not facets"):
        load(HEADER + struct.pack("<I", 300) + noise)


def test_a_first_facet_that_is_a_length_both_ways_does_not_hide_swapped_floats() -> None:
    made = facets("grid")
    made["corners"][0] = 0
    mesh = load(HEADER + struct.pack("<I", len(made)) + swapped(made))
    assert "byte-swapped" in told(mesh)["F101"]


@pytest.mark.parametrize("count", [722, 12], ids=["usual size", "another size"])
def test_bytes_without_their_highest_bit_are_refused(count: int) -> None:
    """A transfer as text of 7 bits once was a mesh without a negative coordinate."""
    content = damaged()
    stripped = bytes(byte & 127 for byte in content[84:])
    with pytest.raises(ReadError, match="7 bits"):
        load(content[:80] + struct.pack("<I", count) + stripped)


def test_corners_on_whole_numbers_are_no_damage() -> None:
    made = facets("cube", normals=False)
    made["corners"] = np.where(made["corners"] > made["corners"].mean(), 3, 2)
    content = HEADER + struct.pack("<I", len(made)) + made.tobytes()
    assert content[84:].isascii()
    assert len(load(content).faces) == len(made)


def test_normals_that_are_not_numbers_are_kept_and_counted() -> None:
    made = facets("cube")
    made["normal"][:3] = np.nan
    mesh = load(HEADER + struct.pack("<I", len(made)) + made.tobytes())

    assert mesh.source is not None
    assert [(note.check, note.count) for note in mesh.source.irregularities] == [("F104", 3)]
    assert "normal" in mesh.face_data


@pytest.mark.parametrize(
    ("file", "vertices", "faces", "check"),
    [
        ("01_big_endian.stl", 162, 320, "F101"),
        ("02_attr_payload.stl", 162, 320, "F106"),
        ("02c_attr_payload_one.stl", 162, 320, "F106"),
        ("03_no_count.stl", 162, 320, "F101"),
        ("04_comma_space.stl", 8, 12, "F103"),
        ("05_decimal_comma.stl", 8, 12, "F103"),
        ("06_ind_normals.stl", 8, 12, "F104"),
        ("07b_utf16.stl", 8, 12, "F103"),
    ],
)
def test_what_the_field_wrote_is_read(data_root: Path, file: str, vertices: int, faces: int, check: str) -> None:
    mesh = load(data_root / "field" / file)

    assert (len(mesh.vertices), len(mesh.faces)) == (vertices, faces)
    assert mesh.source is not None
    assert {note.check for note in mesh.source.irregularities} == {check}


@pytest.mark.parametrize(
    ("file", "cause"),
    [
        ("10_text_mode.stl", "written in text mode"),
        ("22b_zip.stl", "zip archive, not a mesh; inside is 1 STL file"),
        ("22c_scan.dcm", "packed scanner export.*export the scan as STL or PLY"),
    ],
)
def test_what_the_field_wrote_is_refused_by_what_it_is(data_root: Path, file: str, cause: str) -> None:
    with pytest.raises(ReadError, match=cause):
        load(data_root / "field" / file)
