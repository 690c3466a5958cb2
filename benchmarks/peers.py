"""Time meshguard beside the peers a user can install, on one file, in one run.

    python benchmarks/peers.py load FILE
    python benchmarks/peers.py validate FILE
    python benchmarks/peers.py self-intersections FILE
    python benchmarks/peers.py repair FILE

Each library runs in a process of its own, warm, and takes its turn in every round (A B C A B C …), so that a drift in
the machine's speed affects all of them alike. The ratio is the median over rounds of (peer's time / meshguard's time):
above 1, meshguard is faster. Peers that are not installed, or cannot read the file, are listed with the reason.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable


def load_meshguard(path: str) -> int:
    import meshguard

    return len(meshguard.load(path).faces)


def load_stl_reader(path: str) -> int:
    import stl_reader

    return len(stl_reader.read(path)[1])


def load_pyminiply(path: str) -> int:
    import pyminiply

    return len(pyminiply.read(path)[1])


def load_meshlib(path: str) -> int:
    import meshlib.mrmeshpy as mm

    return int(mm.loadMesh(path).topology.numValidFaces())


def load_open3d(path: str) -> int:
    import open3d

    mesh = open3d.io.read_triangle_mesh(path)
    mesh.remove_duplicated_vertices()
    return len(mesh.triangles)


def load_trimesh(path: str) -> int:
    import trimesh

    return len(trimesh.load_mesh(path).faces)


def validate_meshguard(path: str) -> int:
    import meshguard

    return len(meshguard.validate(path).findings)


def validate_meshlib(path: str) -> int:
    import meshlib.mrmeshpy as mm

    mesh = mm.loadMesh(path)
    mm.findMultipleEdges(mesh.topology)
    mesh.topology.findHoleRepresentiveEdges()
    mm.getAllComponents(mm.MeshPart(mesh))
    mm.findDegenerateFaces(mm.MeshPart(mesh))
    return len(mm.findSelfCollidingTriangles(mm.MeshPart(mesh)))


def validate_trimesh(path: str) -> int:
    import trimesh

    mesh = trimesh.load_mesh(path)
    return int(mesh.is_watertight) + int(mesh.is_winding_consistent) + mesh.body_count


def read(path: str) -> Any:
    """The file's mesh, the same for every library."""
    import meshguard

    return meshguard.load(path)


def intersections_meshguard(path: str) -> Callable[[], int]:
    import meshguard

    vertices, faces = np.array(read(path).vertices), np.array(read(path).faces)
    return lambda: len(meshguard.self_intersections(meshguard.Mesh(vertices=vertices, faces=faces)))


def intersections_meshlib(path: str) -> Callable[[], int]:
    import meshlib.mrmeshnumpy as mn
    import meshlib.mrmeshpy as mm

    given = read(path)
    mesh = mn.meshFromFacesVerts(np.array(given.faces, np.int32), np.array(given.vertices, np.float32))

    def run() -> int:
        mesh.invalidateCaches()  # so that the tree is built inside, as it is for everyone else
        return len(mm.findSelfCollidingTriangles(mm.MeshPart(mesh)))

    return run


def intersections_cgal(path: str) -> Callable[[], int]:
    from CGAL import CGAL_Polygon_mesh_processing as pmp
    from CGAL.CGAL_Kernel import Point_3
    from CGAL.CGAL_Polyhedron_3 import Polyhedron_3

    given = read(path)
    points, polygons = pmp.Point_3_Vector(), pmp.Polygon_Vector()
    for x, y, z in given.vertices.tolist():
        points.append(Point_3(x, y, z))
    for face in given.faces.tolist():
        polygon = pmp.Int_Vector()
        for corner in face:
            polygon.append(corner)
        polygons.append(polygon)
    surface = Polyhedron_3()
    pmp.orient_polygon_soup(points, polygons)
    pmp.polygon_soup_to_polygon_mesh(points, polygons, surface)

    def run() -> int:
        pairs: list[Any] = []
        pmp.self_intersections(surface, pairs)
        return len(pairs)

    return run


