"""Files that hold no mesh themselves: archives, HTML and XML, packed scanner exports. Each is refused by what it is.

No name and no text of a file is ever quoted: kinds, lengths and counts only. What is said comes from the tables below.
"""

from __future__ import annotations

import io
import re
import zlib
from collections import Counter
from typing import TYPE_CHECKING

from meshguard.errors import ReadError

if TYPE_CHECKING:
    import zipfile

MESHES = "STL, PLY, OBJ, OFF, 3MF or GLB"
"""What is readable instead, for the text of an error."""

PACKED = (
    "the file is a packed scanner export, which only the scanner's own software opens: export the scan as STL or PLY"
)

_PACKED_SUFFIXES = frozenset({"dcm", "hps", "dxd", "cs3", "3oxz", "oxz", "meditmesh", "mdmesh", "idscan"})
"""Suffixes of scanner software's own files; the content decides first."""

_KINDS = {
    "stl": "STL file",
    "ply": "PLY file",
    "obj": "OBJ file",
    "off": "OFF file",
    "3mf": "3MF file",
    "glb": "GLB file",
    "gltf": "glTF file",
    "mtl": "material file",
    "xml": "XML file",
    "html": "HTML page",
    "htm": "HTML page",
    "json": "JSON file",
    "csv": "CSV file",
    "txt": "text file",
    "pdf": "PDF document",
    "png": "picture",
    "jpg": "picture",
    "jpeg": "picture",
    "bmp": "picture",
    "tif": "picture",
    "tiff": "picture",
    "zip": "zip archive",
    "7z": "7z archive",
    "rar": "RAR archive",
    "gz": "gzip file",
    **dict.fromkeys(_PACKED_SUFFIXES, "packed scanner export"),
}
"""Suffix of a file in an archive -> its kind, in the order in which they are told."""

_SCANS = frozenset({"STL file", "PLY file", "OBJ file", "OFF file", "3MF file", "GLB file", "gzip file"})
_ARCHIVES = frozenset({"zip archive", "7z archive", "RAR archive"})
_OTHER = "file of another kind"

