"""The command line: `meshguard validate | render | repair | explain | phantom | demo | warmup`.

Only click is imported here. Each command imports what it needs when it runs, so that `--help` answers at once and
`explain` starts no compiler. This is the only package of meshguard that prints and exits.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from typing import NoReturn

import click

from meshguard.cli import startup
from meshguard.cli.environment import show_version
from meshguard.cli.explain import explain
from meshguard.cli.phantom import demo, phantom
from meshguard.cli.render import render
from meshguard.cli.repair import repair
from meshguard.cli.validate import validate
from meshguard.cli.warmup import warmup
from meshguard.errors import PolicyError

__all__ = ["commands", "main"]

BUG = 70
"""Exit code of a failure inside meshguard: neither a finding (1) nor an unreadable file (2)."""

INTERRUPTED = 130
"""Exit code after Ctrl-C."""

NO_ROOM = frozenset(
    getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG", "EIO", "EROFS") if hasattr(errno, name)
)
"""What the system says when the place that output goes to is full or fails."""


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 good; 1 a finding at or above --fail-on, or a refused repair; "
    "2 a file that cannot be read, or wrong usage.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=show_version,
    help="Show the version and what a bug report needs to know about this machine.",
)
def commands() -> None:
    """Say what is wrong with a mesh, where, how bad it is, and what would fix it. Made for scans of dental arches."""


for command in (validate, render, repair, explain, phantom, demo, warmup):
    commands.add_command(command)


def main() -> None:
    """Run the command line and exit with its code."""
    startup.begin()
    try:
        code = commands.main(prog_name="meshguard", standalone_mode=False)
    except click.ClickException as error:
        with suppress(OSError):
            error.show()
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _end_at_once()
    except PolicyError as error:
        click.echo(f"Error: {error}", err=True)
        code = 2
    except OSError as error:
        code = _report_full_output(error) if error.errno in NO_ROOM else _report_bug()
    except Exception:  # noqa: BLE001 (whatever it is, it must not look like a verdict about the mesh)
        code = _report_bug()
    startup.end()
    sys.exit(code)


def _end_at_once() -> NoReturn:
    """Leave what other threads still do: it is reading and reckoning, and what is done has been written."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(INTERRUPTED)


def _report_bug() -> int:
    """Say that the exception in hand is a bug, and the exit code for it."""
    import traceback

    with suppress(OSError):
        click.echo(traceback.format_exc(), err=True, nl=False)
        click.echo(
            "meshguard: this is a bug in meshguard, not a verdict about the mesh. Please report the lines above "
            "together with `meshguard --version`; do not attach a patient's scan.",
            err=True,
        )
    return BUG


def _report_full_output(error: OSError) -> int:
    """Say that the output has no room, and the exit code for it; what is buffered is given up."""
    with suppress(OSError):
        click.echo(f"Error: the output cannot be written: {error.strerror}", err=True)
    with suppress(OSError, ValueError, AttributeError):  # else the interpreter tries to write it when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 2
