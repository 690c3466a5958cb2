"""Phantoms: procedural dental arches with exact labels, and defects put into a mesh with the truth about each."""

from __future__ import annotations

from meshguard.phantoms.arch import phantom
from meshguard.phantoms.defects import DEFECTS, Truth, mutate

__all__ = ["DEFECTS", "Truth", "mutate", "phantom"]
