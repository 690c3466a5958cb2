"""`meshguard explain`: what a check finds, why it matters, its limits and where they come from."""

from __future__ import annotations

import difflib
import re
import textwrap
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from meshguard.cli.options import plugin_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshguard.checks.registry import Check

_WIDTH = 88


@click.command(short_help="Say what a check finds, why it matters and what its limits are.")
@click.argument("words", metavar="[ID|WORD...]", nargs=-1)
@plugin_option
def explain(words: tuple[str, ...]) -> None:
    """Explain a check, or list those of a family, those about some words, or all of them.

    ID is a check (S101), a letter or name of a family (S, surface); WORD is in a title (hole), or names a limit.
    """
    from meshguard.checks import CATALOGUE, every_check
    from meshguard.cli.notice import symbols

    asked = " ".join(words).strip()
    found = [check for check in CATALOGUE if check.id == asked.upper()]
    if not found:  # plugins are loaded only where they may have what is asked for
        checks = sorted(every_check(), key=lambda check: check.id)
        found = _in_family(asked, checks) or _about(asked, checks)
        if not found:
            raise click.UsageError(_nothing_about(asked, checks))
    lines = _list(found) if len(found) > 1 else _explanation(found[0])
    import sys

    click.echo(symbols("\n".join(lines), sys.stdout.encoding))


def _in_family(asked: str, checks: list[Check]) -> list[Check]:
    """The checks whose ids begin like this, or whose family has this name."""
    return [check for check in checks if check.id.startswith(asked.upper()) or check.family == asked.lower()]


def _about(asked: str, checks: list[Check]) -> list[Check]:
    """The checks with all of these words in their titles; if there are none, anywhere in what is said about them."""
    words = [re.compile(rf"\b{re.escape(word)}", re.IGNORECASE) for word in asked.split() if len(word) > 1]
    if not words:
        return []
    titled = [check for check in checks if all(word.search(check.title) for word in words)]
    said = {check.id: " ".join([check.title, check.explanation, *check.limits]) for check in checks}
    return titled or [check for check in checks if all(word.search(said[check.id]) for word in words)]


def _nothing_about(asked: str, checks: list[Check]) -> str:
    """What to say where no check fits: that the family has none yet, or which id is nearest."""
    from meshguard.checks.registry import FAMILIES

    for letter, family in FAMILIES.items():
        if asked.upper() == letter or asked.lower() == family:
            return f"the family {letter} ({family}) has no checks yet"
    close = difflib.get_close_matches(asked.upper(), [check.id for check in checks], n=1, cutoff=0.5)
    if not close:
        titled = sorted({word.lower() for check in checks for word in check.title.split()})
        close = difflib.get_close_matches(asked.lower(), titled, n=1, cutoff=0.75)
    hint = f"did you mean {close[0]!r}?" if close else "`meshguard explain` lists them all"
    return f"there is no check {asked!r}; {hint}"


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
        yield f"  {name if '.' not in name else f'{name!r}'} = {_in_digits(limit.default)}"
        text = textwrap.fill(f"{limit.meaning} Source: {limit.source}.", _WIDTH - 6, break_on_hyphens=False)
        yield textwrap.indent(text, " " * 6)


def _in_digits(value: float) -> str:
    """A limit as a policy file may say it: 1000000 and 0.00001, not powers of ten."""
    digits = format(Decimal(repr(value)), "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


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
