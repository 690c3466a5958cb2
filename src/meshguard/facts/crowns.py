"""What labelled crowns are like: sizes and order along the arch, raggedness, creases between neighbours."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.facts.arrays import frozen, middles
from meshguard.facts.bands import NEAR_MM, Numbers, band_along
from meshguard.kernels import teeth as kernels
from meshguard.kernels._parallel import part_bounds, side_by_side

if TYPE_CHECKING:
    from meshguard.facts import Facts
    from meshguard.facts.bands import Band, Borders
    from meshguard.facts.frame import ArchCurve
    from meshguard.mesh import FloatArray, IntArray

REACH_MM = 5.2
"""How far from a border between two teeth the crease is looked for."""

BIN_MM = 0.4
CHUNK_MM = 5.0
"""Length of the parts of a border that are judged each for itself."""

LEAST_STRAYED_MM = 2.0
LEAST_CREASED = 0.4
"""Mean curvature, per mm, of a border that lies in a crease at least; over a crown it is negative."""

CREASE_PER_MM = 0.6
"""Mean curvature from which a band is a crease: the embrasures of four real arches have 1 to 5 per mm."""

SMOOTHED_OVER_MM = 1.0
"""Length over which a border is smoothed to tell how ragged it is: between a scanner's edges and a tooth."""


class Sizes(NamedTuple):
    """The teeth along the arch.

    Attributes:
        order: int32 (k,), places of the whole teeth along the arch, counter-clockwise seen from the biting side.
        along: float64 (T,), place of each tooth along the arch curve, mm.
        mesiodistal, buccolingual, height: float64 (T,), extents of each largest piece along the arch, across it and
            towards the biting side, mm.
        top: float64 (T,), coordinate of each tooth's highest point along `ArchFrame.up`, mm.
    """

    order: IntArray
    along: FloatArray
    mesiodistal: FloatArray
    buccolingual: FloatArray
    height: FloatArray
    top: FloatArray


class Creases(NamedTuple):
    """Borders between neighbouring teeth, by the lower, then the higher label.

    Attributes:
        pairs: int32 (k, 2), places in `Teeth.labels`, the lower first.
        length: float64 (k,), of the border, mm.
        strayed_mm: float64 (k,), length of those parts of the border that run over a crown while a crease lies beside.
        offset: float64 (k,), where that crease is: mm from the border, positive inside the second tooth; 0 for none.
        grain_mm: float64 (k,), usual longest edge of the faces along the border: nothing finer can be told.
        edges: list of int32 arrays, the half-edges of each border.
    """

    pairs: IntArray
    length: FloatArray
    strayed_mm: FloatArray
    offset: FloatArray
    grain_mm: FloatArray
    edges: list[IntArray]


def sizes_along(facts: Facts) -> Sizes:
    """Order and sizes of the teeth along the arch curve."""
    teeth, (curve, up) = facts.teeth, curve_and_up(facts)
    angles = curve.nearest(teeth.centres)
    tangents = curve.tangents(angles)
    axes = np.stack([tangents, np.cross(tangents, up), np.broadcast_to(up, tangents.shape)], axis=1)
    of_face = facts.pieces.of_face
    bounds, axes = part_bounds(len(facts.corners)), frozen(np.ascontiguousarray(axes))
    parts = np.empty((len(bounds) - 1, len(angles), 3, 2))

    def part(k: int) -> None:
        kernels.extents_along(
            facts.positions, facts.corners, of_face, teeth.of_piece, axes, bounds[k], bounds[k + 1], parts[k]
        )

    side_by_side([partial(part, k) for k in range(len(parts))])
    extents = np.stack([parts[..., 0].min(axis=0), parts[..., 1].max(axis=0)], axis=-1)
    with np.errstate(invalid="ignore"):
        spans = extents[:, :, 1] - extents[:, :, 0]
    spans[~np.isfinite(spans)] = 0.0
    along = curve.along(angles)
    order = np.argsort(along, kind="stable").astype(np.int32)
    return Sizes(order[teeth.is_whole[order]], along, spans[:, 0], spans[:, 1], spans[:, 2], extents[:, 2, 1])


def raggedness(facts: Facts) -> tuple[FloatArray, FloatArray]:
    """How much longer each tooth's border is than when it is smoothed, and how far it strays in terms of its faces.

    Where vertices carry the labels, the border runs between them, through the middles of edges.

    Returns:
        float64 (T,), length over smoothed length; float64 (T,), mean distance between the two over the usual longest
        edge of the faces along the border: a border that zigzags within its faces is the mesh's doing, not the
        label's. NaN for a tooth without a border.
    """
    teeth = facts.teeth
    points, ends, owners = _border_edges(facts) if facts.labels.per == "face" else _border_segments(facts)
    if not len(ends):
        return np.full(len(teeth.labels), np.nan), np.full(len(teeth.labels), np.nan)
    step = float(np.linalg.norm(points[ends[:, 0]] - points[ends[:, 1]], axis=1).mean())
    rounds = int(np.clip(np.ceil(2.0 * (SMOOTHED_OVER_MM / max(step, 1e-9)) ** 2), 2, 60))
    lengths = np.empty((len(teeth.labels), 4))
    kernels.smoothed_lengths(
        frozen(np.ascontiguousarray(points)), frozen(ends.astype(np.int32)), frozen(owners), rounds, lengths
    )
    borders = facts.pieces.borders
    faces = facts.edge_faces(borders).T.reshape(-1)
    longest = _longest_edges(facts, faces)
    label = facts.pieces.label_of_face[faces]
    usual = np.array([np.median(longest[label == one]) if (label == one).any() else np.nan for one in teeth.labels])
    with np.errstate(invalid="ignore", divide="ignore"):
        return lengths[:, 0] / lengths[:, 1], lengths[:, 2] / lengths[:, 3] / usual


