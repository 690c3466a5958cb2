"""Phantoms: procedural dental arches with exact labels, and defects put into a mesh, with the truth about each."""

from __future__ import annotations

from meshguard.phantoms.arch import phantom
from meshguard.phantoms.bridges import bridged_phantom
from meshguard.phantoms.defects import DEFECTS, Truth, mutate
from meshguard.phantoms.label_defects import LABEL_DEFECTS, mislabel

__all__ = ["DEFECTS", "LABEL_DEFECTS", "Truth", "bridged_phantom", "mislabel", "mutate", "phantom"]
