"""How near filled holes come to the surface that was there, beside MeshLib and pymeshfix.

    python benchmarks/holes.py SCAN... [--seed N] [--plot OUT.svg]

Holes of 0.5 to 4 mm diameter are punched into scans at seeded places: crowns, gum and embrasures (the seams between
teeth and at the gum). Labels beside a scan (NAME.labels.json, one for each vertex) tell these apart, or height and
concavity where there are no labels. The faces that touch a ball are removed where they form a disc with one clean loop.
Each library fills the same hole in the same neighbourhood (everything within 4 mm of it). The distances from the new
surface to the old one and back are measured on samples of one density: their RMS, and the largest. Only the removed
faces and what replaces them are sampled, so a library is not blamed for what it moves outside the hole. A patch
intersects if, decided exactly, any of its faces meets another face of the library's result outside their common
vertices and edges.

MeshLib is `fillHoleNicely` with curvature smoothing, cotangent weights, and the metric and edge length that were best
in a trial on such holes (universal; 0.7 of the mean edge at the loop; `naturalSmooth` and the other metrics were
worse). pymeshfix is `fill_small_boundaries(refine=True)`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

import meshguard
from meshguard.facts.arrays import frozen
from meshguard.facts.mesh import MeshFacts
from meshguard.facts.mesh.mesh_contact import nearest
from meshguard.kernels.bvh import NO_GROUPS, build_tree
from meshguard.policy import policy
from meshguard.repair.mesh.hole_filling import fill_hole

if TYPE_CHECKING:
    from collections.abc import Callable

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

DIAMETERS_MM = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
PLACES = ("crown", "gum", "embrasure")
NEAR_MM = 4.0


class Punched(NamedTuple):
    """A hole: its neighbourhood before and after, the loop as new faces run along it, and where it comes from."""

    positions: Floats
    corners: Ints
    removed: Ints
    loop: Ints
    scan: str
    place: str
    diameter_mm: float


def welded(mesh: meshguard.Mesh) -> tuple[Floats, Ints, Ints]:
    """Positions, corners, and a mesh vertex on each position."""
    rounded = mesh.vertices.astype(np.float32).astype(np.float64) + 0.0
    positions, first, back = np.unique(rounded, axis=0, return_index=True, return_inverse=True)
    corners = back.reshape(-1)[mesh.faces].astype(np.int32)
    return positions, corners[(corners != np.roll(corners, 1, axis=1)).all(axis=1)], first.astype(np.int32)


def vertex_normals(positions: Floats, corners: Ints) -> Floats:
    """Unit normals, weighted by area."""
    own = np.cross(
        positions[corners[:, 1]] - positions[corners[:, 0]], positions[corners[:, 2]] - positions[corners[:, 0]]
    )
    normals = np.zeros_like(positions)
    for corner in range(3):
        np.add.at(normals, corners[:, corner], own)
    return normals / (np.linalg.norm(normals, axis=1, keepdims=True) + 1e-300)


def places(positions: Floats, corners: Ints, labels: Ints | None) -> dict[str, Ints]:
    """Vertices on crowns, on gum and in embrasures, at least a millimetre from the other kinds where labels tell."""
    from scipy.spatial import cKDTree

    tree = cKDTree(positions)
    rng = np.random.default_rng(0)
    tried = np.sort(rng.choice(len(positions), min(4000, len(positions)), replace=False))
    near = tree.query_ball_point(positions[tried], 1.0)
    found: dict[str, list[int]] = {place: [] for place in PLACES}
    if labels is not None:
        for v, around in zip(tried, near, strict=True):
            kinds = np.unique(labels[around])
            place = "embrasure" if len(kinds) > 1 else "gum" if kinds[0] == 0 else "crown"
            found[place].append(int(v))
    else:
        normals = vertex_normals(positions, corners)
        up = np.linalg.eigh(np.cov(positions.T))[1][:, 0]
        up *= np.sign((normals @ up).sum())
        depth = np.array(
            [(positions[a] - positions[v]).mean(axis=0) @ normals[v] for v, a in zip(tried, near, strict=True)]
        )
        height = positions[tried] @ up
        concave = depth > np.quantile(depth, 0.85)
        high, low = np.quantile(height, [0.6, 0.4])
        for i, v in enumerate(tried):
            if concave[i]:
                found["embrasure"].append(int(v))
            elif height[i] > high:
                found["crown"].append(int(v))
            elif height[i] < low:
                found["gum"].append(int(v))
    return {place: np.array(vertices, np.int32) for place, vertices in found.items()}


def punched(positions: Floats, corners: Ints, centre: int, diameter: float) -> tuple[Ints, Ints] | None:
    """Faces that a ball removes and the loop they leave, if they are a disc inside a manifold neighbourhood."""
    import trimesh

    inside = np.linalg.norm(positions - positions[centre], axis=1) <= diameter / 2
    inside[centre] = True
    touched = np.flatnonzero(inside[corners].any(axis=1))
    # The component that holds the centre: a ball may reach the other side of a thin crown.
    pieces = trimesh.graph.connected_components(corners[touched][:, [0, 1, 1, 2]].reshape(-1, 2), min_len=1)
    piece = next(p for p in pieces if centre in p)
    removed = touched[np.isin(corners[touched][:, 0], piece)]
    start, end = corners[removed].reshape(-1), np.roll(corners[removed], -1, axis=1).reshape(-1)
    after = {}
    pairs = set(zip(start.tolist(), end.tolist(), strict=True))
    if len(pairs) < len(start):
        return None
    for a, b in pairs:
        if (b, a) not in pairs:
            if a in after:
                return None
            after[a] = b
    if not after:
        return None
    loop = [min(after)]
    while after[loop[-1]] != loop[0]:
        loop.append(after[loop[-1]])
        if loop[-1] not in after or len(loop) > len(after):
            return None
    n_edges = (len(start) + len(after)) // 2
    if len(loop) != len(after) or len(np.unique(start)) - n_edges + len(removed) != 1:
        return None
    if len(np.unique(start)) == len(loop):
        return None  # nothing inside: no truth to compare with
    rest = np.ones(len(corners), bool)
    rest[removed] = False
    at_loop = np.isin(corners, loop).any(axis=1) & rest
    s, e = corners[at_loop].reshape(-1), np.roll(corners[at_loop], -1, axis=1).reshape(-1)
    others = set(zip(s.tolist(), e.tolist(), strict=True))
    if any((b, a) not in others for a, b in after.items()):
        return None  # at a border
    return removed.astype(np.int32), np.array(loop, np.int32)


def punch_all(path: Path, each: int, seed: int) -> list[Punched]:
    """Seeded holes of one scan."""
    positions, corners, first = welded(meshguard.load(path))
    beside = path.with_name(path.stem + ".labels.json")
    labels = np.array(json.loads(beside.read_text("utf-8"))["labels"])[first] if beside.exists() else None
    rng = np.random.default_rng([seed, len(corners)])
    found = []
    for place, vertices in places(positions, corners, labels).items():
        for diameter in DIAMETERS_MM:
            wanted = each
            for centre in rng.permutation(vertices):
                hole = punched(positions, corners, int(centre), diameter)
                if hole is None:
                    continue
                removed, loop = hole
                away = np.linalg.norm(positions - positions[centre], axis=1)
                near = (away <= diameter / 2 + NEAR_MM)[corners].any(axis=1)
                near[removed] = True
                numbers = np.unique(corners[near])
                local = np.searchsorted(numbers, corners[near]).astype(np.int32)
                gone = np.zeros(len(corners), bool)
                gone[removed] = True
                found.append(
                    Punched(
                        frozen(positions[numbers]),
                        frozen(local[~gone[near]]),
                        frozen(local[gone[near]]),
                        np.searchsorted(numbers, loop).astype(np.int32),
                        path.stem,
                        place,
                        diameter,
                    )
                )
                wanted -= 1
                if wanted == 0:
                    break
    return found


# ---- what fills


class Filled(NamedTuple):
    """The whole neighbourhood as a library returns it, and which of its faces fill the hole."""

    vertices: Floats
    faces: Ints
    is_new: npt.NDArray[np.bool_]


def by_meshguard(hole: Punched) -> Filled:
    patch = fill_hole(hole.positions, hole.corners, [hole.loop])
    assert patch is not None
    return Filled(
        np.concatenate([hole.positions, patch.points]),
        np.concatenate([hole.corners, patch.faces]),
        np.arange(len(hole.corners) + len(patch.faces)) >= len(hole.corners),
    )


def by_meshlib(hole: Punched, metric: str = "universal", length: float = 0.7, natural: bool = False) -> Filled:
    import meshlib.mrmeshnumpy as mn
    import meshlib.mrmeshpy as mm

    used = np.unique(hole.corners)
    mesh = mn.meshFromFacesVerts(np.searchsorted(used, hole.corners).astype(np.int32), hole.positions[used])
    # By place, since MeshLib doubles the vertices of a neighbourhood that is not manifold.
    loop = set(map(tuple, hole.positions[hole.loop].astype(np.float32).tolist()))
    vertices = mn.getNumpyVerts(mesh).astype(np.float32)
    open_edges = mesh.topology.findHoleRepresentiveEdges()
    edge = next(e for e in open_edges if tuple(vertices[int(mesh.topology.org(e))].tolist()) in loop)
    settings = mm.FillHoleNicelySettings()
    metrics = {
        "universal": lambda: mm.getUniversalMetric(mesh),
        "circumscribed": lambda: mm.getCircumscribedMetric(mesh),
        "area": lambda: mm.getMinAreaMetric(mesh),
        "complex": lambda: mm.getComplexFillMetric(mesh, edge),
    }
    settings.triangulateParams.metric = metrics[metric]()
    edges = np.concatenate([hole.corners[:, [0, 1]], hole.corners[:, [1, 2]], hole.corners[:, [2, 0]]])
    edges = edges[np.isin(edges, hole.loop).any(axis=1)]
    own = np.linalg.norm(hole.positions[edges[:, 0]] - hole.positions[edges[:, 1]], axis=1)
    settings.subdivideSettings.maxEdgeLen = length * float(own.mean())
    settings.subdivideSettings.maxEdgeSplits = 20_000
    settings.smoothCurvature = True
    settings.smoothSettings.edgeWeights = mm.EdgeWeights.Cotan
    settings.smoothSettings.naturalSmooth = natural
    patch = mm.fillHoleNicely(mesh, edge, settings)
    bits = mn.getNumpyBitSet(patch)
    kept = mn.getNumpyBitSet(mesh.topology.getValidFaces())
    is_new = np.zeros(len(kept), np.bool_)
    is_new[: len(bits)] = bits
    return Filled(mn.getNumpyVerts(mesh), mn.getNumpyFaces(mesh.topology)[: len(kept)][kept], is_new[kept])


def by_pymeshfix(hole: Punched) -> Filled:
    from pymeshfix import PyTMesh

    used = np.unique(hole.corners)
    mesh = PyTMesh()
    mesh.set_quiet(1)
    mesh.load_array(hole.positions[used], np.searchsorted(used, hole.corners).astype(np.int32))
    mesh.fill_small_boundaries(nbe=len(hole.loop), refine=True)
    vertices, faces = mesh.return_arrays()
    known = {tuple(sorted(map(tuple, t))) for t in hole.positions[hole.corners].tolist()}
    is_new = np.array([tuple(sorted(map(tuple, t))) not in known for t in vertices[faces].tolist()], np.bool_)
    return Filled(vertices, faces, is_new)


LIBRARIES: dict[str, Callable[[Punched], Filled]] = {
    "meshguard": by_meshguard,
    "MeshLib": by_meshlib,
    "pymeshfix": by_pymeshfix,
}


# ---- how near


def samples(vertices: Floats, faces: Ints, density: float) -> Floats:
    """Points spread evenly over faces (a fixed number of random points for each unit of area, seeded), and corners."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    area = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)
    rng = np.random.default_rng(0)
    count = max(200, int(density * area.sum()))
    face = rng.choice(len(faces), count, p=area / area.sum())
    u, v = np.sqrt(rng.random(count)), rng.random(count)
    spread = (1 - u)[:, None] * a[face] + (u * (1 - v))[:, None] * b[face] + (u * v)[:, None] * c[face]
    return np.concatenate([spread, vertices[np.unique(faces)]])


