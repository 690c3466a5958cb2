"""Tooth numbers: FDI (ISO 3950), Universal and Palmer, and how prescriptions write them; no geometry.

A tooth is its FDI code, an int: the quadrant, then the position counted from the midline. Quadrants run as the dentist
sees them: 1 upper right, 2 upper left, 3 lower left, 4 lower right of the *patient*; 5 to 8 are the same four for
deciduous teeth. All functions take and return plain ints, so that a label of a mesh can be passed as it is; 0, the gum,
is not a tooth. Mixed dentition is normal: no function assumes a single dentition.

Sources: ISO 3950 (FDI); ADA Universal (1-32, A-T, also 1D-20D); Palmer (UR6, or a number beside a bracket).
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from meshguard.errors import ToothError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Jaw: TypeAlias = Literal["upper", "lower"]
Side: TypeAlias = Literal["right", "left"]
Kind: TypeAlias = Literal["incisor", "canine", "premolar", "molar"]
System: TypeAlias = Literal["fdi", "universal", "palmer"]

PERMANENT = tuple(10 * quadrant + position for quadrant in range(1, 5) for position in range(1, 9))
"""The 32 permanent teeth, 11 to 48."""

DECIDUOUS = tuple(10 * quadrant + position for quadrant in range(5, 9) for position in range(1, 6))
"""The 20 deciduous teeth, 51 to 85."""

_TEETH = frozenset(PERMANENT + DECIDUOUS)
_SYSTEM_NAMES = {None: "FDI or Universal", "fdi": "FDI", "universal": "Universal", "palmer": "Palmer"}
_JAWS: tuple[Jaw, ...] = ("upper", "upper", "lower", "lower")
_SIDES: tuple[Side, ...] = ("right", "left", "left", "right")
_QUADRANTS = {"UR": 1, "UL": 2, "LL": 3, "LR": 4}
_QUADRANT_OF: dict[tuple[str, str], int] = {
    (jaw, side): k + 1 for k, (jaw, side) in enumerate(zip(_JAWS, _SIDES, strict=True))
}
_BRACKETS = {"┘": 1, "⏌": 1, "└": 2, "⎿": 2, "┌": 3, "⎾": 3, "┐": 4, "⏋": 4}


# ---- one tooth


def is_tooth(code: int) -> bool:
    """Whether this is the FDI code of a tooth; 0, the gum, is not."""
    return code in _TEETH


FDI_SHARE = 0.75
"""Ids are taken for FDI codes when more than this share of the distinct ones are. A few ids that are not codes are
errors in an FDI file, not another numbering; of Universal 17 to 32 three quarters happen to be codes."""


def look_like_codes(ids: Iterable[int], *, declared: bool = False) -> bool:
    """Whether ids are codes of teeth, by the share of the distinct ones that are; 0 and negative ids do not count.

    Args:
        ids: each once.
        declared: whether they are said to be codes; then half of them are enough.
    """
    positive = [id_ for id_ in ids if id_ > 0]
    known = sum(is_tooth(id_) for id_ in positive)
    if declared:
        return bool(positive) and 2 * known >= len(positive)
    return known > FDI_SHARE * len(positive)


UNIVERSAL_GUM = 33
"""The gum of tools that label in Universal numbers (SlicerDentalModelSeg): the number after the teeth."""


def universal_note(*, has_gum: bool) -> str:
    """What a person is told where ids were read as Universal numbers without being asked."""
    return f"The ids are read as Universal numbers{', and 33 as the gum' if has_gum else ''}."


def look_universal(ids: Iterable[int], *, jaw: Jaw | None = None, has_gum: bool = False) -> bool:
    """Whether ids, each once, can be Universal numbers of one jaw and can hardly be FDI codes; `jaw` is what is stated.

    With `has_gum`, 33 is the gum; without, an upper arch is undecided, as classes without names begin at 1 too.
    """
    numbers = {id_ for id_ in ids if id_ > 0} - ({UNIVERSAL_GUM} if has_gum else set())
    own: Jaw = "upper" if numbers <= set(range(1, 17)) else "lower"
    if not numbers or (own == "lower" and not numbers <= set(range(17, 33))):
        return False
    jaws = [jaw_of(id_) if is_tooth(id_) else None for id_ in (*numbers, *((UNIVERSAL_GUM,) if has_gum else ()))]
    n_amiss = len(jaws) - (jaws.count(jaw) if jaw else max(jaws.count("upper"), jaws.count("lower")))
    if not has_gum:
        return own == "lower" and jaw != "upper" and None in jaws and n_amiss > 1
    return None in jaws or (n_amiss > 0 and jaw in (None, own))


def quadrant_of(code: int) -> int:
    """1 upper right, 2 upper left, 3 lower left, 4 lower right; deciduous teeth count in the same four.

    Raises:
        ToothError: this is not an FDI code. Every function here that takes one raises it.
    """
    return (_checked(code) // 10 - 1) % 4 + 1


def jaw_of(code: int) -> Jaw:
    """The jaw that a tooth belongs to."""
    return _JAWS[quadrant_of(code) - 1]


def side_of(code: int) -> Side:
    """The patient's side that a tooth belongs to."""
    return _SIDES[quadrant_of(code) - 1]


