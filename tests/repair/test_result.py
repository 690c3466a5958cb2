"""What a repair tells: records as plain data, labels by a proposal, canonical JSON without a clock or a path."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from meshguard import repair
from meshguard.mesh import Mesh
from meshguard.repair.result import NotRepaired, Renumbering, StepRecord
from meshguard.report import Safety
from tests import mutations, shapes
from tests.repair import broken


class TestPlainData:
    def test_of_a_step(self) -> None:
        record = StepRecord(
            name="do it",
            checks=("T101", "T102"),
            safety=Safety.LOCAL,
            why="since it helps",
            mended=3,
            parameters={"limit_mm": np.float64(0.5), "count": 2},
        )

        assert record.to_dict() == {
            "name": "do it",
            "checks": ["T101", "T102"],
            "safety": "local",
            "why": "since it helps",
            "mended": 3,
            "parameters": {"limit_mm": 0.5, "count": 2.0},
            "undone": "",
        }
        assert [type(value) for value in record.to_dict()["parameters"].values()] == [float, float]

    @pytest.mark.parametrize("location", [None, (1.0, 2.0, 3.0)])
    def test_of_what_is_left(self, location: tuple[float, float, float] | None) -> None:
        left = NotRepaired(check="S101", message="A hole.", reason="Too wide.", location=location, fingerprint="f")

        assert left.to_dict() == {
            "check": "S101",
            "message": "A hole.",
            "reason": "Too wide.",
            "location": None if location is None else [1.0, 2.0, 3.0],
            "fingerprint": "f",
        }

    def test_of_a_result(self) -> None:
        found = repair(broken.small_hole())
        told = found.to_dict()

        assert (told["clean"], told["changed"]) == (True, True)
        assert told["new_faces"] == np.count_nonzero(found.face_origin < 0) > 0
        assert told["new_vertices"] == np.count_nonzero(found.vertex_origin < 0)
        assert [step["name"] for step in told["steps"]] == [step.name for step in found.steps]
        assert (told["relabelled"], told["proposal"]) == (None, None)
        assert (told["target"], told["scale"], told["shift_mm"]) == ("ply", 1.0, [0.0, 0.0, 0.0])


class TestChanged:
    def test_it_is_where_a_step_did_something_and_was_not_undone(self) -> None:
        assert repair(mutations.unreferenced()).changed
        assert not repair(shapes.grid()).changed

    def test_it_is_where_another_unit_or_place_was_asked_for(self) -> None:
        sheet = shapes.grid()
        far = Mesh(vertices=sheet.vertices + [20_000.0, 0.0, 0.0], faces=sheet.faces)

        assert repair(sheet, scale=2.0).changed
        assert repair(far, recentre=True).changed
        assert not repair(sheet, unit="mm", recentre=True).changed


def test_it_is_shown_on_one_line() -> None:
    assert repr(repair(shapes.cube(), unit="cm")).startswith("<RepairResult: clean, grade ")
    assert repr(repair(mutations.unreferenced())).endswith(", drop unreferenced vertices>")
    assert repr(repair(shapes.grid())).endswith(", nothing done>")


class TestRenumbering:
    SWAP = Renumbering(kind="mirrored", mapping={11: 21, 21: 11}, reason="They are.", measures={"steps": 2})

    def test_all_labels_change_at_once(self) -> None:
        mesh = shapes.triangle().with_data(vertex={"label": np.array([11, 21, 0], np.uint8)})
        after = self.SWAP.applied_to(mesh)

        assert after.vertex_data["label"].tolist() == [21, 11, 0]
        assert mesh.vertex_data["label"].tolist() == [11, 21, 0]
        assert "label" not in after.face_data

    def test_of_vertices_and_of_faces(self) -> None:
        mesh = shapes.triangle().with_data(vertex={"label": np.array([11, 11, 36])}, face={"label": np.array([11])})
        after = self.SWAP.applied_to(mesh)

        assert after.vertex_data["label"].tolist() == [21, 21, 36]
        assert after.face_data["label"].tolist() == [21]

    def test_as_plain_data(self) -> None:
        assert self.SWAP.to_dict() == {
            "kind": "mirrored",
            "mapping": {"11": 21, "21": 11},
            "reason": "They are.",
            "measures": {"steps": 2.0},
        }


def test_json_is_canonical_and_holds_no_clock_and_no_path() -> None:
    result = repair(mutations.fin())
    text = result.to_json()

    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(text.encode()).digest() == hashlib.sha256(repair(mutations.fin()).to_json().encode()).digest()
    assert "/" not in "".join(step.name for step in result.steps)
