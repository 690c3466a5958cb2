"""Imports stay light: what needs no compiler does not load one."""

from __future__ import annotations

import subprocess
import sys

import pytest

import meshguard

HEAVY = ("numba", "llvmlite", "scipy", "trimesh", "open3d", "click", "rich")


def loaded_by(code: str) -> set[str]:
    """Which heavy packages a fresh interpreter has loaded after running this code."""
    report = f"{code}\nimport sys\nprint(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, timeout=120, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "code",
    [
        "import meshguard",
        "import meshguard; dir(meshguard); meshguard.__version__",
        "from meshguard.report import Report, schema; schema()",
        "from meshguard import Report, Finding, Severity, Policy, Mesh, MeshGuardError, ReadError, Budget",
        "from meshguard.policy import policy; policy('scan').digest()",
        "from meshguard.mesh import Mesh; Mesh(vertices=[], faces=[]).digest()",
        "from meshguard.io import load, save",
        "from meshguard.io.labels import read_labels, attach_labels",
        "from meshguard.fdi import parse; parse('UR6')",
        "from meshguard.checks import CATALOGUE",
    ],
)
def test_reading_a_report_needs_nothing_heavy(code: str) -> None:
    assert loaded_by(code) == set()


def test_rendering_needs_rich_only() -> None:
    assert loaded_by("from meshguard.render import render, text_of") == {"rich"}


def test_the_command_line_starts_with_click_only() -> None:
    assert loaded_by("import meshguard.cli") == {"click"}


@pytest.mark.parametrize(
    "arguments", [["explain", "S101"], ["explain"], ["--version"], ["--help"], ["validate", "--help"]]
)
def test_asking_starts_no_compiler(arguments: list[str]) -> None:
    code = f"from meshguard.cli import commands\ncommands.main({arguments!r}, standalone_mode=False)"

    assert loaded_by(code) <= {"click", "rich"}


@pytest.mark.parametrize("name", meshguard.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(meshguard, name) is not None
    assert name in dir(meshguard)


def test_a_name_that_is_not_there_says_so() -> None:
    with pytest.raises(AttributeError, match="no attribute 'reqair'"):
        meshguard.reqair  # noqa: B018
