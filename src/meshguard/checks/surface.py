"""S: holes, intersections, floating components and tunnels: defects of the surface as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.checks.clustering import Diagnosis, located
from meshguard.checks.registry import check
from meshguard.policy import CLASSES
from meshguard.quantities import quantity
from meshguard.report import Finding, Safety, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshguard.facts.arrays import BoolArray, Whole
    from meshguard.facts.mesh import MeshFacts
    from meshguard.mesh import IntArray


@check(
    "S101",
    limits=("rim_share", "hole_diameter_mm", "hole_fraction"),
    skips=lambda policy: "The policy allows any open boundary." if policy.rim == "any" else None,
)
def holes(facts: MeshFacts) -> Iterable[Finding]:
    """Hole in the surface.

    A boundary loop that is not the one rim of its sheet (under a policy whose rim is "closed", any boundary loop). A
    loop is the rim only if its largest chord is a large share of the sheet's extent. Diameter means that chord. An open
    boundary that ends at a non-manifold edge (the free side of a fin) is a warning: repairing that edge decides what it
    is. A loop whose edges all lie on one another is not a hole but a crack (T107), and a slit that is hardly open is a
    seam (T110). Each loop is one finding, which lists the mesh vertices along it. Repair fills a hole up to the limit;
    a larger one needs a new scan, since filling it would invent anatomy.
    """
    loops = facts.loops
    is_hole = ~loops.is_rim if facts.policy.rim == "one" else np.ones(len(loops.is_rim), np.bool_)
    if facts.cracks is not None:
        is_hole &= ~facts.cracks.closes_loop
    is_hole &= ~facts.seams.is_slit
    is_on_hole = is_hole[loops.owner]
    positions, owner = loops.positions[is_on_hole], loops.owner[is_on_hole]
    hole_loops = np.flatnonzero(is_hole)
    limit = facts.policy.tolerance("hole_diameter_mm").within(facts.diagonal)

    def describe(places: IntArray) -> Diagnosis:
        loop = int(owner[places[0]])
        perimeter, area, chord = float(loops.perimeter[loop]), float(loops.area[loop]), float(loops.diameter[loop])
        is_small, is_rim, is_closed = chord <= limit, bool(loops.is_rim[loop]), bool(loops.is_closed[loop])
        if is_closed:
            message = f"{'An open rim' if is_rim else 'A hole'} of {len(places)} edges is {chord:.2f} mm across."
        else:
            message = f"An open boundary of {len(places)} edges, {perimeter:.2f} mm long, ends at a non-manifold edge."
        return Diagnosis(
            severity=Severity.ERROR if is_closed and not is_small else Severity.WARNING,
            message=message,
            measures={"edges": len(places), "perimeter_mm": perimeter, "area_mm2": area, "diameter_mm": chord},
            limit="hole_diameter_mm" if is_closed else None,
            fixable=Safety.LOCAL if (is_small or not is_closed) and not is_rim else Safety.INVENTIVE,
        )

    return located(
        facts,
        "S101",
        element="loop",
        indices=facts.first_vertex[positions],
        rows=positions[:, None],
        labels=np.searchsorted(hole_loops, owner).astype(np.int32),
        describe=describe,
    )


_TOUCHES = ("touch_point", "touch_segment")


def _intersecting(
    facts: MeshFacts,
    id: str,  # noqa: A002
    is_meant: BoolArray,
    event: str,
    repair: Safety | None,
) -> list[Finding]:
    """A finding for each cluster of the intersecting pairs that are meant: pairs whose faces share a vertex are one.

    `event` begins the message.
    """
    intersections = facts.intersections
    pairs, classes = intersections.pairs[is_meant], intersections.classes[is_meant]
    if not len(pairs):
        return []
    labels = facts.clusters(facts.corners[pairs].reshape(-1, 6))
    ends, depth = facts.pair_segments(pairs)
    count = int(labels.max()) + 1
    length = np.bincount(labels, np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1), minlength=count)
    deepest = np.zeros(count)
    np.maximum.at(deepest, labels, depth)
    n_of_class = np.bincount(labels * len(CLASSES) + classes, minlength=count * len(CLASSES)).reshape(count, -1)
    # Each face once in each cluster.
    members = np.unique(np.stack([np.repeat(labels, 2), pairs.reshape(-1)], axis=1), axis=0)
    owner, faces = members[:, 0].astype(np.int32), members[:, 1].astype(np.int32)
    severities = [_class_severity(facts, id, name) for name in CLASSES]

    def describe(places: IntArray) -> Diagnosis:
        cluster = int(owner[places[0]])
        present = [(CLASSES[kind], int(n)) for kind, n in enumerate(n_of_class[cluster]) if n]
        total = sum(n for _, n in present)
        kinds = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in present)
        deep = f", {quantity(deepest[cluster], 'mm', 2)} deep" if deepest[cluster] else ""
        more = "" if intersections.complete else " (the search stopped at its cap: there may be more)"
        return Diagnosis(
            severity=max(severities[CLASSES.index(name)] for name, _ in present),
            message=(
                f"{event} along {quantity(length[cluster], 'mm', 2)}{deep}: "
                f"{total} pair{'s' * (total > 1)} of faces ({kinds}){more}."
            ),
            measures={
                "pairs": total,
                "faces": len(places),
                "length_mm": float(length[cluster]),
                "depth_mm": float(deepest[cluster]),
                **dict(present),
            },
            fixable=repair,
        )

    return located(facts, id, element="face", indices=faces, rows=facts.corners[faces], labels=owner, describe=describe)


def _class_severity(facts: MeshFacts, id: str, name: str) -> Severity:  # noqa: A002
    """How bad a class of intersections is: what the policy says, else a warning for a touch and in an assembly."""
    mild = name in _TOUCHES or id == "S107"
    return facts.policy.severity_of(f"{id}:{name}") or (Severity.WARNING if mild else Severity.ERROR)


@check("S102", limits=("max_pairs", "floating_area_mm2", "crossing_share"), weighs_classes=True)
def self_intersections(facts: MeshFacts) -> Iterable[Finding]:
    """Self-intersection.

    Two faces share more than their common vertices and edges, which is decided exactly: they cross, lie on one another,
    fold flat, or touch where they should not. Slicers and booleans fail there. Pairs whose faces share a vertex are one
    finding: the curve along which the surface cuts through itself, with its length and depth (both rounded). A touch in
    a point or along an edge is a warning, everything else an error; a policy can weigh each class by `S102:class`.
    Repair cuts the spot out and fills it. Where two open surfaces pass through each other, each sound and at least
    `floating_area_mm2`, as crowns of a bridge may, it leaves them: either would lose a piece, and only a person can say
    which. Faces that touch only along a crack of no width, at its T-junctions, are that crack (T107), and the two sides
    of a shared wall are that (T109): not findings here, but the report's statistics count them.
    """
    assemblies = facts.assemblies
    of_itself = assemblies.of_one_surface & ~(facts.is_at_crack | facts.is_in_wall)
    return [
        *_intersecting(facts, "S102", of_itself, "The surface cuts through itself", Safety.LOCAL),
        *_intersecting(facts, "S102", assemblies.of_sheets, "Two open surfaces pass through each other", None),
    ]


@check("S107", limits=("max_pairs", "floating_area_mm2", "crossing_share"), weighs_classes=True)
def interpenetrating_bodies(facts: MeshFacts) -> Iterable[Finding]:
    """Bodies interpenetrate.

    Two closed bodies of one file reach into each other, as planned tooth bodies do, or a closed body and an open
    surface pass through each other, as a planned tooth and a scan do. Each may be sound by itself: this is an assembly,
    and a warning. Pairs whose faces share a vertex are one finding. Uniting the bodies loses their inner parts, so
    repair does it only where a policy asks for one solid; it never opens one body to make room for another surface.
    """
    assemblies = facts.assemblies
    return [
        *_intersecting(facts, "S107", assemblies.of_bodies, "Two bodies reach into each other", Safety.INVENTIVE),
        *_intersecting(
            facts,
            "S107",
            assemblies.of_body_and_sheet,
            "A closed body and an open surface pass through each other",
            Safety.INVENTIVE,
        ),
    ]


@check(
    "S103",
    limits=("floating_area_mm2", "floating_area_fraction"),
    why_left="It lies in a hole that stays open, or the small components are too much of the mesh to be debris.",
)
def floating_components(facts: MeshFacts) -> Iterable[Finding]:
    """Floating component.

    A component of the surface that shares no edge with the largest one. Below the limit it is debris (saliva, tongue,
    stray triangles) and repair may remove it; above the limit it is reported and kept, since it may be
    intentional. The distance is the one between the nearest vertices of the two.
    """
    areas = facts.components.area
    smaller = [component for component in range(len(areas)) if component != facts.largest_component]
    if not smaller:
        return []
    groups = [facts.faces_of(component) for component in smaller]
    faces = np.concatenate(groups).astype(np.int32)
    labels = np.repeat(np.arange(len(groups), dtype=np.int32), [len(group) for group in groups])
    distances = facts.distances_to_largest(smaller)

    def describe(places: IntArray) -> Diagnosis:
        group = int(labels[places[0]])
        area, distance = float(areas[smaller[group]]), float(distances[group])
        is_debris = area < facts.debris_area
        kind = "floating" if is_debris else "separate"
        noun = "one face" if len(places) == 1 else f"{len(places)} faces"
        return Diagnosis(
            severity=Severity.WARNING if is_debris else Severity.INFO,
            message=f"A {kind} component of {noun}, {quantity(area, 'mm²', 3)}, "
            f"lies {quantity(distance, 'mm', 3)} from the largest.",
            measures={"faces": len(places), "area_mm2": area, "distance_mm": distance},
            limit="floating_area_mm2",
            fixable=Safety.LOCAL if is_debris else None,
        )

    return located(
        facts, "S103", element="face", indices=faces, rows=facts.corners[faces], labels=labels, describe=describe
    )


_LEANS = 0.25
"""Mean cosine along a handle's loop from which on its normals count as looking away from its middle, or towards it."""

