"""Recall and precision of the checks of teeth: labels made wrong on purpose, and what is found.

    python benchmarks/teeth.py [--seeds 50] [--kinds island,hole] [--verbose] [--time]

The arches are four real ones with hand-drawn labels (`MESHGUARD_DATA` names their folder; without it phantoms only) and
phantoms of both jaws. Each instance is one arch, rotated and moved at random, labels on faces or on vertices, with one
defect of `meshguard.phantoms.LABEL_DEFECTS`; or, of the kind `bridge`, a phantom whose surface joins two teeth across a
gap of 0.25 to 0.6 mm. Real arches get no bridge here: their faces are wider than such a gap.

Recall: the share of instances where a finding of the right check lies within 6 mm of what was changed. Precision: the
share of D findings, of warning severity or above, that the defect explains: findings of its check, or of one that it
names as a consequence, within 12 mm of what was changed. What is found on the arch before the change counts in neither;
the last row shows it.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import meshguard
from meshguard.io.labels import vertex_labels
from meshguard.phantoms import LABEL_DEFECTS, bridged_phantom, mislabel, phantom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshguard import Finding, Mesh, Report
    from meshguard.mesh import Jaw
    from meshguard.phantoms import Truth

POLICY = meshguard.Policy(select=("D", "F105"))
REAL = ("ios_001_upper_16k", "ios_001_lower_16k", "ios_037_lower_16k", "ios_055_lower_16k")
DRAWN_ONLY = ("ragged",)
"""Defects that are not defects on a phantom: its borders run along long thin faces and are ragged already."""

KINDS = (*LABEL_DEFECTS, "bridge")


def arches() -> Iterator[tuple[str, Mesh]]:
    """Name and labelled mesh: real ones by face and by vertex, then phantoms."""
    named = os.environ.get("MESHGUARD_DATA")
    for name in REAL if named else ():
        folder = Path(str(named)) / "dental"
        mesh = meshguard.load(folder / f"{name}.ply")
        by_face = mesh.with_data(face={"label": np.load(folder / f"{name}.fdi_faces.npy").astype(np.int32)})
        yield f"{name} by face", by_face
        of_vertex = vertex_labels(by_face)
        assert of_vertex is not None
        yield f"{name} by vertex", mesh.with_data(vertex={"label": of_vertex})
    for jaw in ("upper", "lower"):
        for seed in (1, 2):
            yield f"phantom {jaw} {seed}", phantom(jaw=jaw, faces=60_000, seed=seed).with_jaw(None)


def moved(mesh: Mesh, seed: int) -> Mesh:
    """The mesh, rotated and moved at random."""
    random = np.random.default_rng([seed, 77])
    turn, upper = np.linalg.qr(random.normal(size=(3, 3)))
    turn *= np.sign(np.diag(upper))
    turn[:, 0] *= np.sign(np.linalg.det(turn))
    return mesh.with_vertices(mesh.vertices @ turn.T + random.uniform(-80, 80, 3))


def spoilt(shown: list[tuple[str, Mesh]], kind: str, seed: int) -> tuple[str, Mesh, Truth]:
    """One instance: name of its arch, the mesh, and the truth."""
    if kind == "bridge":
        jaw: Jaw = "lower" if seed % 2 else "upper"
        gap_mm = float(np.random.default_rng([seed, 78]).uniform(0.25, 0.6))
        mesh, truth = bridged_phantom(jaw=jaw, faces=(40_000, 60_000, 120_000)[seed % 3], seed=seed, gap_mm=gap_mm)
        by = "vertex" if seed % 4 < 2 else "face"
        label = {"label": (mesh.vertex_data if by == "vertex" else mesh.face_data)["label"]}
        bare = mesh.without_labels().with_jaw(None)
        mesh = bare.with_data(vertex=label) if by == "vertex" else bare.with_data(face=label)
        return f"phantom {jaw} {seed} by {by}", moved(mesh, seed), truth
    usable = [arch for arch in shown if kind not in DRAWN_ONLY or not arch[0].startswith("phantom")]
    name, arch = usable[seed % len(usable)] if usable else shown[seed % len(shown)]
    return name, *mislabel(moved(arch, seed), kind, seed=seed)


def distance(mesh: Mesh, finding: Finding, truth: Truth) -> float:
    """From a finding to the nearest of what was changed, mm; 0 where either is about the whole file."""
    if finding.location is None or truth.location is None:
        return 0.0
    of_face = truth.element == "face"
    places = mesh.vertices[mesh.faces[truth.indices]].mean(axis=1) if of_face else mesh.vertices[truth.indices]
    return float(np.linalg.norm(places - finding.location, axis=1).min())


Known = Counter[tuple[str, str, int]]


def known_of(report: Report) -> Known:
    """The findings of a report by what neither motion nor another number changes: check, element and count."""
    return Counter((finding.check, finding.element, finding.count) for finding in report.findings)


def judged(
    mesh: Mesh, truth: Truth, report: Report, known: Known | None = None
) -> tuple[bool, list[Finding], list[Finding]]:
    """Whether the defect was found; the warnings and errors that it explains, and those that it does not.

    Args:
        mesh: the arch with the defect.
        truth: what was done to it.
        report: what is found there.
        known: what is found on the arch before.
    """
    found = any(finding.check == truth.check and distance(mesh, finding, truth) < 6.0 for finding in report.findings)
    kinds = {truth.check, *truth.also}
    told = [finding for finding in report.findings if str(finding.severity) != "info"]
    told = [finding for finding in told if (finding.check, finding.element, finding.count) not in (known or ())]
    explained = [one for one in told if one.check in kinds and distance(mesh, one, truth) < 12.0]
    return found, explained, [one for one in told if one not in explained]


def table(
    kinds: list[str], seeds: int, *, verbose: bool = False
) -> tuple[list[tuple[str, int, float, float]], Counter[str]]:
    """Rows of defect, instances, recall, precision; and checks that fired on arches without a defect."""
    shown = list(arches())
    before = {name: meshguard.validate(arch, policy=POLICY) for name, arch in shown}
    rows = []
    for kind in kinds:
        n_found = n_explained = n_told = n_made = 0
        for seed in range(seeds):
            name, mesh, truth = spoilt(shown, kind, seed)
            known = known_of(before[name]) if name in before else None
            found, explained, others = judged(mesh, truth, meshguard.validate(mesh, policy=POLICY), known)
            n_made += 1
            n_found += found
            n_explained += len(explained)
            n_told += len(explained) + len(others)
            if verbose and (not found or others):
                print(f"  {kind} seed {seed} on {name}: {'found' if found else 'MISSED'} {dict(truth.measures)}")
                for finding in others:
                    print(f"    unexplained: {finding.check} {finding.message}")
        rows.append((kind, n_made, n_found / n_made, n_explained / n_told if n_told else 1.0))
    untouched: Counter[str] = Counter()
    for report in before.values():
        untouched.update(f"{one.check} {one.severity}" for one in report.findings)
    return rows, untouched


def timed() -> None:
    """What the checks of teeth add to `validate` on an arch of 271,000 faces, labels on vertices and on faces."""
    mesh = phantom(faces=271_000, seed=1)
    bare = mesh.without_labels()
    by_vertex = bare.with_data(vertex={"label": mesh.vertex_data["label"]})
    by_face = bare.with_data(face={"label": mesh.face_data["label"]})
    meshes = {"without labels": bare, "by vertex": by_vertex, "by face": by_face}
    taken: dict[str, list[float]] = {name: [] for name in meshes}
    for _ in range(25):  # in turn, so that whatever else the machine does meets all alike
        for name, one in meshes.items():
            start = time.perf_counter()
            meshguard.validate(one)
            taken[name].append(time.perf_counter() - start)
    base = taken["without labels"]
    for name, times in taken.items():
        more = [100 * (after / before - 1) for before, after in zip(base, times, strict=True)]
        print(
            f"{name:16s} least {1e3 * min(times):6.1f} ms  median {1e3 * float(np.median(times)):6.1f} ms  "
            f"(+{100 * (min(times) / min(base) - 1):.0f} % by the least, +{float(np.median(more)):.0f} % by the median)"
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--time", action="store_true", help="time the checks instead")
    options = parser.parse_args()
    if options.time:
        timed()
        return
    rows, untouched = table(options.kinds.split(","), options.seeds, verbose=options.verbose)
    print(f"{'defect':26s} instances  recall  precision")
    for kind, made, recall, precision in rows:
        print(f"{kind:26s} {made:9d}  {recall:6.3f}  {precision:9.3f}")
    print("untouched:", dict(sorted(untouched.items())))


if __name__ == "__main__":
    main()
