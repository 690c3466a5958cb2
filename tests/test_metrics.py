"""Metrics of segmentations: derived by hand, by a naive twin, and what the two modes make of the same scan."""

from __future__ import annotations

import math
import sys
from pathlib import PurePath
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import meshguard
from meshguard import segmentation_metrics
from meshguard.errors import MeshGuardError
from meshguard.io.labels import Labels
from meshguard.metrics import Interval, Mode
from tests import oracles, shapes

# Two teeth of four points each, squares of side 2 about (0, 0) and (10, 0), and two points of gum.
SQUARE = [[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]
POINTS = np.array([*SQUARE, *([x + 10, y, z] for x, y, z in SQUARE), [5, 5, 0], [5, -5, 0]], np.float64)
TRUTH = np.array([11, 11, 11, 11, 21, 21, 21, 21, 0, 0])


def scan(predicted: list[int], mode: str = "evaluator") -> tuple[float, float, float]:
    """TLA, TSA and TIR of a prediction of the ten points."""
    (found,) = segmentation_metrics(TRUTH, np.array(predicted), mesh=POINTS, mode=mode).scans  # type: ignore[arg-type]
    return found.tla, found.tsa, found.tir


class TestByHand:
    """Sizes of the evaluator: four points of a tooth deviate by 1 in x and y, so s = (sqrt 4, sqrt 4, 0) = (2, 2, 0).

    A size of 0 along z divides 0 / 0 where centroids agree in z: the published program gives NaN for flat teeth. The
    points are therefore lifted so that z deviates by 1 at every point, too, and s = (2, 2, 2).
    """

    LIFTED = POINTS + [[0, 0, z] for z in (1, -1, 1, -1, 1, -1, 1, -1, 0, 0)]

    def evaluator(self, predicted: list[int]) -> tuple[float, float, float]:
        (found,) = segmentation_metrics(TRUTH, np.array(predicted), mesh=self.LIFTED, mode="evaluator").scans
        return found.tla, found.tsa, found.tir

    def test_perfect(self) -> None:
        assert self.evaluator(TRUTH.tolist()) == (0.0, 1.0, 1.0)
        assert scan(TRUTH.tolist(), "paper") == (0.0, 1.0, 1.0)

    def test_swapped_labels_leave_everything_but_tir(self) -> None:
        swapped = [21] * 4 + [11] * 4 + [0, 0]
        assert self.evaluator(swapped) == (0.0, 1.0, 0.0)
        assert scan(swapped, "paper") == (0.0, 1.0, 0.0)

    def test_one_tooth_missed(self) -> None:
        missed = [11] * 4 + [0] * 6
        # Evaluator: one pair at distance 0, one tooth unmatched: 5 |(2, 2, 2)| = 5 sqrt 12, over two teeth. Four of ten
        # points are gum that should be tooth. TIR divides by the one match.
        tla, tsa, tir = self.evaluator(missed)
        assert tla == 5 * math.sqrt(12) / 2 and (tsa, tir) == (0.6, 1.0)
        # Paper: the closest centroid to 21 is that of 11, 10 mm away; the size is twice sqrt 2, a corner's distance.
        # F1 with the best instance: 1 for 11; 21 shares nothing: 0. One of two teeth is found.
        tla, tsa, tir = scan(missed, "paper")
        assert tla == pytest.approx(10 / (2 * math.sqrt(2)) / 2, rel=1e-15) and (tsa, tir) == (0.5, 0.5)

    def test_nothing_predicted(self) -> None:
        tla, tsa, tir = self.evaluator([0] * 10)
        assert (tla, tsa, tir) == (5 * math.sqrt(12), 0.2, 0.0)
        assert scan([0] * 10, "paper") == (5.0, 0.0, 0.0)

    def test_a_centroid_that_moved(self) -> None:
        # 11 loses its corners at x = 1: its centroid moves to (-1, 0, 0), by 1; z of the two left: 1, -1, mean 0.
        moved = [11, 0, 0, 11, 21, 21, 21, 21, 0, 0]
        # Evaluator: |(1, 0, 0) / (2, 2, 2)| = 0.5: not below half, so no hit. TLA 0.5 / 2. Eight of ten points agree.
        assert self.evaluator(moved) == (0.25, 0.8, 0.5)
        # Paper: 1 / (2 sqrt 2) = 0.354, below half: a hit. F1 of 11: 2 * 2 / (4 + 2) = 2 / 3.
        tla, tsa, tir = scan(moved, "paper")
        assert tla == pytest.approx(1 / (2 * math.sqrt(2)) / 2, rel=1e-15)
        assert tsa == pytest.approx((2 / 3 + 1) / 2, rel=1e-15) and tir == 1.0

    def test_an_instance_with_two_labels_is_gum_to_the_evaluator(self) -> None:
        truth = Labels(values=TRUTH.astype(np.int32), instances=np.array([1] * 4 + [2] * 4 + [0, 0], np.int32))
        labels = np.array([11, 11, 11, 12, 21, 21, 21, 21, 0, 0], np.int32)
        predicted = Labels(values=labels, instances=truth.instances)
        (found,) = segmentation_metrics(truth, predicted, mesh=self.LIFTED, mode="evaluator").scans
        # Instance 1 counts as gum: 6 of 10 points agree, one match, which is right.
        assert (found.tla, found.tsa, found.tir, found.n_matched) == (5 * math.sqrt(12) / 2, 0.6, 1.0, 1)
        with pytest.raises(MeshGuardError, match="more than one label"):
            segmentation_metrics(predicted, truth, mesh=self.LIFTED)

    def test_matching_is_one_to_one_in_the_evaluator_only(self) -> None:
        # One predicted tooth between the two: both are nearest to it; the evaluator gives it to one of them.
        between = [0] * 8 + [11, 11]
        (found,) = segmentation_metrics(TRUTH, np.array(between), mesh=self.LIFTED, mode="evaluator").scans
        # |(5, 0, 0) / 2| = 2.5 for one, 5 sqrt 12 for the other.
        assert found.n_matched == 1 and found.tla == (2.5 + 5 * math.sqrt(12)) / 2
        (found,) = segmentation_metrics(TRUTH, np.array(between), mesh=self.LIFTED, mode="paper").scans
        # Both 5 mm away; the farthest point is sqrt(1 + 1 + 1) from the centroid.
        assert found.n_matched == 2 and found.tla == pytest.approx(5 / (2 * math.sqrt(3)), rel=1e-15)

    def test_each_tooth(self) -> None:
        found = segmentation_metrics(TRUTH, np.array([11, 11, 21, 0, 21, 21, 21, 31, 0, 21]))
        by_tooth = {tooth.tooth: tooth for tooth in found.teeth}

        assert sorted(by_tooth) == [11, 21, 31]
        eleven, twentyone, wrong = by_tooth[11], by_tooth[21], by_tooth[31]
        assert (eleven.n_truth, eleven.n_predicted, eleven.dice, eleven.iou) == (4, 2, 4 / 6, 0.5)
        assert (eleven.sensitivity, eleven.precision) == (0.5, 1.0)
        # Three of four points, and 3 + the two that are not its own.
        assert (twentyone.dice, twentyone.iou, twentyone.sensitivity, twentyone.precision) == (6 / 9, 0.5, 0.75, 0.6)
        assert (wrong.dice, wrong.n_truth, wrong.precision) == (0.0, 0, 0.0) and math.isnan(wrong.sensitivity)
        assert math.isnan(eleven.boundary_mm) and math.isnan(found.scans[0].tla)

    def test_boundary_distance(self) -> None:
        # A flat strip of squares 1 mm wide; the border between two teeth moves by two squares.
        mesh = shapes.grid(20, 6, width=20.0, bulge=0.0)
        middle = mesh.vertices[mesh.faces].mean(axis=1)[:, 0]
        truth, predicted = np.where(middle < 0, 11, 21), np.where(middle < 2, 11, 21)
        found = segmentation_metrics(truth, predicted, mesh=mesh)

        for tooth in found.teeth:
            assert tooth.boundary_mm == pytest.approx(2.0, abs=1e-6)
            assert tooth.boundary_p95_mm == pytest.approx(2.0, abs=1e-6)
        same = segmentation_metrics(truth, truth, mesh=mesh)
        assert [tooth.boundary_mm for tooth in same.teeth] == [0.0, 0.0]
        of_vertices = np.where(mesh.vertices[:, 0] < -0.5, 11, 21)
        moved = np.where(mesh.vertices[:, 0] < 1.5, 11, 21)
        by_vertex = segmentation_metrics(of_vertices, moved, mesh=mesh)
        assert all(tooth.boundary_mm == pytest.approx(2.0, abs=0.2) for tooth in by_vertex.teeth)


class TestNaiveTwin:
    @given(st.integers(0, 2**32 - 1), st.booleans())
    def test_the_evaluator(self, seed: int, with_instances: bool) -> None:
        rng = np.random.default_rng(seed)
        k = int(rng.integers(4, 60))
        points = rng.normal(size=(k, 3)) * 10
        names = np.array([0, *rng.choice([11, 12, 13, 21, 36], 4, replace=False)])
        truth = rng.integers(0, 5, k)
        truth[0] = 1
        predicted = np.where(rng.random(k) < 0.6, truth, rng.integers(0, 5, k))
        labels = (
            names[np.roll(np.arange(5), int(rng.integers(0, 2)))[predicted]] if with_instances else names[predicted]
        )
        labels = np.where(predicted == 0, 0, labels)
        if with_instances and rng.random() < 0.5:
            labels[int(rng.integers(k))] = 48
        wanted = oracles.published_evaluation(
            points,
            names[truth],
            truth if with_instances else names[truth],
            labels,
            predicted if with_instances else labels,
        )
        instances = (truth, predicted) if with_instances else (None, None)
        pair = [
            Labels(values=values.astype(np.int32), instances=None if own is None else own.astype(np.int32))
            for values, own in zip((names[truth], labels), instances, strict=True)
        ]
        (found,) = segmentation_metrics(pair[0], pair[1], mesh=points, mode="evaluator").scans

        assert (found.tla, found.tsa, found.tir) == pytest.approx(wanted, rel=1e-12, nan_ok=True)

    @given(st.integers(0, 2**32 - 1))
    def test_each_tooth(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        truth, predicted = rng.choice([-1, 0, 11, 12, 5000], (2, int(rng.integers(1, 40))))
        found = segmentation_metrics(truth, predicted)

        for tooth in found.teeth:
            a, b = truth == tooth.tooth, predicted == tooth.tooth
            assert (tooth.n_truth, tooth.n_predicted) == (a.sum(), b.sum())
            assert tooth.dice == 2 * (a & b).sum() / (a.sum() + b.sum()) and tooth.iou == (a & b).sum() / (a | b).sum()
        assert {tooth.tooth for tooth in found.teeth} == {*truth.tolist(), *predicted.tolist()} - {-1, 0}


class TestSets:
    def scans(self) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
        rng = np.random.default_rng(3)
        truths = [TRUTH, TRUTH, np.array([11] * 4 + [0] * 6)]
        predicted = [np.where(rng.random(10) < 0.8, truth, 0) for truth in truths]
        return truths, predicted, [TestByHand.LIFTED] * 3

    def test_papers_pool_teeth_and_evaluators_average_scans(self) -> None:
        truths, predicted, points = self.scans()
        paper = segmentation_metrics(truths, predicted, mesh=points, mode="paper")
        evaluator = segmentation_metrics(truths, predicted, mesh=points, mode="evaluator")

        n = np.array([2, 2, 1])
        assert [scan.n_teeth for scan in paper.scans] == n.tolist()
        assert paper.summary["tsa"].mean == pytest.approx(np.average([s.tsa for s in paper.scans], weights=n))
        assert paper.summary["exp_tla"].mean == pytest.approx(math.exp(-paper.summary["tla"].mean))
        assert evaluator.summary["tsa"].mean == pytest.approx(np.mean([s.tsa for s in evaluator.scans]))
        assert evaluator.summary["exp_tla"].mean == pytest.approx(np.mean([math.exp(-s.tla) for s in evaluator.scans]))
        for found in (paper, evaluator):
            parts = [found.summary[name].mean for name in ("exp_tla", "tir", "tsa")]
            assert found.summary["score"].mean == pytest.approx(sum(parts) / 3)

    def test_intervals(self) -> None:
        truths, predicted, points = self.scans()
        first = segmentation_metrics(truths, predicted, mesh=points)
        again = segmentation_metrics(truths, predicted, mesh=points)
        other = segmentation_metrics(truths, predicted, mesh=points, seed=1, confidence=0.5)

        assert repr(first.summary) == repr(again.summary) != repr(other.summary)  # by text, since NaN is not itself
        for name in ("tsa", "dice", "score"):
            one, narrow = first.summary[name], other.summary[name]
            assert one.low <= one.mean <= one.high
            assert narrow.high - narrow.low <= one.high - one.low
        alone = segmentation_metrics(TRUTH, TRUTH).summary["dice"]
        assert alone.mean == 1.0 and math.isnan(alone.low)

    def test_equal_scans_have_no_spread(self) -> None:
        found = segmentation_metrics([TRUTH] * 5, [np.where(TRUTH == 21, 0, TRUTH)] * 5)
        assert found.summary["dice"] == Interval(mean=0.5, low=0.5, high=0.5)


class TestForms:
    def test_meshes_labels_and_arrays(self) -> None:
        arch = meshguard.phantom(faces=3000)
        labels = arch.vertex_data["label"]
        worse = labels.copy()
        worse[::7] = 0
        wanted = segmentation_metrics(labels, worse, mesh=arch)
        as_labels = Labels(values=worse.astype(np.int32))
        for truth, predicted in ((arch, worse), (arch, as_labels), (arch, arch.with_data(vertex={"label": worse}))):
            found = segmentation_metrics(truth, predicted)
            assert found.teeth == wanted.teeth and found.scans == wanted.scans
        faces = segmentation_metrics(arch.face_data["label"], arch.face_data["label"], mesh=arch)
        assert faces.scans[0].tla == 0.0 and sum(tooth.n_truth for tooth in faces.teeth) < len(arch.faces)

    @pytest.mark.parametrize("name", ["truth.json", PurePath("truth.json"), ["truth.json"]])
    def test_names_of_files_are_no_labels(self, name: Any) -> None:
        with pytest.raises(MeshGuardError, match="labels are not numbers"):
            segmentation_metrics(name, name)

    def test_rows_and_table(self) -> None:
        found = segmentation_metrics([TRUTH, TRUTH], [TRUTH, TRUTH], mesh=[POINTS, POINTS], mode="evaluator")

        assert [row["tooth"] for row in found.rows()] == [11, 21, 11, 21]
        assert [row["mode"] for row in found.scan_rows()] == ["evaluator", "evaluator"]
        assert found.table().splitlines()[0].startswith("mode: evaluator, 2 scans ")
        assert "dice 21" in found.table()

    def test_a_frame_needs_pandas(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = segmentation_metrics(TRUTH, TRUTH)
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "pandas", None)
            with pytest.raises(MeshGuardError, match="pandas"):
                found.to_frame()
        pytest.importorskip("pandas")
        assert list(found.to_frame()["tooth"]) == [11, 21] and len(found.to_frame("scans")) == 1
        assert set(found.to_frame("summary")["measure"]) == set(found.summary)

    def test_refusals(self) -> None:
        for truth, predicted, mesh in (
            (TRUTH, TRUTH[:-1], None),
            ([TRUTH, TRUTH], [TRUTH], None),
            (TRUTH, TRUTH, POINTS[:-1]),
            ([], [], None),
            (shapes.grid(), shapes.grid(), None),
        ):
            with pytest.raises(MeshGuardError):
                segmentation_metrics(truth, predicted, mesh=mesh)
        with pytest.raises(MeshGuardError, match="mode must be"):
            segmentation_metrics(TRUTH, TRUTH, mode="official")  # type: ignore[arg-type]

    def test_no_teeth_at_all(self) -> None:
        for mode in ("paper", "evaluator"):
            found = segmentation_metrics(np.zeros(5, int), np.zeros(5, int), mesh=np.zeros((5, 3)), mode=mode)
            assert found.teeth == () and found.scans[0].n_teeth == 0
            assert found.table()


@pytest.mark.parametrize("mode", ["paper", "evaluator"])
def test_a_scan_without_teeth_takes_no_part_in_the_means(mode: Mode) -> None:
    points = np.random.default_rng(1).random((12, 3))
    truth = np.repeat([0, 11, 12, 13], 3)
    alone = segmentation_metrics(truth, truth, mesh=points, mode=mode)
    both = segmentation_metrics([truth, 0 * truth], [truth, 0 * truth], mesh=[points, points], mode=mode)

    assert math.isnan(both.scans[1].tla)
    for name in ("tla", "tir"):
        assert both.summary[name].mean == alone.summary[name].mean
    assert not math.isnan(both.summary["score"].mean)
