"""The one place that configures Numba.

`fastmath` stays off: the exact predicates live on IEEE arithmetic. `error_model="numpy"` makes a division by zero give
inf, not an exception, since a kernel that raises leaks. `nogil` lets ranges run on the thread pool of `_parallel`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import numba

CACHE = os.environ.get("MESHGUARD_CACHE", "1") != "0"
"""Whether compiled kernels are kept on disk; `MESHGUARD_CACHE=0` switches that off."""

_Function = TypeVar("_Function", bound=Callable[..., Any])


def kernel(function: _Function) -> _Function:
    """Compile an entry point, called from Python and cached on disk. Each costs its load time: few and fat ones."""
    compiled: _Function = numba.njit(nogil=True, cache=CACHE, error_model="numpy", fastmath=False)(function)
    return compiled


def inlined(function: _Function) -> _Function:
    """Compile a function that only kernels call: into each of them, without a cache file of its own."""
    compiled: _Function = numba.njit(nogil=True, error_model="numpy", fastmath=False)(function)
    return compiled
