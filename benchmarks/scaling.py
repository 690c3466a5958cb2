"""Time and memory of load, validate and self_intersections on growing phantom arches: ns and bytes per face.

    python benchmarks/scaling.py

For each size a fresh process loads the phantom's STL, then searches and validates the mesh several times; peak memory
is that of the process above what it used before the call, with the mesh loaded. The last line fits self_intersections:
seconds = a * (n log n) ** exponent.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshguard import Mesh

SIZES = (16_000, 100_000, 271_000, 1_000_000, 4_000_000)


def validate(mesh: Mesh) -> object:
    import meshguard

    return meshguard.validate(mesh)


def search(mesh: Mesh) -> object:
    import meshguard

    return meshguard.self_intersections(mesh)


CALLS: dict[str, Callable[[Mesh], object]] = {"search": search, "validate": validate}


def current_bytes() -> int:
    """Resident memory of this process now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def measure(path: str, rounds: int) -> dict[str, float]:
    """Median seconds of load, validate and self_intersections, and bytes that the last two need on top of the mesh."""
    import meshguard

    meshguard.validate(meshguard.phantom(faces=5000))  # compiled or loaded from cache before anything is measured
    mesh = meshguard.load(path)
    peaks = {name: peak_bytes(call, mesh) for name, call in CALLS.items()}
    seconds: dict[str, list[float]] = {name: [] for name in ("load", *CALLS)}
    for _ in range(rounds):
        start = time.perf_counter()
        mesh = meshguard.load(path)
        seconds["load"].append(time.perf_counter() - start)
        for name, call in CALLS.items():
            start = time.perf_counter()
            call(mesh)
            seconds[name].append(time.perf_counter() - start)
    return {
        "faces": len(mesh.faces),
        **{f"{name}_s": statistics.median(found) for name, found in seconds.items()},
        "bytes_a_face": peaks["validate"] / len(mesh.faces),
        "search_bytes_a_face": peaks["search"] / len(mesh.faces),
    }


def peak_bytes(call: Callable[[Mesh], object], mesh: Mesh) -> int:
    """The most bytes that a call needs on top of what the process has before it."""
    Path("/proc/self/clear_refs").write_text("5")  # reset the peak
    before = current_bytes()
    call(mesh)
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024 - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", "--rounds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--json", action="store_true", help="one JSON object a size")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(measure(options.worker, options.rounds)))
        return
    import meshguard

    names = ("load", "validate", "search")
    if not options.json:
        head = "".join(f"{name + ' ms':>13}{'ns/face':>9}" for name in names)
        print(f"{'faces':>10}{head}{'bytes/face':>12}{'of search':>11}")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for size in options.sizes:
            path = str(Path(folder) / "phantom.stl")
            meshguard.save(meshguard.phantom(faces=size), path)
            command = [sys.executable, __file__, "--worker", path, "-n", str(options.rounds)]
            row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            rows.append(row)
            if options.json:
                print(json.dumps(row), flush=True)
                continue
            faces = row["faces"]
            line = "".join(f"{1e3 * row[f'{name}_s']:>13.1f}{1e9 * row[f'{name}_s'] / faces:>9.0f}" for name in names)
            print(f"{faces:>10}{line}{row['bytes_a_face']:>12.0f}{row['search_bytes_a_face']:>11.0f}", flush=True)
    large = [(math.log(n * math.log(n)), math.log(row["search_s"])) for row in rows if (n := row["faces"]) >= 90_000]
    if len(large) > 1 and not options.json:
        exponent = statistics.linear_regression(*zip(*large, strict=True)).slope
        print(
            f"self_intersections from {min(row['faces'] for row in rows if row['faces'] >= 90_000)} faces on: ", end=""
        )
        print(f"exponent of n log n {exponent:.3f}")


if __name__ == "__main__":
    main()
