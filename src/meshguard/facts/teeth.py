"""Labels as facts: pieces of each tooth, what they measure, where they meet, and how the teeth stand along the arch.

A label is carried by the vertices (`vertex_data["label"]`) or by the faces (`face_data["label"]`). Where a mesh has
both, the vertices' are used if the faces' say the same, else the faces' (F105 tells). Pieces are found on what carries
the labels; borders are edges of the mesh between faces, which have the label of most of their corners where the
vertices carry it. 0 is the gum.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from meshguard import fdi
from meshguard.facts.arrays import BoolArray, frozen, middles
from meshguard.facts.strays import main_pieces
from meshguard.kernels import teeth as kernels
from meshguard.kernels._parallel import fixed_bounds, side_by_side
from meshguard.kernels.topology import UNUSED
from meshguard.mesh import label_of_corners

if TYPE_CHECKING:
    from meshguard.facts import Facts
    from meshguard.mesh import Carrier, FloatArray, IntArray, Jaw, Mesh

Numbering: TypeAlias = Literal["fdi", "anonymous"]
"""What labels are numbers of."""

SCRAMBLED_SHARE = 0.5
"""Labels follow no surface when this share of the edges that chance would make borders are borders. Of real
segmentations it is below a tenth, of labels in another order above 0.8."""

MIN_BORDERS = 50
"""With fewer borders nothing is said of disorder: a patch of a few faces is nearly all border."""

LARGEST_MM = 1e9
"""An arch of 50 mm is 5e7 in nanometres."""

MANY_PIECES = 10_000
"""With more pieces, which no segmentation has, they are not summed in parts: that would take memory."""

FRAGMENT_MM2 = 12.0
"""A label with less surface in one piece is a remnant at a cut, no crown that has a place in the row. The crowns of
lower incisors, the smallest, have 70 to 110 mm2 in real scans."""


class GivenLabels(NamedTuple):
    """What is known of labels that came from elsewhere: what they are numbers of, and sentences about reading them."""

    numbering: Numbering
    notes: tuple[str, ...]


class Labelling(NamedTuple):
    """The labels of a mesh.

    Attributes:
        per: what carries them.
        of_node: int32 (N,), label of each face, or of each position (that of its first vertex).
        is_fdi: whether they are FDI codes; else anonymous classes.
        jaw: the jaw that was told, or else the one that most labels are of; None for anonymous classes.
        jaw_is_told: whether the mesh says its jaw.
        why_not: why no check can use them, in a sentence; None where all is well.
        misfit: what F105 says of them: a sentence, or None.
        disorder: share of the edges that chance would make borders that are.
    """

    per: Carrier
    of_node: IntArray
    is_fdi: bool
    jaw: Jaw | None
    jaw_is_told: bool
    why_not: str | None
    misfit: str | None
    disorder: float


class Pieces(NamedTuple):
    """Pieces of equal label, by lowest node.

    Attributes:
        of_node: int32 (N,), −1 where a node takes no part.
        of_face: int32 (m,), piece of each face, −1 likewise.
        label_of_face: int32 (m,), label of each face; of three different corners the middle one.
        label: int32 (P,).
        measures: float64 (P, 9), columns as in `kernels.teeth`; of the gum neither CENTRE nor VECTOR.
        pairs: int32 (k, 2), pieces that meet, each pair once, the lower first, sorted.
        borders: int32 (k,), half-edges, ascending, one for each edge between faces that differ.
        mixed: int32 (k,), faces whose corners differ, ascending; none where faces carry the labels.
    """

    of_node: IntArray
    of_face: IntArray
    label_of_face: IntArray
    label: IntArray
    measures: FloatArray
    pairs: IntArray
    borders: IntArray
    mixed: IntArray


class Teeth(NamedTuple):
    """The teeth: labels other than 0, ascending.

    Attributes:
        labels: int32 (T,).
        main: int32 (T,), largest piece of each, in area and in faces.
        areas: float64 (T,), of all its pieces, mm2.
        centres: float64 (T, 3), of the largest piece, mm.
        axes: float64 (T, 3), unit vectors towards the biting side of each crown; NaN where it has none.
        of_piece: int32 (P + 1,), place in `labels` of each largest piece, −1 for others; the last is for no piece.
        is_whole: bool (T,), whether enough of a tooth is there to have a place in the row, and a size.
    """

    labels: IntArray
    main: IntArray
    areas: FloatArray
    centres: FloatArray
    axes: FloatArray
    of_piece: IntArray
    is_whole: BoolArray


def find_labelling(facts: Facts) -> Labelling | None:
    """The labels that the mesh carries; None where it carries none."""
    mesh = facts.mesh
    per = mesh.label_carrier()
    if per is None:
        return None
    stored = (mesh.face_data if per == "face" else mesh.vertex_data)["label"]
    misfit = _misfit(stored)
    contradiction = None
    if misfit is None and per == "face" and "label" in mesh.vertex_data:
        of_vertex = mesh.vertex_data["label"]
        if _misfit(of_vertex) is None:
            differ = int(np.count_nonzero(label_of_corners(of_vertex.reshape(-1), mesh.faces) != stored.reshape(-1)))
            contradiction = f"{differ} faces have another label than their vertices; the faces' are used."
    if misfit is not None:
        none = frozen(np.zeros(0, np.int32))
        return Labelling(per, none, False, None, False, "The labels do not fit the mesh (F105).", misfit, 0.0)
    given = stored.astype(np.int32).reshape(-1)
    is_own = per == "face" or len(facts.first_vertex) == len(given)
    of_node = frozen(given if is_own else given[facts.first_vertex])
    classes = _classes(of_node)
    told = mesh.jaw
    is_fdi = facts.given.numbering == "fdi" if facts.given is not None else fdi.look_like_codes(classes.tolist())
    codes = [int(label) for label in classes if fdi.is_tooth(int(label))] if is_fdi else []
    n_upper = sum(fdi.jaw_of(code) == "upper" for code in codes)
    jaw: Jaw | None = told or (None if not codes else "upper" if 2 * n_upper >= len(codes) else "lower")
    disorder = _disorder(facts, per, of_node)
    why_not, misfit = None, contradiction
    if not len(classes):
        why_not = "No tooth is labelled: all is gum."
    elif float(np.abs(facts.box).max()) > LARGEST_MM:
        why_not = "The mesh is larger, or farther away, than an arch is in any unit of length."
    elif disorder > SCRAMBLED_SHARE:
        misfit = (
            f"The labels do not follow the surface: neighbours differ {100 * disorder:.0f} % as often as chance would "
            "have it. They are probably in the order of another file."
        )
        why_not = "The labels do not fit the mesh (F105)."
    return Labelling(per, of_node, is_fdi, jaw, told is not None, why_not, misfit, disorder)


def _classes(labels: IntArray) -> IntArray:
    """The different labels but 0, ascending: by counting where they are small numbers, since sorting all is slow."""
    if not len(labels):
        return np.empty(0, np.int32)
    if int(labels.min()) >= 0 and int(labels.max()) < 1 << 16:
        found = np.flatnonzero(np.bincount(labels)).astype(np.int32)
    else:
        found = np.unique(labels).astype(np.int32)
    kept: IntArray = found[found != 0]
    return kept


def find_pieces(facts: Facts, labelling: Labelling) -> Pieces:
    """Pieces of equal label, measured, and which of them meet."""
    edges, by_face, m = facts.edges, labelling.per == "face", len(facts.corners)
    piece, of_face, mixed = np.empty(len(labelling.of_node), np.int32), np.empty(m, np.int32), np.empty(m, np.int32)
    borders, meetings = np.empty(3 * m, np.int32), np.empty(0 if by_face else 3 * m, np.int32)
    label, nodes = np.empty(len(piece), np.int32), np.empty(len(piece), np.int32)
    counts = kernels.label_pieces(
        facts.corners,
        edges.twins,
        edges.crowded,
        labelling.of_node,
        by_face,
        of_face,
        piece,
        borders,
        meetings,
        mixed,
        label,
        nodes,
    )
    count = max(counts[0], 1)
    piece, of_face, face_piece = frozen(piece), frozen(of_face), np.empty(m, np.int32)
    measures = _measured(facts, labelling, of_face, piece, counts[0], face_piece)
    measures[:, kernels.NODES] = nodes[: counts[0]]
    borders = frozen(borders[: counts[1]].copy())
    h = borders if by_face else meetings[: counts[2]]
    ends = facts.edge_faces(h) if by_face else facts.edge_ends(h)
    met = np.sort(piece[ends], axis=1).astype(np.int64)
    keys = np.unique(met[:, 0] * count + met[:, 1])
    pairs = np.stack([keys // count, keys % count], axis=1).astype(np.int32)
    return Pieces(
        piece,
        frozen(face_piece),
        of_face,
        frozen(label[: counts[0]].copy()),
        frozen(measures),
        frozen(pairs),
        borders,
        frozen(mixed[: counts[3]].copy()),
    )


def _measured(
    facts: Facts, labelling: Labelling, of_face: IntArray, piece: IntArray, count: int, out_face_piece: IntArray
) -> FloatArray:
    """Measures of each piece but its number of nodes, float64 (P, 9), and the piece of each face.

    Summed over parts whose number depends on the input alone, so that the sums are the same for any number of threads.
    """
    m = len(facts.corners)
    bounds = fixed_bounds(m) if count <= MANY_PIECES else [0, m]
    sums = np.empty((len(bounds) - 1, count, kernels.COLUMNS), np.float64)

    def part(k: int) -> None:
        kernels.measure_pieces(
            facts.positions,
            facts.corners,
            facts.edges.twins,
            facts.faces.area,
            labelling.of_node,
            of_face,
            piece,
            labelling.per == "face",
            bounds[k],
            bounds[k + 1],
            sums[k],
            out_face_piece,
        )

    side_by_side([partial(part, k) for k in range(len(sums))])
    measures: FloatArray = sums.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        measures[:, kernels.CENTRE : kernels.CENTRE + 3] /= measures[:, kernels.AREA, None]
    return measures


def find_teeth(facts: Facts, pieces: Pieces) -> Teeth:
    """The teeth with their largest pieces, axes and borders."""
    area = pieces.measures[:, kernels.AREA]
    labels = np.unique(pieces.label[pieces.label != 0]).astype(np.int32)
    # Whatever the order of faces: of equal pieces it is the one with the least centre.
    ties = np.nan_to_num(pieces.measures[:, kernels.CENTRE])
    mains = main_pieces(pieces.label, area, pieces.measures[:, kernels.NODES], ties)
    main = np.array([mains[label] for label in labels.tolist()], np.int32)
    is_tooth = pieces.label != 0
    summed = np.bincount(np.searchsorted(labels, pieces.label[is_tooth]), area[is_tooth], len(labels))
    centres = pieces.measures[main][:, kernels.CENTRE : kernels.CENTRE + 3]

    of_piece = np.full(len(area) + 1, -1, np.int32)
    of_piece[main] = np.arange(len(main), dtype=np.int32)
    axes = _axes(facts, labels, pieces, centres, pieces.measures[main])
    areas: FloatArray = summed.astype(np.float64, copy=False)
    is_cut = _are_cut(area[main], pieces.measures[main, kernels.RIM], has_gum=bool((pieces.label == 0).any()))
    is_whole = frozen((area[main] >= FRAGMENT_MM2) & ~is_cut)
    return Teeth(frozen(labels), frozen(main), frozen(areas), frozen(centres), frozen(axes), frozen(of_piece), is_whole)


def outward_sign(facts: Facts) -> float:
    """1 where normals of the crowns point out of them, −1 where the faces are wound the other way.

    Told by the crowns, whose biting side is known from their shape.
    """
    vectors = facts.pieces.measures[facts.teeth.main][:, kernels.VECTOR : kernels.VECTOR + 3]
    return 1.0 if float(np.nansum(vectors * facts.teeth.axes)) >= 0.0 else -1.0


def _are_cut(area: FloatArray, rim: FloatArray, *, has_gum: bool) -> BoolArray:
    """Whether the border of the scan takes much off a crown, bool (T,): more than the side of a square as large.

    Where only crowns are there all of them end at that border, and only clearly more than usual tells.
    """
    usual = 0.0 if has_gum or not len(rim) else 1.5 * float(np.median(rim))
    cut: BoolArray = rim > np.sqrt(area) + usual
    return cut


def _axes(facts: Facts, labels: IntArray, pieces: Pieces, centres: FloatArray, measures: FloatArray) -> FloatArray:
    """Unit vectors towards the biting side: normals summed over a cap point along its axis, whichever way it bulges.

    Which of the two ways is up is told by its border, which lies below the cap's own middle; so the winding of the
    faces does not enter.
    """
    borders, of_face = pieces.borders, pieces.label_of_face
    vector = measures[:, kernels.VECTOR : kernels.VECTOR + 3]
    count = len(labels)
    of_borders = middles(facts.positions, facts.edge_ends(borders))
    owners = of_face[facts.edge_faces(borders)].T.reshape(-1)
    rim = facts.edges.boundary
    rim = rim[of_face[rim // 3] != 0]
    places = np.concatenate([of_borders, of_borders, middles(facts.positions, facts.edge_ends(rim))])
    owners = np.concatenate([owners, of_face[rim // 3]])
    places, owners = places[owners != 0], owners[owners != 0]
    tooth = np.searchsorted(labels, owners)
    sizes = np.bincount(tooth, minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.stack([np.bincount(tooth, places[:, d], count) / sizes for d in range(3)], axis=1)
        sign = np.sign(((centres - mean) * vector).sum(axis=1, keepdims=True))
        axes: FloatArray = sign * vector / np.linalg.norm(vector, axis=1, keepdims=True)
    return axes


def _misfit(stored: npt.NDArray[np.generic]) -> str | None:
    """Why stored labels cannot be read as such; None where they can."""
    if stored.size != len(stored):
        return f"A label is one number, not {stored.size // max(1, len(stored))}."
    if stored.dtype.kind == "f":
        values = stored.astype(np.float64).reshape(-1)
        bad = int(np.count_nonzero(~np.isfinite(values) | (values != np.round(values))))
        if bad:
            return f"{bad} labels are no whole numbers."
    if stored.size and (float(stored.min()) < -(2**31) or float(stored.max()) >= 2**31):
        return "A label is outside the range of whole numbers of 32 bits."
    return None


def _disorder(facts: Facts, per: Carrier, of_node: IntArray) -> float:
    """Share of the edges that chance would make borders that are, over at most 10,000 edges spread over the mesh."""
    twins = facts.edges.twins
    if not len(twins):
        return 0.0
    h = np.arange(0, len(twins), max(1, len(twins) // 10_000), dtype=np.int32)
    h = h[twins[h] >= 0] if per == "face" else h[twins[h] != UNUSED]
    ends = facts.edge_faces(h) if per == "face" else facts.edge_ends(h)
    if not len(ends):
        return 0.0
    pair = of_node[ends]
    n_borders = int(np.count_nonzero(pair[:, 0] != pair[:, 1]))
    if n_borders < MIN_BORDERS:
        return 0.0
    shares = np.unique(pair, return_counts=True)[1] / pair.size
    chance = 1.0 - float((shares**2).sum())
    return n_borders / len(pair) / chance if chance > 0 else 0.0


OF_LABELS = frozenset({"labelling", "pieces", "teeth", "sizes", "borders", "outlines", "frame"})
"""The facts that other labels change."""


def with_other_labels(facts: Facts, mesh: Mesh) -> Facts:
    """Facts of the same vertices and faces with other labels: what is known of the geometry stays known."""
    fresh = type(facts)(mesh, facts.policy, given=facts.given)
    known = {name: value for name, value in vars(facts).items() if name not in OF_LABELS and name not in vars(fresh)}
    vars(fresh).update(known)
    return fresh


def mesh_instances(mesh: Mesh, per: Carrier) -> npt.NDArray[np.int64] | None:
    """Instance of each face or vertex, as the labels are carried; None where there is none that fits."""
    stored = (mesh.face_data if per == "face" else mesh.vertex_data).get("instance")
    if stored is None or _misfit(stored) is not None:
        return None
    return stored.astype(np.int64).reshape(-1)
