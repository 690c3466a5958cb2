"""Archives, HTML, XML and packed scanner exports: refused by what they are, and nothing in them is quoted."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile

import pytest

from meshguard.errors import ReadError
from meshguard.io import load
from meshguard.io.formats import format_of


def archive(*names: str, data: bytes = b"MUELLER" * 20) -> bytes:
    """A zip archive with these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as parts:
        for name in names:
            parts.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["MUELLER.stl"], "inside is 1 STL file: unpack it and give the scan that is in it"),
        (
            ["MUELLER_upper.stl", "x/LOWER.STL", "bite.ply"],
            "inside are 2 STL files and 1 PLY file: unpack it and give each scan by itself",
        ),
        (["a/", "a/MUELLER.stl", "__MACOSX/a/._x.stl", "a/.DS_Store"], "inside is 1 STL file"),
        (["a.obj", "a.mtl", "a.jpg"], "1 OBJ file, 1 material file and 1 picture"),
        (["MUELLER.docx", "noname"], "inside are 2 files of another kind: export"),
        (["a.3mf"], "inside is 1 3MF file"),
        (["MUELLER.model"], "inside is 1 file of another kind"),
        ([], "there is nothing in it"),
        (["MUELLER.dcm"], "packed scanner export"),
        (["MUELLER.zip"], "inside is 1 zip archive: unpack it and what is in it"),
    ],
)
@pytest.mark.parametrize("suffix", ["stl", "", "zip", "3mf"])
def test_a_zip_archive_is_told_by_the_kinds_in_it(names: list[str], sentence: str, suffix: str) -> None:
    content = archive(*names)
    with pytest.raises(ReadError) as caught:
        format_of(content, suffix)
    assert sentence in str(caught.value)
    assert "MUELLER" not in str(caught.value)
    with pytest.raises(ReadError) as caught:
        load(gzip.compress(content))
    assert sentence in str(caught.value)


def test_only_a_model_makes_a_3mf() -> None:
    assert format_of(archive("[Content_Types].xml", "3D/3dmodel.model"), "stl") == "3mf"


@pytest.mark.parametrize("cut", [30, 60])
def test_a_damaged_zip_archive_is_told(cut: int) -> None:
    with pytest.raises(ReadError, match="zip archive, and it is damaged"):
        format_of(archive("a.stl", "b.stl")[:-cut], "stl")


def test_an_archive_of_very_many_files_is_refused_at_once() -> None:
    with pytest.raises(ReadError, match="more than 20000 files"):
        format_of(b"PK\x03\x04" + b"PK\x01\x02" * 30_000, "stl")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<!DOCTYPE html>\n<html><head><title>MUELLER</title>", "an HTML page"),
        (b"\xef\xbb\xbf \n<!-- MUELLER --><HTML>", "an HTML page"),
        (b"<html>\nsolid MUELLER\nfacet normal 0 0 1\n" + b"vertex 1 2 3\n" * 3, "an HTML page"),
        ("<html><body>MUELLER".encode("utf-16"), "an HTML page"),
        (b"<?xml version='1.0'?><MUELLER/>", "an XML file"),
        (b"<?xml version='1.0'?><!-- MUELLER --><COLLADA>", "a COLLADA file"),
        (b"<?xml version='1.0'?><x:model xmlns:x='MUELLER'>", "3MF"),
        (b"<?xml version='1.0'?>\n<HPS version='1.1'><Packed_geometry>MUELLER", "packed scanner export"),
        (b"7z\xbc\xaf\x27\x1cMUELLER", "a 7z archive"),
        (b"Rar!\x1a\x07\x00MUELLER", "a RAR archive"),
        (b"MUELLER".ljust(257, b"\0") + b"ustar\x0000", "a tar archive"),
        (gzip.compress(b"MUELLER", mtime=0), "gzip data within gzip data"),
        (b"\0" * 128 + b"DICMMUELLER", "DICOM"),
        (b"<h1>MUELLER</h1>", "an HTML page"),
        (b"%PDF-1.7\nMUELLER" + bytes(range(256)) * 50, "a PDF document"),
        (b"\x89PNG\r\n\x1a\nMUELLER" + bytes(range(256)) * 50, "a picture"),
        (b"\xff\xd8\xff\xe0MUELLER" + bytes(range(256)) * 50, "a picture"),
        (b'{"error": "MUELLER"}', "a JSON file"),
        (b' [\n{"MUELLER": 1}]' * 99, "a JSON file"),
        ("ply\nformat ascii 1.0\ncomment MUELLER\n".encode("utf-16"), "text in UTF-16"),
    ],
)
@pytest.mark.parametrize("suffix", ["stl", "", "obj"])
def test_other_files_are_told_by_what_they_are(content: bytes, what: str, suffix: str) -> None:
    with pytest.raises(ReadError) as caught:
        format_of(content, suffix)
    assert what in str(caught.value)
    assert "MUELLER" not in str(caught.value)


def test_free_text_of_a_binary_stl_may_be_json() -> None:
    facet = struct.pack("<12fH", *range(12), 0)
    assert format_of(b'{"a": 1}'.ljust(80) + struct.pack("<I", 9) + facet * 8) == "stl"


@pytest.mark.parametrize("suffix", ["dcm", "hps"])
def test_a_scanner_s_own_suffix_says_so_where_nothing_else_does(suffix: str) -> None:
    for content in (b"\x01\x02MUELLER" * 50, archive("a.xml", "b.bin")):
        with pytest.raises(ReadError, match=r"packed scanner export.*export the scan as STL or PLY"):
            format_of(content, suffix)
