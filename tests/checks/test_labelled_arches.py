"""All checks of labelled teeth together: on any side up, on parts of an arch, and on real ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from benchmarks import teeth as benchmark

import meshguard
from meshguard.phantoms import LABEL_DEFECTS, mislabel, phantom
from meshguard.report import Report, Severity, Status
from tests.checks.test_labels import ARCH, of, report

if TYPE_CHECKING:
    from pathlib import Path

    from meshguard.mesh import Mesh


def checks(found: Report) -> set[str]:
    return {finding.check for finding in found.findings}


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
