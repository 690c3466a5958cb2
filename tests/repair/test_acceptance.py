"""When a mesh is clean: each kind of fault is named and counted, and what is none is not."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import Policy, policy
from meshguard.repair.acceptance import allows_solid, violating_pairs, violations, violations_as_stl
from meshguard.report import Safety
from tests import mutations, oracles, shapes
from tests.repair import broken


def found(mesh: Mesh, rules: str = "scan") -> dict[str, int]:
    return violations(MeshFacts(mesh, policy(rules)))


@pytest.mark.parametrize(
    ("mesh", "kind", "count"),
    [
        (mutations.nonfinite(), "faces with a non-finite corner", 3),
        (broken.cap(), "faces without area", 1),
        (broken.duplicates(reverse=False), "duplicate faces", 1),
        (mutations.fin(), "non-manifold edges", 1),
        (broken.cubes_at_a_vertex(), "non-manifold vertices", 1),
        (mutations.flipped_face(), "edges oriented inconsistently", 3),
        (broken.turned(shapes.cube()), "inverted closed components", 1),
        (mutations.crossing(), "intersecting pairs of faces", len(oracles.intersecting_pairs(
            mutations.crossing().vertices, mutations.crossing().faces))),
        (Mesh(vertices=[], faces=[]), "meshes without a face", 1),
    ],
)  # fmt: skip
def test_each_fault_is_named_and_counted(mesh: Mesh, kind: str, count: int) -> None:
    assert found(mesh)[kind] == count


@pytest.mark.parametrize("make", [shapes.grid, shapes.cube, shapes.torus, broken.cavity, broken.hole_beyond_the_limit])
def test_a_sound_mesh_has_none(make: object) -> None:
    assert callable(make)
    assert found(make()) == {}


def test_a_border_is_a_fault_only_where_a_solid_is_wanted() -> None:
    assert found(shapes.grid()) == {}
    assert found(shapes.grid(), "print") == {"boundary edges": 28}


def test_bodies_that_reach_into_each_other_are_one_only_where_a_solid_is_wanted() -> None:
    mesh = broken.overlapping_bodies()
    pairs = oracles.intersecting_pairs(mesh.vertices, mesh.faces)

    assert found(mesh) == {}
    assert found(mesh, "print") == {"intersecting pairs of faces": len(pairs)}
    assert violating_pairs(MeshFacts(mesh, policy("print"))).tolist() == [[f, g] for f, g, _ in pairs]


def test_a_solid_is_wanted_where_the_rim_is_closed_and_surface_may_be_invented() -> None:
    assert allows_solid(policy("print"))
    assert not allows_solid(policy("scan"))
    assert not allows_solid(Policy(rim="closed", max_safety=Safety.LOCAL))
    assert not allows_solid(Policy(rim="one", max_safety=Safety.INVENTIVE))


def as_stl(mesh: Mesh) -> tuple[str, ...]:
    return violations_as_stl(MeshFacts(mesh, policy("scan")))


class TestAsStl:
    def test_what_float32_holds_as_it_is_was_proved_already(self) -> None:
        assert as_stl(shapes.grid()) == ()
        assert as_stl(mutations.fin()) == ()

    def test_what_rounding_leaves_sound_is_sound(self) -> None:
        mesh = shapes.grid()

        assert as_stl(Mesh(vertices=mesh.vertices + 1e-9, faces=mesh.faces)) == ()

    def test_a_face_that_rounding_makes_flat_is_told(self) -> None:
        """The corner of a cap is lifted off its edge by less than float32 resolves there."""
        flat = broken.cap()
        vertices = flat.vertices.copy()
        vertices[25, :2] += [1e-9, -1e-9]
        lifted = Mesh(vertices=vertices, faces=flat.faces)
        expected = found(flat)

        assert expected and found(lifted) != expected
        assert [text.split(" once ")[0] for text in as_stl(lifted)] == [
            f"{count} {kind}" for kind, count in expected.items()
        ]

    def test_what_float32_cannot_hold_is_told(self) -> None:
        huge = Mesh(vertices=shapes.cube().vertices * 1e40, faces=shapes.cube().faces)

        assert len(as_stl(huge)) == 1

    def test_what_rounding_would_move_too_far_is_told_with_what_to_do(self) -> None:
        """At 100 m the numbers of an STL are 0.0078 mm apart: the corner between two is moved by half of that."""
        far = Mesh(
            vertices=shapes.grid().vertices.astype(np.float32) + [1e5 + 2.0**-8, 0.0, 0.0], faces=shapes.grid().faces
        )
        (text,) = as_stl(far)

        assert text.startswith("an STL would move vertices by up to 0.00391 mm, more than the limit of ")
        assert "100,030 mm from the origin: save it as PLY, or have it moved to the origin (--recentre)" in text
