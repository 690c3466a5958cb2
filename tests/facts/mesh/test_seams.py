"""Seams: the smallest that are one, and what only looks like it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import Policy, policy
from tests import mutations, shapes

if TYPE_CHECKING:
    from meshguard.facts.mesh.seams import Seams


def found(mesh: Mesh, rules: Policy | None = None) -> Seams:
    return MeshFacts(mesh, rules or policy("scan")).seams


def halves(*by: float, bulge: float = 12.0, columns: int = 8) -> Mesh:
    """A sheet that is cut in two, with its right half moved."""
    mesh = shapes.grid(columns, bulge=bulge)
    left = mesh.vertices[mesh.faces].mean(axis=1)[:, 0] < 0
    right = mesh.take(~left)
    return shapes.joined(mesh.take(left), Mesh(vertices=right.vertices + np.array(by), faces=right.faces))


@pytest.mark.parametrize("width", [0.002, 0.006, 0.05])
def test_a_sheet_cut_in_two_has_one_seam_as_long_as_the_cut(width: float) -> None:
    seams = found(halves(width, 0, 0, bulge=0.0))

    assert seams.length.tolist() == pytest.approx([40.0])
    assert len(seams.halfedges) == 2 * 6
    assert seams.width == pytest.approx(np.full(12, width), rel=1e-9)
    assert not seams.is_slit.any()


def test_a_cut_along_the_diagonals_is_one_seam_too() -> None:
    """Half of its edges run nearly in the direction in which the halves are moved."""
    mesh = shapes.grid(8, 6, bulge=0.0)
    above = np.arange(len(mesh.faces)) % 2 == 0
    rows = mesh.vertices[mesh.faces].mean(axis=1)[:, 1]
    upper = (rows > 0) | (above & (rows > -7))
    part = mesh.take(~upper)
    seams = found(shapes.joined(mesh.take(upper), Mesh(vertices=part.vertices - [0, 0.01, 0], faces=part.faces)))

    assert len(seams.length) == 1


def test_an_edge_that_slid_along_itself_belongs_to_the_seam_and_is_no_crack() -> None:
    """The cut has a step of one edge in the direction in which the right part is moved."""
    mesh = shapes.grid(bulge=0.0)
    x, y, _ = mesh.vertices[mesh.faces].mean(axis=1).T
    left = x < np.where(y < 0, 0.0, 7.5)
    right = mesh.take(~left)
    parts = shapes.joined(mesh.take(left), Mesh(vertices=right.vertices + [0.01, 0, 0], faces=right.faces))
    facts = MeshFacts(parts, policy("scan"))

    assert facts.tjunctions is not None and len(facts.tjunctions.vertex) == 2
    assert facts.cracks is not None and len(facts.cracks.positions) == 0
    assert facts.seams.length.tolist() == pytest.approx([20 + 7.5 + 20])


def test_what_is_closer_is_a_crack_and_what_is_further_apart_a_gap() -> None:
    assert len(found(mutations.crack()).length) == 0
    assert len(found(halves(0.3, 0, 0)).length) == 0


def test_a_short_one_is_a_hole() -> None:
    """Six edges of 0.3 mm each, in all less than the least length."""
    mesh = halves(0.001, 0, 0, bulge=0.0)
    small = Mesh(vertices=mesh.vertices * 0.045, faces=mesh.faces)
    rest = Mesh(vertices=shapes.grid().vertices + [0, 0, 60.0], faces=shapes.grid().faces)

    assert len(found(shapes.joined(small, rest)).length) == 0


def test_a_strip_of_surface_and_two_walls_are_no_seams() -> None:
    """A strip 0.05 mm wide; and two sheets that stand back to back with their rims beside each other."""
    strip = shapes.grid(30, 1, bulge=0.0)
    x, y, z = strip.vertices.T
    narrow = Mesh(vertices=np.stack([x, y * 0.05 / 40, z], axis=1), faces=strip.faces)
    sheet = shapes.grid(bulge=0.0)
    wall = Mesh(vertices=sheet.vertices + [0, 0, 0.05], faces=sheet.faces[:, ::-1])

    assert len(found(narrow).length) == 0
    assert len(found(shapes.joined(sheet, wall)).length) == 0


def test_a_slit_within_one_component_is_a_seam_all_around() -> None:
    """Vertices of a row have twins 0.01 mm beside them, so that its edges open between 2 and 14 of 16."""
    mesh = shapes.grid(16, 6, bulge=0.0)
    row = 3 * 17 + np.arange(3, 14)
    twin = np.full(len(mesh.vertices), -1)
    twin[row] = len(mesh.vertices) + np.arange(len(row))
    above = mesh.vertices[mesh.faces].mean(axis=1)[:, 1] > mesh.vertices[row[0], 1]
    faces = mesh.faces.copy()
    faces[above] = np.where(twin[faces[above]] >= 0, twin[faces[above]], faces[above])
    slit = Mesh(vertices=np.concatenate([mesh.vertices, mesh.vertices[row] + [0, 0.01, 0]]), faces=faces)
    seams = found(slit)

    assert seams.is_slit.tolist().count(True) == 1
    assert len(seams.length) == 1
    assert 60 * 10 / 16 <= seams.length[0] <= 60 * 12 / 16


def test_a_limit_of_nothing_finds_nothing() -> None:
    assert len(found(mutations.seam(), Policy(limits={"seam_width_mm": 0.0})).length) == 0


@pytest.mark.parametrize("count", [3, 4, 7, 20])
def test_a_crack_of_tjunctions_is_no_seam(count: int) -> None:
    """Two strips that lie edge to edge; one has one edge there, the other `count`."""
    one, other = shapes.grid(1, 1, bulge=0.0), shapes.grid(count, 1, bulge=0.0)
    facts = MeshFacts(
        shapes.joined(one, Mesh(vertices=other.vertices + [0.0, 40.0, 0.0], faces=other.faces)), policy("scan")
    )

    assert facts.cracks is not None and facts.cracks.n_tjunctions.tolist() == [count - 1]
    assert not len(facts.seams.length)
