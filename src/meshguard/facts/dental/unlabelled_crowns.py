"""Crowns that are labelled gum: surface on the arch that is as high as the crowns beside it, and stands alone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from meshguard import fdi
from meshguard.facts.arrays import centroids
from meshguard.halfedges import face_normals

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshguard.facts.arrays import BoolArray
    from meshguard.facts.dental.arch_curve import ArchCurve
    from meshguard.facts.dental.label_regions import LabelRegions
    from meshguard.facts.dental.labels import Labelling
    from meshguard.facts.dental.teeth import Teeth
    from meshguard.facts.dental.tooth_sizes import ToothSizes
    from meshguard.facts.mesh.facts import MeshFacts
    from meshguard.mesh import FloatArray, IntArray

NEAR_CURVE_MM = 6.0
"""How far from the arch curve, across it, a crown's faces may lie."""

LARGEST_CROWN_MM = 20.0
"""Diagonal of the bounding box of a crown's upper half; if it is more, it is not a single tooth."""

SILLS = (-0.3, 0.0, 0.35, 0.6)
"""Heights above which crowns are looked for, from the middle of the crowns beside them (0) to their tips (1)."""

MOST_LEVEL = 0.72
"""The length of the summed normals of a crown's upper part over its area is less than this. On real arches and phantoms
crowns have 0.28 to 0.65, gum 0.79 and more."""

MIN_RISE = 0.25
"""A crown rises at least this far above the sill."""

BEYOND_RISE = 0.4
"""Behind the last tooth the sills are this much higher: gum there is often as high as the middle of its crown."""

BEYOND_MM = 12.0
"""How far beyond the last labelled tooth a crown is looked for."""


def find_unlabelled_crowns(
    surface: MeshFacts,
    labels: Labelling,
    regions: LabelRegions,
    teeth: Teeth,
    sizes: ToothSizes,
    curve: ArchCurve,
    up: FloatArray,
) -> tuple[IntArray, IntArray]:
    """Faces labelled gum that stand up like the crowns beside them, in clusters larger than `tooth_like_mm2`.

    Returns:
        Faces int32 (k,), and the cluster of each, int32 (k,), 0 to c - 1.
    """
    none = np.empty(0, np.int32)
    if len(sizes.order) < 2:
        return none, none
    least_mm2 = surface.policy.limit("tooth_like_mm2")
    gum = np.flatnonzero((regions.label_of_face == 0) & (regions.of_face >= 0))
    corners, positions = surface.corners, surface.positions
    levels = teeth.centres @ up
    # Far below the lowest middle of a crown there are no crowns: that excludes most of the gum.
    order = sizes.order
    depth = max(0.0, -SILLS[0]) * float((sizes.top - levels)[order].max())
    is_high = positions @ up > levels[order].min() - depth
    gum = gum[is_high[corners[:, 0][gum]]]
    centres = centroids(positions, corners[gum])
    along, across = curve.placed(centres)
    is_near = np.abs(across) < 1.5 * NEAR_CURVE_MM
    gum, centres, along, across = gum[is_near], centres[is_near], along[is_near], np.abs(across[is_near])
    level = np.interp(along, sizes.along[order], levels[order])
    tops = np.interp(along, sizes.along[order], sizes.top[order])
    rise = (centres @ up - level) / np.maximum(tops - level, 0.5)
    is_beyond = (along < sizes.along[sizes.order].min()) | (along > sizes.along[sizes.order].max())
    rise -= np.where(is_beyond, BEYOND_RISE, 0.0)
    lacks_a_tooth = partial(_lacks_a_tooth, labels, teeth, sizes)
    found: list[IntArray] = []
    # A crown that is connected to high gum at one height stands alone at another.
    for sill in SILLS:
        high = np.flatnonzero(rise > sill)
        if not len(high):
            break
        faces = gum[high].astype(np.int32)
        clusters = surface.clusters(corners[faces])
        highest = np.full(int(clusters.max()) + 1, -np.inf)
        np.maximum.at(highest, clusters, rise[high])
        is_large = (np.bincount(clusters, surface.face_measures.area[faces]) > least_mm2) & (highest > sill + MIN_RISE)
        if not is_large.any():
            continue
        in_large = is_large[clusters]
        high, faces = high[in_large], faces[in_large]
        clusters = (np.cumsum(is_large) - 1)[clusters[in_large]].astype(np.int32)
        is_crown = _is_crown_like(surface, faces, clusters, across[high], along[high], sizes, lacks_a_tooth)
        found += [faces[clusters == cluster] for cluster in np.flatnonzero(is_crown)]
        rise[high[is_crown[clusters]]] = -np.inf
    if not found:
        return none, none
    clusters = np.repeat(np.arange(len(found), dtype=np.int32), [len(faces) for faces in found])
    return np.concatenate(found), clusters


