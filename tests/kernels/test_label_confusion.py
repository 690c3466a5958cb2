"""Confusion counts against naive twins, and on nothing."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from meshguard.kernels.label_confusion import count_confusion, label_changes
from tests import oracles, shapes


def frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_confusion_counts(seed: int, measured: bool) -> None:
    rng = np.random.default_rng(seed)
    k = int(rng.integers(0, 50))
    truth, predicted = (np.sort(rng.integers(0, 4, k)).astype(np.int32) for _ in range(2))
    if seed % 2:
        truth, predicted = rng.permutation(truth), rng.permutation(predicted)
    points = rng.normal(size=(k if measured else 0, 3))
    joint, of_truth, of_predicted = np.zeros((4, 5), np.int64), np.zeros((4, 7)), np.zeros((5, 3))
    count_confusion(frozen(truth), frozen(predicted), frozen(points), joint, of_truth, of_predicted)

    assert joint.tolist() == oracles.joint_counts(truth.tolist(), predicted.tolist(), 4, 5)
    if not measured or k == 0:
        assert not of_truth.any() and not of_predicted.any()
        return
    for id_ in range(4):
        id_points = points[truth == id_]
        if not len(id_points):
            assert np.isnan(of_truth[id_, :3]).all() and not of_truth[id_, 3:].any()
            continue
        deviation = id_points.mean(axis=0) - id_points
        expected = [*id_points.mean(axis=0), *(deviation**2).sum(axis=0), (deviation**2).sum(axis=1).max()]
        np.testing.assert_allclose(of_truth[id_], expected, rtol=1e-12, atol=1e-300)
    for id_ in range(5):
        id_points = points[predicted == id_]
        if len(id_points):
            np.testing.assert_allclose(of_predicted[id_], id_points.mean(axis=0), rtol=1e-9, atol=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_label_changes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mesh = shapes.grid(int(rng.integers(1, 6)), int(rng.integers(1, 6)))
    labels = rng.integers(0, 3, len(mesh.vertices)).astype(np.int32)
    out = np.empty(3 * len(mesh.faces), np.int32)
    count = label_changes(mesh.faces, frozen(labels), out)

    assert out[:count].tolist() == [
        3 * f + c
        for f, face in enumerate(mesh.faces.tolist())
        for c in range(3)
        if labels[face[c]] != labels[face[(c + 1) % 3]]
    ]
