"""Certified fans against comparing all sectors with all, in rational numbers, and against all pairs of faces."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from meshguard.facts.mesh import MeshFacts
from meshguard.facts.mesh.self_intersections import certified_fans
from meshguard.mesh import Mesh
from meshguard.policy import policy
from tests import oracles, shapes
from tests.strategies import soups


def certified(mesh: Mesh) -> tuple[list[bool], list[int]]:
    sure, valence = certified_fans(MeshFacts(mesh, policy("scan")))
    return sure.tolist(), valence.tolist()


@st.composite
def stars(draw: st.DrawFn) -> Mesh:
    """Faces around vertex 0 to the points of a small grid, most of them in order of angle: rings, chains, and worse."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    points = np.unique(rng.integers(-3, 4, (draw(st.integers(3, 9)), 3)), axis=0).astype(np.float64)
    points = points[points.any(axis=1)]
    axis = draw(st.integers(0, 2))
    if draw(st.integers(0, 3)):
        points = points[np.argsort(np.arctan2(points[:, axis - 1], points[:, axis - 2]))]
    count = len(points)
    ring = 1 + np.arange(count)
    faces = np.stack([0 * ring, ring, np.roll(ring, -1)], axis=1)
    faces = faces[: count - draw(st.integers(0, 1))]
    if draw(st.integers(0, 4)) == 0 and len(faces):
        faces[0] = faces[0, ::-1]
    if draw(st.booleans()):
        faces = faces[:, ::-1]
    faces = np.array([np.roll(face, rng.integers(3)) for face in faces]).reshape(-1, 3)
    return Mesh(vertices=np.concatenate([np.zeros((1, 3)), points]), faces=faces)


@settings(max_examples=400)
@given(stars())
def test_a_ring_is_certified_when_its_sectors_do_not_overlap(mesh: Mesh) -> None:
    faces = [face for face in mesh.faces.tolist() if len(set(face)) == 3]
    ways = [(axis, sign) for axis in range(3) for sign in (1, -1)]
    clear = [oracles.overlaps_no_sector(mesh.vertices, faces, 0, *way) for way in ways]

    sure, valence = certified(mesh)

    assert valence[0] == len(faces)
    if sure[0]:
        assert any(clear)
    if oracles.is_ring(faces, 0) and sum(clear) == 1:
        turning = [way for way in ways if all(turn_is(mesh, face, *way) for face in faces)]
        assert sure[0] or len(turning) > 1


def turn_is(mesh: Mesh, face: list[int], axis: int, sign: int) -> bool:
    x, y = (axis + 1) % 3, (axis + 2) % 3
    return oracles.orientation(*((mesh.vertices[v, x], mesh.vertices[v, y]) for v in face)) == sign


@settings(max_examples=100)
@given(st.one_of(stars(), soups(most_faces=12)))
def test_faces_around_a_certified_position_never_intersect(mesh: Mesh) -> None:
    sure, _ = certified(mesh)
    numbers = MeshFacts(mesh, policy("scan")).remap.tolist()

    for f, g, _ in oracles.intersecting_pairs(mesh.vertices, mesh.faces):
        common = {numbers[v] for v in mesh.faces[f]} & {numbers[v] for v in mesh.faces[g]}
        assert not any(sure[v] for v in common)


def test_every_fan_of_a_sheet_and_of_a_cube_that_is_seen_whole_along_an_axis_is_certified() -> None:
    assert all(certified(shapes.grid())[0])
    assert not any(certified(Mesh(vertices=[[0, 0, 0]], faces=np.empty((0, 3), np.int32)))[0])


def test_a_ring_that_goes_around_twice_is_not_certified() -> None:
    """Eight sectors of a quarter turn: each projection turns left, but the fan crosses itself."""
    angle = np.arange(8) * np.pi / 2 + 0.3
    rim = np.stack([3 * np.cos(angle), 3 * np.sin(angle), 0.1 * np.arange(8)], axis=1)
    ring = 1 + np.arange(8)
    faces = np.stack([0 * ring, ring, np.roll(ring, -1)], axis=1)
    mesh = Mesh(vertices=np.concatenate([[[0.0, 0.0, -5.0]], rim]), faces=faces)

    assert not certified(mesh)[0][0]
