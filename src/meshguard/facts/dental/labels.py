"""Labels as a mesh carries them: what they are numbers of, which jaw they mean, and whether anything can use them.

A label is carried by the vertices (`vertex_data["label"]`) or by the faces (`face_data["label"]`). Where a mesh has
both, the vertices' are used if the faces' say the same, else the faces' (F105 tells). 0 is the gum. What carries the
labels is called a node: a face, or a position with the label of its first vertex.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from meshguard import fdi
from meshguard.facts.arrays import frozen
from meshguard.kernels.topology import UNUSED
from meshguard.mesh import label_of_corners

if TYPE_CHECKING:
    from meshguard.facts.mesh.facts import MeshFacts
    from meshguard.mesh import Carrier, IntArray, Jaw, Mesh

Numbering: TypeAlias = Literal["fdi", "anonymous"]
"""What labels are numbers of."""

SCRAMBLED_SHARE = 0.5
"""Labels follow no surface when this share of the edges that chance would make borders are borders. Of real
segmentations it is below a tenth, of labels in another order above 0.8."""

MIN_BORDERS = 50
"""With fewer borders nothing is said of disorder: a patch of a few faces is nearly all border."""

LARGEST_MM = 1e9
"""An arch of 50 mm is 5e7 in nanometres."""


class GivenLabels(NamedTuple):
    """What is known of labels that came from elsewhere: what they are numbers of, and sentences about reading them."""

    numbering: Numbering
    notes: tuple[str, ...]


class CarriedLabels(NamedTuple):
    """Labels where a mesh carries them.

    Attributes:
        mesh: carries `label` and perhaps `instance`; or none at all.
        given: what is known of them, where they came from elsewhere; None: they are taken as they look.
    """

    mesh: Mesh
    given: GivenLabels | None = None

    @property
    def per(self) -> Carrier | None:
        """Whether vertices or faces carry the labels that count; None where there are none."""
        return self.mesh.label_carrier()

    def stored(self, name: str) -> npt.NDArray[np.generic] | None:
        """The attribute `label` or `instance` of what carries the labels; None where it is not there."""
        return (self.mesh.face_data if self.per == "face" else self.mesh.vertex_data).get(name)

    def instances(self) -> npt.NDArray[np.int64] | None:
        """Instance of each face or vertex, as the labels are carried; None where there is none that fits."""
        stored = self.stored("instance")
        if stored is None or _misfit(stored) is not None:
            return None
        return stored.astype(np.int64).reshape(-1)


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


def find_labelling(surface: MeshFacts, carried: CarriedLabels) -> Labelling | None:
    """What labels say of a surface; None where there are none."""
    mesh, per, stored = carried.mesh, carried.per, carried.stored("label")
    if per is None or stored is None:
        return None
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
    is_own = per == "face" or len(surface.first_vertex) == len(given)
    of_node = frozen(given if is_own else given[surface.first_vertex])
    classes = _classes(of_node)
    told = mesh.jaw
    is_fdi = carried.given.numbering == "fdi" if carried.given is not None else fdi.look_like_codes(classes.tolist())
    codes = [int(label) for label in classes if fdi.is_tooth(int(label))] if is_fdi else []
    n_upper = sum(fdi.jaw_of(code) == "upper" for code in codes)
    jaw: Jaw | None = told or (None if not codes else "upper" if 2 * n_upper >= len(codes) else "lower")
    disorder = _disorder(surface, per, of_node)
    why_not, misfit = None, contradiction
    if not len(classes):
        why_not = "No tooth is labelled: all is gum."
    elif float(np.abs(surface.box).max()) > LARGEST_MM:
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


def _disorder(surface: MeshFacts, per: Carrier, of_node: IntArray) -> float:
    """Share of the edges that chance would make borders that are, over at most 10,000 edges spread over the mesh."""
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
