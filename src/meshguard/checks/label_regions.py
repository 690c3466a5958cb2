"""D: regions of a label: whether each tooth is one region of the surface, and has no holes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.checks.clustering import Diagnosis
from meshguard.checks.tooth_findings import about_nodes, check, name_of, tooth_of
from meshguard.report import Finding, Safety, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshguard.facts.dental import DentalFacts
    from meshguard.mesh import IntArray


_LIMITS = ("label_part_mm2", "label_error_share", "label_error_mm2", "label_near_mm", "label_speck_share")


def _severity_and_limit(facts: DentalFacts, area: float, tooth_area: float, *, is_cut: bool) -> tuple[Severity, str]:
    """How bad a wrong region in a tooth is, and the limit that decides.

    A region below the least area is finer than scanners sample. One that is a large share of the tooth is an error,
    unless the boundary of the scan cuts it off.
    """
    if area < facts.policy.limit("label_part_mm2"):
        return Severity.INFO, "label_part_mm2"
    is_large = facts.island_rule.is_too_large(area, tooth_area)
    return (Severity.ERROR if is_large and not is_cut else Severity.WARNING), "label_error_share"


@check("D104", limits=_LIMITS)
def tooth_in_regions(facts: DentalFacts) -> Iterable[Finding]:
    """Tooth label in several regions.

    Each region of a label beside its largest, with its size and the distance between their middles: an island of wrong
    label, a tooth that another label cuts in two, or a second tooth with the same number. Faces are connected over
    common edges, vertices along edges. A region that no other label touches is a component of the mesh (S103), not an
    island of a label. An island belongs to the label around it. Repair can relabel it where it is not near its own
    tooth; near it, it may be a part that something cuts off.
    """
    regions, teeth = facts.label_regions, facts.teeth
    area = regions.area
    has_neighbour = np.bincount(regions.pairs.reshape(-1), minlength=len(area)) > 0
    for region in np.flatnonzero((regions.label != 0) & ~teeth.is_main_region & has_neighbour).tolist():
        label = int(regions.label[region])
        main = int(teeth.main_region[teeth.place_of(label)])
        tooth_area = float(area[main])
        is_cut = bool(regions.boundary_length[region] > 0 and regions.boundary_length[main] > 0)
        severity, limit = _severity_and_limit(facts, float(area[region]), tooth_area, is_cut=is_cut)
        distance = float(np.linalg.norm(regions.centre[region] - regions.centre[main]))
        noun = "A second region" if severity is Severity.ERROR else "An island"
        diagnosis = Diagnosis(
            severity=severity,
            message=f"{noun} of {name_of(facts, label)} covers {area[region]:.2f} mm² and lies {distance:.1f} mm away.",
            measures={"area_mm2": float(area[region]), "tooth_area_mm2": tooth_area, "distance_mm": distance},
            limit=limit,
            fixable=Safety.LOCAL if facts.is_given_away(region) else None,
            tooth=tooth_of(facts, label),
        )
        yield from about_nodes(facts, "D104", facts.label_regions.nodes_of(region), diagnosis)


@check("D105", limits=_LIMITS)
def hole_in_tooth(facts: DentalFacts) -> Iterable[Finding]:
    """Hole in a tooth label.

    A region of gum, or all of another label, that lies within one tooth: it has no other neighbour, and the boundary of
    the scan does not reach it. The label of a crown has no such hole. Repair can fill it where it is gum and not a
    large share of the tooth. A region of a label that is larger elsewhere is an island of that label instead (D104).
    """
    regions, teeth = facts.label_regions, facts.teeth
    if not len(regions.label):
        return
    area, surrounding = regions.area, _only_label_around(facts)
    is_hole = (surrounding != 0) & (regions.boundary_length == 0.0) & ((regions.label == 0) | teeth.is_main_region)
    for region in np.flatnonzero(is_hole).tolist():
        label, inside = int(surrounding[region]), int(regions.label[region])
        tooth_area = teeth.main_area_of(label)
        if area[region] > tooth_area:
            continue  # the tooth is a ring around something larger, which is not a hole in it
        severity, limit = _severity_and_limit(facts, float(area[region]), tooth_area, is_cut=False)
        content = "gum" if inside == 0 else name_of(facts, inside)
        is_fillable = inside == 0 and not facts.island_rule.is_too_large(float(area[region]), tooth_area)
        diagnosis = Diagnosis(
            severity=severity,
            message=f"A hole of {area[region]:.2f} mm² in {name_of(facts, label)} is labelled {content}.",
            measures={"area_mm2": float(area[region]), "tooth_area_mm2": tooth_area, "label_inside": inside},
            limit=limit,
            fixable=Safety.LOCAL if is_fillable else None,
            tooth=tooth_of(facts, label),
        )
        yield from about_nodes(facts, "D105", facts.label_regions.nodes_of(region), diagnosis)


def _only_label_around(facts: DentalFacts) -> IntArray:
    """For each region the one label that surrounds it, int32 (k,); 0 where that is gum, several labels, or nothing."""
    regions = facts.label_regions
    pairs = np.concatenate([regions.pairs, regions.pairs[:, ::-1]])
    labels = regions.label[pairs[:, 1]]
    bounds = np.iinfo(np.int32)
    least, most = np.full(len(regions.label), bounds.max), np.full(len(regions.label), bounds.min)
    np.minimum.at(least, pairs[:, 0], labels)
    np.maximum.at(most, pairs[:, 0], labels)
    return np.where(least == most, least, 0).astype(np.int32)


CHECKS = (tooth_in_regions, hole_in_tooth)
