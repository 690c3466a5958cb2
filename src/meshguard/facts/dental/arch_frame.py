"""The arch frame: which way the teeth bite, how they stand along the arch, and which jaw this is, as far as it shows.

Everything is found from the shape alone, so that it moves with the mesh; labels only say which surface is teeth. What
cannot be determined from what is there (a straight row of three molars has no inside) is None, not a guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from meshguard import fdi
from meshguard.facts.dental.arch_curve import ArchCurve, curve_through

if TYPE_CHECKING:
    from meshguard.facts.dental.labels import Labelling
    from meshguard.facts.dental.teeth import Teeth
    from meshguard.mesh import FloatArray, IntArray, Jaw

MIN_SAGITTA_MM = 4.0
"""A row of teeth curves enough to have an inside when its middle is this far from the line between its ends: further
than single teeth stand out of line."""

LEAST_AGREEMENT = 0.5
"""Crowns point one way when the mean of their axes is at least this long; on four real arches it is 0.8 and more."""


class ArchFrame(NamedTuple):
    """Where the arch is and which way it faces; None for what cannot be determined.

    Attributes:
        source: "labels" where labels say what is teeth, else "geometry".
        origin: float64 (3,): a point of the occlusal plane, in the middle of the teeth, mm.
        up: float64 (3,): unit vector towards the biting side, the normal of the occlusal plane.
        up_confidence: 0 to 1.
        curve: the arch curve; that of a nearly straight row has no inside, see `has_inside`.
        front: float64 (3,): unit vector from the middle of the open side to the incisors, in the plane.
        front_confidence: 0 to 1.
        jaw: which jaw this is, from its shape.
        jaw_confidence: 0 to 1.
        why_unsure: what could not be determined and why, a sentence each.
    """

    source: Literal["labels", "geometry"]
    origin: FloatArray
    up: FloatArray | None = None
    up_confidence: float = 0.0
    curve: ArchCurve | None = None
    front: FloatArray | None = None
    front_confidence: float = 0.0
    jaw: Jaw | None = None
    jaw_confidence: float = 0.0
    why_unsure: tuple[str, ...] = ()

    @property
    def has_inside(self) -> bool:
        """Whether the curve shows on which side of the teeth the tongue is."""
        return self.curve is not None and self.curve.sagitta_mm >= MIN_SAGITTA_MM


def up_of_teeth(centres: FloatArray, axes: FloatArray) -> tuple[FloatArray | None, float]:
    """The normal of the occlusal plane, on the side that the crowns point to, and its confidence from 0 to 1.

    Args:
        centres: float64 (T, 3), mm.
        axes: float64 (T, 3), unit vectors towards the biting side, NaN for none.
    """
    axes = axes[np.isfinite(axes).all(axis=1)]
    if not len(axes):
        return None, 0.0
    mean = axes.mean(axis=0)
    agreement = float(np.linalg.norm(mean))
    if agreement < LEAST_AGREEMENT:
        return None, 0.0
    up: FloatArray = mean / agreement
    if len(centres) >= 5:
        _, spread, directions = np.linalg.svd(centres - centres.mean(axis=0), full_matrices=False)
        spread /= np.sqrt(len(centres))
        normal = directions[2]
        # A nearly straight row does not define a plane.
        if spread[1] > 3.0 and spread[2] < 0.4 * spread[1] and abs(float(normal @ up)) > 0.6:
            up = normal * np.sign(normal @ up)
    return up, agreement


def frame_of_teeth(centres: FloatArray, axes: FloatArray, backs: IntArray | None = None) -> ArchFrame:
    """The frame of an arch whose teeth are known.

    Args:
        centres: float64 (T, 3), of each tooth, mm.
        axes: float64 (T, 3), unit vectors towards the biting side of each, NaN for none.
        backs: int32 (T,), how far back each tooth is by its number, or None where the numbers do not say.
    """
    origin = centres.mean(axis=0) if len(centres) else np.zeros(3)
    why: tuple[str, ...] = ()
    up, up_confidence = up_of_teeth(centres, axes)
    if up is None:
        why = ("The crowns do not point one way, so there is no occlusal plane.",)
        return ArchFrame(source="labels", origin=origin, why_unsure=why)
    curve = curve_through(centres, up, backs)
    front, front_confidence = None, 0.0
    if curve is None:
        why = ("The teeth are too few, or too far apart, for an arch curve.",)
    elif curve.sagitta_mm < MIN_SAGITTA_MM:
        why = ("The row of teeth is nearly straight, so it is unknown on which side of it the tongue is.",)
    else:
        span = curve.high - curve.low
        middle = curve.cut + 0.5 * (curve.low + curve.high)
        front = np.cos(middle) * curve.east + np.sin(middle) * curve.north
        # Half a circle has both sides; a quarter may be one side only, and its middle is not the midline.
        front_confidence = float(np.clip((np.degrees(span) - 60.0) / 100.0, 0.0, 1.0))
        if front_confidence == 0.0:
            why = ("Only one side of the arch is there, so there is no midline.",)
            front = None
    return ArchFrame(
        source="labels",
        origin=origin,
        up=up,
        up_confidence=up_confidence,
        curve=curve,
        front=front,
        front_confidence=front_confidence,
        why_unsure=why,
    )


def frame_of_labels(labels: Labelling, teeth: Teeth) -> ArchFrame:
    """The frame of an arch whose teeth are labelled, from those that are whole."""
    codes = teeth.labels[teeth.is_whole].tolist()
    backs = None
    if labels.is_fdi and all(fdi.is_tooth(code) for code in codes):
        backs = np.array([fdi.position(code) for code in codes], np.int32)
    return frame_of_teeth(teeth.centres[teeth.is_whole], teeth.axes[teeth.is_whole], backs)