def position(code: int) -> int:
    """Position counted from the midline: 1 (central incisor) to 8, deciduous 1 to 5."""
    return _checked(code) % 10


def is_deciduous(code: int) -> bool:
    """Whether a tooth is of the first dentition."""
    return _checked(code) > 48


def kind_of(code: int) -> Kind:
    """What kind of tooth it is; positions 4 and 5 are premolars, in the first dentition molars."""
    place = position(code)
    if place <= 2:
        return "incisor"
    if place == 3:
        return "canine"
    return "premolar" if place <= 5 and not is_deciduous(code) else "molar"


def antimere(code: int) -> int:
    """The same tooth on the other side: 16 and 26, 75 and 85."""
    quadrant, place = divmod(_checked(code), 10)
    return 10 * (quadrant + 1 if quadrant % 2 else quadrant - 1) + place


def antagonist(code: int) -> int:
    """The tooth of the same number in the other jaw: 16 and 46, 53 and 83."""
    quadrant, place = divmod(_checked(code), 10)
    first = 1 if quadrant <= 4 else 5
    return 10 * (2 * first + 3 - quadrant) + place


def successor(code: int) -> int | None:
    """The permanent tooth that replaces a deciduous one, 55 -> 15; None for a permanent tooth."""
    return code - 40 if is_deciduous(code) else None


def predecessor(code: int) -> int | None:
    """The deciduous tooth that a permanent one replaces, 15 -> 55; None where there is none."""
    return None if is_deciduous(code) or position(code) > 5 else code + 40


def slot_of(code: int) -> int:
    """The permanent tooth whose place in the arch a tooth takes: itself, or its successor."""
    return successor(code) or code


# ---- the arch


def arch_order(jaw: Jaw, *, deciduous: bool = False) -> tuple[int, ...]:
    """All teeth of a jaw from the patient's right to the left: 18 … 11, 21 … 28."""
    if jaw not in ("upper", "lower"):
        raise ToothError(f"a jaw is 'upper' or 'lower', not {_shown(str(jaw))}")
    right, left = (1, 2) if jaw == "upper" else (4, 3)
    shift, count = (4, 5) if deciduous else (0, 8)
    from_right = [10 * (right + shift) + place for place in range(count, 0, -1)]
    return (*from_right, *(10 * (left + shift) + place for place in range(1, count + 1)))


def arch_index(code: int) -> int:
    """Place along the arch from the right, 0 (18, 48) to 15 (28, 38); a deciduous tooth has its successor's."""
    place = position(code)
    return 8 - place if side_of(code) == "right" else 7 + place


def name_of(code: int) -> str:
    """The tooth in words: "upper left first premolar", "lower right deciduous canine"."""
    place, kind = position(code), kind_of(code)
    order = {
        "incisor": ("central", "lateral")[place - 1] if place <= 2 else "",
        "canine": "",
        "premolar": ("first", "second")[(place - 4) % 2],
        "molar": ("first", "second", "third")[(place - (4 if is_deciduous(code) else 6)) % 3],
    }[kind]
    words = (jaw_of(code), side_of(code), "deciduous" if is_deciduous(code) else "", order, kind)
    return " ".join(word for word in words if word)


# ---- other systems


def from_universal(symbol: int | str) -> int:
    """The FDI code of a Universal number: 1 to 32, "A" to "T", or "1D" to "20D".

    Raises:
        ToothError: no such number.
    """
    text = str(symbol).strip().upper()
    if re.fullmatch(r"[A-T]", text):
        return _universal_deciduous(ord(text) - 64)
    if match := re.fullmatch(r"([0-9]{1,2})D", text):
        if 1 <= int(match[1]) <= 20:
            return _universal_deciduous(int(match[1]))
    elif re.fullmatch(r"[0-9]{1,2}", text) and 1 <= int(text) <= 32:
        number = int(text)
        return arch_order("upper")[number - 1] if number <= 16 else arch_order("lower")[32 - number]
    raise ToothError(f"{_shown(text)} is not a tooth in Universal numbering, which has 1 to 32 and A to T")


