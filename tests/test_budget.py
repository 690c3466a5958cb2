"""Budgets and progress: what is refused and when, who is told, and that giving up leaves nothing behind."""

from __future__ import annotations

import gzip
import io
import itertools
import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import meshguard
from meshguard import Budget, BudgetExceeded
from meshguard.budget import LOAD_BYTES, REPAIR_BYTES, VALIDATE_BYTES, Progress, Steps
from meshguard.checks import CATALOGUE
from meshguard.cli import commands
from meshguard.cli.options import budget_of
from meshguard.cli.warmup import _ply_quads, _ply_text, _stl_text
from meshguard.mesh import Mesh
from meshguard.phantoms import mutate, phantom
from meshguard.validation import NOT_REACHED
from meshguard.watch import look
from tests.shapes import grid


def content(kind: str) -> bytes:
    """A sheet of 96 faces in some format."""
    mesh = grid()
    if kind == "stl text":
        return _stl_text(mesh)
    if kind == "ply text":
        return _ply_text(mesh)
    if kind == "obj":
        lines = [f"v {x} {y} {z}" for x, y, z in mesh.vertices.tolist()]
        return "\n".join([*lines, *(f"f {a + 1} {b + 1} {c + 1}" for a, b, c in mesh.faces.tolist()), ""]).encode()
    file = io.BytesIO()
    meshguard.save(mesh, file, format="stl" if kind == "stl" else "ply")
    return file.getvalue()


KINDS = pytest.mark.parametrize("kind", ["stl", "stl text", "ply", "ply text"])


class TestFaces:
    @KINDS
    def test_both_sides_of_the_limit(self, kind: str) -> None:
        assert len(meshguard.load(content(kind), budget=Budget(max_faces=96)).faces) == 96
        for call in (meshguard.load, meshguard.validate):
            with pytest.raises(
                BudgetExceeded, match=r"^there are 96 faces, more than the budget allows \(max_faces=95\)"
            ):
                call(content(kind), budget=Budget(max_faces=95))

    def test_a_format_that_trimesh_reads(self, tmp_path: Path) -> None:
        (tmp_path / "a.obj").write_bytes(content("obj"))

        with pytest.raises(BudgetExceeded, match="max_faces=95"):
            meshguard.load(tmp_path / "a.obj", budget=Budget(max_faces=95))

    def test_a_mesh(self) -> None:
        assert meshguard.validate(grid(), budget=Budget(max_faces=96)).stats["faces"] == 96
        with pytest.raises(BudgetExceeded, match="max_faces=95"):
            meshguard.validate(grid(), budget=Budget(max_faces=95))

    def test_polygons_count_as_the_triangles_they_become(self) -> None:
        assert len(meshguard.load(_ply_quads(), budget=Budget(max_faces=3)).faces) == 3
        with pytest.raises(BudgetExceeded, match="there are 3 faces"):
            meshguard.load(_ply_quads(), budget=Budget(max_faces=2))

    def test_a_count_is_looked_at_before_memory_is_taken(self) -> None:
        count = 200_000
        large = bytes(80) + count.to_bytes(4, "little") + bytes(50 * count)
        meshguard.load(content("stl"))
        tracemalloc.start()
        with pytest.raises(BudgetExceeded, match="there are 200000 faces"):
            meshguard.load(large, budget=Budget(max_faces=count - 1))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        assert peak < 100_000

    def test_a_header_that_claims_more_than_there_can_be_is_not_believed(self) -> None:
        claimed = content("ply").replace(b"element face 96\n", b"element face 96000000\n")
        mesh = meshguard.load(claimed, budget=Budget(max_faces=96))

        assert len(mesh.faces) == 96
        assert mesh.source is not None and [note.check for note in mesh.source.irregularities] == ["F101"]


