"""G-checks in detail."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard.mesh import Mesh
from meshguard.policy import Policy
from meshguard.report import Finding, Severity
from meshguard.validation import validate
from tests import mutations, shapes


def only(mesh: Mesh, check: str) -> Finding:
    found = [finding for finding in validate(mesh).findings if finding.check == check]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_where_no_face_would_be_left_nothing_can_be_repaired(value: float) -> None:
    mesh = Mesh(vertices=np.full((4, 3), value), faces=[[0, 1, 2], [1, 2, 3]])
    finding = only(mesh, "G101")

    assert finding.fixable is None
    assert finding.message == "4 vertices have no finite position; 2 faces use them, and no other face is left."
    assert validate(mesh).grade == 4


def test_nonfinite_vertices_have_no_place_and_count_their_faces() -> None:
    finding = only(mutations.nonfinite(), "G101")

    assert (finding.indices.tolist(), finding.location) == ([4], None)
    assert finding.measures["faces"] == 3


@pytest.mark.parametrize(("unit", "factor"), [("centimetres", 10.0), ("inches", 25.4), ("metres", 1000.0)])
def test_a_unit_that_explains_the_size_is_named(unit: str, factor: float) -> None:
    mesh = shapes.grid()

    finding = only(Mesh(vertices=mesh.vertices / factor, faces=mesh.faces), "G106")

    assert unit in finding.message
    assert finding.severity is Severity.ERROR
    assert finding.measures[f"longest_side_if_{unit}_mm"] == pytest.approx(60.0, rel=1e-6)


def test_a_size_that_no_unit_explains_is_a_warning() -> None:
    assert only(mutations.gigantic(), "G106").severity is Severity.WARNING


def test_size_limits_are_the_policys() -> None:
    policy = Policy(limits={"size_min_mm": 1, "size_max_mm": 10})

    assert validate(mutations.centimetres(), policy=policy).outcomes["G106"].findings == 0


def test_a_cavity_is_not_inside_out() -> None:
    outer, inner = shapes.cube(), shapes.cube(20.0)
    cavity = Mesh(vertices=inner.vertices + 20.0, faces=inner.faces[:, ::-1])
    beside = Mesh(vertices=inner.vertices + 70.0, faces=inner.faces[:, ::-1])

    assert validate(shapes.joined(outer, cavity)).stats["inverted_bodies"] == 0
    assert validate(shapes.joined(outer, beside)).stats["inverted_bodies"] == 1


def test_a_doubled_sheet_is_never_called_inside_out() -> None:
    """Its volume is nothing but rounding."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        mesh = shapes.grid()
        turned = mesh.vertices @ np.linalg.qr(rng.normal(size=(3, 3)))[0]
        doubled = Mesh(vertices=turned, faces=np.concatenate([mesh.faces, mesh.faces[:, ::-1]]))
        assert validate(doubled).outcomes["G107"].findings == 0


def test_an_inverted_sheet_is_found_on_any_axis_and_place() -> None:
    mesh = shapes.grid(30, 30)
    for axes in ([0, 1, 2], [1, 2, 0], [2, 0, 1]):
        for move in (0.0, 500.0, -500.0):
            vertices = mesh.vertices[:, axes] + move
            assert validate(Mesh(vertices=vertices, faces=mesh.faces)).outcomes["G107"].findings == 0
            inverted = Mesh(vertices=vertices, faces=mesh.faces[:, ::-1])
            assert validate(inverted).outcomes["G107"].findings == 1


def test_a_fold_is_beyond_the_angle_and_not_before() -> None:
    def hinge(angle: float) -> Mesh:
        """Two faces whose normals differ by this angle."""
        turn = np.radians(angle)
        tip = [30.0, -30 * np.cos(turn), 30 * np.sin(turn)]
        return Mesh(vertices=[[0, 0, 0], [60, 0, 0], [30, 30, 0], tip], faces=[[0, 1, 2], [1, 0, 3]])

    assert validate(hinge(169.0)).outcomes["G105"].findings == 0
    assert validate(hinge(171.0)).outcomes["G105"].findings == 1


