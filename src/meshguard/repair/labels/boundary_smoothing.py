"""Boundary smoothing: ragged borders of labels moved by graph cuts, to grooves or to where the arch's own borders run.

Teeth end in grooves, and most borders are drawn along them; a cut that prefers grooves is then the best. But some
arches are drawn one row of faces beside the groove all along, and such a cut would move all of their borders by that
row, in one direction. What it would change shows that. What a border costs is then learned from the arch itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.repair.labels.graph_cuts import BorderCost, recut, within_reach, without_mere_shifts
from meshguard.repair.labels.label_graph import edges_at
from meshguard.repair.labels.learned_costs import flanks, learned_cost

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.mesh import IntArray
    from meshguard.repair.labels.label_graph import LabelGraph

REACH_MM = 2.0
"""How far from a border the label beyond it may reach: the depth of a bite (proposal)."""

MOST_LABELS = 64
"""With more different labels no border is smoothed: nobody has so many teeth, and each label takes a cut."""

BAND_MM = 0.4
"""How far a border may move where that does not make it clearly shorter; with the half of a face it stays within
0.5 mm."""

FARTHEST_MM = 0.5
"""How far it may move where that makes it shorter, but not by so much that it must be a bite or a spur."""

GROOVE_DEG_MM = 30.0
"""A border costs 1/e where the surface bends so much, as in the post-processing of MeshSegNet (proposal)."""

LEAST_COST = 0.02
"""Share of its length that a border costs in the sharpest groove: a detour through a groove is not free."""

LOYALTY_PER_MM = 0.3
"""Cost of changing a label, in mm of border outside grooves, per mm2 (proposal)."""

SHORTENING, SURELY = 1.5, 2.5
"""See `without_mere_shifts` (tuned on labels spoilt on purpose: lower values change right faces far from a border,
higher ones leave bites)."""

ONE_WAY = 4.0
"""Borders are not smoothed along grooves where a cut would change so many times as many labels from tooth to gum as
from gum to tooth, or the reverse. Real arches have 1 to 3, phantoms 6 to 18."""

LOYALTY_NATS = 0.75
"""What it costs a face of median size to change its label where costs are learned, in nats (proposal)."""

LEARNED_SHORTENING = 1.3
"""As `SHORTENING` and `SURELY`, where costs are learned (proposal)."""

SWEEPS = (1, 2)
"""Where costs are learned, borders are smoothed once for each of these, with so many sweeps over all labels: costs are
learned first from the labels as they came, then from the smoothed ones."""


def smooth_borders(graph: LabelGraph, labels: IntArray) -> IntArray:
    """Labels with smooth borders, int32 (k,)."""
    if len(np.unique(labels)) > MOST_LABELS:
        return labels
    reached = within_reach(graph, labels, REACH_MM)
    if not any(map(len, reached.values())):
        return labels
    near = np.zeros(len(labels), np.bool_)
    for nodes in reached.values():
        near[nodes] = True
    # Faces may be so large that even those at a border are out of reach.
    border = labels[graph.a] != labels[graph.b]
    near[graph.a[border]] = near[graph.b[border]] = True
    # What is far from all borders, such as the coarse base of a cast, says nothing about them.
    graph = edges_at(graph, near)
    along_grooves = _along_grooves(graph, labels, reached)
    to_tooth = int(np.count_nonzero((labels == 0) & (along_grooves != 0)))
    to_gum = int(np.count_nonzero((labels != 0) & (along_grooves == 0)))
    if max(to_tooth, to_gum) <= ONE_WAY * max(1, min(to_tooth, to_gum)):
        return along_grooves
    return _along_learned_course(graph, labels, reached, near)


def _along_grooves(graph: LabelGraph, labels: IntArray, reached: dict[int, IntArray]) -> IntArray:
    """Labels with borders where they are short and the surface is concave."""
    cost = graph.length * (LEAST_COST + np.exp(-np.maximum(graph.dihedral, 0.0) / GROOVE_DEG_MM))
    cut = recut(graph, labels, reached, BorderCost(cost, cost, cost), LOYALTY_PER_MM * graph.area, sweeps=2)
    return without_mere_shifts(
        graph, labels, cut, band_mm=BAND_MM, farthest_mm=FARTHEST_MM, shortening=SHORTENING, surely=SURELY
    )


def _along_learned_course(
    graph: LabelGraph, labels: IntArray, reached: dict[int, IntArray], near: BoolArray
) -> IntArray:
    """Labels with borders where the surface bends as it does at most borders of this arch."""
    sides, smoothed = flanks(graph), labels
    stay = LOYALTY_NATS * graph.area / max(float(np.median(graph.area[near])), 1e-12)
    for sweeps in SWEEPS:
        if not (smoothed[graph.a] != smoothed[graph.b]).any():
            break
        cut = recut(graph, labels, reached, learned_cost(graph, sides, smoothed), stay, sweeps=sweeps)
        smoothed = without_mere_shifts(
            graph,
            labels,
            cut,
            band_mm=BAND_MM,
            farthest_mm=FARTHEST_MM,
            shortening=LEARNED_SHORTENING,
            surely=LEARNED_SHORTENING,
        )
    return smoothed
