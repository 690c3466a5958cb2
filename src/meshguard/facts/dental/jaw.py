"""Which jaw labelled incisors look like, whichever jaw their numbers are of."""

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
"""Width of the central over the lateral incisor between the jaws: Wheeler's averages give 1.31 above, 0.91 below; four
real arches 1.22 and 0.87 to 0.93."""


def jaw_of_incisors(labels: Labelling, teeth: Teeth, sizes: ToothSizes | None) -> tuple[Jaw | None, float]:
    """The jaw that labelled incisors look like, and how sure that is, 0 to 1; None where it cannot be told.

    In the upper jaw the central incisor is the wider one, in the lower the lateral. Both sides must be there and agree.
    """
    if sizes is None or not labels.is_fdi:
        return None, 0.0
    widths: dict[int, float] = {}
    for place, label in enumerate(teeth.labels.tolist()):
        if fdi.is_tooth(label) and not fdi.is_deciduous(label) and fdi.position(label) in (1, 2):
            widths[label] = max(float(sizes.mesiodistal[place]), 0.1)
    # Either side tells by itself, so that two incisors of one side whose numbers were swapped tell nothing.
    measures = [
        math.log(width / widths[label + 1] / INCISOR_RATIO)
        for label, width in widths.items()
        if fdi.position(label) == 1 and label + 1 in widths
    ]
    if len(measures) < 2 or min(measures) < 0.0 < max(measures):
        return None, 0.0
    measure = float(np.mean(measures))
    return ("upper" if measure > 0 else "lower"), float(np.clip(abs(measure) / 0.16, 0.0, 1.0))
