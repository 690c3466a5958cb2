"""D: what labels say: whether they fit the mesh (F105), are tooth numbers of this jaw, and agree with instances."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from meshguard import fdi
from meshguard.checks.clustering import Diagnosis, fingerprint, located
from meshguard.checks.tooth_findings import about_nodes, about_teeth, check, tooth_of
from meshguard.report import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    from meshguard.facts.dental import DentalFacts
    from meshguard.mesh import IntArray
    from meshguard.policy import Policy


def _requires_labels(policy: Policy) -> bool:
    """Whether the policy asks for labels and selects checks of them: then it is no choice whether there are any."""
    return policy.labels == "required" and any(key.startswith("D") for key in policy.select)


@check("F105", needs=(), required_by=_requires_labels)
def labels_do_not_fit(facts: DentalFacts) -> Iterable[Finding]:
    """Labels do not fit the mesh.

    There are more or fewer labels than vertices or faces, or some are not whole numbers, or faces and vertices carry
    different ones. Or the labels do not follow the surface: neighbours differ about as often as if labels had been
    dealt out at random. That happens when they are in the order of another file (one that has been saved again, welded
    or decimated since). The checks of teeth are then skipped. Ask for the file that the labels were made on. Where the
    policy requires labels (`labels = "required"`, as `labelled` does), a mesh without labels is a finding too.
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
    """One F105."""
    return _about_file("F105", message, measures)


def _about_file(check: str, message: str, measures: dict[str, float]) -> Finding:
    """One error about the labels as a whole."""
    return Finding(
        check=check,
        severity=Severity.ERROR,
        message=message,
        element="file",
        indices=np.empty(0, np.int32),
        count=1,
        location=None,
        measures=measures,
        fingerprint=fingerprint(check, message),
    )


@check("D101", needs=("faces", "fdi"))
def not_in_numbering(facts: DentalFacts) -> Iterable[Finding]:
    """Label is not a tooth number.

    A label that is neither a tooth in the FDI numbering (ISO 3950: 11 to 48, deciduous 51 to 85) nor 0, the gum; or a
    colour that is not in the palette. Labels are read as FDI codes if most of them are; otherwise they are anonymous
    classes, and this check is skipped. Find the tooth and give it its number.
    """
    areas = facts.teeth.areas
    for place, label in enumerate(facts.teeth.labels.tolist()):
        if not fdi.is_tooth(label):
            is_colour = _is_outside_palette(facts, label)
            content = "a colour that is not in the palette" if is_colour else f"label {label}, which is not an FDI code"
            diagnosis = Diagnosis(
                severity=Severity.ERROR,
                message=f"An area of {areas[place]:.1f} mm² has {content}.",
                measures={"label": label, "area_mm2": float(areas[place])},
            )
            yield from about_teeth(facts, "D101", [label], diagnosis)


def _is_outside_palette(facts: DentalFacts, label: int) -> bool:
    """Whether a label stands for all colours that the palette does not have."""
    notes = facts.carried.given.notes if facts.carried.given is not None else ()
    return label == -1 and any("palette" in note for note in notes)


@check("D102", limits=("jaw_confidence",), needs=("faces", "fdi"))
def other_jaw(facts: DentalFacts) -> Iterable[Finding]:
    """Tooth of the other jaw.

    The jaw is the one that the mesh or the labels state, or else the one that most labels belong to. Each tooth of the
    other jaw is an error; where most teeth are, one finding says that labels and jaw disagree: the labels are those of
    the other arch, or their numbers were shifted. Where nothing states the jaw, the widths of the incisors decide: in
    the upper jaw the central incisor is the wider one, in the lower jaw the lateral one. If they clearly contradict the
    numbers, that is a warning.

    Where crowns carry two numbers, one of each jaw, the teeth of two jaws were labelled on one scan. One finding says
    so, and the other checks of teeth take each such crown as one tooth. Where as many numbers are of the upper jaw as
    of the lower, and nothing states the jaw, it stays open, and checks that depend on it are skipped.
    """
    jaw, split = facts.labels.jaw, facts.labels.meaning.split
    codes = [label for label in facts.teeth.labels.tolist() if fdi.is_tooth(label)]
    if split:
        yield from _split_teeth(facts, codes)
    elif jaw is None and codes:
        diagnosis = Diagnosis(
            severity=Severity.ERROR,
            message=f"Half of the {len(codes)} numbers are of the upper jaw and half of the lower; it is open which "
            "jaw this is.",
            measures={"teeth": len(codes)},
        )
        yield from about_teeth(facts, "D102", codes, diagnosis)
    if facts.looks_like_the_other_jaw:
        jaw_of_shape, confidence = facts.jaw_of_incisors
        diagnosis = Diagnosis(
            severity=Severity.WARNING,
            message=f"The numbers are those of the {jaw} jaw, but the incisors look like those of the {jaw_of_shape} "
            "jaw.",
            measures={"confidence": confidence, "teeth": len(codes)},
            limit="jaw_confidence",
        )
        yield from about_teeth(facts, "D102", codes, diagnosis)
    wrong = [code for code in codes if jaw is not None and fdi.jaw_of(code) != jaw]
    if wrong and 2 * len(wrong) > len(codes):
        diagnosis = Diagnosis(
            severity=Severity.ERROR,
            message=f"{len(wrong)} of {len(codes)} teeth have numbers of the other jaw; the jaw is given as {jaw}.",
            measures={"teeth": len(wrong)},
        )
        yield from about_teeth(facts, "D102", wrong, diagnosis)
        return
    for code in wrong:
        diagnosis = Diagnosis(
            severity=Severity.ERROR,
            message=f"Tooth {code} belongs to the other jaw: this is the {jaw} jaw.",
            measures={"area_mm2": float(facts.teeth.areas[facts.teeth.place_of(code)])},
            tooth=code,
        )
        yield from about_teeth(facts, "D102", [code], diagnosis)


