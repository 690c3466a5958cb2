"""Orientation: faces that their neighbours contradict are flipped, and so are inverted components."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.repair.step import Change

if TYPE_CHECKING:
    from meshguard.facts.arrays import BoolArray
    from meshguard.facts.mesh import MeshFacts
    from meshguard.mesh import IntArray
    from meshguard.repair.draft import Draft


def orient(draft: Draft) -> Change:
    """Orient faces so that the two of every edge run it in opposite ways.

    Of the faces that are connected through edges with two faces, the side with less area is flipped.
    """
    facts = draft.facts
    inconsistent = facts.inconsistent_edges
    if not len(inconsistent):
        return Change(draft=draft)
    is_nonorientable, is_opposed = facts.orientation.is_nonorientable, facts.orientation.is_opposed
    has_edges = facts.orientation.first_face >= 0
    area = np.where(has_edges, facts.face_measures.area, 0.0)
    first_face = np.where(has_edges, facts.orientation.first_face, 0)
    opposed_area = np.bincount(first_face, area * is_opposed, minlength=len(area))
    total_area = np.bincount(first_face, area, minlength=len(area))
    flip = (is_opposed ^ (opposed_area > total_area - opposed_area)[first_face]) & has_edges
    # A non-orientable component keeps the orientation that contradicts itself least.
    of_face = facts.components.of_face
    before = np.bincount(of_face[inconsistent // 3], minlength=len(is_nonorientable))
    after = np.bincount(of_face[_inconsistent_after(facts, flip) // 3], minlength=len(is_nonorientable))
    flip &= (after < before)[of_face]
    if not flip.any():
        return Change(draft=draft)
    return Change(draft=draft.turned(flip), mended=int(np.maximum(before - after, 0).sum()))


def _inconsistent_after(facts: MeshFacts, flip: BoolArray) -> IntArray:
    """The lower half-edge of each edge that both its faces run the same way once some faces are flipped."""
    twins, flat, paired = facts.edges.twins, facts.corners.reshape(-1), facts.edges.paired
    same_way: BoolArray = (flat[paired] == flat[twins[paired]]) ^ flip[paired // 3] ^ flip[twins[paired] // 3]
    return paired[same_way]


def inverted_components(facts: MeshFacts) -> list[int]:
    """Components that are certainly inverted: closed ones of any negative volume, and sheets that are nearly closed."""
    nearly_closed = [sheet.component for sheet in facts.back_sheets if sheet.is_nearly_closed]
    return [*facts.nesting.inverted, *nearly_closed]


def flip_inverted(draft: Draft) -> Change:
    """Flip components that are certainly inverted, as far as they were scanned like that."""
    return _flipped(draft, inverted_as_scanned(draft))


def inverted_as_scanned(draft: Draft) -> list[int]:
    """Components that are inverted and have no new surface."""
    return [component for component in inverted_components(draft.facts) if not _has_new_surface(draft, component)]


def flip_closed_inverted(draft: Draft) -> Change:
    """Flip components that are inverted since repair has closed them."""
    return _flipped(draft, inverted_since_closed(draft))


def inverted_since_closed(draft: Draft) -> list[int]:
    """Components that are inverted and have new surface: without it their sheet did not say which side is outside."""
    return [component for component in inverted_components(draft.facts) if _has_new_surface(draft, component)]


def _has_new_surface(draft: Draft, component: int) -> bool:
    """Whether a component has faces that are no part of a face of the input."""
    return bool((draft.origin[draft.facts.faces_of(component)] < 0).any())


def ridged_sheets(facts: MeshFacts) -> list[int]:
    """Sheets with the ridges of an arch that show their back."""
    return [sheet.component for sheet in facts.back_sheets if sheet.is_ridged]


def flip_ridged(draft: Draft) -> Change:
    """Flip sheets with the ridges of an arch that show their back."""
    return _flipped(draft, ridged_sheets(draft.facts))


def _flipped(draft: Draft, components: list[int]) -> Change:
    """The draft with some components flipped."""
    if not components:
        return Change(draft=draft)
    return Change(draft=draft.turned(np.isin(draft.facts.components.of_face, components)), mended=len(components))
