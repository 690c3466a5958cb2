"""Numbers and places in the arch: order, sides, two in one place, forgotten and missing teeth."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard import fdi
from meshguard.checks.tooth_numbers import _out_of_order
from meshguard.mesh import Mesh
from meshguard.report import Report, Severity
from tests.checks.test_labels import ARCH, of, renumbered, report


def fired(found: Report) -> set[str]:
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
        assert fired(report(ARCH.with_vertices(ARCH.vertices * [-1, 1, 1]))) == {"D107"}

    def test_the_winding_does_not_tell_sides(self) -> None:
        label = {"label": ARCH.vertex_data["label"]}
        turned = Mesh(vertices=ARCH.vertices, faces=ARCH.faces[:, ::-1], vertex_data=label)

        assert fired(report(turned)) == set()


class TestPlaces:
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


class TestForgotten:
    def test_a_forgotten_tooth(self) -> None:
        (finding,) = of(renumbered(t43=0), "D113")

        assert finding.severity is Severity.WARNING
        assert finding.location is not None
        there = ARCH.vertices[ARCH.vertex_data["label"] == 43]
        assert np.linalg.norm(there - finding.location, axis=1).min() < 1.0
