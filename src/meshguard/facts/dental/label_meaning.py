"""What the ids of labels mean where they are not simply FDI codes and 0: another gum, Universal numbers, split teeth.

The gum is known by its place: far larger than any tooth, beside nearly all of them, and along the mesh's boundary. A
tooth that carries its own number and that of the other jaw is one crown. Checks and repair then work with the labels
that are meant; the mesh keeps its ids.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from meshguard import fdi
from meshguard.mesh import label_of_corners

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshguard.facts.arrays import Whole
    from meshguard.facts.mesh.facts import MeshFacts
    from meshguard.mesh import Carrier, FloatArray, IntArray, Jaw

BESIDE_TEETH = 0.75
"""The gum borders at least this share of the teeth (proposal; a tooth borders its neighbours only)."""

TIMES_A_TOOTH = 2.0
"""The gum has at least this many times the area of the largest tooth (proposal: neighbouring crowns differ by less, and
the gum of whole arches has 4 to 20 times)."""

TIMES_THE_ONLY_TOOTH = 4.0
"""The same beside one tooth alone, where only the size tells the two apart (proposal)."""

SHARE_OF_BOUNDARY = 0.5
"""At least this share of the mesh's boundary edges, if it has any, is the gum's (proposal)."""

SHARE_OF_A_TOOTH = 0.25
"""Label 0 is a tooth, not surface without a label, from this share of the median tooth's area on (proposal)."""

SPLIT_BORDER = 0.15
"""Two numbers share a crown when at least this share of the border of one of them is with the other (proposal)."""

SPLIT_AREA = 0.1
"""A crown has two numbers for certain when each covers this share of it (proposal): less may be an island."""

MIN_SPLIT = 2
"""With fewer split teeth the labels of both jaws were not mixed; each wrong number is a matter of its own."""


MIN_BORDERS = 50
"""With fewer edges between labels their places say nothing: a mesh of a few faces is nearly all border."""

MOST_LABELS = 256
"""With more labels than this, no label is looked for that is the gum: it is no segmentation of teeth."""


