"""Assembly: attributes, seams and marks come through a repair, and maps and costs say what was done."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest

import meshguard
from meshguard import repair
from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.phantoms import mutate, phantom
from meshguard.repair.assembly import assemble
from meshguard.repair.draft import NEW
from tests import shapes
from tests.repair import broken
from tests.repair.drafts import draft, pricked
from tests.repair.proof import proved, steps

if TYPE_CHECKING:
    from meshguard.repair.result import RepairResult


@pytest.fixture(scope="module")
def pair() -> tuple[Mesh, RepairResult]:
    """An arch with labels, colours and an attribute of its own, broken and mended."""
    arch = phantom(faces=4000)
    rng = np.random.default_rng(0)
    given = Mesh(
        vertices=arch.vertices,
        faces=arch.faces,
        vertex_data={**arch.vertex_data, "color": rng.integers(0, 255, (len(arch.vertices), 3)).astype(np.uint8)},
        face_data={**arch.face_data, "weight": rng.random(len(arch.faces))},
        jaw=arch.jaw,
    )
    names = ("hole", "nonmanifold_edge", "zero_area_face", "crack", "fold", "nonfinite_vertex")
    mesh, _ = mutate(given, *names, seed=1)
    return mesh, repair(mesh)


class TestByHand:
    def test_where_nothing_was_done_it_is_the_mesh_itself(self) -> None:
        start = draft(shapes.cube())
        whole = assemble(start, start)

        assert whole.mesh is start.facts.mesh and whole.facts is start.facts
        assert (whole.vertex_origin.tolist(), whole.face_origin.tolist()) == (list(range(8)), list(range(12)))
        assert (whole.max_displacement_mm, whole.area_added_mm2, whole.area_removed_mm2) == (0.0, 0.0, 0.0)

    def test_what_was_taken_away_is_counted(self) -> None:
        start = draft(shapes.cube())
        whole = assemble(start, start.without(np.arange(12) < 2))

        assert whole.area_removed_mm2 == pytest.approx(3600.0)
        assert (whole.area_added_mm2, whole.max_displacement_mm) == (0.0, 0.0)
        assert whole.face_origin.tolist() == list(range(2, 12))
        assert "synthetic" not in whole.mesh.face_data

    def test_what_was_invented_is_counted_and_marked(self) -> None:
        start = draft(shapes.cube().take(np.arange(2, 12)))
        p = len(start.positions)
        lid = np.array([[0, 2, p], [2, 3, p], [3, 1, p], [1, 0, p]], np.int32)
        filled = start.rebuilt(np.zeros(10, np.bool_), np.array([[30.0, 30.0, 0.0]]), lid, synthetic=True)
        whole = assemble(start, filled)

        assert whole.area_added_mm2 == pytest.approx(3600.0)
        assert whole.area_removed_mm2 == 0.0
        assert whole.mesh.face_data["synthetic"].tolist() == [0] * 10 + [1] * 4
        assert whole.face_origin[-4:].tolist() == [NEW] * 4
        assert np.count_nonzero(whole.vertex_origin == NEW) == 1

    def test_splitting_a_face_takes_nothing_away_and_adds_nothing(self) -> None:
        start = draft(shapes.cube())
        whole = assemble(start, pricked(start, np.arange(12) == 5))

        assert whole.area_removed_mm2 == whole.area_added_mm2 == 0.0
        assert whole.face_origin[-3:].tolist() == [5, 5, 5]

    def test_the_furthest_move_is_told(self) -> None:
        start = draft(shapes.cube())
        positions = start.positions.copy()
        positions[0] -= [3.0, 4.0, 0.0]
        positions[7] += [0.0, 0.0, 1.0]

        assert assemble(start, start.moved(positions)).max_displacement_mm == 5.0

    def test_new_vertices_and_faces_are_like_the_nearest(self) -> None:
        mesh = shapes.grid(2, 1, width=60.0, bulge=0.0).with_data(
            vertex={"height": np.arange(6.0)}, face={"weight": np.arange(4.0)}
        )
        start = draft(mesh)
        p = len(start.positions)
        point = start.positions[2] + [1.0, 0.0, 0.0]  # beside vertex 2, the right end of the lower row
        added = start.rebuilt(np.zeros(4, np.bool_), point[None], np.array([[2, p, 5]], np.int32))
        whole = assemble(start, added)
        new = int(np.flatnonzero(whole.vertex_origin == NEW)[0])

        assert whole.mesh.vertex_data["height"][new] == 2.0
        # Its middle is nearest to that of the lower of the two faces to the right.
        assert whole.mesh.face_data["weight"].tolist() == [0, 1, 2, 3, 2]

    def test_vertices_that_shared_a_position_stay_apart(self) -> None:
        mesh = shapes.soup(shapes.tetrahedron())
        start = draft(mesh)
        whole = assemble(start, start.without(np.array([True, False, False, False])))

        assert sorted(whole.vertex_origin.tolist()) == list(range(3, 12))
        assert whole.mesh.vertices[whole.mesh.faces].tolist() == mesh.vertices[mesh.faces[1:]].tolist()

    def test_what_is_known_of_the_draft_is_known_of_the_mesh(self) -> None:
        start = draft(shapes.cube())
        after = start.turned(np.ones(12, np.bool_))
        components = after.facts.components
        whole = assemble(start, after)

        assert whole.facts.mesh is whole.mesh
        assert MeshFacts.components.known(whole.facts) is components

    def test_facts_of_a_mesh_with_a_seam_are_found_again(self) -> None:
        start = draft(shapes.soup(shapes.cube()))
        whole = assemble(start, start.turned(np.ones(12, np.bool_)))

        assert len(whole.mesh.vertices) == 36
        assert len(whole.facts.positions) == 8


class TestAttributes:
    def test_those_of_what_was_there_never_change(self, pair: tuple[Mesh, RepairResult]) -> None:
        mesh, result = pair
        proved(result)
        for origin, before, after in (
            (result.vertex_origin, mesh.vertex_data, result.mesh.vertex_data),
            (result.face_origin, mesh.face_data, result.mesh.face_data),
        ):
            old = origin >= 0
            assert set(before) <= set(after)
            for name, values in before.items():
                assert after[name].dtype == values.dtype
                assert after[name][old].tobytes() == values[origin[old]].tobytes(), name
        assert result.mesh.jaw == mesh.jaw

    def test_new_faces_have_the_label_of_some_face_near(self, pair: tuple[Mesh, RepairResult]) -> None:
        _mesh, result = pair
        new = np.flatnonzero(result.face_origin < 0)
        labels = np.asarray(result.mesh.face_data["label"])
        centres = result.mesh.vertices[result.mesh.faces].mean(axis=1)

        assert len(new) > 0
        old = result.face_origin >= 0
        for face in new.tolist():
            near = np.linalg.norm(centres - centres[face], axis=1) < 6.0
            assert labels[face] in labels[near & old]

    def test_new_faces_are_marked_and_only_those(self, pair: tuple[Mesh, RepairResult]) -> None:
        _, result = pair
        marks = np.asarray(result.mesh.face_data["synthetic"])

        assert marks.dtype == np.uint8
        assert np.array_equal(marks, (result.face_origin < 0).astype(np.uint8))

    def test_untouched_vertices_are_the_same_bits(self, pair: tuple[Mesh, RepairResult]) -> None:
        mesh, result = pair
        old = result.vertex_origin >= 0
        same = (result.mesh.vertices[old] == mesh.vertices[result.vertex_origin[old]]).all(axis=1)

        assert same.mean() > 0.99
        assert old.mean() > 0.99

    def test_a_mark_of_an_earlier_repair_stays(self) -> None:
        first = repair(broken.small_hole())
        turned = Mesh(
            vertices=first.mesh.vertices, faces=first.mesh.faces[:, ::-1], face_data=dict(first.mesh.face_data)
        )
        second = repair(turned)

        assert np.array_equal(second.mesh.face_data["synthetic"], first.mesh.face_data["synthetic"])
        assert second.area_added_mm2 == 0.0

    def test_a_seam_between_two_colours_survives(self) -> None:
        sheet = broken.small_hole()
        right = sheet.vertices[sheet.faces].mean(axis=1)[:, 0] > 0
        one, other = sheet.take(~right), sheet.take(right)
        both = shapes.joined(one, other)
        red = np.array([[200, 0, 0]] * len(one.vertices) + [[0, 0, 200]] * len(other.vertices), np.uint8)
        file = io.BytesIO()
        meshguard.save(Mesh(vertices=both.vertices, faces=both.faces, vertex_data={"color": red}), file, format="ply")
        mesh = meshguard.load(file.getvalue())
        result = repair(mesh)

        proved(result)
        assert steps(result) == {"fill holes": 1}
        old = result.vertex_origin >= 0
        assert np.array_equal(np.sort(result.vertex_origin[old]), np.arange(len(mesh.vertices)))
        assert np.array_equal(result.mesh.vertex_data["color"][old], red[result.vertex_origin[old]])
        colours = result.mesh.vertex_data["color"][result.mesh.faces]
        assert (colours == colours[:, :1]).all()  # no face mixes two


def test_stored_normals_follow_what_is_turned_over() -> None:
    ball = shapes.cube()
    outward = ball.vertices - ball.vertices.mean(axis=0)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    inverted = Mesh(vertices=ball.vertices, faces=ball.faces[:, ::-1], vertex_data={"normal": -outward})

    result = repair(inverted)
    normals = np.asarray(result.mesh.vertex_data["normal"])

    assert ((normals * outward).sum(axis=1) > 0.5).all()


def test_labels_of_vertices_and_faces_go_on_saying_the_same() -> None:
    mesh, _ = mutate(meshguard.phantom(faces=20_000), "hole", "nonmanifold_edge", "flipped_patch")
    assert mesh.label_carrier() == "vertex" and "label" in mesh.face_data
    result = repair(mesh).mesh

    assert len(result.faces) != len(mesh.faces)
    assert result.label_carrier() == "vertex"
    assert result.face_data["label"].dtype == mesh.face_data["label"].dtype
