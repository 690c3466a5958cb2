"""Time and memory of load and validate on phantom arches of growing size: is it linear, and how many bytes a face?

    python benchmarks/scaling.py

For each size a fresh process loads the phantom's STL, then validates the mesh several times; peak memory is that of the
process above what it used before the validation, with the mesh loaded.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = (16_000, 64_000, 271_000, 1_000_000, 4_000_000)


def current_bytes() -> int:
    """Resident memory of this process now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def measure(path: str, rounds: int) -> dict[str, float]:
    """Median seconds of load and validate, and bytes that validate needs above the loaded mesh."""
    import meshguard

    meshguard.validate(meshguard.phantom(faces=5000))  # compiled or loaded from cache before anything is measured
    mesh = meshguard.load(path)
    Path("/proc/self/clear_refs").write_text("5")  # start the peak anew
    before = current_bytes()
    meshguard.validate(mesh)
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
    seconds: dict[str, list[float]] = {"load": [], "validate": []}
    for _ in range(rounds):
        start = time.perf_counter()
        mesh = meshguard.load(path)
        middle = time.perf_counter()
        meshguard.validate(mesh)
        seconds["load"].append(middle - start)
        seconds["validate"].append(time.perf_counter() - middle)
    return {
        "faces": len(mesh.faces),
        "load_s": statistics.median(seconds["load"]),
        "validate_s": statistics.median(seconds["validate"]),
        "bytes_a_face": (peak - before) / len(mesh.faces),
    }


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

    if not options.json:
        print(f"{'faces':>10}{'load ms':>10}{'ns/face':>9}{'validate ms':>13}{'ns/face':>9}{'bytes/face':>12}")
    with tempfile.TemporaryDirectory() as folder:
        for size in options.sizes:
            path = str(Path(folder) / "phantom.stl")
            meshguard.save(meshguard.phantom(faces=size), path)
            command = [sys.executable, __file__, "--worker", path, "-n", str(options.rounds)]
            row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            if options.json:
                print(json.dumps(row), flush=True)
                continue
            faces = row["faces"]
            times = [(1e3 * row[name], 1e9 * row[name] / faces) for name in ("load_s", "validate_s")]
            (load, load_each), (check, check_each) = times
            line = f"{faces:>10}{load:>10.1f}{load_each:>9.0f}{check:>13.1f}{check_each:>9.0f}"
            print(f"{line}{row['bytes_a_face']:>12.0f}", flush=True)


if __name__ == "__main__":
    main()
