"""Defects put into a mesh on purpose, each with the truth about it: which check must find it, which elements, where.

Every function edits any mesh with enough intact surface and returns a `Truth` in the numbers of the edit. `mutate` puts
in several, and returns a new mesh and all truths in its numbers. Attributes are carried along; new elements take those
of their surroundings.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from meshguard.mesh import IntArray, Mesh, frozen_array
from meshguard.phantoms.edit import MARGIN_MM, TRIES, Edit, Numbers, Points
from meshguard.phantoms.handles import ends_of_handle, handle


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """What was done to a mesh.

    Attributes:
        check: id of the check that must find it.
        element: what `indices` refer to: vertex, edge (lowest half-edge 3*face + corner), face, loop (its vertices),
            component (its lowest face) or file.
        indices: int32 (k,), sorted, in the mesh that came with it.
        location: x, y, z in mm of a point on it, or None for the whole mesh.
        also: other checks that find something there too, or may, as a consequence.
        measures: name -> number, unit in the name.
    """

    check: str
    element: str
    indices: IntArray = field(default_factory=lambda: frozen_array(np.empty(0, np.int32)))
    location: tuple[float, float, float] | None = None
    also: tuple[str, ...] = ()
    measures: Mapping[str, float] = field(default_factory=dict)


Injector: TypeAlias = Callable[[Edit], Truth]


def _truth(check: str, element: str, indices: list[int], place: Points, **rest: object) -> Truth:
    """A truth in the numbers of an edit."""
    x, y, z = (float(value) for value in place)
    numbers = np.array(sorted(indices), np.int32)
    return Truth(check=check, element=element, indices=numbers, location=(x, y, z), **rest)  # type: ignore[arg-type]


def _best_site(edit: Edit, clearance: Callable[[int], float]) -> int:
    """The first site with a clearance of 0 mm or more, of some tries; else the one that has most."""
    best, most = -1, -np.inf
    for _ in range(TRIES):
        v = edit.site(MARGIN_MM)
        found = clearance(v)
        if found > most:
            best, most = v, found
        if most >= 0.0:
            break
    return best


def _above(edit: Edit, v: int, height_mm: float) -> Points:
    """A place above the surface at a vertex."""
    place: Points = edit.points[v] + height_mm * edit.normal(edit.faces_at(v))
    return place


def _free_site(edit: Edit, height_mm: float, radius_mm: float) -> int:
    """A site above which nothing else is within a radius around a place."""
    return _best_site(edit, lambda v: edit.distance(_above(edit, v, height_mm)) - radius_mm)


def nonmanifold_edge(edit: Edit) -> Truth:
    """A triangular fin stands on an edge."""

    def fin(v: int) -> tuple[int, Points, Points]:
        """The other end of the edge, its middle, and the vector from there to the tip."""
        u = edit.ring(v)[0]
        height = min(1.0, float(np.linalg.norm(edit.points[u] - edit.points[v])))
        return u, (edit.points[u] + edit.points[v]) / 2, height * edit.normal(edit.faces_at(v))

    def clearance(v: int) -> float:
        """How far the neighbours stay below a third of the fin, mm."""
        u, middle, rise = fin(v)
        height = float(np.linalg.norm(rise))
        around = edit.points[[*edit.ring(v), *edit.ring(u)]] - middle
        return height / 3 - float((around @ rise).max()) / height

    v = _best_site(edit, clearance)
    u, middle, rise = fin(v)
    faces = edit.faces_at(v)
    (tip,) = edit.add_vertices(middle + rise, v)
    edit.add_faces([u, v, tip], faces[0])
    edit.touch([u, v])
    return _truth("T101", "edge", [edit.half_edge(u, v)], middle, also=("S101",))


def bowtie_vertex(edit: Edit) -> Truth:
    """A small tetrahedron touches the surface with one corner."""
    v = edit.site(MARGIN_MM)
    faces = edit.faces_at(v)
    up = edit.normal(faces)
    side = np.cross(up, [1.0, 0.0, 0.0] if abs(up[0]) < 0.6 else [0.0, 1.0, 0.0])
    side /= np.linalg.norm(side)
    across = np.cross(up, side)
    corners = [
        edit.points[v] + 0.8 * up + 0.4 * (np.cos(turn) * side + np.sin(turn) * across)
        for turn in (0.0, 2 * np.pi / 3, 4 * np.pi / 3)
    ]
    a, b, c = edit.add_vertices(np.array(corners), v)
    edit.add_faces([[a, b, c], [v, b, a], [v, c, b], [v, a, c]], faces[0])
    edit.touch([v])
    return _truth("T102", "vertex", [v], edit.points[v], also=("S103",), measures={"fans": 2})


def flipped_patch(edit: Edit) -> Truth:
    """The faces around a vertex are flipped."""
    v = edit.site(MARGIN_MM)
    ring, faces = edit.ring(v), edit.faces_at(v)
    edit.faces[faces] = edit.faces[faces][:, [0, 2, 1]]
    edges = [edit.half_edge(a, b) for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)]
    edit.touch([v, *ring])
    middle = (edit.points[ring[0]] + edit.points[ring[1]]) / 2
    return _truth("T103", "edge", edges, middle, measures={"faces": len(faces)})


def duplicate_face(edit: Edit) -> Truth:
    """A face occurs twice."""
    v = edit.site(MARGIN_MM)
    f = edit.faces_at(v)[0]
    (copy,) = edit.add_faces(edit.faces[f], f)
    edit.touch(edit.faces[f].tolist())
    return _truth("T104", "face", [f, copy], edit.points[edit.faces[f]].mean(axis=0), also=("T101",))


def repeated_corner(edit: Edit) -> Truth:
    """A face names one vertex twice."""
    v = edit.site(MARGIN_MM)
    u = edit.ring(v)[0]
    (face,) = edit.add_faces([v, v, u], edit.faces_at(v)[0])
    edit.touch([v, u])
    return _truth("T105", "face", [face], (2 * edit.points[v] + edit.points[u]) / 3)


def unreferenced_vertex(edit: Edit) -> Truth:
    """A vertex that no face uses floats above the surface."""
    v = edit.site(MARGIN_MM)
    (new,) = edit.add_vertices(edit.points[v] + edit.normal(edit.faces_at(v)), v)
    return _truth("T106", "vertex", [new], edit.points[new])


def crack(edit: Edit) -> Truth:
    """The surface is slit along two edges, and one lip is 1e-4 mm above the other."""
    v = edit.site(MARGIN_MM)
    ring, faces = edit.ring(v), edit.faces_at(v)
    (lip,) = edit.add_vertices(edit.points[v] + 1e-4 * edit.normal(faces), v)
    for f in faces:
        end = int(edit.faces[f, (int(np.flatnonzero(edit.faces[f] == v)[0]) + 2) % 3])
        if 1 <= ring.index(end) <= len(ring) // 2:
            edit.faces[f] = np.where(edit.faces[f] == v, lip, edit.faces[f])
    edit.touch([v, lip])
    gap = float(np.linalg.norm(edit.points[lip] - edit.points[v]))
    return _truth("T107", "vertex", [v, lip], edit.points[v], measures={"gap_mm": gap})


def moebius_strip(edit: Edit) -> Truth:
    """A small strip with one side floats above the surface."""
    v = _free_site(edit, 6.0, 3.5)
    faces = edit.faces_at(v)
    centre, count, points = _above(edit, v, 6.0), 12, []
    for i in range(count):
        turn, half = 2 * np.pi * i / count, np.pi * i / count
        for side in (-0.4, 0.4):
            ring = 2.0 + side * np.cos(half)
            points.append(centre + [ring * np.cos(turn), ring * np.sin(turn), side * np.sin(half)])
    numbers = edit.add_vertices(np.array(points), v)
    strip = []
    for i in range(count):
        a, b = numbers[2 * i], numbers[2 * i + 1]
        c, d = (numbers[2 * i + 2], numbers[2 * i + 3]) if i < count - 1 else (numbers[1], numbers[0])
        strip += [[a, c, b], [b, c, d]]
    made = edit.add_faces(strip, faces[0])
    place = edit.points[edit.faces[made[0]]].mean(axis=0)
    return _truth("T108", "face", made, place, also=("T103", "S103"))


def nonfinite_vertex(edit: Edit) -> Truth:
    """A coordinate of a vertex is NaN."""
    v = edit.site(MARGIN_MM)
    ring = edit.ring(v)
    edit.touch([v, *ring])
    edit.points[v, edit.rng.integers(3)] = np.nan
    near = edit.points[ring].mean(axis=0)
    return replace(_truth("G101", "vertex", [v], near, also=("S101",)), location=None)


def zero_area_face(edit: Edit) -> Truth:
    """An edge is split in one of its faces only, and a face of exactly zero area closes the gap."""
    for _ in range(200):
        v = edit.site(MARGIN_MM)
        for u in edit.ring(v):
            middle = (edit.points[u] + edit.points[v]) / 2
            exact = (middle == middle.astype(np.float32)).all() if edit.narrow else True
            if exact and (middle * 2 == edit.points[u] + edit.points[v]).all():
                (m,) = edit.add_vertices(middle, v)
                face, a, b, tip = _face_with(edit, v, u)
                edit.faces[face] = [a, m, tip]
                flat = edit.add_faces([[m, b, tip], [a, b, m]], face)[1]
                edit.touch([a, b, m])
                return _truth("G102", "face", [flat], edit.points[[a, b, m]].mean(axis=0), also=("S102",))
    raise ValueError("no edge found whose middle is exactly representable")


def _face_with(edit: Edit, v: int, u: int) -> tuple[int, int, int, int]:
    """The lowest face at an edge, and its corners in an order in which the edge runs from the first to the second."""
    face = edit.half_edge(v, u) // 3
    a, b, c = (int(corner) for corner in edit.faces[face])
    for first, second, tip in ((a, b, c), (b, c, a), (c, a, b)):
        if {first, second} == {v, u}:
            return face, first, second, tip
    raise AssertionError("a half-edge belongs to its face")


def _split_near(edit: Edit, distance: float) -> tuple[int, list[int]]:
    """Split an edge `distance` mm from one end, in both of its faces; the new vertex and the two thin faces."""
    v = edit.site(MARGIN_MM)
    ring = edit.ring(v)
    u = max(ring, key=lambda end: float(np.linalg.norm(edit.points[end] - edit.points[v])))
    along = edit.points[u] - edit.points[v]
    (m,) = edit.add_vertices(edit.points[v] + along * distance / np.linalg.norm(along), v)
    thin = []
    for f in [f for f in edit.faces_at(v) if u in edit.faces[f]]:
        corners = edit.faces[f].copy()
        edit.faces[f] = np.where(corners == v, m, corners)
        thin += edit.add_faces(np.where(corners == u, m, corners), f)
    edit.touch([v, u, m])
    return m, thin


def needle(edit: Edit) -> Truth:
    """Two faces have an edge of 0.003 mm."""
    _, thin = _split_near(edit, 0.003)
    return _truth("G103", "face", thin, edit.points[edit.faces[thin[0]]].mean(axis=0))


def short_edge(edit: Edit) -> Truth:
    """An edge is 0.0003 mm long."""
    m, thin = _split_near(edit, 0.0003)
    corners = [int(w) for w in edit.faces[thin[0]] if w != m]
    end = min(corners, key=lambda w: float(np.linalg.norm(edit.points[w] - edit.points[m])))
    return _truth("G104", "edge", [edit.half_edge(m, end)], edit.points[m], also=("G103",))


def fold(edit: Edit) -> Truth:
    """A vertex is pulled across the far edge of one of its faces, so that this face lies back on its neighbour."""
    for _ in range(200):
        v = edit.site(MARGIN_MM)
        ring, faces = edit.ring(v), edit.faces_at(v)
        a, b = ring[0], ring[1]
        before, up, middle = edit.points[v].copy(), edit.normal(faces), (edit.points[a] + edit.points[b]) / 2
        reach = middle - before
        edit.move(v, middle + 0.4 * reach + 0.02 * np.linalg.norm(reach) * up)
        spokes = [(v, w) for w in ring]
        folded = [edge for edge in [*spokes, *zip(ring, [*ring[1:], ring[0]], strict=True)] if _is_folded(edit, *edge)]
        if folded:
            edit.touch([v, *ring])
            edges = [edit.half_edge(*edge) for edge in folded]
            return _truth("G105", "edge", edges, middle, also=("S102",))
        edit.move(v, before)  # where the surface bends, the face does not lie flat enough
    raise ValueError("no place found that is flat enough for a fold")


def _is_folded(edit: Edit, a: int, b: int) -> bool:
    """Whether the normals of the two faces at an edge differ by more than 170 degrees."""
    first, second = sorted(set(edit.faces_at(a)) & set(edit.faces_at(b)))
    return bool(edit.normal([first]) @ edit.normal([second]) < np.cos(np.radians(170.0)))


def hole(edit: Edit, *, diameter_mm: float = 1.5) -> Truth:
    """Faces around a vertex are missing; at least those that touch it."""
    v = edit.site(MARGIN_MM + diameter_mm)
    removed = set(edit.faces_at(v))
    centres = edit.points[edit.faces].mean(axis=1)
    with np.errstate(invalid="ignore"):
        is_inside = (np.linalg.norm(centres - edit.points[v], axis=1) <= diameter_mm / 2) & ~edit.removed
    is_growing = True
    while is_growing:
        is_adjacent = np.isin(edit.faces, list({int(w) for f in removed for w in edit.faces[f]})).any(axis=1)
        added = set(np.flatnonzero(is_adjacent & is_inside).tolist()) - removed
        removed |= added
        is_growing = bool(added)
    # One simple loop: faces where it touches itself are removed too.
    while True:
        boundary = _boundary(edit, removed)
        starts = [a for a, _ in boundary]
        repeated = {a for a in starts if starts.count(a) > 1}
        loops = _loops_of(boundary)
        if not repeated and len(loops) == 1:
            break
        outer = max(loops, key=len) if not repeated else []
        removed |= {
            f for w in repeated or {w for loop in loops if loop is not outer for w in loop} for f in edit.faces_at(w)
        }
    loop = loops[0]
    edit.remove(removed)
    edit.touch(loop)
    points = edit.points[loop]
    chord = float(np.linalg.norm(points[:, None] - points[None], axis=2).max())
    return _truth("S101", "loop", loop, points[0], measures={"diameter_mm": chord, "edges": len(loop)})


def _boundary(edit: Edit, faces: set[int]) -> list[tuple[int, int]]:
    """Directed edges of a set of faces that no other face of the set has."""
    sides = {(int(edit.faces[f, c]), int(edit.faces[f, (c + 1) % 3])) for f in faces for c in range(3)}
    return sorted((a, b) for a, b in sides if (b, a) not in sides)


def _loops_of(boundary: list[tuple[int, int]]) -> list[list[int]]:
    """The loops that directed edges form, where no vertex starts two of them."""
    after = dict(boundary)
    loops = []
    while after:
        start, vertex = after.popitem()
        loop = [start]
        while vertex != start and vertex in after:
            loop.append(vertex)
            vertex = after.pop(vertex)
        loops.append(loop)
    return loops


def floating_piece(edit: Edit) -> Truth:
    """A small octahedron floats 3 mm above the surface."""
    v = _free_site(edit, 3.6, 1.6)
    faces = edit.faces_at(v)
    centre = _above(edit, v, 3.6)
    tips = edit.add_vertices(centre + 0.6 * np.array([*np.eye(3), *-np.eye(3)]), v)
    px, py, pz, nx, ny, nz = tips
    top = [[px, py, pz], [py, nx, pz], [nx, ny, pz], [ny, px, pz]]
    bottom = [[py, px, nz], [nx, py, nz], [ny, nx, nz], [px, ny, nz]]
    made = edit.add_faces([*top, *bottom], faces[0])
    area = 8 * (0.6 * 2**0.5) ** 2 * 3**0.5 / 4
    return _truth("S103", "face", made, edit.points[edit.faces[made[0]]].mean(axis=0), measures={"area_mm2": area})


def tunnel(edit: Edit) -> Truth:
    """A hollow handle, half a ring that stands on the surface, joins two places of it."""
    v, w = ends_of_handle(edit)
    first, second, rings = handle(edit, v, w)
    like = edit.faces_at(v)[0]
    edit.remove(edit.faces_at(v) + edit.faces_at(w))
    halfway = len(rings) // 2
    between = [edit.add_vertices(points, v if k < halfway else w) for k, points in enumerate(rings)]
    tube = []
    for below, above in itertools.pairwise([first, *between, second]):
        for i in range(len(first)):
            j = (i + 1) % len(first)
            tube += [[below[i], below[j], above[j]], [below[i], above[j], above[i]]]
    edit.add_faces(tube, like)
    edit.touch([*first, *second])
    return _truth("S105", "component", [0], edit.points[first[0]], also=("G105",), measures={"tunnels": 1})


def inside_out(edit: Edit) -> Truth:
    """Every face is flipped."""
    edit.faces = edit.faces[:, [0, 2, 1]]
    return replace(_truth("G107", "face", list(range(len(edit.faces))), edit.points[0]), location=None)


def wrong_unit(edit: Edit) -> Truth:
    """The mesh is written in centimetres."""
    edit.points = edit.points / 10.0
    if edit.narrow:
        edit.points = edit.points.astype(np.float32).astype(np.float64)
    # Borders are judged by how they look when smoothed over a millimetre.
    also = ("D111",) if "label" in {**edit.vertex_data, **edit.face_data} else ()
    return Truth(check="G106", element="file", also=also, measures={"factor": 0.1})


DEFECTS: Mapping[str, Injector] = MappingProxyType(
    {
        injector.__name__: injector
        for injector in (
            nonmanifold_edge,
            bowtie_vertex,
            flipped_patch,
            duplicate_face,
            repeated_corner,
            unreferenced_vertex,
            crack,
            moebius_strip,
            nonfinite_vertex,
            zero_area_face,
            needle,
            short_edge,
            fold,
            hole,
            floating_piece,
            tunnel,
            inside_out,
            wrong_unit,
        )
    }
)
"""Every defect, by name."""

_FIRST, _LAST = "inside_out", "wrong_unit"


def mutate(mesh: Mesh, *names: str, seed: int = 0) -> tuple[Mesh, tuple[Truth, ...]]:
    """Put defects into a mesh.

    Args:
        mesh: any mesh with enough intact surface; it is not changed.
        names: names in `DEFECTS`; a name may occur several times.
        seed: places the defects; the same arguments give the same bytes.

    Returns:
        The new mesh and a truth for each name, in the order of the names, all in the numbers of the new mesh.

    Raises:
        ValueError: an unknown name, or no room for a defect.
    """
    for name in names:
        if name not in DEFECTS:
            raise ValueError(f"there is no defect {name!r}; there are {', '.join(DEFECTS)}")
    edit = Edit(mesh, np.random.default_rng(seed))
    # Flipping all faces renumbers half-edges, and scaling moves every place: the one comes first, the other last.
    order = sorted(range(len(names)), key=lambda place: (names[place] == _LAST, names[place] != _FIRST, place))
    truths: dict[int, Truth] = {}
    for place in order:
        truths[place] = DEFECTS[names[place]](edit)
        if names[place] == _LAST:
            truths = {number: _scaled(truth, 0.1) for number, truth in truths.items()}
    mutated, vertex_map, face_map = edit.finish()
    return mutated, tuple(_renumbered(truths[place], vertex_map, face_map) for place in range(len(names)))


def _scaled(truth: Truth, factor: float) -> Truth:
    """The truth about a defect after its mesh was scaled."""
    if truth.location is None:
        return truth
    x, y, z = truth.location
    return replace(truth, location=(factor * x, factor * y, factor * z))


def _renumbered(truth: Truth, vertex_map: Numbers, face_map: Numbers) -> Truth:
    """The truth about a defect in the numbers of the finished mesh."""
    numbers = truth.indices.astype(np.int64)
    if truth.element in ("vertex", "loop"):
        numbers = vertex_map[numbers]
    elif truth.element in ("face", "component"):
        numbers = face_map[numbers]
    elif truth.element == "edge":
        numbers = 3 * face_map[numbers // 3] + numbers % 3
    return replace(truth, indices=frozen_array(np.sort(numbers[numbers >= 0]).astype(np.int32)))
