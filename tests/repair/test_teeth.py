"""Mended labels: the smallest island, hole and bite; what must stay; and figures on labelled arches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import meshguard
from meshguard import fdi
from meshguard.errors import MeshError
from meshguard.mesh import Mesh
from meshguard.repair.teeth import mend_labels, propose_renumbering
from tests import labelnoise, shapes

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from meshguard.mesh import Jaw

REAL = ("001_lower", "001_upper", "037_lower", "055_lower")


def labelled(mesh: Mesh, labels: npt.ArrayLike, jaw: Jaw | None = None) -> Mesh:
    """The same geometry with labels of faces and nothing else."""
    data = np.asarray(labels, np.int32)
    return Mesh(vertices=mesh.vertices, faces=mesh.faces, face_data={"label": data}, jaw=jaw or mesh.jaw)


def real(data_root: Path, name: str) -> Mesh:
    base = data_root / "dental" / f"ios_{name}_16k"
    mesh = meshguard.load(base.with_suffix(".ply"))
    return labelled(mesh, np.load(base.with_suffix(".fdi_faces.npy")), "upper" if "upper" in name else "lower")


def halves(columns: int = 24, rows: int = 16) -> tuple[Mesh, npt.NDArray[np.int32]]:
    """A flat sheet of which the left half is tooth 11 and the right half 21, 0.5 mm a square."""
    mesh = shapes.grid(columns, rows, width=0.5 * columns, bulge=0.0)
    middle = mesh.vertices[mesh.faces].mean(axis=1)
    return mesh, np.where(middle[:, 0] < 0, 11, 21).astype(np.int32)


class TestIslandsAndHoles:
    def test_clean_labels_stay(self) -> None:
        mesh, labels = halves()
        done = mend_labels(labelled(mesh, labels))

        assert len(done.changed) == 0 and (done.n_islands, done.n_holes) == (0, 0)
        assert done.mesh.face_data["label"].tolist() == labels.tolist()

    @pytest.mark.parametrize(("wrong", "islands", "holes"), [(21, 1, 0), (33, 0, 0), (0, 0, 0)])
    def test_one_face(self, wrong: int, islands: int, holes: int) -> None:
        mesh, labels = halves()
        middle = mesh.vertices[mesh.faces].mean(axis=1)
        face = int(np.argmin(np.linalg.norm(middle - [-4, 0, 0], axis=1)))
        labels[face] = wrong
        done = mend_labels(labelled(mesh, labels), borders=False)

        if wrong == 21:
            assert done.changed.tolist() == [face] and (done.before.tolist(), done.after.tolist()) == ([21], [11])
        else:  # the only piece of its label: no island of it
            assert len(done.changed) == 0
        assert (done.n_islands, done.n_holes) == (islands, holes)

    def test_an_island_in_a_hole(self) -> None:
        mesh, labels = halves()
        labels[:] = 11
        middle = mesh.vertices[mesh.faces].mean(axis=1)
        labels[middle[:, 0] < -4.5] = 0  # gum
        labels[middle[:, 0] > 4.5] = 21
        whole = labels.copy()
        away = np.linalg.norm(middle, axis=1)
        labels[away < 1.5] = 0  # a ninth of the tooth
        labels[away < 0.6] = 21
        done = mend_labels(labelled(mesh, labels), borders=False)

        assert done.mesh.face_data["label"].tolist() == whole.tolist() and (done.n_islands, done.n_holes) == (1, 1)

    def test_a_large_second_piece_is_for_a_person(self) -> None:
        mesh, labels = halves()
        middle = mesh.vertices[mesh.faces].mean(axis=1)
        labels[middle[:, 0] < -2.5] = 0
        labels[middle[:, 0] < -3.5] = 21  # two thirds as large as the other 21... of the right half
        before = labels.copy()
        done = mend_labels(labelled(mesh, labels), borders=False)

        assert done.mesh.face_data["label"].tolist() == before.tolist()

    def test_gum_between_two_teeth_is_no_hole(self) -> None:
        mesh, labels = halves()
        middle = mesh.vertices[mesh.faces].mean(axis=1)
        labels[middle[:, 1] < -3] = 0
        labels[np.abs(middle[:, :2]).max(axis=1) < 0.6] = 0  # a papilla across the contact
        done = mend_labels(labelled(mesh, labels), borders=False)

        assert len(done.changed) == 0

    def test_it_needs_labels(self) -> None:
        with pytest.raises(MeshError, match="no labels"):
            mend_labels(shapes.grid())

    def test_degenerate_meshes(self) -> None:
        for mesh in (
            Mesh(vertices=[], faces=[], face_data={"label": np.empty(0, int)}),
            Mesh(vertices=np.full((3, 3), np.nan), faces=[[0, 1, 2]], face_data={"label": [11]}),
            Mesh(vertices=np.eye(3), faces=[[0, 1, 2], [0, 0, 1], [0, 1, 2]], face_data={"label": [11, 0, 12]}),
            Mesh(vertices=np.eye(3), faces=[[0, 1, 2]], vertex_data={"label": [11, 0, 12]}),
            Mesh(vertices=np.eye(3), faces=np.empty((0, 3), int), vertex_data={"label": [11, 0, 12]}),
        ):
            mend_labels(mesh)


class TestBorders:
    def test_a_bite_is_taken_back(self) -> None:
        mesh, labels = halves()
        truth = labels.copy()
        middle = mesh.vertices[mesh.faces].mean(axis=1)
        bite = (np.abs(middle[:, 1]) < 0.5) & (middle[:, 0] < 0) & (middle[:, 0] > -1.2)
        labels[bite] = 21
        done = mend_labels(labelled(mesh, labels))

        assert bite.sum() >= 6
        assert done.mesh.face_data["label"].tolist() == truth.tolist()
        assert done.changed.tolist() == np.flatnonzero(bite).tolist()

    def test_vertices(self) -> None:
        mesh, _ = halves()
        truth = np.where(mesh.vertices[:, 0] < 0.01, 11, 21).astype(np.int16)
        labels = truth.copy()
        spot = int(np.argmin(np.linalg.norm(mesh.vertices - [-4, 0, 0], axis=1)))
        labels[spot] = 21
        done = mend_labels(mesh.with_data(vertex={"label": labels}))

        assert done.per == "vertex" and done.mesh.vertex_data["label"].tolist() == truth.tolist()
        assert done.mesh.vertex_data["label"].dtype == np.int16 and done.changed.tolist() == [spot]

    def test_the_rest_is_carried(self) -> None:
        arch = meshguard.phantom(faces=4000)
        labels = arch.vertex_data["label"].copy()
        labels[np.flatnonzero(labels == 36)[20]] = 0
        dirty = Mesh(
            vertices=arch.vertices,
            faces=arch.faces,
            vertex_data={"label": labels, "height": arch.vertices[:, 2], "instance": labels},
            face_data={"label": arch.face_data["label"]},
            jaw="lower",
        )
        done = mend_labels(dirty)

        assert done.mesh.jaw == "lower" and np.array_equal(done.mesh.vertex_data["height"], arch.vertices[:, 2])
        assert "instance" not in done.mesh.vertex_data and len(done.changed)
        assert np.array_equal(done.mesh.vertices, arch.vertices) and np.array_equal(done.mesh.faces, arch.faces)
        a, b, c = done.mesh.vertex_data["label"][arch.faces].T
        agree = (a == b) | (b == c) | (a == c)
        assert (done.mesh.face_data["label"][agree] == np.where(b == c, b, a)[agree]).all()

    def test_the_same_bytes_every_time(self) -> None:
        arch = meshguard.phantom(faces=4000)
        dirty = labelled(
            arch, labelnoise.with_noise(arch, arch.face_data["label"].astype(np.int32), share=0.03, seed=1)
        )
        assert mend_labels(dirty).mesh.digest() == mend_labels(dirty).mesh.digest()


def right_again(mesh: Mesh, noisy: npt.NDArray[np.int32]) -> tuple[float, int]:
    """Share of the wrong faces that are right again, and right faces farther than 0.5 mm from a border that changed."""
    truth = mesh.face_data["label"]
    found = mend_labels(labelled(mesh, noisy)).mesh.face_data["label"]
    wrong = noisy != truth
    outside = (found != truth) & ~wrong & (labelnoise.border_distance(mesh, truth) > 0.5)
    return float((found == truth)[wrong].mean()), int(outside.sum())


def runs(mesh: Mesh, seeds: range, shares: tuple[float, ...] = (0.01, 0.03, 0.05)) -> list[tuple[float, int]]:
    """`right_again` for each share, seed and kind of ragged border."""
    truth = mesh.face_data["label"].astype(np.int32)
    return [
        right_again(mesh, labelnoise.with_noise(mesh, truth, share=share, seed=seed, ragged=ragged))
        for share in shares
        for seed in seeds
        for ragged in ("bites", "flips")
    ]


def by_face(arch: Mesh) -> Mesh:
    return labelled(arch, arch.face_data["label"].astype(np.int32))


class TestFigures:
    """What holds of the aim: 90 % of the wrong faces right again in every run, no right one beyond 0.5 mm changed.

    The mean reaches it. Single runs fall short by up to three points, since a fifth of the ragged third stays, and a
    few right faces change where what looks like a bite is none.
    """

    @pytest.mark.parametrize("name", REAL)
    def test_real_arches(self, data_root: Path, name: str) -> None:
        found = runs(real(data_root, name), range(1))

        assert min(share for share, _ in found) >= 0.87
        assert np.mean([share for share, _ in found]) >= 0.91
        assert np.mean([outside for _, outside in found]) <= 4  # of about 16,000 faces

    @pytest.mark.long
    @pytest.mark.parametrize("name", REAL)
    def test_real_arches_with_other_seeds(self, data_root: Path, name: str) -> None:
        found = runs(real(data_root, name), range(10, 16))

        assert min(share for share, _ in found) >= 0.87
        assert np.mean([share for share, _ in found]) >= 0.92
        assert np.mean([outside for _, outside in found]) <= 4

    @pytest.mark.parametrize("name", REAL)
    def test_untouched_real_arches_keep_all_outside_the_band(self, data_root: Path, name: str) -> None:
        mesh = real(data_root, name)
        done = mend_labels(mesh)

        assert (labelnoise.border_distance(mesh, mesh.face_data["label"])[done.changed] <= 0.5).all()

    @pytest.mark.parametrize("jaw", ["upper", "lower"])
    def test_phantoms(self, jaw: Jaw) -> None:
        found = runs(by_face(meshguard.phantom(jaw=jaw, faces=16_000)), range(1))

        assert min(share for share, _ in found) >= 0.87
        assert np.mean([share for share, _ in found]) >= 0.9
        assert np.mean([outside for _, outside in found]) <= 1

    @pytest.mark.parametrize("jaw", ["upper", "lower"])
    def test_a_border_drawn_beside_the_groove_stays_beside_it(self, jaw: Jaw) -> None:
        """A phantom's labels end one row of faces above the deepest line; a fifth of those faces may move, not all."""
        arch = by_face(meshguard.phantom(jaw=jaw, faces=16_000))
        labels = arch.face_data["label"]
        neighbours = labelnoise.face_neighbours(arch)
        border = ((neighbours >= 0) & (labels[np.maximum(neighbours, 0)] != labels[:, None])).any(axis=1)

        assert len(mend_labels(arch).changed) <= border.sum() / 5


