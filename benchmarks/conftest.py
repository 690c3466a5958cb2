"""Phantom arches as files, made once a session; real scans where `MESHGUARD_DATA` names a folder of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import meshguard

SIZES = (16_000, 64_000, 271_000, 1_000_000, 4_000_000)


@pytest.fixture(scope="session", params=SIZES, ids=lambda faces: f"{faces // 1000}k")
def arch(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Paths of one phantom arch as "stl" and "ply"."""
    mesh = meshguard.phantom(faces=request.param)
    folder = tmp_path_factory.mktemp(str(request.param))
    paths = {suffix: folder / f"arch.{suffix}" for suffix in ("stl", "ply")}
    for path in paths.values():
        meshguard.save(mesh, path)
    return paths


@pytest.fixture(scope="session")
def scans() -> list[Path]:
    """Real scans, if there are any."""
    folder = Path(os.environ.get("MESHGUARD_DATA", "")) / "dental"
    found = sorted(path for path in folder.glob("*") if path.suffix in (".stl", ".ply"))
    if not found:
        pytest.skip("MESHGUARD_DATA does not name a folder of real scans")
    return found
