"""DentalFacts as a whole: labels beside the surface, used where they can be; what they change is not taken over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from meshguard.budget import Steps
from meshguard.facts.dental import CarriedLabels, DentalFacts
from meshguard.facts.mesh import MeshFacts
from meshguard.phantoms import mislabel, phantom
from meshguard.policy import Policy, policy
from meshguard.validation import report_of
from tests import shapes

if TYPE_CHECKING:
    from meshguard.mesh import Jaw, Mesh

ARCH = phantom(faces=16_000, seed=3)


def facts_of(mesh: Mesh, **limits: float) -> DentalFacts:
    return DentalFacts(MeshFacts(mesh, Policy(limits=limits)))


def sheet(*labels: tuple[float, float, int]) -> Mesh:
    """A flat sheet of 60 by 40 mm and 2 mm squares; faces between two x (mm) have a label, the others are gum."""
    mesh = shapes.grid(30, 20, bulge=0.0)
    x = mesh.vertices[mesh.faces].mean(axis=1)[:, 0]
    of_face = np.zeros(len(x), np.int32)
    for low, high, label in labels:
        of_face[(x > low) & (x < high)] = label
    return mesh.with_data(face={"label": of_face})


class TestLabels:
    def test_they_are_those_of_the_mesh_unless_others_are_given(self) -> None:
        mesh, other = sheet((-10, 0, 11)), sheet((0, 10, 12))
        surface = MeshFacts(mesh, policy("scan"))
        own, given = DentalFacts(surface), DentalFacts(surface, CarriedLabels(other))

        assert (own.mesh, given.mesh) == (mesh, other)
        assert own.policy is given.policy is surface.policy
        assert own.teeth.labels.tolist() == [11] and given.teeth.labels.tolist() == [12]

    @pytest.mark.parametrize(
        "mesh",
        [shapes.grid(), sheet(), shapes.grid().with_data(vertex={"label": np.full(63, np.nan)})],
        ids=["none", "all gum", "no numbers"],
    )
    def test_where_none_can_be_used_asking_for_them_is_an_error(self, mesh: Mesh) -> None:
        facts = facts_of(mesh)

        assert not facts.has_labels
        with pytest.raises(ValueError, match="no usable labels"):
            _ = facts.labels

    def test_usable_ones_are_the_labelling(self) -> None:
        facts = facts_of(sheet((-10, 0, 11)))

        assert facts.has_labels and facts.labels is facts.labelling


class TestRelabelled:
    def test_the_surface_is_shared_and_the_teeth_are_not(self) -> None:
        facts = facts_of(sheet((-10, 0, 11)))
        components, teeth = facts.surface.components, facts.teeth
        other = facts.relabelled(sheet((0, 10, 12), (10, 20, 13)))

        assert other.surface is facts.surface
        assert MeshFacts.components.known(other.surface) is components
        assert DentalFacts.teeth.known(other) is None
        assert other.teeth.labels.tolist() == [12, 13]
        assert facts.teeth is teeth

    def test_they_are_those_of_the_mesh(self) -> None:
        """Whatever is known before, nothing that labels change is taken over."""
        facts = DentalFacts(MeshFacts(ARCH, policy("scan")))
        report_of(facts, Steps())
        other = mislabel(mislabel(ARCH, "ragged", seed=1)[0], "island", seed=2)[0]
        quick, fresh = facts.relabelled(other), DentalFacts(MeshFacts(other, policy("scan")))

        assert DentalFacts.teeth.known(facts) is not None  # else this test sees nothing
        assert report_of(quick, Steps()).to_json() == report_of(fresh, Steps()).to_json()
        assert facts.relabelled(other).surface is facts.surface


class TestGivenAway:
    """Tooth 11 has a main region 16 mm wide, and a strip 2 mm wide beside it: an eighth of it."""

    @pytest.mark.parametrize(
        ("gap_mm", "limits", "expected"),
        [
            (6.0, {}, True),
            (6.0, {"label_near_mm": 20.0}, False),
            (6.0, {"label_near_mm": 20.0, "label_speck_share": 0.2}, True),
            (6.0, {"label_error_share": 0.1}, False),
        ],
        ids=["far and small", "near", "near but a speck", "too large"],
    )
    def test_it_is_small_and_far_or_a_speck(self, gap_mm: float, limits: dict[str, float], expected: bool) -> None:
        facts = facts_of(sheet((-26, -10, 11), (-10 + gap_mm, -8 + gap_mm, 11)), **limits)
        (region,) = set(np.flatnonzero(facts.label_regions.label == 11).tolist()) - set(
            facts.teeth.main_region.tolist()
        )

        assert facts.label_regions.area[region] == pytest.approx(80.0)
        assert facts.teeth.main_areas.tolist() == pytest.approx([640.0])
        assert facts.is_given_away(region) == expected


class TestArch:
    def test_without_a_curve_teeth_have_no_sizes_no_row_and_no_sides(self) -> None:
        facts = facts_of(sheet((-10, 0, 11)))

        assert facts.tooth_sizes is None
        assert (facts.tooth_row, facts.sides) == ([], None)
        assert facts.jaw_of_incisors == (None, 0.0)
        assert not facts.looks_like_the_other_jaw

    def test_labels_tell_the_frame_where_they_can_be_used(self) -> None:
        assert facts_of(ARCH).arch_frame.source == "labels"
        assert facts_of(ARCH.without_labels()).arch_frame.source == "geometry"

    @pytest.mark.parametrize(("jaw", "expected"), [(None, True), ("upper", False)])
    def test_incisors_contradict_the_numbers_only_where_nobody_says_the_jaw(
        self, jaw: Jaw | None, expected: bool
    ) -> None:
        upper = ARCH.vertex_data["label"].astype(np.int32)
        upper[upper > 0] -= np.where(upper[upper > 0] < 40, 10, 30)  # 31 becomes 21, 41 becomes 11
        mesh = ARCH.without_labels().with_data(vertex={"label": upper}).with_jaw(jaw)

        assert facts_of(mesh).jaw_of_incisors[0] == "lower"
        assert facts_of(mesh).looks_like_the_other_jaw == expected
        assert not facts_of(mesh, jaw_confidence=1.1).looks_like_the_other_jaw
