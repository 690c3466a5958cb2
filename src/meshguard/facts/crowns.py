"""What labelled crowns are like: sizes and order, raggedness, creases between neighbours, crowns labelled gum."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard import fdi
from meshguard.facts.arrays import frozen
from meshguard.facts.bands import NEAR_MM, Numbers, band_along
from meshguard.kernels import teeth as kernels
from meshguard.kernels._parallel import part_bounds, side_by_side
from meshguard.kernels.topology import UNUSED

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

NEAR_CURVE_MM = 6.0
"""How far from the arch curve, across it, a crown's faces may lie."""

LARGEST_CROWN_MM = 20.0
"""Diagonal of the box about the upper half of a crown; more is no single tooth."""

SILLS = (-0.3, 0.0, 0.35, 0.6)
"""Heights at which crowns are looked for, from the middle of the crowns beside (0) to their tips (1)."""

MOST_LEVEL = 0.72
"""Length of the summed normals of a crown's upper part over its area: less than this. Measured on real arches and
phantoms: crowns 0.28 to 0.65, gum 0.79 and more."""

MIN_RISE = 0.25
"""A crown rises at least so far above the sill."""

BEYOND_RISE = 0.4
"""Behind the last tooth sills lie so much higher: gum often stands as high there as the middle of its crown."""

