"""The arch frame of a scan without labels, from its shape alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from meshguard.facts.dental.arch_curve import curve_through
from meshguard.facts.dental.arch_frame import MIN_SAGITTA_MM, ArchFrame
from meshguard.halfedges import triangle_normals, unit_vectors

if TYPE_CHECKING:
    import numpy.typing as npt

    from meshguard.facts.dental.arch_curve import ArchCurve
    from meshguard.facts.mesh.facts import MeshFacts
    from meshguard.mesh import FloatArray, Jaw

MAX_FACES = 60_000
"""Of a larger mesh about this many faces are looked at, spread evenly."""

FEW_FACES = 1_000
"""Of a mesh about this many faces are looked at where the only question is whether it may be an arch."""

LEAST_ARCH_MM = 80.0
"""A curve shorter than this is not taken for that of a whole arch: on 36 of 37 whole arches it is 90 mm long or longer,
on halves of them at most 75. A proposal."""

CROWN_BAND_MM = 5.0
"""Depth below the highest surface within which crowns are looked for."""

FLAT_SHARE = 0.12
"""Share of the area that one plane must hold to be the base of a model."""

MIN_GUM_MM2 = 150.0
"""Area of gum on the tongue's side from which on its slope is used to decide the jaw."""


def why_not_an_arch(surface: MeshFacts) -> str | None:
    """Why a scan without labels does not look like a whole arch, in a sentence; None where it does.

    A quick look at a few faces, which decides nothing: a scan of one quadrant is a good scan.
    """
    frame = frame_of_shape(surface, most_faces=FEW_FACES, with_jaw=False)
    if frame.up is None or frame.curve is None or frame.front is None:  # without a front it is a closed ring
        return frame.why_unsure[0]
    length = float(frame.curve.along(np.array([frame.curve.high]))[0])
    return None if length >= LEAST_ARCH_MM else "The highest surface is shorter than a whole arch."