_FEW_EDGES, _SHORT_SHARE = 4, 0.05
"""A loop of no more edges than this, and no longer than this share of the diagonal, is what stitching leaves."""


@check("S105")
def tunnels(facts: MeshFacts) -> Iterable[Finding]:
    """Tunnel.

    A handle of the surface: a bridge of surface between two crowns, a narrow tunnel, or a fold left by stitching. How
    many handles a component has (its genus) follows from Euler's characteristic with its fans separated; components
    with non-manifold edges or without two sides have none and are left out. Each handle is one finding, which lists the
    mesh vertices along a short loop around it, with the loop's length. What it probably is follows from that loop: a
    bridge where the surface faces away from its middle, a tunnel where it faces the middle, a fold where it is hardly a
    loop. Handles beyond the first ones, and those of components that are oriented inconsistently, are counted
    together. Nothing is repaired: only a person can say which side of a handle is anatomy.
    """
    handles = facts.handles
    positions = np.concatenate([np.empty(0, np.int32), *(handle.loop for handle in handles)]).astype(np.int32)
    labels = np.repeat(np.arange(len(handles), dtype=np.int32), [len(handle.loop) for handle in handles])

    def describe(places: IntArray) -> Diagnosis:
        handle = handles[int(labels[places[0]])]
        length, edges = handle.length, len(handle.loop)
        around = f"{quantity(length, 'mm', 3)} around"
        is_tiny = edges <= _FEW_EDGES and length <= _SHORT_SHARE * facts.diagonal
        if is_tiny or abs(handle.lean) < _LEANS:
            message = (
                f"The surface has a handle, {quantity(length, 'mm', 2)} around: probably a fold left by stitching."
            )
        elif handle.lean > 0:
            message = f"The surface has a handle, {around}: probably a bridge between two places."
        else:
            message = f"The surface has a tunnel, {around}: probably a hole that runs through."
        return Diagnosis(
            severity=Severity.WARNING,
            message=message,
            measures={"tunnels": 1, "length_mm": length, "edges": edges, "lean": handle.lean},
        )

    yield from located(
        facts,
        "S105",
        element="loop",
        indices=facts.first_vertex[positions],
        rows=positions[:, None],
        labels=labels,
        describe=describe,
    )
    yield from _tunnels_without_place(facts, np.bincount([handle.component for handle in handles]))