def _split_teeth(facts: DentalFacts, codes: list[int]) -> Iterable[Finding]:
    """One D102 about teeth that carry two numbers, one of each jaw."""
    jaw, split = facts.labels.jaw, facts.labels.meaning.split
    code, other = split[0]
    of_jaw = "it is open which jaw this is" if jaw is None else f"this is the {jaw} jaw"
    of_codes = "All" if len(split) == len(codes) else f"{len(split)} of"
    diagnosis = Diagnosis(
        severity=Severity.ERROR,
        message=f"{of_codes} {len(codes)} teeth are split between the numbers of the two jaws, such as {code} and "
        f"{other} on one crown; {of_jaw}.",
        measures={"teeth": len(split)},
        count=len(split),
    )
    yield from about_teeth(facts, "D102", [number for pair in split for number in pair], diagnosis)


@check("D103", limits=("instance_share",), needs=("faces", "labels", "instances", "unswapped"))
def instances_disagree(facts: DentalFacts) -> Iterable[Finding]:
    """Instances and labels disagree.

    Label files may mark each tooth twice: by its label and by an instance number. Each instance must have one label and
    each label one instance, and the gum is 0 in both. An instance with several labels is a tooth whose number is not
    known; a label on several instances means two teeth with one number; an instance that is labelled gum, or a label
    without an instance, is a tooth according to one and not to the other. Where the smaller share is below the limit it
    is a warning: a few wrong labels at a border.
    """
    stored, instance_of = facts.carried.stored("label"), facts.carried.instances()
    if stored is None or instance_of is None:
        return
    meaning = facts.labels.meaning
    label_of = meaning.read(stored.astype(np.int32).reshape(-1)).astype(np.int64)
    if meaning.gum and instance_of.all():  # where the gum has a number, it has an instance too
        of_gum, counts = np.unique(instance_of[label_of == 0], return_counts=True)
        instance_of = np.where(instance_of == of_gum[np.argmax(counts)], 0, instance_of)
    if not instance_of.any():
        diagnosis = Diagnosis(
            severity=Severity.ERROR,
            message="No tooth has an instance: all instances are 0, the gum.",
            measures={"labels": len(facts.teeth.labels)},
        )
        yield from _about_mesh_nodes(facts, np.flatnonzero(label_of != 0).astype(np.int32), diagnosis)
        return
    for instance, labels, counts in _partners(instance_of, label_of):
        summary = f"has {len(labels)} labels: {_first(labels)}" if len(labels) > 1 else "is labelled gum"
        diagnosis = _disagreement(
            facts, f"Instance {instance} {summary}.", counts, noun="labels", tooth=tooth_of(facts, labels[0])
        )
        yield from _about_mesh_nodes(facts, np.flatnonzero(instance_of == instance).astype(np.int32), diagnosis)
    for label, instances, counts in _partners(label_of, instance_of):
        summary = f"has {len(instances)} instances: {_first(instances)}" if len(instances) > 1 else "has no instance"
        diagnosis = _disagreement(
            facts, f"Label {label} {summary}.", counts, noun="instances", tooth=tooth_of(facts, label)
        )
        yield from _about_mesh_nodes(facts, np.flatnonzero(label_of == label).astype(np.int32), diagnosis)


