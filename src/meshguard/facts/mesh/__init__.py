"""Facts of a mesh: what is connected, where it ends, what intersects, which way it faces. It knows no tooth."""

from __future__ import annotations

from meshguard.facts.mesh.facts import MeshFacts

__all__ = ["MeshFacts"]
