"""How faces are connected: edges, twins, components, fans, orientation.

An edge is a group of half-edges between the same two positions, whichever way they run and however many there are.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meshguard.kernels._jit import inlined, kernel
from meshguard.kernels.halfedges import next_halfedge, previous_halfedge
from meshguard.kernels.sorting import sort_in_place

BOUNDARY = -1
"""Twin of a half-edge whose edge has no other face."""
NONMANIFOLD = -2
"""Twin of a half-edge whose edge has more than two faces."""
UNUSED = -3
"""Twin of a half-edge of a face that takes no part (a non-finite corner, or a repeated one)."""

CHUNK = 256
"""How many faces are skipped together where none of their positions matters."""

_LONG_BUCKET = 64
"""A lower position with more half-edges than this has them sorted by heapsort, not by insertion."""


@inlined
def _root(parent: npt.NDArray[np.int32], item: int) -> int:
    """The representative of an item's set, halving the path on the way."""
    while parent[item] != item:
        parent[item] = parent[parent[item]]
        item = parent[item]
    return item


@inlined
def unite(parent: npt.NDArray[np.int32], a: int, b: int) -> None:
    """Unite two sets; the lower representative stays, so that numbering follows the order of items."""
    a, b = _root(parent, a), _root(parent, b)
    if a < b:
        parent[b] = a
    elif b < a:
        parent[a] = b


@inlined
def _bucket_starts(
    corners: npt.NDArray[np.int32],
    spans: npt.NDArray[np.int32],
    unused: npt.NDArray[np.bool_],
    lo: int,
    hi: int,
) -> npt.NDArray[np.int32]:
    """Where the half-edges of each lower position in [lo, hi) start, then where the last end: (hi - lo + 1,) int32."""
    starts = np.zeros(hi - lo + 1, np.int32)
    for chunk in range(len(spans)):
        if spans[chunk, 0] >= hi or spans[chunk, 1] < lo:
            continue
        for f in range(chunk * CHUNK, min((chunk + 1) * CHUNK, len(corners))):
            if unused[f]:
                continue
            a, b, c = corners[f, 0], corners[f, 1], corners[f, 2]
            for low in (min(a, b), min(b, c), min(c, a)):
                if lo <= low < hi:
                    starts[low - lo + 1] += 1
    for i in range(1, len(starts)):
        starts[i] += starts[i - 1]
    return starts


@inlined
def _fill_buckets(
    corners: npt.NDArray[np.int32],
    spans: npt.NDArray[np.int32],
    unused: npt.NDArray[np.bool_],
    lo: int,
    hi: int,
    out_starts: npt.NDArray[np.int32],
    out_higher: npt.NDArray[np.int32],
    out_halfedges: npt.NDArray[np.int32],
) -> None:
    """Write each half-edge and the higher position of its edge into the lower's bucket; starts become ends."""
    for chunk in range(len(spans)):
        if spans[chunk, 0] >= hi or spans[chunk, 1] < lo:
            continue
        for f in range(chunk * CHUNK, min((chunk + 1) * CHUNK, len(corners))):
            if unused[f]:
                continue
            a, b, c = corners[f, 0], corners[f, 1], corners[f, 2]
            h = 3 * f
            for v, w in ((a, b), (b, c), (c, a)):
                low = min(v, w)
                if lo <= low < hi:
                    place = out_starts[low - lo]
                    out_halfedges[place], out_higher[place] = h, max(v, w)
                    out_starts[low - lo] = place + 1
                h += 1


@inlined
def _insert(first: int, i: int, out_higher: npt.NDArray[np.int32], out_halfedges: npt.NDArray[np.int32]) -> None:
    """Move a half-edge of a bucket down to its place among those before it, which are sorted by higher position."""
    h, higher = out_halfedges[i], out_higher[i]
    while i > first and out_higher[i - 1] > higher:
        out_halfedges[i], out_higher[i] = out_halfedges[i - 1], out_higher[i - 1]
        i -= 1
    out_halfedges[i], out_higher[i] = h, higher


@inlined
def _sort_long_bucket(
    first: int, last: int, out_higher: npt.NDArray[np.int32], out_halfedges: npt.NDArray[np.int32]
) -> None:
    """Sort a bucket by its higher positions, then by half-edges, by heapsort."""
    keys = np.empty(last - first, np.int64)
    for i in range(first, last):
        keys[i - first] = (np.int64(out_higher[i]) << 32) | out_halfedges[i]
    sort_in_place(keys)
    for i in range(first, last):
        out_higher[i], out_halfedges[i] = keys[i - first] >> 32, keys[i - first] & 0xFFFFFFFF


