"""Facts: everything derived from a mesh, computed once and shared by checks (and by whatever comes after them).

A mesh is immutable, so facts never go stale. Positions, not vertex numbers, decide what is connected: a soup, a welded
and an unwelded file give the same facts. Counts are defined as the report's `stats` define them.
"""

from __future__ import annotations

import math
from functools import cached_property, partial
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.facts.arrays import BoolArray, frozen
from meshguard.facts.bands import Band, Borders, find_borders
from meshguard.facts.cracks import Cracks, find_cracks
from meshguard.facts.crowns import Sizes, sizes_along
from meshguard.facts.frame import ArchFrame, find_frame
from meshguard.facts.intersections import Intersections, find_intersections
from meshguard.facts.loops import Loops, find_loops, genus_of
from meshguard.facts.outlines import Outlines, find_outlines
from meshguard.facts.sidedness import sidedness_of
from meshguard.facts.teeth import GivenLabels, Labelling, Pieces, Teeth, find_labelling, find_pieces, find_teeth
from meshguard.kernels import intersections as intersection_kernels
from meshguard.kernels import topology, triangles
from meshguard.kernels._parallel import fixed_bounds, over_ranges, part_bounds, side_by_side
from meshguard.kernels.folds import mark_folds
from meshguard.kernels.weld import weld_positions

if TYPE_CHECKING:
    from meshguard.mesh import FloatArray, IntArray, Mesh
    from meshguard.policy import Policy


class FaceMeasures(NamedTuple):
    """What each face is alone: area in mm2, float64 (m,); flags, uint16 (m,), bits of `kernels.triangles`."""

    area: FloatArray
    flags: npt.NDArray[np.uint16]


class Edges(NamedTuple):
    """How faces meet.

    Attributes:
        twins: int32 (3m,), see `kernels.topology`.
        boundary: int32, half-edges of edges with one face, ascending.
        crowded: int32, half-edges of edges with more than two faces, those of an edge side by side.
        n_edges: number of edges.
    """

    twins: IntArray
    boundary: IntArray
    crowded: IntArray
    n_edges: int


class Components(NamedTuple):
    """Sets of faces connected through edges, by order of first face.

    Attributes:
        of_face: int32 (m,), component of each face; −1 for faces that take no part.
        measures: float64 (C, 13), columns as in `kernels.topology`; mm, mm2, mm3.
        counts: int64 (C, 6), columns as in `kernels.topology`.
        folds: bool (3m,), the lower half-edge of each near-folding edge.
        doubled: bool (m,), faces that may have the positions of another.
    """

    of_face: IntArray
    measures: FloatArray
    counts: npt.NDArray[np.int64]
    folds: BoolArray
    doubled: BoolArray


