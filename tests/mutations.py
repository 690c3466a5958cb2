"""Named defects on small meshes, each with exactly the checks that must fire and no other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from meshguard.mesh import Mesh
from tests import shapes

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Mutation:
    """A defect: how to make it, the checks that must fire, and how many findings each."""

    make: Callable[[], Mesh]
    fires: dict[str, int]


def _edited(mesh: Mesh, *, vertices: object = None, faces: object = None) -> Mesh:
    return Mesh(
        vertices=mesh.vertices if vertices is None else np.asarray(vertices),
        faces=mesh.faces if faces is None else np.asarray(faces),
    )


def _more(mesh: Mesh, points: list[list[float]], faces: list[list[int]]) -> Mesh:
    """The mesh with points and faces added; negative corners count from the first added point (-1)."""
    n = len(mesh.vertices)
    added = [[n - 1 - corner if corner < 0 else corner for corner in face] for face in faces]
    return _edited(
        mesh,
        vertices=np.concatenate([mesh.vertices, np.asarray(points, np.float64).reshape(-1, 3)]),
        faces=np.concatenate([mesh.faces, np.asarray(added, np.int32).reshape(-1, 3)]),
    )


def fin() -> Mesh:
    """A third face on an interior edge of the sheet."""
    mesh = shapes.grid()
    a, _, c = mesh.faces[40]
    return _more(mesh, [[0.0, 0.0, 30.0]], [[int(a), int(c), -1]])


def bow_tie() -> Mesh:
    """Two tetrahedra touch at one vertex."""
    tetrahedron = shapes.tetrahedron(30.0)
    mirrored = _edited(tetrahedron, vertices=-tetrahedron.vertices, faces=tetrahedron.faces[:, ::-1])
    return shapes.joined(tetrahedron, mirrored)


def flipped_face() -> Mesh:
    """One interior face is flipped."""
    mesh = shapes.grid()
    faces = mesh.faces.copy()
    faces[40] = faces[40, ::-1]
    return _edited(mesh, faces=faces)


def duplicate_face() -> Mesh:
    """A face of a body is there three times: its edges then have four faces each, and are non-manifold."""
    mesh = shapes.tetrahedron()
    return _edited(mesh, faces=np.concatenate([mesh.faces, mesh.faces[:1], mesh.faces[:1, ::-1]]))


def doubled_triangle() -> Mesh:
    """One face and its reverse: closed, without volume."""
    mesh = shapes.triangle()
    return _edited(mesh, faces=[[0, 1, 2], [0, 2, 1]])


def repeated_corner() -> Mesh:
    """A face on two vertices."""
    mesh = shapes.grid()
    return _edited(mesh, faces=np.concatenate([mesh.faces, [[30, 30, 31]]]))


def repeated_position() -> Mesh:
    """A face on three vertices, two of which share one position."""
    mesh = shapes.grid()
    return _more(mesh, [mesh.vertices[30].tolist()], [[30, -1, 31]])


def unreferenced() -> Mesh:
    """A vertex without a face."""
    return _more(shapes.grid(), [[0.0, 0.0, 5.0]], [])


def crack() -> Mesh:
    """Two halves of a sheet, 1e-4 mm apart where they should meet."""
    mesh = shapes.grid()
    is_left = mesh.vertices[mesh.faces].mean(axis=1)[:, 0] < 0
    left, right = mesh.take(is_left), mesh.take(~is_left)
    moved = right.vertices.copy()
    moved[moved[:, 0] == 0.0, 0] += 1e-4
    return shapes.joined(left, _edited(right, vertices=moved))


def nonfinite() -> Mesh:
    """A rim vertex of the sheet is NaN: its faces are left out and the rim stays one loop."""
    mesh = shapes.grid()
    vertices = mesh.vertices.copy()
    vertices[4] = np.nan
    return _edited(mesh, vertices=vertices)


def collinear() -> Mesh:
    """An edge is split on one side only, and a face without area closes the gap.

    The two faces beyond the split then touch the one that was not split along half an edge each, with one vertex in
    common: contact along an edge.
    """
    mesh = shapes.cube()
    # The diagonal 0-3 of the bottom is split at its middle on one side.
    faces = [face for face in mesh.faces.tolist() if face != [0, 3, 1]]
    return _more(_edited(mesh, faces=faces), [[30.0, 30.0, 0.0]], [[0, -1, 1], [-1, 3, 1], [0, 3, -1]])


def needle() -> Mesh:
    """A face of the cube is split very near a corner of it."""
    return _split_near_corner(0.5)


def short_edge() -> Mesh:
    """The same, nearer than any scanner resolves."""
    return _split_near_corner(0.0002)


def _split_near_corner(length: float) -> Mesh:
    """The cube with edge 0-1 (60 mm) split `length` from its start, in both faces."""
    mesh = shapes.cube()
    faces = [face for face in mesh.faces.tolist() if face not in ([0, 3, 1], [0, 1, 5])]
    return _more(_edited(mesh, faces=faces), [[length, 0.0, 0.0]], [[0, 3, -1], [-1, 3, 1], [0, -1, 5], [-1, 1, 5]])


def fold() -> Mesh:
    """The middle vertex of a sheet is pulled down past its neighbours' plane, so that faces fold over."""
    mesh = shapes.grid(2, 2, bulge=0.0)
    vertices = mesh.vertices.copy()
    vertices[4] = [42.0, 0.0, 0.5]
    return _edited(mesh, vertices=vertices)