def _tunnels_without_place(facts: MeshFacts, n_placed: Whole) -> Iterable[Finding]:
    """A finding for each component with more handles than have findings of their own."""
    left = np.maximum(facts.genus, 0)
    left[: len(n_placed)] -= n_placed.astype(left.dtype)
    components = np.flatnonzero(left > 0)

    def describe(places: IntArray) -> Diagnosis:
        component = components[places[0]]
        count = int(left[component])
        more = "more " if component < len(n_placed) and n_placed[component] else ""
        return Diagnosis(
            severity=Severity.WARNING,
            message=(
                f"A component of {int(facts.components.n_faces[component])} faces has {count} {more}"
                f"tunnel{'s' * (count > 1)}."
            ),
            measures={"tunnels": count},
            count=count,
        )

    # A component is known by the least of its positions in x, y, z, whatever the order of its faces.
    yield from located(
        facts,
        "S105",
        element="component",
        indices=np.array([facts.faces_of(int(component))[0] for component in components], np.int32),
        rows=np.array([[facts.least_position(int(component))] for component in components], np.int32).reshape(-1, 1),
        labels=np.arange(len(components), dtype=np.int32),
        describe=describe,
    )


CHECKS = (holes, self_intersections, floating_components, tunnels, interpenetrating_bodies)
