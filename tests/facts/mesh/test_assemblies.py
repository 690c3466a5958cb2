"""Assemblies: which intersecting pairs are of two objects, by the smallest that are and the nearest that are not."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard.facts.mesh import MeshFacts
from meshguard.facts.mesh.assemblies import BODIES, BODY_AND_SHEET, NONE, SHEETS
from meshguard.mesh import Mesh
from meshguard.policy import Policy, policy
from tests import mutations, shapes
from tests.repair import broken


def kinds(mesh: Mesh, rules: Policy | None = None) -> set[int]:
    """The kinds of all intersecting pairs."""
    facts = MeshFacts(mesh, rules or policy("scan"))
    assert len(facts.assemblies.of_pair) == len(facts.intersections.pairs) > 0
    return set(facts.assemblies.of_pair.tolist())


def scaled(mesh: Mesh, factor: float) -> Mesh:
    return Mesh(vertices=mesh.vertices * factor, faces=mesh.faces)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (broken.overlapping_bodies, BODIES),
        (mutations.assembly, BODIES),
        (broken.tooth_in_scan, BODY_AND_SHEET),
        (broken.crossing_scans, SHEETS),
        (mutations.crossing, NONE),  # a stray face
        (broken.crossing_sheets, NONE),  # two stray patches
        (broken.coincident_sheets, NONE),
        (broken.poke, NONE),
    ],
)
def test_each_kind(make: object, kind: int) -> None:
    assert callable(make)
    assert kinds(make()) == {kind}
    assert kinds(shapes.shuffled(make(), seed=5)) == {kind}


def test_the_objects_are_named_by_their_components() -> None:
    assert MeshFacts(broken.tooth_in_scan(), policy("scan")).assemblies.objects == {(0, 1)}
    assert MeshFacts(broken.overlapping_bodies(), policy("scan")).assemblies.objects == frozenset()
    assert MeshFacts(shapes.cube(), policy("scan")).assemblies.objects == frozenset()


def test_what_could_be_debris_in_millimetres_is_no_object() -> None:
    """The box has 1,014 mm2: scaled by 0.15 it has 22.8 mm2, by 0.14 19.9 mm2."""
    assert kinds(scaled(broken.tooth_in_scan(), 0.15)) == {BODY_AND_SHEET}
    assert kinds(scaled(broken.tooth_in_scan(), 0.14)) == {NONE}
    assert kinds(scaled(broken.overlapping_bodies(), 0.01)) == {BODIES}


def corner_through_sheet(depth: float, *, is_open: bool) -> Mesh:
    """A box of sides of 13 mm whose corner reaches so far through a sheet."""
    box = shapes.cube(13.0)
    for _ in range(3):
        a, b, c = (box.vertices[box.faces[:, corner]] for corner in range(3))
        parts = [(a, a + b, c + a), (a + b, b, b + c), (c + a, b + c, c), (a + b, b + c, c + a)]
        soup = np.concatenate([np.stack([p if p is a or p is b or p is c else p / 2 for p in t], 1) for t in parts])
        box = broken.welded(Mesh(vertices=soup.reshape(-1, 3), faces=np.arange(3 * len(soup)).reshape(-1, 3)))
    corner_down = np.linalg.qr(np.array([[1.0, 1.0, 1.0], [1.0, -1.0, 0.0], [1.0, 1.0, -2.0]]).T)[0]
    vertices = (box.vertices @ corner_down)[:, [1, 2, 0]]
    vertices -= vertices[vertices[:, 2].argmin()]
    box = Mesh(vertices=vertices + [1.0, 2.0, -depth], faces=box.faces)
    if is_open:
        box = box.take(np.arange(len(box.faces)) != box.vertices[box.faces].mean(axis=1)[:, 2].argmax())
    return shapes.joined(shapes.grid(12, 20, bulge=0.0), box)


def test_a_touch_of_two_open_ones_is_no_crossing() -> None:
    """The area of the box is 1,014 mm2: its corner reaches through the sheet by less and less."""
    # At depth d the corner of a cube cuts a triangle with a perimeter of 3 sqrt(6) d: a quarter of the root is at 1.08.
    assert kinds(corner_through_sheet(1.2, is_open=True)) == {SHEETS}
    assert kinds(corner_through_sheet(1.0, is_open=True)) == {NONE}
    assert kinds(corner_through_sheet(1.0, is_open=True), Policy(limits={"crossing_share": 0.2})) == {SHEETS}


@pytest.mark.parametrize("depth", [0.05, 1.0, 6.0])
def test_a_closed_body_crosses_an_open_one_however_little(depth: float) -> None:
    assert kinds(corner_through_sheet(depth, is_open=False)) == {BODY_AND_SHEET}


@pytest.mark.parametrize(("degrees", "kind"), [(20.0, NONE), (40.0, SHEETS), (160.0, SHEETS)])
def test_layers_of_one_surface_are_no_two_objects(degrees: float, kind: int) -> None:
    """A sheet crosses another along its middle, facing the same way or, turned by more than 90 degrees, against it."""
    sheet = shapes.grid(12, 10, bulge=0.0)
    x, y, _ = (sheet.vertices + [0.7, 0.4, 0.0]).T
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turned = Mesh(vertices=np.stack([x, c * y, s * y], axis=1), faces=sheet.faces)

    assert kinds(shapes.joined(sheet, turned)) == {kind}


def test_a_surface_that_is_broken_itself_is_no_object() -> None:
    """Two faces join the crossing sheets to one surface, which cuts through itself in far more than a twentieth."""
    sheets = broken.crossing_scans()
    folded = Mesh(vertices=sheets.vertices, faces=np.concatenate([sheets.faces, [[1, 0, 143], [1, 143, 144]]]))
    box = broken.moved(shapes.cube(13.0), 1.0, 2.0, -6.0)

    assert MeshFacts(folded, policy("scan")).components.n_components == 1
    assert kinds(shapes.joined(folded, box)) == {NONE}


def test_a_surface_with_a_small_defect_is_one() -> None:
    """A vertex of the scan is pulled over its neighbours."""
    assert kinds(shapes.joined(broken.poke(), broken.moved(shapes.cube(13.0), -20.0, -6.0, -6.0))) == {
        NONE,
        BODY_AND_SHEET,
    }


def test_bodies_are_those_of_the_stat() -> None:
    facts = MeshFacts(
        shapes.joined(broken.overlapping_bodies(), broken.moved(broken.tooth_in_scan(), 200, 0, 0)), policy("scan")
    )

    assert facts.is_between_bodies.tolist() == (facts.assemblies.of_pair == BODIES).tolist()
    assert set(facts.assemblies.of_pair.tolist()) == {BODIES, BODY_AND_SHEET}
