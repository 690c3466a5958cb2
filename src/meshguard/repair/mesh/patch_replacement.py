"""Patches that intersect are replaced: cut out, filled again, and proved before it counts.

All attempts start from the same draft. A replacement is accepted when its faces intersect nothing near them, the
other replacements included. Where one fails, the patch is tried again with one more ring of faces around it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import connected_components, frozen
from meshguard.facts.mesh import MeshFacts
from meshguard.halfedges import edge_ends, halfedges_of
from meshguard.mesh import Mesh
from meshguard.repair.mesh.faces_near import near_boxes
from meshguard.repair.mesh.hole_filling import fill_hole
from meshguard.repair.mesh.hole_sites import RINGS, incidence, rings_around
from meshguard.watch import look

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.mesh import FloatArray, IntArray
    from meshguard.repair.draft import Draft

_PINCHES = 3
"""Times that a patch grows to be free of pinches."""

MOST_RINGS = 2
"""Rings of faces around what intersects that are taken out with it, at most: on real scans a third never helped."""

_LARGEST_LOOP = 600
"""Edges of a patch's boundary, at most: bounds the work of filling, which grows faster than the boundary."""

_MOST_FACES = 4000
"""Faces of a patch, at most: bounds the work. What is larger is not a small patch, for which this is meant."""


class Replacement(NamedTuple):
    """New surface in the place of a patch.

    Attributes:
        faces: int32 (k,), the faces of the draft that it replaces.
        points: float64 (q, 3), new positions.
        corners: int32 (t, 3), its own faces: a number below p is a position of the draft, p + i is points[i].
    """

    faces: IntArray
    points: FloatArray
    corners: IntArray


