"""`meshguard warmup`: afterwards no call compiles anything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import meshguard
from meshguard.cli import commands
from meshguard.cli.warmup import _ply_quads, _ply_text, _sheet, _stl_text, entries

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "meshguard"

LISTEN = """
import sys
from numba.core import event

class Compilations(event.Listener):
    count = 0
    def on_start(self, _):
        self.count += 1
    def on_end(self, _):
        pass

heard = Compilations()
event.register("numba:compile", heard)
import meshguard
for name in sys.argv[1:]:
    meshguard.validate(name)
    print(name, heard.count)
"""


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """The same sheet in every format that meshguard reads itself, and one that several threads share."""
    sheet = _sheet(20)
    meshguard.save(sheet, tmp_path / "binary.stl")
    meshguard.save(_sheet(200), tmp_path / "large.stl")
    meshguard.save(sheet, tmp_path / "binary.ply")
    (tmp_path / "text.stl").write_bytes(_stl_text(sheet))
    (tmp_path / "text.ply").write_bytes(_ply_text(sheet))
    (tmp_path / "quads.ply").write_bytes(_ply_quads())
    return sorted(str(path) for path in tmp_path.iterdir())


def warmed(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "meshguard.cli", "warmup"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, "MESHGUARD_CACHE": "1", **environment},
    )


@pytest.mark.parametrize("place", ["the suite's", pytest.param("its own", marks=pytest.mark.long)])
def test_afterwards_nothing_is_compiled(place: str, files: list[str], tmp_path: Path) -> None:
    cache = {} if place == "the suite's" else {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    done = warmed(**cache)
    listened = subprocess.run(
        [sys.executable, "-c", LISTEN, *files],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, "MESHGUARD_CACHE": "1", "MESHGUARD_THREADS": "2", **cache},
    )

    assert done.returncode == 0, done.stderr
    assert re.match(r"[0-9]+ kernels are compiled and kept in ", done.stdout)
    assert listened.returncode == 0, listened.stderr
    assert listened.stdout.splitlines() == [f"{name} 0" for name in files]


def test_a_pipe_gets_a_line_a_kernel() -> None:
    done = warmed()
    lines = done.stderr.splitlines()

    assert [line.split(":")[0] for line in lines] == [f"{k} of {len(entries())}" for k in range(1, len(lines) + 1)]
    named = "".join(
        path.read_text("utf-8") for path in PACKAGE.rglob("*.py") if path.parent.name not in ("kernels", "cli")
    )
    used = {name for name in entries() if re.search(rf"\b{name.rpartition('.')[2]}\b", named)}
    assert used - {line.split(": ")[1] for line in lines} == set()


def test_every_kernel_module_is_looked_at() -> None:
    source = "".join(path.read_text("utf-8") for path in (PACKAGE / "kernels").glob("*.py"))

    assert len(entries()) == len(re.findall(r"^@kernel$", source, re.MULTILINE))


def test_code_that_cannot_be_kept_is_a_failure() -> None:
    done = warmed(MESHGUARD_CACHE="0", NUMBA_DISABLE_JIT="1")

    assert done.returncode == 1
    assert "Error: nothing was compiled" in done.stderr


def test_the_help_names_the_setting_for_images() -> None:
    assert "NUMBA_CPU_NAME=generic" in CliRunner().invoke(commands, ["warmup", "--help"]).output


def test_the_dockerfile_uses_what_exists() -> None:
    dockerfile = (ROOT / "docs" / "examples" / "Dockerfile").read_text("utf-8")

    assert "meshguard warmup" in dockerfile
    assert 'ENTRYPOINT ["meshguard"]' in dockerfile
    assert set(re.findall(r"^ENV (\w+)=", dockerfile, re.MULTILINE)) == {"NUMBA_CPU_NAME", "NUMBA_CACHE_DIR"}


def test_the_command_does_without_scipys_linear_algebra() -> None:
    """And leaves the way to it open for whoever needs it later."""
    code = (
        "import sys; from meshguard.cli import startup; startup.begin(); startup.import_compiler();"
        "from meshguard.kernels.weld import weld_positions; import numpy as np;"
        "v = np.eye(3); v.flags.writeable = False;"
        "weld_positions(v, np.empty(3, np.int32)); assert 'scipy.linalg' not in sys.modules;"
        "from scipy.spatial import cKDTree; cKDTree(v)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