class TestMemory:
    @KINDS
    def test_both_sides_of_the_limit(self, kind: str) -> None:
        for call, needed in (
            (meshguard.load, LOAD_BYTES),
            (meshguard.validate, VALIDATE_BYTES),
            (meshguard.repair, REPAIR_BYTES),
        ):
            call(content(kind), budget=Budget(max_memory=96 * needed))
            with pytest.raises(BudgetExceeded, match=r"^96 faces need about 0\.0\d+ MiB of memory"):
                call(content(kind), budget=Budget(max_memory=96 * needed - 1))

    def test_it_is_looked_at_before_memory_is_taken(self) -> None:
        count = 200_000
        large = bytes(80) + count.to_bytes(4, "little") + bytes(50 * count)
        meshguard.load(content("stl"))
        tracemalloc.start()
        with pytest.raises(BudgetExceeded, match="200000 faces need about 50 MiB"):
            meshguard.validate(large, budget=Budget(max_memory=40 << 20))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        assert peak < 100_000

    def test_the_command_survives_on_a_desktop(self) -> None:
        budget = budget_of(None, None, None)

        assert budget.max_bytes == 1 << 30
        assert budget.max_memory is None or budget.max_memory >= 1 << 28
        assert budget_of(5, 6, 7.0, 8) == Budget(max_bytes=5, max_faces=6, max_seconds=7.0, max_memory=8)


class TestBytes:
    def test_the_limit_is_named(self) -> None:
        for given in (content("stl"), gzip.compress(content("stl"))):
            with pytest.raises(BudgetExceeded, match=r"larger than the budget of 4000 bytes \(max_bytes\)"):
                meshguard.load(given, budget=Budget(max_bytes=4000))

    @pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no endless device here")
    def test_a_device_that_never_ends(self) -> None:
        with pytest.raises(BudgetExceeded, match="max_bytes"):
            meshguard.load("/dev/zero", budget=Budget(max_bytes=1_000_000))


class Clock:
    """Seconds that pass only where a test says so: `tick` of them each time that somebody looks."""

    def __init__(self) -> None:
        self.now = self.tick = 0.0

    def __call__(self) -> float:
        self.now += self.tick
        return self.now

    def after(self, step: str) -> Progress:
        """Lets very much time pass once a step whose name begins so has begun."""

        def progress(_done: int, _total: int, what: str) -> None:
            if what.startswith(step):
                self.now = 1e9

        return progress


