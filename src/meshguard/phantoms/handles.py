"""A hollow handle on a surface: where it can stand, and the rings of points that it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.phantoms.edit import MARGIN_MM, TRIES

if TYPE_CHECKING:
    from meshguard.phantoms.edit import Edit, Points


def ends_of_handle(edit: Edit) -> tuple[int, int]:
    """Two vertices with equally many neighbours, about as far apart as a handle is wide, on gum where there are labels.

    Where the mesh has room, nothing else is in the way of the handle.
    """
    best, most, spoiled = (-1, -1), -np.inf, edit.spoiled()
    label = edit.vertex_data.get("label", np.zeros(len(edit.points)))
    for _ in range(TRIES):
        v = edit.site(MARGIN_MM)
        first = edit.ring(v)
        width = 2 * float(np.linalg.norm(edit.points[first] - edit.points[v], axis=1).max())
        distance = np.linalg.norm(edit.points - edit.points[v], axis=1)
        is_near = (distance > max(4.0, 3 * width)) & (distance < max(8.0, 6 * width)) & (label == label[v])
        for w in edit.rng.permutation(np.flatnonzero(is_near))[:TRIES].tolist():
            second = edit.ring(w)
            if len(second) != len(first) or not spoiled.isdisjoint((w, *second)):
                continue
            rings = handle(edit, v, w)[2]
            clearance = min(edit.distance(points.mean(axis=0)) for points in rings[1:-1]) - width
            clearance -= 10.0 * bool(label[v])
            if clearance > most:
                best, most = (v, w), clearance
        if most >= 0.0:
            break
    if best[0] < 0:
        raise ValueError("no two vertices of the same valence found for the handle")
    return best


def handle(edit: Edit, v: int, w: int) -> tuple[list[int], list[int], list[Points]]:
    """The rings of vertices that a handle joins, the far one turned to match, and the points of the rings between."""
    centre = (edit.points[v] + edit.points[w]) / 2
    along = (edit.points[w] - edit.points[v]) / 2
    radius = float(np.linalg.norm(along))
    along /= radius
    up = edit.normal(edit.faces_at(v) + edit.faces_at(w))
    up -= (up @ along) * along
    up /= np.linalg.norm(up)
    across = np.cross(along, up)

    def profile(ring: list[int], end: int, outward: Points) -> Points:
        """Places of a ring around its end: outwards of the handle, across it, and up."""
        offsets = edit.points[ring] - edit.points[end]
        return np.stack([offsets @ outward, offsets @ across, offsets @ up], axis=1)

    first, second = edit.ring(v), edit.ring(w)[::-1]  # seen along the handle, the far ring runs the other way
    start = profile(first, v, -along)
    turns = [second[k:] + second[:k] for k in range(len(second))]
    second = min(turns, key=lambda ring: float(np.linalg.norm(start - profile(ring, w, along), axis=1).sum()))
    end = profile(second, w, along)
    rings = []
    for part in np.linspace(0.0, 1.0, 8)[1:-1]:
        outward = np.sin(np.pi * part) * up - np.cos(np.pi * part) * along
        shape = (1 - part) * start + part * end
        lift = (1 - part) ** 4 * start[:, 2:] + part**4 * end[:, 2:]
        rings.append(centre + radius * outward + shape[:, :1] * outward + shape[:, 1:2] * across + lift * up)
    return first, second, rings
