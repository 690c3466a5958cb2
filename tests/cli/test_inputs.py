"""What folders and patterns stand for: the meshes in them, in one order, and nothing that is no mesh."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import meshguard
from meshguard.cli import commands
from meshguard.cli.inputs import inputs_of
from tests import shapes


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of files, by name only: meshes, some deeper, and what is none."""
    monkeypatch.chdir(tmp_path)
    names = ["b.stl", "a.PLY", "c.obj.gz", "deep/d.stl", "deep/er/e.off", "b/z.3mf", "notes.txt", ".hidden.stl"]
    for name in [*names, ".git/f.stl", "odd[1].stl", "odd1.stl", "deep/._d.stl", "empty/x.json"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path


def names(*given: str) -> list[str]:
    return [Path(name).as_posix() for name in inputs_of(given).names]


def test_a_folder_is_the_meshes_in_it_and_below_sorted(folder: Path) -> None:
    assert names("deep") == ["deep/d.stl", "deep/er/e.off"]
    assert names(".") == [
        "a.PLY",
        "b/z.3mf",
        "b.stl",
        "c.obj.gz",
        "deep/d.stl",
        "deep/er/e.off",
        "odd1.stl",
        "odd[1].stl",
    ]


def test_files_come_in_the_order_given(folder: Path) -> None:
    assert names("odd1.stl", "deep", "b.stl", "-") == ["odd1.stl", "deep/d.stl", "deep/er/e.off", "b.stl", "-"]
    assert names("b.stl", "b.stl") == ["b.stl", "b.stl"]


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("*.stl", ["b.stl", "odd1.stl", "odd[1].stl"]),
        ("**/*.stl", ["b.stl", "deep/d.stl", "odd1.stl", "odd[1].stl"]),
        ("?.*", ["a.PLY", "b.stl", "c.obj.gz"]),
        ("de*", ["deep/d.stl", "deep/er/e.off"]),
        ("deep/**", ["deep/d.stl", "deep/er/e.off"]),
        ("odd[1].stl", ["odd[1].stl"]),
        ("notes.*", ["notes.txt"]),
    ],
)
def test_a_pattern_is_what_it_matches(folder: Path, pattern: str, matched: list[str]) -> None:
    assert names(pattern) == matched


@pytest.mark.parametrize(
    ("given", "is_one"),
    [
        (["b.stl"], True),
        (["none.stl"], True),
        (["-"], True),
        (["b.stl", "a.PLY"], False),
        (["b"], False),
        (["b.*"], False),
    ],
)
def test_a_folder_or_a_pattern_is_a_list_whatever_it_holds(folder: Path, given: list[str], is_one: bool) -> None:
    assert inputs_of(tuple(given)).is_one == is_one


@pytest.mark.parametrize("given", ["empty", "*.ply.gz", "none/*.stl"])
def test_nothing_found_is_told(folder: Path, given: str) -> None:
    with pytest.raises(click.UsageError, match="no file"):
        inputs_of((given,))


def test_a_loop_of_links_ends(folder: Path) -> None:
    (folder / "deep" / "again").symlink_to(folder, target_is_directory=True)

    assert names("deep") == ["deep/d.stl", "deep/er/e.off"]


def test_the_command_on_a_folder_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("scans").mkdir()
    meshguard.save(shapes.grid(), "scans/a.stl")
    said = CliRunner().invoke(commands, ["validate", "-q", "scans"])
    lines = CliRunner().invoke(commands, ["validate", "--format", "json", "scans"])

    assert said.exit_code == 0
    assert said.stdout.splitlines()[0].startswith(f"✓ {Path('scans/a.stl')}: ideal")
    assert said.stdout.splitlines()[1] == "1 file: 1 good"
    assert lines.stdout.startswith('{"file":1,"report":{')
    assert CliRunner().invoke(commands, ["validate", "none*.stl"]).exit_code == 2