def zigzags(count: int, corners: int) -> bytes:
    """A PLY of one concave polygon, several times: a zigzag above a straight line."""
    x = np.arange(corners // 2, dtype="<f4")
    above = np.column_stack((x, 2 + x % 2, 0 * x))
    vertices = np.vstack((above[::-1], np.column_stack((x, 0 * x - x * (len(x) - x) / len(x), 0 * x))))
    row = np.uint16(corners).tobytes() + np.arange(corners, dtype="<i4").tobytes()
    lines = (
        "ply",
        "format binary_little_endian 1.0",
        f"element vertex {corners}",
        *(f"property float {axis}" for axis in "xyz"),
        f"element face {count}",
        "property list ushort int vertex_indices",
        "end_header\n",
    )
    return "\n".join(lines).encode() + vertices.astype("<f4").tobytes() + count * row


class TestSeconds:
    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> Clock:
        """A clock that stands still until a test moves it."""
        clock = Clock()
        monkeypatch.setattr("meshguard.budget.time.monotonic", clock)
        return clock

    def test_none_is_no_limit(self, clock: Clock) -> None:
        assert meshguard.validate(content("stl"), progress=clock.after("F102")).ok

    def test_it_ends_before_the_step_that_is_named(self, clock: Clock) -> None:
        said: list[str] = []

        def progress(done: int, total: int, what: str) -> None:
            said.append(what)
            clock.after("F102")(done, total, what)

        with pytest.raises(BudgetExceeded, match=r"^the time is up \(max_seconds=6\) before F103 Text"):
            meshguard.validate(content("stl"), budget=Budget(max_seconds=6), progress=progress)

        assert said[-1].startswith("F102 ")

    def test_it_ends_within_a_step(self, clock: Clock) -> None:
        with pytest.raises(BudgetExceeded, match=r"^the time is up \(max_seconds=6\) during T101 Non-manifold"):
            meshguard.validate(content("stl"), budget=Budget(max_seconds=6), progress=clock.after("T101"))

    def test_it_carries_what_was_known(self, clock: Clock) -> None:
        mesh, truths = mutate(phantom(faces=3000), "flipped_patch")
        whole = meshguard.validate(mesh)
        with pytest.raises(BudgetExceeded) as ended:
            meshguard.validate(mesh, budget=Budget(max_seconds=6), progress=clock.after("G105"))

        report = pickle.loads(pickle.dumps(ended.value)).report
        reached = [check for check, outcome in report.outcomes.items() if outcome.reason != NOT_REACHED]
        assert list(report.outcomes) == list(whole.outcomes)
        assert reached == list(whole.outcomes)[: len(reached)] and reached[-1] == "G104"
        assert {check: report.outcomes[check] for check in reached} == {c: whole.outcomes[c] for c in reached}
        assert [found.fingerprint for found in report.findings] == [
            found.fingerprint for found in whole.findings if found.check in reached
        ]
        assert {truths[0].check} <= {found.check for found in report.findings}
        assert report.stats["edges"] == whole.stats["edges"]
        assert set(report.stats) < set(whole.stats) and "intersecting_pairs" not in report.stats
        assert not report.ok and report.unchecked == (f"Not everything was checked: {ended.value}.",)
        assert meshguard.Report.from_json(report.to_json()).to_json() == report.to_json()

    def test_what_is_clean_so_far_is_not_ok(self, clock: Clock) -> None:
        with pytest.raises(BudgetExceeded) as ended:
            meshguard.validate(grid(), budget=Budget(max_seconds=6), progress=clock.after("F101"))

        assert not ended.value.report.ok and ended.value.report.findings == ()

    def test_reading_ends_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(BudgetExceeded, match="before reading the file"):
            meshguard.load(content("stl"), budget=Budget(max_seconds=0))
        looks = itertools.count()
        monkeypatch.setattr("meshguard.budget.time.monotonic", lambda: float(next(looks)))
        with pytest.raises(BudgetExceeded, match="before the whole file was read") as ended:
            meshguard.load(gzip.compress(content("stl")), budget=Budget(max_seconds=2))

        assert ended.value.report is None

    def test_the_clock_is_looked_at_while_large_polygons_are_cut(self, monkeypatch: pytest.MonkeyPatch) -> None:
        looks = itertools.count()
        monkeypatch.setattr("meshguard.budget.time.monotonic", lambda: float(next(looks)))

        def looks_at(polygons: int) -> int:
            start = next(looks)
            assert (
                len(meshguard.load(zigzags(polygons, 3_000), budget=Budget(max_seconds=1e6)).faces) == polygons * 2_998
            )
            return next(looks) - start

        assert looks_at(40) >= looks_at(1) + 3
        with pytest.raises(BudgetExceeded, match="before its polygons were cut"):
            meshguard.load(zigzags(40, 3_000), budget=Budget(max_seconds=looks_at(1) - 2))

    def test_enough_time_changes_nothing(self) -> None:
        assert (
            meshguard.validate(grid(), budget=Budget(max_seconds=1e6)).to_json() == meshguard.validate(grid()).to_json()
        )


class TestProgress:
    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> Clock:
        """A clock that stands still, so that no step takes long."""
        clock = Clock()
        monkeypatch.setattr("meshguard.budget.time.monotonic", clock)
        return clock

    @pytest.mark.parametrize("given", ["mesh", "file"])
    def test_every_step_is_told_once_in_order(self, given: str) -> None:
        told: list[tuple[int, int, str]] = []
        meshguard.validate(
            grid() if given == "mesh" else content("stl"),
            progress=lambda done, total, what: told.append((done, total, what)),
        )
        steps = (0 if given == "mesh" else 3) + len(CATALOGUE) + 1

        assert [done for done, _, _ in told] == list(range(steps + 1))
        assert {total for _, total, _ in told} == {steps}
        assert [what.split()[0] for _, _, what in told[-2 - len(CATALOGUE) : -2]] == [check.id for check in CATALOGUE]
        assert told[-1] == (steps, steps, "")

    def test_load(self) -> None:
        told: list[tuple[int, int, str]] = []
        meshguard.load(content("ply"), progress=lambda done, total, what: told.append((done, total, what)))

        assert told == [
            (0, 3, "reading the file"),
            (1, 3, "finding the format"),
            (2, 3, "making a mesh of PLY"),
            (3, 3, ""),
        ]

    @pytest.mark.parametrize("at", [0, 2, 5, 20])
    def test_an_exception_cancels(self, at: int, tmp_path: Path) -> None:
        class Cancelled(Exception):  # noqa: N818
            pass

        def stop(done: int, _total: int, _what: str) -> None:
            if done == at:
                raise Cancelled

        path = tmp_path / "a.stl"
        path.write_bytes(content("stl"))
        before = meshguard.validate(path).to_json()
        with pytest.raises(Cancelled):
            meshguard.validate(path, progress=stop)

        assert [entry.name for entry in tmp_path.iterdir()] == ["a.stl"]
        assert meshguard.validate(path).to_json() == before

    def test_a_long_step_is_told_again_and_can_be_cancelled_within(self, clock: Clock) -> None:
        told: list[tuple[int, int, str]] = []

        def progress(done: int, total: int, what: str) -> None:
            told.append((done, total, what))
            clock.tick = 0.2 if what.startswith("G105") else 0.0
            if told.count((done, total, what)) == 3:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            meshguard.validate(grid(), progress=progress)

        assert told[-1] == told[-3] and told[-1][2].startswith("G105") and told[-4][2].startswith("G104")

    def test_a_plugin_that_catches_everything_cannot_keep_the_call_from_ending(self) -> None:
        def cancel(*_: object) -> None:
            raise ValueError("enough")

        with Steps(progress=cancel) as steps:
            with pytest.raises(ValueError, match="enough"):
                steps.begin("a check")
            for call in (look, lambda: steps.begin("another")):
                with pytest.raises(ValueError, match="enough"):
                    call()

    def test_it_changes_nothing(self) -> None:
        told: list[str] = []
        with_it = meshguard.validate(grid(), progress=lambda _done, _total, what: told.append(what))

        assert with_it.to_json() == meshguard.validate(grid()).to_json()


class TestCommand:
    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.chdir(tmp_path)
        meshguard.save(grid(), "sheet.stl")
        meshguard.save(Mesh(vertices=60 * np.eye(3), faces=[[0, 1, 2]]), "small.stl")
        return tmp_path

    @pytest.mark.parametrize(
        ("option", "said"),
        [
            ("--max-faces=95", "there are 96 faces, more than the budget allows (max_faces=95)"),
            (
                "--max-memory=1000",
                "96 faces need about 0.024 MiB of memory, more than the budget allows (max_memory=1000)",
            ),
            ("--max-bytes=100", "the file is larger than the budget of 100 bytes (max_bytes)"),
            ("--max-seconds=0", "the time is up (max_seconds=0) before reading the file"),
        ],
    )
    def test_a_plain_sentence_and_exit_code_2(self, folder: Path, option: str, said: str) -> None:
        result = CliRunner().invoke(commands, ["validate", option, "sheet.stl"])

        assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"sheet.stl: not validated: {said}\n")

    def test_the_other_files_are_validated(self, folder: Path) -> None:
        result = CliRunner().invoke(commands, ["validate", "--max-faces", "95", "sheet.stl", "small.stl"])

        assert result.exit_code == 2
        assert "small.stl: " in result.stdout

    def test_enough_is_enough(self, folder: Path) -> None:
        options = ["--max-faces", "96", "--max-bytes", "5000", "--max-seconds", "1e6"]

        assert CliRunner().invoke(commands, ["validate", *options, "sheet.stl"]).exit_code == 0

    @pytest.mark.parametrize("option", ["--max-faces=-1", "--max-seconds=-1", "--max-bytes=many"])
    def test_wrong_numbers_are_wrong_usage(self, folder: Path, option: str) -> None:
        result = CliRunner().invoke(commands, ["validate", option, "sheet.stl"])

        assert result.exit_code == 2
        assert "Invalid value" in result.stderr
