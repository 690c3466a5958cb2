"""Reports for people: each module here turns a `Report` into one form, and needs nothing but the report.

`RENDERERS` is the table of forms. Names load on first use, so that Markdown does without rich.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshguard.render.markdown import markdown_of
    from meshguard.render.text import render, text_of
    from meshguard.report import Report

__all__ = ["RENDERERS", "markdown_of", "render", "rendered", "text_of"]

_HOMES = {"markdown_of": "markdown", "render": "text", "text_of": "text"}

RENDERERS: Mapping[str, str] = MappingProxyType({"text": "text_of", "markdown": "markdown_of"})
"""Form -> the function of this package that gives a report in it, as text."""


def rendered(report: Report, form: str, **options: Any) -> str:
    """A report in a form that people read.

    Args:
        report: what a validation found, just now or stored.
        form: one of `RENDERERS`.
        options: of the form's function.

    Raises:
        ValueError: there is no such form.
    """
    if form not in RENDERERS:
        raise ValueError(f"there is no form {form!r}; there are {', '.join(RENDERERS)}")
    text: str = __getattr__(RENDERERS[form])(report, **options)
    return text


def __getattr__(name: str) -> Any:
    """Load a public name from its module on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'meshguard.render' has no attribute {name!r}")
    return getattr(import_module(f"meshguard.render.{_HOMES[name]}"), name)
