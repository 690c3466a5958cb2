"""How ragged the border of each labelled crown is: its length over that of the same border smoothed over 1 mm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.facts.arrays import centroids, frozen
from meshguard.halfedges import previous_halfedge
from meshguard.kernels import label_regions as kernels

if TYPE_CHECKING:
    from meshguard.facts.dental.label_regions import LabelRegions
    from meshguard.facts.dental.labels import Labelling
    from meshguard.facts.dental.teeth import Teeth
    from meshguard.facts.mesh.facts import MeshFacts
    from meshguard.mesh import FloatArray, IntArray

SMOOTHED_OVER_MM = 1.0
"""Length over which a border is smoothed to see how ragged it is: more than an edge of a scan, less than a tooth."""


def find_raggedness(
    surface: MeshFacts, labels: Labelling, regions: LabelRegions, teeth: Teeth
) -> tuple[FloatArray, FloatArray]:
    """How much longer each tooth's border is than its smoothed border, and how far it deviates, relative to its faces.

    Where vertices carry the labels, the border runs between them, through the middles of edges.

    Returns:
        float64 (T,), length over smoothed length; float64 (T,), mean distance between the two over the median longest
        edge of the faces along the border: zigzags no wider than the faces come from the mesh, not from the labels.
        NaN for a tooth without a border.
    """
    if labels.per == "face":
        points, ends, sides = _border_edges(surface, regions)
    else:
        points, ends, sides = _border_segments(surface, labels, regions)
    owners = np.where(sides != 0, np.searchsorted(teeth.labels, sides), -1).astype(np.int32)
    if not len(ends):
        return np.full(len(teeth.labels), np.nan), np.full(len(teeth.labels), np.nan)
    step = float(np.linalg.norm(points[ends[:, 0]] - points[ends[:, 1]], axis=1).mean())
    rounds = int(np.clip(np.ceil(2.0 * (SMOOTHED_OVER_MM / max(step, 1e-9)) ** 2), 2, 60))
    lengths = np.empty((len(teeth.labels), 4))
    kernels.smoothed_lengths(
        frozen(np.ascontiguousarray(points)), frozen(ends.astype(np.int32)), frozen(owners), rounds, lengths
    )
    faces = surface.edge_faces(regions.borders).T.reshape(-1)
    longest = surface.longest_edges(faces)
    label_of_face = regions.label_of_face[faces]
    of_tooth = [longest[label_of_face == label] for label in teeth.labels]
    median = np.array([np.median(edges) if len(edges) else np.nan for edges in of_tooth])
    with np.errstate(invalid="ignore", divide="ignore"):
        return lengths[:, 0] / lengths[:, 1], lengths[:, 2] / lengths[:, 3] / median


def _border_edges(surface: MeshFacts, regions: LabelRegions) -> tuple[FloatArray, IntArray, IntArray]:
    """The edges between faces with different labels: points, ends, and the labels on both sides of each."""
    borders, of_face = regions.borders, regions.label_of_face
    ends = surface.edge_ends(borders)
    used, places = np.unique(ends, return_inverse=True)
    sides = of_face[surface.edge_faces(borders)]
    return surface.positions[used], places.reshape(ends.shape).astype(np.int32), sides


def _border_segments(
    surface: MeshFacts, labels: Labelling, regions: LabelRegions
) -> tuple[FloatArray, IntArray, IntArray]:
    """The segments through faces of which one corner differs: points, ends, and the labels on both sides of each."""
    corners, twins, faces = surface.corners, surface.edges.twins, regions.mixed
    of_corner = labels.of_node[corners[faces]]
    a, b, c = of_corner.T
    has_odd_corner = (a == b) | (b == c) | (a == c)
    faces, of_corner = faces[has_odd_corner], of_corner[has_odd_corner]
    a, b, c = of_corner.T
    odd = np.where(b == c, 0, np.where(a == c, 1, 2))
    # The segment crosses the two edges at the odd corner, each named by the lower of its half-edges.
    leaving = 3 * faces + odd
    crossed = np.stack([leaving, previous_halfedge(leaving)], axis=1)
    crossed = np.where(twins[crossed] >= 0, np.minimum(crossed, twins[crossed]), crossed)
    used, places = np.unique(crossed, return_inverse=True)
    points = centroids(surface.positions, surface.edge_ends(used))
    rows = np.arange(len(faces))
    sides = np.stack([of_corner[rows, odd], of_corner[rows, (odd + 1) % 3]], axis=1)
    return points, places.reshape(crossed.shape).astype(np.int32), sides
