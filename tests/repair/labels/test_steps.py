"""Mended labels: the smallest island, hole and bite, what must stay, figures on labelled arches.

And the steps of repair: taken only on demand, proved, undone where they do not help.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import meshguard
from meshguard import fdi
from meshguard.errors import MeshError
from meshguard.facts.dental import DentalFacts
from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.phantoms import mislabel, mutate, phantom
from meshguard.policy import Policy, policy
from meshguard.repair import repair
from meshguard.repair.labels import steps as label_steps
from meshguard.repair.labels.steps import LABEL_STEPS, mend_labels, with_mended_labels
from meshguard.validation import findings_of
from tests import labelnoise, shapes
from tests.arches import REAL, by_face, labelled, real

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from meshguard.mesh import Jaw

ARCH = phantom(faces=16_000, seed=3)
D = ("D104", "D105", "D111")


def checks(mesh: Mesh) -> list[str]:
    return [finding.check for finding in findings_of(DentalFacts(MeshFacts(mesh, policy("scan"))), "D")]


def spoilt(*kinds: str) -> Mesh:
    """The arch with wrong labels of these kinds."""
    mesh = ARCH
    for seed, kind in enumerate(kinds, start=1):
        mesh = mislabel(mesh, kind, seed=seed)[0]
    return mesh


def halves(columns: int = 24, rows: int = 16) -> tuple[Mesh, npt.NDArray[np.int32]]:
    """A flat sheet of which the left half is tooth 11 and the right half 21, 0.5 mm a square."""
    mesh = shapes.grid(columns, rows, width=0.5 * columns, bulge=0.0)
    middle = mesh.vertices[mesh.faces].mean(axis=1)
    return mesh, np.where(middle[:, 0] < 0, 11, 21).astype(np.int32)


class TestOtherIds:
    """Ids that are read as something else are kept where nothing is mended, and used where something is."""

    @pytest.mark.parametrize("per", ["vertex", "face"])
    def test_gum_that_is_not_0(self, per: str) -> None:
        wrong = mislabel(ARCH if per == "vertex" else by_face(ARCH), "hole", seed=2)[0]
        plain = mend_labels(wrong)
        data = (wrong.vertex_data if per == "vertex" else wrong.face_data)["label"].astype(np.int32)
        mesh = wrong.without_labels().with_data(**{per: {"label": np.where(data == 0, 18, data)}})
        mended = mend_labels(mesh)

        assert plain.n_holes > 0 and np.array_equal(mended.changed, plain.changed)
        assert np.array_equal(mended.before, np.where(plain.before == 0, 18, plain.before))
        assert np.array_equal(mended.after, np.where(plain.after == 0, 18, plain.after))

    def test_tooth_numbers_in_the_instances_are_not_lost(self) -> None:
        wrong = spoilt("island")
        label = wrong.vertex_data["label"].astype(np.int32)
        counted = np.unique(label, return_inverse=True)[1].astype(np.int32)
        mesh = wrong.without_labels().with_data(vertex={"label": counted, "instance": label})

        assert np.array_equal(repair(mesh, mend_labels=True).mesh.vertex_data["instance"], label)
        with pytest.raises(MeshError, match="in the instances"):
            mend_labels(mesh)

    def test_universal_numbers(self) -> None:
        wrong = spoilt("island")
        plain = mend_labels(wrong)
        label = wrong.vertex_data["label"].tolist()
        universal = np.array([int(fdi.to_universal(code)) if code else 33 for code in label], np.int32)
        mended = mend_labels(wrong.without_labels().with_data(vertex={"label": universal}))

        assert plain.n_islands > 0 and np.array_equal(mended.changed, plain.changed)
        assert mended.after.tolist() == [int(fdi.to_universal(code)) if code else 33 for code in plain.after.tolist()]


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
    """Share of the wrong faces that are right again, and changed right faces farther than 0.5 mm from any border.

    A border is one that the noisy labels have or one that the true ones have.
    """
    truth = mesh.face_data["label"]
    found = mend_labels(labelled(mesh, noisy)).mesh.face_data["label"]
    wrong = noisy != truth
    apart = np.minimum(labelnoise.border_distance(mesh, truth), labelnoise.border_distance(mesh, noisy))
    return float((found == truth)[wrong].mean()), int(np.count_nonzero((found != truth) & ~wrong & (apart > 0.5)))


def runs(mesh: Mesh, seeds: range, shares: tuple[float, ...] = (0.01, 0.03, 0.05)) -> list[tuple[float, int]]:
    """`right_again` for each share, seed and kind of ragged border."""
    truth = mesh.face_data["label"].astype(np.int32)
    return [
        right_again(mesh, labelnoise.with_noise(mesh, truth, share=share, seed=seed, ragged=ragged))
        for share in shares
        for seed in seeds
        for ragged in ("bites", "flips")
    ]


class TestFigures:
    """The aim: 90 % of the wrong faces right again, no right one changed beyond 0.5 mm of a border.

    It holds over the runs of each arch. A single run with few errors falls short where two of its holes are open to the
    gum: they look like gum that runs into a crown.
    """

    @pytest.mark.parametrize("name", REAL)
    def test_real_arches(self, data_root: Path, name: str) -> None:
        found = runs(real(data_root, name), range(1))

        assert np.mean([share for share, _ in found]) >= 0.9
        assert [outside for _, outside in found] == [0] * 6

    @pytest.mark.long
    @pytest.mark.parametrize("name", REAL)
    def test_real_arches_with_other_seeds(self, data_root: Path, name: str) -> None:
        found = runs(real(data_root, name), range(10, 16))

        assert np.mean([share for share, _ in found]) >= 0.9
        # Of 36 runs; measured: three on one arch, of 2 to 5 faces, none on the others.
        assert sum(outside > 0 for _, outside in found) <= 3

    @pytest.mark.parametrize("name", REAL)
    def test_untouched_real_arches_keep_all_outside_the_band(self, data_root: Path, name: str) -> None:
        mesh = real(data_root, name)
        done = mend_labels(mesh)

        assert (labelnoise.border_distance(mesh, mesh.face_data["label"])[done.changed] <= 0.5).all()

    @pytest.mark.parametrize("jaw", ["upper", "lower"])
    def test_phantoms(self, jaw: Jaw) -> None:
        found = runs(by_face(meshguard.phantom(jaw=jaw, faces=16_000)), range(1))

        assert np.mean([share for share, _ in found]) >= 0.9
        assert [outside for _, outside in found] == [0] * 6

    @pytest.mark.parametrize("jaw", ["upper", "lower"])
    def test_a_border_drawn_beside_the_groove_stays_beside_it(self, jaw: Jaw) -> None:
        """A phantom's labels end one row of faces above the deepest line; a fifth of those faces may move, not all."""
        arch = by_face(meshguard.phantom(jaw=jaw, faces=16_000))
        labels = arch.face_data["label"]
        neighbours = labelnoise.face_neighbours(arch)
        border = ((neighbours >= 0) & (labels[np.maximum(neighbours, 0)] != labels[:, None])).any(axis=1)

        assert len(mend_labels(arch).changed) <= border.sum() / 5


