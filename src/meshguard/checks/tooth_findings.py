"""What checks of labelled teeth share: how a message names a tooth, and findings about teeth or what carries labels."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from meshguard import fdi
from meshguard.checks.clustering import Diagnosis, located
from meshguard.checks.registry import check as register

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshguard.facts.dental import DentalFacts
    from meshguard.mesh import IntArray
    from meshguard.report import Finding

check = partial(
    register,
    looks_at="teeth",
    remedy="cannot be repaired safely: check the labels, their numbering and the jaw, or edit them by hand",
)
"""Makes a check of labelled teeth. Where repair must not guess, scanning again would not help either."""


def name_of(facts: DentalFacts, label: int) -> str:
    """What a message calls a tooth: its code, or its class."""
    return f"tooth {label}" if facts.labels.is_fdi else f"class {label}"


def tooth_of(facts: DentalFacts, label: int) -> int | None:
    """The FDI code of a label, or None where the label is not one."""
    return label if facts.labels.is_fdi and fdi.is_tooth(label) else None


def codes_in_words(codes: list[int]) -> str:
    """Numbers of teeth, ascending, as a sentence lists them."""
    *others, last = (str(code) for code in sorted(codes))
    return f"{', '.join(others)} and {last}" if others else last


def about_teeth(facts: DentalFacts, check: str, labels: list[int], diagnosis: Diagnosis) -> Iterable[Finding]:
    """One finding about whole teeth: it lists their labels, and is located on the first of them."""
    teeth = facts.teeth
    main_region = teeth.main_region[teeth.labels == labels[0]]
    faces = np.flatnonzero(np.isin(facts.label_regions.of_face, main_region)).astype(np.int32)
    if not len(faces):
        faces = np.flatnonzero(facts.label_regions.label_of_face == labels[0]).astype(np.int32)
    count = len(labels) if diagnosis.count is None else diagnosis.count
    if not len(faces):  # so few vertices carry the label that no face has it
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
    """One finding about faces or vertices, whichever carry the labels; `nodes` as `Labelling.of_node` numbers them."""
    surface, nodes = facts.surface, nodes.astype(np.int32)
    if facts.labels.per == "face":
        rows = surface.corners[nodes]
        return located(surface, check, element="face", indices=nodes, rows=rows, describe=diagnosis)
    found = located(surface, check, element="vertex", indices=nodes, rows=nodes[:, None], describe=diagnosis)
    is_listed = np.zeros(len(surface.positions), np.bool_)
    is_listed[nodes] = True
    vertices = np.flatnonzero(is_listed[surface.remap]).astype(np.int32)
    return [replace(finding, indices=vertices, indices_total=len(vertices), count=len(vertices)) for finding in found]
