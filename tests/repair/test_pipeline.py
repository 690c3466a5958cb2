"""repair() as a whole: nothing done to what is clean, all that is done told truthfully, a refusal that carries all."""

from __future__ import annotations

import io
import itertools
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest

import meshguard
from meshguard import repair
from meshguard.budget import Budget
from meshguard.errors import BudgetExceeded, MeshError, MeshGuardError, PolicyError, ReadError, RepairRefused
from meshguard.float32 import are_float32
from meshguard.mesh import Mesh
from meshguard.phantoms import mutate, phantom
from meshguard.policy import Policy
from meshguard.repair import plan
from meshguard.report import Safety
from meshguard.validation import NOT_REACHED
from meshguard.watch import look
from tests import mutations, shapes
from tests.repair import broken
from tests.repair.proof import is_same, proved, through, trouble

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meshguard.repair.draft import Draft
    from meshguard.repair.result import RepairResult, Target
    from meshguard.repair.step import Change

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
        # Only surface that is there twice and a face with a repeated corner may go; a face may be split where it lies.
        before, after = (
            {tuple(sorted(vertices[corner].tobytes() for corner in face)) for face in faces}
            for vertices, faces in ((mesh.vertices + 0.0, mesh.faces), (result.mesh.vertices + 0.0, result.mesh.faces))
        )
        is_split = np.bincount(result.face_origin, minlength=len(mesh.faces)) > 1
        split = {
            tuple(sorted(corner.tobytes() for corner in mesh.vertices[face] + 0.0)) for face in mesh.faces[is_split]
        }
        parts = np.bincount(result.face_origin, areas(result.mesh), minlength=len(mesh.faces))
        assert parts[is_split] == pytest.approx(areas(mesh)[is_split], rel=1e-9)
        assert len(after - before) <= np.count_nonzero(is_split[result.face_origin])
        assert all(len(set(triangle)) < 3 for triangle in before - after - split)


TURN = np.linalg.qr(np.random.default_rng(7).normal(size=(3, 3)))[0]
"""A rotation that leaves no coordinate a float32."""


def turned_double(mesh: Mesh) -> Mesh:
    """The mesh turned and moved a little: every finite coordinate needs a double."""
    with np.errstate(invalid="ignore", over="ignore"):
        return Mesh(vertices=mesh.vertices @ TURN + [0.1, 0.2, 0.3], faces=mesh.faces)


@pytest.mark.parametrize("target", ["stl", "ply"])
@pytest.mark.parametrize("name", [name for name in BROKEN if name not in ("outside_exact", "far_away")])
def test_doubles_end_clean_for_either_target_and_again_changes_nothing(name: str, target: Target) -> None:
    mesh = turned_double(BROKEN[name]())
    result = repair(mesh, target=target)

    proved(result)
    assert result.target == target
    assert repair(result.mesh, target=target).mesh is result.mesh
    assert_told_truly(mesh, result)
    old = result.vertex_origin >= 0
    moved = np.linalg.norm(result.mesh.vertices[old] - mesh.vertices[result.vertex_origin[old]], axis=1)
    if target == "ply":  # what no step had a reason to move has its bits
        assert (moved == 0.0).mean() >= 0.5
    else:
        assert are_float32(result.mesh.vertices)
        assert (moved <= 1e-3).mean() >= 0.5


TEXT = b"""solid
facet normal 0 0 1
outer loop
vertex 0.1 0.2 0.3
vertex 60.1 0.2 0.3
vertex 30.1 40.2 0.3
endloop
endfacet
endsolid
"""
"""Its numbers are no float32."""


TARGETS: list[Target] = ["stl", "ply"]


class TestTarget:
    FINE = turned_double(shapes.grid())

    def test_a_clean_mesh_of_doubles_comes_back_and_is_saved_bit_for_bit(self) -> None:
        loaded = through(self.FINE, "ply")
        result = repair(loaded)

        assert result.mesh is loaded and not result.changed
        assert is_same(through(result.mesh, "ply"), self.FINE)

    @pytest.mark.parametrize(
        ("mesh", "target"),
        [
            (shapes.grid(), "ply"),
            (through(shapes.grid(), "stl"), "stl"),
            (through(shapes.grid(), "ply"), "ply"),
            (meshguard.load(TEXT), "stl"),
        ],
        ids=["arrays", "stl", "ply", "text stl"],
    )
    def test_unless_told_it_is_the_format_of_the_input(self, mesh: Mesh, target: str) -> None:
        assert repair(mesh).target == target

    def test_what_no_stl_could_hold_is_not_from_an_stl(self) -> None:
        """As a result in another unit that is repaired again."""
        inches = through(shapes.grid(), "stl")
        result = repair(inches, unit="inch", target="ply")

        assert not are_float32(result.mesh.vertices)
        assert repair(result.mesh).target == "ply"
        assert repair(result.mesh).mesh is result.mesh

    def test_what_is_new_in_a_mesh_of_float32_is_float32_whatever_the_target(self) -> None:
        results = [repair(broken.small_hole(), target=target) for target in TARGETS]

        assert are_float32(results[0].mesh.vertices)
        assert is_same(results[0].mesh, results[1].mesh)

    def test_what_is_new_in_a_mesh_of_doubles_is_not_rounded(self) -> None:
        mesh = turned_double(broken.hole_beyond_the_limit())
        result = repair(mesh, policy=Policy(limits={"hole_diameter_mm": 8.0, "hole_fraction": 0.2}))
        new = result.mesh.vertices[result.vertex_origin < 0]

        assert len(new) and not are_float32(new)
        assert result.max_displacement_mm == 0.0
        assert [step.name for step in result.steps] == ["fill holes"]

    def test_an_unknown_one_is_refused(self) -> None:
        with pytest.raises(MeshError, match="target must be 'stl', 'ply' or None"):
            repair(shapes.grid(), target="obj")  # type: ignore[arg-type]


