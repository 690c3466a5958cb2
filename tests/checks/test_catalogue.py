"""Every check fires on its smallest defect, with no other beside it, and on no valid mesh."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from meshguard.checks import CATALOGUE, Check
from meshguard.mesh import Mesh
from meshguard.report import Finding, Status
from meshguard.validation import validate
from tests import shapes
from tests.mutations import MUTATIONS

VALID = {
    "sheet": shapes.grid(),
    "fine sheet": shapes.grid(60, 40),
    "sheet far away": Mesh(vertices=shapes.grid().vertices + 8e3, faces=shapes.grid().faces),
    "tetrahedron": shapes.tetrahedron(),
    "cube": shapes.cube(),
    "triangle": shapes.triangle(),
    "soup": shapes.soup(shapes.cube()),
}


@pytest.mark.parametrize("name", VALID)
def test_a_valid_mesh_has_no_finding(name: str) -> None:
    report = validate(VALID[name])

    assert [finding.message for finding in report.findings] == []
    assert (report.ok, report.grade) == (True, 1)


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_defect_fires_exactly_its_checks(name: str) -> None:
    mutation = MUTATIONS[name]

    report = validate(mutation.make())

    assert Counter(finding.check for finding in report.findings) == mutation.fires
    assert {check for check, outcome in report.outcomes.items() if outcome.status is Status.FAILED} == set(
        mutation.fires
    )


def test_every_check_but_those_of_files_fires_somewhere_here() -> None:
    fired = {check for mutation in MUTATIONS.values() for check in mutation.fires}

    # Those of labels have their own, on arches: tests/checks/test_label*.py and test_tooth*.py.
    assert {check.id for check in CATALOGUE if check.id[0] not in "FD" or check.id == "F110"} == fired


def fingerprints(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return sorted((finding.check, finding.fingerprint) for finding in findings)


@pytest.mark.parametrize("name", [name for name in MUTATIONS if name != "no_faces"])
def test_fingerprints_and_places_survive_reordering(name: str) -> None:
    mesh = MUTATIONS[name].make()
    other = shapes.shuffled(mesh, seed=3)

    first, second = validate(mesh), validate(other)

    assert fingerprints(first.findings) == fingerprints(second.findings)
    places = [sorted(str(finding.location) for finding in report.findings) for report in (first, second)]
    assert places[0] == places[1]


def test_fingerprints_of_different_defects_differ() -> None:
    mesh = shapes.joined(
        *(Mesh(vertices=shapes.triangle(1.0).vertices + [9 * i, 0, 0], faces=[[0, 1, 2]]) for i in range(50))
    )

    found = validate(mesh).findings

    assert len(found) >= 49
    assert len({finding.fingerprint for finding in found}) == len(found)


ON_SURFACE = ["fin", "flipped_face", "large_hole", "debris", "needle", "collinear", "crack", "fold", "duplicate_face"]


@pytest.mark.parametrize("name", ON_SURFACE)
def test_a_finding_stands_on_its_defect(name: str) -> None:
    """The place is the centre of one of the elements that the finding lists."""
    mesh = MUTATIONS[name].make()
    for finding in validate(mesh).findings:
        assert finding.location is not None
        if finding.element == "edge":
            h = finding.indices
            ends = np.stack([mesh.faces.reshape(-1)[h], mesh.faces[h // 3, (h % 3 + 1) % 3]], axis=1)
            centres = mesh.vertices[ends].mean(axis=1)
        elif finding.element == "face":
            centres = mesh.vertices[mesh.faces[finding.indices]].mean(axis=1)
        else:
            centres = mesh.vertices[finding.indices]
        assert np.abs(centres - finding.location).sum(axis=1).min() < 1e-12


@pytest.mark.parametrize("check", CATALOGUE, ids=lambda check: check.id)
def test_a_check_explains_itself(check: Check) -> None:
    assert len(check.title) <= 50
    assert len(check.explanation) > 80
    assert check.family
