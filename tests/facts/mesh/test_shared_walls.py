"""Shared walls: pairs of faces that two closed bodies need both, told from duplicates of which one is enough."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from meshguard.facts.mesh import MeshFacts
from meshguard.facts.mesh.shared_walls import are_opposite
from meshguard.mesh import Mesh
from meshguard.policy import policy
from tests import mutations, shapes
from tests.repair import broken


def walls(mesh: Mesh) -> tuple[list[list[int]], list[int]]:
    found = MeshFacts(mesh, policy("scan")).shared_walls
    return found.faces.tolist(), found.wall.tolist()


def rotated(mesh: Mesh, seed: int) -> Mesh:
    """The mesh turned and scaled at random, as float32."""
    rng = np.random.default_rng(seed)
    frame = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    frame *= np.linalg.det(frame) * rng.uniform(0.1, 3.0)
    return Mesh(vertices=(mesh.vertices @ frame).astype(np.float32), faces=mesh.faces)


def test_two_cubes_share_a_wall_of_two_faces() -> None:
    faces, wall = walls(broken.shared_wall())

    assert faces == [[10, 21], [11, 20]]
    assert wall == [0, 0]


def test_duplicates_of_which_one_is_enough_are_all_but_the_walls() -> None:
    mesh = broken.shared_wall()
    faces = np.concatenate([mesh.faces, mesh.faces[:1]])  # the first face belongs to no wall
    facts = MeshFacts(Mesh(vertices=mesh.vertices, faces=faces), policy("scan"))

    assert len(facts.duplicates) == 3
    assert [group.tolist() for group in facts.excess_duplicates] == [[0, 24]]


def test_each_wall_is_one_of_its_own() -> None:
    faces, wall = walls(broken.shared_wall(4))

    assert (len(faces), wall) == (6, [0, 0, 1, 1, 2, 2])


@pytest.mark.parametrize("seed", range(4))
def test_wherever_it_lies_and_in_whatever_order(seed: int) -> None:
    faces, wall = walls(shapes.shuffled(shapes.soup(rotated(broken.shared_wall(3), seed)), seed))

    assert len(faces) == 4 and sorted(wall) == [0, 0, 1, 1]


def test_bodies_may_be_inverted() -> None:
    assert walls(broken.turned(broken.shared_wall())) == walls(broken.shared_wall())


@pytest.mark.parametrize(
    "make",
    [
        mutations.duplicate_face,
        mutations.doubled_triangle,
        broken.without_thickness,
        broken.cubes_at_an_edge,
        broken.inner_wall,
        shapes.torus,
        lambda: broken.welded(shapes.joined(shapes.cube(), broken.turned(shapes.cube()))),
        lambda: broken.welded(shapes.joined(shapes.cube(), shapes.cube())),
        lambda: broken.duplicates(reverse=True),
        lambda: broken.duplicates(reverse=False),
    ],
)
def test_other_duplicates_are_none(make: object) -> None:
    assert callable(make)
    assert walls(make()) == ([], [])


def test_a_wall_whose_body_is_open_is_none() -> None:
    """One face of the second cube is missing: only the first needs its copy of the wall."""
    mesh = broken.shared_wall()

    assert walls(mesh.take(np.arange(len(mesh.faces)) != 22)) == ([], [])


def test_opposite_is_an_odd_permutation() -> None:
    orders = list(itertools.permutations((3, 7, 9)))
    first = np.array([(3, 7, 9)] * 6, np.int32)
    is_odd = [sum(a > b for a, b in itertools.combinations(order, 2)) % 2 == 1 for order in orders]

    assert are_opposite(first, np.array(orders, np.int32)).tolist() == is_odd
