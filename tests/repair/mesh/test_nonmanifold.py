"""Sheets that share an edge or a vertex are pulled apart, so far that a file keeps them apart, and no further."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from meshguard import repair
from meshguard.errors import RepairRefused
from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import Policy, policy
from tests import mutations, shapes
from tests.repair import broken
from tests.repair.proof import proved, steps, through

if TYPE_CHECKING:
    from collections.abc import Callable

SEPARATED = "split non-manifold edges and vertices"


@pytest.mark.parametrize(
    ("make", "pieces"),
    [
        (broken.cubes_at_an_edge, 2),
        (broken.cubes_at_a_vertex, 2),
        (mutations.bow_tie, 2),
        (broken.book, 2),
        (mutations.fin, 1),
    ],
)
class TestSeparate:
    def test_each_piece_stands_on_its_own_in_the_file(self, make: Callable[[], Mesh], pieces: int) -> None:
        mesh: Mesh = make()
        result = repair(mesh)
        stats = proved(result)

        assert SEPARATED in steps(result)
        assert stats["components"] == result.after.stats["components"]
        assert len(through(result.mesh, "stl").vertices) == len(result.mesh.vertices)
        # What is smaller than the limit for debris falls off when it is set free; nothing else goes.
        floating = "drop floating components" in steps(result)
        assert floating == (make is mutations.fin and len(result.mesh.faces) < len(mesh.faces))
        if not floating:
            assert len(result.mesh.faces) == len(mesh.faces)
        if make is not mutations.fin:
            assert stats["components"] == pieces

    def test_nothing_moves_further_than_the_limit(self, make: Callable[[], Mesh], pieces: int) -> None:
        mesh: Mesh = make()
        rules = policy("scan")
        limit = rules.tolerance("separation_mm").within(MeshFacts(mesh, rules).diagonal)
        result = repair(mesh)
        old = result.vertex_origin >= 0
        moved = np.linalg.norm(result.mesh.vertices[old] - mesh.vertices[result.vertex_origin[old]], axis=1)

        assert moved.max() <= limit * (1 + 1e-3)
        assert result.max_displacement_mm == moved.max()
        # All that moved stood where sheets met.
        assert len(np.unique(result.vertex_origin[old][moved > 0])) <= 5

    def test_the_limit_is_the_policys(self, make: Callable[[], Mesh], pieces: int) -> None:
        mesh: Mesh = make()
        result = repair(mesh, policy=Policy(limits={"separation_mm": 1e-4}))

        proved(result)
        assert 0 < result.max_displacement_mm <= 1.1e-4


def test_a_fin_that_goes_on_straighter_than_the_sheet_does() -> None:
    """The sheet bends at the fin, so that the fin is taken for its other half: all faces then hang together."""
    z = np.array([0.0, 0.0, 8.0, 8.0, 0.0, 0.0, 12.0])
    x, y = np.array([-9.0, -9, 0, 0, 9, 9, 6]), np.array([-6.0, 6, -5, 5, -6, 6, 0])
    roof = [[0, 2, 3], [0, 3, 1], [2, 4, 5], [2, 5, 3], [0, 4, 2], [1, 3, 5], [3, 2, 6]]
    result = repair(Mesh(vertices=np.stack([x, y, z], axis=1), faces=roof))

    assert result.before.stats["nonmanifold_edges"] == 1
    proved(result)


class TestNotSeparated:
    def test_bodies_apart_stay(self) -> None:
        mesh = broken.cubes_apart()

        assert repair(mesh).mesh is mesh

    def test_lossless_moves_nothing_and_refuses(self) -> None:
        with pytest.raises(RepairRefused) as refused:
            repair(broken.cubes_at_an_edge(), lossless=True)

        assert "1 non-manifold edges" in refused.value.reasons
        assert refused.value.result.max_displacement_mm == 0.0

    def test_two_bodies_stay_closed(self) -> None:
        stats = proved(repair(broken.cubes_at_an_edge()))

        assert (stats["boundary_edges"], stats["closed_components"]) == (0, 2)


def test_what_ends_on_a_surface_moves_and_the_surface_stays() -> None:
    """The wall has more area at its corners than the flat box around it, which would be moved across the wall."""
    mesh = broken.inner_wall()
    flat = Mesh(vertices=mesh.vertices * [0.05, 1.0, 1.0], faces=mesh.faces)
    result = repair(flat)

    proved(result)
    assert steps(result).keys() == {SEPARATED}
    box = result.face_origin < 10
    assert np.array_equal(
        result.mesh.vertices[result.mesh.faces[box]], flat.vertices[flat.faces[result.face_origin[box]]]
    )


class TestOneSided:
    def test_a_strip_is_cut_once(self) -> None:
        mesh = shapes.moebius()
        result = repair(mesh)
        stats = proved(result)

        assert steps(result)["cut non-orientable components"] == 1
        assert (stats["faces"], stats["components"], stats["boundary_loops"]) == (24, 1, 1)
        assert result.area_removed_mm2 < 1e-3 * result.before.stats["area_mm2"]

    def test_a_strip_with_two_sides_stays(self) -> None:
        mesh = shapes.moebius()
        strip = mesh.take(np.arange(len(mesh.faces) - 2))

        assert repair(strip).mesh is strip
