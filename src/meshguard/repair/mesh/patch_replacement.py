"""Cut and refill: where a small piece of surface intersects it is taken out and made anew, and proved before it counts.

All attempts start from the same draft. A patch is taken in when the faces that fill it intersect nothing near it, the
other patches included; what fails is tried again with one more ring of faces around it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import connected_components, frozen
from meshguard.facts.mesh import MeshFacts
from meshguard.halfedges import next_halfedge
from meshguard.mesh import Mesh
from meshguard.repair.mesh.faces_near import near_boxes
from meshguard.repair.mesh.hole_filling import fill_hole
from meshguard.repair.mesh.hole_sites import RINGS, incidence, rings_around

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.mesh import FloatArray, IntArray
    from meshguard.repair.draft import Draft

_PINCHES = 3
"""Times that a patch grows to be free of pinches."""

MOST_RINGS = 2
"""Rings of faces around what intersects that are taken out with it, at most: on real scans a third never helped."""

_LARGEST_LOOP = 600
_MOST_FACES = 4000


class Piece(NamedTuple):
    """A piece of surface made anew.

    Attributes:
        faces: int32 (k,), those that it replaces, of the draft.
        points: float64 (q, 3), new positions.
        corners: int32 (t, 3), its faces; p + i is points[i].
    """

    faces: IntArray
    points: FloatArray
    corners: IntArray


class Region:
    """Some faces of a draft, with how they hang together; faces have numbers of their own here."""

    def __init__(self, draft: Draft, faces: IntArray) -> None:
        facts = draft.facts
        self.draft = draft
        self.faces = faces
        self.corners = frozen(np.ascontiguousarray(draft.corners[faces]))
        number = np.full(len(draft.corners), -1, np.int32)
        number[faces] = np.arange(len(faces), dtype=np.int32)
        self.number = number
        twins = facts.edges.twins.reshape(-1, 3)[faces]
        other = np.where(twins >= 0, number[twins // 3], -1)
        self.twins = np.where(other >= 0, 3 * other + twins % 3, -1).reshape(-1)
        self.crowded = (twins < -1).reshape(-1)
        self.is_fringe = np.asarray(((twins >= 0) & (other < 0)).any(axis=1))
        """Faces with a neighbour that is not in the region: what reaches there cannot be judged."""
        self.used, local = np.unique(self.corners, return_inverse=True)
        self.local: IntArray = local.reshape(-1, 3).astype(np.int32)
        self._at = incidence(self.local, len(self.used))

    def dilated(self, mask: BoolArray, rings: int) -> BoolArray:
        """The faces and some rings of those that share a vertex with them."""
        for _ in range(rings):
            touched = np.zeros(len(self.used), np.bool_)
            touched[self.local[mask]] = True
            mask = np.asarray(touched[self.local].any(axis=1))
        return mask

    def around(self, patch: IntArray, rings: int) -> IntArray:
        """Some rings of faces around a patch, without it, int32, ascending."""
        found = rings_around(self.local, self._at, [np.unique(self.local[patch])], rings=rings)
        return np.setdiff1d(found, patch, assume_unique=True).astype(np.int32)

    def patches(self, mask: BoolArray) -> list[IntArray]:
        """The masked faces in sets that are connected through edges."""
        chosen = np.flatnonzero(mask)
        place = np.full(len(mask), -1, np.int64)
        place[chosen] = np.arange(len(chosen))
        halfedges = (3 * chosen[:, None] + np.arange(3)).reshape(-1)
        other = self.twins[halfedges]
        inside = (other >= 0) & mask[other // 3]
        one, two = place[halfedges[inside] // 3], place[other[inside] // 3]
        label = connected_components(len(chosen), one, two)
        order = np.argsort(label, kind="stable")
        parts = np.split(order, np.cumsum(np.bincount(label))[:-1])
        return [chosen[part].astype(np.int32) for part in parts]

    def whole_patches(self, mask: BoolArray) -> list[IntArray]:
        """The masked faces in patches without pinches, that do not overlap."""
        for patch in self.patches(mask):
            mask[self.without_pinches(patch)] = True
        return self.patches(mask)

    def width(self, patch: IntArray) -> float:
        """The diameter of a disc with the area of a patch, mm: what a hole limit means for surface that is rebuilt."""
        return 2.0 * math.sqrt(float(self.draft.facts.face_measures.area[self.faces[patch]].sum()) / math.pi)

    def without_pinches(self, patch: IntArray) -> IntArray:
        """A patch and the faces around each position that its boundary passes twice, until there is none."""
        for _ in range(_PINCHES):
            border = self._border(patch)
            start = self.local.reshape(-1)[border]
            passes = np.bincount(start, minlength=len(self.used))
            if passes.max(initial=0) < 2:
                break
            patch = np.union1d(patch, np.flatnonzero((passes > 1)[self.local].any(axis=1)))
        return patch

    def _border(self, patch: IntArray) -> IntArray:
        """Half-edges of a patch without a neighbour in it."""
        inside = np.zeros(len(self.corners), np.bool_)
        inside[patch] = True
        halfedges = (3 * patch[:, None] + np.arange(3)).reshape(-1)
        other = self.twins[halfedges]
        border: IntArray = halfedges[~((other >= 0) & inside[other // 3])]
        return border

    def boundary(self, patch: IntArray) -> list[IntArray] | None:
        """The loops around a patch, as positions in the order in which its faces run along them; the widest first.

        A hole inside the patch is no loop of it: it is filled too. None where there is no loop, one passes a position
        twice, or the patch has a handle: such a patch is not refilled as it is.
        """
        border = self._border(patch)
        flat = self.corners.reshape(-1)
        if not len(border) or self.crowded[border].any():
            return None
        start = flat[border]
        end = flat[next_halfedge(border)]
        if len(np.unique(start)) < len(start) or not np.array_equal(np.sort(start), np.sort(end)):
            return None
        after = dict(zip(start.tolist(), end.tolist(), strict=True))
        is_free = dict(zip(start.tolist(), (self.twins[border] == -1).tolist(), strict=True))
        loops: list[IntArray] = []
        free: list[bool] = []
        while after:
            first = min(after)
            loop = [first]
            position = after.pop(first)
            while position != first:
                loop.append(position)
                position = after.pop(position)
            loops.append(np.array(loop, np.int32))
            free.append(all(is_free[position] for position in loop))
        vertices = len(np.unique(self.local[patch]))
        edges = (3 * len(patch) + len(border)) // 2
        if vertices - edges + len(patch) != 2 - len(loops):
            return None
        positions = self.draft.positions
        order = sorted(
            range(len(loops)), key=lambda place: (-float(np.ptp(positions[loops[place]], axis=0).max()), place)
        )
        return [loops[place] for rank, place in enumerate(order) if rank == 0 or not free[place]]


def intersecting_faces(draft: Draft, around: IntArray, pieces: list[Piece]) -> list[bool]:
    """Whether each piece intersects the draft, another of the pieces, or itself, once all are in place.

    `around` are the faces of the draft that may reach any of the pieces, int32, ascending.

    Pairs of two different closed components are an assembly and do not count.
    """
    if not pieces:
        return []
    positions, p = draft.positions, len(draft.positions)
    low = np.array([_box(positions, piece)[0] for piece in pieces])
    high = np.array([_box(positions, piece)[1] for piece in pieces])
    near = near_boxes(positions, frozen(np.ascontiguousarray(draft.corners[around])), low, high)
    gone = np.concatenate([piece.faces for piece in pieces])
    others = np.setdiff1d(around[near], gone, assume_unique=True)
    points, corners, owner, shift = [positions], [draft.corners[others]], [np.full(len(others), -1)], 0
    for place, piece in enumerate(pieces):
        corners.append(np.where(piece.corners >= p, piece.corners + shift, piece.corners))
        points.append(piece.points)
        owner.append(np.full(len(piece.corners), place))
        shift += len(piece.points)
    whole = np.concatenate(corners).astype(np.int32)
    used, local = np.unique(whole, return_inverse=True)
    mesh = Mesh(vertices=np.concatenate(points)[used], faces=local.reshape(-1, 3).astype(np.int32))
    found = MeshFacts(mesh, draft.policy)
    owners = np.concatenate(owner)
    wrong = [False] * len(pieces)
    pairs = owners[found.intersections.pairs]
    faces = found.intersections.pairs
    kept = (pairs >= 0).any(axis=1)
    if kept.any():
        component = draft.facts.components.of_face
        is_open = draft.facts.is_open
        # What fills a hole belongs to a piece that is open until then.
        owns = [component[piece.faces[0]] if len(piece.faces) else -1 for piece in pieces]
        of = np.concatenate(
            [component[others], *(np.full(len(x.corners), own) for x, own in zip(pieces, owns, strict=True))]
        )
        for (one, other), (a, b) in zip(pairs[kept].tolist(), of[faces[kept]].tolist(), strict=True):
            if a != b and min(a, b) >= 0 and not is_open[a] and not is_open[b] and draft.policy.rim != "closed":
                continue
            for place in (one, other):
                if place >= 0:
                    wrong[place] = True
    # A new edge or face on positions that another has too would not be a surface any more.
    twins = found.edges.twins
    for halfedge in np.flatnonzero(twins < -1):
        place = owners[halfedge // 3]
        if place >= 0:
            wrong[place] = True
    return wrong


def _box(positions: FloatArray, piece: Piece) -> tuple[FloatArray, FloatArray]:
    """Corners of the box around a piece."""
    on_mesh = positions[piece.corners[piece.corners < len(positions)]]
    points = np.concatenate([on_mesh, piece.points])
    return points.min(axis=0), points.max(axis=0)


def replaced(draft: Draft, pieces: list[Piece], without: IntArray | None = None) -> Draft:
    """The draft with these pieces in it, and without some more faces."""
    gone = np.zeros(len(draft.corners), np.bool_)
    if without is not None:
        gone[without] = True
    points, corners, shift = [np.empty((0, 3))], [np.empty((0, 3), np.int32)], 0
    for piece in pieces:
        gone[piece.faces] = True
        corners.append(np.where(piece.corners >= len(draft.positions), piece.corners + shift, piece.corners))
        points.append(piece.points)
        shift += len(piece.points)
    return draft.rebuilt(gone, np.concatenate(points), np.concatenate(corners).astype(np.int32), synthetic=True)


def accepted(draft: Draft, around: IntArray, taken: list[Piece], tried: list[Piece]) -> list[bool]:
    """Which of some pieces can be taken in beside those that already were: the rest intersects something.

    A piece that fails leaves the old surface in its place, which another may intersect: so this is asked until none
    fails any more.
    """
    good = [True] * len(tried)
    while any(good):
        chosen = [place for place, is_good in enumerate(good) if is_good]
        wrong = intersecting_faces(draft, around, [*taken, *(tried[place] for place in chosen)])[len(taken) :]
        if not any(wrong):
            break
        for place, is_wrong in zip(chosen, wrong, strict=True):
            good[place] = not is_wrong
    return good


def refilled(region: Region, patch: IntArray, limit: float, *, plain: bool) -> Piece | None:
    """A patch of a region filled anew; None where it is too large, or not a patch that can be filled."""
    if len(patch) > _MOST_FACES or region.is_fringe[patch].any():
        return None
    positions = region.draft.positions
    loops = region.boundary(patch)
    if loops is None or sum(map(len, loops)) > _LARGEST_LOOP or region.width(patch) > limit:
        return None
    if len(patch) == len(loops[0]) - 2 < 3:  # nothing but the same faces, or the other diagonal: more must go
        return None
    around = region.around(patch, RINGS)
    filling = fill_hole(positions, region.corners, loops, refine=not plain, fair=not plain, around=around)
    if filling is None:
        return None
    return Piece(region.faces[patch], filling.points, filling.faces)


class Rebuilt(NamedTuple):
    """What cutting and refilling came to.

    Attributes:
        pieces: what can be put in, each proved beside all others.
        left: int32 (k, 2), pairs of the draft that no piece mends.
    """

    pieces: list[Piece]
    left: IntArray


def rebuild(draft: Draft, pairs: IntArray, limit: float) -> Rebuilt:
    """Cut and refill where pairs of faces intersect.

    Args:
        draft: the draft.
        pairs: int32 (k, 2), faces that should not meet.
        limit: the widest piece that may be made anew, mm.
    """
    region = Region(draft, _near_pairs(draft, pairs, limit))
    wanted = np.zeros(len(region.faces), np.bool_)
    wanted[region.number[np.unique(pairs)]] = True
    pairs_here = region.number[pairs]
    taken: list[Piece] = []
    for rings in range(MOST_RINGS + 1):
        if not wanted.any():
            break
        mask = region.dilated(wanted, rings)
        for piece in taken:  # what is made anew already stays
            mask[region.number[piece.faces]] = False
        fillings = (
            refilled(region, patch, limit, plain=rings == 0)
            for patch in region.whole_patches(mask)
            if wanted[patch].any()
        )
        tried = [filling for filling in fillings if filling is not None]
        good = accepted(draft, region.faces, taken, tried)
        taken += [piece for piece, is_good in zip(tried, good, strict=True) if is_good]
        # A pair is mended when one of its faces is made anew: what took its place was proved to meet nothing.
        done = np.zeros(len(region.faces), np.bool_)
        for piece in taken:
            done[region.number[piece.faces]] = True
        wanted[:] = False
        wanted[pairs_here[~done[pairs_here].any(axis=1)]] = True
    return Rebuilt(taken, pairs[wanted[pairs_here].all(axis=1)])


def _near_pairs(draft: Draft, pairs: IntArray, limit: float) -> IntArray:
    """The faces of a draft near those of some pairs: enough to cut, to fill and to prove."""
    faces = np.unique(pairs)
    ends = draft.positions[draft.corners[faces]]
    rings = MOST_RINGS + RINGS + 1
    margin = min(limit, 1.5 * rings * float(np.median((ends.max(axis=1) - ends.min(axis=1)).max(axis=1))))
    return np.flatnonzero(
        near_boxes(draft.positions, draft.corners, ends.min(axis=1) - margin, ends.max(axis=1) + margin)
    ).astype(np.int32)
