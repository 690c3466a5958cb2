"""Reports for people: each module here turns a `Report` into one form, and needs nothing but the report.

Names load on first use, so that Markdown does without rich.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshguard.render.markdown import markdown_of
    from meshguard.render.text import render, text_of

__all__ = ["markdown_of", "render", "text_of"]

_HOMES = {"markdown_of": "markdown", "render": "text", "text_of": "text"}


def __getattr__(name: str) -> object:
    """Load a public name from its module on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'meshguard.render' has no attribute {name!r}")
    return getattr(import_module(f"meshguard.render.{_HOMES[name]}"), name)
