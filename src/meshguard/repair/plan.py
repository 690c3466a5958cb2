"""The plan: which steps repair takes, in which order and why, and the proof after each.

A step runs, is checked, and is undone when it did not help. The plan is gone through again until it changes nothing:
so repairing what was repaired changes nothing either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.errors import BudgetExceeded
from meshguard.repair import acceptance
from meshguard.repair.mesh import (
    debris,
    degenerate_faces,
    duplicates,
    holes,
    nonmanifold,
    orientation,
    rounding,
    self_intersections,
    solid,
    stitching,
)
from meshguard.repair.result import StepRecord
from meshguard.repair.steps import Step
from meshguard.report import Safety

if TYPE_CHECKING:
    from meshguard.budget import Steps
    from meshguard.repair.draft import Draft

MOST_PASSES = 8
"""Times that the plan is gone through. What is not clean then is refused: this bounds the work, not the clock."""


def _inconsistent(draft: Draft) -> int:
    """Edges that both their faces run the same way."""
    return len(draft.facts.inconsistent_edges)


def _nonmanifold(draft: Draft) -> int:
    """Half-edges of edges with more than two faces, and positions with several fans."""
    return len(draft.facts.edges.nonmanifold) + draft.facts.fans.n_nonmanifold


PLAN: tuple[Step, ...] = (
    Step(
        name="drop vertices that no face uses",
        checks=("T106",),
        safety=Safety.LOSSLESS,
        why="first, so that later only a step that takes faces away leaves vertices without any, and takes these along",
        run=debris.drop_unreferenced,
        count=debris.unreferenced,
    ),
    Step(
        name="drop faces that have no place",
        checks=("G101",),
        safety=Safety.LOCAL,
        why="early, since nothing can be said of a face with a coordinate that is no number",
        run=degenerate_faces.drop_nonfinite,
        count=lambda draft: len(draft.facts.nonfinite_faces),
    ),
    Step(
        name="round positions to float32",
        checks=(),
        safety=Safety.LOCAL,
        why="before all geometry, since a file may round and whatever is proved later must hold in the file",
        run=rounding.round_positions,
        count=lambda draft: int(np.count_nonzero(rounding.not_float32(draft))),
    ),
    Step(
        name="drop faces with a repeated corner",
        checks=("T105",),
        safety=Safety.LOSSLESS,
        why="after rounding, which can bring corners together; such a face hides which edges its neighbours share",
        run=degenerate_faces.drop_repeated,
        count=lambda draft: len(draft.facts.repeated_faces),
    ),
    Step(
        name="dissolve faces without area",
        checks=("G102",),
        safety=Safety.LOCAL,
        why="before anything asks for normals or angles, which such a face does not have",
        run=degenerate_faces.dissolve_zero_area,
        count=lambda draft: len(degenerate_faces.zero_area(draft)),
    ),
    Step(
        name="drop duplicate faces",
        checks=("T104",),
        safety=Safety.LOSSLESS,
        why="before edges are judged, since a duplicate makes every edge of its face non-manifold",
        run=duplicates.drop_duplicates,
        count=lambda draft: len(draft.facts.duplicates),
    ),
    Step(
        name="close cracks",
        checks=("T107",),
        safety=Safety.LOCAL,
        why="before sheets are separated and holes looked for, since a crack is neither",
        run=stitching.stitch_cracks,
        count=lambda draft: len(draft.facts.edges.boundary),
        harm=lambda draft: len(draft.facts.intersections.pairs),
    ),
    Step(
        name="separate sheets",
        checks=("T101", "T102"),
        safety=Safety.LOCAL,
        why="before winding, which only a manifold piece has",
        run=nonmanifold.split_nonmanifold,
        count=_nonmanifold,
    ),
    Step(
        name="wind faces consistently",
        checks=("T103",),
        safety=Safety.LOSSLESS,
        why="on manifold pieces, and before what needs an inside",
        run=orientation.orient,
        count=_inconsistent,
    ),
    Step(
        name="cut one-sided pieces",
        checks=("T108",),
        safety=Safety.LOCAL,
        why="after winding, which leaves only those edges that no winding can mend",
        run=nonmanifold.cut_nonorientable,
        count=_inconsistent,
    ),
    Step(
        name="turn over what is inside out",
        checks=("G107",),
        safety=Safety.LOSSLESS,
        why="on whole, consistently wound pieces",
        run=orientation.flip_inverted,
        count=lambda draft: len(orientation.inverted_components(draft.facts)),
    ),
    Step(
        name="drop floating pieces",
        checks=("S103",),
        safety=Safety.LOCAL,
        why="after separation, which sets fins free, and before work is spent on debris",
        run=debris.drop_floating,
        count=lambda draft: len(debris.floating(draft.facts)),
    ),
    Step(
        name="make anew what intersects",
        checks=("S102",),
        safety=Safety.LOCAL,
        why="once all pieces that stay are known, and before anything is taken away for good",
        run=self_intersections.replace_intersecting_patches,
        count=lambda draft: len(acceptance.violating_pairs(draft.facts)),
    ),
    Step(
        name="take away what still intersects",
        checks=("S102",),
        safety=Safety.LOCAL,
        why="after all else was tried, since it leaves slits",
        run=self_intersections.remove_intersecting_faces,
        count=lambda draft: len(acceptance.violating_pairs(draft.facts)),
    ),
    Step(
        name="fill holes",
        checks=("S101",),
        safety=Safety.LOCAL,
        why="so late that what earlier steps opened is closed too",
        run=holes.fill_holes,
        count=lambda draft: len(holes.fillable(draft.facts)),
    ),
    Step(
        name="make a solid of what is inside",
        checks=("S101", "S102", "S107"),
        safety=Safety.INVENTIVE,
        why="last, since it makes all of the surface anew; only where a policy wants a closed body and all else failed",
        run=solid.make_solid,
        count=lambda draft: sum(acceptance.violations(draft.facts).values()),
    ),
)
"""Every step in order; `why` is the reason for its place."""


def run_plan(draft: Draft, steps: Steps, most: Safety) -> tuple[Draft, list[StepRecord], str]:
    """Go through the plan until it changes nothing.

    Args:
        draft: what to repair.
        steps: announced before each.
        most: steps that do more to the scan than this are left out.

    Returns:
        The draft at the end; a record of each step that did something or was undone; and the sentence that says so
        where time ran out before the end.
    """
    records: list[StepRecord] = []
    for _ in range(MOST_PASSES):
        start, known = draft, len(records)
        for step in PLAN:
            if step.safety.rank > most.rank:
                continue
            try:
                steps.begin(step.name)
            except BudgetExceeded as error:
                return draft, records, str(error)
            draft, record = _taken(step, draft)
            if record is not None:
                records.append(record)
        if draft is start:
            break
        if draft.equals(start):  # one step undid what another did
            records[known:] = [record for record in records[known:] if record.undone]
            return start, records, ""
    return draft, records, ""


def _taken(step: Step, draft: Draft) -> tuple[Draft, StepRecord | None]:
    """The draft after a step and its record; the draft before, if the step did not help."""
    change = step.run(draft)
    if change.draft is draft:
        return draft, None
    before, after = step.count(draft), step.count(change.draft)
    undone = "" if after < before else f"it would have left {after} of {before}"
    if not len(change.draft.corners):
        undone = "it would have left no face"
    if not undone and step.harm is not None and (made := step.harm(change.draft) - step.harm(draft)) > 0:
        undone = f"it would have made {made} more pairs of faces intersect"
    record = StepRecord(
        name=step.name,
        checks=step.checks,
        safety=step.safety,
        why=step.why,
        mended=change.mended if not undone else 0,
        parameters=change.parameters,
        undone=undone,
    )
    return (draft if undone else change.draft), record