def _owners(facts: Facts, labels: IntArray) -> IntArray:
    """Place of each label among the teeth, −1 for the gum, int32 of the same shape."""
    return np.where(labels != 0, np.searchsorted(facts.teeth.labels, labels), -1).astype(np.int32)


def _border_edges(facts: Facts) -> tuple[FloatArray, IntArray, IntArray]:
    """Points, ends and owners of the edges between faces that differ."""
    borders, of_face = facts.pieces.borders, facts.pieces.label_of_face
    ends = facts.edge_ends(borders)
    used, places = np.unique(ends, return_inverse=True)
    sides = of_face[facts.edge_faces(borders)]
    return facts.positions[used], places.reshape(ends.shape).astype(np.int32), _owners(facts, sides)


def _border_segments(facts: Facts) -> tuple[FloatArray, IntArray, IntArray]:
    """Points, ends and owners of the segments through faces of which one corner differs."""
    corners, labels, twins = facts.corners, facts.labels.of_node, facts.edges.twins
    faces = facts.pieces.mixed
    of_corner = labels[corners[faces]]
    a, b, c = of_corner.T
    one_differs = (a == b) | (b == c) | (a == c)
    faces, of_corner = faces[one_differs], of_corner[one_differs]
    a, b, c = of_corner.T
    odd = np.where(b == c, 0, np.where(a == c, 1, 2))
    h, g = 3 * faces + odd, 3 * faces + (odd + 2) % 3
    key = np.stack([h, g], axis=1)
    key = np.where(twins[key] >= 0, np.minimum(key, twins[key]), key)
    used, places = np.unique(key, return_inverse=True)
    points = middles(facts.positions, facts.edge_ends(used))
    rows = np.arange(len(faces))
    sides = np.stack([of_corner[rows, odd], of_corner[rows, (odd + 1) % 3]], axis=1)
    return points, places.reshape(key.shape).astype(np.int32), _owners(facts, sides)


def find_creases(facts: Facts) -> Creases:
    """For each pair of teeth that share a border: whether it lies in a crease of the surface, and else where one is.

    Between two crowns the surface is concave, on a crown convex. So the mean curvature (the angle at each edge times
    its length, over the area: Steiner's formula) is summed in bands along the border, on either side of it.
    """
    borders, band = facts.borders
    none = np.empty(0)
    if not len(borders.edges):
        return Creases(np.empty((0, 2), np.int32), none, none, none, none, [])
    # Near the border first: where it lies in a crease all along, as it should, there is no need to look farther.
    near, at_border = _profile(facts, borders, band, NEAR_MM)
    flat = np.where(at_border < LEAST_CREASED, near.length_of_chunk, 0.0)
    doubtful = np.bincount(near.pair_of_chunk, flat, len(borders.pairs)) >= LEAST_STRAYED_MM
    if not doubtful.any():
        return Creases(np.empty((0, 2), np.int32), none, none, none, none, [])
    borders = borders.of(doubtful)
    far, at_border = _profile(facts, borders, band_along(facts, borders, REACH_MM), REACH_MM)
    n_pairs, pair_of_chunk = len(borders.pairs), far.pair_of_chunk
    strays, offsets = _strays(far.curved, far.area)
    # The parts of a border may stray to either side; the side with more of them is told.
    sides = []
    for side in (-1.0, 1.0):
        weight = np.where(strays & (np.sign(offsets) == side), far.length_of_chunk, 0.0)
        total = np.bincount(pair_of_chunk, weight, n_pairs)
        sides.append((total, np.bincount(pair_of_chunk, weight * offsets, n_pairs) / np.maximum(total, 1e-12)))
    strayed = np.maximum(sides[0][0], sides[1][0])
    offset = np.where(sides[0][0] > sides[1][0], sides[0][1], sides[1][1])
    pairs = np.searchsorted(facts.teeth.labels, borders.pairs).astype(np.int32)
    edges = borders.edges_by_pair()
    grain = np.array([np.median(_longest_edges(facts, facts.edge_faces(h).reshape(-1))) for h in edges])
    return Creases(pairs, borders.totals(), strayed, offset, grain, edges)


