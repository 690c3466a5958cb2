"""`meshguard warmup`: compile everything once, so that no first call has to; for container images and installations."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from meshguard.mesh import Mesh


@click.command(short_help="Compile everything once, for example while an image is built.")
def warmup() -> None:
    """Compile every kernel and keep the code on disk, so that the first call is as fast as any other.

    The code fits this version of meshguard, Python and Numba and this kind of processor; with NUMBA_CPU_NAME=generic
    set now and later, any processor of the family. The exit code is 1 if the code cannot be kept.
    """
    from meshguard.cli.startup import import_compiler

    import_compiler()
    from meshguard.kernels import _jit

    if not _jit.COMPILES:
        raise click.ClickException("nothing was compiled: NUMBA_DISABLE_JIT switches the compiler off")
    tasks = list(_tasks())
    kernels = entries()
    with _two_threads(), _announced(len(kernels)) as announce:
        announce(_compiled(kernels))
        for task in tasks:
            task()
            announce(_compiled(kernels))
    ready = _compiled(kernels)
    if _jit.FOLDER is None:
        why = (
            "MESHGUARD_CACHE=0 is set"
            if not _jit.CACHE
            else "there is no folder that can be written to; set NUMBA_CACHE_DIR to one"
        )
        raise click.ClickException(f"the compiled code is not kept: {why}")
    n_unwritten = sum(not any(_jit.FOLDER.glob(f"{name}-*.nbc")) for name in ready)
    if n_unwritten:
        raise click.ClickException(f"the code of {n_unwritten} kernels could not be written to {_jit.FOLDER}")
    click.echo(f"{len(ready)} kernels are compiled and kept in {_jit.FOLDER}")
    missed = sorted(kernels.keys() - set(ready))
    if missed:
        click.echo(f"compiled when they are first used: {', '.join(missed)}")


def entries() -> dict[str, Any]:
    """`module.name` -> the compiled function, of every kernel that Python calls."""
    import pkgutil
    from importlib import import_module

    import meshguard.kernels
    from meshguard.kernels._jit import ENTRIES

    for module in pkgutil.iter_modules(meshguard.kernels.__path__, "meshguard.kernels."):
        import_module(module.name)
    return {f"{entry.__module__.rpartition('.')[2]}.{entry.__name__}": entry for entry in ENTRIES}


def _compiled(kernels: dict[str, Any]) -> list[str]:
    """The kernels that are ready."""
    return [name for name, entry in kernels.items() if getattr(entry, "nopython_signatures", ())]


@contextmanager
def _two_threads() -> Iterator[None]:
    """While this is open there are two threads, so that what joins the work of several is compiled too."""
    before = os.environ.get("MESHGUARD_THREADS")
    os.environ["MESHGUARD_THREADS"] = "2"
    try:
        yield
    finally:
        if before is None:
            del os.environ["MESHGUARD_THREADS"]
        else:
            os.environ["MESHGUARD_THREADS"] = before


@contextmanager
def _announced(total: int) -> Iterator[Callable[[list[str]], None]]:
    """A bar on a terminal; elsewhere one line for each kernel."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("compiling", total=total)
            yield lambda ready: bar.update(task, completed=len(ready))
        return
    announced: set[str] = set()

    def announce(ready: list[str]) -> None:
        for name in ready:
            if name not in announced:
                announced.add(name)
                click.echo(f"{len(announced)} of {total}: {name}", err=True)

    yield announce