class TestOnDemand:
    @pytest.mark.parametrize("kind", ["island", "hole", "island_on_gum"])
    def test_what_is_asked_for_is_mended(self, kind: str) -> None:
        wrong, truth = mislabel(ARCH, kind, seed=4)
        done = repair(wrong, mend_labels=True)

        assert set(checks(wrong)) & set(D) and not set(checks(done.mesh)) & set(D)
        assert done.relabelled is not None
        assert set(truth.indices.tolist()) <= set(done.relabelled.indices.tolist())
        assert [step.name for step in done.steps if step.mended] == [LABEL_STEPS[0].name]
        assert done.changed and done.after.grade <= done.before.grade

    def test_and_not_otherwise(self) -> None:
        wrong = spoilt("island", "hole")
        done = repair(wrong)

        assert done.mesh is wrong and done.relabelled is None and not done.changed
        assert {left.reason for left in done.not_repaired if left.check in D} == {"Labels are mended only on request."}

    def test_not_when_nothing_may_be_changed(self) -> None:
        wrong = spoilt("island")

        assert repair(wrong, mend_labels=True, lossless=True).mesh is wrong

    @pytest.mark.parametrize("mesh", [ARCH, shapes.grid(), ARCH.without_labels()], ids=["right", "sheet", "bare"])
    def test_nothing_to_mend(self, mesh: Mesh) -> None:
        done = repair(mesh, mend_labels=True)

        assert done.mesh is mesh and done.relabelled is None and done.steps == ()

    def test_it_is_done_once(self) -> None:
        once = repair(spoilt("island", "hole", "ragged"), mend_labels=True)
        twice = repair(once.mesh, mend_labels=True)

        assert once.changed and twice.mesh is once.mesh

    def test_a_check_that_the_policy_leaves_out_mends_nothing(self) -> None:
        wrong = spoilt("island")

        assert repair(wrong, mend_labels=True, policy=Policy(ignore={"D": "not ours"})).mesh is wrong


