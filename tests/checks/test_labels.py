"""What labels say: whether they fit, numbers, jaws, instances; where there is nothing to check, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from meshguard.errors import MeshError
from meshguard.phantoms import mislabel, phantom
from meshguard.policy import Policy, policy
from meshguard.report import Finding, Report, Severity, Status
from meshguard.validation import validate

if TYPE_CHECKING:
    import numpy.typing as npt

    from meshguard.mesh import Mesh

ARCH = phantom(faces=16_000, seed=0)
ONLY = Policy(select=("D", "F105"))


def report(mesh: Mesh, **options: object) -> Report:
    return validate(mesh, policy=ONLY, **options)  # type: ignore[arg-type]


def of(mesh: Mesh, check: str) -> list[Finding]:
    return [finding for finding in report(mesh).findings if finding.check == check]


def renumbered(**new: int) -> Mesh:
    """The arch with some teeth renumbered: t37=27."""
    label = ARCH.vertex_data["label"].astype(int)
    before = label.copy()
    for code, number in new.items():
        label[before == int(code[1:])] = number
    return ARCH.without_labels().with_jaw(None).with_data(vertex={"label": label})


def test_a_well_labelled_arch_has_no_finding() -> None:
    for jaw in ("upper", "lower"):
        assert [finding.message for finding in report(phantom(jaw=jaw, faces=16_000)).findings] == []


def test_a_policy_can_require_labels() -> None:
    bare = ARCH.without_labels()
    found = validate(bare, policy="labelled").findings

    assert [finding.severity for finding in found if finding.check == "F105"] == [Severity.ERROR]
    assert not validate(bare, policy="labelled").ok
    assert validate(ARCH, policy="labelled").ok and validate(bare).ok


class TestSummary:
    def test_what_carries_them_and_which_jaw(self) -> None:
        label = ARCH.vertex_data["label"].astype(int)
        by_vertex = report(ARCH.without_labels().with_jaw(None), labels=label).labels
        by_face = report(ARCH.without_labels().with_jaw(None), labels=ARCH.face_data["label"], jaw="lower").labels

        assert by_vertex is not None and by_face is not None
        assert (by_vertex.per, by_vertex.numbering, by_vertex.jaw, by_vertex.jaw_is_told) == (
            "vertex", "fdi", "lower", False,
        )  # fmt: skip
        assert (by_face.per, by_face.jaw_is_told) == ("face", True)
        assert by_face.ids == (*range(31, 38), *range(41, 48))

    def test_notes_of_reading_are_kept(self) -> None:
        content = json.dumps({"jaw": "upper", "labels": ARCH.vertex_data["label"].tolist()}).encode()
        found = report(ARCH.without_labels().with_jaw(None), labels=content, jaw="lower").labels

        assert found is not None and found.jaw == "lower"
        assert found.notes == ("The file says that this is the upper jaw; it is read as the lower one, as asked.",)

    def test_anonymous_and_none(self) -> None:
        classes = np.unique(ARCH.vertex_data["label"], return_inverse=True)[1]
        anonymous = report(ARCH.without_labels().with_jaw(None), labels=classes).labels

        assert anonymous is not None
        assert (anonymous.numbering, anonymous.jaw, anonymous.ids) == ("anonymous", None, tuple(range(1, 15)))
        assert report(ARCH.without_labels()).labels is None
        assert report(ARCH, labels=np.zeros(7, int)).labels is None


class TestSkipped:
    def test_without_labels(self) -> None:
        outcomes = report(ARCH.without_labels()).outcomes

        assert {o.reason for check, o in outcomes.items() if check[0] == "D"} == {"The mesh carries no tooth labels."}
        assert outcomes["F105"].status is Status.PASSED

    def test_all_gum(self) -> None:
        outcomes = report(ARCH.with_data(vertex={"label": np.zeros(len(ARCH.vertices), int)}).take(np.arange(99)))

        assert "all is gum" in str(outcomes.outcomes["D104"].reason)

    def test_anonymous_classes_are_checked_for_what_needs_no_number(self) -> None:
        classes = np.unique(ARCH.vertex_data["label"], return_inverse=True)[1]
        outcomes = report(ARCH.without_labels().with_data(vertex={"label": classes})).outcomes

        skipped = {check for check, outcome in outcomes.items() if "anonymous" in str(outcome.reason)}
        assert skipped == {"D101", "D102", "D106", "D107", "D108", "D109", "D110", "D114"}
        assert {outcomes[check].status for check in ("D104", "D105", "D111", "D112", "D113")} == {Status.PASSED}

    def test_universal_numbers_of_a_lower_arch_are_no_fdi_codes(self) -> None:
        from meshguard import fdi

        numbers = {f"t{code}": int(fdi.to_universal(code)) for code in (*range(31, 38), *range(41, 48))}

        assert "anonymous" in str(report(renumbered(**numbers)).outcomes["D101"].reason)


class TestFit:
    def test_labels_of_another_number_are_a_finding(self) -> None:
        found = report(ARCH, labels=np.ones(7, int))

        assert [finding.check for finding in found.findings] == ["F105"]
        assert found.findings[0].measures["labels"] == 7
        assert {o.reason for check, o in found.outcomes.items() if check[0] == "D"} == {
            "The labels do not fit the mesh (F105)."
        }

    def test_labels_in_another_order_are_an_error_and_nothing_else_is_said(self) -> None:
        mesh, _ = mislabel(ARCH, "other_order", seed=1)
        found = report(mesh)

        assert [(finding.check, finding.severity) for finding in found.findings] == [("F105", Severity.ERROR)]
        assert "follow the surface" in found.findings[0].message

    def test_broken_numbers(self) -> None:
        label = ARCH.vertex_data["label"].astype(float)
        label[:3] = [0.5, np.nan, np.inf]

        (finding,) = report(ARCH.without_labels().with_data(vertex={"label": label})).findings
        assert finding.check == "F105" and finding.message.startswith("3 labels")

    def test_faces_that_contradict_their_vertices_win_and_it_is_said(self) -> None:
        label = ARCH.face_data["label"].astype(int)
        label[label == 36] = 26

        found = report(ARCH.with_data(face={"label": label}))
        assert {(finding.check, finding.severity) for finding in found.findings} >= {
            ("F105", Severity.WARNING),
            ("D102", Severity.ERROR),
        }

    def test_labels_given_replace_labels_carried(self) -> None:
        assert [f.check for f in report(renumbered(t36=99), labels=ARCH.vertex_data["label"]).findings] == []

    def test_a_jaw_is_one_of_two(self) -> None:
        with pytest.raises(MeshError, match="jaw must be"):
            report(ARCH, jaw="left")


class TestNumbers:
    def test_a_number_that_no_tooth_has(self) -> None:
        (finding,) = of(renumbered(t36=39), "D101")

        assert (finding.severity, finding.element, finding.indices.tolist()) == (Severity.ERROR, "tooth", [39])
        assert finding.measures["label"] == 39

    def test_one_tooth_of_the_other_jaw(self) -> None:
        (finding,) = of(renumbered(t36=26), "D102")

        assert (finding.tooth, finding.severity) == (26, Severity.ERROR)

    def test_all_teeth_of_the_other_jaw_are_one_finding(self) -> None:
        found = [f for f in report(renumbered(), jaw="upper").findings if f.check == "D102"]

        assert [(finding.count, finding.tooth) for finding in found] == [(14, None)]

    def test_the_incisors_contradict_numbers_of_the_other_jaw(self) -> None:
        upper = phantom(jaw="upper", faces=16_000)
        label = upper.vertex_data["label"].astype(int)
        shifted = upper.without_labels().with_jaw(None).with_data(vertex={"label": np.where(label > 0, label + 20, 0)})

        (finding,) = of(shifted, "D102")
        assert finding.severity is Severity.WARNING and "upper" in finding.message


class TestInstances:
    def test_they_agree(self) -> None:
        instance = np.unique(ARCH.vertex_data["label"], return_inverse=True)[1]

        assert report(ARCH.with_data(vertex={"instance": instance})).outcomes["D103"].status is Status.PASSED

    def test_a_label_on_two_instances(self) -> None:
        mesh, truth = mislabel(ARCH, "label_on_two_instances", seed=3)

        (finding,) = of(mesh, "D103")
        assert finding.tooth == truth.measures["tooth"]
        assert finding.severity is Severity.ERROR
        assert finding.indices.tolist() == truth.indices.tolist()

    def test_strays_are_a_warning(self) -> None:
        instance = np.unique(ARCH.vertex_data["label"], return_inverse=True)[1]
        instance[np.flatnonzero(ARCH.vertex_data["label"] == 36)[:2]] = 1

        assert {f.severity for f in of(ARCH.with_data(vertex={"instance": instance}), "D103")} == {Severity.WARNING}


class TestInstancesAndGum:
    """The gum is 0 in both: what is a tooth for one only is said."""

    def found(self, label: npt.ArrayLike, instance: npt.ArrayLike) -> list[tuple[str, str]]:
        mesh = ARCH.without_labels().with_data(vertex={"label": np.asarray(label), "instance": np.asarray(instance)})
        return [(str(finding.severity), finding.message) for finding in of(mesh, "D103")]

    def test_a_tooth_without_an_instance_and_an_instance_without_a_tooth(self) -> None:
        label = ARCH.vertex_data["label"].astype(int)

        assert self.found(label, label) == []
        assert self.found(label, np.where(label == 36, 0, label)) == [("error", "Label 36 has no instance.")]
        assert self.found(np.where(label == 36, 0, label), label) == [("error", "Instance 36 is labelled gum.")]
        assert self.found(label, np.where(label == 0, 99, label)) == [("error", "Instance 99 is labelled gum.")]

    def test_no_instances_at_all_are_said_once(self) -> None:
        label = ARCH.vertex_data["label"].astype(int)

        assert self.found(label, 0 * label) == [("error", "No tooth has an instance: all instances are 0, the gum.")]

    def test_instances_that_cannot_be_read_are_skipped(self) -> None:
        label = ARCH.vertex_data["label"].astype(float)
        mesh = ARCH.with_data(vertex={"label": label, "instance": np.where(label == 36, np.nan, label)}, face={})
        outcome = report(ARCH.without_labels().with_data(vertex=dict(mesh.vertex_data))).outcomes["D103"]

        assert (outcome.status, outcome.reason) == (Status.SKIPPED, "The instances are not whole numbers.")


@pytest.mark.parametrize("scale", [1e6, 1e8, 1e20, 1e200])
def test_a_mesh_of_no_unit_has_findings_and_no_crash(scale: float) -> None:
    found = validate(ARCH.with_vertices(ARCH.vertices * scale))

    assert "G106" in {finding.check for finding in found.findings}


class TestRequired:
    """Where the policy requires labels, selecting checks of teeth does not make a mesh without labels good."""

    POLICY = policy("labelled").replace(select=("D",))

    def test_labels_that_are_missing_are_found_although_f105_is_not_selected(self) -> None:
        report = validate(ARCH.without_labels(), policy=self.POLICY)

        assert [finding.check for finding in report.findings] == ["F105"]
        assert not report.ok and "F105" not in report.ignored

    @pytest.mark.parametrize(
        "chosen",
        [
            POLICY.replace(ignore={"F105": "we know"}),
            POLICY.replace(select=("T",)),
            POLICY.replace(labels="optional"),
        ],
        ids=["ignored", "no checks of teeth", "optional"],
    )
    def test_nothing_else_makes_it_run(self, chosen: Policy) -> None:
        report = validate(ARCH.without_labels(), policy=chosen)

        assert report.ok and "F105" in report.ignored
