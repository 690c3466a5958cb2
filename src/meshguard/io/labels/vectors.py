"""Label vectors: NPY, JSON and text. No size is trusted, no content is quoted.

Errors of parsers are not chained, because their messages quote what they could not read.
"""

from __future__ import annotations

import io
import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import numpy as np

from meshguard.errors import ReadError
from meshguard.mesh import MAX_ELEMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt

    from meshguard.mesh import IntArray, Jaw

TOOTH_NAMES = (
    "label", "labels", "fdi", "fdi_label", "tooth", "tooth_id", "toothid", "tooth_label", "universal_id", "universalid",
)  # fmt: skip
"""What labels of teeth are called, the surest name first; case and CloudCompare's prefix `scalar_` do not matter."""

LABEL_NAMES = (
    *TOOTH_NAMES,
    "predictedid", "predicted_id", "class", "class_id", "classid", "segment", "segmentation", "seg", "regionid",
)  # fmt: skip
"""What labels are called in a file that is known to hold some."""

INSTANCE_NAMES = ("instance", "instances", "instance_id", "instanceid")
"""What instances are called."""

_MAXILLA = {"upper": "upper", "maxilla": "upper", "maxillary": "upper", "u": "upper"}
_MANDIBLE = {"lower": "lower", "mandible": "lower", "mandibular": "lower", "l": "lower"}


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a file holds, before its numbering is settled.

    numbering: "fdi" where the format declares it, "universal" where a name does, "meshsegnet" where it may be so,
    "anonymous" where ids mean nothing.
    """

    values: IntArray
    instances: IntArray | None = None
    per: Literal["vertex", "face"] | None = None
    jaw: Jaw | None = None
    numbering: Literal["fdi", "universal", "meshsegnet", "anonymous"] | None = None
    notes: tuple[str, ...] = ()


def named(names: Iterable[str], preferred: tuple[str, ...]) -> str | None:
    """The name among `names` that comes first in `preferred`; None for none."""
    plain = {name.lower().removeprefix("scalar_"): name for name in reversed(list(names))}
    return next((plain[name] for name in preferred if name in plain), None)


def numbering_by_name(name: str) -> Literal["universal"] | None:
    """The numbering that the name of labels says, which may be wrong: tools keep the name when they write FDI codes."""
    return "universal" if "universal" in name.lower() else None


def whole_numbers(values: npt.NDArray[Any], what: str = "labels") -> IntArray:
    """Whole numbers of any numeric type as int32 (k,); a table of one column or row counts as a vector.

    Raises:
        ReadError: another shape, a fraction, NaN, or a number outside the range of int32.
    """
    if values.dtype.kind not in "iuf":  # first, as a file's name that is taken for labels has no axes either
        raise ReadError(f"the {what} are not numbers")
    if values.ndim == 2 and 1 in values.shape:
        values = values.reshape(-1)
    if values.ndim != 1:
        raise ReadError(f"the {what} have {values.ndim} axes", expected="one number each")
    if len(values) == 0:
        raise ReadError(f"there are no {what}")
    if len(values) > MAX_ELEMENTS:
        raise ReadError(f"there are more {what} than a mesh can have", expected=f"at most {MAX_ELEMENTS}")
    limits = np.iinfo(np.int32)
    if values.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            wide = values.astype(np.float64)  # a shorter type would round the limits themselves
            is_whole = (wide == np.floor(wide)) & (np.abs(wide) <= limits.max)
        if not is_whole.all():
            raise ReadError(f"the {what} are not all whole numbers")
    elif int(values.max()) > limits.max or int(values.min()) < limits.min:
        raise ReadError(f"the {what} hold a number that cannot be an id")
    return values.astype(np.int32)


def read_npy(content: bytes) -> Found:
    """One array; the header's shape is believed only if the bytes are there. Objects are never unpickled."""
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        else:
            shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    except Exception as error:  # the header is a Python expression, whose parser may raise anything
        raise ReadError("the NPY header cannot be read") from error
    if dtype.hasobject or dtype.kind not in "iuf":
        raise ReadError("the NPY array does not hold numbers")
    size = math.prod(shape) * dtype.itemsize
    if any(length < 0 for length in shape) or size != len(content) - file.tell():
        raise ReadError(
            "the NPY array is not as long as its header says",
            offset=file.tell(),
            expected=f"{size} bytes",
            got=f"{len(content) - file.tell()}",
        )
    if len(shape) > 2 or (len(shape) == 2 and 1 not in shape):
        raise ReadError(f"the NPY array has {len(shape)} axes", expected="one")
    return Found(whole_numbers(np.frombuffer(content, dtype, offset=file.tell())))


