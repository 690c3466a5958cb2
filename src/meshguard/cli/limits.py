"""What a command may take: the options for it, and the budget they make."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshguard.budget import Budget

_Command = TypeVar("_Command", bound="Callable[..., object]")


def budget_options(command: _Command) -> _Command:
    """The options --max-bytes, --max-faces and --max-seconds of a command that reads files."""
    for option in (
        click.option(
            "--max-seconds",
            type=click.FloatRange(0),
            metavar="S",
            help="Give up a file after so long; what this stops depends on the machine.",
        ),
        click.option("--max-faces", type=click.IntRange(0), metavar="N", help="Refuse a mesh with more faces."),
        click.option(
            "--max-bytes", type=click.IntRange(0), metavar="N", help="Refuse a file with more bytes, decompressed."
        ),
    ):
        command = option(command)
    return command


def budget_of(max_bytes: int | None, max_faces: int | None, max_seconds: float | None) -> Budget:
    """The budget that the options ask for; the default one where they are not given."""
    from meshguard.budget import Budget

    budget = Budget(max_faces=max_faces, max_seconds=max_seconds)
    return budget if max_bytes is None else replace(budget, max_bytes=max_bytes)
