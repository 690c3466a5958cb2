"""Half-edge arithmetic against the convention: h = 3*f + c runs from corner c to corner (c + 1) % 3 of face f."""

from __future__ import annotations

import pytest

from meshguard.kernels.halfedges import next_halfedge, previous_halfedge


@pytest.mark.parametrize("face", [0, 1, 715_827_881])
@pytest.mark.parametrize("corner", [0, 1, 2])
def test_the_three_half_edges_of_a_face_follow_one_another(face: int, corner: int) -> None:
    assert next_halfedge(3 * face + corner) == 3 * face + (corner + 1) % 3
    assert previous_halfedge(3 * face + corner) == 3 * face + (corner + 2) % 3
