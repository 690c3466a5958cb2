"""Tooth numbers: every rule of ISO 3950, Universal and Palmer, and what prescriptions say."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshguard import fdi
from meshguard.errors import MeshGuardError, ToothError

if TYPE_CHECKING:
    from collections.abc import Iterable

TEETH = fdi.PERMANENT + fdi.DECIDUOUS
EACH = pytest.mark.parametrize("code", TEETH)


def test_there_are_32_and_20() -> None:
    assert len(fdi.PERMANENT) == len(set(fdi.PERMANENT)) == 32
    assert len(fdi.DECIDUOUS) == len(set(fdi.DECIDUOUS)) == 20
    assert [code for code in range(-1, 100) if fdi.is_tooth(code)] == sorted(TEETH)


@pytest.mark.parametrize("code", [0, 10, 19, 49, 50, 56, 86, 90, -11, 1611])
def test_what_is_no_tooth_is_refused(code: int) -> None:
    assert not fdi.is_tooth(code)
    for question in (fdi.jaw_of, fdi.position, fdi.antimere, fdi.successor, fdi.to_palmer, fdi.to_universal):
        with pytest.raises(ToothError, match="is not an FDI code"):
            question(code)


@pytest.mark.parametrize(
    ("code", "jaw", "side", "position", "kind", "universal", "palmer", "antimere", "antagonist"),
    [
        # From the tooth charts of the ADA and of ISO 3950.
        (18, "upper", "right", 8, "molar", "1", "UR8", 28, 48),
        (11, "upper", "right", 1, "incisor", "8", "UR1", 21, 41),
        (21, "upper", "left", 1, "incisor", "9", "UL1", 11, 31),
        (24, "upper", "left", 4, "premolar", "12", "UL4", 14, 34),
        (28, "upper", "left", 8, "molar", "16", "UL8", 18, 38),
        (38, "lower", "left", 8, "molar", "17", "LL8", 48, 28),
        (31, "lower", "left", 1, "incisor", "24", "LL1", 41, 21),
        (41, "lower", "right", 1, "incisor", "25", "LR1", 31, 11),
        (46, "lower", "right", 6, "molar", "30", "LR6", 36, 16),
        (48, "lower", "right", 8, "molar", "32", "LR8", 38, 18),
        (55, "upper", "right", 5, "molar", "A", "URE", 65, 85),
        (51, "upper", "right", 1, "incisor", "E", "URA", 61, 81),
        (61, "upper", "left", 1, "incisor", "F", "ULA", 51, 71),
        (65, "upper", "left", 5, "molar", "J", "ULE", 55, 75),
        (75, "lower", "left", 5, "molar", "K", "LLE", 85, 65),
        (71, "lower", "left", 1, "incisor", "O", "LLA", 81, 61),
        (81, "lower", "right", 1, "incisor", "P", "LRA", 71, 51),
        (83, "lower", "right", 3, "canine", "R", "LRC", 73, 53),
        (85, "lower", "right", 5, "molar", "T", "LRE", 75, 55),
    ],
)
def test_the_charts(
    code: int,
    jaw: str,
    side: str,
    position: int,
    kind: str,
    universal: str,
    palmer: str,
    antimere: int,
    antagonist: int,
) -> None:
    found = (fdi.jaw_of(code), fdi.side_of(code), fdi.position(code), fdi.kind_of(code))
    assert found == (jaw, side, position, kind)
    assert (fdi.to_universal(code), fdi.to_palmer(code)) == (universal, palmer)
    assert (fdi.antimere(code), fdi.antagonist(code)) == (antimere, antagonist)


@EACH
def test_conversions_come_back(code: int) -> None:
    assert fdi.from_universal(fdi.to_universal(code)) == code
    assert fdi.from_palmer(fdi.to_palmer(code)) == code
    assert fdi.parse(fdi.to_palmer(code)) == [code]
    assert fdi.parse(str(code), system="fdi") == [code]
    assert fdi.parse(f"{code // 10}.{code % 10}") == [code]
    assert fdi.parse(fdi.to_universal(code), system="universal") == [code]
    assert fdi.antimere(fdi.antimere(code)) == fdi.antagonist(fdi.antagonist(code)) == code
    assert fdi.side_of(fdi.antimere(code)) != fdi.side_of(code) and fdi.jaw_of(fdi.antimere(code)) == fdi.jaw_of(code)


def test_every_symbol_is_another_tooth() -> None:
    assert len({fdi.to_universal(code) for code in TEETH}) == len({fdi.to_palmer(code) for code in TEETH}) == 52
    assert {fdi.from_universal(k) for k in range(1, 33)} == set(fdi.PERMANENT)
    assert {fdi.from_universal(letter) for letter in string.ascii_uppercase[:20]} == set(fdi.DECIDUOUS)
    assert [fdi.from_universal(f"{k}D") for k in range(1, 21)] == [
        fdi.from_universal(c) for c in "ABCDEFGHIJKLMNOPQRST"
    ]
    assert [fdi.from_palmer(text) for text in ("6┘", "└6", "┌6", "6┐", "⎿E")] == [16, 26, 36, 46, 65]


@pytest.mark.parametrize("symbol", ["0", "33", "U", "21D", "", "1.5", "-1", "\u0661"])
def test_no_universal_number(symbol: str) -> None:
    with pytest.raises(ToothError):
        fdi.from_universal(symbol)


def test_successors() -> None:
    assert [fdi.successor(code) for code in (55, 61, 83, 16)] == [15, 21, 43, None]
    assert [fdi.predecessor(code) for code in (15, 21, 43, 16, 55)] == [55, 61, 83, None, None]
    assert [fdi.slot_of(code) for code in (55, 15, 16)] == [15, 15, 16]


def test_the_arch_runs_from_right_to_left() -> None:
    assert fdi.arch_order("upper") == (18, 17, 16, 15, 14, 13, 12, 11, 21, 22, 23, 24, 25, 26, 27, 28)
    assert fdi.arch_order("lower", deciduous=True) == (85, 84, 83, 82, 81, 71, 72, 73, 74, 75)
    for jaw in ("upper", "lower"):
        assert [fdi.arch_index(code) for code in fdi.arch_order(jaw)] == list(range(16))
    assert fdi.arch_index(55) == fdi.arch_index(15) == fdi.arch_index(45)
    with pytest.raises(ToothError):
        fdi.arch_order("both")  # type: ignore[arg-type]


def test_names() -> None:
    assert fdi.name_of(24) == "upper left first premolar"
    assert fdi.name_of(83) == "lower right deciduous canine"
    assert fdi.name_of(75) == "lower left deciduous second molar"
    assert len({fdi.name_of(code) for code in TEETH}) == 52


@pytest.mark.parametrize(
    ("text", "teeth"),
    [
        ("UR6", [16]),
        ("lle", [75]),
        ("1.6", [16]),
        ("upper right 6", [16]),
        ("Tooth no. 48", [48]),
        ("the 35", [35]),
        ("#30", [46]),
        ("19", [36]),
        ("K", [75]),
        ("12D", [74]),
        ("FDI 24", [24]),
        ("Universal 24", [31]),
        ("FDI 24, 25", [24, 25]),
        ("upper 24", [24]),  # Universal 24 is a lower tooth
        ("lower 24", [31]),  # FDI 24 is an upper tooth
        ("lower 18-28", [37, 36, 35, 34, 33, 32, 31, 41, 42, 43, 44]),  # Universal, for the same reason
        ("lower 3-3", [43, 42, 41, 31, 32, 33]),
        ("3-3 lower", [43, 42, 41, 31, 32, 33]),
        ("L3-3", [43, 42, 41, 31, 32, 33]),
        ("upper and lower 3-3", [13, 12, 11, 21, 22, 23, 43, 42, 41, 31, 32, 33]),
        ("upper c-c", [53, 52, 51, 61, 62, 63]),
        ("UR6-UL6", [16, 15, 14, 13, 12, 11, 21, 22, 23, 24, 25, 26]),
        ("UL2 \u2013 UR2", [22, 21, 11, 12]),
        ("UR 3 to UL 1.", [13, 12, 11, 21]),
        ("UR6-4", [16, 15, 14]),
        ("upper right 4-6", [14, 15, 16]),
        ("53-63", [53, 52, 51, 61, 62, 63]),
        ("UR6, 7", [16, 17]),
        ("UR6, 7, 8", [16, 17, 18]),
        ("upper right and left 6", [16, 26]),
        ("upper right deciduous 4", [54]),
        ("36, 46 and 75", [36, 46, 75]),
        ("36, 36", [36]),
        ("UR1 ul1", [11, 21]),
    ],
)
def test_prescriptions(text: str, teeth: list[int]) -> None:
    assert fdi.parse(text) == teeth


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "names no tooth"),
        ("the teeth", "names no tooth"),
        ("upper", "names no tooth"),
        ("UR6, upper", "words without a tooth"),
        ("24", "more than one reading: FDI .upper left first premolar. or Universal .lower left central incisor."),
        ("#24", "more than one reading"),
        ("upper 13", "more than one reading"),  # upper in both systems
        ("3", "more than one reading"),
        ("upper 3", "no side"),
        ("A", "more than one reading"),
        ("49", "is not a tooth"),
        ("5.8", "is not a tooth"),
        ("upper 33", "is not a tooth of the jaw"),
        ("UR6-LR6", "not a range"),
        ("55-26", "more than one|not a range"),
        ("upper 6-4", "which end is right"),
        ("-", "dash"),
        ("UR6-", "dash"),
        ("upper lower 6", "put a comma"),
        ("upper 3-3 lower 3-3", "put a comma"),
        ("John Smith", "the word at character 1"),
        ("0.5 mm", "character 1 is not understood"),
        ("UR9", "not understood"),
    ],
)
def test_what_cannot_be_read_without_a_guess(text: str, match: str) -> None:
    with pytest.raises(ToothError, match=match):
        fdi.parse(text)


def test_the_system_settles_a_number() -> None:
    assert fdi.parse("24", system="fdi") == [24]
    assert fdi.parse("24", system="universal") == [31]
    assert fdi.parse("13-23", system="fdi") == [13, 12, 11, 21, 22, 23]
    assert fdi.parse("17-32", system="universal") == [*fdi.arch_order("lower")[::-1]]
    assert fdi.parse("3", system="universal") == [16]
    assert fdi.parse("lower 3-3", system="universal") == [43, 42, 41, 31, 32, 33]
    with pytest.raises(ToothError, match="more than one reading"):
        fdi.parse("upper right 3", system="universal")  # Universal 3 is 16, and the third on the upper right 13
    with pytest.raises(ToothError, match="Palmer"):
        fdi.parse("24", system="palmer")
    with pytest.raises(ToothError, match="the text says fdi"):
        fdi.parse("FDI 24", system="universal")
    with pytest.raises(ToothError, match="system must be"):
        fdi.parse("24", system="ada")  # type: ignore[arg-type]


@given(st.text(max_size=20) | st.text("URLurl1234567890ABCDE-, #.to", max_size=20))
def test_any_text_gives_teeth_or_a_refusal(text: str) -> None:
    try:
        teeth = fdi.parse(text)
    except MeshGuardError:
        return
    assert teeth and all(fdi.is_tooth(code) for code in teeth) and len(set(teeth)) == len(teeth)


def test_a_refusal_quotes_no_words() -> None:
    with pytest.raises(ToothError) as caught:
        fdi.parse("Smith 24")
    assert "mith" not in str(caught.value).lower()


@pytest.mark.parametrize(
    ("ids", "numbering"),
    [
        ([31, 32, 41, 42], "fdi"),
        ([31, 32, 41, 42, 99], "fdi"),
        ([55, 85, 11], "fdi"),
        ([-1, 36], "fdi"),
        (list(range(1, 15)), "anonymous"),
        (list(range(17, 33)), "anonymous"),
        ([], "anonymous"),
    ],
)
def test_what_ids_look_like(ids: list[int], numbering: str) -> None:
    assert fdi.look_like_codes(ids) == (numbering == "fdi")


def test_half_of_the_ids_are_enough_where_they_are_said_to_be_codes() -> None:
    assert fdi.look_like_codes([11, 99], declared=True) and not fdi.look_like_codes([11, 99])
    assert not fdi.look_like_codes([], declared=True) and not fdi.look_like_codes([11, 99, 98], declared=True)


@pytest.mark.parametrize(
    ("ids", "options", "wanted"),
    [
        (range(17, 33), {}, True),
        (range(18, 32), {"jaw": "lower"}, True),
        (range(18, 32), {"jaw": "upper"}, False),
        ((18, 20, 21, 22, 23, 29, 31), {}, True),
        ((18, *range(21, 29), 31), {}, False),  # all are codes
        ((20, *range(21, 28)), {}, False),  # one wrong code of an upper arch, or a lower arch
        ((20, *range(21, 28)), {"jaw": "lower"}, True),
        (range(2, 16), {}, False),
        (range(2, 16), {"has_gum": True}, True),
        (range(22, 28), {"has_gum": True}, True),
        (range(22, 28), {"has_gum": True, "jaw": "upper"}, False),
        ((31, 32), {"has_gum": True}, False),  # the gum's number is a code beside them
        (range(1, 33), {"has_gum": True}, False),  # of both jaws
        ((0, -1), {}, False),
    ],
)
def test_what_can_hardly_be_anything_but_universal(ids: Iterable[int], options: Any, wanted: bool) -> None:
    assert fdi.look_universal(ids, **options) is wanted
