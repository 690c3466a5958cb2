"""3MF and GLB, read by trimesh: a well-maintained library serves better there than code of our own."""

from __future__ import annotations

import io
import zipfile
import zlib

import numpy as np

from meshguard.budget import Budget
from meshguard.errors import BudgetExceeded, ReadError
from meshguard.mesh import Irregularity, Mesh, Source, frozen_array

_MISSING = {"3mf": "reading 3MF needs the extra: pip install 'meshguard[3mf]'"}

_BEGINNING, _MOST_MODELS = 1 << 20, 64

_KINDS = {
    "glb": {
        b'"NORMAL"': "normals of the vertices",
        b'"TEXCOORD_': "texture coordinates of the vertices",
        b'"images"': "texture pictures",
        b'"materials"': "materials",
        b'"animations"': "animations",
    },
    "3mf": {
        b"<m:colorgroup": "colours of the faces",
        b"<m:texture2d": "texture coordinates and pictures",
        b"<basematerials": "materials",
        b"<b:beamlattice": "beam lattices",
    },
}
"""What the description in a file of a format holds, by its words, and a mesh from trimesh does not."""


def read_foreign(content: bytes, kind: str, budget: Budget | None = None) -> Mesh:
    """The triangles of a file in one of the formats that trimesh reads, as they are.

    Args:
        content: the whole file.
        kind: "3mf" or "glb".
        budget: how much the parts of an archive may hold, unpacked.

    Raises:
        ReadError: trimesh cannot read it, or needs a package that is not installed.
        BudgetExceeded: a 3MF archive unpacks to more than the budget allows.
    """
    description = content[20 : 20 + int.from_bytes(content[12:16], "little")]  # the JSON at the beginning of a GLB
    if kind == "3mf":
        description = _models(content, budget or Budget())
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
    notes = [
        Irregularity(check="F108", message=f"The file has {lost}, which are not kept.", lost=lost)
        for word, lost in _KINDS[kind].items()
        if word in description
    ]
    vertex_data = {}
    if parts and all(part.visual.kind == "vertex" for part in parts):
        vertex_data["color"] = np.concatenate([np.asarray(part.visual.vertex_colors, np.uint8) for part in parts])
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
                lost="faces that name vertices that do not exist",
            )
        )
        face_data = {name: data[in_range] for name, data in face_data.items()}
    return Mesh(
        vertices=vertices,
        faces=mesh_faces[in_range].astype(np.int32),
        vertex_data=vertex_data,
        face_data=face_data,
        source=Source(format=f"trimesh:{kind}", irregularities=tuple(notes), face_origin=origin),
    )


def _models(content: bytes, budget: Budget) -> bytes:
    """The beginnings of the models in a 3MF, where their materials stand, one after the other.

    Raises:
        ReadError: it is not a readable archive.
        BudgetExceeded: its parts unpack to more than the budget; no part unpacks to more than it declares.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            size = sum(part.file_size for part in parts)
            if budget.max_bytes is not None and size > budget.max_bytes:
                raise BudgetExceeded(
                    f"unpacked, the content is larger than the budget of {budget.max_bytes} bytes (max_bytes)"
                )
            models = [part for part in parts if part.filename.lower().endswith(".model")]
            return b"".join(archive.open(part).read(_BEGINNING) for part in models[:_MOST_MODELS])
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError, EOFError, OSError) as error:
        raise ReadError("the file is not a readable 3MF") from error
