"""A phantom with a bridge: a gap between two crowns that is closed by a sheet of surface, as scanners make it.

Unlike wrong labels this changes the surface, and unlike the defects that any mesh can have it depends on where the
crowns are. So it is built on the grid of the phantom, which gets columns at the walls of the gap and over its floor. A
sheet of heights over a grid cannot intersect itself, whatever the heights are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.mesh import frozen_array
from meshguard.phantoms.arch import (
    ArchForm,
    arch_form,
    crown_surface,
    gum_surface,
    meshed,
    refuse_bad_arguments,
    sampling_grid,
    whole_surface,
)
from meshguard.phantoms.defects import Truth
from meshguard.phantoms.teeth import Floats, soft_maximum

if TYPE_CHECKING:
    from meshguard.mesh import Jaw, Mesh

MIN_GAP_MM, MAX_GAP_MM = 0.1, 0.9

_DEPTH_MM = 1.3  # from the crowns beside the gap down to the sheet
_LEAN_MM = 0.08  # how far each wall of the gap leans back over that depth
_FLANK_MM = 1.0  # this far from the middle of the gap the crowns are as high as its edges
_LENGTH_SHARE = 0.66  # of the narrower crown's width across the arch
_FADE_MM = 0.5  # length over which the gap ends


def bridged_phantom(
    *, jaw: Jaw = "lower", teeth: int = 14, faces: int = 50_000, seed: int = 0, gap_mm: float = 0.4
) -> tuple[Mesh, Truth]:
    """A `phantom` in which two neighbours, drawn by the seed, stand apart and a sheet closes the gap between them.

    Their facing walls are nearly parallel and more than 1 mm high; the sheet is the floor between them. Each
    crown's label reaches to the middle of the sheet.

    Args:
        jaw: "upper" or "lower".
        teeth: how many, 2 to 16.
        faces: about how many faces; the gap adds some more.
        seed: for the phantom, and for which neighbours it is.
        gap_mm: width of the sheet, 0.1 to 0.9 mm.

    Returns:
        The mesh, with labels on vertices and on faces, and the truth, whose indices are the faces of the sheet.

    Raises:
        ValueError: an argument is outside its range; the message names it.
    """
    refuse_bad_arguments(jaw, teeth, faces, 1.0, seed)
    if not MIN_GAP_MM <= gap_mm <= MAX_GAP_MM:
        raise ValueError(f"gap_mm must be a number from {MIN_GAP_MM} to {MAX_GAP_MM}, not {gap_mm!r}")
    arch = arch_form(jaw, teeth, seed)
    place = int(np.random.default_rng([seed, 2]).integers(teeth - 1))
    left, right = arch.teeth[place : place + 2]
    middle = left.centre_mm + 0.5 * left.crown.mesiodistal_mm
    half = 0.5 * _LENGTH_SHARE * min(left.crown.buccolingual_mm, right.crown.buccolingual_mm)
    s, n = _refined(*sampling_grid(arch, faces), middle, gap_mm)
    crowns, labels = crown_surface(arch, s, n)
    gum = gum_surface(arch, s, n)
    labels[gum >= crowns] = 0
    away = s - middle
    weight = np.clip((half - np.abs(n)) / _FADE_MM, 0.0, 1.0)
    is_inside = (np.abs(away) < _FLANK_MM) & (weight > 0.5)
    labels[is_inside & (away <= 0.0)], labels[is_inside & (away > 0.0)] = left.label, right.label
    z = soft_maximum(crowns, gum, width=0.12)
    z += weight * (_gapped(arch, z, s, n, middle, gap_mm) - z)
    mesh = meshed(arch, s, n, z, labels)
    is_on_sheet = ((np.abs(away) < 0.5 * gap_mm + 1e-9) & (weight > 0.5)).ravel()
    sheet = np.flatnonzero(is_on_sheet[mesh.faces].all(axis=1)).astype(np.int32)
    centres = mesh.vertices[mesh.faces[sheet]].mean(axis=1)
    x, y, height = centres[np.argmin(((centres - centres.mean(axis=0)) ** 2).sum(axis=1))].tolist()
    low, high = sorted((left.label, right.label))
    return mesh, Truth(
        check="D115",
        element="face",
        indices=frozen_array(sheet),
        location=(x, y, height),
        measures={"gap_mm": gap_mm, "tooth": low, "other": high},
    )


def _refined(s: Floats, n: Floats, middle: float, gap_mm: float) -> tuple[Floats, Floats]:
    """The grid with columns at the walls of the gap and over its floor, there about as close as they were."""
    old = s[:, 0]
    place = int(np.searchsorted(old, middle))
    spacing = float(np.median(np.diff(old[max(0, place - 4) : place + 4])))
    floor = np.linspace(-0.5 * gap_mm, 0.5 * gap_mm, 2 * max(1, round(0.5 * gap_mm / spacing)) + 1)
    wall = 0.5 * gap_mm + _LEAN_MM * np.arange(1, 3) / 2.0
    new = middle + np.concatenate([-wall[::-1], floor, wall])
    is_outside = np.abs(old - middle) > 0.5 * gap_mm + _LEAN_MM + 0.4 * spacing
    columns = np.sort(np.concatenate([old[is_outside], new]))
    rows = np.stack([np.interp(columns, old, row) for row in n.T], axis=1)
    return columns[:, None], rows


def _gapped(arch: ArchForm, z: Floats, s: Floats, n: Floats, middle: float, gap_mm: float) -> Floats:
    """Heights, float64 (c, r), of the sheet and of the walls of the two crowns beside it."""
    flanks = [whole_surface(arch, np.full_like(s, middle + side * _FLANK_MM), n) for side in (-1.0, 1.0)]
    top = np.minimum(*flanks)
    away = np.abs(s - middle)
    rise = np.clip((away - 0.5 * gap_mm) / _LEAN_MM, 0.0, 1.0)
    heights: Floats = np.where(away < _FLANK_MM, np.maximum(np.where(rise >= 1.0, z, -np.inf), top), z)
    return np.where(rise < 1.0, top - _DEPTH_MM * (1.0 - rise), heights)
