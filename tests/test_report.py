"""Report: canonical JSON, its schema, the caps on what JSON lists, the rows, and the rule of the grade."""

from __future__ import annotations

import copy
import json
import math
import pickle
from typing import Any, get_args

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshguard.policy import Policy
from meshguard.render import rendered
from meshguard.report import (
    MAX_JSON_FINDINGS,
    MAX_JSON_INDICES,
    Element,
    Finding,
    LabelSummary,
    LimitInForce,
    Outcome,
    Report,
    Safety,
    Severity,
    Status,
    grade_of,
    schema,
)

VALIDATOR = jsonschema.Draft202012Validator(schema())


def finding(check: str = "T101", **changes: Any) -> Finding:
    """One plausible finding."""
    parts: dict[str, Any] = {
        "check": check,
        "severity": Severity.ERROR,
        "message": "Three faces meet at an edge.",
        "element": "edge",
        "indices": [5],
        "count": 1,
        "location": (1.0, 2.5, -3.25),
        "measures": {"length_mm": 0.1},
        "fixable": Safety.LOCAL,
        "fingerprint": "0123456789abcdef",
    }
    return Finding(**{**parts, **changes})


def report(*findings: Finding, **changes: Any) -> Report:
    """A report of these findings."""
    outcomes = {"S101": Outcome(status=Status.PASSED), "D101": Outcome(status=Status.SKIPPED, reason="no labels")}
    for one in findings:
        count = sum(other.check == one.check for other in findings)
        outcomes[one.check] = Outcome(status=Status.FAILED, findings=count, severity=one.severity)
    grade, decided_by = grade_of(findings, max_safety=Safety.LOCAL)
    parts: dict[str, Any] = {
        "outcomes": outcomes,
        "findings": findings,
        "stats": {"faces": 12, "area_mm2": 6.5},
        "ok": not findings,
        "grade": grade,
        "decided_by": decided_by,
        "policy": "scan",
        "policy_digest": "ab" * 32,
        "ignored": {"F104": "no normals"},
        "mesh_digest": "cd" * 32,
        "version": "0.1.0",
    }
    return Report(**{**parts, **changes})


EXPLAINED: dict[str, Any] = {
    "outcomes": {
        "S101": Outcome(
            status=Status.FAILED,
            findings=1,
            severity=Severity.ERROR,
            title="Hole in the surface",
            explanation="Nothing was scanned there.",
            remedies={"local": "can be repaired locally", "none": "scan again"},
        ),
        "T101": Outcome(status=Status.PASSED, title="Non-manifold edge"),
    },
    "limits": {
        "hole_diameter_mm": LimitInForce(
            value=1.5, unit="mm", direction="an error above", meaning="A larger one is an error.", source="proposal"
        )
    },
    "rules": Policy(ignore={"F104": "no normals"}).to_dict(),
}
"""What makes a report explain itself."""


class TestExplained:
    ONE = report(finding("S101", limit="hole_diameter_mm"), **EXPLAINED)

    def test_words_limits_and_policy_go_there_and_back(self) -> None:
        text = self.ONE.to_json()
        again = Report.from_json(text)

        assert again.outcomes == self.ONE.outcomes
        assert again.limits == self.ONE.limits
        assert again.rules == self.ONE.rules
        assert again.to_json() == text
        VALIDATOR.validate(json.loads(text))

    def test_a_report_of_schema_1_0_comes_back_as_it_was(self) -> None:
        old = report(finding()).to_json().replace('"schema":"1.1"', '"schema":"1.0"')
        again = Report.from_json(old)

        assert again.to_json() == old
        assert (again.outcomes["S101"].title, again.limits, again.rules) == ("", {}, {})
        assert "S101" not in again.to_text() and "T101" in again.to_text()

    def test_it_renders_itself_and_a_stored_one_gives_the_same(self) -> None:
        stored = Report.from_json(self.ONE.to_json())

        assert stored.to_text(width=80, name="a.stl").startswith("✗ a.stl: usable with risk (grade 3 of 4): 1 error\n")
        assert stored.to_markdown().startswith("## ❌ usable with risk (grade 3 of 4)\n")
        for form in ("to_text", "to_markdown"):
            assert getattr(stored, form)() == getattr(self.ONE, form)()
            assert "S101 Hole in the surface" in getattr(stored, form)()
            assert "an error above 1.5 mm" in getattr(stored, form)().replace("\\", "")
            assert "can be repaired locally" in getattr(stored, form)()
        assert "T101 Non-manifold edge" in stored.to_text(verbose=True)

    def test_print_shows_the_text_and_repr_one_line(self) -> None:
        assert str(self.ONE) + "\n" == self.ONE.to_text()
        assert repr(self.ONE) == "<Report: not ok, grade 3 of 4, 1 error, policy 'scan'>"
        assert repr(report()) == "<Report: ok, grade 1 of 4, nothing found, policy 'scan'>"
        assert repr(finding()) == "<Finding T101, error: Three faces meet at an edge.>"

    def test_a_form_that_does_not_exist(self) -> None:
        with pytest.raises(ValueError, match="there is no form 'html'; there are text, markdown"):
            rendered(report(), "html")


