"""Closed bodies within one another: what is inverted, what is a cavity, and what cannot be decided."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshguard import load, repair, validate
from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import policy
from meshguard.report import Safety, Severity
from meshguard.watch import watched
from tests import mutations, shapes
from tests.repair.broken import moved, turned

if TYPE_CHECKING:
    from pathlib import Path


def nesting_of(*bodies: Mesh) -> tuple[list[int], ...]:
    return tuple(MeshFacts(shapes.joined(*bodies), policy("scan")).nesting)


def cube(size: float, *, inward: bool = False) -> Mesh:
    """A cube about the origin."""
    body = moved(shapes.cube(size), -size / 2, -size / 2, -size / 2)
    return turned(body) if inward else body


class TestOneBody:
    def test_it_is_inverted_when_its_volume_is_negative(self) -> None:
        assert nesting_of(cube(10)) == ([], [], [])
        assert nesting_of(cube(10, inward=True)) == ([0], [], [])

    def test_sheets_have_no_part_in_it(self) -> None:
        assert nesting_of(shapes.grid(), moved(turned(shapes.grid()), 0, 0, 5)) == ([], [], [])


class TestTwoBodies:
    @pytest.mark.parametrize(
        ("outer", "inner", "expected"),
        [
            (False, True, ([], [], [])),  # a cavity
            (False, False, ([], [], [1])),
            (True, False, ([0, 1], [1], [])),  # the whole hollow body
            (True, True, ([0], [], [])),  # once the outer one is flipped, the inner one is a cavity
        ],
    )
    def test_they_are_judged_together(self, outer: bool, inner: bool, expected: tuple[list[int], ...]) -> None:
        assert nesting_of(cube(10, inward=outer), cube(4, inward=inner)) == expected

    def test_one_in_the_box_of_another_but_outside_of_it_is_judged_alone(self) -> None:
        """The box of a ring holds what is in its hole."""
        ring = shapes.torus()
        middle = ring.vertices.mean(axis=0)
        within = Mesh(vertices=0.05 * shapes.cube().vertices - 1.5 + middle, faces=shapes.cube().faces)

        assert nesting_of(ring, turned(within)) == ([1], [], [])
        assert nesting_of(ring, within) == ([], [], [])

    def test_two_that_reach_into_each_other_lie_beside_one_another(self) -> None:
        """All corners of the bar lie within the frame's box, and one end within its wall."""
        ring = shapes.torus()
        inner = Mesh(vertices=ring.vertices * [0.9, 0.9, 0.9], faces=ring.faces)

        assert len(MeshFacts(shapes.joined(ring, inner), policy("scan")).intersections.pairs)
        assert nesting_of(ring, turned(inner)) == ([1], [], [])

    def test_a_cavity_that_touches_the_wall_stays_a_cavity(self) -> None:
        """Its first probe, the least vertex, lies on a face of the body around it: a cube turned by 45 degrees."""
        x, y, z = cube(16).vertices.T
        outer = Mesh(vertices=np.column_stack([(x - y) / 2, (x + y) / 2, z]), faces=shapes.cube().faces)
        corners = np.array([[-4.0, -4.0, 0.5], [-1.0, -2.0, -1.0], [-2.0, -1.0, 0.0], [-2.0, -2.0, 1.0]])
        wall = Mesh(vertices=corners, faces=[[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]])
        assert MeshFacts(wall, policy("scan")).components.volume[0] > 0

        assert nesting_of(outer, turned(wall)) == ([], [], [])
        assert nesting_of(outer, wall) == ([], [], [1])