class Neighbourhood:
    """Some faces of a draft and how they are connected; faces and positions have numbers of their own here."""

    def __init__(self, draft: Draft, faces: IntArray) -> None:
        facts = draft.facts
        self.draft = draft
        self.faces = faces
        self.corners = frozen(np.ascontiguousarray(draft.corners[faces]))
        number = np.full(len(draft.corners), -1, np.int32)
        number[faces] = np.arange(len(faces), dtype=np.int32)
        self.number = number
        twins = facts.edges.twins.reshape(-1, 3)[faces]
        neighbour = np.where(twins >= 0, number[twins // 3], -1)
        self.twins = np.where(neighbour >= 0, 3 * neighbour + twins % 3, -1).reshape(-1)
        self.is_nonmanifold = (twins < -1).reshape(-1)
        self.is_fringe = np.asarray(((twins >= 0) & (neighbour < 0)).any(axis=1))
        """Faces with a neighbour outside: what reaches them cannot be judged."""
        self.used, local = np.unique(self.corners, return_inverse=True)
        self.local: IntArray = local.reshape(-1, 3).astype(np.int32)
        self._incident = incidence(self.local, len(self.used))

    def dilated(self, mask: BoolArray, rings: int) -> BoolArray:
        """The faces and some rings of those that share a vertex with them."""
        for _ in range(rings):
            touched = np.zeros(len(self.used), np.bool_)
            touched[self.local[mask]] = True
            mask = np.asarray(touched[self.local].any(axis=1))
        return mask

    def around(self, patch: IntArray, rings: int) -> IntArray:
        """Some rings of faces around a patch, without it, int32, ascending."""
        found = rings_around(self.local, self._incident, [np.unique(self.local[patch])], rings=rings)
        return np.setdiff1d(found, patch, assume_unique=True).astype(np.int32)

    def patches(self, mask: BoolArray) -> list[IntArray]:
        """The masked faces in sets that are connected through edges."""
        chosen = np.flatnonzero(mask).astype(np.int32)
        place = np.full(len(mask), -1, np.int64)
        place[chosen] = np.arange(len(chosen))
        halfedges = halfedges_of(chosen)
        twins = self.twins[halfedges]
        is_inner = (twins >= 0) & mask[twins // 3]
        label = connected_components(len(chosen), place[halfedges[is_inner] // 3], place[twins[is_inner] // 3])
        order = np.argsort(label, kind="stable")
        parts = np.split(order, np.cumsum(np.bincount(label))[:-1])
        return [chosen[part] for part in parts]

    def patches_without_pinches(self, mask: BoolArray) -> list[IntArray]:
        """The masked faces, and what it takes to be free of pinches, in patches that do not overlap."""
        grown = mask.copy()
        for patch in self.patches(mask):
            grown[self.without_pinches(patch)] = True
        return self.patches(grown)

    def width(self, patch: IntArray) -> float:
        """The diameter of a disc with the area of a patch, mm: what a hole limit means for a patch that is replaced."""
        return 2.0 * math.sqrt(float(self.draft.facts.face_measures.area[self.faces[patch]].sum()) / math.pi)

    def without_pinches(self, patch: IntArray) -> IntArray:
        """A patch and the faces around each position that its boundary passes twice, until there is none."""
        for _ in range(_PINCHES):
            look()
            start = self.local.reshape(-1)[self._boundary_halfedges(patch)]
            passes = np.bincount(start, minlength=len(self.used))
            if passes.max(initial=0) < 2:
                break
            patch = np.union1d(patch, np.flatnonzero((passes > 1)[self.local].any(axis=1)))
        return patch

    def _boundary_halfedges(self, patch: IntArray) -> IntArray:
        """Half-edges of a patch without a neighbour in it."""
        in_patch = np.zeros(len(self.corners), np.bool_)
        in_patch[patch] = True
        halfedges = halfedges_of(patch)
        twins = self.twins[halfedges]
        boundary: IntArray = halfedges[~((twins >= 0) & in_patch[twins // 3])]
        return boundary

    def boundary(self, patch: IntArray) -> list[IntArray] | None:
        """The loops around a patch, as positions in the order in which its faces run along them; the widest first.

        A hole inside the patch is not a loop of it: it is filled too. None where there is no loop, one passes a
        position twice, or the patch has a handle: such a patch is not filled as it is.
        """
        halfedges = self._boundary_halfedges(patch)
        if not len(halfedges) or self.is_nonmanifold[halfedges].any():
            return None
        start, end = edge_ends(self.corners, halfedges).T
        if len(np.unique(start)) < len(start) or not np.array_equal(np.sort(start), np.sort(end)):
            return None
        loops = _loops_along(start, end)
        if self._euler_characteristic(patch, halfedges) != 2 - len(loops):
            return None
        loops.sort(key=lambda loop: -float(np.ptp(self.draft.positions[loop], axis=0).max()))
        on_boundary_of_draft = start[self.twins[halfedges] == -1]
        return [loops[0], *(loop for loop in loops[1:] if not np.isin(loop, on_boundary_of_draft).all())]

    def _euler_characteristic(self, patch: IntArray, boundary: IntArray) -> int:
        """Vertices minus edges plus faces of a patch with these half-edges on its boundary."""
        n_vertices = len(np.unique(self.local[patch]))
        n_edges = (3 * len(patch) + len(boundary)) // 2
        return n_vertices - n_edges + len(patch)


def _loops_along(start: IntArray, end: IntArray) -> list[IntArray]:
    """Closed loops of positions along edges, each from its lowest position on and in the order of these."""
    following = dict(zip(start.tolist(), end.tolist(), strict=True))
    loops: list[IntArray] = []
    while following:
        look()
        first = min(following)
        loop = [first]
        position = following.pop(first)
        while position != first:
            loop.append(position)
            position = following.pop(position)
        loops.append(np.array(loop, np.int32))
    return loops


class _Trial(NamedTuple):
    """Replacements in place, with the faces of the draft near them.

    Attributes:
        facts: of these faces alone.
        owner: int64 (m,), the replacement that each face belongs to; −1 for a face of the draft.
        component: int64 (m,), the component of the draft that each face belongs to; −1 where there is none yet.
    """

    facts: MeshFacts
    owner: IntArray
    component: IntArray


def which_intersect(draft: Draft, around: IntArray, replacements: list[Replacement]) -> BoolArray:
    """Which replacements intersect the draft, another replacement, or themselves, once all are in place, bool (k,).

    Pairs of two objects of an assembly do not count.

    Args:
        draft: the draft.
        around: int32 (m,), the faces of it that may reach any of the replacements, ascending.
        replacements: what is tried.
    """
    intersect = np.zeros(len(replacements), np.bool_)
    if not replacements:
        return intersect
    trial = _with_faces_near(draft, around, replacements)
    pairs = trial.facts.intersections.pairs
    pairs = pairs[(trial.owner[pairs] >= 0).any(axis=1) & ~_is_between_objects(draft, trial.component[pairs])]
    # A new edge or face on positions of another would no longer be a surface.
    doubled = np.flatnonzero(trial.facts.edges.twins < -1) // 3
    owners = trial.owner[np.concatenate([pairs.reshape(-1), doubled])]
    intersect[owners[owners >= 0]] = True
    return intersect


def _with_faces_near(draft: Draft, around: IntArray, replacements: list[Replacement]) -> _Trial:
    """Replacements in place, with those of the faces around that are near them and stay."""
    boxes = [_box(draft.positions, replacement) for replacement in replacements]
    low, high = np.array([box[0] for box in boxes]), np.array([box[1] for box in boxes])
    near = near_boxes(draft.positions, frozen(np.ascontiguousarray(draft.corners[around])), low, high)
    replaced = np.concatenate([replacement.faces for replacement in replacements])
    staying = np.setdiff1d(around[near], replaced, assume_unique=True)
    points, corners = _joined(draft, replacements)
    corners = np.concatenate([draft.corners[staying], corners]).astype(np.int32)
    used, local = np.unique(corners, return_inverse=True)
    positions = np.concatenate([draft.positions, points])[used]
    mesh = Mesh(vertices=positions, faces=local.reshape(-1, 3).astype(np.int32))
    counts = [len(replacement.corners) for replacement in replacements]
    owner = np.concatenate([np.full(len(staying), -1), np.repeat(np.arange(len(replacements)), counts)])
    # A replacement that fills a hole belongs to a component that is open until then.
    of_face = draft.facts.components.of_face
    components = [of_face[found.faces[0]] if len(found.faces) else -1 for found in replacements]
    component = np.concatenate([of_face[staying], np.repeat(np.array(components), counts)])
    return _Trial(MeshFacts(mesh, draft.policy), owner, component)


def _is_between_objects(draft: Draft, components: IntArray) -> BoolArray:
    """Which pairs of components are two objects that may intersect, for int (k, 2), −1 = none; bool (k,)."""
    first, second = np.sort(components, axis=1).T
    is_between: BoolArray = np.zeros(len(components), np.bool_)
    if draft.policy.rim == "closed":
        return is_between
    is_open = draft.facts.is_open
    is_between = (first != second) & (first >= 0) & ~is_open[first] & ~is_open[second]
    for couple in draft.facts.assemblies.objects:
        is_between |= (first == couple[0]) & (second == couple[1])
    return is_between


def _box(positions: FloatArray, replacement: Replacement) -> tuple[FloatArray, FloatArray]:
    """The lower and upper corner of the box around a replacement."""
    on_mesh = positions[replacement.corners[replacement.corners < len(positions)]]
    points = np.concatenate([on_mesh, replacement.points])
    return points.min(axis=0), points.max(axis=0)


def _joined(draft: Draft, replacements: list[Replacement]) -> tuple[FloatArray, IntArray]:
    """The new positions of all replacements, and their faces: p + i is the i-th of these positions."""
    points, corners, n_points = [np.empty((0, 3))], [np.empty((0, 3), np.int32)], 0
    for replacement in replacements:
        is_new = replacement.corners >= len(draft.positions)
        corners.append(np.where(is_new, replacement.corners + n_points, replacement.corners))
        points.append(replacement.points)
        n_points += len(replacement.points)
    return np.concatenate(points), np.concatenate(corners).astype(np.int32)


def with_replacements(draft: Draft, replacements: list[Replacement], without: IntArray | None = None) -> Draft:
    """The draft with these replacements in it, and without some more faces."""
    gone = np.zeros(len(draft.corners), np.bool_)
    if without is not None:
        gone[without] = True
    for replacement in replacements:
        gone[replacement.faces] = True
    points, corners = _joined(draft, replacements)
    return draft.rebuilt(gone, points, corners, synthetic=True)


def which_fit(draft: Draft, around: IntArray, accepted: list[Replacement], candidates: list[Replacement]) -> BoolArray:
    """Which candidates can be accepted beside the replacements that already were, bool (k,): the others intersect.

    A candidate that fails leaves the old surface in its place, which another may intersect. So the question is asked
    again until none fails any more.
    """
    fits = np.ones(len(candidates), np.bool_)
    while fits.any():
        chosen = np.flatnonzero(fits)
        intersect = which_intersect(draft, around, [*accepted, *(candidates[i] for i in chosen)])[len(accepted) :]
        if not intersect.any():
            break
        fits[chosen] = ~intersect
    return fits


def replacement_of(neighbourhood: Neighbourhood, patch: IntArray, limit: float, *, plain: bool) -> Replacement | None:
    """New surface for a patch; None where it is too large, or is not a patch that can be filled."""
    look()
    if len(patch) > _MOST_FACES or neighbourhood.is_fringe[patch].any():
        return None
    loops = neighbourhood.boundary(patch)
    if loops is None or sum(map(len, loops)) > _LARGEST_LOOP or neighbourhood.width(patch) > limit:
        return None
    if len(patch) == len(loops[0]) - 2 < 3:  # only the same faces could come back, or the other diagonal
        return None
    filling = fill_hole(
        neighbourhood.draft.positions,
        neighbourhood.corners,
        loops,
        refine=not plain,
        fair=not plain,
        around=neighbourhood.around(patch, RINGS),
        precision=neighbourhood.draft.precision,
    )
    if filling is None:
        return None
    return Replacement(neighbourhood.faces[patch], filling.points, filling.faces)


def replacements_for(draft: Draft, pairs: IntArray, limit: float) -> tuple[list[Replacement], IntArray]:
    """Cut out and fill again where pairs of faces intersect.

    Args:
        draft: the draft.
        pairs: int32 (k, 2), faces that should not intersect.
        limit: the widest patch that may be replaced, mm.

    Returns:
        Replacements, each proved beside all others; and int32 (k, 2), the pairs that none of them mends.
    """
    neighbourhood = Neighbourhood(draft, _near_pairs(draft, pairs, limit))
    local_pairs = neighbourhood.number[pairs]
    left: BoolArray = np.ones(len(pairs), np.bool_)
    accepted: list[Replacement] = []
    for rings in range(MOST_RINGS + 1):
        if not left.any():
            break
        intersecting = np.zeros(len(neighbourhood.faces), np.bool_)
        intersecting[local_pairs[left]] = True
        mask = neighbourhood.dilated(intersecting, rings)
        for replacement in accepted:  # what is replaced already stays
            mask[neighbourhood.number[replacement.faces]] = False
        found = (
            replacement_of(neighbourhood, patch, limit, plain=rings == 0)
            for patch in neighbourhood.patches_without_pinches(mask)
            if intersecting[patch].any()
        )
        candidates = [replacement for replacement in found if replacement is not None]
        fits = which_fit(draft, neighbourhood.faces, accepted, candidates)
        accepted += [replacement for replacement, does_fit in zip(candidates, fits, strict=True) if does_fit]
        # A pair is mended when one of its faces is replaced: the new surface was proved to intersect nothing.
        is_replaced = np.zeros(len(neighbourhood.faces), np.bool_)
        for replacement in accepted:
            is_replaced[neighbourhood.number[replacement.faces]] = True
        left = ~np.asarray(is_replaced[local_pairs].any(axis=1))
    return accepted, pairs[left]


def _near_pairs(draft: Draft, pairs: IntArray, limit: float) -> IntArray:
    """The faces of a draft near those of some pairs: enough to cut, to fill and to prove."""
    faces = np.unique(pairs)
    triangles = draft.positions[draft.corners[faces]]
    low, high = triangles.min(axis=1), triangles.max(axis=1)
    rings = MOST_RINGS + RINGS + 1
    margin = min(limit, 1.5 * rings * float(np.median((high - low).max(axis=1))))
    return np.flatnonzero(near_boxes(draft.positions, draft.corners, low - margin, high + margin)).astype(np.int32)
