"""Exact predicates: a floating-point filter decides nearly always, an exact expansion decides the rest.

After Shewchuk, Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates (1997). Exact for
coordinates whose non-zero magnitudes lie within 1e-70 and 1e70: no product overflows and no rounding error underflows.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined

_SPLITTER = 134217729.0  # 2**27 + 1, which cuts a double into two halves of 26 bits
_FILTER = 3.3306690738754716e-16  # (3 + 16 eps) eps with eps = 2**-53: Shewchuk's ccwerrboundA


@inlined
def _add_to_expansion(expansion: npt.NDArray[np.float64], length: int, value: float) -> int:
    """Add a number to an expansion of `length` terms (increasing, non-overlapping), in place; return its new length."""
    kept = 0
    total = value
    for i in range(length):
        term = expansion[i]
        raised = total + term
        virtual = raised - total
        error = (total - (raised - virtual)) + (term - virtual)
        total = raised
        if error != 0.0:
            expansion[kept] = error
            kept += 1
    if total != 0.0:
        expansion[kept] = total
        kept += 1
    return kept


@inlined
def _add_product(expansion: npt.NDArray[np.float64], length: int, a: float, b: float) -> int:
    """Add a * b to an expansion without rounding (Dekker's product); return its new length."""
    product = a * b
    c = _SPLITTER * a
    a_high = c - (c - a)
    a_low = a - a_high
    c = _SPLITTER * b
    b_high = c - (c - b)
    b_low = b - b_high
    error = a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)
    length = _add_to_expansion(expansion, length, error)
    return _add_to_expansion(expansion, length, product)


@inlined
def orient2d_exact(ax: float, ay: float, bx: float, by: float, cx: float, cy: float) -> int:
    """Sign of the determinant of `orient2d`, by expansions alone."""
    expansion = np.empty(16, np.float64)
    length = _add_product(expansion, 0, ax, by)
    length = _add_product(expansion, length, -ay, bx)
    length = _add_product(expansion, length, bx, cy)
    length = _add_product(expansion, length, -by, cx)
    length = _add_product(expansion, length, cx, ay)
    length = _add_product(expansion, length, -cy, ax)
    if length == 0:
        return 0
    return 1 if expansion[length - 1] > 0.0 else -1


@inlined
def orient2d(ax: float, ay: float, bx: float, by: float, cx: float, cy: float) -> int:
    """1 where a, b, c turn counter-clockwise, −1 clockwise, 0 where they are exactly collinear."""
    left = (ax - cx) * (by - cy)
    right = (ay - cy) * (bx - cx)
    determinant = left - right
    bound = _FILTER * (abs(left) + abs(right))
    if determinant > bound:
        return 1
    if -determinant > bound:
        return -1
    return orient2d_exact(ax, ay, bx, by, cx, cy)


@inlined
def are_collinear(
    ax: float, ay: float, az: float, bx: float, by: float, bz: float, cx: float, cy: float, cz: float
) -> bool:
    """Whether three finite points lie exactly on one line (or coincide): all three projections are collinear."""
    return (
        orient2d(ax, ay, bx, by, cx, cy) == 0
        and orient2d(ay, az, by, bz, cy, cz) == 0
        and orient2d(az, ax, bz, bx, cz, cx) == 0
    )
