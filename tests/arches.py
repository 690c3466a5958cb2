"""Labelled arches: real ones whose labels people drew, phantoms, and either with other labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import meshguard
from meshguard.mesh import Mesh

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from meshguard.mesh import Jaw

REAL = ("001_lower", "001_upper", "037_lower", "055_lower")


def labelled(mesh: Mesh, labels: npt.ArrayLike, jaw: Jaw | None = None) -> Mesh:
    """The same geometry with labels of faces and nothing else."""
    data = np.asarray(labels, np.int32)
    return Mesh(vertices=mesh.vertices, faces=mesh.faces, face_data={"label": data}, jaw=jaw or mesh.jaw)


def real(data_root: Path, name: str) -> Mesh:
    """A real arch, labels on its faces."""
    base = data_root / "dental" / f"ios_{name}_16k"
    mesh = meshguard.load(base.with_suffix(".ply"))
    return labelled(mesh, np.load(base.with_suffix(".fdi_faces.npy")), "upper" if "upper" in name else "lower")


def by_face(arch: Mesh) -> Mesh:
    """An arch with the labels of its faces only."""
    return labelled(arch, arch.face_data["label"].astype(np.int32))
