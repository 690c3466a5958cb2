"""Labels on a mesh: whether they fit, and from vertices to faces and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from meshguard.errors import MeshError
from meshguard.mesh import Irregularity, frozen_array, label_of_corners

if TYPE_CHECKING:
    from meshguard.io.labels.ids import Labels
    from meshguard.mesh import IntArray, Mesh


def fit_of(mesh: Mesh, labels: Labels) -> Literal["vertex", "face"] | None:
    """What the labels belong to, by how many they are; None where that fits neither vertices nor faces.

    There is one label for each of the file's vertices or faces. So three per facet fit an STL, whose corners were
    welded, and one per polygon fits a mesh whose polygons were cut. Where the number fits both, `labels.per` decides;
    without it vertices are meant.
    """
    fits = [per for per in ("vertex", "face") if _origin(mesh, len(labels), per) is not None]
    if labels.per in fits:
        return labels.per
    return fits[0] if fits else None  # type: ignore[return-value]


def misfit(mesh: Mesh, labels: Labels) -> Irregularity | None:
    """The F105 for labels that do not fit the mesh; None where they fit."""
    if fit_of(mesh, labels) is not None:
        return None
    n, m = len(mesh.vertices), len(mesh.faces)
    return Irregularity(
        check="F105",
        message=f"There are {len(labels)} labels for {n} vertices and {m} faces.",
        measures={"labels": len(labels), "vertices": n, "faces": m},
    )


def attach_labels(mesh: Mesh, labels: Labels) -> Mesh:
    """The mesh with `label` (and `instance`) in its vertex or face data, int32; existing labels are replaced.

    Classes of MeshSegNet become FDI codes where the mesh or the labels know the jaw. A mesh without a jaw takes over
    that of the labels.

    Raises:
        MeshError: the number of labels fits neither vertices nor faces.
    """
    per = fit_of(mesh, labels)
    note = misfit(mesh, labels)
    if per is None or note is not None:
        raise MeshError(note.message if note else "the labels do not fit the mesh")
    jaw = mesh.jaw or labels.jaw
    if jaw is not None:
        labels = labels.in_fdi(jaw)
    origin = _origin(mesh, len(labels), per)
    values_of = {"label": labels.values}
    if labels.instances is not None:
        values_of["instance"] = labels.instances
    arrays = {name: frozen_array(values if origin is None else values[origin]) for name, values in values_of.items()}
    data_of = {
        "vertex": {name: array for name, array in mesh.vertex_data.items() if name not in ("label", "instance")},
        "face": {name: array for name, array in mesh.face_data.items() if name not in ("label", "instance")},
    }
    data_of[per].update(arrays)
    return type(mesh)(
        vertices=mesh.vertices,
        faces=mesh.faces,
        vertex_data=data_of["vertex"],
        face_data=data_of["face"],
        jaw=jaw,
        source=mesh.source,
    )


def vertex_labels(mesh: Mesh, name: str = "label") -> IntArray | None:
    """Labels of the vertices, int32 (n,): their own, else what most of their faces have; None without labels.

    Of labels that equally many faces have, the lowest wins; a vertex without faces is 0.
    """
    if name in mesh.vertex_data:
        return mesh.vertex_data[name].astype(np.int32, copy=False).reshape(-1)
    if name not in mesh.face_data:
        return None
    ids, number = np.unique(mesh.face_data[name].reshape(-1), return_inverse=True)
    keys = mesh.faces.astype(np.int64) * max(1, len(ids)) + number.reshape(-1, 1)
    pairs, counts = np.unique(keys, return_counts=True)
    vertex, id_number = np.divmod(pairs, max(1, len(ids)))
    # By vertex, then most faces first, then the lowest label first: the first row of each vertex decides.
    order = np.lexsort((id_number, -counts, vertex))
    first = np.concatenate([np.ones(min(1, len(order)), bool), np.diff(vertex[order]) > 0])
    labels = np.zeros(len(mesh.vertices), np.int32)
    labels[vertex[order][first]] = ids[id_number[order][first]]
    return frozen_array(labels)


def face_labels(mesh: Mesh, name: str = "label") -> IntArray | None:
    """Labels of the faces, int32 (m,): their own, else what two of their corners have; None without labels.

    Of three different labels the middle one wins, whatever the order of the corners.
    """
    if name in mesh.face_data:
        return mesh.face_data[name].astype(np.int32, copy=False).reshape(-1)
    if name not in mesh.vertex_data:
        return None
    return frozen_array(label_of_corners(mesh.vertex_data[name].astype(np.int32, copy=False).reshape(-1), mesh.faces))


def _origin(mesh: Mesh, count: int, per: str) -> IntArray | slice | None:
    """Which label each vertex or face of the mesh has, if `count` labels can be those of the file; None if not."""
    source = mesh.source
    if per == "vertex":
        if count == len(mesh.vertices):
            return slice(None)
        corners = source.soup_origin if source is not None else None
        return corners if corners is not None and count == _corners(mesh) else None
    if count == len(mesh.faces):
        return slice(None)
    rows = source.face_origin if source is not None else None
    if rows is None or len(rows) == 0:
        return None
    # How many of the file's faces come after the last one kept is not known; no more than were left out.
    assert source is not None  # noqa: S101
    left_out = sum(note.count for note in source.irregularities if note.check in ("F102", "F107"))
    return rows if int(rows.max()) < count <= int(rows.max()) + 1 + left_out else None


def _corners(mesh: Mesh) -> int:
    """Corners of the file's facets."""
    source = mesh.source
    rows = len(mesh.faces)
    if source is not None and source.face_origin is not None and len(source.face_origin):
        rows = int(source.face_origin.max()) + 1
    return 3 * rows
