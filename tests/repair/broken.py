"""The smallest meshes with one defect that repair mends, and twins that only look like it."""

from __future__ import annotations

import itertools

import numpy as np

from meshguard.mesh import Mesh
from tests import shapes


def moved(mesh: Mesh, *by: float) -> Mesh:
    """The mesh at another place."""
    return Mesh(vertices=mesh.vertices + np.array(by), faces=mesh.faces)


def turned(mesh: Mesh) -> Mesh:
    """The mesh with every face wound the other way."""
    return Mesh(vertices=mesh.vertices, faces=mesh.faces[:, ::-1])


def upright(mesh: Mesh) -> Mesh:
    """The mesh turned about the x axis, so that a sheet stands."""
    x, y, z = mesh.vertices.T
    return Mesh(vertices=np.stack([x, -z, y], axis=1), faces=mesh.faces)


def welded(mesh: Mesh) -> Mesh:
    """The mesh with one vertex for each position."""
    vertices, numbers = np.unique(mesh.vertices, axis=0, return_inverse=True)
    return Mesh(vertices=vertices, faces=numbers.reshape(-1)[mesh.faces])


def cubes_at_an_edge() -> Mesh:
    """Two cubes share an edge, which then has four faces."""
    return welded(shapes.joined(shapes.cube(), moved(shapes.cube(), 60, 60, 0)))


def cubes_at_a_vertex() -> Mesh:
    """Two cubes share a vertex, which then has two fans."""
    return welded(shapes.joined(shapes.cube(), moved(shapes.cube(), 60, 60, 60)))


def cubes_apart() -> Mesh:
    """Two cubes that do not touch."""
    return shapes.joined(shapes.cube(), moved(shapes.cube(), 61, 61, 0))


def book() -> Mesh:
    """Three sheets meet at a row of edges."""
    sheet = shapes.grid(4, 4, bulge=0.0)
    half = sheet.take(sheet.vertices[sheet.faces].mean(axis=1)[:, 1] > 0)
    x, y, _z = half.vertices.T
    leaves = [np.stack([x, c * y, s * y], axis=1) for c, s in ((1.0, 0.0), (-0.5, 0.875), (-0.5, -0.875))]
    return welded(shapes.joined(*(Mesh(vertices=leaf, faces=half.faces) for leaf in leaves)))


def _opened(count: int, *, capped: bool, both: bool = False) -> Mesh:
    """A sheet with an edge split at `count` points on one side (or once on both), faces without area between or not."""
    mesh = shapes.grid(4, 4, bulge=0.0)
    a, b = 12, 18  # the diagonal of a quad in the middle, with a face on each side
    faces = mesh.faces.tolist()
    (below,) = [face for face in faces if _runs(face, a, b)]
    (above,) = [face for face in faces if _runs(face, b, a)]
    start, end = mesh.vertices[a], mesh.vertices[b]
    points = [start + (end - start) * (i + 1) / (count + 1) for i in range(count)]
    n = len(mesh.vertices)
    chain = [a, *range(n, n + count), b]
    tip = next(v for v in below if v not in (a, b))
    faces.remove(below)
    faces += [[u, v, tip] for u, v in itertools.pairwise(chain)]
    if both:
        points.append(start + (end - start) * 0.25)
        tip = next(v for v in above if v not in (a, b))
        faces.remove(above)
        faces += [[b, n + count, tip], [n + count, a, tip], [b, a, n + count]]
    if capped:
        faces += [[chain[i + 1], chain[i], b] for i in range(len(chain) - 2)]
    return Mesh(vertices=np.concatenate([mesh.vertices, points]), faces=faces)


def _runs(face: list[int], a: int, b: int) -> bool:
    """Whether a face runs along an edge from a to b."""
    return any((face[c], face[(c + 1) % 3]) == (a, b) for c in range(3))


def cap() -> Mesh:
    """A face without area in the middle of a sheet."""
    return _opened(1, capped=True)


def chain_of_caps() -> Mesh:
    """Three faces without area on one edge, each on the next."""
    return _opened(3, capped=True)


def caps_back_to_back() -> Mesh:
    """Two faces without area share their longest edge, each with a corner of its own on it."""
    return _opened(1, capped=True, both=True)


def cap_on_the_border() -> Mesh:
    """A face without area on the border of a sheet: two of its edges are open."""
    mesh = shapes.grid(4, 4, bulge=0.0)
    middle = (mesh.vertices[0] + mesh.vertices[1]) / 2
    return Mesh(
        vertices=np.concatenate([mesh.vertices, [middle]]),
        faces=np.concatenate([mesh.faces, [[1, 0, len(mesh.vertices)]]]),
    )


def t_junction() -> Mesh:
    """An edge is split on one side only: a crack without width."""
    return _opened(1, capped=False)


def doubled_quads(columns: int, rows: int, doubled: set[int], *, bulge: float = 0.0, reverse: bool = False) -> Mesh:
    """A sheet of quads, some of them meshed again with the other diagonal; these faces come last."""
    sheet = shapes.grid(columns, rows, bulge=bulge)
    again = []
    for quad in sorted(doubled):
        (a, b, c), (_, _, d) = sheet.faces[2 * quad].tolist(), sheet.faces[2 * quad + 1].tolist()
        again += [[a, b, d], [b, c, d]]
    added = np.array(again)
    return Mesh(vertices=sheet.vertices, faces=np.concatenate([sheet.faces, added[:, ::-1] if reverse else added]))


