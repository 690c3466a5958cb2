"""Labels as facts: which carry them, what they are numbers of, whether they follow the surface."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from meshguard.facts.dental import CarriedLabels, DentalFacts, GivenLabels
from meshguard.facts.mesh import MeshFacts
from meshguard.phantoms import mislabel, phantom
from meshguard.policy import Policy
from tests import shapes

if TYPE_CHECKING:
    from meshguard.mesh import Jaw

ARCH = phantom(faces=12_000)


def test_vertices_carry_labels_that_their_faces_repeat() -> None:
    facts = DentalFacts(MeshFacts(ARCH, Policy()))

    assert facts.labels.per == "vertex"


def test_disorder_is_low_where_labels_follow_the_surface_and_high_where_not() -> None:
    mesh, _ = mislabel(ARCH, "other_order")
    one, other = DentalFacts(MeshFacts(ARCH, Policy())).labelling, DentalFacts(MeshFacts(mesh, Policy())).labelling

    assert one is not None and other is not None
    assert one.border_ratio < 0.2 and other.border_ratio > 0.9
    assert one.why_unusable is None and other.why_unusable is not None


def test_a_mesh_without_labels_has_none() -> None:
    facts = DentalFacts(MeshFacts(shapes.grid(), Policy()))

    assert facts.labelling is None
    with pytest.raises(ValueError, match="no usable labels"):
        _ = facts.labels


def carried(**data: object) -> CarriedLabels:
    """What a triangle carries."""
    vertex = {name[2:]: np.asarray(values) for name, values in data.items() if name.startswith("v_")}
    face = {name[2:]: np.asarray(values) for name, values in data.items() if name.startswith("f_")}
    return CarriedLabels(shapes.triangle().with_data(vertex=vertex, face=face))


class TestCarried:
    def test_faces_count_where_they_contradict_their_vertices(self) -> None:
        agreeing = carried(v_label=[11, 11, 0], f_label=[11])
        contradicting = carried(v_label=[11, 11, 0], f_label=[12], f_instance=[7])
        stored = contradicting.stored("label")

        assert (agreeing.per, contradicting.per, carried().per) == ("vertex", "face", None)
        assert stored is not None and stored.tolist() == [12]
        assert carried().stored("label") is None

    def test_instances_are_those_beside_the_labels_that_count(self) -> None:
        found = carried(v_label=[11, 11, 0], f_label=[12], v_instance=[1, 1, 0], f_instance=[7]).instances()

        assert found is not None and found.tolist() == [7]
        assert carried(v_label=[11, 11, 0]).instances() is None
        assert carried(v_label=[11, 11, 0], v_instance=[1.5, 1, 0]).instances() is None

    @pytest.mark.parametrize("labels", [[[11, 12]] * 3, [1.5, 11, 11], [np.nan, 11, 11], [2**31, 11, 11]])
    def test_what_cannot_be_read_says_why(self, labels: list[object]) -> None:
        mesh = shapes.triangle().with_data(vertex={"label": np.asarray(labels)})
        found = DentalFacts(MeshFacts(mesh, Policy())).labelling

        assert found is not None
        assert (len(found.of_node), found.is_fdi, found.jaw) == (0, False, None)
        assert found.mismatch and found.why_unusable

    def test_a_position_has_the_label_of_its_first_vertex(self) -> None:
        mesh = shapes.soup(shapes.grid(1, 1)).with_data(vertex={"label": np.array([11, 12, 13, 14, 15, 16])})
        facts = DentalFacts(MeshFacts(mesh, Policy()))

        assert len(facts.surface.positions) == 4
        assert facts.labels.of_node.tolist() == [11, 12, 13, 16]


class TestNumbers:
    def test_the_jaw_is_the_one_that_is_told_or_that_of_most(self) -> None:
        def jaw(*labels: int, told: Jaw | None = None) -> tuple[Jaw | None, bool, bool]:
            mesh = shapes.triangle().with_data(vertex={"label": np.array(labels)}).with_jaw(told)
            found = DentalFacts(MeshFacts(mesh, Policy())).labels
            return found.jaw, found.jaw_is_told, found.is_fdi

        assert jaw(36, 37, 16) == ("lower", False, True)
        assert jaw(36, 17, 16) == ("upper", False, True)
        assert jaw(36, 37, 16, told="upper") == ("upper", True, True)
        assert jaw(1, 2, 3) == (None, False, False)

    def test_whether_they_are_codes_may_be_said(self) -> None:
        mesh = shapes.triangle().with_data(vertex={"label": np.array([36, 37, 36])})
        surface = MeshFacts(mesh, Policy())

        assert DentalFacts(surface).labels.is_fdi
        assert not DentalFacts(surface, CarriedLabels(mesh, GivenLabels("anonymous", ()))).labels.is_fdi
