"""Labels, and what their ids mean: FDI codes, the classes of MeshSegNet, or classes of an unknown numbering."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from meshguard.errors import MeshError, ReadError
from meshguard.fdi import UNIVERSAL_GUM, from_universal, is_tooth, look_like_codes, look_universal, universal_note
from meshguard.mesh import frozen_array

if TYPE_CHECKING:
    from meshguard.io.labels.vectors import Found
    from meshguard.mesh import IntArray, Jaw

Numbering: TypeAlias = Literal["fdi", "meshsegnet", "anonymous"]

_MESHSEGNET_CLASSES = 14

TIMES_A_TOOTH = 2
"""An id on this many times as many vertices or faces as any other may be the gum, and does not count when the numbering
is settled (proposal: without a mesh, ids have no place)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labels:
    """Labels of the vertices or faces of one arch, in file order.

    Attributes:
        values: int32 (k,), read-only: an id for each vertex or face; 0 is the gum, -1 a colour outside the palette.
        instances: int32 (k,), read-only: which tooth each belongs to, 0 the gum; None where the file has none.
        per: "vertex" or "face" as the file says, or None where only the length can tell.
        jaw: "upper", "lower", or None where neither the caller nor the file says it.
        numbering: "fdi", "meshsegnet" (classes 0 to 14 whose jaw is not known yet), or "anonymous".
        notes: sentences about what had to be decided; none of them quotes the file.
    """

    values: IntArray
    instances: IntArray | None = None
    per: Literal["vertex", "face"] | None = None
    jaw: Jaw | None = None
    numbering: Numbering = "anonymous"
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def in_fdi(self, jaw: Jaw) -> Labels:
        """The same labels as FDI codes where they are MeshSegNet's; unchanged otherwise.

        Class k is read as Universal k + 1 in the upper jaw and k + 17 in the lower: from the right second molar to the
        left one in the upper jaw, from the left to the right in the lower. MeshSegNet publishes no table; this is the
        order in the data of its authors' labelling tool (upper) and of a project that uses the same classes (lower).
        The notes say so.

        Raises:
            MeshError: `jaw` is neither.
        """
        if jaw not in ("upper", "lower"):
            raise MeshError(f"jaw must be 'upper' or 'lower', not {jaw!r}")
        if self.numbering != "meshsegnet":
            return self
        shift = 1 if jaw == "upper" else 17
        table = np.array([0, *(from_universal(k + shift) for k in range(1, _MESHSEGNET_CLASSES + 1))], np.int32)
        note = f"Classes 0 to 14 are read as MeshSegNet's: class 1 is tooth {table[1]}, class 14 is tooth {table[14]}."
        values = frozen_array(table[self.values])
        return replace(self, values=values, jaw=jaw, numbering="fdi", notes=(*self.notes, note))


def numbering_of(values: IntArray, *, declared: bool = False) -> Literal["fdi", "anonymous"]:
    """What ids seem to be, by `fdi.look_like_codes`.

    Args:
        values: int32 (k,); 0 and negative ids do not count.
        declared: the format says that labels are FDI; then half of them are enough.
    """
    return "fdi" if look_like_codes(np.unique(values).tolist(), declared=declared) else "anonymous"


def numbered(found: Found, jaw: Jaw | None, numbering: Numbering | Literal["universal"] | None) -> Labels:
    """The labels that were found in a file, with their numbering settled.

    Raises:
        ReadError: ids that the requested numbering does not have.
    """
    notes = list(found.notes)
    if jaw is not None and found.jaw not in (None, jaw):
        notes.append(f"The file says that this is the {found.jaw} jaw; it is read as the {jaw} one, as asked.")
    values = found.values
    least, most = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    ids, gum = _ids_and_gum(values)
    stated = jaw or found.jaw
    settled: Numbering
    if numbering == "universal":
        values, settled = _from_universal(values), "fdi"
    elif numbering is None and found.numbering != "anonymous" and _look_universal(found, ids, gum, stated):
        notes.append(universal_note(has_gum=bool((values == UNIVERSAL_GUM).any())))
        values, settled = _from_universal(values, gum), "fdi"
    elif numbering is not None:
        settled = numbering
    elif found.numbering == "meshsegnet" and least >= 0 and most <= _MESHSEGNET_CLASSES:
        settled = "meshsegnet"
    elif found.numbering == "anonymous":
        settled = "anonymous"
    else:
        settled = numbering_of(ids, declared=found.numbering == "fdi")
    if settled == "meshsegnet" and not (least >= 0 and most <= _MESHSEGNET_CLASSES):
        raise ReadError("the ids are not MeshSegNet's", expected="0 to 14", got=f"{least} to {most}")
    if settled == "anonymous" and found.numbering != "anonymous":
        notes.append("The ids are not FDI codes; they are read as classes without names.")
        if least >= 0 and most <= 16 and ids[ids > 0].tolist() != list(range(1, 1 + np.count_nonzero(ids > 0))):
            notes.append("If they are Universal numbers, ask for that numbering.")
    labels = Labels(
        values=frozen_array(values),
        instances=None if found.instances is None else frozen_array(found.instances),
        per=found.per,
        jaw=stated,
        numbering=settled,
        notes=tuple(notes),
    )
    return labels.in_fdi(labels.jaw) if labels.jaw else labels


def _ids_and_gum(values: IntArray) -> tuple[IntArray, int]:
    """The different ids but the one that may be the gum instead of 0, ascending, and that one; 0 where none may be."""
    ids, counts = np.unique(values, return_counts=True)
    place = int(np.argmax(counts)) if len(ids) else 0
    if len(ids) < 2 or ids[place] == 0 or counts[place] < TIMES_A_TOOTH * np.delete(counts, place).max():
        return ids, 0
    return np.delete(ids, place), int(ids[place])


def _from_universal(values: IntArray, gum: int = 0) -> IntArray:
    """FDI codes of Universal numbers 1 to 32; 33 becomes 0, another gum stays what it is."""
    table = np.zeros(UNIVERSAL_GUM + 1, np.int32)
    for number in range(1, UNIVERSAL_GUM):
        table[number] = from_universal(number)
    is_gum = (values == gum) & (gum != UNIVERSAL_GUM)
    numbers = np.where(is_gum, 0, values)
    if len(values) and (int(numbers.min()) < 0 or int(numbers.max()) > UNIVERSAL_GUM):
        raise ReadError("the ids are not Universal numbers", expected="0 to 32, and 33 for the gum")
    return np.where(is_gum, gum, table[numbers]).astype(np.int32)


def _look_universal(found: Found, ids: IntArray, gum: int, jaw: Jaw | None) -> bool:
    """Whether ids are Universal numbers: because they can hardly be anything else, or because their name says so."""
    is_named = found.numbering == "universal"
    numbers = [id_ for id_ in ids.tolist() if id_ != 0 and not (is_named and id_ == UNIVERSAL_GUM)]
    if is_tooth(gum) and gum != UNIVERSAL_GUM:
        return False  # it would be one tooth more
    if look_universal(numbers, jaw=jaw, has_gum=gum == UNIVERSAL_GUM):
        return True
    return is_named and all(0 < id_ < UNIVERSAL_GUM for id_ in numbers) and not all(map(is_tooth, numbers))
