"""Walls: faces in which two bodies touch, and faces with the inside of one body on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.facts.arrays import centroids, connected_components, frozen
from meshguard.kernels.bvh import NO_GROUPS, build_tree
from meshguard.repair.mesh.marching_tetrahedra import INSIDE, winding_at
from meshguard.repair.step import Change

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.facts.mesh import MeshFacts
    from meshguard.facts.mesh.coincident_layers import CoincidentLayers
    from meshguard.mesh import FloatArray, IntArray
    from meshguard.repair.draft import Draft

_MOST_SHEETS = 64
"""Sheets that are asked whether they lie inside the rest, each by itself: bounds the work. Real walls are few."""


def mesh_walls_alike(draft: Draft) -> Change:
    """Mesh the wall that two closed bodies share on one side as on the other, where each has edges of its own in it.

    No vertex moves. Where one of the two bodies is inverted, both sides face the same way; then it is flipped too.
    """
    facts = draft.facts
    layers = facts.shared_walls.layers
    if layers.n_patches:
        return Change(draft=_meshed_alike(draft, layers), mended=layers.n_patches)
    if not facts.possible_walls.n_patches:
        return Change(draft=draft)
    turned = orient_at_walls(_meshed_alike(draft, facts.possible_walls))
    return turned if turned.mended else Change(draft=draft)


def _meshed_alike(draft: Draft, layers: CoincidentLayers) -> Draft:
    """The draft with the second layer of each patch meshed as the first."""
    alike = draft.facts.meshed_alike(layers)
    return draft.rebuilt(alike.replaced, np.empty((0, 3)), alike.corners, parents=alike.parents)


def orient_at_walls(draft: Draft) -> Change:
    """Flip inverted bodies where two bodies touch in the same faces, so that the wall between them is seen as shared.

    Where one of two bodies is inverted, their copies of the wall run the same way, as duplicates do. What is flipped is
    the inverted body without its wall, and one copy of each face of the wall; it counts only if walls are shared then.
    """
    facts = draft.facts
    groups = np.array([group for group in facts.excess_duplicates if len(group) == 2], np.int32).reshape(-1, 2)
    if not len(groups) or not len(facts.edges.nonmanifold):
        return Change(draft=draft)
    is_wall = np.zeros(len(draft.corners), np.bool_)
    is_wall[groups] = True
    flip = _inverted_sheets(facts) & ~is_wall
    flip[groups[:, 1]] = True
    turned = draft.turned(flip)
    mended = len(turned.facts.shared_walls.faces) - len(facts.shared_walls.faces)
    return Change(draft=turned, mended=mended) if mended > 0 else Change(draft=draft)


def _inverted_sheets(facts: MeshFacts) -> BoolArray:
    """Faces of sheets that enclose a negative volume once each is closed by a cone over its boundary, bool (m,)."""
    sheet = _sheets(facts)
    ends, owner = (
        facts.edge_ends(facts.edges.nonmanifold).reshape(-1),
        np.repeat(sheet[facts.edges.nonmanifold // 3], 2),
    )
    n_ends = np.maximum(np.bincount(owner, minlength=int(sheet.max()) + 1), 1)
    tip = np.stack([np.bincount(owner, facts.positions[ends, d], minlength=len(n_ends)) / n_ends for d in range(3)], 1)
    with np.errstate(over="ignore", invalid="ignore"):
        a, b, c = (facts.positions[facts.corners[:, corner]] - tip[sheet] for corner in range(3))
        volume = np.bincount(sheet, (a * np.cross(b, c)).sum(axis=1))
    is_inverted: BoolArray = (volume < 0)[sheet]
    return is_inverted


def _sheets(facts: MeshFacts) -> IntArray:
    """The sheet of each face, int32 (m,): what is connected through edges with two faces."""
    paired = facts.edges.paired
    return connected_components(len(facts.corners), paired // 3, facts.edges.twins[paired] // 3)


def remove_inner_walls(draft: Draft) -> Change:
    """Remove the walls inside a body where the policy asks for one solid, and leave every other face as it is.

    A wall is one that two bodies share, both copies of it, or a sheet that ends on a body and lies inside it. It counts
    only with the proof: without the walls there are fewer non-manifold edges, no more open or inconsistent ones, and
    every face that was removed lies inside what is left.
    """
    facts = draft.facts
    if draft.policy.rim != "closed" or not len(facts.edges.nonmanifold):
        return Change(draft=draft)
    is_shared = np.zeros(len(draft.corners), np.bool_)
    is_shared[facts.shared_walls.faces] = True
    opened = _without_walls(draft, is_shared)
    opened = _without_walls(opened, _inner_sheets(opened.facts))
    if opened is draft:
        return Change(draft=draft)
    return Change(draft=opened, mended=len(draft.corners) - len(opened.corners))


def _without_walls(draft: Draft, walls: BoolArray) -> Draft:
    """The draft without some faces, bool (m,), if these are proved to be walls inside it; else the draft itself."""
    if not walls.any() or walls.all():
        return draft
    opened = draft.without(walls)
    before, after = draft.facts, opened.facts
    is_sound = (
        len(after.edges.nonmanifold) < len(before.edges.nonmanifold)
        and len(after.edges.boundary) <= len(before.edges.boundary)
        and len(after.inconsistent_edges) <= len(before.inconsistent_edges)
        and after.fans.n_nonmanifold <= before.fans.n_nonmanifold
    )
    points = centroids(draft.positions, draft.corners[walls])
    return opened if is_sound and _are_inside(after, after.sound_faces, points) else draft


def _inner_sheets(facts: MeshFacts) -> BoolArray:
    """Faces of sheets that end on a body and lie inside it, bool (m,).

    A sheet is here what is connected through edges with two faces. It ends on a body where it has one face at an edge
    of an odd number: two are the body's. A cavity that touches the outer surface from within has two there.
    """
    nonmanifold = facts.edges.nonmanifold
    is_inner = np.zeros(len(facts.corners), np.bool_)
    if not len(nonmanifold):
        return is_inner
    sheet = _sheets(facts)
    n_faces = np.diff(facts.nonmanifold_begins)
    edge = np.repeat(np.arange(len(n_faces)), n_faces)
    rows, n_of_sheet = np.unique(np.stack([sheet[nonmanifold // 3], edge], axis=1), axis=0, return_counts=True)
    ends = np.setdiff1d(rows[n_faces[rows[:, 1]] % 2 == 1, 0], rows[n_of_sheet > 1, 0])
    if len(ends) > _MOST_SHEETS:
        return is_inner
    for number in ends.tolist():
        faces = sheet == number
        rest = frozen(np.flatnonzero(facts.is_sound & ~faces).astype(np.int32))
        is_inner |= faces & _are_inside(facts, rest, centroids(facts.positions, facts.corners[faces]))
    return is_inner


def _are_inside(facts: MeshFacts, faces: IntArray, points: FloatArray) -> bool:
    """Whether points, float64 (q, 3), are all inside some faces, which may be inverted as a whole."""
    if not len(faces):
        return False
    tree = build_tree(facts.positions, facts.corners, faces, NO_GROUPS, facts.span)
    winding = winding_at(facts, tree, frozen(points))
    return bool((winding > INSIDE).all() or (winding < -INSIDE).all())