def moved(mesh: Mesh, seed: int) -> Mesh:
    """The same arch somewhere else, turned at random."""
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    return Mesh(
        vertices=mesh.vertices @ turn.T + rng.normal(size=3) * 100,
        faces=mesh.faces,
        face_data=mesh.face_data,
        jaw=mesh.jaw,
    )


class TestProposals:
    def renumbered(self, mesh: Mesh, change: dict[int, int]) -> Mesh:
        return labelled(mesh, [change.get(int(label), 0) for label in mesh.face_data["label"]])

    @pytest.mark.parametrize("jaw", ["upper", "lower"])
    def test_phantoms_in_any_position(self, jaw: Jaw) -> None:
        for seed in range(4):
            arch = moved(meshguard.phantom(jaw=jaw, faces=6000, seed=seed), seed)
            teeth = [int(tooth) for tooth in np.unique(arch.face_data["label"]) if tooth]
            order = fdi.arch_order(jaw)
            assert propose_renumbering(arch) is None
            for kind, change in (
                ("mirrored", {tooth: fdi.antimere(tooth) for tooth in teeth}),
                ("other jaw", {tooth: fdi.antagonist(tooth) for tooth in teeth}),
                ("shifted", {tooth: order[fdi.arch_index(tooth) + 1] for tooth in teeth}),
                ("shifted", {tooth: order[fdi.arch_index(tooth) - 1] for tooth in teeth}),
            ):
                wrong = self.renumbered(arch, change)
                proposal = propose_renumbering(wrong)
                assert proposal is not None and proposal.kind == kind and proposal.reason.endswith(".")
                assert np.array_equal(proposal.applied_to(wrong).face_data["label"], arch.face_data["label"])
                assert np.array_equal(wrong.face_data["label"], self.renumbered(arch, change).face_data["label"])

    @pytest.mark.parametrize("name", REAL)
    def test_real_arches(self, data_root: Path, name: str) -> None:
        arch = real(data_root, name)
        teeth = [int(tooth) for tooth in np.unique(arch.face_data["label"]) if tooth]
        mirrored = propose_renumbering(self.renumbered(arch, {tooth: fdi.antimere(tooth) for tooth in teeth}))

        assert propose_renumbering(arch) is None
        assert mirrored is not None and mirrored.kind == "mirrored"

    def test_too_little_to_say(self) -> None:
        arch = meshguard.phantom(faces=6000, teeth=4)
        assert propose_renumbering(arch) is None
        assert propose_renumbering(shapes.grid()) is None
        one_side = meshguard.phantom(faces=6000)
        kept = {tooth: tooth for tooth in range(31, 38)}
        assert propose_renumbering(self.renumbered(one_side, kept)) is None
