"""Labels as facts: which carry them, what they are numbers of, whether they follow the surface."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard.facts.dental import DentalFacts
from meshguard.facts.mesh import MeshFacts
from meshguard.phantoms import mislabel, phantom
from meshguard.policy import Policy
from tests import shapes

ARCH = phantom(faces=12_000)


def test_vertices_carry_labels_that_their_faces_repeat() -> None:
    facts = DentalFacts(MeshFacts(ARCH, Policy()))

    assert facts.labels.per == "vertex"
    assert np.array_equal(facts.label_regions.label_of_face, ARCH.face_data["label"])


def test_both_carriers_have_the_same_borders() -> None:
    by_face = ARCH.without_labels().with_data(face={"label": ARCH.face_data["label"]})
    one, other = DentalFacts(MeshFacts(ARCH, Policy())), DentalFacts(MeshFacts(by_face, Policy()))

    assert other.labels.per == "face"
    assert np.array_equal(one.label_regions.borders, other.label_regions.borders)
    assert one.teeth.labels.tolist() == other.teeth.labels.tolist()
    assert np.abs(one.teeth.centres - other.teeth.centres).max() < 0.5


def test_crowns_point_to_the_biting_side_whatever_the_winding() -> None:
    from meshguard.mesh import Mesh

    turned = Mesh(vertices=ARCH.vertices, faces=ARCH.faces[:, ::-1], vertex_data={"label": ARCH.vertex_data["label"]})
    for mesh in (ARCH, turned):
        assert (DentalFacts(MeshFacts(mesh, Policy())).teeth.axes[:, 2] > 0.7).all()


def test_a_remnant_has_no_place_in_the_row() -> None:
    label = ARCH.vertex_data["label"].astype(int)
    label[np.flatnonzero(label == 36)[8:]] = 0
    facts = DentalFacts(MeshFacts(ARCH.without_labels().with_data(vertex={"label": label}), Policy()))

    (place,) = np.flatnonzero(~facts.teeth.is_whole)
    assert facts.teeth.labels[place] == 36
    assert facts.tooth_sizes is not None and place not in facts.tooth_sizes.order


def test_disorder_is_low_where_labels_follow_the_surface_and_high_where_not() -> None:
    mesh, _ = mislabel(ARCH, "other_order")
    one, other = DentalFacts(MeshFacts(ARCH, Policy())).labelling, DentalFacts(MeshFacts(mesh, Policy())).labelling

    assert one is not None and other is not None
    assert one.disorder < 0.2 and other.disorder > 0.9
    assert one.why_not is None and other.why_not is not None


def test_a_mesh_without_labels_has_none() -> None:
    facts = DentalFacts(MeshFacts(shapes.grid(), Policy()))

    assert facts.labelling is None
    with pytest.raises(ValueError, match="no usable labels"):
        _ = facts.labels