def frame_of_shape(surface: MeshFacts, *, most_faces: int = MAX_FACES, with_jaw: bool = True) -> ArchFrame:
    """The frame of an arch without labels.

    The occlusal plane is perpendicular to the direction of least spread. Its biting side faces away from the boundary
    of an open sheet, and from the flat base of a model. The arch is where the surface is highest. If it is filled
    inside, that is the palate. Of a larger mesh about `most_faces` faces are looked at, spread evenly. The jaw, which
    takes the longest, is left open without `with_jaw`.
    """
    is_used = surface.is_sound & (surface.components.of_face == surface.largest_component)
    faces = np.flatnonzero(is_used) if surface.n_finite else np.empty(0)
    if len(faces) < 100:
        return ArchFrame(source="geometry", origin=np.zeros(3), why_unsure=("There are too few faces.",))
    faces = faces[:: max(1, len(faces) // most_faces)]
    corners = surface.positions[surface.corners[faces]]
    centres, area = corners.mean(axis=1), surface.face_measures.area[faces]
    origin = area @ centres / area.sum()
    spread, directions = np.linalg.eigh(((centres - origin).T * area) @ (centres - origin) / area.sum())
    if spread[0] > 0.45 * spread[1]:
        why = ("The scan is as thick as it is wide, so the occlusal plane is unknown.",)
        return ArchFrame(source="geometry", origin=origin, why_unsure=why)
    normal: FloatArray = directions[:, 0]
    side, confidence = _biting_side(surface, centres, area, corners, origin, normal)
    if confidence < 0.2:
        why = ("Neither a boundary nor a base shows on which side the teeth bite.",)
        return ArchFrame(source="geometry", origin=origin, up_confidence=confidence, why_unsure=why)
    up = side * normal
    height = (centres - origin) @ up
    top = float(np.quantile(height, 0.995))
    crowns = centres[height > top - CROWN_BAND_MM]
    curve = curve_through(crowns[:: max(1, len(crowns) // 4000)], up)
    if curve is None or curve.sagitta_mm < MIN_SAGITTA_MM:
        why = ("The highest surface is not an arch, so there is no midline.",)
        return ArchFrame(source="geometry", origin=origin, up=up, up_confidence=confidence, why_unsure=why)
    middle = curve.cut + 0.5 * (curve.low + curve.high)
    front = np.cos(middle) * curve.east + np.sin(middle) * curve.north
    opening = 2 * np.pi - (curve.high - curve.low)
    front_confidence = float(np.clip((math.degrees(opening) - 25.0) / 60.0, 0.0, 1.0))
    if front_confidence == 0.0:
        why = ("The highest surface is a closed ring, so there is no midline.",)
        return ArchFrame(source="geometry", origin=origin, up=up, up_confidence=confidence, why_unsure=why)
    jaw, jaw_confidence = _jaw_by_inside(centres, area, corners, up, curve, front) if with_jaw else (None, 0.0)
    doubt = "The inside of the arch is neither open and steep, as in a lower jaw, nor a palate."
    return ArchFrame(
        source="geometry",
        origin=origin,
        up=up,
        up_confidence=confidence,
        curve=curve,
        front=front,
        front_confidence=front_confidence,
        jaw=jaw,
        jaw_confidence=jaw_confidence,
        why_unsure=(doubt,) if with_jaw and jaw is None else (),
    )


def _biting_side(
    surface: MeshFacts,
    centres: FloatArray,
    area: FloatArray,
    corners: FloatArray,
    origin: FloatArray,
    normal: FloatArray,
) -> tuple[float, float]:
    """Which way along the normal the teeth bite, 1 or -1, and a confidence from 0 to 1."""
    for side in (1.0, -1.0):
        if _has_base(area, corners, -side * normal) and not _has_base(area, corners, side * normal):
            return side, 0.9
    boundary = surface.edges.boundary
    if not len(boundary):
        return 1.0, 0.0
    ends = surface.positions[surface.edge_ends(boundary)]
    length = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    middle = length @ ends.mean(axis=1) / max(float(length.sum()), 1e-12)
    thickness = float(np.sqrt(area @ ((centres - origin) @ normal) ** 2 / area.sum()))
    away = float((origin - middle) @ normal) / max(thickness, 1e-12)
    return (1.0 if away > 0 else -1.0), float(np.clip(abs(away), 0.0, 1.0))


def _has_base(area: FloatArray, corners: FloatArray, outward: FloatArray) -> bool:
    """Whether a large part of the surface lies in one plane that faces this way, and nothing lies beyond it."""
    normals = triangle_normals(corners)
    cosine = np.abs(normals @ outward) / np.maximum(np.linalg.norm(normals, axis=1), 1e-300)
    height = corners.mean(axis=1) @ outward
    # A base may be cut at a slant to the occlusal plane.
    is_outermost = height > float(np.quantile(height, 0.98)) - 4.0
    return bool(area[(cosine > 0.95) & is_outermost].sum() > FLAT_SHARE * area.sum())


def _jaw_by_inside(
    centres: FloatArray, area: FloatArray, corners: FloatArray, up: FloatArray, curve: ArchCurve, front: FloatArray
) -> tuple[Jaw | None, float]:
    """Upper where the arch is filled inside and slopes up to the palate, lower where it is open and falls steeply.

    An upper scan without its palate is open as well, but slopes; a model with a base is filled in either jaw. Where the
    two signs disagree, the jaw is None. In eight arches of known jaw the slope (mean component of the normals along
    `up`) is 0.68 in the upper one, 0.15 to 0.28 in lower ones as scanned, and 0.5 in trimmed ones and ones with a base.
    """
    flat = (centres - curve.centre) @ np.stack([front, np.cross(up, front)], axis=1)
    radius = float(curve.coefficients[0])
    # The inner half of the arch in cells of 3 mm: which of them hold surface.
    cells: npt.NDArray[np.int64] = np.floor(flat / 3.0).astype(np.int64)
    reach = max(2, int(0.55 * radius / 3.0))
    is_inside = (np.abs(cells + 0.5) < reach).all(axis=1)
    filled = len(np.unique(cells[is_inside], axis=0)) / (2 * reach) ** 2

    across = curve.placed(centres)[1]
    height = centres @ up
    is_below = height < float(np.quantile(height, 0.995)) - CROWN_BAND_MM
    angles = curve.angles(centres)
    is_gum = is_below & (across < -5.0) & (across > -13.0) & (angles > curve.low) & (angles < curve.high)
    if area[is_gum].sum() < MIN_GUM_MM2:
        return None, 0.0
    normals = unit_vectors(triangle_normals(corners[is_gum]))
    inward = curve.centre - centres[is_gum]
    inward -= (inward @ up)[:, None] * up
    # The outside of a face is the side of the tongue, whatever its orientation.
    sign = np.sign((normals * inward).sum(axis=1))
    slope = float(area[is_gum] @ (sign * (normals @ up))) / float(area[is_gum].sum())
    if filled > 0.7 and slope > 0.55:
        return "upper", float(np.clip((slope - 0.45) / 0.2, 0.0, 1.0))
    if filled < 0.6 and slope < 0.4:
        return "lower", float(np.clip((0.5 - slope) / 0.25, 0.0, 1.0))
    return None, 0.0
