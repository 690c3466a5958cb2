"""Embrasures: whether the boundary between two labelled crowns lies in the groove where they meet, or beside it.

Between two crowns the surface is concave, on a crown convex. So the mean curvature (the angle at each edge times its
length, over the area: Steiner's formula) is summed in bands along the boundary, on either side of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.dental.tooth_boundaries import NEAR_MM, band_along
from meshguard.halfedges import halfedges_of

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray, Whole
    from meshguard.facts.dental.label_regions import LabelRegions
    from meshguard.facts.dental.teeth import Teeth
    from meshguard.facts.dental.tooth_boundaries import Band, ToothBoundaries
    from meshguard.facts.mesh.facts import MeshFacts
    from meshguard.mesh import FloatArray, IntArray

REACH_MM = 5.2
"""How far from a boundary between two teeth the embrasure is looked for."""

BIN_MM = 0.4
"""Width of a band."""

PART_MM = 5.0
"""Length of the parts of a boundary, each of which is judged by itself."""

LEAST_STRAYED_MM = 2.0
"""Length of a boundary outside its embrasure from which on the embrasure is looked for."""

LEAST_CONCAVE = 0.4
"""Least mean curvature, per mm, of a boundary that lies in an embrasure; over a crown it is negative."""

EMBRASURE_PER_MM = 0.6
"""Mean curvature from which on a band is an embrasure: the embrasures of four real arches have 1 to 5 per mm."""


class Embrasures(NamedTuple):
    """Boundaries between neighbouring teeth, by the lower, then the higher label.

    Attributes:
        pairs: int32 (k, 2), places in `Teeth.labels`, the lower label first.
        length: float64 (k,), of the boundary, mm.
        strayed_mm: float64 (k,), length of the parts of the boundary that run over a crown, beside an embrasure.
        offset: float64 (k,), where that embrasure is: mm from the boundary, positive inside the second tooth, or 0.
        grain_mm: float64 (k,), median longest edge of the faces along the boundary: nothing finer can be measured.
        edges: list of int32 arrays, the half-edges of each boundary.
    """

    pairs: IntArray
    length: FloatArray
    strayed_mm: FloatArray
    offset: FloatArray
    grain_mm: FloatArray
    edges: list[IntArray]


def find_embrasures(
    surface: MeshFacts, regions: LabelRegions, teeth: Teeth, boundaries: ToothBoundaries, band: Band
) -> Embrasures:
    """For each pair of teeth that meet: whether their boundary lies in an embrasure, or where that is instead."""
    empty = np.empty(0)
    none = Embrasures(np.empty((0, 2), np.int32), empty, empty, empty, empty, [])
    if not len(boundaries.edges):
        return none
    # Near the boundary first: where all of it lies in an embrasure, as it should, there is no need to look farther.
    near, curvature = _profile(surface, boundaries, band, NEAR_MM)
    flat = np.where(curvature < LEAST_CONCAVE, near.length_of_part, 0.0)
    is_doubtful = np.bincount(near.pair_of_part, flat, len(boundaries.pairs)) >= LEAST_STRAYED_MM
    if not is_doubtful.any():
        return none
    boundaries = boundaries.only(is_doubtful)
    far, _ = _profile(surface, boundaries, band_along(surface, regions, teeth, boundaries, REACH_MM), REACH_MM)
    n_pairs, pair_of_part = len(boundaries.pairs), far.pair_of_part
    has_strayed, offsets = _strayed(far.curved, far.area)
    # The parts of a boundary may stray to either side; the side with more of them is reported.
    sides = []
    for side in (-1.0, 1.0):
        weight = np.where(has_strayed & (np.sign(offsets) == side), far.length_of_part, 0.0)
        total = np.bincount(pair_of_part, weight, n_pairs)
        sides.append((total, np.bincount(pair_of_part, weight * offsets, n_pairs) / np.maximum(total, 1e-12)))
    strayed = np.maximum(sides[0][0], sides[1][0])
    offset = np.where(sides[0][0] > sides[1][0], sides[0][1], sides[1][1])
    pairs = np.searchsorted(teeth.labels, boundaries.pairs).astype(np.int32)
    edges = boundaries.edges_by_pair()
    grain = np.array([np.median(surface.longest_edges(surface.edge_faces(h).reshape(-1))) for h in edges])
    return Embrasures(pairs, boundaries.totals(), strayed, offset, grain, edges)


class _Profile(NamedTuple):
    """Boundaries divided into parts, and sums over the bands along each part.

    Attributes:
        pair_of_part: int64 (k,), pair of teeth that each part is between.
        length_of_part: float64 (k,), mm.
        curved: float64 (k, bins), integral of the mean curvature over each band, positive where concave, mm.
        area: float64 (k, bins), area of each band, mm2.
    """

    pair_of_part: Whole
    length_of_part: FloatArray
    curved: FloatArray
    area: FloatArray


def _profile(surface: MeshFacts, boundaries: ToothBoundaries, band: Band, reach: float) -> tuple[_Profile, FloatArray]:
    """Sums over bands up to a distance, and the mean curvature right at each part, float64 (k,), per mm."""
    twins, positions = surface.edges.twins, surface.positions
    faces, signed, normals = band.faces, band.signed, band.normals
    place = np.full(len(surface.corners), -1, np.int32)
    place[faces] = np.arange(len(faces), dtype=np.int32)

    h = halfedges_of(faces)
    h = h[twins[h] > h]
    p, q = place[h // 3], place[twins[h] // 3]
    h, p, q = h[q >= 0], p[q >= 0], q[q >= 0]
    ends = surface.edge_ends(h)
    edge = positions[ends[:, 1]] - positions[ends[:, 0]]
    length = np.linalg.norm(edge, axis=1)
    sine = (np.cross(normals[p], normals[q]) * edge).sum(axis=1) / np.maximum(length, 1e-300)
    # A face without area has no normal: its edges have no angle.
    has_angle = (band.areas[p] > 5e-13) & (band.areas[q] > 5e-13)
    bent = np.where(has_angle, -band.outward * np.arctan2(sine, (normals[p] * normals[q]).sum(axis=1)) * length, 0.0)
    part_of_edge, pair_of_part = boundaries.parts(PART_MM)
    part = part_of_edge[band.nearest]
    n_bins, n_parts = 2 * round(reach / BIN_MM), len(pair_of_part)

    def binned(part: Whole, distance: FloatArray, weight: FloatArray) -> FloatArray:
        bins = np.clip((distance + reach) / BIN_MM, 0, n_bins - 1).astype(np.int64)
        sums = np.bincount(part * n_bins + bins, weight, n_parts * n_bins).astype(np.float64, copy=False)
        return sums.reshape(n_parts, n_bins)

    # The angle at an edge between two parts counts half in each: which of its faces comes first is arbitrary.
    at_edge = 0.5 * (signed[p] + signed[q])
    curved = binned(part[p], at_edge, 0.5 * bent) + binned(part[q], at_edge, 0.5 * bent)
    area = binned(part, signed, band.areas)
    middle = n_bins // 2
    with np.errstate(invalid="ignore", divide="ignore"):
        curvature = curved[:, middle - 2 : middle + 2].sum(axis=1) / area[:, middle - 2 : middle + 2].sum(axis=1)
    length_of_part = np.bincount(part_of_edge, boundaries.lengths, n_parts).astype(np.float64, copy=False)
    return _Profile(pair_of_part, length_of_part, curved, area), curvature


def _strayed(curved: FloatArray, area: FloatArray) -> tuple[BoolArray, FloatArray]:
    """Which parts of boundaries run over a crown beside an embrasure, and how far off it is, from sums (k, bins).

    Two neighbouring bands are taken together, since an embrasure of a coarse mesh is as wide as its faces.
    """
    centres = (np.arange(curved.shape[1]) + 0.5) * BIN_MM - REACH_MM
    middle = curved.shape[1] // 2
    near = slice(middle - 2, middle + 2)
    both = area[:, 1:] + area[:, :-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        density = (curved[:, 1:] + curved[:, :-1]) / both
        curvature = curved[:, near].sum(axis=1) / area[:, near].sum(axis=1)
    density[~np.isfinite(density) | (both < 0.3)] = -np.inf
    offsets = 0.5 * (centres[1:] + centres[:-1])
    highest = density.max(axis=1, keepdims=True)
    # Of several grooves the nearest one: fissures lie farther away than the embrasure.
    is_embrasure = (density > EMBRASURE_PER_MM) & (density > 0.5 * highest) & (np.abs(offsets) > BIN_MM)
    best = np.argmin(np.where(is_embrasure, np.abs(offsets), np.inf), axis=1)
    at_embrasure = density[np.arange(len(curved)), best]
    return is_embrasure.any(axis=1) & (curvature < np.minimum(0.3 * at_embrasure, LEAST_CONCAVE)), offsets[best]
