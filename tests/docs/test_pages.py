"""The documentation: what its pages show runs, and what is made from the source is complete."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import meshguard
from meshguard.checks import CATALOGUE
from meshguard.policy import LIMITS
from tests.docs.running import agrees, blocks

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
RUNNABLE = [
    page for page in PAGES if {"python", "bash"} & {block.language for block in blocks(page.read_text("utf-8"))}
]


@pytest.mark.skipif(os.name != "posix", reason="commands are run by bash")
@pytest.mark.parametrize("page", RUNNABLE, ids=lambda page: str(page.relative_to(DOCS)))
def test_what_a_page_shows_runs_and_prints_that(page: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "tests" / "docs" / "running.py"), str(page)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_blocks_are_found_with_their_title_line_and_what_they_print() -> None:
    page = '# x\n\n```python\nprint(1)\n```\n\n```text\n1\n```\n\n    ```toml title="a.toml"\n    b = 1\n    ```\n'
    python, text, toml = blocks(page)

    assert (python.language, python.text, python.line, python.printed) == ("python", "print(1)\n", 4, "1\n")
    assert text.printed is None
    assert (toml.title, toml.text) == ("a.toml", "b = 1\n")


@pytest.mark.parametrize(
    ("printed", "said", "agreed"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\nb\n", "a\n", False),
        ("a\nb\nc\n", "a\n…\nc\n", True),
        ("a\nc\n", "a\n…\nc\n", True),
        ("a\nb\n", "…\nb\n", True),
        ("a\nb\n", "a\n…\n", True),
        ("a\nxb\n", "…\nb\n", False),
    ],
)
def test_dots_stand_for_whole_lines(printed: str, said: str, agreed: bool) -> None:
    assert agrees(printed, said) is agreed


def test_every_page_is_plain_about_itself() -> None:
    """A page begins with its title, and names no path of a machine and no address that a page would load from."""
    for page in PAGES:
        text = page.read_text("utf-8")
        assert text.startswith("# "), page
        assert not re.search(r"/(?:opt|home|Users)/|<script|<link|<iframe", text), page


def test_pictures_are_small_and_shown() -> None:
    pictures = sorted((DOCS / "img").glob("*.png"))
    shown = "".join(page.read_text("utf-8") for page in PAGES)

    assert pictures
    assert sum(picture.stat().st_size for picture in pictures) < 400_000
    assert [picture.name for picture in pictures if picture.name not in shown] == []


@pytest.fixture(scope="module")
def generated() -> Any:
    """The hook that makes the pages of the reference."""
    pytest.importorskip("mkdocs", reason="mkdocs is not installed (the group docs)")
    import importlib.util

    spec = importlib.util.spec_from_file_location("docs_generated", DOCS / "generated.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_check_is_in_the_reference_with_its_limits(generated: Any) -> None:
    page = generated.checks_page()
    for check in CATALOGUE:
        section = page.split(f"{{ #{check.id.lower()} }}")[1].split("\n### ")[0]
        assert check.title in page
        assert check.explanation in section
        assert all(f"`{name}`" in section for name in check.limits)


def test_every_limit_has_a_source_or_is_called_a_proposal(generated: Any) -> None:
    page = generated.policies_page()
    for name, limit in LIMITS.items():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` ")]
        assert ("*proposal*" if limit.source == "proposal" else limit.source) in row


def test_every_number_of_the_stats_is_defined(generated: Any) -> None:
    assert sorted(set(generated.example_stats()) - set(generated.stats_definitions())) == []


def test_every_field_of_the_schema_is_in_the_reference(generated: Any) -> None:
    page = generated.schema_page()
    whole = meshguard.report.schema()
    for part in (whole, whole["$defs"]["finding"], whole["$defs"]["outcome"], whole["$defs"]["limit"]):
        assert all(f"| `{name}` |" in page for name in part["properties"])


def test_every_public_name_has_its_place_in_the_api(generated: Any) -> None:
    pages = generated.pages()
    api = "".join(text for path, text in pages.items() if "/api/" in path and "index" not in path)
    named = set(re.findall(r"^::: meshguard\.(?:\w+\.)+(\w+)$", api, re.MULTILINE))

    assert set(meshguard.__all__) - {"__version__"} <= named


def test_every_command_and_option_is_in_the_reference(generated: Any) -> None:
    from meshguard.cli import commands

    page = generated.command_line_page()
    for name, command in commands.commands.items():
        section = page.split(f"## meshguard {name}\n")[1].split("\n## ")[0]
        assert all(option in section for parameter in command.params for option in parameter.opts if "-" in option)


@pytest.mark.long
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="mkdocs is not installed (the group docs)")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    html = "".join(page.read_text("utf-8") for page in (tmp_path / "site").rglob("*.html"))
    loaded = re.findall(
        r'<(?:script|img)[^>]+src="(https?:[^"]+)"|<link[^>]+stylesheet[^>]+href="(https?:[^"]+)"', html
    )
    assert loaded == []


def test_the_tree_of_the_architecture_is_whole() -> None:
    """Every module and package at the top of the source is named, and nothing that is not there."""
    page = (ROOT / "docs" / "explanation" / "architecture.md").read_text("utf-8")
    tree = page.partition("src/meshguard/\n")[2].partition("```")[0]
    named = {line.split()[0] for line in tree.splitlines() if line.strip()}
    there = {
        path.name + ("/" if path.is_dir() else "")
        for path in (ROOT / "src" / "meshguard").iterdir()
        if not path.name.startswith("_") and (path.suffix == ".py" or path.is_dir())
    }

    assert named == there