def distances(vertices: Floats, faces: Ints, points: Floats) -> Floats:
    mesh = meshguard.Mesh(vertices=vertices, faces=faces)
    facts = MeshFacts(mesh, policy("scan"))
    tree = build_tree(facts.positions, facts.corners, facts.sound_faces, NO_GROUPS, facts.span)
    return np.asarray(nearest(facts, tree, frozen(np.ascontiguousarray(points)))[2])


def errors(hole: Punched, filled: Filled) -> tuple[float, float]:
    """RMS and maximum of the distances both ways, mm."""
    density = 800.0 / hole.diameter_mm**2
    whole = np.concatenate([hole.corners, hole.removed])
    new = distances(hole.positions, whole, samples(filled.vertices, filled.faces[filled.is_new], density))
    old = distances(filled.vertices, filled.faces, samples(hole.positions, hole.removed, density))
    return float(np.sqrt(0.5 * (np.mean(new**2) + np.mean(old**2)))), float(max(new.max(), old.max()))


def is_intersecting(filled: Filled) -> bool:
    """Whether a face of the patch meets another face outside their common vertices and edges."""
    pairs = meshguard.self_intersections(meshguard.Mesh(vertices=filled.vertices, faces=filled.faces))
    return bool(filled.is_new[pairs].any())