class LabelMeaning(NamedTuple):
    """How the ids of labels are read.

    Attributes:
        is_fdi: whether the labels are FDI codes when they have been read; else anonymous classes.
        gum: the id that means gum.
        jaw: the jaw that was stated, else the one that most codes name; None where no code does, or in a tie.
        numbers: id -> label, for the ids that are not labels already. Where 0 is a class of teeth, it has a label that
            no id is.
        split: the two FDI codes that one crown carries, for each such crown: the one it is read as, the other jaw's.
        notes: what had to be decided, in sentences.
    """

    is_fdi: bool
    gum: int
    jaw: Jaw | None
    numbers: Mapping[int, int]
    split: tuple[tuple[int, int], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def teeth_are_ids(self) -> bool:
        """Whether the ids of teeth are their labels, whatever id the gum has."""
        return not self.numbers.keys() - {self.gum}

    def read(self, ids: npt.NDArray[np.int32]) -> IntArray:
        """The labels that ids mean, int32 (k,)."""
        return _replaced(ids, self.numbers)

    def stored(self, labels: IntArray) -> IntArray:
        """The ids that mean these labels, int32 (k,); of a split tooth the one that it is read as."""
        others = {other for _, other in self.split}
        return _replaced(labels, {label: id_ for id_, label in self.numbers.items() if id_ not in others})


class LabelContacts(NamedTuple):
    """How much surface each label has, and where labels meet; faces of three labels have the middle one.

    Attributes:
        ids: int32 (L,), the different labels of faces, ascending.
        area: float64 (L,), mm2.
        borders: int64 (L, L), number of edges between faces of two labels, symmetric, 0 on the diagonal.
        boundary: int64 (L,), number of edges on the boundary of the mesh.
    """

    ids: IntArray
    area: FloatArray
    borders: Whole
    boundary: Whole

    @property
    def n_borders(self) -> int:
        """Number of edges between faces of two labels."""
        return int(self.borders.sum()) // 2


def find_meaning(
    surface: MeshFacts,
    per: Carrier,
    of_node: IntArray,
    *,
    counts: Mapping[int, int],
    is_fdi: bool | None,
    jaw: Jaw | None,
) -> LabelMeaning:
    """What the ids of a mesh's labels mean.

    Args:
        surface: the mesh.
        per: what carries the labels.
        of_node: int32 (N,), id of each face or position.
        counts: each different id, and how many nodes have it.
        is_fdi: whether ids are FDI codes, as far as reading them could tell; None: the ids alone decide.
        jaw: the jaw, where it is stated.
    """
    contacts: LabelContacts | None = None
    gum = 0  # as on most meshes, where it is also what most nodes have
    if 1 < len(counts) <= MOST_LABELS and counts.get(0, 0) < max(counts.values()):
        contacts = find_contacts(surface, per, of_node)
        gum = _gum_of(contacts) if contacts.n_borders >= MIN_BORDERS else 0
    teeth = [id_ for id_ in counts if id_ not in (0, gum)]
    if is_fdi is None and fdi.look_universal(teeth, jaw=jaw, has_gum=gum == fdi.UNIVERSAL_GUM):
        return _universal(teeth, gum, jaw)
    if is_fdi is None:
        is_fdi = fdi.look_like_codes(teeth)
    numbers = {gum: 0} if gum else {}
    if not is_fdi:
        if contacts is not None and gum and _is_zero_a_tooth(contacts, teeth):
            numbers[0] = max(counts) + 1
        return LabelMeaning(False, gum, jaw, numbers)
    codes = [id_ for id_ in teeth if fdi.is_tooth(id_)]
    votes = Counter(fdi.jaw_of(code) for code in codes)
    if jaw is None and votes["upper"] != votes["lower"]:
        jaw = "upper" if votes["upper"] > votes["lower"] else "lower"
    split: tuple[tuple[int, int], ...] = ()
    if any(len(pairs) >= MIN_SPLIT for pairs in _twice_numbered(codes)):
        contacts = contacts or find_contacts(surface, per, of_node)
        split = _split_teeth(contacts, codes, jaw) if contacts.n_borders >= MIN_BORDERS else ()
    return LabelMeaning(True, gum, jaw, {**numbers, **{other: code for code, other in split}}, split)


def find_contacts(surface: MeshFacts, per: Carrier, of_node: IntArray) -> LabelContacts:
    """How much surface each label has, and which labels meet."""
    of_face = of_node if per == "face" else label_of_corners(of_node, surface.corners)
    ids, place = np.unique(of_face, return_inverse=True)
    count = len(ids)
    first, second = place[surface.edge_faces(surface.edges.paired)].T
    pairs = np.bincount(first * count + second, minlength=count * count).reshape(count, count)
    borders = pairs + pairs.T
    np.fill_diagonal(borders, 0)
    area: FloatArray = np.bincount(place, np.nan_to_num(surface.face_measures.area), count).astype(np.float64)
    boundary = np.bincount(place[surface.edges.boundary // 3], minlength=count)
    return LabelContacts(ids.astype(np.int32), area, borders, boundary)


def _gum_of(contacts: LabelContacts) -> int:
    """The id that looks like the gum, where 0 does not; else 0."""
    is_label = contacts.ids != 0
    if np.count_nonzero(is_label) < 2:
        return 0
    place = int(np.argmax(np.where(is_label, contacts.area, -1.0)))
    is_other = is_label.copy()
    is_other[place] = False
    others = np.flatnonzero(is_other)
    times = TIMES_A_TOOTH if len(others) > 1 else TIMES_THE_ONLY_TOOTH
    is_gum = (
        contacts.area[place] >= times * contacts.area[others].max()
        and _share_beside(contacts, place, others) >= BESIDE_TEETH
        and contacts.boundary[place] >= SHARE_OF_BOUNDARY * contacts.boundary.sum()
    )
    zero = np.flatnonzero(~is_label)
    is_zero_gum = len(zero) > 0 and _share_beside(contacts, int(zero[0]), others) >= 0.5
    return int(contacts.ids[place]) if is_gum and not is_zero_gum else 0


def _share_beside(contacts: LabelContacts, place: int, others: npt.NDArray[np.intp]) -> float:
    """The share of other labels that a label has a border with."""
    return float(np.count_nonzero(contacts.borders[place, others]) / len(others))


def _is_zero_a_tooth(contacts: LabelContacts, teeth: list[int]) -> bool:
    """Whether label 0, which is not the gum, has as much surface as a tooth."""
    area = contacts.area[np.isin(contacts.ids, teeth)]
    own = float(contacts.area[contacts.ids == 0].sum())
    return own > 0 and own >= SHARE_OF_A_TOOTH * float(np.median(area))


def _universal(teeth: list[int], gum: int, jaw: Jaw | None) -> LabelMeaning:
    """Universal numbers of one jaw, read as FDI codes."""
    numbers = {id_: fdi.from_universal(id_) for id_ in teeth if id_ > 0}
    jaw = jaw or fdi.jaw_of(next(iter(numbers.values())))
    notes = (fdi.universal_note(has_gum=gum == fdi.UNIVERSAL_GUM),)
    return LabelMeaning(True, gum, jaw, {**numbers, **({gum: 0} if gum else {})}, notes=notes)


def _split_teeth(contacts: LabelContacts, codes: list[int], jaw: Jaw | None) -> tuple[tuple[int, int], ...]:
    """Codes that share a crown with the other jaw's of the same place, each with that one; none if too few do.

    The other jaw's number is that of the antagonist, or, where one jaw's numbers were mirrored, of the other side. Once
    some crowns have two numbers for certain, smaller parts of others count too.
    """
    found = [
        {pair: area for pair in pairs if (area := _lesser_share(contacts, *pair)) > 0.0}
        for pairs in _twice_numbered(codes)
    ]
    shared = max(found, key=len)
    if sum(area >= SPLIT_AREA for area in shared.values()) < MIN_SPLIT:
        return ()
    return tuple((lower, upper) if jaw == "lower" else (upper, lower) for upper, lower in shared)


def _twice_numbered(codes: list[int]) -> list[list[tuple[int, int]]]:
    """Upper codes with a lower one of the same place, ascending: on the same side, and on the other side."""
    upper, lower = (sorted(code for code in codes if fdi.jaw_of(code) == jaw) for jaw in ("upper", "lower"))
    same = [(code, fdi.antagonist(code)) for code in upper]
    other = [(code, fdi.antimere(partner)) for code, partner in same]
    return [[pair for pair in pairs if pair[1] in lower] for pairs in (same, other)]


def _lesser_share(contacts: LabelContacts, first: int, second: int) -> float:
    """What share of one crown the smaller of two labels has; 0 where they do not meet as labels on one crown do."""
    a, b = np.searchsorted(contacts.ids, (first, second))
    if a == len(contacts.ids) or b == len(contacts.ids) or contacts.ids[a] != first or contacts.ids[b] != second:
        return 0.0  # so few vertices carry a label that no face has it
    least_border = min(int(contacts.borders[a].sum()), int(contacts.borders[b].sum()))
    shared, both = int(contacts.borders[a, b]), float(contacts.area[a] + contacts.area[b])
    if shared == 0 or shared < SPLIT_BORDER * least_border or both == 0.0:
        return 0.0
    return min(float(contacts.area[a]), float(contacts.area[b])) / both


def _replaced(values: npt.NDArray[np.int32], numbers: Mapping[int, int]) -> IntArray:
    """Values with some of them replaced; the array itself where none are."""
    if not numbers:
        return values
    replaced = values.copy()
    for before, after in numbers.items():
        replaced[values == before] = after
    return replaced
