"""The command line: what is printed where, exit codes, and manners in a pipe."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner, Result

import meshguard
from meshguard import fdi
from meshguard.checks import CATALOGUE
from meshguard.cli import commands
from meshguard.mesh import Mesh
from meshguard.policy import policy
from meshguard.report import Report, schema

CORNERS = np.array([[x, y, z] for x in (0, 60) for y in (0, 50) for z in (0, 20)], np.float64)
BOX = np.array(
    [
        [int(corner) for corner in face]
        for face in ["013", "032", "467", "475", "045", "051", "237", "276", "026", "064", "157", "173"]
    ]
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a good box, a broken one (a face turned over, and one missing) and no mesh at all."""
    monkeypatch.chdir(tmp_path)
    meshguard.save(Mesh(vertices=CORNERS, faces=BOX), "good.stl")
    broken = BOX[:-1].copy()
    broken[3] = broken[3, ::-1]
    meshguard.save(Mesh(vertices=CORNERS, faces=broken), "broken.stl")
    Path("not.stl").write_bytes(b"")
    return tmp_path


def run(*arguments: str, **options: Any) -> Result:
    """The result of a command in this process."""
    return CliRunner().invoke(commands, list(arguments), **options)


def start(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    """A command in a process of its own."""
    return subprocess.Popen([sys.executable, "-m", "meshguard.cli", *arguments], **options)


class TestValidate:
    def test_a_good_file(self, folder: Path) -> None:
        result = run("validate", "good.stl")

        assert result.exit_code == 0
        assert result.stdout.startswith("✓ good.stl: ideal (grade 1 of 4)")
        assert "policy      scan" in result.stdout

    def test_a_broken_file(self, folder: Path) -> None:
        result = run("validate", "broken.stl")

        assert result.exit_code == 1
        assert result.stdout.startswith("✗ broken.stl: ")
        assert "T103" in result.stdout and "fix:" in result.stdout

    @pytest.mark.parametrize("name", ["not.stl", "none.stl"])
    def test_an_unreadable_file(self, folder: Path, name: str) -> None:
        result = run("validate", name)

        assert result.exit_code == 2
        assert result.stdout == ""
        assert result.stderr.startswith(f"{name}: cannot be read: ")
        assert result.stderr.count("\n") == 1

    def test_an_unreadable_file_does_not_stop_the_others(self, folder: Path) -> None:
        result = run("validate", "not.stl", "good.stl", "broken.stl")

        assert result.exit_code == 2
        assert "✓ good.stl" in result.stdout and "✗ broken.stl" in result.stdout
        assert result.stdout.endswith("\n3 files: 1 good, 1 with findings that fail, 1 cannot be read\n")
        assert result.stderr.startswith("not.stl: cannot be read")

    def test_quiet_is_a_line_a_file(self, folder: Path) -> None:
        result = run("validate", "-q", "good.stl", "broken.stl")

        assert [line.split(":")[0] for line in result.stdout.splitlines()] == ["✓ good.stl", "✗ broken.stl", "2 files"]

    @pytest.mark.parametrize("option", ["-v", "--verbose", "--all"])
    def test_verbose_lists_every_check(self, folder: Path, option: str) -> None:
        said = run("validate", option, "good.stl").stdout

        assert [check.id for check in CATALOGUE if check.id not in said] == []

    def test_standard_input(self, folder: Path) -> None:
        result = run("validate", "-", input=gzip.compress(Path("good.stl").read_bytes()))

        assert result.exit_code == 0
        assert result.stdout.startswith("✓ standard input: ideal")

    def test_no_file_is_wrong_usage(self) -> None:
        assert run("validate").exit_code == 2


class TestJson:
    def test_one_file_is_the_librarys_own_bytes(self, folder: Path) -> None:
        result = run("validate", "--format", "json", "broken.stl")

        assert result.exit_code == 1
        assert result.stdout == meshguard.validate("broken.stl").to_json() + "\n"
        jsonschema.Draft202012Validator(schema()).validate(json.loads(result.stdout))

    def test_it_does_not_depend_on_the_files_name(self, folder: Path) -> None:
        Path("other.stl").write_bytes(Path("broken.stl").read_bytes())

        one, two = (run("validate", "--format", "json", name).stdout for name in ("broken.stl", "other.stl"))
        assert one == two

    def test_several_files_are_a_line_each(self, folder: Path) -> None:
        result = run("validate", "--format", "json", "good.stl", "not.stl", "broken.stl")
        lines = [json.loads(line) for line in result.stdout.splitlines()]

        assert result.exit_code == 2
        assert [line["file"] for line in lines] == [1, 2, 3]
        assert lines[0]["report"] == json.loads(meshguard.validate("good.stl").to_json())
        assert "empty" in lines[1]["error"]

    def test_files_are_named_when_asked(self, folder: Path) -> None:
        said = run("validate", "--format", "json", "--paths", "good.stl", "not.stl").stdout

        assert [json.loads(line)["file"] for line in said.splitlines()] == ["good.stl", "not.stl"]

    @pytest.mark.parametrize("format_", ["json", "markdown"])
    def test_a_name_may_be_a_patients(self, folder: Path, format_: str) -> None:
        for name in ("jane-doe-1.stl", "jane-doe-2.stl"):
            Path(name).write_bytes(Path("broken.stl").read_bytes())

        assert "jane" not in run("validate", "--format", format_, *map(str, Path().glob("jane*.stl"))).stdout
        assert "jane" not in run("validate", "--format", format_, "jane-doe-1.stl").stdout
        assert "jane" not in run("validate", "--format", format_, "jane-*.stl").stdout

    def test_one_unreadable_file_prints_nothing(self, folder: Path) -> None:
        result = run("validate", "--format", "json", "not.stl")

        assert (result.exit_code, result.stdout) == (2, "")


class TestPolicy:
    @pytest.mark.parametrize("name", ["scan", "print", "labelled", "strict"])
    def test_built_in_policies(self, folder: Path, name: str) -> None:
        assert (
            json.loads(run("validate", "--format", "json", "--policy", name, "good.stl").stdout)["policy"]["name"]
            == name
        )

    def test_a_policy_file(self, folder: Path) -> None:
        Path("clinic.toml").write_text('name = "clinic"\nselect = ["F"]\n')
        result = run("validate", "--format", "json", "--policy", "clinic.toml", "broken.stl")

        assert result.exit_code == 0
        assert json.loads(result.stdout)["policy"]["name"] == "clinic"

    def test_select_and_ignore(self, folder: Path) -> None:
        result = run(
            "validate",
            "--format",
            "json",
            "--select",
            "T,S101",
            "--select",
            "G",
            "--ignore",
            "T103=known, and meant",
            "broken.stl",
        )
        report = Report.from_json(result.stdout)
        expected = policy("scan").replace(
            name="scan (changed)", select=("T", "S101", "G"), ignore={"T103": "known, and meant"}
        )

        assert report.to_json() == meshguard.validate("broken.stl", policy=expected).to_json()
        assert report.ignored["T103"] == "known, and meant"
        assert report.outcomes["F101"].status.value == "skipped"

    @pytest.mark.parametrize(("severity", "code"), [("error", 0), ("warning", 1), ("info", 1)])
    def test_fail_on(self, folder: Path, severity: str, code: int) -> None:
        Path("softer.toml").write_text('[severities]\nT = "warning"\nS = "warning"\nG = "warning"\n')

        assert run("validate", "--policy", "softer.toml", "--fail-on", severity, "broken.stl").exit_code == code

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--policy", "scann"], "did you mean 'scan'?"),
            (["--policy", "none.toml"], "cannot be read"),
            (["--select", "Z777"], "there is no check 'Z777'; there are D101"),
            (["--ignore", "Q"], "there is no check 'Q'"),
            (["--fail-on", "never"], "'never' is not one of"),
            (["--format", "xml"], "'xml' is not one of"),
            (["--output", "none/report.txt"], "the folder of --output does not exist"),
        ],
    )
    def test_wrong_usage_names_the_nearest(self, folder: Path, arguments: list[str], said: str) -> None:
        result = run("validate", *arguments, "good.stl")

        assert result.exit_code == 2
        assert said in result.stderr


