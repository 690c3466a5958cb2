"""What saving a mesh as STL or PLY loses, in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from meshguard.mesh import Attributes, Mesh

_KINDS = {
    "label": "labels of the {}",
    "instance": "instance numbers of the {}",
    "color": "colours of the {}",
    "normal": "normals of the {}",
    "attribute": "attribute words of the {}",
    "synthetic": "marks of the {} that were not scanned",
    "solid": "the solids that the {} belong to",
}
"""Attribute -> what it is called. Other names come from a file and are never shown."""

_COORDINATES = re.compile(r"[stuv]|uvs?|(?:multi_?)?tex[a-z0-9_]*", re.IGNORECASE)
"""Attributes that place a picture on the surface: s t, u v, texture_u texture_v, texnumber and the like."""

_TEXTURE = "texture coordinates of the {}"

_HEADER_COLORS = "the colours in the header that attribute words need"


def lost_on_saving(mesh: Mesh, format: Literal["stl", "ply"]) -> tuple[str, ...]:  # noqa: A002
    """The kinds of content that `save` would not write, each in a few words; empty where nothing is lost.

    First what is in the file that the mesh was read from and not in the mesh (`Irregularity.lost`), such as texture
    coordinates; then attributes that the format has no place for. No name from the file is shown.

    Three things are not listed. Polygons come back as triangles of the same surface (F107). Free text, such as headers,
    comments and names, is never kept, since it may identify a patient. And `jaw` is not part of either format.

    Args:
        mesh: what would be saved.
        format: the format of the file, "stl" or "ply".
    """
    source = mesh.source
    lost = [] if source is None else [note.lost for note in source.irregularities if note.lost]
    if format == "ply":
        lost += [_HEADER_COLORS] if source is not None and source.header_colors else []
        return tuple(dict.fromkeys(lost))
    lost += _named(mesh.vertex_data, "vertices")
    lost += _named({name: data for name, data in mesh.face_data.items() if not _is_kept(name, data)}, "faces")
    unused = len(mesh.vertices) - int(np.count_nonzero(np.bincount(mesh.faces.reshape(-1))))
    lost += [f"vertices without faces ({unused})"] if unused else []
    return tuple(dict.fromkeys(lost))


def _is_kept(name: str, data: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> bool:
    """Whether an STL has a place for an attribute of the faces."""
    return name == "attribute" or (name == "normal" and data.shape[1:] == (3,))


def _named(data: Attributes, carriers: str) -> list[str]:
    """What attributes of vertices or faces are called; those of strangers are counted."""
    known = [_KINDS.get(name) or (_TEXTURE if _COORDINATES.fullmatch(name) else "") for name in data]
    named = [kind.format(carriers) for kind in dict.fromkeys(known) if kind]
    others = known.count("")
    return [*named, f"other attributes of the {carriers} ({others})"] if others else named
