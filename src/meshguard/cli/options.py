"""Options that several commands have, and what they stand for: budget, labels and jaw, policy."""

from __future__ import annotations

import os
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshguard.budget import Budget
    from meshguard.io.labels import Labels
    from meshguard.mesh import Jaw
    from meshguard.policy import Policy

_Result = TypeVar("_Result")
_Command = TypeVar("_Command", bound="Callable[..., object]")


Numbering: TypeAlias = Literal["fdi", "universal", "meshsegnet", "anonymous"]


class UnreadableLabelsError(Exception):
    """A file of labels cannot be read."""


def budget_options(command: _Command) -> _Command:
    """The options --max-bytes, --max-faces, --max-memory and --max-seconds of a command that reads files."""
    for option in (
        click.option(
            "--max-seconds",
            type=click.FloatRange(0),
            metavar="S",
            help="Give up on a file after so many seconds; the result then depends on the speed of the machine.",
        ),
        click.option(
            "--max-memory",
            type=click.IntRange(0),
            metavar="N",
            help="Refuse a mesh that would probably take more bytes of memory than this; by default half of what this "
            "computer has.",
        ),
        click.option(
            "--max-faces", type=click.IntRange(0), metavar="N", help="Refuse a mesh with more faces than this."
        ),
        click.option(
            "--max-bytes",
            type=click.IntRange(0),
            metavar="N",
            help="Refuse a file with more bytes than this, decompressed; by default 1 GiB (20 million facets).",
        ),
    ):
        command = option(command)
    return command


MOST_BYTES = 1 << 30
"""Bytes of a file, decompressed, that a command reads unless it is told otherwise."""


def budget_of(
    max_bytes: int | None, max_faces: int | None, max_seconds: float | None, max_memory: int | None = None
) -> Budget:
    """The budget that the options ask for; where they are not given, one that a desktop computer survives."""
    from meshguard.budget import Budget

    return Budget(
        max_bytes=MOST_BYTES if max_bytes is None else max_bytes,
        max_faces=max_faces,
        max_seconds=max_seconds,
        max_memory=_half_of_memory() if max_memory is None else max_memory,
    )


