"""Facts of a mesh: what is connected, where it ends, what intersects, which way it faces. Nothing about teeth."""

from __future__ import annotations

from meshguard.facts.mesh.facts import MeshFacts

__all__ = ["MeshFacts"]