def to_universal(code: int) -> str:
    """The Universal number of a tooth: "1" (18) to "32" (48), "A" (55) to "T" (85)."""
    if is_deciduous(code):
        upper, lower = arch_order("upper", deciduous=True), arch_order("lower", deciduous=True)
        return chr(65 + (upper + lower[::-1]).index(code))
    return str(arch_index(code) + 1 if jaw_of(code) == "upper" else 32 - arch_index(code))


def from_palmer(symbol: str) -> int:
    """The FDI code of a Palmer symbol: "UR6", "LLE", or the number with its bracket, "6┘", "└6", "┌6", "6┐".

    Raises:
        ToothError: no such symbol.
    """
    text = re.sub(r"\s", "", str(symbol)).upper()
    match = re.fullmatch(r"(U|L)(R|L)([1-8A-E])", text)
    if match:
        return _in_quadrant(_QUADRANTS[match[1] + match[2]], match[3])
    # The upright stroke of a bracket is the midline: the number is on the side where an observer sees the tooth.
    if match := re.fullmatch(r"([1-8A-E])([┘⏌┐⏋])", text):
        return _in_quadrant(_BRACKETS[match[2]], match[1])
    if match := re.fullmatch(r"([└⎿┌⎾])([1-8A-E])", text):
        return _in_quadrant(_BRACKETS[match[1]], match[2])
    raise ToothError(f"{_shown(text)} is not a tooth in Palmer notation, which writes UR6 or LLE")


def to_palmer(code: int) -> str:
    """The Palmer symbol of a tooth: "UR6", "LLE" for a deciduous one."""
    corner = ("UR", "UL", "LL", "LR")[quadrant_of(code) - 1]
    return corner + ("ABCDE"[position(code) - 1] if is_deciduous(code) else str(position(code)))


def _universal_deciduous(number: int) -> int:
    upper, lower = arch_order("upper", deciduous=True), arch_order("lower", deciduous=True)
    return (upper + lower[::-1])[number - 1]


def _in_quadrant(quadrant: int, place: str) -> int:
    """The tooth with Palmer's number or letter in a quadrant from 1 to 4."""
    return 10 * quadrant + int(place) if place.isdigit() else 10 * (quadrant + 4) + ord(place) - 64


# ---- what people write

