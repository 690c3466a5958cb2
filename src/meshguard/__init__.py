"""meshguard: says what is wrong with a mesh and where, exactly and fast; made for scans of dental arches.

    import meshguard

    report = meshguard.validate("lower.stl")
    print(report.ok, report.grade, len(report.findings))

Names load on first use, so that importing meshguard imports neither Numba, SciPy nor trimesh.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from meshguard._version import __version__
from meshguard.repair import repair

if TYPE_CHECKING:
    from meshguard.budget import Budget
    from meshguard.errors import BudgetExceeded, MeshError, MeshGuardError, PolicyError, ReadError, RepairRefused
    from meshguard.io import load, save
    from meshguard.isolation import isolated
    from meshguard.mesh import Mesh
    from meshguard.metrics import segmentation_metrics
    from meshguard.phantoms import phantom
    from meshguard.policy import Policy
    from meshguard.queries import arch_frame, boundary_loops, intersections, self_intersections
    from meshguard.repair.result import RepairResult
    from meshguard.report import Finding, Outcome, Report, Safety, Severity, Status
    from meshguard.validation import validate

__all__ = [
    "Budget",
    "BudgetExceeded",
    "Finding",
    "Mesh",
    "MeshError",
    "MeshGuardError",
    "Outcome",
    "Policy",
    "PolicyError",
    "ReadError",
    "RepairRefused",
    "RepairResult",
    "Report",
    "Safety",
    "Severity",
    "Status",
    "__version__",
    "arch_frame",
    "boundary_loops",
    "intersections",
    "isolated",
    "load",
    "phantom",
    "repair",
    "save",
    "segmentation_metrics",
    "self_intersections",
    "validate",
]

_HOMES = {
    "Budget": "budget",
    "BudgetExceeded": "errors",
    "MeshError": "errors",
    "MeshGuardError": "errors",
    "PolicyError": "errors",
    "ReadError": "errors",
    "RepairRefused": "errors",
    "RepairResult": "repair.result",
    "isolated": "isolation",
    "load": "io",
    "save": "io",
    "Mesh": "mesh",
    "segmentation_metrics": "metrics",
    "phantom": "phantoms",
    "Policy": "policy",
    "Finding": "report",
    "Outcome": "report",
    "Report": "report",
    "Safety": "report",
    "Severity": "report",
    "Status": "report",
    "arch_frame": "queries",
    "boundary_loops": "queries",
    "intersections": "queries",
    "self_intersections": "queries",
    "validate": "validation",
}


def __getattr__(name: str) -> object:
    """Load a public name from its module on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'meshguard' has no attribute {name!r}")
    value = getattr(import_module(f"meshguard.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