def _partners(
    values: npt.NDArray[np.int64], partners: npt.NDArray[np.int64]
) -> Iterator[tuple[int, list[int], npt.NDArray[np.int64]]]:
    """Each value but 0 that has several partners or only 0: the value, its partners and their counts, most first."""
    pairs, counts = np.unique(np.stack([values, partners], axis=1), axis=0, return_counts=True)
    different, starts = np.unique(pairs[:, 0], return_index=True)
    groups = zip(np.split(pairs[:, 1], starts[1:]), np.split(counts, starts[1:]), strict=True)
    for value, (found, n_of_found) in zip(different.tolist(), groups, strict=True):
        if value != 0 and (len(found) > 1 or found[0] == 0):
            order = np.argsort(-n_of_found, kind="stable")
            yield value, found[order].tolist(), n_of_found[order]


def _first(numbers: list[int]) -> str:
    """The first few numbers."""
    return ", ".join(map(str, numbers[:4]))


def _disagreement(
    facts: DentalFacts, message: str, counts: npt.NDArray[np.int64], *, noun: str, tooth: int | None
) -> Diagnosis:
    """What is said of an instance or a label whose partners do not agree; `counts` of each, most first."""
    share = 1.0 - float(counts[0] / counts.sum())
    is_error = share > facts.policy.limit("instance_share") or len(counts) == 1
    return Diagnosis(
        severity=Severity.ERROR if is_error else Severity.WARNING,
        message=message,
        measures={noun: len(counts), "lesser_share": share},
        limit="instance_share",
        tooth=tooth,
    )


def _about_mesh_nodes(facts: DentalFacts, nodes: IntArray, diagnosis: Diagnosis) -> Iterable[Finding]:
    """One D103 about faces or vertices of the mesh."""
    if facts.labels.per == "face":
        rows = facts.surface.corners[nodes]
        return located(facts.surface, "D103", element="face", indices=nodes, rows=rows, describe=diagnosis)
    rows = facts.surface.remap[nodes][:, None]
    return located(facts.surface, "D103", element="vertex", indices=nodes, rows=rows, describe=diagnosis)


@check("D118", remedy="label the gum 0 in the program that made the labels")
def gum_is_not_zero(facts: DentalFacts) -> Iterable[Finding]:
    """Gum is not 0.

    A label other than 0 lies where the gum is: it is far larger than any tooth, borders nearly all of them, and has at
    least half of the boundary of the scan. Files label the gum 255, 99, -1, or the number after the last class; a
    program that expects 0 takes it for a tooth. Where it is a tooth's number, or 0 is a tooth, that is an error. The
    other checks of teeth take it for the gum. 33 beside Universal numbers 1 to 32 is a convention, not a finding.
    Label the gum 0.
    """
    meaning = facts.labels.meaning
    if meaning.gum == 0 or (meaning.gum == fdi.UNIVERSAL_GUM and meaning.notes):
        return
    number_of_zero, stored = meaning.numbers.get(0), facts.carried.stored("label")
    zero = "no label is 0"
    if number_of_zero is not None:
        zero = f"0 looks like a tooth, here called class {number_of_zero}"
    elif stored is not None and (stored == 0).any():
        zero = "little is labelled 0"
    gum = "What is outside the palette (-1)" if _is_outside_palette(facts, meaning.gum) else str(meaning.gum)
    is_number = meaning.is_fdi and fdi.is_tooth(meaning.gum)
    diagnosis = Diagnosis(
        severity=Severity.ERROR if is_number or number_of_zero is not None else Severity.WARNING,
        message=f"{gum} looks like the gum, and {zero}.",
        measures={"label": meaning.gum},
    )
    nodes = np.flatnonzero(facts.labels.of_node == 0).astype(np.int32)
    yield from about_nodes(facts, "D118", nodes, diagnosis)


@check(
    "D119",
    needs=("faces", "labels", "instances"),
    remedy="swap labels and instances, or write the file again",
)
def labels_and_instances_swapped(facts: DentalFacts) -> Iterable[Finding]:
    """Labels and instances swapped.

    The instances hold tooth numbers, and the labels count the same teeth 1, 2, 3 …: the two were swapped when the file
    was written. Checks that need a tooth's number are skipped. Swap the two; nothing is swapped unasked.
    """
    if facts.are_swapped:
        yield _about_file(
            "D119", '"instances" holds tooth numbers, and "labels" only counts the teeth: the two are swapped.', {}
        )


CHECKS = (
    labels_do_not_fit,
    not_in_numbering,
    other_jaw,
    instances_disagree,
    gum_is_not_zero,
    labels_and_instances_swapped,
)
