"""Public questions that are answered with arrays."""

from __future__ import annotations

import numpy as np

from meshguard.queries import boundary_loops
from tests import mutations, shapes


def test_boundary_loops_are_csr_over_mesh_vertices() -> None:
    mesh = shapes.soup(mutations.large_hole())

    offsets, vertices = boundary_loops(mesh)

    assert np.diff(offsets).tolist() == [28, 3]
    assert offsets.dtype == vertices.dtype == np.int32
    assert len(vertices) == 31
    assert boundary_loops(shapes.cube())[0].tolist() == [0]
