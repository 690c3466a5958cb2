"""Connectivity: positions, edges, fans and components of a mesh, and what each face is by itself.

Positions, not vertex numbers, decide what is connected: a triangle soup, a welded and an unwelded file give the same
facts. Counts are defined as in the report's `stats`.
"""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from meshguard.facts.arrays import BoolArray, frozen
from meshguard.facts.mesh.elements import Components, Edges, FaceMeasures, Fans
from meshguard.facts.once import once
from meshguard.halfedges import edge_ends
from meshguard.kernels import components as component_sums
from meshguard.kernels import topology, triangles
from meshguard.kernels._parallel import fixed_bounds, over_ranges, part_bounds, side_by_side
from meshguard.kernels.bvh import NO_GROUPS, Tree, build_tree
from meshguard.kernels.folds import mark_folds
from meshguard.kernels.weld import weld_positions

if TYPE_CHECKING:
    from meshguard.mesh import FloatArray, IntArray, Mesh
    from meshguard.policy import Policy


class Connectivity:
    """What is connected to what: the base of everything else that is derived from a mesh."""

    def __init__(self, mesh: Mesh, policy: Policy) -> None:
        self.mesh = mesh
        self.policy = policy

    # ---- positions

    @once
    def remap(self) -> IntArray:
        """Position of each vertex, int32 (n,), numbered by first occurrence."""
        return self._welded[0]

    @once
    def first_vertex(self) -> IntArray:
        """First vertex at each position, int32 (p,)."""
        return self._welded[1]

    @once
    def positions(self) -> FloatArray:
        """The distinct positions, float64 (p, 3), mm, by first occurrence."""
        if len(self.first_vertex) == len(self.mesh.vertices):
            return self.mesh.vertices
        return frozen(self.mesh.vertices[self.first_vertex])

    @once
    def corners(self) -> IntArray:
        """Position at each face's corners, int32 (m, 3)."""
        if len(self.first_vertex) == len(self.mesh.vertices):
            return self.mesh.faces
        return frozen(self.remap[self.mesh.faces])

    @once
    def _welded(self) -> tuple[IntArray, IntArray]:
        remap = np.empty(len(self.mesh.vertices), np.int32)
        count = weld_positions(self.mesh.vertices, remap)
        if count == len(remap):
            first = frozen(np.arange(count, dtype=np.int32))
        else:
            first = np.empty(count, np.int32)
            # Backwards, so that the first occurrence is written last.
            first[remap[::-1]] = np.arange(len(remap) - 1, -1, -1, dtype=np.int32)
        return frozen(remap), frozen(first)

    @once
    def is_finite(self) -> BoolArray:
        """Whether each vertex of the mesh has finite coordinates, bool (n,)."""
        x, y, z = self.mesh.vertices.T
        return frozen(np.isfinite(x) & np.isfinite(y) & np.isfinite(z))

    @once
    def span(self) -> FloatArray:
        """Smallest and largest coordinates of all finite vertices, float64 (2, 3), mm; zeros where there are none."""
        if not self.is_finite.any():
            return np.zeros((2, 3))
        usable = slice(None) if self.is_finite.all() else self.is_finite
        columns = [x[usable] for x in self.mesh.vertices.T]
        return np.array([[x.min() for x in columns], [x.max() for x in columns]])

    @once
    def box(self) -> FloatArray:
        """Smallest and largest coordinates of the components, float64 (2, 3), mm; zeros where there are none."""
        components = self.components
        if not components.n_components:
            return np.zeros((2, 3))
        return np.stack([components.lowest.min(axis=0), components.highest.max(axis=0)])

    @once
    def extent(self) -> FloatArray:
        """Side lengths of `box`, float64 (3,), mm; infinite where they overflow."""
        with np.errstate(over="ignore"):
            sides: FloatArray = self.box[1] - self.box[0]
        return sides

    @once
    def diagonal(self) -> float:
        """Diagonal of `box`, mm."""
        with np.errstate(over="ignore"):
            return float(np.linalg.norm(self.extent))

    # ---- faces

    @once
    def face_measures(self) -> FaceMeasures:
        """Area and flags of each face."""
        m = len(self.mesh.faces)
        positions, corners, policy = self.positions, self.corners, self.policy
        area, flags = np.empty(m, np.float64), np.empty(m, np.uint16)
        with np.errstate(over="ignore"):
            short = policy.tolerance("short_edge_mm").within(float(np.linalg.norm(self.span[1] - self.span[0])))
        aspect, cap_cos = policy.limit("aspect"), math.cos(math.radians(policy.limit("cap_angle_deg")))
        over_ranges(
            m,
            lambda lo, hi: triangles.measure_faces(positions, corners, lo, hi, aspect, cap_cos, short, area, flags),
        )
        return FaceMeasures(frozen(area), frozen(flags))

    @once
    def nonfinite_faces(self) -> IntArray:
        """Faces with a corner that is NaN or infinite, int32, ascending."""
        return _indices(self.face_measures.is_nonfinite)

    @once
    def repeated_faces(self) -> IntArray:
        """Faces with two corners at the same position, int32, ascending."""
        return _indices(self.face_measures.is_repeated)

    @once
    def collinear_faces(self) -> IntArray:
        """Faces whose corners lie exactly on one line, repeated corners included, int32, ascending."""
        return _indices(self.face_measures.is_collinear)

    @once
    def n_finite(self) -> int:
        """Number of faces whose corners are all finite."""
        return len(self.mesh.faces) - len(self.nonfinite_faces)

    @once
    def is_degenerate(self) -> BoolArray:
        """Whether each face has a non-finite corner or exactly collinear corners, bool (m,)."""
        return frozen(self.face_measures.is_nonfinite | self.face_measures.is_collinear)

    @once
    def is_sound(self) -> BoolArray:
        """Whether each face is not degenerate and lies within the range of the exact predicates, bool (m,)."""
        return frozen(~self.is_degenerate & ~self.face_measures.is_outside_exact)

    @once
    def sound_faces(self) -> IntArray:
        """The sound faces, int32, ascending."""
        return frozen(np.flatnonzero(self.is_sound).astype(np.int32))

    @once
    def tree(self) -> Tree:
        """The tree of boxes over the sound faces."""
        return build_tree(self.positions, self.corners, self.sound_faces, NO_GROUPS, self.span)

    # ---- edges

    @once
    def corner_spans(self) -> IntArray:
        """Lowest and highest position of each `topology.CHUNK` faces, int32 (chunks, 2)."""
        flat, size = self.corners.reshape(-1), 3 * topology.CHUNK
        n_full = len(flat) // size
        parts = [flat[: n_full * size].reshape(n_full, size), flat[None, n_full * size :]]
        ends = [[part.min(axis=1), part.max(axis=1)] for part in parts if part.size]
        return frozen(np.ascontiguousarray(np.concatenate(ends, axis=1).T if ends else np.empty((0, 2)), np.int32))

    @once
    def edges(self) -> Edges:
        """Twins, boundary and non-manifold half-edges. Faces with a non-finite or repeated corner are left out."""
        corners, spans = self.corners, self.corner_spans
        m = len(corners)
        unused = frozen(self.face_measures.is_nonfinite | self.face_measures.is_repeated)
        twins = np.empty(3 * m, np.int32) if not unused.any() else np.full(3 * m, topology.UNUSED, np.int32)
        bounds = part_bounds(len(self.positions))
        counts = np.zeros((len(bounds) - 1, 3), np.int64)
        nonmanifold_parts: list[IntArray] = [np.empty(0, np.int32)] * (len(bounds) - 1)

        def group(part: int) -> None:
            lo, hi = bounds[part], bounds[part + 1]
            halfedges = np.empty(3 * m, np.int32)
            topology.group_edges(corners, spans, unused, lo, hi, halfedges, twins, counts[part])
            if counts[part, 2]:
                halfedges = halfedges[: counts[part, 0]]
                nonmanifold_parts[part] = halfedges[twins[halfedges] == topology.NONMANIFOLD]

        side_by_side([partial(group, part) for part in range(len(bounds) - 1)])
        boundary = np.flatnonzero(twins == topology.BOUNDARY).astype(np.int32)
        return Edges(
            twins=frozen(twins),
            boundary=frozen(boundary),
            nonmanifold=frozen(np.concatenate(nonmanifold_parts)),
            n_edges=int(counts[:, 1].sum()),
        )

    @once
    def nonmanifold_begins(self) -> IntArray:
        """Where the half-edges of each edge begin in `edges.nonmanifold`, and how many there are: int32 (e + 1,)."""
        low, high = np.sort(self.edge_ends(self.edges.nonmanifold), axis=1).T
        is_first = np.ones(len(low), np.bool_)
        is_first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
        return frozen(np.append(np.flatnonzero(is_first), len(low)).astype(np.int32))

    @once
    def boundary_tree(self) -> Tree:
        """The tree of boxes over the boundary edges: segments by their places in `edges.boundary`."""
        ends = self.edge_ends(self.edges.boundary)
        segments = frozen(np.ascontiguousarray(np.concatenate([ends, ends[:, 1:]], axis=1), np.int32))
        return build_tree(
            self.positions, segments, frozen(np.arange(len(segments), dtype=np.int32)), NO_GROUPS, self.span
        )

    @once
    def fans(self) -> Fans:
        """Fans of faces around positions."""
        fan, fans = np.empty(3 * len(self.corners), np.int32), np.empty(len(self.positions), np.int32)
        several = topology.connect_corners(self.corners, self.edges.twins, self.edges.nonmanifold, fan, fans)
        return Fans(frozen(fan), frozen(fans), several)

    @once
    def components(self) -> Components:
        """Connected components and what each measures, near-folds, and faces that may be duplicates."""
        corners, twins, nonmanifold, m = self.corners, self.edges.twins, self.edges.nonmanifold, len(self.corners)
        component, anchor, doubled = np.empty(m, np.int32), np.empty(m, np.int32), np.empty(m, np.bool_)
        n_components: list[int] = []
        side_by_side(
            [
                lambda: n_components.append(
                    topology.connect_faces(corners, twins, nonmanifold, component, anchor, doubled)
                ),
                lambda: self.fans,
            ]
        )
        measures = np.empty((n_components[0], component_sums.COLUMNS), np.float64)
        counts = np.empty((n_components[0], component_sums.COUNTS), np.int64)
        folds = np.empty(3 * m, np.bool_)
        fold_cos = math.cos(math.radians(self.policy.limit("fold_angle_deg")))
        component, anchor = frozen(component), frozen(anchor)
        positions, fan, area = self.positions, self.fans.of_corner, self.face_measures.area
        # At least two ranges, so that folds are marked while the sums are taken.
        side_by_side(
            [
                lambda: component_sums.measure_components(
                    positions, corners, twins, component, anchor, fan, area, nonmanifold, measures, counts
                ),
                *(
                    partial(mark_folds, positions, corners, twins, fold_cos, lo, hi, folds)
                    for lo, hi in pairwise(fixed_bounds(m))
                ),
            ]
        )
        return Components(component, frozen(measures), frozen(counts), frozen(folds), frozen(doubled))

    @once
    def largest_component(self) -> int:
        """The component with the largest area (if several, the one with the lowest position); −1 if there are none."""
        areas = self.components.area
        if not len(areas):
            return -1
        # Sums in another order differ by rounding: areas that differ by no more count as equal in any order of faces.
        is_largest = areas >= areas.max() * (1 - 1e-12)
        if np.count_nonzero(is_largest) == 1:
            return int(is_largest.argmax())
        faces = np.flatnonzero(np.append(is_largest, False)[self.components.of_face])  # of no component, −1: the last
        owner, used = np.repeat(self.components.of_face[faces], 3), self.corners[faces].reshape(-1)
        x, y, z = self.positions[used].T
        return int(owner[np.lexsort((owner, z, y, x))[0]])

    @once
    def debris_area(self) -> float:
        """A floating component of less area is debris by the policy, mm2."""
        return self.policy.tolerance("floating_area_mm2").within(float(self.components.area.sum()))

    @once
    def is_open(self) -> BoolArray:
        """Whether each component has a boundary, bool (C,)."""
        return frozen(self.components.is_open)

    @once
    def faces_by_component(self) -> tuple[IntArray, IntArray]:
        """CSR of the faces of each component: offsets int32 (C + 1,), faces int32, ascending within each."""
        of_face, count = self.components.of_face, self.components.n_components
        order = np.argsort(of_face, kind="stable").astype(np.int32)
        offsets = np.searchsorted(of_face[order], np.arange(count + 1)).astype(np.int32)
        return frozen(offsets), frozen(order)

    def faces_of(self, component: int) -> IntArray:
        """The faces of a component, int32, ascending."""
        if self.components.n_components == 1 and self.n_finite == len(self.corners) and not len(self.repeated_faces):
            return frozen(np.arange(len(self.corners), dtype=np.int32))
        offsets, faces = self.faces_by_component
        return faces[offsets[component] : offsets[component + 1]]

    def least_position(self, component: int) -> int:
        """Of the positions of a component, the one that is least in x, then y, then z."""
        used = self.corners[self.faces_of(component)].reshape(-1)
        used = np.unique(used[self.positions[used, 0] == self.components.lowest[component, 0]])
        return int(used[np.lexsort(self.positions[used].T[::-1])[0]])

    # ---- elements

    def edge_ends(self, halfedges: IntArray) -> IntArray:
        """The positions where half-edges start and end, int32 (k, 2)."""
        return edge_ends(self.corners, halfedges)

    def edge_faces(self, halfedges: IntArray) -> IntArray:
        """The two faces at half-edges that have a twin, the half-edge's own face first, int32 (k, 2)."""
        return np.stack([halfedges // 3, self.edges.twins[halfedges] // 3], axis=1)

    def edge_lengths(self, ends: IntArray) -> FloatArray:
        """Length of each edge, given by the positions int32 (k, 2) at its ends: float64 (k,), mm."""
        lengths: FloatArray = np.linalg.norm(self.positions[ends[:, 1]] - self.positions[ends[:, 0]], axis=1)
        return lengths

    def longest_edges(self, faces: IntArray) -> FloatArray:
        """Length of the longest edge of each of these faces, float64 (k,), mm."""
        corners = self.corners[faces]
        a, b, c = (self.positions[corners[:, corner]] for corner in range(3))
        squares = [np.einsum("kd,kd->k", side, side) for side in (a - b, b - c, c - a)]
        longest: FloatArray = np.sqrt(np.maximum(np.maximum(squares[0], squares[1]), squares[2]))
        return longest

    def clusters(self, rows: IntArray) -> IntArray:
        """Cluster of each element, int32 (k,): elements that share a position are connected.

        Args:
            rows: whole numbers (k, w), the positions of each element.
        """
        label = np.empty(len(rows), np.int32)
        topology.cluster_rows(frozen(np.ascontiguousarray(rows, np.int32)), len(self.positions), label)
        return label


def _indices(chosen: BoolArray) -> IntArray:
    """The indices of what is chosen, int32, ascending."""
    return frozen(np.flatnonzero(chosen).astype(np.int32))
