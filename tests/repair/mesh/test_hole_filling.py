"""Holes are closed, and closed well: topology exactly, the surface as near as shapes allow."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import meshguard
from meshguard.mesh import Mesh
from meshguard.repair.mesh.hole_filling import EXACT_CORNERS, Patch, fill_hole
from tests import shapes

CLEAN = {
    "degenerate": 0,
    "nonmanifold_edges": 0,
    "nonmanifold_vertices": 0,
    "miswound_edges": 0,
    "duplicate_pairs": 0,
    "intersecting_pairs": 0,
}


def new_loops(mesh: Mesh) -> list[np.ndarray]:
    """The boundary loops as new faces would run along them."""
    offsets, vertices = meshguard.boundary_loops(mesh)
    flat, ahead = mesh.faces.reshape(-1), np.roll(mesh.faces, -1, axis=1).reshape(-1)
    there = set(zip(flat.tolist(), ahead.tolist(), strict=True))
    found = []
    for lo, hi in pairwise(offsets):
        loop = vertices[lo:hi]
        found.append(loop[::-1] if (int(loop[0]), int(loop[1])) in there else loop)
    return found


def with_patch(mesh: Mesh, patch: Patch | None) -> Mesh:
    assert patch is not None
    return Mesh(vertices=np.concatenate([mesh.vertices, patch.points]), faces=np.concatenate([mesh.faces, patch.faces]))


def stats(mesh: Mesh) -> dict[str, float]:
    found = meshguard.validate(mesh).stats
    return {name: found[name] for name in CLEAN}


def ball(*, radius: float = 20.0, subdivisions: int = 4) -> Mesh:
    import trimesh

    made = trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius)
    return Mesh(vertices=made.vertices.astype(np.float32).astype(np.float64), faces=made.faces.astype(np.int32))


def without(mesh: Mesh, gone: np.ndarray) -> Mesh:
    return Mesh(vertices=mesh.vertices, faces=mesh.faces[~gone])


def heights(mesh: Mesh) -> np.ndarray:
    return np.asarray(mesh.vertices[mesh.faces].mean(axis=1)[:, 2])


@pytest.mark.parametrize("height", [19.0, 17.0, 12.0])
def test_a_cap_of_a_ball_is_given_back(height: float) -> None:
    whole = ball()
    cut = without(whole, heights(whole) > height)
    patch = fill_hole(cut.vertices, cut.faces, new_loops(cut))
    assert patch is not None

    mesh = with_patch(cut, patch)
    depth = 20.0 - height
    assert stats(mesh) == CLEAN
    assert meshguard.validate(mesh).stats["boundary_edges"] == 0
    assert (patch.points == patch.points.astype(np.float32)).all()
    assert np.abs(np.linalg.norm(patch.points, axis=1) - 20.0).max() < 0.05 * depth


def test_a_flat_hole_is_filled_flat_and_as_dense_as_its_surroundings() -> None:
    sheet = shapes.grid(40, 40, bulge=0.0)
    away = np.linalg.norm(sheet.vertices[sheet.faces].mean(axis=1), axis=1)
    cut = without(sheet, away < 9)
    loop = min(new_loops(cut), key=len)
    patch = fill_hole(cut.vertices, cut.faces, [loop])
    assert patch is not None

    removed = int((away < 9).sum())
    assert stats(with_patch(cut, patch)) == CLEAN
    assert np.abs(patch.points[:, 2]).max() < 1e-5
    assert 0.5 * removed < len(patch.faces) < 1.5 * removed


@pytest.mark.parametrize("options", [{}, {"fair": False}, {"refine": False}], ids=["full", "unfaired", "plain"])
def test_an_island_is_joined_to_the_surface_around_it(options: dict[str, bool]) -> None:
    whole = ball()
    cut = without(whole, (heights(whole) > 13.0) & (heights(whole) < 18.5))
    loops = sorted(new_loops(cut), key=len, reverse=True)
    assert len(loops) == 2

    mesh = with_patch(cut, fill_hole(cut.vertices, cut.faces, loops, **options))  # type: ignore[arg-type]

    assert stats(mesh) == CLEAN
    assert meshguard.validate(mesh).stats["boundary_edges"] == 0
    assert meshguard.validate(mesh).stats["components"] == 1


def test_without_refining_there_is_no_new_vertex() -> None:
    whole = ball()
    cut = without(whole, heights(whole) > 17.0)
    patch = fill_hole(cut.vertices, cut.faces, new_loops(cut), refine=False)
    assert patch is not None

    assert patch.points.shape == (0, 3)
    assert len(patch.faces) == len(new_loops(cut)[0]) - 2
    assert stats(with_patch(cut, patch)) == CLEAN


@pytest.mark.parametrize("name", ["tetrahedron", "cube"])
@settings(max_examples=12, deadline=None)
@given(face=st.integers(0, 11))
def test_a_missing_face_comes_back_as_it_was(name: str, face: int) -> None:
    whole = getattr(shapes, name)()
    face %= len(whole.faces)
    cut = without(whole, np.arange(len(whole.faces)) == face)
    patch = fill_hole(cut.vertices, cut.faces, new_loops(cut), refine=False)
    assert patch is not None

    assert sorted(patch.faces[0].tolist()) == sorted(whole.faces[face].tolist())
    assert stats(with_patch(cut, patch)) == CLEAN


def test_a_single_face_gets_no_face_on_its_own_back() -> None:
    """The only triangle lies on the same three positions: a vertex is added, and only off the plane is that clean."""
    sheet = shapes.triangle()
    patch = fill_hole(sheet.vertices, sheet.faces, new_loops(sheet), refine=False)
    assert patch is not None

    mesh = with_patch(sheet, patch)
    assert len(patch.points) == 1
    assert {name: stats(mesh)[name] for name in ("duplicate_pairs", "nonmanifold_edges", "degenerate")} == {
        "duplicate_pairs": 0,
        "nonmanifold_edges": 0,
        "degenerate": 0,
    }


def test_an_edge_that_is_there_is_not_used_again() -> None:
    """Two faces of a square hole's corners stand over it, so that both its diagonals are taken."""
    corners = np.array([[0, 0, 0], [9, 0, 0], [9, 9, 0], [0, 9, 0], [4, 4, 9], [5, 4, 20]], np.float64)
    mesh = Mesh(vertices=corners, faces=[[0, 2, 4], [1, 3, 5]])
    patch = fill_hole(mesh.vertices, mesh.faces, [np.arange(4, dtype=np.int32)], refine=False)
    assert patch is not None

    assert len(patch.points) == 1
    assert stats(with_patch(mesh, patch))["nonmanifold_edges"] == 0


