"""What ids of labels mean: which is the gum, Universal numbers, teeth with two numbers; and contacts of labels."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshguard import fdi
from meshguard.facts.dental import CarriedLabels, DentalFacts, GivenLabels
from meshguard.facts.dental.label_meaning import MIN_BORDERS, LabelMeaning, find_contacts
from meshguard.facts.mesh import MeshFacts
from meshguard.policy import Policy
from tests import shapes

if TYPE_CHECKING:
    from meshguard.facts.dental.labels import Numbering
    from meshguard.mesh import Jaw, Mesh

SHEET = shapes.grid(24, 8, bulge=0.0)
column_of_face, row_of_face = np.arange(len(SHEET.faces)) // 2 % 24, np.arange(len(SHEET.faces)) // 2 // 24


def row_of_teeth(*ids: int, gum: int = 0, rim: int | None = None) -> Mesh:
    """A sheet of 24 by 8 squares with teeth of 4 by 4, side by side in its middle; perhaps with another outer row."""
    label = np.full(len(SHEET.faces), gum, np.int32)
    for place, id_ in enumerate(ids):
        label[(column_of_face // 4 == place + 1) & (row_of_face >= 2) & (row_of_face < 6)] = id_
    if rim is not None:
        label[(row_of_face < 1) | (row_of_face > 6) | (column_of_face < 1) | (column_of_face > 22)] = rim
    return SHEET.with_data(face={"label": label})


def split_in_halves(mesh: Mesh, *pairs: tuple[int, int]) -> Mesh:
    """The upper half of some teeth gets another number."""
    label = mesh.face_data["label"].copy()
    for before, after in pairs:
        label[(label == before) & (row_of_face < 4)] = after
    return mesh.with_data(face={"label": label})


def meaning(mesh: Mesh, *, numbering: Numbering | None = None, jaw: Jaw | None = None) -> LabelMeaning:
    mesh = mesh.with_jaw(jaw)
    given = None if numbering is None else GivenLabels(numbering, ())
    return DentalFacts(MeshFacts(mesh, Policy()), CarriedLabels(mesh, given)).labels.meaning


class TestGum:
    def test_it_is_0_on_most_meshes(self) -> None:
        found = meaning(row_of_teeth(34, 35, 36, 37))

        assert (found.gum, found.numbers, found.jaw, found.split, found.notes) == (0, {}, "lower", (), ())

    @pytest.mark.parametrize("gum", [18, 38, 99, 255, -1, -(2**31)])
    def test_another_label_that_lies_where_the_gum_lies(self, gum: int) -> None:
        mesh = row_of_teeth(34, 35, 36, 37, gum=gum)
        found = DentalFacts(MeshFacts(mesh, Policy())).labels

        assert (found.meaning.gum, found.jaw, found.is_fdi) == (gum, "lower", True)
        assert np.array_equal(found.of_node, row_of_teeth(34, 35, 36, 37).face_data["label"])
        assert np.array_equal(found.meaning.stored(found.of_node), mesh.face_data["label"])

    def test_it_is_no_tooth_among_those_that_decide_the_numbering(self) -> None:
        assert meaning(row_of_teeth(33, 34, 35, 36, 9, gum=99)).is_fdi  # four of five; of six it would be too few
        assert not meaning(row_of_teeth(1, 2, 3, 4, gum=36)).is_fdi

    def test_a_tooth_borders_its_neighbours_only(self) -> None:
        mesh = row_of_teeth(34, 35, 36, 37, gum=38)
        crowns = mesh.take(mesh.face_data["label"] != 38)

        assert meaning(crowns).gum == 0

    def test_what_lies_along_the_rim_and_not_beside_the_teeth_is_no_gum(self) -> None:
        assert meaning(row_of_teeth(34, 35, 36, 37, rim=99)).gum == 0
        assert meaning(row_of_teeth(34, 35, 36, 37, gum=0, rim=255)).gum == 0

    def test_what_does_not_reach_the_boundary_is_no_gum(self) -> None:
        assert meaning(row_of_teeth(34, 35, 36, 37, gum=48, rim=38)).gum == 0

    def test_two_labels_are_a_tooth_and_gum_only_if_one_is_much_larger(self) -> None:
        def two(rows: int) -> Mesh:
            small = (np.abs(column_of_face - 11.5) < 8) & (row_of_face < rows)
            return SHEET.with_data(face={"label": np.where(small, 36, 37).astype(np.int32)})

        wide = shapes.grid(60, 20, bulge=0.0)
        column, row = np.arange(len(wide.faces)) // 2 % 60, np.arange(len(wide.faces)) // 2 // 60
        inside = (np.abs(column - 29.5) < 10) & (np.abs(row - 9.5) < 4)
        assert meaning(two(4)).gum == 0
        assert meaning(wide.with_data(face={"label": np.where(inside, 36, 37).astype(np.int32)})).gum == 37

    def test_a_mesh_of_few_borders_says_nothing(self) -> None:
        mesh = shapes.grid(6, 4, bulge=0.0)
        label = np.full(len(mesh.faces), 18, np.int32)
        label[18:22], label[26:30] = 36, 37
        contacts = find_contacts(MeshFacts(mesh, Policy()), "face", label)

        assert contacts.n_borders < MIN_BORDERS
        assert meaning(mesh.with_data(face={"label": label})).gum == 0

    def test_little_surface_that_is_0_too_is_gum_and_a_tooth_of_0_is_not(self) -> None:
        specks = row_of_teeth(1, 2, 3, 4, gum=9).face_data["label"].copy()
        specks[:2] = 0
        found = meaning(SHEET.with_data(face={"label": specks}))
        assert (found.gum, found.numbers) == (9, {9: 0})

        counted_from_0 = row_of_teeth(0, 1, 2, 3, gum=4)
        found = meaning(counted_from_0)
        assert (found.gum, found.numbers) == (4, {4: 0, 0: 5})
        label = counted_from_0.face_data["label"]
        assert np.array_equal(found.read(label) == 0, label == 4)

    def test_hundreds_of_labels_are_not_looked_at(self) -> None:
        label = np.arange(len(SHEET.faces), dtype=np.int32) + 1
        label[:100] = 1
        found = DentalFacts(MeshFacts(SHEET.with_data(face={"label": label}), Policy())).labelling

        assert found is not None and found.meaning.numbers == {}


class TestUniversal:
    def test_a_mesh_that_carries_them(self) -> None:
        mesh = row_of_teeth(18, 19, 20, 21, gum=33)
        found = DentalFacts(MeshFacts(mesh, Policy())).labels

        assert np.array_equal(found.of_node, row_of_teeth(37, 36, 35, 34).face_data["label"])
        assert np.array_equal(found.meaning.stored(found.of_node), mesh.face_data["label"])
        assert (found.is_fdi, found.jaw, found.meaning.gum, found.meaning.teeth_are_ids) == (True, "lower", 33, False)
        assert found.meaning.notes == ("The ids are read as Universal numbers, and 33 as the gum.",)

    def test_what_is_said_about_labels_counts(self) -> None:
        mesh = row_of_teeth(18, 19, 20, 21, gum=33)

        assert not meaning(mesh, numbering="anonymous").is_fdi
        assert meaning(mesh, numbering="fdi").numbers == {33: 0}


class TestSplit:
    BOTH = row_of_teeth(34, 35, 36, 37)

    def test_teeth_with_the_antagonists_number(self) -> None:
        mesh = split_in_halves(self.BOTH, (34, 24), (35, 25), (36, 26), (37, 27))
        found = DentalFacts(MeshFacts(mesh, Policy())).labels

        assert found.meaning.split == ((24, 34), (25, 35), (26, 36), (27, 37))
        assert (found.jaw, found.meaning.teeth_are_ids) == (None, False)
        assert np.array_equal(found.of_node, row_of_teeth(24, 25, 26, 27).face_data["label"])
        assert meaning(mesh, jaw="lower").split[0] == (34, 24)

    def test_the_jaw_that_more_numbers_name(self) -> None:
        found = meaning(split_in_halves(self.BOTH, (34, 24), (36, 26)))

        assert (found.jaw, found.split) == ("lower", ((34, 24), (36, 26)))

    def test_the_numbers_of_the_other_side(self) -> None:
        assert meaning(split_in_halves(self.BOTH, (34, 14), (35, 15))).split == ((34, 14), (35, 15))

    def test_one_tooth_and_neighbours_at_the_midline_are_not_split(self) -> None:
        assert meaning(split_in_halves(self.BOTH, (34, 24))).split == ()
        assert meaning(row_of_teeth(12, 11, 31, 32)).split == ()
        assert meaning(row_of_teeth(36, 37, 26, 27)).split == ()

    def test_a_tied_vote_leaves_the_jaw_open(self) -> None:
        assert meaning(row_of_teeth(12, 11, 31, 32)).jaw is None
        assert meaning(row_of_teeth(12, 11, 31, 32), jaw="upper").jaw == "upper"
        assert meaning(row_of_teeth(12, 11, 31, gum=0)).jaw == "upper"


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["face", "vertex"]))
def test_contacts_are_those_of_a_naive_count(seed: int, per: str) -> None:
    mesh = shapes.grid(4, 3)
    count = len(mesh.faces) if per == "face" else len(mesh.vertices)
    label = np.random.default_rng(seed).choice([0, 7, 11, 12], count).astype(np.int32)
    found = find_contacts(MeshFacts(mesh, Policy()), per, label)  # type: ignore[arg-type]

    corners = mesh.faces.tolist()
    of_face = label.tolist() if per == "face" else [sorted(label[face].tolist())[1] for face in mesh.faces]
    faces_of: dict[frozenset[int], list[int]] = {}
    for face, (a, b, c) in enumerate(corners):
        for edge in ((a, b), (b, c), (c, a)):
            faces_of.setdefault(frozenset(edge), []).append(face)
    borders, boundary, area = Counter[tuple[int, int]](), Counter[int](), Counter[int]()
    for faces in faces_of.values():
        labels = [of_face[face] for face in faces]
        if len(labels) == 1:
            boundary[labels[0]] += 1
        elif labels[0] != labels[1]:
            borders[labels[0], labels[1]] += 1
            borders[labels[1], labels[0]] += 1
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    for id_, value in zip(of_face, np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2, strict=True):
        area[id_] += value

    ids = found.ids.tolist()
    assert ids == sorted(set(of_face))
    assert found.borders.tolist() == [[borders[first, second] for second in ids] for first in ids]
    assert found.boundary.tolist() == [boundary[id_] for id_ in ids]
    assert found.area == pytest.approx([area[id_] for id_ in ids])
    assert found.n_borders == sum(borders.values()) // 2


@given(st.sets(st.sampled_from(fdi.PERMANENT), min_size=1), st.sampled_from([0, 99, -1]))
def test_what_is_read_is_stored_as_it_was(codes: set[int], gum: int) -> None:
    universal = {int(fdi.to_universal(code)): code for code in codes}
    read = LabelMeaning(True, gum, None, {**universal, **({gum: 0} if gum else {})})
    ids = np.array([gum, *universal], np.int32)

    assert read.read(ids).tolist() == [0, *universal.values()]
    assert np.array_equal(read.stored(read.read(ids)), ids)