def plot(holes: list[Punched], found: dict[str, Floats], out: Path) -> None:
    """RMS by diameter, and hole by hole against the better of the peers."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    plt.rcParams["svg.hashsalt"] = "meshguard"  # the same file for the same figures
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
    sizes = np.array([hole.diameter_mm for hole in holes])
    for library, errors_mm in found.items():
        medians = [np.nanmedian(errors_mm[sizes == size, 0]) for size in DIAMETERS_MM]
        left.plot(DIAMETERS_MM, 1e3 * np.array(medians), marker="o", label=library)
    left.set_xlabel("diameter of the hole, mm")
    left.set_ylabel("median RMS distance, µm")
    left.grid(alpha=0.3)
    left.legend()
    best = np.fmin(found["MeshLib"][:, 0], found["pymeshfix"][:, 0])
    for place, marker in zip(PLACES, "o^s", strict=True):
        chosen = np.array([hole.place == place for hole in holes])
        right.plot(1e3 * best[chosen], 1e3 * found["meshguard"][chosen, 0], marker, ms=3, alpha=0.6, label=place)
    right.plot([1, 1000], [1, 1000], color="black", lw=0.8)
    right.set_xscale("log")
    right.set_yscale("log")
    right.set_xlabel("RMS of the better peer, µm")
    right.set_ylabel("RMS of meshguard, µm")
    right.grid(alpha=0.3)
    right.legend()
    figure.tight_layout()
    figure.savefig(out, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scans", nargs="+", type=Path)
    parser.add_argument("--each", type=int, default=4, help="holes of each scan, place and diameter")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    holes = [hole for path in options.scans for hole in punch_all(path, options.each, options.seed)]
    print(f"{len(holes)} holes, seed {options.seed}; um")
    found: dict[str, Floats] = {}
    for library, fill in LIBRARIES.items():
        rows, crossed = [], 0
        for hole in holes:
            try:
                filled = fill(hole)
            except (RuntimeError, StopIteration):
                filled = None
            if filled is None or not filled.is_new.any():
                rows.append((np.nan, np.nan))
                continue
            rows.append(errors(hole, filled))
            crossed += is_intersecting(filled)
        found[library] = np.array(rows)
        rms, largest = 1e3 * np.nanmedian(found[library], axis=0)
        mean_rms, mean_largest = 1e3 * np.nanmean(found[library], axis=0)
        failed = int(np.isnan(found[library][:, 0]).sum())
        print(
            f"{library:10} median RMS {rms:6.1f} largest {largest:6.1f}   mean RMS {mean_rms:6.1f} "
            f"largest {mean_largest:6.1f}   intersecting {crossed}   not filled {failed}"
        )
        for name, kinds in (("place", PLACES), ("diameter_mm", DIAMETERS_MM)):
            own = [getattr(hole, name) for hole in holes]
            medians = [1e3 * np.nanmedian(found[library][[kind == k for kind in own], 0]) for k in kinds]
            print("          ", "  ".join(f"{k} {value:.1f}" for k, value in zip(kinds, medians, strict=True)))
    for library in ("MeshLib", "pymeshfix"):
        ratio = found[library] / found["meshguard"]
        geometric = np.exp(np.nanmean(np.log(ratio), axis=0))
        better = np.nanmean(ratio > 1, axis=0)
        print(
            f"{library}: {geometric[0]:.2f} times the RMS and {geometric[1]:.2f} times the largest distance of "
            f"meshguard (geometric means); meshguard is nearer on {better[0]:.0%} and {better[1]:.0%} of the holes"
        )
    if options.plot:
        plot(holes, found, options.plot)


if __name__ == "__main__":
    main()
