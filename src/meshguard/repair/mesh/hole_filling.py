"""Fill a hole: triangulate it, refine it to the density around it, fair it into its surroundings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.facts.arrays import frozen
from meshguard.halfedges import directed_keys, edge_keys, face_normals
from meshguard.kernels import fairing, hole_triangulation, refining, triangles
from meshguard.repair.mesh.hole_sites import HoleSite, face_edges, hole_site, unit_normals
from meshguard.repair.mesh.precision import Precision
from meshguard.watch import look

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scipy.spatial import cKDTree

    from meshguard.mesh import FloatArray, IntArray

_EAR_STEPS = 20_000_000
"""Corners looked at to cut off ears in one go: about a tenth of a second."""

EXACT_CORNERS = 150
"""Corners of a polygon up to which the dynamic programme is used; the ears of longer ones are cut off first."""

MOST_POINTS = 6000
"""Most new vertices of one patch; the patch of a larger hole is coarser than its surroundings."""

_ALPHA = 1.6
"""Liepa's factor of density, which he sets to the root of 2: with this, as many faces come back as real arches had."""

_BRIDGINGS = 6
"""Ways to join several loops into one polygon that are tried."""

_ROUNDS = (1, 4)
"""Rounds of fairing before the patch is refined again, and after."""

_BILAPLACIAN_WEIGHT, _TRILAPLACIAN_WEIGHT, _POWER = 0.01, 1.0, 1.3
"""The energy of fairing, the patch's extent as unit of length."""

_STRETCH = 40.0
"""Weight of a change of curvature along a clear ridge or groove, relative to one across it."""

_MOST_BAND = 20_000_000
"""Entries of the banded system of fairing, at most: bounds its memory, 160 MB."""


class Patch(NamedTuple):
    """Faces that fill a hole.

    Attributes:
        points: float64 (q, 3), new vertices, mm, as the precision holds them.
        faces: int32 (t, 3): a number below p is a position, p + i is points[i]; oriented like the surroundings.
    """

    points: FloatArray
    faces: IntArray


def fill_hole(
    positions: FloatArray,
    corners: IntArray,
    loops: Sequence[IntArray],
    *,
    refine: bool = True,
    fair: bool = True,
    around: IntArray | None = None,
    precision: Precision = Precision.SINGLE,
) -> Patch | None:
    """Fill a hole with faces, and with new vertices where it is wide.

    The patch never uses an edge that the mesh has beside the loops, so each of its edges has two faces at most; no face
    is exactly collinear or lies on the same three positions as another. Whether it meets the mesh elsewhere, or
    itself, is for the caller to verify; `fair=False` and `refine=False` give plainer patches to fall back on.

    Args:
        positions: float64 (p, 3), finite, mm.
        corners: int32 (m, 3): positions of each face's corners.
        loops: the hole's boundaries, as positions in the order in which the new faces run along them: opposite to the
            half-edges that are there. The first is the outer one; islands follow. No position stands twice.
        refine: whether to add vertices until the patch is as dense as its surroundings. Without, there is one
            new vertex where no triangulation is legal, none elsewhere.
        fair: whether to move new vertices so that the patch goes on smoothly from its surroundings.
        around: int32 (k,): faces near the hole, all that touch its loops among them, better four rings
            (`hole_sites.rings_around` gives them); by default all faces are searched, which takes a millisecond for
            some hundred thousand.
        precision: how new vertices are held.

    Returns:
        The patch; None where a loop has fewer than three positions or passes one twice, or nothing without degenerate
        faces was found.
    """
    look()
    positions = frozen(np.ascontiguousarray(positions, np.float64).view())
    corners = frozen(np.ascontiguousarray(corners, np.int32).view())
    loops = [np.asarray(loop, np.int32) for loop in loops]
    on_loops = np.concatenate([*loops, np.empty(0, np.int32)])
    if len(on_loops) == 0 or min(map(len, loops)) < 3 or len(np.unique(on_loops)) < len(on_loops):
        return None
    site = hole_site(positions, corners, loops, around)
    patch_of = partial(_patch, site, precision)
    faces = _triangulated(site)
    plain = _star(site) if faces is None else (site.points, faces)
    if plain is None:
        return None
    if not refine:
        return patch_of(*plain)
    scale = site.mean_edge_lengths()
    points, faces = _refined(site, *plain, scale)
    if fair and len(points) > len(site.points):
        points, faces = _refined(site, _smooth(site, points, faces, _ROUNDS[0]), faces, scale)
        patch = patch_of(_smooth(site, points, faces, _ROUNDS[1]), faces)
        if patch is not None:
            return patch
    return patch_of(points, faces) or patch_of(*plain)


