"""Exact predicates: a floating-point filter nearly always decides, an exact expansion decides the rest.

After Shewchuk, Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates (1997). Exact for
coordinates whose non-zero magnitudes lie within 1e-70 and 1e70: no product overflows and no rounding error underflows.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined

_SPLITTER = 134217729.0  # 2**27 + 1, which splits a double into two halves of 26 bits
FILTER_2D = 3.3306690738754716e-16  # (3 + 16 eps) eps with eps = 2**-53: Shewchuk's ccwerrboundA
FILTER_3D = 7.771561172376103e-16  # (7 + 56 eps) eps: Shewchuk's o3derrboundA


@inlined
def _add_to_expansion(expansion: npt.NDArray[np.float64], length: int, value: float) -> int:
    """Add a number to an expansion of `length` terms (increasing, non-overlapping), in place; return its new length."""
    n_terms = 0
    total = value
    for i in range(length):
        term = expansion[i]
        raised = total + term
        virtual = raised - total
        error = (total - (raised - virtual)) + (term - virtual)
        total = raised
        if error != 0.0:
            expansion[n_terms] = error
            n_terms += 1
    if total != 0.0:
        expansion[n_terms] = total
        n_terms += 1
    return n_terms


@inlined
def _product_tail(a: float, b: float, product: float) -> float:
    """What rounding took from a * b = product (Dekker's product)."""
    c = _SPLITTER * a
    a_high = c - (c - a)
    a_low = a - a_high
    c = _SPLITTER * b
    b_high = c - (c - b)
    b_low = b - b_high
    return a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


@inlined
def _tail(a: float, b: float, difference: float) -> float:
    """What rounding took from a − b = difference."""
    virtual = a - difference
    return (a - (difference + virtual)) + (virtual - b)


@inlined
def _add_product(expansion: npt.NDArray[np.float64], length: int, a: float, b: float) -> int:
    """Add a * b to an expansion without rounding; return its new length."""
    product = a * b
    length = _add_to_expansion(expansion, length, _product_tail(a, b, product))
    return _add_to_expansion(expansion, length, product)


@inlined
def _sign(expansion: npt.NDArray[np.float64], length: int) -> int:
    """The sign of an expansion: that of its largest term, which is its last."""
    if length == 0:
        return 0
    return 1 if expansion[length - 1] > 0.0 else -1


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
    return _sign(expansion, length)


@inlined
def orient2d(ax: float, ay: float, bx: float, by: float, cx: float, cy: float) -> int:
    """1 where a, b, c turn counter-clockwise, −1 clockwise, 0 where they are exactly collinear."""
    left = (ax - cx) * (by - cy)
    right = (ay - cy) * (bx - cx)
    determinant = left - right
    bound = FILTER_2D * (abs(left) + abs(right))
    if determinant > bound:
        return 1
    if -determinant > bound:
        return -1
    if (
        _tail(ax, cx, ax - cx) == 0.0
        and _tail(by, cy, by - cy) == 0.0
        and _tail(ay, cy, ay - cy) == 0.0
        and _tail(bx, cx, bx - cx) == 0.0
    ):
        # Exact differences: two products are left to compare. Rounding keeps their order, or makes them equal.
        if left != right:
            return 1 if left > right else -1
        more, less = _product_tail(ax - cx, by - cy, left), _product_tail(ay - cy, bx - cx, right)
        return int(more > less) - int(more < less)
    return orient2d_exact(ax, ay, bx, by, cx, cy)


@inlined
def _add_scaled(
    expansion: npt.NDArray[np.float64], length: int, added: npt.NDArray[np.float64], added_length: int, factor: float
) -> int:
    """Add another expansion times a factor to an expansion; return its new length."""
    for i in range(added_length):
        length = _add_product(expansion, length, added[i], factor)
    return length


@inlined
def _orient3d_differences(
    ax: float, ay: float, az: float, bx: float, by: float, bz: float, cx: float, cy: float, cz: float
) -> int:
    """Sign of the determinant of three vectors, by expansions."""
    minor, total = np.empty(8, np.float64), np.empty(32, np.float64)
    length = _add_product(minor, _add_product(minor, 0, bx, cy), -cx, by)
    result = _add_scaled(total, 0, minor, length, az)
    length = _add_product(minor, _add_product(minor, 0, cx, ay), -ax, cy)
    result = _add_scaled(total, result, minor, length, bz)
    length = _add_product(minor, _add_product(minor, 0, ax, by), -bx, ay)
    result = _add_scaled(total, result, minor, length, cz)
    return _sign(total, result)


@inlined
def _add_minors(
    expansion: npt.NDArray[np.float64],
    px: float,
    py: float,
    qx: float,
    qy: float,
    rx: float,
    ry: float,
) -> int:
    """Write the expansion of twice the area of p, q, r in the plane; return its length."""
    length = _add_product(expansion, 0, px, qy)
    length = _add_product(expansion, length, -py, qx)
    length = _add_product(expansion, length, qx, ry)
    length = _add_product(expansion, length, -qy, rx)
    length = _add_product(expansion, length, rx, py)
    return _add_product(expansion, length, -ry, px)


@inlined
def orient3d_exact(
    ax: float,
    ay: float,
    az: float,
    bx: float,
    by: float,
    bz: float,
    cx: float,
    cy: float,
    cz: float,
    dx: float,
    dy: float,
    dz: float,
) -> int:
    """Sign of the determinant of `orient3d`, by expansions alone."""
    minor, total = np.empty(16, np.float64), np.empty(128, np.float64)
    length = _add_minors(minor, bx, by, cx, cy, dx, dy)
    result = _add_scaled(total, 0, minor, length, az)
    length = _add_minors(minor, ax, ay, cx, cy, dx, dy)
    result = _add_scaled(total, result, minor, length, -bz)
    length = _add_minors(minor, ax, ay, bx, by, dx, dy)
    result = _add_scaled(total, result, minor, length, cz)
    length = _add_minors(minor, ax, ay, bx, by, cx, cy)
    result = _add_scaled(total, result, minor, length, -dz)
    return _sign(total, result)


@inlined
def orient3d(
    ax: float,
    ay: float,
    az: float,
    bx: float,
    by: float,
    bz: float,
    cx: float,
    cy: float,
    cz: float,
    dx: float,
    dy: float,
    dz: float,
) -> int:
    """1 where d lies below the plane of a, b, c (counter-clockwise seen from above), −1 above it, 0 exactly in it."""
    adx, ady, adz = ax - dx, ay - dy, az - dz
    bdx, bdy, bdz = bx - dx, by - dy, bz - dz
    cdx, cdy, cdz = cx - dx, cy - dy, cz - dz
    bc, cb = bdx * cdy, cdx * bdy
    ca, ac = cdx * ady, adx * cdy
    ab, ba = adx * bdy, bdx * ady
    determinant = adz * (bc - cb) + bdz * (ca - ac) + cdz * (ab - ba)
    permanent = (abs(bc) + abs(cb)) * abs(adz) + (abs(ca) + abs(ac)) * abs(bdz) + (abs(ab) + abs(ba)) * abs(cdz)
    bound = FILTER_3D * permanent
    if determinant > bound:
        return 1
    if -determinant > bound:
        return -1
    if permanent == 0.0:  # every product has a factor that is zero, and not by rounding
        return 0
    # Differences of numbers of like size and few digits (any that a float32 can hold, nearly always) are exact: then
    # the determinant of the three vectors is exact too, with a quarter of the work.
    if (
        _tail(ax, dx, adx) == 0.0
        and _tail(ay, dy, ady) == 0.0
        and _tail(az, dz, adz) == 0.0
        and _tail(bx, dx, bdx) == 0.0
        and _tail(by, dy, bdy) == 0.0
        and _tail(bz, dz, bdz) == 0.0
        and _tail(cx, dx, cdx) == 0.0
        and _tail(cy, dy, cdy) == 0.0
        and _tail(cz, dz, cdz) == 0.0
    ):
        return _orient3d_differences(adx, ady, adz, bdx, bdy, bdz, cdx, cdy, cdz)
    return orient3d_exact(ax, ay, az, bx, by, bz, cx, cy, cz, dx, dy, dz)


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
