"""D: labels of teeth as such: their numbers, their instances, and whether each tooth is one piece without holes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from meshguard import fdi
from meshguard.checks.clustering import Diagnosis, fingerprint, located
from meshguard.checks.registry import check as register
from meshguard.report import Finding, Safety, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshguard.facts.dental import DentalFacts
    from meshguard.mesh import IntArray

check = partial(
    register, looks_at="teeth", remedy="check the labels, their numbering and the jaw, or edit them by hand"
)
"""Make a check of labelled teeth; where no repair may guess, scanning again would not help."""


def name_of(facts: DentalFacts, label: int) -> str:
    """What a message calls a tooth: its code, or its class."""
    return f"tooth {label}" if facts.labels.is_fdi else f"class {label}"


def tooth_of(facts: DentalFacts, label: int) -> int | None:
    """The FDI code of a label, or None where it is none."""
    return label if facts.labels.is_fdi and fdi.is_tooth(label) else None


def about_teeth(facts: DentalFacts, check: str, labels: list[int], diagnosis: Diagnosis) -> Iterable[Finding]:
    """One finding about whole teeth: it lists their labels, and stands on the first of them."""
    teeth = facts.teeth
    mains = teeth.main_region[teeth.labels == labels[0]]
    faces = np.flatnonzero(np.isin(facts.label_regions.of_face, mains)).astype(np.int32)
    if not len(faces):
        faces = np.flatnonzero(facts.label_regions.label_of_face == labels[0]).astype(np.int32)
    count = len(labels) if diagnosis.count is None else diagnosis.count
    if not len(faces):  # a label of vertices so few that no face has it
        nodes = np.flatnonzero(facts.labels.of_node == labels[0]).astype(np.int32)
        found = located(facts.surface, check, element="vertex", indices=nodes, rows=nodes[:, None], describe=diagnosis)
    else:
        rows = facts.surface.corners[faces]
        found = located(facts.surface, check, element="face", indices=faces, rows=rows, describe=diagnosis)
    for finding in found:
        yield replace(
            finding, element="tooth", indices=np.array(sorted(labels), np.int32), indices_total=len(labels), count=count
        )


def about_nodes(facts: DentalFacts, check: str, nodes: IntArray, diagnosis: Diagnosis) -> Iterable[Finding]:
    """One finding about faces or vertices, whichever carry the labels; nodes as `Labelling.of_node` numbers them."""
    surface, nodes = facts.surface, nodes.astype(np.int32)
    if facts.labels.per == "face":
        rows = surface.corners[nodes]
        return located(surface, check, element="face", indices=nodes, rows=rows, describe=diagnosis)
    found = located(surface, check, element="vertex", indices=nodes, rows=nodes[:, None], describe=diagnosis)
    is_meant = np.zeros(len(surface.positions), np.bool_)
    is_meant[nodes] = True
    vertices = np.flatnonzero(is_meant[surface.remap]).astype(np.int32)
    return [replace(finding, indices=vertices, indices_total=len(vertices), count=len(vertices)) for finding in found]


@check("F105", needs=())
def labels_do_not_fit(facts: DentalFacts) -> Iterable[Finding]:
    """Labels do not fit the mesh.

    There are more or fewer labels than vertices or faces, or they are no whole numbers, or faces and vertices carry
    different ones; or the labels do not follow the surface: neighbours differ about as often as if labels had been
    dealt out at random, which is what happens when they are in the order of another file (one that was saved again,
    welded or decimated since). The checks of teeth are then skipped. Ask for the file that the labels were made on.
    Where the policy requires labels (`labels = "required"`, as `labelled` does), none at all is a finding too.
    """
    notes = facts.mesh.source.irregularities if facts.mesh.source is not None else ()
    misfits = [note for note in notes if note.check == "F105"]
    for note in misfits:
        yield _misfit(note.message, dict(note.measures))
    labelling = facts.labelling
    if labelling is None and not misfits and facts.policy.labels == "required":
        yield _misfit("The policy requires labels of teeth, and the mesh carries none.", {})
    if labelling is not None and labelling.mismatch is not None:
        finding = _misfit(labelling.mismatch, {"disorder": labelling.border_ratio})
        yield finding if labelling.why_unusable is not None else replace(finding, severity=Severity.WARNING)


def _misfit(message: str, measures: dict[str, float]) -> Finding:
    return Finding(
        check="F105",
        severity=Severity.ERROR,
        message=message,
        element="file",
        indices=np.empty(0, np.int32),
        count=1,
        location=None,
        measures=measures,
        fingerprint=fingerprint("F105", message),
    )


@check("D101", needs=("faces", "fdi"))
def not_in_numbering(facts: DentalFacts) -> Iterable[Finding]:
    """Label is not in the numbering.

    A label that is no tooth in the FDI numbering (ISO 3950: 11 to 48, deciduous 51 to 85) and not 0, the gum; or a
    colour that is not in the palette. Labels are taken for FDI codes if most of them are; otherwise they are anonymous
    classes, and this check is skipped. Look the tooth up and give it its number.
    """
    areas = facts.teeth.areas
    for place, label in enumerate(facts.teeth.labels.tolist()):
        if not fdi.is_tooth(label):
            notes = facts.carried.given.notes if facts.carried.given is not None else ()
            colored = label == -1 and any("palette" in note for note in notes)
            what = "a colour outside the palette" if colored else f"label {label}, which is no FDI code"
            diagnosis = Diagnosis(
                severity=Severity.ERROR,
                message=f"{areas[place]:.1f} mm² have {what}.",
                measures={"label": label, "area_mm2": float(areas[place])},
            )
            yield from about_teeth(facts, "D101", [label], diagnosis)


@check("D102", limits=("jaw_confidence",), needs=("faces", "fdi"))
def other_jaw(facts: DentalFacts) -> Iterable[Finding]:
    """Tooth of the other jaw.

    The jaw is the one that the mesh or the labels state, or else the one that most labels belong to. Each tooth of the
    other jaw is an error; where that is most of them, one finding says that labels and jaw disagree. The labels are
    those of the other arch, or their numbers were shifted. Where nothing states the jaw, the widths of the incisors are
    asked: above, the central one is the wider, below the lateral; if they surely contradict, that is a warning.
    """
    jaw = facts.labels.jaw
    codes = [label for label in facts.teeth.labels.tolist() if fdi.is_tooth(label)]
    if facts.looks_like_the_other_jaw:
        shape, sure = facts.jaw_of_incisors
        diagnosis = Diagnosis(
            severity=Severity.WARNING,
            message=f"The numbers are those of the {jaw} jaw, but the incisors look like the {shape} one's.",
            measures={"confidence": sure, "teeth": len(codes)},
            limit="jaw_confidence",
        )
        yield from about_teeth(facts, "D102", codes, diagnosis)
    wrong = [code for code in codes if fdi.jaw_of(code) != jaw]
    if wrong and 2 * len(wrong) > len(codes):
        diagnosis = Diagnosis(
            severity=Severity.ERROR,
            message=f"{len(wrong)} of {len(codes)} teeth are of the other jaw: this is said to be the {jaw} one.",
            measures={"teeth": len(wrong)},
        )
        yield from about_teeth(facts, "D102", wrong, diagnosis)
        return
    for code in wrong:
        diagnosis = Diagnosis(
            severity=Severity.ERROR,
            message=f"Tooth {code} is of the other jaw: this is the {jaw} one.",
            measures={"area_mm2": float(facts.teeth.areas[np.searchsorted(facts.teeth.labels, code)])},
            tooth=code,
        )
        yield from about_teeth(facts, "D102", [code], diagnosis)


@check("D103", limits=("instance_share",), needs=("faces", "labels", "instances"))
def instances_disagree(facts: DentalFacts) -> Iterable[Finding]:
    """Instances and labels disagree.

    Label files may say twice what is one tooth: by its label and by an instance number. Each instance must have one
    label and each label one instance, and the gum is 0 in both. An instance with several labels is a tooth whose number
    is not known, a label on several instances are two teeth with one number; an instance that is labelled gum, or a
    label without an instance, is a tooth for one and none for the other. Where the lesser part is below the limit it is
    a warning: strays at a border.
    """
    stored, instance = facts.carried.stored("label"), facts.carried.instances()
    if stored is None or instance is None:
        return
    by_label = stored.astype(np.int64).reshape(-1)
    if not instance.any():
        diagnosis = Diagnosis(
            severity=Severity.ERROR,
            message="No tooth has an instance: all are 0, as the gum.",
            measures={"labels": len(facts.teeth.labels)},
        )
        yield from _about_mesh_nodes(facts, np.flatnonzero(by_label != 0).astype(np.int32), diagnosis)
        return
    pairs, counts = np.unique(np.stack([instance, by_label], axis=1), axis=0, return_counts=True)
    limit = facts.policy.limit("instance_share")
    for column, one, many in ((0, "Instance", "labels"), (1, "Label", "instances")):
        values, rows_of = np.unique(pairs[:, column], return_counts=True)
        for value, n_rows in zip(values.tolist(), rows_of.tolist(), strict=True):
            rows = np.flatnonzero(pairs[:, column] == value)
            if value == 0 or (n_rows == 1 and pairs[rows[0], 1 - column] != 0):
                continue
            rows = rows[np.argsort(-counts[rows], kind="stable")]
            share = 1.0 - float(counts[rows[0]] / counts[rows].sum())
            label = value if column == 1 else int(pairs[rows[0], 1])
            lone = "is labelled gum" if column == 0 else "has no instance"
            listed = ", ".join(map(str, pairs[rows[:4], 1 - column]))
            diagnosis = Diagnosis(
                severity=Severity.ERROR if share > limit or n_rows == 1 else Severity.WARNING,
                message=f"{one} {value} {lone if n_rows == 1 else f'has {n_rows} {many}: {listed}'}.",
                measures={many: len(rows), "lesser_share": share},
                limit="instance_share",
                tooth=tooth_of(facts, label),
            )
            yield from _about_mesh_nodes(
                facts, np.flatnonzero((instance, by_label)[column] == value).astype(np.int32), diagnosis
            )


def _about_mesh_nodes(facts: DentalFacts, nodes: IntArray, diagnosis: Diagnosis) -> Iterable[Finding]:
    """One D103 about faces or vertices of the mesh."""
    if facts.labels.per == "face":
        rows = facts.surface.corners[nodes]
        return located(facts.surface, "D103", element="face", indices=nodes, rows=rows, describe=diagnosis)
    rows = facts.surface.remap[nodes][:, None]
    return located(facts.surface, "D103", element="vertex", indices=nodes, rows=rows, describe=diagnosis)


_PARTS = ("label_part_mm2", "label_error_share", "label_error_mm2", "label_near_mm", "label_speck_share")


def _severity(facts: DentalFacts, area: float, whole: float, *, cut: bool) -> tuple[Severity, str]:
    """How bad a wrong part of a tooth is, and the limit that decides.

    A part below the least area is finer than scanners sample; an error is a large share of the tooth, unless the scan's
    own border cuts the part off.
    """
    if area < facts.policy.limit("label_part_mm2"):
        return Severity.INFO, "label_part_mm2"
    large = facts.island_rule.is_too_large(area, whole)
    return (Severity.ERROR if large and not cut else Severity.WARNING), "label_error_share"


@check("D104", limits=_PARTS)
def tooth_in_pieces(facts: DentalFacts) -> Iterable[Finding]:
    """Tooth in several pieces.

    Each piece of a label beside its largest, with its size and the distance between their middles: an island of stray
    label, a tooth that another label cuts in two, or a second tooth with the same number. Faces hang together over
    common edges, vertices along edges. A piece that no other label touches is a piece of the mesh (S103), not of its
    labels. An island belongs to the label around it, which repair can give it where it is not near its own tooth: there
    it may be a part that something cuts off.
    """
    regions, teeth = facts.label_regions, facts.teeth
    area = regions.area
    is_main = np.zeros(len(area), np.bool_)
    is_main[teeth.main_region] = True
    meets = np.bincount(regions.pairs.reshape(-1), minlength=len(area)) > 0
    for region in np.flatnonzero((regions.label != 0) & ~is_main & meets).tolist():
        label = int(regions.label[region])
        main = int(teeth.main_region[teeth.place_of(label)])
        whole = float(area[main])
        cut = bool(regions.rim_length[region] > 0 and regions.rim_length[main] > 0)
        severity, limit = _severity(facts, float(area[region]), whole, cut=cut)
        away = float(np.linalg.norm(regions.centre[region] - regions.centre[main]))
        what = "A second part" if severity is Severity.ERROR else "An island"
        diagnosis = Diagnosis(
            severity=severity,
            message=f"{what} of {name_of(facts, label)} has {area[region]:.2f} mm² and lies {away:.1f} mm from it.",
            measures={"area_mm2": float(area[region]), "tooth_area_mm2": whole, "distance_mm": away},
            limit=limit,
            fixable=Safety.LOCAL if facts.is_given_away(region) else None,
            tooth=tooth_of(facts, label),
        )
        yield from about_nodes(facts, "D104", facts.label_regions.nodes_of(region), diagnosis)


@check("D105", limits=_PARTS)
def hole_in_tooth(facts: DentalFacts) -> Iterable[Finding]:
    """Hole in a tooth.

    A piece of gum, or the whole of another label, that lies within one tooth: it has no other neighbour, and the border
    of the scan does not reach it. A crown has no such hole; repair can fill it where it is gum and not a large share of
    the tooth. A piece of a label that is larger elsewhere is an island of that tooth instead, D104.
    """
    regions, teeth = facts.label_regions, facts.teeth
    count = len(regions.label)
    if not count:
        return
    area = regions.area
    one, other = regions.pairs.T
    pairs = np.concatenate([regions.pairs, regions.pairs[:, ::-1]])
    around = regions.label[pairs[:, 1]]
    least, most = np.full(count, np.iinfo(np.int32).max), np.full(count, np.iinfo(np.int32).min)
    np.minimum.at(least, pairs[:, 0], around)
    np.maximum.at(most, pairs[:, 0], around)
    is_main = np.zeros(count, np.bool_)
    is_main[teeth.main_region] = True
    enclosed = (least == most) & (least != 0) & (regions.rim_length == 0.0)
    enclosed &= (regions.label == 0) | is_main
    enclosed &= np.bincount(np.concatenate([one, other]), minlength=count) > 0
    rule = facts.island_rule
    for region in np.flatnonzero(enclosed).tolist():
        label, inside = int(least[region]), int(regions.label[region])
        whole = teeth.main_area_of(label)
        if area[region] > whole:
            continue  # the tooth is a ring around something larger: that is no hole in it
        severity, limit = _severity(facts, float(area[region]), whole, cut=False)
        content = "gum" if inside == 0 else name_of(facts, inside)
        diagnosis = Diagnosis(
            severity=severity,
            message=f"A hole of {area[region]:.2f} mm² in {name_of(facts, label)} is labelled {content}.",
            measures={"area_mm2": float(area[region]), "tooth_area_mm2": whole, "label_inside": inside},
            limit=limit,
            fixable=Safety.LOCAL if inside == 0 and not rule.is_too_large(float(area[region]), whole) else None,
            tooth=tooth_of(facts, label),
        )
        yield from about_nodes(facts, "D105", facts.label_regions.nodes_of(region), diagnosis)


CHECKS = (not_in_numbering, other_jaw, instances_disagree, tooth_in_pieces, hole_in_tooth)
