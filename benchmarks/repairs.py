"""Repair many broken meshes with meshguard and the peers a user can install, and judge every result the same way.

    python benchmarks/repairs.py FILE... [--only meshguard,meshlib] [--limit SECONDS]

Each library repairs each file in a process of its own and saves it as STL; the saved file is what is judged. It is
clean when it has a face, and no non-manifold edge or vertex, inconsistent edge, face without area, duplicate face,
inverted body, or intersecting pair except between two different closed bodies, all decided exactly. It is faithful when
no point of the input lies further from it than 2 % of the input's diagonal; components of the input that are smaller
than the floating limit do not count. Times are a process's second call, without compilation.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshguard import Mesh

FAITHFUL = 0.02
_SAMPLES = 20_000


def by_meshguard(source: str, target: str) -> None:
    """meshguard.repair under the policy `scan`."""
    import meshguard

    meshguard.save(meshguard.repair(source).mesh, target)


def mended_by_meshlib(mesh: Any) -> Any:
    """A MeshLib mesh after its local recipe: multiple edges, degeneracies, cut-and-fill, holes up to 6.3 mm around."""
    import meshlib.mrmeshpy as mm

    diagonal = mesh.getBoundingBox().diagonal()
    mm.fixMultipleEdges(mesh)
    params = mm.FixMeshDegeneraciesParams()
    params.maxDeviation = 1e-5 * diagonal
    params.tinyEdgeLength = 1e-6 * diagonal
    mm.fixMeshDegeneracies(mesh, params)
    settings = mm.SelfIntersections.Settings()
    settings.method = mm.SelfIntersections.Settings.Method.CutAndFill
    mm.SelfIntersections.fix(mesh, settings)
    for edge in mesh.topology.findHoleRepresentiveEdges():
        if mesh.holePerimeter(edge) <= 6.3:
            fill = mm.FillHoleParams()
            fill.metric = mm.getUniversalMetric(mesh)
            mm.fillHole(mesh, edge, fill)
    return mesh


def by_meshlib(source: str, target: str) -> None:
    """MeshLib's local recipe."""
    import meshlib.mrmeshpy as mm

    mm.saveMesh(mended_by_meshlib(mm.loadMesh(source)), target)


def by_pymeshfix(source: str, target: str) -> None:
    """MeshFix.repair: closes everything, keeps the largest component."""
    import pymeshfix
    import trimesh

    mesh = trimesh.load_mesh(source)
    fixer = pymeshfix.MeshFix(np.asarray(mesh.vertices), np.asarray(mesh.faces))
    fixer.repair()
    points = fixer.points if hasattr(fixer, "points") else fixer.v
    faces = fixer.faces if hasattr(fixer, "faces") else fixer.f
    trimesh.Trimesh(np.asarray(points), np.asarray(faces).reshape(-1, 3), process=False).export(target)


def by_pymeshlab(source: str, target: str) -> None:
    """Duplicates, null faces, non-manifold edges and vertices, intersecting faces deleted, holes of 30 edges closed."""
    import pymeshlab

    meshes = pymeshlab.MeshSet()
    meshes.load_new_mesh(source)
    meshes.meshing_merge_close_vertices()
    meshes.meshing_remove_duplicate_faces()
    meshes.meshing_remove_null_faces()
    meshes.meshing_repair_non_manifold_edges()
    meshes.meshing_repair_non_manifold_vertices()
    meshes.compute_selection_by_self_intersections_per_face()
    meshes.meshing_remove_selected_faces()
    meshes.meshing_repair_non_manifold_edges()
    meshes.meshing_close_holes(maxholesize=30)
    meshes.save_current_mesh(target)


def by_trimesh(source: str, target: str) -> None:
    """Merge, drop degenerate and duplicate faces, orient faces consistently and outward, fill holes."""
    import trimesh

    mesh = trimesh.load_mesh(source)
    mesh.update_faces(mesh.nondegenerate_faces())
    mesh.update_faces(mesh.unique_faces())
    trimesh.repair.fix_winding(mesh)
    trimesh.repair.fix_inversion(mesh)
    trimesh.repair.fill_holes(mesh)
    mesh.export(target)