def _triangulated(site: HoleSite) -> IntArray | None:
    """Faces between the loops without new vertices, or None."""
    best: tuple[tuple[float, float], IntArray] | None = None
    for polygon, across in _polygons(site):
        look()
        sides = edge_keys(polygon, np.roll(polygon, -1), len(site.points))
        edges = frozen(np.unique(np.concatenate([site.edges, sides])))
        weight, faces = np.empty(2), np.empty((max(len(polygon) - 2, 1), 3), np.int32)
        polygon, across, n_cut = _without_ears(site, polygon, across, edges, faces)
        count = hole_triangulation.triangulate_polygon(
            site.points, frozen(polygon), frozen(across), edges, EXACT_CORNERS, weight, faces[n_cut:]
        )
        count += n_cut if count else 0
        # One polygon of more than three corners has no chord twice, and no face without a chord.
        if count == 0 or ((len(site.loops) > 1 or count == 1) and not site.is_closed_by(faces[:count])):
            continue
        key = (float(weight[0]), float(weight[1]))
        if best is None or key < best[0]:
            best = key, faces[:count]
    return best[1] if best else None


def _without_ears(
    site: HoleSite, polygon: IntArray, across: FloatArray, edges: npt.NDArray[np.int64], out_faces: IntArray
) -> tuple[IntArray, FloatArray, int]:
    """A polygon with few enough corners to triangulate exactly, if ears can be cut off; and the number of faces cut."""
    n_faces = 0
    while True:
        look()
        most = max(EXACT_CORNERS, len(polygon) - _EAR_STEPS // len(polygon))
        n_left, n_cut = hole_triangulation.cut_ears(site.points, edges, most, polygon, across, out_faces[n_faces:])
        n_faces += n_cut
        polygon, across = polygon[:n_left], across[:n_left]
        if n_left <= EXACT_CORNERS or n_left > most:
            break
    return polygon, across, n_faces


def _polygons(site: HoleSite) -> Iterator[tuple[IntArray, FloatArray]]:
    """One loop as it is, with the normals across its sides; several joined by bridges, in some ways."""
    if len(site.loops) == 1:
        yield site.loops[0].copy(), site.across[0].copy()
        return
    for choice in range(_BRIDGINGS):
        polygon, across = site.loops[0], site.across[0]
        islands = list(range(1, len(site.loops)))
        while islands:
            look()
            polygon, across, island = _with_nearest_island(site, polygon, across, islands, choice)
            islands.remove(island)
        yield polygon.astype(np.int32), across


def _with_nearest_island(
    site: HoleSite, polygon: IntArray, across: FloatArray, islands: list[int], choice: int
) -> tuple[IntArray, FloatArray, int]:
    """A polygon joined to the nearest of some islands by a bridge, with the normals across its sides; and the island.

    The bridge starts at the island's nearest position where `choice` is 0, and at ever farther ones as it grows.
    """
    from scipy.spatial import cKDTree

    tree = cKDTree(site.points[polygon])
    nearest = {island: _nearest(tree, site.points[site.loops[island]]) for island in islands}
    island = min(islands, key=lambda number: float(nearest[number][0].min()))
    distance, place = nearest[island]
    loop, across_loop = site.loops[island], site.across[island]
    by_distance = np.argsort(distance, kind="stable")
    j = int(by_distance[min(choice * max(1, len(by_distance) // _BRIDGINGS), len(by_distance) - 1)])
    i = int(place[j])
    bridge = np.full((1, 3), np.nan)
    return (
        np.concatenate([polygon[: i + 1], loop[j:], loop[: j + 1], polygon[i:]]),
        np.concatenate([across[:i], bridge, across_loop[j:], across_loop[:j], bridge, across[i:]]),
        island,
    )


def _nearest(tree: cKDTree, points: FloatArray) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """The distance and number of the nearest point of a tree."""
    distance, place = tree.query(points)
    return np.asarray(distance, np.float64), np.asarray(place, np.int64)


def _star(site: HoleSite) -> tuple[FloatArray, IntArray] | None:
    """Faces from one loop to a vertex in its middle, for where no triangulation without new vertices is legal."""
    if len(site.loops) > 1:
        return None
    loop = site.loops[0]
    middle = np.full(len(loop), len(site.points), np.int32)
    points = np.concatenate([site.points, site.points[loop].mean(axis=0)[None]])
    return points, np.stack([loop, np.roll(loop, -1), middle], axis=1)


def _refined(site: HoleSite, points: FloatArray, faces: IntArray, scale: FloatArray) -> tuple[FloatArray, IntArray]:
    """The patch made as dense as its surroundings, or coarser where that takes more vertices than it may have."""
    n_old, mean = len(site.points), float(np.mean(scale[np.concatenate(site.loops)]))
    area = 0.5 * float(np.linalg.norm(face_normals(points, faces), axis=1).sum())
    coarser = max(1.0, (2.0 * area / (mean * mean * MOST_POINTS)) ** 0.5)
    room = max(0, n_old + MOST_POINTS - len(points))
    while True:
        look()
        out_points, out_scale = np.empty((len(points) + room, 3)), np.empty(len(points) + room)
        out_points[: len(points)] = points
        out_scale[: len(points)] = mean * coarser
        out_scale[: len(scale)] = scale * coarser
        out_faces = np.empty((len(faces) + 2 * room, 3), np.int32)
        out_faces[: len(faces)] = faces
        alpha = _ALPHA if coarser < 32.0 else 0.0
        count = refining.refine_patch(
            site.edges, n_old, len(points), len(faces), alpha, out_points, out_scale, out_faces
        )
        if count < len(out_points) or room == 0:
            return out_points[:count], out_faces[: len(faces) + 2 * (count - len(points))]
        coarser *= 2.0


def _smooth(site: HoleSite, points: FloatArray, faces: IntArray, rounds: int) -> FloatArray:
    """Faired points, or the given ones where fairing turns the patch more sharply than they and a right angle do."""
    limit = min(0.0, _sharpest(site, points, faces))
    look()
    for bilaplacian, trilaplacian in ((_BILAPLACIAN_WEIGHT, _TRILAPLACIAN_WEIGHT), (1.0, 0.0)):
        moved = _faired(site, points, faces, bilaplacian, trilaplacian, rounds)
        if _sharpest(site, moved, faces) >= limit:
            return moved
    return points


def _sharpest(site: HoleSite, points: FloatArray, faces: IntArray) -> float:
    """The least cosine between the normals of two neighbours in the patch, or across its loops."""
    length = len(points)
    start, end = face_edges(faces)
    across_loops = [directed_keys(np.roll(loop, -1), loop, length) for loop in site.loops]
    keys = np.concatenate([directed_keys(start, end, length), *across_loops])
    normals = np.concatenate([np.repeat(unit_normals(points, faces), 3, axis=0), *site.across])
    order = np.argsort(keys)
    twin = order[np.searchsorted(keys, directed_keys(end, start, length), sorter=order)]
    cosines = (normals[: len(start)] * normals[twin]).sum(axis=1)
    return float(np.min(cosines[np.isfinite(cosines)], initial=1.0))


def _faired(
    site: HoleSite, points: FloatArray, faces: IntArray, bilaplacian: float, trilaplacian: float, rounds: int
) -> FloatArray:
    """The points, new ones moved to where the patch is fairest."""
    new = points[len(site.points) :]
    unit = float(np.linalg.norm(np.ptp(new, axis=0))) or 1.0
    spread = new - new.mean(axis=0)
    longest = np.linalg.eigh(spread.T @ spread)[1][:, -1]
    order = frozen((len(site.points) + np.argsort(spread @ longest, kind="stable")).astype(np.int32))
    moved = points / unit
    surface = frozen(np.concatenate([site.faces, faces]))
    axis = frozen(_STRETCH**0.5 * _ridge(moved, surface))
    fairing.fair_points(surface, order, axis, bilaplacian, trilaplacian, _POWER, rounds, _MOST_BAND, moved)
    return moved * unit


def _ridge(points: FloatArray, faces: IntArray) -> FloatArray:
    """The direction of a ridge or groove, as long as it is clear: 1 on a cylinder, 0 where none stands out.

    Along a ridge normals hardly change: it is the direction in which they spread least. The direction in which they
    spread second most tells how clear it is.
    """
    # Column by column: in what order the product below is summed depends on it, and so do the last digits.
    normals = np.asfortranarray(face_normals(points, faces))
    area = np.linalg.norm(normals, axis=1, keepdims=True)
    spread, directions = np.linalg.eigh(normals.T @ (normals / np.where(area > 0.0, area, 1.0)))
    clear = (spread[1] - spread[0]) / (spread[1] + spread[0]) if spread[1] > 0.0 else 0.0
    ridge: FloatArray = np.ascontiguousarray(directions[:, 0]) * clear * abs(clear)
    return ridge


def _patch(site: HoleSite, precision: Precision, points: FloatArray, faces: IntArray) -> Patch | None:
    """The patch with the mesh's numbers, its new points as they are held; None when that leaves degenerate faces."""
    new = precision.held(points[len(site.points) :] + site.origin)
    positions = frozen(np.concatenate([site.positions, new]))
    order = np.lexsort(positions.T)
    if not np.isfinite(new).all() or (positions[order[1:]] == positions[order[:-1]]).all(axis=1).any():
        return None
    area, flags = np.empty(len(faces)), np.empty(len(faces), np.uint16)
    triangles.measure_faces(positions, frozen(faces.copy()), 0, len(faces), np.inf, -1.0, 0.0, area, flags)
    if (flags & triangles.COLLINEAR).any():
        return None
    numbers = np.concatenate([site.numbers, site.n_positions + np.arange(len(new))])
    return Patch(new, numbers[faces].astype(np.int32))
