"""Sorting inside kernels: Numba takes a second to compile NumPy's sort wherever it is used, a tenth for this one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from meshguard.kernels._jit import inlined

if TYPE_CHECKING:
    import numpy.typing as npt


@inlined
def sort_in_place(keys: npt.NDArray[Any]) -> None:
    """Sort numbers, ascending, by heapsort (Williams 1964): no worst case, no memory."""
    count = len(keys)
    for start in range(count // 2 - 1, -1, -1):
        _sift_down(keys, start, count)
    for end in range(count - 1, 0, -1):
        keys[0], keys[end] = keys[end], keys[0]
        _sift_down(keys, 0, end)


@inlined
def _sift_down(keys: npt.NDArray[Any], root: int, end: int) -> None:
    """Let the key at the root sink to its place in the heap below it."""
    key = keys[root]
    while True:
        child = 2 * root + 1
        if child >= end:
            break
        if child + 1 < end and keys[child + 1] > keys[child]:
            child += 1
        if keys[child] <= key:
            break
        keys[root] = keys[child]
        root = child
    keys[root] = key
