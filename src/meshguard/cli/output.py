"""Where a command's output goes: the terminal, a pipe, or a file that is replaced once the output is complete."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from meshguard.report import Report


class CannotReadError(click.ClickException):
    """What a command was given cannot be read."""

    exit_code = 2


class CannotWriteError(click.ClickException):
    """What a command made cannot be written."""

    exit_code = 2


class Writer:
    """Writes output as it comes to the terminal or a pipe; or to a file, which is replaced once all is there.

    Leaving its context puts the file in place, after an interrupt too: what was done so far is kept. A file to which
    nothing was written is left as it was, whether it exists or not.
    """

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._parts: list[str] = []
        self._lines: BinaryIO | None = None

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._lines is not None:
            self._lines.close()
        if self._path is not None and self._parts and kind in (None, KeyboardInterrupt):
            replaced(self._path, "".join(self._parts).encode())

    def text(self, text: str) -> None:
        """Write text as it is."""
        if self._path is None:
            from meshguard.cli.notice import symbols

            click.echo(symbols(text, sys.stdout.encoding), nl=False)
        else:
            self._parts.append(text)

    def line(self, text: str) -> None:
        """Append a whole line at once, and keep it whatever happens later; the first one replaces what a file held."""
        if self._path is None:
            self.text(f"{text}\n")
            return
        with written(self._path):
            if self._lines is None:
                self._lines = open(self._path, "wb", buffering=0)  # noqa: SIM115, PTH123 (closed with the writer)
            _append(self._lines, f"{text}\n".encode())

    def rich(self, renderable: RenderableType) -> None:
        """Write something that rich renders: in colour and as wide as the terminal, or plain."""
        self.text(printed(renderable, to_terminal=self._path is None and sys.stdout.isatty()))

    def report(self, report: Report, form: str, *, name: str | None, verbose: bool, quiet: bool, first: bool) -> None:
        """Write a report in a form for people, or only its first line; all but the first after an empty line."""
        if form == "markdown":
            said = report.to_markdown(name=name)
            self.text(said.partition("\n")[0] + "\n" if quiet else f"{'' if first else chr(10)}{said}")
            return
        from meshguard.render.text import render, verdict

        if quiet:
            self.rich(verdict(report, name=name))
            return
        self.text("" if first else "\n")
        self.rich(render(report, name=name, verbose=verbose))


def _append(file: BinaryIO, content: bytes) -> None:
    """Write all of the content, or, where the disk is full, nothing of it."""
    start = file.tell() if file.seekable() else None
    try:
        while content:
            content = content[file.write(content) :]
    except OSError:
        with suppress(OSError):
            if start is not None:
                file.truncate(start)
        raise


def printed(renderable: RenderableType, *, to_terminal: bool) -> str:
    """What rich makes of it, as text."""
    import io

    from rich.console import Console

    from meshguard.render.text import HEIGHT, WIDTH

    out = io.StringIO()
    if to_terminal:
        real = Console()
        system: Any = real.color_system
        width, height = min(real.width, 2 * WIDTH), real.height
        console = Console(
            file=out, width=width, height=height, force_terminal=True, color_system=system, highlight=False
        )
    else:
        console = Console(
            file=out, width=columns(), height=HEIGHT, force_terminal=False, color_system=None, highlight=False
        )
    console.print(renderable)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def columns() -> int:
    """How wide text is that does not go to a terminal: what COLUMNS says, at least 40, else as reports are."""
    from meshguard.render.text import WIDTH

    asked = os.environ.get("COLUMNS", "")
    return max(40, int(asked)) if asked.isdecimal() and 0 < int(asked) < 10_000 else WIDTH


@contextmanager
def written(path: str) -> Iterator[None]:
    """Turns a file that cannot be written into one sentence."""
    from meshguard.errors import MeshGuardError

    try:
        yield
    except OSError as error:
        raise CannotWriteError(f"{path}: cannot be written: {error.strerror or error}") from error
    except MeshGuardError as error:
        raise CannotWriteError(f"{path}: cannot be written: {error}") from error


def replaced(path: str, content: bytes) -> None:
    """Write a file completely or not at all; an error where that is not possible."""
    from meshguard.io.content import replace_file

    with written(path):
        replace_file(Path(path), content)


def refuse_folder(name: str, path: str) -> None:
    """A usage error where the folder of a file to be written does not exist; `name` is what users call the file."""
    if not Path(path).absolute().parent.is_dir():
        raise click.UsageError(f"the folder of {name} does not exist")


def refuse_place(option: str, path: str, *taken: str | None) -> None:
    """A usage error where the folder for an option's file does not exist, or the file would replace another one."""
    refuse_folder(option, path)
    place, exists = Path(path).resolve(), Path(path).exists()
    for taken_path in taken:
        if taken_path is None or taken_path == "-":
            continue
        is_same = place == Path(taken_path).resolve()
        if is_same or (exists and Path(taken_path).exists() and Path(path).samefile(taken_path)):
            raise click.UsageError(f"{option} must be a file of its own, not one that is named elsewhere")


def shown(path: str) -> str:
    """What a report calls an input."""
    return "standard input" if path == "-" else path
