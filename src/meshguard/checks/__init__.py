"""The checks: each finds one kind of defect and has a permanent id; `CATALOGUE` is all of them as they run."""

from __future__ import annotations

from meshguard.checks import file, geometry, surface, topology
from meshguard.checks.registry import Check

CATALOGUE: tuple[Check, ...] = (*file.CHECKS, *topology.CHECKS, *geometry.CHECKS, *surface.CHECKS)

__all__ = ["CATALOGUE", "Check"]