@pytest.mark.parametrize("loop", [[], [0, 1], [0, 1, 2, 1], [0, 1, 0]])
def test_what_is_no_loop_is_not_filled(loop: list[int]) -> None:
    sheet = shapes.grid()

    assert fill_hole(sheet.vertices, sheet.faces, [np.array(loop, np.int32)]) is None
    assert fill_hole(sheet.vertices, sheet.faces, []) is None


def test_positions_on_one_line_give_nothing() -> None:
    line = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0]], np.float64)

    assert fill_hole(line, np.empty((0, 3), np.int32), [np.arange(3, dtype=np.int32)]) is None


@pytest.mark.parametrize("corners", [EXACT_CORNERS + 1, 600, 3000])
def test_a_long_loop_is_filled_too(corners: int) -> None:
    """A wavy ring of three rows of faces around a wide hole."""
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    step = 20 * 2 * np.pi / corners
    rows = [
        np.stack([r * np.cos(turn), r * np.sin(turn), 3 * np.sin(2 * turn)], axis=1) for r in 20 + step * np.arange(4)
    ]
    here = np.arange(corners, dtype=np.int32)
    ahead = np.roll(here, -1)
    strip = np.concatenate(
        [np.stack([ahead, here, here + corners], axis=1), np.stack([ahead, here + corners, ahead + corners], axis=1)]
    )
    ring = Mesh(
        vertices=np.concatenate(rows).astype(np.float32).astype(np.float64),
        faces=np.concatenate([strip, strip + corners, strip + 2 * corners]).astype(np.int32),
    )
    for options in ({}, {"refine": False}):
        patch = fill_hole(ring.vertices, ring.faces, [here], **options)  # type: ignore[arg-type]
        assert stats(with_patch(ring, patch)) == CLEAN


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), size=st.integers(1, 60))
def test_any_hole_in_an_arch_is_filled_without_a_topological_error(seed: int, size: int) -> None:
    """Faces are taken one neighbour after the other, so that holes of any outline come up."""
    rng = np.random.default_rng(seed)
    gone = grown(ARCH, rng, size)
    cut = without(ARCH, gone)
    before = {len(loop) for loop in new_loops(ARCH)}
    holes = [loop for loop in new_loops(cut) if len(loop) not in before]
    mesh = cut
    for loop in holes:
        patch = fill_hole(mesh.vertices, mesh.faces, [loop])
        if patch is not None:
            mesh = with_patch(mesh, patch)
    found, was = stats(mesh), stats(cut)
    for name in ("degenerate", "nonmanifold_edges", "miswound_edges", "duplicate_pairs"):
        assert found[name] <= was[name]
    if len(holes) == 1:
        assert len(new_loops(mesh)) == len(new_loops(ARCH))


def grown(mesh: Mesh, rng: np.random.Generator, size: int) -> np.ndarray:
    """Faces connected through edges, one after the other, away from the rim."""
    faces_of: dict[int, list[int]] = {}
    for face, corners in enumerate(mesh.faces.tolist()):
        for corner in corners:
            faces_of.setdefault(corner, []).append(face)
    rim = np.zeros(len(mesh.vertices), np.bool_)
    for loop in new_loops(mesh):
        rim[loop] = True
    inner = np.flatnonzero(~rim[mesh.faces].any(axis=1))
    gone = [int(rng.choice(inner))]
    for _ in range(size):
        corners = mesh.faces[gone[int(rng.integers(len(gone)))]]
        near = [f for c in corners for f in faces_of[int(c)] if f not in gone and not rim[mesh.faces[f]].any()]
        near = [f for f in near if len(set(mesh.faces[f]) & set(corners)) == 2]
        if near:
            gone.append(int(rng.choice(near)))
    mask = np.zeros(len(mesh.faces), np.bool_)
    mask[gone] = True
    return mask


def test_the_same_patch_whether_faces_near_the_hole_are_named_or_not() -> None:
    whole = ball()
    cut = without(whole, heights(whole) > 17.0)
    loops = new_loops(cut)
    a = fill_hole(cut.vertices, cut.faces, loops)
    b = fill_hole(cut.vertices, cut.faces, loops, around=np.flatnonzero(heights(cut) > 5.0).astype(np.int32))
    c = fill_hole(cut.vertices.copy(), cut.faces.copy(), loops)
    assert a is not None and b is not None and c is not None

    assert (a.points == c.points).all() and (a.faces == c.faces).all()
    assert len(a.faces) == len(b.faces)
    assert np.abs(np.linalg.norm(b.points, axis=1) - 20.0).max() < 0.2


ARCH = Mesh(
    vertices=meshguard.phantom(faces=4000, seed=3).vertices.astype(np.float32).astype(np.float64),
    faces=meshguard.phantom(faces=4000, seed=3).faces,
)
