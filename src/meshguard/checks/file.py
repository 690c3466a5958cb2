"""F: what reading the file saw that does not follow its format, or that a mesh cannot hold."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from meshguard.checks.clustering import Diagnosis, fingerprint, located
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
    """Declared count does not match the file.

    The header declares a number of facets, vertices or faces that the file's bytes do not hold: the transfer broke off,
    or a program wrote a wrong count. Everything that is complete is read; where that is less than declared this is an
    error, else a warning. A binary STL without a count, or whose numbers are byte-swapped, is reported here too. If the
    end is missing, ask for the file again; otherwise saving it again writes the right
    count.
    """
    for finding in _reported(source, "F101", Severity.WARNING):
        is_cut_short = finding.measures.get("present", 0) < finding.measures.get("declared", 0)
        yield replace(finding, severity=Severity.ERROR) if is_cut_short else finding


@check("F102", looks_at="file")
def faces_out_of_range(source: Source) -> Iterable[Finding]:
    """Faces refer to vertices that do not exist.

    Such faces are left out; the indices are the rows of the faces in the file. The file is damaged or was written by a
    faulty program: ask for it again.
    """
    return _reported(source, "F102", Severity.ERROR)


@check("F103", looks_at="file")
def nonconforming_text(source: Source) -> Iterable[Finding]:
    """Text does not follow the format.

    Comments or blank lines inside the data, unusual line ends, split keywords, missing normals and the like. meshguard
    understood the file all the same; other programs may stumble over it. Saving the file again fixes it.
    """
    return _reported(source, "F103", Severity.INFO)


@check("F104", limits=("normal_angle_deg",), needs=("source",))
def disagreeing_normals(facts: MeshFacts) -> Iterable[Finding]:
    """Stored normals disagree with the faces.

    An STL stores a normal with the three corners, whose order also gives the normal. Programs differ in which of the
    two they trust: where they disagree, some will show or print the face inside out. Saving without the stored normals
    fixes it. Zero normals (none stored) and normals that are not numbers are reported as well.
    """
    source, stored = facts.mesh.source, facts.mesh.face_data.get("normal")
    if source is None:
        return
    yield from _reported(source, "F104", Severity.INFO)
    if stored is None or stored.shape != (len(facts.corners), 3) or not source.format.startswith("stl"):
        return
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        normals = face_normals(facts.positions, facts.corners)
        given = stored.astype(np.float64)
        cosine = (normals * given).sum(axis=1) / (np.linalg.norm(normals, axis=1) * np.linalg.norm(given, axis=1))
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
                    f"{'1 stored normal is' if len(places) == 1 else f'{len(places)} stored normals are'} "
                    f"more than {limit:g}° off the face, "
                    f"{opposite} of them on the opposite side."
                ),
                measures={"faces": len(places), "opposite": opposite, "largest_angle_deg": worst},
                limit="normal_angle_deg",
                fixable=Safety.LOSSLESS,
            ),
        )


@check("F106", looks_at="file")
def surplus_bytes(source: Source) -> Iterable[Finding]:
    """Trailing or attribute bytes.

    Bytes after the last facet or row, or attribute words that an STL leaves unused and some programs fill with colours.
    They may hold text about the patient. Attribute words are kept, and so is the colour in the header (`COLOR=`) that
    decides what they mean; trailing bytes do not become part of the mesh.
    """
    return _reported(source, "F106", Severity.INFO)


@check("F107", looks_at="file")
def triangulated_polygons(source: Source) -> Iterable[Finding]:
    """Polygons were triangulated.

    Faces with more than three corners, or strips, were cut into triangles; `mesh.source.face_origin` says which face of
    the file each triangle comes from. Polygons are cut inside themselves, concave ones too. Counted on their own are
    those whose corners are off one plane by more than a hundredth of their size, whose sides cross or touch, or that
    have no area: programs differ in what they make of these. Faces with fewer than three corners have no surface and
    are left out.
    """
    return _reported(source, "F107", Severity.INFO)


@check("F108", looks_at="file")
def skipped_content(source: Source) -> Iterable[Finding]:
    """Content that a mesh cannot hold.

    Elements or list properties of the file that are neither vertices nor faces nor numbers on them (edges, materials,
    texture coordinates of faces, names of their pictures). They are not in the mesh, and saving or repairing loses
    them: `meshguard.io.lost_on_saving` and `meshguard repair` list them by kind.
    """
    return _reported(source, "F108", Severity.INFO)


@check("F109", looks_at="file")
def several_solids(source: Source) -> Iterable[Finding]:
    """Several solids in one file.

    They are read as one mesh, and `face_data["solid"]` numbers them. Some programs keep only the first.
    """
    return _reported(source, "F109", Severity.INFO)


@check("F110", needs=())
def no_faces(facts: MeshFacts) -> Iterable[Finding]:
    """No faces.

    The mesh has no triangles: the file is empty or a point cloud. There is nothing to validate; ask for the scan as a
    surface mesh.
    """
    if not len(facts.mesh.faces):
        vertices = len(facts.mesh.vertices)
        kind = f"a point cloud of {vertices} vertices" if vertices else "an empty mesh"
        yield Finding(
            check="F110",
            severity=Severity.ERROR,
            message=f"The mesh has no faces: it is {kind}.",
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
    surplus_bytes,
    triangulated_polygons,
    skipped_content,
    several_solids,
    no_faces,
)
