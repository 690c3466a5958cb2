"""Formats: content decides, never the word "solid" and hardly ever the name."""

from __future__ import annotations

import random
import struct

import pytest

from meshguard.errors import ReadError
from meshguard.io.formats import format_of, has_stl_keywords
from meshguard.io.stl_layouts import is_binary_stl_size

FACET = b"facet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\n"
BOM = b"\xef\xbb\xbf"


def binary_stl(header: bytes = b"", count: int = 2, extra: bytes = b"") -> bytes:
    """A binary STL with this header."""
    return header.ljust(80, b" ")[:80] + struct.pack("<I", count) + bytes(50 * count) + extra


@pytest.mark.parametrize(
    ("content", "suffix", "kind"),
    [
        (b"solid a\n" + FACET + b"endsolid a\n", "", "stl"),
        (BOM + b"solid a\n" + FACET, "", "stl"),
        (b"\n\r\n  \t\nsolid a\n" + FACET, "", "stl"),
        (b"\n" * 300 + b"SOLID a\n" + FACET, "", "stl"),
        (b"# made by a scanner\n; and more\nsolid a\n" + FACET, "", "stl"),
        (FACET, "", "stl"),
        (b"solid\n", "", "stl"),
        (binary_stl(), "", "stl"),
        (binary_stl(count=0), "", "stl"),
        (binary_stl(b"solid binary but named so"), "", "stl"),
        (binary_stl(b"solid binary but named so", extra=b"xx"), "", "stl"),
        (binary_stl(b"ply \n"), "", "stl"),
        (binary_stl(b"OFF 1 2 3"), "", "stl"),
        (binary_stl(b"PK\x03\x04"), "", "stl"),
        (binary_stl(b"glTF"), "", "stl"),
        (binary_stl()[:-7], "", "stl"),
        (binary_stl(count=20)[:-333], "", "stl"),
        (binary_stl()[:84], "", "stl"),
        (b"ply\nformat ascii 1.0\nend_header\n", "", "ply"),
        (b"PLY\r\nformat ascii 1.0\r\nend_header\r\n", "stl", "ply"),
        (BOM + b"\n ply\nformat", "", "ply"),
        (b"ply", "", "ply"),
        (b"OFF\n3 1 0\n", "", "off"),
        (b"  COFF\n3 1 0\n", "stl", "off"),
        (b"glTFrest", "stl", "glb"),
        (b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "obj", "obj"),
        (b"garbage", "ply", "ply"),
        (b"solid x\nfacet normal 0 0 1\n", "ply", "stl"),
        (b"solid x\nfacet normal 0 0 1\n", "obj", "stl"),
        (b"garbage", "stl", "stl"),
        (bytes(range(134)), "stl", "stl"),
        (
            struct.pack("<20f", *range(20)).ljust(80)
            + struct.pack("<I", 9)
            + (struct.pack("<12f", *range(12)) + b"!!") * 3,
            "",
            "stl",
        ),
    ],
)
def test_the_format(content: bytes, suffix: str, kind: str) -> None:
    assert format_of(content, suffix) == kind


def test_a_tiny_ply_of_84_bytes_is_no_stl() -> None:
    header = b"ply\nformat binary_little_endian 1.0\ncomment\nelement face 1\nproperty int i\nend_header\n"
    content = header[: 84 - 4 - len(header)] if len(header) > 80 else header.ljust(80, b"\n")
    assert format_of(content + bytes(4)) == "ply"


def test_empty_content_says_so() -> None:
    with pytest.raises(ReadError) as refusal:
        format_of(b"", "stl")

    assert refusal.value.offset == 0
    assert str(refusal.value) == "the file is empty: expected a mesh, got 0 bytes (at byte 0)"


@pytest.mark.parametrize("content", [b" ", b"\n\n\n", b"hello", b"plywood", b"\x00\x01\x02", BOM])
def test_what_nobody_knows_is_refused(content: bytes) -> None:
    with pytest.raises(ReadError, match="not recognised"):
        format_of(content)


NOISE = random.Random(1).randbytes(1_000_000)  # noqa: S311


@pytest.mark.parametrize("suffix", ["", "stl", "csv"])
@pytest.mark.parametrize(
    "content",
    [
        b"name,faces,unit\n" + b"lower,16000,mm\n" * 100,
        NOISE,
    ],
    ids=["csv", "noise"],
)
def test_another_kind_of_file_is_not_taken_for_an_stl(content: bytes, suffix: str) -> None:
    """A table once was a mesh of 62 facets, "minor, usable"."""
    with pytest.raises(ReadError, match="not recognised"):
        format_of(content, suffix)


@pytest.mark.parametrize("missing", range(0, 84, 12))
def test_the_size_rule_needs_a_whole_header(missing: int) -> None:
    assert not is_binary_stl_size(bytes(missing))


def test_keywords_are_sought_at_the_beginning_of_lines() -> None:
    assert has_stl_keywords(b"; note\n   Facet normal 0 0 1\n")
    assert not has_stl_keywords(b"a solid beginning\n")
    assert not has_stl_keywords(b"solid\x00")
    assert not has_stl_keywords(b"x\n" * 4096 + b"solid\n")