def _lacks_a_tooth(labels: Labelling, teeth: Teeth, sizes: ToothSizes, along: FloatArray) -> BoolArray:
    """Whether the numbers predict another tooth at each place along the arch, float64 (c,), mm; bool (c,).

    They do between two neighbours whose numbers leave one out, and beyond the end of the row that stops earlier than
    the other.
    """
    row = teeth.labels[sizes.order].tolist()
    places = sizes.along[sizes.order]
    none = np.zeros(len(along), np.bool_)
    if not (labels.is_fdi and all(fdi.is_tooth(code) for code in row)):
        return none
    slots = np.array([fdi.arch_index(code) for code in row])
    behind = np.searchsorted(places, along)
    is_between = (behind > 0) & (behind < len(row))
    left, right = np.clip(behind - 1, 0, None), np.clip(behind, None, len(row) - 1)
    first, last = fdi.position(row[0]), fdi.position(row[-1])
    lacks_one: BoolArray = is_between & (np.abs(slots[right] - slots[left]) > 1)
    # Third molars are never expected.
    lacks_one |= (behind == 0) & (first < min(last, 7))
    lacks_one |= (behind == len(row)) & (last < min(first, 7))
    return lacks_one


def _is_crown_like(
    surface: MeshFacts,
    faces: IntArray,
    clusters: IntArray,
    off_curve: FloatArray,
    along: FloatArray,
    sizes: ToothSizes,
    lacks_a_tooth: Callable[[FloatArray], BoolArray],
) -> BoolArray:
    """Whether each cluster of high faces stands alone on the arch as a crown does, bool (c,).

    High gum behind the last molar goes on to the boundary of the scan or out of the arch; a crown ends on all sides.
    """
    count = int(clusters.max()) + 1
    area = surface.face_measures.area[faces]
    total = np.maximum(np.bincount(clusters, area, count), 1e-12)
    mean_off = np.bincount(clusters, area * off_curve, count) / total
    mean_along = np.bincount(clusters, area * along, count) / total
    boundary = surface.edges.boundary
    cluster_of = np.full(len(surface.corners), -1, np.int32)
    cluster_of[faces] = clusters
    boundary = boundary[cluster_of[boundary // 3] >= 0]
    ends = surface.positions[surface.edge_ends(boundary)]
    cut = np.bincount(cluster_of[boundary // 3], np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1), count)
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    for corner in range(3):
        np.minimum.at(low, clusters, surface.positions[surface.corners[faces, corner]])
        np.maximum.at(high, clusters, surface.positions[surface.corners[faces, corner]])
    is_near = (mean_off < NEAR_CURVE_MM) & (np.linalg.norm(high - low, axis=1) < LARGEST_CROWN_MM)
    is_near &= (mean_along > sizes.along[sizes.order].min() - BEYOND_MM) & (
        mean_along < sizes.along[sizes.order].max() + BEYOND_MM
    )
    # High gum bulges; a crown has walls. Where the numbers predict a tooth, its tips alone are enough.
    normal = face_normals(surface.positions, surface.corners[faces])
    summed = np.stack([np.bincount(clusters, 0.5 * normal[:, d], count) for d in range(3)], axis=1)
    is_walled = np.linalg.norm(summed, axis=1) < MOST_LEVEL * total
    is_near &= is_walled | lacks_a_tooth(mean_along)
    # The boundary of the scan is only a small part of the cluster's outline, which is at least as long as a circle's.
    is_alone: BoolArray = is_near & (cut < 0.15 * 2.0 * np.sqrt(np.pi * total))
    return is_alone