def _tasks() -> Iterator[Callable[[], object]]:
    """Calls that reach every kernel, each with the types that all others use."""
    import io
    from functools import partial

    import numpy as np

    from meshguard.errors import RepairRefused
    from meshguard.facts.mesh import MeshFacts
    from meshguard.io import load, save
    from meshguard.mesh import Mesh
    from meshguard.metrics import segmentation_metrics
    from meshguard.policy import Policy, policy
    from meshguard.queries import intersections
    from meshguard.repair import repair
    from meshguard.repair.mesh.hole_filling import fill_hole
    from meshguard.repair.mesh.marching_tetrahedra import solid_of
    from meshguard.validation import validate

    def mended(mesh: Mesh, rules: Policy) -> None:
        with suppress(RepairRefused):
            repair(mesh, policy=rules)

    def written(mesh: Mesh, kind: Any) -> bytes:
        file = io.BytesIO()
        save(mesh, file, format=kind)
        return file.getvalue()

    sheet = _sheet(16)
    yield partial(load, written(sheet, "stl"))
    yield partial(load, written(_sheet(192), "stl"))
    yield partial(load, written(sheet, "ply"))
    yield partial(load, _stl_text(sheet))
    yield partial(load, _ply_text(sheet))
    yield partial(load, _ply_quads())
    yield partial(validate, sheet)
    # Two teeth that meet, on a sheet of gum.
    side, front = np.sign(sheet.vertices[:, 0]), np.abs(sheet.vertices[:, :2]).max(axis=1) < 15
    teeth = np.where(front, np.where(side > 0, 31, 41), 0)
    yield partial(validate, sheet.with_data(vertex={"label": teeth}))
    # Random faces intersect, are oriented inconsistently and non-manifold; a crack runs through the split sheet.
    rng = np.random.default_rng(0)
    yield partial(validate, Mesh(vertices=30 * rng.normal(size=(60, 3)), faces=rng.integers(0, 60, (200, 3))))
    # A pack of faces whose boxes all overlap is searched in layers.
    pack = (20 * np.eye(3) + 0.01 * np.arange(1200)[:, None, None]).reshape(-1, 3)
    yield partial(validate, Mesh(vertices=pack, faces=np.arange(len(pack)).reshape(-1, 3)))
    split = sheet.vertices[sheet.faces].reshape(-1, 3) + 1e-4 * np.repeat(np.arange(len(sheet.faces)) % 2, 3)[:, None]
    yield partial(validate, Mesh(vertices=split, faces=np.arange(len(split)).reshape(-1, 3)))
    yield partial(validate, written(sheet, "stl"), policy="print")
    cells, side = np.arange(256).reshape(16, 16), 17 * np.arange(6, 11)
    rest = np.delete(sheet.faces, np.repeat(2 * cells[6:10, 6:10].ravel(), 2) + np.arange(32) % 2, axis=0)
    loop = [np.arange(6, 10) + side[0], side[:-1] + 10, np.arange(10, 6, -1) + side[-1], side[:0:-1] + 6]
    yield partial(fill_hole, sheet.vertices, rest, [np.concatenate(loop).astype(np.int32)])
    # One hole to fill.
    yield partial(mended, sheet.take(np.delete(np.arange(len(sheet.faces)), 270)), Policy(limits=_ANY_HOLE))
    # A box without one of its twelve faces.
    box = 20.0 * np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    halves = [half for a, b, c, d in quads for half in ((a, b, c), (a, c, d))]
    yield partial(solid_of, MeshFacts(Mesh(vertices=box, faces=halves[1:]), policy("print")), 4.0)
    # A ring with one handle, and a box within the box.
    ring = [(4 * i + j, (4 * i + 4) % 12 + j, (4 * i + 4) % 12 + (j + 1) % 4) for i in range(3) for j in range(4)]
    ring += [(a, (a // 4 * 4 + 4) % 12 + (a + 1) % 4, a // 4 * 4 + (a + 1) % 4) for a in range(12)]
    turn, rise = np.radians(120.0 * (np.arange(12) // 4)), np.radians(90.0 * (np.arange(12) % 4))
    reach = 20.0 + 5.0 * np.cos(rise)
    wall = np.stack([reach * np.cos(turn), reach * np.sin(turn), 5.0 * np.sin(rise)], axis=1)
    yield partial(validate, Mesh(vertices=wall, faces=ring))
    nested = Mesh(
        vertices=np.concatenate([box, 0.5 * box + 5.0]), faces=halves + [(a + 8, b + 8, c + 8) for a, b, c in halves]
    )
    yield partial(validate, nested)
    yield partial(intersections, sheet, Mesh(vertices=sheet.vertices + [7.3, 4.1, 1.0], faces=sheet.faces))
    labels = np.where(sheet.vertices[:, 0] < 0, 11, 21)
    yield partial(segmentation_metrics, labels, labels, mesh=sheet)


_ANY_HOLE = {"hole_diameter_mm": 10.0, "hole_fraction": 1.0}


def _sheet(columns: int) -> Mesh:
    """An open sheet of two faces a cell, bulging up in the middle, of the size of an arch."""
    import numpy as np

    from meshguard.mesh import Mesh

    u, v = np.meshgrid(np.linspace(-1, 1, columns + 1), np.linspace(-1, 1, columns + 1))
    vertices = np.stack([30 * u, 20 * v, 12 * (1 - u**2) * (1 - v**2)], axis=-1).reshape(-1, 3).astype(np.float32)
    a = (np.arange(columns)[:, None] * (columns + 1) + np.arange(columns)).reshape(-1)
    b, c, d = a + 1, a + columns + 2, a + columns + 1
    return Mesh(vertices=vertices, faces=np.stack([a, b, c, a, c, d], axis=1).reshape(-1, 3))


def _stl_text(mesh: Mesh) -> bytes:
    """A mesh as text STL."""
    lines = ["solid"]
    for corners in mesh.vertices[mesh.faces].tolist():
        lines += ["facet normal 0 0 1", "outer loop", *(f"vertex {x} {y} {z}" for x, y, z in corners)]
        lines += ["endloop", "endfacet"]
    return "\n".join([*lines, "endsolid\n"]).encode()


def _ply_text(mesh: Mesh) -> bytes:
    """A mesh as text PLY."""
    lines = ["ply", "format ascii 1.0", f"element vertex {len(mesh.vertices)}"]
    lines += [f"property float {axis}" for axis in "xyz"]
    lines += [f"element face {len(mesh.faces)}", "property list uchar int vertex_indices", "end_header"]
    lines += [f"{x} {y} {z}" for x, y, z in mesh.vertices.tolist()]
    lines += [f"3 {a} {b} {c}" for a, b, c in mesh.faces.tolist()]
    return "\n".join([*lines, ""]).encode()


def _ply_quads() -> bytes:
    """A binary PLY with a quadrilateral and a triangle, whose rows differ in length."""
    import struct

    header = "ply\nformat binary_little_endian 1.0\nelement vertex 5\n"
    header += "".join(f"property float {axis}\n" for axis in "xyz")
    header += "element face 2\nproperty list uchar int vertex_indices\nend_header\n"
    positions = struct.pack("<15f", *(0, 0, 0, 9, 0, 0, 9, 9, 0, 0, 9, 0, 18, 9, 0))
    return header.encode() + positions + struct.pack("<B4iB3i", 4, 0, 1, 2, 3, 3, 1, 4, 2)
