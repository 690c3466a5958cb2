"""A mesh while it is edited: arrays that grow and shrink, in which every number stays traceable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from meshguard.halfedges import edge_ends, edge_keys, face_normals, halfedges_of
from meshguard.mesh import Mesh, label_of_corners

if TYPE_CHECKING:
    from collections.abc import Iterable

Points: TypeAlias = npt.NDArray[np.float64]
Numbers: TypeAlias = npt.NDArray[np.int64]


MARGIN_MM = 4.0
"""Defects keep this far from the rim and from each other, where the mesh has room for it."""

TRIES = 50
"""So many places are looked at where not every place is free."""


class Edit:
    """A mutable copy of a mesh, edited defect by defect.

    Additions are appended; removed faces stay as holes in the numbering until `finish` closes it up, so that numbers
    taken from here stay right while other defects are made.
    """

    def __init__(self, mesh: Mesh, rng: np.random.Generator) -> None:
        self.rng = rng
        self.jaw = mesh.jaw
        self.faces_follow = mesh.label_carrier() == "vertex" and "label" in mesh.face_data
        self.points: Points = mesh.vertices.copy()
        self.faces: Numbers = mesh.faces.astype(np.int64)
        self.vertex_data: dict[str, npt.NDArray[Any]] = dict(mesh.vertex_data)
        self.face_data: dict[str, npt.NDArray[Any]] = dict(mesh.face_data)
        self.removed = np.zeros(len(self.faces), np.bool_)
        self.emptied: set[int] = set()
        self.touched: set[int] = set()
        self.narrow = bool((mesh.vertices == mesh.vertices.astype(np.float32)).all())

    # ---- questions

    def faces_at(self, v: int) -> list[int]:
        """The faces around a vertex."""
        return [int(f) for f in np.flatnonzero((self.faces == v).any(axis=1) & ~self.removed)]

    def ring(self, v: int) -> list[int]:
        """The neighbours of an interior vertex, as its faces run around it; empty if these do not form a disc."""
        after: dict[int, int] = {}
        for f in self.faces_at(v):
            c = int(np.flatnonzero(self.faces[f] == v)[0])
            start, end = int(self.faces[f, (c + 1) % 3]), int(self.faces[f, (c + 2) % 3])
            if start in after:
                return []
            after[start] = end
        if not after:
            return []
        ring = [min(after)]
        while len(ring) <= len(after):
            follower = after.get(ring[-1])
            if follower is None:
                return []
            if follower == ring[0]:
                break
            ring.append(follower)
        return ring if len(ring) == len(after) else []

    def normal(self, faces: Iterable[int]) -> Points:
        """Unit mean normal of some faces, weighted by area, float64 (3,)."""
        total = face_normals(self.points, self.faces[list(faces)]).sum(axis=0)
        unit: Points = total / np.linalg.norm(total)
        return unit

    def distance(self, place: Points) -> float:
        """How far the nearest vertex is from a place, mm."""
        return float(np.nanmin(np.linalg.norm(self.points - place, axis=1)))

    def half_edge(self, a: int, b: int) -> int:
        """The lowest half-edge between two vertices."""
        faces = np.flatnonzero(((self.faces == a).any(axis=1)) & ((self.faces == b).any(axis=1)) & ~self.removed)
        halfedges = halfedges_of(faces)
        ends = np.sort(edge_ends(self.faces, halfedges), axis=1)
        return int(halfedges[(ends == sorted((a, b))).all(axis=1)].min())

    def spoiled(self) -> set[int]:
        """The vertices of edges that have not two faces, and those that defects touched."""
        faces, n = self.faces[~self.removed], len(self.points)
        start, end = edge_ends(faces, np.arange(faces.size)).T
        edges, counts = np.unique(edge_keys(start, end, n), return_counts=True)
        return {*np.stack(np.divmod(edges[counts != 2], n)).ravel().tolist(), *self.touched}

    def site(self, margin_mm: float) -> int:
        """A random interior vertex in intact surroundings, if possible `margin_mm` from rim and other defects."""
        spoiled = self.spoiled()
        candidates = np.setdiff1d(np.unique(self.faces[~self.removed]), np.fromiter(spoiled, np.int64, len(spoiled)))
        candidates = candidates[np.isfinite(self.points[candidates]).all(axis=1)]
        avoid = self.points[sorted(spoiled)]
        avoid = avoid[np.isfinite(avoid).all(axis=1)]
        best, best_distance = -1, -1.0
        for v in self.rng.permutation(candidates)[:60].tolist():
            ring = self.ring(v)
            if len(ring) < 3 or not spoiled.isdisjoint(ring):
                continue
            distance = float(np.linalg.norm(avoid - self.points[v], axis=1).min()) if len(avoid) else np.inf
            if distance > best_distance:
                best, best_distance = v, distance
            if best_distance >= margin_mm:
                break
        if best < 0:
            raise ValueError("the mesh has no interior vertex in intact surroundings to put a defect at")
        return best

    # ---- changes

    def add_vertices(self, points: npt.ArrayLike, like: int) -> list[int]:
        """Append vertices with the attributes of another; positions are rounded to float32 if all others are."""
        new = np.asarray(points, np.float64).reshape(-1, 3)
        new = new.astype(np.float32).astype(np.float64) if self.narrow else new
        first = len(self.points)
        self.points = np.concatenate([self.points, new])
        self.vertex_data = {name: _longer(data, like, len(new)) for name, data in self.vertex_data.items()}
        return list(range(first, len(self.points)))

    def add_faces(self, faces: npt.ArrayLike, like: int) -> list[int]:
        """Append faces that take their attributes from another."""
        new = np.asarray(faces, np.int64).reshape(-1, 3)
        first = len(self.faces)
        self.faces = np.concatenate([self.faces, new])
        self.removed = np.concatenate([self.removed, np.zeros(len(new), np.bool_)])
        self.face_data = {name: _longer(data, like, len(new)) for name, data in self.face_data.items()}
        return list(range(first, len(self.faces)))

    def move(self, v: int, point: npt.ArrayLike) -> None:
        """Put a vertex elsewhere."""
        place = np.asarray(point, np.float64)
        self.points[v] = place.astype(np.float32) if self.narrow else place

    def remove(self, faces: Iterable[int]) -> None:
        """Remove faces, and vertices that no face uses any more."""
        rows = list(faces)
        self.removed[rows] = True
        used = set(self.faces[~self.removed].ravel().tolist())
        self.emptied |= set(self.faces[rows].ravel().tolist()) - used

    def touch(self, vertices: Iterable[int]) -> None:
        """Keep later defects away from some vertices and their neighbours."""
        near = np.isin(self.faces, list(vertices)).any(axis=1) & ~self.removed
        self.touched |= {*map(int, vertices), *self.faces[near].ravel().tolist()}

    # ---- the result

    def finish(self) -> tuple[Mesh, Numbers, Numbers]:
        """The mesh, and the maps from numbers here to its vertices and faces, −1 for removed ones."""
        is_kept = np.ones(len(self.points), np.bool_)
        is_kept[sorted(self.emptied)] = False
        vertex_map = np.where(is_kept, np.cumsum(is_kept) - 1, -1)
        face_map = np.where(~self.removed, np.cumsum(~self.removed) - 1, -1)
        faces = vertex_map[self.faces[~self.removed]].astype(np.int32)
        vertex_data = {name: data[is_kept] for name, data in self.vertex_data.items()}
        face_data = {name: data[~self.removed] for name, data in self.face_data.items()}
        if self.faces_follow:  # as before: a face has the label of its vertices
            face_data["label"] = label_of_corners(vertex_data["label"], faces).astype(face_data["label"].dtype)
        mesh = Mesh(
            vertices=self.points[is_kept], faces=faces, vertex_data=vertex_data, face_data=face_data, jaw=self.jaw
        )
        return mesh, vertex_map, face_map


def _longer(data: npt.NDArray[Any], like: int, count: int) -> npt.NDArray[Any]:
    """An attribute with `count` copies of one of its rows appended."""
    return np.concatenate([data, np.repeat(data[like : like + 1], count, axis=0)])