def read_json(content: bytes) -> Found:
    """The JSON of Teeth3DS / 3DTeethSeg, or a bare list; only `labels`, `instances` and `jaw` are looked at."""
    try:
        data = json.loads(content.decode("utf-8-sig"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise ReadError("the label file is not readable JSON") from None
    if isinstance(data, list):
        return Found(_listed(data, "labels"))
    name = named((key for key, value in data.items() if isinstance(value, list)), LABEL_NAMES)
    if name is None:
        raise ReadError("the JSON has no list of labels", expected='a list under "labels"')
    values = _listed(data[name], "labels")
    key = named((key for key, value in data.items() if isinstance(value, list)), INSTANCE_NAMES)
    instances = None if key is None else _listed(data[key], "instances")
    if instances is not None and len(instances) != len(values):
        raise ReadError(
            "labels and instances differ in number", expected=f"{len(values)} instances", got=str(len(instances))
        )
    jaw, notes = _jaw(data)
    numbering = numbering_by_name(name) or ("fdi" if jaw else None)
    return Found(values, instances, per="vertex", jaw=jaw, numbering=numbering, notes=notes)


def _no_number(_: str) -> NoReturn:
    raise ValueError("not a number")


def _listed(items: list[Any], what: str) -> IntArray:
    """A list of JSON numbers as int32 (k,)."""
    if not all(type(item) is int or type(item) is float for item in items):
        raise ReadError(f"the {what} are not all numbers")
    try:
        return whole_numbers(
            np.array(items or [], np.float64 if any(type(i) is float for i in items) else np.int64), what
        )
    except OverflowError:
        raise ReadError(f"the {what} hold a number that cannot be an id") from None


def _jaw(data: Mapping[str, Any]) -> tuple[Jaw | None, tuple[str, ...]]:
    """The jaw that the JSON names, and a note where it names one that does not exist."""
    jaw = data.get("jaw")
    if jaw is None or jaw == "":
        return None, ()
    word = jaw.strip().lower() if isinstance(jaw, str) else ""
    if word in _MAXILLA:
        return "upper", ()
    if word in _MANDIBLE:
        return "lower", ()
    return None, ("The file's jaw is neither upper nor lower.",)


def read_text(content: bytes) -> Found:
    """Numbers as text: one per line, one row of them, or a table with a header that names its label column.

    Commas, semicolons, tabs and blanks are separators; what follows a `#` is a comment. Of two columns without a header
    the second holds the labels, if the first counts from 0 or 1.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ReadError("the format of the label file is not recognised") from None
    if "\0" in text:
        raise ReadError("the format of the label file is not recognised")
    text = re.sub(r"#[^\n]*", "", text)
    rows = [row for line in text.splitlines() if (row := re.split(r"[,;\t ]+", line.strip(" \t,;"))) != [""]]
    if not rows:
        raise ReadError("there are no labels")
    header: list[str] = []
    if not _is_number(rows[0][0]) or not _is_number(rows[0][-1]):
        header, rows = [name.strip("\"' ") for name in rows[0]], rows[1:]
    width = len(rows[0]) if rows else 0
    if any(len(row) != width for row in rows):
        raise ReadError("the rows of the label file differ in length")
    try:
        table = np.array(rows, dtype=np.float64) if rows else np.empty((0, 1))
    except ValueError:
        raise ReadError("the label file holds something other than numbers") from None
    return _column(table, header)


def _is_number(token: str) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return True


def _column(table: npt.NDArray[np.float64], header: list[str]) -> Found:
    """The label column of a table, and the instance column."""
    if 1 in table.shape:
        return Found(whole_numbers(table))
    label = named(header, LABEL_NAMES) if len(header) == table.shape[1] else None
    if label is not None:
        instance = named(header, INSTANCE_NAMES)
        return Found(
            whole_numbers(table[:, header.index(label)]),
            None if instance is None else whole_numbers(table[:, header.index(instance)], "instances"),
            numbering=numbering_by_name(label),
        )
    if table.shape[1] == 2 and len(table) and bool((np.diff(table[:, 0]) == 1).all()) and table[0, 0] in (0, 1):
        return Found(whole_numbers(table[:, 1]))
    raise ReadError("the label file has several columns", expected="one, or a header that names the one with labels")
