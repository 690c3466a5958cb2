"""T: how faces, edges and vertices are connected. Positions decide, not vertex numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.checks.clustering import Diagnosis, located
from meshguard.checks.registry import check
from meshguard.quantities import quantity
from meshguard.report import Finding, Safety, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshguard.facts.mesh import MeshFacts
    from meshguard.mesh import IntArray


@check("T101")
def nonmanifold_edges(facts: MeshFacts) -> Iterable[Finding]:
    """Non-manifold edge.

    More than two faces share an edge, so inside and outside are undefined there: slicers, booleans and offsets fail or
    guess. Edges that touch are one finding, which lists the lowest half-edge of each. Repair separates the sheets or
    removes a small fin.
    """
    nonmanifold = facts.edges.nonmanifold
    edges, sizes = nonmanifold[facts.nonmanifold_begins[:-1]], np.diff(facts.nonmanifold_begins)
    rows = facts.edge_ends(edges)
    lengths = facts.edge_lengths(rows)

    def describe(places: IntArray) -> Diagnosis:
        most = int(sizes[places].max())
        noun = "An edge is" if len(places) == 1 else f"{len(places)} connected edges are"
        return Diagnosis(
            severity=Severity.ERROR,
            message=f"{noun} shared by {'up to ' if len(places) > 1 else ''}{most} faces.",
            measures={"edges": len(places), "faces_on_an_edge": most, "length_mm": float(lengths[places].sum())},
            fixable=Safety.LOCAL,
        )

    return located(
        facts, "T101", element="edge", indices=edges, rows=rows, labels=facts.clusters(rows), describe=describe
    )


@check("T102")
def nonmanifold_vertices(facts: MeshFacts) -> Iterable[Finding]:
    """Non-manifold vertex.

    The faces around a vertex form several fans that touch only there (a bow-tie). Normals and offsets are undefined at
    such a vertex. Each is one finding. Repair pulls the fans apart.
    """
    fans = facts.fans.at_position
    positions = np.flatnonzero(fans > 1).astype(np.int32)
    return located(
        facts,
        "T102",
        element="vertex",
        indices=facts.first_vertex[positions],
        rows=positions[:, None],
        labels=np.arange(len(positions), dtype=np.int32),
        describe=lambda places: Diagnosis(
            severity=Severity.WARNING,
            message=f"{fans[positions[places[0]]]} separate fans of faces touch at one vertex.",
            measures={"fans": int(fans[positions[places[0]]])},
            fixable=Safety.LOCAL,
        ),
    )


@check("T103")
def inconsistent_orientation(facts: MeshFacts) -> Iterable[Finding]:
    """Inconsistent orientation.

    Two neighbouring faces run their common edge the same way, so one of them faces inward. Such edges that touch are
    one finding: the outline of a flipped patch. Repair flips the smaller side, which moves nothing.
    """
    edges = facts.inconsistent_edges
    rows = facts.edge_ends(edges)
    lengths = facts.edge_lengths(rows)
    is_nonorientable = facts.orientation.is_nonorientable if len(edges) else np.empty(0, np.bool_)
    of_edge = facts.components.of_face[edges // 3]

    def describe(places: IntArray) -> Diagnosis:
        orientable = not is_nonorientable[of_edge[places]].any()
        noun = "an edge" if len(places) == 1 else f"{len(places)} connected edges"
        return Diagnosis(
            severity=Severity.ERROR,
            message=f"Faces on the two sides of {noun} are oriented inconsistently.",
            measures={"edges": len(places), "length_mm": float(lengths[places].sum())},
            fixable=Safety.LOSSLESS if orientable else Safety.LOCAL,
        )

    return located(
        facts, "T103", element="edge", indices=edges, rows=rows, labels=facts.clusters(rows), describe=describe
    )


@check("T104")
def duplicate_faces(facts: MeshFacts) -> Iterable[Finding]:
    """Duplicate faces.

    Several faces have the same three positions as corners, whichever way they face. Each set is one finding. Repair
    keeps one of them; a pair that faces both ways may be a sheet without thickness, of which it keeps none where
    nothing else is connected to it. Where two closed bodies touch in such a pair it is a shared wall (T109), and both
    stay.
    """
    groups = facts.excess_duplicates
    faces = np.concatenate([np.empty(0, np.int32), *groups]).astype(np.int32)
    labels = np.repeat(np.arange(len(groups), dtype=np.int32), [len(group) for group in groups])
    return located(
        facts,
        "T104",
        element="face",
        indices=faces,
        rows=facts.corners[faces],
        labels=labels,
        describe=lambda places: Diagnosis(
            severity=Severity.WARNING,
            message=f"{len(places)} faces have the same three corners.",
            measures={"faces": len(places), "area_mm2": float(facts.face_measures.area[faces[places[0]]])},
            fixable=Safety.LOSSLESS,
        ),
    )


@check("T105")
def repeated_corners(facts: MeshFacts) -> Iterable[Finding]:
    """Face with a repeated corner.

    Two corners of a face share one position: the face is a line or a point and has no surface. Such faces that touch
    are one finding. Repair removes them, which changes nothing that can be seen.
    """
    faces = facts.repeated_faces
    rows = facts.corners[faces]
    return located(
        facts,
        "T105",
        element="face",
        indices=faces,
        rows=rows,
        labels=facts.clusters(rows),
        describe=lambda places: Diagnosis(
            severity=Severity.WARNING,
            message=f"{'One face has' if len(places) == 1 else f'{len(places)} faces have'} a repeated corner.",
            measures={"faces": len(places)},
            fixable=Safety.LOSSLESS,
        ),
    )


@check("T106", needs=())
def unreferenced_vertices(facts: MeshFacts) -> Iterable[Finding]:
    """Unreferenced vertices.

    Vertices that no face uses. They do not harm the surface, but they enlarge bounding boxes and confuse labels of
    vertices. All of them are one finding. Repair removes them.
    """
    used = np.zeros(len(facts.mesh.vertices), np.bool_)
    used[facts.mesh.faces] = True
    vertices = np.flatnonzero(~used).astype(np.int32)
    return located(
        facts,
        "T106",
        element="vertex",
        indices=vertices,
        rows=facts.remap[vertices][:, None],
        describe=lambda places: Diagnosis(
            severity=Severity.INFO,
            message="One vertex is not used by any face."
            if len(places) == 1
            else f"{len(places)} vertices are not used by any face.",
            measures={"vertices": len(places)},
            fixable=Safety.LOSSLESS,
        ),
    )


@check("T107", limits=("weld_mm", "weld_fraction"))
def unwelded_cracks(facts: MeshFacts) -> Iterable[Finding]:
    """Unwelded crack.

    Two stretches of boundary lie on one another, closer than the weld distance, but do not have the same vertices.
    Either vertices nearly coincide, since rounding has torn the surface open; or vertices of one side lie in the middle
    of edges of the other (T-junctions), and the crack has no width. What is connected along the boundary is one
    finding. A loop that closes entirely is a crack, not a hole. Repair splits edges at the vertices that lie on them,
    which moves nothing, and welds vertices that nearly coincide (stitches the crack). An error only where the policy
    wants a closed surface.
    """
    cracks = facts.cracks
    if cracks is None:
        boundary = facts.edges.boundary
        return located(
            facts,
            "T107",
            element="edge",
            indices=boundary,
            rows=facts.edge_ends(boundary),
            describe=lambda places: Diagnosis(
                severity=Severity.WARNING,
                message="Too many boundary vertices lie within the weld distance of each other to be paired.",
                measures={"edges": len(places)},
                limit="weld_mm",
            ),
        )

    def describe(places: IntArray) -> Diagnosis:
        crack = cracks.crack[places[0]]
        gap, length, junctions = (
            float(cracks.gap[crack]),
            float(cracks.length[crack]),
            int(cracks.n_tjunctions[crack]),
        )
        edges, loops = int(cracks.n_edges_closed[crack]), int(cracks.n_loops_closed[crack])
        whole_loops = f" and {loops} whole loop{'s' * (loops > 1)}" if loops else ""
        effect = f"closes {edges} boundary edge{'s' * (edges != 1)}{whole_loops}"
        is_welded = cracks.n_welded[crack] > 0
        if is_welded:
            within = quantity(gap, "mm", 2)
            message = f"{len(places)} boundary vertices lie within {within} of another one; welding {effect}."
        else:
            noun = "one vertex lies" if junctions == 1 else f"{junctions} vertices lie"
            message = (
                f"A crack of no width, {quantity(length, 'mm', 3)} long: {noun} in the middle of edges of "
                f"the other side (T-junction{'s' * (junctions > 1)}); splitting them {effect}."
            )
        return Diagnosis(
            severity=Severity.ERROR if loops and facts.policy.rim == "closed" else Severity.WARNING,
            message=message,
            measures={
                "vertices": len(places),
                "tjunctions": junctions,
                "edges_closed": edges,
                "loops_closed": loops,
                "length_mm": length,
                "largest_gap_mm": gap,
            },
            limit="weld_mm",
            fixable=Safety.LOCAL if is_welded else Safety.LOSSLESS,
        )

    return located(
        facts,
        "T107",
        element="vertex",
        indices=facts.first_vertex[cracks.positions],
        rows=cracks.positions[:, None],
        labels=cracks.crack,
        describe=describe,
    )


@check("T108")
def nonorientable_components(facts: MeshFacts) -> Iterable[Finding]:
    """Non-orientable component.

    A connected component whose faces cannot be oriented consistently, like a Möbius strip: it has only one side, so
    inside and outside are undefined. Repair must cut it; each component is one finding.
    """
    if not len(facts.inconsistent_edges):
        return []
    nonorientable = np.flatnonzero(facts.orientation.is_nonorientable)
    groups = [facts.faces_of(int(component)) for component in nonorientable]
    faces = np.concatenate([np.empty(0, np.int32), *groups]).astype(np.int32)
    return located(
        facts,
        "T108",
        element="face",
        indices=faces,
        rows=facts.corners[faces],
        labels=np.repeat(np.arange(len(groups), dtype=np.int32), [len(group) for group in groups]),
        describe=lambda places: Diagnosis(
            severity=Severity.ERROR,
            message=f"A component of {len(places)} faces has only one side: it cannot be oriented consistently.",
            measures={"faces": len(places), "area_mm2": float(facts.face_measures.area[faces[places]].sum())},
            fixable=Safety.LOCAL,
        ),
    )


@check("T109")
def shared_walls(facts: MeshFacts) -> Iterable[Finding]:
    """Shared wall.

    Two closed bodies touch in the same faces, each with a copy that faces its own way: an assembly, as of a die and its
    base. Each needs its copy of the wall to be closed, so these faces are not duplicates, and not a second layer where
    the two mesh the wall with other edges. But their edges have four faces in every file (T101). Each wall between two
    bodies is one finding, which lists both copies. Repair moves the bodies apart, by a few micrometres; where a policy
    asks for one solid, it removes the wall from both.
    """
    walls = facts.shared_walls
    faces = np.concatenate([walls.faces.reshape(-1), walls.layers.faces])
    area = facts.face_measures.area

    def describe(places: IntArray) -> Diagnosis:
        one_side = float(area[faces[places]].sum()) / 2
        count = (len(places) + 1) // 2
        noun = "one face" if count == 1 else f"{count} faces"
        return Diagnosis(
            severity=Severity.WARNING,
            message=f"Two closed bodies share a wall of {noun}, {quantity(one_side, 'mm²', 3)}.",
            measures={"faces": count, "area_mm2": one_side},
            fixable=Safety.LOCAL,
        )

    return located(
        facts,
        "T109",
        element="face",
        indices=faces,
        rows=facts.corners[faces],
        labels=np.concatenate([np.repeat(walls.wall, 2), walls.wall_of_layers]),
        describe=describe,
    )


@check(
    "T110",
    limits=("seam_width_mm", "seam_width_fraction", "seam_length_mm", "seam_length_fraction"),
    remedy="join the parts in the program that made the file, or export again",
)
def seams(facts: MeshFacts) -> Iterable[Finding]:
    """Seam.

    Two stretches of boundary run along each other, too far apart to be a crack (T107) and too close to be seen: the
    surface is cut there, within one component or between two. Stretches that are connected are one finding, with its
    length and width, which lists their half-edges. A loop that is such a slit all around is a seam, not a
    hole. Repair leaves it open, since closing it would move more than a weld does. An error only where the policy wants
    a closed surface.
    """
    found = facts.seams
    lengths = facts.edge_lengths(facts.edge_ends(found.halfedges))

    def describe(places: IntArray) -> Diagnosis:
        length, widths = float(found.length[found.seam[places[0]]]), found.width[places]
        mean, widest = float(np.average(widths, weights=lengths[places])), float(widths.max())
        n_components = len(np.unique(facts.components.of_face[found.halfedges[places] // 3]))
        where = "between two components" if n_components > 1 else "through the surface"
        return Diagnosis(
            severity=Severity.ERROR if facts.policy.rim == "closed" else Severity.WARNING,
            message=f"A seam {where}, {quantity(length, 'mm', 3)} long, is {quantity(mean, 'mm', 2)} wide.",
            measures={"edges": len(places), "length_mm": length, "width_mm": mean, "largest_width_mm": widest},
            limit="seam_width_mm",
        )

    return located(
        facts,
        "T110",
        element="edge",
        indices=found.halfedges,
        rows=facts.edge_ends(found.halfedges),
        labels=found.seam,
        describe=describe,
    )


CHECKS = (
    nonmanifold_edges,
    nonmanifold_vertices,
    inconsistent_orientation,
    duplicate_faces,
    repeated_corners,
    unreferenced_vertices,
    unwelded_cracks,
    nonorientable_components,
    shared_walls,
    seams,
)
