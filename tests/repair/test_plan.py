"""The plan: gentle before harsh, each step proved and undone where it did not help, no step beyond what is allowed."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from meshguard import repair
from meshguard.budget import Steps
from meshguard.checks import CATALOGUE
from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh
from meshguard.policy import policy
from meshguard.repair import plan
from meshguard.repair.draft import Draft
from meshguard.repair.step import Change, Step
from meshguard.report import Safety
from tests import mutations, shapes
from tests.repair.proof import proved
from tests.repair.test_pipeline import BROKEN, attempted


def draft(mesh: Mesh) -> Draft:
    return Draft.of(MeshFacts(mesh, policy("scan")))


def test_every_step_says_what_it_is_and_why_it_stands_there() -> None:
    names = [step.name for step in plan.PLAN]

    assert len(set(names)) == len(names)
    assert {check for step in plan.PLAN for check in step.checks} <= {check.id for check in CATALOGUE}
    for step in plan.PLAN:
        assert re.match(r"[a-z].*[^.]$", step.name)
        assert len(step.why) > 20 and not step.why.endswith(".")


def test_what_invents_a_body_comes_last() -> None:
    ranks = [step.safety.rank for step in plan.PLAN]

    assert ranks.index(Safety.INVENTIVE.rank) == len(ranks) - 1


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_steps_are_recorded_in_the_order_of_the_plan_and_within_what_is_allowed(name: str) -> None:
    order = [step.name for step in plan.PLAN]
    for rules, most in (("scan", Safety.LOCAL), ("strict", Safety.LOSSLESS)):
        result = attempted(BROKEN[name](), policy=rules)
        places = [order.index(step.name) for step in result.steps]
        turns = sum(after <= before for before, after in itertools.pairwise(places))

        assert turns < plan.MOST_PASSES
        assert all(step.safety.rank <= most.rank for step in result.steps)
        assert all(step.mended > 0 or step.undone for step in result.steps)


def test_a_step_that_does_not_help_is_undone_and_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    def harm(before: Draft) -> Change:
        return Change(draft=before.turned(before.facts.face_measures.area > 0), mended=1)

    step = Step(name="harm", checks=("T103",), safety=Safety.LOCAL, why="to be undone", run=harm, count=lambda _: 7)
    monkeypatch.setattr(plan, "PLAN", (step,))
    start = draft(shapes.grid())
    after, records, over = plan.run_plan(start, Steps(), Safety.LOCAL)

    assert after is start
    assert [(record.name, record.mended, record.undone) for record in records] == [
        ("harm", 0, "it would have left 7 of 7")
    ]
    assert over == ""


def test_steps_beyond_what_is_allowed_are_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_: Draft) -> Change:
        raise AssertionError("this must not run")

    step = Step(name="x", checks=(), safety=Safety.INVENTIVE, why="never", run=never, count=lambda _: 0)
    monkeypatch.setattr(plan, "PLAN", (step,))

    assert plan.run_plan(draft(shapes.grid()), Steps(), Safety.LOCAL)[1:] == ([], "")


def test_a_plan_that_never_settles_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    left = iter(range(1000, 0, -1))

    def turn(before: Draft) -> Change:
        return Change(draft=before.turned(before.facts.face_measures.area > 0), mended=1)

    step = Step(name="x", checks=(), safety=Safety.LOCAL, why="no end", run=turn, count=lambda _: next(left))
    monkeypatch.setattr(plan, "PLAN", (step,))

    assert len(plan.run_plan(draft(shapes.grid()), Steps(), Safety.LOCAL)[1]) == plan.MOST_PASSES


def test_a_clean_draft_is_gone_through_once() -> None:
    calls: list[str] = []
    repair(shapes.grid(), progress=lambda _done, _total, what: calls.append(what))

    assert [what for what in calls if what in {step.name for step in plan.PLAN}] == [
        step.name for step in plan.PLAN if step.safety is not Safety.INVENTIVE
    ]


def test_a_fin_is_set_free_before_debris_is_dropped() -> None:
    order = [step.name for step in plan.PLAN]

    assert (
        order.index("split non-manifold edges and vertices")
        < order.index("drop floating components")
        < order.index("fill holes")
    )
    assert len(repair(mutations.fin()).mesh.faces) >= 96


def test_steps_that_undo_one_another_end_the_plan() -> None:
    """Joined along its cracks the surface has one side only; cut there it has cracks again."""
    vertices = [[2, 1, 1], [0, 0, 2], [0, 2, 0], [2, 2, 2], [2, 2, 2], [2, 0, 1], [1, 1, 2], [1, 2, 1], [1, 0, 2]]
    faces = [[8, 4, 1], [8, 0, 3], [4, 2, 1], [6, 2, 4], [7, 5, 2], [6, 5, 3]]
    rules = policy("scan").replace(limits={"carve_fraction": 0.1})
    result = repair(Mesh(vertices=np.array(vertices, np.float64), faces=faces), policy=rules)
    again = repair(result.mesh, policy=rules)

    proved(result, rules)
    assert again.mesh is result.mesh
    assert again.steps == ()


def test_a_pass_that_mends_nothing_in_all_is_undone() -> None:
    """What one step stitches here another cuts, a little aside each time: that could go on for ever."""
    vertices = np.array([[0, 2, 4], [2, 5, 5], [1, 5, 0], [0, 3, 0], [2, 2, 1], [5, 1, 4], [3, 5, 4], [4, 5, 0]]) * 0.1
    triples = "375 250 704 064 342 512 302 165 257 475 256 146 035 165 320 206 610 703 514 463 316 401"
    mesh = Mesh(vertices=vertices, faces=[[int(digit) for digit in triple] for triple in triples.split()])
    rules = policy("scan").replace(limits={"carve_fraction": 0.1, "removed_fraction": 1.0})
    result = repair(mesh, policy=rules)
    again = repair(result.mesh, policy=rules)

    assert again.mesh is result.mesh
    assert not again.changed and not again.steps
