"""Splitting faces on their edges: the same surface, in more parts, without a crack."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard.mesh import Mesh
from meshguard.repair.mesh.edge_splits import split_faces
from tests import oracles, shapes


@pytest.mark.parametrize("seed", range(8))
def test_the_surface_stays_and_no_crack_opens(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mesh = shapes.torus(8, 6)
    surface = oracles.Surface(mesh.vertices, mesh.faces)
    edges = [tuple(sorted(edge)) for edge in surface.sides]
    chosen = {edge: len(mesh.vertices) + k for k, edge in enumerate(e for e in edges if rng.random() < 0.4)}
    middles = np.array(
        [
            [chosen.get(tuple(sorted((face[c], face[(c + 1) % 3]))), -1) for c in range(3)]
            for face in mesh.faces.tolist()
        ],
        np.int32,
    )
    points = np.array([(mesh.vertices[a] + mesh.vertices[b]) / 2 for a, b in chosen])
    positions = np.concatenate([mesh.vertices, points])
    split = split_faces(positions, mesh.faces, middles)
    after = Mesh(vertices=positions, faces=np.concatenate([mesh.faces[~split.faces], split.corners]))
    found = oracles.Surface(after.vertices, after.faces)

    assert split.faces.tolist() == (middles >= 0).any(axis=1).tolist()
    assert (found.boundary, found.nonmanifold_edges, found.miswound_edges) == ([], 0, 0)
    # Each part has the area it takes from its parent, and no other.
    parts = np.zeros(len(mesh.faces))
    np.add.at(parts, split.parents, _areas(positions, split.corners))
    assert parts[split.faces] == pytest.approx(_areas(mesh.vertices, mesh.faces)[split.faces])
    assert len(split.corners) == (1 + (middles >= 0).sum(axis=1))[split.faces].sum()


@pytest.mark.parametrize(
    ("middles", "expected"),
    [
        ([3, -1, -1], [[0, 3, 2], [3, 1, 2]]),
        ([-1, 4, -1], [[1, 4, 0], [4, 2, 0]]),
        ([3, 4, -1], [[3, 1, 4], [0, 3, 2], [3, 4, 2]]),
        ([3, 4, 5], [[0, 3, 5], [3, 1, 4], [5, 4, 2], [3, 4, 5]]),
    ],
    ids=["one edge", "another", "two edges", "three edges"],
)
def test_a_face_is_split_on_its_edges(middles: list[int], expected: list[list[int]]) -> None:
    """Of two ways to split what is left, the one along the shorter diagonal: 3 to 2 is 6 mm long, 0 to 4 is 8.5."""
    positions = np.array([[0, 0, 0], [12, 0, 0], [6, 6, 0], [6, 0, 0], [9, 3, 0], [3, 3, 0]], np.float64)
    split = split_faces(positions, np.array([[0, 1, 2]], np.int32), np.array([middles], np.int32))

    def turned(faces: list[list[int]]) -> list[list[int]]:
        return sorted(face[face.index(min(face)) :] + face[: face.index(min(face))] for face in faces)

    assert split.faces.tolist() == [True]
    assert split.parents.tolist() == [0] * len(expected)
    assert turned(split.corners.tolist()) == turned(expected)


def test_nothing_to_split() -> None:
    mesh = shapes.cube()
    split = split_faces(mesh.vertices, mesh.faces, np.full((12, 3), -1, np.int32))

    assert not split.faces.any()
    assert (split.corners.shape, split.parents.shape) == ((0, 3), (0,))


def _areas(positions: np.ndarray, corners: np.ndarray) -> np.ndarray:
    a, b, c = (positions[corners[:, k]] for k in range(3))
    areas: np.ndarray = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    return areas
