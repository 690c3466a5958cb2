"""Label islands: the rule that tells them from parts of a tooth, and which region is a label's main one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from meshguard.facts.dental import DentalFacts
from meshguard.facts.dental.label_islands import IslandRule, region_distance_mm
from meshguard.facts.mesh import MeshFacts
from meshguard.policy import Policy, policy
from tests import shapes

RULE = IslandRule(share=0.2, area_mm2=4.0, near_mm=1.5, speck_share=0.05)


class TestRule:
    def test_it_is_the_policys(self) -> None:
        rules = Policy(
            limits={"label_error_share": 0.3, "label_error_mm2": 7.0, "label_near_mm": 2.0, "label_speck_share": 0.01}
        )

        assert IslandRule.from_policy(rules) == (0.3, 7.0, 2.0, 0.01)
        assert DentalFacts(MeshFacts(shapes.grid(), rules)).island_rule == (0.3, 7.0, 2.0, 0.01)

    @pytest.mark.parametrize(
        ("area", "whole", "expected"),
        [(5.0, 20.0, True), (5.0, 25.0, False), (3.0, 10.0, False), (4.0, 4.0, False), (4.1, 4.1, True)],
    )
    def test_what_is_large_is_so_in_share_and_in_area(self, area: float, whole: float, expected: bool) -> None:
        assert RULE.is_too_large(area, whole) == expected

    @pytest.mark.parametrize(("area", "expected"), [(5.0, True), (5.1, False)])
    def test_a_speck_has_a_small_share(self, area: float, expected: bool) -> None:
        assert RULE.is_speck(area, 100.0) == expected


class TestMain:
    def main(self, label: list[int], area: list[float], nodes: list[float], ties: list[float]) -> dict[int, int]:
        return IslandRule.main_regions(np.array(label, np.int32), np.array(area), np.array(nodes), np.array(ties))

    def test_each_label_has_one_the_gum_too(self) -> None:
        assert self.main([0, 11, 11, 0, 12], [9, 2, 3, 1, 5], [9, 2, 3, 1, 5], [0] * 5) == {0: 0, 11: 2, 12: 4}

    def test_it_is_large_in_area_and_in_faces(self) -> None:
        """Few wide faces are no tooth: their area times their number is less."""
        assert self.main([11, 11], [50.0, 40.0], [2, 400], [0, 0]) == {11: 1}

    def test_of_equals_it_is_the_one_with_the_least_tie(self) -> None:
        assert self.main([11, 11, 11], [5.0] * 3, [7] * 3, [3.0, 1.0, 2.0]) == {11: 1}


@pytest.mark.parametrize("per", ["face", "vertex"])
def test_the_distance_of_two_regions_is_between_their_nearest_nodes(per: str) -> None:
    mesh = shapes.grid(10, 8, bulge=5.0)
    nodes = mesh.vertices[mesh.faces].mean(axis=1) if per == "face" else mesh.vertices
    label = np.where(nodes[:, 0] < -12, 11, np.where(nodes[:, 0] > 10, 12, 0)).astype(np.int32)
    labelled = mesh.with_data(face={"label": label}) if per == "face" else mesh.with_data(vertex={"label": label})
    facts = DentalFacts(MeshFacts(labelled, policy("scan")))
    regions = facts.label_regions
    first, second = (int(np.flatnonzero(regions.label == tooth)[0]) for tooth in (11, 12))
    expected = min(math.dist(p, q) for p in nodes[label == 11] for q in nodes[label == 12])

    found = [
        region_distance_mm(facts.surface, facts.labels.per, regions, *pair)
        for pair in ((first, second), (second, first))
    ]

    assert found == pytest.approx([expected, expected])
