"""Reports for people: each module here turns a `Report` into one form, and needs nothing but the report."""

from __future__ import annotations

from meshguard.render.text import render, text_of

__all__ = ["render", "text_of"]
