"""Which side of a sheet faces outward, wherever it lies; which sheets are judged, and what decides about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshguard import load, phantom, repair
from meshguard.facts.arrays import frozen
from meshguard.facts.mesh import MeshFacts
from meshguard.facts.mesh.outward_orientation import (
    NEARLY_CLOSED,
    OUTWARD_DECIDES,
    RIDGES_DECIDE,
    BackSheet,
    find_back_sheets,
    outward_score,
)
from meshguard.kernels.outward_orientation import line_hits
from meshguard.mesh import Mesh
from meshguard.policy import Policy, policy
from tests import mutations, shapes
from tests.repair.broken import moved, turned

if TYPE_CHECKING:
    from pathlib import Path


def facts_of(mesh: Mesh) -> MeshFacts:
    return MeshFacts(mesh, policy("scan"))


def turned_by(mesh: Mesh, seed: int, scale: float = 1.0) -> Mesh:
    """The mesh in another size, turned in space."""
    rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    rotation *= np.sign(np.linalg.det(rotation))
    return Mesh(vertices=np.float32(scale * mesh.vertices @ rotation), faces=mesh.faces)


def judged(mesh: Mesh) -> list[str]:
    """What decides about each sheet that shows its back."""
    return [
        "nearly closed" if sheet.is_nearly_closed else "ridged" if sheet.is_ridged else "hollow"
        for sheet in facts_of(mesh).back_sheets
    ]


def palate(depth: float, rugae: float = 0.0, noise: float = 0.0) -> Mesh:
    """A vault seen from below, with folds across its middle, rough as a scanner leaves it."""
    mesh = shapes.grid(60, 60, bulge=0.0)
    u, v = mesh.vertices[:, 0] / 30.0, mesh.vertices[:, 1] / 20.0
    vault = depth * (1 - u**2) * (1 - 0.5 * v**2)
    folds = rugae * np.sin(12 * v + 2 * u) * np.exp(-2 * (u * u + v * v))
    z = vault - folds + np.random.default_rng(0).normal(0.0, noise, len(u))
    return Mesh(vertices=np.float32(np.column_stack([mesh.vertices[:, :2], z])), faces=mesh.faces[:, ::-1])


class TestScore:
    def test_it_tells_front_from_back_wherever_the_sheet_lies(self) -> None:
        mesh = shapes.grid(40, 40)
        for move in ([0, 0, 0], [1000, -500, 2000], [-1e6, 1e6, 0]):
            up = Mesh(vertices=mesh.vertices + move, faces=mesh.faces)
            assert facts_of(up).outward_score(0) > 0.2
            assert facts_of(turned(up)).outward_score(0) < -0.2

    def test_a_closed_body_is_certain(self) -> None:
        assert facts_of(shapes.torus()).outward_score(0) == 1.0
        assert facts_of(mutations.inverted_body()).outward_score(0) == -1.0

    def test_a_plane_has_no_outside(self) -> None:
        assert abs(facts_of(shapes.grid(bulge=0.0)).outward_score(0)) < 0.1

    def test_each_component_has_one_of_its_own(self) -> None:
        facts = facts_of(shapes.joined(shapes.ridges(), moved(turned(shapes.ridges()), 200, 0, 0)))

        assert facts.outward_score(0) > 0.2 > -0.2 > facts.outward_score(1)
        assert [sheet.component for sheet in facts.back_sheets] == [1]

    @pytest.mark.parametrize("axis", range(3))
    def test_a_component_without_width_is_undecided(self, axis: int) -> None:
        mesh = shapes.grid(bulge=0.0)
        facts = facts_of(Mesh(vertices=np.roll(mesh.vertices, axis, axis=1), faces=mesh.faces))

        assert abs(facts.outward_score(0)) < 0.1

    @given(st.integers(0, 2**32 - 1))
    @settings(max_examples=20)
    def test_it_does_not_depend_on_threads(self, seed: int) -> None:
        facts = facts_of(turned_by(turned(shapes.ridges()), seed))
        with pytest.MonkeyPatch.context() as environment:
            found = []
            for threads in ("1", "3"):
                environment.setenv("MESHGUARD_THREADS", threads)
                found.append((outward_score(facts, 0), find_back_sheets(facts, lambda _: -0.5)))

        assert found[0] == found[1]


class TestHits:
    @given(st.integers(0, 2**32 - 1), st.integers(2, 9))
    @settings(max_examples=30)
    def test_they_are_those_of_the_naive_twin(self, seed: int, resolution: int) -> None:
        rng = np.random.default_rng(seed)
        positions, corners = frozen(rng.normal(size=(12, 3))), frozen(rng.integers(0, 12, (10, 3)).astype(np.int32))
        faces = frozen(np.sort(rng.permutation(10)[:7]).astype(np.int32))
        line, depth, up = np.empty(400, np.int32), np.empty(400), np.empty(400, np.bool_)
        count = line_hits(positions, corners, faces, frozen(np.eye(3)), resolution, 10_000, line, depth, up)

        used = positions[corners[faces]].reshape(-1, 3)
        low, high = used.min(axis=0), used.max(axis=0)
        expected = []
        for row in range(resolution):
            for column in range(resolution):
                x, y = low[:2] + (high[:2] - low[:2]) * (np.array([row, column]) + 0.5) / resolution
                for face in faces:
                    a, b, c = positions[corners[face]]
                    edges = np.column_stack([(b - a)[:2], (c - a)[:2]])
                    if abs(np.linalg.det(edges)) < 1e-9:
                        continue
                    to_b, to_c = np.linalg.solve(edges, [x, y] - a[:2])
                    if min(to_b, to_c, 1 - to_b - to_c) >= 0:
                        z = a[2] + to_b * (b - a)[2] + to_c * (c - a)[2]
                        expected.append((resolution * row + column, round(z, 6), np.linalg.det(edges) > 0))

        found = [(int(i), round(float(z), 6), bool(n)) for i, z, n in zip(line, depth, up, strict=True)][:count]
        assert sorted(found) == sorted(expected)

    def test_those_that_find_no_room_are_counted(self) -> None:
        facts = facts_of(shapes.cube())
        empty = np.empty(0, np.int32), np.empty(0), np.empty(0, np.bool_)

        # Each line passes the bottom and the top; the one through the middle passes an edge of each, and so two faces.
        assert line_hits(facts.positions, facts.corners, facts.faces_of(0), frozen(np.eye(3)), 4, 1000, *empty) == 40

    def test_more_work_than_allowed_is_not_done(self) -> None:
        facts = facts_of(shapes.cube())
        empty = np.empty(0, np.int32), np.empty(0), np.empty(0, np.bool_)

        assert line_hits(facts.positions, facts.corners, facts.faces_of(0), frozen(np.eye(3)), 4, 31, *empty) == -1


class TestJudged:
    @pytest.mark.parametrize(
        ("score", "ridges", "expected"),
        [
            (-NEARLY_CLOSED + 0.01, RIDGES_DECIDE - 0.01, (False, False)),
            (-NEARLY_CLOSED + 0.01, RIDGES_DECIDE, (False, True)),
            (-NEARLY_CLOSED, 0.0, (True, False)),
            (-1.0, 1.0, (True, False)),
        ],
    )
    def test_one_thing_decides(self, score: float, ridges: float, expected: tuple[bool, bool]) -> None:
        sheet = BackSheet(0, score, ridges)

        assert (sheet.is_nearly_closed, sheet.is_ridged) == expected

    def test_a_sheet_shows_its_back_beyond_the_lead_that_decides(self) -> None:
        facts = facts_of(shapes.grid())

        assert len(find_back_sheets(facts, lambda _: -OUTWARD_DECIDES - 0.01)) == 1
        assert find_back_sheets(facts, lambda _: -OUTWARD_DECIDES + 0.01) == []

    def test_neither_bodies_nor_debris_nor_what_contradicts_itself(self) -> None:
        asked: list[int] = []

        def score(component: int) -> float:
            asked.append(component)
            return -1.0

        body = moved(shapes.cube(), 100, 100, 100)
        assert len(find_back_sheets(facts_of(shapes.joined(mutations.debris(), body)), score)) == 1
        assert find_back_sheets(facts_of(mutations.flipped_face()), score) == []
        assert set(asked) == {0}

    def test_what_debris_is_says_the_policy(self) -> None:
        facts = MeshFacts(mutations.debris(), Policy(limits={"floating_area_mm2": 0.0}))

        assert [sheet.component for sheet in find_back_sheets(facts, lambda _: -1.0)] == [0, 1]


class TestShapes:
    @pytest.mark.parametrize("seed", range(4))
    @pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
    def test_an_arch_that_shows_its_back_is_told_in_any_position_and_size(self, seed: int, scale: float) -> None:
        arch = turned_by(phantom(faces=3000, seed=seed), seed, scale)

        assert judged(arch) == []
        assert judged(turned(arch)) == ["ridged"]

    @pytest.mark.parametrize("depth", [8.0, 15.0, 25.0])
    @pytest.mark.parametrize("rough", [(0.0, 0.0), (1.0, 0.0), (0.0, 0.1)])
    def test_a_palate_is_never_decided(self, depth: float, rough: tuple[float, float]) -> None:
        for seed in range(3):
            assert set(judged(turned_by(palate(depth, *rough), seed))) <= {"hollow"}

    @pytest.mark.parametrize(("open_deg", "is_decided"), [(15.0, True), (30.0, True), (60.0, False), (90.0, False)])
    def test_a_ball_is_decided_where_its_opening_is_small(self, open_deg: float, is_decided: bool) -> None:
        assert judged(turned(shapes.ball(open_deg=open_deg))) == ["nearly closed" if is_decided else "hollow"]
        assert judged(shapes.ball(open_deg=open_deg)) == []


def test_every_real_arch_that_shows_its_back_is_told(data_root: Path) -> None:
    for name in ("ios_037_lower_16k.ply", "ios_001_upper_16k.ply", "lower_crowns_87k.ply"):
        mesh = turned_by(load(data_root / "dental" / name), 5)

        assert judged(mesh) == []
        assert judged(turned(mesh))[:1] == ["ridged"]


def test_the_palate_of_the_field_is_not_turned_over(data_root: Path) -> None:
    """Not inside out, or undecided; never turned over as lossless."""
    path = data_root / "field" / "64_palate.stl"
    if not path.is_file():
        pytest.skip("the shared data hold no field/64_palate.stl")
    mesh = load(path)

    for other in (mesh, turned_by(mesh, 1), turned_by(mesh, 2, 0.5)):
        assert set(judged(other)) <= {"hollow"}
    assert repair(mesh).mesh is mesh
