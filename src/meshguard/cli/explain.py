"""`meshguard explain`: what a check finds, why it matters, its limits and where they come from."""

from __future__ import annotations

import difflib
import textwrap
from typing import TYPE_CHECKING

import click

from meshguard.cli.options import plugin_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshguard.checks.registry import Check

_WIDTH = 88


@click.command(short_help="Say what a check finds, why it matters and what its limits are.")
@click.argument("id_", metavar="[ID]", required=False)
@plugin_option
def explain(id_: str | None) -> None:
    """Explain the check ID (such as S101), list the checks of a family (such as S), or list them all."""
    from meshguard.checks import CATALOGUE, every_check
    from meshguard.cli.notice import symbols

    asked = (id_ or "").strip().upper()
    chosen = [check for check in CATALOGUE if check.id == asked]
    listed: list[Check] = []
    if not chosen:  # plugins are loaded only where they may have what is asked for
        checks = every_check()
        chosen = [check for check in checks if check.id == asked]
        listed = sorted((check for check in checks if check.id.startswith(asked)), key=lambda check: check.id)
        if not listed:
            raise click.UsageError(f"there is no check {id_!r}; {_hint(asked, checks)}")
    lines = _explanation(chosen[0]) if chosen else _list(listed)
    import sys

    click.echo(symbols("\n".join(lines), sys.stdout.encoding))


def _hint(asked: str, checks: tuple[Check, ...]) -> str:
    """The checks that someone may mean: those with the word in their titles, else the id that is nearest."""
    titled = sorted(f"{check.id} ({check.title})" for check in checks if asked in check.title.upper())
    if titled:
        return f"did you mean {' or '.join(titled)}?"
    close = difflib.get_close_matches(asked, [check.id for check in checks], n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else "`meshguard explain` lists them all"


def _explanation(check: Check) -> Iterator[str]:
    """One check in full."""
    yield f"{check.id} {check.title} ({check.family})"
    for paragraph in check.explanation.split("\n\n"):
        yield ""
        yield textwrap.fill(" ".join(paragraph.split()), _WIDTH, break_on_hyphens=False)
    if check.limits:
        yield ""
        yield "Limits (set them under [limits] in a policy file):"
    for name, limit in check.limits.items():
        yield f"  {name if '.' not in name else f'{name!r}'} = {limit.default:g}"
        text = textwrap.fill(f"{limit.meaning} Source: {limit.source}.", _WIDTH - 6, break_on_hyphens=False)
        yield textwrap.indent(text, " " * 6)


def _list(checks: list[Check]) -> Iterator[str]:
    """One line for each check, under the name of its family."""
    family = ""
    for check in checks:
        if check.family != family:
            if family:
                yield ""
            family = check.family
            yield family
        yield f"  {check.id}  {check.title}"
