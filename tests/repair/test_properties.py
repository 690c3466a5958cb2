"""Whatever is put in: repair ends with a mesh that is proved clean, or with a refusal; and what it tells is true."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import meshguard
from meshguard import repair
from meshguard.errors import ReadError, RepairRefused
from meshguard.facts.mesh import MeshFacts
from meshguard.mesh import Mesh, label_of_corners
from meshguard.phantoms import DEFECTS, mutate, phantom
from meshguard.policy import policy
from meshguard.repair.mesh.self_intersections import most_faces
from tests import shapes
from tests.repair.proof import naive_trouble, proved, through, trouble
from tests.strategies import soups

if TYPE_CHECKING:
    from meshguard.repair.result import RepairResult, Target

COARSE = policy("print").replace(limits={"solid_fraction": 0.05})
"""`print` on a grid of few cells."""

ROUGH = policy("scan").replace(limits={"carve_fraction": 0.1})
"""`scan` that splits what it takes away into few faces."""

LEFT = {"G103", "G104", "G105", "G106", "S105"}
"""Checks that no step mends, since what they find keeps nothing from being sound."""

SETTINGS = settings(
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # what a seed makes does not shrink
)

ARCHES: list[tuple[Literal["upper", "lower"], int]] = [("upper", 0), ("upper", 1), ("lower", 0), ("lower", 1)]


def ended(mesh: Mesh, rules: Any = "scan", target: Target | None = None) -> tuple[RepairResult, bool]:
    """The result and whether it was refused, after the proof that fits."""
    try:
        result = repair(mesh, policy=rules, target=target)
    except RepairRefused as error:
        refused = error
    else:
        proved(result, rules)
        return result, False
    result = refused.result
    assert refused.reasons and not result.clean
    assert len(result.mesh.faces) or not len(mesh.faces) or "without a face" in str(refused)
    return result, True


@st.composite
def broken_arches(draw: st.DrawFn) -> tuple[Mesh, tuple[meshguard.phantoms.Truth, ...], tuple[str, ...]]:
    """A phantom arch with any set of defects in it, and the truth about each."""
    jaw, seed = draw(st.sampled_from(ARCHES))
    names = draw(st.lists(st.sampled_from(sorted(DEFECTS)), min_size=1, max_size=6, unique=True))
    faces = draw(st.sampled_from([2500, 4000]))
    mesh, truths = mutate(phantom(jaw=jaw, faces=faces, seed=seed), *names, seed=draw(st.integers(0, 10_000)))
    return mesh, truths, tuple(names)


def check_arch(example: tuple[Mesh, tuple[meshguard.phantoms.Truth, ...], tuple[str, ...]]) -> None:
    """The arch ends clean, and every defect that was put in is found, and then mended or named as left."""
    mesh, truths, names = example
    result, refused = ended(mesh)
    found = {finding.check for finding in result.before.findings}
    after = {finding.check for finding in result.after.findings}
    named = {left.check for left in result.not_repaired}
    mended = {check for step in result.steps if step.mended and not step.undone for check in step.checks}

    assert not refused
    for truth in truths:
        # Another unit rounds what lay on a line off it, and lets lengths in mm fall below their limits.
        # Genus and side of a piece are only told where it is manifold and wound one way, which another can prevent.
        hidden = truth.check in ("S105", "G107") and {"T101", "T103", "T108"} & found
        assert truth.check in found or "wrong_unit" in names or hidden
        if truth.check in after:
            severity = max(f.severity for f in result.after.findings if f.check == truth.check)
            assert truth.check in named or str(severity) == "info"
        # What is gone was mended by its own step, or went with what another took away.
        assert truth.check in mended | after | LEFT or result.changed or "wrong_unit" in names
    assert repair(result.mesh).mesh is result.mesh
    # A face between the same three vertices keeps its label. A part of a split one has the label that its corners say:
    # what its new corner was given by the nearest vertex may outvote the others.
    origin = result.face_origin
    corners, given_corners = result.vertex_origin[result.mesh.faces], mesh.faces[np.maximum(origin, 0)]
    whole = (origin >= 0) & (np.sort(corners, axis=1) == np.sort(given_corners, axis=1)).all(axis=1)
    labels, given_labels = result.mesh.face_data["label"], mesh.face_data["label"]
    assert np.array_equal(np.asarray(labels)[whole], np.asarray(given_labels)[origin[whole]])
    if mesh.label_carrier() == "vertex":
        assert np.array_equal(labels, label_of_corners(result.mesh.vertex_data["label"], result.mesh.faces))


@settings(SETTINGS, max_examples=12)
@given(broken_arches())
def test_any_arch_with_any_defects_ends_clean(example: Any) -> None:
    check_arch(example)


@pytest.mark.long
@settings(SETTINGS, max_examples=400)
@given(broken_arches())
def test_many_arches_with_any_defects_end_clean(example: Any) -> None:
    check_arch(example)


@st.composite
def grid_soups(draw: st.DrawFn, most: int = 80) -> Mesh:
    """From 10 faces on, with random corners on a small integer grid: nothing about it is sound."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    side = draw(st.integers(3, 6))
    vertices = rng.integers(0, side, (draw(st.integers(8, 40)), 3)).astype(np.float64) * draw(
        st.sampled_from([1.0, 0.1, 7.3, 1e-4, 1e4])
    )
    return Mesh(vertices=vertices, faces=rng.integers(0, len(vertices), (draw(st.integers(10, most)), 3)))


