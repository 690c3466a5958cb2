"""The last means where a policy wants a closed body: taken only there, and only where the mesh is not one."""

from __future__ import annotations

import numpy as np
import pytest

from meshguard import repair
from meshguard.errors import RepairRefused
from meshguard.mesh import Mesh
from meshguard.policy import policy
from meshguard.repair.mesh.solid import make_solid
from meshguard.repair.plan import PLAN
from meshguard.report import Safety
from tests import shapes
from tests.repair import broken
from tests.repair.drafts import draft
from tests.repair.proof import proved, volume

QUICK_PRINT = policy("print").replace(limits={"solid_fraction": 0.03})
"""`print` with a coarse grid where a body has to be made anew."""


class TestStep:
    def test_a_cube_without_a_face_becomes_a_body_of_new_surface(self) -> None:
        start = draft(shapes.cube().take(np.arange(1, 12)), QUICK_PRINT)
        change = make_solid(start)

        assert change.mended == 1
        assert change.parameters["cell_mm"] == pytest.approx(0.03 * 60.0 * 3**0.5)
        assert change.draft.synthetic.all() and (change.draft.origin < 0).all()
        assert len(change.draft.facts.edges.boundary) == 0
        assert np.array_equal(change.draft.positions, change.draft.positions.astype(np.float32))

    @pytest.mark.parametrize(
        ("mesh", "rules"),
        [
            (shapes.cube(), QUICK_PRINT),
            (shapes.cube().take(np.arange(1, 12)), policy("scan")),
            (shapes.cube().take(np.arange(1, 12)), QUICK_PRINT.replace(max_safety=Safety.LOCAL)),
            (shapes.cube().take(np.arange(1, 12)), QUICK_PRINT.replace(limits={"solid_fraction": 0.0})),
            (shapes.grid(4, 4, bulge=0.0), QUICK_PRINT),
            (Mesh(vertices=np.zeros((3, 3)), faces=[[0, 1, 2]]), QUICK_PRINT),
        ],
        ids=["sound", "a rim is legal", "nothing is invented", "no cells", "no inside", "no extent"],
    )
    def test_nothing_is_done(self, mesh: Mesh, rules: object) -> None:
        start = draft(mesh, rules)  # type: ignore[arg-type]

        assert make_solid(start).draft is start


class TestRepair:
    def test_overlapping_bodies_become_one(self) -> None:
        result = repair(broken.overlapping_bodies(), policy=QUICK_PRINT)
        stats = proved(result, "print")

        assert (stats["components"], stats["boundary_edges"]) == (1, 0)
        # Two cubes of 30 mm whose overlap is 13 by 17 by 19 mm; what is made on a grid rounds their edges off.
        assert volume(result.mesh) == pytest.approx(2 * 30.0**3 - 13.0 * 17.0 * 19.0, rel=0.02)
        assert (np.asarray(result.mesh.face_data["synthetic"]) == 1).all()
        (record,) = [step for step in result.steps if step.safety is Safety.INVENTIVE and not step.undone]
        assert record.name == PLAN[-1].name

    def test_what_has_no_inside_is_refused(self) -> None:
        with pytest.raises(RepairRefused) as refused:
            repair(broken.without_thickness(), policy=QUICK_PRINT)

        assert "boundary edges" in refused.value.reasons[0]
        assert len(refused.value.result.mesh.faces) > 0

    def test_a_sheet_that_is_flat_is_refused(self) -> None:
        with pytest.raises(RepairRefused):
            repair(shapes.grid(4, 4, bulge=0.0), policy=QUICK_PRINT)

    def test_again_changes_nothing(self) -> None:
        result = repair(broken.overlapping_bodies(), policy=QUICK_PRINT)

        assert repair(result.mesh, policy=QUICK_PRINT).mesh is result.mesh
