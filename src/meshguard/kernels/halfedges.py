"""Half-edge arithmetic: h = 3*f + c runs from corner c to corner (c + 1) % 3 of face f."""

from __future__ import annotations

from meshguard.kernels._jit import inlined


@inlined
def next_halfedge(h: int) -> int:
    """The half-edge after h around its face; it starts where h ends."""
    return h - 2 if h % 3 == 2 else h + 1


@inlined
def previous_halfedge(h: int) -> int:
    """The half-edge before h around its face; it starts at the corner opposite to h."""
    return h - 1 if h % 3 else h + 2
