"""What a mesh is made of: faces, edges, fans and components, as arrays under the names of what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.facts.arrays import BoolArray, frozen
from meshguard.kernels import components, triangles

if TYPE_CHECKING:
    from meshguard.mesh import FloatArray, IntArray


class FaceMeasures(NamedTuple):
    """What each face is alone.

    Attributes:
        area: float64 (m,), mm2.
        flags: uint16 (m,), bits of `kernels.triangles`; the properties say what they mean.
    """

    area: FloatArray
    flags: npt.NDArray[np.uint16]

    @property
    def is_nonfinite(self) -> BoolArray:
        """Faces with a corner that is NaN or infinite, bool (m,)."""
        return self._has(triangles.NONFINITE)

    @property
    def is_repeated(self) -> BoolArray:
        """Faces with two corners on one position, bool (m,)."""
        return self._has(triangles.REPEATED)

    @property
    def is_collinear(self) -> BoolArray:
        """Faces whose corners lie exactly on one line, repeated corners included, bool (m,)."""
        return self._has(triangles.COLLINEAR)

    @property
    def is_outside_exact(self) -> BoolArray:
        """Faces with a coordinate beyond the range of exact predicates, bool (m,)."""
        return self._has(triangles.OUTSIDE_EXACT)

    @property
    def is_needle(self) -> BoolArray:
        """Faces whose longest edge is many times the shortest, by the policy, bool (m,)."""
        return self._has(triangles.NEEDLE)

    @property
    def is_cap(self) -> BoolArray:
        """Faces with an angle near 180 degrees, by the policy, bool (m,)."""
        return self._has(triangles.CAP)

    @property
    def is_short(self) -> BoolArray:
        """Half-edges of faces with a place that are shorter than the policy's limit, bool (m, 3)."""
        usable = ~self._has(triangles.NONFINITE | triangles.REPEATED)
        short = [self._has(triangles.SHORT << corner) & usable for corner in range(3)]
        return np.stack(short, axis=1)

    def _has(self, bits: int) -> BoolArray:
        found: BoolArray = (self.flags & np.uint16(bits)) != 0
        return found


class Edges(NamedTuple):
    """How faces meet.

    Attributes:
        twins: int32 (3m,), see `kernels.topology`.
        boundary: int32, half-edges of edges with one face, ascending.
        nonmanifold: int32, half-edges of edges with more than two faces, those of an edge side by side.
        n_edges: number of edges.
    """

    twins: IntArray
    boundary: IntArray
    nonmanifold: IntArray
    n_edges: int


class Fans(NamedTuple):
    """Fans: sets of faces around a position that are connected through edges at it.

    Attributes:
        of_corner: int32 (3m,), lowest corner of each corner's fan.
        at_position: int32 (p,), how many fans each position has.
        n_nonmanifold: how many positions have several.
    """

    of_corner: IntArray
    at_position: IntArray
    n_nonmanifold: int


class Components(NamedTuple):
    """Sets of faces connected through edges, by order of first face.

    Attributes:
        of_face: int32 (m,), component of each face; −1 for faces that take no part.
        measures: float64 (C, 13), columns as in `kernels.components`, which the properties name; mm, mm2, mm3.
        counts: int64 (C, 6), likewise.
        folds: bool (3m,), the lower half-edge of each near-folding edge.
        doubled: bool (m,), faces that may have the positions of another.
    """

    of_face: IntArray
    measures: FloatArray
    counts: npt.NDArray[np.int64]
    folds: BoolArray
    doubled: BoolArray

    @property
    def n_components(self) -> int:
        """How many there are, C."""
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
        """The same sum with every sign positive, float64 (C,), mm3: what rounding errors are compared with."""
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
        """Faces, int64 (C,)."""
        return self.counts[:, components.FACES]

    @property
    def n_edges(self) -> npt.NDArray[np.int64]:
        """Edges, int64 (C,)."""
        return self.counts[:, components.EDGES]

    @property
    def n_fans(self) -> npt.NDArray[np.int64]:
        """Fans, int64 (C,): the vertices of the surface when its fans are separated."""
        return self.counts[:, components.FANS]

    @property
    def n_boundary_edges(self) -> npt.NDArray[np.int64]:
        """Edges with one face, int64 (C,)."""
        return self.counts[:, components.BOUNDARY_EDGES]

    @property
    def n_nonmanifold_edges(self) -> npt.NDArray[np.int64]:
        """Edges with more than two faces, int64 (C,)."""
        return self.counts[:, components.NONMANIFOLD_EDGES]

    @property
    def n_inconsistent_edges(self) -> npt.NDArray[np.int64]:
        """Edges whose two faces run them the same way, int64 (C,)."""
        return self.counts[:, components.INCONSISTENT_EDGES]

    @property
    def is_open(self) -> BoolArray:
        """Whether each has an edge with one face, bool (C,)."""
        is_open: BoolArray = self.n_boundary_edges > 0
        return is_open

    def only(self, faces: IntArray) -> Components:
        """The components of a mesh that has only these faces, int32 (k,): all those of some of the components."""
        kept = np.zeros(self.n_components, np.bool_)
        kept[self.of_face[faces]] = True
        number = (np.cumsum(kept) - 1).astype(np.int32)
        return Components(
            frozen(number[self.of_face[faces]]),
            frozen(self.measures[kept]),
            frozen(self.counts[kept]),
            frozen(self.folds.reshape(-1, 3)[faces].reshape(-1)),
            frozen(self.doubled[faces]),
        )