class TestWithTheMesh:
    def test_labels_follow_a_mesh_that_is_mended(self) -> None:
        broken, _ = mutate(spoilt("island"), "floating_piece", "flipped_patch", seed=2)
        done = repair(broken, mend_labels=True)

        assert {step.name for step in done.steps} >= {"drop floating components", LABEL_STEPS[0].name}
        assert "D104" not in checks(done.mesh)
        kept = done.vertex_origin >= 0
        same = done.mesh.vertex_data["label"][kept] == broken.vertex_data["label"][done.vertex_origin[kept]]
        assert done.relabelled is not None
        assert set(np.flatnonzero(kept)[~same].tolist()) == set(done.relabelled.indices.tolist())

    def test_labels_and_jaw_may_come_beside_it(self) -> None:
        wrong = spoilt("hole").vertex_data["label"]
        done = repair(ARCH.without_labels().with_jaw(None), labels=np.asarray(wrong), jaw="lower", mend_labels=True)

        assert done.mesh.jaw == "lower" and done.relabelled is not None
        assert done.relabelled.after.tolist() == ARCH.vertex_data["label"][done.relabelled.indices].tolist()
        assert (done.relabelled.before == 0).all()

    def test_labels_that_do_not_fit_are_found_and_dropped(self) -> None:
        done = repair(ARCH, labels=np.zeros(5, int), mend_labels=True)

        assert [left.check for left in done.not_repaired] == ["F105"]
        assert "label" not in done.mesh.vertex_data

    def test_anonymous_classes(self) -> None:
        wrong = spoilt("island").vertex_data["label"]
        classes = np.unique(wrong, return_inverse=True)[1]  # the gum is 0 in both
        done = repair(ARCH.without_labels().with_jaw(None), labels=classes, mend_labels=True)

        assert done.relabelled is not None and done.proposal is None
        assert done.after.outcomes["D102"].reason == done.before.outcomes["D102"].reason != ""

    def test_what_counts_is_mended_where_vertices_and_faces_disagree(self) -> None:
        """The faces' labels count then, in the checks and in repair; the vertices' are left alone."""
        face = ARCH.face_data["label"].astype(np.int32)
        middle = ARCH.vertices[ARCH.faces].mean(axis=1)
        tooth = np.flatnonzero(face == 36)
        inner = tooth[np.argsort(np.linalg.norm(middle[tooth] - middle[tooth].mean(axis=0), axis=1))[:12]]
        face[inner] = 43
        wrong = ARCH.with_data(face={"label": face})
        done = repair(wrong, mend_labels=True)

        assert done.relabelled is not None
        assert (done.relabelled.per, done.relabelled.indices.tolist()) == ("face", sorted(inner.tolist()))
        assert done.mesh.vertex_data["label"].tolist() == ARCH.vertex_data["label"].tolist()
        assert done.mesh.face_data["label"].tolist() == ARCH.face_data["label"].tolist()

    def test_the_record(self) -> None:
        done = repair(spoilt("island"), mend_labels=True)
        record = done.to_dict()

        assert done.relabelled is not None
        assert record["relabelled"] == {"per": "vertex", "count": len(done.relabelled.indices)}
        assert record["steps"][0]["parameters"]["vertices"] == len(done.relabelled.indices)
        assert meshguard.repair(ARCH).to_dict()["relabelled"] is None


class TestPromises:
    """What a check says repair can mend, repair mends."""

    @pytest.mark.parametrize("kind", ["island", "island_on_gum", "hole", "same_number", "ragged"])
    def test_every_fixable_finding_goes(self, kind: str) -> None:
        for seed in range(6):
            wrong, _ = mislabel(ARCH, kind, seed=seed)
            done = repair(wrong, mend_labels=True)
            promised = {f.fingerprint for f in done.before.findings if f.check in ("D104", "D105") and f.fixable}

            assert not promised & {f.fingerprint for f in done.after.findings}

    def test_a_second_part_and_a_tooth_within_a_tooth_are_for_a_person(self) -> None:
        label = ARCH.vertex_data["label"].astype(np.int32)
        tooth = np.flatnonzero(label == 36)
        inner = tooth[np.argsort(np.linalg.norm(ARCH.vertices[tooth] - ARCH.vertices[tooth].mean(axis=0), axis=1))]
        within = label.copy()
        within[label == 38] = 0
        within[inner[:20]] = 38  # the whole of a label
        for wrong, check in ((spoilt("same_number").vertex_data["label"], "D104"), (within, "D105")):
            done = repair(ARCH.without_labels(), labels=np.asarray(wrong), mend_labels=True)
            found = [finding for finding in done.before.findings if finding.check == check]

            assert found and all(finding.fixable is None for finding in found)
            assert done.relabelled is None
            assert "Repair does not decide this" in next(x.reason for x in done.not_repaired if x.check == check)


