"""How finely float32, the numbers of an STL, can say where something is: ever less finely away from the origin.

A float32 has 24 bits (IEEE 754-2019, binary32), so neighbouring numbers are 2**(e - 23) apart from 2**e to 2**(e + 1)
(Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 2.1): 0.0000076 mm at 100 mm, 0.002 mm at 20 m.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

_Floats: TypeAlias = npt.NDArray[np.float64]

_SIZES_AWAY = 4.0
"""How many times its own diagonal a mesh may be away from the origin before its place is to blame, and not its size."""


def rounded(points: _Floats) -> _Floats:
    """Points as a file with float32 coordinates would have them, float64; infinite beyond the range of float32."""
    with np.errstate(over="ignore", invalid="ignore"):
        return points.astype(np.float32).astype(np.float64)


def are_float32(points: _Floats) -> bool:
    """Whether a file with float32 coordinates would hold all of these points as they are; NaN counts as held."""
    held = rounded(points)
    return np.array_equal(held, points) or np.array_equal(held, points, equal_nan=True)  # the first is much faster


def float32_step(distance: float) -> float:
    """How far neighbouring float32 numbers are apart at this distance from zero; infinite beyond their range."""
    with np.errstate(over="ignore"):
        nearest = np.float32(distance)
    return float(np.spacing(nearest)) if np.isfinite(nearest) else float("inf")


def step_of_size(diagonal: float) -> float:
    """The step that float32 has where a mesh of this size lies near the origin: no other place makes it much finer."""
    return _SIZES_AWAY * float32_step(diagonal)