def _half_of_memory() -> int | None:
    """Half of the bytes of memory that this computer has; None where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, OSError, ValueError):
        return None


def plugin_option(command: _Command) -> _Command:
    """The option --no-plugins of a command that runs or explains checks."""
    option = click.option(
        "--no-plugins",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_leave_plugins_out,
        help="Leave out checks that other packages add, as MESHGUARD_PLUGINS=0 does.",
    )
    return option(command)


def _leave_plugins_out(context: click.Context, _option: click.Parameter, asked: bool) -> None:
    """Set the variable that switches plugins off while the command runs, when asked."""
    if asked:
        before = os.environ.get("MESHGUARD_PLUGINS")
        os.environ["MESHGUARD_PLUGINS"] = "0"
        context.call_on_close(lambda: _put_back(before))


def _put_back(plugins: str | None) -> None:
    """Set the variable to what it was."""
    if plugins is None:
        del os.environ["MESHGUARD_PLUGINS"]
    else:
        os.environ["MESHGUARD_PLUGINS"] = plugins


class LabelOptions(NamedTuple):
    """The values of the options that `label_options` adds.

    Attributes:
        path: a file of labels.
        palette: a file of colours and numbers.
        numbering: of the labels.
        jaw: the jaw.
    """

    path: str | None
    palette: str | None
    numbering: Numbering | None
    jaw: Jaw | None

    @property
    def are_named(self) -> bool:
        """Whether the options say where labels are; a mesh may carry some anyway."""
        return not (self.path is None and self.palette is None and self.numbering is None)

    def labels_for(self, mesh_file: str, budget: Budget) -> Labels | None:
        """The labels for the mesh in a file: from another file, or its own colours by the palette; else None.

        Raises:
            UnreadableLabelsError: they cannot be read; the text says why.
        """
        from meshguard.errors import BudgetExceeded, ReadError
        from meshguard.io.labels import read_labels

        source = self.path or (mesh_file if self.palette is not None or self.numbering is not None else None)
        if source is None:
            return None
        if source == "-":
            raise UnreadableLabelsError("standard input is read only once, as the mesh: give --labels a file")
        try:
            return read_labels(
                source, jaw=self.jaw, numbering=self.numbering, palette=_content_of(self.palette), budget=budget
            )
        except (ReadError, BudgetExceeded) as error:
            raise UnreadableLabelsError(str(error)) from error
        except OSError as error:
            raise UnreadableLabelsError(error.strerror or type(error).__name__) from error


def _content_of(palette: str | None) -> bytes | None:
    """The bytes of a palette, so that errors are about it and not about the labels."""
    if palette is None:
        return None
    try:
        return Path(palette).read_bytes()
    except OSError as error:
        raise UnreadableLabelsError(f"the palette: {error.strerror or type(error).__name__}") from error


def label_options(command: Callable[..., _Result]) -> Callable[..., _Result]:
    """The options --labels, --palette, --numbering and --jaw; the command gets them as one, `labelled`."""

    @wraps(command)
    def wrapped(
        *arguments: object,
        labels: str | None,
        palette: str | None,
        numbering: Numbering | None,
        jaw: Jaw | None,
        **others: object,
    ) -> _Result:
        return command(*arguments, labelled=LabelOptions(labels, palette, numbering, jaw), **others)

    for option in (
        click.option("--jaw", type=click.Choice(["upper", "lower"]), help="The jaw; it overrides what the files say."),
        click.option(
            "--numbering",
            type=click.Choice(["fdi", "universal", "meshsegnet", "anonymous"]),
            help="Numbering of the labels; by default FDI where it fits them, else classes without names.",
        ),
        click.option(
            "--palette",
            metavar="FILE.json",
            help="Read labels from colours, by a table of FDI number -> colours: the colours of --labels, else of the "
            "file itself.",
        ),
        click.option(
            "--labels",
            metavar="PATH",
            help="Labels of the teeth, for one file: Teeth3DS JSON, NPY, CSV, text, PLY, VTP or VTK. Without this "
            "option the labels that the file itself carries are used.",
        ),
    ):
        option(wrapped)
    return wrapped


def chosen_policy(
    name: str, select: tuple[str, ...] = (), ignore: tuple[str, ...] = (), fail_on: str | None = None
) -> Policy:
    """The named policy with the changes that options make, or a usage error that names the nearest that exists."""
    from meshguard.checks import refuse_unknown_names
    from meshguard.errors import PolicyError
    from meshguard.policy import policy
    from meshguard.report import Severity

    try:
        chosen = policy(name)
    except PolicyError as error:
        raise click.UsageError(str(error)) from error
    changes: dict[str, object] = {}
    if select:
        changes["select"] = _ids(select)
    if ignore:
        # A reason may hold commas, so an option with a reason is about one id.
        pairs = (entry.partition("=") for entry in _ids(ignore, reasons=True))
        changes["ignore"] = {**chosen.ignore, **{check.strip(): reason.strip() for check, _, reason in pairs}}
    if fail_on is not None:
        changes["fail_on"] = Severity[fail_on.upper()]
    if changes:
        chosen = chosen.replace(name=f"{chosen.name.removesuffix(' (changed)')} (changed)", **changes)
    try:
        refuse_unknown_names(chosen)
    except PolicyError as error:
        raise click.UsageError(str(error)) from error
    return chosen


def _ids(entries: tuple[str, ...], *, reasons: bool = False) -> tuple[str, ...]:
    """Ids and prefixes from options that may each hold several, separated by commas."""
    parts = (part for entry in entries for part in ([entry] if reasons and "=" in entry else entry.split(",")))
    return tuple(part.strip() for part in parts if part.strip())
