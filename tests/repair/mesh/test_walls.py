"""Inner walls go where one solid is wanted, and every other face stays as it is; elsewhere bodies stand apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import meshguard
from meshguard import repair
from meshguard.mesh import Mesh
from meshguard.repair.mesh.walls import orient_at_walls, remove_inner_walls
from tests import shapes
from tests.facts.mesh.test_shared_walls import rotated
from tests.repair import broken
from tests.repair.drafts import draft
from tests.repair.proof import proved, steps, volume

if TYPE_CHECKING:
    from pathlib import Path

FLIPPED, WALLS = "orient bodies at shared walls", "remove inner walls"


def egg_crate() -> Mesh:
    """A box of four cubes in a square with all walls between them, each once."""
    cubes = [broken.moved(shapes.cube(30.0), 30.0 * i, 30.0 * j, 0) for i in range(2) for j in range(2)]
    mesh = broken.welded(shapes.joined(*cubes))
    _, first = np.unique(np.sort(mesh.faces, axis=1), axis=0, return_index=True)
    return mesh.take(np.isin(np.arange(len(mesh.faces)), first))


def cavity_at_an_edge() -> Mesh:
    """A cube with a cavity whose edge lies in one of the cube's, so that four faces meet there."""
    outer, inner = shapes.cube(), broken.turned(shapes.cube(20.0))
    vertices = outer.vertices.copy()
    edge = inner.vertices + [0.0, 0.0, 20.0]
    # The corners of one edge of the cavity become those of the cube's upright edge at the origin.
    edge[0], edge[4] = vertices[0], vertices[4]
    moved = edge + 5.0
    moved[0], moved[4] = vertices[0], vertices[4]
    return broken.welded(shapes.joined(outer, Mesh(vertices=moved, faces=inner.faces)))


@pytest.mark.parametrize("seed", [None, 0, 1, 2, 3])
@pytest.mark.parametrize(("make", "n_left"), [(broken.shared_wall, 20), (broken.inner_wall, 20)])
def test_the_wall_goes_and_all_others_stay(make: object, n_left: int, seed: int | None) -> None:
    assert callable(make)
    mesh = make() if seed is None else shapes.shuffled(shapes.soup(rotated(make(), seed)), seed)
    result = repair(mesh, policy="print")
    stats = proved(result, "print")

    assert steps(result) == {WALLS: len(mesh.faces) - n_left}
    assert (stats["faces"], stats["components"], result.max_displacement_mm) == (n_left, 1, 0.0)
    kept = result.face_origin
    assert np.array_equal(result.mesh.vertices[result.mesh.faces], mesh.vertices[mesh.faces[kept]])


@pytest.mark.parametrize("make", [broken.shared_wall, broken.inner_wall])
def test_the_wall_of_an_inverted_body_goes_too(make: object) -> None:
    assert callable(make)
    result = repair(broken.turned(make()), policy="print")

    assert proved(result, "print")["faces"] == 20
    assert volume(result.mesh) == pytest.approx(2 * 30.0**3)


def meshed_otherwise(mesh: Mesh, wall_x: float = 30.0) -> Mesh:
    """The mesh with the other diagonal in the first copy of its wall."""
    faces = mesh.faces.copy()
    one, other = np.flatnonzero((mesh.vertices[faces][:, :, 0] == wall_x).all(axis=1))[:2]
    (tip,) = set(faces[other].tolist()) - set(faces[one].tolist())
    (at,) = (i for i in range(3) if faces[one, i] not in faces[other])
    a, b, c = np.roll(faces[one], -at)
    faces[one], faces[other] = (a, b, tip), (tip, c, a)
    return Mesh(vertices=mesh.vertices, faces=faces)


@pytest.mark.parametrize("seed", [None, 0, 1, 2, 3])
def test_a_wall_may_have_another_diagonal_on_each_side(seed: int | None) -> None:
    mesh = meshed_otherwise(broken.shared_wall())
    whole = volume(mesh)
    if seed is not None:
        mesh = shapes.shuffled(shapes.soup(rotated(mesh, seed)), seed)
        whole = abs(volume(mesh))
    report = meshguard.validate(mesh)
    assert {finding.check for finding in report.findings} & {"T109", "S102", "T104"} == {"T109"}
    apart = repair(mesh)
    stats = proved(apart)
    assert (stats["faces"], stats["components"], stats["boundary_edges"]) == (24, 2, 0)
    assert volume(apart.mesh) == pytest.approx(whole, rel=1e-3)
    one = repair(mesh, policy="print")
    stats = proved(one, "print")
    assert (stats["faces"], stats["components"], one.max_displacement_mm) == (20, 1, 0.0)


