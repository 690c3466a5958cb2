"""Labels of teeth written beside a mesh, for tools whose mesh files cannot carry them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from meshguard import fdi
from meshguard.errors import MeshError, ReadError
from meshguard.io.content import replace_file
from meshguard.io.labels.attaching import face_labels, vertex_labels
from meshguard.io.labels.vectors import whole_numbers

if TYPE_CHECKING:
    from meshguard.mesh import IntArray, Jaw, Mesh

LABEL_SUFFIXES = (".json", ".npy", ".csv", ".txt")
"""What `save_labels` writes, by the file's suffix."""


def save_labels(mesh: Mesh, path: str | Path, *, per: Literal["vertex", "face", "corner"] | None = None) -> None:
    """Write the labels of a mesh to a file of their own, completely or not at all; `read_labels` reads them back.

    JSON has the layout of Teeth3DS: `id_patient` empty, `jaw` (the mesh's, else that of most of the FDI codes, else
    empty), `labels`, and `instances` where the mesh has them. NPY is an int32 array of shape (k,). CSV and text have
    one label per line after a first line that says `label`.

    Args:
        mesh: carries `label` in its vertex or face data.
        path: ends in .json, .npy, .csv or .txt.
        per: whether the labels of vertices, of faces, or of the three corners of each face are written; None: those
            that count (`Mesh.label_carrier`). An STL has facets but no vertices, so beside one the labels of vertices
            are written per "corner".

    Raises:
        MeshError: the mesh carries no labels, or labels that are not whole numbers; or the suffix is none of these.
        OSError: the file cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in LABEL_SUFFIXES:
        raise MeshError(
            f"labels are written as {', '.join(LABEL_SUFFIXES)}, not as {suffix or 'a file without a suffix'}"
        )
    if per not in (None, "vertex", "face", "corner"):
        raise MeshError(f"per must be 'vertex', 'face', 'corner' or None, not {per!r}")
    _refuse_unreadable(mesh)
    per = per or mesh.label_carrier()
    labels = face_labels(mesh) if per == "face" else vertex_labels(mesh)
    if labels is None:
        raise MeshError("the mesh carries no labels")
    instances = (mesh.face_data if per == "face" else mesh.vertex_data).get("instance")
    if instances is not None:
        instances = instances.astype(np.int32).reshape(-1)
    if per == "corner":
        corners = mesh.faces.reshape(-1)
        labels, instances = labels[corners], None if instances is None else instances[corners]
    replace_file(Path(path), _content(suffix, mesh, labels, instances))


def _refuse_unreadable(mesh: Mesh) -> None:
    """Refuse labels and instances that are not whole numbers: a file of them would say something else."""
    for data in (mesh.vertex_data, mesh.face_data):
        for name in ("label", "instance"):
            if name in data:
                try:
                    whole_numbers(data[name])
                except ReadError as error:
                    raise MeshError(f"the {name}s of the mesh cannot be written: {error}") from error


def _jaw_of(labels: IntArray) -> Jaw | None:
    """The jaw that most of the codes belong to; None where they are not FDI codes, or as many of each jaw."""
    ids = np.unique(labels).tolist()
    codes = [id_ for id_ in ids if fdi.is_tooth(id_)] if fdi.look_like_codes(ids) else []
    upper = sum(fdi.jaw_of(code) == "upper" for code in codes)
    return None if 2 * upper == len(codes) else "upper" if 2 * upper > len(codes) else "lower"


def _content(suffix: str, mesh: Mesh, labels: IntArray, instances: IntArray | None) -> bytes:
    """The bytes of a label file."""
    if suffix == ".json":
        found = {"id_patient": "", "jaw": mesh.jaw or _jaw_of(labels) or "", "labels": labels.tolist()}
        if instances is not None:
            found["instances"] = instances.tolist()
        return json.dumps(found, separators=(",", ":")).encode()
    if suffix == ".npy":
        out = io.BytesIO()
        np.save(out, labels.astype(np.int32, copy=False))
        return out.getvalue()
    return ("label\n" + "".join(f"{label}\n" for label in labels.tolist())).encode()
