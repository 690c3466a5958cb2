"""validate() as a whole: agreement with an exact judge on real files, determinism, concurrency, policies."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest

import meshguard
from meshguard.checks import CATALOGUE
from meshguard.errors import PolicyError, ReadError
from meshguard.mesh import Mesh
from meshguard.phantoms import phantom
from meshguard.policy import Policy
from meshguard.render import text_of
from meshguard.render.markdown import escaped, markdown_of
from meshguard.report import Report, Severity, Status
from meshguard.validation import validate
from tests import mutations, shapes

if TYPE_CHECKING:
    from collections.abc import Callable

JUDGED = [
    "vertices",
    "faces",
    "degenerate",
    "boundary_edges",
    "boundary_groups",
    "nonmanifold_edges",
    "nonmanifold_vertices",
    "miswound_edges",
    "inverted_bodies",
    "components",
    "duplicate_pairs",
]


def judged_files(root: Path) -> dict[Path, dict[str, int]]:
    """Every file that an exact, independent judge has counted, with its counts."""
    verdicts = json.loads((root / "expected" / "verdicts.json").read_text())
    files = {path.name: path for folder in ("dental", "corpus") for path in (root / folder).iterdir()}
    return {files[name]: verdict for name, verdict in verdicts.items()}


def test_counts_are_the_judges_on_every_real_file(data_root: Path) -> None:
    files = judged_files(data_root)
    different = {}
    for path, verdict in files.items():
        stats = validate(path).stats
        wrong = {name: (verdict[name], stats[name]) for name in JUDGED if verdict[name] != stats[name]}
        if wrong:
            different[path.name] = wrong

    assert len(files) >= 79
    assert different == {}


def test_every_real_scan_gives_a_report_that_survives_json(data_root: Path) -> None:
    for path in sorted((data_root / "dental").glob("*.[sp][tl][ly]")):
        report = validate(path)
        assert Report.from_json(report.to_json()).to_json() == report.to_json()
        assert validate(meshguard.load(path)).to_json() == report.to_json()


def test_known_real_defects_are_told(data_root: Path) -> None:
    def outcomes(name: str) -> set[str]:
        report = validate(data_root / "dental" / name)
        return {check for check, outcome in report.outcomes.items() if outcome.status is Status.FAILED}

    assert "G106" in outcomes("retainer_in_cm_67k.stl")
    assert {"T101", "T104"} <= outcomes("lower_decimated_16k.ply")
    assert "S103" in outcomes("ios_037_lower_16k.ply")
    assert outcomes("upper_cast_closed_81k.stl") <= {"G103", "F104"}
    assert outcomes("ios_001_upper_16k.ply") == set()


def test_no_real_arch_is_called_inside_out_and_every_one_turned_over_is(data_root: Path) -> None:
    for path in sorted((data_root / "dental").glob("*.[sp][tl][ly]")):
        mesh = meshguard.load(path)
        turned = Mesh(vertices=mesh.vertices, faces=mesh.faces[:, ::-1])
        assert validate(mesh, policy=Policy(select=("G107",))).findings == (), path.name
        if validate(mesh).stats["miswound_edges"] == 0:
            assert validate(turned, policy=Policy(select=("G107",))).findings != (), path.name


SCRIPT = """
import hashlib, sys
import meshguard
for path in sys.argv[1:]:
    print(hashlib.sha256(meshguard.validate(path).to_json().encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A large clean mesh, and one with everything wrong, in both formats."""
    folder = tmp_path_factory.mktemp("meshes")
    large = shapes.grid(300, 200)
    broken = shapes.joined(
        *(mutations.MUTATIONS[name].make() for name in ("fin", "bow_tie", "crack", "debris", "moebius"))
    )
    paths = []
    for name, mesh in (("large", large), ("broken", broken)):
        for suffix in ("stl", "ply"):
            meshguard.save(mesh, folder / f"{name}.{suffix}")
            paths.append(str(folder / f"{name}.{suffix}"))
    return paths


def test_the_bytes_do_not_depend_on_the_number_of_threads(files: list[str]) -> None:
    answers = set()
    for threads in ("1", "2", "4"):
        environment = {**os.environ, "MESHGUARD_THREADS": threads}
        done = subprocess.run([sys.executable, "-c", SCRIPT, *files], env=environment, capture_output=True, check=True)
        answers.add(done.stdout)

    assert len(answers) == 1
    assert answers.pop().count(b"\n") == len(files)


def test_eight_threads_at_once_give_the_same_bytes_as_one(files: list[str]) -> None:
    expected = [validate(path).to_json() for path in files]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda path: validate(path).to_json(), files * 8))

    assert answers == expected * 8


def _answer(connection: object, path: str) -> None:
    connection.send(validate(path).to_json())  # type: ignore[attr-defined]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_gives_the_same_bytes(files: list[str]) -> None:
    expected = validate(files[0]).to_json()  # the parent's thread pool exists from here on
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    child = context.Process(target=_answer, args=(there, files[0]))
    child.start()
    assert here.poll(120)
    answer = here.recv()
    child.join(30)

    assert (answer, child.exitcode) == (expected, 0)


def test_a_path_bytes_a_file_and_a_mesh_say_the_same(files: list[str]) -> None:
    path = Path(files[1])
    with path.open("rb") as file:
        answers = {
            validate(source).to_json() for source in (str(path), path, path.read_bytes(), file, meshguard.load(path))
        }

    assert len(answers) == 1


def test_checks_can_be_selected_ignored_and_given_a_severity() -> None:
    mesh = mutations.fin()

    only_t = validate(mesh, policy=Policy(select=("T",)))
    ignored = validate(mesh, policy=Policy(ignore={"T101": "fins are meant"}))
    softened = validate(mesh, policy=Policy(severities={"T": Severity.INFO}))

    assert {finding.check for finding in only_t.findings} == {"T101"}
    assert only_t.outcomes["S101"].status is Status.SKIPPED
    assert ignored.ignored["T101"] == "fins are meant"
    assert "fins are meant" in (ignored.outcomes["T101"].reason or "")
    assert [finding.severity for finding in softened.findings if finding.check == "T101"] == [Severity.INFO]


@pytest.mark.parametrize(
    "policy", [Policy(select=("T999",)), Policy(ignore={"X": ""}), Policy(severities={"T10!": Severity.INFO})]
)
def test_an_unknown_check_is_refused_before_anything_is_read(policy: Policy) -> None:
    with pytest.raises(PolicyError, match="there is no check"):
        validate("does-not-exist.stl", policy=policy)


def test_every_check_has_an_outcome() -> None:
    report = validate(shapes.grid())

    assert list(report.outcomes) == [check.id for check in CATALOGUE]
    assert report.outcomes["F101"].reason == "The mesh was made from arrays, not read from a file."


def test_an_empty_mesh_is_an_error_and_no_crash() -> None:
    report = validate(Mesh(vertices=np.empty((0, 3)), faces=np.empty((0, 3), np.int32)))

    assert (report.ok, [finding.check for finding in report.findings]) == (False, ["F110"])


def test_garbage_is_refused() -> None:
    with pytest.raises(ReadError):
        validate(b"this is not a mesh")


class TestNotAnArch:
    """No check tells an arch yet: a good verdict on what does not look like one says so."""

    SENTENCE = "It was not checked whether this is a dental arch: "

    @staticmethod
    def halves() -> list[Mesh]:
        """The halves of an arch, left, right, front and back."""
        arch = phantom(faces=8000).without_labels()
        places = arch.vertices[arch.faces].mean(axis=1)[:, :2]
        sides = [sign * places[:, axis] for axis in (0, 1) for sign in (1, -1)]
        return [arch.take(side > np.median(side)) for side in sides]

    @pytest.mark.parametrize("make", [shapes.triangle, shapes.cube, shapes.grid, shapes.tetrahedron])
    def test_it_is_told_and_changes_nothing_else(self, make: Callable[[], Mesh]) -> None:
        report = meshguard.validate(make())

        assert [sentence.startswith(self.SENTENCE) for sentence in report.unchecked] == [True]
        assert (report.ok, report.grade) == (True, 1)
        assert text_of(report).splitlines()[:2] == [
            "✓ ideal (grade 1 of 4): nothing found; not all was checked",
            f"  {report.unchecked[0]}",
        ]
        assert escaped(report.unchecked[0]) in markdown_of(report)

    def test_a_half_of_one_is_told(self) -> None:
        for half in self.halves():
            report = meshguard.validate(half)
            assert report.grade > 1 or report.unchecked

    @pytest.mark.parametrize("jaw", ["lower", "upper"])
    def test_an_arch_is_not(self, jaw: Literal["lower", "upper"]) -> None:
        report = meshguard.validate(phantom(jaw=jaw, faces=8000).without_labels())

        assert (report.grade, report.unchecked) == (1, ())

    def test_only_where_nothing_is_found_by_a_policy_for_scans(self) -> None:
        assert meshguard.validate(mutations.flipped_face()).unchecked == ()
        assert meshguard.validate(shapes.cube(), policy="print").unchecked == ()
        assert meshguard.validate(shapes.cube(), policy=Policy(select=("T",))).unchecked == ()
        assert meshguard.validate(phantom(faces=4000)).unchecked == ()  # labels say what is a tooth


class TestExplained:
    """A report holds what a reader needs who has no meshguard: the words of its checks, the limits, the policy."""

    @pytest.mark.parametrize("name", mutations.MUTATIONS)
    def test_words_and_limits_of_what_was_found(self, name: str) -> None:
        report = validate(mutations.MUTATIONS[name].make())
        checks = {check.id: check for check in CATALOGUE}

        assert {check: outcome.title for check, outcome in report.outcomes.items()} == {
            check: checks[check].title for check in report.outcomes
        }
        for finding in report.findings:
            outcome = report.outcomes[finding.check]
            assert outcome.explanation == " ".join(checks[finding.check].explanation.split())
            assert outcome.remedies["none" if finding.fixable is None else finding.fixable.value]
            assert finding.limit is None or finding.limit in report.limits
        found = {check for check, outcome in report.outcomes.items() if outcome.findings}
        assert set(report.limits) == {limit for check in found for limit in checks[check].limits}
        assert all(report.outcomes[check].explanation == "" for check in set(report.outcomes) - found)

    def test_the_policy_in_full_makes_the_same_report(self) -> None:
        chosen = Policy(ignore={"F104": "no normals"}, limits={"hole_diameter_mm": 1.0}, fail_on=Severity.WARNING)
        report = validate(mutations.flipped_face(), policy=chosen)
        again = validate(mutations.flipped_face(), policy=Policy.from_dict(report.rules))

        assert again.to_json() == report.to_json()
        assert Policy.from_dict(report.rules).digest() == report.policy_digest

    def test_a_limit_is_that_of_this_mesh(self) -> None:
        mesh = mutations.MUTATIONS["large_hole"].make()
        for scale in (1.0, 0.01):
            report = validate(Mesh(vertices=mesh.vertices * scale, faces=mesh.faces))
            limit, diagonal = report.limits["hole_diameter_mm"], report.stats["diagonal_mm"]

            assert limit.value == pytest.approx(min(2.0, 0.02 * diagonal))
            assert (limit.unit, limit.direction) == ("mm", "an error above")


@pytest.mark.parametrize("scale", [1e-3, 1.0, 40.0])
@pytest.mark.parametrize("name", mutations.MUTATIONS)
def test_no_message_has_a_power_of_ten(name: str, scale: float) -> None:
    mesh = mutations.MUTATIONS[name].make()
    report = validate(Mesh(vertices=mesh.vertices * scale, faces=mesh.faces))

    assert [
        finding.message for finding in report.findings if re.search(r"\de[+-]\d", finding.message) is not None
    ] == []
