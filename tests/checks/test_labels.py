"""What labels say: whether they fit, numbers, jaws, instances; where there is nothing to check, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from meshguard import fdi
from meshguard.errors import MeshError
from meshguard.io.labels import read_labels
from meshguard.phantoms import mislabel, phantom
from meshguard.policy import Policy, policy
from meshguard.report import Finding, Report, Severity, Status
from meshguard.validation import validate

if TYPE_CHECKING:
    from pathlib import Path

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

    def test_universal_numbers_of_a_lower_arch_can_be_nothing_else(self) -> None:
        numbers = {f"t{code}": int(fdi.to_universal(code)) for code in (*range(31, 38), *range(41, 48))}
        found = report(renumbered(**numbers))

        assert [finding.message for finding in found.findings] == []
        assert found.labels is not None and found.labels.ids == (*range(31, 38), *range(41, 48))
        assert found.labels.notes == ("The ids are read as Universal numbers.",)


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


def split(label: npt.NDArray[np.int64], codes: tuple[int, ...], seed: int = 1) -> npt.NDArray[np.int64]:
    """Half of the vertices of some teeth, at random, get the antagonist's number."""
    is_other = np.isin(label, codes) & (np.random.default_rng(seed).random(len(label)) < 0.5)
    antagonists = [fdi.antagonist(code) if code else 0 for code in label.tolist()]
    return np.where(is_other, antagonists, label)


