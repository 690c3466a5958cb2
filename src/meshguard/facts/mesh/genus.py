"""Genus: how many handles each component has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.facts.mesh.boundary_loops import Loops
    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import IntArray


def find_genus(mesh: Connectivity, loops: Loops, is_nonorientable: BoolArray | None) -> IntArray:
    """Handles of each component, int32 (C,); −1 for one that has non-manifold edges or is non-orientable.

    The Euler characteristic of an orientable surface is fans − edges + faces = 2 − 2 genus − boundary curves.
    """
    components = mesh.components
    first_of_chain = np.unique(loops.chain, return_index=True)[1]
    curves = np.bincount(loops.component[first_of_chain], minlength=components.n_components)
    characteristic = components.n_fans - components.n_edges + components.n_faces
    genus = (2 - curves - characteristic) // 2
    genus[components.n_nonmanifold_edges > 0] = -1
    if is_nonorientable is not None:
        genus[is_nonorientable] = -1
    return genus.astype(np.int32)
