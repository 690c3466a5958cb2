"""Checks of other packages: installed, run, explained; refused by name; and no failure of theirs ends a validation."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from meshguard import repair
from meshguard.checks import CATALOGUE, every_check, installed_plugins, refuse_unknown_names
from meshguard.checks.clustering import Diagnosis, located
from meshguard.checks.plugins import GROUP, _installed
from meshguard.checks.registry import Check, check
from meshguard.errors import BudgetExceeded, PolicyError, ReadError
from meshguard.policy import Limit, Policy
from meshguard.render.text import text_of
from meshguard.report import Finding, Safety, Severity, Status, schema
from meshguard.validation import validate
from tests import shapes
from tests.docs.running import blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "howto" / "write-a-check.md"

WIDTH = Limit("acme.width_mm", 5.0, "A mesh is at least this wide.")


@check("G901", limits=(WIDTH,))
def narrow(facts: Any) -> Iterable[Finding]:
    """Too narrow.

    The mesh is narrower than the limit. Scan a wider one.
    """
    width, limit = float(facts.extent[0]), facts.policy.limit(WIDTH)
    if width < limit:
        rows = facts.corners[:1]
        diagnosis = Diagnosis(severity=Severity.WARNING, message=f"It is {width:g} mm wide.", limit=WIDTH.name)
        yield from located(facts, "G901", element="face", indices=rows[:, 0], rows=rows, describe=diagnosis)


def made(id: str, run: Any, **options: Any) -> Check:  # noqa: A002
    run.__doc__ = "A title.\n\nAn explanation."
    return check(id, **options)(run)


BAD_ID = "adds a check whose id is not the letter of a family and a number from 900 to 999"

NO_SUBJECT = "adds check {}, which looks at something that does not exist"
BAD_LIMIT = "adds a limit whose name does not begin with a package and a dot"


def nothing(_: object) -> list[Finding]:
    return []


class Point:
    """An entry point."""

    def __init__(self, name: str, target: Any) -> None:
        self.name = self.value = name
        self.target = target

    def load(self) -> Any:
        if isinstance(self.target, BaseException):
            raise self.target
        return self.target


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A function that takes the place of all plugins, by name."""
    real = importlib.metadata.entry_points

    def installed(**targets: Any) -> None:
        points = [Point(name, target) for name, target in targets.items()]
        monkeypatch.setattr(
            importlib.metadata, "entry_points", lambda **which: points if which == {"group": GROUP} else real(**which)
        )
        _installed.cache_clear()

    yield installed
    _installed.cache_clear()


def messages(**options: Any) -> list[str]:
    """What F111 says of a good mesh."""
    report = validate(shapes.grid(), **options)
    assert ("F111" in report.outcomes) == any(finding.check == "F111" for finding in report.findings)
    return [finding.message for finding in report.findings if finding.check == "F111"]