def check_soup(mesh: Mesh, rules: Any = "scan", target: Target | None = None) -> None:
    """A soup ends clean or refused, again changes nothing, and the naive twins agree."""
    result, refused = ended(mesh, rules, target)
    if not refused:
        assert repair(result.mesh, policy=rules, target=target).mesh is result.mesh
        if len(result.mesh.faces) <= 120:
            assert naive_trouble(through(result.mesh, result.target)) == {}


TARGETS: list[Target] = ["stl", "ply"]


@settings(SETTINGS, max_examples=20)
@given(st.one_of(grid_soups(most=40), soups()), st.sampled_from(TARGETS))
def test_any_soup_ends_clean_or_refused(mesh: Mesh, target: Target) -> None:
    check_soup(mesh, ROUGH, target)


@pytest.mark.long
@settings(SETTINGS, max_examples=1000)
@given(st.one_of(grid_soups(), soups()))
def test_many_soups_end_clean_or_refused(mesh: Mesh) -> None:
    check_soup(mesh)


@settings(SETTINGS, max_examples=12)
@given(grid_soups())
def test_any_soup_ends_closed_or_refused_under_print(mesh: Mesh) -> None:
    ended(mesh, COARSE)


@pytest.mark.long
@settings(SETTINGS, max_examples=300)
@given(grid_soups())
def test_many_soups_end_closed_or_refused_under_print(mesh: Mesh) -> None:
    ended(mesh, COARSE)


@settings(SETTINGS, max_examples=25)
@given(grid_soups())
def test_lossless_never_moves_or_invents(mesh: Mesh) -> None:
    try:
        result = repair(mesh, lossless=True)
    except RepairRefused as refused:
        result = refused.result

    assert (result.vertex_origin >= 0).all() and (result.face_origin >= 0).all()
    assert np.array_equal(result.mesh.vertices, mesh.vertices[result.vertex_origin])


@settings(SETTINGS, max_examples=40)
@given(st.binary(min_size=0, max_size=1000), st.integers(0, 2**32 - 1), st.booleans())
def test_any_bytes_that_can_be_read_end_clean_or_refused(noise: bytes, seed: int, counted: bool) -> None:
    """Noise behind a header that promises faces, and a good file with bytes changed."""
    count = len(noise) // 50
    content = bytes(80) + count.to_bytes(4, "little") + noise[: 50 * count]
    if not counted:
        file = io.BytesIO()
        meshguard.save(phantom(faces=2000), file, format="stl")
        changed = bytearray(file.getvalue())
        rng = np.random.default_rng(seed)
        for place in rng.integers(84, len(changed), 12).tolist():
            changed[place] = int(rng.integers(0, 256))
        content = bytes(changed)
    try:
        result = repair(content)
    except (ReadError, RepairRefused):
        return
    assert trouble(through(result.mesh, "stl")) == {}


@st.composite
def assemblies(draw: st.DrawFn) -> Mesh:
    """Closed bodies and open sheets, sound by themselves, thrown together at random; none is debris."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kinds = draw(st.lists(st.sampled_from(["cube", "torus", "patch", "sheet"]), min_size=2, max_size=4))
    make = {
        "cube": lambda: shapes.cube(20.0),
        "torus": lambda: shapes.torus(radius=12.0, tube=5.0),
        "patch": lambda: shapes.grid(4, 3, width=30.0, bulge=0.0),
        "sheet": lambda: shapes.grid(12, 10, width=40.0),
    }
    parts = []
    for kind in kinds:
        mesh = make[kind]()
        frame = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        frame[:, 0] *= np.linalg.det(frame)
        centred = mesh.vertices - mesh.vertices.mean(axis=0)
        vertices = centred @ frame + rng.uniform(-12.0, 12.0, 3)
        parts.append(Mesh(vertices=vertices.astype(np.float32), faces=mesh.faces))
    return shapes.joined(*parts)


@settings(SETTINGS, max_examples=30)
@given(assemblies())
def test_no_limit_of_removal_is_broken(mesh: Mesh) -> None:
    """Sound bodies stay closed, little is removed, and faces do not explode; or the repair is refused."""
    rules = ROUGH.replace(limits={"removed_fraction": 0.05})
    result, _ = ended(mesh, rules)
    before = MeshFacts(mesh, rules)
    scanned = result.face_origin >= 0
    count = np.bincount(result.face_origin[scanned], minlength=len(mesh.faces))
    closed = ~before.is_open[before.components.of_face]

    assert (count[closed] == 1).all()
    assert np.count_nonzero(~MeshFacts(result.mesh, rules).is_open) >= np.count_nonzero(~before.is_open)
    assert result.area_removed_mm2 <= 0.05 * result.before.stats["area_mm2"]
    assert len(result.mesh.faces) <= most_faces(len(mesh.faces))
