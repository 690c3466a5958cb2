"""repair() as a whole: nothing done to what is clean, all that is done told truthfully, a refusal that carries all."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import meshguard
from meshguard import repair
from meshguard.budget import Budget
from meshguard.errors import BudgetExceeded, MeshGuardError, PolicyError, ReadError, RepairRefused
from meshguard.mesh import FloatArray, IntArray, Mesh
from meshguard.phantoms import mutate, phantom
from meshguard.policy import Policy, policy
from meshguard.report import Safety
from tests import mutations, shapes
from tests.repair import broken
from tests.repair.proof import is_same, proved, steps, trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshguard.repair.result import RepairResult

QUICK_PRINT = policy("print").replace(limits={"solid_fraction": 0.03})
"""`print` with a coarse grid where a body has to be made anew."""

BROKEN: dict[str, Callable[[], Mesh]] = {
    **{name: mutation.make for name, mutation in mutations.MUTATIONS.items() if name != "no_faces"},
    **{
        make.__name__: make
        for make in (
            broken.cubes_at_an_edge,
            broken.cubes_at_a_vertex,
            broken.book,
            broken.cap,
            broken.chain_of_caps,
            broken.caps_back_to_back,
            broken.cap_on_the_border,
            broken.t_junction,
            broken.cavity,
            broken.crossing_sheets,
            broken.poke,
            broken.coincident_sheets,
            broken.island_in_a_hole,
            broken.overlapping_bodies,
            broken.without_thickness,
        )
    },
}


def attempted(mesh: Mesh, **options: Any) -> RepairResult:
    """The result, refused or not."""
    try:
        return repair(mesh, **options)
    except RepairRefused as refused:
        result: RepairResult = refused.result
        return result


@pytest.mark.parametrize("name", BROKEN)
class TestEvery:
    def test_it_ends_clean_and_again_changes_nothing(self, name: str) -> None:
        mesh = BROKEN[name]()
        result = repair(mesh)
        again = repair(result.mesh)

        proved(result)
        assert again.mesh is result.mesh
        assert (again.steps, again.changed) == ((), False)
        assert result.changed == (result.mesh is not mesh)

    def test_the_input_is_not_touched(self, name: str) -> None:
        given = BROKEN[name]()
        vertices, faces = given.vertices.copy(), given.faces.copy()
        attempted(given)

        assert given.vertices.tobytes() == vertices.tobytes()
        assert given.faces.tobytes() == faces.tobytes()

    def test_the_maps_and_the_costs_are_true(self, name: str) -> None:
        mesh = BROKEN[name]()
        result = attempted(mesh)

        assert_told_truly(mesh, result)

    def test_lossless_moves_nothing_and_invents_nothing(self, name: str) -> None:
        mesh = BROKEN[name]()
        result = attempted(mesh, lossless=True)

        assert_told_truly(mesh, result)
        assert (result.max_displacement_mm, result.area_added_mm2) == (0.0, 0.0)
        assert (result.vertex_origin >= 0).all() and (result.face_origin >= 0).all()
        assert all(step.safety is Safety.LOSSLESS for step in result.steps)
        # Only a duplicate and a face with a repeated corner may go: the surface stays.
        before, after = (
            {tuple(sorted(vertices[corner].tobytes() for corner in face)) for face in faces}
            for vertices, faces in ((mesh.vertices + 0.0, mesh.faces), (result.mesh.vertices + 0.0, result.mesh.faces))
        )
        assert after <= before
        assert all(len(set(triangle)) < 3 for triangle in before - after)


def assert_told_truly(mesh: Mesh, result: RepairResult) -> None:
    """Recompute by hand what a result says of where its parts come from and what they cost."""
    after = result.mesh
    assert (len(result.vertex_origin), len(result.face_origin)) == (len(after.vertices), len(after.faces))
    assert result.vertex_origin.dtype == result.face_origin.dtype == np.int32
    assert result.vertex_origin.max(initial=-1) < len(mesh.vertices)
    assert result.face_origin.max(initial=-1) < len(mesh.faces)
    furthest = 0.0
    for vertex, origin in zip(after.vertices, result.vertex_origin.tolist(), strict=True):
        if origin >= 0 and np.isfinite(mesh.vertices[origin]).all():
            furthest = max(furthest, float(np.linalg.norm(vertex - mesh.vertices[origin])))
    assert result.max_displacement_mm == furthest
    marked = np.asarray(after.face_data.get("synthetic", np.zeros(len(after.faces)))) != 0
    assert np.array_equal(marked, result.face_origin < 0)
    area = areas(after)
    assert result.area_added_mm2 == pytest.approx(area[marked].sum(), rel=1e-9, abs=1e-12)
    remaining = np.zeros(len(mesh.faces))
    for face, origin in enumerate(result.face_origin.tolist()):
        if origin >= 0:
            remaining[origin] += area[face]
    given = areas(mesh)
    lost = given - remaining
    gone = float(lost[lost > 1e-4 * given].sum())
    assert gone <= result.area_removed_mm2 * (1 + 1e-9) + 1e-9
    assert result.area_removed_mm2 <= gone + 1e-4 * float(given.sum()) + 1e-9
    # What a face is a part of lies within its box.
    for face, origin in enumerate(result.face_origin.tolist()[:200]):
        if origin >= 0 and np.isfinite(mesh.vertices[mesh.faces[origin]]).all():
            corners, old = after.vertices[after.faces[face]], mesh.vertices[mesh.faces[origin]]
            slack = furthest + 1e-4 * float(np.ptp(old))
            assert (corners >= old.min(axis=0) - slack).all() and (corners <= old.max(axis=0) + slack).all()


def areas(mesh: Mesh) -> np.ndarray:
    """Area of each face, 0 for one that has no place."""
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    with np.errstate(invalid="ignore"):
        found = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    return np.where(np.isfinite(found), found, 0.0)


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


@pytest.fixture(scope="module")
def refused() -> RepairRefused:
    """A refusal."""
    with pytest.raises(RepairRefused) as error:
        repair(broken.cubes_at_an_edge(), lossless=True)
    return error.value


def test_steps_that_undo_one_another_end_the_plan() -> None:
    """Joined along its cracks the surface has one side only; cut there it has cracks again."""
    vertices = [[2, 1, 1], [0, 0, 2], [0, 2, 0], [2, 2, 2], [2, 2, 2], [2, 0, 1], [1, 1, 2], [1, 2, 1], [1, 0, 2]]
    faces = [[8, 4, 1], [8, 0, 3], [4, 2, 1], [6, 2, 4], [7, 5, 2], [6, 5, 3]]
    rules = policy("scan").replace(limits={"carve_fraction": 0.1})
    result = repair(Mesh(vertices=np.array(vertices, np.float64), faces=faces), policy=rules)
    again = repair(result.mesh, policy=rules)

    proved(result, rules)
    assert again.mesh is result.mesh
    assert again.steps == ()


class TestClean:
    @pytest.mark.parametrize(
        "make", [shapes.grid, shapes.tetrahedron, shapes.cube, shapes.torus, shapes.triangle, broken.cavity]
    )
    @pytest.mark.parametrize("rules", ["scan", "labelled", "strict"])
    def test_it_comes_back_as_it_is(self, make: Callable[[], Mesh], rules: str) -> None:
        mesh = make()
        result = repair(mesh, policy=rules)

        assert result.mesh is mesh
        assert result.clean and not result.changed
        assert (result.steps, result.max_displacement_mm, result.area_added_mm2, result.area_removed_mm2) == (
            (),
            0.0,
            0.0,
            0.0,
        )
        assert np.array_equal(result.vertex_origin, np.arange(len(mesh.vertices)))
        assert np.array_equal(result.face_origin, np.arange(len(mesh.faces)))
        assert result.before.to_json() == result.after.to_json()

    def test_a_phantom_does_too(self) -> None:
        mesh = phantom(faces=3000)

        assert repair(mesh).mesh is mesh

    def test_a_path_bytes_and_a_file_are_taken(self, tmp_path: Any) -> None:
        path = tmp_path / "mesh.ply"
        meshguard.save(mutations.fin(), path)
        with path.open("rb") as file:
            results = [repair(source) for source in (str(path), path, path.read_bytes(), file, meshguard.load(path))]

        assert len({result.to_json() for result in results}) == 1
        assert all(is_same(result.mesh, results[0].mesh) for result in results)


class TestPrint:
    def test_an_open_sheet_is_closed(self) -> None:
        result = repair(shapes.grid(), policy="print")

        assert proved(result, "print")["boundary_edges"] == 0
        assert np.array_equal(result.face_origin[:96], np.arange(96))

    def test_overlapping_bodies_become_one(self) -> None:
        result = repair(broken.overlapping_bodies(), policy=QUICK_PRINT)
        stats = proved(result, "print")

        assert (stats["components"], stats["boundary_edges"]) == (1, 0)
        # Two cubes of 30 mm whose overlap is 13 by 17 by 19 mm; what is made on a grid rounds their edges off.
        assert volume(result.mesh) == pytest.approx(2 * 30.0**3 - 13.0 * 17.0 * 19.0, rel=0.02)
        assert (np.asarray(result.mesh.face_data["synthetic"]) == 1).all()
        (record,) = [step for step in result.steps if step.safety is Safety.INVENTIVE and not step.undone]
        assert record.name == "make a solid of what is inside"

    def test_what_has_no_inside_is_refused(self) -> None:
        with pytest.raises(RepairRefused) as refused:
            repair(broken.without_thickness(), policy=QUICK_PRINT)

        assert "boundary edges" in refused.value.reasons[0]
        assert len(refused.value.result.mesh.faces) > 0

    def test_a_sheet_that_is_flat_is_refused(self) -> None:
        with pytest.raises(RepairRefused):
            repair(shapes.grid(4, 4, bulge=0.0), policy=QUICK_PRINT)

    def test_again_changes_nothing(self) -> None:
        result = repair(broken.overlapping_bodies(), policy=QUICK_PRINT)

        assert repair(result.mesh, policy=QUICK_PRINT).mesh is result.mesh


def volume(mesh: Mesh) -> float:
    """The volume of a closed body."""
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


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


class TestRefused:
    def test_it_carries_the_best_state_and_the_reasons(self, refused: RepairRefused) -> None:
        assert isinstance(refused, MeshGuardError)
        assert refused.reasons == ("1 non-manifold edges",)
        assert "1 non-manifold edges" in str(refused)
        assert not refused.result.clean
        assert len(refused.result.mesh.faces) == 24
        assert [left.check for left in refused.result.not_repaired if left.check == "T101"] == ["T101"]

    def test_it_survives_pickling(self, refused: RepairRefused) -> None:
        copy = pickle.loads(pickle.dumps(refused))

        assert (copy.reasons, str(copy)) == (refused.reasons, str(refused))
        assert copy.result.to_json() == refused.result.to_json()
        assert is_same(copy.result.mesh, refused.result.mesh)

    def test_a_mesh_without_faces_is_refused_under_every_policy(self) -> None:
        empty = Mesh(vertices=np.eye(3), faces=np.empty((0, 3), np.int32))
        for rules in ("scan", "print", "labelled", "strict"):
            with pytest.raises(RepairRefused, match="without a face"):
                repair(empty, policy=rules)

    def test_garbage_is_not_refused_but_not_read(self) -> None:
        with pytest.raises(ReadError):
            repair(b"this is not a mesh")

    @pytest.mark.parametrize("rules", ["scann", Policy(select=("T999",))])
    def test_an_unknown_name_ends_before_anything_is_read(self, rules: str | Policy) -> None:
        with pytest.raises(PolicyError):
            repair("does-not-exist.stl", policy=rules)


class TestBudget:
    def test_time_that_is_over_at_once_is_too_small_a_budget(self) -> None:
        with pytest.raises(BudgetExceeded, match="max_seconds"):
            repair(mutations.fin(), budget=Budget(max_seconds=0.0))

    def test_too_many_faces(self) -> None:
        with pytest.raises(BudgetExceeded, match="max_faces=10"):
            repair(mutations.fin(), budget=Budget(max_faces=10))

    @pytest.mark.parametrize("last", ["separate sheets", "fill holes", "count"])
    def test_time_that_is_over_on_the_way_ends_in_a_refusal(self, last: str, monkeypatch: pytest.MonkeyPatch) -> None:
        now = 0.0
        seen: list[str] = []
        monkeypatch.setattr("meshguard.budget.time.monotonic", lambda: now)

        def progress(_done: int, _total: int, what: str) -> None:
            nonlocal now
            seen.append(what)
            planned = "drop vertices that no face uses" in seen
            if what == last if last != "count" else planned and what not in {step.name for step in plan.PLAN}:
                now = 1e9

        from meshguard.repair import plan

        with pytest.raises(RepairRefused, match="max_seconds=5") as refused:
            repair(mutations.fin(), budget=Budget(max_seconds=5.0), progress=progress)

        result = refused.value.result
        assert not result.clean
        assert result.after.to_json() == meshguard.validate(result.mesh).to_json()

    def test_progress_is_called_between_steps(self) -> None:
        calls: list[tuple[int, int, str]] = []
        repair(mutations.fin(), progress=lambda *call: calls.append(call))
        done, total, what = (list(column) for column in zip(*calls, strict=True))

        assert done == sorted(done) and done[0] == 0
        assert {"separate sheets", "fill holes"} <= set(what)
        assert what[-1] == "" and done[-1] == total[-1]
        assert all(one <= all_ for one, all_, _ in calls)

    def test_an_exception_of_progress_ends_the_call(self) -> None:
        def cancel(*_: object) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            repair(mutations.fin(), progress=cancel)


class TestReports:
    def test_before_and_after_are_what_validate_says(self) -> None:
        mesh = mutations.fin()
        result = repair(mesh)

        assert result.before.to_json() == meshguard.validate(mesh).to_json()
        assert result.after.to_json() == meshguard.validate(result.mesh).to_json()

    @pytest.mark.parametrize("name", sorted(BROKEN))
    def test_after_is_what_a_fresh_look_says(self, name: str) -> None:
        """What is known of a draft is carried from step to step; it must be what is found anew."""
        result = repair(BROKEN[name]())

        assert result.after.to_json() == meshguard.validate(result.mesh).to_json()

    def test_what_is_left_is_named_with_the_reason(self) -> None:
        result = repair(broken.hole_beyond_the_limit())

        assert {left.check for left in result.not_repaired} == {
            finding.check for finding in result.after.findings if str(finding.severity) != "info"
        }
        assert all(left.reason.endswith(".") for left in result.not_repaired)


SCRIPT = """
import hashlib, sys
import meshguard
for path in sys.argv[1:]:
    try:
        result = meshguard.repair(path)
    except meshguard.RepairRefused as refused:
        result = refused.result
    digest = hashlib.sha256(result.to_json().encode())
    for array in (result.mesh.vertices, result.mesh.faces, result.vertex_origin, result.face_origin):
        digest.update(array.tobytes())
    print(digest.hexdigest())
