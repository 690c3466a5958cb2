"""DentalFacts: everything that is derived from the labels of teeth on a surface, and from the arch that they form.

Labels are kept beside the surface, not in it: to label a surface differently, make other dental facts of the same mesh
facts. As with mesh facts, checks and repair ask this class only. A fact that takes no argument is a property, one that
takes an argument is a method. The modules beside this one hold the computations, and none of them knows this class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.facts.dental.arch_frame import ArchFrame, frame_of_labels
from meshguard.facts.dental.boundary_raggedness import find_raggedness
from meshguard.facts.dental.embrasures import Embrasures, find_embrasures
from meshguard.facts.dental.jaw import jaw_of_incisors
from meshguard.facts.dental.label_islands import IslandRule, region_distance_mm
from meshguard.facts.dental.label_regions import LabelRegions, find_label_regions
from meshguard.facts.dental.labels import CarriedLabels, Labelling, are_swapped, find_labelling
from meshguard.facts.dental.teeth import Teeth, find_teeth
from meshguard.facts.dental.tooth_boundaries import Band, ToothBoundaries, find_tooth_boundaries
from meshguard.facts.dental.tooth_bridges import Bridges, find_bridges
from meshguard.facts.dental.tooth_order import Sides, row_of_codes, sides_of
from meshguard.facts.dental.tooth_sizes import ToothSizes, find_tooth_sizes
from meshguard.facts.dental.unlabelled_arch import frame_of_shape, why_not_an_arch
from meshguard.facts.dental.unlabelled_crowns import find_unlabelled_crowns
from meshguard.facts.once import once
from meshguard.kernels._parallel import side_by_side

if TYPE_CHECKING:
    from meshguard.facts.mesh.facts import MeshFacts
    from meshguard.mesh import FloatArray, IntArray, Jaw, Mesh
    from meshguard.policy import Policy


class DentalFacts:
    """All facts of teeth and arch; each property is computed on first use and kept.

    Args:
        surface: facts of the mesh that the labels lie on.
        carried: the labels; None for those that the mesh itself carries, if any.
    """

    def __init__(self, surface: MeshFacts, carried: CarriedLabels | None = None) -> None:
        self.surface = surface
        self.carried = CarriedLabels(surface.mesh) if carried is None else carried

    @property
    def mesh(self) -> Mesh:
        """The mesh that carries the labels; its vertices and faces are those of the surface."""
        return self.carried.mesh

    @property
    def policy(self) -> Policy:
        """The policy of the surface."""
        return self.surface.policy

    def relabelled(self, mesh: Mesh) -> DentalFacts:
        """Facts of other labels on the same surface, in the same numbering; `mesh` carries them."""
        return DentalFacts(self.surface, self.carried._replace(mesh=mesh))

    # ---- labels

    @once
    def labelling(self) -> Labelling | None:
        """What the labels are, usable or not; None where there are none."""
        return find_labelling(self.surface, self.carried)

    @property
    def has_labels(self) -> bool:
        """Whether there are labels, and they can be used."""
        return self.labelling is not None and self.labelling.why_unusable is None

    @property
    def labels(self) -> Labelling:
        """The labels, if they can be used.

        Raises:
            ValueError: there are none, or they cannot be used.
        """
        if self.labelling is None or self.labelling.why_unusable is not None:
            raise ValueError("this mesh has no usable labels")
        return self.labelling

    @once
    def are_swapped(self) -> bool:
        """Whether labels and instances are swapped; only if the labels can be used."""
        return are_swapped(self.carried, self.labels)

    @once
    def label_regions(self) -> LabelRegions:
        """Connected regions of equal label; only if the labels can be used."""
        return find_label_regions(self.surface, self.labels)

    @property
    def island_rule(self) -> IslandRule:
        """The limits that tell a label island from a part of a tooth."""
        return IslandRule.from_policy(self.policy)

    def is_given_away(self, region: int) -> bool:
        """Whether repair, when asked, gives a region that is not the main one of its tooth to the label around it."""
        regions, teeth = self.label_regions, self.teeth
        place = teeth.place_of(int(regions.label[region]))
        area, tooth_area = float(regions.area[region]), float(teeth.main_areas[place])
        rule = self.island_rule
        if rule.is_too_large(area, tooth_area):
            return False
        main_region = int(teeth.main_region[place])
        return rule.is_speck(area, tooth_area) or (
            region_distance_mm(self.surface, self.labels.per, regions, region, main_region) > rule.near_mm
        )

    # ---- teeth

    @once
    def teeth(self) -> Teeth:
        """The labelled teeth; only if the labels can be used."""
        return find_teeth(self.surface, self.label_regions)

    @once
    def tooth_sizes(self) -> ToothSizes | None:
        """Order and sizes of the labelled teeth; None if they have no arch curve."""
        curve, up = self.arch_frame.curve, self.arch_frame.up
        if curve is None or up is None:
            return None
        return find_tooth_sizes(self.surface, self.label_regions, self.teeth, curve, up)

    @once
    def tooth_row(self) -> list[tuple[int, int]]:
        """Places (in `Teeth.labels`) and FDI codes of the whole teeth whose labels are codes, along the arch curve.

        Counter-clockwise, seen from the biting side. Empty without an arch curve.
        """
        return row_of_codes(self.teeth, self.tooth_sizes)

    @once
    def sides(self) -> Sides | None:
        """Which way the numbers run along the row; None where that cannot be determined."""
        return sides_of([code for _, code in self.tooth_row], self.arch_frame)

    # ---- boundaries of teeth

    @once
    def tooth_boundaries(self) -> tuple[ToothBoundaries, Band]:
        """The boundaries between two teeth, and the surface close to them."""
        return find_tooth_boundaries(self.surface, self.label_regions, self.teeth)

    @property
    def raggedness(self) -> tuple[FloatArray, FloatArray]:
        """Length of each tooth's border over its smoothed length, and how far it deviates; float64 (T,) each."""
        return self._searched_in_parallel[0]

    @property
    def embrasures(self) -> Embrasures:
        """The boundaries between two teeth, and the embrasures beside them."""
        return self._searched_in_parallel[1]

    @property
    def unlabelled_crowns(self) -> tuple[IntArray, IntArray]:
        """Faces labelled gum that look like a crown, int32 (k,), and the cluster of each, int32 (k,)."""
        return self._searched_in_parallel[2]

    @once
    def _searched_in_parallel(self) -> tuple[tuple[FloatArray, FloatArray], Embrasures, tuple[IntArray, IntArray]]:
        """Three searches that do not need one another, in parallel: together they take most of the time."""
        surface, labels, regions, teeth = self.surface, self.labels, self.label_regions, self.teeth
        _, (boundaries, band) = self.tooth_sizes, self.tooth_boundaries  # what they share is found first
        ragged: list[tuple[FloatArray, FloatArray]] = []
        embrasures: list[Embrasures] = []
        crowns: list[tuple[IntArray, IntArray]] = []
        side_by_side(
            [
                lambda: crowns.append(self._find_unlabelled_crowns()),
                lambda: ragged.append(find_raggedness(surface, labels, regions, teeth)),
                lambda: embrasures.append(find_embrasures(surface, regions, teeth, boundaries, band)),
            ]
        )
        return ragged[0], embrasures[0], crowns[0]

    def _find_unlabelled_crowns(self) -> tuple[IntArray, IntArray]:
        sizes, curve, up = self.tooth_sizes, self.arch_frame.curve, self.arch_frame.up
        if sizes is None or curve is None or up is None:
            none = np.empty(0, np.int32)
            return none, none
        return find_unlabelled_crowns(self.surface, self.labels, self.label_regions, self.teeth, sizes, curve, up)

    def bridges(self, limit_mm: float) -> Bridges:
        """The boundaries between two teeth, and which parts of them lie in a gap wider than a limit."""
        return find_bridges(self.surface, *self.tooth_boundaries, limit_mm)

    # ---- arch

    @once
    def arch_frame(self) -> ArchFrame:
        """Occlusal plane, midline, arch curve and jaw, from labels if they can be used, else from the shape alone."""
        return frame_of_labels(self.labels, self.teeth) if self.has_labels else frame_of_shape(self.surface)

    @once
    def why_not_an_arch(self) -> str | None:
        """Why a scan without labels does not look like a whole arch; None where it does, or where labels say more."""
        return None if self.has_labels or not self.surface.n_finite else why_not_an_arch(self.surface)

    @once
    def jaw_of_incisors(self) -> tuple[Jaw | None, float]:
        """The jaw that the labelled incisors look like, whatever jaw their numbers name, and a confidence."""
        return jaw_of_incisors(self.labels, self.teeth, self.tooth_sizes)

    @property
    def looks_like_the_other_jaw(self) -> bool:
        """Whether nothing states the jaw, and the incisors clearly are not of the jaw that the numbers name."""
        jaw, confidence = self.jaw_of_incisors
        return (
            not self.labels.jaw_is_told
            and self.labels.jaw is not None
            and jaw not in (None, self.labels.jaw)
            and confidence >= self.policy.limit("jaw_confidence")
        )
