"""T-checks in detail: what each finding counts, lists and measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from meshguard import load, repair
from meshguard.mesh import Mesh
from meshguard.repair.plan import PLAN
from meshguard.report import Finding, Safety, Severity
from meshguard.validation import validate
from tests import mutations, shapes

if TYPE_CHECKING:
    from pathlib import Path


def only(mesh: Mesh, check: str) -> Finding:
    found = [finding for finding in validate(mesh).findings if finding.check == check]
    assert len(found) == 1
    return found[0]


def test_a_nonmanifold_edge_is_named_by_its_lowest_half_edge() -> None:
    mesh = mutations.fin()
    a, _, c = mesh.faces[40]

    finding = only(mesh, "T101")

    h = int(finding.indices[0])
    assert {int(mesh.faces[h // 3, h % 3]), int(mesh.faces[h // 3, (h % 3 + 1) % 3])} == {int(a), int(c)}
    assert finding.measures["faces_on_an_edge"] == 3
    assert finding.measures["length_mm"] == pytest.approx(float(np.linalg.norm(mesh.vertices[a] - mesh.vertices[c])))


def test_a_bow_tie_counts_its_fans() -> None:
    finding = only(mutations.bow_tie(), "T102")

    assert (finding.indices.tolist(), finding.measures["fans"]) == ([0], 2)
    assert finding.location == (0.0, 0.0, 0.0)


def test_a_flipped_face_can_be_turned_without_moving_anything() -> None:
    finding = only(mutations.flipped_face(), "T103")

    assert (finding.count, finding.fixable, finding.severity) == (3, Safety.LOSSLESS, Severity.ERROR)


def test_a_moebius_strip_can_only_be_cut_which_moves_a_seam_apart() -> None:
    (cut,) = [step for step in PLAN if "T108" in step.checks]

    assert only(shapes.moebius(), "T103").fixable is cut.safety is Safety.LOCAL
    assert only(shapes.moebius(), "T108").fixable is cut.safety
    assert only(shapes.moebius(), "T108").count == 24
    assert repair(shapes.moebius()).clean


def test_duplicates_are_found_whichever_way_they_run() -> None:
    finding = only(mutations.duplicate_face(), "T104")

    assert finding.indices.tolist() == [0, 4, 5]
    assert validate(mutations.duplicate_face()).stats["duplicate_pairs"] == 3


def test_faces_with_two_common_vertices_are_no_duplicates() -> None:
    mesh = Mesh(vertices=[[0, 0, 0], [60, 0, 0], [0, 60, 0], [0, 0, 60]], faces=[[0, 1, 2], [1, 0, 3]])

    assert validate(mesh).stats["duplicate_pairs"] == 0


def test_a_crack_says_what_a_weld_would_close() -> None:
    finding = only(mutations.crack(), "T107")

    assert finding.measures["edges_closed"] == 12
    assert finding.measures["loops_closed"] == 0  # the two halves' loops are part rim
    assert finding.measures["largest_gap_mm"] == pytest.approx(1e-4, rel=0.1)


def test_a_slit_is_a_crack_whose_loop_a_weld_closes() -> None:
    """Two neighbouring interior faces with a vertex of their own, 1e-4 mm beside the sheet's."""
    mesh = shapes.grid()
    vertices = np.concatenate([mesh.vertices, mesh.vertices[31:32] + [0, 0, 1e-4]])
    faces = mesh.faces.copy()
    around = [f for f in range(len(faces)) if 31 in faces[f]]
    chosen = [f for f in around if np.isin([30, 31], faces[f]).all() or np.isin([31, 32], faces[f]).all()][:1]
    faces[chosen] = np.where(faces[chosen] == 31, len(mesh.vertices), faces[chosen])

    finding = only(Mesh(vertices=vertices, faces=faces), "T107")

    assert finding.measures["loops_closed"] == 1
    assert finding.count == 2


