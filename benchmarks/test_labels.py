"""Labels: metrics against a straightforward NumPy loop over the teeth, reading, and mending.

pytest benchmarks/test_labels.py --benchmark-only -n 0
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import meshguard
from meshguard.io.labels import read_labels
from meshguard.mesh import Mesh
from meshguard.repair.labels import mend_labels

if TYPE_CHECKING:
    import numpy.typing as npt
    from pytest_benchmark.fixture import BenchmarkFixture

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def scan() -> tuple[Mesh, Ints, Ints]:
    """An arch of about 100,000 vertices, its labels, and a prediction that is wrong along the borders."""
    mesh = meshguard.phantom(faces=200_000)
    truth = mesh.vertex_data["label"].astype(np.int64)
    predicted = truth.copy()
    predicted[mesh.faces[::3, 0]] = truth[mesh.faces[::3, 1]]
    return mesh, truth, predicted


def loop_of_overlaps(truth: Ints, predicted: Ints) -> list[tuple[float, float, float]]:
    """Dice, IoU and sensitivity of each tooth with masks, one tooth after another."""
    rows = []
    for tooth in np.unique(np.concatenate([truth, predicted])):
        if tooth:
            a, b = truth == tooth, predicted == tooth
            both = np.sum(a & b)
            rows.append((2 * both / (a.sum() + b.sum()), both / np.sum(a | b), both / a.sum()))
    return rows


def loop_of_evaluator(points: Floats, truth: Ints, predicted: Ints) -> tuple[float, float, float]:
    """TLA, TSA and TIR with masks, one tooth after another."""
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    true, claimed = (np.unique(labels)[1:] for labels in (truth, predicted))
    centres, sizes = [], []
    for tooth in true:
        own = points[truth == tooth]
        centres.append(own.mean(axis=0))
        sizes.append(np.sqrt(np.sum((centres[-1] - own) ** 2, axis=0)))
    guesses = []
    for tooth in claimed:
        assert len(np.unique(predicted[predicted == tooth])) == 1
        guesses.append(points[predicted == tooth].mean(axis=0))
    rows, columns = linear_sum_assignment(cdist(centres, guesses))
    apart = [np.linalg.norm((centres[r] - guesses[c]) / sizes[r]) for r, c in zip(rows, columns, strict=True)]
    hits = [distance < 0.5 and true[r] == claimed[c] for distance, r, c in zip(apart, rows, columns, strict=True)]
    return float(np.mean(apart)), float(np.mean((truth != 0) == (predicted != 0))), float(np.mean(hits))


def loop_of_borders(mesh: Mesh, truth: Ints, predicted: Ints) -> list[float]:
    """Mean distance of the two borders of each tooth, from the middles of all edges, one tooth after another."""
    from scipy.spatial import KDTree

    edges = np.unique(np.sort(mesh.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1), axis=0)
    middles = mesh.vertices[edges].mean(axis=1)
    found = []
    for tooth in np.unique(truth)[1:]:
        sides = []
        for labels in (truth, predicted):
            one, other = labels[edges[:, 0]] == tooth, labels[edges[:, 1]] == tooth
            sides.append(middles[one != other])
        a, b = sides
        found.append(float(np.concatenate([KDTree(b).query(a)[0], KDTree(a).query(b)[0]]).mean()))
    return found


def loop_over_points(points: Floats, truth: Ints, predicted: Ints) -> dict[Any, Any]:
    """Counts and centroids, one step for each point."""
    counts: dict[Any, int] = {}
    sums: dict[int, Floats] = {}
    for point, true, claimed in zip(points, truth.tolist(), predicted.tolist(), strict=True):
        counts[true, claimed] = counts.get((true, claimed), 0) + 1
        sums[true] = sums.get(true, np.zeros(3)) + point
    return {"counts": counts, "centres": sums}


def test_metrics(benchmark: BenchmarkFixture, scan: tuple[Mesh, Ints, Ints]) -> None:
    mesh, truth, predicted = scan
    found = benchmark(meshguard.segmentation_metrics, truth, predicted, mesh=mesh.vertices, mode="evaluator")

    assert found.scans[0].tla == pytest.approx(loop_of_evaluator(mesh.vertices, truth, predicted)[0])


def test_metrics_with_borders(benchmark: BenchmarkFixture, scan: tuple[Mesh, Ints, Ints]) -> None:
    mesh, truth, predicted = scan
    found = benchmark(meshguard.segmentation_metrics, truth, predicted, mesh=mesh, mode="evaluator")

    assert [tooth.boundary_mm for tooth in found.teeth] == pytest.approx(loop_of_borders(mesh, truth, predicted))


def test_loop_over_teeth(benchmark: BenchmarkFixture, scan: tuple[Mesh, Ints, Ints]) -> None:
    mesh, truth, predicted = scan
    benchmark(
        lambda: (loop_of_overlaps(truth, predicted), loop_of_evaluator(mesh.vertices, truth, predicted)),
    )


def test_loop_over_teeth_with_borders(benchmark: BenchmarkFixture, scan: tuple[Mesh, Ints, Ints]) -> None:
    mesh, truth, predicted = scan
    benchmark(
        lambda: (
            loop_of_overlaps(truth, predicted),
            loop_of_evaluator(mesh.vertices, truth, predicted),
            loop_of_borders(mesh, truth, predicted),
        ),
    )


def test_loop_over_points(benchmark: BenchmarkFixture, scan: tuple[Mesh, Ints, Ints]) -> None:
    mesh, truth, predicted = scan
    benchmark.pedantic(loop_over_points, (mesh.vertices, truth, predicted), rounds=3)


def test_read_labels(benchmark: BenchmarkFixture, scan: tuple[Mesh, Ints, Ints]) -> None:
    content = json.dumps({"id_patient": "", "jaw": "lower", "labels": scan[1].tolist()}).encode()
    assert benchmark(read_labels, content).numbering == "fdi"


@pytest.mark.parametrize("faces", [16_000, 271_000])
def test_mend(benchmark: BenchmarkFixture, faces: int) -> None:
    arch = meshguard.phantom(faces=faces)
    labels = arch.face_data["label"].astype(np.int32)
    labels[:: len(labels) // 100] = 0
    dirty = Mesh(vertices=arch.vertices, faces=arch.faces, face_data={"label": labels})
    assert len(benchmark.pedantic(mend_labels, (dirty,), rounds=2, warmup_rounds=1).changed)
