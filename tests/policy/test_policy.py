"""Policy: limits, selection, errors that name the nearest, TOML, and a digest that identifies it."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest

from meshguard.errors import PolicyError
from meshguard.policy import BUILT_IN, LIMITS, Limit, Policy, Tolerance, policy
from meshguard.report import LimitInForce, Safety, Severity

if TYPE_CHECKING:
    from pathlib import Path


class TestLimits:
    def test_what_is_not_named_keeps_its_default(self) -> None:
        changed = Policy(limits={"hole_diameter_mm": 3})

        assert changed.limit("hole_diameter_mm") == 3.0
        assert changed.limit("weld_mm") == LIMITS["weld_mm"].default

    @pytest.mark.parametrize("name", sorted(LIMITS))
    def test_every_limit_is_explained(self, name: str) -> None:
        limit = LIMITS[name]

        assert limit.default >= 0
        assert limit.meaning.endswith(".") and limit.source
        units = {"mm", "mm2", "deg", "fraction", "share", "aspect", "pairs", "ratio", "confidence", "gain"}
        assert name.rpartition("_")[2] in units

    @pytest.mark.parametrize("value", [-1, float("nan"), "2", None, True])
    def test_a_limit_is_a_number_of_at_least_zero(self, value: Any) -> None:
        with pytest.raises(PolicyError, match="limit weld_mm must be a number"):
            Policy(limits={"weld_mm": value})

    def test_a_tolerance_is_never_more_than_its_fraction_of_the_mesh(self) -> None:
        hole = policy("scan").tolerance("hole_diameter_mm")

        assert hole == Tolerance(2.0, 0.02)
        assert hole.within(80.0) == pytest.approx(1.6)
        assert hole.within(1000.0) == 2.0
        assert hole.within(0.0) == 0.0

    def test_a_limit_in_force_is_bounded_by_the_mesh_and_explained(self) -> None:
        small, large = ({"diagonal_mm": diagonal, "area_mm2": 60.0} for diagonal in (10.0, 1000.0))
        hole = LIMITS["hole_diameter_mm"]

        assert Policy().in_force("hole_diameter_mm", small).value == pytest.approx(0.2)
        assert Policy().in_force("hole_diameter_mm", large).value == 2.0
        assert Policy().in_force("hole_diameter_mm", {}).value == 2.0
        assert Policy().in_force("floating_area_mm2", small).value == pytest.approx(0.3)
        assert Policy(limits={"aspect": 9}).in_force("aspect", small).value == 9.0
        assert Policy().in_force(hole, large) == LimitInForce(
            value=2.0, unit="mm", direction="an error above", meaning=hole.meaning, source=hole.source
        )

    @pytest.mark.parametrize("name", ["aspect", "hole_fraction", "order_mm"])
    def test_a_limit_that_no_fraction_bounds_is_no_tolerance(self, name: str) -> None:
        with pytest.raises(PolicyError, match=f"no fraction of the mesh bounds limit {name}"):
            Policy().tolerance(name)

    @pytest.mark.parametrize("ask", [Policy().limit, Policy().tolerance])
    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("hole_diameter", "there is no limit 'hole_diameter'; did you mean 'hole_diameter_mm'?"),
            (
                "acme.gum_band_mm",
                "limit 'acme.gum_band_mm' belongs to another package, and this policy does not set it",
            ),
        ],
    )
    def test_a_name_without_a_limit_is_a_policy_error(self, ask: Any, name: str, said: str) -> None:
        with pytest.raises(PolicyError) as refusal:
            ask(name)

        assert said in str(refusal.value)


BAND = Limit("acme.gum_band_mm", 3.0, "Gum reaches at least this far below the crowns.")


class TestLimitsOfOtherPackages:
    def test_a_limit_brings_its_own_default(self) -> None:
        assert BAND.name not in LIMITS
        assert Policy().limit(BAND) == 3.0

    def test_a_policy_sets_it_by_name(self) -> None:
        chosen = Policy(limits={"acme.gum_band_mm": 2})

        assert chosen.limit(BAND) == chosen.limit("acme.gum_band_mm") == 2.0

    def test_one_of_meshguard_may_be_given_itself(self) -> None:
        chosen = Policy(limits={"weld_mm": 0.5})

        assert chosen.limit(LIMITS["weld_mm"]) == 0.5
        assert chosen.tolerance(LIMITS["weld_mm"]) == Tolerance(0.5, 1e-5)

    def test_it_may_be_bounded_by_a_fraction_of_meshguards(self) -> None:
        near = Limit("acme.near_mm", 0.1, "Nearer than this is near.", bound="hole_fraction")

        assert Policy().tolerance(near) == Tolerance(0.1, 0.02)

    @pytest.mark.parametrize("value", [-1, float("nan"), "2", None, True, {"mm": 1}])
    def test_its_value_is_a_number_of_at_least_zero(self, value: Any) -> None:
        with pytest.raises(PolicyError, match=r"limit acme\.gum_band_mm must be a number"):
            Policy(limits={"acme.gum_band_mm": value})

    @pytest.mark.parametrize(
        "limits",
        [
            '"acme.gum_band_mm" = 2',
            "acme.gum_band_mm = 2",
            "[limits.acme]\ngum_band_mm = 2",
            "acme = {gum_band_mm = 2}",
        ],
    )
    def test_a_file_names_it_in_quotes_or_in_a_table(self, tmp_path: Path, limits: str) -> None:
        path = tmp_path / "p.toml"
        path.write_text(f"[limits]\nweld_mm = 0.5\n{limits}\n", "utf-8")

        assert dict(policy(path).limits) == {"weld_mm": 0.5, "acme.gum_band_mm": 2.0}

    @pytest.mark.parametrize(
        ("limits", "said"),
        [
            ({"weld_mm": {"x": 1}}, "limit weld_mm must be a number"),
            ({"acme": {"deep": {"x_mm": 1}}}, "limit acme.deep must be a number"),
            ({"acme.x_mm": 1, "acme": {"x_mm": 2}}, "limit acme.x_mm is given twice"),
            ({"acme": 1}, "there is no limit 'acme'"),
        ],
    )
    def test_only_one_table_deep_and_once(self, limits: Any, said: str) -> None:
        with pytest.raises(PolicyError) as refusal:
            Policy.from_dict({"limits": limits})

        assert said in str(refusal.value)

    def test_the_digest_sees_it_only_where_it_is_set(self) -> None:
        chosen = Policy(limits={"acme.gum_band_mm": 2})

        assert list(Policy().to_dict()["limits"]) == list(LIMITS)
        assert chosen.to_dict()["limits"] == {**Policy().to_dict()["limits"], "acme.gum_band_mm": 2.0}
        assert chosen.digest() != Policy().digest()
        assert Policy.from_dict(chosen.to_dict()) == Policy(limits=chosen.to_dict()["limits"])
        assert pickle.loads(pickle.dumps(chosen)) == chosen


class TestNearest:
    @pytest.mark.parametrize(
        ("make", "said"),
        [
            (lambda: policy("scann"), "there is no policy 'scann'; did you mean 'scan'?"),
            (lambda: policy("zzz"), "there are labelled, print, scan, strict"),
            (lambda: Policy(limits={"hole_diameter": 1}), "did you mean 'hole_diameter_mm'?"),
            (lambda: Policy(rim="two"), "rim must be one of one, any, closed"),  # type: ignore[arg-type]
            (lambda: Policy(labels="some"), "labels must be one of optional, required"),  # type: ignore[arg-type]
            (lambda: Policy(fail_on="eror"), "did you mean 'error'?"),  # type: ignore[arg-type]
            (lambda: Policy(severities={"T": "warn"}), "did you mean 'warning'?"),  # type: ignore[dict-item]
            (lambda: Policy(max_safety="loosless"), "did you mean 'lossless'?"),  # type: ignore[arg-type]
            (lambda: Policy.from_dict({"selct": []}), "did you mean 'select'?"),
            (lambda: Policy.from_dict({"base": "scam"}), "did you mean 'scan'?"),
            (lambda: Policy.from_dict({"limits": [1]}), "limits of a policy is a table"),
            (lambda: Policy.from_dict({"select": "T101"}), "select of a policy is a list"),
            (lambda: Policy.from_dict({"fail_on": ["error"]}), "is not a value here"),
            (lambda: Policy.from_dict({"max_safety": 2}), "is not a value here"),
        ],
    )
    def test_the_error_names_what_exists(self, make: Any, said: str) -> None:
        with pytest.raises(PolicyError) as refusal:
            make()

        assert said in str(refusal.value)


class TestSelection:
    @pytest.mark.parametrize(
        ("select", "ignore", "runs", "rests"),
        [
            ((), (), ["T101", "F104"], []),
            (("T",), (), ["T101", "T108"], ["F104"]),
            (("T101", "S"), (), ["T101", "S102"], ["T102", "F101"]),
            ((), ("T",), ["F101"], ["T101"]),
            ((), ("T101",), ["T102"], ["T101"]),
            # The longest match wins, and an ignore wins a draw.
            (("T101",), ("T",), ["T101"], ["T102", "F101"]),
            (("T",), ("T10",), ["T201"], ["T101"]),
            (("T101",), ("T101",), [], ["T101"]),
        ],
    )
    def test_the_longest_match_wins(self, select: Any, ignore: Any, runs: list[str], rests: list[str]) -> None:
        chosen = Policy(select=select, ignore=dict.fromkeys(ignore, ""))

        assert [check for check in runs if not chosen.selects(check)] == []
        assert [check for check in rests if chosen.selects(check)] == []

    def test_one_id_needs_no_list(self) -> None:
        chosen = Policy(select="T101", ignore="S102")  # type: ignore[arg-type]

        assert chosen.select == ("T101",)
        assert dict(chosen.ignore) == {"S102": ""}

    def test_severities_by_the_longest_prefix(self) -> None:
        chosen = Policy(severities={"T": Severity.INFO, "T101": Severity.ERROR})

        assert chosen.severity_of("T101") is Severity.ERROR
        assert chosen.severity_of("T102") is Severity.INFO
        assert chosen.severity_of("S101") is None


class TestToml:
    def test_a_file_changes_what_it_names(self, tmp_path: Path) -> None:
        path = tmp_path / "clinic.toml"
        path.write_text(
            'base = "strict"\nname = "clinic"\nselect = ["T", "S"]\nrim = "any"\nmax_safety = "inventive"\n'
            'fail_on = "info"\n[ignore]\nS103 = "we scan in pieces"\n'
            '[limits]\nweld_mm = 0.01\n[severities]\nT = "info"\n',
            "utf-8",
        )
        chosen = policy(path)

        assert chosen.name == "clinic"
        assert chosen.select == ("T", "S")
        assert dict(chosen.ignore) == {"S103": "we scan in pieces"}
        assert chosen.limit("weld_mm") == 0.01
        assert chosen.severity_of("T101") is Severity.INFO
        assert (chosen.rim, chosen.max_safety, chosen.fail_on) == ("any", Safety.INVENTIVE, Severity.INFO)
        assert policy(str(path)) == chosen

    def test_an_empty_file_is_the_policy_scan(self, tmp_path: Path) -> None:
        path = tmp_path / "p.toml"
        path.write_text("")

        assert policy(path).replace(name="scan") == BUILT_IN["scan"]

    @pytest.mark.parametrize("content", [b"limits = [", b"\xff\xfe"])
    def test_what_is_not_toml_is_a_policy_error(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "p.toml"
        path.write_bytes(content)
        with pytest.raises(PolicyError, match="cannot be read"):
            policy(path)

    def test_a_missing_file_is_a_policy_error(self, tmp_path: Path) -> None:
        with pytest.raises(PolicyError, match="cannot be read"):
            policy(tmp_path / "none.toml")

    def test_a_file_cannot_be_based_on_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "p.toml"
        path.write_text(f"base = {str(path)!r}\n")
        with pytest.raises(PolicyError, match="is not a value here"):
            policy(path)


class TestIdentity:
    def test_plain_data_tells_every_limit_in_force(self) -> None:
        assert Policy(limits={"weld_mm": 1}).to_dict()["limits"] == {
            **{name: limit.default for name, limit in LIMITS.items()},
            "weld_mm": 1.0,
        }

    def test_the_digest_sees_every_field(self) -> None:
        changed = [
            Policy(name="other"),
            Policy(select=("T",)),
            Policy(ignore={"T": ""}),
            Policy(ignore={"T": "why"}),
            Policy(limits={"weld_mm": 1}),
            Policy(severities={"T": Severity.INFO}),
            Policy(rim="any"),
            Policy(labels="required"),
            Policy(max_safety=Safety.LOSSLESS),
            Policy(fail_on=Severity.INFO),
        ]

        assert len({one.digest() for one in [Policy(), *changed]}) == 1 + len(changed)

    @pytest.mark.parametrize("one", [*BUILT_IN.values(), Policy(ignore={"T": "x"}, severities={"S": Severity.INFO})])
    def test_plain_data_makes_the_same_policy(self, one: Policy) -> None:
        assert Policy.from_dict(one.to_dict()).digest() == one.digest()

    def test_a_default_that_is_written_out_changes_nothing(self) -> None:
        assert Policy(limits={"weld_mm": LIMITS["weld_mm"].default}).digest() == Policy().digest()

    @pytest.mark.parametrize("one", [*BUILT_IN.values(), Policy(ignore={"T": "x"}, severities={"S": Severity.INFO})])
    def test_pickling(self, one: Policy) -> None:
        again = pickle.loads(pickle.dumps(one))

        assert again == one
        assert again.digest() == one.digest()

    def test_a_policy_cannot_be_changed(self) -> None:
        with pytest.raises(TypeError):
            Policy().limits["weld_mm"] = 1  # type: ignore[index]
        assert policy(Policy(name="mine")).name == "mine"