@inlined
def _pair_halfedges(
    ends: npt.NDArray[np.int32],
    out_higher: npt.NDArray[np.int32],
    out_halfedges: npt.NDArray[np.int32],
    out_twins: npt.NDArray[np.int32],
) -> tuple[int, int]:
    """Sort each bucket, so that an edge's half-edges stand side by side, and pair twins.

    Returns:
        How many edges there are, and how many half-edges on edges of more than two faces.
    """
    edges = nonmanifold = 0
    first = 0
    for bucket in range(len(ends) - 1):
        last = ends[bucket]
        if last - first > _LONG_BUCKET:
            _sort_long_bucket(first, last, out_higher, out_halfedges)
        else:
            for i in range(first + 1, last):
                _insert(first, i, out_higher, out_halfedges)
        i = first
        while i < last:
            j = i + 1
            while j < last and out_higher[j] == out_higher[i]:
                j += 1
            edges += 1
            if j - i == 2:
                out_twins[out_halfedges[i]] = out_halfedges[i + 1]
                out_twins[out_halfedges[i + 1]] = out_halfedges[i]
            elif j - i == 1:
                out_twins[out_halfedges[i]] = BOUNDARY
            else:
                nonmanifold += j - i
                for k in range(i, j):
                    out_twins[out_halfedges[k]] = NONMANIFOLD
            i = j
        first = last
    return edges, nonmanifold


@kernel
def group_edges(
    corners: npt.NDArray[np.int32],
    spans: npt.NDArray[np.int32],
    unused: npt.NDArray[np.bool_],
    lo: int,
    hi: int,
    out_halfedges: npt.NDArray[np.int32],
    out_twins: npt.NDArray[np.int32],
    out_counts: npt.NDArray[np.int64],
) -> None:
    """Group the half-edges whose lower position lies in [lo, hi) by edge, and pair twins.

    A counting sort by the lower position, then an insertion sort of each bucket by the higher one: linear as long as no
    position has very many edges. Long buckets are sorted by heapsort instead.

    Args:
        corners: (m, 3) int32: positions of each face's corners.
        spans: (chunks, 2) int32: lowest and highest position of each `CHUNK` faces; chunks without one of the range
            are skipped.
        unused: (m,) bool: faces that take no part.
        lo: first position.
        hi: position after the last.
        out_halfedges: (>= half-edges of the range,) int32: half-edges, those of one edge side by side, edges by (lower,
            higher) position, half-edges by number.
        out_twins: (3m,) int32: written for the half-edges of the range: the other half-edge of an edge of two faces,
            `BOUNDARY` or `NONMANIFOLD`.
        out_counts: (3,) int64: half-edges of the range, its edges, and its half-edges on edges of more than two faces.
    """
    starts = _bucket_starts(corners, spans, unused, lo, hi)
    higher = np.empty(starts[-1], np.int32)
    _fill_buckets(corners, spans, unused, lo, hi, starts, higher, out_halfedges)
    ends = starts  # filling moved each start to the next bucket's
    edges, nonmanifold = _pair_halfedges(ends, higher, out_halfedges, out_twins)
    out_counts[0] = len(higher)
    out_counts[1] = edges
    out_counts[2] = nonmanifold


