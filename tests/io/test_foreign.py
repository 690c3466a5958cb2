"""Foreign formats: what trimesh reads for us arrives unprocessed, and what it cannot read is a ReadError."""

from __future__ import annotations

import io
import struct
import zipfile

import numpy as np
import pytest

from meshguard.budget import Budget
from meshguard.errors import BudgetExceeded, ReadError
from meshguard.io import load
from meshguard.io.foreign import read_foreign
from meshguard.io.losses import lost_on_saving


def test_faces_without_vertices_that_trimesh_lets_pass_are_left_out_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import trimesh

    loaded = trimesh.Trimesh(np.eye(3), [[0, 1, 2], [0, 1, 7]], process=False)
    monkeypatch.setattr(trimesh, "load", lambda *_, **__: loaded)
    mesh = read_foreign(glb(), "glb")

    assert mesh.faces.tolist() == [[0, 1, 2]]
    assert mesh.source is not None and mesh.source.face_origin is not None
    assert mesh.source.face_origin.tolist() == [0]
    (note,) = mesh.source.irregularities
    assert (note.check, note.indices.tolist(), note.count) == ("F102", [1], 1)


@pytest.mark.parametrize("kind", ["glb", "3mf"])
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


def glb() -> bytes:
    """A box."""
    import trimesh

    content: bytes = trimesh.creation.box().export(file_type="glb")
    return content


def archive(size: int, content: bytes = b"") -> bytes:
    """A 3MF whose model is some content and that many zero bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("3D/3dmodel.model", content + bytes(size))
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


@pytest.mark.parametrize(
    ("content", "lost"),
    [
        (b"<basematerials/>", ("materials",)),
        (b"<m:colorgroup/><m:texture2d/>", ("colours of the faces", "texture coordinates and pictures")),
        (b"<mesh/>", ()),
    ],
)
def test_what_a_3mf_holds_besides_is_told(
    content: bytes, lost: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    import trimesh

    monkeypatch.setattr(trimesh, "load", lambda *_, **__: trimesh.creation.box())
    mesh = read_foreign(archive(10, content), "3mf")

    assert lost_on_saving(mesh, "ply") == lost


def test_colours_of_a_glb_are_kept() -> None:
    import trimesh

    box = trimesh.creation.box()
    box.visual.vertex_colors = np.arange(32, dtype=np.uint8).reshape(8, 4)
    mesh = load(box.export(file_type="glb"))

    assert mesh.vertex_data["color"].tolist() == box.visual.vertex_colors.tolist()
    assert lost_on_saving(mesh, "ply") == ()


def test_texture_coordinates_of_a_glb_are_told() -> None:
    import trimesh

    box = trimesh.creation.box()
    box.visual = trimesh.visual.TextureVisuals(uv=np.zeros((8, 2)))
    lost = lost_on_saving(load(box.export(file_type="glb")), "ply")

    assert lost[0] == "texture coordinates of the vertices"


def test_the_text_of_an_error_does_not_quote_the_file() -> None:
    header = struct.pack("<4sII", b"glTF", 2, 40) + b"PATIENT-NAME"
    with pytest.raises(ReadError) as refusal:
        load(io.BytesIO(header))

    assert "PATIENT" not in str(refusal.value)
