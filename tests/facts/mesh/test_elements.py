"""Elements by their names: what flags say of a face, what counts and measures say of a component."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import Policy, policy
from tests import mutations, shapes

if TYPE_CHECKING:
    from meshguard.facts.mesh.elements import FaceMeasures


def facts_of(mesh: Mesh) -> MeshFacts:
    return MeshFacts(mesh, policy("scan"))


def measures(points: object, rules: Policy | None = None) -> FaceMeasures:
    """What one face is."""
    mesh = Mesh(vertices=np.array(points, np.float64), faces=[[0, 1, 2]])
    return MeshFacts(mesh, rules or policy("scan")).face_measures


class TestFaceMeasures:
    def test_a_plain_face_has_an_area_and_nothing_is_wrong_with_it(self) -> None:
        found = measures([[0, 0, 0], [3, 0, 0], [0, 4, 0]])
        wrong = (found.is_nonfinite, found.is_repeated, found.is_collinear, found.is_needle, found.is_cap)

        assert found.area.tolist() == [6.0]
        assert not any(flag.any() for flag in (*wrong, found.is_outside_exact, found.is_short))

    def test_what_has_no_place_no_area_or_two_corners_in_one(self) -> None:
        nonfinite = measures([[0, 0, 0], [1, 0, 0], [0, np.nan, 0]])
        line, twice = (measures([[0, 0, 0], [1, 0, 0], last]) for last in ([3, 0, 0], [1, 0, 0]))

        assert (nonfinite.is_nonfinite.tolist(), nonfinite.is_collinear.tolist()) == ([True], [False])
        assert (line.is_collinear.tolist(), line.is_repeated.tolist(), line.area.tolist()) == ([True], [False], [0.0])
        assert (twice.is_collinear.tolist(), twice.is_repeated.tolist()) == ([True], [True])

    @pytest.mark.parametrize(("height", "expected"), [(40.0, False), (60.0, True)])
    def test_a_needle_is_fifty_times_as_long_as_wide(self, height: float, expected: bool) -> None:
        points = [[0, 0, 0], [1, 0, 0], [0.5, height, 0]]

        assert measures(points).is_needle.tolist() == [expected]
        assert measures(points, Policy(limits={"aspect": 100.0})).is_needle.tolist() == [False]

    @pytest.mark.parametrize(("height", "expected"), [(0.25, False), (0.2, True)])
    def test_a_cap_has_an_angle_beyond_175_degrees(self, height: float, expected: bool) -> None:
        points = [[0, 0, 0], [10, 0, 0], [5, height, 0]]
        angle = 180 - 2 * math.degrees(math.atan(height / 5))

        assert (angle > 175) == expected
        assert measures(points).is_cap.tolist() == [expected]

    def test_a_short_edge_is_told_by_its_half_edge(self) -> None:
        vertices = np.array([[0, 0, 0], [100, 0, 0], [100, 5e-4, 0], [0, 100, 0]])
        found = facts_of(Mesh(vertices=vertices, faces=[[0, 1, 2], [0, 2, 3]])).face_measures

        assert found.is_short.tolist() == [[False, True, False], [False, False, False]]

    def test_edges_of_a_face_with_a_repeated_corner_are_not_short(self) -> None:
        assert measures([[0, 0, 0], [100, 0, 0], [100, 0, 0]]).is_short.tolist() == [[False, False, False]]

    def test_a_coordinate_beyond_the_exact_predicates(self) -> None:
        assert measures([[0, 0, 0], [1, 0, 0], [0, 1, 1e-80]]).is_outside_exact.tolist() == [True]
        assert measures([[0, 0, 0], [1, 0, 0], [0, 1, 1e-20]]).is_outside_exact.tolist() == [False]


class TestComponents:
    def test_measures_of_a_tetrahedron(self) -> None:
        found = facts_of(shapes.tetrahedron(60.0)).components

        assert found.n_components == 1
        assert found.area[0] == pytest.approx(3 * 1800 + math.sqrt(3) / 4 * 2 * 3600)
        assert found.volume[0] == found.absolute_volume[0] == pytest.approx(60.0**3 / 6)
        assert found.radius[0] == pytest.approx(math.sqrt(45**2 + 15**2 + 15**2))  # the mean of its corners is at 15
        assert (found.lowest.tolist(), found.highest.tolist()) == ([[0, 0, 0]], [[60, 60, 60]])

    def test_volume_of_a_cube(self) -> None:
        assert facts_of(shapes.cube(2.0)).components.volume[0] == pytest.approx(8.0)

    def test_signs_cancel_in_the_volume_and_not_beside_it(self) -> None:
        cube = shapes.cube(2.0)
        turned = facts_of(Mesh(vertices=cube.vertices, faces=cube.faces[:, ::-1])).components
        doubled = facts_of(mutations.doubled_triangle()).components

        assert (turned.volume[0], turned.absolute_volume[0]) == (pytest.approx(-8.0), pytest.approx(8.0))
        assert doubled.volume[0] == 0.0

    def test_counts_of_a_body_and_of_a_square(self) -> None:
        found = facts_of(shapes.joined(shapes.tetrahedron(), shapes.grid(1, 1))).components

        assert found.n_faces.tolist() == [4, 2]
        assert found.n_edges.tolist() == [6, 5]
        assert found.n_fans.tolist() == [4, 4]
        assert found.n_boundary_edges.tolist() == [0, 4]
        assert found.is_open.tolist() == [False, True]
        assert found.n_nonmanifold_edges.tolist() == found.n_inconsistent_edges.tolist() == [0, 0]

    def test_edges_that_no_surface_has_are_counted(self) -> None:
        assert facts_of(mutations.fin()).components.n_nonmanifold_edges.tolist() == [1]
        assert facts_of(mutations.flipped_face()).components.n_inconsistent_edges.tolist() == [3]

    def test_some_of_them_are_those_of_a_mesh_that_has_no_others(self) -> None:
        parts = (mutations.fold(), shapes.cube(), mutations.duplicate_face(), shapes.tetrahedron())
        mesh = shapes.joined(
            *(Mesh(vertices=part.vertices + [0, 0, 100.0 * k], faces=part.faces) for k, part in enumerate(parts))
        )
        every = facts_of(mesh).components
        faces = np.flatnonzero(np.isin(every.of_face, [0, 2])).astype(np.int32)

        found, expected = every.only(faces), facts_of(mesh.take(faces)).components

        assert every.n_components == 4
        assert found.of_face.tolist() == expected.of_face.tolist()
        assert found.counts.tolist() == expected.counts.tolist()
        assert np.allclose(found.measures, expected.measures)
        assert found.folds.tolist() == expected.folds.tolist() and found.folds.any()
        assert found.doubled.tolist() == expected.doubled.tolist() and found.doubled.any()
