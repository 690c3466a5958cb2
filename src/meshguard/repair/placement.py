"""What a repair is asked to do before it looks at anything: another unit, and a place nearer to the origin.

Nothing of this happens unasked, and what happened is told apart from what was repaired. A position of the result is
`scale` times the input's position, less `shift_mm`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from meshguard.errors import MeshError
from meshguard.mesh import Mesh
from meshguard.quantities import LENGTHS

if TYPE_CHECKING:
    from meshguard.facts.mesh import MeshFacts
    from meshguard.mesh import FloatArray

Unit: TypeAlias = Literal["um", "mm", "cm", "m", "inch"]

_SIZES = 8.0
"""Shifts are multiples of the power of two that is at least so many diagonals: meshes that lie and are alike, such as
both jaws of a bite, are nearly always shifted alike, and a mesh near the origin not at all."""


class Placement(NamedTuple):
    """A mesh in millimetres where it is repaired.

    Attributes:
        mesh: the input itself where nothing else was asked for.
        scale: what every coordinate of the input was multiplied by.
        shift_mm: what was subtracted from x, y and z after that; adding it gives every bit back.
    """

    mesh: Mesh
    scale: float
    shift_mm: tuple[float, float, float]


def scale_of(unit: str | None, scale: float | None) -> float:
    """What coordinates are multiplied by: millimetres in a unit, or a factor.

    Raises:
        MeshError: both are given, there is no such unit, or the factor is not a finite number above 0.
    """
    if unit is not None and scale is not None:
        raise MeshError("unit and scale both say what a coordinate is in mm: give one of them")
    if unit is not None:
        known = {"mm": 1.0} | {name: millimetres for name, (_, millimetres) in LENGTHS.items()}
        name = unit.replace("\N{MICRO SIGN}", "u")
        if name not in known:
            raise MeshError(f"unit must be one of {', '.join(known)}, not {unit!r}")
        return known[name]
    factor = 1.0 if scale is None else float(scale)
    if not (math.isfinite(factor) and factor > 0):
        raise MeshError(f"scale must be a finite number above 0, not {scale!r}")
    return factor


def placed(facts: MeshFacts, scale: float, *, recentre: bool) -> Placement:
    """The mesh scaled, and then shifted towards the origin if that is asked for. Attributes and source stay."""
    mesh, shift = facts.mesh, np.zeros(3)
    if recentre:
        shift = centring_shift(*(facts.box * scale))
    if scale == 1.0 and not shift.any():
        return Placement(mesh, scale, (0.0, 0.0, 0.0))
    with np.errstate(over="ignore", invalid="ignore"):
        vertices = mesh.vertices * scale - shift
    moved = Mesh(
        vertices=vertices,
        faces=mesh.faces,
        vertex_data=mesh.vertex_data,
        face_data=mesh.face_data,
        jaw=mesh.jaw,
        source=mesh.source,
    )
    x, y, z = shift.tolist()
    return Placement(moved, scale, (x, y, z))


def centring_shift(low: FloatArray, high: FloatArray) -> FloatArray:
    """What to subtract from every point of a box so that it lies near the origin: float64 (3,), mm.

    Each coordinate of it is 0, or at least half and at most twice any coordinate in the box. So every difference is
    exact (Sterbenz, Floating-Point Computation, 1974), in double and in single precision, and the sum gives the point
    back. Where the box comes too near to zero for that, a shift would gain nothing.

    Args:
        low: float64 (3,), the least coordinates.
        high: float64 (3,), the greatest.
    """
    with np.errstate(over="ignore"):
        diagonal = float(np.linalg.norm(high - low))
    if not (math.isfinite(diagonal) and diagonal > 0):
        return np.zeros(3)
    multiple = 2.0 ** math.ceil(math.log2(_SIZES * diagonal))
    shift = np.rint((low / 2 + high / 2) / multiple) * multiple
    is_exact = (
        (np.sign(low) == np.sign(high)) & (np.abs(high) <= 2 * np.abs(shift)) & (np.abs(low) <= 2 * np.abs(shift))
    )
    is_exact &= (np.abs(shift) <= 2 * np.abs(low)) & (np.abs(shift) <= 2 * np.abs(high))
    return np.where(is_exact, shift, 0.0)
