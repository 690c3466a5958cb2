"""One question about a mesh, answered with arrays; no policy, no report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, overload

from meshguard.facts.dental import DentalFacts
from meshguard.facts.mesh import MeshFacts
from meshguard.facts.mesh.mesh_contact import Contact, find_contact
from meshguard.policy import policy

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from meshguard.facts.dental.arch_frame import ArchFrame
    from meshguard.mesh import IntArray, Mesh

_MAX_PAIRS = 2**31 - 1


def boundary_loops(mesh: Mesh) -> tuple[IntArray, IntArray]:
    """The boundary loops of a mesh, by lowest half-edge; chains that end at a non-manifold edge come first.

    Positions decide what is connected. Loops that touch at a vertex are separate.

    Returns:
        CSR: offsets int32 (L + 1,) and vertices int32 (b,), the first mesh vertex on each position along the loops. A
        mesh without boundary gives offsets [0] and no vertices.
    """
    facts = MeshFacts(mesh, policy("scan"))
    loops = facts.loops
    return loops.offsets, facts.first_vertex[loops.positions]


def arch_frame(mesh: Mesh) -> ArchFrame:
    """Where the arch is and which way it faces: occlusal plane, midline, arch curve and jaw, as far as they show.

    Found from the labels of teeth where the mesh carries any, else from its shape alone. The jaw always comes from the
    shape: from the widths of the incisors where teeth are known, else from what lies inside the arch. What cannot be
    determined is None, and `why_unsure` says why; the rest comes with a confidence from 0 to 1. The frame moves with
    the mesh.
    """
    facts = DentalFacts(MeshFacts(mesh, policy("scan")))
    frame = facts.arch_frame
    if frame.source == "geometry":
        return frame
    jaw, confidence = facts.jaw_of_incisors
    why = () if jaw else ("The incisors of one side are missing, or the two sides disagree, so the jaw is unknown.",)
    return frame._replace(jaw=jaw, jaw_confidence=confidence, why_unsure=(*frame.why_unsure, *why))


@overload
def self_intersections(mesh: Mesh, *, classes: Literal[False] = False, max_pairs: int | None = None) -> IntArray: ...
@overload
def self_intersections(
    mesh: Mesh, *, classes: Literal[True], max_pairs: int | None = None
) -> tuple[IntArray, npt.NDArray[np.int8]]: ...
def self_intersections(
    mesh: Mesh, *, classes: bool = False, max_pairs: int | None = None
) -> IntArray | tuple[IntArray, npt.NDArray[np.int8]]:
    """The pairs of faces that share any point beyond their common vertices and edges, decided exactly.

    What is common is decided on bit-equal positions (−0 counts as +0), so a split or unwelded mesh gives the same pairs
    as a welded one. Exactly collinear faces, and those with a non-finite corner, are left out; faces on the same three
    positions are duplicates, not pairs. Exact for coordinates whose non-zero magnitudes lie within 1e-70 and 1e70.

    Args:
        mesh: any mesh.
        classes: whether to say how the faces of each pair intersect.
        max_pairs: stop after this many pairs; 1 asks whether there are any. Which pairs are found then does not depend
            on the number of threads.

    Returns:
        pairs int32 (k, 2), each pair sorted, and all of them; with `classes` also int8 (k,): crossing 0, overlap 1,
        touch_point 2, touch_segment 3, fold 4, vertex_crossing 5, vertex_overlap 7.
    """
    cap = _MAX_PAIRS if max_pairs is None else max(0, min(int(max_pairs), _MAX_PAIRS))
    found = MeshFacts(mesh, policy("scan")).find_intersections(cap)
    return (found.pairs, found.classes) if classes else found.pairs


def intersections(mesh_a: Mesh, mesh_b: Mesh) -> Contact:
    """Whether and where two meshes reach into each other: which faces meet, and how deep.

    Pairs are decided exactly, touches included: bit-equal vertices of the two meshes touch. The depth is measured,
    rounded.

    Returns:
        Contact: pairs int32 (k, 2) of a face of each, sorted; classes int8 (k,): crossing 0, overlap 1, touch_point 2,
        touch_segment 3; depth_mm, 0 where neither lies behind the other; location of the deepest vertex, or None.
    """
    rules = policy("scan")
    return find_contact(MeshFacts(mesh_a, rules), MeshFacts(mesh_b, rules))
