"""`meshguard --version`: the versions and settings that a bug report needs, and no path, user or host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from importlib import metadata

PACKAGES = ("numpy", "scipy", "numba", "llvmlite", "trimesh", "open3d")
"""Packages that decide what meshguard does; the last is optional."""


def show_version(context: click.Context, _option: click.Parameter, asked: bool) -> None:
    """Print the environment and stop, when asked."""
    if not asked or context.resilient_parsing:
        return
    width = max(len(name) for name, _ in environment())
    for name, value in environment():
        click.echo(f"{name:<{width}}  {value}")
    context.exit()


def environment() -> list[tuple[str, str]]:
    """Name and value of everything that a bug report needs; packages are looked up without importing them."""
    import os
    import platform
    import sys
    from importlib import metadata

    from meshguard._version import __version__
    from meshguard.kernels._parallel import thread_count

    rows = [
        ("meshguard", __version__),
        ("python", f"{platform.python_version()} ({platform.python_implementation()})"),
        ("platform", f"{sys.platform} {platform.machine()} ({platform.system()} {platform.release()})"),
    ]
    for name in PACKAGES:
        try:
            rows.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            rows.append((name, "not installed"))
    setting = _setting_in_words(os.environ.get("MESHGUARD_THREADS"))
    rows += [
        (
            "threads",
            f"{thread_count()} of {os.cpu_count()} processors (MESHGUARD_THREADS {setting})",
        ),
        ("kernel cache", "off" if os.environ.get("MESHGUARD_CACHE", "1") == "0" else "on"),
        ("plugins", _plugins(metadata.entry_points(group="meshguard.checks"))),
    ]
    return rows


def _plugins(points: metadata.EntryPoints) -> str:
    """Names of the packages' plugins, which are not loaded for this."""
    import os

    if os.environ.get("MESHGUARD_PLUGINS") == "0":
        return "off (MESHGUARD_PLUGINS is 0)"
    return ", ".join(sorted(points.names)) or "none"


def _setting_in_words(setting: str | None) -> str:
    """The value of a setting that should be a number; text that is not one is not quoted."""
    if setting is None:
        return "not set"
    return f"is {setting}" if setting.isdecimal() else "is not a number"
