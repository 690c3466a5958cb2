"""Intersecting faces: the pairs, their classes, and where and how deep they meet."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard.facts.arrays import BoolArray, frozen
from meshguard.facts.mesh.slab_search import corners_in_blocks, distinct, needs_slabs, pairs_in_slabs
from meshguard.halfedges import edge_ends, edge_keys, next_halfedge
from meshguard.kernels import intersections as kernels
from meshguard.kernels._parallel import Pace, over_ranges, side_by_side
from meshguard.kernels.bvh import NO_GROUPS, Tree, build_tree
from meshguard.kernels.fans import certify_fans
from meshguard.watch import look

if TYPE_CHECKING:
    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import FloatArray, IntArray

_BUSY_VALENCE = 64
"""A position with more faces is a hub. The boxes of its faces all overlap there: of 64 faces about 2,000 pairs do."""

_SAMPLE = 1024
"""Faces whose edges say which way long edges run: bounds the work, and directions need no more."""

_SLIVER_SHARE = 0.98
"""Boxes are rotated along the slivers where one direction has at least this share of all squared lengths of edges: then
nearly all long edges run that way."""

_FIRST_WORK = 16_384
"""Nodes and pairs that are looked at before it is known how long one takes: from 0.1 to some ten microseconds."""


class Intersections(NamedTuple):
    """Pairs of faces that share more than their common vertices and edges.

    Attributes:
        pairs: int32 (k, 2), each pair sorted, and all of them sorted.
        classes: int8 (k,), places in `policy.CLASSES`.
        complete: False where the search stopped at its cap, and there may be more.
    """

    pairs: IntArray
    classes: npt.NDArray[np.int8]
    complete: bool


def find_intersections(mesh: Connectivity, most: int) -> Intersections:
    """The intersecting pairs of a mesh's faces, at most `most` of them, the same ones for every number of threads.

    Degenerate faces and those with a non-finite corner are left out; duplicates are not pairs.
    """
    certified, valence = certified_fans(mesh)
    hubs = np.flatnonzero(valence > _BUSY_VALENCE)
    boxed, box, slack = _along_slivers(mesh)
    if not len(hubs) and needs_slabs(mesh, boxed):
        found = pairs_in_slabs(mesh, partial(_pairs_of_blocks, mesh.positions, certified, NO_GROUPS), most)
    else:
        groups = _busy_groups(mesh, hubs, valence)
        if boxed is mesh.positions and not len(groups):
            tree = mesh.tree
        else:
            tree = build_tree(boxed, mesh.corners, mesh.sound_faces, groups, box, slack)
        found = _pairs_in_tree(mesh, tree, _node_groups(tree, groups), hubs[~certified[hubs]], certified, most)
    pairs, classes = np.ascontiguousarray(found[:most, :2]), found[:most, 2].astype(np.int8)
    return Intersections(frozen(pairs), frozen(classes), len(found) <= most)


def _pairs_in_tree(
    mesh: Connectivity, tree: Tree, node_groups: IntArray, hubs: npt.NDArray[np.int64], certified: BoolArray, most: int
) -> IntArray:
    """The intersecting pairs with their classes, int32 (k, 3), sorted, each once.

    If there are more than `most`, some of them, but more than `most`.
    """
    cap = most
    while True:
        pairs, are_all = _first_pairs(mesh, tree, node_groups, hubs, certified, cap)
        if are_all or len(pairs) > most:
            return pairs
        cap = 2 * cap + 1  # some were found twice


def _first_pairs(
    mesh: Connectivity, tree: Tree, node_groups: IntArray, hubs: npt.NDArray[np.int64], certified: BoolArray, most: int
) -> tuple[IntArray, bool]:
    """The pairs of a search that stops at `most`, as `_pairs_in_tree` returns them, and whether these are all.

    If not, more than `most` were found, though some perhaps twice.
    """
    positions, blocks = mesh.positions, len(tree.boxes)
    # Each chunk costs a little: few for a small mesh, but enough to share out one where everything intersects.
    chunks = max(1, min(16, blocks // 8), min(64, blocks // 256))
    bounds = [blocks * chunk // chunks for chunk in range(chunks + 1)]
    searches = [
        partial(_pairs_in_blocks, positions, certified, node_groups, tree, tree.order, tree.corners, lo, hi, most + 1)
        for lo, hi in pairwise(bounds)
    ]
    searches += [partial(_pairs_at_hub, mesh, int(hub), certified, most + 1) for hub in hubs]
    found: list[IntArray | None] = [None] * len(searches)

    def run(place: int) -> None:
        if _n_found(found) <= most:
            found[place] = searches[place]()

    side_by_side([partial(run, place) for place in range(len(searches))])
    # A capped search takes the first chunks that reach the cap and no later one, whatever other threads have found. So
    # it always finds the same pairs.
    parts, total = [np.empty((0, 3), np.int32)], 0
    for part in found:
        if part is None or total > most:
            break
        parts.append(part)
        total += len(part)
    # Where a block holds faces of a hub and others, a pair is found twice.
    return distinct(np.concatenate(parts)), total <= most


def _n_found(found: list[IntArray | None]) -> int:
    """How many pairs the searches before the first unfinished one have found."""
    total = 0
    for pairs in found:
        if pairs is None:
            break
        total += len(pairs)
    return total


def certified_fans(mesh: Connectivity) -> tuple[BoolArray, IntArray]:
    """Whether each position's fan is certified, bool (p,), see `kernels.fans`; and its number of faces, int32 (p,)."""
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

    Both are in mm. Depth is how far one face must move along the other's normal to come free: for each of the two, how
    far its corners reach beyond the other's plane on the side where they reach less; and of these the smaller.
    """
    ends, depth = np.empty((len(pairs), 2, 3)), np.empty(len(pairs))
    positions, corners = mesh.positions, mesh.corners
    pairs = frozen(np.ascontiguousarray(pairs, np.int32).view())
    over_ranges(len(pairs), lambda lo, hi: kernels.measure_pairs(positions, corners, pairs, lo, hi, ends, depth))
    return ends, depth


def is_fold(found: Intersections, faces: IntArray, n_faces: int) -> BoolArray:
    """Whether pairs of neighbouring faces, int32 (k, 2), lie exactly flat on each other, bool (k,)."""
    folded = found.pairs[found.classes == kernels.FOLD]
    return np.isin(edge_keys(faces[:, 0], faces[:, 1], n_faces), edge_keys(folded[:, 0], folded[:, 1], n_faces))


def _pairs_in_blocks(
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
    """The intersecting pairs whose first face lies in the blocks [lo, hi) of a tree, with classes, int32 (k, 3).

    At most the first `most` of them, whatever the ranges that are searched at a time.
    """
    found, left, pace = [np.empty((0, 3), np.int32)], most, Pace(_FIRST_WORK)
    while lo < hi and left:
        work, count, out = pace.begin(), 1, np.empty((0, 3), np.int32)
        while count > len(out):
            out = np.empty((max(count, 256), 3), np.int32)
            count, reached = kernels.pairs_within(
                positions, order, tree.nodes, tree.boxes, corners, certified, node_groups, tree.width,
                lo, hi, left, work, out,
            )  # fmt: skip
        found.append(out[:count])
        left -= count
        lo = reached
        pace.end()
    return np.concatenate(found)


def _pairs_of_blocks(
    positions: FloatArray,
    certified: BoolArray,
    node_groups: IntArray,
    tree: Tree,
    order: IntArray,
    corners: IntArray,
    most: int,
) -> IntArray:
    """The intersecting pairs whose first face lies in any block of a tree, with classes, int32 (k, 3)."""
    return _pairs_in_blocks(positions, certified, node_groups, tree, order, corners, 0, len(tree.boxes), most)


def _busy_groups(mesh: Connectivity, hubs: npt.NDArray[np.int64], valence: IntArray) -> IntArray:
    """For each face the number, from 1, of the hub that it belongs to, or 0, int32 (m,); empty where there are no hubs.

    A hub is a position with very many faces, whose boxes all overlap there. The tree keeps these faces together and
    never proposes pairs among them: a certificate answers for them, or a search of their own.
    """
    groups = np.empty(0, np.int32)
    if len(hubs):
        corners = mesh.corners
        number = np.zeros(len(valence), np.int32)
        order = hubs[np.argsort(valence[hubs], kind="stable")]  # a hub with more faces has a larger number
        number[order] = np.arange(1, len(order) + 1, dtype=np.int32)
        groups = number[corners].max(axis=1).astype(np.int32)
        groups[~mesh.is_sound] = 0
    return frozen(groups)


def _pairs_at_hub(mesh: Connectivity, hub: int, certified: BoolArray, most: int) -> IntArray:
    """The intersecting pairs among the faces of a hub without a certificate.

    Two faces that share the hub meet beyond it only where they share a direction from it. So the boxes are boxes of
    directions, on a cube around the hub: there the faces are short arcs that are far from one another.
    """
    corners = mesh.corners
    faces = mesh.sound_faces[(corners[mesh.sound_faces] == hub).any(axis=1)]
    look()
    at_hub = 3 * faces + (corners[faces] == hub).argmax(axis=1)
    ends = edge_ends(corners, next_halfedge(at_hub)).T
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        away = [mesh.positions[end] - mesh.positions[hub] for end in ends]
        cube = [vectors / np.abs(vectors).max(axis=1, keepdims=True) for vectors in away]
    look()
    # Along a chord the largest coordinate is at least `inner`; the arc is the chord scaled up by at most its inverse.
    with np.errstate(invalid="ignore", divide="ignore"):
        inner = np.where(cube[0] * cube[1] > 0, np.minimum(*np.abs(cube)), 0.0).max(axis=1, keepdims=True)
        low, high = np.minimum(*cube), np.maximum(*cube)
        low, high = np.minimum(low, low / inner), np.maximum(high, high / inner)
    is_narrow = (np.isfinite(low) & np.isfinite(high)).all(axis=1, keepdims=True)
    low = np.where(is_narrow, np.maximum(low, -1.0), -1.0)  # an arc of 90 degrees or more may be anywhere
    high = np.where(is_narrow, np.minimum(high, 1.0), 1.0)
    look()
    count = len(faces)
    arcs = frozen(np.concatenate([low, high]))
    arc_corners = frozen(
        np.stack([np.arange(count), np.arange(count) + count, np.arange(count)], axis=1).astype(np.int32)
    )
    box = np.array([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]])
    tree = build_tree(arcs, arc_corners, frozen(np.arange(count, dtype=np.int32)), NO_GROUPS, box, 1e-9)
    order = frozen(faces[tree.order])
    ordered_corners = corners_in_blocks(corners, order, len(tree.boxes))
    return _pairs_of_blocks(mesh.positions, certified, NO_GROUPS, tree, order, ordered_corners, most)


def _along_slivers(mesh: Connectivity) -> tuple[FloatArray, FloatArray, float]:
    """The positions in the frame of the boxes, their bounding box, and their rounding error.

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
    rotated = frozen(np.ascontiguousarray(finite @ frame))
    largest = float(np.abs(mesh.span).max())
    box = np.array([[x.min() for x in rotated.T], [x.max() for x in rotated.T]])
    return rotated, box, 1e-14 * largest


def _node_groups(tree: Tree, groups: IntArray) -> IntArray:
    """The group that all faces below each node belong to, 0 where they differ; empty where there are no groups."""
    if not len(groups):
        return groups
    block = np.full(len(tree.boxes) * len(tree.boxes[0, 0]), -1, np.int32)
    block[: len(tree.order)] = groups[tree.order]
    rows = block.reshape(len(tree.boxes), -1)
    first = rows[:, :1]
    nodes = np.zeros(2 * tree.width, np.int32)
    nodes[tree.width :] = -1  # a node without a block belongs to every group
    nodes[tree.width : tree.width + len(rows)] = np.where(((rows == first) | (rows < 0)).all(axis=1), first[:, 0], 0)
    start = tree.width
    while start > 1:
        left, right = nodes[start : 2 * start : 2], nodes[start + 1 : 2 * start : 2]
        nodes[start // 2 : start] = np.where((left == right) | (right < 0), left, 0)
        start //= 2
    return frozen(nodes)
