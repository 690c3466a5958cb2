"""The plan: which steps repair takes, in which order and why, and the proof after each.

A step runs, is checked, and is undone if it did not help. The plan is repeated until it changes nothing. That is why
repairing a result changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from meshguard.errors import BudgetExceeded
from meshguard.repair import acceptance
from meshguard.repair.mesh import (
    coincident_layers,
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
    walls,
)
from meshguard.repair.result import StepRecord
from meshguard.repair.step import Change, Step
from meshguard.report import Safety

if TYPE_CHECKING:
    from meshguard.budget import Steps
    from meshguard.repair.draft import Draft

MOST_PASSES = 8
"""Times that the plan is repeated. What is not clean then is refused: this bounds the work, not the clock."""


def _inconsistent(draft: Draft) -> int:
    """Edges that both their faces run in the same direction."""
    return len(draft.facts.inconsistent_edges)


def _nonmanifold(draft: Draft) -> int:
    """Half-edges of edges with more than two faces, and positions with several fans."""
    return len(draft.facts.edges.nonmanifold) + draft.facts.fans.n_nonmanifold


PLAN: tuple[Step, ...] = (
    Step(
        name="drop unreferenced vertices",
        checks=("T106",),
        safety=Safety.LOSSLESS,
        why="first, so that later only a step that removes faces leaves unreferenced vertices, and drops them itself",
        run=debris.drop_unreferenced,
        count=debris.n_unreferenced,
    ),
    Step(
        name="drop non-finite faces",
        checks=("G101",),
        safety=Safety.LOCAL,
        why="early, since nothing can be said about a face with a coordinate that is not finite",
        run=degenerate_faces.drop_nonfinite,
        count=lambda draft: len(draft.facts.nonfinite_faces),
    ),
    Step(
        name="round positions to float32",
        checks=(),
        safety=Safety.LOCAL,
        why="before all geometry, for an STL would round later, and what is proved must hold in the file",
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
        why="before anything needs normals or angles, which such a face does not have",
        run=degenerate_faces.dissolve_zero_area,
        count=lambda draft: len(degenerate_faces.zero_area_faces(draft)),
    ),
    Step(
        name="mesh shared walls alike",
        checks=("T109", "S102", "T101"),
        safety=Safety.LOCAL,
        why="before one layer of two is dropped, since each of two bodies needs its side of the wall between them",
        run=walls.mesh_walls_alike,
        count=lambda draft: draft.facts.layers.n_patches,
    ),
    Step(
        name="orient bodies at shared walls",
        checks=("T104",),
        safety=Safety.LOSSLESS,
        why="before duplicates are dropped, which the two copies of a wall look like where one body is inverted",
        run=walls.orient_at_walls,
        count=lambda draft: len(draft.facts.excess_duplicates),
    ),
    Step(
        name="drop duplicate faces",
        checks=("T104",),
        safety=Safety.LOSSLESS,
        why="before edges are judged, since a duplicate makes every edge of its face non-manifold",
        run=duplicates.drop_duplicates,
        count=lambda draft: len(draft.facts.excess_duplicates),
    ),
    Step(
        name="merge coincident layers",
        checks=("S102", "T101"),
        safety=Safety.LOSSLESS,
        why="before sheets are split, which would move two layers apart that are one; only surface that is there twice "
        "is dropped",
        run=coincident_layers.merge_coincident_layers,
        count=lambda draft: draft.facts.coincident_layers.n_patches,
    ),
    Step(
        name="merge quadrilaterals meshed twice",
        checks=("S102", "T101"),
        safety=Safety.LOCAL,
        why="after exactly coincident layers, for those that are not quite flat",
        run=coincident_layers.merge_doubled_quads,
        count=lambda draft: draft.facts.doubled_quads.n_patches,
    ),
    Step(
        name="split edges at T-junctions",
        checks=("T107",),
        safety=Safety.LOSSLESS,
        why="before cracks are stitched, since it moves no vertex and invents nothing",
        run=stitching.split_at_tjunctions,
        count=lambda draft: len(draft.facts.edges.boundary),
        harm=lambda draft: len(draft.facts.intersections.pairs),
    ),
    Step(
        name="stitch cracks",
        checks=("T107",),
        safety=Safety.LOCAL,
        why="before sheets are split and holes are filled, since a crack needs neither",
        run=stitching.stitch_cracks,
        count=lambda draft: len(draft.facts.edges.boundary),
        harm=lambda draft: len(draft.facts.intersections.pairs),
    ),
    Step(
        name="remove inner walls",
        checks=("T101", "T109"),
        safety=Safety.LOCAL,
        why="before sheets are split, which would leave a wall inside the one solid that the policy asks for",
        run=walls.remove_inner_walls,
        count=_nonmanifold,
    ),
    Step(
        name="split non-manifold edges and vertices",
        checks=("T101", "T102", "T109"),
        safety=Safety.LOCAL,
        why="before faces are oriented, which only a manifold component can be",
        run=nonmanifold.split_nonmanifold,
        count=_nonmanifold,
    ),
    Step(
        name="orient faces consistently",
        checks=("T103",),
        safety=Safety.LOSSLESS,
        why="on manifold components, and before anything that depends on which side is inside",
        run=orientation.orient,
        count=_inconsistent,
    ),
    Step(
        name="cut non-orientable components",
        checks=("T108",),
        safety=Safety.LOCAL,
        why="after faces are oriented, which leaves only the edges that no orientation can mend",
        run=nonmanifold.cut_nonorientable,
        count=_inconsistent,
    ),
    Step(
        name="flip inverted components",
        checks=("G107",),
        safety=Safety.LOSSLESS,
        why="on complete components that are oriented consistently",
        run=orientation.flip_inverted,
        count=lambda draft: len(orientation.inverted_as_scanned(draft)),
    ),
    Step(
        name="flip components closed inside out",
        checks=("G107",),
        safety=Safety.LOCAL,
        why="with the other inverted components, but not as lossless: which side is outside follows from new surface",
        run=orientation.flip_closed_inverted,
        count=lambda draft: len(orientation.inverted_since_closed(draft)),
    ),
    Step(
        name="flip sheets that show their back",
        checks=("G107",),
        safety=Safety.LOCAL,
        why="with the other inverted components, but never as lossless: the scan of an impression has that shape too",
        run=orientation.flip_ridged,
        count=lambda draft: len(orientation.ridged_sheets(draft.facts)),
    ),
    Step(
        name="drop floating components",
        checks=("S103",),
        safety=Safety.LOCAL,
        why="after splitting, which sets fins free, and before work is spent on debris",
        run=debris.drop_floating,
        count=lambda draft: len(debris.floating_components(draft.facts)),
    ),
    Step(
        name="replace intersecting patches",
        checks=("S102",),
        safety=Safety.LOCAL,
        why="once it is known which components stay, and before any face is removed for good",
        run=self_intersections.replace_intersecting_patches,
        count=lambda draft: len(acceptance.mendable_pairs(draft.facts)),
    ),
    Step(
        name="remove intersecting faces",
        checks=("S102",),
        safety=Safety.LOCAL,
        why="after everything else, since it leaves slits",
        run=self_intersections.remove_intersecting_faces,
        count=lambda draft: len(acceptance.mendable_pairs(draft.facts)),
    ),
    Step(
        name="fill holes",
        checks=("S101",),
        safety=Safety.LOCAL,
        why="late, so that what earlier steps opened is closed too",
        run=holes.fill_holes,
        count=lambda draft: len(holes.fillable_loops(draft.facts)),
    ),
    Step(
        name="rebuild as a closed solid",
        checks=("S101", "S102", "S107"),
        safety=Safety.INVENTIVE,
        why="last, since it replaces the whole surface; only if the policy asks for a closed body and all else failed",
        run=solid.make_solid,
        count=lambda draft: sum(acceptance.violations(draft.facts).values()),
    ),
)
"""Every step in order; `why` is the reason for its place."""


def run_plan(draft: Draft, steps: Steps, most: Safety) -> tuple[Draft, list[StepRecord], str]:
    """Repeat the plan until it changes nothing.

    Args:
        draft: what to repair.
        steps: told of each step before it begins.
        most: steps that do more to the scan than this are left out.

    Returns:
        The draft at the end; a record of each step that did something or was undone; and, if time ran out before the
        end, the sentence that says so.
    """
    records: list[StepRecord] = []
    lost = 0.0  # mm2 in all
    try:
        for _ in range(MOST_PASSES):
            start, n_before = draft, len(records)
            for step in PLAN:
                if step.safety.rank > most.rank:
                    continue
                steps.begin(step.name)
                draft, record, newly_lost = _taken(step, draft, lost)
                lost += newly_lost
                if record is not None:
                    records.append(record)
            if draft is start:
                break
            if not _has_less(draft, start, most):  # one step undid what another did
                records[n_before:] = [record for record in records[n_before:] if record.undone]
                return start, records, ""
    except BudgetExceeded as error:
        return draft, records, str(error)
    return draft, records, ""


def _has_less(draft: Draft, start: Draft, most: Safety) -> bool:
    """Whether a draft has fewer defects of some kind than the one that the plan was begun with."""
    return any(step.count(start) > step.count(draft) for step in PLAN if step.safety.rank <= most.rank)


def _taken(step: Step, draft: Draft, lost: float) -> tuple[Draft, StepRecord | None, float]:
    """The draft after a step, its record, and the area that is lost by it, mm2; the draft before it if it did not help.

    `lost` is the area that was lost before, mm2.
    """
    change = step.run(draft)
    if change.draft is draft:
        return draft, None, 0.0
    before, after = step.count(draft), step.count(change.draft)
    undone = "" if after < before else f"it would have left {after} of {before}"
    if not len(change.draft.corners):
        undone = "it would have left no face"
    if not undone and step.harm is not None and (caused := step.harm(change.draft) - step.harm(draft)) > 0:
        undone = f"it would have made {caused} more pairs of faces intersect"
    undone = undone or _beyond_limit(draft, lost, change)
    record = StepRecord(
        name=step.name,
        checks=step.checks,
        safety=step.safety,
        why=step.why,
        mended=change.mended if not undone else 0,
        parameters=change.parameters,
        undone=undone,
    )
    return (draft, record, 0.0) if undone else (change.draft, record, change.lost_mm2)


def _beyond_limit(draft: Draft, lost: float, change: Change) -> str:
    """Why a step takes too much of the surface, where `lost` mm2 went before it; empty where it does not."""
    if not change.lost_mm2:
        return ""
    limit, area = draft.policy.limit("removed_fraction"), float(draft.facts.components.area.sum())
    if lost + change.lost_mm2 <= limit * area:
        return ""
    share = (lost + change.lost_mm2) / area
    return f"{share:.0%} of the surface would be gone, more than the policy allows ({limit:.0%})"
