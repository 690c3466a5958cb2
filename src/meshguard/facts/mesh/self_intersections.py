"""Intersecting faces: the pairs, their classes, and where and how deep they meet."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.facts.arrays import BoolArray, frozen
from meshguard.facts.mesh.slab_search import are_boxes_entangled, corners_along, distinct, rows_in_slabs
from meshguard.halfedges import directed_keys
from meshguard.kernels import intersections as kernels
from meshguard.kernels._parallel import over_ranges, side_by_side
from meshguard.kernels.bvh import Tree, build_tree
from meshguard.kernels.fans import certify_fans

if TYPE_CHECKING:
    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import FloatArray, IntArray

_BUSY_VALENCE = 64
_SAMPLE = 1024
_SLIVER_SHARE = 0.98


class Intersections(NamedTuple):
    """Pairs of faces that share more than their common vertices and edges.

    Attributes:
        pairs: int32 (k, 2), each and the whole sorted.
        classes: int8 (k,), places in `policy.CLASSES`.
        complete: False where the search stopped at its cap, and there may be more.
    """

    pairs: IntArray
    classes: npt.NDArray[np.int8]
    complete: bool


def find_intersections(mesh: Connectivity, most: int) -> Intersections:
    """The intersecting pairs of a mesh's faces, at most `most` of them, the same ones for every number of threads.

    Degenerate faces and those with a non-finite corner take no part; duplicates are no pairs.
    """
    certified, valence = certified_fans(mesh)
    hubs = np.flatnonzero(valence > _BUSY_VALENCE)
    boxed, box, slack = _along_slivers(mesh)
    if not len(hubs) and are_boxes_entangled(mesh, boxed):
        none = frozen(np.empty(0, np.int32))
        rows = rows_in_slabs(mesh, partial(_pairs_of_tree, mesh.positions, certified, none), most)
    else:
        groups = _busy_groups(mesh, hubs, valence)
        tree = build_tree(boxed, mesh.corners, mesh.sound_faces, groups, box, slack)
        rows = _rows_in_tree(mesh, tree, _node_groups(tree, groups), hubs[~certified[hubs]], certified, most)
    pairs, classes = np.ascontiguousarray(rows[:most, :2]), rows[:most, 2].astype(np.int8)
    return Intersections(frozen(pairs), frozen(classes), len(rows) <= most)


def _rows_in_tree(
    mesh: Connectivity, tree: Tree, node_groups: IntArray, hubs: npt.NDArray[np.int64], certified: BoolArray, most: int
) -> IntArray:
    """The intersecting pairs with classes, int32 (k, 3), sorted, each once; more than `most` where there are."""
    asked = most
    while True:
        rows, is_whole = _first_rows(mesh, tree, node_groups, hubs, certified, asked)
        if is_whole or len(rows) > most:
            return rows
        asked = 2 * asked + 1  # some were found twice


def _first_rows(
    mesh: Connectivity, tree: Tree, node_groups: IntArray, hubs: npt.NDArray[np.int64], certified: BoolArray, most: int
) -> tuple[IntArray, bool]:
    """The same, and whether these are all; if not, more than `most` were found, but some perhaps twice."""
    positions, blocks = mesh.positions, len(tree.boxes)
    # Each costs a little to hand over: few for a small mesh, but enough to share out one where everything meets.
    chunks = max(1, min(16, blocks // 8), min(64, blocks // 256))
    bounds = [blocks * chunk // chunks for chunk in range(chunks + 1)]
    searches = [
        partial(_pairs_in, positions, certified, node_groups, tree, tree.order, tree.corners, lo, hi, most + 1)
        for lo, hi in pairwise(bounds)
    ]
    searches += [partial(_pairs_at_hub, mesh, int(v), certified, most + 1) for v in hubs]
    found: list[IntArray | None] = [None] * len(searches)

    def run(place: int) -> None:
        if _n_found(found) <= most:
            found[place] = searches[place]()

    side_by_side([partial(run, place) for place in range(len(searches))])
    # Of a capped search the first chunks that reach the cap count, and no later one, whatever threads did beside: so it
    # always finds the same pairs.
    kept, total = [np.empty((0, 3), np.int32)], 0
    for rows in found:
        if rows is None or total > most:
            break
        kept.append(rows)
        total += len(rows)
    # Where a block holds faces of a hub and others, a pair is found twice.
    return distinct(np.concatenate(kept)), total <= most


def _n_found(found: list[IntArray | None]) -> int:
    """How many rows the searches have found that ended and before which all have ended."""
    total = 0
    for rows in found:
        if rows is None:
            break
        total += len(rows)
    return total


def certified_fans(mesh: Connectivity) -> tuple[BoolArray, IntArray]:
    """Whether each position's fan is certified, bool (p,), see `kernels.fans`; and its faces' number, int32 (p,)."""
    positions, corners, spans = mesh.positions, mesh.corners, mesh.corner_spans
    twins, flags = mesh.edges.twins, mesh.face_measures.flags
    certified, valence = np.empty(len(positions), np.bool_), np.empty(len(positions), np.int32)
    over_ranges(
        len(positions),
        lambda lo, hi: certify_fans(positions, corners, spans, twins, flags, lo, hi, certified, valence),
        grain=4096,
    )
    return frozen(certified), frozen(valence)


def pair_segments(mesh: Connectivity, pairs: IntArray) -> tuple[FloatArray, FloatArray]:
    """Where pairs of faces meet, rounded: both ends of what they share, float64 (k, 2, 3), and how deep, float64 (k,).

    Both are in mm. Depth is how far one of the two must move along the other's normal to come free: the least, over
    both faces, of how far their corners reach beyond the other's plane on the side where they reach less.
    """
    ends, depth = np.empty((len(pairs), 2, 3)), np.empty(len(pairs))
    positions, corners = mesh.positions, mesh.corners
    over_ranges(len(pairs), lambda lo, hi: kernels.measure_pairs(positions, corners, pairs, lo, hi, ends, depth))
    return ends, depth


def is_fold(found: Intersections, faces: IntArray, n_faces: int) -> BoolArray:
    """Whether pairs of neighbouring faces, int32 (k, 2), lie exactly flat on one another, bool (k,)."""
    folded = found.pairs[found.classes == kernels.FOLD]
    low, high = np.sort(faces, axis=1).T
    return np.isin(directed_keys(low, high, n_faces), directed_keys(folded[:, 0], folded[:, 1], n_faces))


def _pairs_in(
    positions: FloatArray,
    certified: BoolArray,
    node_groups: IntArray,
    tree: Tree,
    order: IntArray,
    corners: IntArray,
    lo: int,
    hi: int,
    most: int,
) -> IntArray:
    """The intersecting pairs whose earlier face lies in the blocks [lo, hi) of a tree: int32 (k, 3) with classes."""
    out = np.empty((256, 3), np.int32)
    while True:
        count = kernels.pairs_within(
            positions, order, tree.nodes, tree.boxes, corners, certified, node_groups, tree.width, lo, hi, most, out
        )
        if count <= len(out):
            return out[:count]
        out = np.empty((count, 3), np.int32)


def _pairs_of_tree(
    positions: FloatArray,
    certified: BoolArray,
    node_groups: IntArray,
    tree: Tree,
    order: IntArray,
    corners: IntArray,
    most: int,
) -> IntArray:
    """The same for all blocks."""
    return _pairs_in(positions, certified, node_groups, tree, order, corners, 0, len(tree.boxes), most)


def _busy_groups(mesh: Connectivity, hubs: npt.NDArray[np.int64], valence: IntArray) -> IntArray:
    """For each face the number, from 1, of a position with very many faces that it belongs to, or 0; empty for none.

    All boxes around such a hub overlap there. Kept together in the tree, its pairs are never proposed: a certificate
    answers for them, or a search of their own.
    """
    groups = np.empty(0, np.int32)
    if len(hubs):
        corners = mesh.corners
        number = np.zeros(len(valence), np.int32)
        order = hubs[np.argsort(valence[hubs], kind="stable")]  # a busier hub has a larger number
        number[order] = np.arange(1, len(order) + 1, dtype=np.int32)
        groups = number[corners].max(axis=1).astype(np.int32)
        groups[~mesh.is_sound] = 0
    return frozen(groups)


def _pairs_at_hub(mesh: Connectivity, hub: int, certified: BoolArray, most: int) -> IntArray:
    """The intersecting pairs among the faces of a hub without a certificate.

    Two faces that share the hub meet beyond it only where they share a direction from it. So the boxes are those of
    directions, scaled to a cube around the hub: seen so, the faces are short arcs that are far from one another.
    """
    corners = mesh.corners
    faces = mesh.sound_faces[(corners[mesh.sound_faces] == hub).any(axis=1)]
    place = (corners[faces] == hub).argmax(axis=1)
    ends = [corners[faces, (place + step) % 3] for step in (1, 2)]
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        away = [mesh.positions[end] - mesh.positions[hub] for end in ends]
        cube = [vectors / np.abs(vectors).max(axis=1, keepdims=True) for vectors in away]
    # Between its ends a chord's largest coordinate is at least `inner`; the arc is the chord, scaled up by its inverse.
    with np.errstate(invalid="ignore", divide="ignore"):
        inner = np.where(cube[0] * cube[1] > 0, np.minimum(*np.abs(cube)), 0.0).max(axis=1, keepdims=True)
        low, high = np.minimum(*cube), np.maximum(*cube)
        low, high = np.minimum(low, low / inner), np.maximum(high, high / inner)
    is_narrow = (np.isfinite(low) & np.isfinite(high)).all(axis=1, keepdims=True)
    low = np.where(is_narrow, np.maximum(low, -1.0), -1.0)  # an arc of a quarter turn or more may be anywhere
    high = np.where(is_narrow, np.minimum(high, 1.0), 1.0)
    count = len(faces)
    arcs = frozen(np.concatenate([low, high]))
    arc_corners = frozen(
        np.stack([np.arange(count), np.arange(count) + count, np.arange(count)], axis=1).astype(np.int32)
    )
    none = frozen(np.empty(0, np.int32))
    whole = np.array([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]])
    tree = build_tree(arcs, arc_corners, frozen(np.arange(count, dtype=np.int32)), none, whole, 1e-9)
    order = frozen(faces[tree.order])
    along = corners_along(corners, order, len(tree.boxes))
    return _pairs_in(mesh.positions, certified, none, tree, order, along, 0, len(tree.boxes), most)


def _along_slivers(mesh: Connectivity) -> tuple[FloatArray, FloatArray, float]:
    """Positions to box, their box, and by how much they are rounded.

    Where nearly all long edges run one way, boxes of slivers are thin only in a frame that runs that way too.
    """
    positions = mesh.positions
    sample = mesh.corners[mesh.sound_faces[:: max(1, len(mesh.sound_faces) // _SAMPLE)]]
    points = positions[sample]
    edges = (np.roll(points, -1, axis=1) - points).reshape(-1, 3)
    with np.errstate(over="ignore", invalid="ignore"):
        spread = edges.T @ edges
        if not len(sample) or not np.isfinite(spread).all():
            return positions, mesh.span, 0.0
    shares, frame = np.linalg.eigh(spread)
    if shares[2] < _SLIVER_SHARE * shares.sum() or np.abs(frame[:, 2]).max() > 1.0 - 1e-9:
        return positions, mesh.span, 0.0
    finite = np.where(np.isfinite(positions), positions, 0.0)
    turned = frozen(np.ascontiguousarray(finite @ frame))
    largest = float(np.abs(mesh.span).max())
    box = np.array([[x.min() for x in turned.T], [x.max() for x in turned.T]])
    return turned, box, 1e-14 * largest


def _node_groups(tree: Tree, groups: IntArray) -> IntArray:
    """Number of the fan that all faces below each node belong to, 0 where they are not of one; empty for no fans."""
    if not len(groups):
        return groups
    block = np.full(len(tree.boxes) * len(tree.boxes[0, 0]), -1, np.int32)
    block[: len(tree.order)] = groups[tree.order]
    rows = block.reshape(len(tree.boxes), -1)
    first = rows[:, :1]
    nodes = np.zeros(2 * tree.width, np.int32)
    nodes[tree.width :] = -1  # a node without a block belongs to every fan
    nodes[tree.width : tree.width + len(rows)] = np.where(((rows == first) | (rows < 0)).all(axis=1), first[:, 0], 0)
    start = tree.width
    while start > 1:
        left, right = nodes[start : 2 * start : 2], nodes[start + 1 : 2 * start : 2]
        nodes[start // 2 : start] = np.where((left == right) | (right < 0), left, 0)
        start //= 2
    nodes.flags.writeable = False
    return nodes
