"""Half-edges, edge keys and face normals in NumPy: the one convention, for every floor.

Half-edge `h = 3*f + c` runs from corner `c` to corner `(c + 1) % 3` of face `f`. The corner opposite to it is where the
half-edge before it starts. Compiled code has the same arithmetic in `kernels.halfedges`.
"""

from __future__ import annotations

from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

_Floats: TypeAlias = npt.NDArray[np.float64]
_Integers: TypeAlias = npt.NDArray[np.signedinteger[Any]]
_Index = TypeVar("_Index", bound=np.signedinteger[Any])


def next_halfedge(halfedges: npt.NDArray[_Index]) -> npt.NDArray[_Index]:
    """The next half-edge around each one's face, of the same shape."""
    return np.where(halfedges % 3 == 2, halfedges - 2, halfedges + 1)


def previous_halfedge(halfedges: npt.NDArray[_Index]) -> npt.NDArray[_Index]:
    """The half-edge before each one around its face, of the same shape."""
    return np.where(halfedges % 3 == 0, halfedges + 2, halfedges - 1)


def halfedges_of(faces: npt.NDArray[_Index]) -> npt.NDArray[_Index]:
    """The half-edges of faces, (3k,), the three of each in turn."""
    halfedges: npt.NDArray[_Index] = (3 * faces[:, None] + np.arange(3, dtype=faces.dtype)).reshape(-1)
    return halfedges


def edge_ends(corners: npt.NDArray[_Index], halfedges: _Integers) -> npt.NDArray[_Index]:
    """Where half-edges start and end, (k, 2), of the type of `corners`.

    Args:
        corners: whole numbers (m, 3), the positions (or vertices) at each face's corners.
        halfedges: whole numbers (k,).
    """
    flat = corners.reshape(-1)
    return np.stack([flat[halfedges], flat[next_halfedge(halfedges)]], axis=1)


def opposite_corners(corners: npt.NDArray[_Index], halfedges: _Integers) -> npt.NDArray[_Index]:
    """The position (or vertex) at the corner opposite to each half-edge, (k,); arguments as for `edge_ends`."""
    opposite: npt.NDArray[_Index] = corners.reshape(-1)[previous_halfedge(halfedges)]
    return opposite


def directed_keys(start: _Integers, end: _Integers, count: int) -> npt.NDArray[np.int64]:
    """One number for each directed edge, int64 (k,), where both ends are below `count`; `divmod` gives them back."""
    keys: npt.NDArray[np.int64] = start.astype(np.int64) * count + end
    return keys


def edge_keys(start: _Integers, end: _Integers, count: int) -> npt.NDArray[np.int64]:
    """One number for each edge whichever way it runs, int64 (k,): lower end times `count`, plus the higher end."""
    return directed_keys(np.minimum(start, end), np.maximum(start, end), count)


def face_normals(points: _Floats, faces: _Integers) -> _Floats:
    """Normals of faces, whose length is twice the face's area, mm2: float64 (k, 3).

    Args:
        points: float64 (n, 3), mm.
        faces: whole numbers (k, 3), rows of `points`. A face without area has a normal of zeros.
    """
    a, b, c = (points[faces[:, corner]] for corner in range(3))
    normals: _Floats = np.cross(b - a, c - a)
    return normals


def triangle_normals(triangles: _Floats) -> _Floats:
    """Normals of triangles, whose length is twice the triangle's area, mm2: float64 (k, 3).

    Args:
        triangles: float64 (k, 3, 3), the corners of each, mm.
    """
    normals: _Floats = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    return normals


def unit_vectors(vectors: _Floats) -> _Floats:
    """The vectors along the last axis, scaled to length one; those without length stay zero."""
    unit: _Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-300)
    return unit
