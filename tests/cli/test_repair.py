"""`meshguard repair`: what is written when, exit codes, and an original that nothing can lose."""

from __future__ import annotations

import errno
import gzip
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import meshguard
from meshguard.cli import commands
from meshguard.io.labels import attach_labels, read_labels, save_labels
from meshguard.mesh import label_of_corners
from meshguard.phantoms import mislabel
from meshguard.quantities import LENGTHS
from tests import mutations, shapes
from tests.repair import broken
from tests.repair.proof import is_same, trouble


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in: a clean file, one that repair mends, one that `--lossless` cannot, and no mesh at all."""
    monkeypatch.chdir(tmp_path)
    meshguard.save(shapes.grid(), "clean.stl")
    meshguard.save(mutations.flipped_face(), "turned.stl")
    meshguard.save(broken.small_hole(), "hole.ply")
    meshguard.save(broken.cubes_at_an_edge(), "cubes.stl")
    Path("not.stl").write_bytes(b"")
    return tmp_path


def run(*arguments: str, **options: Any) -> Result:
    """The result of `meshguard repair` in this process."""
    return CliRunner().invoke(commands, ["repair", *arguments], **options)


def files() -> dict[str, bytes]:
    """Every file of the folder and its bytes."""
    return {path.name: path.read_bytes() for path in Path().iterdir()}


class TestWritten:
    def test_a_mended_file(self, folder: Path) -> None:
        before = files()
        result = run("turned.stl", "out.stl")

        assert result.exit_code == 0
        assert result.stdout.startswith("✓ turned.stl: clean, ")
        assert "orient faces consistently" in result.stdout
        assert result.stdout.endswith("Written to out.stl.\n")
        assert trouble(meshguard.load("out.stl")) == {}
        assert {name: content for name, content in files().items() if name != "out.stl"} == before

    @pytest.mark.parametrize("target", ["out.ply", "out.stl", "--dry-run"])
    def test_what_the_file_cannot_hold_is_said_by_kind(self, folder: Path, target: str) -> None:
        meshguard.save(shapes.grid(), "grid.ply")
        content = (
            Path("grid.ply").read_bytes().replace(b"element vertex", b"comment TextureFile me.png\nelement vertex", 1)
        )
        Path("grid.ply").write_bytes(content)
        result = run("grid.ply", target)

        assert result.exit_code == 0
        assert "\nWhat is lost\n  names of texture pictures\n" in result.stdout
        assert "me.png" not in result.stdout

    def test_labels_beside_an_stl_are_not_lost(self, folder: Path) -> None:
        mesh = shapes.grid()
        meshguard.save(mesh.with_data(vertex={"label": np.full(len(mesh.vertices), 11, np.int32)}), "grid.ply")

        assert "What is lost\n  labels of the vertices\n" in run("grid.ply", "out.stl").stdout
        assert "What is lost" not in run("grid.ply", "out.stl", "--labels-out", "out.npy").stdout
        assert "What is lost" not in run("grid.ply", "out.ply").stdout

    def test_a_clean_file_is_written_too(self, folder: Path) -> None:
        result = run("clean.stl", "out.stl")

        assert result.exit_code == 0
        assert "nothing to repair" in result.stdout
        assert is_same(meshguard.load("out.stl"), meshguard.load("clean.stl"))

    @pytest.mark.parametrize("name", ["out.stl", "out.ply", "OUT.STL", "out.stl.gz", "out.ply.gz"])
    def test_the_suffix_chooses_the_format(self, folder: Path, name: str) -> None:
        assert run("hole.ply", name).exit_code == 0
        content = Path(name).read_bytes()
        content = gzip.decompress(content) if name.endswith(".gz") else content

        assert content.startswith(b"ply\n") == (".ply" in name)
        assert len(meshguard.load(name).faces) == 16_000

    def test_ply_marks_what_was_not_scanned(self, folder: Path) -> None:
        run("hole.ply", "out.ply")

        assert int(np.asarray(meshguard.load("out.ply").face_data["synthetic"]).sum()) > 0

    def test_out_may_be_in(self, folder: Path) -> None:
        before = Path("turned.stl").read_bytes()
        result = run("turned.stl", "turned.stl")

        assert result.exit_code == 0
        assert Path("turned.stl").read_bytes() != before
        assert trouble(meshguard.load("turned.stl")) == {}

    def test_standard_input(self, folder: Path) -> None:
        result = run("-", "out.stl", input=Path("turned.stl").read_bytes())

        assert result.exit_code == 0
        assert result.stdout.startswith("✓ standard input: clean")
        assert trouble(meshguard.load("out.stl")) == {}

    def test_quiet_is_one_line(self, folder: Path) -> None:
        assert run("-q", "turned.stl", "out.stl").stdout.splitlines() == ["✓ turned.stl: clean, 3 defects repaired"]

    def test_a_policy(self, folder: Path) -> None:
        result = run("clean.stl", "out.stl", "--policy", "print")

        assert result.exit_code == 0
        assert trouble(meshguard.load("out.stl"), "print") == {}


class TestRefused:
    def test_nothing_is_written(self, folder: Path) -> None:
        before = files()
        result = run("cubes.stl", "out.stl", "--lossless")

        assert result.exit_code == 1
        assert result.stdout.startswith("✗ cubes.stl: refused: 1 non-manifold edges")
        assert "Nothing was written: the repair was refused." in result.stdout
        assert files() == before

    def test_an_old_out_stays(self, folder: Path) -> None:
        Path("out.stl").write_bytes(b"old")

        assert run("cubes.stl", "out.stl", "--lossless").exit_code == 1
        assert Path("out.stl").read_bytes() == b"old"

    def test_best_effort_writes_and_still_says_so(self, folder: Path) -> None:
        result = run("cubes.stl", "out.stl", "--lossless", "--best-effort")

        assert result.exit_code == 1
        assert "refused" in result.stdout and "Written to out.stl." in result.stdout
        assert len(meshguard.load("out.stl").faces) == 24

    def test_what_was_left_is_told_with_the_reason(self, folder: Path) -> None:
        said = " ".join(run("cubes.stl", "out.stl", "--lossless").stdout.split())

        assert "What was left T101" in said
        assert "at most lossless repair is allowed" in said


class TestCleanButNotGood:
    """A clean surface with a finding that fails the policy: written, said in the first line, and exit code 3."""

    @pytest.fixture
    def cut_short(self, folder: Path) -> Path:
        """A file whose end is missing, and in which there is something to repair."""
        meshguard.save(shapes.grid(), "cut.ply")
        content = Path("cut.ply").read_bytes()
        Path("cut.ply").write_bytes(content[: -40 * 13])  # 40 of 96 faces, of 13 bytes each
        return folder

    @pytest.mark.parametrize("name", ["out.ply", "out.stl"])
    def test_a_file_that_is_cut_short(self, cut_short: Path, name: str) -> None:
        result = run("cut.ply", name)
        said = " ".join(result.stdout.split())

        assert result.exit_code == 3
        assert said.startswith("! cut.ply: a clean surface, ") and "; left: 1 error" in said
        assert "F101" in said and "repair cannot bring back what is not in it." in said
        assert said.endswith(f"Grade 4 before, 4 after. Written to {name}.")
        assert trouble(meshguard.load(name)) == {}

    def test_its_report_says_the_same(self, cut_short: Path) -> None:
        assert run("cut.ply", "--dry-run", "-q", "--report", "report.json").exit_code == 3
        found = json.loads(Path("report.json").read_text())

        assert (found["clean"], found["after"]["ok"], found["after"]["grade"]) == (True, False, 4)
        assert [left["check"] for left in found["not_repaired"]] == ["F101"]

    def test_a_hole_beyond_the_limit(self, folder: Path) -> None:
        meshguard.save(broken.hole_beyond_the_limit(), "wide.ply")
        result = run("wide.ply", "out.ply", "-q")

        assert result.exit_code == 3
        assert result.stdout == "! wide.ply: a clean surface, nothing was repaired; left: 1 error\n"

    def test_under_the_policy_that_was_chosen(self, folder: Path) -> None:
        meshguard.save(mutations.needle(), "needle.ply")
        Path("severe.toml").write_text('severities = { G103 = "error" }')

        assert run("needle.ply", "out.ply").exit_code == 0
        assert run("needle.ply", "out.ply", "--policy", "severe.toml").exit_code == 3

    def test_a_refusal_stays_1(self, cut_short: Path) -> None:
        meshguard.save(broken.cubes_at_an_edge(), "cubes.ply")
        content = Path("cubes.ply").read_bytes()
        Path("cubes.ply").write_bytes(content.replace(b"element face 24", b"element face 25"))

        assert run("cubes.ply", "out.ply", "--lossless").exit_code == 1
        assert run("cubes.ply", "out.ply", "--lossless", "--best-effort").exit_code == 1

    def test_the_shared_file(self, folder: Path, data_root: Path) -> None:
        path = data_root / "field" / "44b_truncated.ply"
        if not path.is_file():
            pytest.skip("the shared data hold no field/44b_truncated.ply")
        result = run(str(path), "out.ply", "-q")
        said = " ".join(result.stdout.split())

        assert result.exit_code == 3
        assert "a clean surface" in said and "left: 1 error" in said


@pytest.fixture
def far(folder: Path) -> Path:
    """The folder with a sheet of doubles 1 km from the origin, one near it, and one in inches."""
    sheet = shapes.grid()
    meshguard.save(meshguard.Mesh(vertices=sheet.vertices + [1e6 + 0.03, 0.0, 0.0], faces=sheet.faces), "far.ply")
    meshguard.save(meshguard.Mesh(vertices=sheet.vertices + 0.1, faces=sheet.faces), "double.ply")
    meshguard.save(meshguard.Mesh(vertices=sheet.vertices / 25.4, faces=sheet.faces), "inches.stl")
    return folder


def corners(name: str) -> np.ndarray:
    """Where the corners of each face of a file are."""
    mesh = meshguard.load(name)
    return mesh.vertices[mesh.faces]


class TestTarget:
    def test_ply_keeps_doubles(self, far: Path) -> None:
        for name in ("far.ply", "double.ply"):
            assert run(name, "out.ply").exit_code == 0
            assert is_same(meshguard.load("out.ply"), meshguard.load(name))

    def test_stl_rounds_and_counts_no_defect(self, far: Path) -> None:
        result = run("double.ply", "out.stl")

        assert result.exit_code == 0
        assert result.stdout.startswith("✓ double.ply: clean, nothing to repair\n")
        assert np.abs(corners("out.stl") - corners("double.ply")).max() < 1e-5

    @pytest.mark.parametrize("name", ["out.stl", "OUT.STL", "out.stl.gz"])
    def test_stl_is_refused_far_from_the_origin(self, far: Path, name: str) -> None:
        result = run("far.ply", name)
        said = " ".join(result.stdout.split())

        assert result.exit_code == 1
        assert "✗ far.ply: refused: an STL would move vertices by up to 0.03 mm, more than the limit of " in said
        assert "save it as PLY, or have it moved to the origin (--recentre)" in said
        assert not Path(name).exists()

    def test_what_rounding_would_break_is_refused_where_it_may_not_be_mended(self, folder: Path) -> None:
        mesh = broken.cap()
        vertices = mesh.vertices.copy()
        vertices[25, :2] += [-1e-9, 1e-9]
        meshguard.save(meshguard.Mesh(vertices=vertices, faces=mesh.faces), "cap.ply")

        assert run("cap.ply", "out.ply", "--lossless").exit_code == 0
        result = run("cap.ply", "out.stl", "--lossless", "--report", "report.json")
        assert result.exit_code == 1 and "once rounded to the precision of an STL" in " ".join(result.stdout.split())
        assert json.loads(Path("report.json").read_text())["clean"] is False


class TestAskedFor:
    def test_recentre(self, far: Path) -> None:
        result = run("far.ply", "out.stl", "--recentre", "--report", "report.json")
        told = json.loads(Path("report.json").read_text())

        assert result.exit_code == 0
        assert result.stdout.startswith(
            "✓ far.ply: clean, moved to the origin, nothing to repair\n\nWhat was asked for\n"
        )
        assert (told["target"], told["scale"]) == ("stl", 1.0)
        assert np.abs(corners("out.stl") + told["shift_mm"] - corners("far.ply")).max() < 1e-3

    def test_recentre_leaves_what_is_near(self, far: Path) -> None:
        result = run("clean.stl", "out.stl", "--recentre")

        assert "asked for" not in result.stdout
        assert is_same(meshguard.load("out.stl"), meshguard.load("clean.stl"))

    @pytest.mark.parametrize("asked", [["--unit", "inch"], ["--scale", "25.4"]])
    def test_a_unit(self, far: Path, asked: list[str]) -> None:
        assert run("inches.stl", "out.stl").exit_code == 3  # an implausible size is an error
        result = run("inches.stl", "out.stl", *asked)

        assert result.exit_code == 0
        assert result.stdout.startswith(
            "✓ inches.stl: clean, scaled by 25.4, nothing to repair\n\nWhat was asked for\n"
            "  every coordinate was multiplied by 25.4\n"
        )
        assert np.abs(corners("out.stl") - corners("clean.stl")).max() < 1e-5

    def test_every_unit_that_g106_names_is_one_of_the_option(self) -> None:
        (option,) = (option for option in commands.commands["repair"].params if option.name == "unit")

        assert {*LENGTHS, "mm"} <= set(option.type.choices)  # type: ignore[attr-defined]

    def test_the_shared_file(self, folder: Path, data_root: Path) -> None:
        path = data_root / "field" / "27_offset_double.ply"
        if not path.is_file():
            pytest.skip("the shared data hold no field/27_offset_double.ply")

        assert run(str(path), "out.ply", "-q").exit_code == 0
        assert is_same(meshguard.load("out.ply"), meshguard.load(path))
        assert run(str(path), "out.stl", "-q").exit_code == 1
        assert run(str(path), "out.stl", "-q", "--recentre").exit_code == 0
        assert trouble(meshguard.load("out.stl")) == {}


class TestDryRun:
    @pytest.mark.parametrize("arguments", [["turned.stl"], ["turned.stl", "out.stl"], ["cubes.stl", "--best-effort"]])
    def test_it_writes_nothing(self, folder: Path, arguments: list[str]) -> None:
        before = files()
        result = run(*arguments, "--dry-run")

        assert result.exit_code == 0
        assert "Nothing was written." in result.stdout
        assert files() == before

    def test_it_says_what_would_be_done_and_ends_as_the_run_would(self, folder: Path) -> None:
        assert "orient faces consistently" in run("turned.stl", "--dry-run").stdout
        assert run("cubes.stl", "--dry-run", "--lossless").exit_code == 1


class TestReport:
    def test_it_is_the_librarys_own_json(self, folder: Path) -> None:
        run("hole.ply", "out.ply", "--report", "report.json")

        assert Path("report.json").read_text() == meshguard.repair("hole.ply").to_json() + "\n"

    def test_it_does_not_depend_on_the_file_names(self, folder: Path) -> None:
        Path("patient-jane-doe.ply").write_bytes(Path("hole.ply").read_bytes())
        run("hole.ply", "a.ply", "--report", "a.json")
        run("patient-jane-doe.ply", "b.ply", "--report", "b.json")

        assert Path("a.json").read_bytes() == Path("b.json").read_bytes()
        assert str(folder) not in Path("a.json").read_text()

    def test_a_refusal_has_one_too(self, folder: Path) -> None:
        run("cubes.stl", "out.stl", "--lossless", "--report", "report.json")
        found = json.loads(Path("report.json").read_text())

        assert (found["clean"], found["changed"]) == (False, False)
        assert "T101" in {left["check"] for left in found["not_repaired"]}

    def test_with_a_dry_run_it_is_all_that_is_written(self, folder: Path) -> None:
        before = files()
        run("turned.stl", "--dry-run", "--report", "report.json")

        assert set(files()) - set(before) == {"report.json"}
        assert json.loads(Path("report.json").read_text())["changed"]


class TestTrouble:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["clean.stl"], "name the file to write, or give --dry-run"),
            (["clean.stl", "out.obj"], "OUT must end in .stl or .ply"),
            (["clean.stl", "out"], "OUT must end in .stl or .ply"),
            (["clean.stl", "none/out.stl"], "the folder of OUT does not exist"),
            (["clean.stl", "out.stl", "--policy", "scann"], "did you mean 'scan'?"),
            (["clean.stl", "out.stl", "--unit", "cm", "--scale", "10"], "give one of them"),
            (["clean.stl", "out.stl", "--unit", "mile"], "'mile' is not one of"),
            (["clean.stl", "out.stl", "--scale", "0"], "0.0 is not in the range x>0"),
            (["clean.stl", "out.stl", "--scale", "nan"], "scale must be a finite number above 0"),
            (["not.stl", "out.stl"], "not.stl: cannot be read: "),
            (["none.stl", "out.stl"], "none.stl: cannot be read: No such file"),
            (["clean.stl", "out.stl", "--max-faces", "10"], "not repaired: there are 96 faces"),
            (["clean.stl", "out.stl", "--max-bytes", "10"], "not repaired: the file is larger than the budget"),
            ([], "Missing argument 'IN'"),
        ],
    )
    def test_it_ends_with_2_and_writes_nothing(self, folder: Path, arguments: list[str], said: str) -> None:
        before = files()
        result = run(*arguments)

        assert result.exit_code == 2
        assert result.stdout == ""
        assert said in " ".join(result.stderr.split())
        assert files() == before

    @pytest.mark.parametrize("failing", ["fsync", "replace", "open"])
    @pytest.mark.parametrize("name", ["turned.stl", "out.stl"])
    def test_a_full_disk_loses_nothing(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, failing: str, name: str
    ) -> None:
        before = files()

        def fails(*_: object, **__: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        original = os.open

        def fails_to_create(path: Any, flags: int, *rest: Any, **more: Any) -> int:
            if flags & os.O_CREAT:
                fails()
            return original(path, flags, *rest, **more)

        if failing == "replace":
            monkeypatch.setattr(Path, "replace", fails)
        else:
            monkeypatch.setattr(os, failing, fails if failing == "fsync" else fails_to_create)
        result = run("turned.stl", name)
        monkeypatch.undo()
        os.chdir(folder)

        assert result.exit_code == 2
        assert f"{name}: cannot be written: No space left on device" in result.stderr
        assert files() == before

    def test_an_interrupt_while_writing_loses_nothing(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        before = files()

        def interrupted(_: int) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "fsync", interrupted)
        result = run("turned.stl", "turned.stl")

        assert result.exit_code != 0
        assert files() == before

    def test_a_report_that_cannot_be_written(self, folder: Path) -> None:
        result = run("turned.stl", "out.stl", "--report", "none/report.json")

        assert result.exit_code == 2
        assert "the folder of --report does not exist" in result.stderr
        assert not (folder / "out.stl").exists()

    def test_a_report_never_takes_the_place_of_a_mesh(self, folder: Path) -> None:
        before = (folder / "turned.stl").read_bytes()

        for report in ("turned.stl", "out.stl", "./out.stl"):
            result = run("turned.stl", "out.stl", "--report", report)
            assert result.exit_code == 2
            assert "--report must be a file of its own" in result.stderr
        assert (folder / "turned.stl").read_bytes() == before
        assert not (folder / "out.stl").exists()


def test_help_tells_the_exit_codes() -> None:
    said = " ".join(run("--help").stdout.split())

    assert "Exit codes: 0 clean, and nothing is left that fails the policy; 1 refused, and nothing written; 2" in said
    assert "3 clean and written, but findings are left that fail the policy and that repair may not mend." in said


class TestLabels:
    @pytest.fixture
    def arch(self, folder: Path) -> Path:
        """An arch, and labels for it with an island."""
        mesh = meshguard.phantom(faces=6000)
        wrong = mislabel(mesh, "island", seed=1)[0]
        meshguard.save(mesh.without_labels(), "arch.ply")
        save_labels(wrong, "wrong.json")
        save_labels(mesh, "right.json")
        return folder

    def test_labels_are_mended_and_written(self, arch: Path) -> None:
        result = run("arch.ply", "out.ply", "--labels", "wrong.json", "--mend-labels", "--labels-out", "out.json")

        assert result.exit_code == 0
        assert "merge label islands and fill label holes: 1" in result.stdout
        assert read_labels("out.json").values.tolist() == read_labels("right.json").values.tolist()
        assert meshguard.load("out.ply").vertex_data["label"].tolist() == read_labels("right.json").values.tolist()

    def test_beside_an_stl_they_are_those_of_the_corners(self, arch: Path) -> None:
        result = run("arch.ply", "out.stl", "--labels", "right.json", "--labels-out", "out.npy")
        stl, labels = meshguard.load("out.stl"), read_labels("out.npy")

        assert result.exit_code == 0
        assert len(labels) == 3 * len(stl.faces)
        again = attach_labels(stl, labels).vertex_data["label"][stl.faces]
        assert again.tolist() == read_labels("right.json").values[meshguard.load("arch.ply").faces].tolist()

    def test_labels_of_faces_are_those_of_the_facets(self, arch: Path) -> None:
        mesh = meshguard.load("arch.ply")
        np.save("facets.npy", label_of_corners(read_labels("right.json").values, mesh.faces))
        result = run("arch.ply", "out.stl", "--labels", "facets.npy", "--labels-out", "out.npy")

        assert result.exit_code == 0
        assert np.load("out.npy").tolist() == np.load("facets.npy").tolist()

    def test_without_asking_labels_stay(self, arch: Path) -> None:
        result = run("arch.ply", "out.ply", "--labels", "wrong.json")

        assert "Labels are mended only on request." in " ".join(result.stdout.split())
        assert meshguard.load("out.ply").vertex_data["label"].tolist() == read_labels("wrong.json").values.tolist()

    def test_a_proposal_is_shown(self, arch: Path) -> None:
        mesh = mislabel(meshguard.phantom(faces=6000), "mirrored", seed=1)[0]
        save_labels(mesh, "mirrored.json")
        result = run("arch.ply", "--dry-run", "--labels", "mirrored.json")

        said = " ".join(result.stdout.split())
        assert "Proposed, not done" in said and "36 to 46" in said

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (("--labels-out", "out.vtk"), "must end in"),
            (("--labels-out", "nowhere/out.npy"), "folder of --labels-out"),
            (("--labels-out", "out.npy"), "carries no labels"),
            (("--mend-labels",), "no labels to mend"),
            (("--labels", "no.json"), "its labels cannot be read"),
            (("--labels", "arch.ply"), "its labels cannot be read"),
            (("--labels-out", "a.json", "--report", "a.json"), "a file of its own"),
            (("--jaw", "left"), "left"),
        ],
    )
    def test_refusals_write_nothing(self, arch: Path, arguments: tuple[str, ...], reason: str) -> None:
        before = files()
        result = run("arch.ply", "out.ply", *arguments)

        assert result.exit_code == 2
        assert reason in result.output
        assert files() == before
