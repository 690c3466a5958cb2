"""S106 in detail: how large a second layer is, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from meshguard.report import Severity
from meshguard.validation import validate
from tests import mutations, shapes

if TYPE_CHECKING:
    from pathlib import Path


def test_a_second_layer_says_how_large_it_is_and_where() -> None:
    mesh = mutations.second_layer()
    (finding,) = [finding for finding in validate(mesh).findings if finding.check == "S106"]

    n = len(shapes.grid().faces)
    layer = np.arange(n, len(mesh.faces))
    a, b, c = (mesh.vertices[mesh.faces[layer][:, corner]] for corner in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
    assert finding.indices.tolist() == layer.tolist()
    assert finding.measures["area_mm2"] == pytest.approx(area)
    assert 0.04 < finding.measures["gap_mm"] <= 0.05
    assert finding.location is not None and np.abs(finding.location[:2]).max() < 12
    assert (finding.severity, finding.fixable) == (Severity.WARNING, None)


def test_the_shared_file(data_root: Path) -> None:
    """A layer of 702 faces, 0.04 mm off."""
    path = data_root / "field" / "61_double_layer.stl"
    if not path.is_file():
        pytest.skip("the shared data hold no field/61_double_layer.stl")
    (finding,) = [finding for finding in validate(path).findings if finding.check == "S106"]

    assert "second layer" in finding.message
    assert finding.count == pytest.approx(702, rel=0.02)
    assert finding.measures["area_mm2"] == pytest.approx(413.8, rel=0.02)
    assert finding.measures["gap_mm"] == pytest.approx(0.04, abs=0.005)
    assert finding.location is not None
