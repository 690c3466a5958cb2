"""Time the search for intersecting faces on meshes that are made to defeat it: does anything grow with the square?

    python benchmarks/hard_cases.py
    python benchmarks/hard_cases.py slivers_any_way --sizes 20000 100000

Each case is measured in a process of its own, at growing sizes, warm. The exponent is that of seconds over faces
between the last two sizes; the pairs show whether the answer itself grows with the square.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshguard import Mesh

Points = npt.NDArray[np.float64]
SIZES = (25_000, 50_000, 100_000)


def soup(corners: Points) -> Mesh:
    """Faces of three corners each."""
    import meshguard

    return meshguard.Mesh(vertices=corners.reshape(-1, 3), faces=np.arange(corners.size // 3).reshape(-1, 3))


def directions(count: int, seed: int) -> Points:
    """Unit vectors, spread evenly over the sphere."""
    vectors = np.random.default_rng(seed).normal(size=(count, 3))
    unit: Points = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def slivers(middle: Points, along: Points, length: float, width: float) -> Mesh:
    """Long thin faces, each about a point and along a direction."""
    across = np.cross(along, directions(len(along), 5))
    across *= width / np.linalg.norm(across, axis=1, keepdims=True)
    half = 0.5 * length * along
    return soup(np.stack([middle - half, middle + half + across, middle + half - across], axis=1))


def slivers_any_way(count: int) -> Mesh:
    """As long as the cube of 60 mm that they lie in, 0.1 micrometres wide, in every direction."""
    middle = np.random.default_rng(0).uniform(-30, 30, (count, 3))
    return slivers(middle, directions(count, 1), 60.0, 1e-4)


def short_slivers_any_way(count: int) -> Mesh:
    """6 mm long, 0.1 micrometres wide, in a cube of 60 mm, in every direction."""
    middle = np.random.default_rng(0).uniform(-30, 30, (count, 3))
    return slivers(middle, directions(count, 1), 6.0, 1e-4)


def slivers_one_way(count: int) -> Mesh:
    """60 mm long, 0.1 micrometres wide, all along one slanted direction except for a hundredth of them."""
    middle = np.random.default_rng(0).uniform(-30, 30, (count, 3))
    along = np.array([1.0, 2.0, 3.0]) / math.sqrt(14) + 0.01 * directions(count, 1)
    return slivers(middle, along, 60.0, 1e-4)


def apex_fan(count: int) -> Mesh:
    """A closed fan around one vertex: every box meets every other there."""
    import meshguard

    angle = 2 * np.pi * np.arange(count) / count
    radius = 30 + 3 * np.cos(40 * angle)
    rim = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.sin(7 * angle)], axis=1)
    ring = 1 + np.arange(count)
    faces = np.stack([np.zeros(count, int), ring, np.roll(ring, -1)], axis=1)
    return meshguard.Mesh(vertices=np.concatenate([[[0.0, 0.0, 5.0]], rim]), faces=faces)


def apex_soup(count: int) -> Mesh:
    """Narrow faces from one vertex in every direction, as wide as their number leaves room for."""
    import meshguard

    along = directions(count, 2)
    across = np.cross(along, directions(count, 3))
    across *= 0.5 / math.sqrt(count) / np.linalg.norm(across, axis=1, keepdims=True)
    ends = 30 * np.concatenate([along + across, along - across])
    ring = 1 + np.arange(count)
    faces = np.stack([np.zeros(count, int), ring, ring + count], axis=1)
    return meshguard.Mesh(vertices=np.concatenate([[[0.0, 0.0, 0.0]], ends]), faces=faces)


def grid(side: int) -> tuple[Points, npt.NDArray[np.int64]]:
    """A flat sheet of 60 mm in 2 * side**2 faces."""
    x, y = np.meshgrid(np.linspace(-30, 30, side + 1), np.linspace(-30, 30, side + 1), indexing="ij")
    a = (np.arange(side)[:, None] * (side + 1) + np.arange(side)).ravel()
    faces = np.concatenate([np.stack([a, a + side + 1, a + 1], 1), np.stack([a + 1, a + side + 1, a + side + 2], 1)])
    return np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1), faces


def doubled_sheet(count: int) -> Mesh:
    """A flat sheet laid on itself, moved by a third of a face: every face overlaps several."""
    import meshguard

    side = math.isqrt(count // 4)
    points, faces = grid(side)
    moved = points + np.array([20.0, 20.0, 0.0]) / side
    return meshguard.Mesh(vertices=np.concatenate([points, moved]), faces=np.concatenate([faces, faces + len(points)]))


def needles(count: int) -> Mesh:
    """Long needles through a ball of 0.2 mm that all cross each other: the answer is quadratic."""
    middle = np.random.default_rng(0).uniform(-0.1, 0.1, (count, 3))
    return slivers(middle, directions(count, 1), 60.0, 0.5)


CASES: dict[str, tuple[Callable[[int], Mesh], tuple[int, ...]]] = {
    "slivers_one_way": (slivers_one_way, SIZES),
    "slivers_any_way": (slivers_any_way, SIZES),
    "short_slivers_any_way": (short_slivers_any_way, SIZES),
    "apex_fan": (apex_fan, SIZES),
    "apex_soup": (apex_soup, SIZES),
    "doubled_sheet": (doubled_sheet, (50_000, 100_000, 200_000)),
    "needles": (needles, (500, 1000, 2000)),
}


def measure(case: str, size: int, cap: int) -> dict[str, float]:
    """The least seconds of two calls, the seconds of one with `max_pairs=1`, and the pairs."""
    import meshguard

    make = CASES[case][0]
    meshguard.self_intersections(make(min(size, 5000)))  # compiled before anything is measured
    mesh = make(size)

    def timed(most: int) -> tuple[float, int]:
        fresh = meshguard.Mesh(vertices=np.array(mesh.vertices), faces=np.array(mesh.faces))
        start = time.perf_counter()
        pairs = meshguard.self_intersections(fresh, max_pairs=most)
        return time.perf_counter() - start, len(pairs)

    every, one = [timed(cap), timed(cap)], [timed(1), timed(1)]
    return {"faces": len(mesh.faces), "s": min(every)[0], "any_s": min(one)[0], "pairs": every[0][1]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; all of them by default")
    parser.add_argument("--sizes", type=int, nargs="*")
    parser.add_argument("--cap", type=int, default=1_000_000, help="max_pairs")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(measure(options.worker[0], int(options.worker[1]), options.cap)))
        return
    print(f"{'case':>22}{'faces':>9}{'pairs':>9}{'s':>9}{'us/face':>9}{'any? s':>9}{'exponent':>10}")
    for case in options.cases or CASES:
        before: dict[str, float] = {}
        for size in options.sizes or CASES[case][1]:
            command = [sys.executable, __file__, "--cap", str(options.cap), "--worker", case, str(size)]
            row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            line = f"{case:>22}{row['faces']:>9}{row['pairs']:>9}{row['s']:>9.3f}{1e6 * row['s'] / row['faces']:>9.2f}"
            line += f"{row['any_s']:>9.3f}"
            if before:
                exponent = math.log(row["s"] / before["s"]) / math.log(row["faces"] / before["faces"])
                line += f"{exponent:>10.2f}"
            print(line, flush=True)
            before = row


if __name__ == "__main__":
    main()
