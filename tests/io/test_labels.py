"""Labels: every format they come in, what their ids mean, which mesh they fit, and files that are none."""

from __future__ import annotations

import io
import json
import struct
import sys
import traceback
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import meshguard
from meshguard.budget import Budget
from meshguard.errors import BudgetExceeded, MeshError, MeshGuardError, ReadError
from meshguard.io.labels import (
    Labels,
    attach_labels,
    face_labels,
    fit_of,
    misfit,
    numbering_of,
    read_labels,
    read_palette,
    save_labels,
    vertex_labels,
)
from meshguard.mesh import Mesh
from tests import oracles, shapes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENT = "Jane-Doe-1970-01-31"


def teeth3ds(labels: list[Any], **more: Any) -> bytes:
    """A label file as the challenge writes it."""
    return json.dumps({"id_patient": PATIENT, "jaw": "lower", "labels": labels, **more}).encode()


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(array))
    return file.getvalue()


def npy_header(description: bytes) -> bytes:
    """The start of an NPY file."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", 70) + description.ljust(69) + b"\n"


def colored(colors: list[tuple[int, int, int]]) -> Mesh:
    """A sheet whose faces have these colours."""
    mesh = shapes.grid(len(colors) // 2, 1)
    return mesh.with_data(face={"color": np.array(colors, np.uint8)})


class TestFormats:
    def test_teeth3ds(self) -> None:
        found = read_labels(teeth3ds([0, 31, 31, 42], instances=[0, 1, 1, 2]))

        assert found.values.tolist() == [0, 31, 31, 42] and found.values.dtype == np.int32
        assert found.instances is not None and found.instances.tolist() == [0, 1, 1, 2]
        assert (found.per, found.jaw, found.numbering, found.notes) == ("vertex", "lower", "fdi", ())
        assert not found.values.flags.writeable and len(found) == 4

    @pytest.mark.parametrize(
        "content",
        [
            npy(np.array([0, 11, 12], np.uint8)),
            npy(np.array([[0], [11], [12]], np.int64)),
            npy(np.array([0, 11, 12], ">f4")),
            b"0\n11\n12\n",
            b"0,11,12",
            b"0 11 12\r\n",
            b"\xef\xbb\xbf0;11;12\n",
            b"# a comment\n0\n11.0\n\n12\n",
            b"label\n0\n11\n12\n",
            b"vertex,x,Label\n0,1.5,0\n1,2.5,11\n2,3.5,12\n",
            b"0 0\n1 11\n2 12\n",
            b"[0, 11, 12.0]",
            b'{"labels": [0, 11, 12]}',
        ],
    )
    def test_vectors(self, content: bytes) -> None:
        found = read_labels(content)

        assert found.values.tolist() == [0, 11, 12] and found.numbering == "fdi" and found.jaw is None

    def test_a_path_a_file_and_gzip(self, tmp_path: Path) -> None:
        import gzip

        content = npy([0, 11])
        (tmp_path / "a.npy").write_bytes(gzip.compress(content))
        for source in (tmp_path / "a.npy", str(tmp_path / "a.npy"), io.BytesIO(content), np.array([0, 11])):
            assert read_labels(source).values.tolist() == [0, 11]
        with pytest.raises(BudgetExceeded):
            read_labels(content, budget=Budget(max_bytes=10))

    @pytest.mark.parametrize("name", ["label", "Labels", "scalar_Label", "fdi", "PredictedID", "tooth_id"])
    @pytest.mark.parametrize("per", ["vertex", "face"])
    def test_ply_properties(self, name: str, per: str) -> None:
        mesh = shapes.grid(2, 1)
        count = len(mesh.vertices) if per == "vertex" else len(mesh.faces)
        data: Any = {name: np.arange(11, 11 + count).astype(np.float32), "quality": np.ones(count)}
        file = io.BytesIO()
        meshguard.save(mesh.with_data(**{per: data}), file, format="ply")
        found = read_labels(file.getvalue())

        assert found.per == per and found.values.tolist() == list(range(11, 11 + count))

    def test_a_mesh_that_carries_labels(self) -> None:
        arch = meshguard.phantom(faces=2000)
        found = read_labels(arch)

        assert found.per == "vertex" and found.jaw == "lower"
        assert np.array_equal(found.values, arch.vertex_data["label"])

    def test_vtk_needs_an_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pyvista", None)
        for content in (b'<?xml version="1.0"?><VTKFile type="PolyData">', b"# vtk DataFile Version 3.0\n"):
            with pytest.raises(ReadError, match=r"pip install 'meshguard\[vtk\]'"):
                read_labels(content)

    @pytest.mark.parametrize("per", ["vertex", "face"])
    @pytest.mark.parametrize("suffix", ["vtp", "vtk"])
    def test_vtk(self, per: str, suffix: str, tmp_path: Path) -> None:
        pyvista = pytest.importorskip("pyvista")
        mesh = shapes.grid(4, 2)
        surface = pyvista.PolyData(mesh.vertices, np.column_stack([np.full(len(mesh.faces), 3), mesh.faces]).ravel())
        count = len(mesh.vertices) if per == "vertex" else len(mesh.faces)
        wanted = (np.arange(count) % 15).astype(np.int32)
        (surface.point_data if per == "vertex" else surface.cell_data)["Label"] = wanted
        path = tmp_path / f"{PATIENT}.{suffix}"
        surface.save(path)
        found = read_labels(path)

        assert found.per == per and np.array_equal(found.values, wanted)
        assert found.numbering == ("meshsegnet" if per == "face" else "anonymous")
        with pytest.raises(ReadError) as caught:
            read_labels(path.read_bytes()[:200])
        assert PATIENT not in "".join(traceback.format_exception(caught.value))


class TestColors:
    WHITE, RED, BLUE, GREY = (255, 255, 255), (255, 0, 0), (0, 0, 255), (9, 9, 9)

    def test_by_palette(self) -> None:
        palette = {0: [self.WHITE], 16: [self.RED], 26: [self.BLUE]}
        mesh = colored([self.WHITE, self.RED, self.BLUE, self.GREY])
        found = read_labels(mesh, palette=palette)

        assert found.values.tolist() == [0, 16, 26, -1] and found.numbering == "fdi" and found.per == "face"
        assert "1 colours are not in the palette" in found.notes[-1]
        as_json = json.dumps({str(id_): colors for id_, colors in palette.items()}).encode()
        assert read_labels(mesh, palette=as_json).values.tolist() == [0, 16, 26, -1]

    def test_without_one_colors_are_classes(self) -> None:
        found = read_labels(colored([self.WHITE, self.RED, self.BLUE, self.WHITE]))

        assert found.values.tolist() == [0, 2, 1, 0] and found.numbering == "anonymous"
        assert read_labels(colored([self.RED, self.BLUE])).values.tolist() == [2, 1]  # no gum
        both = colored([(0, 0, 0), (0, 0, 0), (255, 255, 255), self.RED])
        assert read_labels(both).values.tolist() == [0, 0, 2, 1]  # black covers more: it is the gum

    @pytest.mark.parametrize(
        ("dtype", "full"),
        [(np.float32, 1), (np.float64, 1), (np.float32, 255), (np.uint16, 255), (np.int32, 255), (np.uint16, 65535)],
    )
    def test_by_palette_whatever_type_the_colors_have(self, dtype: type, full: int) -> None:
        palette = {0: [self.WHITE], 16: [self.RED], 26: [self.BLUE]}
        mesh = colored([self.WHITE, self.RED, self.BLUE, self.GREY])
        levels = np.asarray(mesh.face_data["color"]) / 255 * full
        other = mesh.with_data(face={"color": levels.astype(dtype)})
        found = read_labels(other, palette=palette)

        assert found.values.tolist() == [0, 16, 26, -1]
        assert f"numbers from 0 to {full}" in found.notes[1]
        assert read_labels(other).values.tolist() == read_labels(mesh).values.tolist()

    @pytest.mark.parametrize(
        ("values", "reason"),
        [
            (np.full((4, 3), -0.5), "cannot be brightnesses"),
            (np.full((4, 3), 256.5), "cannot be brightnesses"),
            (np.full((4, 3), 256, np.int32), "cannot be brightnesses"),
            (np.full((4, 3), np.nan), "cannot be brightnesses"),
            (np.zeros(4, np.uint8), "not red, green and blue"),
            (np.zeros((4, 2), np.uint8), "not red, green and blue"),
        ],
    )
    def test_numbers_that_are_no_colors_are_said_to_be_so(self, values: np.ndarray, reason: str) -> None:
        with pytest.raises(ReadError, match=reason):
            read_labels(colored([self.RED] * 4).with_data(face={"color": values}))

    def test_colors_as_floats_from_the_field(self, data_root: Path) -> None:
        mesh = meshguard.load(data_root / "field" / "52_float.ply")
        levels = np.rint(np.asarray(mesh.vertex_data["color"]) * 255).astype(np.uint8)
        rows = np.unique(levels, axis=0).tolist()
        found = read_labels(mesh, palette={11 + k: [row] for k, row in enumerate(rows)})

        assert found.per == "vertex"
        assert [rows[id_ - 11] for id_ in found.values] == levels.tolist()

    def test_colors_that_are_no_labels(self) -> None:
        picture = [(k, 255 - k, 7) for k in range(66)]
        with pytest.raises(ReadError, match="not one per tooth"):
            read_labels(colored(picture))
        with pytest.raises(ReadError, match="one colour"):
            read_labels(colored([self.RED] * 4))
        with pytest.raises(ReadError, match="neither labels nor colours"):
            read_labels(shapes.grid())

    @pytest.mark.parametrize(
        "palette",
        [b"{", b"[]", b'{"a": [[1, 2, 3]]}', b'{"11": [[1, 2]]}', b'{"11": [[1, 2, 256]]}', b'{"11": [["a", 1, 2]]}']
        + [b'{"11": [[1, 2, 3]], "12": [[1, 2, 3]]}', b'{"11": 5}', b'{"11": [[1.5, 2, 3]]}'],
    )
    def test_malformed_palettes(self, palette: bytes) -> None:
        with pytest.raises(ReadError, match="palette"):
            read_palette(palette)


class TestNumbering:
    def test_single_wrong_ids_are_errors_in_an_fdi_file(self) -> None:
        assert numbering_of(np.array([0, 11, 12, 13, 14, 99], np.int32)) == "fdi"
        assert numbering_of(np.arange(2, 16, dtype=np.int32)) == "anonymous"

    def test_universal_is_not_taken_for_fdi(self) -> None:
        for first, last in ((17, 32), (18, 31), (1, 16), (2, 15), (1, 32)):
            assert numbering_of(np.arange(first, last + 1, dtype=np.int32)) == "anonymous"
        found = read_labels(np.array([0, 17, 32, 3]), numbering="universal")
        assert found.values.tolist() == [0, 38, 48, 16] and found.numbering == "fdi"

    def test_universal_numbers_of_a_lower_arch_can_be_nothing_else(self) -> None:
        wanted = [0, *range(37, 30, -1), *range(41, 48)]
        for content in (teeth3ds([0, *range(18, 32)], jaw="lower"), teeth3ds([0, *range(18, 32)], jaw="")):
            lower = read_labels(content)
            assert lower.numbering == "fdi" and lower.values.tolist() == wanted
            assert lower.notes == ("The ids are read as Universal numbers.",)
        # An upper arch with one wrong code, and a lower one with another, stay FDI: the codes are errors there.
        assert read_labels(teeth3ds([0, *range(11, 18), 19, *range(21, 28)], jaw="upper")).numbering == "fdi"
        assert read_labels(teeth3ds([0, 19, *range(31, 38), *range(41, 48)], jaw="lower")).numbering == "fdi"
        # So does one side of an arch with a wrong code, which could be part of either.
        assert read_labels(teeth3ds([0, 20, *range(21, 28)], jaw="")).values.tolist() == [0, 20, *range(21, 28)]

    def test_33_is_the_gum_of_universal_numbers(self) -> None:
        upper = read_labels(np.array([33, 33, *range(2, 16)]))
        assert upper.values.tolist() == [0, 0, *range(17, 10, -1), *range(21, 28)]
        assert upper.numbering == "fdi" and upper.notes == (
            "The ids are read as Universal numbers, and 33 as the gum.",
        )
        assert read_labels(np.array([33, 33, *range(22, 28)])).values.tolist() == [0, 0, 33, 32, 31, 41, 42, 43]
        assert read_labels(np.array([0, 33, 33, 18, 19])).values.tolist() == [0, 0, 0, 37, 36]
        # As large as any tooth, or among FDI codes of its jaw, it is a canine.
        assert read_labels(np.array([0, 0, 33, *range(2, 16)])).numbering == "anonymous"
        assert read_labels(np.array([33, 33, 31, 32])).values.tolist() == [33, 33, 31, 32]
        # The jaw that a file states decides what can be both, and not what can only be Universal.
        assert read_labels(teeth3ds([33, 33, *range(22, 28)], jaw="upper")).values.tolist() == [33, 33, *range(22, 28)]
        assert read_labels(teeth3ds([33, 33, *range(2, 16)], jaw="lower")).values.tolist()[:3] == [0, 0, 17]

    def test_an_upper_arch_without_gum_33_is_asked_about(self) -> None:
        found = read_labels(np.array([0, *range(2, 16)]))
        assert found.numbering == "anonymous" and found.notes[-1] == (
            "If they are Universal numbers, ask for that numbering."
        )
        assert len(read_labels(np.array([0, *range(1, 15)])).notes) == 1

    def test_another_gum_does_not_count_among_the_teeth(self) -> None:
        assert read_labels(np.array([255, 255, 11, 21])).numbering == "fdi"
        lower = read_labels(np.array([99, 99, *range(18, 32)]))
        assert lower.values.tolist() == [99, 99, *range(37, 30, -1), *range(41, 48)]
        assert read_labels(np.array([16, 16, *range(18, 32)])).numbering == "anonymous"  # 16 would be a tooth then

    def test_a_name_may_say_universal_and_the_ids_must_agree(self) -> None:
        def found(values: list[int]) -> Labels:
            mesh = shapes.grid(4, 2)
            return read_labels(mesh.with_data(vertex={"Universal_ID": np.resize(np.array(values), len(mesh.vertices))}))

        assert set(found([33, 2, 3, 15]).values.tolist()) == {0, 17, 16, 27}
        assert set(found([0, 2, 3, 15]).values.tolist()) == {0, 17, 16, 27}
        assert set(found([0, 12, 13, 21]).values.tolist()) == {0, 12, 13, 21}
        assert read_labels(b"vertex,universal_id\n0,0\n1,2\n2,3\n").values.tolist() == [0, 17, 16]
        assert read_labels(b'{"universal_id": [0, 2, 3]}').values.tolist() == [0, 17, 16]

    def test_meshsegnet_needs_the_jaw(self) -> None:
        classes = np.arange(15)
        unknown = read_labels(classes, numbering="meshsegnet")
        assert unknown.numbering == "meshsegnet" and unknown.values.tolist() == list(range(15))
        upper, lower = (read_labels(classes, numbering="meshsegnet", jaw=jaw) for jaw in ("upper", "lower"))
        assert upper.values.tolist() == [0, 17, 16, 15, 14, 13, 12, 11, 21, 22, 23, 24, 25, 26, 27]
        assert lower.values.tolist() == [0, 37, 36, 35, 34, 33, 32, 31, 41, 42, 43, 44, 45, 46, 47]
        assert upper.numbering == lower.numbering == "fdi" and "tooth 17" in upper.notes[-1]
        assert attach_labels(meshguard.phantom(faces=2000, jaw="upper"), read_labels(
            np.full(len(meshguard.phantom(faces=2000, jaw="upper").vertices), 3), numbering="meshsegnet"
        )).vertex_data["label"][0] == 15  # fmt: skip
        with pytest.raises(ReadError, match="not MeshSegNet's"):
            read_labels(np.arange(17), numbering="meshsegnet")
        with pytest.raises(ReadError, match="not Universal"):
            read_labels(np.arange(40), numbering="universal")

    def test_jaws(self) -> None:
        assert read_labels(teeth3ds([31], jaw="Mandible")).jaw == "lower"
        unknown = read_labels(teeth3ds([3, 4], jaw=PATIENT))
        assert unknown.jaw is None and unknown.numbering == "anonymous" and PATIENT not in " ".join(unknown.notes)
        asked = read_labels(teeth3ds([31]), jaw="upper")
        assert asked.jaw == "upper" and "lower jaw" in asked.notes[0]
        assert read_labels(teeth3ds([31, 7])).numbering == "fdi"  # the format says so; half is enough


BAD: list[bytes] = [
    b"",
    b"{",
    b"[",
    b"nul",
    b'{"labels": null}',
    b'{"labels": [1, "a"]}',
    b'{"labels": [1, null]}',
    b'{"labels": [true, false]}',
    b'{"labels": [[1, 2], [3]]}',
    b'{"labels": [NaN]}',
    b'{"labels": [Infinity]}',
    b'{"labels": [1e400]}',
    b'{"labels": [1.5]}',
    b'{"labels": [' + b"9" * 5000 + b"]}",
    b'{"labels": [99999999999999999999]}',
    b'{"labels": [3000000000]}',
    b'{"labels": []}',
    b'{"labels": [1, 2], "instances": [1]}',
    b'{"labels": [1], "instances": ["x"]}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"\xff\xfe\x00\x01",
    b"1,2\x00",
    b"1\n2\nJane\n",
    b"1 2 3\n4 5 6\n",
    b"1 2\n3\n",
    b"1.5\n",
    b"nan\n",
    b"inf\n",
    b"PK\x03\x04",
    b"ply\n",
    b"\x93NUMPY",
    b"\x93NUMPY\x01\x00\xff\xff{",
    npy_header(b"{'descr': '<i8', 'fortran_order': False, 'shape': (1000000000000,)}"),
    npy_header(b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}") + b"\x80" * 8,
    npy(np.zeros((3, 4), np.int32)),
    npy(np.array(["11", "12"])),
    npy(np.array([True, False])),
    npy(np.array([1j])),
    npy(np.array([2**40])),
    npy(np.array([np.nan])),
    npy(np.zeros(0, np.int32)),
    npy(np.arange(9))[:-1],
]  # fmt: skip


class TestMalformed:
    @pytest.mark.parametrize("content", BAD, ids=range(len(BAD)))
    def test_one_sentence_that_quotes_nothing(self, content: bytes) -> None:
        with pytest.raises(ReadError) as caught:
            read_labels(content)
        text = "".join(traceback.format_exception_only(caught.value)).strip()
        assert "\n" not in text and "Jane" not in text

    @pytest.mark.parametrize("breaker", [lambda b: b[:-3], lambda b: b.replace(b"31", b"3x"), lambda b: b + b"}"])
    def test_the_patient_is_never_quoted(self, breaker: Callable[[bytes], bytes]) -> None:
        with pytest.raises(ReadError) as caught:
            read_labels(breaker(teeth3ds([31, 32])))
        assert PATIENT not in "".join(traceback.format_exception(caught.value))
        assert PATIENT not in repr(read_labels(teeth3ds([31, 32])))

    @given(st.binary(max_size=60), st.sampled_from([b"", b"{", b'{"labels":[', b"\x93NUMPY\x01\x00", b"1,", b"ply\n"]))
    def test_any_bytes_give_labels_or_a_refusal(self, content: bytes, start: bytes) -> None:
        try:
            found = read_labels(start + content)
        except MeshGuardError:
            return
        assert isinstance(found, Labels) and found.values.dtype == np.int32 and len(found) > 0


class TestAttaching:
    def test_by_length(self) -> None:
        mesh = shapes.grid(4, 2)
        n, m = len(mesh.vertices), len(mesh.faces)
        for per, count in (("vertex", n), ("face", m)):
            labels = read_labels(np.arange(count))
            assert fit_of(mesh, labels) == per and misfit(mesh, labels) is None
            put = attach_labels(mesh, labels)
            data = put.vertex_data if per == "vertex" else put.face_data
            assert data["label"].tolist() == list(range(count))
        wrong = read_labels(np.arange(n + 2))
        note = misfit(mesh, wrong)
        assert fit_of(mesh, wrong) is None and note is not None and note.check == "F105"
        assert dict(note.measures) == {"labels": n + 2, "vertices": n, "faces": m}
        with pytest.raises(MeshError, match=f"{n + 2} labels for {n} vertices and {m} faces"):
            attach_labels(mesh, wrong)

    def test_where_both_fit_the_file_decides(self) -> None:
        mesh = shapes.tetrahedron()
        assert fit_of(mesh, read_labels(np.arange(4))) == "vertex"
        assert fit_of(mesh, Labels(values=np.arange(4, dtype=np.int32), per="face")) == "face"

    def test_labels_replace_labels_and_tell_the_jaw(self) -> None:
        arch = meshguard.phantom(faces=2000)
        bare = Mesh(vertices=arch.vertices, faces=arch.faces, face_data={"label": np.zeros(len(arch.faces), int)})
        put = attach_labels(bare, read_labels(teeth3ds([31] * len(arch.vertices), instances=[1] * len(arch.vertices))))

        assert put.jaw == "lower" and "label" not in put.face_data and put.vertex_data["instance"].max() == 1

    def test_soup_corners(self) -> None:
        arch = meshguard.phantom(faces=2000)
        file = io.BytesIO()
        meshguard.save(arch, file, format="stl")
        read = meshguard.load(file.getvalue())
        soup = arch.vertex_data["label"][arch.faces].reshape(-1)
        put = attach_labels(read, read_labels(soup.astype(np.int32)))

        # Every welded vertex has the label of the phantom's vertex at its position.
        place = {tuple(v): k for k, v in enumerate((arch.vertices + 0.0).tolist())}
        origin = [place[tuple(v)] for v in (read.vertices + 0.0).tolist()]
        assert np.array_equal(put.vertex_data["label"], arch.vertex_data["label"][origin])

    def test_polygons(self) -> None:
        header = b"ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n"
        header += b"element face 2\nproperty list uchar int vertex_indices\nend_header\n"
        mesh = meshguard.load(header + b"0 0 0\n1 0 0\n1 1 0\n0 1 0\n4 0 1 2 3\n3 0 2 1\n")
        assert attach_labels(mesh, read_labels(np.array([11, 12]))).face_data["label"].tolist() == [11, 11, 12]

    def test_labels_survive_weld_and_save(self) -> None:
        arch = meshguard.phantom(faces=2000)
        file = io.BytesIO()
        meshguard.save(arch, file, format="ply")
        assert np.array_equal(meshguard.load(file.getvalue()).vertex_data["label"], arch.vertex_data["label"])


class TestWriting:
    @pytest.mark.parametrize("suffix", [".json", ".npy", ".csv", ".txt"])
    @pytest.mark.parametrize("per", ["vertex", "face"])
    def test_what_was_written_is_read(self, suffix: str, per: Literal["vertex", "face"], tmp_path: Path) -> None:
        mesh = meshguard.phantom(faces=2000)
        save_labels(mesh, tmp_path / f"a{suffix}", per=per)
        read = read_labels(tmp_path / f"a{suffix}")

        wanted = vertex_labels(mesh) if per == "vertex" else face_labels(mesh)
        assert wanted is not None and read.values.tolist() == wanted.tolist()
        assert (read.numbering, fit_of(mesh, read)) == ("fdi", per)
        assert read.jaw == ("lower" if suffix == ".json" else None)

    def test_instances_go_along_and_no_patient(self, tmp_path: Path) -> None:
        mesh = meshguard.phantom(faces=2000)
        label = mesh.vertex_data["label"]
        mesh = mesh.with_data(vertex={"instance": np.unique(label, return_inverse=True)[1]})
        save_labels(mesh, tmp_path / "a.json")
        read = read_labels(tmp_path / "a.json")

        assert read.instances is not None
        assert read.instances.tolist() == mesh.vertex_data["instance"].tolist()
        assert json.loads((tmp_path / "a.json").read_text("utf-8"))["id_patient"] == ""

    def test_beside_an_stl_they_are_those_of_the_facets(self, tmp_path: Path) -> None:
        mesh = meshguard.phantom(faces=2000)
        meshguard.save(mesh, tmp_path / "a.stl")
        save_labels(mesh, tmp_path / "a.npy", per="face")
        again = attach_labels(meshguard.load(tmp_path / "a.stl"), read_labels(tmp_path / "a.npy"))

        assert again.face_data["label"].tolist() == mesh.face_data["label"].tolist()

    def test_corners_give_the_vertices_of_an_stl_their_labels_back(self, tmp_path: Path) -> None:
        mesh = meshguard.phantom(faces=2000)
        meshguard.save(mesh, tmp_path / "a.stl")
        save_labels(mesh, tmp_path / "a.npy", per="corner")
        again = attach_labels(meshguard.load(tmp_path / "a.stl"), read_labels(tmp_path / "a.npy"))

        assert again.vertex_data["label"][again.faces].tolist() == mesh.vertex_data["label"][mesh.faces].tolist()

    @pytest.mark.parametrize(("ids", "jaw"), [((0, 16, 17), "upper"), ((0, 36, 37, 11), "lower"), ((36, 16), "")])
    def test_the_jaw_is_that_of_most_codes_where_the_mesh_says_none(
        self, tmp_path: Path, ids: tuple[int, ...], jaw: str
    ) -> None:
        labels = np.resize(np.array(ids, np.int32), 8)
        save_labels(shapes.cube().with_data(vertex={"label": labels}), tmp_path / "a.json")

        assert json.loads((tmp_path / "a.json").read_text("utf-8"))["jaw"] == jaw
        assert read_labels(tmp_path / "a.json").notes == ()

    def test_refusals(self, tmp_path: Path) -> None:
        with pytest.raises(MeshError, match="no labels"):
            save_labels(shapes.cube(), tmp_path / "a.npy")
        with pytest.raises(MeshError, match=r"not as \.vtk"):
            save_labels(meshguard.phantom(faces=2000), tmp_path / "a.vtk")
        with pytest.raises(MeshError, match="per must be"):
            save_labels(meshguard.phantom(faces=2000), tmp_path / "a.npy", per="Vertex")  # type: ignore[arg-type]
        half = meshguard.phantom(faces=2000).without_labels()
        half = half.with_data(face={"label": np.full(len(half.faces), 11.5)})
        with pytest.raises(MeshError, match="not all whole numbers"):
            save_labels(half, tmp_path / "a.npy")
        assert list(tmp_path.iterdir()) == []

    def test_a_column_is_written_as_a_vector(self, tmp_path: Path) -> None:
        mesh = meshguard.phantom(faces=2000)
        column = mesh.without_labels().with_data(vertex={"label": mesh.vertex_data["label"][:, None]})
        save_labels(column, tmp_path / "a.json")

        assert read_labels(tmp_path / "a.json").values.tolist() == mesh.vertex_data["label"].tolist()


class TestNames:
    @pytest.mark.parametrize("name", ["labels", "Label", "fdi", "tooth_id", "scalar_Label"])
    def test_what_can_only_be_teeth_is_taken_for_them(self, name: str) -> None:
        mesh = meshguard.phantom(faces=2000)
        report = meshguard.validate(mesh.without_labels().with_data(face={name: mesh.face_data["label"]}))

        assert report.labels is not None and report.labels.per == "face"
        assert report.labels.notes == (f"Labels are read from the property {name}.",)

    def test_other_names_and_fractions_are_not(self) -> None:
        mesh = meshguard.phantom(faces=2000)
        for name, values in (("class", mesh.face_data["label"]), ("fdi", mesh.face_data["label"] + 0.5)):
            assert meshguard.validate(mesh.without_labels().with_data(face={name: values})).labels is None


@pytest.mark.parametrize("options", [{"jaw": "Upper"}, {"numbering": "FDI"}])
def test_words_that_are_none(options: dict[str, Any]) -> None:
    with pytest.raises(MeshError, match=r"Upper|FDI"):
        read_labels(np.arange(15), **options)
    with pytest.raises(MeshError, match="maxilla"):
        read_labels(np.arange(15), numbering="meshsegnet").in_fdi("maxilla")  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_no_short_type_rounds_an_id(dtype: Any) -> None:
    assert read_labels(np.array([0, 11, 12], dtype)).values.tolist() == [0, 11, 12]
    with pytest.raises(ReadError):
        read_labels(np.array([2.0**31, 11], np.float32))


class TestConversion:
    @given(st.integers(0, 2**32 - 1), st.integers(1, 4))
    def test_like_the_naive_twins(self, seed: int, kinds: int) -> None:
        rng = np.random.default_rng(seed)
        mesh = shapes.grid(int(rng.integers(1, 6)), int(rng.integers(1, 5)))
        of_vertices = rng.integers(-1, kinds, len(mesh.vertices)).astype(np.int32)
        of_faces = rng.integers(-1, kinds, len(mesh.faces)).astype(np.int32)
        by_vertex, by_face = mesh.with_data(vertex={"label": of_vertices}), mesh.with_data(face={"label": of_faces})

        found, back = face_labels(by_vertex), vertex_labels(by_face)
        assert found is not None and found.tolist() == oracles.face_labels(mesh.faces, of_vertices)
        assert back is not None and back.tolist() == oracles.vertex_labels(mesh.faces, of_faces, len(mesh.vertices))

    def test_own_labels_come_first(self) -> None:
        arch = meshguard.phantom(faces=2000)
        assert face_labels(shapes.grid()) is None and vertex_labels(shapes.grid()) is None
        found = face_labels(arch)
        assert found is not None and np.array_equal(found, arch.face_data["label"])
        empty = Mesh(vertices=[], faces=[], face_data={"label": np.empty(0, int)})
        assert vertex_labels(empty) is not None

    def test_corner_order_does_not_matter(self) -> None:
        mesh = Mesh(vertices=np.eye(3), faces=[[0, 1, 2], [1, 2, 0], [2, 1, 0]], vertex_data={"label": [0, 36, 35]})
        found = face_labels(mesh)
        assert found is not None and found.tolist() == [35, 35, 35]


class TestRealFiles:
    @pytest.mark.parametrize("name", ["001_lower", "001_upper", "037_lower", "055_lower"])
    def test_colors_and_vectors_agree(self, data_root: Path, name: str) -> None:
        base = data_root / "dental" / f"ios_{name}_16k"
        by_color = read_labels(base.with_suffix(".ply"), palette=data_root / "dental" / "ios_palette.json")
        by_vector = read_labels(base.with_suffix(".fdi_faces.npy"))
        classes = read_labels(base.with_suffix(".ply"))

        assert np.array_equal(by_color.values, by_vector.values)
        assert by_color.numbering == by_vector.numbering == "fdi" and classes.numbering == "anonymous"
        assert by_color.per == "face" and fit_of(meshguard.load(base.with_suffix(".ply")), by_vector) == "face"
        # The same partition, with the gum at 0.
        pairs = np.unique(np.stack([classes.values, by_vector.values]), axis=1)
        assert len(pairs.T) == len(np.unique(by_vector.values)) and pairs[:, 0].tolist() == [0, 0]

    @pytest.mark.parametrize(
        ("name", "numbering", "jaw"),
        [("arch_100k", "anonymous", None), ("lower_based_213k", "fdi", "lower"), ("lower_crowns_87k", "fdi", "lower")],
    )
    def test_teeth3ds_files(self, data_root: Path, name: str, numbering: str, jaw: str | None) -> None:
        found = read_labels(data_root / "dental" / f"{name}.labels.json")
        mesh = meshguard.load(data_root / "dental" / f"{name}.ply")

        assert (found.numbering, found.jaw, fit_of(mesh, found)) == (numbering, jaw, "vertex")

    @pytest.mark.parametrize("name", ["lower_decimated_16k", "arch_holes_in_crowns_16k"])
    def test_mixed_colors_of_faces_give_way(self, data_root: Path, name: str) -> None:
        found = read_labels(data_root / "dental" / f"{name}.ply")

        assert found.per == "vertex" and found.numbering == "anonymous" and len(np.unique(found.values)) == 15
