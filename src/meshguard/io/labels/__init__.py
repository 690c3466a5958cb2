"""Labels of teeth, read from the files that segmentations come in, put on a mesh, and written beside it.

These are read: the JSON of Teeth3DS / 3DTeethSeg, vectors as NPY, CSV and text, PLY with a label-like property or with
a colour for each tooth, VTP and VTK through pyvista. Whatever else such a file holds, above all `id_patient`, is never
kept, printed or quoted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from meshguard.budget import Budget
from meshguard.errors import MeshError, ReadError
from meshguard.io.content import read_content
from meshguard.io.labels.attaching import attach_labels, face_labels, fit_of, misfit, vertex_labels
from meshguard.io.labels.ids import Labels, Numbering, numbered, numbering_of
from meshguard.io.labels.palettes import Palette, read_palette
from meshguard.io.labels.vectors import Found, read_json, read_npy, read_text, whole_numbers
from meshguard.io.labels.writing import LABEL_SUFFIXES, save_labels
from meshguard.mesh import Mesh

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    import numpy.typing as npt

    from meshguard.mesh import Jaw

__all__ = [
    "LABEL_SUFFIXES",
    "Labels",
    "attach_labels",
    "face_labels",
    "fit_of",
    "misfit",
    "named_labels",
    "numbering_of",
    "read_labels",
    "read_palette",
    "save_labels",
    "vertex_labels",
]

Source: TypeAlias = "str | Path | bytes | BinaryIO | Mesh | npt.NDArray[np.generic]"


def read_labels(
    source: Source,
    *,
    jaw: Jaw | None = None,
    numbering: Numbering | Literal["universal"] | None = None,
    palette: Palette | str | Path | bytes | None = None,
    budget: Budget | None = None,
) -> Labels:
    """The labels in a file, in file order; `attach_labels` decides whether they fit a mesh.

    The format is found by content. In a PLY a property with a label-like name wins over colours, vertices over faces,
    and of vertices' and faces' colours those with fewer different ones. Without a palette each colour is an anonymous
    class; white or black, whichever covers more, is the gum.

    Args:
        source: a path, the file's bytes, an open binary file (each gzip-compressed or not), a `Mesh` that carries
            labels or colours, or an array of shape (k,).
        jaw: the jaw, where the caller knows it; it wins over the file's.
        numbering: what the ids are. None: FDI where the ids say so (see `numbering_of`), Universal where they can
            hardly be anything else (see `fdi.look_universal`) or the array is called so, MeshSegNet's for the cell
            array `Label` of a VTK file whose ids are 0 to 14, else anonymous. "universal" converts 1 to 32 to FDI; 33
            is then the gum.
        palette: FDI code -> colours, as a mapping or as a JSON file; for colours only.
        budget: its `max_bytes` counts.

    Returns:
        Labels; ids of MeshSegNet become FDI where the jaw is known.

    Raises:
        ReadError: nothing in it can be read as labels; the message quotes neither path nor content.
        BudgetExceeded: the content is larger than the budget allows.
        OSError: the file cannot be opened.
        MeshError: `jaw` or `numbering` is none of these.
    """
    if jaw not in (None, "upper", "lower"):
        raise MeshError(f"jaw must be 'upper', 'lower' or None, not {jaw!r}")
    if numbering not in (None, "fdi", "universal", "meshsegnet", "anonymous"):
        raise MeshError(f"there is no numbering {numbering!r}: fdi, universal, meshsegnet and anonymous are known")
    if isinstance(source, Mesh):
        found = _of_mesh(source, palette)
    elif isinstance(source, np.ndarray):
        found = Found(whole_numbers(source))
    else:
        found = _of_content(source, palette, budget or Budget())
    return numbered(found, jaw, numbering)


def named_labels(mesh: Mesh, jaw: Jaw | None = None) -> Labels | None:
    """The labels of teeth that a mesh carries under another name, such as a PLY's property `fdi`; None for none.

    Only names that can mean nothing else count, and only whole numbers; the notes say what the property is called. A
    mesh that has `label` gives None.
    """
    from meshguard.io.labels.vectors import TOOTH_NAMES

    if mesh.label_carrier() is not None:
        return None
    try:
        found = _by_name(mesh, TOOTH_NAMES)
    except ReadError:
        return None
    return None if found is None else numbered(found, jaw, None)


def _of_content(
    source: str | Path | bytes | BinaryIO, palette: Palette | str | Path | bytes | None, budget: Budget
) -> Found:
    """What a file holds, judged by its first bytes."""
    content, suffix, _ = read_content(source, budget)
    head = content[:256].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not content:
        raise ReadError("the label file is empty")
    if content[:6] == b"\x93NUMPY":
        return read_npy(content)
    if head[:3].lower() == b"ply" and head[3:4].strip() == b"":
        from meshguard.budget import Steps
        from meshguard.io.ply import read_ply

        return _of_mesh(read_ply(content, Steps(budget)), palette)
    if head[:1] in (b"{", b"["):
        return read_json(content)
    if head[:1] == b"<" or head[:5].lower() == b"# vtk":
        from meshguard.io.labels.vtk import read_vtk

        return read_vtk(content, suffix)
    if content[:2] == b"PK":
        raise ReadError("an archive holds no labels that can be read; write one array as NPY")
    return read_text(content)


def _of_mesh(mesh: Mesh, palette: Palette | str | Path | bytes | None) -> Found:
    """Labels that a mesh carries, by name, else by colour."""
    from meshguard.io.labels.palettes import by_color
    from meshguard.io.labels.vectors import LABEL_NAMES

    return _by_name(mesh, LABEL_NAMES) or by_color(mesh, None if palette is None else read_palette(palette))


def _by_name(mesh: Mesh, names: tuple[str, ...]) -> Found | None:
    """Labels that a mesh carries under one of these names: the vertices' before the faces', the first name first."""
    from meshguard.io.labels.vectors import INSTANCE_NAMES, named, numbering_by_name

    carrier = mesh.label_carrier()
    for per, data in (("vertex", mesh.vertex_data), ("face", mesh.face_data)):
        if carrier not in (None, per):
            continue
        one_axis = {name: array for name, array in data.items() if array.ndim == 1}
        name = named(one_axis, names)
        if name is None:
            continue
        instance = named(one_axis, INSTANCE_NAMES)
        return Found(
            whole_numbers(one_axis[name]),
            None if instance is None else whole_numbers(one_axis[instance]),
            per="vertex" if per == "vertex" else "face",
            jaw=mesh.jaw,
            numbering=numbering_by_name(name),
            notes=() if name == "label" else (f"Labels are read from the property {name}.",),
        )
    return None