class TestUndone:
    def test_a_step_that_does_not_help(self, monkeypatch: pytest.MonkeyPatch) -> None:
        wrong = spoilt("island")
        moved = mislabel(wrong.without_labels().with_data(vertex=dict(ARCH.vertex_data)), "island", seed=9)[0]
        change = np.flatnonzero(wrong.vertex_data["label"] != moved.vertex_data["label"]).astype(np.int32)

        def elsewhere(facts: DentalFacts, **_: object) -> object:
            class Done:
                mesh, per, changed, n_islands, n_holes = moved, "vertex", change, 1, 0

            return Done

        step = label_steps.LabelStep(name="move it", checks=("D104",), why="to see it undone", run=elsewhere)  # type: ignore[arg-type]
        monkeypatch.setattr(label_steps, "LABEL_STEPS", (step,))
        facts, records = with_mended_labels(DentalFacts(MeshFacts(wrong, policy("scan"))))

        assert facts.mesh is wrong
        assert [(one.mended, one.undone) for one in records] == [(0, "it would have left 1 of 1")]

    def test_a_step_that_makes_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        wrong = spoilt("island")
        other = np.where(ARCH.vertex_data["label"] == 36, 99, ARCH.vertex_data["label"]).astype(np.int32)
        worse = wrong.without_labels().with_data(vertex={"label": other})

        def renumbered(facts: DentalFacts, **_: object) -> object:
            class Done:
                mesh, per, changed, n_islands, n_holes = worse, "vertex", np.array([0]), 1, 0

            return Done

        step = label_steps.LabelStep(name="renumber", checks=("D104",), why="to see it undone", run=renumbered)  # type: ignore[arg-type]
        monkeypatch.setattr(label_steps, "LABEL_STEPS", (step,))
        facts, records = with_mended_labels(DentalFacts(MeshFacts(wrong, policy("scan"))))

        assert facts.mesh is wrong
        assert records[0].undone == "it would have caused 1 more label errors"


class TestProposals:
    def test_a_mirrored_arch_is_proposed_and_left(self) -> None:
        wrong = spoilt("mirrored")
        done = repair(wrong, mend_labels=True)

        assert done.proposal is not None and done.proposal.kind == "mirrored"
        assert done.mesh is wrong
        assert done.to_dict()["proposal"]["mapping"]["36"] == 46
        assert checks(done.proposal.applied_to(done.mesh)) == []
        assert {done.proposal.mapping[code] for code in (31, 41)} == {fdi.antimere(31), fdi.antimere(41)}

    def test_nothing_is_proposed_for_what_fits(self) -> None:
        assert repair(ARCH).proposal is None
        assert repair(shapes.cube()).to_dict()["proposal"] is None


def test_noise_is_taken_out_for_any_thread_count(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = ARCH.face_data["label"].astype(np.int32)
    noisy = labelnoise.with_noise(ARCH, truth, share=0.02, seed=5)
    results = []
    for threads in ("1", "2", "4"):
        monkeypatch.setenv("MESHGUARD_THREADS", threads)
        results.append(repair(ARCH.without_labels(), labels=noisy, mend_labels=True).to_json())

    assert len(set(results)) == 1


class TestAnyMesh:
    def test_the_winding_does_not_enter(self, data_root: Path) -> None:
        mesh = real(data_root, "001_lower")
        noisy = labelnoise.with_noise(mesh, mesh.face_data["label"].astype(np.int32), share=0.02, seed=1)
        inward = Mesh(vertices=mesh.vertices, faces=mesh.faces[:, ::-1], face_data={"label": noisy})

        assert mend_labels(inward).changed.tolist() == mend_labels(labelled(mesh, noisy)).changed.tolist()

    def test_a_column_of_labels(self) -> None:
        wrong = spoilt("island").vertex_data["label"]
        done = mend_labels(ARCH.without_labels().with_data(vertex={"label": wrong[:, None]}))

        assert len(done.changed) and done.mesh.vertex_data["label"].size == len(ARCH.vertices)
        assert repair(ARCH.without_labels().with_data(vertex={"label": wrong[:, None]})).clean

    def test_one_enormous_id_takes_no_memory(self) -> None:
        label = ARCH.vertex_data["label"].astype(np.int64)
        label[np.flatnonzero(label == 36)[50]] = 2**31 - 1

        assert repair(ARCH.without_labels().with_data(vertex={"label": label})).proposal is None

    def test_more_labels_than_anybody_has_teeth_are_left(self) -> None:
        own = np.arange(len(ARCH.faces), dtype=np.int32)

        assert len(mend_labels(labelled(ARCH, own)).changed) == 0

    def test_labels_that_are_none(self) -> None:
        with pytest.raises(MeshError, match="cannot be read"):
            mend_labels(ARCH.without_labels().with_data(vertex={"label": np.full(len(ARCH.vertices), np.nan)}))