@kernel
def connect_faces(
    corners: npt.NDArray[np.int32],
    twins: npt.NDArray[np.int32],
    nonmanifold: npt.NDArray[np.int32],
    out_component: npt.NDArray[np.int32],
    out_anchor: npt.NDArray[np.int32],
    out_doubled: npt.NDArray[np.bool_],
) -> int:
    """Number the components (faces connected through edges, non-manifold ones included); mark possible duplicates.

    Args:
        corners: (m, 3) int32: positions of each face's corners.
        twins: (3m,) int32, from `group_edges`.
        nonmanifold: (k,) int32: half-edges of edges with more than two faces, those of one edge side by side.
        out_component: (m,) int32: component of each face, by order of first face; −1 for unused faces.
        out_anchor: (m,) int32: the first face of each component, about which its volume is taken.
        out_doubled: (m,) bool: faces that may have the same three positions as another: all that do, and those whose
            three edges are non-manifold.

    Returns:
        How many components.
    """
    parent = np.arange(len(corners)).astype(np.int32)
    flat = corners.ravel()
    for f in range(len(corners)):
        out_doubled[f] = (
            twins[3 * f] == NONMANIFOLD and twins[3 * f + 1] == NONMANIFOLD and twins[3 * f + 2] == NONMANIFOLD
        )
    for h in range(len(twins)):
        g = twins[h]
        if g > h:
            unite(parent, h // 3, g // 3)
            if flat[previous_halfedge(g)] == flat[previous_halfedge(h)]:
                out_doubled[h // 3] = out_doubled[g // 3] = True
    first, first_low, first_sum = -1, -1, -1
    for h in nonmanifold:
        low, total = min(flat[h], flat[next_halfedge(h)]), flat[h] + flat[next_halfedge(h)]
        if low != first_low or total != first_sum:
            first, first_low, first_sum = h, low, total
            continue
        unite(parent, h // 3, first // 3)
        if flat[previous_halfedge(h)] == flat[previous_halfedge(first)]:
            out_doubled[h // 3] = out_doubled[first // 3] = True
    count = 0
    for f in range(len(corners)):
        if twins[3 * f] == UNUSED:
            out_component[f] = -1
            continue
        root = _root(parent, f)
        if root == f:
            out_anchor[count] = f
            out_component[f] = count
            count += 1
        else:
            out_component[f] = out_component[root]
    return count


@kernel
def connect_corners(
    corners: npt.NDArray[np.int32],
    twins: npt.NDArray[np.int32],
    nonmanifold: npt.NDArray[np.int32],
    out_fan: npt.NDArray[np.int32],
    out_fans: npt.NDArray[np.int32],
) -> int:
    """Number the fans: sets of faces around a position that are connected through edges at it.

    Args:
        corners: (m, 3) int32: positions of each face's corners.
        twins: (3m,) int32, from `group_edges`.
        nonmanifold: (k,) int32: half-edges of edges with more than two faces, those of one edge side by side.
        out_fan: (3m,) int32: lowest corner 3*face + corner of each corner's fan; work space for unused faces.
        out_fans: (p,) int32: how many fans there are at each position.

    Returns:
        How many positions have more than one fan.
    """
    flat = corners.ravel()
    parent = out_fan
    for h in range(len(parent)):
        parent[h] = h
    for h in range(len(twins)):
        g = twins[h]
        if g > h:
            if flat[g] == flat[h]:
                unite(parent, h, g)
                unite(parent, next_halfedge(h), next_halfedge(g))
            else:
                unite(parent, h, next_halfedge(g))
                unite(parent, next_halfedge(h), g)
    for i in range(1, len(nonmanifold)):
        g, h = nonmanifold[i - 1], nonmanifold[i]
        if flat[g] == flat[h] and flat[next_halfedge(g)] == flat[next_halfedge(h)]:
            unite(parent, h, g)
            unite(parent, next_halfedge(h), next_halfedge(g))
        elif flat[g] == flat[next_halfedge(h)] and flat[next_halfedge(g)] == flat[h]:
            unite(parent, h, next_halfedge(g))
            unite(parent, next_halfedge(h), g)
    out_fans[:] = 0
    for h in range(len(twins)):
        if twins[h] != UNUSED:
            parent[h] = _root(parent, h)
            if parent[h] == h:
                out_fans[flat[h]] += 1
    many = 0
    for v in range(len(out_fans)):
        if out_fans[v] > 1:
            many += 1
    return many


@kernel
def orient_faces(
    twins: npt.NDArray[np.int32],
    flat: npt.NDArray[np.int32],
    component: npt.NDArray[np.int32],
    out_flip: npt.NDArray[np.bool_],
    out_patch: npt.NDArray[np.int32],
    out_nonorientable: npt.NDArray[np.bool_],
) -> None:
    """Orient each patch consistently with its first face, where possible; a patch is connected by edges of two faces.

    Args:
        twins: (3m,) int32, from `group_edges`.
        flat: (3m,) int32: positions of the corners.
        component: (m,) int32, from `connect_faces`.
        out_flip: (m,) bool: faces whose orientation is opposite to that of their patch's first face.
        out_patch: (m,) int32: first face of each face's patch; −1 for unused faces.
        out_nonorientable: (C,) bool: components with a patch that cannot be oriented consistently.
    """
    out_patch[:] = -1
    out_flip[:] = False
    out_nonorientable[:] = False
    stack = np.empty(len(component), np.int32)
    for seed in range(len(component)):
        if component[seed] < 0 or out_patch[seed] >= 0:
            continue
        out_patch[seed] = seed
        stack[0] = seed
        height = 1
        while height:
            height -= 1
            f = stack[height]
            for h in range(3 * f, 3 * f + 3):
                g = twins[h]
                if g < 0:
                    continue
                is_inconsistent = flat[g] == flat[h]
                neighbour = g // 3
                if out_patch[neighbour] < 0:
                    out_patch[neighbour] = seed
                    out_flip[neighbour] = out_flip[f] ^ is_inconsistent
                    stack[height] = neighbour
                    height += 1
                elif out_flip[neighbour] != out_flip[f] ^ is_inconsistent:
                    out_nonorientable[component[f]] = True


@kernel
def cluster_rows(rows: npt.NDArray[np.int32], length: int, out_label: npt.NDArray[np.int32]) -> int:
    """Cluster elements that share a vertex.

    Args:
        rows: (k, w) int32: vertices of each element.
        length: vertices are below this.
        out_label: (k,) int32: cluster of each element, by order of first element.

    Returns:
        How many clusters; 0 for no elements.
    """
    owner = np.full(length, -1, np.int32)
    parent = np.arange(len(rows)).astype(np.int32)
    for i in range(len(rows)):
        for v in rows[i]:
            if owner[v] < 0:
                owner[v] = i
            else:
                unite(parent, owner[v], i)
    count = 0
    for i in range(len(rows)):
        if parent[i] == i:
            out_label[i] = count
            count += 1
        else:
            out_label[i] = out_label[_root(parent, i)]
    return count
