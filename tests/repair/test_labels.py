"""The label steps of repair: only on demand, proved, undone where they do not help; numbers are only proposed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import meshguard
from meshguard import fdi
from meshguard.budget import Steps
from meshguard.facts import Facts
from meshguard.facts.teeth import OF_LABELS, relabelled
from meshguard.phantoms import mislabel, mutate, phantom
from meshguard.policy import Policy, policy
from meshguard.repair import labels as label_steps
from meshguard.repair import repair
from meshguard.repair.labels import LABEL_STEPS, relabelling, with_mended_labels
from meshguard.validation import findings_of, report_of
from tests import labelnoise, shapes

if TYPE_CHECKING:
    from meshguard.mesh import Mesh

ARCH = phantom(faces=16_000, seed=3)
D = ("D104", "D105", "D111")


def checks(mesh: Mesh) -> list[str]:
    return [finding.check for finding in findings_of(Facts(mesh, policy("scan")), "D")]


def spoilt(*kinds: str) -> Mesh:
    """The arch with wrong labels of these kinds."""
    mesh = ARCH
    for seed, kind in enumerate(kinds, start=1):
        mesh = mislabel(mesh, kind, seed=seed)[0]
    return mesh


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
        assert {left.reason for left in done.not_repaired if left.check in D} == {
            "Labels are mended only where that is asked for."
        }

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

        assert {step.name for step in done.steps} >= {"drop floating pieces", LABEL_STEPS[0].name}
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

    def test_the_record(self) -> None:
        done = repair(spoilt("island"), mend_labels=True)
        record = done.to_dict()

        assert done.relabelled is not None
        assert record["relabelled"] == {"per": "vertex", "count": len(done.relabelled.indices)}
        assert record["steps"][0]["parameters"]["vertices"] == len(done.relabelled.indices)
        assert meshguard.repair(ARCH).to_dict()["relabelled"] is None


class TestUndone:
    def test_a_step_that_does_not_help(self, monkeypatch: pytest.MonkeyPatch) -> None:
        wrong = spoilt("island")
        moved = mislabel(wrong.without_labels().with_data(vertex=dict(ARCH.vertex_data)), "island", seed=9)[0]
        change = relabelling(wrong, moved)

        def elsewhere(mesh: Mesh, **_: object) -> object:
            class Done:
                mesh, per, changed, n_islands, n_holes = moved, "vertex", change.indices, 1, 0

            return Done

        step = label_steps.LabelStep(name="move it", checks=("D104",), why="to see it undone", run=elsewhere)  # type: ignore[arg-type]
        monkeypatch.setattr(label_steps, "LABEL_STEPS", (step,))
        facts, records = with_mended_labels(Facts(wrong, policy("scan")))

        assert facts.mesh is wrong
        assert [(one.mended, one.undone) for one in records] == [(0, "it would have left 1 of 1")]

    def test_a_step_that_makes_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        wrong = spoilt("island")
        other = np.where(ARCH.vertex_data["label"] == 36, 99, ARCH.vertex_data["label"]).astype(np.int32)
        worse = wrong.without_labels().with_data(vertex={"label": other})

        def renumbered(mesh: Mesh, **_: object) -> object:
            class Done:
                mesh, per, changed, n_islands, n_holes = worse, "vertex", np.array([0]), 1, 0

            return Done

        step = label_steps.LabelStep(name="renumber", checks=("D104",), why="to see it undone", run=renumbered)  # type: ignore[arg-type]
        monkeypatch.setattr(label_steps, "LABEL_STEPS", (step,))
        facts, records = with_mended_labels(Facts(wrong, policy("scan")))

        assert facts.mesh is wrong
        assert records[0].undone == "it would have made 1 more errors of labels"


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


def test_relabelled_facts_are_those_of_the_mesh() -> None:
    """Whatever is known before, nothing that labels change is taken over."""
    facts = Facts(ARCH, policy("scan"))
    report_of(facts, Steps())
    other = spoilt("ragged", "island")
    quick, fresh = relabelled(facts, other), Facts(other, policy("scan"))

    assert set(vars(facts)) >= OF_LABELS  # else this test sees nothing
    assert report_of(quick, Steps()).to_json() == report_of(fresh, Steps()).to_json()
    assert "edges" in vars(relabelled(facts, other))


def test_noise_is_taken_out_for_any_thread_count(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = ARCH.face_data["label"].astype(np.int32)
    noisy = labelnoise.with_noise(ARCH, truth, share=0.02, seed=5)
    results = []
    for threads in ("1", "2", "4"):
        monkeypatch.setenv("MESHGUARD_THREADS", threads)
        results.append(repair(ARCH.without_labels(), labels=noisy, mend_labels=True).to_json())

    assert len(set(results)) == 1
