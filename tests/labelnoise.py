"""Errors put into good labels, seeded: islands, holes, bites and ragged flips along borders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.facts.mesh import MeshFacts
from meshguard.policy import policy

if TYPE_CHECKING:
    import numpy.typing as npt

    from meshguard.mesh import Mesh

    Labels = npt.NDArray[np.int32]


def face_neighbours(mesh: Mesh) -> npt.NDArray[np.int64]:
    """The face across each edge, int64 (m, 3); -1 for none."""
    twins = MeshFacts(mesh, policy("scan")).edges.twins.reshape(-1, 3).astype(np.int64)
    return np.where(twins >= 0, twins // 3, -1)


def border_distance(mesh: Mesh, labels: Labels) -> npt.NDArray[np.float64]:
    """Distance of each face's middle from the nearest edge between two labels, mm, on nine points of each edge."""
    from scipy.spatial import KDTree

    neighbours = face_neighbours(mesh)
    face, corner = np.nonzero((neighbours >= 0) & (labels[np.maximum(neighbours, 0)] != labels[:, None]))
    a = mesh.vertices[mesh.faces[face, corner]]
    b = mesh.vertices[mesh.faces[face, (corner + 1) % 3]]
    points = np.concatenate([a + (b - a) * x for x in np.linspace(0, 1, 9)])
    return np.asarray(KDTree(points).query(mesh.vertices[mesh.faces].mean(axis=1))[0])


def with_noise(mesh: Mesh, truth: Labels, *, share: float, seed: int, ragged: str = "bites") -> Labels:
    """Labels of which a share of the faces is wrong: islands, holes and ragged borders by equal parts.

    Args:
        mesh: the mesh.
        truth: int32 (m,).
        share: of all faces.
        seed: the same gives the same.
        ragged: "bites" takes patches of one to four faces (more on a finer mesh) from the other side of a border;
            "flips" changes single faces at a border.
    """
    rng = np.random.default_rng(seed)
    neighbours = face_neighbours(mesh)
    labels = truth.copy()
    teeth = np.unique(truth[truth > 0])
    across = np.where(neighbours >= 0, truth[np.maximum(neighbours, 0)], truth[:, None])
    border = np.flatnonzero((across != truth[:, None]).any(axis=1))
    crown, finer = np.flatnonzero(truth > 0), max(1, round(len(truth) / 16_000))
    for part, kind in enumerate(("island", "hole", "ragged"), start=1):
        while np.count_nonzero(labels != truth) < share * len(truth) * part / 3:
            if kind == "ragged":
                face = int(rng.choice(border))
                others = across[face][across[face] != truth[face]]
                to, size = int(rng.choice(others)), int(rng.integers(1, 1 + 4 * finer)) if ragged == "bites" else 1
            elif kind == "hole":
                face, to, size = int(rng.choice(crown)), 0, int(rng.integers(3, 3 + 25 * finer))
            else:
                face, size = int(rng.integers(len(truth))), int(rng.integers(3, 3 + 25 * finer))
                to = int(rng.choice(teeth[teeth != truth[face]]))
            labels[_patch(neighbours, truth, face, size, rng)] = to
    return labels


def _patch(
    neighbours: npt.NDArray[np.int64], truth: Labels, start: int, size: int, rng: np.random.Generator
) -> list[int]:
    """Faces of one true label around a face, grown at random."""
    patch, edge = [start], [start]
    seen = {start}
    while edge and len(patch) < size:
        at = int(rng.integers(len(edge)))
        fresh = [int(f) for f in neighbours[edge[at]] if f >= 0 and f not in seen and truth[f] == truth[start]]
        if not fresh:
            edge.pop(at)
            continue
        face = fresh[int(rng.integers(len(fresh)))]
        seen.add(face)
        patch.append(face)
        edge.append(face)
    return patch
