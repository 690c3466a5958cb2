"""Polygons and strips cut into triangles, against naive twins."""

from __future__ import annotations

import itertools
from typing import TypeAlias

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from meshguard.kernels import triangulation

Faces: TypeAlias = list[tuple[int, int, int]]

rows_of_indices = st.lists(st.lists(st.integers(-2, 6), max_size=7), max_size=8)


def naive_polygons(rows: list[list[int]], n: int) -> tuple[Faces, list[int], list[int]]:
    faces, origin, status = [], [], []
    for row, corners in enumerate(rows):
        if len(corners) < 3:
            status.append(triangulation.TOO_FEW)
        elif not all(0 <= corner < n for corner in corners):
            status.append(triangulation.OUT_OF_RANGE)
        else:
            status.append(triangulation.TRIANGLE if len(corners) == 3 else triangulation.POLYGON)
            faces += [(corners[0], a, b) for a, b in itertools.pairwise(corners[1:])]
            origin += [row] * (len(corners) - 2)
    return faces, origin, status


def naive_strips(rows: list[list[int]], n: int) -> tuple[Faces, list[int], int]:
    faces, origin, stitches = [], [], 0
    for row, corners in enumerate(rows):
        runs: list[list[int]] = [[]]
        for corner in corners:
            if corner == -1:
                runs.append([])
            else:
                runs[-1].append(corner)
        for run in runs:
            for i in range(len(run) - 2):
                a, b, c = run[i : i + 3]
                if not all(0 <= corner < n for corner in (a, b, c)):
                    continue
                if len({a, b, c}) < 3:
                    stitches += 1
                    continue
                faces.append((a, b, c) if i % 2 == 0 else (b, a, c))
                origin.append(row)
    return faces, origin, stitches


def triangulated(rows: list[list[int]], n: int, *, strips: bool) -> tuple[Faces, list[int], list[int], int]:
    lengths = np.array([len(row) for row in rows], np.int32)
    items = np.array([corner for row in rows for corner in row], np.int64)
    lengths.flags.writeable = items.flags.writeable = False
    most = sum(max(0, len(row) - 2) for row in rows)
    faces, origin, status = np.empty((most, 3), np.int32), np.empty(most, np.int32), np.empty(len(rows), np.int8)
    count, stitches = triangulation.triangulate(lengths, items, n, strips, faces, origin, status)
    found = [(int(a), int(b), int(c)) for a, b, c in faces[:count]]
    return found, origin[:count].tolist(), status.tolist(), stitches


@settings(deadline=None)
@given(rows_of_indices)
def test_polygons_as_the_naive_twin_cuts_them(rows: list[list[int]]) -> None:
    faces, origin, status, _ = triangulated(rows, 5, strips=False)
    assert (faces, origin, status) == naive_polygons(rows, 5)


@settings(deadline=None)
@given(rows_of_indices)
def test_strips_as_the_naive_twin_cuts_them(rows: list[list[int]]) -> None:
    faces, origin, status, stitches = triangulated(rows, 5, strips=True)
    assert (faces, origin, stitches) == naive_strips(rows, 5)
    bad = [any(corner != -1 and not 0 <= corner < 5 for corner in row) for row in rows]
    assert [code == triangulation.OUT_OF_RANGE for code in status] == bad


def test_the_kernel_has_one_signature() -> None:
    assert len(getattr(triangulation.triangulate, "signatures", [])) <= 1
