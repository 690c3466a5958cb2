"""Fill a hole: triangulate it, refine it to the density around it, fair it into its surroundings."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.facts.arrays import frozen
from meshguard.kernels import fairing, holes, refining, triangles
from meshguard.repair.mesh.rounding import rounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scipy.spatial import cKDTree

    from meshguard.mesh import FloatArray, IntArray

EXACT_CORNERS = 150
"""Corners of a polygon up to which the dynamic programme is used; the ears of longer ones are cut off first."""

MOST_POINTS = 6000
"""Most new vertices of one patch; the patch of a larger hole is coarser than its surroundings."""

RINGS = 4
"""Rings of faces around a hole that say how the surface goes on."""

_ALPHA = 1.6
"""Liepa's factor of density, which he sets to the root of 2: with this, as many faces come back as real arches had."""

_BRIDGINGS = 6
"""Ways to join several loops into one polygon that are tried."""

_ROUNDS = (1, 4)
"""Rounds of fairing before the patch is refined anew, and after."""

_BEND, _TWIST, _POWER = 0.01, 1.0, 1.3
"""The energy of fairing, the patch's extent as unit of length."""

_STRETCH = 40.0
"""How much more a change of curvature weighs along a clear ridge or groove than across it."""

_MOST_BAND = 20_000_000


class Patch(NamedTuple):
    """Faces that fill a hole.

    Attributes:
        points: float64 (q, 3), new vertices, mm; each is a float32.
        faces: int32 (t, 3): a number below p is a position, p + i is points[i]; wound like the surroundings.
    """

    points: FloatArray
    faces: IntArray


class _Site(NamedTuple):
    """A hole and its surroundings, with numbers of their own.

    Attributes:
        numbers: int64 (n,), ascending: the positions.
        positions: float64 (n, 3), mm: where they are.
        points: float64 (n, 3), mm: the same about an origin of their own.
        faces: int32 (f, 3): the faces around.
        loops: the loops.
        edges: int64 (e,): sorted keys lower * n + higher of all edges.
        across: float64 (k, 3), for each loop: unit normal of the face across each of its edges, or NaN.
    """

    numbers: npt.NDArray[np.int64]
    positions: FloatArray
    points: FloatArray
    faces: IntArray
    loops: list[IntArray]
    edges: npt.NDArray[np.int64]
    across: list[FloatArray]


def fill_hole(
    positions: FloatArray,
    corners: IntArray,
    loops: Sequence[IntArray],
    *,
    refine: bool = True,
    fair: bool = True,
    around: IntArray | None = None,
) -> Patch | None:
    """Fill a hole with faces, and with new vertices where it is wide.

    The patch never uses an edge that the mesh has beside the loops, so each of its edges has two faces at most; no face
    is exactly collinear or lies on the same three positions as another. Whether it meets the mesh elsewhere, or
    itself, is the caller's to verify; `fair=False` and `refine=False` give plainer patches to fall back on.

    Args:
        positions: float64 (p, 3), finite, each a float32, mm.
        corners: int32 (m, 3): positions of each face's corners.
        loops: the hole's boundaries, as positions in the order in which the new faces run along them: opposite to the
            half-edges that are there. The first is the outer one; islands follow. No position stands twice.
        refine: whether to add vertices until the patch is as dense as its surroundings. Without, there is one
            new vertex where no triangulation is legal, none elsewhere.
        fair: whether to move new vertices so that the patch goes on smoothly from its surroundings.
        around: int32 (k,): faces near the hole, all that touch its loops among them, better four rings (`faces_around`
            gives them); by default all faces are searched, which takes a millisecond for some hundred thousand.

    Returns:
        The patch; None where a loop has fewer than three positions or passes one twice, or nothing without degenerate
        faces was found.
    """
    positions = frozen(np.ascontiguousarray(positions, np.float64).view())
    corners = frozen(np.ascontiguousarray(corners, np.int32).view())
    own = [np.asarray(loop, np.int32) for loop in loops]
    every = np.concatenate([*own, np.empty(0, np.int32)])
    if len(every) == 0 or min(map(len, own)) < 3 or len(np.unique(every)) < len(every):
        return None
    site = _site(positions, corners, own, around)
    points, faces = site.points, _triangulated(site)
    origin = positions[every[0]]
    if faces is None:
        star = _star(site)
        if star is None:
            return None
        points, faces = star
    length = len(positions)
    if not refine:
        return _patch(site, points, faces, length, origin)
    plain, scale = (points, faces), _scale(site)
    points, faces = _refined(site, points, faces, scale)
    if fair and len(points) > len(site.points):
        smooth = _smooth(site, points, faces, _ROUNDS[0])
        points, faces = _refined(site, smooth, faces, scale)
        smooth = _smooth(site, points, faces, _ROUNDS[1])
        done = _patch(site, smooth, faces, length, origin)
        if done is not None:
            return done
    return _patch(site, points, faces, length, origin) or _patch(site, *plain, length, origin)


