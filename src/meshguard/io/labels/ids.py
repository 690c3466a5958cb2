"""Labels, and what their ids mean: FDI codes, the classes of MeshSegNet, or classes of an unknown numbering."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from meshguard.errors import MeshError, ReadError
from meshguard.fdi import from_universal, is_tooth, look_like_codes
from meshguard.mesh import frozen_array

if TYPE_CHECKING:
    from meshguard.io.labels.vectors import Found
    from meshguard.mesh import IntArray, Jaw

Numbering: TypeAlias = Literal["fdi", "meshsegnet", "anonymous"]

_MESHSEGNET_CLASSES = 14


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
    settled: Numbering
    if numbering == "universal":
        values, settled = _from_universal(values), "fdi"
    elif numbering is not None:
        settled = numbering
    elif found.numbering == "meshsegnet" and least >= 0 and most <= _MESHSEGNET_CLASSES:
        settled = "meshsegnet"
    elif found.numbering == "anonymous":
        settled = "anonymous"
    else:
        settled = numbering_of(values, declared=found.numbering == "fdi")
        if settled == "fdi" and (jaw or found.jaw) == "lower" and _look_universal(values):
            settled = "anonymous"
            notes.append("The ids look like Universal numbers; to read them so, ask for that numbering.")
    if settled == "meshsegnet" and not (least >= 0 and most <= _MESHSEGNET_CLASSES):
        raise ReadError("the ids are not MeshSegNet's", expected="0 to 14", got=f"{least} to {most}")
    if settled == "anonymous" and found.numbering != "anonymous":
        notes.append("The ids are not FDI codes; they are read as classes without names.")
    labels = Labels(
        values=frozen_array(values),
        instances=None if found.instances is None else frozen_array(found.instances),
        per=found.per,
        jaw=jaw or found.jaw,
        numbering=settled,
        notes=tuple(notes),
    )
    return labels.in_fdi(labels.jaw) if labels.jaw else labels


def _from_universal(values: IntArray) -> IntArray:
    """FDI codes of Universal numbers 1 to 32."""
    table = np.zeros(33, np.int32)
    for number in range(1, 33):
        table[number] = from_universal(number)
    if len(values) and (int(values.min()) < 0 or int(values.max()) > 32):
        raise ReadError("the ids are not Universal numbers", expected="0 to 32")
    return table[values]


def _look_universal(values: IntArray) -> bool:
    """Whether ids of a lower arch are Universal numbers: all are 17 to 32, where only 31 and 32 are FDI codes."""
    ids = [id_ for id_ in np.unique(values).tolist() if id_ > 0]
    return all(17 <= id_ <= 32 for id_ in ids) and not all(is_tooth(id_) for id_ in ids)
