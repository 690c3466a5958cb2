"""Assembly: the mesh that a draft stands for, with the input's vertices, attributes and maps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.facts.arrays import frozen
from meshguard.facts.mesh import MeshFacts
from meshguard.float32 import rounded
from meshguard.halfedges import face_normals
from meshguard.mesh import Mesh, label_of_corners
from meshguard.repair.draft import NEW
from meshguard.repair.mesh.precision import Precision

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from meshguard.facts.arrays import BoolArray
    from meshguard.mesh import FloatArray, IntArray, Source
    from meshguard.repair.draft import Draft


_ROUNDING = 1e-5
"""Share of a face's area that moving its corners by the spacing of float32 may change; it does not count as removed."""


class Assembly(NamedTuple):
    """A repaired mesh with its maps to the input and what it cost; names as in `RepairResult`."""

    mesh: Mesh
    facts: MeshFacts
    vertex_origin: IntArray
    face_origin: IntArray
    max_displacement_mm: float
    area_added_mm2: float
    area_removed_mm2: float


def assemble(start: Draft, draft: Draft) -> Assembly:
    """The mesh of a draft that began as `start`, with every attribute of the input carried over.

    Vertices of the input that share a position stay apart, so that a seam in colours or labels survives. What is new
    takes its attributes from what is nearest in the input.
    """
    facts = start.facts
    source = facts.mesh
    if draft is start:
        vertices = frozen(np.arange(len(source.vertices), dtype=np.int32))
        return Assembly(source, facts, vertices, start.origin, 0.0, 0.0, 0.0)
    position_of_vertex, origin, faces = _numbered(draft)
    is_same = len(position_of_vertex) == len(draft.positions)
    positions = draft.positions if is_same else frozen(draft.positions[position_of_vertex])
    is_old = origin >= 0
    with np.errstate(over="ignore", invalid="ignore"):
        displacement = np.linalg.norm(positions[is_old] - source.vertices[origin[is_old]], axis=1)
    vertex_data = _carried(source.vertex_data, origin, lambda new: positions[new], lambda: source.vertices)
    face_data = _carried(
        source.face_data,
        draft.origin,
        lambda new: _centres(positions, faces[new]),
        lambda: _centres(source.vertices, source.faces),
    )
    if "label" in face_data and source.label_carrier() == "vertex":  # both carry labels, and must still agree
        of_corners = label_of_corners(vertex_data["label"].reshape(-1), faces)
        face_data["label"] = of_corners.astype(face_data["label"].dtype)
    _renew_normals(start, draft, positions, faces, vertex_data, face_data)
    if draft.synthetic.any() or "synthetic" in source.face_data:
        face_data["synthetic"] = draft.synthetic.astype(np.uint8)
    mesh = Mesh(
        vertices=positions,
        faces=faces,
        vertex_data=vertex_data,
        face_data=face_data,
        jaw=source.jaw,
        source=_source_of_changed(source.source, has_normals=bool({"normal"} & {*vertex_data, *face_data})),
    )
    new = draft.origin == NEW
    area = draft.facts.face_measures.area
    before, least = _areas(facts, rounds=draft.precision is Precision.SINGLE)
    remains = np.bincount(draft.origin[~new], area[~new], minlength=len(source.faces))
    return Assembly(
        mesh,
        _facts_of(mesh, draft),
        origin,
        draft.origin,
        float(displacement[np.isfinite(displacement)].max(initial=0.0)),
        float(area[draft.synthetic & new].sum()),
        float(np.where(remains < least, before - remains, 0.0).sum()),
    )


def _areas(facts: MeshFacts, *, rounds: bool) -> tuple[FloatArray, FloatArray]:
    """Area of each face of the input, and the least that is left of it where all that happens is rounding; 0 for none.

    Args:
        facts: of the input.
        rounds: whether the draft's positions may be rounded to float32.
    """
    area = np.where(np.isfinite(facts.face_measures.area), facts.face_measures.area, 0.0)
    least = area * (1.0 - _ROUNDING)
    if rounds and not facts.is_float32:
        with np.errstate(over="ignore", invalid="ignore"):
            normals = face_normals(rounded(facts.mesh.vertices), facts.mesh.faces)
            least = np.fmin(least, 0.5 * (1.0 - _ROUNDING) * np.linalg.norm(normals, axis=1))
    return area, least


