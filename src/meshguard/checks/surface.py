"""S: holes, floating pieces, tunnels: what the surface as a whole is like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.checks.located import Said, located
from meshguard.checks.registry import check
from meshguard.report import Finding, Safety, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshguard.facts import Facts
    from meshguard.mesh import IntArray


@check("S101", limits=("rim_share", "hole_diameter_mm", "hole_fraction"))
def holes(facts: Facts) -> Iterable[Finding]:
    """Hole beyond the rim.

    A boundary loop that is not the one rim of its sheet (under a policy whose rim is "closed", any boundary loop). A
    loop is the rim only if its largest chord is a large share of the sheet's extent. Diameter means that chord. A
    border that ends at a non-manifold edge (a fin's free side) is a warning: mending that edge decides what it is. Each
    loop is one finding, which lists the mesh vertices along it. Repair fills a hole up to the limit; a larger one needs
    a rescan, since filling it would invent anatomy.
    """
    if facts.policy.rim == "any":
        return []
    loops = facts.loops
    counted = ~loops.rim if facts.policy.rim == "one" else np.ones(len(loops.rim), np.bool_)
    owner = np.repeat(np.arange(len(loops.rim)), np.diff(loops.offsets))
    kept = counted[owner]
    places_kept, owner = loops.positions[kept], owner[kept]
    names = np.flatnonzero(counted)
    limit = facts.policy.tolerance("hole").within(facts.diagonal)

    def say(places: IntArray) -> Said:
        loop = int(owner[places[0]])
        perimeter, area, chord = (float(value) for value in loops.measures[loop])
        small = chord <= limit
        rim = bool(loops.rim[loop])
        closed = bool(loops.closed[loop])
        if closed:
            message = f"{'An open rim' if rim else 'A hole'} of {len(places)} edges is {chord:.2f} mm across."
        else:
            message = f"An open border of {len(places)} edges, {perimeter:.2f} mm long, ends at a non-manifold edge."
        return Said(
            severity=Severity.ERROR if closed and not small else Severity.WARNING,
            message=message,
            measures={"edges": len(places), "perimeter_mm": perimeter, "area_mm2": area, "diameter_mm": chord},
            limit="hole_diameter_mm",
            fixable=Safety.LOCAL if (small or not closed) and not rim else Safety.INVENTIVE,
        )

    return located(
        facts,
        "S101",
        element="loop",
        indices=facts.first_vertex[places_kept],
        rows=places_kept[:, None],
        labels=np.searchsorted(names, owner).astype(np.int32),
        say=say,
    )


@check("S103", limits=("floating_area_mm2", "floating_area_fraction"))
def floating_pieces(facts: Facts) -> Iterable[Finding]:
    """Floating piece.

    A piece that shares no edge with the largest one. Below the limit it is debris (saliva, tongue, stray triangles) and
    repair may drop it; above it is told and kept, since it may be meant. The distance is that between the nearest
    vertices of the two.
    """
    from meshguard.kernels.topology import AREA

    areas = facts.components.measures[:, AREA]
    pieces = [component for component in range(len(areas)) if component != facts.main]
    if not pieces:
        return []
    limit = facts.policy.tolerance("floating_area").within(float(areas.sum()))
    groups = [facts.faces_of(component) for component in pieces]
    faces = np.concatenate(groups).astype(np.int32)
    labels = np.repeat(np.arange(len(groups), dtype=np.int32), [len(group) for group in groups])
    distances = facts.distance_to_main(faces, labels, len(groups))

    def say(places: IntArray) -> Said:
        piece = int(labels[places[0]])
        area, distance = float(areas[pieces[piece]]), float(distances[piece])
        small = area < limit
        kind = "floating" if small else "separate"
        noun = "one face" if len(places) == 1 else f"{len(places)} faces"
        return Said(
            severity=Severity.WARNING if small else Severity.INFO,
            message=f"A {kind} piece of {noun}, {area:.3g} mm², lies {distance:.3g} mm from the largest.",
            measures={"faces": len(places), "area_mm2": area, "distance_mm": distance},
            limit="floating_area_mm2",
            fixable=Safety.LOCAL if small else None,
        )

    return located(facts, "S103", element="face", indices=faces, rows=facts.corners[faces], labels=labels, say=say)


@check("S105")
def tunnels(facts: Facts) -> Iterable[Finding]:
    """Tunnel.

    A piece whose surface has handles (its genus): a bridge between two crowns, or a wormhole that stitching left. The
    genus follows from Euler's characteristic of the piece with its fans separated; pieces with non-manifold edges or
    without two sides have none and are left out. Each piece is one finding. Nothing is repaired: which side of a handle
    is anatomy only a person can say.
    """
    from meshguard.kernels.topology import FACES

    genus = facts.genus
    pieces = np.flatnonzero(genus > 0)
    first = np.array([facts.faces_of(int(component))[0] for component in pieces], np.int32)
    # A piece is known by the least of its positions in x, y, z, whatever the order of its faces.
    rows = np.array([[facts.least_position(int(component))] for component in pieces], np.int32).reshape(-1, 1)

    def say(places: IntArray) -> Said:
        piece = pieces[places[0]]
        handles, faces = int(genus[piece]), int(facts.components.counts[piece, FACES])
        return Said(
            severity=Severity.WARNING,
            message=f"A piece of {faces} faces has {handles} tunnel{'s' * (handles > 1)}.",
            measures={"tunnels": handles, "faces": faces},
            count=handles,
        )

    labels = np.arange(len(pieces), dtype=np.int32)
    return located(facts, "S105", element="component", indices=first, rows=rows, labels=labels, say=say)


CHECKS = (holes, floating_pieces, tunnels)
