"""Boundary loops, and which of them is the rim of its sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import frozen
from meshguard.kernels import loops as loop_kernels

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import FloatArray, IntArray


class Loops(NamedTuple):
    """Boundary loops: CSR over half-edges, and over the positions where each is entered.

    Attributes:
        offsets: int32 (L + 1,), first entry of each loop in the two arrays that follow.
        halfedges: int32 (b,), half-edges along the loops.
        positions: int32 (b,), the position where each half-edge is entered.
        closed: bool (L,), False where a loop ends at a non-manifold edge.
        chain: int32 (L,), loops of one number are one boundary curve of the surface with its fans pulled apart.
        measures: float64 (L, 3), columns as in `kernels.loops`, which the properties name; mm, mm2.
        component: int32 (L,), the component that each is the boundary of.
        rim: bool (L,), the loop that encloses its sheet.
    """

    offsets: IntArray
    halfedges: IntArray
    positions: IntArray
    closed: BoolArray
    chain: IntArray
    measures: FloatArray
    component: IntArray
    rim: BoolArray

    @property
    def n_loops(self) -> int:
        """How many there are, L."""
        return len(self.rim)

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
        """The loop that each entry of `halfedges` and `positions` belongs to, int (b,)."""
        return np.repeat(np.arange(self.n_loops), np.diff(self.offsets))


def find_loops(mesh: Connectivity, rim_share: float) -> Loops:
    """The boundary loops of a mesh.

    A rim is the loop with the largest chord of its sheet, if that chord is at least `rim_share` of the sheet's extent:
    twice the largest distance of its vertices from their mean.
    """
    boundary, flat = mesh.edges.boundary, mesh.corners.reshape(-1)
    count = len(boundary)
    offsets, halfedges = np.empty(count + 1, np.int32), np.empty(count, np.int32)
    entered, closed, chain = np.empty(count, np.int32), np.empty(count, np.bool_), np.empty(count, np.int32)
    measures = np.empty((count, loop_kernels.MEASURES), np.float64)
    found = 0
    if count:
        found = loop_kernels.trace_loops(
            mesh.positions,
            flat,
            mesh.edges.twins,
            boundary,
            len(mesh.positions),
            offsets,
            halfedges,
            entered,
            closed,
            chain,
            measures,
        )
    else:
        offsets[0] = 0
    offsets, measures = offsets[: found + 1], measures[:found]
    component = mesh.components.of_face[halfedges[offsets[:-1]] // 3]
    # The loop with the largest chord is the rim of its sheet, if it is wide enough to enclose it.
    rim = np.zeros(found, np.bool_)
    chords = measures[:, loop_kernels.CHORD]
    wide = chords >= rim_share * 2.0 * mesh.components.radius[component]
    order = np.lexsort((np.arange(found), -chords, component))
    widest = order[np.flatnonzero(np.concatenate([[True], np.diff(component[order]) != 0]))] if found else order
    rim[widest] = wide[widest]
    return Loops(
        frozen(offsets),
        frozen(halfedges),
        frozen(entered),
        frozen(closed[:found]),
        frozen(chain[:found]),
        frozen(measures),
        frozen(component),
        frozen(rim),
    )


def find_genus(mesh: Connectivity, loops: Loops, is_nonorientable: BoolArray | None) -> IntArray:
    """Handles of each component, int32 (C,); −1 for one with non-manifold edges or without two sides.

    Euler's characteristic of an orientable surface is fans − edges + faces = 2 − 2 genus − boundary curves.
    """
    components = mesh.components
    first_of_chain = np.unique(loops.chain, return_index=True)[1]
    curves = np.bincount(loops.component[first_of_chain], minlength=components.n_components)
    characteristic = components.n_fans - components.n_edges + components.n_faces
    genus = (2 - curves - characteristic) // 2
    genus[components.n_nonmanifold_edges > 0] = -1
    if is_nonorientable is not None:
        genus[is_nonorientable] = -1
    return genus.astype(np.int32)
