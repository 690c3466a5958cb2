"""VTP and VTK, read by pyvista: cell or point arrays with a label-like name."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any, Literal

import numpy as np

from meshguard.errors import ReadError
from meshguard.io.labels.vectors import INSTANCE_NAMES, LABEL_NAMES, Found, named, numbering_by_name, whole_numbers

_MISSING = "reading VTP and VTK needs the extra: pip install 'meshguard[vtk]'"


def read_vtk(content: bytes, suffix: str = "") -> Found:
    """The labels in a VTK file: of its points, else of its cells.

    Args:
        content: the whole file.
        suffix: of its name; the start of the content alone decides between the old form and XML.

    Raises:
        ReadError: pyvista is not installed or cannot read it, or no array has a label-like name.
    """
    try:
        import pyvista
    except ImportError:
        raise ReadError(_MISSING) from None
    is_xml = content.lstrip()[:1] == b"<"
    kind = "vtk"
    if is_xml:
        kind = suffix if suffix in ("vtp", "vtu") else _xml_kind(content)
    # VTK only reads from a path; the name of this one says nothing.
    with tempfile.TemporaryDirectory(prefix="meshguard-") as folder:
        path = Path(folder) / f"labels.{kind}"
        path.write_bytes(content)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # some versions warn about what is not in the file
                data: Any = pyvista.read(path)
            places = (("vertex", dict(data.point_data)), ("face", dict(data.cell_data)))
        except Exception:  # noqa: BLE001 (another project's parser may raise anything, and quote the path)
            raise ReadError("the file is not a readable VTP or VTK") from None
    for per, arrays in places:
        one_axis = {name: np.asarray(array) for name, array in arrays.items() if np.ndim(array) == 1}
        name = named(one_axis, LABEL_NAMES)
        if name is None:
            continue
        instance = named(one_axis, INSTANCE_NAMES)
        return Found(
            whole_numbers(one_axis[name]),
            None if instance is None else whole_numbers(one_axis[instance], "instances"),
            per=_place(per),
            # MeshSegNet writes a cell array of this name; so does Mesh_Labeler, with ids up to 16.
            numbering="meshsegnet" if per == "face" and name == "Label" else numbering_by_name(name),
        )
    raise ReadError("no array of the VTK file has a label-like name", expected="a point or cell array named Label")


def _place(per: str) -> Literal["vertex", "face"]:
    return "vertex" if per == "vertex" else "face"


def _xml_kind(content: bytes) -> str:
    """The suffix that fits the data set that an XML file declares."""
    return "vtu" if b"UnstructuredGrid" in content[:1024] else "vtp"
