"""Boundary loops, and which of them is the rim of its sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import frozen
from meshguard.kernels import loops as loop_kernels

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray, Whole
    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import FloatArray, IntArray


class Loops(NamedTuple):
    """Boundary loops, as CSR over half-edges and over the positions where these start.

    Attributes:
        offsets: int32 (L + 1,), first entry of each loop in the two arrays that follow.
        halfedges: int32 (b,), half-edges along the loops.
        positions: int32 (b,), the position where each half-edge starts.
        is_closed: bool (L,), False where a loop ends at a non-manifold edge.
        chain: int32 (L,), loops with the same number are one boundary curve of the surface with its fans separated.
        measures: float64 (L, 3), columns as in `kernels.loops`, which the properties name; mm, mm2.
        component: int32 (L,), the component that each loop bounds.
        is_rim: bool (L,), whether a loop encloses its sheet.
    """

    offsets: IntArray
    halfedges: IntArray
    positions: IntArray
    is_closed: BoolArray
    chain: IntArray
    measures: FloatArray
    component: IntArray
    is_rim: BoolArray

    @property
    def n_loops(self) -> int:
        """How many there are, L."""
        return len(self.is_rim)

    @property
    def perimeter(self) -> FloatArray:
        """Length of each loop, float64 (L,), mm."""
        return self.measures[:, loop_kernels.PERIMETER]

    @property
    def area(self) -> FloatArray:
        """Length of each loop's vector area, float64 (L,), mm2."""
        return self.measures[:, loop_kernels.LOOP_AREA]

    @property
    def diameter(self) -> FloatArray:
        """Largest chord of each loop, float64 (L,), mm."""
        return self.measures[:, loop_kernels.CHORD]

    @property
    def owner(self) -> IntArray:
        """The loop that each entry of `halfedges` and `positions` belongs to, int64 (b,)."""
        return np.repeat(np.arange(self.n_loops), np.diff(self.offsets))

    def of_edges(self, boundary: IntArray) -> Whole:
        """The loop of each boundary half-edge of the mesh, which are int32 (b,) and ascending: int64 (b,)."""
        loop = np.empty(len(boundary), np.int64)
        loop[np.searchsorted(boundary, self.halfedges)] = self.owner
        return loop


def find_loops(mesh: Connectivity, rim_share: float) -> Loops:
    """The boundary loops of a mesh.

    A rim is the loop with the largest chord in its sheet, if that chord is at least `rim_share` of the sheet's extent:
    twice the largest distance of its vertices from their mean.
    """
    boundary, flat = mesh.edges.boundary, mesh.corners.reshape(-1)
    count = len(boundary)
    offsets, halfedges = np.empty(count + 1, np.int32), np.empty(count, np.int32)
    starts, is_closed, chain = np.empty(count, np.int32), np.empty(count, np.bool_), np.empty(count, np.int32)
    measures = np.empty((count, loop_kernels.MEASURES), np.float64)
    n_loops = 0
    if count:
        n_loops = loop_kernels.trace_loops(
            mesh.positions,
            flat,
            mesh.edges.twins,
            boundary,
            len(mesh.positions),
            offsets,
            halfedges,
            starts,
            is_closed,
            chain,
            measures,
        )
    else:
        offsets[0] = 0
    offsets, measures = offsets[: n_loops + 1], measures[:n_loops]
    component = mesh.components.of_face[halfedges[offsets[:-1]] // 3]
    # The loop with the largest chord is the rim of its sheet, if it is wide enough to enclose it.
    is_rim = np.zeros(n_loops, np.bool_)
    chords = measures[:, loop_kernels.CHORD]
    is_wide = chords >= rim_share * 2.0 * mesh.components.radius[component]
    order = np.lexsort((np.arange(n_loops), -chords, component))
    widest = order[np.flatnonzero(np.concatenate([[True], np.diff(component[order]) != 0]))] if n_loops else order
    is_rim[widest] = is_wide[widest]
    return Loops(
        frozen(offsets),
        frozen(halfedges),
        frozen(starts),
        frozen(is_closed[:n_loops]),
        frozen(chain[:n_loops]),
        frozen(measures),
        frozen(component),
        frozen(is_rim),
    )
