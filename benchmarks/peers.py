"""Time meshguard beside the peers a user can install, on one file, in one run.

    python benchmarks/peers.py load FILE
    python benchmarks/peers.py validate FILE

Each library runs in a process of its own, warm, and takes its turn in every round (A B C A B C …), so that a drift of
the machine's speed touches all alike. The ratio is the median over rounds of (peer's time / meshguard's time): above 1,
meshguard is faster. Peers that are not installed, or cannot read the file, are listed with the reason.
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
from typing import TYPE_CHECKING

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
    return int(mm.findDegenerateFaces(mm.MeshPart(mesh)).count())


def validate_trimesh(path: str) -> int:
    import trimesh

    mesh = trimesh.load_mesh(path)
    return int(mesh.is_watertight) + int(mesh.is_winding_consistent) + mesh.body_count


TASKS: dict[str, dict[str, tuple[Callable[[str], int], str]]] = {
    "load": {
        "meshguard": (load_meshguard, "welded, attributes kept, irregularities reported"),
        "stl_reader": (load_stl_reader, "C++; STL only, welded"),
        "pyminiply": (load_pyminiply, "C++; PLY only, known attributes"),
        "meshlib": (load_meshlib, "C++, threads; welded, drops faces that break manifoldness, builds half-edges"),
        "open3d": (load_open3d, "C++; then remove_duplicated_vertices"),
        "trimesh": (load_trimesh, "welded"),
    },
    "validate": {
        "meshguard": (validate_meshguard, "file to report: every check of the policy `scan`"),
        "meshlib": (validate_meshlib, "C++, threads; load, multiple edges, loops, components, degenerate faces only"),
        "trimesh": (validate_trimesh, "load, watertight, winding, number of bodies only"),
    },
}


def work(task: str, library: str, path: str) -> None:
    """Say "ready" after a first call, then time one call for each line read."""
    run = TASKS[task][library][0]
    value = run(path)
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        value = run(path)
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
