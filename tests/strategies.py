"""Hypothesis strategies: meshes with everything wrong by construction."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from meshguard.mesh import Mesh


@st.composite
def soups(draw: st.DrawFn, *, most_faces: int = 40) -> Mesh:
    """Faces with random corners among a few points of a small integer grid.

    Duplicates, slivers, repeated corners and non-manifold edges come by themselves (the idea of meshoptimizer's
    fuzzer).
    """
    seed, side = draw(st.integers(0, 2**32 - 1)), draw(st.integers(2, 4))
    rng = np.random.default_rng(seed)
    vertices = rng.integers(0, side, (draw(st.integers(3, 14)), 3)).astype(np.float64)
    vertices[vertices == 0] *= rng.choice([1.0, -1.0])
    if draw(st.integers(0, 9)) == 0:
        vertices[rng.integers(len(vertices)), rng.integers(3)] = np.nan
    faces = rng.integers(0, len(vertices), (draw(st.integers(0, most_faces)), 3))
    return Mesh(vertices=vertices, faces=faces.astype(np.int32))
