"""What the files of a command stand for: folders and patterns become the files in them, in one order everywhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import click

SUFFIXES = (".stl", ".ply", ".obj", ".off", ".3mf", ".glb")
"""Suffixes of files that a folder or a pattern stands for; each may have `.gz` behind it."""


class Inputs(NamedTuple):
    """The files that a command works on.

    Attributes:
        names: in the order given; those of a folder or a pattern sorted.
        is_one: whether exactly one file was named; a folder or a pattern is a list of files even where it holds one.
    """

    names: tuple[str, ...]
    is_one: bool


def inputs_of(given: tuple[str, ...]) -> Inputs:
    """The files behind what was given: files as they are, those in folders, and those that patterns match.

    Raises:
        click.UsageError: a folder holds no file that can be read, or nothing matches a pattern.
    """
    names: list[str] = []
    is_one = len(given) == 1
    for name in given:
        found = _expanded(name)
        is_one = is_one and found == [name]
        names += found
    return Inputs(tuple(names), is_one)


def _expanded(name: str) -> list[str]:
    """The files behind one argument. What exists under that very name is no pattern, whatever characters it has."""
    if name != "-" and Path(name).is_dir():
        found = _files_in(name)
        if not found:
            raise click.UsageError(f"{name}: no file in this folder ends in {', '.join(SUFFIXES)}")
        return found
    import glob

    if name == "-" or not glob.has_magic(name) or os.path.lexists(name):
        return [name]
    matched = glob.glob(name, recursive=True)  # noqa: PTH207 (patterns may be absolute, and keep their spelling)
    files = [file for path in matched for file in (_files_in(path) if Path(path).is_dir() else [path])]
    if not files:
        raise click.UsageError(f"{name}: no file matches this pattern")
    return sorted(set(files), key=_in_order)


def _files_in(folder: str) -> list[str]:
    """The meshes in a folder and the folders in it, but for hidden ones, sorted."""
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [str(Path(place, name)) for name in files if not name.startswith(".") and _is_a_mesh(name)]
    return sorted(found, key=_in_order)


def _is_a_mesh(name: str) -> bool:
    """Whether a file's name ends as that of a mesh does."""
    return name.lower().removesuffix(".gz").endswith(SUFFIXES)


def _in_order(path: str) -> tuple[str, ...]:
    """Sorts a folder's files together, on every system the same way."""
    return Path(path).parts