_WORDS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("THE", "TOOTH", "TEETH", "NO", "NR", "NUMBER", "NUMBERS", "QUADRANT", "ARCH", "JAW"), ("", "")),
    **dict.fromkeys(("UPPER", "MAXILLARY", "MAXILLA"), ("jaw", "upper")),
    **dict.fromkeys(("LOWER", "MANDIBULAR", "MANDIBLE"), ("jaw", "lower")),
    **{side.upper(): ("side", side) for side in ("right", "left")},
    **dict.fromkeys(("DECIDUOUS", "PRIMARY", "BABY", "MILK"), ("dentition", "deciduous")),
    "PERMANENT": ("dentition", "permanent"),
    **{name: ("system", name.lower()) for name in ("FDI", "UNIVERSAL", "PALMER")},
    "ISO": ("system", "fdi"),
}
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<dotted>[1-8]\.[1-8])(?![\w.])
  | (?P<corner>[UL][RL])\s*(?P<place>[1-8A-E])(?!\w)
  | (?P<half>[UL])(?P<half_place>[1-8])(?!\w)
  | (?P<bracket>[1-8A-E][ ]?[┘⏌┐⏋]|[└⎿┌⎾][ ]?[1-8A-E])
  | (?P<hash>\#\s*)?(?:(?P<number>[0-9]{1,2})(?!\w|\.\d)|(?P<numbered>[0-9]{1,2}D|[A-T])(?!\w))
  | (?P<dash>[-\u2010-\u2015]|(?:TO|THROUGH|THRU)\b)
  | (?P<comma>[,;&+/\n]|(?:AND)\b)
  | (?P<word>[A-Z]{2,})\.?
)[ \t]*""",
    re.VERBOSE,
)


_Words: TypeAlias = dict[str, str]


@dataclass(frozen=True, slots=True)
class _Token:
    """A tooth or a dash as written: which alternative of `_TOKEN` it is, and its text."""

    kind: str
    text: str
    hash: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """A position whose quadrant is incomplete: the 3 of "lower 3-3", the L3 of "L3-3"."""

    place: str
    jaw: str | None
    side: str | None


def parse(text: str, *, system: System | None = None) -> list[int]:
    """The teeth that a prescription names, as FDI codes in the order written, each tooth once.

    Understood: "16", "1.6", "UR6", "6┘", "upper right 6", "the 35", "UR6-UL6", "UR6-4", "lower 3-3" (canine to canine),
    "upper and lower 3-3", "UR6, 7" (a bare position takes the quadrant before it), "FDI 24", "Universal 24", "#30",
    "upper right E", "12D". A range runs along the arch.

    Nothing is guessed. A number that is a tooth in more than one system, as 24 is (FDI: upper left first premolar;
    Universal: lower left central incisor), is read only where `system`, the text's own word for it, or a jaw or side
    beside it leaves one reading; a position without its quadrant is refused too.

    Args:
        text: what was written.
        system: the numbering of numbers that carry no other mark; None for what the text says.

    Raises:
        ToothError: no tooth, more than one reading, or words that contradict each other; the message quotes tooth
            numbers only.
    """
    if system not in (None, "fdi", "universal", "palmer"):
        raise ToothError(f"system must be 'fdi', 'universal', 'palmer' or None, not {_shown(str(system))}")
    found: list[int] = []
    contexts: list[_Words] = []
    quadrant: _Words = {}
    for words, tokens in _items(text):
        named = words.pop("system", None)
        if named is not None and system not in (None, named):
            raise ToothError(f"the text says {named}, but system is {system!r}")
        system = named or system  # type: ignore[assignment]
        # "upper right and left 6": the jaw that a part leaves out is that of the part before it.
        above = {"jaw": contexts[-1]["jaw"]} if contexts and "jaw" in contexts[-1] else {}
        contexts.append({**above, **words})
        if tokens:
            for context in contexts:
                if not context.keys() & {"jaw", "side"}:
                    context = {**context, **{f"last_{name}": value for name, value in quadrant.items()}}
                codes, quadrant = _teeth(tokens, context, system)
                found += codes
            contexts = []
    if contexts or not found:
        raise ToothError("the text names no tooth" if not found else "the text ends in words without a tooth")
    return list(dict.fromkeys(found))


def _items(text: str) -> Iterator[tuple[_Words, list[_Token]]]:
    """The parts between commas: the words of each part, and its teeth and dashes."""
    content = text.upper().rstrip().rstrip(".")
    words: _Words = {}
    tokens: list[_Token] = []
    is_closed = False
    start = 0
    while start < len(content):
        match = _TOKEN.match(content, start)
        if match is None:
            raise ToothError(f"the text at character {start + 1} is not understood")
        start = match.end()
        kind = str(match.lastgroup)
        if kind == "comma":
            if words or tokens:
                yield words, tokens
            words, tokens, is_closed = {}, [], False
        elif kind == "word":
            name, value = _WORDS.get(match["word"], (None, ""))
            if name is None:
                # Not quoted: it may be a name.
                raise ToothError(f"the word at character {match.start('word') + 1} is not understood")
            if name and words.setdefault(name, value) != value:
                raise ToothError(f"{words[name]} and {value} are in one part of the text; put a comma between them")
            is_closed = is_closed or bool(name and tokens)
        elif is_closed:
            raise ToothError("there are words between two teeth; put a comma where the next part begins")
        else:
            tokens.append(_Token(kind, match.group().strip().lstrip("# "), match["hash"] is not None))
    if words or tokens:
        yield words, tokens


def _teeth(tokens: list[_Token], words: _Words, system: str | None) -> tuple[list[int], _Words]:
    """The teeth of one part, and the quadrant that a bare position after it takes."""
    found: list[int] = []
    k = 0
    while k < len(tokens):
        is_range = k + 2 < len(tokens) and tokens[k + 1].kind == "dash"
        first = _reading(tokens[k], words, system)
        if not is_range:
            found.append(_completed(first))
            k += 1
            continue
        if tokens[k].kind == "place" and tokens[k + 2].kind in ("number", "numbered"):
            code = _completed(first)
            words = {"jaw": jaw_of(code), "side": side_of(code)}
        elif isinstance(first, _Place) and first.jaw is not None:
            words = {**words, "jaw": first.jaw}
        found += _range(first, _reading(tokens[k + 2], words, system))
        k += 3
    quadrant = {name: words.get(name, words.get(f"last_{name}", "")) for name in ("jaw", "side")}
    if tokens[-1].kind == "place":
        quadrant = {"jaw": jaw_of(found[-1]), "side": side_of(found[-1])}
    return found, quadrant if all(quadrant.values()) else {}


def _reading(token: _Token, words: _Words, system: str | None) -> int | _Place:
    """What a token means among the words around it.

    Raises:
        ToothError: it has no meaning, or more than one.
    """
    text = token.text
    if token.kind == "dash":
        raise ToothError("a dash must be between two teeth")
    if token.kind == "half_place":
        return _Place(text[1], "upper" if text[0] == "U" else "lower", words.get("side"))
    readings: dict[str, int | _Place] = {}
    if token.kind == "dotted":
        readings["FDI"] = int(text.replace(".", ""))
    elif token.kind in ("place", "bracket"):
        readings["Palmer"] = from_palmer(text)
    else:
        is_place = not token.hash and re.fullmatch("[1-8A-E]", text) is not None
        has_words = bool(words.keys() & {"jaw", "side", "last_jaw"})
        if is_place and (has_words or system != "universal"):
            jaw, side = words.get("jaw", words.get("last_jaw")), words.get("side", words.get("last_side"))
            place = chr(64 + int(text)) if words.get("dentition") == "deciduous" and text in "12345" else text
            readings["a position counted from the midline"] = _Place(place, jaw, side)
        if system in (None, "fdi") and text.isdigit() and is_tooth(int(text)):
            readings["FDI"] = int(text)
        # With a jaw or side, and after a quadrant, small numbers count from the midline unless Universal is asked for.
        if system == "universal" or (system is None and not (is_place and has_words)):
            with suppress(ToothError):
                readings["Universal"] = from_universal(text)
    fitting = {name: reading for name, reading in readings.items() if _fits(reading, words)}
    if not fitting:
        if readings:
            raise ToothError(f"{_shown(text)} is not a tooth of the jaw, side or dentition that the text names")
        raise ToothError(f"{_shown(text)} is not a tooth in {_SYSTEM_NAMES[system]} numbering")
    if len(fitting) > 1:
        shown = " or ".join(
            name if isinstance(reading, _Place) else f"{name} ({name_of(reading)})" for name, reading in fitting.items()
        )
        raise ToothError(f"{_shown(text)} has more than one reading: {shown}; say which system is meant")
    return next(iter(fitting.values()))


def _fits(reading: int | _Place, words: _Words) -> bool:
    """Whether a reading is a tooth that the words around it allow."""
    if isinstance(reading, _Place):
        return not (words.get("dentition") == "permanent" and reading.place.isalpha()) and not (
            words.get("dentition") == "deciduous" and reading.place.isdigit()
        )
    if not is_tooth(reading):
        return False
    dentition = "deciduous" if is_deciduous(reading) else "permanent"
    truth = {"jaw": jaw_of(reading), "side": side_of(reading), "dentition": dentition}
    return all(words.get(name, value) == value for name, value in truth.items())


def _completed(reading: int | _Place) -> int:
    """The tooth, where its quadrant is known."""
    if isinstance(reading, int):
        return reading
    if reading.jaw is None or reading.side is None:
        missing = " and ".join(name for name in ("jaw", "side") if getattr(reading, name) is None)
        raise ToothError(f"{_shown(reading.place)} names a position but no {missing}")
    return _in_quadrant(_QUADRANT_OF[reading.jaw, reading.side], reading.place)


def _range(first: int | _Place, last: int | _Place) -> list[int]:
    """All teeth between two, along the arch, both included."""
    jaw = first.jaw if isinstance(first, _Place) else None
    if isinstance(first, _Place) and isinstance(last, _Place) and jaw and first.side is None and last.side is None:
        if first.place != last.place or last.jaw != jaw:
            raise ToothError(f"{_shown(f'{first.place}-{last.place}')} does not say which end is right and which left")
        first, last = replace(first, side="right"), replace(last, side="left")
    ends = _completed(first), _completed(last)
    if jaw_of(ends[0]) != jaw_of(ends[1]) or is_deciduous(ends[0]) != is_deciduous(ends[1]):
        raise ToothError(f"{ends[0]} to {ends[1]} is not a range along one arch and one dentition")
    arch = arch_order(jaw_of(ends[0]), deciduous=is_deciduous(ends[0]))
    start, end = arch.index(ends[0]), arch.index(ends[1])
    return list(arch[start : end + 1] if start <= end else arch[end : start + 1][::-1])


# ---- refusals


def _checked(code: int) -> int:
    """The code as an int, if it is that of a tooth."""
    if not is_tooth(code):
        raise ToothError(f"{_shown(str(code))} is not an FDI code of a tooth (11 to 48, 51 to 85)")
    return int(code)


def _shown(text: str) -> str:
    """At most a few characters, in quotes."""
    return repr(text[:8] + ("…" if len(text) > 8 else ""))
