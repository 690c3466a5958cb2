"""Label regions: connected sets of equal labels, what each measures, which of them meet, and where their borders run.

Regions are found on whatever carries the labels. Borders are edges of the mesh between two faces of different labels;
where vertices carry the labels, a face has the label of most of its corners.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import frozen
from meshguard.halfedges import edge_keys
from meshguard.kernels import label_regions as kernels
from meshguard.kernels._parallel import fixed_bounds, side_by_side

if TYPE_CHECKING:
    from meshguard.facts.dental.labels import Labelling
    from meshguard.facts.mesh.facts import MeshFacts
    from meshguard.mesh import FloatArray, IntArray

MANY_REGIONS = 10_000
"""With more regions than any segmentation has, they are not summed in parts: that would take too much memory."""


class LabelRegions(NamedTuple):
    """Connected regions of equal label, by lowest node.

    Attributes:
        of_node: int32 (N,), region of each node; −1 for nodes without edges.
        of_face: int32 (m,), region of each face; −1 likewise.
        label_of_face: int32 (m,), label of each face; of three different corners the middle one.
        label: int32 (R,), label of each region.
        measures: float64 (R, 9), columns as in `kernels.label_regions`, which the properties name.
        pairs: int32 (k, 2), regions that meet, each pair once, the lower first, sorted.
        borders: int32 (k,), half-edges, ascending, one for each edge between faces of different labels.
        mixed: int32 (k,), faces whose corners have different labels, ascending; none where faces carry the labels.
    """

    of_node: IntArray
    of_face: IntArray
    label_of_face: IntArray
    label: IntArray
    measures: FloatArray
    pairs: IntArray
    borders: IntArray
    mixed: IntArray

    @property
    def n_regions(self) -> int:
        """Number of regions, R."""
        return len(self.label)

    @property
    def area(self) -> FloatArray:
        """Area, float64 (R,), mm2."""
        return self.measures[:, kernels.AREA]

    @property
    def centre(self) -> FloatArray:
        """Centroid of the surface, float64 (R, 3), mm; not for gum."""
        return self.measures[:, kernels.CENTRE : kernels.CENTRE + 3]

    @property
    def vector_area(self) -> FloatArray:
        """Sum of the faces' unit normals times their areas, float64 (R, 3), mm2; not for gum."""
        return self.measures[:, kernels.VECTOR : kernels.VECTOR + 3]

    @property
    def n_nodes(self) -> FloatArray:
        """Number of nodes, float64 (R,)."""
        return self.measures[:, kernels.NODES]

    @property
    def boundary_length(self) -> FloatArray:
        """Length of the mesh's boundary along each, float64 (R,), mm."""
        return self.measures[:, kernels.BOUNDARY_LENGTH]

    def nodes_of(self, region: int) -> IntArray:
        """The nodes of a region, faces or positions, int32, ascending."""
        return np.flatnonzero(self.of_node == region).astype(np.int32)


def find_label_regions(surface: MeshFacts, labelling: Labelling) -> LabelRegions:
    """Connected regions of equal label, measured, and which of them meet."""
    edges, by_face, m = surface.edges, labelling.per == "face", len(surface.corners)
    region, of_face, mixed = np.empty(len(labelling.of_node), np.int32), np.empty(m, np.int32), np.empty(m, np.int32)
    borders, meetings = np.empty(3 * m, np.int32), np.empty(0 if by_face else 3 * m, np.int32)
    label, nodes = np.empty(len(region), np.int32), np.empty(len(region), np.int32)
    counts = kernels.label_regions(
        surface.corners,
        edges.twins,
        edges.nonmanifold,
        labelling.of_node,
        by_face,
        of_face,
        region,
        borders,
        meetings,
        mixed,
        label,
        nodes,
    )
    count = max(counts[0], 1)
    region, of_face, face_region = frozen(region), frozen(of_face), np.empty(m, np.int32)
    measures = _measured(surface, labelling, of_face, region, counts[0], face_region)
    measures[:, kernels.NODES] = nodes[: counts[0]]
    borders = frozen(borders[: counts[1]].copy())
    h = borders if by_face else meetings[: counts[2]]
    first, second = region[surface.edge_faces(h) if by_face else surface.edge_ends(h)].T
    pairs = np.stack(np.divmod(np.unique(edge_keys(first, second, count)), count), axis=1).astype(np.int32)
    return LabelRegions(
        region,
        frozen(face_region),
        of_face,
        frozen(label[: counts[0]].copy()),
        frozen(measures),
        frozen(pairs),
        borders,
        frozen(mixed[: counts[3]].copy()),
    )


def _measured(
    surface: MeshFacts, labelling: Labelling, of_face: IntArray, region: IntArray, count: int, out_face_region: IntArray
) -> FloatArray:
    """Measures of each region except its number of nodes, float64 (R, 9); writes the region of each face.

    Summed over parts whose number depends on the input only, so that the sums are the same for any number of threads.
    """
    m = len(surface.corners)
    bounds = fixed_bounds(m) if count <= MANY_REGIONS else [0, m]
    sums = np.empty((len(bounds) - 1, count, kernels.COLUMNS), np.float64)

    def part(k: int) -> None:
        kernels.measure_regions(
            surface.positions,
            surface.corners,
            surface.edges.twins,
            surface.face_measures.area,
            labelling.of_node,
            of_face,
            region,
            labelling.per == "face",
            bounds[k],
            bounds[k + 1],
            sums[k],
            out_face_region,
        )

    side_by_side([partial(part, k) for k in range(len(sums))])
    measures: FloatArray = sums.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        measures[:, kernels.CENTRE : kernels.CENTRE + 3] /= measures[:, kernels.AREA, None]
    return measures
