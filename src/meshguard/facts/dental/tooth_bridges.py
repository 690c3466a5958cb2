"""Bridges: surface that runs from one crown to the next although their walls stand apart right beside it.

A scanner sees neighbours meet in a valley: the walls of both crowns converge until the gap between them is too narrow
to look into. Where it closes the gap by a sheet instead, the walls on either side of the sheet face each other across
empty space. So cross-sections of the boundary between two teeth are looked at: the surface near it, in windows along
the boundary and in steps away from it on either side, each with its mean place and normal. The gap of a window is the
distance between the nearest two of its steps, one on each crown, that face each other. Where walls converge, that is
about the size of the faces; where they open wider than a slit, no two steps face each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import centroids
from meshguard.facts.dental.tooth_boundaries import NEAR_MM
from meshguard.halfedges import unit_vectors

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray, Whole
    from meshguard.facts.dental.tooth_boundaries import Band, ToothBoundaries
    from meshguard.facts.mesh.facts import MeshFacts
    from meshguard.mesh import FloatArray, IntArray

WINDOW_MM = 0.5
"""Length of the part of a boundary that one cross-section stands for."""

STEP_MM = 0.1
"""Width of a step away from the boundary: raw scans have faces of about this size between the teeth."""

STEPS = round(NEAR_MM / STEP_MM)
"""Steps on either side of the boundary."""

OPPOSED = -0.9
"""Walls face each other when the dot product of their unit normals is below this: within 26 degrees of parallel. For
walls that converge at the bottom of a rounded valley it is below -0.7 on half the boundaries of a raw scan."""

FACING = 0.8
"""The direction from one wall to the other is within 37 degrees of the normals of both."""

WIDEST_MM = 1.0
"""A wider gap stays open: scanners see into it, and published bridges span up to 0.4 mm."""

GRAINS = 1.5
"""A gap counts when it is wider than this many of the faces that lie across it. Where a valley is so narrow that its
floor is one face, it looks like a bridge as wide as that face."""


class Bridges(NamedTuple):
    """Boundaries between two teeth, and how far the walls stand apart beside them; by pair of labels.

    Attributes:
        pairs: int32 (p, 2), labels, the lower first.
        length: float64 (p,), of the boundary, mm.
        bridged_mm: float64 (p,), length of the boundary beside which the gap is wider than the limit and than the faces
            can show.
        gap_mm: float64 (p,), median gap there, weighted by length; NaN where there is none.
        is_neck: bool (p,), whether the boundary is closed, so that there is air all around what joins the two.
        edges: list of int32 arrays, the half-edges of each boundary.
    """

    pairs: IntArray
    length: FloatArray
    bridged_mm: FloatArray
    gap_mm: FloatArray
    is_neck: BoolArray
    edges: list[IntArray]


def find_bridges(surface: MeshFacts, boundaries: ToothBoundaries, band: Band, limit_mm: float) -> Bridges:
    """The boundaries between two teeth, and which parts of them lie in a gap wider than a limit."""
    count = len(boundaries.pairs)
    window = boundaries.parts(WINDOW_MM)[0]
    gap, across = gaps(surface, boundaries, band)
    gap, across = gap[window], across[window]
    corners = surface.positions[surface.corners[surface.edge_faces(boundaries.edges)]]
    grain = np.ptp((corners * across[:, None, None]).sum(axis=3), axis=2).max(axis=1, initial=0.0)
    is_bridged = (gap > np.maximum(limit_mm, GRAINS * grain)) & (gap < WIDEST_MM)
    median = np.full(count, np.nan)
    for k in np.unique(boundaries.pair[is_bridged]).tolist():
        edges = np.flatnonzero(is_bridged & (boundaries.pair == k))
        edges = edges[np.argsort(gap[edges], kind="stable")]
        length = np.cumsum(boundaries.lengths[edges])
        median[k] = gap[edges[int(np.searchsorted(length, 0.5 * length[-1]))]]
    return Bridges(
        boundaries.pairs,
        boundaries.totals(),
        boundaries.totals(np.where(is_bridged, boundaries.lengths, 0.0)),
        median,
        _are_closed(surface, boundaries),
        boundaries.edges_by_pair(),
    )


def gaps(surface: MeshFacts, boundaries: ToothBoundaries, band: Band) -> tuple[FloatArray, FloatArray]:
    """The gap beside each window of the boundaries, and its direction.

    Returns:
        float64 (w,), mm, infinite where no walls face each other; float64 (w, 3), unit vectors from the wall of the
        lower label to the other wall, zeros where there are none.
    """
    window, pair_of_window = boundaries.parts(WINDOW_MM)
    count = len(pair_of_window)
    step = np.minimum((np.abs(band.signed) / STEP_MM).astype(np.int64), STEPS - 1)
    cell = (2 * window[band.nearest] + (band.signed > 0)) * STEPS + step
    centres = centroids(surface.positions, surface.corners[band.faces])

    def summed(values: FloatArray) -> FloatArray:
        columns = [np.bincount(cell, band.areas * column, 2 * count * STEPS) for column in values.T]
        return np.stack(columns, axis=1).astype(np.float64, copy=False).reshape(count, 2, STEPS, len(columns))

    area = summed(np.ones((len(cell), 1)))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        # An empty step has no place, and nothing is near it.
        places = summed(centres) / area
        normals = summed(band.outward * band.normals)
        normals /= np.linalg.norm(normals, axis=3, keepdims=True)
        w, a, b = np.nonzero(normals[:, 0] @ normals[:, 1].transpose(0, 2, 1) < OPPOSED)
        way = places[w, 1, b] - places[w, 0, a]
        distance = np.linalg.norm(way, axis=1)
        way /= distance[:, None]
        is_facing = (way * normals[w, 0, a]).sum(axis=1) > FACING
        is_facing &= (way * normals[w, 1, b]).sum(axis=1) < -FACING
    w, a, b, way, distance = w[is_facing], a[is_facing], b[is_facing], way[is_facing], distance[is_facing]
    order = np.lexsort((distance, w))
    w, first = np.unique(w[order], return_index=True)
    first = order[first]
    gap, across = np.full(count, np.inf), np.zeros((count, 3))
    a, b = a[first], b[first]
    # The gap is measured along the common normal of the walls: the nearest two steps may be a little askew.
    across[w] = unit_vectors(normals[w, 0, a] - normals[w, 1, b])
    apart = distance[first] * (way[first] * across[w]).sum(axis=1)
    # From edge to edge, not from middle to middle: tall faces that converge have their middles far apart.
    walls = np.stack([2 * w * STEPS + a, (2 * w + 1) * STEPS + b], axis=1)
    spread = _spread(surface, band, cell, walls, across)
    gap[w] = apart - 0.5 * (spread / area.reshape(-1)[walls]).sum(axis=1)
    return gap, across


def _spread(surface: MeshFacts, band: Band, cell: Whole, walls: Whole, across: FloatArray) -> FloatArray:
    """Extents across the gap of the faces of each wall, weighted by area and summed, float64 (w, 2)."""
    n_cells = 2 * STEPS * len(across)
    is_wall = np.zeros(n_cells, np.bool_)
    is_wall[walls] = True
    in_wall = np.flatnonzero(is_wall[cell])
    corners = surface.positions[surface.corners[band.faces[in_wall]]]
    extents = np.ptp((corners * across[cell[in_wall] // (2 * STEPS)][:, None]).sum(axis=2), axis=1)
    summed = np.bincount(cell[in_wall], band.areas[in_wall] * extents, n_cells)
    return summed.astype(np.float64, copy=False)[walls]


def _are_closed(surface: MeshFacts, boundaries: ToothBoundaries) -> BoolArray:
    """Whether each pair's boundary has no end, bool (p,)."""
    ends = surface.edge_ends(boundaries.edges).astype(np.int64)
    keys, degree = np.unique(boundaries.pair[:, None] * len(surface.positions) + ends, return_counts=True)
    n_ends = np.bincount(keys[degree % 2 == 1] // max(1, len(surface.positions)), minlength=len(boundaries.pairs))
    is_closed: BoolArray = n_ends == 0
    return is_closed
