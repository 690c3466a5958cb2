"""What every repair has to prove: that the file it would be saved as holds a clean mesh."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

import meshguard
from meshguard.float32 import are_float32
from tests import oracles

if TYPE_CHECKING:
    from meshguard.mesh import Mesh
    from meshguard.policy import Policy
    from meshguard.repair.result import RepairResult
    from meshguard.report import Report

NEVER = (
    "nonmanifold_edges",
    "nonmanifold_vertices",
    "miswound_edges",
    "degenerate",
    "duplicate_pairs",
    "inverted_bodies",
)
"""Stats that are 0 for a clean mesh."""

_FEW = 60
"""Faces up to which the naive twins count too."""


def through(mesh: Mesh, kind: Literal["stl", "ply"]) -> Mesh:
    """The mesh that a file of it holds."""
    file = io.BytesIO()
    meshguard.save(mesh, file, format=kind)
    return meshguard.load(file.getvalue())


def trouble(mesh: Mesh, policy: str | Policy = "scan") -> dict[str, Any]:
    """What is not clean about a mesh as it is, by name."""
    rules = meshguard.policy.policy(policy)
    return _told(mesh, meshguard.validate(mesh, policy=rules), rules)


def _told(mesh: Mesh, report: Report, rules: Policy) -> dict[str, Any]:
    """What a report on a mesh says is not clean about it, by name."""
    stats = report.stats
    found = {name: stats[name] for name in NEVER if stats[name]}
    told = sum(int(finding.measures["pairs"]) for finding in report.findings if finding.check == "S107")
    allowed = 0 if rules.rim == "closed" else told  # an assembly, of which a body is closed
    if stats["intersecting_pairs"] != allowed:
        found["intersecting_pairs"] = stats["intersecting_pairs"] - allowed
    if rules.rim == "closed" and stats["boundary_edges"]:
        found["boundary_edges"] = stats["boundary_edges"]
    if not np.isfinite(mesh.vertices[mesh.faces]).all():
        found["nonfinite"] = True
    if not len(mesh.faces):
        found["no_faces"] = True
    return found


def naive_trouble(mesh: Mesh) -> dict[str, int]:
    """The same by the naive twins, for a mesh of few faces; bodies that reach into each other do not count."""
    surface = oracles.Surface(mesh.vertices, mesh.faces)
    found = {
        "nonmanifold_edges": surface.nonmanifold_edges,
        "nonmanifold_vertices": surface.nonmanifold_vertices,
        "miswound_edges": surface.miswound_edges,
        "degenerate": surface.degenerate,
        "duplicate_pairs": surface.duplicate_pairs,
        "inverted_bodies": surface.inverted_bodies,
    }
    owner = {face: number for number, faces in enumerate(surface.components()) for face in faces}
    is_open = {owner[sides[0][0]] for sides in surface.sides.values() if len(sides) == 1}
    found["intersecting_pairs"] = sum(
        owner[f] == owner[g] or bool({owner[f], owner[g]} & is_open)
        for f, g, _ in oracles.intersecting_pairs(mesh.vertices, mesh.faces)
    )
    return {name: count for name, count in found.items() if count}


def proved(result: RepairResult, policy: str | Policy = "scan") -> dict[str, Any]:
    """The stats of a repair's mesh after a round trip through the file it is for, once that is proved to be clean.

    A mesh of float32 is clean in either file.
    """
    assert result.clean
    rules = meshguard.policy.policy(policy)
    kinds: tuple[Literal["stl", "ply"], ...] = ("stl", "ply") if are_float32(result.mesh.vertices) else (result.target,)
    stats: list[dict[str, Any]] = []
    counted: npt.NDArray[np.float64] | None = None
    for kind in kinds:
        loaded = through(result.mesh, kind)
        report = meshguard.validate(loaded, policy=rules)
        assert _told(loaded, report, rules) == {}, kind
        assert len(loaded.faces) == len(result.mesh.faces)
        corners = loaded.vertices[loaded.faces]
        if len(corners) <= _FEW and not (counted is not None and np.array_equal(corners, counted)):
            assert naive_trouble(loaded) == {}, kind
            counted = corners  # the twins see positions only, so they would say the same of the same ones
        stats.append(dict(report.stats))
    return stats[0]


def steps(result: RepairResult) -> dict[str, int]:
    """What was mended by each step that did something."""
    found: dict[str, int] = {}
    for step in result.steps:
        if not step.undone:
            found[step.name] = found.get(step.name, 0) + step.mended
    return found


def volume(mesh: Mesh) -> float:
    """The volume of a closed body."""
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


def is_same(one: Mesh, other: Mesh) -> bool:
    """Whether two meshes hold the same bits."""
    pairs: list[tuple[npt.NDArray[Any], npt.NDArray[Any]]] = [(one.vertices, other.vertices), (one.faces, other.faces)]
    for here, there in ((one.vertex_data, other.vertex_data), (one.face_data, other.face_data)):
        if sorted(here) != sorted(there):
            return False
        pairs += [(here[name], there[name]) for name in here]
    return all(a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes() for a, b in pairs)