class TestField:
    """Files as the field wrote them; what is right was said by the field, not by us."""

    @pytest.mark.parametrize("name", ["27_offset_double.ply", "63_true_double.ply"])
    def test_a_clean_file_of_doubles_comes_back_as_it_is(self, data_root: Path, name: str) -> None:
        mesh = meshguard.load(shared(data_root, name))
        result = repair(mesh)

        assert result.mesh is mesh and not result.changed
        assert through(result.mesh, "ply").vertices.tobytes() == mesh.vertices.tobytes()

    def test_far_from_the_origin_an_stl_is_warned_of_refused_and_bounded(self, data_root: Path) -> None:
        path = shared(data_root, "27_offset_double.ply")
        mesh = meshguard.load(path)

        assert {finding.check for finding in meshguard.validate(mesh).findings} == {"G109"}
        with pytest.raises(RepairRefused, match="--recentre"):
            repair(path, target="stl")
        result = repair(path, target="stl", recentre=True)
        proved(result)
        assert len(result.mesh.faces) == len(mesh.faces)
        assert result.max_displacement_mm <= 1e-3
        assert np.abs(result.mesh.vertices + result.shift_mm - mesh.vertices).max() <= 1e-3

    def test_near_the_origin_an_stl_is_rounded_without_a_defect(self, data_root: Path) -> None:
        path = shared(data_root, "63_true_double.ply")
        result = repair(path, target="stl")

        proved(result)
        assert meshguard.validate(path).findings == ()
        assert [step.checks for step in result.steps] == [()]
        assert result.max_displacement_mm <= 1e-5