def _site(positions: FloatArray, corners: IntArray, loops: list[IntArray], around: IntArray | None) -> _Site:
    """Cut a hole and its surroundings out of a mesh."""
    every = np.concatenate(loops)
    if around is None:
        around = _found_around(positions, corners, every)
    near = corners[around]
    numbers = np.unique(np.concatenate([near.reshape(-1), every]))
    faces = np.searchsorted(numbers, near).astype(np.int32)
    own = [frozen(np.searchsorted(numbers, loop).astype(np.int32)) for loop in loops]
    points = positions[numbers] - positions[every[0]]
    length = len(numbers)
    faces = faces[(faces != np.roll(faces, 1, axis=1)).all(axis=1)]
    start, end = faces.reshape(-1).astype(np.int64), np.roll(faces, -1, axis=1).reshape(-1).astype(np.int64)
    directed = start * length + end
    order = np.argsort(directed, kind="stable")
    # The loops' edges are edges of the mesh, also where `around` lacks their faces.
    low = np.concatenate([start, *(loop.astype(np.int64) for loop in own)])
    high = np.concatenate([end, *(np.roll(loop, -1).astype(np.int64) for loop in own)])
    edges = np.unique(np.minimum(low, high) * length + np.maximum(low, high))
    normals = _normals(points, faces)
    with np.errstate(divide="ignore", invalid="ignore"):
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    across = []
    for loop in own:
        wanted = np.roll(loop, -1).astype(np.int64) * length + loop
        place = np.minimum(np.searchsorted(directed, wanted, sorter=order), max(len(order) - 1, 0))
        found = directed[order[place]] == wanted if len(order) else np.zeros(len(loop), np.bool_)
        normal = np.full((len(loop), 3), np.nan)
        normal[found] = normals[order[place[found]] // 3]
        across.append(normal)
    return _Site(numbers, positions[numbers], frozen(points), faces, own, frozen(edges), across)


def _normals(points: FloatArray, faces: IntArray) -> FloatArray:
    """The normals of faces, twice their area long."""
    corners = points[faces]
    u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normals: FloatArray = u[:, [1, 2, 0]] * v[:, [2, 0, 1]] - u[:, [2, 0, 1]] * v[:, [1, 2, 0]]
    return normals


def _found_around(positions: FloatArray, corners: IntArray, every: IntArray) -> IntArray:
    """Some rings of faces around loops, found by looking at all faces once."""
    on_loops = positions[every]
    box = np.concatenate([on_loops.min(axis=0), on_loops.max(axis=0)])
    steps = np.linalg.norm(on_loops - np.roll(on_loops, 1, axis=0), axis=1)
    reach = 3.0 * RINGS * float(np.median(steps))
    box += reach * np.array([-1, -1, -1, 1, 1, 1])
    inside = np.empty(len(corners), np.bool_)
    holes.faces_in_box(positions, corners, frozen(box), inside)
    near = np.flatnonzero(inside).astype(np.int32)
    reached = np.zeros(len(positions), np.bool_)
    reached[every] = True
    kept: npt.NDArray[np.bool_] = np.zeros(len(near), np.bool_)
    local = corners[near]
    for _ in range(RINGS):
        kept = reached[local[:, 0]] | reached[local[:, 1]] | reached[local[:, 2]]
        reached[local[kept]] = True
    return near[kept]


class Incidence(NamedTuple):
    """The faces at each position, for finding surroundings in a mesh with many holes.

    Attributes:
        offsets: int64 (p + 1,), first entry of each position.
        faces: int32 (3m,), faces at each position, ascending.
    """

    offsets: npt.NDArray[np.int64]
    faces: IntArray


def incidence(corners: IntArray, n_positions: int) -> Incidence:
    """Tell each position its faces, once for all holes of a mesh."""
    flat = corners.reshape(-1)
    order = np.argsort(flat, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(flat, minlength=n_positions))])
    return Incidence(offsets, (order // 3).astype(np.int32))


def faces_around(corners: IntArray, at: Incidence, loops: Sequence[IntArray], *, rings: int = RINGS) -> IntArray:
    """The faces within some rings of loops, ascending: what `fill_hole` takes as `around`.

    Args:
        corners: int32 (m, 3): positions of each face's corners.
        at: the faces at each position.
        loops: positions.
        rings: how many; the first are the faces that touch the loops.
    """
    faces = np.empty(0, np.int32)
    positions = np.unique(np.concatenate([np.asarray(loop, np.int32) for loop in loops]))
    for _ in range(rings):
        first, count = at.offsets[positions], at.offsets[positions + 1] - at.offsets[positions]
        ahead = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        faces = np.unique(at.faces[np.repeat(first, count) + ahead])
        positions = np.unique(corners[faces])
    return faces


def _triangulated(site: _Site) -> IntArray | None:
    """Faces between the loops without new vertices, or None."""
    best: tuple[tuple[float, float], IntArray] | None = None
    length = len(site.points)
    for polygon, across in _polygons(site):
        start, end = polygon.astype(np.int64), np.roll(polygon, -1).astype(np.int64)
        own = np.minimum(start, end) * length + np.maximum(start, end)
        edges = frozen(np.unique(np.concatenate([site.edges, own])))
        weight, faces = np.empty(2), np.empty((max(len(polygon) - 2, 1), 3), np.int32)
        count = holes.triangulate_polygon(
            site.points, frozen(polygon), frozen(across), edges, EXACT_CORNERS, weight, faces
        )
        # One polygon of more than three corners has no chord twice, and no face without a chord.
        if count == 0 or ((len(site.loops) > 1 or count == 1) and not _is_sound(site, faces[:count])):
            continue
        key = (float(weight[0]), float(weight[1]))
        if best is None or key < best[0]:
            best = key, faces[:count]
    return best[1] if best else None


def _polygons(site: _Site) -> Iterator[tuple[IntArray, FloatArray]]:
    """One loop as it is; several joined by bridges, in some ways."""
    if len(site.loops) == 1:
        yield site.loops[0].copy(), site.across[0].copy()
        return
    from scipy.spatial import cKDTree

    for choice in range(_BRIDGINGS):
        polygon, across = site.loops[0], site.across[0]
        left = list(range(1, len(site.loops)))
        while left:
            tree = cKDTree(site.points[polygon])
            near = [_nearest(tree, site.points[site.loops[i]]) for i in left]
            closest = min(range(len(left)), key=lambda i: float(near[i][0].min()))
            island = site.loops[left[closest]]
            distance, place = near[closest]
            nearest = np.argsort(distance, kind="stable")
            j = int(nearest[min(choice * max(1, len(nearest) // _BRIDGINGS), len(nearest) - 1)])
            i = int(place[j])
            nan = np.full((1, 3), np.nan)
            own = site.across[left[closest]]
            polygon = np.concatenate([polygon[: i + 1], island[j:], island[: j + 1], polygon[i:]])
            across = np.concatenate([across[:i], nan, own[j:], own[:j], nan, across[i:]])
            del left[closest]
        yield polygon.astype(np.int32), across


def _nearest(tree: cKDTree, points: FloatArray) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """The distance and number of the nearest point of a tree."""
    distance, place = tree.query(points)
    return np.asarray(distance, np.float64), np.asarray(place, np.int64)


def _is_sound(site: _Site, faces: IntArray) -> bool:
    """Whether faces close the loops: each edge once in each direction with the loops' own, none beside the mesh's."""
    length = len(site.points)
    start, end = faces.reshape(-1).astype(np.int64), np.roll(faces, -1, axis=1).reshape(-1).astype(np.int64)
    directed = start * length + end
    if len(np.unique(directed)) < len(directed):
        return False
    border = np.setdiff1d(directed, end * length + start)
    wanted = np.sort(np.concatenate([loop.astype(np.int64) * length + np.roll(loop, -1) for loop in site.loops]))
    if not np.array_equal(border, wanted):
        return False
    inner = np.setdiff1d(directed, border)
    low, high = np.minimum(inner // length, inner % length), np.maximum(inner // length, inner % length)
    if np.isin(low * length + high, site.edges).any():
        return False
    together = np.sort(np.concatenate([site.faces, faces]), axis=1)[-len(faces) - len(site.faces) :]
    return not np.isin(_keys(together[len(site.faces) :], length), _keys(together[: len(site.faces)], length)).any()


def _keys(rows: IntArray, length: int) -> npt.NDArray[np.object_] | npt.NDArray[np.int64]:
    """One number for each sorted triple of vertices."""
    wide = rows.astype(np.int64)
    return (wide[:, 0] * length + wide[:, 1]) * length + wide[:, 2]


def _star(site: _Site) -> tuple[FloatArray, IntArray] | None:
    """Faces from one loop to a vertex in its middle, for where no triangulation without new vertices is legal."""
    if len(site.loops) > 1:
        return None
    loop = site.loops[0]
    middle = np.full(len(loop), len(site.points), np.int32)
    points = np.concatenate([site.points, site.points[loop].mean(axis=0)[None]])
    return points, np.stack([loop, np.roll(loop, -1), middle], axis=1)


def _scale(site: _Site) -> FloatArray:
    """The mean length of the edges at each point."""
    length = len(site.points)
    # The loops' own edges count too: a vertex on the rim may have no face around the hole.
    ahead = [np.roll(loop, -1) for loop in site.loops]
    own = [
        np.minimum(one, two).astype(np.int64) * length + np.maximum(one, two)
        for one, two in zip(site.loops, ahead, strict=True)
    ]
    edges = np.unique(np.concatenate([site.edges, *own]))
    low, high = edges // length, edges % length
    size = np.linalg.norm(site.points[low] - site.points[high], axis=1)
    total = np.bincount(low, size, length) + np.bincount(high, size, length)
    count = np.bincount(low, minlength=length) + np.bincount(high, minlength=length)
    scale: FloatArray = total / np.maximum(count, 1)
    return scale


def _refined(site: _Site, points: FloatArray, faces: IntArray, scale: FloatArray) -> tuple[FloatArray, IntArray]:
    """The patch made as dense as its surroundings, or coarser where that takes more vertices than it may have."""
    n_old, mean = len(site.points), float(np.mean(scale[np.concatenate(site.loops)]))
    area = 0.5 * float(np.linalg.norm(_normals(points, faces), axis=1).sum())
    coarser = max(1.0, (2.0 * area / (mean * mean * MOST_POINTS)) ** 0.5)
    more = max(0, n_old + MOST_POINTS - len(points))
    while True:
        out_points, out_scale = np.empty((len(points) + more, 3)), np.empty(len(points) + more)
        out_points[: len(points)] = points
        out_scale[: len(points)] = mean * coarser
        out_scale[: len(scale)] = scale * coarser
        out_faces = np.empty((len(faces) + 2 * more, 3), np.int32)
        out_faces[: len(faces)] = faces
        alpha = _ALPHA if coarser < 32.0 else 0.0
        count = refining.refine_patch(
            site.edges, n_old, len(points), len(faces), alpha, out_points, out_scale, out_faces
        )
        if count < len(out_points) or more == 0:
            return out_points[:count], out_faces[: len(faces) + 2 * (count - len(points))]
        coarser *= 2.0


def _smooth(site: _Site, points: FloatArray, faces: IntArray, rounds: int) -> FloatArray:
    """The points as faired, or as they are where fairing turns the patch more sharply than a right angle and them."""
    limit = min(0.0, _sharpest(site, points, faces))
    for bend, twist in ((_BEND, _TWIST), (1.0, 0.0)):
        moved = _faired(site, points, faces, bend, twist, rounds)
        if _sharpest(site, moved, faces) >= limit:
            return moved
    return points


def _sharpest(site: _Site, points: FloatArray, faces: IntArray) -> float:
    """The least cosine between the normals of two neighbours in the patch, or across its loops."""
    length = len(points)
    normals = _normals(points, faces)
    with np.errstate(divide="ignore", invalid="ignore"):
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    start, end = faces.reshape(-1).astype(np.int64), faces[:, [1, 2, 0]].reshape(-1).astype(np.int64)
    loops = [loop.astype(np.int64) for loop in site.loops]
    keys = np.concatenate([start * length + end, *(np.roll(loop, -1) * length + loop for loop in loops)])
    others = np.concatenate([np.repeat(normals, 3, axis=0), *site.across])
    order = np.argsort(keys)
    twin = order[np.searchsorted(keys, end * length + start, sorter=order)]
    turns = (others[: len(start)] * others[twin]).sum(axis=1)
    return float(np.min(turns[np.isfinite(turns)], initial=1.0))


def _faired(site: _Site, points: FloatArray, faces: IntArray, bend: float, twist: float, rounds: int) -> FloatArray:
    """The points, new ones moved to where the patch is fairest."""
    new = points[len(site.points) :]
    unit = float(np.linalg.norm(np.ptp(new, axis=0))) or 1.0
    spread = new - new.mean(axis=0)
    longest = np.linalg.eigh(spread.T @ spread)[1][:, -1]
    order = len(site.points) + np.argsort(spread @ longest, kind="stable")
    moved = points / unit
    together = np.concatenate([site.faces, faces])
    axis = frozen(_STRETCH**0.5 * _ridge(moved, together))
    fairing.fair_points(
        frozen(together), frozen(order.astype(np.int32)), axis, bend, twist, _POWER, rounds, _MOST_BAND, moved
    )
    return moved * unit


def _ridge(points: FloatArray, faces: IntArray) -> FloatArray:
    """The direction of a ridge or groove, as long as it is clear: 1 on a cylinder, 0 where none stands out.

    Along a ridge normals hardly change: it is the direction in which they spread least, and how clear it is, is told by
    the direction in which they spread second most.
    """
    normals = _normals(points, faces)
    area = np.linalg.norm(normals, axis=1, keepdims=True)
    spread, directions = np.linalg.eigh(normals.T @ (normals / np.where(area > 0.0, area, 1.0)))
    clear = (spread[1] - spread[0]) / (spread[1] + spread[0]) if spread[1] > 0.0 else 0.0
    ridge: FloatArray = np.ascontiguousarray(directions[:, 0]) * clear * abs(clear)
    return ridge


def _patch(site: _Site, points: FloatArray, faces: IntArray, length: int, origin: FloatArray) -> Patch | None:
    """The patch with the mesh's numbers, its new points rounded; None when that leaves degenerate faces."""
    n_old = len(site.points)
    new = rounded(points[n_old:] + origin)
    whole = frozen(np.concatenate([site.positions, new]))
    order = np.lexsort(whole.T)
    if not np.isfinite(new).all() or (whole[order[1:]] == whole[order[:-1]]).all(axis=1).any():
        return None
    area, flags = np.empty(len(faces)), np.empty(len(faces), np.uint16)
    triangles.measure_faces(whole, frozen(faces.copy()), 0, len(faces), np.inf, -1.0, 0.0, area, flags)
    if (flags & triangles.COLLINEAR).any():
        return None
    numbers = np.concatenate([site.numbers, length + np.arange(len(new))])
    return Patch(new, numbers[faces].astype(np.int32))