def prepared(run: Callable[[str], int]) -> Callable[[str], Callable[[], int]]:
    """A task that starts from the file: nothing is done beforehand."""
    return lambda path: lambda: run(path)


def repair_meshguard(path: str) -> int:
    import meshguard

    return len(meshguard.repair(path).mesh.faces)


def repair_meshlib(path: str) -> int:
    import meshlib.mrmeshpy as mm

    from repairs import mended_by_meshlib

    return int(mended_by_meshlib(mm.loadMesh(path)).topology.numValidFaces())


TASKS: dict[str, dict[str, tuple[Callable[[str], Callable[[], int]], str]]] = {
    "load": {
        "meshguard": (prepared(load_meshguard), "welded, attributes kept, irregularities reported"),
        "stl_reader": (prepared(load_stl_reader), "C++; STL only, welded"),
        "pyminiply": (prepared(load_pyminiply), "C++; PLY only, known attributes"),
        "meshlib": (
            prepared(load_meshlib),
            "C++, threads; welded, drops faces that break manifoldness, builds half-edges",
        ),
        "open3d": (prepared(load_open3d), "C++; then remove_duplicated_vertices"),
        "trimesh": (prepared(load_trimesh), "welded"),
    },
    "validate": {
        "meshguard": (prepared(validate_meshguard), "file to report: every check of the policy `scan`"),
        "meshlib": (
            prepared(validate_meshlib),
            "C++, threads; not: non-manifold, duplicates, winding",
        ),
        "trimesh": (prepared(validate_trimesh), "load, watertight, winding, number of bodies only"),
    },
    "self-intersections": {
        "meshguard": (intersections_meshguard, "exact; mesh made and tree built inside"),
        "meshlib": (intersections_meshlib, "C++ float32, threads; tree built inside"),
        "cgal": (intersections_cgal, "C++ exact, one thread; mesh made beforehand"),
    },
    "repair": {
        "meshguard": (prepared(repair_meshguard), "file to repaired mesh, with reports before and after"),
        "meshlib": (
            prepared(repair_meshlib),
            "C++, threads; degeneracies, cut-and-fill, holes up to 6.3 mm around; no check",
        ),
    },
}


def work(task: str, library: str, path: str) -> None:
    """Print "ready" after a first call, then time one call for each line read."""
    run = TASKS[task][library][0](path)
    value = run()
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        value = run()
        print(json.dumps([time.perf_counter() - start, value]), flush=True)


def started(task: str, library: str, path: str) -> subprocess.Popen[str] | str:
    """The library's process when it is ready, or why it cannot be."""
    errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed with the process)
    command = [sys.executable, str(Path(__file__).resolve()), task, path, "--worker", library]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == "ready":
            return process
    process.wait()
    errors.seek(0)
    return (errors.read().strip().splitlines() or ["died without a word"])[-1][:100]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("file")
    parser.add_argument("-n", "--rounds", type=int, default=9)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.task, options.worker, options.file)
        return
    processes = {library: started(options.task, library, options.file) for library in TASKS[options.task]}
    seconds: dict[str, list[float]] = {
        library: [] for library, process in processes.items() if not isinstance(process, str)
    }
    values: dict[str, int] = {}
    for _ in range(options.rounds):
        for library in seconds:
            process = processes[library]
            assert not isinstance(process, str)
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("go\n")
            process.stdin.flush()
            elapsed, values[library] = json.loads(process.stdout.readline())
            seconds[library].append(elapsed)
    print(f"{options.task} {Path(options.file).name}, {options.rounds} rounds")
    for library, process in processes.items():
        note = TASKS[options.task][library][1]
        if isinstance(process, str):
            print(f"{library:12} not measured: {process}")
            continue
        process.communicate()
        ratio = statistics.median(b / a for a, b in zip(seconds["meshguard"], seconds[library], strict=True))
        median = 1e3 * statistics.median(seconds[library])
        print(f"{library:12}{median:>10.2f} ms {ratio:>8.2f} x   value {values[library]:<9} {note}")


if __name__ == "__main__":
    main()
