"""Facts: everything derived from a mesh and from the labels on it, computed once and shared by checks and repair.

Two wings. `mesh` knows what is connected, where it ends and what intersects, and nothing of teeth. `dental` stands on
it: `DentalFacts` holds the `MeshFacts` of the surface that the labels lie on. A mesh is immutable, so facts never go
stale.
"""

from __future__ import annotations

from meshguard.facts.dental.facts import DentalFacts
from meshguard.facts.dental.labels import CarriedLabels, GivenLabels
from meshguard.facts.mesh.facts import MeshFacts

__all__ = ["CarriedLabels", "DentalFacts", "GivenLabels", "MeshFacts"]
