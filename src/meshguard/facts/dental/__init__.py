"""Facts of labelled teeth and of the arch. They build on the facts of the mesh, which know nothing about teeth."""

from __future__ import annotations

from meshguard.facts.dental.facts import DentalFacts
from meshguard.facts.dental.labels import CarriedLabels, GivenLabels

__all__ = ["CarriedLabels", "DentalFacts", "GivenLabels"]
