"""Sizes of teeth: against the norm, against the numbers beside theirs, and against the other side."""

from __future__ import annotations

import pytest

from meshguard import fdi
from meshguard.checks import crown_norms as norms
from meshguard.phantoms import mislabel
from meshguard.phantoms.teeth import STANDARD_TEETH
from meshguard.report import Severity
from tests.checks.test_labels import ARCH, of, renumbered


def test_two_teeth_with_one_number_that_touch_are_too_wide() -> None:
    (finding,) = of(renumbered(t31=32), "D109")

    assert (finding.tooth, finding.severity) == (32, Severity.ERROR)
    assert finding.measures["mesiodistal_ratio"] > 1.6


def test_a_tooth_that_stands_across_the_row_is_not_an_error() -> None:
    """Wide along the arch, since it is turned, but with no more surface than it had."""
    crown = ARCH.vertex_data["label"] == 41
    points = ARCH.vertices.copy()
    middle = points[crown].mean(axis=0)
    points[crown] = middle + (points[crown] - middle) * [1.95, 0.4, 0.6]
    (finding,) = of(ARCH.with_vertices(points), "D109")

    assert (finding.tooth, finding.severity) == (41, Severity.WARNING)
    assert finding.measures["mesiodistal_ratio"] > 1.6 and finding.measures["area_ratio"] < 1.5


def test_numbers_shifted_along_a_side() -> None:
    found = of(renumbered(t34=35, t35=36, t36=37, t37=38), "D109")

    assert [finding.measures.get("shift") for finding in found] == [-1]
    assert found[0].severity is Severity.WARNING


def test_a_wrong_unit_is_said_once() -> None:
    (finding,) = of(ARCH.with_vertices(0.5 * ARCH.vertices), "D109")

    assert finding.measures["ratio"] == pytest.approx(0.53, abs=0.05)


def test_antimeres() -> None:
    mesh, truth = mislabel(ARCH, "truncated", seed=1)

    assert [f.tooth for f in of(mesh, "D110")] == [truth.measures["tooth"]]


def test_the_norms_are_those_of_the_phantoms() -> None:
    for jaw, crowns in STANDARD_TEETH.items():
        assert [(c.mesiodistal_mm, c.buccolingual_mm) for c in crowns] == list(norms.PERMANENT[jaw])


def test_every_tooth_has_a_norm() -> None:
    assert all(min(norms.norm_of(code)) > 3.0 for code in (*fdi.PERMANENT, *fdi.DECIDUOUS))
