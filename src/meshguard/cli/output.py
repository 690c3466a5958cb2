"""Where a command's output goes: the terminal, a pipe, or a file that is replaced once the output is complete."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType


class Writer:
    """Writes output as it comes to the terminal or a pipe; or to a file, which is replaced once it is complete."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._parts: list[str] = []

    def text(self, text: str) -> None:
        """Write text as it is."""
        if self._path is None:
            from meshguard.cli.notice import symbols

            click.echo(symbols(text, sys.stdout.encoding), nl=False)
        else:
            self._parts.append(text)

    def rich(self, renderable: RenderableType) -> None:
        """Write something that rich renders: in colour and as wide as the terminal, or plain in 100 columns."""
        self.text(printed(renderable, to_terminal=self._path is None and sys.stdout.isatty()))

    def close(self) -> None:
        """Put the file in place."""
        if self._path is not None:
            replaced(self._path, "".join(self._parts).encode())


def printed(renderable: RenderableType, *, to_terminal: bool) -> str:
    """What rich makes of it, as text."""
    import io

    from rich.console import Console

    from meshguard.render.text import HEIGHT, WIDTH

    out = io.StringIO()
    if to_terminal:
        real = Console()
        system: Any = real.color_system
        width = min(real.width, 2 * WIDTH)
        console = Console(
            file=out, width=width, height=real.height, force_terminal=True, color_system=system, highlight=False
        )
    else:
        console = Console(
            file=out, width=WIDTH, height=HEIGHT, force_terminal=False, color_system=None, highlight=False
        )
    console.print(renderable)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


@contextmanager
def written(path: str) -> Iterator[None]:
    """Turns a file that cannot be written into a usage error."""
    from meshguard.errors import MeshGuardError

    try:
        yield
    except OSError as error:
        raise click.UsageError(f"{path}: cannot be written: {error.strerror or error}") from error
    except MeshGuardError as error:
        raise click.UsageError(f"{path}: cannot be written: {error}") from error


def replaced(path: str, content: bytes) -> None:
    """Write a file completely or not at all; a usage error where that is not possible."""
    from meshguard.io.content import replace_file

    with written(path):
        replace_file(Path(path), content)


def refuse_folder(name: str, path: str) -> None:
    """A usage error where the folder of a file to be written does not exist; `name` is what users call the file."""
    if not Path(path).absolute().parent.is_dir():
        raise click.UsageError(f"the folder of {name} does not exist")


def shown(path: str) -> str:
    """What a report calls an input."""
    return "standard input" if path == "-" else path
