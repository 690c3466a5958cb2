"""Polygons of every format that has them are cut inside: solids with concave sides, of known area, any way they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pytest

from meshguard.io import load
from meshguard.io.losses import lost_on_saving
from meshguard.validation import validate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from meshguard.mesh import Irregularity, Mesh

Solid: TypeAlias = tuple[list[list[float]], list[list[int]]]
"""Vertices, and faces as lists of vertices."""

OUTLINES: dict[str, list[tuple[float, float]]] = {
    "C": [(30, 10), (10, 10), (10, 20), (30, 20), (30, 30), (0, 30), (0, 0), (30, 0)],
    "L": [(0, 0), (40, 0), (40, 10), (10, 10), (10, 40), (0, 40)],
    "arrow": [(0, 0), (30, 20), (0, 40), (10, 20)],
    "comb": [(0, 0), (70, 0), *[(70 - 10 * k, 30 - 20 * (k % 2)) for k in range(8)]],
}


def prism(name: str, axis: int, height: float = 5.0) -> Solid:
    """The solid between two copies of an outline; its axis is x, y or z."""
    outline = OUTLINES[name]
    n = len(outline)
    points = [[x, y, z] for z in (0.0, height) for x, y in outline]
    sides = [[k, (k + 1) % n, (k + 1) % n + n, k + n] for k in range(n)]
    turned = np.roll(np.array(points, np.float64), axis - 2, axis=1)
    return turned.tolist(), [list(range(n))[::-1], list(range(n, 2 * n)), *sides]


def area(name: str, height: float = 5.0) -> float:
    """The surface of such a solid: both outlines by the shoelace formula, and a rectangle for each side."""
    x, y = np.array(OUTLINES[name]).T
    to_x, to_y = np.roll(x, -1), np.roll(y, -1)
    return float(abs((x * to_y - to_x * y).sum()) + height * np.hypot(to_x - x, to_y - y).sum())


def as_obj(solid: Solid) -> bytes:
    lines = ["v {} {} {}".format(*point) for point in solid[0]]
    lines += [" ".join(["f", *(str(corner + 1) for corner in face)]) for face in solid[1]]
    return ("# a solid\n" + "\n".join(lines) + "\n").encode()


def as_off(solid: Solid) -> bytes:
    lines = ["{} {} {}".format(*point) for point in solid[0]]
    lines += [" ".join(map(str, [len(face), *face])) for face in solid[1]]
    return (f"OFF\n{len(solid[0])} {len(solid[1])} 0\n" + "\n".join(lines) + "\n").encode()


def as_ply(solid: Solid) -> bytes:
    header = f"ply\nformat ascii 1.0\nelement vertex {len(solid[0])}\n"
    header += "property float x\nproperty float y\nproperty float z\n"
    header += f"element face {len(solid[1])}\nproperty list uchar int vertex_indices\nend_header\n"
    return header.encode() + as_off(solid).split(b" 0\n", 1)[1]


def as_stl(solid: Solid) -> bytes:
    """Text, in which facets may have any number of vertices."""
    facets = ""
    for face in solid[1]:
        corners = "".join("vertex {} {} {}\n".format(*solid[0][corner]) for corner in face)
        facets += f"facet normal 0 0 0\nouter loop\n{corners}endloop\nendfacet\n"
    return f"solid\n{facets}endsolid\n".encode()


WRITERS: dict[str, Callable[[Solid], bytes]] = {"obj": as_obj, "off": as_off, "ply": as_ply, "stl": as_stl}


def read(kind: str, solid: Solid, tmp_path: Path) -> Mesh:
    """The mesh of a file; an OBJ is only known by its name."""
    path = tmp_path / f"solid.{kind}"
    path.write_bytes(WRITERS[kind](solid))
    return load(path)


def polygons(mesh: Mesh) -> list[Irregularity]:
    assert mesh.source is not None
    return [note for note in mesh.source.irregularities if note.check == "F107"]


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("name", OUTLINES)
@pytest.mark.parametrize("kind", WRITERS)
def test_a_concave_solid_is_closed_and_has_its_area(tmp_path: Path, kind: str, name: str, axis: int) -> None:
    solid = prism(name, axis)
    mesh = read(kind, solid, tmp_path)
    stats = validate(mesh).stats

    assert stats["faces"] == sum(len(face) - 2 for face in solid[1])
    assert stats["area_mm2"] == pytest.approx(area(name), rel=1e-6)
    assert [stats[key] for key in ("boundary_edges", "nonmanifold_edges", "intersecting_pairs")] == [0, 0, 0]
    (note,) = polygons(mesh)
    assert dict(note.measures) == {"polygons": len(solid[1]), "largest": len(OUTLINES[name])}
    assert lost_on_saving(mesh, "ply") == ()


@pytest.mark.parametrize("kind", WRITERS)
def test_all_formats_cut_alike(tmp_path: Path, kind: str) -> None:
    solid = prism("comb", 1)
    mesh, other = read(kind, solid, tmp_path), read("ply", solid, tmp_path)

    assert np.array_equal(mesh.vertices[mesh.faces], other.vertices[other.faces])
    if kind != "stl":
        assert mesh.source is not None and other.source is not None
        assert np.array_equal(np.asarray(mesh.source.face_origin), np.asarray(other.source.face_origin))


@pytest.mark.parametrize("kind", WRITERS)
def test_polygons_without_a_right_triangulation_are_told(tmp_path: Path, kind: str) -> None:
    points: list[list[float]] = [[0, 0, 0], [9, 0, 0], [9, 9, 0], [0, 9, 0], [0, 9, 4], [4, 0, 0]]
    mesh = read(kind, (points, [[0, 1, 2], [0, 1, 2, 3], [0, 1, 2, 4], [0, 2, 1, 3], [0, 1, 5, 0]]), tmp_path)

    first, *others = polygons(mesh)
    assert first.measures["polygons"] == 4
    assert [dict(note.measures) for note in others] == [{"non_planar": 1}, {"self_touching": 1}, {"without_area": 1}]


def test_text_facets_of_three_and_more_vertices_stay_in_order() -> None:
    solid = prism("arrow", 2)
    triangle = ([*solid[0], [90.0, 0, 0], [99.0, 0, 0], [90.0, 9, 0]], [[8, 9, 10]])
    faces = [triangle[1][0], solid[1][1], triangle[1][0], *solid[1]]
    mesh = load(as_stl((triangle[0], faces)))
    own = mesh.vertices[mesh.faces]

    assert np.array_equal(own[0], triangle[0][8:]) and np.array_equal(own[3], triangle[0][8:])
    assert len(own) == 2 + 2 + sum(len(face) - 2 for face in solid[1])
    assert np.array_equal(own[1:3], own[6:8])