class TestOutput:
    @pytest.mark.parametrize("format_", ["text", "json"])
    def test_a_file_gets_what_the_terminal_would(self, folder: Path, format_: str) -> None:
        shown = run("validate", "--format", format_, "good.stl", "broken.stl")
        written = run("validate", "--format", format_, "-o", "report", "good.stl", "broken.stl")

        assert written.stdout == ""
        assert Path("report").read_text("utf-8") == shown.stdout
        assert written.exit_code == shown.exit_code == 1

    def test_a_failure_leaves_the_old_file(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        Path("report").write_text("old")

        def fails(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", fails)
        result = run("validate", "-o", "report", "good.stl")

        assert result.exit_code == 2
        assert "No space left" in result.stderr
        assert Path("report").read_text() == "old"

    def test_text_is_plain_and_as_wide_as_columns_says_when_piped(self, folder: Path) -> None:
        def piped(columns: str | None) -> bytes:
            environment = {**os.environ, "TERM": "xterm-256color", "PYTHONUTF8": "1"}
            environment.pop("COLUMNS", None)
            return subprocess.run(
                [sys.executable, "-m", "meshguard.cli", "validate", "broken.stl"],
                capture_output=True,
                check=False,
                env=environment if columns is None else {**environment, "COLUMNS": columns},
            ).stdout

        narrow, usual = piped("50"), piped(None)

        assert max(len(line) for line in narrow.decode().splitlines()) <= 50
        assert narrow.replace(b";", b"").split() == usual.replace(b";", b"").split() and narrow != usual
        assert piped("many") == usual
        assert b"\x1b" not in narrow

    def test_an_output_without_symbols_gets_ascii(self, folder: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "meshguard.cli", "validate", "broken.stl"],
            capture_output=True,
            check=False,
            env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        )

        assert done.returncode == 1, done.stderr
        assert done.stdout.startswith(b"x broken.stl: ")

    def test_nothing_of_the_header_is_printed(self, folder: Path) -> None:
        content = bytearray(Path("broken.stl").read_bytes())
        content[:80] = b"PATIENT JANE DOE 1970-01-01".ljust(80)
        Path("named.stl").write_bytes(content)

        assert all(
            "JANE" not in run("validate", *options, "named.stl").output for options in ([], ["--format", "json"])
        )


class TestManners:
    def test_a_reader_that_leaves_early(self, folder: Path) -> None:
        with start("validate", *["broken.stl"] * 40, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None and process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            said = process.stderr.read()
            process.wait(60)

        assert said == b""
        assert process.returncode not in (0, 2, 70)

    @pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
    def test_an_interrupt_is_quiet(self, folder: Path) -> None:
        reader, writer = os.pipe()
        with start("validate", "-", stdin=reader, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            time.sleep(2.0)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        os.close(reader)
        os.close(writer)

        assert (process.returncode, out, err.strip()) == (130, b"", b"")

    def test_a_bug_is_no_verdict(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from meshguard import cli

        def broken(*_: object, **__: object) -> None:
            raise ZeroDivisionError("division")

        monkeypatch.setattr(cli.commands, "main", broken)
        with pytest.raises(SystemExit) as ended:
            cli.main()

        assert ended.value.code == cli.BUG

    def test_compiling_is_announced_once_and_only_then(self, folder: Path, tmp_path: Path) -> None:
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONUTF8": "1"}
        said = []
        for _ in range(2):
            with start(
                "validate", "-q", "good.stl", stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
            ) as run_:
                out, err = run_.communicate(timeout=300)
            assert out.startswith("✓ good.stl".encode())
            said.append(err.decode())

        assert said[0].count("compiling for the first time") == 1
        assert said[1] == ""


class TestExplain:
    @pytest.mark.parametrize("check", CATALOGUE, ids=lambda check: check.id)
    def test_every_check_is_explained(self, check: Any) -> None:
        said = run("explain", check.id.lower()).stdout

        assert said.startswith(f"{check.id} {check.title} ({check.family})\n")
        assert " ".join(check.explanation.split()) in " ".join(said.split())
        assert all(f"\n  {limit} = " in said for limit in check.limits)
        assert "Source:" in said or not check.limits
        assert all(len(line) <= 88 for line in said.splitlines())

    def test_the_whole_catalogue(self) -> None:
        said = run("explain").stdout

        assert all(f"  {check.id}  {check.title}\n" in said for check in CATALOGUE)

    def test_a_family(self) -> None:
        said = run("explain", "s").stdout

        assert said.startswith("surface\n  S101")
        assert "T101" not in said

    def test_limits_are_written_in_plain_digits(self) -> None:
        assert "\n  weld_fraction = 0.00001\n" in run("explain", "T107").stdout
        assert "\n  max_pairs = 1000000\n" in run("explain", "S102").stdout

    def test_a_misspelt_word_names_the_nearest_of_the_titles(self) -> None:
        assert "there is no check 'hoel'; did you mean 'hole'?" in run("explain", "hoel").stderr

    def test_an_unknown_id_names_the_nearest(self) -> None:
        result = run("explain", "T1O3")

        assert result.exit_code == 2
        assert "there is no check 'T1O3'; did you mean 'T103'?" in result.stderr

    def test_a_word_lists_the_checks_that_have_it_in_their_titles(self) -> None:
        said = run("explain", "hole").stdout

        assert [line.split()[0] for line in said.splitlines() if line.startswith("  ")] == ["D105", "S101"]

    def test_a_title_or_a_limit_leads_to_its_check(self) -> None:
        assert run("explain", "Hole", "in", "the", "surface").stdout.startswith("S101 ")
        assert "S101" in run("explain", "hole_diameter_mm").stdout
        assert run("explain", "shift_gain").stdout.startswith("D109 ")

    def test_a_family_by_its_name_and_one_without_checks(self) -> None:
        assert run("explain", "surface").stdout == run("explain", "S").stdout
        result = run("explain", "A")

        assert result.exit_code == 2
        assert "the family A (arch) has no checks yet" in result.stderr

    def test_anything_else_is_told_how_to_list_them(self) -> None:
        assert "`meshguard explain` lists them all" in run("explain", "watertight").stderr


class TestPhantom:
    def test_it_writes_the_arch_and_its_truth(self, folder: Path) -> None:
        result = run(
            "phantom",
            "arch.ply",
            "--faces",
            "5000",
            "--teeth",
            "12",
            "--jaw",
            "upper",
            "--seed",
            "3",
            "--defect",
            "hole",
            "--truth",
            "-",
        )
        truth = json.loads(result.stdout)
        mesh = meshguard.load("arch.ply")

        assert result.exit_code == 0
        assert (truth["jaw"], truth["teeth"], truth["seed"]) == ("upper", 12, 3)
        assert truth["faces"] == len(mesh.faces)
        assert [defect["name"] for defect in truth["defects"]] == ["hole"]
        assert truth["defects"][0]["check"] == "S101"
        assert len(truth["defects"][0]["location"]) == 3

    def test_without_defects_it_is_good(self, folder: Path) -> None:
        result = run("phantom", "arch.stl", "--faces", "5000", "--truth", "truth.json")

        assert "0 defects" in result.stdout
        assert json.loads(Path("truth.json").read_text())["defects"] == []
        assert run("validate", "arch.stl").exit_code == 0

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["a.stl", "--defect", "hol"], "there is no defect 'hol'; did you mean 'hole'?"),
            (["a.xyz", "--faces", "2000"], "save writes .stl and .ply"),
            (["none/a.stl", "--faces", "2000"], "none/a.stl: cannot be written: No such file"),
            (["a.stl", "--teeth", "99"], "is not in the range"),
        ],
    )
    def test_wrong_usage(self, folder: Path, arguments: list[str], said: str) -> None:
        result = run("phantom", *arguments)

        assert result.exit_code == 2
        assert said in result.stderr

    def test_help_lists_the_defects(self) -> None:
        from meshguard.phantoms import DEFECTS

        said = run("phantom", "--help").stdout
        assert [name for name in DEFECTS if name not in said] == []


class TestDemo:
    def test_everything_injected_is_found(self, folder: Path) -> None:
        result = run("demo", "--keep", "demo.ply")

        assert result.exit_code == 0, result.output
        assert "NOT FOUND" not in result.stdout
        assert "broken on purpose" in result.stdout
        assert run("validate", "demo.ply").exit_code == 1


class TestVersion:
    def test_it_tells_what_a_bug_report_needs(self) -> None:
        said = run("--version").stdout

        names = (
            "meshguard",
            "python",
            "platform",
            "numpy",
            "scipy",
            "numba",
            "llvmlite",
            "trimesh",
            "open3d",
            "threads",
        )
        assert [line.split("  ")[0] for line in said.splitlines()] == [*names, "kernel cache", "plugins"]
        assert meshguard.__version__ in said

    def test_it_tells_no_path_and_no_user(self) -> None:
        said = run("--version").stdout

        assert str(Path.home()) not in said and sys.prefix not in said

    def test_help_tells_the_exit_codes(self) -> None:
        assert "Exit codes: 0 good; 1 a finding" in run("--help").stdout


class TestLabels:
    def test_labels_of_a_file(self, tmp_path: Path) -> None:
        import numpy as np

        from meshguard.io import save
        from meshguard.phantoms import phantom

        mesh = phantom(faces=8_000)
        save(mesh.without_labels(), tmp_path / "lower.stl")
        label = mesh.vertex_data["label"].astype(int)
        np.save(tmp_path / "good.npy", label)
        np.save(tmp_path / "bad.npy", np.where(label == 36, 39, label))
        (tmp_path / "broken.json").write_text("{", "utf-8")

        def run(*options: str) -> Result:
            return CliRunner().invoke(commands, ["validate", str(tmp_path / "lower.stl"), *options])

        good = run("--labels", str(tmp_path / "good.npy"), "--jaw", "lower")
        assert (good.exit_code, "D101" in good.output) == (0, False)
        bad = run("--labels", str(tmp_path / "bad.npy"))
        assert bad.exit_code == 1 and "D101 Label is not a tooth number" in bad.output
        other = run("--labels", str(tmp_path / "good.npy"), "--jaw", "upper")
        assert other.exit_code == 1 and "D102" in other.output
        broken = run("--labels", str(tmp_path / "broken.json"))
        assert broken.exit_code == 2 and "its labels cannot be read" in broken.output

    def test_labels_are_those_of_one_file(self) -> None:
        done = CliRunner().invoke(commands, ["validate", "a.stl", "b.stl", "--labels", "c.npy"])

        assert done.exit_code == 2 and "give one FILE" in done.output


class TestLabelOptions:
    @pytest.fixture
    def arch(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """An arch whose teeth are coloured by a palette, and the vector of its classes as MeshSegNet counts them."""
        monkeypatch.chdir(tmp_path)
        mesh = meshguard.phantom(faces=4000)
        codes = [0, *range(31, 38), *range(41, 48)]
        color = {code: [code, 255 - code, 7] if code else [0, 0, 0] for code in codes}
        label = mesh.face_data["label"]
        painted = np.array([color[int(code)] for code in label], np.uint8)
        meshguard.save(mesh.without_labels().with_data(face={"color": painted}), "arch.ply")
        Path("palette.json").write_text(json.dumps({str(code): [rgb] for code, rgb in color.items()}), "utf-8")
        order = [0, 37, 36, 35, 34, 33, 32, 31, 41, 42, 43, 44, 45, 46, 47]
        np.save("classes.npy", np.array([order.index(int(code)) for code in label]))
        np.save("codes.npy", label)
        Path("odd.json").write_text('{"11": {"a": 1}}', "utf-8")
        Path("far.json").write_text('{"3000000000": [[0, 0, 0]]}', "utf-8")
        universal = np.array([fdi.to_universal(int(code)) if code else 0 for code in label], np.int32)
        meshguard.save(mesh.without_labels().with_data(face={"label": universal}), "universal.ply")
        return tmp_path

    @pytest.mark.parametrize(
        ("options", "numbering"),
        [
            (["--palette", "palette.json"], "fdi"),
            (["--labels", "arch.ply", "--palette", "palette.json"], "fdi"),
            (["--labels", "arch.ply"], "anonymous"),
            (["--labels", "classes.npy", "--numbering", "meshsegnet", "--jaw", "lower"], "fdi"),
            (["--labels", "classes.npy"], "anonymous"),
        ],
    )
    def test_what_labels_mean(self, arch: Path, options: list[str], numbering: str) -> None:
        result = CliRunner().invoke(commands, ["validate", "arch.ply", "--format", "json", *options])
        labels = json.loads(result.stdout)["labels"]

        assert (labels["per"], labels["numbering"], len(labels["ids"])) == ("face", numbering, 14)
        if numbering == "fdi":
            assert labels["ids"] == [*range(31, 38), *range(41, 48)]

    def test_a_numbering_of_the_files_own_labels(self, arch: Path) -> None:
        result = CliRunner().invoke(
            commands, ["validate", "universal.ply", "--format", "json", "--numbering", "universal"]
        )

        assert json.loads(result.stdout)["labels"]["ids"] == [*range(31, 38), *range(41, 48)]

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (["arch.ply", "--palette", "no.json"], "the palette: "),
            (["arch.ply", "--palette", "arch.ply"], "palette"),
            (["arch.ply", "--palette", "odd.json"], "palette"),
            (["arch.ply", "--palette", "far.json"], "palette"),
            (["-", "--palette", "palette.json"], "standard input is read only once"),
            (["arch.ply", "--labels", "codes.npy", "--numbering", "meshsegnet"], "expected 0 to 14"),
        ],
    )
    def test_what_cannot_be_read(self, arch: Path, arguments: list[str], reason: str) -> None:
        result = CliRunner().invoke(commands, ["validate", *arguments])

        assert result.exit_code == 2 and reason in result.stderr
