"""Rounding: positions become what a file with float32 coordinates keeps, where the file has such coordinates."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard import repair
from meshguard.errors import RepairRefused
from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import Policy, policy
from meshguard.repair.mesh.precision import Precision
from meshguard.repair.mesh.rounding import not_float32, round_positions
from tests import shapes
from tests.repair import broken
from tests.repair.drafts import draft
from tests.repair.proof import proved, steps

DISSOLVED, DROPPED = "dissolve faces without area", "drop faces with a repeated corner"


def shifted(mesh: Mesh, by: object) -> Mesh:
    return Mesh(vertices=mesh.vertices + np.asarray(by), faces=mesh.faces)


def facts(mesh: Mesh) -> MeshFacts:
    return MeshFacts(mesh, policy("scan"))


FINE = shifted(shapes.grid(), 1e-9)
"""A sheet that float32 does not hold as it is."""

FAR = shifted(shapes.grid(), [1e6 + 1e-3, 0.0, 0.0])
"""The same at 1 km, where float32 has steps of 0.06 mm."""


class TestRounding:
    def test_positions_become_what_an_stl_would_keep(self) -> None:
        result = repair(FINE, target="stl")

        assert steps(result) == {"round positions to float32": len(FINE.vertices)}
        assert np.array_equal(result.mesh.vertices, FINE.vertices.astype(np.float32).astype(np.float64))
        assert 0 < result.max_displacement_mm < 4e-6
        assert result.area_removed_mm2 == 0.0
        assert result.steps[0].parameters == {"rounding_mm": pytest.approx(1e-5 * facts(FINE).diagonal)}

    def test_what_rounding_takes_from_a_face_is_not_removed(self) -> None:
        """At 8 m a step is half a micrometre, which is more than a rounding error of the area."""
        far = shifted(shapes.grid(60, 40, width=100.0), [8000.0003, 0.0, 0.0])
        result = repair(far, target="stl")

        assert 0 < result.max_displacement_mm <= 1e-3
        assert result.area_removed_mm2 == 0.0

    def test_a_ply_keeps_them(self) -> None:
        for mesh in (FINE, FAR):
            assert repair(mesh).mesh is mesh
            assert repair(mesh, target="ply").mesh is mesh

    def test_beyond_the_limit_it_is_refused_and_nothing_is_spoiled(self) -> None:
        with pytest.raises(RepairRefused, match=r"move vertices by up to 0\.0[0-9]+ mm.*--recentre") as refused:
            repair(FAR, target="stl")

        assert refused.value.result.mesh is FAR
        assert not refused.value.result.clean

    def test_the_limit_is_the_policys(self) -> None:
        near = shifted(shapes.grid(), [5000.0003, 0.0, 0.0])
        strict = Policy(limits={"rounding_mm": 1e-5})

        assert repair(near, target="stl").clean
        with pytest.raises(RepairRefused, match="more than the limit"):
            repair(near, target="stl", policy=strict)

    def test_what_float32_cannot_hold_is_refused_or_kept_as_it_is(self) -> None:
        mesh = shapes.cube()
        huge = Mesh(vertices=mesh.vertices * 1e40, faces=mesh.faces)
        result = repair(huge, lossless=True)

        assert result.mesh is huge
        with pytest.raises(RepairRefused, match="too large for an STL"):
            repair(huge, target="stl")

    def test_lossless_keeps_them(self) -> None:
        assert repair(FINE, lossless=True, target="stl").mesh is FINE

    def test_lossless_is_refused_what_an_stl_would_break(self) -> None:
        with pytest.raises(RepairRefused, match="once rounded"):
            repair(lifted_cap(1e-9), lossless=True, target="stl")
        with pytest.raises(RepairRefused, match="--recentre"):
            repair(FAR, lossless=True, target="stl")

    def test_faces_that_rounding_makes_flat_are_dissolved_after_it(self) -> None:
        result = repair(lifted_cap(-1e-9), target="stl")

        proved(result)
        assert list(steps(result)) == ["round positions to float32", DISSOLVED]


def test_a_draft_of_doubles_is_not_rounded() -> None:
    start = draft(FINE, precision=Precision.DOUBLE)

    assert not not_float32(start).any()
    assert round_positions(start).draft is start


def lifted_cap(by: float) -> Mesh:
    """A cap whose corner is moved off its edge by less than float32 resolves there: inward, or beyond the edge."""
    mesh = broken.cap()
    vertices = mesh.vertices.copy()
    vertices[25, :2] += [-by, by]
    return Mesh(vertices=vertices, faces=mesh.faces)


def test_only_what_a_file_would_move_and_can_hold_is_not_float32() -> None:
    points = np.array([[1.0, 0.5, -0.25], [0.1, 0, 0], [np.nan, 0.1, 0], [1e40, 0.1, 0], [0, 0, 2.0**100]])
    found = not_float32(draft(Mesh(vertices=points, faces=[[0, 1, 2], [1, 3, 4]])))

    assert found.tolist() == [False, True, False, False, False]
