"""Which jaw the labelled incisors look like, whatever jaw their numbers name."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from meshguard import fdi

if TYPE_CHECKING:
    from meshguard.facts.dental.labels import Labelling
    from meshguard.facts.dental.teeth import Teeth
    from meshguard.facts.dental.tooth_sizes import ToothSizes
    from meshguard.mesh import Jaw

INCISOR_RATIO = 1.09
"""Width of the central over the lateral incisor that separates the jaws: Wheeler's averages are 1.31 in the upper jaw
and 0.91 in the lower, four real arches have 1.22 and 0.87 to 0.93."""


def jaw_of_incisors(labels: Labelling, teeth: Teeth, sizes: ToothSizes | None) -> tuple[Jaw | None, float]:
    """The jaw that the labelled incisors look like, or None, and a confidence from 0 to 1.

    In the upper jaw the central incisor is the wider one, in the lower jaw the lateral one. Both sides must be present
    and agree.
    """
    if sizes is None or not labels.is_fdi:
        return None, 0.0
    widths: dict[int, float] = {}
    for place, label in enumerate(teeth.labels.tolist()):
        if fdi.is_tooth(label) and not fdi.is_deciduous(label) and fdi.position(label) in (1, 2):
            widths[label] = max(float(sizes.mesiodistal[place]), 0.1)
    # Each side is measured by itself, so that two incisors whose numbers were swapped on one side decide nothing.
    log_ratios = [
        math.log(width / widths[label + 1] / INCISOR_RATIO)
        for label, width in widths.items()
        if fdi.position(label) == 1 and label + 1 in widths
    ]
    if len(log_ratios) < 2 or min(log_ratios) < 0.0 < max(log_ratios):
        return None, 0.0
    mean = float(np.mean(log_ratios))
    return ("upper" if mean > 0 else "lower"), float(np.clip(abs(mean) / 0.16, 0.0, 1.0))
