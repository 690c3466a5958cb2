"""OBJ, OFF, 3MF and GLB, read by trimesh: a well-maintained library serves better there than code of our own."""

from __future__ import annotations

import io
import re
import zipfile

import numpy as np

from meshguard.budget import Budget
from meshguard.errors import BudgetExceeded, ReadError
from meshguard.mesh import Irregularity, Mesh, Source, frozen_array

_MISSING = {"3mf": "reading 3MF needs the extra: pip install 'meshguard[3mf]'"}


def read_foreign(content: bytes, kind: str, budget: Budget | None = None) -> Mesh:
    """The triangles of a file in one of the formats that trimesh reads, as they are.

    Args:
        content: the whole file.
        kind: "obj", "off", "3mf" or "glb".
        budget: how much the parts of an archive may hold, unpacked.

    Raises:
        ReadError: trimesh cannot read it, or needs a package that is not installed.
        BudgetExceeded: a 3MF archive unpacks to more than the budget allows.
    """
    if kind == "off":
        _check_off_counts(content)
    if kind == "3mf":
        _check_archive(content, budget or Budget())
    import trimesh

    try:
        loaded = trimesh.load(io.BytesIO(content), file_type=kind, process=False, maintain_order=True)
        parts = list(loaded.dump()) if isinstance(loaded, trimesh.Scene) else [loaded]
        parts = [part for part in parts if isinstance(part, trimesh.Trimesh)]
        vertices = np.concatenate([np.empty((0, 3)), *(np.asarray(part.vertices, np.float64) for part in parts)])
        starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
        faces = [np.asarray(part.faces, np.int64) + start for part, start in zip(parts, starts, strict=False)]
        mesh_faces = np.concatenate([np.empty((0, 3), np.int64), *faces])
    except ImportError as error:
        raise ReadError(_MISSING.get(kind, f"reading {kind.upper()} needs a package that is not installed")) from error
    except Exception as error:  # another project's parser may raise anything; all of it means unreadable
        raise ReadError(f"the file is not a readable {kind.upper()}") from error
    notes: list[Irregularity] = []
    face_data = {}
    if len(parts) > 1:
        part_of = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part.faces) for part in parts])
        face_data["solid"] = frozen_array(part_of)
        notes.append(
            Irregularity(
                check="F109",
                message=f"The file holds {len(parts)} objects; they are read as one mesh.",
                count=len(parts),
            )
        )
    in_range = ((mesh_faces >= 0) & (mesh_faces < len(vertices))).all(axis=1)
    origin = None
    if not in_range.all():
        dropped = np.flatnonzero(~in_range).astype(np.int32)
        origin = frozen_array(np.flatnonzero(in_range).astype(np.int32))
        notes.append(
            Irregularity(
                check="F102",
                message=f"{len(dropped)} faces name vertices that do not exist; they are left out.",
                element="face",
                indices=frozen_array(dropped),
                count=len(dropped),
            )
        )
        face_data = {name: data[in_range] for name, data in face_data.items()}
    return Mesh(
        vertices=vertices,
        faces=mesh_faces[in_range].astype(np.int32),
        face_data=face_data,
        source=Source(format=f"trimesh:{kind}", irregularities=tuple(notes), face_origin=origin),
    )


def _check_archive(content: bytes, budget: Budget) -> None:
    """Refuse an archive whose parts unpack to more than the budget; no part unpacks to more than it declares."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise ReadError("the file is not a readable 3MF") from error
    if budget.max_bytes is not None and size > budget.max_bytes:
        raise BudgetExceeded(f"unpacked, the content is larger than the budget of {budget.max_bytes} bytes (max_bytes)")


def _check_off_counts(content: bytes) -> None:
    """Refuse an OFF whose header claims more than its bytes can hold, before anything is allocated."""
    lines = (line.split(b"#")[0] for line in content[:4096].splitlines())
    counts = re.findall(rb"(?<![\w.+-])\d+(?![\w.])", b" ".join(lines))[:2]
    if len(counts) < 2:
        raise ReadError(
            "the OFF header is not complete", offset=0, expected="numbers of vertices and faces", got="none"
        )
    claimed = 2 * 3 * int(counts[0]) + 2 * int(counts[1])  # a number and a blank take at least two bytes
    if claimed > len(content):
        raise ReadError(
            "the OFF header claims more than the file holds",
            offset=0,
            expected=f"at least {claimed} bytes for {int(counts[0])} vertices and {int(counts[1])} faces",
            got=f"{len(content)} bytes",
        )