def _source_of_changed(source: Source | None, *, has_normals: bool) -> Source | None:
    """What reading saw, as far as it is true of a mesh that was changed.

    What is not in the file is not in the mesh either, so every irregularity stays. Notes on stored normals (F104) stay
    only with the normals. The maps to the file's corners and faces do not fit the mesh and are left out.
    """
    if source is None:
        return None
    notes = tuple(note for note in source.irregularities if has_normals or note.check != "F104")
    return replace(source, irregularities=notes, soup_origin=None, face_origin=None)


def _numbered(draft: Draft) -> tuple[IntArray, IntArray, IntArray]:
    """The position and the input's vertex of each vertex, by position, and the faces in terms of vertices."""
    corners, vertices = draft.corners, draft.vertices
    vertex_at = np.full(len(draft.positions), NEW, np.int32)
    vertex_at[corners] = vertices
    if (vertex_at[corners] == vertices).all():  # no position has two vertices
        return np.arange(len(vertex_at), dtype=np.int32), frozen(vertex_at), corners
    pairs = np.stack([corners.reshape(-1), vertices.reshape(-1)], axis=1)
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    ordered = pairs[order]
    first = np.ones(len(pairs), np.bool_)
    first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    number = np.empty(len(pairs), np.int32)
    number[order] = np.cumsum(first) - 1
    position_of_vertex, origin = ordered[first].T
    return position_of_vertex, frozen(np.ascontiguousarray(origin)), frozen(number.reshape(-1, 3))


def _facts_of(mesh: Mesh, draft: Draft) -> MeshFacts:
    """Facts of the mesh; what is known of the draft is known of it, if its vertices are the draft's positions."""
    if np.array_equal(mesh.faces, draft.corners) and len(mesh.vertices) == len(draft.positions):
        return draft.facts.carried_to(mesh)
    return MeshFacts(mesh, draft.policy)


def _renew_normals(
    start: Draft,
    draft: Draft,
    positions: FloatArray,
    faces: IntArray,
    vertex_data: dict[str, npt.NDArray[Any]],
    face_data: dict[str, npt.NDArray[Any]],
) -> None:
    """Compute stored normals again where faces were flipped or are new: those of the input point the old way."""
    if not {"normal"} & {*vertex_data, *face_data}:
        return
    source = start.facts.mesh.faces[np.maximum(draft.origin, 0)]
    is_same = np.zeros(len(faces), np.bool_)
    for shift in range(3):
        is_same |= (np.roll(draft.vertices, shift, axis=1) == source).all(axis=1)
    changed = ~is_same | (draft.origin == NEW)
    normals = face_normals(positions, faces)
    if "normal" in face_data:
        face_data["normal"] = _with_units(face_data["normal"], changed, normals)
    if "normal" in vertex_data:
        sums = np.zeros((len(positions), 3))
        for corner in range(3):
            np.add.at(sums, faces[:, corner], normals)
        at_changed = np.zeros(len(positions), np.bool_)
        at_changed[faces[changed]] = True
        vertex_data["normal"] = _with_units(vertex_data["normal"], at_changed, sums)


def _with_units(normals: npt.NDArray[Any], changed: BoolArray, vectors: FloatArray) -> npt.NDArray[Any]:
    """Normals with some replaced by the directions of vectors."""
    lengths = np.maximum(np.linalg.norm(vectors[changed], axis=1, keepdims=True), 1e-300)
    renewed = normals.copy()
    if renewed.shape == vectors.shape:
        renewed[changed] = vectors[changed] / lengths
    return renewed


def _centres(vertices: FloatArray, faces: IntArray) -> FloatArray:
    """The mean of each face's corners, float64 (m, 3)."""
    centres: FloatArray = vertices[faces].mean(axis=1)
    return centres


def _carried(
    data: Mapping[str, npt.NDArray[Any]],
    origin: IntArray,
    points: Callable[[npt.NDArray[np.int64]], FloatArray],
    sources: Callable[[], FloatArray],
) -> dict[str, npt.NDArray[Any]]:
    """Attributes by origin; of what is new, those of the nearest of the input's `sources`."""
    if not data:
        return {}
    source = origin.astype(np.int64)
    new = np.flatnonzero(source < 0)
    if len(new):
        from scipy.spatial import cKDTree

        places = sources()
        finite = np.flatnonzero(np.isfinite(places).all(axis=1))
        source[new] = finite[cKDTree(places[finite]).query(points(new))[1]]
    return {name: np.asarray(values)[source] for name, values in data.items()}
