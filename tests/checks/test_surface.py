"""S-checks in detail: rims, holes, pieces, tunnels."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard.mesh import Mesh
from meshguard.policy import Policy
from meshguard.report import Finding, Safety, Severity, Status
from meshguard.validation import validate
from tests import mutations, shapes


def holes(mesh: Mesh, policy: str | Policy = "scan") -> list[Finding]:
    return [finding for finding in validate(mesh, policy=policy).findings if finding.check == "S101"]


def test_the_one_rim_of_a_sheet_is_legal_and_a_hole_is_not() -> None:
    assert holes(shapes.grid()) == []
    assert [finding.count for finding in holes(mutations.large_hole())] == [3]


def test_a_lone_small_loop_in_a_closed_body_is_a_hole() -> None:
    assert [finding.count for finding in holes(mutations.hole_in_body())] == [3]


def test_a_cup_whose_only_loop_is_wide_has_a_rim() -> None:
    mesh = shapes.cube()

    assert holes(mesh.take(np.arange(2, 12))) == []


def test_a_small_hole_may_be_filled_and_a_large_one_needs_a_rescan() -> None:
    (small,), (large,) = holes(mutations.small_hole()), holes(mutations.large_hole())

    assert (small.severity, small.fixable) == (Severity.WARNING, Safety.LOCAL)
    assert (large.severity, large.fixable) == (Severity.ERROR, Safety.INVENTIVE)
    assert large.measures["perimeter_mm"] > large.measures["diameter_mm"] * 2
    assert large.limit == "hole_diameter_mm"


def test_under_print_the_rim_is_a_hole_too_and_under_any_nothing_is() -> None:
    assert len(holes(mutations.large_hole(), "print")) == 2
    report = validate(mutations.large_hole(), policy=Policy(rim="any"))
    assert report.outcomes["S101"].status is Status.SKIPPED


def test_a_hole_lists_the_vertices_along_it() -> None:
    mesh = shapes.grid()
    (finding,) = holes(mutations.large_hole())

    assert finding.indices.tolist() == sorted(mesh.faces[40].tolist())


def test_debris_is_small_beside_the_mesh_and_in_itself() -> None:
    (finding,) = validate(mutations.debris()).findings

    assert (finding.severity, finding.fixable) == (Severity.WARNING, Safety.LOCAL)
    assert finding.measures["area_mm2"] == pytest.approx(3**0.5 / 2)
    assert finding.indices.tolist() == [96]


def test_what_lies_on_itself_has_no_depth_in_words() -> None:
    square = np.array([[0, 0, 0], [60, 0, 0], [60, 60, 0], [0, 60, 0]], float)
    twice = Mesh(vertices=square, faces=[[0, 1, 2], [0, 2, 3], [0, 1, 3], [1, 2, 3]])

    (finding,) = [finding for finding in validate(twice).findings if finding.check == "S102"]
    assert finding.measures["depth_mm"] == 0 and "deep" not in finding.message


def test_a_second_sheet_is_told_and_kept() -> None:
    (finding,) = validate(mutations.two_sheets()).findings

    assert (finding.severity, finding.fixable) == (Severity.INFO, None)


def test_the_distance_of_a_piece_is_between_nearest_vertices() -> None:
    mesh = shapes.grid(2, 2, bulge=0.0)
    stray = Mesh(vertices=np.array([[0, 0, 3], [0.5, 0, 3], [0, 0.5, 3]]), faces=[[0, 1, 2]])

    (finding,) = validate(shapes.joined(mesh, stray)).findings

    assert finding.measures["distance_mm"] == 3.0


def test_tunnels_are_counted_for_each_piece() -> None:
    one, two = shapes.torus(), shapes.torus()
    far = Mesh(vertices=two.vertices + [0, 0, 30.0], faces=two.faces)
    found = [finding for finding in validate(shapes.joined(one, far)).findings if finding.check == "S105"]

    assert [finding.measures["tunnels"] for finding in found] == [1, 1]
    assert sorted(finding.indices[0] >= len(one.vertices) for finding in found) == [False, True]


def test_a_torus_with_a_hole_still_has_its_tunnel() -> None:
    assert validate(mutations.hole_in_body()).stats["tunnels"] == 1