def shared(root: Path, name: str) -> Path:
    """A file that the field wrote."""
    path = root / "field" / name
    if not path.is_file():
        pytest.skip(f"the shared data hold no field/{name}")
    return path


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
    assert result.max_displacement_mm == pytest.approx(furthest, rel=1e-12)
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
    twice = sum(step.second_copy_mm2 for step in result.steps)
    assert gone - twice <= result.area_removed_mm2 * (1 + 1e-9) + 1e-9
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
def refused() -> RepairRefused:
    """A refusal."""
    with pytest.raises(RepairRefused) as error:
        repair(broken.cubes_at_an_edge(), lossless=True)
    return error.value


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

    @pytest.mark.parametrize("last", ["split non-manifold edges and vertices", "fill holes", "count"])
    def test_time_that_is_over_on_the_way_ends_in_a_refusal(self, last: str, monkeypatch: pytest.MonkeyPatch) -> None:
        now = 0.0
        seen: list[str] = []
        monkeypatch.setattr("meshguard.budget.time.monotonic", lambda: now)

        def progress(_done: int, _total: int, what: str) -> None:
            nonlocal now
            seen.append(what)
            planned = "drop unreferenced vertices" in seen
            if what == last if last != "count" else planned and what not in {step.name for step in plan.PLAN}:
                now = 1e9

        with pytest.raises(RepairRefused, match="max_seconds=5") as refused:
            repair(mutations.fin(), budget=Budget(max_seconds=5.0), progress=progress)

        result = refused.value.result
        assert not result.clean
        assert result.after.to_json() == meshguard.validate(result.mesh).to_json()

    def test_time_that_is_over_within_a_step_undoes_that_step(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = 0.0
        monkeypatch.setattr("meshguard.budget.time.monotonic", lambda: now)
        step = next(step for step in plan.PLAN if step.name == "fill holes")

        def run(draft: Draft) -> Change:
            nonlocal now
            change = step.run(draft)
            now = 6.0
            look()
            return change

        slow = tuple(replace(other, run=run) if other is step else other for other in plan.PLAN)
        monkeypatch.setattr(plan, "PLAN", slow)
        with pytest.raises(RepairRefused, match=r"max_seconds=5\) during fill holes") as refused:
            repair(mutations.fin(), budget=Budget(max_seconds=5.0))

        result = refused.value.result
        assert "fill holes" not in {record.name for record in result.steps}
        assert result.after.to_json() == meshguard.validate(result.mesh).to_json()

    def test_the_report_on_what_was_reached_has_a_quarter_of_the_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now, begun = 0.0, False
        monkeypatch.setattr("meshguard.budget.time.monotonic", lambda: now)

        def progress(_done: int, _total: int, what: str) -> None:
            nonlocal now, begun
            if what == "orient faces consistently":
                now = 5.0
                begun = True

        looks = itertools.count()

        def late_look() -> None:
            nonlocal now
            if begun and next(looks) > 3:
                now = 6.3
            look()

        monkeypatch.setattr("meshguard.facts.once.look", late_look)
        with pytest.raises(RepairRefused, match="max_seconds=5") as refused:
            repair(mutations.fin(), budget=Budget(max_seconds=5.0), progress=progress)

        after = refused.value.result.after
        assert not after.ok and NOT_REACHED in {outcome.reason for outcome in after.outcomes.values()}

    def test_progress_is_called_between_steps(self) -> None:
        calls: list[tuple[int, int, str]] = []
        repair(mutations.fin(), progress=lambda *call: calls.append(call))
        done, total, what = (list(column) for column in zip(*calls, strict=True))

        assert done == sorted(done) and done[0] == 0
        assert {"split non-manifold edges and vertices", "fill holes"} <= set(what)
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

    @pytest.mark.parametrize(
        ("place", "check", "word"),
        [((1.0, 0.0), "G106", "--unit"), ((1000.0, 3e6), "G109", "--recentre")],
        ids=["in metres", "far away"],
    )
    def test_what_can_be_asked_for_is_named(self, place: tuple[float, float], check: str, word: str) -> None:
        scale, shift = place
        mesh = shapes.grid()
        result = repair(Mesh(vertices=mesh.vertices * scale / 1000.0 + shift, faces=mesh.faces))

        assert word in next(left.reason for left in result.not_repaired if left.check == check)


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


def _cut_short(mesh: Mesh, kind: Literal["ply", "stl"], faces: int) -> bytes:
    """A binary file of a mesh whose last faces are missing."""
    file = io.BytesIO()
    meshguard.save(mesh, file, format=kind)
    return file.getvalue()[: -faces * {"ply": 13, "stl": 50}[kind]]


class TestWhatReadingFound:
    """It is about the file, so no step can mend it, and it is still true of the result."""

    @pytest.mark.parametrize("kind", ["ply", "stl"])
    @pytest.mark.parametrize("make", [shapes.grid, mutations.unreferenced, mutations.flipped_face])
    def test_a_file_that_is_cut_short_stays_so(self, make: Callable[[], Mesh], kind: Literal["ply", "stl"]) -> None:
        content = _cut_short(make(), kind, 20)
        result = repair(content)
        left = {left.check: left.reason for left in result.not_repaired}

        assert result.clean
        assert not result.after.ok and result.after.grade == 4
        assert left["F101"] == "This is about the file as it was read; repair cannot bring back what is not in it."
        assert result.after.outcomes["F101"].findings == result.before.outcomes["F101"].findings == 1
        assert meshguard.validate(result.mesh).to_json() == result.after.to_json()

    def test_what_it_leaves_to_people_comes_with_the_remedy_of_the_check(self) -> None:
        (left,) = [left for left in repair(shapes.grid(), unit="um").not_repaired if left.check == "G106"]

        assert left.reason.startswith("Repair does not decide this: convert it if ")

    def test_the_maps_to_the_file_are_left_out_and_all_else_stays(self) -> None:
        mesh = meshguard.load(_cut_short(mutations.flipped_face(), "stl", 20))
        result = repair(mesh)

        assert result.changed
        assert mesh.source is not None and result.mesh.source is not None
        assert mesh.source.soup_origin is not None and result.mesh.source.soup_origin is None
        assert result.mesh.source.format == mesh.source.format
        assert result.mesh.source.irregularities == mesh.source.irregularities

    def test_labels_that_do_not_fit_stay_told(self) -> None:
        result = repair(mutations.flipped_face(), labels=np.ones(7, np.int32))

        assert result.changed
        assert "F105" in {left.check for left in result.not_repaired}

    def test_repairing_the_result_changes_nothing(self) -> None:
        first = repair(_cut_short(mutations.flipped_face(), "stl", 20))
        second = repair(first.mesh)

        assert second.mesh is first.mesh
        assert [left.check for left in second.not_repaired] == [left.check for left in first.not_repaired]

    def test_the_file_of_the_result_is_whole(self) -> None:
        result = repair(_cut_short(mutations.flipped_face(), "stl", 20))

        assert meshguard.validate(through(result.mesh, "stl")).outcomes["F101"].findings == 0

    def test_missing_normals_are_not_told_of_a_mesh_without_normals(self) -> None:
        file = io.BytesIO()
        meshguard.save(mutations.flipped_face(), file, format="stl")
        content = bytearray(file.getvalue())
        for start in range(84, len(content), 50):
            content[start : start + 12] = bytes(12)
        result = repair(bytes(content))

        assert result.before.outcomes["F104"].findings == 1
        assert result.changed and result.after.outcomes["F104"].findings == 0

    def test_a_mesh_of_arrays_has_no_source(self) -> None:
        assert repair(mutations.flipped_face()).mesh.source is None
