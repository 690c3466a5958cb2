"""The array contract between facts and kernels, and array operations that facts and repair have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from meshguard.mesh import FloatArray, IntArray

BoolArray: TypeAlias = npt.NDArray[np.bool_]
Whole: TypeAlias = npt.NDArray[np.signedinteger[Any]]
"""Whole numbers of any width."""

_Array = TypeVar("_Array", bound=npt.NDArray[Any])


def frozen(array: _Array) -> _Array:
    """The array itself, made read-only: a kernel is compiled once, for read-only arrays."""
    array.flags.writeable = False
    return array


def centroids(points: FloatArray, rows: IntArray) -> FloatArray:
    """Mean of the points in each row, float64 (k, 3); column by column, which is several times faster than `mean`."""
    total = points[rows[:, 0]]
    for column in range(1, rows.shape[1]):
        total += points[rows[:, column]]
    total /= rows.shape[1]
    return total


def offsets_to_segments(points: FloatArray, start: FloatArray, end: FloatArray) -> FloatArray:
    """From each point to the nearest place on a segment; all three and the result are float64 (k, 3), mm."""
    along, away = end - start, start - points
    share = np.clip(-(away * along).sum(axis=1) / (along * along).sum(axis=1), 0.0, 1.0)
    away += share[:, None] * along
    return away


def connected_components(count: int, first: Whole, second: Whole) -> IntArray:
    """Connected component of each of `count` nodes, int32 (count,), numbered by lowest node.

    Args:
        count: how many nodes there are.
        first: whole numbers (k,): the first node of each connected pair.
        second: whole numbers (k,): the second.
    """
    from scipy.sparse import coo_array, csgraph

    pairs = coo_array((np.ones(len(first), np.int8), (first, second)), shape=(count, count))
    of_node: IntArray = csgraph.connected_components(pairs, directed=False)[1]
    return of_node
