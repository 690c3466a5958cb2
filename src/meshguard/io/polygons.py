"""Faces of a file cut into triangles, and what is said about those: for every format that has polygons."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from meshguard.errors import ReadError
from meshguard.kernels import triangulation
from meshguard.kernels._parallel import part_bounds, side_by_side
from meshguard.mesh import MAX_ELEMENTS, Irregularity, frozen_array

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshguard.budget import Steps

_GRAIN = 100_000
"""The fewest polygons that are worth a thread."""

_LARGE = 64
"""Corners up to which polygons take next to no time, whatever their shape."""

_MOST_EFFORT = 1e8
"""Corners squared, summed over the polygons of a range: ear clipping takes about 0.3 s for as many, and between ranges
the clock is looked at."""

_POLYGON_NOTES = (
    (
        triangulation.NON_PLANAR,
        "non_planar",
        "Faces whose corners do not lie in one plane are among those cut; their surface depends on the cut: {}.",
    ),
    (
        triangulation.SELF_TOUCHING,
        "self_touching",
        "Faces whose sides cross or touch each other are among those cut; their triangles may overlap: {}.",
    ),
    (
        triangulation.NO_AREA,
        "without_area",
        "Faces whose corners lie on one line, or are not finite, are among those cut, from their first corner: {}.",
    ),
    (
        triangulation.TOO_LARGE,
        "too_large",
        f"Faces with more than {triangulation.MOST_CORNERS} corners that are not convex were cut from their first "
        "corner; their triangles may overlap: {}.",
    ),
)
"""F107 of polygons that have no right triangulation: the flag of the kernel, the measure, what is said."""


def triangles(
    lengths: npt.NDArray[np.int32],
    items: npt.NDArray[np.int64],
    vertices: npt.NDArray[np.float64],
    steps: Steps,
    *,
    strips: bool = False,
    ahead: int = 0,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32] | None, list[Irregularity]]:
    """The triangles of a file's faces, the row that each comes from, and what is irregular.

    Args:
        lengths: int32 (rows,): corners of each face or strip.
        items: int64 (corners,): their vertices in turn, from 0.
        vertices: float64 (n, 3): positions.
        steps: those of the call that this is part of; they know the budget.
        strips: whether rows are triangle strips.
        ahead: the number of the first row, in what is told of rows.

    Returns:
        int32 (m, 3) · int32 (m,), from 0, None where every row is one triangle · F107 and F102.

    Raises:
        ReadError: more triangles than a mesh can have.
        BudgetExceeded: more than the budget allows, or cutting takes longer.
    """
    are_triangles = not strips and bool((lengths == 3).all())
    if are_triangles and (len(items) == 0 or (int(items.min()) >= 0 and int(items.max()) < len(vertices))):
        faces = items.reshape(-1, 3).astype(np.int32)
        faces.flags.writeable = False
        return faces, None, []
    most = int(np.maximum(lengths, 2).sum(dtype=np.int64)) - 2 * len(lengths)
    if most > MAX_ELEMENTS:
        raise too_many()
    steps.check_faces(most)
    lengths.flags.writeable = items.flags.writeable = False
    faces, origin, status, stitches = _cut(lengths, items, vertices, strips, steps)
    notes = _strip_notes(status, ahead, stitches) if strips else _polygon_notes(status, lengths, ahead)
    is_same = are_triangles and len(faces) == len(lengths)
    return faces, None if is_same else origin, notes


def too_many() -> ReadError:
    """More triangles than a mesh can have."""
    return ReadError("the faces make more triangles than a mesh can have", expected=f"at most {MAX_ELEMENTS}")


def _cut(
    lengths: npt.NDArray[np.int32],
    items: npt.NDArray[np.int64],
    vertices: npt.NDArray[np.float64],
    strips: bool,
    steps: Steps,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int8], int]:
    """Triangles, the row each comes from, the status of each row, and stitches; ranges of rows side by side."""
    vertices = frozen_array(vertices)
    rows = _row_bounds(lengths)
    corners, triangles = [0], [0]
    for lo, hi in pairwise(rows):
        corners.append(corners[-1] + int(lengths[lo:hi].sum(dtype=np.int64)))
        triangles.append(triangles[-1] + int(np.maximum(lengths[lo:hi], 2).sum(dtype=np.int64)) - 2 * (hi - lo))
    faces = np.empty((triangles[-1], 3), np.int32)
    origin = np.empty(triangles[-1], np.int32)
    status = np.empty(len(lengths), np.int8)
    written, stitches = [0] * (len(rows) - 1), [0] * (len(rows) - 1)

    def cut_part(part: int) -> None:
        steps.check_clock("its polygons were cut")
        lo, hi = rows[part], rows[part + 1]
        first, end = triangles[part], triangles[part + 1]
        written[part], stitches[part] = triangulation.triangulate(
            lengths[lo:hi],
            items[corners[part] : corners[part + 1]],
            vertices,
            strips,
            faces[first:end],
            origin[first:end],
            status[lo:hi],
        )
        if lo > 0:
            origin[first : first + written[part]] += np.int32(lo)

    side_by_side([partial(cut_part, part) for part in range(len(written))])
    if sum(written) < triangles[-1]:
        places = [slice(first, first + count) for first, count in zip(triangles, written, strict=False)]
        faces = np.concatenate([faces[place] for place in places])
        origin = np.concatenate([origin[place] for place in places])
    faces.flags.writeable = origin.flags.writeable = False
    return faces, origin, status, sum(stitches)


def _row_bounds(lengths: npt.NDArray[np.int32]) -> list[int]:
    """Bounds of the ranges of rows that are cut side by side, none with much more than `_MOST_EFFORT`."""
    bounds = part_bounds(len(lengths), grain=_GRAIN)
    if int(lengths.max(initial=0)) <= _LARGE:
        return bounds
    effort = np.cumsum(np.minimum(lengths, triangulation.MOST_CORNERS).astype(np.float64) ** 2)
    cuts = 1 + np.searchsorted(effort, np.arange(_MOST_EFFORT, effort[-1], _MOST_EFFORT))
    return sorted({*bounds, *cuts.tolist()})


def _polygon_notes(status: npt.NDArray[np.int8], lengths: npt.NDArray[np.int32], ahead: int) -> list[Irregularity]:
    """F107 and F102: polygons that were cut, those that have no right triangulation, and faces that were left out."""
    is_polygon = status & 7 == triangulation.POLYGON
    kinds: list[tuple[str, npt.NDArray[np.bool_], str, dict[str, float], str]] = [
        (
            "F107",
            is_polygon,
            "Faces with more than three corners were cut into triangles: {}.",
            {"polygons": int(is_polygon.sum()), "largest": int(lengths[is_polygon].max(initial=0))},
            "",
        )
    ]
    for flag, measure, message in _POLYGON_NOTES if bool((status >= triangulation.NON_PLANAR).any()) else ():
        rows = status & flag != 0
        kinds.append(("F107", rows, message, {measure: int(rows.sum())}, ""))
    few, missing = "faces with fewer than three corners", "faces that name vertices that do not exist"
    kinds += [
        ("F107", status == triangulation.TOO_FEW, "Faces with fewer than three corners are left out: {}.", {}, few),
        (
            "F102",
            status == triangulation.OUT_OF_RANGE,
            "Faces that name vertices that do not exist are left out: {}.",
            {},
            missing,
        ),
    ]
    return [_of_rows(*kind, ahead) for kind in kinds if kind[1].any()]


def _strip_notes(status: npt.NDArray[np.int8], ahead: int, stitches: int) -> list[Irregularity]:
    """F107 and F102: strips that were cut, and those of whose triangles some are left out."""
    every = np.ones(len(status), np.bool_)
    measures = {"strips": len(status), "stitching": stitches}
    notes = [_of_rows("F107", every, "Triangle strips were cut into triangles: {}.", measures, "", ahead)]
    missing = status == triangulation.OUT_OF_RANGE
    if missing.any():
        message = "Triangle strips name vertices that do not exist; those triangles are left out. Strips: {}."
        notes.append(_of_rows("F102", missing, message, {}, "faces that name vertices that do not exist", ahead))
    return notes


def _of_rows(
    check: str, rows: npt.NDArray[np.bool_], message: str, measures: Mapping[str, float], lost: str, ahead: int
) -> Irregularity:
    """What is said of some rows; the message has a place for their number."""
    indices = np.flatnonzero(rows)
    return Irregularity(
        check=check,
        message=message.format(len(indices)),
        element="face",
        indices=frozen_array((indices + ahead).astype(np.int32)),
        count=len(indices),
        measures=measures,
        lost=lost,
    )