def centimetres() -> Mesh:
    """A sheet whose size makes sense in centimetres."""
    mesh = shapes.grid()
    return _edited(mesh, vertices=mesh.vertices / 10)


def gigantic() -> Mesh:
    """A sheet whose size makes sense in no unit."""
    mesh = shapes.grid()
    return _edited(mesh, vertices=mesh.vertices * 5)


def inverted_body() -> Mesh:
    """A closed body whose faces look inward."""
    mesh = shapes.cube()
    return _edited(mesh, faces=mesh.faces[:, ::-1])


def inverted_sheet_far_away() -> Mesh:
    """An open sheet with two ridges that shows its back, far from the origin."""
    mesh = shapes.ridges()
    return _edited(mesh, vertices=np.float32(mesh.vertices + 1000.0), faces=mesh.faces[:, ::-1])


def hollow_sheet() -> Mesh:
    """An open sheet without ridges that shows its back, as a palate does."""
    mesh = shapes.grid()
    return _edited(mesh, faces=mesh.faces[:, ::-1])


def nested_body() -> Mesh:
    """A body within a cube that looks outward too."""
    inner = shapes.tetrahedron(20.0)
    return shapes.joined(shapes.cube(), _edited(inner, vertices=inner.vertices + 15.0))


def small_hole() -> Mesh:
    """An interior face of a fine sheet is missing: under 2 mm across, but for the fraction of the mesh."""
    mesh = shapes.grid(100, 100, width=120.0)
    return _edited(_edited(mesh, vertices=mesh.vertices / 1.5), faces=np.delete(mesh.faces, 10100, axis=0))


def large_hole() -> Mesh:
    """An interior face of a coarse sheet is missing."""
    mesh = shapes.grid()
    return _edited(mesh, faces=np.delete(mesh.faces, 40, axis=0))


def hole_in_body() -> Mesh:
    """A lone small loop in a closed body is a hole, not a rim."""
    mesh = shapes.torus(40, 30)
    return _edited(mesh, faces=mesh.faces[1:])


def debris() -> Mesh:
    """A lone triangle beside the sheet."""
    mesh = shapes.triangle(1.0)
    return shapes.joined(shapes.grid(), _edited(mesh, vertices=mesh.vertices + [0, 0, 20.0]))


def two_sheets() -> Mesh:
    """A second sheet as large as the first: reported, but not a defect."""
    mesh = shapes.grid()
    return shapes.joined(mesh, _edited(mesh, vertices=mesh.vertices + [0, 0, 30.0]))


def crossing() -> Mesh:
    """A lone face stands upright through a sheet."""
    face = Mesh(vertices=np.array([[2.0, 1, 0], [9, 1, 0], [5, 1, 25]]), faces=[[0, 1, 2]])
    return shapes.joined(shapes.grid(), face)


def assembly() -> Mesh:
    """Two closed bodies reach into each other."""
    cube, tetrahedron = shapes.cube(), shapes.tetrahedron()
    return shapes.joined(cube, _edited(tetrahedron, vertices=tetrahedron.vertices + [35.5, 34.5, 33.25]))


def shared_wall() -> Mesh:
    """Two closed bodies touch in the same two faces, which run in opposite directions."""
    cube = shapes.cube(30.0)
    return shapes.joined(cube, _edited(cube, vertices=cube.vertices + [30.0, 0, 0]))


def tooth_in_scan() -> Mesh:
    """A closed body and a sheet of 240 faces pass through each other."""
    cube = shapes.cube(13.0)
    return shapes.joined(shapes.grid(12, 10, bulge=0.0), _edited(cube, vertices=cube.vertices + [1.0, 2.0, -6.0]))


