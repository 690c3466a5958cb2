"""F-checks: each irregularity of a file becomes a finding with its offset or indices."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from meshguard.io.stl import RECORD, stl_bytes
from meshguard.mesh import Irregularity, Mesh, Source
from meshguard.report import Status
from meshguard.validation import validate
from tests import shapes

FILE_CHECKS = ["F101", "F102", "F103", "F104", "F106", "F107", "F108", "F109"]


@pytest.mark.parametrize("check", FILE_CHECKS)
def test_what_reading_noted_is_found_and_what_it_did_not_note_passes(check: str) -> None:
    note = Irregularity(
        check=check,
        message="Something is odd.",
        offset=84,
        element="face",
        indices=np.arange(3, dtype=np.int32),
        count=3,
    )
    mesh = shapes.cube()
    odd = Mesh(vertices=mesh.vertices, faces=mesh.faces, source=Source(format="stl-binary", irregularities=(note,)))

    report = validate(odd)

    (finding,) = report.findings
    assert (finding.check, finding.message, finding.count) == (check, "Something is odd.", 3)
    assert finding.measures["offset_bytes"] == 84
    assert finding.indices.tolist() == [0, 1, 2]
    assert {other for other in FILE_CHECKS if report.outcomes[other].status is Status.PASSED} == set(FILE_CHECKS) - {
        check
    }


def with_normals(turned: list[int], angle: float) -> bytes:
    """A cube's STL in which some stored normals are turned by an angle about an axis across them."""
    content = stl_bytes(shapes.cube())
    made = np.frombuffer(content, RECORD, offset=84).copy()
    for facet in turned:
        normal = made["normal"][facet].astype(np.float64)
        across = np.cross(normal, [0.3, 0.5, 0.7])
        across /= np.linalg.norm(across)
        made["normal"][facet] = np.cos(np.radians(angle)) * normal + np.sin(np.radians(angle)) * across
    return bytes(content[:80] + struct.pack("<I", len(made)) + made.tobytes())


def test_normals_disagree_beyond_the_limit_and_not_before() -> None:
    assert validate(with_normals([3, 7], 44.0)).outcomes["F104"].findings == 0

    (finding,) = validate(with_normals([3, 7], 46.0)).findings

    assert (finding.check, finding.indices.tolist()) == ("F104", [3, 7])
    assert finding.measures["opposite"] == 0
    assert finding.measures["largest_angle_deg"] == pytest.approx(46.0, abs=1e-3)


def test_a_normal_on_the_other_side_is_counted() -> None:
    (finding,) = validate(with_normals([5], 180.0)).findings

    assert finding.measures["opposite"] == 1


def test_a_point_cloud_has_no_faces() -> None:
    report = validate(Mesh(vertices=np.eye(3), faces=np.empty((0, 3), np.int32)))

    assert report.outcomes["F110"].status is Status.FAILED
    assert report.outcomes["S101"].reason == "The mesh has no faces."
    assert not report.ok
