"""The cache of compiled kernels: never stale, never in the way, whatever happens to its folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import meshguard
import meshguard.kernels._jit

PACKAGE = Path(meshguard.__file__).resolve().parent

CALLEE = """
from meshguard.kernels._jit import inlined

@inlined
def value():
    return {}
"""

CALLER = """
from meshguard.kernels._jit import kernel
from meshguard.kernels.callee import value

@kernel
def twice(x):
    return 2 * value() + x
"""

CALL = """
from meshguard.kernels import _jit
from meshguard.kernels.caller import twice
result = twice(0)
hits, misses = (sum(counts.values()) for counts in (twice.stats.cache_hits, twice.stats.cache_misses))
print(result, hits, misses, "no folder" if _jit.FOLDER is None else "folder")
"""

NO_WRITING = """
import errno, os, tempfile
def refused(*_, **__):
    raise OSError(errno.EROFS, "Read-only file system")
tempfile.TemporaryFile = os.replace = refused
"""


class Copy:
    """A copy of the package's lowest floor with one kernel that calls a function of another file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kernels = folder / "site" / "meshguard" / "kernels"
        self.kernels.mkdir(parents=True)
        (self.kernels.parent / "repair").mkdir()
        for name in ("__init__.py", "_version.py", "repair/__init__.py", "kernels/__init__.py", "kernels/_jit.py"):
            shutil.copy(PACKAGE / name, self.kernels.parent / name)
        (self.kernels / "caller.py").write_text(CALLER)
        self.write_callee(10)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("NUMBA", "XDG"))},
            "PYTHONPATH": str(folder / "site"),
            "HOME": str(folder / "home"),
            "LOCALAPPDATA": str(folder / "home"),
            "MESHGUARD_CACHE": "1",
        }

    def write_callee(self, value: int) -> None:
        (self.kernels / "callee.py").write_text(CALLEE.format(value))

    def run(self, before: str = "", **environment: str) -> list[str]:
        """Result, cache hits, cache misses, and whether there is a folder."""
        done = subprocess.run(
            [sys.executable, "-B", "-W", "error", "-c", before + CALL],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**self.environment, **environment},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split(maxsplit=3)

    @property
    def folders(self) -> list[Path]:
        """Folders of compiled code, anywhere."""
        return sorted(path for path in self.folder.rglob("meshguard-*") if path.is_dir())


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


COMPILED, CACHED = ["20", "0", "1", "folder\n"], ["20", "1", "0", "folder\n"]


def test_the_second_process_compiles_nothing(copy: Copy) -> None:
    assert copy.run() == COMPILED
    assert copy.run() == CACHED
    assert [folder.parent for folder in copy.folders] == [copy.kernels / "__pycache__"]


def test_a_change_in_a_callee_of_another_file_is_seen(copy: Copy) -> None:
    """Numba alone returns the old value here: it looks at the caller's file only."""
    assert copy.run() == COMPILED
    copy.write_callee(15)

    assert copy.run() == ["30", "0", "1", "folder\n"]
    assert len(copy.folders) == 2


@pytest.mark.parametrize("name", ["NUMBA_OPT", "NUMBA_CPU_NAME", "NUMBA_BOUNDSCHECK"])
def test_other_settings_have_their_own_folder(copy: Copy, name: str) -> None:
    assert copy.run() == COMPILED
    assert copy.run(**{name: "generic" if name == "NUMBA_CPU_NAME" else "1"}) == COMPILED
    assert len(copy.folders) == 2
    assert copy.run() == CACHED


def test_a_folder_that_the_user_names_comes_first(copy: Copy, tmp_path: Path) -> None:
    assert copy.run(NUMBA_CACHE_DIR=str(tmp_path / "named")) == COMPILED
    assert [folder.parent for folder in copy.folders] == [tmp_path / "named"]
    assert copy.run(NUMBA_CACHE_DIR=str(tmp_path / "named")) == CACHED


def test_the_users_cache_folder_serves_a_package_that_cannot_be_written_to(copy: Copy) -> None:
    (copy.kernels / "__pycache__").write_bytes(b"a file, so that no folder can be made here, by root neither")

    assert copy.run() == COMPILED
    assert len(copy.folders) == 1 and copy.folders[0].is_relative_to(copy.folder / "home")
    assert copy.run() == CACHED


