"""Saying what takes time: a notice when kernels are compiled, a progress bar over many files."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

COMPILING = "meshguard: compiling, on the first run only; this can take half a minute …"
"""Shown before the first compilation, so that it does not look as if the command hung."""


@contextmanager
def compilation_notice(before: Callable[[], None] = lambda: None) -> Iterator[None]:
    """While this is open, the first kernel that must be compiled is announced on stderr; one from the cache is not.

    Args:
        before: called before the notice is printed, to clear a line that is not finished.
    """
    from meshguard.cli.startup import import_compiler

    import_compiler()
    from numba.core import event

    class _Notice(event.Listener):  # type: ignore[misc]
        """Prints once."""

        is_printed = False

        def on_start(self, _event: object) -> None:
            """A compilation starts."""
            if not self.is_printed:
                self.is_printed = True
                before()
                click.echo(symbols(COMPILING, sys.stderr.encoding), err=True)

        def on_end(self, _event: object) -> None:
            """A compilation ends; nothing to print."""

    notice = _Notice()
    event.register("numba:compile", notice)
    try:
        yield
    finally:
        event.unregister("numba:compile", notice)


class Progress:
    """A bar over two files or more on a terminal; silent everywhere else."""

    def __init__(self, files: Sequence[str]) -> None:
        self._bar = None
        if len(files) > 1 and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)
            self._task = self._bar.add_task("validating", total=len(files))

    def __enter__(self) -> Progress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.pause()

    def pause(self) -> None:
        """Take the bar away, so that other text can be printed."""
        if self._bar is not None:
            self._bar.stop()

    def advance(self) -> None:
        """One file is done; show the bar again."""
        if self._bar is not None:
            self._bar.advance(self._task)
            self._bar.start()


def symbols(text: str, encoding: str | None) -> str:
    """The text as it is if the encoding can carry it, else in plain ASCII."""
    try:
        text.encode(encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        from meshguard.render.text import without_symbols

        return without_symbols(text).encode("ascii", "replace").decode("ascii")
    return text