def t_junction() -> Mesh:
    """An interior edge of a flat sheet has a vertex in its middle, on one side only."""
    mesh = shapes.grid(bulge=0.0)
    faces = mesh.faces.tolist()
    a, b, c = faces.pop(40)
    middle = (mesh.vertices[a] + mesh.vertices[b]) / 2
    return _more(_edited(mesh, faces=faces), [middle.tolist()], [[a, -1, c], [-1, b, c]])


def seam() -> Mesh:
    """A sheet is cut in two, and one half moved away by 0.02 mm."""
    mesh = shapes.grid()
    left = mesh.vertices[mesh.faces].mean(axis=1)[:, 0] < 0
    right = mesh.take(~left)
    return shapes.joined(mesh.take(left), _edited(right, vertices=right.vertices + [0.02, 0, 0]))


def second_layer() -> Mesh:
    """The middle of a sheet lies there again, 0.05 mm higher."""
    mesh = shapes.grid()
    middle = mesh.take(np.abs(mesh.vertices[mesh.faces].mean(axis=1)[:, :2]).max(axis=1) < 12)
    return shapes.joined(mesh, _edited(middle, vertices=middle.vertices + [0, 0, 0.05]))


def outside_exact() -> Mesh:
    """A coordinate too small for the exact predicates."""
    mesh = shapes.grid()
    vertices = mesh.vertices.copy()
    vertices[31, 2] = 1e-80
    return _edited(mesh, vertices=vertices)


def far_away() -> Mesh:
    """A sheet 20 m from the origin, where float32 has steps of 0.002 mm."""
    mesh = shapes.grid()
    return _edited(mesh, vertices=(mesh.vertices + [20_000.0, 0.0, 0.0]).astype(np.float32))


MUTATIONS = {
    "fin": Mutation(fin, {"T101": 1, "S101": 1}),
    "bow_tie": Mutation(bow_tie, {"T102": 1, "S103": 1}),
    "flipped_face": Mutation(flipped_face, {"T103": 1}),
    "duplicate_face": Mutation(duplicate_face, {"T101": 1, "T104": 1}),
    "doubled_triangle": Mutation(doubled_triangle, {"T104": 1}),
    "repeated_corner": Mutation(repeated_corner, {"T105": 1}),
    "repeated_position": Mutation(repeated_position, {"T105": 1}),
    "unreferenced": Mutation(unreferenced, {"T106": 1}),
    "crack": Mutation(crack, {"T107": 1, "S103": 1}),
    "t_junction": Mutation(t_junction, {"T107": 1}),
    "seam": Mutation(seam, {"T110": 1, "S103": 1}),
    "second_layer": Mutation(second_layer, {"S106": 1, "S103": 1}),
    "moebius": Mutation(shapes.moebius, {"T103": 1, "T108": 1}),
    "nonfinite": Mutation(nonfinite, {"G101": 1}),
    "collinear": Mutation(collinear, {"G102": 1, "S102": 1}),
    "needle": Mutation(needle, {"G103": 1}),
    "short_edge": Mutation(short_edge, {"G103": 1, "G104": 1}),
    "fold": Mutation(fold, {"G105": 1}),
    "centimetres": Mutation(centimetres, {"G106": 1}),
    "gigantic": Mutation(gigantic, {"G106": 1}),
    "inverted_body": Mutation(inverted_body, {"G107": 1}),
    "inverted_sheet_far_away": Mutation(inverted_sheet_far_away, {"G107": 1}),
    "hollow_sheet": Mutation(hollow_sheet, {"G107": 1}),
    "nested_body": Mutation(nested_body, {"G107": 1, "S103": 1}),
    "small_hole": Mutation(small_hole, {"S101": 1}),
    "large_hole": Mutation(large_hole, {"S101": 1}),
    "hole_in_body": Mutation(hole_in_body, {"S101": 1, "S105": 1}),
    "crossing": Mutation(crossing, {"S102": 1, "S103": 1}),
    "assembly": Mutation(assembly, {"S103": 1, "S107": 1}),
    "shared_wall": Mutation(shared_wall, {"T101": 1, "T109": 1}),
    "tooth_in_scan": Mutation(tooth_in_scan, {"S103": 1, "S107": 1}),
    "debris": Mutation(debris, {"S103": 1}),
    "two_sheets": Mutation(two_sheets, {"S103": 1}),
    "torus": Mutation(shapes.torus, {"S105": 1}),
    "outside_exact": Mutation(outside_exact, {"G108": 1}),
    "far_away": Mutation(far_away, {"G109": 1}),
    "no_faces": Mutation(lambda: Mesh(vertices=np.eye(3), faces=np.empty((0, 3), np.int32)), {"F110": 1, "T106": 1}),
}
