"""The row of numbered teeth: its order along the arch, and which way its numbers run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from meshguard import fdi
from meshguard.facts.dental import DentalFacts
from meshguard.facts.mesh import MeshFacts
from meshguard.phantoms import phantom
from meshguard.policy import Policy
from meshguard.report import Severity
from meshguard.validation import validate
from tests.arches import real

if TYPE_CHECKING:
    from pathlib import Path

    from meshguard.mesh import Jaw, Mesh


def facts(mesh: Mesh, **new: int) -> DentalFacts:
    """DentalFacts of the mesh with some teeth renumbered: t37=38."""
    before = mesh.vertex_data["label"].astype(int)
    label = before.copy()
    for code, number in new.items():
        label[before == int(code[1:])] = number
    return DentalFacts(MeshFacts(mesh.without_labels().with_data(vertex={"label": label}), Policy()))


@pytest.mark.parametrize("jaw", ["upper", "lower"])
def test_a_lower_arch_runs_counter_clockwise_an_upper_one_clockwise(jaw: Jaw) -> None:
    found = facts(phantom(jaw=jaw, faces=8000))
    codes = [code for _, code in found.tooth_row]
    order = [code for code in fdi.arch_order(jaw) if fdi.position(code) < 8]
    sides = found.sides

    assert codes == (order if jaw == "lower" else order[::-1])
    assert sides is not None and (sides.steps, sides.reversed, sides.are_swapped) == (13, 0, False)


def test_swapped_sides_and_two_swapped_teeth() -> None:
    arch = phantom(faces=8000)
    mirror = {f"t{code}": fdi.antimere(code) for code in np.unique(arch.vertex_data["label"])[1:].tolist()}
    all_swapped, two = facts(arch, **mirror).sides, facts(arch, t34=35, t35=34).sides

    assert all_swapped is not None and (all_swapped.reversed, all_swapped.are_swapped) == (13, True)
    assert two is not None and (two.reversed, two.are_swapped) == (1, False)


def test_ids_that_are_no_teeth_stand_in_no_row() -> None:
    codes = [code for _, code in facts(phantom(faces=8000), t36=99).tooth_row]

    assert len(codes) == 13 and 99 not in codes


def test_too_few_or_too_straight_a_row_tells_no_sides() -> None:
    assert facts(phantom(faces=8000, teeth=2)).sides is None
    arch = phantom(faces=16_000)
    molars = arch.take(np.isin(arch.vertex_data["label"], (35, 36, 37))[arch.faces].all(axis=1))
    assert facts(molars).sides is None


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        ("037_lower", 526),
        ("037_lower", 702),
        ("037_lower", 2054),
        ("001_lower", 292),
        ("001_lower", 444),
        ("001_lower", 536),
    ],
)
def test_crowns_that_the_scan_cuts_stand_in_no_row(data_root: Path, name: str, seed: int) -> None:
    """Found by cropping real arches by random planes: what is left of a crown has its middle elsewhere."""
    arch = real(data_root, name)
    random = np.random.default_rng(seed)
    middle = arch.vertices[arch.faces].mean(axis=1)
    way = random.normal(size=3)
    along = middle @ (way / np.linalg.norm(way))
    part = arch.take(along > np.quantile(along, random.uniform(0.1, 0.7))).with_jaw(None)

    assert [f.message for f in validate(part).findings if f.check[0] == "D" and f.severity is Severity.ERROR] == []
