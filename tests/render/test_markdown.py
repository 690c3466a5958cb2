"""A report as Markdown: tables that hold together, nothing taken for markup, the same bytes every time."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

import meshguard
from meshguard.cli import commands
from meshguard.mesh import Mesh
from meshguard.render import markdown_of
from meshguard.render.markdown import MOST, MOST_OF_ONE, code, escaped
from meshguard.report import Finding, Outcome, Report, Severity, Status
from tests.shapes import cube, grid, joined


@pytest.fixture(scope="module")
def report() -> Report:
    """A cube with a face missing and one turned over."""
    faces = np.array(cube().faces[:-1])
    faces[3] = faces[3, ::-1]
    return meshguard.validate(Mesh(vertices=cube().vertices, faces=faces))


def tables(text: str) -> list[list[list[str]]]:
    """Rows and cells of each table; a pipe behind a backslash separates nothing."""
    found: list[list[list[str]]] = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            found[-1].append([cell.strip() for cell in line.replace("\\|", "\0").strip("|").split("|")])
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


def test_a_good_mesh_is_told_in_a_few_lines() -> None:
    text = markdown_of(meshguard.validate(grid()), name="good.stl")

    assert text.startswith("## ✅ `good.stl`: ideal (grade 1 of 4)\n\nNothing found; policy `scan`.\n")
    assert "Worst findings" not in text


def test_what_stands_where(report: Report) -> None:
    text = markdown_of(report, name="broken.stl")
    failed, worst, stats = tables(text)

    assert text.startswith("## ❌ `broken.stl`: ")
    assert failed[0] == ["Check", "Severity", "Findings", "Repair"]
    assert {row[0].split()[0] for row in failed[2:]} == {
        check for check, outcome in report.outcomes.items() if outcome.status is Status.FAILED
    }
    assert worst[0] == ["Check", "What", "Where (mm)", "Measures"]
    first = report.findings[0]
    assert worst[2][0] == first.check and worst[2][1].replace("\\", "") == first.message
    assert ["faces", "11"] in stats
    assert text.endswith(f"mesh `{report.mesh_digest[:16]}`\n")
    assert all(len({len(row) for row in table}) == 1 for table in (failed, worst, stats))


def test_skipped_checks_say_why(report: Report) -> None:
    assert (
        "\n- F101 Declared count does not match the file: The mesh was made from arrays, not read from a file.\n"
        in markdown_of(report)
    )


def test_nothing_is_taken_for_markup(report: Report) -> None:
    nasty = "a | b\n<img src=x> `c` *d* _e_ [f](g) # h @someone"
    finding = replace(report.findings[0], message=nasty, measures={"x|y_mm": float("nan")})
    outcomes = {**report.outcomes, finding.check: replace(report.outcomes[finding.check], title="|" * 3)}
    text = markdown_of(replace(report, findings=(finding,), outcomes=outcomes), name="x|`` `y`\n@z.stl")

    assert all(len(row) == 4 for table in tables(text)[:2] for row in table)
    assert "a \\| b \\<img src=x\\> \\`c\\` \\*d\\* \\_e\\_ \\[f\\](g) \\# h \\@someone" in text
    assert text.startswith("## ❌ ```x|`` `y`?@z.stl```: ")
    assert "not a finite number" in text


def test_many_findings_are_counted_and_no_check_hides_the_others() -> None:
    report = meshguard.validate(joined(*(grid(2, 2) for _ in range(30))), policy="print")
    shown = tables(markdown_of(report))[1][2:]
    checks = [row[0] for row in shown]

    assert len(shown) <= MOST
    assert max(checks.count(check) for check in checks) <= MOST_OF_ONE
    total = sum(outcome.findings for outcome in report.outcomes.values())
    assert f"… and {total - len(shown):,} more; the report's JSON lists them." in markdown_of(report)


def test_a_report_read_back_from_json_gives_the_same_bytes(report: Report) -> None:
    assert markdown_of(Report.from_json(report.to_json())) == markdown_of(report)


def test_a_report_with_nothing_in_it() -> None:
    bare = Report(
        outcomes={"S101": Outcome(status=Status.FAILED, findings=1, severity=Severity.ERROR)},
        findings=(
            Finding(
                check="S101",
                severity=Severity.ERROR,
                message="m",
                element="tooth",
                indices=np.empty(0, np.int32),
                count=0,
                location=None,
                tooth=36,
            ),
        ),
        stats={},
        ok=False,
        grade=9,
        decided_by=(),
        policy="",
        policy_digest="",
        ignored={},
        mesh_digest="",
        version="",
    )

    assert "tooth 36" in markdown_of(bare)


def test_words() -> None:
    assert escaped("a\r\n b\tc\x1b[0m") == "a b c?\\[0m"
    assert [code(text) for text in ("a", "`a", "a``b", "")] == ["`a`", "`` `a ``", "```a``b```", "` `"]


def test_it_does_without_rich() -> None:
    program = "import sys; from meshguard.render import markdown_of; print('rich' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout == "False\n"


def test_the_command(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(str(tmp_path))
    meshguard.save(grid(), "one.stl")
    meshguard.save(grid(), "two.stl")
    said = CliRunner().invoke(commands, ["validate", "--format", "markdown", "one.stl", "two.stl"])
    named = CliRunner().invoke(commands, ["validate", "--format", "markdown", "--paths", "one.stl", "two.stl"])
    quiet = CliRunner().invoke(commands, ["validate", "--format", "markdown", "-q", "one.stl"])

    assert said.exit_code == 0
    assert said.stdout.startswith("## ✅ `file 1`: ") and "\n\n## ✅ `file 2`: " in said.stdout
    assert "one.stl" not in said.stdout
    assert named.stdout.startswith("## ✅ `one.stl`: ") and "\n\n## ✅ `two.stl`: " in named.stdout
    assert quiet.stdout == "## ✅ ideal (grade 1 of 4)\n"