class _Profile(NamedTuple):
    """Borders cut into parts, and what bands along them sum up to."""

    pair_of_chunk: Numbers
    length_of_chunk: FloatArray
    curved: FloatArray
    area: FloatArray


def _profile(facts: Facts, borders: Borders, band: Band, reach: float) -> tuple[_Profile, FloatArray]:
    """Sums in bands up to a distance, and the mean curvature at each part's border."""
    twins, positions = facts.edges.twins, facts.positions
    faces, signed, normals = band.faces, band.signed, band.normals
    place = np.full(len(facts.corners), -1, np.int32)
    place[faces] = np.arange(len(faces), dtype=np.int32)

    h = (3 * faces[:, None] + np.arange(3)).reshape(-1)
    h = h[twins[h] > h]
    p, q = place[h // 3], place[twins[h] // 3]
    h, p, q = h[q >= 0], p[q >= 0], q[q >= 0]
    ends = facts.edge_ends(h)
    edge = positions[ends[:, 1]] - positions[ends[:, 0]]
    length = np.linalg.norm(edge, axis=1)
    sine = (np.cross(normals[p], normals[q]) * edge).sum(axis=1) / np.maximum(length, 1e-300)
    # A face without area has no normal: its edges bend nothing.
    whole = (band.areas[p] > 5e-13) & (band.areas[q] > 5e-13)
    bent = np.where(whole, -band.outward * np.arctan2(sine, (normals[p] * normals[q]).sum(axis=1)) * length, 0.0)
    chunk_of_edge, pair_of_chunk = borders.parts(CHUNK_MM)
    chunk = chunk_of_edge[band.nearest]
    n_bins, n_chunks = 2 * round(reach / BIN_MM), len(pair_of_chunk)

    def binned(of: Numbers, where: FloatArray, weight: FloatArray) -> FloatArray:
        bins = np.clip((where + reach) / BIN_MM, 0, n_bins - 1).astype(np.int64)
        sums = np.bincount(of * n_bins + bins, weight, n_chunks * n_bins).astype(np.float64, copy=False)
        return sums.reshape(n_chunks, n_bins)

    # An edge between two parts bends half in each: which of its faces comes first says nothing.
    middle_of = 0.5 * (signed[p] + signed[q])
    curved = binned(chunk[p], middle_of, 0.5 * bent) + binned(chunk[q], middle_of, 0.5 * bent)
    area = binned(chunk, signed, band.areas)
    middle = n_bins // 2
    with np.errstate(invalid="ignore", divide="ignore"):
        at_border = curved[:, middle - 2 : middle + 2].sum(axis=1) / area[:, middle - 2 : middle + 2].sum(axis=1)
    length_of_chunk = np.bincount(chunk_of_edge, borders.lengths, n_chunks).astype(np.float64, copy=False)
    return _Profile(pair_of_chunk, length_of_chunk, curved, area), at_border


def _longest_edges(facts: Facts, faces: IntArray) -> FloatArray:
    """Length of the longest edge of each of these faces, mm."""
    rows = facts.corners[faces]
    a, b, c = (facts.positions[rows[:, k]] for k in range(3))
    squares = [np.einsum("kd,kd->k", side, side) for side in (a - b, b - c, c - a)]
    longest: FloatArray = np.sqrt(np.maximum(np.maximum(squares[0], squares[1]), squares[2]))
    return longest


def _strays(curved: FloatArray, area: FloatArray) -> tuple[npt.NDArray[np.bool_], FloatArray]:
    """Which parts of borders run over a crown beside a crease, and how far it is, from sums in bands (k, bins).

    Two neighbouring bands are taken together, since a crease of a coarse mesh is as wide as its faces.
    """
    centres = (np.arange(curved.shape[1]) + 0.5) * BIN_MM - REACH_MM
    middle = curved.shape[1] // 2
    near = slice(middle - 2, middle + 2)
    both = area[:, 1:] + area[:, :-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        density = (curved[:, 1:] + curved[:, :-1]) / both
        at_border = curved[:, near].sum(axis=1) / area[:, near].sum(axis=1)
    density[~np.isfinite(density) | (both < 0.3)] = -np.inf
    offsets = 0.5 * (centres[1:] + centres[:-1])
    highest = density.max(axis=1, keepdims=True)
    # Of several creases the nearest: fissures lie farther than the embrasure.
    is_crease = (density > CREASE_PER_MM) & (density > 0.5 * highest) & (np.abs(offsets) > BIN_MM)
    best = np.argmin(np.where(is_crease, np.abs(offsets), np.inf), axis=1)
    at_crease = density[np.arange(len(curved)), best]
    return is_crease.any(axis=1) & (at_border < np.minimum(0.3 * at_crease, LEAST_CREASED)), offsets[best]


def curve_and_up(facts: Facts) -> tuple[ArchCurve, FloatArray]:
    """What must be there for teeth to be measured along the arch."""
    curve, up = facts.frame.curve, facts.frame.up
    if curve is None or up is None:
        raise ValueError("these teeth have no arch curve")
    return curve, up
