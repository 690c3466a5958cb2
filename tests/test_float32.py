"""How finely float32 says where something is: its step at any distance, and what it holds as it is."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard.facts.mesh import MeshFacts
from meshguard.float32 import are_float32, float32_step, rounded
from meshguard.mesh import Mesh
from meshguard.policy import Policy, policy
from tests import shapes


@pytest.mark.parametrize(
    ("distance", "step"),
    [
        # 24 bits: from 2**e on numbers are 2**(e - 23) apart.
        (1.0, 2.0**-23),
        (8191.9, 2.0**-11),
        (8192.0, 2.0**-10),
        (16384.0, 2.0**-9),
        (5e6, 0.5),
        (1e39, np.inf),
    ],
)
def test_the_step_doubles_at_each_power_of_two(distance: float, step: float) -> None:
    assert float32_step(distance) == step


def test_rounded_points_are_what_float32_holds() -> None:
    points = np.array([[0.1, 1 / 3, 1e-50]])

    assert rounded(points).dtype == np.float64
    assert np.array_equal(rounded(points), rounded(rounded(points)))
    assert np.array_equal(rounded(points).astype(np.float32), points.astype(np.float32))


@pytest.mark.parametrize(
    ("points", "held"),
    [
        ([[0.5, -0.0, 2.0**100]], True),
        ([[np.nan, np.inf, 0.5]], True),
        ([[0.1, 0.0, 0.0]], False),
        ([[1e40, 0.0, 0.0]], False),
        ([[1e-50, 0.0, 0.0]], False),
        (np.empty((0, 3)), True),
    ],
)
def test_what_float32_holds_as_it_is(points: object, held: bool) -> None:
    assert are_float32(np.asarray(points, np.float64)) == held


def facts(mesh: Mesh, rules: Policy | str = "scan") -> MeshFacts:
    return MeshFacts(mesh, policy(rules))


def test_the_distance_is_the_coordinate_of_a_face_farthest_from_zero() -> None:
    cube = shapes.cube(2.0)
    stray = np.concatenate([cube.vertices - [300.0, 10.0, 0.0], [[9e9, 0, 0]]])

    assert facts(Mesh(vertices=stray, faces=cube.faces)).distance == 300.0
    assert facts(Mesh(vertices=[], faces=[])).distance == 0.0


def test_a_limit_is_bounded_by_the_size_from_above_and_below() -> None:
    """1 µm for an arch, less for a crown; where the size alone takes more, that is allowed everywhere."""
    arch, crown, house = (facts(shapes.cube(size)) for size in (100.0, 1.0, 20_000.0))

    assert arch.float32_tolerance("rounding_mm") == 1e-3
    assert crown.float32_tolerance("rounding_mm") == pytest.approx(1e-5 * 3**0.5)
    assert house.float32_tolerance("rounding_mm") == 4 * float32_step(20_000.0 * 3**0.5)
    strict = facts(shapes.cube(100.0), Policy(limits={"rounding_mm": 0.0}))
    assert strict.float32_tolerance("rounding_mm") == 4 * float32_step(100.0 * 3**0.5)
