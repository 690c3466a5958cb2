"""Cold starts: a new process each time, with a full and with an empty cache of compiled kernels.

pytest benchmarks/test_cold.py --benchmark-only -n 0
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import meshguard

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

STATEMENTS = {
    "interpreter": "pass",
    "numpy": "import numpy",
    "import meshguard on top of numpy": "import numpy, meshguard",
    "numpy, scipy, numba": "import numpy, scipy, numba",
}


def run(*arguments: str, **environment: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env={**os.environ, **environment})


@pytest.mark.parametrize("name", STATEMENTS)
def test_import(benchmark: BenchmarkFixture, name: str) -> None:
    benchmark.pedantic(run, ("-c", STATEMENTS[name]), rounds=7, warmup_rounds=1)


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("scan") / "arch.stl"
    meshguard.save(meshguard.phantom(faces=271_000), path)
    return str(path)


def test_command_with_a_full_cache(benchmark: BenchmarkFixture, scan: str) -> None:
    benchmark.pedantic(run, ("-m", "meshguard.cli", "validate", scan), rounds=5, warmup_rounds=1)


def test_command_with_an_empty_cache(benchmark: BenchmarkFixture, scan: str, tmp_path: Path) -> None:
    folders = iter(range(100))

    def cold() -> None:
        run("-m", "meshguard.cli", "validate", scan, NUMBA_CACHE_DIR=str(tmp_path / str(next(folders))))

    benchmark.pedantic(cold, rounds=2)
