"""Splitting faces at points on their edges, without opening a crack."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.mesh import FloatArray, IntArray


class Split(NamedTuple):
    """Faces in the place of others.

    Attributes:
        faces: bool (m,), those that were split.
        corners: int32 (t, 3), what they were split into.
        parents: int32 (t,), the face that each is a part of.
    """

    faces: BoolArray
    corners: IntArray
    parents: IntArray


def split_faces(positions: FloatArray, corners: IntArray, middles: IntArray) -> Split:
    """Split faces at one point on each of some of their edges.

    Args:
        positions: float64 (p, 3), mm.
        corners: int32 (m, 3).
        middles: int32 (m, 3), the position on the edge from corner c to c + 1, or −1. Faces that are to stay
            connected along an edge name the same position there.
    """
    marked = middles >= 0
    counts = marked.sum(axis=1)
    parts: list[IntArray] = []
    parents: list[IntArray] = []

    def add(faces: IntArray, *triples: tuple[IntArray, IntArray, IntArray]) -> None:
        for triple in triples:
            parts.append(np.stack(triple, axis=1))
            parents.append(faces)

    def starting_at(faces: IntArray, first: IntArray) -> tuple[IntArray, ...]:
        """The corners and middles of faces, beginning at a corner of each."""
        order = (first[:, None] + np.arange(3)) % 3
        a, b, c = np.take_along_axis(corners[faces], order, axis=1).T
        on_ab, on_bc, on_ca = np.take_along_axis(middles[faces], order, axis=1).T
        return a, b, c, on_ab, on_bc, on_ca

    on_one, on_two, on_three = (np.flatnonzero(counts == number).astype(np.int32) for number in (1, 2, 3))
    a, b, c, m, _, _ = starting_at(on_one, marked[on_one].argmax(axis=1))
    add(on_one, (a, m, c), (m, b, c))

    # Begin so that the edges from a and from b are the split ones.
    a, b, c, m, n, _ = starting_at(on_two, ((~marked[on_two]).argmax(axis=1) + 1) % 3)
    add(on_two, (m, b, n))
    # Of the two ways to split what is left, the one along the shorter diagonal.
    is_shorter = np.linalg.norm(positions[a] - positions[n], axis=1) <= np.linalg.norm(
        positions[m] - positions[c], axis=1
    )
    for chosen, triples in ((is_shorter, ((a, m, n), (a, n, c))), (~is_shorter, ((a, m, c), (m, n, c)))):
        add(on_two[chosen], *(tuple(corner[chosen] for corner in triple) for triple in triples))

    a, b, c, m, n, o = starting_at(on_three, np.zeros(len(on_three), np.int32))
    add(on_three, (a, m, o), (m, b, n), (o, n, c), (m, n, o))

    order = np.argsort(np.concatenate(parents), kind="stable")
    return Split(
        counts > 0,
        np.concatenate(parts)[order].astype(np.int32),
        np.concatenate(parents)[order].astype(np.int32),
    )
