"""Errors: one family, texts that help, and parts that survive a process pool."""

from __future__ import annotations

import pickle

import pytest

from meshguard.errors import BudgetExceeded, MeshError, MeshGuardError, PolicyError, ReadError


@pytest.mark.parametrize("kind", [MeshError, PolicyError, ReadError, BudgetExceeded])
def test_every_error_is_of_the_family(kind: type[Exception]) -> None:
    assert issubclass(kind, MeshGuardError)


@pytest.mark.parametrize("kind", [MeshError, PolicyError, ReadError])
def test_errors_about_a_value_are_value_errors(kind: type[Exception]) -> None:
    assert issubclass(kind, ValueError)


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ({}, "it ends early"),
        ({"offset": 0}, "it ends early (at byte 0)"),
        ({"expected": "134 bytes"}, "it ends early: expected 134 bytes"),
        (
            {"expected": "134 bytes", "got": "84", "offset": 84},
            "it ends early: expected 134 bytes, got 84 (at byte 84)",
        ),
        # What stood there says nothing without what was expected.
        ({"got": "84"}, "it ends early"),
    ],
)
def test_text_of_a_read_error(parts: dict[str, object], text: str) -> None:
    assert str(ReadError("it ends early", **parts)) == text  # type: ignore[arg-type]


def test_read_error_survives_pickling_with_its_parts() -> None:
    error = pickle.loads(pickle.dumps(ReadError("it ends early", offset=84, expected="134 bytes", got="84 bytes")))

    assert isinstance(error, ReadError)
    assert (error.reason, error.offset, error.expected, error.got) == ("it ends early", 84, "134 bytes", "84 bytes")
    assert str(error) == "it ends early: expected 134 bytes, got 84 bytes (at byte 84)"