LIBRARIES: dict[str, Callable[[str, str], None]] = {
    "meshguard": by_meshguard,
    "MeshLib": by_meshlib,
    "pymeshfix": by_pymeshfix,
    "PyMeshLab": by_pymeshlab,
    "trimesh": by_trimesh,
}


def work(library: str, source: str, target: str) -> None:
    """Repair twice in this process; print how long the second repair took."""
    import time

    LIBRARIES[library](source, target)
    start = time.perf_counter()
    LIBRARIES[library](source, target)
    print(json.dumps(time.perf_counter() - start))


def repaired(library: str, source: Path, target: Path, limit: float) -> tuple[float, str]:
    """Seconds that a library took, or why there is no result."""
    command = [sys.executable, __file__, "--work", library, str(source), str(target)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return limit, f"not done after {limit:g} s"
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return 0.0, last[:80]
    return float(done.stdout.strip().splitlines()[-1]), ""


def judged(before: Mesh, target: Path) -> dict[str, Any]:
    """Whether a saved result is clean, and how far the input departs from it, as a share of the input's diagonal."""
    import meshguard
    from meshguard.facts.mesh import MeshFacts
    from meshguard.policy import policy
    from meshguard.repair.acceptance import violations

    after = MeshFacts(meshguard.load(target), policy("scan"))
    found = violations(after)
    facts = MeshFacts(before, policy("scan"))
    lost = _departure(facts, after) / facts.diagonal if len(after.sound_faces) else 1.0
    return {"clean": not found, "violations": found, "lost": lost}


def _departure(before: Any, after: Any) -> float:
    """The furthest distance of a sample of the input's surface from the result, mm; its debris does not count."""
    from meshguard.facts.mesh.mesh_contact import nearest
    from meshguard.kernels.bvh import NO_GROUPS, build_tree
    from meshguard.repair.mesh.debris import floating_components

    kept = before.is_sound & ~np.isin(before.components.of_face, floating_components(before))
    corners = before.positions[before.corners[kept]]
    rng = np.random.default_rng(0)
    chosen = rng.choice(
        len(corners), _SAMPLES, p=before.face_measures.area[kept] / before.face_measures.area[kept].sum()
    )
    weights = rng.dirichlet((1.0, 1.0, 1.0), _SAMPLES)
    points = np.concatenate(
        [
            (corners[chosen] * weights[:, :, None]).sum(axis=1),
            corners.reshape(-1, 3)[:: max(1, 3 * len(corners) // _SAMPLES)],
        ]
    )
    tree = build_tree(after.positions, after.corners, after.sound_faces, NO_GROUPS, after.span)
    return float(nearest(after, tree, points)[2].max())


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--only", help="comma-separated libraries")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds for a file, twice repaired")
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        work(*args.work)
        return
    import meshguard

    libraries = args.only.split(",") if args.only else list(LIBRARIES)
    rows: dict[str, list[dict[str, Any]]] = {library: [] for library in libraries}
    with tempfile.TemporaryDirectory() as folder:
        for file in args.files:
            before = meshguard.load(file)
            for library in libraries:
                target = Path(folder) / "out.stl"
                target.unlink(missing_ok=True)
                seconds, trouble = repaired(library, file, target, args.limit)
                row: dict[str, Any] = {"seconds": seconds, "trouble": trouble, "clean": False, "lost": 1.0}
                if not trouble:
                    row |= judged(before, target)
                rows[library].append(row)
                said = trouble or (
                    "clean" if row["clean"] else ", ".join(f"{n} {kind}" for kind, n in row["violations"].items())
                )
                print(
                    f"{file.name[:40]:40s} {library:10s} {seconds:8.2f} s  lost {100 * row['lost']:6.2f} %  {said}",
                    flush=True,
                )
    print(f"\n| library | clean of {len(args.files)} | clean and faithful | no result | median lost, % | median s |")
    print("|---|---|---|---|---|---|")
    for library, results in rows.items():
        clean = [row for row in results if row["clean"]]
        both = [row for row in clean if row["lost"] <= FAITHFUL]
        failed = [row for row in results if row["trouble"]]
        lost = statistics.median(100 * row["lost"] for row in results)
        seconds = statistics.median(row["seconds"] for row in results)
        print(f"| {library} | {len(clean)} | {len(both)} | {len(failed)} | {lost:.2f} | {seconds:.2f} |")


if __name__ == "__main__":
    main()
