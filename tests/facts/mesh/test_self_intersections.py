"""Intersecting pairs: the judge's on real files, those of comparing all with all on soups, in whatever order."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import meshguard
from meshguard.facts.mesh import MeshFacts
from meshguard.facts.mesh.self_intersections import pair_segments
from meshguard.mesh import Mesh
from meshguard.policy import Policy, policy
from meshguard.validation import validate
from tests import mutations, oracles, shapes
from tests.strategies import soups

if TYPE_CHECKING:
    from pathlib import Path


def rows(mesh: Mesh, **options: int) -> list[tuple[int, int, int]]:
    pairs, classes = meshguard.self_intersections(mesh, classes=True, **options)
    return [(int(f), int(g), int(kind)) for (f, g), kind in zip(pairs, classes, strict=True)]


def by_place(mesh: Mesh, found: list[tuple[int, int, int]]) -> set[tuple[frozenset[bytes], int]]:
    """The pairs by the positions of their faces, so that no order enters."""
    keys = [np.sort((mesh.vertices[face] + 0.0).view("V24").ravel()).tobytes() for face in mesh.faces]
    return {(frozenset((keys[f], keys[g])), kind) for f, g, kind in found}


def test_pairs_and_classes_are_the_judges_on_every_real_file(data_root: Path) -> None:
    """The judge numbers the faces that have no non-finite corner, and lists duplicates as class 6.

    Polygons it triangulates in another order, so their triangles are compared by place.
    """
    verdicts = json.loads((data_root / "expected" / "verdicts.json").read_text())
    files = {path.name: path for folder in ("dental", "corpus") for path in (data_root / folder).iterdir()}
    total = 0
    for name, verdict in verdicts.items():
        listed = data_root / "expected" / f"{name}.pairs.npy"
        expected = np.load(listed) if listed.exists() else np.empty((0, 3), np.int32)
        expected = expected[expected[:, 2] != 6]
        mesh = meshguard.load(files[name])
        kept = np.isfinite(mesh.vertices[mesh.faces]).all(axis=(1, 2))
        found = np.array(rows(mesh.take(kept)), np.int32).reshape(-1, 3)
        if mesh.source is not None and mesh.source.face_origin is not None:
            assert np.array_equal(np.sort(found[:, 2]), np.sort(expected[:, 2])), name
        else:
            assert np.array_equal(found, expected), name
        assert verdict["intersecting_pairs"] == len(found), name
        total += len(found)
    assert total > 90_000


@settings(max_examples=60)
@given(soups(most_faces=30))
def test_a_soups_pairs_are_those_of_comparing_all_with_all(mesh: Mesh) -> None:
    assert rows(mesh) == oracles.intersecting_pairs(mesh.vertices, mesh.faces)


@pytest.mark.long
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(50, 500))
def test_so_are_a_large_soups(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    vertices = rng.integers(0, 10, (100, 3)).astype(np.float64)
    mesh = Mesh(vertices=vertices, faces=rng.integers(0, 100, (count, 3)))

    assert rows(mesh) == oracles.intersecting_pairs(mesh.vertices, mesh.faces)


@given(soups(), st.integers(0, 1000))
def test_order_and_welding_do_not_matter(mesh: Mesh, seed: int) -> None:
    expected = by_place(mesh, rows(mesh))

    for other in (shapes.shuffled(mesh, seed), shapes.soup(mesh)):
        assert by_place(other, rows(other)) == expected


@given(soups(), st.permutations(range(3)), st.tuples(*[st.sampled_from([-1.0, 1.0])] * 3), st.integers(-30, 30))
def test_axes_signs_and_powers_of_two_do_not_matter(
    mesh: Mesh, axes: list[int], signs: tuple[float, ...], power: int
) -> None:
    turned = mesh.vertices[:, axes] * signs * 2.0**power

    assert rows(Mesh(vertices=turned, faces=mesh.faces)) == rows(mesh)


def test_a_clean_arch_has_none() -> None:
    for jaw in ("lower", "upper"):
        assert rows(meshguard.phantom(jaw=jaw, faces=40_000)) == []


SCRIPT = """
import hashlib, meshguard
mesh = meshguard.load({path!r})
for most in (None, 1, 100, 5000):
    pairs, classes = meshguard.self_intersections(mesh, classes=True, max_pairs=most)
    print(len(pairs), hashlib.sha256(pairs.tobytes() + classes.tobytes()).hexdigest())
