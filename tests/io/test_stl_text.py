"""The text form of STL: everything that is found in the wild, and what is said about it."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshguard.errors import ReadError
from meshguard.io import load
from meshguard.io.stl.text import Facets, read_stl_text

if TYPE_CHECKING:
    from collections.abc import Callable

FACET = """facet normal 0 0 1
  outer loop
    vertex 0 0 0
    vertex 1 0 0
    vertex 0.1 1e0 -.5
  endloop
endfacet
"""
CORNERS = [[0, 0, 0], [1, 0, 0], [0.1, 1, -0.5]]
SOLID = f"solid a name\n{FACET}endsolid a name\n"


def _found(facets: Facets) -> dict[str, list[tuple[int | None, int]]]:
    """Check -> (offset, count) of each irregularity."""
    found: dict[str, list[tuple[int | None, int]]] = {}
    for note in facets[4]:
        found.setdefault(note.check, []).append((note.offset, note.count))
    return found


def _read(text: str) -> Facets:
    return read_stl_text(text.encode())


def test_a_plain_solid_has_nothing_to_report() -> None:
    corners, normals, solid, solids, notes = _read(SOLID)
    np.testing.assert_array_equal(corners, [CORNERS])
    np.testing.assert_array_equal(normals, [[0, 0, 1]])
    assert solid.tolist() == [0]
    assert (solids, notes) == (1, ())
    assert [array.dtype.name for array in (corners, normals, solid)] == ["float64", "float64", "int32"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (SOLID.replace("\n", "\r\n"), {}),
        (SOLID.replace("\n", "\r"), {"F103": [(12, 9)]}),
        (SOLID.upper().replace("E0", "e0"), {"F103": [(0, 11)]}),
        ("\ufeff" + SOLID, {"F103": [(0, 1)]}),
        (" \n" + SOLID, {"F103": [(0, 1)]}),
        (SOLID.replace("endloop", "end loop").replace("endfacet", "END FACET"), {"F103": [(104, 2), (113, 1)]}),
        (SOLID.replace(" normal 0 0 1", ""), {"F103": [(13, 1)]}),
        (SOLID.replace("normal 0 0 1", "normal"), {"F103": [(13, 1)]}),
        (
            "# hello facet\n" + SOLID.replace("0 0 1\n", "0 0 1 # solid\n").replace("1 0 0\n", "1 0 0# x\n"),
            {"F103": [(0, 3)]},
        ),
        (SOLID.replace("solid a name\n", "solid\n"), {}),
        (SOLID.replace("a name", "facet loop normal vertex"), {}),
        (SOLID.replace("a name", "月球 Zähne"), {}),
        (FACET, {"F103": [(0, 1)], "F101": [(len(FACET), 1)]}),
        (SOLID.replace("endsolid a name\n", ""), {"F101": [(len(FACET) + 13, 1)]}),
        (SOLID.replace("  endloop", "  color 1 0 0\n  endloop"), {"F103": [(104, 4)]}),
        (SOLID + "\x1a and more", {"F106": [(len(SOLID), 1)]}),
        (" ".join(SOLID.split()), {"F103": [(13, 1)]}),
    ],
)
def test_what_is_found_in_the_wild_is_read_and_said(text: str, found: dict[str, list[tuple[int | None, int]]]) -> None:
    facets = _read(text)
    np.testing.assert_array_equal(facets[0], [CORNERS])
    assert _found(facets) == found
    for note in facets[4]:
        assert "name" not in note.message.replace("the name of its solid", "")


def test_several_solids_and_which_facet_stands_in_which() -> None:
    text = SOLID + "solid empty\nendsolid\n" + SOLID.replace(FACET, FACET * 2)
    corners, _, solid, solids, notes = _read(text)
    assert len(corners) == 3
    assert solid.tolist() == [0, 2, 2]
    assert solids == 3
    assert [(note.check, note.count) for note in notes] == [("F109", 3)]


def test_a_second_solid_without_the_end_of_the_first() -> None:
    facets = _read(f"solid a\n{FACET}solid b\n{FACET}endsolid b\n")
    assert facets[2].tolist() == [0, 1]
    assert set(_found(facets)) == {"F101", "F109"}


def test_more_and_fewer_than_three_vertices() -> None:
    square = FACET.replace("    vertex 0.1", "    vertex 1 1 0\n    vertex 0.1")
    corners, normals, solid, _, notes = _read(f"solid\n{FACET.replace('    vertex 1 0 0', '')}{square}endsolid\n")
    np.testing.assert_array_equal(corners, [[[0, 0, 0], [1, 0, 0], [1, 1, 0]], [[0, 0, 0], [1, 1, 0], [0.1, 1, -0.5]]])
    np.testing.assert_array_equal(normals, [[0, 0, 1], [0, 0, 1]])
    assert solid.tolist() == [0, 0]
    many, few, off_plane = notes
    assert (many.check, many.count, dict(many.measures)) == ("F107", 1, {"polygons": 1, "largest": 4})
    assert (few.check, few.count, few.offset) == ("F107", 1, 6)
    assert (off_plane.check, off_plane.offset, dict(off_plane.measures)) == ("F107", many.offset, {"non_planar": 1})


def test_every_cut_gives_the_complete_facets() -> None:
    text = f"solid x\n{FACET * 3}endsolid x\n".encode()
    ends = [8 + len(FACET) * (k + 1) - len("endfacet\n") - 1 for k in range(3)]
    for cut in range(8, len(text)):
        corners, _, _, _, notes = read_stl_text(text[:cut])
        assert len(corners) == sum(end <= cut for end in ends)
        np.testing.assert_array_equal(corners, np.array([CORNERS] * 3)[: len(corners)])
        if cut < len(text) - len("endsolid x\n") + len("endsolid"):
            assert "F101" in {note.check for note in notes}


def test_empty_solids_give_no_facets() -> None:
    corners, normals, solid, solids, notes = _read("solid a\nendsolid a")
    assert (corners.shape, normals.shape, solid.shape, solids, notes) == ((0, 3, 3), (0, 3), (0,), 1, ())


@pytest.mark.parametrize("word", ["oops", "1.2.3", "0x1", "1,5"])
def test_garbage_in_place_of_a_number(word: str) -> None:
    text = SOLID.replace("vertex 1 0 0", f"vertex 1 {word} 0")
    with pytest.raises(ReadError, match="expected a number") as caught:
        _read(text)
    assert caught.value.offset == text.index(word)


def test_a_vertex_with_two_numbers() -> None:
    text = SOLID.replace("vertex 1 0 0", "vertex 1 0")
    with pytest.raises(ReadError, match="expected a number, got the keyword vertex") as caught:
        _read(text)
    assert caught.value.offset == text.index("vertex 0.1")


def test_text_that_is_no_stl() -> None:
    with pytest.raises(ReadError, match="not a text STL"):
        _read("a shopping list: vertex of milk")


def _with_numbers(text: str, written: Callable[[str, str, str], str]) -> str:
    """The text with each three numbers written another way."""
    return re.sub(r"(vertex|normal) (\S+) (\S+) (\S+)", lambda m: f"{m[1]} {written(m[2], m[3], m[4])}", text)


def _comma(number: str) -> str:
    return number.replace(".", ",")


@pytest.mark.parametrize(
    ("written", "word"),
    [
        (lambda x, y, z: f"{x}, {y}, {z}", "separated by commas"),
        (lambda x, y, z: f"{x},{y},{z}", "separated by commas"),
        (lambda x, y, z: f"{x} , {y} , {z}", "separated by commas"),
        (lambda x, y, z: f"{x}; {y}; {z}", "separated by commas or semicolons"),
        (lambda x, y, z: f"{_comma(x)} {_comma(y)} {_comma(z)}", "decimal commas"),
        (lambda x, y, z: f"{_comma(x)};{_comma(y)};{_comma(z)}", "decimal commas"),
        (lambda x, y, z: f"{_comma(x)}, {_comma(y)}, {_comma(z)}", "decimal commas"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_commas_of_one_meaning_are_read_and_said(
    written: Callable[[str, str, str], str], word: str, encoding: str
) -> None:
    text = _with_numbers(SOLID.replace("0 0 1", "0.0 0.0 1.0").replace("1 0 0", "1.0 0.0 0.0"), written)
    corners, normals, _, _, notes = read_stl_text(text.encode(encoding))
    np.testing.assert_array_equal(corners, [CORNERS])
    np.testing.assert_array_equal(normals, [[0, 0, 1]])
    (said,) = [note for note in notes if "comma" in note.message]
    assert said.check == "F103"
    assert word in said.message


@pytest.mark.parametrize(
    "numbers", ["0,5,1,5,2,5", "1,234 5,678 9,123", "1,234.5 0.5 1.5", "1,5 2.5 3", "1,2 3", "1,,2,,3", "1,5 x 2,5"]
)
def test_commas_of_unknown_meaning_are_refused_by_name(numbers: str) -> None:
    with pytest.raises(ReadError, match="comma") as caught:
        _read(SOLID.replace("0.1 1e0 -.5", numbers))
    assert "5,678" not in str(caught.value)


@pytest.mark.parametrize("word", ["MUELLER", "Mueller0815", "Müller-4711", "1.2.MUELLER"])
def test_a_word_in_place_of_a_number_is_not_quoted(word: str) -> None:
    with pytest.raises(ReadError, match=r"a word of 7 letters|\d+ other characters") as caught:
        _read(SOLID.replace("0.1 1e0", f"{word} 1e0"))
    assert "ueller" not in str(caught.value).lower()


@pytest.mark.parametrize("word", ["nan", "-nan", "-nan(ind)", "1.#QNAN", "-1.#IND00", "inf", "-inf", "1e999", "null"])
def test_normals_that_are_not_numbers_are_counted(word: str) -> None:
    text = SOLID.replace("0 0 1", f"{word} {word} {word}") + SOLID
    corners, *_, notes = _read(text)
    np.testing.assert_array_equal(corners, [CORNERS, CORNERS])
    assert [(note.check, note.count) for note in notes if note.check != "F109"] == [("F104", 1)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_wide_text_is_read_with_the_offsets_of_the_file(encoding: str) -> None:
    mesh = load(SOLID.encode(encoding))
    assert mesh.source is not None
    assert (len(mesh.faces), mesh.source.format) == (1, "stl-ascii")
    (note,) = mesh.source.irregularities
    assert (note.check, note.message[:18]) == ("F103", f"The text is in {encoding[:3].upper()}")
    assert encoding[:6].upper() in note.message

    with pytest.raises(ReadError, match="a word of 4 letters") as caught:
        load(SOLID.replace("0.1", "oops").encode(encoding))
    before = SOLID[: SOLID.index("0.1")]
    assert caught.value.offset == len(before.encode(encoding))


def test_numbers_that_are_none() -> None:
    corners, normals, *_ = _read(
        SOLID.replace("1 0 0", "nan -inf 1.#INF").replace("normal 0 0 1", "normal nan 0 -nan(ind)")
    )
    np.testing.assert_array_equal(corners[0, 1], [np.nan, -np.inf, np.inf])
    np.testing.assert_array_equal(normals[0], [np.nan, 0, np.nan])


@settings(deadline=None)
@given(st.lists(st.lists(st.floats(allow_nan=False), min_size=12, max_size=12), max_size=6))
def test_positions_are_the_doubles_that_the_text_denotes(rows: list[list[float]]) -> None:
    text = "solid\n"
    for row in rows:
        n, *points = (" ".join(map(repr, row[k : k + 3])) for k in range(0, 12, 3))
        text += f"facet normal {n}\nouter loop\n" + "".join(f"vertex {p}\n" for p in points) + "endloop\nendfacet\n"
    corners, normals, _, _, notes = _read(text + "endsolid\n")
    expected = np.array(rows).reshape(-1, 4, 3)
    np.testing.assert_array_equal(normals.view(np.uint64), expected[:, 0].copy().view(np.uint64))
    np.testing.assert_array_equal(corners.view(np.uint64), expected[:, 1:].copy().view(np.uint64))
    infinite = int(np.count_nonzero(np.isinf(normals).any(axis=1)))
    assert [(note.check, note.count) for note in notes] == ([("F104", infinite)] if infinite else [])


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from([SOLID, SOLID * 2, FACET * 3, SOLID.upper()]),
    st.lists(st.tuples(st.integers(0, 500), st.binary(max_size=5), st.integers(0, 12)), max_size=6),
)
def test_mutated_text_gives_facets_or_a_read_error(seed: str, edits: list[tuple[int, bytes, int]]) -> None:
    content = bytearray(seed.encode())
    for at, put, out in edits:
        at %= len(content) + 1
        content[at : at + out] = put
    start = time.perf_counter()
    try:
        corners, normals, solid, solids, _ = read_stl_text(bytes(content))
    except ReadError as error:
        assert error.reason  # noqa: PT017
    else:
        assert len(corners) == len(normals) == len(solid)
        assert len(solid) == 0 or 0 <= solid.min() <= solid.max() < solids
    assert time.perf_counter() - start < 5.0