_MAGIC = (
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (0, b"\xfd7zXZ\x00", "an xz archive"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (0, b"\x1f\x8b", "gzip data within gzip data"),
    (257, b"ustar", "a tar archive"),
)

_DOCUMENTS = (
    (re.compile(rb"\s*%PDF-"), "a PDF document"),
    (re.compile(rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a"), "a picture"),
    (re.compile(rb"\s*(?:\{\s*[\"}]|\[\s*[\"{\[\]\d])[^\0]*\Z"), "a JSON file"),
)
"""How a file begins that is not an archive and not a mesh: its first 256 bytes. In those of a binary STL, free text is
followed by a NUL."""

_ROOTS: dict[bytes, str | None] = {
    b"hps": None,
    b"packed_geometry": None,
    b"model": "the model of a 3MF archive without the archive",
    b"collada": "a COLLADA file",
    b"amf": "an AMF file",
    b"x3d": "an X3D file",
    b"vtkfile": "a VTK file in XML",
    b"svg": "an SVG drawing",
    **dict.fromkeys(
        b"html head body meta script style link div span title h1 h2 h3 p pre br hr center table form iframe".split(),
        "an HTML page",
    ),
}
"""Root element -> what the file is; None for a packed scanner export."""

_MOST_ENTRIES = 20_000
"""More files than this in an archive are not looked at, as that alone would take seconds."""

_ROOT = re.compile(rb"<(?![?!])(?:[\w.-]+:)?([\w.-]+)")
_SKIPPED = re.compile(rb"\s+|<\?.*?\?>|<!--.*?-->|<![^>]*>", re.DOTALL)


def is_archive(content: bytes) -> bool:
    """Whether the bytes begin as a zip archive does: with a file, with the end of an empty one, or as a part."""
    return content[:2] == b"PK" and content[2:4] in (b"\x03\x04", b"\x05\x06", b"\x07\x08")


def check_archive(content: bytes, suffix: str) -> None:
    """Nothing for a 3MF, which is a zip archive with a model in it.

    Args:
        content: bytes of which `is_archive` holds.
        suffix: of the file's name, lower case.

    Raises:
        ReadError: any other archive; it says which kinds of file are inside, and how many.
    """
    import zipfile

    if content.count(b"PK\x01\x02") > _MOST_ENTRIES:
        raise _refused(
            f"the file is a zip archive of more than {_MOST_ENTRIES} files: unpack it and give each scan alone"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not _is_clutter(entry.filename)]
            names = [entry.filename.lower() for entry in entries]
            models = [name for name in names if name.endswith(".model")]
            if any(name.startswith("3d/") for name in models) or (models and "[content_types].xml" in names):
                return
            kinds = Counter(_kind(name) for name in names)
            packed = not _SCANS.intersection(kinds) and (
                suffix in _PACKED_SUFFIXES
                or "packed scanner export" in kinds
                or any(_is_packed(archive, entry) for entry in entries[:8])
            )
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError) as error:
        if suffix == "3mf":
            raise ReadError("the file is not a readable 3MF", offset=0, expected="a zip archive") from error
        reason = "the file is a zip archive, and it is damaged or incomplete: send the scan again, as STL or PLY"
        raise _refused(reason) from error
    if not names:
        raise _refused("the file is a zip archive, and there is nothing in it")
    got = f"a zip archive of {len(names)} file{'s' * (len(names) != 1)}"
    if packed:
        raise _refused(PACKED, got=got)
    scans = sum(kinds[kind] for kind in _SCANS)
    advice = (
        "unpack it and give each scan by itself"
        if scans > 1
        else "unpack it and give the scan that is in it"
        if scans == 1
        else "unpack it and what is in it, and give each scan by itself"
        if not _ARCHIVES.isdisjoint(kinds)
        else "export the scan as STL or PLY"
    )
    locked = " locked with a password" if any(entry.flag_bits & 1 for entry in entries) else ""
    raise _refused(
        f"the file is a zip archive{locked}, not a mesh; inside {_listed(kinds)}: {advice}",
        got=got,
    )


def refuse_container(content: bytes) -> None:
    """Refuse archives other than zip, DICOM, PDF, pictures and JSON; everything else passes.

    Raises:
        ReadError: the file is one of them; it says which.
    """
    for offset, magic, what in _MAGIC:
        if content.startswith(magic, offset) and (offset == 0 or content[:1] != b"\x00"):
            raise _refused(f"the file is {what}, not a mesh: unpack it and give each scan by itself", got=what)
    if content[128:132] == b"DICM":
        raise _refused("the file is DICOM, not a mesh: export the scan as STL or PLY", got="a DICOM file")
    start = content[:256].removeprefix(b"\xef\xbb\xbf")
    for beginning, what in _DOCUMENTS:
        if beginning.match(start):
            raise _refused(f"the file is {what}, not a mesh: export the scan as STL or PLY", got=what)


def refuse_markup(text: bytes) -> None:
    """Refuse HTML and XML; everything else passes.

    Args:
        text: the content, or its beginning, with one byte per character.

    Raises:
        ReadError: the text is markup; it says of which kind.
    """
    start = text[:65536].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start.startswith(b"<") or b"\x00" in start[:512]:
        return
    if start[:9].lower() == b"<!doctype" and start[9:20].strip().lower().startswith(b"html"):
        what: str | None = "an HTML page"
    else:
        at = 0
        while skipped := _SKIPPED.match(start, at):
            at = skipped.end()
        root = _ROOT.match(start, at)
        if root is None and not start.startswith((b"<?", b"<!")):
            return
        name = root[1].lower() if root else b""
        what = _ROOTS.get(name, "an XML file")
    if what is None:
        raise _refused(PACKED, got="XML with packed geometry")
    if what == "an HTML page":
        reason = (
            "the file is an HTML page, not a mesh: a server's login or error page was probably saved in place of the"
            " scan; download the scan again"
        )
        raise _refused(reason, got=what)
    raise _refused(f"the file is {what}, not a mesh: export the scan as STL or PLY", got=what)


def refuse_packed(content: bytes, suffix: str) -> None:
    """Refuse what no reader knows, where the file's name tells a scanner's own format.

    Raises:
        ReadError: the file is one.
    """
    if suffix in _PACKED_SUFFIXES:
        raise _refused(PACKED, got=f"{len(content)} bytes")


def _refused(reason: str, got: str | None = None) -> ReadError:
    return ReadError(reason, offset=0, expected=MESHES, got=got)


def _is_clutter(name: str) -> bool:
    """Whether an archive's entry is a folder, or one that a file manager adds."""
    last = name.rstrip("/").rpartition("/")[2].lower()
    return name.endswith("/") or name.startswith("__MACOSX/") or last in (".ds_store", "thumbs.db", "desktop.ini")


def _kind(name: str) -> str:
    last = name.rpartition("/")[2]
    return _KINDS.get(last.rpartition(".")[2], _OTHER) if "." in last else _OTHER


def _listed(kinds: Counter[str]) -> str:
    """What is inside, as the rest of a sentence: "are 2 STL files and 1 picture"."""
    order = [*dict.fromkeys(_KINDS.values()), _OTHER]
    parts = [f"{kinds[kind]} {_plural(kind, kinds[kind])}" for kind in order if kinds[kind]]
    verb = "is" if sum(kinds.values()) == 1 else "are"
    return f"{verb} {', '.join(parts[:-1])}{' and ' * (len(parts) > 1)}{parts[-1]}"


def _plural(kind: str, count: int) -> str:
    if count == 1:
        return kind
    return kind.replace("file of", "files of") if kind == _OTHER else f"{kind}s"


def _is_packed(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    """Whether an archive's entry is XML with packed geometry; a few kilobytes of it are unpacked."""
    if entry.flag_bits & 1:
        return False
    try:
        with archive.open(entry) as file:
            start = file.read(4096)
    except (NotImplementedError, RuntimeError, ValueError, EOFError, OSError, zlib.error):
        return False
    return bool(re.search(rb"<\s*(?:hps|packed_geometry)\b", start, re.IGNORECASE))
