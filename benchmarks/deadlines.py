"""How late a call ends when its time is up, or when it is cancelled: validate and repair under `max_seconds`.

    python benchmarks/deadlines.py FILE... --seconds 1

Each call runs in a process of its own, warm, and is measured twice: with `max_seconds`, and with a `progress` that
raises after the same time. The last column says what came of it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path


class Cancelled(Exception):  # noqa: N818
    """The caller wants no answer any more."""


def measure(call: str, path: str, most: float) -> tuple[float, float, str]:
    """Seconds under `max_seconds`, seconds until a cancelled call ended, and what came of the first."""
    import meshguard
    from meshguard.phantoms import mutate, phantom

    task = getattr(meshguard, call)
    with suppress(meshguard.RepairRefused):  # compiled or loaded from the cache before anything is measured
        meshguard.repair(mutate(phantom(faces=4000), "hole", "needle", "flipped_patch", "floating_piece")[0])
    start = time.perf_counter()
    try:
        task(path, budget=meshguard.Budget(max_seconds=most))
        said = "ended by itself"
    except meshguard.MeshGuardError as error:
        said = f"{type(error).__name__}: {str(error).removeprefix('the mesh cannot be made clean within the policy: ')}"
    seconds = time.perf_counter() - start
    start = time.perf_counter()

    def until_cancelled(_done: int, _total: int, _what: str) -> None:
        if time.perf_counter() - start > most:
            raise Cancelled

    with suppress(meshguard.MeshGuardError, Cancelled):
        task(path, progress=until_cancelled)
    return seconds, time.perf_counter() - start, said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(measure(options.worker, options.files[0], options.seconds)))
        return
    print(f"{'file':>32}{'call':>10}{'ended s':>9}{'cancelled s':>13}")
    for path in options.files:
        for call in ("validate", "repair"):
            command = [sys.executable, __file__, path, "--seconds", str(options.seconds), "--worker", call]
            try:
                done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
                print(f"{Path(path).name:>32}{call:>10}  {type(error).__name__}", flush=True)
                continue
            seconds, cancelled, said = json.loads(done.stdout)
            print(f"{Path(path).name:>32}{call:>10}{seconds:>9.2f}{cancelled:>13.2f}  {said[:100]}", flush=True)


if __name__ == "__main__":
    main()