def test_without_any_place_it_compiles_each_time(copy: Copy, tmp_path: Path) -> None:
    """A path below a regular file cannot be made, whoever asks."""
    file = tmp_path / "file"
    file.write_bytes(b"")
    (copy.kernels / "__pycache__").write_bytes(b"")
    nowhere = {name: str(file / "below") for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME", "LOCALAPPDATA")}

    assert copy.run(**nowhere) == ["20", "0", "1", "no folder\n"]
    assert copy.run(**nowhere) == ["20", "0", "1", "no folder\n"]
    assert copy.folders == []


def test_a_filled_folder_on_a_read_only_file_system_is_read(copy: Copy) -> None:
    """An image is filled while it is built, and run read-only."""
    assert copy.run() == COMPILED
    assert copy.run(NO_WRITING) == CACHED


def test_code_that_cannot_be_written_is_not_kept(copy: Copy) -> None:
    assert copy.run() == COMPILED
    for path in copy.folders[0].glob("*.nb?"):
        path.rename(path.with_name(f"other-{path.name}"))

    assert copy.run(NO_WRITING) == COMPILED
    assert copy.run(NO_WRITING.replace("tempfile.TemporaryFile = ", "")) == COMPILED
    assert copy.run() == COMPILED


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("keep", [0, 0.5])
def test_a_damaged_file_is_made_again(copy: Copy, suffix: str, keep: float) -> None:
    assert copy.run() == COMPILED
    (path,) = copy.folders[0].glob(f"*.{suffix}")
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])

    assert copy.run()[0] == "20"
    assert copy.run() == CACHED


def test_switched_off(copy: Copy) -> None:
    assert copy.run(MESHGUARD_CACHE="0") == ["20", "0", "1", "no folder\n"]
    assert copy.folders == []


def test_old_folders_are_removed(copy: Copy) -> None:
    place = copy.kernels / "__pycache__"
    for number in range(12):
        (place / f"meshguard-{number:016x}").mkdir(parents=True)
        os.utime(place / f"meshguard-{number:016x}", (number, number))
    (place / "other").mkdir()
    copy.run()
    left = [folder.name for folder in copy.folders]

    assert len(left) == meshguard.kernels._jit.KEPT_FOLDERS + 1
    assert [name for name in left if name.startswith("meshguard-00000000000000")] == [
        f"meshguard-{number:016x}" for number in range(4, 12)
    ]
    assert (place / "other").is_dir()


def test_other_functions_are_kept_where_numba_keeps_them(copy: Copy) -> None:
    theirs = copy.folder / "site" / "theirs.py"
    theirs.write_text("import numba\n@numba.njit(cache=True)\ndef f(x):\n    return x + 1\n")
    copy.run("from meshguard.kernels import caller\nimport theirs\ntheirs.f(1)\n")

    assert list((theirs.parent / "__pycache__").glob("theirs.f-*.nbi"))


def at_once(count: int, code: str, **environment: str) -> list[str]:
    """What `count` processes print that start at once."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "MESHGUARD_CACHE": "1", **environment},
        )
        for _ in range(count)
    ]
    said = [process.communicate(timeout=1200) for process in processes]
    assert [error for _, error in said if error] == []
    assert [process.returncode for process in processes] == [0] * count
    return [out for out, _ in said]


LOADS = """
import io, numpy as np, meshguard
from meshguard.mesh import Mesh
file = io.BytesIO()
meshguard.save(Mesh(vertices=np.eye(3), faces=[[0, 1, 2]]), file, format="stl")
print({}(file.getvalue()){})
"""


def test_processes_that_start_at_once_on_an_empty_cache(tmp_path: Path) -> None:
    code = LOADS.format("meshguard.load", ".digest()")
    said = at_once(6, code, NUMBA_CACHE_DIR=str(tmp_path))

    assert set(said) == {said[0]} and len(said[0]) == 65
    assert at_once(1, code, NUMBA_CACHE_DIR=str(tmp_path)) == said[:1]


@pytest.mark.long
def test_twenty_processes_validate_at_once_on_an_empty_cache(tmp_path: Path) -> None:
    said = at_once(20, LOADS.format("meshguard.validate", ".to_json()"), NUMBA_CACHE_DIR=str(tmp_path))

    assert set(said) == {said[0]} and said[0].startswith("{")


def test_importing_it_is_cheap_on_top_of_numba() -> None:
    """The digest reads a few files; it must not become what start-up waits for."""
    code = "import numba, time; t = time.perf_counter(); import meshguard.kernels._jit; print(time.perf_counter() - t)"
    times: list[Any] = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(5)
    ]

    assert min(times) < 0.05
