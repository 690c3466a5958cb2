"""`meshguard render`: a stored report is shown as it was when it was made, and what is none is refused in words."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import meshguard
from meshguard.cli import commands
from tests import mutations, shapes


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a broken file, the report of it, and the lines of several."""
    monkeypatch.chdir(tmp_path)
    meshguard.save(mutations.flipped_face(), "broken.stl")
    meshguard.save(shapes.grid(), "good.stl")
    Path("not.stl").write_bytes(b"")
    run("validate", "--format", "json", "-o", "report.json", "broken.stl")
    run("validate", "--format", "json", "--paths", "-o", "named.jsonl", "broken.stl", "good.stl", "not.stl")
    run("validate", "--format", "json", "-o", "lines.jsonl", "broken.stl", "good.stl", "not.stl")
    return tmp_path


def run(*arguments: str, **options: Any) -> Result:
    """The result of a command in this process."""
    return CliRunner().invoke(commands, list(arguments), **options)


@pytest.mark.parametrize("options", [[], ["-v"], ["-q"], ["--format", "markdown"], ["--format", "markdown", "-q"]])
def test_a_report_is_shown_as_it_was_made(folder: Path, options: list[str]) -> None:
    made = run("validate", *options, "broken.stl").stdout.replace("✗ broken.stl: ", "✗ ")
    shown = run("render", *options, "report.json")

    assert shown.exit_code == 0
    assert shown.stdout == made != ""


def test_json_lines_are_shown_one_after_the_other(folder: Path) -> None:
    said = run("render", "named.jsonl").stdout
    heads = [line for line in said.splitlines() if line.startswith(("✗ broken", "✓ good"))]

    assert heads[0].startswith("✗ broken.stl: ") and heads[1].startswith("✓ good.stl: ")
    assert "\nnot.stl: not validated: the file is empty" in said
    assert run("render", "-q", "lines.jsonl").stdout.startswith("✗ file 1: ")
    assert "## ❌ `file 1`: " in run("render", "--format", "markdown", "lines.jsonl").stdout


def test_standard_input_and_a_file_for_the_text(folder: Path) -> None:
    stored = Path("report.json").read_bytes()

    assert run("render", "-", input=stored).stdout == run("render", "report.json").stdout
    assert run("render", "-o", "said.txt", "report.json").stdout == ""
    assert Path("said.txt").read_text("utf-8") == run("render", "report.json").stdout
    assert run("render", "-o", "report.json", "report.json").exit_code == 2
    assert Path("report.json").read_bytes() == stored


def test_the_record_of_a_repair_holds_two(folder: Path) -> None:
    run("repair", "broken.stl", "out.stl", "--report", "repair.json")
    heads = run("render", "-q", "repair.json").stdout.splitlines()

    assert [head.split(": ")[0] for head in heads] == ["✗ before repair", "✓ after repair"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\n", "it is empty"),
        (b"{", "line 1 is not JSON"),
        (b"[]", "line 1 holds neither a report nor an error"),
        (b'{"schema":"2.0"}', "this report has schema 2.0"),
        (b'{"schema":"1.1"}', "this JSON is not a meshguard report"),
        (b'{"file":1,"report":{"schema":"1.1"}}', "this JSON is not a meshguard report"),
        (b"\xff\xfe", "it is not text in UTF-8"),
        (b"MUELLER", "line 1 is not JSON"),
    ],
)
def test_what_is_no_report(folder: Path, content: bytes, said: str | None) -> None:
    Path("odd.json").write_bytes(content)
    result = run("render", "odd.json")

    assert result.exit_code == 2
    assert result.stderr.startswith("Error: the report cannot be read: ") and result.stderr.count("\n") == 1
    assert said is None or said in result.stderr
    assert "MUELLER" not in result.stderr and result.stdout == ""


def test_a_report_that_is_not_there(folder: Path) -> None:
    assert "No such file" in run("render", "none.json").stderr


def test_it_starts_no_compiler(folder: Path) -> None:
    program = (
        "import sys; from meshguard.cli import commands;"
        "commands.main(['render', 'report.json'], standalone_mode=False);"
        "print(*{'numba', 'scipy', 'trimesh'} & set(sys.modules), 'meshguard.checks' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert done.stderr.split() == ["False"]


def test_a_report_of_an_older_schema_is_shown_by_its_ids(folder: Path) -> None:
    data = json.loads(Path("report.json").read_text())
    for outcome in data["outcomes"].values():
        for name in ("title", "explanation", "remedies"):
            outcome.pop(name, None)
    old = {**{key: value for key, value in data.items() if key != "limits"}, "schema": "1.0"}
    Path("old.json").write_text(json.dumps(old))

    assert "✗ T103: 1 error" in run("render", "old.json").stdout
