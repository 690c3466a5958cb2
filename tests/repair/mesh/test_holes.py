"""Holes are filled up to the policy's limit, rims never, and what fills them is marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from meshguard import repair
from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import Policy, policy
from meshguard.repair.mesh.holes import fillable_loops
from tests import mutations, shapes
from tests.repair import broken
from tests.repair.proof import proved, steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshguard.mesh import FloatArray, IntArray

FILLED = "fill holes"


class TestFilled:
    def test_a_small_hole(self) -> None:
        mesh = broken.small_hole()
        result = repair(mesh)
        stats = proved(result)
        whole = broken.fine_sheet()

        assert steps(result) == {FILLED: 1}
        assert stats["boundary_loops"] == 1
        # The truth is known: the sheet before the faces were taken out.
        missing = _area(whole) - _area(mesh)
        assert result.area_added_mm2 == pytest.approx(missing, rel=0.05)
        assert stats["area_mm2"] == pytest.approx(_area(whole), rel=1e-4)

    def test_what_fills_it_is_marked_and_nothing_else(self) -> None:
        mesh = broken.small_hole()
        result = repair(mesh)
        marked = result.mesh.face_data["synthetic"] != 0

        assert marked.dtype == np.bool_ and np.array_equal(marked, result.face_origin == -1)
        assert np.array_equal(result.face_origin[~marked], np.arange(len(mesh.faces)))
        assert np.array_equal(result.mesh.faces[~marked], mesh.faces)
        assert result.mesh.vertices[: len(mesh.vertices)].tobytes() == mesh.vertices.tobytes()

    def test_a_hole_with_an_island_once_the_island_is_dropped(self) -> None:
        result = repair(broken.island_in_a_hole())

        assert {"drop floating components", FILLED} <= set(steps(result))
        assert proved(result)["boundary_loops"] == 1

    def test_an_island_that_is_kept_is_not_walled_in(self) -> None:
        result = repair(broken.island_in_a_hole(), policy=Policy(limits={"floating_area_mm2": 0.0}))

        assert proved(result)["components"] == 2
        assert 15996 in result.face_origin  # the island's face

    def test_two_holes_of_one_sheet(self) -> None:
        mesh = broken.with_hole(broken.small_hole(), at=(-8.0, -4.0), radius=0.35)
        result = repair(mesh)

        assert steps(result)[FILLED] == 2
        assert proved(result)["boundary_loops"] == 1

    def test_two_holes_that_touch_at_a_vertex(self) -> None:
        mesh = broken.fine_sheet()
        gone = np.isin(np.arange(len(mesh.faces)), [2 * (30 * 100 + 40), 2 * (30 * 100 + 39)])
        result = repair(mesh.take(~gone))

        assert result.before.stats["nonmanifold_vertices"] == 1
        assert proved(result)["boundary_loops"] == 1


class TestNotFilled:
    def test_beyond_the_limit(self) -> None:
        mesh = broken.hole_beyond_the_limit()
        result = repair(mesh)

        assert result.mesh is mesh
        (left,) = [left for left in result.not_repaired if left.check == "S101"]
        assert "inventing" in left.reason

    def test_the_limit_is_the_policys(self) -> None:
        mesh = broken.small_hole()
        none = repair(mesh, policy=Policy(limits={"hole_diameter_mm": 0.5}))
        more = repair(
            broken.hole_beyond_the_limit(), policy=Policy(limits={"hole_diameter_mm": 10.0, "hole_fraction": 0.2})
        )

        assert none.mesh is mesh
        assert proved(more)["boundary_loops"] == 1

    @pytest.mark.parametrize("make", [shapes.grid, shapes.triangle, lambda: shapes.cube().take(np.arange(2, 12))])
    def test_a_rim_never_is(self, make: Callable[[], Mesh]) -> None:
        mesh: Mesh = make()

        assert repair(mesh).mesh is mesh

    def test_a_rim_never_is_however_small(self) -> None:
        mesh = shapes.grid(4, 4, width=0.1, bulge=0.01)
        generous = Policy(limits={"hole_diameter_mm": 1e3, "hole_fraction": 10.0})

        assert FILLED not in steps(repair(mesh, policy=generous))

    def test_where_any_border_is_legal(self) -> None:
        mesh = broken.small_hole()

        assert repair(mesh, policy=Policy(rim="any")).mesh is mesh

    def test_under_lossless(self) -> None:
        mesh = broken.small_hole()

        assert repair(mesh, lossless=True).mesh is mesh


class TestFillable:
    def test_loops_of_a_sheet_with_a_small_and_a_large_hole(self) -> None:
        mesh = broken.with_hole(broken.small_hole(), at=(-8.0, -4.0), radius=3.0)
        scan = MeshFacts(mesh, policy("scan"))
        solid = MeshFacts(mesh, policy("print"))

        assert (len(scan.loops.is_rim), len(fillable_loops(scan)), len(fillable_loops(solid))) == (3, 1, 3)

    def test_a_border_that_ends_at_a_fin_is_no_loop(self) -> None:
        facts = MeshFacts(mutations.fin(), policy("print"))

        assert all(facts.loops.is_closed[fillable_loops(facts)])


def test_islands_are_pieces_and_not_holes_of_a_sheet_close_by() -> None:
    def holed(height: float, hole: int) -> tuple[FloatArray, IntArray]:
        side = np.arange(21) * 2.0
        x, y = np.meshgrid(side, side)
        vertices = np.stack([x, y, height + 0 * x], axis=-1).reshape(-1, 3)
        cells = [(i, j) for i in range(20) for j in range(20) if not (abs(i - 10) < hole and abs(j - 10) < hole)]
        corner = np.array([i * 21 + j for i, j in cells])
        quads = np.stack([corner, corner + 1, corner + 22, corner, corner + 22, corner + 21], axis=1)
        return vertices, quads.reshape(-1, 3)

    (first, one), (second, two) = holed(0.0, 2), holed(0.25, 1)
    mesh = Mesh(
        vertices=np.concatenate([first, second]).astype(np.float32), faces=np.concatenate([one, two + len(first)])
    )

    result = repair(mesh, policy=policy("scan").replace(limits={"hole_diameter_mm": 12.0, "hole_fraction": 1.0}))

    assert result.after.stats["components"] == 2
    assert result.after.stats["boundary_loops"] == 2


def _area(mesh: Mesh) -> float:
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)