def test_a_wall_with_two_diagonals_is_one_where_a_body_is_inverted() -> None:
    mesh = meshed_otherwise(broken.shared_wall())
    faces = mesh.faces.copy()
    faces[: len(faces) // 2] = faces[: len(faces) // 2][:, ::-1]
    apart = repair(Mesh(vertices=mesh.vertices, faces=faces))

    assert (proved(apart)["components"], proved(apart)["boundary_edges"]) == (2, 0)
    assert volume(apart.mesh) == pytest.approx(volume(mesh), rel=1e-3)


def test_all_walls_of_a_row_go() -> None:
    result = repair(broken.shared_wall(4), policy="print")
    stats = proved(result, "print")

    assert stats["faces"] == 4 * 8 + 4
    assert volume(result.mesh) == pytest.approx(4 * 30.0**3)


def test_all_walls_of_an_egg_crate_go() -> None:
    mesh = egg_crate()
    result = repair(mesh, policy="print")
    stats = proved(result, "print")

    assert steps(result) == {WALLS: 4 * 2}
    assert stats["faces"] == 2 * 16
    assert volume(result.mesh) == pytest.approx(4 * 30.0**3)


def test_a_cavity_is_no_wall() -> None:
    start = draft(cavity_at_an_edge(), "print")

    assert len(start.facts.edges.nonmanifold) == 4
    assert remove_inner_walls(start).draft is start


@pytest.mark.parametrize("make", [broken.cubes_at_an_edge, broken.without_thickness, shapes.cube, broken.book])
def test_what_has_no_inner_wall_is_left_alone(make: object) -> None:
    assert callable(make)
    start = draft(make(), "print")

    assert remove_inner_walls(start).draft is start


def test_a_wall_outside_is_none() -> None:
    """A flange of two faces around a corner of the box ends on it, but lies outside."""
    mesh = shapes.cube()
    flange = Mesh(
        vertices=np.concatenate([mesh.vertices, [[90.0, 0, 0], [90.0, 0, 60.0]]]),
        faces=np.concatenate([mesh.faces, [[1, 8, 5], [8, 9, 5]]]),
    )
    start = draft(flange, "print")

    assert len(start.facts.edges.nonmanifold) == 3
    assert remove_inner_walls(start).draft is start


@pytest.mark.parametrize("seed", [None, 0, 1, 2, 3])
def test_in_a_scan_two_bodies_stand_apart_and_both_stay_closed(seed: int | None) -> None:
    mesh = broken.shared_wall() if seed is None else shapes.shuffled(rotated(broken.shared_wall(), seed), seed)
    result = repair(mesh)
    stats = proved(result)

    assert (stats["faces"], stats["components"], stats["closed_components"]) == (24, 2, 2)
    assert stats["intersecting_pairs"] == 0
    assert 0 < result.max_displacement_mm <= 0.005 * (1 + 1e-3)
    assert WALLS not in steps(result) and "drop duplicate faces" not in steps(result)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("first", [True, False])
def test_one_of_the_bodies_may_be_inverted(first: bool, seed: int) -> None:
    mesh = broken.shared_wall()
    faces = mesh.faces.copy()
    inverted = slice(0, 12) if first else slice(12, 24)
    faces[inverted] = faces[inverted, ::-1]
    turned = shapes.shuffled(rotated(Mesh(vertices=mesh.vertices, faces=faces), seed), seed)
    scan, solid = repair(turned), repair(turned, policy="print")

    assert (proved(scan)["faces"], proved(scan)["closed_components"]) == (24, 2)
    assert proved(solid, "print")["faces"] == 20
    assert steps(solid)[FLIPPED] == 2


def test_a_body_that_is_there_twice_is_no_pair_of_bodies() -> None:
    mesh = broken.welded(shapes.joined(shapes.cube(), shapes.cube()))
    start = draft(mesh)

    assert orient_at_walls(start).draft is start
    assert len(repair(mesh).mesh.faces) == 12


class TestField:
    @pytest.mark.parametrize(("name", "wall"), [("32_shared_wall.stl", [12, 13]), ("35_inner_wall.stl", [20, 21])])
    def test_the_wall_goes_under_print(self, data_root: Path, name: str, wall: list[int]) -> None:
        mesh = meshguard.load(data_root / "field" / name)
        result = repair(mesh, policy="print")
        stats = proved(result, "print")

        assert stats["faces"] == 20
        assert not np.isin(wall, result.face_origin).any()
        assert np.array_equal(result.mesh.vertices[result.mesh.faces], mesh.vertices[mesh.faces[result.face_origin]])

    def test_two_bodies_with_a_shared_wall_stay_closed(self, data_root: Path) -> None:
        path = data_root / "field" / "32_shared_wall.stl"
        found = {finding.check: finding for finding in meshguard.validate(path).findings}
        stats = proved(repair(path))

        assert found.keys() == {"T101", "T109"}
        assert found["T109"].measures == {"faces": 2, "area_mm2": pytest.approx(400.0)}
        assert (stats["faces"], stats["closed_components"], stats["boundary_edges"]) == (24, 2, 0)
