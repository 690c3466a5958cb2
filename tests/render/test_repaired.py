"""A repair as text: the verdict first, what was done, what it cost, and what was left and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

import meshguard
from meshguard import repair
from meshguard.errors import RepairRefused
from meshguard.phantoms import mislabel
from meshguard.policy import Policy
from meshguard.render.repaired import FIRST, render_repair, repair_verdict
from tests import mutations, shapes
from tests.repair import broken

if TYPE_CHECKING:
    from meshguard.repair.result import RepairResult


def text(result: RepairResult, *, reasons: tuple[str, ...] = (), written: str | None = None, width: int = 100) -> str:
    """What is printed."""
    console = Console(width=width, color_system=None, highlight=False)
    with console.capture() as capture:
        console.print(render_repair(result, name="lower.stl", reasons=reasons, written=written))
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def refused(mesh: Any, **options: Any) -> tuple[RepairResult, tuple[str, ...]]:
    """A refusal's parts."""
    with pytest.raises(RepairRefused) as error:
        repair(mesh, **options)
    return error.value.result, error.value.reasons


@pytest.fixture(scope="module")
def rebuilt() -> RepairResult:
    """A body that could only be made a closed solid by building it again."""
    return repair(broken.overlapping_bodies(), policy="print")


class TestVerdict:
    def test_nothing_to_do(self) -> None:
        line = repair_verdict(repair(shapes.grid()), name="a.stl", reasons=()).plain

        assert line == "✓ a.stl: clean, nothing to repair"

    def test_mended(self) -> None:
        line = repair_verdict(repair(broken.turned(shapes.cube())), name="a.stl", reasons=()).plain

        assert line == "✓ a.stl: clean, 1 defect repaired"

    def test_a_clean_surface_that_is_no_good_scan(self) -> None:
        mesh = mislabel(meshguard.phantom(faces=6000), "mirrored", seed=1)[0]
        result = repair(mesh)
        line = repair_verdict(result, name="a.stl", reasons=()).plain

        assert result.clean and not result.after.ok
        assert line.startswith("! a.stl: a clean surface, nothing was repaired; left: ")
        assert "error" in line

    def test_rounding_is_not_a_defect(self) -> None:
        cube = shapes.cube()
        result = repair(meshguard.Mesh(vertices=cube.vertices + 0.1, faces=cube.faces), target="stl")
        line = repair_verdict(result, name="a.stl", reasons=()).plain

        assert result.changed
        assert line == "✓ a.stl: clean, nothing to repair"

    def test_what_was_asked_for_comes_before_what_was_repaired(self) -> None:
        cube = broken.turned(shapes.cube())
        far = meshguard.Mesh(vertices=cube.vertices / 10 + [1e6, 0.0, 0.0], faces=cube.faces)
        line = repair_verdict(repair(far, unit="cm", recentre=True), name="a.stl", reasons=()).plain

        assert line == "✓ a.stl: clean, scaled by 10, moved to the origin, 1 defect repaired"

    def test_a_warning_that_is_left_is_told(self) -> None:
        result = repair(shapes.grid(), policy=Policy(limits={"size_min_mm": 1.0, "size_max_mm": 20.0}))
        line = repair_verdict(result, name="a.stl", reasons=()).plain

        assert result.after.ok
        assert line == "✓ a.stl: clean, nothing was repaired; left: 1 warning"

    def test_a_surface_that_was_rebuilt_is_said_first(self, rebuilt: RepairResult) -> None:
        line = repair_verdict(rebuilt, name="a.stl", reasons=()).plain

        assert line.split(", ")[1] == "all of it rebuilt: no scanned face is left"

    def test_refused_with_every_reason(self) -> None:
        line = repair_verdict(repair(shapes.grid()), name="a.stl", reasons=("2 of this", "1 of that")).plain

        assert line == "✗ a.stl: refused: 2 of this; 1 of that"

    def test_a_name_cannot_steer_the_terminal(self) -> None:
        assert "\x1b" not in repair_verdict(repair(shapes.grid()), name="a\x1b[2J.stl", reasons=()).plain


class TestText:
    def test_a_clean_mesh_needs_few_lines(self) -> None:
        said = text(repair(shapes.grid())).splitlines()

        assert said[0] == "✓ lower.stl: clean, nothing to repair"
        assert " ".join(said[-2:]) == (
            "Grade 1 before, 1 after. It was not checked whether this is a dental arch: there are too few faces. "
            "Nothing was written."
        )
        assert "What was done" not in said

    def test_nothing_is_said_of_scanned_vertices_where_none_is_left(self, rebuilt: RepairResult) -> None:
        said = text(rebuilt)

        assert (rebuilt.face_origin < 0).all()
        assert "What it cost\n  all of the surface was rebuilt: " in said
        assert "no scanned vertex moved" not in said

    def test_what_was_asked_for_with_the_numbers_to_go_back(self) -> None:
        """The diagonal is 104 mm, so the shift is a multiple of 1024 mm: 9766 times it is nearest to 1e7 + 30."""
        cube = shapes.cube()
        far = meshguard.Mesh(vertices=cube.vertices / 10 + [1e6, 0.0, -1e6], faces=cube.faces)
        said = text(repair(far, unit="cm", recentre=True), width=200)

        assert "What was asked for\n  every coordinate was multiplied by 10\n  everything was moved by " in said
        assert " (-10000384, 0, 10000384) mm; moving it back gives the same bits again\n" in said
        assert "asked for" not in text(repair(cube))

    def test_where_an_stl_rounds_it_does_not_promise_the_same_bits(self) -> None:
        cube = shapes.cube()
        far = meshguard.Mesh(vertices=cube.vertices + [1e6 + 0.1, 0.0, 0.0], faces=cube.faces)
        said = text(repair(far, target="stl", recentre=True), width=200)

        assert "round positions to float32" in said
        assert "but for rounding, moving it back undoes this" in said
        assert "same bits" not in said

    def test_what_was_done_and_what_it_cost(self) -> None:
        result = repair(broken.small_hole())
        said = text(result, written="out.ply")
        new = int((result.face_origin < 0).sum())

        assert "What was done\n  fill holes: 1\n" in said
        assert f"  {new} new faces, {result.area_added_mm2:.4g} mm² of surface that was not scanned\n" in said
        assert "  0 mm² of scanned surface removed\n" in said
        assert "  no scanned vertex moved\n" in said
        assert said.endswith("Written to out.ply.\n")

    def test_what_was_left_and_why(self) -> None:
        result, reasons = refused(broken.cubes_at_an_edge(), lossless=True)
        said = " ".join(text(result, reasons=reasons).split())

        assert "What was left T101 " in said
        assert "Its repair is local, and at most lossless repair is allowed." in said
        assert said.endswith("Nothing was written: the repair was refused.")

    def test_of_many_alike_the_first_are_shown_and_the_rest_counted(self) -> None:
        mesh = broken.small_hole()
        for place in ((-8.0, -4.0), (-8.0, 4.0), (8.0, -4.0), (8.0, 4.0)):
            mesh = broken.with_hole(mesh, at=place, radius=0.35)
        said = text(repair(mesh, policy=Policy(limits={"hole_diameter_mm": 0.0})))

        assert said.count("S101 A hole") == FIRST
        assert "S101 and 2 more" in said

    @pytest.mark.parametrize("width", [40, 80, 120])
    def test_no_line_is_too_wide(self, width: int) -> None:
        result, reasons = refused(mutations.nonfinite(), lossless=True)

        for line in text(result, reasons=reasons, width=width).splitlines():
            assert len(line) <= width