class TestJson:
    def test_the_bytes_are_pinned(self) -> None:
        expected = (
            '{"decided_by":["0123456789abcdef"],"findings":[{"check":"T101","count":1,"element":"edge",'
            '"fingerprint":"0123456789abcdef","fixable":"local","indices":[5],"indices_total":1,"limit":null,'
            '"location":[1.0,2.5,-3.25],"measures":{"length_mm":0.1},"message":"Three faces meet at an edge.",'
            '"severity":"error","tooth":null}],"grade":3,"labels":null,"mesh":{"digest":"'
            + "cd"
            * 32
            + '"},"ok":false,'
            '"outcomes":{"D101":{"findings":0,"reason":"no labels","severity":null,"status":"skipped"},'
            '"S101":{"findings":0,"reason":null,"severity":null,"status":"passed"},'
            '"T101":{"findings":1,"reason":null,"severity":"error","status":"failed"}},'
            '"policy":{"digest":"' + "ab" * 32 + '","ignored":{"F104":"no normals"},"name":"scan"},'
            '"schema":"1.1","stats":{"area_mm2":6.5,"faces":12},"version":"0.1.0"}'
        )

        assert report(finding()).to_json() == expected

    def test_labels_go_there_and_back(self) -> None:
        told = LabelSummary(
            per="face", numbering="fdi", jaw="lower", jaw_is_told=True, ids=(31, 32), notes=("By colour.",)
        )
        text = report(labels=told).to_json()

        assert (
            '"labels":{"ids":[31,32],"jaw":"lower","jaw_is_told":true,"notes":["By colour."],"numbering":"fdi",'
            '"per":"face"}'
        ) in text
        assert Report.from_json(text).labels == told
        VALIDATOR.validate(json.loads(text))

    def test_the_order_of_mappings_takes_no_part(self) -> None:
        one = report(finding(measures={"a": 1.0, "b": 2.0}), stats={"x": 1, "y": 2})
        two = report(finding(measures={"b": 2.0, "a": 1.0}), stats={"y": 2, "x": 1})

        assert one.to_json() == two.to_json()

    def test_it_is_ascii_on_one_line(self) -> None:
        text = report(finding(message="Größe 3 mm²\nzwei")).to_json()

        assert text.isascii() and "\n" not in text
        assert Report.from_json(text).findings[0].message == "Größe 3 mm²\nzwei"

    def test_numpy_numbers_become_plain_ones(self) -> None:
        one = finding(
            count=np.int64(3),
            location=tuple(np.array([0.5, 1, 2], np.float32)),
            measures={"a": np.float32(0.5), "b": np.int8(2)},
        )
        data = json.loads(report(one, stats={"faces": np.int64(2), "area_mm2": np.float64(0.1)}).to_json())

        assert data["findings"][0]["count"] == 3
        assert data["findings"][0]["location"] == [0.5, 1.0, 2.0]
        assert data["findings"][0]["measures"] == {"a": 0.5, "b": 2}
        assert data["stats"] == {"faces": 2, "area_mm2": 0.1}

    def test_negative_zero_is_zero(self) -> None:
        text = report(finding(location=(-0.0, 0.0, -0.0), measures={"a": -0.0}), stats={"b": -0.0}).to_json()

        assert "-0.0" not in text

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    def test_what_is_not_finite_is_null(self, value: float) -> None:
        text = report(finding(location=(0.0, value, 0.0), measures={"a": value}), stats={"b": value}).to_json()
        data = json.loads(text)

        assert data["findings"][0]["location"] is None
        assert data["findings"][0]["measures"] == {"a": None}
        assert data["stats"] == {"b": None}
        VALIDATOR.validate(data)

    @given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3))
    def test_floats_round_trip_exactly(self, values: list[float]) -> None:
        one = report(finding(location=tuple(values), measures={"a": values[0]}))
        again = Report.from_json(one.to_json())

        assert again.findings[0].location == tuple(values)
        assert again.to_json() == one.to_json()


