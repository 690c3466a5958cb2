"""Bridges: surface that runs from one crown to the next although their walls stand apart right beside it.

A scanner sees neighbours meet in a valley: the walls of both crowns converge until the gap between them is too narrow
to look into. Where it closes the gap by a sheet instead, the walls on either side of the sheet face one another across
empty space. So cross-sections of the border are looked at: the surface near it, in windows along the border and in
steps away from it on either side, each with its mean place and normal. The gap of a window is the distance between the
nearest two of its steps, one of each crown, that face one another. Where walls converge, the nearest two that do are as
near as the mesh is fine; where they open wider than a slit, there are none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import centroids
from meshguard.facts.dental.tooth_boundaries import NEAR_MM

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.facts.dental.tooth_boundaries import Band, Numbers, ToothBoundaries
    from meshguard.facts.mesh.facts import MeshFacts
    from meshguard.mesh import FloatArray, IntArray

WINDOW_MM = 0.5
"""Length of the part of a border that one cross-section stands for."""

STEP_MM = 0.1
"""Steps away from the border: raw scans have faces of about this size between the teeth."""

STEPS = round(NEAR_MM / STEP_MM)

OPPOSED = -0.9
"""Walls face one another when the product of their unit normals is below this: within 26 degrees of parallel. Walls
that converge at the bottom of a rounded valley are below -0.7 on half the boundaries of a raw scan."""

FACING = 0.8
"""The way from one wall to the other leaves the first, and arrives at the second, within 37 degrees of its normal."""

WIDEST_MM = 1.0
"""A wider gap is one: scanners see into it, and published bridges span up to 0.4 mm."""

GRAINS = 1.5
"""A gap is measured when it is wider than this many of the faces that lie across it. A valley of which the mesh has no
more than its two walls has a floor of one face: it looks like a bridge as wide as that face."""


class Bridges(NamedTuple):
    """Borders between two teeth, and how far their walls stand apart beside them; by pair of labels.

    Attributes:
        pairs: int32 (p, 2), labels, the lower first.
        length: float64 (p,), of the border, mm.
        bridged_mm: float64 (p,), length of the border beside which walls stand apart by more than the limit and grain.
        gap_mm: float64 (p,), median distance of the walls there, by length; NaN where there are none.
        is_neck: bool (p,), whether the border is closed, so that there is air all around what joins the two.
        edges: list of int32 arrays, the half-edges of each border.
    """

    pairs: IntArray
    length: FloatArray
    bridged_mm: FloatArray
    gap_mm: FloatArray
    is_neck: BoolArray
    edges: list[IntArray]


def find_bridges(surface: MeshFacts, boundaries: ToothBoundaries, band: Band, limit_mm: float) -> Bridges:
    """The boundaries between teeth, with those parts of them that lie in a gap of more than a limit."""
    count = len(boundaries.pairs)
    window = boundaries.parts(WINDOW_MM)[0]
    gap, across = gaps(surface, boundaries, band)
    gap, across = gap[window], across[window]
    corners = surface.positions[surface.corners[surface.edge_faces(boundaries.edges)]]
    grain = np.ptp((corners * across[:, None, None]).sum(axis=3), axis=2).max(axis=1, initial=0.0)
    is_bridged = (gap > np.maximum(limit_mm, GRAINS * grain)) & (gap < WIDEST_MM)
    median = np.full(count, np.nan)
    for k in np.unique(boundaries.pair[is_bridged]).tolist():
        mine = np.flatnonzero(is_bridged & (boundaries.pair == k))
        mine = mine[np.argsort(gap[mine], kind="stable")]
        run = np.cumsum(boundaries.lengths[mine])
        median[k] = gap[mine[int(np.searchsorted(run, 0.5 * run[-1]))]]
    return Bridges(
        boundaries.pairs,
        boundaries.totals(),
        boundaries.totals(np.where(is_bridged, boundaries.lengths, 0.0)),
        median,
        _are_closed(surface, boundaries),
        boundaries.edges_by_pair(),
    )


def gaps(surface: MeshFacts, boundaries: ToothBoundaries, band: Band) -> tuple[FloatArray, FloatArray]:
    """The gap beside each window of the boundaries, and which way it lies.

    Returns:
        float64 (w,), mm, infinite where no walls face one another; float64 (w, 3), unit vectors from the wall of the
        lower label to the other, zeros where there are none.
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
        opposed = normals[:, 0] @ normals[:, 1].transpose(0, 2, 1) < OPPOSED
        w, a, b = np.nonzero(opposed)
        way = places[w, 1, b] - places[w, 0, a]
        distance = np.linalg.norm(way, axis=1)
        way /= distance[:, None]
        leaves = (way * normals[w, 0, a]).sum(axis=1) > FACING
        faces_it = leaves & ((way * normals[w, 1, b]).sum(axis=1) < -FACING)
    w, a, b, way, distance = w[faces_it], a[faces_it], b[faces_it], way[faces_it], distance[faces_it]
    order = np.lexsort((distance, w))
    w, first = np.unique(w[order], return_index=True)
    first = order[first]
    gap, across = np.full(count, np.inf), np.zeros((count, 3))
    a, b = a[first], b[first]
    # Across the gap is along the walls' common normal: the nearest two steps may stand a little askew.
    across[w] = normals[w, 0, a] - normals[w, 1, b]
    across[w] /= np.linalg.norm(across[w], axis=1, keepdims=True)
    apart = distance[first] * (way[first] * across[w]).sum(axis=1)
    # From foot to foot, not from middle to middle: tall faces that converge have their middles far apart.
    walls = np.stack([2 * w * STEPS + a, (2 * w + 1) * STEPS + b], axis=1)
    spread = _spread(surface, band, cell, walls, across)
    gap[w] = apart - 0.5 * (spread / area.reshape(-1)[walls]).sum(axis=1)
    return gap, across


def _spread(surface: MeshFacts, band: Band, cell: Numbers, walls: Numbers, across: FloatArray) -> FloatArray:
    """Extents across the gap of the faces of each wall, times their areas, summed, float64 (w, 2)."""
    n_cells = 2 * STEPS * len(across)
    is_wall = np.zeros(n_cells, np.bool_)
    is_wall[walls] = True
    mine = np.flatnonzero(is_wall[cell])
    corners = surface.positions[surface.corners[band.faces[mine]]]
    extents = np.ptp((corners * across[cell[mine] // (2 * STEPS)][:, None]).sum(axis=2), axis=1)
    summed = np.bincount(cell[mine], band.areas[mine] * extents, n_cells)
    return summed.astype(np.float64, copy=False)[walls]


def _are_closed(surface: MeshFacts, boundaries: ToothBoundaries) -> BoolArray:
    """Whether each pair's border has no end, bool (p,)."""
    ends = surface.edge_ends(boundaries.edges).astype(np.int64)
    keys, degree = np.unique(boundaries.pair[:, None] * len(surface.positions) + ends, return_counts=True)
    loose = np.bincount(keys[degree % 2 == 1] // max(1, len(surface.positions)), minlength=len(boundaries.pairs))
    closed: BoolArray = loose == 0
    return closed
