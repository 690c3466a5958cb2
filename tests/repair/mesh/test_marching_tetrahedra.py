"""A solid of what is inside: closed and free of intersections whatever it is made from, and near what was there."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import policy
from meshguard.repair.mesh.marching_tetrahedra import solid_of
from tests import shapes
from tests.repair import broken
from tests.repair.proof import trouble, volume


def solid(mesh: Mesh, cell: float) -> Mesh:
    made = solid_of(MeshFacts(mesh, policy("print")), cell)
    assert made is not None
    return Mesh(vertices=made.positions, faces=made.corners)


@pytest.mark.parametrize(
    ("mesh", "inside"),
    [
        (shapes.cube(), 60.0**3),
        (shapes.torus(40, 30), 2 * np.pi**2 * 25 * 100),
        (broken.overlapping_bodies(), 2 * 30.0**3 - 13.0 * 17.0 * 19.0),
        (broken.cavity(), 60.0**3 - 20.0**3),
        (broken.turned(broken.turned(shapes.tetrahedron())), 60.0**3 / 6),
        (shapes.cube().take(np.arange(1, 12)), 60.0**3),
    ],
    ids=["cube", "torus", "two cubes", "cavity", "tetrahedron", "cube without a face"],
)
def test_it_is_a_closed_body_of_that_volume(mesh: Mesh, inside: float) -> None:
    made = solid(mesh, 2.3)

    assert trouble(made, "print") == {}
    assert volume(made) == pytest.approx(inside, rel=0.06)


def test_its_vertices_lie_on_the_surface_that_was_there() -> None:
    made = solid(shapes.cube(), 3.1)
    depth = np.minimum(made.vertices, 60.0 - made.vertices).min(axis=1)

    assert np.abs(depth).max() < 3.1
    assert np.median(np.abs(depth)) < 1e-5


@pytest.mark.parametrize("seed", range(3))
def test_a_soup_gives_a_closed_body_or_none(seed: int) -> None:
    rng = np.random.default_rng(seed)
    soup = Mesh(vertices=rng.normal(size=(40, 3)) * 20, faces=rng.integers(0, 40, (120, 3)))
    made = solid_of(MeshFacts(soup, policy("print")), 6.0)

    assert made is None or trouble(Mesh(vertices=made.positions, faces=made.corners), "print") == {}


def test_what_has_no_inside_gives_none() -> None:
    assert solid_of(MeshFacts(shapes.grid(4, 4, bulge=0.0), policy("print")), 2.0) is None
    assert solid_of(MeshFacts(broken.turned(shapes.cube()), policy("print")), 5.0) is None