def duplicates(*, reverse: bool) -> Mesh:
    """A face in the middle of a sheet lies there twice."""
    mesh = shapes.grid(4, 4)
    again = mesh.faces[13:14, ::-1] if reverse else mesh.faces[13:14]
    return Mesh(vertices=mesh.vertices, faces=np.concatenate([mesh.faces, again]))


def cavity() -> Mesh:
    """A cube with a cube-shaped cavity: the inner surface is wound inward, as it must be."""
    return shapes.joined(shapes.cube(), moved(turned(shapes.cube(20.0)), 20, 20, 20))


def piece_beside(size: float) -> Mesh:
    """A sheet of about 2,600 mm2 (limit for debris: about 13 mm2) and a triangle whose legs are this long."""
    triangle = Mesh(vertices=np.array([[0, 0, 20], [size, 0, 20], [0, size, 20.0]]), faces=[[0, 1, 2]])
    return shapes.joined(shapes.grid(), triangle)


def crossing_sheets() -> Mesh:
    """Two sheets cross along a line."""
    return shapes.joined(shapes.grid(9, 7, bulge=0.0), moved(upright(shapes.grid(9, 7, bulge=0.0)), 0.0, 1.0, 3.0))


def fine_sheet() -> Mesh:
    """A sound sheet with edges of about half a millimetre."""
    return shapes.grid(100, 80, width=50.0, bulge=6.0)


def poke() -> Mesh:
    """A vertex of a fine, rough sheet is pulled aside over its neighbours, whose faces its own then cross."""
    mesh = fine_sheet()
    vertices = mesh.vertices.copy()
    vertices[:, 2] += 0.04 * np.random.default_rng(0).standard_normal(len(vertices))
    vertices[40 * 101 + 50] += [1.3, 0.15, 0.0]
    return Mesh(vertices=vertices.astype(np.float32), faces=mesh.faces)


def coincident_sheets() -> Mesh:
    """On a flat sheet lies a smaller one, exactly, with other edges."""
    below = shapes.grid(6, 6, width=60.0, bulge=0.0)
    above = shapes.grid(3, 3, width=25.0, bulge=0.0)
    return shapes.joined(below, above)


def with_hole(mesh: Mesh, *, at: tuple[float, float], radius: float) -> Mesh:
    """The mesh without the faces whose centre is near a place, seen from above."""
    centres = mesh.vertices[mesh.faces].mean(axis=1)[:, :2]
    gone: np.ndarray = np.linalg.norm(centres - np.array(at), axis=1) < radius
    return mesh.take(~gone)


def small_hole() -> Mesh:
    """A fine sheet with a hole of about 1 mm."""
    return with_hole(fine_sheet(), at=(3.0, 2.0), radius=0.35)


def hole_beyond_the_limit() -> Mesh:
    """A fine sheet with a hole of about 6 mm."""
    return with_hole(fine_sheet(), at=(3.0, 2.0), radius=3.0)


def island_in_a_hole() -> Mesh:
    """A fine sheet with a hole of about 1 mm, and a single face in it."""
    sheet = small_hole()
    island = Mesh(vertices=np.array([[2.9, 1.9, 5.9], [3.1, 1.9, 5.9], [3.0, 2.1, 5.9]]), faces=[[0, 1, 2]])
    return shapes.joined(sheet, island)


def overlapping_bodies() -> Mesh:
    """Two cubes reach into each other."""
    return shapes.joined(shapes.cube(30.0), moved(shapes.cube(30.0), 17.0, 13.0, 11.0))


def without_thickness() -> Mesh:
    """A closed body of two flat sheets that lie on one another: it has no inside."""
    sheet = shapes.grid(4, 4, bulge=0.0)
    return welded(shapes.joined(sheet, turned(sheet)))


def shared_wall(count: int = 2) -> Mesh:
    """Cubes in a row, each of which shares the faces of a wall with the next: they run in opposite directions there."""
    return welded(shapes.joined(*(moved(shapes.cube(30.0), 30.0 * number, 0, 0) for number in range(count))))


def inner_wall() -> Mesh:
    """A box of 20 faces with a wall of two faces in it: three faces meet at each edge of the wall."""
    mesh = shared_wall()
    centres = mesh.vertices[mesh.faces].mean(axis=1)
    (wall,) = np.nonzero(centres[:, 0] == 30.0)
    return mesh.take(~np.isin(np.arange(len(mesh.faces)), wall[2:]))


def crossing_scans() -> Mesh:
    """Two sheets of 240 faces each cross along a line."""
    sheet = shapes.grid(12, 10, bulge=0.0)
    return shapes.joined(sheet, moved(upright(sheet), 0.0, 1.0, 3.0))


def tooth_in_scan() -> Mesh:
    """A closed box stands half below a sheet of 240 faces."""
    return shapes.joined(shapes.grid(12, 10, bulge=0.0), moved(shapes.cube(13.0), 1.0, 2.0, -6.0))