class TestNests:
    def test_a_body_in_a_cavity_looks_outward(self) -> None:
        assert nesting_of(cube(10), cube(6, inward=True), cube(2)) == ([], [], [])
        assert nesting_of(cube(10), cube(6, inward=True), cube(2, inward=True)) == ([2], [], [])

    def test_a_nest_is_inverted_as_a_whole(self) -> None:
        assert nesting_of(cube(10, inward=True), cube(6), cube(2, inward=True)) == ([0, 1, 2], [1], [])

    def test_where_bodies_contradict_one_another_only_what_is_certain_is_inverted(self) -> None:
        left, right = moved(cube(2), -3, 0, 0), moved(cube(2, inward=True), 3, 0, 0)

        assert nesting_of(cube(10, inward=True), left, right) == ([0], [], [1])

    @given(st.permutations(range(4)), st.lists(st.booleans(), min_size=4, max_size=4), st.integers(0, 2**32 - 1))
    @settings(max_examples=40)
    def test_flipped_so_no_point_has_a_negative_winding_number(
        self, order: list[int], inward: list[bool], seed: int
    ) -> None:
        """Whatever the order and position of four cubes, two in a third in a fourth; a second look finds nothing."""
        rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
        cubes = [cube(20), cube(12), moved(cube(3), -3, 0, 0), moved(cube(3), 3, 0, 0)]
        holders = [(), (0,), (0, 1), (0, 1)]
        bodies = [Mesh(vertices=cubes[i].vertices @ rotation, faces=cubes[i].faces) for i in order]
        if np.linalg.det(rotation) < 0:
            bodies = [turned(body) for body in bodies]
        bodies = [turned(body) if flip else body for body, flip in zip(bodies, inward, strict=True)]
        inverted, cavities, _ = nesting_of(*bodies)
        sign = {i: -1 if inward[place] != (place in inverted) else 1 for place, i in enumerate(order)}

        assert set(cavities) <= set(inverted)
        for i, around in enumerate(holders):
            assert sum(sign[j] for j in (i, *around)) >= 0
        flipped = [turned(body) if place in inverted else body for place, body in enumerate(bodies)]
        assert nesting_of(*flipped)[0] == []

    def test_many_bodies_are_told_without_comparing_all_pairs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        bubbles = [moved(cube(0.5, inward=True), x, y, z) for x, y, z in product((-3, -1, 1, 3), repeat=3)]
        few = nesting_of(cube(10), *bubbles[1:], turned(bubbles[0]))
        monkeypatch.setattr("meshguard.facts.mesh.nesting._ALL_PAIRS", 0)

        assert few == nesting_of(cube(10), *bubbles[1:], turned(bubbles[0])) == ([], [], [64])


class TestTold:
    def test_under_print_a_body_in_another_is_a_warning(self) -> None:
        mesh = mutations.nested_body()
        for name, severity in (("scan", Severity.INFO), ("print", Severity.WARNING)):
            (finding,) = (finding for finding in validate(mesh, policy=name).findings if finding.check == "G107")
            assert (finding.severity, finding.fixable) == (severity, None)
            assert "lies wholly within another" in finding.message

    def test_each_shell_of_a_hollow_body_is_a_finding(self) -> None:
        mesh = turned(shapes.joined(cube(60), cube(20, inward=True)))
        found = [finding for finding in validate(mesh).findings if finding.check == "G107"]

        assert {finding.fixable for finding in found} == {Safety.LOSSLESS}
        assert sorted(finding.message.split(",")[0].split(" of 12")[0] for finding in found) == [
            "A closed body",
            "The wall of a cavity",
        ]


class TestField:
    def test_an_inner_shell_that_looks_outward_is_at_least_a_warning(self, data_root: Path) -> None:
        path = _field(data_root, "25_nested_outward.stl")

        assert "G107" in {
            finding.check for finding in validate(path, policy="print").findings if finding.severity >= Severity.WARNING
        }

    def test_both_shells_of_a_hollow_body_are_turned(self, data_root: Path) -> None:
        mesh = repair(load(_field(data_root, "25b_cavity_inverted.stl"))).mesh
        volumes = MeshFacts(mesh, policy("scan")).components.volume

        assert volumes.round().tolist() == [112124, -33222]


def _field(data_root: Path, name: str) -> Path:
    path = data_root / "field" / name
    if not path.is_file():
        pytest.skip(f"the shared data hold no field/{name}")
    return path


def test_it_looks_up_at_each_body() -> None:
    looks: list[None] = []
    with watched(lambda: looks.append(None)):
        assert nesting_of(*(cube(size) for size in range(1, 31))) == ([], [], list(range(29)))
    assert len(looks) > 60
