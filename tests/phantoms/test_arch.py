"""The phantom arch keeps its promises, counted with dictionaries and rational numbers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshguard.phantoms import phantom
from tests import oracles

if TYPE_CHECKING:
    from meshguard.mesh import Jaw, Mesh


def sides(mesh: Mesh) -> Counter[tuple[int, int]]:
    """Directed edges."""
    a, b, c = mesh.faces.T.tolist()
    return Counter([*zip(a, b, strict=True), *zip(b, c, strict=True), *zip(c, a, strict=True)])


def assert_is_one_whole_sheet(mesh: Mesh) -> None:
    directed = sides(mesh)
    assert set(directed.values()) == {1}  # consistently wound, no edge of more than two faces
    rim = [(a, b) for a, b in directed if (b, a) not in directed]
    after = dict(rim)
    assert len(after) == len(rim)
    start = here = rim[0][0]
    steps = 0
    while steps == 0 or here != start:
        here = after[here]
        steps += 1
    assert steps == len(rim)  # one loop
    edges = (len(directed) + len(rim)) // 2
    assert len(mesh.vertices) - edges + len(mesh.faces) == 1  # a disc
    assert len(np.unique(mesh.vertices, axis=0)) == len(mesh.vertices)
    assert (mesh.vertices == mesh.vertices.astype(np.float32)).all()


@pytest.mark.parametrize("jaw", ["lower", "upper"])
def test_an_arch_is_one_sheet_with_one_rim(jaw: Jaw) -> None:
    assert_is_one_whole_sheet(phantom(jaw=jaw, faces=16_000))


@settings(max_examples=12)
@given(
    st.sampled_from(["lower", "upper"]),
    st.integers(2, 16),
    st.integers(2_000, 9_000),
    st.floats(0.5, 2.0),
    st.integers(0, 2**32),
)
def test_so_is_every_other(jaw: Jaw, teeth: int, faces: int, size: float, seed: int) -> None:
    mesh = phantom(jaw=jaw, teeth=teeth, faces=faces, size=size, seed=seed)

    assert_is_one_whole_sheet(mesh)
    assert abs(len(mesh.faces) - faces) <= 0.05 * faces
    assert mesh.jaw == jaw


def test_no_face_is_degenerate_or_a_needle() -> None:
    mesh = phantom(faces=30_000, seed=5)
    corners = mesh.vertices[mesh.faces]
    lengths = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)

    assert (lengths.max(axis=1) / lengths.min(axis=1)).max() < 30
    assert not any(oracles.is_collinear(*corner) for corner in corners[::97])


def test_the_same_arguments_give_the_same_bytes_and_another_seed_does_not() -> None:
    one, again, other = (phantom(faces=4_000, seed=seed).digest() for seed in (7, 7, 8))

    assert one == again
    assert one != other


@pytest.mark.parametrize(
    ("jaw", "teeth", "expected"),
    [
        ("lower", 14, [*range(31, 38), *range(41, 48)]),
        ("upper", 16, [*range(11, 19), *range(21, 29)]),
        ("upper", 3, [11, 12, 21]),
        ("lower", 2, [31, 41]),
    ],
)
def test_every_tooth_is_there_once(jaw: Jaw, teeth: int, expected: list[int]) -> None:
    mesh = phantom(jaw=jaw, teeth=teeth, faces=20_000)
    labels = mesh.face_data["label"]

    assert sorted(set(labels.tolist()) - {0}) == expected
    for tooth in expected:
        rows = mesh.faces[labels == tooth].tolist()
        assert oracles.n_groups(rows) == 1


def test_a_faces_label_is_the_median_of_its_vertices() -> None:
    mesh = phantom(faces=8_000)

    assert (np.median(mesh.vertex_data["label"][mesh.faces], axis=1) == mesh.face_data["label"]).all()


@pytest.mark.parametrize(("jaw", "right", "left"), [("lower", 4, 3), ("upper", 1, 2)])
def test_sides_and_order_along_the_arch(jaw: Jaw, right: int, left: int) -> None:
    """The patient's right is +x, and teeth follow each other from the midline back."""
    mesh = phantom(jaw=jaw, faces=20_000)
    labels = mesh.face_data["label"]
    centres = {
        tooth: mesh.vertices[mesh.faces[labels == tooth]].mean(axis=(0, 1)) for tooth in set(labels.tolist()) - {0}
    }

    assert all((centre[0] > 0) == (tooth // 10 == right) for tooth, centre in centres.items())
    for quadrant in (right, left):
        depths = [centres[10 * quadrant + place][1] for place in range(1, 8)]
        assert depths == sorted(depths, reverse=True)


@pytest.mark.parametrize("jaw", ["lower", "upper"])
def test_crowns_stand_out_the_way_the_jaw_bites_and_face_outward(jaw: Jaw) -> None:
    mesh = phantom(jaw=jaw, faces=20_000)
    up = 1.0 if jaw == "lower" else -1.0
    corners = mesh.vertices[mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    crowns = mesh.face_data["label"] > 0

    assert up * corners[crowns][..., 2].mean() > up * corners[~crowns][..., 2].mean()
    assert (up * normals[:, 2] > 0).mean() > 0.95  # front teeth lean to the lip: a few of their faces look down


@pytest.mark.parametrize(
    "wrong", [{"jaw": "left"}, {"teeth": 1}, {"teeth": 17}, {"faces": 10}, {"size": 0.1}, {"seed": -1}]
)
def test_wrong_arguments_are_named(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        phantom(**wrong)  # type: ignore[arg-type]