def test_a_short_edge_is_listed_once_for_its_two_faces() -> None:
    finding = only(mutations.short_edge(), "G104")

    assert finding.count == 1
    assert finding.measures["shortest_mm"] == pytest.approx(0.0002)


def far(mesh: Mesh, by: object, *, single: bool) -> Mesh:
    """The mesh somewhere else, in single or double precision."""
    vertices = mesh.vertices + np.asarray(by, np.float64)
    return Mesh(vertices=vertices.astype(np.float32) if single else vertices, faces=mesh.faces)


class TestCoarseFloat32:
    ARCH = shapes.grid(width=90.0)

    @pytest.mark.parametrize("axis", [0, 1, 2])
    @pytest.mark.parametrize("single", [False, True])
    def test_from_the_distance_on_where_a_step_is_more_than_a_micrometre(self, axis: int, single: bool) -> None:
        """From 2**14 mm on a step is 0.00195 mm; below it is 0.00098 mm."""
        move = np.zeros(3)
        move[axis] = 2.0**14 - self.ARCH.vertices[:, axis].max() + 1e-2
        finding = only(far(self.ARCH, move, single=single), "G109")

        assert (finding.severity, finding.fixable) == (Severity.WARNING, None)
        assert finding.measures["step_mm"] == 2.0**-9
        assert finding.measures["distance_mm"] == pytest.approx(2.0**14, abs=0.1)
        for side in (1.0, -1.0):
            near = far(self.ARCH, side * (move - 100.0 * (move > 0)), single=single)
            assert validate(near).outcomes["G109"].findings == 0

    def test_it_says_whether_detail_will_be_lost_or_may_be_already(self) -> None:
        move = [1e6 + 1e-3, 0.0, 0.0]

        assert "saving it as STL would move its vertices" in only(far(self.ARCH, move, single=False), "G109").message
        assert "may be lost already" in only(far(self.ARCH, move, single=True), "G109").message

    def test_a_small_mesh_has_a_smaller_limit(self) -> None:
        """A scan in centimetres at 10 m, written as 1000: a step is 0.00006 units, which are 0.6 micrometres there."""
        arch = Mesh(vertices=self.ARCH.vertices / 10, faces=self.ARCH.faces)

        assert validate(far(arch, [1000.0, 0, 0], single=False)).outcomes["G109"].findings == 0
        assert only(far(arch, [2000.0, 0, 0], single=False), "G109").measures["step_mm"] == 2.0**-13

    def test_size_alone_is_no_reason(self) -> None:
        """No place is finer for a mesh that is 90 m long itself, or a scan in micrometres."""
        large = Mesh(vertices=self.ARCH.vertices * 1000, faces=self.ARCH.faces)

        assert validate(far(large, [45_000.0, 30_000.0, 0.0], single=False)).outcomes["G109"].findings == 0
        assert validate(far(large, [5e6, 0.0, 0.0], single=False)).outcomes["G109"].findings == 1

    def test_a_stray_vertex_far_away_is_no_reason(self) -> None:
        vertices = np.concatenate([self.ARCH.vertices, [[1e7, 0, 0]]])

        assert validate(Mesh(vertices=vertices, faces=self.ARCH.faces)).outcomes["G109"].findings == 0

    def test_what_no_stl_can_hold_has_no_step(self) -> None:
        finding = only(far(shapes.cube(1e38), [1e39, 0.0, 0.0], single=False), "G109")

        assert "farther than the numbers of an STL" in finding.message
        assert "step_mm" not in finding.measures

    def test_the_limit_is_the_policys(self) -> None:
        mesh = far(self.ARCH, [950.0, 0.0, 0.0], single=True)

        assert validate(mesh, policy=Policy(limits={"float32_step_mm": 5e-5})).outcomes["G109"].findings == 1
        assert validate(mesh, policy=Policy(limits={"float32_step_mm": 7e-5})).outcomes["G109"].findings == 0
