"""Boundaries between two teeth, and bands of surface along them: where embrasures and bridges are looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import frozen
from meshguard.facts.dental.label_islands import IslandRule
from meshguard.halfedges import edge_keys, face_normals, unit_vectors
from meshguard.kernels import label_regions as kernels

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray, Whole
    from meshguard.facts.dental.label_regions import LabelRegions
    from meshguard.facts.dental.teeth import Teeth
    from meshguard.facts.mesh.facts import MeshFacts
    from meshguard.mesh import FloatArray, IntArray

NEAR_MM = 1.2
"""Width of the bands on either side of all boundaries; wider ones are only made where these leave doubts."""

STRAIGHT = 0.05
"""A boundary is nearly straight when it spreads across itself by less than this share of its spread along."""


class Band(NamedTuple):
    """The faces along boundaries.

    Attributes:
        faces: int32 (b,), ascending.
        nearest: int32 (b,), place of the boundary edge that is nearest over the surface.
        signed: float64 (b,), distance from that edge over the surface, mm; negative inside the lower label.
        normals: float64 (b, 3), unit vectors, as the faces are oriented; zeros for a face without area.
        areas: float64 (b,), mm2.
        outward: 1 where the normals of the crowns point out of them, −1 where the faces are oriented the other way.
    """

    faces: IntArray
    nearest: IntArray
    signed: FloatArray
    normals: FloatArray
    areas: FloatArray
    outward: float


class ToothBoundaries(NamedTuple):
    """The boundaries between two teeth, by their edges.

    Attributes:
        edges: int32 (k,), half-edges, ascending, one for each edge.
        pairs: int32 (p, 2), labels of each pair of teeth that meet, the lower first, sorted.
        pair: int64 (k,), pair of teeth that each edge is between.
        lengths: float64 (k,), of each edge, mm.
        along: float64 (k,), how far along its pair's boundary the middle of each edge lies, mm.
    """

    edges: IntArray
    pairs: IntArray
    pair: Whole
    lengths: FloatArray
    along: FloatArray

    def only(self, is_kept: BoolArray) -> ToothBoundaries:
        """The boundaries of some of the pairs, bool (p,), renumbered."""
        in_kept = is_kept[self.pair]
        number = np.cumsum(is_kept) - 1
        return ToothBoundaries(
            frozen(self.edges[in_kept]),
            self.pairs[is_kept],
            number[self.pair[in_kept]],
            self.lengths[in_kept],
            self.along[in_kept],
        )

    def edges_by_pair(self) -> list[IntArray]:
        """The half-edges of each pair's boundary, ascending."""
        if not len(self.pairs):
            return []
        order = np.argsort(self.pair, kind="stable")
        return np.split(self.edges[order], np.cumsum(np.bincount(self.pair, minlength=len(self.pairs)))[:-1])

    def totals(self, weights: FloatArray | None = None) -> FloatArray:
        """Length of each pair's boundary, float64 (p,), mm; or the sum of other weights of its edges."""
        summed = np.bincount(self.pair, self.lengths if weights is None else weights, len(self.pairs))
        return summed.astype(np.float64, copy=False)

    def parts(self, length_mm: float) -> tuple[Whole, Whole]:
        """Each boundary divided into parts of about this length: part of each edge, int64 (k,); pair of each part.

        There are no more parts than edges, however large a mesh is in its unit of length.
        """
        total, n_edges = self.totals(), np.bincount(self.pair, minlength=len(self.pairs))
        counts = np.clip(np.rint(total / length_mm), 1, n_edges).astype(np.int64)
        run = self.along / np.maximum(total, 1e-12)[self.pair] * counts[self.pair]
        within = np.minimum(run.astype(np.int64), counts[self.pair] - 1)
        return (np.cumsum(counts) - counts)[self.pair] + within, np.repeat(np.arange(len(counts)), counts)


