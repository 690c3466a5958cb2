"""The bar over what takes long: on a terminal only, after a while only, and never mixed into a report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import meshguard
from meshguard.cli import notice
from tests import shapes

if TYPE_CHECKING:
    from pathlib import Path

POSIX = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals of POSIX")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a good file."""
    monkeypatch.chdir(tmp_path)
    meshguard.save(shapes.grid(), "good.stl")
    return tmp_path


def on_a_terminal(patience_s: float, *arguments: str) -> tuple[bytes, bytes]:
    """What a command prints to a pipe, and on stderr, which is a terminal."""
    import pty

    program = f"from meshguard.cli import notice, main; notice.PATIENCE_S = {patience_s}; main()"
    terminal, its_end = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONUTF8": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, stderr=its_end, env=environment
    ) as process:
        os.close(its_end)
        said = b""
        while True:
            try:
                part = os.read(terminal, 4096)
            except OSError:  # Linux: the other end is closed
                break
            if not part:
                break
            said += part
        assert process.stdout is not None
        out = process.stdout.read()
    os.close(terminal)
    return out, said


@POSIX
@pytest.mark.parametrize("format_", ["text", "json"])
@pytest.mark.parametrize("files", [["good.stl"], ["good.stl", "good.stl"]])
def test_it_is_drawn_for_every_form_and_number_of_files(folder: Path, format_: str, files: list[str]) -> None:
    out, said = on_a_terminal(0.0, "validate", "--format", format_, *files)

    assert b"reading the file" in said  # the step that it shows
    assert b"\x1b" not in out
    if format_ == "json":
        assert [json.loads(line) for line in out.splitlines()]


@POSIX
def test_what_is_quick_shows_none(folder: Path) -> None:
    assert b"reading" not in on_a_terminal(1e9, "validate", "-q", "good.stl")[1]


def test_without_a_terminal_it_draws_nothing(capfd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notice, "PATIENCE_S", 0.0)
    with notice.Progress(["a", "b"]) as progress:
        progress.step(1, 2, "S102")
        progress.advance()
        progress.pause()

    assert capfd.readouterr() == ("", "")
