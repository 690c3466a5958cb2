"""Label graphs for tests."""

from __future__ import annotations

import itertools

import numpy as np

from meshguard.repair.labels.label_graph import LabelGraph


def random_graph(rng: np.random.Generator, nodes: int) -> LabelGraph:
    """Nodes on a small sheet, with random lengths and dihedrals."""
    pairs = [(i, j) for i, j in itertools.combinations(range(nodes), 2) if rng.random() < 0.5] or [(0, 1)]
    a, b = np.array(pairs, np.int32).T
    place = rng.normal(size=(nodes, 3))
    return LabelGraph(
        area=rng.uniform(0.1, 2, nodes),
        place=place,
        a=a,
        b=b,
        length=rng.uniform(0.1, 2, len(a)),
        middle=(place[a] + place[b]) / 2,
        dihedral=rng.normal(size=len(a)) * 60,
    )
