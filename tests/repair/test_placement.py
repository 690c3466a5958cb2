"""Another unit and another place: done when asked, exactly reversible, and nothing else of the mesh changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import meshguard
from meshguard import repair
from meshguard.errors import MeshError
from meshguard.facts.mesh import MeshFacts
from meshguard.float32 import are_float32
from meshguard.mesh import Mesh
from meshguard.policy import policy
from meshguard.repair.placement import centring_shift, placed, scale_of
from tests import shapes
from tests.repair import broken
from tests.repair.proof import proved, through

if TYPE_CHECKING:
    from meshguard.repair.placement import Placement


def moved(mesh: Mesh, scale: float = 1.0, *, recentre: bool = False) -> Placement:
    return placed(MeshFacts(mesh, policy("scan")), scale, recentre=recentre)


class TestScale:
    @pytest.mark.parametrize(
        ("unit", "millimetres"),
        [("um", 0.001), ("\N{MICRO SIGN}m", 0.001), ("mm", 1.0), ("cm", 10.0), ("m", 1000.0), ("inch", 25.4)],
    )
    def test_of_a_unit(self, unit: str, millimetres: float) -> None:
        assert scale_of(unit, None) == millimetres

    def test_of_nothing_is_1(self) -> None:
        assert scale_of(None, None) == 1.0

    @pytest.mark.parametrize(
        ("unit", "scale", "said"),
        [
            ("cm", 10.0, "give one of them"),
            ("mile", None, "unit must be one of mm, cm, inch, m, um"),
            (None, 0.0, "finite number above 0"),
            (None, -1.0, "finite number above 0"),
            (None, np.nan, "finite number above 0"),
            (None, np.inf, "finite number above 0"),
        ],
    )
    def test_what_is_no_scale_is_refused(self, unit: str | None, scale: float | None, said: str) -> None:
        with pytest.raises(MeshError, match=said):
            scale_of(unit, scale)
        with pytest.raises(MeshError, match=said):
            repair(shapes.grid(), unit=unit, scale=scale)  # type: ignore[arg-type]

    def test_every_coordinate_is_multiplied_and_nothing_else_changes(self) -> None:
        mesh = through(shapes.grid().with_data(vertex={"label": np.arange(63)}), "ply")
        found = moved(mesh, 25.4)

        assert np.array_equal(found.mesh.vertices, mesh.vertices * 25.4)
        assert found.mesh.faces is mesh.faces and found.mesh.source is mesh.source
        assert np.array_equal(found.mesh.vertex_data["label"], mesh.vertex_data["label"])
        assert (found.scale, found.shift_mm) == (25.4, (0.0, 0.0, 0.0))

    def test_unasked_the_mesh_is_the_input(self) -> None:
        mesh = shapes.grid()

        assert moved(mesh).mesh is mesh
        assert moved(mesh, recentre=True).mesh is mesh

    def test_limits_are_true_millimetres_after_it(self) -> None:
        """A hole of 1 mm in inches is 0.04 units wide, and is filled like any of 1 mm."""
        arch = broken.small_hole()
        inches = Mesh(vertices=arch.vertices / 25.4, faces=arch.faces)
        result = repair(inches, unit="inch", target="stl")

        proved(result)
        assert [step.mended for step in result.steps if step.name == "fill holes"] == [1]
        assert result.scale == 25.4
        assert "G106" in {finding.check for finding in result.before.findings}
        assert "G106" not in {finding.check for finding in result.after.findings}
        assert result.area_added_mm2 == pytest.approx(repair(arch).area_added_mm2, rel=1e-3)

    def test_it_does_not_count_as_a_displacement(self) -> None:
        result = repair(shapes.grid(), scale=10.0)

        assert result.changed and not result.steps
        assert result.max_displacement_mm == 0.0
        assert result.to_dict()["scale"] == 10.0


_FAR = st.floats(-1e9, 1e9)


class TestShift:
    @given(
        st.tuples(_FAR, _FAR, _FAR),
        st.floats(1e-3, 1e4),
        st.integers(0, 2**32 - 1),
        st.booleans(),
    )
    def test_adding_it_gives_every_bit_back(
        self, place: tuple[float, float, float], size: float, seed: int, is_single: bool
    ) -> None:
        points = np.array(place) + size * np.random.default_rng(seed).random((30, 3))
        points = points.astype(np.float32).astype(np.float64) if is_single else points
        shift = centring_shift(points.min(axis=0), points.max(axis=0))
        near = points - shift

        assert (near + shift).tobytes() == points.tobytes()
        # What float32 held it still holds, and what an axis was moved by brought it nearer.
        assert not is_single or are_float32(near)
        assert (np.abs(near).max(axis=0) <= np.abs(points).max(axis=0)).all()

    @given(st.tuples(_FAR, _FAR, _FAR), st.floats(1.0, 200.0))
    def test_what_lies_far_away_comes_within_some_sizes_of_the_origin(
        self, place: tuple[float, float, float], size: float
    ) -> None:
        low = np.array(place)
        shift = centring_shift(low, low + size)

        assert (np.abs(low - shift) <= 16 * size * 3**0.5).all()

    @pytest.mark.parametrize("move", [0.0, 300.0, -300.0])
    def test_what_lies_near_the_origin_stays(self, move: float) -> None:
        assert not centring_shift(np.array([-30.0, -20, -5]) + move, np.array([30.0, 20, 5]) + move).any()

    def test_both_jaws_of_a_bite_are_shifted_alike(self) -> None:
        upper = centring_shift(np.array([20_000.0, 0, 0]), np.array([20_065.0, 50, 15]))
        lower = centring_shift(np.array([20_002.0, 4, -14]), np.array([20_062.0, 52, 1]))

        assert upper.tolist() == lower.tolist() and upper[0] > 0

    def test_what_has_no_extent_stays(self) -> None:
        for point in (np.full(3, 1e9), np.zeros(3)):
            assert not centring_shift(point, point).any()
        with np.errstate(over="ignore"):
            assert not centring_shift(np.full(3, -1e308), np.full(3, 1e308)).any()

    def test_it_is_recorded_and_apart_from_displacements(self) -> None:
        sheet = shapes.grid()
        far = Mesh(vertices=sheet.vertices + [5e6, -2e6, 0.0], faces=sheet.faces)
        result = repair(far, recentre=True)

        assert result.changed and result.max_displacement_mm == 0.0
        assert np.array_equal(result.mesh.vertices + result.shift_mm, far.vertices)
        assert result.to_dict()["shift_mm"] == list(result.shift_mm)
        assert {finding.check for finding in result.before.findings} == {"G109"}
        assert not result.after.findings
        assert repair(result.mesh, recentre=True).mesh is result.mesh

    def test_the_unit_comes_first(self) -> None:
        sheet = shapes.grid()
        far = Mesh(vertices=(sheet.vertices + [5e6, 0.0, 0.0]) / 10, faces=sheet.faces)
        result = repair(far, unit="cm", recentre=True)

        assert np.array_equal(result.mesh.vertices + result.shift_mm, far.vertices * 10)

    def test_an_stl_far_away_loses_nothing_more(self) -> None:
        far = through(Mesh(vertices=shapes.grid().vertices + [20_000.0, 0.0, 0.0], faces=shapes.grid().faces), "stl")
        result = repair(far, recentre=True)
        saved = through(result.mesh, "stl")

        assert result.target == "stl" and not result.steps
        assert np.array_equal(saved.vertices + result.shift_mm, far.vertices)
        assert meshguard.validate(saved).ok
