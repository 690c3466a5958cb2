"""Mending the labels of teeth: islands, holes, ragged borders; and proposals to renumber what is mirrored or shifted.

Geometry is never touched. What only a person can decide, a proposal says; nothing renumbers silently.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from meshguard import fdi
from meshguard.errors import MeshError
from meshguard.facts import Facts
from meshguard.io.labels import face_labels
from meshguard.mesh import Mesh, frozen_array
from meshguard.policy import policy
from meshguard.repair.borderprofile import flanks, learned_cost
from meshguard.repair.labelgraph import (
    around,
    face_graph,
    recut,
    vertex_graph,
    within_reach,
    within_reason,
    without_islands,
)
from meshguard.repair.result import Renumbering

if TYPE_CHECKING:
    from meshguard.mesh import FloatArray, IntArray
    from meshguard.repair.labelgraph import LabelGraph

ISLAND_SHARE = 0.3
"""Largest share of a tooth's main piece that another piece of its label may have to count as an island (proposal)."""

NEAR_MM = 1.5
"""A piece nearer than this to its tooth's main piece may be a part that a hole cuts off (proposal)."""

REST_SHARE = 0.05
"""The same share once borders are drawn, near or not (proposal: islands below 5 % of a tooth's area are fixable)."""

BAND_MM = 0.4
"""How far a border may move where that does not make it shorter; with the half of a face it stays within 0.5 mm."""

REACH_MM = 2.0
"""How far from a border the label beyond it may reach: the depth of a bite (proposal)."""

LOYALTY = 0.75
"""What it costs a face of median size to change its label, in nats (proposal): more leaves more as it was drawn, and
leaves more bites too."""

SHORTENING = 1.3
"""See `within_reason` (proposal): less changes more right faces far from a border, more leaves deep bites."""

SWEEPS = (1, 2)
"""Borders are drawn anew once for each, with so many sweeps over all labels. What they look like is learned each time:
first from the labels as they came, then from those mended so."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MendedLabels:
    """What `mend_labels` did.

    Attributes:
        mesh: the mesh with mended labels; geometry and all other attributes as they were.
        per: "vertex" or "face": what carries the labels that were mended.
        changed: int32, sorted: vertices or faces whose label is another now.
        before: int32 (c,): their labels before.
        after: int32 (c,): their labels now.
        n_islands: pieces of a tooth given to the label around them.
        n_holes: pieces of gum in a tooth that were filled.
    """

    mesh: Mesh
    per: Literal["vertex", "face"]
    changed: IntArray
    before: IntArray
    after: IntArray
    n_islands: int
    n_holes: int


def mend_labels(mesh: Mesh, *, islands: bool = True, borders: bool = True) -> MendedLabels:
    """Give islands to the label around them, fill holes in teeth, and smooth ragged borders.

    Islands are pieces of a label besides its largest, up to 30 % of it, or 5 % where they lie near it after borders
    were drawn; a larger second piece is left as it is, for a person to look at. Holes are pieces of gum that have one
    tooth around them. Borders are drawn anew by graph cuts that like short lines where the surface bends as it does at
    most borders of this arch; where that does not make a border shorter, it moves by at most 0.5 mm.

    Labels of vertices are mended if there are any, and those of faces follow; else labels of faces. Instances are left
    behind where labels change, since they would contradict them.

    Args:
        mesh: carries `label`; any numbering, 0 is the gum.
        islands: whether to mend islands and holes.
        borders: whether to smooth borders.

    Returns:
        MendedLabels. The same input gives the same bytes.

    Raises:
        MeshError: the mesh carries no labels.
    """
    per: Literal["vertex", "face"] = "vertex" if "label" in mesh.vertex_data else "face"
    data = mesh.vertex_data if per == "vertex" else mesh.face_data
    if "label" not in data:
        raise MeshError("the mesh carries no labels")
    facts = Facts(mesh, policy("scan"))
    old = data["label"].astype(np.int32)
    graph = vertex_graph(facts) if per == "vertex" else face_graph(facts)
    labels = old[facts.first_vertex] if per == "vertex" else old
    n_islands = n_holes = 0
    if islands:
        labels, n_islands, n_holes = without_islands(graph, labels, share=ISLAND_SHARE, near_mm=NEAR_MM)
    if borders:
        labels = _redrawn(graph, labels)
    if islands:
        labels, more_islands, more_holes = without_islands(graph, labels, share=REST_SHARE, near_mm=0.0)
        n_islands, n_holes = n_islands + more_islands, n_holes + more_holes
    if per == "vertex":
        # Vertices on one position are mended as one; where they disagreed, what needs no change keeps its label.
        mended = labels[facts.remap]
        labels = np.where(mended == old[facts.first_vertex][facts.remap], old, mended)
    changed = np.flatnonzero(labels != old).astype(np.int32)
    return MendedLabels(
        mesh=_relabelled(mesh, per, labels) if len(changed) else mesh,
        per=per,
        changed=frozen_array(changed),
        before=frozen_array(old[changed]),
        after=frozen_array(labels[changed].astype(np.int32)),
        n_islands=n_islands,
        n_holes=n_holes,
    )


def _redrawn(graph: LabelGraph, labels: IntArray) -> IntArray:
    """Labels whose ragged borders are drawn anew, as the borders of this arch use to run."""
    reached = within_reach(graph, labels, REACH_MM)
    if not any(map(len, reached.values())):
        return labels
    near = np.zeros(len(labels), np.bool_)
    for nodes in reached.values():
        near[nodes] = True
    # Faces may be so large that even those at a border are out of reach.
    border = labels[graph.a] != labels[graph.b]
    near[graph.a[border]] = near[graph.b[border]] = True
    # What is far from all borders, such as the coarse base of a cast, says nothing about them, not even what is usual.
    graph = around(graph, near)
    sides, redrawn = flanks(graph), labels
    stay = LOYALTY * graph.area / max(float(np.median(graph.area[near])), 1e-12)
    for sweeps in SWEEPS:
        if not (redrawn[graph.a] != redrawn[graph.b]).any():
            break
        cut = recut(graph, labels, reached, learned_cost(graph, sides, redrawn), stay, sweeps=sweeps)
        redrawn = within_reason(graph, labels, cut, band_mm=BAND_MM, shortening=SHORTENING)
    return redrawn


def _relabelled(mesh: Mesh, per: Literal["vertex", "face"], labels: IntArray) -> Mesh:
    """The mesh with new labels, without instances, and with labels of faces that follow those of vertices."""
    vertex = {name: array for name, array in mesh.vertex_data.items() if name != "instance"}
    face = {name: array for name, array in mesh.face_data.items() if name != "instance"}
    data = vertex if per == "vertex" else face
    data["label"] = labels.astype(data["label"].dtype)
    made = Mesh(
        vertices=mesh.vertices, faces=mesh.faces, vertex_data=vertex, face_data=face, jaw=mesh.jaw, source=mesh.source
    )
    if per == "vertex" and "label" in face:
        bare = Mesh(vertices=mesh.vertices, faces=mesh.faces, vertex_data={"label": labels})
        of_faces = face_labels(bare)
        if of_faces is not None:
            made = made.with_data(face={"label": of_faces.astype(face["label"].dtype)})
    return made


# ---- proposals

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
