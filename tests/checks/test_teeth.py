"""Teeth as an arch: order, sides, slots, sizes, borders; on any side up, on parts of an arch, and on real ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from benchmarks import teeth as benchmark

import meshguard
from meshguard import fdi
from meshguard.checks import crown_norms as norms
from meshguard.checks.teeth import _out_of_order
from meshguard.phantoms import LABEL_DEFECTS, mislabel, phantom
from meshguard.phantoms.teeth import STANDARD_TEETH
from meshguard.report import Report, Severity, Status
from tests.checks.test_labels import ARCH, of, renumbered, report

if TYPE_CHECKING:
    from pathlib import Path

    from meshguard.mesh import Mesh


def checks(found: Report) -> set[str]:
    return {finding.check for finding in found.findings}


def test_the_longest_row_that_does_not_fall_is_kept() -> None:
    assert _out_of_order([1, 2, 3]) == []
    assert _out_of_order([1, 3, 2, 4]) == [2]
    assert _out_of_order([5, 1, 2, 2, 3]) == [0]
    assert _out_of_order([]) == []


class TestOrder:
    def test_neighbours_swapped(self) -> None:
        (finding,) = of(renumbered(t34=35, t35=34), "D106")

        assert finding.severity is Severity.ERROR
        assert set(finding.indices.tolist()) == {34, 35}
        assert 5.0 < finding.measures["distance_mm"] < 10.0

    @pytest.mark.parametrize("kept", [(37, 46, 47), (37, 45, 46, 47), (36, 37, 46, 47), (33, *range(34, 38), 46, 47)])
    def test_teeth_of_both_sides_without_the_front(self, kept: tuple[int, ...]) -> None:
        label = ARCH.vertex_data["label"]
        some = ARCH.take(np.isin(label, kept)[ARCH.faces].all(axis=1))

        assert of(some, "D106") == []

    def test_sides_swapped_are_said_once_and_the_order_is_whole(self) -> None:
        mirror = {f"t{code}": fdi.antimere(code) for code in (*range(31, 38), *range(41, 48))}

        assert [(f.check, f.count) for f in report(renumbered(**mirror)).findings] == [("D107", 14)]

    def test_a_mirrored_mesh_has_its_sides_swapped(self) -> None:
        assert checks(report(ARCH.with_vertices(ARCH.vertices * [-1, 1, 1]))) == {"D107"}

    def test_the_winding_does_not_tell_sides(self) -> None:
        from meshguard.mesh import Mesh

        label = {"label": ARCH.vertex_data["label"]}
        turned = Mesh(vertices=ARCH.vertices, faces=ARCH.faces[:, ::-1], vertex_data=label)

        assert checks(report(turned)) == set()


class TestSlots:
    def test_milk_tooth_and_successor(self) -> None:
        (finding,) = of(renumbered(t34=75), "D108")

        assert (finding.severity, finding.indices.tolist()) == (Severity.WARNING, [35, 75])

    def test_mixed_dentition_is_in_order(self) -> None:
        assert of(renumbered(t34=74, t35=75, t44=84, t45=85), "D106") == []

    def test_missing_teeth_are_told(self) -> None:
        mesh = renumbered(t35=0, t44=0)
        (finding,) = of(mesh, "D114")

        assert (finding.severity, finding.indices.tolist()) == (Severity.INFO, [35, 44])
        assert finding.location is not None

    def test_third_molars_are_not_missing(self) -> None:
        assert of(ARCH, "D114") == []


class TestSizes:
    def test_two_teeth_with_one_number_that_touch_are_too_wide(self) -> None:
        (finding,) = of(renumbered(t31=32), "D109")

        assert (finding.tooth, finding.severity) == (32, Severity.ERROR)
        assert finding.measures["mesiodistal_ratio"] > 1.6

    def test_a_tooth_that_stands_across_the_row_is_no_error(self) -> None:
        """Wide along the arch, since it is turned, but with no more surface than it had."""
        crown = ARCH.vertex_data["label"] == 41
        points = ARCH.vertices.copy()
        middle = points[crown].mean(axis=0)
        points[crown] = middle + (points[crown] - middle) * [1.95, 0.4, 0.6]
        (finding,) = of(ARCH.with_vertices(points), "D109")

        assert (finding.tooth, finding.severity) == (41, Severity.WARNING)
        assert finding.measures["mesiodistal_ratio"] > 1.6 and finding.measures["area_ratio"] < 1.5

    def test_numbers_shifted_along_a_side(self) -> None:
        found = of(renumbered(t34=35, t35=36, t36=37, t37=38), "D109")

        assert [finding.measures.get("shift") for finding in found] == [-1]
        assert found[0].severity is Severity.WARNING

    def test_a_wrong_unit_is_said_once(self) -> None:
        (finding,) = of(ARCH.with_vertices(0.5 * ARCH.vertices), "D109")

        assert finding.measures["ratio"] == pytest.approx(0.53, abs=0.05)

    def test_antimeres(self) -> None:
        mesh, truth = mislabel(ARCH, "truncated", seed=1)

        assert [f.tooth for f in of(mesh, "D110")] == [truth.measures["tooth"]]

    def test_the_norms_are_those_of_the_phantoms(self) -> None:
        for jaw, crowns in STANDARD_TEETH.items():
            assert [(c.mesiodistal_mm, c.buccolingual_mm) for c in crowns] == list(norms.PERMANENT[jaw])

    def test_every_tooth_has_a_norm(self) -> None:
        assert all(min(norms.norm_of(code)) > 3.0 for code in (*fdi.PERMANENT, *fdi.DECIDUOUS))


class TestForgotten:
    def test_a_forgotten_tooth(self) -> None:
        (finding,) = of(renumbered(t43=0), "D113")

        assert finding.severity is Severity.WARNING
        assert finding.location is not None
        there = ARCH.vertices[ARCH.vertex_data["label"] == 43]
        assert np.linalg.norm(there - finding.location, axis=1).min() < 1.0


class TestAnywhere:
    @pytest.mark.parametrize("defect", ["neighbours_swapped", "mirrored", "merged", "hole", "forgotten", "bleeding"])
    def test_no_motion_changes_a_finding(self, defect: str) -> None:
        mesh, _ = mislabel(ARCH, defect, seed=3)
        here = report(mesh)

        for seed in range(3):
            there = report(benchmark.moved(mesh, seed))
            assert sorted((f.check, f.tooth or 0, f.indices.tolist()) for f in there.findings) == sorted(
                (f.check, f.tooth or 0, f.indices.tolist()) for f in here.findings
            )

    @pytest.mark.parametrize("teeth", [2, 3, 5, 8])
    def test_few_teeth(self, teeth: int) -> None:
        assert checks(report(phantom(faces=8_000, teeth=teeth))) == set()

    def test_one_side_of_an_arch(self) -> None:
        label = ARCH.vertex_data["label"].astype(int)
        near = np.isin(label, range(31, 38))[ARCH.faces].any(axis=1) | (ARCH.vertices[ARCH.faces[:, 0], 0] < -6)
        half = ARCH.take(near)
        kept = np.where(half.vertex_data["label"] // 10 == 3, half.vertex_data["label"], 0)
        half = half.without_labels().with_data(vertex={"label": kept})

        assert checks(report(half)) - {"D113"} == set()
        swapped = kept.copy()
        swapped[kept == 34], swapped[kept == 36] = 36, 34
        assert "D106" in checks(report(half.with_data(vertex={"label": swapped})))

    def test_a_straight_row_has_no_sides(self) -> None:
        label = ARCH.vertex_data["label"].astype(int)
        few = ARCH.take(np.isin(label, (35, 36, 37))[ARCH.faces].all(axis=1))
        mirror = np.where(few.vertex_data["label"] > 0, few.vertex_data["label"] + 10, 0)

        assert checks(report(few.without_labels().with_data(vertex={"label": mirror}))) == set()


def real(folder: Path) -> dict[str, Mesh]:
    """Real arches with the labels that people drew."""
    return {
        name: meshguard.load(folder / f"{name}.ply").with_data(
            face={"label": np.load(folder / f"{name}.fdi_faces.npy").astype(np.int32)}
        )
        for name in benchmark.REAL
    }


class TestRealArches:
    def test_good_segmentations_have_no_error(self, data_root: Path) -> None:
        for mesh in real(data_root / "dental").values():
            found = report(mesh)

            assert [f.message for f in found.findings if f.severity is Severity.ERROR] == []
            assert {c: o.status for c, o in found.outcomes.items() if o.status is Status.FAILED}.keys() <= {
                "D105",
                "D110",
            }

    def test_an_algorithms_output_bleeds_onto_the_base(self, data_root: Path) -> None:
        folder = data_root / "dental"
        found = report(
            meshguard.load(folder / "lower_based_213k.ply"),
            labels=str(folder / "lower_based_213k.labels.json"),
        )

        errors = [(f.check, f.tooth) for f in found.findings if f.severity is Severity.ERROR]
        assert errors == [("D109", 37)]
        assert [f.indices.tolist() for f in found.findings if f.check == "D114"] == [[45]]

    def test_a_tooth_that_is_two_accuses_no_antimere(self, data_root: Path) -> None:
        mesh = real(data_root / "dental")["ios_037_lower_16k"]
        label = mesh.face_data["label"].copy()
        label[label == 33] = 34

        assert [finding.tooth for finding in of(mesh.with_data(face={"label": label}), "D109")] == [34]

    def test_an_island_on_a_crown_is_no_bleeding(self, data_root: Path) -> None:
        mesh = real(data_root / "dental")["ios_037_lower_16k"]
        wrong, truth = mislabel(mesh, "island", seed=40)

        assert [finding.tooth for finding in of(wrong, "D104")] == [truth.measures["tooth"]]
        assert of(wrong, "D112") == []

    def test_a_private_numbering_is_anonymous(self, data_root: Path) -> None:
        folder = data_root / "dental"
        label = np.array(json.loads((folder / "arch_100k.labels.json").read_text("utf-8"))["labels"])
        found = report(meshguard.load(folder / "arch_100k.ply"), labels=label)

        assert "anonymous" in str(found.outcomes["D102"].reason)
        assert {f.severity for f in found.findings} <= {Severity.INFO}


@pytest.mark.parametrize("defect", LABEL_DEFECTS)
def test_what_was_spoilt_is_found_and_no_other_error(defect: str) -> None:
    """A small version of benchmarks/teeth.py, on phantoms."""
    if defect in benchmark.DRAWN_ONLY:
        pytest.skip("a phantom's borders run along long thin faces")
    for seed, jaw in enumerate(("upper", "lower")):
        arch = phantom(jaw=jaw, faces=40_000, seed=seed + 1).with_jaw(None)  # type: ignore[arg-type]
        mesh, truth = mislabel(benchmark.moved(arch, seed), defect, seed=seed)

        found, _, unexplained = benchmark.judged(mesh, truth, report(mesh))

        assert found
        assert [finding.message for finding in unexplained] == []


@pytest.mark.long
def test_recall_and_precision_on_real_arches(data_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESHGUARD_DATA", str(data_root))
    rows, untouched = benchmark.table(list(benchmark.KINDS), 50)

    good = [kind for kind, _, recall, precision in rows if recall >= 0.98 and precision >= 0.98]
    assert len(good) >= 20, rows
    assert not [name for name in untouched if name.endswith("error")]