class TestRuns:
    def test_a_module_a_list_and_a_lone_check(self, install: Any) -> None:
        module = ModuleType("module")
        vars(module)["CHECKS"] = (made("T901", nothing),)
        install(module=module, some=[made("S901", nothing)], alone=narrow)
        report = validate(shapes.grid())

        # By the entry points' names, after meshguard's own.
        assert list(report.outcomes)[len(CATALOGUE) :] == ["G901", "T901", "S901"]
        assert {report.outcomes[id_].status for id_ in ("G901", "T901", "S901")} == {Status.PASSED}

    def test_it_fires_by_its_own_limit_which_a_policy_changes(self, install: Any) -> None:
        install(acme=narrow)
        wide, narrow_by_policy = (
            validate(shapes.grid(), policy=Policy(limits={"acme.width_mm": limit})) for limit in (5.0, 1e3)
        )

        assert wide.outcomes["G901"].status is Status.PASSED
        (finding,) = [finding for finding in narrow_by_policy.findings if finding.check == "G901"]
        assert (finding.message, finding.limit) == ("It is 60 mm wide.", "acme.width_mm")
        assert validate(shapes.grid(), policy=Policy(ignore={"G9": ""})).outcomes["G901"].status is Status.SKIPPED
        raised = validate(shapes.grid(), policy=Policy(limits={"acme.width_mm": 1e3}, severities={"G901": "error"}))  # type: ignore[dict-item]
        assert not raised.ok

    def test_a_condition_that_does_not_hold_skips_it(self, install: Any) -> None:
        install(acme=made("A901", lambda _: [], looks_at="arch"))
        outcome = validate(shapes.cube()).outcomes["A901"]

        assert outcome.status is Status.SKIPPED
        assert (outcome.reason and "faces" in outcome.reason) or "plane" in str(outcome.reason)

    def test_none_where_the_environment_says_so(self, install: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        install(acme=narrow, broken=RuntimeError("x"))
        monkeypatch.setenv("MESHGUARD_PLUGINS", "0")

        assert installed_plugins().checks == ()
        assert list(validate(shapes.grid()).outcomes) == [check.id for check in CATALOGUE]


class TestNames:
    def test_a_policy_may_name_them_where_they_are_installed(self, install: Any) -> None:
        policy = Policy(select=("G901",), limits={"acme.width_mm": 3.0})
        install()
        with pytest.raises(PolicyError, match="no check 'G901'"):
            refuse_unknown_names(policy)
        with pytest.raises(PolicyError, match=r"no limit 'acme\.width_mm'"):
            refuse_unknown_names(Policy(limits={"acme.width_mm": 3.0}))
        install(acme=narrow)
        refuse_unknown_names(policy)
        assert narrow in every_check()

    def test_names_that_meshguard_has_load_no_plugin(self, install: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        install(broken=narrow)
        monkeypatch.setattr(Point, "load", lambda _: pytest.fail("it was loaded"))

        refuse_unknown_names(Policy(select=("T", "S102"), severities={"S102:touch_point": Severity.INFO}))

    @pytest.mark.parametrize("how", ["off", "broken"])
    def test_a_policy_for_a_plugin_goes_on_to_work_without_it(
        self, install: Any, monkeypatch: pytest.MonkeyPatch, how: str
    ) -> None:
        install(acme=ImportError("x"))
        if how == "off":
            monkeypatch.setenv("MESHGUARD_PLUGINS", "0")
        refuse_unknown_names(
            Policy(ignore={"G901": ""}, severities={"G9": Severity.INFO}, limits={"acme.width_mm": 3.0})
        )

        with pytest.raises(PolicyError, match="no check 'T1x'"):
            refuse_unknown_names(Policy(select=("T1x",)))
        with pytest.raises(PolicyError, match="no check 'Q1'"):
            refuse_unknown_names(Policy(select=("Q1",)))

    def test_a_bound_of_its_own_bounds_its_limit(self, install: Any) -> None:
        share = Limit("acme.width_share", 0.5, "Upper bound of acme.width_mm, as a share of the diagonal.")
        width = Limit("acme.width_mm", 1e3, "A mesh is at least this wide.", bound=share)
        told: list[float] = []

        def asks(facts: Any) -> list[Finding]:
            told.append(facts.policy.tolerance(width).within(10.0))
            return []

        install(acme=made("G902", asks, limits=(width,)))
        for policy in (Policy(), Policy(limits={"acme.width_share": 0.1})):
            assert validate(shapes.grid(), policy=policy).outcomes["G902"].status is Status.PASSED

        assert told == [5.0, 1.0]
        with pytest.raises(TypeError, match="a limit of its own"):
            made("G903", nothing, limits=(Limit("acme.x_mm", 1.0, "X.", bound="acme.share"),))


class TestRefused:
    @pytest.mark.parametrize(
        ("target", "said"),
        [
            (ImportError("secret"), "could not be loaded (ImportError)"),
            (ModuleType("empty"), "could not be loaded (AttributeError)"),
            (SystemExit(3), "could not be loaded (SystemExit)"),
            (replace(narrow, id=901), "contains something that is not a check"),  # type: ignore[arg-type]
            (replace(narrow, looks_at="moon"), NO_SUBJECT.format("G901")),
            (
                made("S901", nothing, looks_at="plugins"),
                NO_SUBJECT.format("S901"),
            ),
            (made("S901", nothing, limits=(Limit("width_mm", 1.0, "X."),)), BAD_LIMIT),
            (made("S901", nothing, limits=(Limit("weld_mm", 1.0, "X."),)), BAD_LIMIT),
            (42, "contains something that is not a check"),
            ([narrow, "S901"], "contains something that is not a check"),
            ([narrow, narrow], "adds check G901, which it already has"),
            (made("T101", lambda _: []), "adds check T101, which meshguard already has"),
            (made("F111", lambda _: []), "adds check F111, which meshguard already has"),
            (
                made("T199", lambda _: []),
                "adds a check whose id is not the letter of a family and a number from 900 to 999",
            ),
            (
                made("X901", lambda _: []),
                "adds a check whose id is not the letter of a family and a number from 900 to 999",
            ),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_by_name_and_the_rest_runs(self, install: Any, target: Any, said: str) -> None:
        install(acme=target, good=made("S950", lambda _: []))
        (message,) = messages()

        assert message.startswith(f"Plugin acme {said}") and "secret" not in message
        assert validate(shapes.grid()).outcomes["S950"].status is Status.PASSED

    def test_of_two_with_one_id_the_first_by_name_stays(self, install: Any) -> None:
        install(b=made("G901", lambda _: 1 / 0), a=narrow)

        assert messages() == ["Plugin b adds check G901, which a already has."]

    def test_of_two_with_one_limit_the_first_by_name_stays(self, install: Any) -> None:
        install(b=made("G902", lambda _: [], limits=(WIDTH,)), a=narrow)

        assert messages() == ["Plugin b adds limit acme.width_mm, which a already has."]


class TestFails:
    def test_an_error_becomes_a_finding_without_its_text(self, install: Any) -> None:
        def raises(facts: Any) -> Iterable[Finding]:
            raise KeyError("MUELLER")

        install(acme=made("S901", raises))
        report = validate(shapes.grid())

        assert report.outcomes["S901"].status is Status.SKIPPED
        assert messages() == ["Plugin acme failed in check S901 (KeyError)."]
        assert "MUELLER" not in report.to_json()
        assert report.stats == validate(shapes.grid()).stats

    @pytest.mark.parametrize(
        "error", [PolicyError("x"), ReadError("x"), SystemExit(2)], ids=lambda error: type(error).__name__
    )
    def test_an_error_of_ours_is_a_failure_too(self, install: Any, error: BaseException) -> None:
        """A check that asks for a limit that does not exist must not look like a policy that is wrong."""

        def raises(_: object) -> list[Finding]:
            raise error

        install(acme=made("S901", raises))

        assert messages() == [f"Plugin acme failed in check S901 ({type(error).__name__})."]

    @pytest.mark.parametrize(
        "changes",
        [
            {"severity": "error"},
            {"fingerprint": None},
            {"fingerprint": "x"},
            {"measures": None},
            {"measures": {"a": "b"}},
            {"fixable": "local"},
            {"element": "moon"},
            {"message": 1},
        ],
        ids=str,
    )
    def test_parts_of_a_finding_are_looked_at(self, install: Any, changes: dict[str, Any]) -> None:
        (finding,) = narrow.run(_facts())
        install(acme=made("S901", lambda _: [replace(finding, check="S901", **changes)]))

        assert len(messages()) == 1

    def test_what_to_do_is_not_to_scan_again(self, install: Any) -> None:
        install(acme=ImportError("x"))
        said = text_of(validate(shapes.grid()))

        assert "fix: update or remove the package" in said

    def test_what_repair_says_of_its_findings(self, install: Any) -> None:
        (finding,) = narrow.run(_facts())
        own = replace(finding, check="S901", fixable=Safety.LOCAL)
        second = replace(own, check="S902")
        install(acme=made("S901", lambda _: [own]), b=made("S902", lambda _: [second], why_left="So."))
        reasons = {left.check: left.reason for left in repair(shapes.grid()).not_repaired}

        assert reasons == {"S901": "No step of repair mends what this check of a plugin finds.", "S902": "So."}

    def test_a_report_with_its_findings_is_as_the_schema_says(self, install: Any) -> None:
        install(acme=narrow, b=ImportError("x"))
        report = validate(shapes.grid(), policy=Policy(limits={"acme.width_mm": 1e3}, ignore={"F111": "known"}))

        jsonschema.validate(json.loads(report.to_json()), schema())
        assert report.ignored["F111"] == "known"
        assert "G901" in {finding.check for finding in report.findings}

    @pytest.mark.parametrize("given", [None, [1], ["x"]], ids=str)
    def test_what_it_gives_is_looked_at(self, install: Any, given: Any) -> None:
        install(acme=made("S901", lambda _: given))

        assert len(messages()) == 1

    def test_findings_in_anothers_name_are_not_taken(self, install: Any) -> None:
        (finding,) = narrow.run(_facts())
        install(acme=made("S901", lambda _: [finding]))

        assert messages() == ["Plugin acme returned something other than its own findings from check S901."]

    def test_a_budget_that_runs_out_ends_the_call(self, install: Any) -> None:
        def raises(facts: Any) -> Iterable[Finding]:
            raise BudgetExceeded("enough")

        install(acme=made("S901", raises))
        with pytest.raises(BudgetExceeded):
            validate(shapes.grid())

    def test_a_report_with_it_is_the_same_bytes_again(self, install: Any) -> None:
        install(acme=ImportError("x"), other=narrow)

        assert validate(shapes.grid()).to_json() == validate(shapes.grid()).to_json()


def _facts() -> Any:
    from meshguard.facts.mesh import MeshFacts

    return MeshFacts(shapes.triangle(1.0), Policy())


def wheel_of(page: Path, folder: Path) -> Path:
    """A wheel of the module and the entry point that the page shows."""
    titled = {block.title: block.text for block in blocks(page.read_text("utf-8")) if block.title}
    assert '[project.entry-points."meshguard.checks"]\ntray = "tray_checks"' in titled["pyproject.toml"]
    info = "tray_checks-1.0.dist-info"
    files = {
        "tray_checks.py": titled["tray_checks.py"],
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tray-checks\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[meshguard.checks]\ntray = tray_checks\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    wheel = folder / "tray_checks-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return wheel


def test_the_page_builds_one_that_installs_and_runs(tmp_path: Path) -> None:
    target = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    done = subprocess.run([*pip, str(wheel_of(PAGE, tmp_path))], capture_output=True, text=True, check=False)
    if "No module named pip" in done.stderr:
        pytest.skip("pip is not installed")
    assert done.returncode == 0, done.stderr
    path = os.pathsep.join([str(target), *filter(None, [os.environ.get("PYTHONPATH")])])

    def meshguard(*arguments: str, code: int) -> str:
        ran = subprocess.run(
            [sys.executable, "-m", "meshguard.cli", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path, "COLUMNS": "100"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert ran.returncode == code, ran.stdout + ran.stderr
        return ran.stdout

    titled = {block.title: block.text for block in blocks(PAGE.read_text("utf-8")) if block.title}
    (tmp_path / "tray.toml").write_text(titled["tray.toml"].replace("12.0", "500.0"), "utf-8")
    shown = next(
        block.text for block in blocks(PAGE.read_text("utf-8")) if block.text.startswith("$ meshguard explain")
    )
    assert meshguard("explain", "A901", code=0) == shown.partition("\n")[2]
    assert "A901" in meshguard("explain", code=0)
    meshguard("phantom", "arch.stl", "--faces", "8000", code=0)
    report = json.loads(meshguard("validate", "--format", "json", "arch.stl", code=0))
    assert report["outcomes"]["A901"]["status"] == "passed"
    report = json.loads(meshguard("validate", "--format", "json", "--policy", "tray.toml", "arch.stl", code=0))
    (finding,) = [finding for finding in report["findings"] if finding["check"] == "A901"]
    assert finding["limit"] == "tray.depth_mm"
    assert "limit 500 mm (tray.depth_mm)" in meshguard("validate", "--policy", "tray.toml", "arch.stl", code=0)
    report = json.loads(meshguard("validate", "--no-plugins", "--format", "json", "arch.stl", code=0))
    assert "A901" not in report["outcomes"]
    meshguard("explain", "--no-plugins", "A901", code=2)
    assert "plugins       tray" in meshguard("--version", code=0)