"""


def crossing_needles(count: int, seed: int = 0) -> Mesh:
    """Long thin triangles through a small ball, in random directions."""
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    middle = rng.uniform(-0.1, 0.1, (count, 3))
    across = rng.normal(size=(count, 3)) * 0.5
    corners = np.stack(
        [middle - 30 * directions, middle + 30 * directions + across, middle + 30 * directions - across], axis=1
    )
    return Mesh(vertices=corners.reshape(-1, 3), faces=np.arange(3 * count).reshape(-1, 3))


def test_threads_do_not_matter_nor_do_they_with_a_cap(tmp_path: Path) -> None:
    meshguard.save(crossing_needles(1500), tmp_path / "needles.ply")
    script = SCRIPT.format(path=str(tmp_path / "needles.ply"))
    answers = set()
    for threads in ("1", "2", "5"):
        environment = {**os.environ, "MESHGUARD_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, check=True, text=True
        )
        answers.add(done.stdout)

    assert len(answers) == 1
    counts = [int(line.split()[0]) for line in answers.pop().splitlines()]
    assert counts[0] > 5000
    assert counts[1:] == [1, 100, 5000]


def test_a_capped_search_gives_pairs_that_are_there_and_says_so() -> None:
    mesh = crossing_needles(400)
    everything = rows(mesh)

    some = rows(mesh, max_pairs=50)

    assert len(some) == 50
    assert set(some) <= set(everything)
    report = validate(mesh, policy=Policy(limits={"max_pairs": 50}))
    assert report.stats["intersecting_pairs"] == 50
    assert any("stopped at its cap" in finding.message for finding in report.findings if finding.check == "S102")


def test_a_flat_fan_of_a_hundred_thousand_faces_is_not_compared_all_with_all() -> None:
    """Every box overlaps every other at the hub; one certificate answers for all pairs."""
    n = 100_000
    angles = 2 * np.pi * np.arange(n) / n
    radius = 30 + 3 * np.cos(40 * angles)
    rim = np.stack([radius * np.cos(angles), radius * np.sin(angles), np.sin(7 * angles)], axis=1)
    faces = np.stack([np.zeros(n, int), 1 + np.arange(n), 1 + (np.arange(n) + 1) % n], axis=1)

    assert rows(Mesh(vertices=np.concatenate([[[0, 0, 5.0]], rim]), faces=faces)) == []


def test_where_faces_meet_is_measured() -> None:
    """A face stands upright through another: they share 10 mm of a line, 4 mm deep."""
    vertices = [[0, -30, 0], [60, 0, 0], [0, 30, 0], [20, 0, -4], [30, 0, -4], [25, 0, 36]]
    facts = MeshFacts(Mesh(vertices=np.array(vertices, np.float64), faces=[[0, 1, 2], [3, 4, 5]]), policy("scan"))

    ends, depth = pair_segments(facts, facts.intersections.pairs)

    assert sorted(ends[0].tolist()) == pytest.approx(np.array([[20.5, 0, 0], [29.5, 0, 0]]), abs=1e-9)
    assert depth[0] == pytest.approx(4.0)


def test_pairs_of_closed_bodies_are_an_assembly_and_of_open_ones_are_not() -> None:
    one, other = shapes.cube(), shapes.tetrahedron()
    apart = Mesh(vertices=other.vertices + [35.5, 34.5, 33.25], faces=other.faces)
    opened = Mesh(vertices=apart.vertices, faces=apart.faces[:3])

    both, torn = validate(shapes.joined(one, apart)), validate(shapes.joined(one, opened))

    assert both.stats["between_bodies"] == both.stats["intersecting_pairs"] > 0
    assert torn.stats["between_bodies"] == 0 < torn.stats["intersecting_pairs"]
    assert {"S102", "S107"} & {finding.check for finding in both.findings} == {"S107"}


def test_a_policy_weighs_classes() -> None:
    """Two sheets touch in one point; a class weighs more than its check."""
    mesh = Mesh(
        vertices=np.array([[0, 0, 0], [60, 0, 0], [0, 60, 0], [10, 10, 0], [20, 10, 9], [10, 20, 9]], np.float64),
        faces=[[0, 1, 2], [3, 4, 5]],
    )

    def severities(rules: Policy) -> list[str]:
        return [str(finding.severity) for finding in validate(mesh, policy=rules).findings if finding.check == "S102"]

    assert severities(Policy()) == ["warning"]
    assert severities(Policy.from_dict({"severities": {"S102:touch_point": "info"}})) == ["info"]
    assert severities(Policy.from_dict({"severities": {"S102": "error"}})) == ["error"]
    assert severities(Policy.from_dict({"severities": {"S102": "error", "S102:touch_point": "info"}})) == ["info"]


def test_a_policy_weighs_classes_of_assemblies_too() -> None:
    mesh = mutations.assembly()

    def severities(**changes: str) -> set[str]:
        rules = Policy.from_dict({"severities": changes})
        return {str(found.severity) for found in validate(mesh, policy=rules).findings if found.check == "S107"}

    assert severities() == {"warning"}
    assert severities(**{"S107:crossing": "error", "S107:touch_point": "error"}) == {"error"}


def test_a_cap_counts_pairs_once_where_a_search_around_a_hub_finds_them_too() -> None:
    """Two cones of a hundred faces around one vertex, through each other: the hub has no certificate."""
    angle = 2 * np.pi * np.arange(100) / 100
    cones = []
    for shift in (0.0, 20.0):
        cones.append(np.stack([30 * np.cos(angle) + shift, 30 * np.sin(angle), 30 + 0 * angle], axis=1))
    ring = np.arange(100)
    faces = np.stack([0 * ring, 1 + ring, 1 + np.roll(ring, -1)], axis=1)
    mesh = Mesh(
        vertices=np.concatenate([[[0.0, 0.0, 0.0]], *cones]),
        faces=np.concatenate([faces, faces + [0, 100, 100]]),
    )
    everything = rows(mesh)

    assert everything == oracles.intersecting_pairs(mesh.vertices, mesh.faces)
    for most in range(1, len(everything) + 2):
        assert len(rows(mesh, max_pairs=most)) == min(most, len(everything))


def test_faces_around_a_hub_may_take_more_than_a_quarter_turn() -> None:
    """A hundred faces with one vertex in common and nothing else; many pass the corners of the cube around it."""
    rng = np.random.default_rng(0)
    ends = 1 + np.arange(200).reshape(-1, 2)
    mesh = Mesh(
        vertices=np.concatenate([np.zeros((1, 3)), rng.normal(size=(200, 3))]),
        faces=np.concatenate([np.zeros((100, 1), np.int64), ends], axis=1),
    )

    assert rows(mesh) == oracles.intersecting_pairs(mesh.vertices, mesh.faces)