class TestBothJaws:
    """Crowns with two numbers are said once, and judged as one tooth each."""

    ALL = (*range(31, 38), *range(41, 48))
    LABEL = ARCH.vertex_data["label"].astype(np.int64)
    BARE = ARCH.without_labels().with_jaw(None)

    def found(self, codes: tuple[int, ...], jaw: str | None = None) -> Report:
        return report(self.BARE, labels=split(self.LABEL, codes), jaw=jaw)

    def test_all_teeth_and_the_jaw_is_open(self) -> None:
        found = self.found(self.ALL)

        (finding,) = found.findings
        assert (finding.check, finding.severity, finding.count) == ("D102", Severity.ERROR, 14)
        assert finding.message == (
            "All 14 teeth are split between the numbers of the two jaws, such as 11 and 41 on one crown; it is open "
            "which jaw this is."
        )
        assert finding.indices.tolist() == sorted((*self.ALL, *(fdi.antagonist(code) for code in self.ALL)))
        assert found.labels is not None and found.labels.jaw is None and not found.labels.jaw_is_told
        skipped = {check for check, outcome in found.outcomes.items() if "open which jaw" in str(outcome.reason)}
        assert skipped == {"D107", "D109", "D114"}

    def test_half_the_teeth_and_a_jaw_that_is_stated(self) -> None:
        half = self.found((31, 33, 35, 37, 41, 43, 45, 47))
        stated = self.found(self.ALL, "lower")

        (finding,) = half.findings
        assert finding.message.startswith("8 of 14 teeth are split") and "this is the lower jaw" in finding.message
        (finding,) = stated.findings
        assert "such as 41 and 11" in finding.message and "this is the lower jaw" in finding.message
        assert {stated.outcomes[check].status for check in ("D107", "D109", "D114")} == {Status.PASSED}

    def test_one_tooth_is_its_own_matter(self) -> None:
        assert "split" not in " ".join(finding.message for finding in self.found((36,)).findings)

    def test_a_tie_without_split_teeth_is_said_once(self) -> None:
        label = np.where(self.LABEL // 10 == 3, self.LABEL - 20, self.LABEL)

        (finding,) = [f for f in report(self.BARE, labels=label).findings if f.check == "D102"]
        assert finding.message == (
            "Half of the 14 numbers are of the upper jaw and half of the lower; it is open which jaw this is."
        )


class TestGum:
    LABEL = ARCH.vertex_data["label"].astype(np.int64)
    BARE = ARCH.without_labels().with_jaw(None)

    @pytest.mark.parametrize(
        ("gum", "severity"), [(18, Severity.ERROR), (255, Severity.WARNING), (-1, Severity.WARNING)]
    )
    def test_another_number_is_said_and_everything_else_is_judged(self, gum: int, severity: Severity) -> None:
        found = report(self.BARE, labels=np.where(self.LABEL == 0, gum, self.LABEL))

        (finding,) = found.findings
        assert (finding.check, finding.severity) == ("D118", severity)
        assert finding.message == f"{gum} looks like the gum, and no label is 0."
        assert np.array_equal(finding.indices, np.flatnonzero(self.LABEL == 0))
        assert found.labels is not None and found.labels.ids == (*range(31, 38), *range(41, 48))
        assert {o.status for check, o in found.outcomes.items() if check in ("D101", "D102", "D104", "D112")} == {
            Status.PASSED
        }

    def test_colours_outside_the_palette(self) -> None:
        gum = np.array([200, 150, 150])
        colors = np.where(self.LABEL[:, None] == 0, gum, np.stack([self.LABEL, self.LABEL, 0 * self.LABEL], axis=1))
        palette = {code: [[code, code, 0]] for code in (*range(31, 38), *range(41, 48))}
        mesh = self.BARE.with_data(vertex={"color": colors.astype(np.uint8)})

        (finding,) = report(self.BARE, labels=read_labels(mesh, palette=palette)).findings
        assert finding.message == "What is outside the palette (-1) looks like the gum, and no label is 0."

    def test_classes_that_are_counted_from_0(self) -> None:
        classes = np.unique(self.LABEL, return_inverse=True)[1]
        found = report(self.BARE, labels=np.where(classes == 0, 14, classes - 1))

        (finding,) = found.findings
        assert finding.severity is Severity.ERROR
        assert finding.message == "14 looks like the gum, and 0 looks like a tooth, here called class 15."

    def test_specks_of_0_are_gum_too(self) -> None:
        label = np.where(self.LABEL == 0, 18, self.LABEL)
        label[np.flatnonzero(label == 18)[:3]] = 0

        (finding,) = report(self.BARE, labels=label).findings
        assert finding.message == "18 looks like the gum, and little is labelled 0."

    def test_instances_of_such_labels(self) -> None:
        label = np.where(self.LABEL == 0, 18, self.LABEL)
        for instance in (np.unique(self.LABEL, return_inverse=True)[1], np.unique(label, return_inverse=True)[1] + 1):
            mesh = self.BARE.with_data(vertex={"label": label, "instance": instance})
            assert [finding.check for finding in report(mesh).findings] == ["D118"]


class TestSwapped:
    LABEL = ARCH.vertex_data["label"].astype(np.int64)
    COUNT = np.unique(ARCH.vertex_data["label"], return_inverse=True)[1]

    def found(self, label: npt.NDArray[np.int64], instance: npt.NDArray[np.int64], mesh: Mesh = ARCH) -> Report:
        content = json.dumps({"jaw": "lower", "labels": label.tolist(), "instances": instance.tolist()}).encode()
        return report(mesh.without_labels().with_jaw(None), labels=content)

    def test_it_is_said_once_and_nothing_is_swapped(self) -> None:
        found = self.found(self.COUNT, self.LABEL)

        (finding,) = found.findings
        assert (finding.check, finding.severity, finding.element) == ("D119", Severity.ERROR, "file")
        assert '"instances" holds tooth numbers' in finding.message
        assert "fix: swap labels and instances" in found.to_text()
        assert found.labels is not None and found.labels.numbering == "anonymous"
        skipped = {check for check, outcome in found.outcomes.items() if "D119" in str(outcome.reason)}
        assert skipped == {"D101", "D102", "D103", "D106", "D107", "D108", "D109", "D110", "D114"}

    def test_a_part_of_an_arch_and_universal_numbers(self) -> None:
        part = np.isin(self.LABEL, (34, 35, 36))
        universal = np.array([int(fdi.to_universal(code)) if code else 0 for code in self.LABEL.tolist()])

        for instance in (np.where(part, self.LABEL, 0), universal):
            counted = np.unique(instance, return_inverse=True)[1]
            assert self.found(counted, instance).outcomes["D119"].status is Status.FAILED

    @pytest.mark.parametrize("gum", [18, 33])
    def test_gum_with_a_number_among_the_instances(self, gum: int) -> None:
        numbers = self.LABEL
        if gum == fdi.UNIVERSAL_GUM:
            numbers = np.array([int(fdi.to_universal(code)) if code else 0 for code in self.LABEL.tolist()])
        found = self.found(self.COUNT, np.where(self.LABEL == 0, gum, numbers))
        assert [finding.check for finding in found.findings] == ["D119"]

    def test_what_is_right_or_does_not_mark_the_same_teeth_is_not_swapped(self) -> None:
        assert self.found(self.LABEL, self.COUNT).outcomes["D119"].status is Status.PASSED
        assert self.found(self.LABEL, self.LABEL).outcomes["D119"].status is Status.PASSED
        assert self.found(self.COUNT, self.COUNT).outcomes["D119"].status is Status.PASSED
        thirds = np.where(self.LABEL > 0, np.arange(len(self.LABEL)) % 3 + 1, 0)
        assert "D119" not in {finding.check for finding in self.found(thirds, self.LABEL).findings}


class TestFieldFiles:
    """Label files that people met in the field, on one arch; what is right stands in the manifest beside them."""

    def found(self, root: Path, name: str) -> Report:
        folder = root / "field"
        if not (folder / "manifest.csv").is_file():
            pytest.skip("the folder that MESHGUARD_DATA names holds no field/manifest.csv")
        return validate(folder / "37_arch.ply", labels=folder / f"{name}.json")

    def test_right_labels(self, data_root: Path) -> None:
        assert self.found(data_root, "37_ok").findings == ()

    def test_labels_and_instances_swapped(self, data_root: Path) -> None:
        (finding,) = self.found(data_root, "37_swapped").findings

        assert finding.check == "D119" and '"instances" holds tooth numbers' in finding.message

    def test_gum_labelled_18(self, data_root: Path) -> None:
        (finding,) = self.found(data_root, "38_gum_18").findings

        assert finding.check == "D118" and finding.message == "18 looks like the gum, and no label is 0."

    def test_universal_numbers_with_gum_33(self, data_root: Path) -> None:
        found = self.found(data_root, "38_universal_gum33")

        assert found.findings == () and found.labels is not None
        assert found.labels.notes == ("The ids are read as Universal numbers, and 33 as the gum.",)
        assert found.labels.ids == (*range(31, 38), *range(41, 48))

    def test_each_tooth_split_between_the_jaws(self, data_root: Path) -> None:
        found = self.found(data_root, "39_both_jaws_fdi")

        (finding,) = found.findings
        assert finding.check == "D102" and finding.count == 14
        assert found.labels is not None and found.labels.jaw is None


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