class TestRoundTrip:
    @pytest.mark.parametrize(
        "one",
        [
            report(),
            report(finding()),
            report(finding(location=None, fixable=None, tooth=36, limit="hole_diameter_mm")),
            report(finding(), finding("S103", severity=Severity.WARNING), finding("F104", element="file", indices=[])),
        ],
    )
    def test_a_report_comes_back(self, one: Report) -> None:
        again = Report.from_json(one.to_json())

        assert again.to_json() == one.to_json()
        assert Report.from_json(one.to_json().encode()).to_json() == one.to_json()
        assert (again.ok, again.grade, again.policy, again.ignored) == (one.ok, one.grade, one.policy, one.ignored)
        assert again.outcomes == one.outcomes

    @pytest.mark.parametrize("clone", [lambda one: pickle.loads(pickle.dumps(one)), copy.deepcopy])
    def test_a_pickled_report_keeps_all_indices(self, clone: Any) -> None:
        one = report(finding(indices=np.arange(5000), count=5000))
        again = clone(one)

        assert again.to_json() == one.to_json()
        assert len(again.findings[0].indices) == 5000
        assert not again.findings[0].indices.flags.writeable

    @pytest.mark.parametrize(
        "text", ["", "[]", "{}", "null", '{"schema":"1.0"}', '{"schema":"1.0","outcomes":[]}', '{"schema":"2.0"}', "{"]
    )
    def test_other_json_is_a_value_error(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"report|Expecting"):
            Report.from_json(text)

    def test_a_later_minor_version_can_be_read(self) -> None:
        data = report(finding()).to_dict() | {"schema": "1.7", "something_new": 1}
        data["findings"][0]["something_new"] = 1

        assert Report.from_json(json.dumps(data)).schema == "1.7"
        VALIDATOR.validate(data)


class TestCaps:
    def test_long_lists_of_indices_are_capped_with_the_true_number_beside_them(self) -> None:
        one = report(finding(indices=np.arange(10**6), count=10**6))
        data = one.to_dict()["findings"][0]

        assert data["indices"] == list(range(MAX_JSON_INDICES))
        assert data["indices_total"] == data["count"] == 10**6
        assert len(one.findings[0].indices) == 10**6
        assert Report.from_json(one.to_json()).to_json() == one.to_json()

    def test_findings_are_capped_for_each_check(self) -> None:
        many = [finding("G102", fingerprint=f"{number:016x}") for number in range(MAX_JSON_FINDINGS + 5)]
        one = report(*many, finding("T101"))
        data = one.to_dict()

        assert len(data["findings"]) == MAX_JSON_FINDINGS + 1
        assert data["findings"][-1]["check"] == "T101"
        assert data["outcomes"]["G102"]["findings"] == MAX_JSON_FINDINGS + 5
        assert len(one.findings) == MAX_JSON_FINDINGS + 6
        assert Report.from_json(one.to_json()).to_json() == one.to_json()
        VALIDATOR.validate(data)

    def test_a_very_broken_mesh_gives_json_that_a_browser_can_open(self) -> None:
        many = [finding("G102", indices=np.arange(2000), fingerprint=f"{number:016x}") for number in range(3000)]

        assert len(report(*many).to_json()) < 10_000_000


class TestSchema:
    def test_it_is_a_schema(self) -> None:
        jsonschema.Draft202012Validator.check_schema(schema())
        assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"

    @pytest.mark.parametrize(
        "one",
        [
            report(),
            report(finding()),
            report(finding(location=None, fixable=None, tooth=11)),
            report(unchecked=("It was not checked whether this is a dental arch: it is flat.",)),
            report(finding("S101", limit="hole_diameter_mm"), **EXPLAINED),
        ],
    )
    def test_reports_satisfy_it(self, one: Report) -> None:
        VALIDATOR.validate(json.loads(one.to_json()))

    def test_a_field_of_a_later_version_may_be_absent(self) -> None:
        assert "unchecked" not in report().to_dict()
        assert "unchecked" not in schema()["required"]
        assert Report.from_json(report().to_json()).unchecked == ()
        told = report(unchecked=("That was not checked.",))
        assert Report.from_json(told.to_json()).unchecked == told.unchecked
        assert Report.from_json(told.to_json()).to_json() == told.to_json()

    def test_every_field_is_required_and_described(self) -> None:
        data = report(finding()).to_dict()
        places: list[tuple[dict[str, Any], dict[str, Any]]] = [
            (schema(), data),
            (schema()["properties"]["policy"], data["policy"]),
            (schema()["properties"]["mesh"], data["mesh"]),
            (schema()["$defs"]["outcome"], data["outcomes"]["T101"]),
            (schema()["$defs"]["finding"], data["findings"][0]),
            (schema()["$defs"]["limit"], EXPLAINED["limits"]["hole_diameter_mm"].to_dict()),
        ]
        later = {"unchecked", "limits", "rules", "title", "explanation", "remedies"}
        for described, found in places:
            assert sorted(described["required"]) == sorted({*described["properties"]} - later) == sorted(found)
            for name, field in described["properties"].items():
                assert field.get("description"), name

    def test_its_words_are_those_of_the_library(self) -> None:
        defined = schema()["$defs"]

        assert defined["severity"]["enum"] == [str(severity) for severity in Severity]
        assert defined["finding"]["properties"]["fixable"]["enum"] == [*(safety.value for safety in Safety), None]
        assert defined["outcome"]["properties"]["status"]["enum"] == [status.value for status in Status]
        assert defined["finding"]["properties"]["element"]["enum"] == list(get_args(Element))
        assert defined["finding"]["properties"]["indices"]["maxItems"] == MAX_JSON_INDICES

    @pytest.mark.parametrize(
        "spoiled",
        [
            {"grade": 5},
            {"ok": 1},
            {"schema": "2.0"},
            {"mesh": {}},
            {"outcomes": {"T1": {}}},
            {"findings": [{}]},
            {"stats": {"a": "1"}},
            {"limits": {"weld_mm": 1.0}},
        ],
    )
    def test_what_is_no_report_does_not(self, spoiled: dict[str, Any]) -> None:
        assert not VALIDATOR.is_valid(report(finding()).to_dict() | spoiled)


