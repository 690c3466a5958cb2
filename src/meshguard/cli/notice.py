"""Saying what takes time: a notice when kernels are compiled, a progress bar over what takes long."""

from __future__ import annotations

import math
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.progress import Progress as Bar
    from rich.progress import TaskID

COMPILING = "meshguard: compiling for the first time; this can take half a minute (`meshguard warmup` does it all) …"
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


PATIENCE_S = 1.0
"""A command that takes no longer than this shows no bar."""


class Progress:
    """A bar on the terminal while a command takes long, whatever it prints and in which form; silent elsewhere.

    It is drawn on stderr, so it never mixes with a report in a pipe or a file.
    """

    def __init__(self, files: Sequence[str]) -> None:
        self._n_files = len(files)
        self._n_done = 0
        self._shown: tuple[Bar, TaskID] | None = None
        self._begun = time.monotonic() if sys.stderr.isatty() else math.inf

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.pause()

    def step(self, done: int, total: int, what: str) -> None:
        """A step of the file in work begins; see `meshguard.budget.Progress`."""
        if time.monotonic() - self._begun >= PATIENCE_S:
            self._show(self._n_done + done / max(1, total), what)

    def pause(self) -> None:
        """Take the bar away, so that other text can be printed."""
        if self._shown is not None:
            self._shown[0].stop()

    def advance(self) -> None:
        """One file is done; show the bar again if there are more."""
        self._n_done += 1
        if self._n_done < self._n_files:
            self.step(0, 1, "")

    def _show(self, completed: float, what: str) -> None:
        """Draw the bar, which is made when it is first needed."""
        if self._shown is None:
            self._shown = _bar(self._n_files)
        bar, task = self._shown
        bar.update(task, completed=completed, description=what or "validating")
        bar.start()


def _bar(n_files: int) -> tuple[Bar, TaskID]:
    """A bar over so many files, and its task."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    several = (MofNCompleteColumn(), TimeRemainingColumn()) if n_files > 1 else (TimeElapsedColumn(),)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), *several)
    bar = Bar(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)
    return bar, bar.add_task("validating", total=n_files)


def symbols(text: str, encoding: str | None) -> str:
    """The text as it is if the encoding can carry it, else in plain ASCII."""
    try:
        text.encode(encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        from meshguard.render.text import without_symbols

        return without_symbols(text).encode("ascii", "replace").decode("ascii")
    return text
