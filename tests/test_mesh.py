"""Mesh: what it converts, what it refuses, and that nothing can change it afterwards."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any, ClassVar

import numpy as np
import pytest

from meshguard.errors import MeshError
from meshguard.mesh import Irregularity, Mesh, Source, frozen_array

SQUARE = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
HALVES = np.array([[0, 1, 2], [0, 2, 3]])


def square(**changes: Any) -> Mesh:
    """Two triangles."""
    return Mesh(**{"vertices": SQUARE, "faces": HALVES, **changes})


class TestConversion:
    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f8", ">f4", np.int8, np.uint64])
    def test_vertices_of_any_number_become_float64(self, dtype: Any) -> None:
        vertices = square(vertices=SQUARE.astype(dtype)).vertices

        assert vertices.dtype == np.dtype("=f8")
        assert vertices.flags.c_contiguous and not vertices.flags.writeable
        assert np.array_equal(vertices, SQUARE)

    @pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.int64, np.uint64, ">i4", ">i8"])
    def test_faces_of_any_integer_become_int32(self, dtype: Any) -> None:
        faces = square(faces=HALVES.astype(dtype)).faces

        assert faces.dtype == np.dtype("=i4")
        assert faces.flags.c_contiguous and not faces.flags.writeable
        assert np.array_equal(faces, HALVES)

    def test_lists_and_transposed_arrays_are_taken(self) -> None:
        mesh = square(vertices=np.asfortranarray(SQUARE), faces=HALVES.tolist())

        assert mesh.vertices.flags.c_contiguous
        assert mesh.faces.tolist() == HALVES.tolist()

    @pytest.mark.parametrize("empty", [[], np.empty((0, 3)), np.empty(0)])
    def test_empty_arrays_make_an_empty_mesh(self, empty: Any) -> None:
        mesh = Mesh(vertices=empty, faces=empty)

        assert mesh.vertices.shape == (0, 3) and mesh.faces.shape == (0, 3)
        assert len(mesh.digest()) == 64

    def test_any_coordinate_is_legal(self) -> None:
        wild = np.array([[np.nan, np.inf, -np.inf], [-0.0, 1e308, 5e-324], [0, 0, 0]])

        assert np.array_equal(Mesh(vertices=wild, faces=np.array([[0, 1, 2]], np.int32)).vertices, wild, equal_nan=True)

    def test_repeated_corners_are_legal(self) -> None:
        assert square(faces=[[1, 1, 1]]).faces.tolist() == [[1, 1, 1]]


class TestRefusal:
    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"vertices": np.zeros((4, 2))}, "vertices must have shape"),
            ({"vertices": np.zeros(12)}, "vertices must have shape"),
            ({"vertices": np.zeros((4, 3), complex)}, "vertices must hold numbers"),
            ({"vertices": np.zeros((4, 3), bool)}, "vertices must hold numbers"),
            ({"faces": np.zeros((1, 4), int)}, "faces must have shape"),
            ({"faces": [[0.0, 1.0, 2.0]]}, "faces must hold numbers"),
            ({"faces": [[0, 1, 4]]}, "face 0 names a vertex outside"),
            ({"faces": [[0, 1, 2], [0, -1, 2]]}, "face 1 names a vertex outside"),
            ({"faces": np.array([[0, 1, 2**32]])}, "outside the range of int32"),
            ({"faces": np.array([[0, 1, 2**63]], np.uint64)}, "outside the range of int32"),
            ({"vertex_data": {"label": np.zeros(3)}}, "vertex_data['label'] must have first axis 4"),
            ({"face_data": {"label": np.float64(1)}}, "face_data['label'] must have first axis 2"),
            ({"face_data": {"name": np.array(["a", "b"])}}, "must hold numbers or booleans"),
            ({"face_data": {"any": np.array([None, None])}}, "must hold numbers or booleans"),
            ({"jaw": "middle"}, "jaw must be"),
        ],
    )
    def test_what_makes_no_mesh_is_refused_by_name(self, changes: dict[str, Any], said: str) -> None:
        with pytest.raises(MeshError) as refusal:
            square(**changes)

        assert said in str(refusal.value)

    def test_faces_without_vertices_are_refused(self) -> None:
        with pytest.raises(MeshError, match=r"outside \[0, 0\)"):
            Mesh(vertices=np.empty((0, 3)), faces=np.zeros((1, 3), np.int32))


class TestFrozen:
    def test_arrays_and_mappings_cannot_be_written(self) -> None:
        mesh = square(vertex_data={"label": np.arange(4)})

        with pytest.raises(ValueError, match="read-only"):
            mesh.vertices[0, 0] = 1
        with pytest.raises(ValueError, match="read-only"):
            mesh.faces[0, 0] = 1
        with pytest.raises(ValueError, match="read-only"):
            mesh.vertex_data["label"][0] = 1
        with pytest.raises(TypeError):
            mesh.vertex_data["label"] = np.arange(4)  # type: ignore[index]
        with pytest.raises(dataclasses.FrozenInstanceError):
            mesh.jaw = "upper"  # type: ignore[misc]

    def test_the_owner_of_a_writable_array_cannot_change_the_mesh(self) -> None:
        vertices, label = SQUARE.copy(), np.arange(4)
        mesh = square(vertices=vertices, vertex_data={"label": label})
        vertices[:] = 9
        label[:] = 9

        assert np.array_equal(mesh.vertices, SQUARE)
        assert mesh.vertex_data["label"].tolist() == [0, 1, 2, 3]

    def test_a_read_only_view_of_a_writable_array_is_copied(self) -> None:
        owner = SQUARE.copy()
        view = owner[:]
        view.flags.writeable = False
        mesh = square(vertices=view)
        owner[:] = 9

        assert np.array_equal(mesh.vertices, SQUARE)

    def test_frozen_arrays_are_shared_not_copied(self) -> None:
        vertices = frozen_array(SQUARE)

        assert square(vertices=vertices).vertices is vertices

    def test_bytes_are_shared_not_copied(self) -> None:
        data = np.frombuffer(SQUARE.tobytes(), np.float64).reshape(4, 3)

        assert np.shares_memory(square(vertices=data).vertices, data)


class TestPickling:
    @pytest.mark.parametrize("clone", [lambda mesh: pickle.loads(pickle.dumps(mesh)), copy.copy, copy.deepcopy])
    def test_a_clone_is_the_same_mesh_and_as_frozen(self, clone: Any) -> None:
        source = Source(format="stl-binary", irregularities=(Irregularity(check="F101", message="It ends early."),))
        mesh = square(face_data={"solid": np.arange(2)}, jaw="lower", source=source)
        other = clone(mesh)

        assert other.digest() == mesh.digest()
        assert other.jaw == "lower"
        assert other.source is not None and other.source.irregularities[0].check == "F101"
        assert not other.vertices.flags.writeable and not other.face_data["solid"].flags.writeable


class TestDigest:
    def test_it_is_pinned(self) -> None:
        """The digest names a mesh across versions and machines; a change of it breaks what others have stored."""
        assert square().digest() == "b466e784ee1c49045d735027ef2715ee7c25d736effdc9bfbca5143be9181e90"

    def test_it_does_not_depend_on_how_the_arrays_were_given(self) -> None:
        other = square(vertices=SQUARE.astype(">f8"), faces=HALVES.astype(np.uint16).tolist())

        assert other.digest() == square().digest()

    def test_the_byte_order_of_an_attribute_takes_no_part(self) -> None:
        little, big = (square(face_data={"a": np.arange(2).astype(kind)}) for kind in ("<i4", ">i4"))

        assert little.digest() == big.digest()

    def test_the_source_takes_no_part(self) -> None:
        assert square(source=Source(format="ply-ascii")).digest() == square().digest()

    @pytest.mark.parametrize(
        "changes",
        [
            {"vertices": SQUARE + 1e-12},
            {"faces": HALVES[::-1]},
            {"faces": HALVES[:1]},
            {"jaw": "upper"},
            {"face_data": {"label": np.zeros(2)}},
            {"vertex_data": {"label": np.zeros(4)}},
        ],
    )
    def test_everything_else_does(self, changes: dict[str, Any]) -> None:
        assert square(**changes).digest() != square().digest()

    def test_names_and_dtypes_of_attributes_take_part(self) -> None:
        kinds = [{"a": np.zeros(2, np.int8)}, {"a": np.zeros(2, bool)}, {"b": np.zeros(2, np.int8)}]

        assert len({square(face_data=data).digest() for data in kinds}) == 3


class TestChanges:
    def test_with_data_adds_and_replaces(self) -> None:
        mesh = square(face_data={"label": np.zeros(2)}, source=Source(format="ply-ascii"))
        other = mesh.with_data(vertex={"color": np.ones((4, 3))}, face={"label": np.ones(2)})

        assert other.face_data["label"].tolist() == [1, 1]
        assert other.vertex_data["color"].shape == (4, 3)
        assert other.source is mesh.source
        assert mesh.face_data["label"].tolist() == [0, 0]

    def test_with_vertices_leaves_normals_and_source_behind(self) -> None:
        normal = np.zeros((4, 3))
        mesh = square(vertex_data={"normal": normal, "label": np.arange(4)}, source=Source(format="ply-ascii"))
        moved = mesh.with_vertices(SQUARE * 2)

        assert set(moved.vertex_data) == {"label"}
        assert moved.source is None
        assert np.array_equal(moved.vertices, SQUARE * 2)

    def test_with_vertices_refuses_another_shape(self) -> None:
        with pytest.raises(MeshError, match="must have shape"):
            square().with_vertices(SQUARE[:3])

    @pytest.mark.parametrize("chosen", [[1], np.array([1]), [False, True], np.array([False, True]), [-1], slice])
    def test_take_keeps_the_vertices_that_are_used(self, chosen: Any) -> None:
        mesh = square(vertex_data={"label": np.arange(4)}, face_data={"label": np.array([7, 8])}, jaw="upper")
        part = mesh.take(np.arange(1, 2) if chosen is slice else chosen)

        assert part.faces.tolist() == [[0, 1, 2]]
        assert part.vertex_data["label"].tolist() == [0, 2, 3]
        assert part.face_data["label"].tolist() == [8]
        assert part.jaw == "upper"

    @pytest.mark.parametrize("chosen", [[], np.empty(0), np.empty(0, int), [False, False]])
    def test_take_nothing(self, chosen: Any) -> None:
        part = square(vertex_data={"label": np.arange(4)}).take(chosen)

        assert part.faces.shape == (0, 3) and part.vertices.shape == (0, 3)
        assert part.vertex_data["label"].shape == (0,)

    def test_take_keeps_the_order_asked_for(self) -> None:
        assert square().take([1, 0]).faces.tolist() == [[0, 2, 3], [0, 1, 2]]

    @pytest.mark.parametrize("chosen", [[2], [True], [0.5]])
    def test_take_refuses_what_is_not_there(self, chosen: Any) -> None:
        with pytest.raises(MeshError, match="not faces of a mesh of 2"):
            square().take(chosen)

    def test_repr_is_one_short_line(self) -> None:
        text = repr(square(jaw="lower", vertex_data={"label": np.arange(4)}))

        assert text == "Mesh(4 vertices, 2 faces, vertex_data=['label'], jaw='lower')"


class TestLabelCarrier:
    FACES: ClassVar[list[list[int]]] = [[0, 1, 2], [1, 3, 2]]

    def mesh(self, **data: object) -> Mesh:
        return Mesh(vertices=np.eye(4, 3), faces=self.FACES, **data)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("vertex", "face", "carrier"),
        [
            (None, None, None),
            ([11, 11, 0, 0], None, "vertex"),
            (None, [11, 0], "face"),
            ([11, 11, 0, 0], [11, 0], "vertex"),  # two corners of three
            ([11, 11, 0, 0], [11, 11], "face"),
            ([11, 12, 13, 13], [12, 13], "vertex"),  # of three different ones the middle
            ([[1, 2]] * 4, [1, 1], "face"),
        ],
    )
    def test_vertices_where_the_faces_say_the_same(self, vertex: object, face: object, carrier: str | None) -> None:
        given = {"vertex_data": vertex, "face_data": face}
        data = {name: {"label": values} for name, values in given.items() if values is not None}

        assert self.mesh(**data).label_carrier() == carrier