BEYOND_MM = 12.0
"""How far beyond the last labelled tooth a crown is looked for."""


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
    teeth, (curve, up) = facts.teeth, _curve_and_up(facts)
    angles = curve.nearest(teeth.centres)
    tangents = curve.tangents(angles)
    axes = np.stack([tangents, np.cross(tangents, up), np.broadcast_to(up, tangents.shape)], axis=1)
    bounds, axes = part_bounds(len(facts.corners)), frozen(np.ascontiguousarray(axes))
    parts = np.empty((len(bounds) - 1, len(angles), 3, 2))

    def part(k: int) -> None:
        kernels.extents_along(facts.positions, facts.corners, teeth.of_face, axes, bounds[k], bounds[k + 1], parts[k])

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
    points, ends, owners = _border_edges(facts) if facts.labels.by == "face" else _border_segments(facts)
    if not len(ends):
        return np.full(len(teeth.labels), np.nan), np.full(len(teeth.labels), np.nan)
    step = float(np.linalg.norm(points[ends[:, 0]] - points[ends[:, 1]], axis=1).mean())
    rounds = int(np.clip(np.ceil(2.0 * (SMOOTHED_OVER_MM / max(step, 1e-9)) ** 2), 2, 60))
    lengths = np.empty((len(teeth.labels), 4))
    kernels.smoothed_lengths(
        frozen(np.ascontiguousarray(points)), frozen(ends.astype(np.int32)), frozen(owners), rounds, lengths
    )
    borders = facts.pieces.borders
    faces = np.concatenate([borders // 3, facts.edges.twins[borders] // 3])
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
    sides = np.stack([of_face[borders // 3], of_face[facts.edges.twins[borders] // 3]], axis=1)
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
    points = facts.positions[facts.edge_ends(used)].mean(axis=1)
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
    order = np.argsort(borders.pair, kind="stable")
    edges = np.split(borders.edges[order], np.cumsum(np.bincount(borders.pair, minlength=n_pairs))[:-1])
    twins = facts.edges.twins
    grain = np.array([np.median(_longest_edges(facts, np.concatenate([h // 3, twins[h] // 3]))) for h in edges])
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

    curved = binned(chunk[p], 0.5 * (signed[p] + signed[q]), bent)
    area = binned(chunk, signed, band.areas)
    middle = n_bins // 2
    with np.errstate(invalid="ignore", divide="ignore"):
        at_border = curved[:, middle - 2 : middle + 2].sum(axis=1) / area[:, middle - 2 : middle + 2].sum(axis=1)
    length_of_chunk = np.bincount(chunk_of_edge, borders.lengths, n_chunks).astype(np.float64, copy=False)
    return _Profile(pair_of_chunk, length_of_chunk, curved, area), at_border


def _longest_edges(facts: Facts, faces: IntArray) -> FloatArray:
    """Length of the longest edge of each of these faces, mm."""
    a, b, c = (facts.positions[facts.corners[faces, k]] for k in range(3))
    squares = [((p - q) ** 2).sum(axis=1) for p, q in ((a, b), (b, c), (c, a))]
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


def _curve_and_up(facts: Facts) -> tuple[ArchCurve, FloatArray]:
    """What must be there for teeth to be measured along the arch."""
    curve, up = facts.frame.curve, facts.frame.up
    if curve is None or up is None:
        raise ValueError("these teeth have no arch curve")
    return curve, up


def tooth_like_gum(facts: Facts, least_mm2: float) -> tuple[IntArray, IntArray]:
    """Faces labelled gum that stand up like the crowns beside them, in clusters of more than an area.

    Returns:
        int32 (k,); int32 (k,), cluster of each, 0 to c - 1.
    """
    none = np.empty(0, np.int32)
    sizes = facts.sizes
    if sizes is None or len(sizes.order) < 2:
        return none, none
    teeth, (curve, up) = facts.teeth, _curve_and_up(facts)
    gum = np.flatnonzero((facts.pieces.label_of_face == 0) & (facts.edges.twins[::3] != UNUSED))
    corners, positions = facts.corners, facts.positions
    heights = positions @ up
    levels = teeth.centres @ up
    # Far below the lowest of the crowns' middles there is no crown: that spares most of the gum.
    order = sizes.order
    depth = max(0.0, -SILLS[0]) * float((sizes.top - levels)[order].max())
    gum = gum[heights[corners[gum, 0]] > levels[order].min() - depth]
    centres = sum(positions[corners[gum, k]] for k in range(3)) / 3.0
    along, across = curve.placed(centres)
    is_near = np.abs(across) < 1.5 * NEAR_CURVE_MM
    gum, centres, along, across = gum[is_near], centres[is_near], along[is_near], np.abs(across[is_near])
    level = np.interp(along, sizes.along[order], levels[order])
    tops = np.interp(along, sizes.along[order], sizes.top[order])
    rise = (centres @ up - level) / np.maximum(tops - level, 0.5)
    beyond = (along < sizes.along[sizes.order].min()) | (along > sizes.along[sizes.order].max())
    rise -= np.where(beyond, BEYOND_RISE, 0.0)
    found: list[IntArray] = []
    # A crown that runs into high gum at one height stands alone at another.
    for sill in SILLS:
        high = np.flatnonzero(rise > sill)
        if not len(high):
            break
        faces = gum[high].astype(np.int32)
        clusters = facts.clusters(corners[faces])
        highest = np.full(int(clusters.max()) + 1, -np.inf)
        np.maximum.at(highest, clusters, rise[high])
        kept = _is_crown_like(facts, faces, clusters, across[high], along[high], sizes) & (highest > sill + MIN_RISE)
        kept &= np.bincount(clusters, facts.faces.area[faces]) > least_mm2
        chosen = kept[clusters]
        found += [faces[clusters == cluster] for cluster in np.flatnonzero(kept)]
        rise[high[chosen]] = -np.inf
    if not found:
        return none, none
    clusters = np.repeat(np.arange(len(found), dtype=np.int32), [len(faces) for faces in found])
    return np.concatenate(found), clusters


def _lacks_a_tooth(facts: Facts, sizes: Sizes, along: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether the numbers let expect another tooth at places along the arch, float64 (c,), mm.

    So it is between two neighbours whose numbers leave one out, and beyond the end of the row that stops earlier than
    the other.
    """
    row = facts.teeth.labels[sizes.order].tolist()
    places = sizes.along[sizes.order]
    none = np.zeros(len(along), np.bool_)
    if not (facts.labels.is_fdi and all(fdi.is_tooth(code) for code in row)):
        return none
    slots = np.array([fdi.arch_index(code) for code in row])
    behind = np.searchsorted(places, along)
    between = (behind > 0) & (behind < len(row))
    left, right = np.clip(behind - 1, 0, None), np.clip(behind, None, len(row) - 1)
    first, last = fdi.position(row[0]), fdi.position(row[-1])
    lacking: npt.NDArray[np.bool_] = between & (np.abs(slots[right] - slots[left]) > 1)
    # A third molar is expected of nobody.
    lacking |= (behind == 0) & (first < min(last, 7))
    lacking |= (behind == len(row)) & (last < min(first, 7))
    return lacking


def _is_crown_like(
    facts: Facts, faces: IntArray, clusters: IntArray, off_curve: FloatArray, along: FloatArray, sizes: Sizes
) -> npt.NDArray[np.bool_]:
    """Whether each cluster of high faces stands alone on the arch as a crown does, bool (c,).

    High gum behind the last molar runs on, to the border of the scan or out of the arch; a crown ends on all sides.
    """
    count = int(clusters.max()) + 1
    area = facts.faces.area[faces]
    total = np.maximum(np.bincount(clusters, area, count), 1e-12)
    mean_off = np.bincount(clusters, area * off_curve, count) / total
    mean_along = np.bincount(clusters, area * along, count) / total
    rim = facts.edges.boundary
    owner = np.full(len(facts.corners), -1, np.int32)
    owner[faces] = clusters
    rim = rim[owner[rim // 3] >= 0]
    ends = facts.positions[facts.edge_ends(rim)]
    cut = np.bincount(owner[rim // 3], np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1), count)
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    for corner in range(3):
        np.minimum.at(low, clusters, facts.positions[facts.corners[faces, corner]])
        np.maximum.at(high, clusters, facts.positions[facts.corners[faces, corner]])
    is_near = (mean_off < NEAR_CURVE_MM) & (np.linalg.norm(high - low, axis=1) < LARGEST_CROWN_MM)
    is_near &= (mean_along > sizes.along[sizes.order].min() - BEYOND_MM) & (
        mean_along < sizes.along[sizes.order].max() + BEYOND_MM
    )
    # High gum bulges; a crown has walls. Where the numbers let expect a tooth, its tips alone will do.
    normal = np.cross(
        facts.positions[facts.corners[faces, 1]] - facts.positions[facts.corners[faces, 0]],
        facts.positions[facts.corners[faces, 2]] - facts.positions[facts.corners[faces, 0]],
    )
    summed = np.stack([np.bincount(clusters, 0.5 * normal[:, d], count) for d in range(3)], axis=1)
    is_walled = np.linalg.norm(summed, axis=1) < MOST_LEVEL * total
    is_near &= is_walled | _lacks_a_tooth(facts, sizes, mean_along)
    # A border of the scan that takes part of the cluster's outline: its outline is at least a circle's.
    lone: npt.NDArray[np.bool_] = is_near & (cut < 0.15 * 2.0 * np.sqrt(np.pi * total))
    return lone
