"""MeshFacts: everything that is derived from a mesh under a policy, computed once and shared by checks and repair.

Checks and repair ask this class only. A fact that takes no argument is a property, one that takes an argument is a
method. The modules beside this one hold the computations. Each of them takes the connectivity and whatever else it
needs, and none of them knows this class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.facts.arrays import BoolArray, frozen
from meshguard.facts.mesh.assemblies import Assemblies, find_assemblies
from meshguard.facts.mesh.boundary_loops import Loops, find_loops
from meshguard.facts.mesh.coincident_layers import (
    NO_LAYERS,
    CoincidentLayers,
    find_coincident_layers,
    find_doubled_quads,
    find_redundant_faces,
    may_have_layers,
)
from meshguard.facts.mesh.component_distances import distances_to_largest
from meshguard.facts.mesh.connectivity import Connectivity
from meshguard.facts.mesh.cracks import Cracks, find_cracks, meets_at_crack
from meshguard.facts.mesh.duplicates import find_duplicates
from meshguard.facts.mesh.genus import find_genus
from meshguard.facts.mesh.handles import Handle, find_handles
from meshguard.facts.mesh.mesh_contact import nearest
from meshguard.facts.mesh.near_boundary import TJunctions, find_tjunctions
from meshguard.facts.mesh.nesting import Nesting, find_nesting
from meshguard.facts.mesh.orientation import (
    Orientation,
    find_inconsistent_edges,
    find_inverted_bodies,
    find_orientation,
)
from meshguard.facts.mesh.outward_orientation import BackSheet, find_back_sheets, outward_score
from meshguard.facts.mesh.seams import Seams, find_seams
from meshguard.facts.mesh.second_layers import SecondLayers, find_second_layers
from meshguard.facts.mesh.self_intersections import Intersections, find_intersections, is_fold, pair_segments
from meshguard.facts.mesh.shared_walls import (
    Alike,
    SharedWalls,
    find_excess_duplicates,
    find_layered_walls,
    find_possible_walls,
    find_shared_walls,
    mesh_alike,
)
from meshguard.facts.mesh.sheets import pair_sheets
from meshguard.facts.once import once, share_known
from meshguard.float32 import are_float32, float32_step, step_of_size
from meshguard.kernels.bvh import NO_GROUPS, build_tree
from meshguard.kernels.intersections import TOUCH_POINT, TOUCH_SEGMENT
from meshguard.mesh import Mesh

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshguard.mesh import FloatArray, IntArray


_TOUCHES = (TOUCH_POINT, TOUCH_SEGMENT)
"""Classes of intersections in which two faces meet without passing through one another."""


class MeshFacts(Connectivity):
    """All facts of a mesh; each property is computed on first use and kept."""

    def carried_to(self, mesh: Mesh) -> MeshFacts:
        """Facts of a mesh with the same vertices and faces and other data: what is known here is known there."""
        facts = MeshFacts(mesh, self.policy)
        share_known(self, facts)
        return facts

    # ---- precision of positions

    @once
    def is_float32(self) -> bool:
        """Whether float32 holds every position as it is, as in any mesh that was read from an STL."""
        return are_float32(self.positions)

    @once
    def distance(self) -> float:
        """The coordinate of the faces that is farthest from zero, without its sign, mm."""
        return float(np.abs(self.box).max())

    @once
    def float32_step(self) -> float:
        """How far neighbouring float32 numbers are apart where the mesh is farthest from the origin, mm."""
        return float32_step(self.distance)

    def float32_tolerance(self, limit: str) -> float:
        """A limit on what float32 may lose, mm: never less than what the mesh's own size costs near the origin."""
        return max(self.policy.tolerance(limit).within(self.diagonal), step_of_size(self.diagonal))

    # ---- faces and their orientation

    @once
    def duplicates(self) -> list[IntArray]:
        """Groups of faces with area that have the same three positions, each int32 and ascending, by first face."""
        return find_duplicates(self)

    @once
    def shared_walls(self) -> SharedWalls:
        """Duplicates and layers of which none is too many: faces in which two closed bodies touch."""
        if not self.possible_walls.n_patches:
            return find_shared_walls(self, self.duplicates)

        def connected(corners: IntArray) -> tuple[Connectivity, list[IntArray]]:
            mesh = Connectivity(Mesh(vertices=self.positions, faces=corners), self.policy)
            return mesh, find_duplicates(mesh)

        return find_layered_walls(self, self.possible_walls, connected)

    @once
    def layers(self) -> CoincidentLayers:
        """All patches that are covered twice, by other faces each time, shared walls among them."""
        return self._flat_layers.and_those_apart(self._quad_layers)

    @once
    def possible_walls(self) -> CoincidentLayers:
        """Those of the layers that may be the two sides of a shared wall: few are, and the proof is dear."""
        # Layers need the search for intersections; a wall ends at non-manifold edges.
        return find_possible_walls(self, self.layers) if len(self.edges.nonmanifold) else NO_LAYERS

    def meshed_alike(self, layers: CoincidentLayers) -> Alike:
        """What meshes the second layer of each patch as the first."""
        return mesh_alike(self, layers)

    @once
    def excess_duplicates(self) -> list[IntArray]:
        """Groups of duplicates of which one face is enough: all but those in which two closed bodies touch."""
        return find_excess_duplicates(self.duplicates, self.shared_walls)

    @once
    def coincident_layers(self) -> CoincidentLayers:
        """Flat patches that are covered exactly twice, by other faces each time, and are no shared walls."""
        return self._without_walls(self._flat_layers)

    @once
    def doubled_quads(self) -> CoincidentLayers:
        """Quadrilaterals meshed with both diagonals, close enough for the policy, and not in shared walls."""
        return self._without_walls(self._quad_layers)

    @once
    def _flat_layers(self) -> CoincidentLayers:
        return find_coincident_layers(self, self.intersections) if may_have_layers(self) else NO_LAYERS

    @once
    def _quad_layers(self) -> CoincidentLayers:
        limit = self.policy.tolerance("doubled_quad_mm").within(self.diagonal)
        return find_doubled_quads(self, limit) if may_have_layers(self) else NO_LAYERS

    def _without_walls(self, layers: CoincidentLayers) -> CoincidentLayers:
        if not layers.n_patches:
            return layers
        is_other = np.ones(layers.n_patches, np.bool_)
        is_other[layers.layer[np.isin(layers.faces, self.shared_walls.layers.faces)] // 2] = False
        return layers.only(is_other)

    @once
    def is_in_wall(self) -> BoolArray:
        """Whether each intersecting pair is of the two sides of a shared wall, bool (k,)."""
        is_walled = np.zeros(len(self.corners), np.bool_)
        is_walled[self.shared_walls.layers.faces] = True
        both: BoolArray = np.asarray(is_walled[self.intersections.pairs].all(axis=1))
        return frozen(both)

    def redundant_faces(self, layers: CoincidentLayers) -> BoolArray:
        """The faces of one layer of each patch, bool (m,): of the one that goes with the faces around it less well."""
        return find_redundant_faces(self, layers)

    @once
    def orientation(self) -> Orientation:
        """Which components can be oriented consistently, and which faces to flip for it."""
        return find_orientation(self)

    @once
    def inconsistent_edges(self) -> IntArray:
        """Lower half-edge of each edge that both of its faces run in the same direction, int32, ascending."""
        components = MeshFacts.components.known(self)  # a step of repair asks before anything needs components
        if components is not None and not components.n_inconsistent_edges.any():
            return np.empty(0, np.int32)
        return find_inconsistent_edges(self)

    @once
    def inverted_bodies(self) -> list[int]:
        """Closed components of negative volume that lie in the bounding box of no other closed component."""
        return find_inverted_bodies(self)

    @once
    def nesting(self) -> Nesting:
        """How closed components lie within one another, and which of them are inverted."""

        def interpenetrating() -> IntArray:
            pairs, classes, _ = self.intersections
            return pairs[~np.isin(classes, _TOUCHES)]

        return find_nesting(self, interpenetrating)

    @once
    def back_sheets(self) -> list[BackSheet]:
        """Open components that show their back to an observer outside; debris and inconsistent ones are not judged."""
        return find_back_sheets(self, self.outward_score)

    def outward_score(self, component: int) -> float:
        """Which side of a component faces outward: 1 the front, −1 the back, near 0 undecided."""
        scores = self._outward_scores
        if component not in scores:
            scores[component] = outward_score(self, component)
        return scores[component]

    @once
    def _outward_scores(self) -> dict[int, float]:
        """The scores that were asked for, by component: lines through it are dear, and few components are judged.

        It only grows: a score follows from the mesh alone, so no answer ever changes.
        """
        return {}

    def has_volume(self, component: int) -> bool:
        """Whether a component's signed volume is more than a rounding error; that of a doubled sheet is not."""
        components = self.components
        rounding = 1e-15 * (8 + components.n_faces[component]) * components.absolute_volume[component]
        return bool(abs(components.volume[component]) > rounding)

    # ---- boundary

    @once
    def loops(self) -> Loops:
        """Boundary loops with their measures and components, and which of them is the rim of its sheet."""
        return find_loops(self, self.policy.limit("rim_share"))

    @once
    def boundary_groups(self) -> int:
        """Number of sets of boundary edges that are connected through positions."""
        return len(set(self.clusters(self.edge_ends(self.edges.boundary)).tolist()))

    @once
    def tjunctions(self) -> TJunctions | None:
        """Boundary vertices within the policy's weld distance of another face's boundary edge; None if too many."""
        return find_tjunctions(self, self.weld_distance)

    @once
    def cracks(self) -> Cracks | None:
        """Boundaries that lie on one another within the weld distance; None if too many vertices do to be paired."""
        return find_cracks(self, self.loops, self.tjunctions, self.weld_distance)

    @once
    def seams(self) -> Seams:
        """Stretches of boundary that run along each other within the policy's limits, and are no cracks."""
        width = self.policy.tolerance("seam_width_mm").within(self.diagonal)
        least_length = self.policy.tolerance("seam_length_mm").within(self.diagonal)
        return find_seams(self, self.loops, self.cracks, width, least_length)

    @once
    def weld_distance(self) -> float:
        """How near one another boundary vertices belong together, mm."""
        return self.policy.tolerance("weld_mm").within(self.diagonal)

    @once
    def genus(self) -> IntArray:
        """Handles of each component, int32 (C,); −1 for one that has non-manifold edges or is non-orientable."""
        is_nonorientable = self.orientation.is_nonorientable if len(self.inconsistent_edges) else None
        return find_genus(self, self.loops, is_nonorientable)

    @once
    def handles(self) -> list[Handle]:
        """Handles with a shortest loop around each, by component; at most `handles.MOST_HANDLES` of them."""
        return find_handles(self, self.genus, self.loops)

    # ---- components

    def distances_to_largest(self, components: Sequence[int]) -> FloatArray:
        """Distance from each of these components to the largest one, nearest vertex to nearest vertex: (k,), mm."""
        return distances_to_largest(self, components)

    def distances_to(self, faces: IntArray, points: FloatArray) -> FloatArray:
        """Distance of points, float64 (q, 3), from the nearest of some sound faces, int32 (k,): float64 (q,), mm."""
        tree = build_tree(self.positions, self.corners, frozen(faces), NO_GROUPS, self.span)
        return nearest(self, tree, points)[2]

    @once
    def second_layers(self) -> SecondLayers:
        """Surface that lies over other surface of the same orientation, within the policy's limits."""
        reach = self.policy.tolerance("layer_gap_mm").within(self.diagonal)
        least_area = self.policy.tolerance("layer_area_mm2").within(float(self.components.area.sum()))
        return find_second_layers(self, reach, least_area)

    # ---- intersections

    @once
    def intersections(self) -> Intersections:
        """Pairs of faces that share more than their common vertices and edges, up to the policy's cap."""
        return self.find_intersections(int(min(self.policy.limit("max_pairs"), 2**31 - 1)))

    def find_intersections(self, most: int) -> Intersections:
        """At most `most` intersecting pairs, found by a new search that no other cap limits."""
        return find_intersections(self, most)

    @once
    def is_between_bodies(self) -> BoolArray:
        """Whether each intersecting pair is of two different closed components, bool (k,), as in an assembly."""
        return frozen(self.assemblies.of_bodies)

    @once
    def assemblies(self) -> Assemblies:
        """Which intersecting pairs are of two objects that stand in one file, closed or open."""
        return find_assemblies(self, self.intersections, self.pair_segments)

    @once
    def is_at_crack(self) -> BoolArray:
        """Whether each intersecting pair only touches along a crack without width, at its T-junctions, bool (k,)."""
        return frozen(meets_at_crack(self, self.cracks, self.intersections.pairs, self.weld_distance))

    def pair_segments(self, pairs: IntArray) -> tuple[FloatArray, FloatArray]:
        """Where pairs of faces, int32 (k, 2), meet, and how deep; rounded: float64 (k, 2, 3) and (k,), mm."""
        return pair_segments(self, pairs)

    @once
    def sheet_pairs(self) -> IntArray:
        """Half-edges on non-manifold edges whose faces are one sheet, int32 (k, 2)."""
        return frozen(pair_sheets(self))

    def is_exact_fold(self, edges: IntArray) -> BoolArray:
        """Whether the two faces at each of these half-edges lie exactly flat on each other, bool (k,)."""
        return is_fold(self.intersections, self.edge_faces(edges), len(self.corners))
