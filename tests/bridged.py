"""Two labelled crowns and what is between them: the smallest meshes with a bridge, and the likest without one."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from meshguard.mesh import Mesh

if TYPE_CHECKING:
    from collections.abc import Sequence

LOW, HIGH = 11, 12
"""The labels of the two crowns."""

WALL_MM, LEAN_MM = 1.0, 0.05
LENGTH_MM = 3.0


def crowns(between: Sequence[tuple[float, float]], *, by: str = "face", step: float = 0.3) -> Mesh:
    """Two ridges with gum beside them: an open sheet, one profile drawn along y.

    Args:
        between: (x, z) of the profile between the tops of the two ridges, which lie at z = 1.
        by: what carries the labels.
        step: distance of the profile's copies, mm.
    """
    outer = [(-5.0, -1.0), (-4.0, -1.0), (-3.5, WALL_MM), (-2.0, WALL_MM)]
    profile = np.array([*outer, *between, *[(-x, z) for x, z in outer[::-1]]])
    n_rows = round(LENGTH_MM / step) + 1
    y = np.linspace(0.0, LENGTH_MM, n_rows)
    vertices = np.array([(x, along, z) for along in y for x, z in profile])
    a = (np.arange(n_rows - 1)[:, None] * len(profile) + np.arange(len(profile) - 1)).reshape(-1)
    b, c, d = a + 1, a + len(profile) + 1, a + len(profile)
    faces = np.stack([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)], axis=1).reshape(-1, 3)

    def labels(x: np.ndarray) -> np.ndarray:
        return np.where(np.abs(x) >= 4.0, 0, np.where(x < 1e-6, LOW, HIGH)).astype(np.int32)

    if by == "vertex":
        return Mesh(vertices=vertices, faces=faces, vertex_data={"label": labels(vertices[:, 0])})
    return Mesh(vertices=vertices, faces=faces, face_data={"label": labels(vertices[faces].mean(axis=1)[:, 0])})


def slit(gap: float, *, strips: int = 2, by: str = "face") -> Mesh:
    """Walls that stand `gap` mm apart at their feet, and a floor of some strips of faces between them."""
    floor = [(float(x), 0.0) for x in np.linspace(-gap / 2, gap / 2, strips + 1)]
    edge = gap / 2 + LEAN_MM
    return crowns([(-edge, WALL_MM), *floor, (edge, WALL_MM)], by=by)


def valley(half_width: float, *, by: str = "face") -> Mesh:
    """Walls that converge in one edge."""
    return crowns([(-half_width, WALL_MM), (0.0, 0.0), (half_width, WALL_MM)], by=by)


def bulging(gap: float, *, radius: float = 4.0) -> Mesh:
    """Walls that bulge towards one another as crowns do; where they are nearest, a sheet joins them, or they touch."""
    heights = np.linspace(1.0, 0.0, 11)[:-1]
    wall = [(-gap / 2 - float(h) ** 2 / (2 * radius), float(h)) for h in heights]
    floor = [(float(x), 0.0) for x in (np.linspace(-gap / 2, gap / 2, 5) if gap else [0.0])]
    return crowns([*wall, *floor, *[(-x, h) for x, h in wall[::-1]]])


def neck(cells: int, *, cell: float = 0.2) -> Mesh:
    """Two closed blocks with air between them, joined by a square bar of `cells` cells' length: a body of cubes."""
    block, bar = range(10), range(3, 7)
    solid = {(i, j, k) for i in range(-4, 0) for j in block for k in block}
    solid |= {(i, j, k) for i in range(cells, cells + 4) for j in block for k in block}
    solid |= {(i, j, k) for i in range(cells) for j in bar for k in bar}
    number: dict[tuple[int, int, int], int] = {}
    faces, labels = [], []
    for at in sorted(solid):
        for axis, side in itertools.product(range(3), (0, 1)):
            other = list(at)
            other[axis] += 2 * side - 1
            if tuple(other) in solid:
                continue
            u, v = (axis + 1) % 3, (axis + 2) % 3
            ring = []
            for du, dv in ((0, 0), (1, 0), (1, 1), (0, 1)):
                corner = list(at)
                corner[axis] += side
                corner[u] += du
                corner[v] += dv
                ring.append(number.setdefault((corner[0], corner[1], corner[2]), len(number)))
            p, q, r, s = ring if side else ring[::-1]
            faces += [[p, q, r], [p, r, s]]
            labels += 2 * [LOW if 2 * at[0] + 1 <= cells else HIGH]
    return Mesh(
        vertices=cell * np.array(list(number), np.float64), faces=faces, face_data={"label": np.array(labels, np.int32)}
    )
