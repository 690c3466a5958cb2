"""README: its example runs, its commands exist, and what it claims is so."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from meshguard.checks import CATALOGUE
from meshguard.checks.registry import FAMILIES
from meshguard.cli import commands
from meshguard.policy import Policy

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return [str(block) for block in re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)]


def test_the_python_example_runs(tmp_path: Path) -> None:
    (example,) = blocks("python")
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("False ")


def test_the_two_commands_are_one_line_each() -> None:
    demo, tests = blocks("bash")

    assert demo == "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/meshguard demo\n"
    assert tests == ".venv/bin/pip install -e '.[test]' && .venv/bin/pytest\n"


def test_the_test_extra_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    assert "test" in project["optional-dependencies"]
    assert project["scripts"]["meshguard"] == "meshguard.cli:main"


def test_the_commands_exist_with_their_options() -> None:
    lines = [line for block in blocks("text") for line in block.splitlines() if line.startswith("meshguard ")]
    assert len(lines) == 13
    for line in lines:
        words = re.split(r"\s{2,}", line)[0].split()[1:]
        said = CliRunner().invoke(commands, [words[0], "--help"]).output
        assert said.startswith(f"Usage: commands {words[0]}")
        assert all(word in said for word in words if word.startswith("--"))


def test_the_policy_example_is_a_policy() -> None:
    (example,) = blocks("toml")

    assert Policy.from_dict(tomllib.loads(example)).limit("hole_diameter_mm") == 1.5


def test_the_table_names_the_families_that_have_checks() -> None:
    rows = re.findall(r"^\| ([A-Z]) (\w+) \|", README, re.MULTILINE)

    assert rows == [(letter, FAMILIES[letter]) for letter in "FTGSD"]
    assert {check.id[0] for check in CATALOGUE} == {letter for letter, _ in rows}


def test_the_excerpt_is_what_the_demo_prints() -> None:
    """The first text block is a literal excerpt, apart from what it leaves out with "…" alone on a line."""
    excerpt = blocks("text")[0]
    said = CliRunner(env={"COLUMNS": None}).invoke(commands, ["demo"]).output
    for part in re.split(r"^ *…\n", excerpt, flags=re.MULTILINE):
        assert part in said


@pytest.mark.skipif(os.name != "posix", reason="the script is for bash")
def test_ci_refuses_to_run_without_the_data(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    (clone / ".ci").mkdir(parents=True)
    (clone / ".ci" / "run").write_text((ROOT / ".ci" / "run").read_text("utf-8"), "utf-8")
    done = subprocess.run(
        ["bash", ".ci/run"], cwd=clone, env={**os.environ, "CI": "true"}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "../shared/data" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="the script is for bash")
def test_ci_runs_the_readmes_commands_then_lint_types_and_floors(tmp_path: Path) -> None:
    """The script is run in a clone whose commands and tools only say that they ran."""
    clone = tmp_path / "clone"
    for folder in (clone / ".ci", clone / ".venv" / "bin", tmp_path / "shared" / "data"):
        folder.mkdir(parents=True)
    (clone / ".ci" / "run").write_text((ROOT / ".ci" / "run").read_text("utf-8"), "utf-8")
    for tool in ("pip", "ruff", "mypy", "lint-imports", "pytest"):
        path = clone / ".venv" / "bin" / tool
        path.write_text(f'#!/bin/sh\necho "ran {tool} $*; data $MESHGUARD_DATA"\n')
        path.chmod(0o755)
    (clone / "README.md").write_text(
        "# x\n\n## Two commands\n\n```bash\necho the demo\n```\n\n```bash\n.venv/bin/pytest -k 'a b'\n```\n\n"
        "## More\n\n```bash\nfalse\n```\n"
    )
    done = subprocess.run(
        ["bash", ".ci/run"], cwd=clone, env={**os.environ, "CI": "true"}, capture_output=True, text=True, check=False
    )
    said = [line for line in done.stdout.splitlines() if line and not line.startswith("$")]
    data = f"; data {tmp_path / 'shared' / 'data'}"

    assert done.returncode == 0, done.stderr
    assert said == [
        "the demo",
        f"ran pytest -k a b{data}",
        f"ran pip install --quiet --upgrade pip{data}",
        f"ran pip install --quiet --group dev{data}",
        f"ran ruff check{data}",
        f"ran ruff format --check{data}",
        f"ran mypy {data}",
        f"ran lint-imports {data}",
    ]
