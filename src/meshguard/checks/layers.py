"""S106: surface that was scanned twice and lies over itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshguard.checks.clustering import Diagnosis, located
from meshguard.checks.registry import check
from meshguard.quantities import quantity
from meshguard.report import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshguard.facts.mesh import MeshFacts
    from meshguard.mesh import IntArray


@check(
    "S106",
    limits=("layer_gap_mm", "layer_gap_fraction", "layer_area_mm2", "layer_area_fraction"),
    remedy="keep one of the layers in the scanner's program, or scan again",
)
def second_layers(facts: MeshFacts) -> Iterable[Finding]:
    """Second layer.

    Surface lies over other surface that faces the same way, closer than two real surfaces could: a part was scanned
    twice and does not quite match. The two sides of a thin wall, and teeth in contact, face opposite ways and are not
    layers. Layers are measured from the centres of faces along their normals; a sample of the faces is measured first,
    so a layer not much larger than the limit can be missed on a large mesh. Each layer is one finding, which lists its
    faces: those of the smaller component, or both sheets where they belong to one. Nothing is repaired, since only a
    person can say which layer is right. A layer that covers its patch exactly is a self-intersection (S102).
    """
    found = facts.second_layers

    def describe(places: IntArray) -> Diagnosis:
        layer = found.layer[places[0]]
        area, gap = float(found.area[layer]), float(found.gap[layer])
        return Diagnosis(
            severity=Severity.WARNING,
            message=f"A second layer of {quantity(area, 'mm²', 3)} lies {quantity(gap, 'mm', 2)} off the surface.",
            measures={"faces": len(places), "area_mm2": area, "gap_mm": gap},
            limit="layer_gap_mm",
        )

    return located(
        facts,
        "S106",
        element="face",
        indices=found.faces,
        rows=facts.corners[found.faces],
        labels=found.layer,
        describe=describe,
    )


CHECKS = (second_layers,)
