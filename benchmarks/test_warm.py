"""Warm calls: everything compiled, one call after another.

pytest benchmarks/test_warm.py --benchmark-only -n 0
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import meshguard

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture


@pytest.mark.parametrize("suffix", ["stl", "ply"])
def test_load(benchmark: BenchmarkFixture, arch: dict[str, Path], suffix: str) -> None:
    mesh = benchmark(meshguard.load, arch[suffix])

    assert len(mesh.faces) > 10_000


def test_validate_a_mesh(benchmark: BenchmarkFixture, arch: dict[str, Path]) -> None:
    mesh = meshguard.load(arch["stl"])

    report = benchmark(meshguard.validate, mesh)

    assert report.grade == 1


def test_validate_a_file(benchmark: BenchmarkFixture, arch: dict[str, Path]) -> None:
    report = benchmark(meshguard.validate, arch["stl"])

    assert report.grade == 1


def test_self_intersections(benchmark: BenchmarkFixture, arch: dict[str, Path]) -> None:
    mesh = meshguard.load(arch["stl"])

    pairs = benchmark(meshguard.self_intersections, mesh)

    assert len(pairs) == 0


def test_validate_real_scans(benchmark: BenchmarkFixture, scans: list[Path]) -> None:
    reports = benchmark(lambda: [meshguard.validate(path) for path in scans])

    assert len(reports) == len(scans)
