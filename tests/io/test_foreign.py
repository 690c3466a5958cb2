"""Foreign formats: what trimesh reads for us arrives unprocessed, and what it cannot read is a ReadError."""

from __future__ import annotations

import io
import struct
import zipfile

import numpy as np
import pytest

from meshguard.budget import Budget
from meshguard.errors import BudgetExceeded, MeshGuardError, ReadError
from meshguard.io import load
from meshguard.io.foreign import read_foreign

OBJ = b"# a comment\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 0\nv 9 9 9\nf 1 2 3\nf 4 3 2\n"
OFF = b"OFF\n# a comment\n4 2 0\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n3 0 1 2\n3 0 2 3\n"


def test_obj_keeps_its_vertices_unmerged_and_in_order() -> None:
    mesh = read_foreign(OBJ, "obj")

    assert mesh.vertices.tolist()[:4] == [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert mesh.faces.tolist() == [[0, 1, 2], [3, 2, 1]]
    assert mesh.source is not None and mesh.source.format == "trimesh:obj"


def test_off_by_content_whatever_the_name() -> None:
    mesh = load(OFF)

    assert mesh.faces.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert mesh.source is not None and mesh.source.format == "trimesh:off"
    assert mesh.source.irregularities == ()


def test_faces_without_vertices_that_trimesh_lets_pass_are_left_out_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import trimesh

    loaded = trimesh.Trimesh(np.eye(3), [[0, 1, 2], [0, 1, 7]], process=False)
    monkeypatch.setattr(trimesh, "load", lambda *_, **__: loaded)
    mesh = read_foreign(OBJ, "obj")

    assert mesh.faces.tolist() == [[0, 1, 2]]
    assert mesh.source is not None and mesh.source.face_origin is not None
    assert mesh.source.face_origin.tolist() == [0]
    (note,) = mesh.source.irregularities
    assert (note.check, note.indices.tolist(), note.count) == ("F102", [1], 1)


@pytest.mark.parametrize(
    "content",
    [
        b"OFF\n",
        b"OFF\n4\n",
        b"OFF\n999999999 999999999 0\n0 0 0\n",
        b"OFF\n" + b"9" * 4000 + b" 1 0\n",
        b"OFF\n4 2 0\n0 0\n",
    ],
)
def test_an_off_that_promises_too_much_is_refused_before_anything_is_allocated(content: bytes) -> None:
    with pytest.raises(ReadError, match="OFF"):
        load(content)


@pytest.mark.parametrize("kind", ["off", "glb", "3mf"])
@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 100, b"PK\x03\x04garbage", b"glTF\x02\x00\x00\x00", b"OFF\n1 1 1\nx"]
)
def test_garbage_is_a_read_error(kind: str, content: bytes) -> None:
    with pytest.raises(ReadError):
        read_foreign(content, kind)


def test_two_objects_are_read_as_one_mesh_and_told() -> None:
    import trimesh

    box, ball = trimesh.creation.box(), trimesh.creation.icosphere(subdivisions=1)
    scene = trimesh.Scene([box, ball])
    mesh = load(scene.export(file_type="glb"))

    assert len(mesh.faces) == len(box.faces) + len(ball.faces)
    assert mesh.source is not None
    (note,) = mesh.source.irregularities
    assert (note.check, note.count) == ("F109", 2)
    assert np.bincount(mesh.face_data["solid"]).tolist() in (
        [len(box.faces), len(ball.faces)],
        [len(ball.faces), len(box.faces)],
    )


def archive(size: int) -> bytes:
    """A 3MF whose model is that many zero bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("3D/3dmodel.model", bytes(size))
    return out.getvalue()


def test_an_archive_that_unpacks_to_more_than_the_budget_is_refused() -> None:
    with pytest.raises(BudgetExceeded, match="unpacked"):
        read_foreign(archive(2_000_000), "3mf", Budget(max_bytes=1_000_000))


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import trimesh

    def missing(*_: object, **__: object) -> None:
        raise ImportError("no lxml")

    monkeypatch.setattr(trimesh, "load", missing)
    with pytest.raises(ReadError, match=r"meshguard\[3mf\]"):
        read_foreign(archive(10), "3mf")


def test_a_points_only_file_is_an_empty_mesh_or_refused() -> None:
    try:
        mesh = read_foreign(b"v 0 0 0\nv 1 1 1\n", "obj")
    except MeshGuardError:
        return
    assert len(mesh.faces) == 0


def test_the_text_of_an_error_does_not_quote_the_file() -> None:
    header = struct.pack("<4sII", b"glTF", 2, 40) + b"PATIENT-NAME"
    with pytest.raises(ReadError) as refusal:
        load(io.BytesIO(header))

    assert "PATIENT" not in str(refusal.value)
