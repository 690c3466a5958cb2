"""What is written where: whole lines, whole files or nothing, and one sentence where the disk is full."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import click
import pytest
from click.testing import CliRunner, Result

import meshguard
from meshguard.cli import commands
from meshguard.cli.output import CannotWriteError, Writer, columns
from tests import mutations, shapes

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX")
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a good file, a broken one and no mesh at all."""
    monkeypatch.chdir(tmp_path)
    meshguard.save(shapes.grid(), "good.stl")
    meshguard.save(mutations.flipped_face(), "broken.stl")
    Path("not.stl").write_bytes(b"")
    return tmp_path


def run(*arguments: str, **options: Any) -> Result:
    """The result of a command in this process."""
    return CliRunner().invoke(commands, list(arguments), **options)


def start(*arguments: str, stdout: IO[bytes] | int = subprocess.PIPE, **options: Any) -> subprocess.Popen[bytes]:
    """A command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "meshguard.cli", *arguments], stdout=stdout, stderr=subprocess.PIPE, **options
    )


class TestFiles:
    @pytest.mark.parametrize("format_", ["text", "json", "markdown"])
    def test_an_old_file_stays_where_the_input_cannot_be_read(self, folder: Path, format_: str) -> None:
        Path("report").write_text("old")
        result = run("validate", "--format", format_, "-o", "report", "not.stl")

        assert result.exit_code == 2
        assert Path("report").read_text() == "old"
        assert run("validate", "--format", format_, "-o", "new", "not.stl").exit_code == 2
        assert not Path("new").exists()

    def test_json_lines_replace_an_old_file(self, folder: Path) -> None:
        Path("report").write_text("old\n")
        run("validate", "--format", "json", "-o", "report", "good.stl", "not.stl")

        assert [json.loads(line)["file"] for line in Path("report").read_text().splitlines()] == [1, 2]

    @pytest.mark.parametrize("given", [["good.stl"], ["broken.stl", "good.stl"], ["."]])
    def test_no_report_replaces_a_mesh(self, folder: Path, given: list[str]) -> None:
        before = Path("good.stl").read_bytes()
        result = run("validate", "-o", "good.stl", *given)

        assert result.exit_code == 2 and "--output must be a file of its own" in result.stderr
        assert Path("good.stl").read_bytes() == before

    def test_an_interrupt_keeps_what_was_written(self, folder: Path) -> None:
        with suppress(KeyboardInterrupt), Writer("report") as writer:
            writer.text("so far\n")
            raise KeyboardInterrupt

        assert Path("report").read_text() == "so far\n"

    def test_an_error_does_not(self, folder: Path) -> None:
        with suppress(ZeroDivisionError), Writer("report") as writer:
            writer.text("half\n")
            raise ZeroDivisionError

        assert not Path("report").exists()


class TestWidth:
    @pytest.mark.parametrize(
        ("asked", "width"), [("80", 80), ("10", 40), ("300", 300), ("0", 100), ("", 100), ("-5", 100), ("wide", 100)]
    )
    def test_columns(self, monkeypatch: pytest.MonkeyPatch, asked: str, width: int) -> None:
        monkeypatch.setenv("COLUMNS", asked)

        assert columns() == width

    def test_without_it_reports_are_as_wide_as_always(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("COLUMNS", raising=False)

        assert columns() == 100


@POSIX
class TestInterrupted:
    @pytest.mark.parametrize("jobs", ["1", "2"])
    def test_the_lines_so_far_are_there_and_whole(self, folder: Path, jobs: str) -> None:
        os.mkfifo("waits.stl")  # a file that never comes
        files = ["good.stl", "broken.stl", "waits.stl", "good.stl"]
        with start("validate", "--format", "json", "-j", jobs, "-o", "lines", *files) as process:
            deadline = time.monotonic() + 120
            while time.monotonic() < deadline:
                if Path("lines").exists() and Path("lines").read_bytes().count(b"\n") == 2:
                    break
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
        lines = Path("lines").read_text().splitlines()

        assert process.returncode == 130
        assert [json.loads(line)["file"] for line in lines] == [1, 2]
        assert said.decode().strip() == "interrupted: 2 of 4 files are done"


class TestFullDisk:
    @FULL
    @pytest.mark.parametrize(
        "arguments",
        [
            ["validate", "broken.stl"],
            ["validate", "--format", "json", "broken.stl"],
            ["validate", "--format", "json", "-j", "2", "broken.stl", "good.stl"],
            ["explain", "S101"],
            ["--version"],
        ],
        ids=" ".join,
    )
    def test_it_is_one_sentence(self, folder: Path, arguments: list[str]) -> None:
        with Path("/dev/full").open("wb") as full, start(*arguments, stdout=full) as process:
            _, said = process.communicate(timeout=300)

        assert process.returncode == 2
        assert said.decode().splitlines()[-1] == "Error: the output cannot be written: No space left on device"
        assert b"Traceback" not in said and b"Exception" not in said

    @FULL
    @pytest.mark.parametrize("format_", ["text", "json"])
    def test_so_it_is_for_a_file(self, folder: Path, format_: str) -> None:
        result = run("validate", "--format", format_, "-o", "/dev/full", "good.stl", "broken.stl")

        assert result.exit_code == 2
        assert result.stderr == "Error: /dev/full: cannot be written: No space left on device\n"

    @POSIX
    def test_no_half_of_a_line_is_left(self, folder: Path) -> None:
        import resource

        def limited() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000))

        files = ["broken.stl"] * 4
        with start("validate", "--format", "json", "-o", "lines", *files, preexec_fn=limited) as process:
            _, said = process.communicate(timeout=300)
        lines = Path("lines").read_text()

        assert process.returncode == 2 and b"lines: cannot be written: File too large" in said
        assert lines.endswith("\n") and [json.loads(line)["file"] for line in lines.splitlines()] == [1]

    def test_a_writer_names_what_it_cannot_write(self, folder: Path) -> None:
        with pytest.raises(CannotWriteError, match="cannot be written: Is a directory"), Writer(".") as writer:
            writer.line("{}")
        assert issubclass(CannotWriteError, click.ClickException) and CannotWriteError.exit_code == 2