def find_tooth_boundaries(surface: MeshFacts, regions: LabelRegions, teeth: Teeth) -> tuple[ToothBoundaries, Band]:
    """The edges between two teeth with their places along each boundary, and the bands close to them.

    An island on another crown has its border all over that crown, so small regions are left out.
    """
    is_tooth = np.append(teeth.is_main_region, False)  # the last is for no region
    area, rule = regions.area, IslandRule.from_policy(surface.policy)
    for region in np.flatnonzero((regions.label != 0) & (area > rule.area_mm2)).tolist():
        is_tooth[region] |= rule.is_too_large(float(area[region]), teeth.main_area_of(int(regions.label[region])))
    borders = regions.borders
    sides = regions.of_face[surface.edge_faces(borders)]
    is_between = is_tooth[sides].all(axis=1) & (regions.label[sides[:, 0]] != regions.label[sides[:, 1]])
    edges = borders[is_between]
    first, second = np.searchsorted(teeth.labels, regions.label[sides[is_between]]).T
    keys, pair = np.unique(edge_keys(first, second, len(teeth.labels)), return_inverse=True)
    pairs = teeth.labels[np.stack(np.divmod(keys, max(1, len(teeth.labels))), axis=1)]
    ends = surface.positions[surface.edge_ends(edges)]
    lengths = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    pair = pair.reshape(-1).astype(np.int64)
    along = _along(ends.mean(axis=1), lengths, pair, len(pairs))
    boundaries = ToothBoundaries(frozen(edges), frozen(pairs), pair, lengths, along)
    return boundaries, band_along(surface, regions, teeth, boundaries, NEAR_MM)


def _along(middles: FloatArray, lengths: FloatArray, pair: Whole, count: int) -> FloatArray:
    """How far along its boundary each edge lies, mm: by the angle about the boundary's middle, in its own plane.

    A nearly straight boundary has all its edges at two angles; there it is by the place along the line. The result
    depends neither on the order of faces nor on a motion of the mesh: edges are ordered by their places, and each axis
    points to the side where the boundary has the longer tail.
    """
    along = np.zeros(len(pair))
    for k in range(count):
        edges = np.flatnonzero(pair == k)
        edges = edges[np.lexsort(middles[edges].T)]
        away = middles[edges] - middles[edges].mean(axis=0)
        _, spread, plane = np.linalg.svd(away, full_matrices=False)
        plane = plane * np.where(((away @ plane.T) ** 3).sum(axis=0) < 0.0, -1.0, 1.0)[:, None]
        if len(edges) < 3 or spread[1] < STRAIGHT * spread[0]:
            order = np.argsort(away @ plane[0], kind="stable")
        else:
            angle = np.arctan2(away @ plane[1], away @ plane[0])
            order = np.argsort(angle, kind="stable")
            # It starts behind the widest gap, which is where an open boundary ends.
            gaps = np.diff(np.concatenate([angle[order], angle[order[:1]] + 2 * np.pi]))
            order = np.roll(order, -1 - int(np.argmax(gaps)))
        along[edges[order]] = np.cumsum(lengths[edges[order]]) - 0.5 * lengths[edges[order]]
    return along


def band_along(
    surface: MeshFacts, regions: LabelRegions, teeth: Teeth, boundaries: ToothBoundaries, reach_mm: float
) -> Band:
    """The faces within a distance of these boundaries, measured over the surface."""
    positions, corners, m = surface.positions, surface.corners, len(surface.corners)
    distance, nearest, faces = np.full(m, np.inf), np.full(m, -1, np.int32), np.empty(m, np.int32)
    count = kernels.faces_near_borders(
        positions,
        corners,
        surface.edges.twins,
        regions.label_of_face,
        boundaries.edges,
        reach_mm,
        distance,
        nearest,
        faces,
    )
    faces = np.sort(faces[:count])
    nearest = nearest[faces]
    is_lower = regions.label_of_face[faces] == boundaries.pairs[boundaries.pair[nearest], 0]
    normals = face_normals(positions, corners[faces])
    areas = 0.5 * np.linalg.norm(normals, axis=1)
    signed = np.where(is_lower, -1.0, 1.0) * distance[faces]
    return Band(faces, nearest, signed, unit_vectors(normals), areas, teeth.outward)