"""


def test_the_bytes_do_not_depend_on_the_number_of_threads(tmp_path: Any) -> None:
    names = ("hole", "nonmanifold_edge", "crack", "fold", "flipped_patch", "zero_area_face", "floating_piece")
    arch, _ = mutate(phantom(faces=30_000), *names, seed=2)
    paths = []
    for name, mesh in {"arch": arch, "crossing": broken.crossing_sheets(), "poke": broken.poke()}.items():
        meshguard.save(mesh, tmp_path / f"{name}.stl")
        paths.append(str(tmp_path / f"{name}.stl"))
    answers = set()
    for threads in ("1", "2", "4"):
        environment = {**os.environ, "MESHGUARD_THREADS": threads}
        done = subprocess.run([sys.executable, "-c", SCRIPT, *paths], env=environment, capture_output=True, check=True)
        answers.add(done.stdout)

    assert len(answers) == 1
    assert answers.pop().count(b"\n") == len(paths)


def test_json_is_canonical_and_holds_no_clock_and_no_path() -> None:
    result = repair(mutations.fin())
    text = result.to_json()

    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(text.encode()).digest() == hashlib.sha256(repair(mutations.fin()).to_json().encode()).digest()
    assert "/" not in "".join(step.name for step in result.steps)


def test_the_package_and_the_function_do_not_get_into_each_others_way() -> None:
    code = (
        "import meshguard.repair.plan, meshguard\n"
        "mesh = meshguard.Mesh(vertices=[(0, 0, 0), (9, 0, 0), (0, 9, 0)], faces=[(0, 1, 2)])\n"
        "assert meshguard.repair(mesh).clean\n"
        "import meshguard.repair.mesh.self_intersections\n"
        "assert meshguard.repair(mesh).clean\n"
        "from meshguard import repair\n"
        "assert callable(repair)\n"
    )

    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_trouble_is_what_the_proof_would_see() -> None:
    """The proof of these tests can fail."""
    assert trouble(mutations.fin()) == {"nonmanifold_edges": 1}
    assert trouble(shapes.grid(), "print") == {"boundary_edges": 28}
    assert "intersecting_pairs" in trouble(broken.overlapping_bodies(), "print")
    assert trouble(broken.overlapping_bodies()) == {}


def test_stored_normals_follow_what_is_turned_over() -> None:
    ball = shapes.cube()
    outward = ball.vertices - ball.vertices.mean(axis=0)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    inverted = Mesh(vertices=ball.vertices, faces=ball.faces[:, ::-1], vertex_data={"normal": -outward})

    result = repair(inverted)
    normals = np.asarray(result.mesh.vertex_data["normal"])

    assert ((normals * outward).sum(axis=1) > 0.5).all()


def test_what_is_made_of_small_pieces_is_not_debris() -> None:
    grid = np.stack(np.meshgrid(*[np.arange(7)] * 3), axis=-1).reshape(-1, 3) * 10.0
    cube = shapes.cube()
    count, size = len(cube.vertices), float(np.ptp(cube.vertices, axis=0).max())
    vertices = np.concatenate([cube.vertices / size + place for place in grid])
    faces = np.concatenate([cube.faces + count * number for number in range(len(grid))])
    mesh = Mesh(vertices=vertices.astype(np.float32), faces=faces)

    result = repair(mesh)

    assert result.mesh is mesh and result.clean


def test_islands_are_pieces_and_not_holes_of_a_sheet_close_by() -> None:
    def holed(height: float, hole: int) -> tuple[FloatArray, IntArray]:
        side = np.arange(21) * 2.0
        x, y = np.meshgrid(side, side)
        vertices = np.stack([x, y, height + 0 * x], axis=-1).reshape(-1, 3)
        cells = [(i, j) for i in range(20) for j in range(20) if not (abs(i - 10) < hole and abs(j - 10) < hole)]
        corner = np.array([i * 21 + j for i, j in cells])
        quads = np.stack([corner, corner + 1, corner + 22, corner, corner + 22, corner + 21], axis=1)
        return vertices, quads.reshape(-1, 3)

    (first, one), (second, two) = holed(0.0, 2), holed(0.25, 1)
    mesh = Mesh(
        vertices=np.concatenate([first, second]).astype(np.float32), faces=np.concatenate([one, two + len(first)])
    )

    result = repair(mesh, policy=policy("scan").replace(limits={"hole_diameter_mm": 12.0, "hole_fraction": 1.0}))

    assert result.after.stats["components"] == 2
    assert result.after.stats["boundary_loops"] == 2


def test_labels_of_vertices_and_faces_go_on_saying_the_same() -> None:
    mesh, _ = mutate(meshguard.phantom(faces=20_000), "hole", "nonmanifold_edge", "flipped_patch")
    assert mesh.label_carrier() == "vertex" and "label" in mesh.face_data
    result = repair(mesh).mesh

    assert len(result.faces) != len(mesh.faces)
    assert result.label_carrier() == "vertex"
    assert result.face_data["label"].dtype == mesh.face_data["label"].dtype