class TestRows:
    def test_one_flat_row_a_finding(self) -> None:
        rows = report(finding(), finding("F101", location=None, fixable=None, element="file")).rows(file="lower.stl")

        assert [row["check"] for row in rows] == ["T101", "F101"]
        assert rows[0]["file"] == "lower.stl"
        assert (rows[0]["x_mm"], rows[0]["y_mm"], rows[0]["z_mm"]) == (1.0, 2.5, -3.25)
        assert rows[0]["length_mm"] == 0.1
        assert (rows[0]["tooth"], rows[0]["limit"]) == (finding().tooth, finding().limit)
        assert rows[1]["x_mm"] is None and rows[1]["fixable"] is None

    def test_no_findings_no_rows(self) -> None:
        assert report().rows() == []

    def test_a_report_knows_no_file(self) -> None:
        assert report(finding()).rows()[0]["file"] is None


class TestGrade:
    ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
    NO, LOSSLESS, LOCAL, INVENTIVE = None, Safety.LOSSLESS, Safety.LOCAL, Safety.INVENTIVE

    @pytest.mark.parametrize(
        ("found", "most", "grade", "deciding"),
        [
            ([], LOCAL, 1, []),
            ([(INFO, NO)], LOCAL, 1, []),
            ([(WARNING, NO)], LOCAL, 2, [0]),
            ([(WARNING, LOCAL), (WARNING, NO), (INFO, NO)], LOCAL, 2, [0, 1]),
            ([(ERROR, LOSSLESS)], LOCAL, 3, [0]),
            ([(ERROR, LOCAL), (WARNING, NO)], LOCAL, 3, [0]),
            ([(ERROR, INVENTIVE)], LOCAL, 4, [0]),
            ([(ERROR, INVENTIVE)], INVENTIVE, 3, [0]),
            ([(ERROR, LOCAL)], LOSSLESS, 4, [0]),
            ([(ERROR, NO)], INVENTIVE, 4, [0]),
            ([(ERROR, LOCAL), (ERROR, NO), (ERROR, LOCAL)], LOCAL, 4, [1]),
        ],
    )
    def test_the_rule(self, found: list[Any], most: Safety, grade: int, deciding: list[int]) -> None:
        findings = [
            finding(severity=severity, fixable=fixable, fingerprint=f"{number:016x}")
            for number, (severity, fixable) in enumerate(found)
        ]

        assert grade_of(findings, max_safety=most) == (grade, tuple(f"{number:016x}" for number in deciding))

    def test_at_most_ten_findings_decide(self) -> None:
        findings = [finding(fingerprint=f"{number:016x}") for number in range(20)]

        assert len(grade_of(findings, max_safety=Safety.LOCAL)[1]) == 10

    def test_safety_is_ordered(self) -> None:
        assert [safety.rank for safety in (Safety.LOSSLESS, Safety.LOCAL, Safety.INVENTIVE)] == [0, 1, 2]


def test_a_finding_counts_its_own_indices() -> None:
    assert finding(indices=[3, 4, 5]).indices_total == 3
    assert finding(indices=[3, 4, 5], indices_total=9).indices_total == 9
