"""Labels as a mesh carries them: how teeth are numbered, which jaw the numbers name, and whether they can be used.

Vertices (`vertex_data["label"]`) or faces (`face_data["label"]`) carry the labels. Where a mesh has both, those of the
vertices are used if those of the faces say the same, else those of the faces (F105 reports it). 0 is gum; where ids
mean something else, `label_meaning` says what. Whatever carries the labels is called a node: a face, or a position with
the label of its first vertex.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from meshguard import fdi
from meshguard.facts.arrays import frozen
from meshguard.facts.dental.label_meaning import MIN_BORDERS, LabelMeaning, find_meaning
from meshguard.kernels.topology import UNUSED
from meshguard.mesh import label_of_corners

if TYPE_CHECKING:
    from meshguard.facts.mesh.facts import MeshFacts
    from meshguard.mesh import Carrier, IntArray, Jaw, Mesh

Numbering: TypeAlias = Literal["fdi", "anonymous"]
"""How teeth are numbered: FDI codes, or classes without a meaning."""

SCRAMBLED_RATIO = 0.5
"""Labels do not follow the surface when more than this share of the border edges that chance would give are there. Real
segmentations have less than a tenth, labels in another order more than 0.8."""

SAME_TEETH = 0.9
"""Labels and instances mark the same teeth when at least this share of the surface with instances is where the label
that most of its instance has is (proposal: borders may differ)."""

LARGEST_MM = 1e9
"""An arch of 50 mm is 5e7 in nanometres."""


class GivenLabels(NamedTuple):
    """What is known about labels that came from elsewhere: numbering, and notes on reading them."""

    numbering: Numbering
    notes: tuple[str, ...]


class CarriedLabels(NamedTuple):
    """Labels where a mesh carries them.

    Attributes:
        mesh: carries `label` and perhaps `instance`; or none at all.
        given: what is known about them if they came from elsewhere; None if they must speak for themselves.
    """

    mesh: Mesh
    given: GivenLabels | None = None

    @property
    def per(self) -> Carrier | None:
        """Whether vertices or faces carry the labels that are used; None where there are none."""
        return self.mesh.label_carrier()

    def stored(self, name: str) -> npt.NDArray[np.generic] | None:
        """The attribute `label` or `instance` of whatever carries the labels; None where it is missing."""
        return (self.mesh.face_data if self.per == "face" else self.mesh.vertex_data).get(name)

    def instances(self) -> npt.NDArray[np.int64] | None:
        """Instance of each face or vertex, whichever carry the labels; None where none are, or they do not fit."""
        stored = self.stored("instance")
        if stored is None or _mismatch(stored) is not None:
            return None
        return stored.astype(np.int64).reshape(-1)


class Labelling(NamedTuple):
    """The labels of a mesh.

    Attributes:
        per: what carries them.
        of_node: int32 (N,), label of each face, or of each position (that of its first vertex), as it is meant.
        meaning: how ids are read: numbering, jaw, gum, and teeth with two numbers.
        jaw_is_told: whether the mesh states its jaw.
        why_unusable: why no check can use them, in a sentence; None where they can be used.
        mismatch: what F105 says about them, in a sentence, or None.
        border_ratio: number of edges that are borders, over the number that chance would give.
    """

    per: Carrier
    of_node: IntArray
    meaning: LabelMeaning
    jaw_is_told: bool
    why_unusable: str | None
    mismatch: str | None
    border_ratio: float

    @property
    def is_fdi(self) -> bool:
        """Whether they are FDI codes; else anonymous classes."""
        return self.meaning.is_fdi

    @property
    def jaw(self) -> Jaw | None:
        """The jaw that the mesh states, else the one that most codes name; None where no code does, or in a tie."""
        return self.meaning.jaw


def find_labelling(surface: MeshFacts, carried: CarriedLabels) -> Labelling | None:
    """The labels on a surface, usable or not; None where there are none."""
    mesh, per, stored = carried.mesh, carried.per, carried.stored("label")
    if per is None or stored is None:
        return None
    mismatch = _mismatch(stored)
    contradiction = None
    if mismatch is None and per == "face" and "label" in mesh.vertex_data:
        of_vertex = mesh.vertex_data["label"]
        if _mismatch(of_vertex) is None:
            differ = int(np.count_nonzero(label_of_corners(of_vertex.reshape(-1), mesh.faces) != stored.reshape(-1)))
            contradiction = f"{differ} faces have another label than their vertices; the faces' are used."
    if mismatch is not None:
        none, unknown = frozen(np.zeros(0, np.int32)), LabelMeaning(False, 0, None, {})
        return Labelling(per, none, unknown, False, "The labels do not fit the mesh (F105).", mismatch, 0.0)
    ids = stored.astype(np.int32).reshape(-1)
    is_by_node = per == "face" or len(surface.first_vertex) == len(ids)
    of_node = ids if is_by_node else ids[surface.first_vertex]
    counts = _counts(of_node)
    is_fdi = carried.given.numbering == "fdi" if carried.given is not None else None
    meaning = find_meaning(surface, per, of_node, counts=counts, is_fdi=is_fdi, jaw=mesh.jaw)
    of_node = frozen(meaning.read(of_node))
    border_ratio = _border_ratio(surface, per, of_node)
    why_unusable, mismatch = None, contradiction
    if not any(meaning.numbers.get(id_, id_) for id_ in counts):
        why_unusable = "No tooth is labelled: all is gum."
    elif float(np.abs(surface.box).max()) > LARGEST_MM:
        why_unusable = "The mesh is larger, or farther away, than an arch is in any unit of length."
    elif border_ratio > SCRAMBLED_RATIO:
        mismatch = (
            f"The labels do not follow the surface: neighbours differ {100 * border_ratio:.0f} % as often as they "
            "would by chance. The labels are probably in the order of another file."
        )
        why_unusable = "The labels do not fit the mesh (F105)."
    return Labelling(per, of_node, meaning, mesh.jaw is not None, why_unusable, mismatch, border_ratio)


def are_swapped(carried: CarriedLabels, labelling: Labelling) -> bool:
    """Whether the instances hold tooth numbers, and the labels count the same teeth."""
    instances, stored = carried.instances(), carried.stored("label")
    if instances is None or stored is None or labelling.is_fdi:
        return False
    labels = stored.astype(np.int64).reshape(-1)
    pairs, counts = np.unique(np.stack([instances, labels], axis=1)[instances > 0], axis=0, return_counts=True)
    ids, starts = np.unique(pairs[:, 0], return_index=True)
    codes: list[int] = ids.tolist()
    is_universal = fdi.look_universal(codes, has_gum=fdi.UNIVERSAL_GUM in codes)
    if not codes or not (fdi.look_like_codes(codes) or is_universal):
        return False
    return bool(np.maximum.reduceat(counts, starts).sum() >= SAME_TEETH * counts.sum())


def _counts(ids: IntArray) -> dict[int, int]:
    """Each distinct id and how often it occurs; small ones are counted, because sorting all of them is slow."""
    if not len(ids):
        return {}
    if int(ids.min()) >= 0 and int(ids.max()) < 1 << 16:
        counts = np.bincount(ids)
        distinct = np.flatnonzero(counts)
        return dict(zip(distinct.tolist(), counts[distinct].tolist(), strict=True))
    distinct, counts = np.unique(ids, return_counts=True)
    return dict(zip(distinct.tolist(), counts.tolist(), strict=True))


def _mismatch(stored: npt.NDArray[np.generic]) -> str | None:
    """Why stored numbers cannot be read as labels; None where they can."""
    if stored.size != len(stored):
        return f"A label is one number, not {stored.size // max(1, len(stored))}."
    if stored.dtype.kind == "f":
        values = stored.astype(np.float64).reshape(-1)
        bad = int(np.count_nonzero(~np.isfinite(values) | (values != np.round(values))))
        if bad:
            return f"{bad} labels are not whole numbers."
    if stored.size and (float(stored.min()) < -(2**31) or float(stored.max()) >= 2**31):
        return "A label is outside the range of 32-bit whole numbers."
    return None


def _border_ratio(surface: MeshFacts, per: Carrier, of_node: IntArray) -> float:
    """Border edges over those that chance would give, among about 10,000 edges spread over the mesh."""
    twins = surface.edges.twins
    if not len(twins):
        return 0.0
    h = np.arange(0, len(twins), max(1, len(twins) // 10_000), dtype=np.int32)
    h = h[twins[h] >= 0] if per == "face" else h[twins[h] != UNUSED]
    ends = surface.edge_faces(h) if per == "face" else surface.edge_ends(h)
    if not len(ends):
        return 0.0
    pair = of_node[ends]
    n_borders = int(np.count_nonzero(pair[:, 0] != pair[:, 1]))
    if n_borders < MIN_BORDERS:
        return 0.0
    shares = np.unique(pair, return_counts=True)[1] / pair.size
    chance = 1.0 - float((shares**2).sum())
    return n_borders / len(pair) / chance if chance > 0 else 0.0
