"""Public questions that are answered with arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from meshguard.phantoms import phantom
from meshguard.queries import arch_frame, boundary_loops
from tests import mutations, shapes

if TYPE_CHECKING:
    from meshguard.mesh import Jaw


def test_boundary_loops_are_csr_over_mesh_vertices() -> None:
    mesh = shapes.soup(mutations.large_hole())

    offsets, vertices = boundary_loops(mesh)

    assert np.diff(offsets).tolist() == [28, 3]
    assert offsets.dtype == vertices.dtype == np.int32
    assert len(vertices) == 31
    assert boundary_loops(shapes.cube())[0].tolist() == [0]


@pytest.mark.parametrize("jaw", ["upper", "lower"])
@pytest.mark.parametrize("labelled", [True, False])
def test_the_arch_frame_of_a_phantom(jaw: Jaw, labelled: bool) -> None:
    mesh = phantom(jaw=jaw, faces=16_000).with_jaw(None)
    frame = arch_frame(mesh if labelled else mesh.without_labels())

    assert frame.source == ("labels" if labelled else "geometry")
    assert frame.up is not None and frame.front is not None and frame.curve is not None
    assert frame.up[2] * (1 if jaw == "lower" else -1) > 0.95 and frame.front[1] > 0.95
    # An upper phantom has no palate, so that its shape alone tells no jaw.
    assert frame.jaw in ((jaw,) if labelled else (jaw, None))
    assert bool(frame.why_unsure) == (frame.jaw is None)


def test_what_is_no_arch_has_no_frame_and_says_why() -> None:
    for mesh in (shapes.cube(), shapes.triangle(), shapes.grid(20, 20)):
        frame = arch_frame(mesh)

        assert frame.jaw is None and frame.why_unsure