def test_a_t_junction_is_a_crack_of_no_width_and_no_hole() -> None:
    finding = only(mutations.t_junction(), "T107")

    assert finding.fixable is Safety.LOSSLESS
    assert "no width" in finding.message and "(T-junction)" in finding.message
    assert (finding.measures["tjunctions"], finding.measures["loops_closed"]) == (1, 1)
    assert finding.measures["length_mm"] == pytest.approx(7.5)


def test_where_the_surface_must_be_closed_a_crack_and_a_seam_are_errors() -> None:
    for make, check in ((mutations.t_junction, "T107"), (mutations.seam, "T110")):
        for policy, severity in (("scan", Severity.WARNING), ("print", Severity.ERROR)):
            found = [finding for finding in validate(make(), policy=policy).findings if finding.check == check]

            assert [finding.severity for finding in found] == [severity]


def test_a_seam_says_how_long_and_how_wide_it_is() -> None:
    finding = only(mutations.seam(), "T110")

    assert finding.count == 2 * 6
    assert finding.measures["width_mm"] == pytest.approx(0.02, rel=0.05)
    assert finding.measures["length_mm"] > 40  # of a bulging sheet
    assert "between two components" in finding.message
    assert finding.fixable is None


def test_t_junctions_of_a_shared_file(data_root: Path) -> None:
    """Two cracks as long as the box that they run along, and not two holes."""
    path = data_root / "field" / "26_tjunction.stl"
    if not path.is_file():
        pytest.skip("the shared data hold no field/26_tjunction.stl")
    for mesh in (load(path), turned(load(path))):
        report = validate(mesh)

        assert {finding.check for finding in report.findings} == {"T107"}
        assert [finding.fixable for finding in report.findings] == [Safety.LOSSLESS] * 2
        assert [finding.measures["length_mm"] for finding in report.findings] == pytest.approx([45.0, 45.0])
        assert repair(mesh, lossless=True).after.stats["boundary_edges"] == 0


def turned(mesh: Mesh) -> Mesh:
    """The mesh in another direction, rounded as a file rounds it."""
    turn = np.array([[2, -2, 1], [1, 2, 2], [-2, -1, 2]]) / 3
    return Mesh(vertices=(mesh.vertices @ turn).astype(np.float32), faces=mesh.faces)


def test_a_seam_through_a_shared_arch_is_one_finding(data_root: Path) -> None:
    path = data_root / "field" / "47_seam_6um_arch.stl"
    if not path.is_file():
        pytest.skip("the shared data hold no field/47_seam_6um_arch.stl")
    report = validate(path)

    (finding,) = [finding for finding in report.findings if finding.check == "T110"]
    assert report.grade > 1
    assert finding.measures["width_mm"] == pytest.approx(0.006, abs=1e-4)
    assert finding.measures["length_mm"] > 14  # more than the arch is wide from its inner to its outer rim


def test_vertices_further_apart_than_the_weld_distance_are_no_crack() -> None:
    mesh = shapes.grid()
    left = mesh.vertices[mesh.faces].mean(axis=1)[:, 0] < 0
    one, other = mesh.take(left), mesh.take(~left)
    moved = other.vertices.copy()
    moved[moved[:, 0] == 0.0, 0] += 2e-3
    report = validate(shapes.joined(one, Mesh(vertices=moved, faces=other.faces)))

    assert report.outcomes["T107"].findings == 0


def test_unreferenced_vertices_are_one_finding() -> None:
    finding = only(mutations.unreferenced(), "T106")

    assert finding.indices.tolist() == [len(shapes.grid().vertices)]
    assert finding.location == (0.0, 0.0, 5.0)


def test_a_split_mesh_has_the_same_topology_as_a_welded_one() -> None:
    for make in (mutations.fin, mutations.bow_tie, shapes.moebius, mutations.duplicate_face):
        one, other = validate(make()), validate(shapes.soup(make()))
        assert {check: outcome.findings for check, outcome in one.outcomes.items()} == {
            check: outcome.findings for check, outcome in other.outcomes.items()
        }
