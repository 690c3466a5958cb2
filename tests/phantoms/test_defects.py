"""Each defect is what its truth says: seen by counting, then by the check that must find it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meshguard.checks import CATALOGUE
from meshguard.phantoms import DEFECTS, Truth, mutate, phantom
from meshguard.validation import validate
from tests import oracles, shapes

if TYPE_CHECKING:
    from meshguard.mesh import Mesh

# Without labels: what a defect does to those is told by tests of the checks of teeth.
ARCH = phantom(faces=12_000).without_labels()
UPPER = phantom(jaw="upper", faces=8_000, seed=2).without_labels()
BASES = {"arch": ARCH, "upper": UPPER, "sheet": shapes.grid(60, 40)}
REPEATABLE = [name for name in DEFECTS if name not in ("inside_out", "wrong_unit")]


def found(mesh: Mesh, truth: Truth) -> bool:
    """Whether the check that must find a defect finds exactly its elements, in one finding or several."""
    found = [finding for finding in validate(mesh).findings if finding.check == truth.check]
    if truth.element in ("component", "file"):
        return bool(found)
    here = [finding.indices for finding in found if np.isin(finding.indices, truth.indices).any()]
    return bool(here) and np.array_equal(np.unique(np.concatenate(here)), truth.indices)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_found_and_nothing_else(name: str, base: str) -> None:
    mesh, (truth,) = mutate(BASES[base], name, seed=4)

    fired = {finding.check for finding in validate(mesh).findings}

    assert found(mesh, truth)
    assert fired <= {truth.check, *truth.also}


RARE = {"tunnel": {"G105"}}
"""What a defect may cause, and most do not."""


@cache
def labelled(seed: int) -> Mesh:
    """A labelled arch, made once for all defects."""
    return phantom(jaw="lower" if seed % 2 else "upper", faces=8_000, seed=seed)


@pytest.mark.parametrize("name", DEFECTS)
def test_truths_say_all_that_a_defect_causes_and_nothing_else(name: str) -> None:
    """On labelled arches too, whose labels a defect leaves as they are: of several, each says what any of them does."""
    fired: set[str] = set()
    said: set[str] = set()
    for seed in range(4):
        mesh, (truth,) = mutate(labelled(seed), name, seed=seed)
        found = {finding.check for finding in validate(mesh).findings}
        assert found <= {truth.check, *truth.also}
        fired, said = fired | found, said | {truth.check, *truth.also}

    assert said - fired <= RARE.get(name, set())


@settings(max_examples=30)
@given(st.lists(st.sampled_from(REPEATABLE), min_size=1, max_size=6), st.integers(0, 2**32))
@example(["tunnel"], 3480)  # the first vertex drawn has a valence that hardly another has
def test_several_defects_keep_all_truths_right(names: list[str], seed: int) -> None:
    mesh, truths = mutate(ARCH, *names, seed=seed)
    findings = validate(mesh).findings

    assert [truth.check for truth in truths] == [mutate(ARCH, name)[1][0].check for name in names]
    for truth in truths:
        numbers = [finding.indices for finding in findings if finding.check == truth.check]
        if truth.check == "S105" and any(finding.check == "T101" for finding in findings):
            continue  # a piece with a non-manifold edge has no genus
        assert numbers, truth
        if truth.check != "S105":
            assert np.isin(truth.indices, np.concatenate(numbers)).all(), truth


def test_the_whole_mesh_turned_and_scaled_keeps_truths_right() -> None:
    mesh, truths = mutate(ARCH, "wrong_unit", "hole", "inside_out", seed=1)
    unit, hole, turned = truths

    assert found(mesh, unit)
    assert sorted(oracles_loop(mesh)) == hole.indices.tolist()
    assert len(turned.indices) >= len(mesh.faces) - 1
    assert hole.location is not None
    assert np.abs(mesh.vertices - hole.location).sum(axis=1).min() < 1e-5


def oracles_loop(mesh: Mesh) -> set[int]:
    """Vertices of the boundary edges that hang together with the fewest others."""
    surface = oracles.Surface(mesh.vertices, mesh.faces)
    groups = oracles.groups(
        {v: [] for edge in surface.boundary for v in edge}, [sorted(edge) for edge in surface.boundary]
    )
    return min(groups, key=len)


def test_attributes_are_carried_and_the_input_is_untouched() -> None:
    arch = phantom(faces=12_000)
    before = arch.digest()
    mesh, _ = mutate(arch, *REPEATABLE, seed=9)

    assert arch.digest() == before
    assert len(mesh.vertex_data["label"]) == len(mesh.vertices)
    assert len(mesh.face_data["label"]) == len(mesh.faces)
    assert mesh.jaw == "lower"
    finite = np.isfinite(mesh.vertices)
    assert (mesh.vertices[finite] == mesh.vertices[finite].astype(np.float32)).all()


def test_the_same_seed_gives_the_same_bytes() -> None:
    one, other = (mutate(ARCH, "hole", "crack", "fold", seed=3)[0].digest() for _ in range(2))

    assert one == other


def test_a_holes_diameter_is_its_largest_chord() -> None:
    mesh, (truth,) = mutate(ARCH, "hole", seed=6)

    assert truth.measures["diameter_mm"] == pytest.approx(oracles.diameter(mesh.vertices[truth.indices]))
    assert 0.5 < truth.measures["diameter_mm"] < 4.0


def test_a_face_without_area_is_collinear_exactly() -> None:
    mesh, (truth,) = mutate(ARCH, "zero_area_face", seed=6)

    assert oracles.is_collinear(*mesh.vertices[mesh.faces[truth.indices[0]]])


def test_every_check_of_a_mesh_has_a_defect() -> None:
    """But for the checks of files, those that another defect shows, and those that need a second surface or place.

    The smallest meshes of these are among the mutations.
    """
    made = {mutate(ARCH, name)[1][0].check for name in DEFECTS}
    checks = {check.id for check in CATALOGUE if check.id[0] not in "FD"}

    assert checks - made <= {"G108", "G109", "S102", "S106", "S107", "T109", "T110"}


def test_unknown_names_and_meshes_without_room_are_refused() -> None:
    with pytest.raises(ValueError, match="no defect 'hol'"):
        mutate(ARCH, "hol")
    with pytest.raises(ValueError, match="no interior vertex"):
        mutate(shapes.triangle(), "hole")
