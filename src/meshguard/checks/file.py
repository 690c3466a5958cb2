"""F: what reading saw that is not as the file's format says, or that a mesh cannot hold."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from meshguard.checks.clustering import Diagnosis, fingerprint, located
from meshguard.checks.labels import labels_do_not_fit
from meshguard.checks.registry import check
from meshguard.halfedges import face_normals
from meshguard.report import Finding, Safety, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshguard.facts.mesh import MeshFacts
    from meshguard.mesh import Source


def _reported(source: Source, id: str, severity: Severity) -> Iterable[Finding]:  # noqa: A002
    """A finding for each irregularity that reading noted under a check's id."""
    for note in source.irregularities:
        if note.check == id:
            measures = dict(note.measures)
            if note.offset is not None:
                measures["offset_bytes"] = note.offset
            yield Finding(
                check=id,
                severity=severity,
                message=note.message,
                element="file",
                indices=note.indices,
                count=note.count,
                location=None,
                measures=measures,
                fingerprint=fingerprint(id, note.message, note.count),
            )


@check("F101", looks_at="file")
def wrong_count(source: Source) -> Iterable[Finding]:
    """Count and bytes disagree.

    The header declares another number of facets, vertices or faces than the file's bytes hold: a transfer that broke
    off, or a program that wrote a wrong count. What is whole is read; where that is less than declared it is an error,
    else a warning. If the end is missing, ask for the file again; otherwise saving it anew writes the right count.
    """
    for finding in _reported(source, "F101", Severity.WARNING):
        lacking = finding.measures.get("present", 0) < finding.measures.get("declared", 0)
        yield replace(finding, severity=Severity.ERROR) if lacking else finding


@check("F102", looks_at="file")
def faces_out_of_range(source: Source) -> Iterable[Finding]:
    """Faces name vertices that do not exist.

    Such faces are left out; the indices are the file's own face rows. The file is damaged or was written by a faulty
    program: ask for it again.
    """
    return _reported(source, "F102", Severity.ERROR)


@check("F103", looks_at="file")
def nonconforming_text(source: Source) -> Iterable[Finding]:
    """Text that is not as the format says.

    Comments or blank lines inside data, unusual line ends, split keywords, missing normals and the like. It was
    understood all the same; other programs may stumble over it. Saving the file anew mends it.
    """
    return _reported(source, "F103", Severity.INFO)


@check("F104", limits=("normal_angle_deg",), needs=("source",))
def disagreeing_normals(facts: MeshFacts) -> Iterable[Finding]:
    """Stored normals disagree with the faces.

    An STL stores a normal beside the three corners, whose order tells it too. Programs differ in which they believe:
    where the two disagree, some will show or print the face inside out. Saving without the stored normals mends it.
    Zero normals (none stored) are noted as well.
    """
    source, stored = facts.mesh.source, facts.mesh.face_data.get("normal")
    if source is None:
        return
    yield from _reported(source, "F104", Severity.INFO)
    if stored is None or stored.shape != (len(facts.corners), 3) or not source.format.startswith("stl"):
        return
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        own = face_normals(facts.positions, facts.corners)
        given = stored.astype(np.float64)
        cosine = (own * given).sum(axis=1) / (np.linalg.norm(own, axis=1) * np.linalg.norm(given, axis=1))
    limit = facts.policy.limit("normal_angle_deg")
    wrong = np.flatnonzero(cosine < math.cos(math.radians(limit))).astype(np.int32)
    if len(wrong):
        opposite = int(np.count_nonzero(cosine[wrong] < 0))
        worst = math.degrees(math.acos(max(-1.0, float(cosine[wrong].min()))))
        yield from located(
            facts,
            "F104",
            element="face",
            indices=wrong,
            rows=facts.corners[wrong],
            describe=lambda places: Diagnosis(
                severity=Severity.INFO,
                message=(
                    f"{len(places)} stored normals are more than {limit:g}° off their face, "
                    f"{opposite} of them on the other side."
                ),
                measures={"faces": len(places), "opposite": opposite, "largest_angle_deg": worst},
                limit="normal_angle_deg",
                fixable=Safety.LOSSLESS,
            ),
        )


@check("F106", looks_at="file")
def surplus_bytes(source: Source) -> Iterable[Finding]:
    """Trailing or attribute bytes.

    Bytes behind the last facet or row, or attribute words that an STL leaves unused and some programs fill with
    colours. They may carry text about the patient. Attribute words are kept, trailing bytes are not part of the mesh.
    """
    return _reported(source, "F106", Severity.INFO)


@check("F107", looks_at="file")
def triangulated_polygons(source: Source) -> Iterable[Finding]:
    """Polygons were triangulated.

    Faces with more than three corners, or strips, were cut into triangles; `mesh.source.face_origin` says which
    triangle comes from which face of the file. Faces with fewer than three corners have no surface and are left out.
    """
    return _reported(source, "F107", Severity.INFO)


@check("F108", looks_at="file")
def skipped_content(source: Source) -> Iterable[Finding]:
    """Content that a mesh cannot hold.

    Elements or list properties of the file that are neither vertices nor faces nor numbers on them (edges, materials,
    points). They are not in the mesh and would be lost on saving.
    """
    return _reported(source, "F108", Severity.INFO)


@check("F109", looks_at="file")
def several_solids(source: Source) -> Iterable[Finding]:
    """Several solids in one file.

    They are read as one mesh; `face_data["solid"]` numbers them. Some programs keep only the first.
    """
    return _reported(source, "F109", Severity.INFO)


@check("F110", needs=())
def no_faces(facts: MeshFacts) -> Iterable[Finding]:
    """No faces.

    The mesh has no triangle: an empty file or a point cloud. There is nothing to validate; ask for the scan as a
    surface.
    """
    if not len(facts.mesh.faces):
        vertices = len(facts.mesh.vertices)
        kind = f"a point cloud of {vertices} vertices" if vertices else "an empty mesh"
        yield Finding(
            check="F110",
            severity=Severity.ERROR,
            message=f"There is no face: this is {kind}.",
            element="file",
            indices=np.empty(0, np.int32),
            count=1,
            location=None,
            measures={"vertices": vertices},
            fingerprint=fingerprint("F110", vertices),
        )


CHECKS = (
    wrong_count,
    faces_out_of_range,
    nonconforming_text,
    disagreeing_normals,
    labels_do_not_fit,
    surplus_bytes,
    triangulated_polygons,
    skipped_content,
    several_solids,
    no_faces,
)
