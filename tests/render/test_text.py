"""Text: the verdict first, bounded length, no line too wide, units and limits, and nothing said by colour alone."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from meshguard.render import render, text_of
from meshguard.render.text import FIRST, FIRST_VERBOSE, GRADES, HEIGHT, verdict, without_symbols
from meshguard.report import Finding, LabelSummary, LimitInForce, Outcome, Report, Safety, Severity, Status, grade_of

STATS = {
    "vertices": 25012,
    "faces": 50000,
    "components": 3,
    "boundary_edges": 312,
    "boundary_groups": 2,
    "area_mm2": 3456.78,
    "extent_x_mm": 62.13,
    "extent_y_mm": 54.321,
    "extent_z_mm": 21.0456,
    "diagonal_mm": 85.2,
}
TITLES = {"S101": "Hole in the surface", "G102": "Face without area", "D101": "Not a tooth number"}
REMEDIES: dict[str, dict[str, str]] = {"S101": {}, "D106": {"none": "check the labels, and mend them by hand"}}
LIMITS = {
    "hole_diameter_mm": LimitInForce(value=2.0, unit="mm", direction="an error above"),
    "fold_angle_deg": LimitInForce(value=170.0, unit="deg", direction="a fold above"),
    "aspect": LimitInForce(value=50.0),
    "floating_area_mm2": LimitInForce(value=20.0, unit="mm2", direction="dropped below"),
}


def hole(diameter: float = 3.4123, **changes: Any) -> Finding:
    """A hole."""
    parts: dict[str, Any] = {
        "check": "S101",
        "severity": Severity.ERROR,
        "message": f"A hole of 24 edges is {diameter:.2f} mm across.",
        "element": "loop",
        "indices": np.arange(24),
        "count": 24,
        "location": (12.345, -3.2101, -0.0),
        "measures": {"perimeter_mm": 10.25, "diameter_mm": diameter, "edges": 24},
        "limit": "hole_diameter_mm",
        "fixable": None,
        "fingerprint": "0" * 16,
    }
    return Finding(**{**parts, **changes})


def flat(number: int, **changes: Any) -> Finding:
    """A face without area."""
    parts: dict[str, Any] = {
        "check": "G102",
        "severity": Severity.WARNING,
        "message": f"Face {number} has no area.",
        "element": "face",
        "indices": [number],
        "count": 1,
        "location": (1.0, 2.0, 3.0),
        "fixable": Safety.LOCAL,
        "fingerprint": f"{number:016x}",
    }
    return Finding(**{**parts, **changes})


def report(*findings: Finding, **changes: Any) -> Report:
    """A report of these findings, worst first."""
    outcomes = {
        check: Outcome(status=Status.PASSED, title=TITLES.get(check, "")) for check in ("F101", "G102", "S101", "T101")
    }
    outcomes["D101"] = Outcome(status=Status.SKIPPED, reason="The mesh has no labels.", title=TITLES["D101"])
    for check in {finding.check for finding in findings}:
        own = [finding.severity for finding in findings if finding.check == check]
        outcomes[check] = Outcome(
            status=Status.FAILED,
            findings=len(own),
            severity=max(own),
            title=TITLES.get(check, ""),
            remedies=REMEDIES.get(check, {}),
        )
    grade, decided_by = grade_of(findings, max_safety=Safety.LOCAL)
    parts: dict[str, Any] = {
        "outcomes": outcomes,
        "findings": findings,
        "stats": STATS,
        "ok": all(finding.severity < Severity.ERROR for finding in findings),
        "grade": grade,
        "decided_by": decided_by,
        "policy": "scan",
        "policy_digest": "ab" * 32,
        "ignored": {},
        "mesh_digest": "cd" * 32,
        "version": "0.1.0",
        "limits": LIMITS,
    }
    return Report(**{**parts, **changes})


def text(one: Report, **options: Any) -> str:
    """The text, under a name."""
    return text_of(one, **{"name": "lower.stl", **options})


class TestVerdict:
    @pytest.mark.parametrize(
        ("findings", "line"),
        [
            ([], "✓ lower.stl: ideal (grade 1 of 4): nothing found"),
            ([flat(1, severity=Severity.INFO)], "✓ lower.stl: ideal (grade 1 of 4): 1 note"),
            ([flat(1)], "! lower.stl: minor, usable (grade 2 of 4): 1 warning"),
            ([hole(fixable=Safety.LOCAL)], "✗ lower.stl: usable with risk (grade 3 of 4): 1 error"),
            ([hole(), hole(), flat(1)], "✗ lower.stl: rescan (grade 4 of 4): 2 errors, 1 warning"),
        ],
    )
    def test_it_is_the_first_line(self, findings: list[Finding], line: str) -> None:
        assert text(report(*findings)).splitlines()[0] == line

    def test_it_stands_alone_too(self) -> None:
        assert verdict(report()).plain == "✓ ideal (grade 1 of 4): nothing found"

    def test_a_report_of_no_check_says_so(self) -> None:
        outcomes = {"F101": Outcome(status=Status.SKIPPED, reason="Not selected.")}

        assert verdict(report(outcomes=outcomes)).plain.endswith(": nothing was checked")

    def test_a_warning_that_fails_is_marked_so(self) -> None:
        assert text(report(flat(1), ok=False)).startswith("✗ lower.stl: minor, usable")

    def test_every_grade_has_words(self) -> None:
        assert sorted(GRADES) == [1, 2, 3, 4]

    def test_a_name_cannot_steer_the_terminal(self) -> None:
        assert text(report(), name="a\x1b[2Jb\n.stl").startswith("✓ a?[2Jb?.stl: ideal")


class TestFindings:
    def test_where_how_bad_and_what_would_fix_it(self) -> None:
        said = text(report(hole()), width=100)

        assert "✗ S101 Hole in the surface: 1 error\n" in said
        assert "    A hole of 24 edges is 3.41 mm across.\n" in said
        assert "at (12.345, -3.210, 0.000) mm; diameter 3.412 mm, an error above 2 mm (hole_diameter_mm)" in said
        assert "perimeter 10.25 mm" in said
        assert "fix: cannot be repaired safely" in said

    @pytest.mark.parametrize("safety", [*Safety, None])
    def test_every_fix_has_words_that_fit_a_line(self, safety: Safety | None) -> None:
        lines = [line for line in text(report(hole(fixable=safety)), width=80).splitlines() if "fix:" in line]

        assert len(lines) == 1
        assert lines[0].endswith(("anything", "limits", "again", "hand"))

    def test_a_note_that_needs_no_fix_has_none(self) -> None:
        assert "fix:" not in text(report(flat(1, severity=Severity.INFO, fixable=None)))

    @pytest.mark.parametrize(("check", "said"), [("D106", "check the labels"), ("S101", "scan or export again")])
    def test_a_scan_is_not_to_blame_for_its_labels(self, check: str, said: str) -> None:
        assert said in " ".join(text(report(flat(1, check=check, fixable=None))).split())

    def test_a_fix_is_said_once_for_a_run(self) -> None:
        said = text(report(hole(), hole(1.0, fixable=Safety.LOCAL), hole(0.9, fixable=Safety.LOCAL)))

        assert said.count("fix:") == 2

    def test_only_the_first_are_shown_and_the_rest_counted(self) -> None:
        said = text(report(*(flat(number) for number in range(10_000))))

        assert "! G102 Face without area: 10,000 warnings" in said
        assert said.count("has no area") == FIRST
        assert f"… and {10_000 - FIRST:,} more; --format json lists them" in said
        assert len(said.splitlines()) < 30

    def test_of_notes_one_is_enough(self) -> None:
        said = text(report(*(flat(number, severity=Severity.INFO) for number in range(9))))

        assert said.count("has no area") == 1
        assert "… and 8 more" in said

    def test_verbose_shows_more(self) -> None:
        said = text(report(*(flat(number) for number in range(100))), verbose=True)

        assert said.count("has no area") == FIRST_VERBOSE
        assert "face 7" in said
        assert "… and 80 more\n" in said

    def test_a_capped_report_still_tells_the_true_number(self) -> None:
        whole = report(*(flat(number) for number in range(1200)))

        assert text(Report.from_json(whole.to_json())) == text(whole)

    def test_severities_of_one_check_are_counted_apart(self) -> None:
        said = text(report(hole(), hole(1.0, severity=Severity.WARNING), flat(1)))

        assert "S101 Hole in the surface: 1 error, 1 warning" in said
        assert "the grade is decided by S101" in said

    def test_a_finding_without_a_place(self) -> None:
        said = text(report(flat(1, location=None, element="file", tooth=36)))

        assert " at (" not in said and "tooth 36" in said

    def test_an_unknown_check_stands_by_its_id(self) -> None:
        one = report(flat(1))
        untold = {check: replace(outcome, title="") for check, outcome in one.outcomes.items()}

        assert "! G102: 1 warning" in text(replace(one, outcomes=untold))


class TestMeasures:
    @pytest.mark.parametrize(
        ("measures", "limit", "said"),
        [
            ({"diameter_mm": 2.5}, "hole_diameter_mm", "diameter 2.5 mm, an error above 2 mm (hole_diameter_mm)"),
            ({"length_mm": 1.0}, "fold_angle_deg", "a fold above 170° (fold_angle_deg); length 1 mm"),
            ({"angle_deg": 171.25}, "fold_angle_deg", "angle 171.2°, a fold above 170° (fold_angle_deg)"),
            ({"aspect": 60.0}, "aspect", "aspect 60, limit 50 (aspect)"),
            ({"lesser_share": 0.4}, "instance_share", "lesser share 0.4, limit instance_share"),
            ({"label_inside": 0}, "label_error_share", "limit label_error_share"),
            ({"caps": 3}, "aspect", "limit 50 (aspect)"),
            (
                {"longest_side_mm": 3.5, "longest_side_if_inches_mm": 88.9},
                "floating_gap_mm",
                "longest side 3.5 mm, limit floating_gap_mm; longest side if inches 88.9 mm",
            ),
            ({"gap_mm": 4e-5}, "weld_mm", "gap 0.00004 mm, limit weld_mm"),
            ({"area_mm2": 1.5}, "floating_area_mm2", "area 1.5 mm², dropped below 20 mm² (floating_area_mm2)"),
            ({"area_mm2": 1234.56}, None, "area 1,235 mm²"),
            ({"area_mm2": math.nan}, None, "area not a finite number"),
            ({"volume_mm3": 1.5e12}, None, "volume 1.500e+12 mm³"),
            ({"offset_bytes": 84}, None, "offset 84 bytes"),
        ],
    )
    def test_value_unit_and_limit(self, measures: dict[str, float], limit: str | None, said: str) -> None:
        assert said in text(report(flat(1, measures=measures, limit=limit)), width=200)

    def test_bare_counts_are_left_to_the_verbose_text(self) -> None:
        assert "edges 24" not in text(report(hole()))
        assert "edges 24" in text(report(hole()), verbose=True)

    @pytest.mark.parametrize(
        ("diagonal", "shown"),
        [(85.2, "1.235"), (8.5, "1.2346"), (0.085, "1.234568"), (3000.0, "1.23"), (None, "1.235")],
    )
    def test_coordinates_resolve_the_mesh(self, diagonal: float | None, shown: str) -> None:
        stats = {} if diagonal is None else {"diagonal_mm": diagonal}

        assert f"at ({shown}, " in text(report(flat(1, location=(1.23456789, 0, 0)), stats=stats))

    def test_a_far_coordinate_is_short(self) -> None:
        assert "at (1e+30, 0.000, 0.000) mm" in text(report(flat(1, location=(1e30, 0, 0))))


class TestSummary:
    def test_checks_in_one_line(self) -> None:
        assert "3 of 5 checks passed, 1 found something, 1 skipped (-v lists them)\n" in text(report(flat(1)))

    def test_verbose_lists_them_with_the_reason(self) -> None:
        said = text(report(flat(1)), verbose=True)

        assert "  ✓ S101 Hole in the surface\n" in said
        assert "  - D101 Not a tooth number: The mesh has no labels.\n" in said

    def test_the_mesh_in_two_columns(self) -> None:
        said = text(report())

        assert "size       62.13 \N{MULTIPLICATION SIGN} 54.32 \N{MULTIPLICATION SIGN} 21.05 mm" in said
        assert "boundary   2 loops, 312 edges" in said
        assert "faces       50,000" in said

    @pytest.mark.parametrize("stats", [{}, {"faces": 0}, {"boundary_edges": 0}, dict.fromkeys(("area_mm2",), math.nan)])
    def test_missing_stats_are_left_out(self, stats: dict[str, float]) -> None:
        said = text(report(stats=stats))

        assert "policy" in said and "None" not in said


class TestLayout:
    ONE = (hole(), hole(1.0, fixable=Safety.LOCAL), *(flat(number) for number in range(50)))

    @pytest.mark.parametrize("width", [40, 80, 100, 120])
    @pytest.mark.parametrize("verbose", [False, True])
    def test_no_line_is_too_wide_or_ends_in_blanks(self, width: int, verbose: bool) -> None:
        for line in text(report(*self.ONE), width=width, verbose=verbose).splitlines():
            assert cell_len(line) <= width
            assert line == line.rstrip()

    @pytest.mark.parametrize("verbose", [False, True])
    @pytest.mark.parametrize("width", [40, 100])
    def test_only_a_text_longer_than_a_screen_ends_with_the_verdict(self, width: int, verbose: bool) -> None:
        for one in (report(), report(*self.ONE), report(*(flat(number) for number in range(20)), hole(), hole())):
            said = text(one, width=width, verbose=verbose)
            first = verdict(one, name="lower.stl").plain
            repeats = " ".join(said.split()).endswith(first)

            assert repeats == (len(said.splitlines()) > HEIGHT)

    def test_plain_text_has_no_escape(self) -> None:
        assert "\x1b" not in text(report(*self.ONE))

    def test_brackets_are_text_not_markup(self) -> None:
        assert "[red]x[/red] [1, 2)" in text(report(flat(1, message="[red]x[/red] [1, 2)")))

    def test_it_prints_in_colour(self) -> None:
        out = io.StringIO()
        Console(file=out, force_terminal=True, color_system="truecolor", width=80).print(render(report(*self.ONE)))

        assert "\x1b[1;31m" in out.getvalue()

    def test_ascii_can_stand_in_for_every_symbol(self) -> None:
        said = text(report(hole(), flat(1, measures={"angle_deg": 3, "area_mm2": 2, "v_mm3": 1})), verbose=True)

        assert not said.isascii()
        assert without_symbols(said).isascii()


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (
            LabelSummary(per="face", numbering="fdi", jaw="lower", jaw_is_told=True, ids=(31,)),
            "1 tooth of the lower jaw, by face",
        ),
        (
            LabelSummary(per="vertex", numbering="fdi", jaw="upper", jaw_is_told=False, ids=(11, 12)),
            "2 teeth of the upper jaw by their numbers, by vertex",
        ),
        (
            LabelSummary(
                per="face", numbering="anonymous", jaw=None, jaw_is_told=False, ids=(1, 2, 3), notes=("So it is.",)
            ),
            "3 classes without names, by face\n  So it is.",
        ),
    ],
)
def test_what_the_labels_are(labels: LabelSummary, said: str) -> None:
    assert f"labels      {said}\n" in text_of(report(labels=labels))
    assert "labels" not in text_of(report())
