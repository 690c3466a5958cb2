"""Numbers of teeth that would fit: proposals for a whole arch that is mirrored, shifted, or of the other jaw.

What only a person can decide, a proposal says; nothing renumbers silently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard import fdi
from meshguard.io.labels import face_labels
from meshguard.repair.result import Renumbering

if TYPE_CHECKING:
    from meshguard.mesh import FloatArray, IntArray, Mesh

_LEAST_TEETH = 6
_CLEARLY = 0.12
_MOST_SHIFT = 2


def propose_renumbering(mesh: Mesh) -> Renumbering | None:
    """What would make the numbers of a whole arch fit, or None where they fit or the evidence does not suffice.

    Told from the mesh alone, in any position: whether all teeth are of the other jaw (the mesh must know its jaw);
    whether sides are mirrored (numbers run from left to right; the occlusal side is where crowns point); whether
    numbers are shifted along the arch (another shift makes antimeres agree better in area by a clear margin). At least
    six teeth, with numbers of both sides, are needed.

    Args:
        mesh: carries FDI labels of vertices or faces.
    """
    labels = face_labels(mesh)
    if labels is None:
        return None
    teeth = [int(one) for one in np.unique(labels) if fdi.is_tooth(int(one))]
    jaws = {fdi.jaw_of(tooth) for tooth in teeth}
    if len(teeth) < _LEAST_TEETH or len(jaws) != 1:
        return None
    jaw = jaws.pop()
    if mesh.jaw is not None and mesh.jaw != jaw:
        return Renumbering(
            kind="other jaw",
            mapping={tooth: fdi.antagonist(tooth) for tooth in teeth},
            reason=f"All {len(teeth)} teeth have numbers of the {jaw} jaw, and this is the {mesh.jaw} one.",
            measures={"teeth": len(teeth)},
        )
    if len({fdi.side_of(tooth) for tooth in teeth}) < 2:
        return None
    return _mirrored(mesh, labels, teeth) or _shifted(mesh, labels, teeth)


def _mirrored(mesh: Mesh, labels: IntArray, teeth: list[int]) -> Renumbering | None:
    """A proposal to swap sides, where numbers run the wrong way round."""
    order = sorted(teeth, key=lambda tooth: (fdi.arch_index(tooth), tooth))
    areas, centres, up = _crowns(mesh, labels, order)
    ends, middle = (centres[0] + centres[-1]) / 2, centres[(len(order) - 1) // 2 : len(order) // 2 + 1].mean(axis=0)
    front, span = middle - ends, centres[-1] - centres[0]
    if float(np.linalg.norm(up)) == 0.0 or float(areas.min()) == 0.0:
        return None
    # Crowns point down in the upper jaw. x to the patient's right, y to the front, z to the head: x = y × z.
    head = up if fdi.jaw_of(order[0]) == "lower" else -up
    right = np.cross(front, head)
    size = float(np.linalg.norm(right) * np.linalg.norm(span))
    to_left = -float(right @ span) / size if size > 0 else 1.0
    if to_left > -0.5:
        return None
    return Renumbering(
        kind="mirrored",
        mapping={tooth: fdi.antimere(tooth) for tooth in teeth},
        reason="The numbers run from the patient's left to the right: sides are swapped.",
        measures={"direction": to_left},
    )


def _shifted(mesh: Mesh, labels: IntArray, teeth: list[int]) -> Renumbering | None:
    """A proposal to move all numbers along the arch, where antimeres then agree better."""
    if any(fdi.is_deciduous(tooth) for tooth in teeth):
        return None
    order = sorted(teeth, key=fdi.arch_index)
    areas, _, _ = _crowns(mesh, labels, order)
    arch = fdi.arch_order(fdi.jaw_of(order[0]))
    places = [fdi.arch_index(tooth) for tooth in order]
    disagreement: dict[int, float] = {}
    for shift in range(-_MOST_SHIFT, _MOST_SHIFT + 1):
        if places[0] + shift < 0 or places[-1] + shift > 15:
            continue
        area = {place + shift: value for place, value in zip(places, areas.tolist(), strict=True)}
        pairs = [abs(np.log(area[place] / area[15 - place])) for place in area if place < 8 and 15 - place in area]
        if len(pairs) >= _LEAST_TEETH // 2 and all(np.isfinite(pairs)):
            disagreement[shift] = float(np.mean(pairs))
    best = min(disagreement, key=lambda shift: (disagreement[shift], abs(shift)), default=0)
    if best == 0 or 0 not in disagreement or disagreement[0] - disagreement[best] < _CLEARLY:
        return None
    return Renumbering(
        kind="shifted",
        mapping={tooth: arch[place + best] for tooth, place in zip(order, places, strict=True)},
        reason=f"Moved by {best:+d} along the arch, right and left teeth agree better in size.",
        measures={"shift": best, "disagreement": disagreement[0], "disagreement_shifted": disagreement[best]},
    )


def _crowns(mesh: Mesh, labels: IntArray, teeth: list[int]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Area float64 (t,) in mm2 and centre float64 (t, 3) of each tooth, and the direction in which all crowns point."""
    corners = mesh.vertices[mesh.faces]
    with np.errstate(invalid="ignore", over="ignore"):
        cross = np.nan_to_num(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) / 2)
    area, middle = np.linalg.norm(cross, axis=1), np.nan_to_num(corners.mean(axis=1))
    number = np.full(int(labels.max(initial=0)) + 1, -1)
    number[teeth] = np.arange(len(teeth))
    of = np.where(labels >= 0, number[np.maximum(labels, 0)], -1)
    crown = of >= 0
    areas: FloatArray = np.bincount(of[crown], area[crown], len(teeth)).astype(np.float64)
    sums = [np.bincount(of[crown], (area * middle[:, x])[crown], len(teeth)) for x in range(3)]
    return (
        areas,
        np.stack(sums, axis=1) / np.maximum(areas, 1e-300)[:, None],
        np.asarray(cross[crown].sum(axis=0), np.float64),
    )
