"""The tables of limits: names that are keys, and bounds that are limits of their own."""

from __future__ import annotations

import pickle
import re

import pytest

from meshguard.policy import LIMITS, Limit
from meshguard.policy.dental_limits import DENTAL_LIMITS
from meshguard.policy.limit import by_name
from meshguard.policy.mesh_limits import MESH_LIMITS


def test_each_is_found_under_its_own_name() -> None:
    assert [limit.name for limit in LIMITS.values()] == list(LIMITS) == [*MESH_LIMITS, *DENTAL_LIMITS]


def test_no_two_have_one_name() -> None:
    twice = Limit("reach_mm", 1.0, "As far as this.")
    with pytest.raises(ValueError, match="same name"):
        by_name(twice, twice)


def test_a_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        LIMITS["weld_mm"] = LIMITS["aspect"]  # type: ignore[index]


def test_a_bound_is_a_limit_that_says_what_it_bounds() -> None:
    bounded = {name: limit.bound for name, limit in LIMITS.items() if limit.bound is not None}
    meanings = {
        f"Upper bound of {name}, as a fraction of the mesh's "
        f"{'area' if LIMITS[name].whole == 'area_mm2' else 'diagonal'}.": bound
        for name, bound in bounded.items()
    }

    assert {
        limit.meaning: name for name, limit in LIMITS.items() if limit.meaning.startswith("Upper bound")
    } == meanings


@pytest.mark.parametrize(("name", "whole"), [("weld_mm", "diagonal_mm"), ("floating_area_mm2", "area_mm2")])
def test_a_length_is_bounded_by_the_diagonal_and_an_area_by_the_area(name: str, whole: str) -> None:
    assert LIMITS[name].whole == whole


@pytest.mark.parametrize("limit", LIMITS.values(), ids=lambda limit: limit.name)
def test_a_source_has_authors_a_year_and_a_doi_or_says_that_it_is_a_proposal(limit: Limit) -> None:
    is_published = re.search(r"[A-Z][\w-]+.* (19|20)\d\d, doi:10\.\d{4,}/\S+", limit.source)

    assert limit.source.startswith("proposal") or is_published
    assert not limit.source.endswith(".")


@pytest.mark.parametrize("limit", LIMITS.values(), ids=lambda limit: limit.name)
def test_a_direction_ends_with_the_word_before_the_value(limit: Limit) -> None:
    assert not limit.direction or limit.direction.split()[-1] in {"above", "below", "to", "from", "than", "most", "of"}


@pytest.mark.parametrize(
    ("name", "unit"),
    [("weld_mm", "mm"), ("floating_area_mm2", "mm2"), ("fold_angle_deg", "deg"), ("aspect", ""), ("rim_share", "")],
)
def test_the_unit_is_the_end_of_the_name(name: str, unit: str) -> None:
    assert LIMITS[name].unit == unit


def test_pickling() -> None:
    assert pickle.loads(pickle.dumps(LIMITS["weld_mm"])) == LIMITS["weld_mm"]
