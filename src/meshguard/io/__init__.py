"""Reading and writing mesh files: `load` and `save`.

The format is found by content, never by the word "solid"; a file's name only helps where content cannot tell. Nothing
is dropped silently: what is irregular is listed in `mesh.source.irregularities`, what cannot be read raises
`ReadError`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeAlias

from meshguard.budget import Budget, Progress, Steps
from meshguard.errors import MeshGuardError
from meshguard.io.content import read_content, replace_file
from meshguard.io.formats import format_of
from meshguard.io.losses import lost_on_saving

if TYPE_CHECKING:
    from meshguard.mesh import Irregularity, Mesh

__all__ = ["STEPS", "Readable", "load", "load_in_steps", "lost_on_saving", "save"]

Readable: TypeAlias = "str | Path | bytes | BinaryIO"


STEPS = 3
"""Steps of `load_in_steps`."""


def load(file: Readable, *, budget: Budget | None = None, progress: Progress | None = None) -> Mesh:
    """The mesh in a file, read faithfully: order kept, attributes kept, every irregularity noted in `mesh.source`.

    Args:
        file: a path, the file's bytes, or an open binary file; any of them may be gzip-compressed.
            STL, PLY, OBJ and OFF are read by meshguard; 3MF and GLB by trimesh.
        budget: what reading may take; the default refuses a decompression bomb.
        progress: called between steps and during long ones; an exception that it raises ends the call.

    Returns:
        A mesh. Vertices of an STL are welded on bit-equal positions (−0 counts as +0), first occurrence first; the
        vertices of other formats stay as they are.

    Raises:
        ReadError: the content is not a mesh that can be read; the error says at which byte, what was expected and what
            was found there.
        BudgetExceeded: the content is larger than the budget allows, or reading takes longer.
        OSError: the file cannot be opened.
    """
    with Steps(budget, progress, total=STEPS) as steps:
        mesh = load_in_steps(file, steps)
        steps.end()
    return mesh


def load_in_steps(file: Readable, steps: Steps) -> Mesh:
    """Like `load`, as part of a longer call."""
    steps.begin("reading the file")
    if isinstance(file, (str, Path)) and not str(file).lower().endswith((".ply", ".gz")):  # those cannot be a large STL
        from meshguard.io.stl import read_stl_file

        large = read_stl_file(file, steps)
        if large is not None:
            return large
    content, suffix, surplus = read_content(file, steps.budget, lambda: steps.check_clock("the whole file was read"))
    steps.begin("finding the format")
    kind = format_of(content, suffix)
    steps.begin(f"making a mesh of {kind.upper()}")
    if kind == "stl":
        from meshguard.io.stl import read_stl

        mesh = read_stl(content, steps)
    elif kind == "ply":
        from meshguard.io.ply import read_ply

        mesh = read_ply(content, steps)
    elif kind == "obj":
        from meshguard.io.obj import read_obj

        mesh = read_obj(content, steps)
    elif kind == "off":
        from meshguard.io.off import read_off

        mesh = read_off(content, steps)
    else:
        from meshguard.io.foreign import read_foreign

        mesh = read_foreign(content, kind, steps.budget)
    steps.check_faces(len(mesh.faces))
    return mesh.with_irregularity(_after_gzip(surplus)) if surplus else mesh


def _after_gzip(surplus: int) -> Irregularity:
    """F106: bytes after the gzip data, which are not part of the file in it."""
    from meshguard.mesh import Irregularity

    return Irregularity(
        check="F106",
        message=f"{surplus} bytes follow the gzip data; they are left out.",
        measures={"bytes": surplus},
        lost="bytes after the gzip data",
    )


def save(mesh: Mesh, file: str | Path | BinaryIO, *, format: Literal["stl", "ply"] | None = None) -> None:  # noqa: A002
    """Write a mesh as binary STL or binary little-endian PLY, with a constant header and no time stamp.

    A path is written atomically: a temporary file beside it is renamed over it once it is complete, so a full disk or a
    dying process never loses what was there.

    Args:
        mesh: PLY keeps every attribute; STL keeps stored face normals that disagree, attribute words and the colours of
            the header that these need. PLY keeps vertices as float where that loses nothing, else as double. What is
            not kept `lost_on_saving` tells.
        file: a path, or an open binary file.
        format: "stl" or "ply"; by default the path's suffix (".stl" or ".ply", with or without ".gz" after it).

    Raises:
        MeshGuardError: the format is not given, and the suffix does not say it.
        OSError: the file cannot be written.
    """
    name = file.name.lower() if isinstance(file, Path) else file.lower() if isinstance(file, str) else ""
    compressed = name.endswith(".gz")
    suffix = name.removesuffix(".gz").rpartition(".")[2]
    kind = format or suffix
    if kind == "stl":
        from meshguard.io.stl import stl_bytes

        content = stl_bytes(mesh)
    elif kind == "ply":
        from meshguard.io.ply import ply_bytes

        content = ply_bytes(mesh)
    else:
        raise MeshGuardError("save writes .stl and .ply: name the file so, or give format='stl' or format='ply'")
    if compressed:
        import gzip

        content = gzip.compress(content, 6, mtime=0)
    if isinstance(file, (str, Path)):
        replace_file(Path(file), content)
    else:
        file.write(content)
