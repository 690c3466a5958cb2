"""Coincident layers: of two that cover the same patch of surface one is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshguard.repair.step import Change

if TYPE_CHECKING:
    from meshguard.facts.mesh.coincident_layers import CoincidentLayers
    from meshguard.repair.draft import Draft


def merge_coincident_layers(draft: Draft) -> Change:
    """Keep one layer of each flat patch that is there exactly twice: nothing moves, and no surface is lost.

    The one that goes with the faces around it stays, else the first.
    """
    return _merged(draft, draft.facts.coincident_layers)


def merge_doubled_quads(draft: Draft) -> Change:
    """Keep one diagonal of each quadrilateral that is meshed with both and not quite flat."""
    change = _merged(draft, draft.facts.doubled_quads)
    limit = draft.policy.tolerance("doubled_quad_mm").within(draft.facts.diagonal)
    return Change(draft=change.draft, mended=change.mended, parameters={"doubled_quad_mm": limit, **change.parameters})


def _merged(draft: Draft, layers: CoincidentLayers) -> Change:
    """The draft with one layer of each patch."""
    if not layers.n_patches:
        return Change(draft=draft)
    dropped = draft.facts.redundant_faces(layers)
    area = float(draft.facts.face_measures.area[dropped].sum())
    return Change(draft=draft.without(dropped), mended=layers.n_patches, parameters={"second_copy_mm2": area})