class Facts:
    """Everything derived from a mesh under a policy; each property is computed on first use and kept."""

    def __init__(self, mesh: Mesh, policy: Policy, *, given: GivenLabels | None = None) -> None:
        self.mesh = mesh
        self.policy = policy
        self.given = given
        """What is known of the labels, where they came from elsewhere; None: they are taken as they look."""

    # ---- positions

    @cached_property
    def remap(self) -> IntArray:
        """Position number of each vertex, int32 (n,), by first occurrence."""
        return self._welded[0]

    @cached_property
    def first_vertex(self) -> IntArray:
        """First vertex on each position, int32 (p,)."""
        return self._welded[1]

    @cached_property
    def positions(self) -> FloatArray:
        """The different positions, float64 (p, 3), mm, by first occurrence."""
        if len(self.first_vertex) == len(self.mesh.vertices):
            return self.mesh.vertices
        return frozen(self.mesh.vertices[self.first_vertex])

    @cached_property
    def corners(self) -> IntArray:
        """Positions of each face's corners, int32 (m, 3)."""
        if len(self.first_vertex) == len(self.mesh.vertices):
            return self.mesh.faces
        return frozen(self.remap[self.mesh.faces])

    @cached_property
    def _welded(self) -> tuple[IntArray, IntArray]:
        remap = np.empty(len(self.mesh.vertices), np.int32)
        count = weld_positions(self.mesh.vertices, remap)
        if count == len(remap):
            first = frozen(np.arange(count, dtype=np.int32))
        else:
            first = np.empty(count, np.int32)
            first[remap[::-1]] = np.arange(
                len(remap) - 1, -1, -1, dtype=np.int32
            )  # the first occurrence is written last
        return frozen(remap), frozen(first)

    @cached_property
    def is_finite(self) -> BoolArray:
        """Whether each vertex of the mesh has finite coordinates, bool (n,)."""
        x, y, z = self.mesh.vertices.T
        return frozen(np.isfinite(x) & np.isfinite(y) & np.isfinite(z))

    @cached_property
    def span(self) -> FloatArray:
        """Smallest and largest finite coordinates of all vertices, float64 (2, 3), mm; zeros where there are none."""
        if not self.is_finite.any():
            return np.zeros((2, 3))
        kept = slice(None) if self.is_finite.all() else self.is_finite
        columns = [x[kept] for x in self.mesh.vertices.T]
        return np.array([[x.min() for x in columns], [x.max() for x in columns]])

    @cached_property
    def box(self) -> FloatArray:
        """Smallest and largest coordinates of the faces' finite corners, float64 (2, 3), mm; zeros without any."""
        used = self.components.measures
        if not len(used):
            return np.zeros((2, 3))
        lowest, highest = topology.BOX, topology.BOX + 3
        return np.stack([used[:, lowest : lowest + 3].min(axis=0), used[:, highest : highest + 3].max(axis=0)])

    @cached_property
    def extent(self) -> FloatArray:
        """Sides of `box`, float64 (3,), mm; infinite where they overflow."""
        with np.errstate(over="ignore"):
            sides: FloatArray = self.box[1] - self.box[0]
        return sides

    @cached_property
    def diagonal(self) -> float:
        """Diagonal of `box`, mm."""
        with np.errstate(over="ignore"):
            return float(np.linalg.norm(self.extent))

    # ---- faces

    @cached_property
    def faces(self) -> FaceMeasures:
        """Area and flags of each face."""
        m = len(self.mesh.faces)
        positions, corners, policy = self.positions, self.corners, self.policy
        area, flags = np.empty(m, np.float64), np.empty(m, np.uint16)
        with np.errstate(over="ignore"):
            short = policy.tolerance("short_edge").within(float(np.linalg.norm(self.span[1] - self.span[0])))
        aspect, cap_cos = policy.limit("aspect"), math.cos(math.radians(policy.limit("cap_angle_deg")))
        over_ranges(
            m,
            lambda lo, hi: triangles.measure_faces(positions, corners, lo, hi, aspect, cap_cos, short, area, flags),
        )
        return FaceMeasures(frozen(area), frozen(flags))

    def flagged(self, bit: int) -> IntArray:
        """Faces whose flags have a bit of `kernels.triangles`, int32, ascending."""
        return np.flatnonzero(self.faces.flags & np.uint16(bit)).astype(np.int32)

    @cached_property
    def n_finite(self) -> int:
        """Faces without a non-finite corner."""
        return len(self.mesh.faces) - int(np.count_nonzero(self.faces.flags & np.uint16(triangles.NONFINITE)))

    @cached_property
    def is_degenerate(self) -> BoolArray:
        """Whether each face has a non-finite corner or exactly collinear ones, bool (m,)."""
        return frozen((self.faces.flags & np.uint16(triangles.NONFINITE | triangles.COLLINEAR)) != 0)

    @cached_property
    def is_sound(self) -> BoolArray:
        """Whether each face is not degenerate, and within the range of exact predicates, bool (m,)."""
        outside = (self.faces.flags & np.uint16(triangles.OUTSIDE_EXACT)) != 0
        return frozen(~self.is_degenerate & ~outside)

    @cached_property
    def sound_faces(self) -> IntArray:
        """The sound faces, int32, ascending."""
        return frozen(np.flatnonzero(self.is_sound).astype(np.int32))

    # ---- edges

    @cached_property
    def corner_spans(self) -> IntArray:
        """Lowest and highest position of each `topology.CHUNK` faces, int32 (chunks, 2)."""
        flat, size = self.corners.reshape(-1), 3 * topology.CHUNK
        whole = len(flat) // size
        parts = [flat[: whole * size].reshape(whole, size), flat[None, whole * size :]]
        ends = [[part.min(axis=1), part.max(axis=1)] for part in parts if part.size]
        return frozen(np.ascontiguousarray(np.concatenate(ends, axis=1).T if ends else np.empty((0, 2)), np.int32))

    @cached_property
    def edges(self) -> Edges:
        """Twins, boundary and crowded half-edges. Faces with a non-finite or a repeated corner take no part."""
        corners, spans = self.corners, self.corner_spans
        m = len(corners)
        unused = frozen((self.faces.flags & np.uint16(triangles.NONFINITE | triangles.REPEATED)) != 0)
        twins = np.empty(3 * m, np.int32) if not unused.any() else np.full(3 * m, topology.UNUSED, np.int32)
        bounds = part_bounds(len(self.positions))
        counts = np.zeros((len(bounds) - 1, 3), np.int64)
        crowds: list[IntArray] = [np.empty(0, np.int32)] * (len(bounds) - 1)

        def group(part: int) -> None:
            lo, hi = bounds[part], bounds[part + 1]
            halfedges = np.empty(3 * m, np.int32)
            topology.group_edges(corners, spans, unused, lo, hi, halfedges, twins, counts[part])
            if counts[part, 2]:
                halfedges = halfedges[: counts[part, 0]]
                crowds[part] = halfedges[twins[halfedges] == topology.CROWDED]

        side_by_side([partial(group, part) for part in range(len(bounds) - 1)])
        boundary = np.flatnonzero(twins == topology.BOUNDARY).astype(np.int32)
        return Edges(
            twins=frozen(twins),
            boundary=frozen(boundary),
            crowded=frozen(np.concatenate(crowds)),
            n_edges=int(counts[:, 1].sum()),
        )

    @cached_property
    def fans(self) -> tuple[IntArray, IntArray, int]:
        """Lowest corner of each corner's fan, int32 (3m,); fans at each position, int32 (p,); how many have several."""
        fan, fans = np.empty(3 * len(self.corners), np.int32), np.empty(len(self.positions), np.int32)
        several = topology.connect_corners(self.corners, self.edges.twins, self.edges.crowded, fan, fans)
        return frozen(fan), frozen(fans), several

    @cached_property
    def components(self) -> Components:
        """Components with their sums, near-folds, and faces that may be doubled."""
        corners, twins, crowded, m = self.corners, self.edges.twins, self.edges.crowded, len(self.corners)
        component, anchor, doubled = np.empty(m, np.int32), np.empty(m, np.int32), np.empty(m, np.bool_)
        found: list[int] = []
        side_by_side(
            [
                lambda: found.append(topology.connect_faces(corners, twins, crowded, component, anchor, doubled)),
                lambda: self.fans,
            ]
        )
        measures = np.empty((found[0], topology.COLUMNS), np.float64)
        counts = np.empty((found[0], topology.COUNTS), np.int64)
        folds = np.empty(3 * m, np.bool_)
        fold_cos = math.cos(math.radians(self.policy.limit("fold_angle_deg")))
        component, anchor = frozen(component), frozen(anchor)
        positions, fan, area = self.positions, self.fans[0], self.faces.area
        # Two ranges at least, so that folds are marked beside the sums.
        side_by_side(
            [
                lambda: topology.measure_components(
                    positions, corners, twins, component, anchor, fan, area, crowded, measures, counts
                ),
                *(
                    partial(mark_folds, positions, corners, twins, fold_cos, lo, hi, folds)
                    for lo, hi in pairwise(fixed_bounds(m))
                ),
            ]
        )
        return Components(component, frozen(measures), frozen(counts), frozen(folds), frozen(doubled))

    @cached_property
    def main(self) -> int:
        """The component with the largest area; of equals the one with the least position; −1 where there is none."""
        areas = self.components.measures[:, topology.AREA]
        if not len(areas):
            return -1
        # Sums in another order differ by rounding: what is equal but for that is equal, whatever the order of faces.
        largest = np.flatnonzero(areas >= areas.max() * (1 - 1e-12)).tolist()
        if len(largest) == 1:
            return int(largest[0])
        return int(min(largest, key=lambda component: tuple(self.positions[self.least_position(component)])))

    @cached_property
    def is_open(self) -> BoolArray:
        """Whether each component has an edge with one face, bool (C,)."""
        return frozen(self.components.counts[:, topology.BOUNDARY_EDGES] > 0)

    @cached_property
    def faces_by_component(self) -> tuple[IntArray, IntArray]:
        """CSR of the faces of each component: offsets int32 (C + 1,), faces int32, ascending within each."""
        of_face, count = self.components.of_face, len(self.components.counts)
        order = np.argsort(of_face, kind="stable").astype(np.int32)
        offsets = np.searchsorted(of_face[order], np.arange(count + 1)).astype(np.int32)
        return frozen(offsets), frozen(order)

    def faces_of(self, component: int) -> IntArray:
        """The faces of a component, int32, ascending."""
        if (
            len(self.components.counts) == 1
            and self.n_finite == len(self.corners)
            and not self.flagged(triangles.REPEATED).size
        ):
            return frozen(np.arange(len(self.corners), dtype=np.int32))
        offsets, faces = self.faces_by_component
        return faces[offsets[component] : offsets[component + 1]]

    def least_position(self, component: int) -> int:
        """The position of a component's corners that is least in x, then y, then z."""
        is_least = self.positions[:, 0] == self.components.measures[component, topology.BOX]
        flat = self.corners.reshape(-1)
        there = np.flatnonzero(is_least[flat])
        used = np.unique(flat[there[self.components.of_face[there // 3] == component]])
        return int(used[np.lexsort(self.positions[used].T[::-1])[0]])

    # ---- what shares positions

    @cached_property
    def duplicates(self) -> list[IntArray]:
        """Groups of faces with the same three positions and area, each ascending, by first face."""
        doubtful = np.flatnonzero(self.components.doubled & ((self.faces.flags & np.uint16(triangles.COLLINEAR)) == 0))
        triples = np.sort(self.corners[doubtful], axis=1)
        order = np.lexsort((doubtful, triples[:, 2], triples[:, 1], triples[:, 0]))
        triples, doubtful = triples[order], doubtful[order].astype(np.int32)
        first = (
            np.flatnonzero(np.concatenate([[True], (triples[1:] != triples[:-1]).any(axis=1)])) if len(order) else order
        )
        groups = [group.astype(np.int32) for group in np.split(doubtful, first[1:]) if len(group) > 1]
        return sorted(groups, key=lambda group: int(group[0]))

    @cached_property
    def twisted(self) -> tuple[BoolArray, BoolArray, IntArray]:
        """Components that cannot be wound consistently, and the faces to turn over in the others.

        bool (C,); bool (m,), faces wound against the first face of their patch, where a patch is what edges of exactly
        two faces connect; int32 (m,), that first face.
        """
        m, components = len(self.corners), self.components
        flip, patch = np.empty(m, np.bool_), np.empty(m, np.int32)
        twisted = np.empty(len(components.counts), np.bool_)
        topology.orient_faces(self.edges.twins, self.corners.reshape(-1), components.of_face, flip, patch, twisted)
        return frozen(twisted), frozen(flip), frozen(patch)

    @cached_property
    def miswound(self) -> IntArray:
        """Lower half-edge of each edge whose two faces run it the same way, int32, ascending."""
        known = vars(self).get("components")  # a step of repair asks before anything needs components
        if known is not None and not known.counts[:, topology.MISWOUND_EDGES].any():
            return np.empty(0, np.int32)
        flat, twins = self.corners.reshape(-1), self.edges.twins
        pairs = np.flatnonzero(twins > np.arange(len(twins))).astype(np.int32)
        same_way: IntArray = pairs[flat[pairs] == flat[twins[pairs]]]
        return same_way

    @cached_property
    def inverted_bodies(self) -> list[int]:
        """Closed components of negative volume that lie in no other closed component's bounding box."""
        closed = np.flatnonzero(~self.is_open)
        measures = self.components.measures
        lowest = measures[closed, topology.BOX : topology.BOX + 3]
        highest = measures[closed, topology.BOX + 3 : topology.BOX + 6]
        inverted = []
        for place in np.flatnonzero(measures[closed, topology.VOLUME] < 0):
            within = (lowest < lowest[place]).all(axis=1) & (highest > highest[place]).all(axis=1)
            if not within.any():
                inverted.append(int(closed[place]))
        return inverted

    @cached_property
    def genus(self) -> IntArray:
        """Handles of each component, int32 (C,); −1 for one with non-manifold edges or without two sides."""
        return genus_of(self)

    def has_volume(self, component: int) -> bool:
        """Whether a component's signed volume is more than rounding can make of none, as for a sheet laid double."""
        measures, faces = self.components.measures[component], self.components.counts[component, topology.FACES]
        return bool(abs(measures[topology.VOLUME]) > 1e-15 * (8 + faces) * measures[topology.SWEPT])

    # ---- boundary

    @cached_property
    def loops(self) -> Loops:
        """Boundary loops with measures, component, and which of them is the rim of its sheet."""
        return find_loops(self, self.policy.limit("rim_share"))

    @cached_property
    def boundary_groups(self) -> int:
        """Sets of boundary edges connected through positions."""
        return len(set(self.clusters(self.edge_ends(self.edges.boundary)).tolist()))

    @cached_property
    def cracks(self) -> Cracks | None:
        """Boundary vertices that a weld within the policy's distance would join; None where too many crowd."""
        return find_cracks(self, self.policy.tolerance("weld").within(self.diagonal))

    # ---- intersections

    @cached_property
    def intersections(self) -> Intersections:
        """Pairs of faces that share more than their common vertices and edges, up to the policy's cap."""
        return find_intersections(self, int(min(self.policy.limit("max_pairs"), 2**31 - 1)))

    @cached_property
    def is_between_bodies(self) -> BoolArray:
        """Whether each intersecting pair is of two different closed components, bool (k,): an assembly."""
        one, other = self.components.of_face[self.intersections.pairs].T
        closed = ~self.is_open
        return frozen((one != other) & closed[one] & closed[other])

    def is_exact_fold(self, edges: IntArray) -> BoolArray:
        """Whether the two faces at each of these half-edges lie exactly flat on one another, bool (k,)."""
        folded = self.intersections.pairs[self.intersections.classes == intersection_kernels.FOLD].astype(np.int64)
        faces = np.sort(self.edge_faces(edges), axis=1).astype(np.int64)
        count = len(self.corners)
        return np.isin(faces[:, 0] * count + faces[:, 1], folded[:, 0] * count + folded[:, 1])

    # ---- teeth

    @cached_property
    def labelling(self) -> Labelling | None:
        """The tooth labels that the mesh carries, or None."""
        return find_labelling(self)

    @cached_property
    def pieces(self) -> Pieces:
        """Pieces of equal label; only where `labelling` is usable."""
        return find_pieces(self, self.labels)

    @cached_property
    def teeth(self) -> Teeth:
        """The labelled teeth; only where `labelling` is usable."""
        return find_teeth(self, self.pieces)

    @cached_property
    def sizes(self) -> Sizes | None:
        """Order and sizes of the labelled teeth; None where they have no arch curve."""
        return None if self.frame.curve is None or self.frame.up is None else sizes_along(self)

    @cached_property
    def borders(self) -> tuple[Borders, Band]:
        """The edges between two teeth, and the surface close to them."""
        return find_borders(self)

    @cached_property
    def outlines(self) -> Outlines:
        """What the outlines of the crowns are like."""
        return find_outlines(self)

    @cached_property
    def frame(self) -> ArchFrame:
        """Occlusal plane, midline, arch curve and jaw, from labels where there are any, else from the shape alone."""
        return find_frame(self)

    @property
    def labels(self) -> Labelling:
        """The labels, where they are usable; a ValueError where not."""
        if self.labelling is None or self.labelling.why_not is not None:
            raise ValueError("this mesh has no usable labels")
        return self.labelling

    # ---- sidedness

    def sidedness(self, component: int) -> float:
        """Which side of a component faces outward: 1 its front, −1 its back, near 0 undecided."""
        known: dict[int, float] = vars(self).setdefault("_sidedness", {})
        if component not in known:
            known[component] = sidedness_of(self, component)
        return known[component]

    # ---- elements

    def edge_ends(self, halfedges: IntArray) -> IntArray:
        """The two positions of half-edges, int32 (k, 2)."""
        flat = self.corners.reshape(-1)
        ahead = np.where(halfedges % 3 == 2, halfedges - 2, halfedges + 1)
        return np.stack([flat[halfedges], flat[ahead]], axis=1)

    def edge_faces(self, halfedges: IntArray) -> IntArray:
        """The two faces at half-edges that have a twin, their own first, int32 (k, 2)."""
        return np.stack([halfedges // 3, self.edges.twins[halfedges] // 3], axis=1)

    def clusters(self, rows: IntArray) -> IntArray:
        """Cluster of each element, int32 (k,), where elements that share a position belong together; rows (k, w)."""
        label = np.empty(len(rows), np.int32)
        topology.cluster_rows(frozen(np.ascontiguousarray(rows, np.int32)), len(self.positions), label)
        return label
