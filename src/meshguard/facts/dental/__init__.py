"""Facts of labelled teeth and of the arch. They stand on the facts of the mesh, which know nothing of them."""

from __future__ import annotations

from meshguard.facts.dental.facts import DentalFacts
from meshguard.facts.dental.labels import CarriedLabels, GivenLabels

__all__ = ["CarriedLabels", "DentalFacts", "GivenLabels"]
