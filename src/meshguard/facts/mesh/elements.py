"""The elements of a mesh: faces, edges, fans and components, as arrays with names for what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.facts.arrays import BoolArray, frozen
from meshguard.kernels import components, triangles

if TYPE_CHECKING:
    from meshguard.mesh import FloatArray, IntArray


class FaceMeasures(NamedTuple):
    """What each face is by itself.

    Attributes:
        area: float64 (m,), mm2.
        flags: uint16 (m,), bits as in `kernels.triangles`; the properties name them.
    """

    area: FloatArray
    flags: npt.NDArray[np.uint16]

    @property
    def is_nonfinite(self) -> BoolArray:
        """Whether each face has a corner that is NaN or infinite, bool (m,)."""
        return self._has(triangles.NONFINITE)

    @property
    def is_repeated(self) -> BoolArray:
        """Whether each face has two corners at the same position, bool (m,)."""
        return self._has(triangles.REPEATED)

    @property
    def is_collinear(self) -> BoolArray:
        """Whether the corners of each face lie exactly on one line, repeated corners included, bool (m,)."""
        return self._has(triangles.COLLINEAR)

    @property
    def is_outside_exact(self) -> BoolArray:
        """Whether each face has a coordinate beyond the range of the exact predicates, bool (m,)."""
        return self._has(triangles.OUTSIDE_EXACT)

    @property
    def is_needle(self) -> BoolArray:
        """Whether the longest edge of each face is too many times its shortest, by the policy, bool (m,)."""
        return self._has(triangles.NEEDLE)

    @property
    def is_cap(self) -> BoolArray:
        """Whether each face has an angle near 180 degrees, by the policy, bool (m,)."""
        return self._has(triangles.CAP)

    @property
    def is_short(self) -> BoolArray:
        """Whether each half-edge is shorter than the policy's limit, bool (m, 3); False in faces without edges."""
        usable = ~self._has(triangles.NONFINITE | triangles.REPEATED)
        short = [self._has(triangles.SHORT << corner) & usable for corner in range(3)]
        return np.stack(short, axis=1)

    def _has(self, bits: int) -> BoolArray:
        has_any: BoolArray = (self.flags & np.uint16(bits)) != 0
        return has_any


class Edges(NamedTuple):
    """How faces meet.

    Attributes:
        twins: int32 (3m,), the other half-edge of each edge with two faces; else a code of `kernels.topology`.
        boundary: int32, half-edges of edges with one face, ascending.
        nonmanifold: int32, half-edges of edges with more than two faces, those of an edge side by side.
        n_edges: number of edges.
    """

    twins: IntArray
    boundary: IntArray
    nonmanifold: IntArray
    n_edges: int

    @property
    def paired(self) -> IntArray:
        """The lower half-edge of each edge with two faces, int32, ascending."""
        return np.flatnonzero(self.twins > np.arange(len(self.twins))).astype(np.int32)


class Fans(NamedTuple):
    """Fans: sets of faces around a position that are connected through edges at that position.

    Attributes:
        of_corner: int32 (3m,), fan of each corner, named by its lowest corner.
        at_position: int32 (p,), number of fans at each position.
        n_nonmanifold: number of positions with several fans.
    """

    of_corner: IntArray
    at_position: IntArray
    n_nonmanifold: int


class Components(NamedTuple):
    """Connected components: sets of faces connected through edges, in the order of their first faces.

    Attributes:
        of_face: int32 (m,), component of each face; −1 for faces without edges.
        measures: float64 (C, 13), columns as in `kernels.components`, which the properties name; mm, mm2, mm3.
        counts: int64 (C, 6), columns likewise.
        folds: bool (3m,), the lower half-edge of each near-folding edge.
        doubled: bool (m,), faces that may have the same three positions as another.
    """

    of_face: IntArray
    measures: FloatArray
    counts: npt.NDArray[np.int64]
    folds: BoolArray
    doubled: BoolArray

    @property
    def n_components(self) -> int:
        """Number of components, C."""
        return len(self.counts)

    @property
    def area(self) -> FloatArray:
        """Area, float64 (C,), mm2."""
        return self.measures[:, components.AREA]

    @property
    def volume(self) -> FloatArray:
        """Signed volume about the first corner of the first face, float64 (C,), mm3."""
        return self.measures[:, components.VOLUME]

    @property
    def absolute_volume(self) -> FloatArray:
        """Sum of the volume's terms without their signs, float64 (C,), mm3: the scale of its rounding errors."""
        return self.measures[:, components.ABSOLUTE_VOLUME]

    @property
    def radius(self) -> FloatArray:
        """Largest distance of a corner from the mean of all corners, float64 (C,), mm."""
        return self.measures[:, components.RADIUS]

    @property
    def lowest(self) -> FloatArray:
        """Smallest coordinates, float64 (C, 3), mm."""
        return self.measures[:, components.BOX : components.BOX + 3]

    @property
    def highest(self) -> FloatArray:
        """Largest coordinates, float64 (C, 3), mm."""
        return self.measures[:, components.BOX + 3 : components.BOX + 6]

    @property
    def n_faces(self) -> npt.NDArray[np.int64]:
        """Number of faces, int64 (C,)."""
        return self.counts[:, components.FACES]

    @property
    def n_edges(self) -> npt.NDArray[np.int64]:
        """Number of edges, int64 (C,)."""
        return self.counts[:, components.EDGES]

    @property
    def n_fans(self) -> npt.NDArray[np.int64]:
        """Number of fans, int64 (C,): the vertices of the surface once its fans are separated."""
        return self.counts[:, components.FANS]

    @property
    def n_boundary_edges(self) -> npt.NDArray[np.int64]:
        """Number of edges with one face, int64 (C,)."""
        return self.counts[:, components.BOUNDARY_EDGES]

    @property
    def n_nonmanifold_edges(self) -> npt.NDArray[np.int64]:
        """Number of edges with more than two faces, int64 (C,)."""
        return self.counts[:, components.NONMANIFOLD_EDGES]

    @property
    def n_inconsistent_edges(self) -> npt.NDArray[np.int64]:
        """Number of edges that both of their faces run in the same direction, int64 (C,)."""
        return self.counts[:, components.INCONSISTENT_EDGES]

    @property
    def is_open(self) -> BoolArray:
        """Whether each component has a boundary, bool (C,)."""
        is_open: BoolArray = self.n_boundary_edges > 0
        return is_open

    def only(self, faces: IntArray) -> Components:
        """The components of a mesh with only these faces, int32 (k,): whole components, none of them in part."""
        is_kept = np.zeros(self.n_components, np.bool_)
        is_kept[self.of_face[faces]] = True
        number = (np.cumsum(is_kept) - 1).astype(np.int32)
        return Components(
            frozen(number[self.of_face[faces]]),
            frozen(self.measures[is_kept]),
            frozen(self.counts[is_kept]),
            frozen(self.folds.reshape(-1, 3)[faces].reshape(-1)),
            frozen(self.doubled[faces]),
        )
