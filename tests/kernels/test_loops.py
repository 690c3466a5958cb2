"""Boundary loops and near pairs against brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given

from meshguard.facts.mesh import MeshFacts
from meshguard.kernels import loops as columns
from meshguard.mesh import Mesh
from meshguard.policy import policy
from tests import oracles, shapes
from tests.strategies import soups


def facts_of(mesh: Mesh) -> MeshFacts:
    return MeshFacts(mesh, policy("scan"))


def test_a_triangle_has_one_loop_with_its_own_measures() -> None:
    loops = facts_of(Mesh(vertices=[[0, 0, 0], [3, 0, 0], [0, 4, 0]], faces=[[0, 1, 2]])).loops

    assert loops.offsets.tolist() == [0, 3]
    assert loops.positions.tolist() == [0, 1, 2]
    assert loops.is_closed.tolist() == [True]
    assert loops.measures[0].tolist() == [12.0, 6.0, 5.0]


def test_a_closed_body_has_none() -> None:
    loops = facts_of(shapes.cube()).loops

    assert loops.offsets.tolist() == [0]
    assert len(loops.halfedges) == len(loops.is_rim) == 0


def test_two_holes_that_touch_at_a_vertex_are_two_loops() -> None:
    mesh = shapes.grid()
    around = [f for f, face in enumerate(mesh.faces.tolist()) if 31 in face]
    loops = facts_of(mesh.take(np.delete(np.arange(len(mesh.faces)), [around[0], around[-1]]))).loops

    assert sorted(np.diff(loops.offsets).tolist()) == [3, 3, 28]
    assert loops.is_rim.tolist().count(True) == 1


def test_a_flipped_face_does_not_break_a_loop() -> None:
    mesh = shapes.grid()
    faces = mesh.faces.copy()
    faces[0] = faces[0, ::-1]
    loops = facts_of(Mesh(vertices=mesh.vertices, faces=faces)).loops

    assert np.diff(loops.offsets).tolist() == [28]
    assert loops.is_closed.tolist() == [True]


def test_a_border_that_ends_at_a_nonmanifold_edge_is_an_open_chain() -> None:
    mesh = shapes.grid()
    a, _, c = mesh.faces[40]
    fin = Mesh(
        vertices=np.concatenate([mesh.vertices, [[0, 0, 30.0]]]),
        faces=np.concatenate([mesh.faces, [[a, c, len(mesh.vertices)]]]),
    )

    loops = facts_of(fin).loops

    assert np.diff(loops.offsets).tolist() == [2, 28]
    assert loops.is_closed.tolist() == [False, True]


@given(soups())
def test_every_boundary_edge_is_in_one_chain_of_edges_that_meet(mesh: Mesh) -> None:
    facts = facts_of(mesh)
    loops = facts.loops
    surface = oracles.Surface(mesh.vertices, mesh.faces)
    ends = [frozenset(pair) for pair in facts.edge_ends(loops.halfedges).tolist()]

    assert sorted(map(sorted, ends)) == sorted(map(sorted, surface.boundary))
    for number in range(len(loops.is_rim)):
        lo, hi = loops.offsets[number], loops.offsets[number + 1]
        entered = loops.positions[lo:hi].tolist()
        chain = ends[lo:hi]
        assert all(start in edge for start, edge in zip(entered, chain, strict=True))
        leaves = [next(iter(edge - {start})) for start, edge in zip(entered, chain, strict=True)]
        assert leaves[:-1] == entered[1:]
        assert (leaves[-1] == entered[0]) or not loops.is_closed[number]
        points = np.array([surface.position[v] for v in [*entered, leaves[-1]]])
        assert math.isclose(loops.measures[number, columns.CHORD], oracles.diameter(points), rel_tol=1e-12)
        steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
        assert math.isclose(loops.measures[number, columns.PERIMETER], steps.sum(), rel_tol=1e-12)


@pytest.mark.parametrize(("columns_", "rows"), [(300, 1), (40, 40), (3, 200)])
def test_the_largest_chord_of_long_rims(columns_: int, rows: int) -> None:
    mesh = shapes.grid(columns_, rows)
    loops = facts_of(mesh).loops
    rim = mesh.vertices[facts_of(mesh).first_vertex[loops.positions]]

    assert math.isclose(loops.measures[0, columns.CHORD], oracles.diameter(rim), rel_tol=1e-12)
