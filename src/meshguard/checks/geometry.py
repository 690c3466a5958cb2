"""G: shapes and sizes of faces, and of the mesh as a whole."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from meshguard.checks.clustering import Diagnosis, located
from meshguard.checks.registry import check
from meshguard.quantities import LENGTHS, quantity
from meshguard.report import Finding, Safety, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshguard.facts.mesh import MeshFacts
    from meshguard.facts.mesh.outward_orientation import BackSheet
    from meshguard.mesh import IntArray


@check("G101", needs=())
def nonfinite_vertices(facts: MeshFacts) -> Iterable[Finding]:
    """Non-finite vertices.

    A coordinate is NaN or infinite. Faces that use such a vertex have no place and are left out of all other checks.
    All of them are one finding. Repair removes them and their faces, and fills the hole that this leaves if it is
    small. Where that would leave no face, nothing can be repaired.
    """
    vertices = np.flatnonzero(~facts.is_finite).astype(np.int32)
    faces = len(facts.mesh.faces) - facts.n_finite
    is_some_left = facts.n_finite > 0 or not faces
    return located(
        facts,
        "G101",
        element="vertex",
        indices=vertices,
        rows=facts.remap[vertices][:, None],
        describe=lambda places: Diagnosis(
            severity=Severity.ERROR,
            message=(
                f"{'One vertex has' if len(places) == 1 else f'{len(places)} vertices have'} no finite position; "
                f"{'one face uses' if faces == 1 else f'{faces} faces use'} {'it' if len(places) == 1 else 'them'}"
                f"{'.' if is_some_left else ', and no other face is left.'}"
            ),
            measures={"vertices": len(places), "faces": faces},
            fixable=Safety.LOCAL if is_some_left else None,
        ),
    )


@check("G102")
def zero_area_faces(facts: MeshFacts) -> Iterable[Finding]:
    """Face without area.

    The three corners differ but lie exactly on one line, which is decided exactly and not by a small tolerance. Such a
    face has no normal. Faces that touch are one finding. Repair splits the face across its longest edge, which moves
    nothing; just deleting it would open a crack.
    """
    faces = np.setdiff1d(facts.collinear_faces, facts.repeated_faces, assume_unique=True)
    rows, area = facts.corners[faces], facts.face_measures.area
    return located(
        facts,
        "G102",
        element="face",
        indices=faces,
        rows=rows,
        labels=facts.clusters(rows),
        describe=lambda places: Diagnosis(
            severity=Severity.WARNING,
            message="A face has no area: its corners lie on one line."
            if len(places) == 1
            else f"{len(places)} touching faces have no area: their corners lie on one line.",
            measures={"faces": len(places), "area_mm2": float(area[faces[places]].sum())},
            fixable=Safety.LOCAL,
        ),
    )


@check("G103", limits=("aspect", "cap_angle_deg"))
def needles_and_caps(facts: MeshFacts) -> Iterable[Finding]:
    """Needle or cap.

    A needle's longest edge is many times its shortest; a cap has an angle near 180°. Both have area, but their normals
    are unreliable, and simulations and offsets suffer. Faces that touch are one finding. Repair leaves them: a mesh
    with them can be sound.
    """
    is_cap, area = facts.face_measures.is_cap, facts.face_measures.area
    faces = np.flatnonzero(is_cap | facts.face_measures.is_needle).astype(np.int32)
    rows = facts.corners[faces]

    def describe(places: IntArray) -> Diagnosis:
        caps = int(np.count_nonzero(is_cap[faces[places]]))
        needles = len(places) - caps
        parts = [f"{count} {name}{'s' * (count > 1)}" for count, name in ((needles, "needle"), (caps, "cap")) if count]
        return Diagnosis(
            severity=Severity.INFO,
            message=f"{' and '.join(parts)} touch each other."
            if len(places) > 1
            else f"A face is a {'cap' if caps else 'needle'}.",
            measures={"needles": needles, "caps": caps, "area_mm2": float(area[faces[places]].sum())},
            limit="cap_angle_deg" if caps else "aspect",
        )

    return located(
        facts, "G103", element="face", indices=faces, rows=rows, labels=facts.clusters(rows), describe=describe
    )


@check("G104", limits=("short_edge_mm", "short_edge_fraction"))
def short_edges(facts: MeshFacts) -> Iterable[Finding]:
    """Short edge.

    An edge is far shorter than any scanner resolves. Rounding or welding on the way to another program collapses it.
    Edges that touch are one finding, which lists the lowest half-edge of each. Repair leaves them: a mesh with them can
    be sound.
    """
    corner, face = np.nonzero(facts.face_measures.is_short.T)
    halfedges = (3 * face + corner).astype(np.int32)
    rows = facts.edge_ends(halfedges)
    keys = np.sort(rows, axis=1)
    order = np.lexsort((halfedges, keys[:, 1], keys[:, 0]))
    is_first = np.ones(len(order), np.bool_)  # of the half-edges of one edge
    is_first[1:] = (keys[order][1:] != keys[order][:-1]).any(axis=1)
    lowest = np.sort(order[is_first])
    halfedges, rows = halfedges[lowest], rows[lowest]
    lengths = np.linalg.norm(np.diff(facts.positions[rows], axis=1)[:, 0], axis=1)

    def describe(places: IntArray) -> Diagnosis:
        shortest = float(lengths[places].min())
        return Diagnosis(
            severity=Severity.INFO,
            message=f"An edge is only {quantity(shortest, 'mm', 2)} long."
            if len(places) == 1
            else f"{len(places)} touching edges are as short as {quantity(shortest, 'mm', 2)}.",
            measures={"edges": len(places), "shortest_mm": shortest},
            limit="short_edge_mm",
        )

    return located(
        facts, "G104", element="edge", indices=halfedges, rows=rows, labels=facts.clusters(rows), describe=describe
    )


@check("G105", limits=("fold_angle_deg",))
def near_folds(facts: MeshFacts) -> Iterable[Finding]:
    """Surface folds back on itself.

    Two neighbouring faces lie nearly on top of each other (a near-fold): their normals differ by almost 180°. Faces
    folded exactly flat are S102. A scanner's stitching or a decimation causes this. Edges that touch are one finding,
    which lists the lower half-edge of each. Repair leaves it where nothing intersects: only a person can say which of
    the two is right.
    """
    edges = np.flatnonzero(facts.components.folds).astype(np.int32)
    edges = edges[~facts.is_exact_fold(edges)]
    rows = facts.edge_ends(edges)
    lengths = np.linalg.norm(np.diff(facts.positions[rows], axis=1)[:, 0], axis=1)
    limit = facts.policy.limit("fold_angle_deg")

    def describe(places: IntArray) -> Diagnosis:
        length = float(lengths[places].sum())
        return Diagnosis(
            severity=Severity.WARNING,
            message=f"The surface folds back on itself by more than {limit:g}° along {quantity(length, 'mm', 2)}.",
            measures={"edges": len(places), "length_mm": length},
            limit="fold_angle_deg",
        )

    return located(
        facts, "G105", element="edge", indices=edges, rows=rows, labels=facts.clusters(rows), describe=describe
    )


@check(
    "G106",
    limits=("size_min_mm", "size_max_mm"),
    remedy="convert it if the unit that is named is right, as with meshguard repair --unit inch; else export it again",
)
def implausible_size(facts: MeshFacts) -> Iterable[Finding]:
    """Implausible size or unit.

    The longest side of the bounding box is not that of a dental arch. Files of this kind state no unit. Where another
    unit would make the size plausible, the message names it and this is an error. meshguard never converts unasked: if
    the named unit is right, `meshguard repair --unit` converts it.
    """
    if facts.largest_component < 0:
        return
    longest = float(facts.extent.max())
    smallest, largest = facts.policy.limit("size_min_mm"), facts.policy.limit("size_max_mm")
    if smallest <= longest <= largest:
        return
    fitting = {name: factor for name, factor in LENGTHS.values() if smallest <= longest * factor <= largest}
    place = facts.least_position(facts.largest_component)
    guess = f"; if the unit is {' or '.join(fitting)}, it is" if fitting else ""
    diagnosis = Diagnosis(
        severity=Severity.ERROR if fitting else Severity.WARNING,
        message=f"The longest side is {quantity(longest, 'mm')}, which is not the size of an arch{guess}.",
        measures={"longest_side_mm": longest}
        | {f"longest_side_if_{name}_mm": longest * factor for name, factor in fitting.items()},
        limit="size_min_mm" if longest < smallest else "size_max_mm",
        count=1,
    )
    yield from located(
        facts,
        "G106",
        element="file",
        indices=np.zeros(1, np.int32),
        rows=np.array([[place]], np.int32),
        describe=diagnosis,
    )


@check("G107", limits=("floating_area_mm2", "floating_area_fraction"))
def inverted(facts: MeshFacts) -> Iterable[Finding]:
    """Inside out.

    A closed body that looks inward (inverted) and is not the wall of a cavity in another body; closed bodies within one
    another are judged together. Or an open sheet that shows its back to an observer outside, by the ends of straight
    lines through it. Repair flips the faces, which moves nothing, where the shape decides: a body; a sheet that is
    nearly closed; and a sheet with the ridges of an arch, unless only lossless repair is allowed, since the scan of an
    impression has that shape too. What the shape does not decide is said and left: a hollow sheet, as a palate is, and
    a body that lies within another and looks outward too. Debris below the limit for floating components
    is not judged.
    """
    found = [*_inverted_bodies(facts), *_nested_bodies(facts), *_back_sheets(facts)]
    groups = [facts.faces_of(component) for component, _ in found]
    faces = np.concatenate([np.empty(0, np.int32), *groups]).astype(np.int32)
    labels = np.repeat(np.arange(len(groups), dtype=np.int32), [len(group) for group in groups])
    return located(
        facts,
        "G107",
        element="face",
        indices=faces,
        rows=facts.corners[faces],
        labels=labels,
        describe=lambda places: found[int(labels[places[0]])][1],
    )


def _inverted_bodies(facts: MeshFacts) -> Iterable[tuple[int, Diagnosis]]:
    """Closed components that are inverted, and what is said of each."""
    for component in filter(facts.has_volume, facts.nesting.inverted):
        faces = int(facts.components.n_faces[component])
        yield (
            component,
            Diagnosis(
                severity=Severity.ERROR,
                message=(
                    f"The wall of a cavity, {faces} faces, is inside out, as is the body around it."
                    if component in facts.nesting.cavities
                    else f"A closed body of {faces} faces is inside out: its faces look inward."
                ),
                measures=_side_measures(facts, component),
                fixable=Safety.LOSSLESS,
            ),
        )


def _nested_bodies(facts: MeshFacts) -> Iterable[tuple[int, Diagnosis]]:
    """Closed components within others of which it is not decided whether they are cavities, and what is said of each.

    A slicer fills such a body instead of leaving it hollow, so that it is a warning where a closed body is asked for.
    """
    areas = facts.components.area
    for component in filter(facts.has_volume, facts.nesting.undecided):
        if areas[component] < facts.debris_area:
            continue
        yield (
            component,
            Diagnosis(
                severity=Severity.WARNING if facts.policy.rim == "closed" else Severity.INFO,
                message=(
                    f"A closed body of {int(facts.components.n_faces[component])} faces lies wholly within another, "
                    "and both look outward: it is a cavity that is inside out, or a body of its own."
                ),
                measures=_side_measures(facts, component),
            ),
        )


def _back_sheets(facts: MeshFacts) -> Iterable[tuple[int, Diagnosis]]:
    """Open components that show their back, and what is said of each."""
    for sheet in facts.back_sheets:
        name = f"A sheet of {int(facts.components.n_faces[sheet.component])} faces"
        severity, fixable = Severity.ERROR, _flipping(sheet)
        if sheet.is_nearly_closed:
            message = f"{name} is inside out: its faces look inward."
        elif sheet.is_ridged:
            message = f"{name} shows the back of its surface: it is inside out, or the scan of an impression."
        else:
            severity = Severity.INFO
            message = f"{name} is hollow: this is a palate or another concave scan, or the sheet is inside out."
        measures = {**_side_measures(facts, sheet.component), "sidedness": sheet.score, "ridges": sheet.ridges}
        yield sheet.component, Diagnosis(severity=severity, message=message, measures=measures, fixable=fixable)


def _flipping(sheet: BackSheet) -> Safety | None:
    """What flipping a sheet would be: not lossless where it may be the scan of an impression."""
    if sheet.is_nearly_closed:
        return Safety.LOSSLESS
    return Safety.LOCAL if sheet.is_ridged else None


def _side_measures(facts: MeshFacts, component: int) -> dict[str, float]:
    """How large a component is."""
    return {"faces": int(facts.components.n_faces[component]), "area_mm2": float(facts.components.area[component])}


@check("G108")
def outside_exact_range(facts: MeshFacts) -> Iterable[Finding]:
    """Coordinates outside the exact range.

    A coordinate other than zero is smaller than 1e-70 or larger than 1e70. Exact predicates may round there: such faces
    are left out of the search for intersections, and what is said of their degeneracy, area and side is not
    guaranteed. No file of float32 numbers can hold such a coordinate.
    """
    faces = np.flatnonzero(facts.face_measures.is_outside_exact).astype(np.int32)
    return located(
        facts,
        "G108",
        element="face",
        indices=faces,
        rows=facts.corners[faces],
        describe=lambda places: Diagnosis(
            severity=Severity.WARNING,
            message=(
                f"{'One face has' if len(places) == 1 else f'{len(places)} faces have'} a coordinate outside the "
                "range in which meshguard computes exactly."
            ),
            measures={"faces": len(places)},
        ),
    )


@check(
    "G109",
    limits=("float32_step_mm", "float32_step_fraction"),
    remedy="save it as PLY or export it again near the origin, or move it there: meshguard repair --recentre",
)
def coarse_float32(facts: MeshFacts) -> Iterable[Finding]:
    """Coordinates too coarse for an STL.

    An STL holds coordinates as float32. The farther from the origin, the farther such numbers are apart: at 20 m it is
    2 µm, beyond what a scanner resolves; at 5 km it is 0.5 mm. Where the coordinates are finer (doubles of a PLY),
    saving as STL would move vertices and can make faces intersect; where they are float32 already, detail may have been
    lost before the file was read. A mesh is not moved unasked, since its antagonist would stay behind:
    `meshguard repair --recentre` moves it by a recorded shift, which can be taken back without losing a bit. A mesh
    that is itself so large that no place is finer is not reported.
    """
    step = facts.float32_step
    if facts.largest_component < 0 or step <= facts.float32_tolerance("float32_step_mm"):
        return
    place = facts.least_position(facts.largest_component)
    where = f"The mesh lies {facts.distance:,.0f} mm from the origin"
    measures = {"distance_mm": facts.distance}
    if not math.isfinite(step):
        message = f"{where}, farther than the numbers of an STL (float32) reach."
    else:
        measures["step_mm"] = step
        message = f"{where}, where the numbers of an STL (float32) are {quantity(step, 'mm', 2)} apart: " + (
            "its own are such numbers, so finer detail may be lost already."
            if facts.is_float32
            else "saving it as STL would move its vertices."
        )
    yield from located(
        facts,
        "G109",
        element="file",
        indices=np.zeros(1, np.int32),
        rows=np.array([[place]], np.int32),
        describe=Diagnosis(
            severity=Severity.WARNING, message=message, measures=measures, limit="float32_step_mm", count=1
        ),
    )


CHECKS = (
    nonfinite_vertices,
    zero_area_faces,
    needles_and_caps,
    short_edges,
    near_folds,
    implausible_size,
    inverted,
    outside_exact_range,
    coarse_float32,
)
