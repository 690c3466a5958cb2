"""Digest every report and every repair of a folder of meshes, to show that a change of the code changed none of them.

    python benchmarks/digests.py FOLDER before.txt
    python benchmarks/digests.py FOLDER after.txt && diff before.txt after.txt

FOLDER is laid out like the tests' data (`MESHGUARD_DATA`): folders of meshes, with labels beside some of them. A line
holds a file, what was done with it, and a SHA-256 of the result: the report's JSON, or for a repair its JSON, its mesh
and its maps to the input. Where an error is raised, the line holds its kind and a SHA-256 of its text. Folders of files
that are made to take long are left out.
"""

from __future__ import annotations

import hashlib
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import meshguard
from meshguard.io.labels import read_labels

SLOW = {"slow", "hostile", "expected"}
"""Folders that are left out."""

SUFFIXES = (".stl", ".ply", ".off", ".obj", ".gz")


def labels_of(path: Path) -> object:
    """Labels that lie beside a mesh: a Teeth3DS file, an array, or the palette of its face colours; else None."""
    stem = path.name.split(".")[0]
    for suffix in (".labels.json", ".fdi_faces.npy"):
        if (path.parent / f"{stem}{suffix}").exists():
            return read_labels(path.parent / f"{stem}{suffix}")
    return None


def of_report(path: Path, policy: str) -> bytes:
    """The result of validating a file."""
    return meshguard.validate(path, policy=policy, labels=labels_of(path)).to_json().encode()


def of_repair(path: Path, policy: str) -> bytes:
    """The result of repairing a file."""
    refused = ""
    try:
        result = meshguard.repair(path, policy=policy, labels=labels_of(path), mend_labels=True)
    except meshguard.RepairRefused as error:
        result, refused = error.result, " ".join(error.reasons)
    parts = [result.to_json(), result.mesh.digest(), refused]
    return b"".join([*(part.encode() for part in parts), result.vertex_origin.tobytes(), result.face_origin.tobytes()])


WORK = {
    "validate scan": partial(of_report, policy="scan"),
    "validate print": partial(of_report, policy="print"),
    "repair scan": partial(of_repair, policy="scan"),
}
"""What is done with every file."""


def digest(path: Path, root: Path) -> list[str]:
    """The lines of one file."""
    lines = []
    for name, work in WORK.items():
        try:
            found = hashlib.sha256(work(path)).hexdigest()
        except meshguard.MeshGuardError as error:
            found = f"{type(error).__name__} {hashlib.sha256(str(error).encode()).hexdigest()}"
        lines.append(f"{path.relative_to(root)}\t{name}\t{found}")
    return lines


def main(root: str, out: str) -> None:
    """Digest all files of a folder of folders."""
    base = Path(root)
    files = sorted(
        path
        for path in base.rglob("*")
        if path.name.lower().endswith(SUFFIXES) and path.relative_to(base).parts[0] not in SLOW
    )
    with ProcessPoolExecutor(2) as pool, Path(out).open("w", encoding="utf-8") as file:
        for lines in pool.map(digest, files, [base] * len(files)):
            file.writelines(f"{line}\n" for line in lines)
            file.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
