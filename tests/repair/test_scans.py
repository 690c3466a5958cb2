"""Real scans and real broken meshes: clean after a round trip, and hardly anything of a scan touched."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import pytest

import meshguard
from meshguard import repair
from meshguard.errors import RepairRefused
from tests.repair.proof import is_same, proved

if TYPE_CHECKING:
    from pathlib import Path

    from meshguard.mesh import Mesh

CLEAN_ALREADY = ("upper_cast_closed_81k.stl", "lower_crowns_87k.ply")
QUICK = ("lower_decimated_16k.ply", "ios_037_lower_16k.ply", "arch_holes_in_crowns_16k.ply", *CLEAN_ALREADY)
SOLID = {"solid", "solid-with-gaps", "assembly-of-shells"}


def scans(root: Path) -> list[Path]:
    """Every mesh of the folder of dental files."""
    return sorted(path for path in (root / "dental").iterdir() if path.suffix.lower() in {".stl", ".ply"})


def kept(mesh: Mesh, result: meshguard.RepairResult) -> float:
    """The share of the positions of a mesh, as an STL holds them, that its repair still has, bit for bit."""
    before, after = (
        {position.tobytes() for position in vertices.astype(np.float32) + np.float32(0.0)}
        for vertices in (mesh.vertices[np.unique(mesh.faces)], result.mesh.vertices)
    )
    return len(before & after) / len(before)


def prove_scan(path: Path) -> None:
    """A scan comes out clean, and what it is made of is what it was made of."""
    mesh = meshguard.load(path)
    result = repair(mesh)

    proved(result)
    assert kept(mesh, result) >= (0.98 if len(mesh.faces) < 20_000 else 0.995)
    assert result.max_displacement_mm <= 0.02
    assert repair(result.mesh).mesh is result.mesh
    # No tooth is given up: what is dropped is told, piece by piece, and small.
    limit = 0.01 * result.before.stats["area_mm2"]
    assert result.area_removed_mm2 <= limit and result.area_added_mm2 <= limit


@pytest.mark.parametrize("name", QUICK)
def test_some_scans_come_out_clean_and_nearly_untouched(data_root: Path, name: str) -> None:
    prove_scan(data_root / "dental" / name)


@pytest.mark.long
def test_every_scan_comes_out_clean_and_nearly_untouched(data_root: Path) -> None:
    paths = scans(data_root)
    for path in paths:
        prove_scan(path)

    assert len(paths) >= 15


@pytest.mark.parametrize("name", CLEAN_ALREADY)
def test_clean_scans_come_back_bit_for_bit(data_root: Path, name: str) -> None:
    mesh = meshguard.load(data_root / "dental" / name)
    result = repair(mesh)

    assert result.mesh is mesh
    assert is_same(repair(data_root / "dental" / name).mesh, mesh)
    assert not result.changed


def intents(root: Path) -> dict[str, str]:
    """What each file of the corpus is meant to be."""
    with (root / "corpus" / "manifest.csv").open(newline="") as file:
        return {row["file"]: row["intent"] for row in csv.DictReader(file)}


@pytest.mark.long
def test_real_broken_meshes_come_out_clean_or_refused(data_root: Path) -> None:
    names = intents(data_root)
    refused = {}
    for name in names:
        mesh = meshguard.load(data_root / "corpus" / name)
        try:
            result = repair(mesh)
        except RepairRefused as error:
            refused[name] = error.reasons
            continue
        proved(result)

    assert len(names) == 64
    assert len(refused) <= 2, refused


@pytest.mark.long
def test_real_solids_come_out_closed_or_refused_under_print(data_root: Path) -> None:
    names = [name for name, intent in intents(data_root).items() if intent in SOLID]
    refused = {}
    for name in names:
        try:
            result = repair(data_root / "corpus" / name, policy="print")
        except RepairRefused as error:
            refused[name] = error.reasons
            continue
        proved(result, "print")

    assert len(refused) <= 0.15 * len(names), refused
