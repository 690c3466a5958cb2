"""Borders between labelled teeth: labels that bleed, and crowns that a bridge of surface joins."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from benchmarks import teeth as benchmark

import meshguard
from meshguard.io.labels import vertex_labels
from meshguard.mesh import Mesh
from meshguard.phantoms import bridged_phantom, mislabel, phantom
from meshguard.policy import Policy
from meshguard.report import Finding, Report, Severity
from meshguard.validation import validate
from tests import bridged, shapes
from tests.bridged import LENGTH_MM, LOW
from tests.checks.test_labels import of

if TYPE_CHECKING:
    from pathlib import Path

    from meshguard.mesh import Jaw

ONLY = Policy(select=("D115",))


def bridges(mesh: Mesh, **options: object) -> list[Finding]:
    return list(validate(mesh, policy=ONLY, **options).findings)  # type: ignore[arg-type]


def gist(finding: Finding) -> tuple[object, ...]:
    """What no motion, order or winding may change."""
    measures = tuple(sorted((name, round(value, 6)) for name, value in finding.measures.items()))
    return finding.check, finding.severity, finding.tooth, finding.count, measures


def test_a_label_that_bleeds() -> None:
    mesh, truth = mislabel(phantom(faces=60_000, seed=1), "bleeding", seed=2)
    (finding,) = of(mesh, "D112")

    assert finding.tooth == truth.measures["tooth"]
    assert finding.element == "edge"


class TestSmallest:
    def test_a_slit_closed_by_a_sheet(self) -> None:
        mesh = bridged.slit(0.4)
        (finding,) = bridges(mesh)

        assert (finding.severity, finding.element, finding.tooth) == (Severity.WARNING, "edge", LOW)
        assert finding.measures["gap_mm"] == pytest.approx(0.4, abs=bridged.LEAN_MM)
        assert finding.measures["border_mm"] == pytest.approx(LENGTH_MM)
        assert finding.measures["neck"] == 0
        ahead = finding.indices - finding.indices % 3 + (finding.indices + 1) % 3
        ends = mesh.vertices[mesh.faces.reshape(-1)[np.stack([finding.indices, ahead])]]
        assert (ends[..., 0] == 0.0).all()  # the middle of the floor
        assert "sheet of surface across a gap of 0." in finding.message

    def test_a_neck(self) -> None:
        (finding,) = bridges(bridged.neck(2))

        assert finding.measures["neck"] == 1
        assert finding.measures["gap_mm"] == pytest.approx(0.4)
        assert "neck" in finding.message

    @pytest.mark.parametrize(
        "mesh",
        [bridged.valley(0.1), bridged.valley(0.4), bridged.slit(0.15), bridged.slit(0.4, strips=1), bridged.neck(1)],
        ids=["steep valley", "valley", "narrow slit", "floor of one face", "short neck"],
    )
    def test_walls_that_converge_or_a_gap_that_the_mesh_cannot_show(self, mesh: Mesh) -> None:
        assert bridges(mesh) == []

    def test_gum_between_the_crowns_is_no_bridge(self) -> None:
        mesh = bridged.slit(0.4)
        on_floor = np.abs(mesh.vertices[mesh.faces].mean(axis=1)[:, 0]) < 0.2
        label = np.where(on_floor, 0, mesh.face_data["label"])

        assert bridges(mesh.without_labels().with_data(face={"label": label})) == []

    def test_part_of_a_border_is_a_note(self) -> None:
        """A third of the border lies in a gap; in the rest the walls converge."""
        parts = [bridged.slit(0.4), bridged.valley(0.2), bridged.valley(0.2)]
        both = shapes.joined(
            *(
                Mesh(vertices=part.vertices + [0.0, k * (LENGTH_MM + 1.0), 0.0], faces=part.faces)
                for k, part in enumerate(parts)
            )
        )
        mesh = both.with_data(face={"label": np.concatenate([part.face_data["label"] for part in parts])})
        (finding,) = bridges(mesh)
        stricter = ONLY.replace(limits={"bridge_share": 0.4})

        assert finding.measures["bridged_mm"] == pytest.approx(LENGTH_MM, abs=0.35)
        assert finding.measures["border_mm"] == pytest.approx(3 * LENGTH_MM)
        assert finding.severity is Severity.INFO
        assert validate(mesh, policy=stricter).findings == ()


class TestAnywhere:
    @pytest.mark.parametrize("mesh", [bridged.slit(0.4), bridged.neck(2)], ids=["slit", "neck"])
    def test_neither_motion_nor_order_nor_winding_changes_it(self, mesh: Mesh) -> None:
        (here,) = bridges(mesh)
        turned = Mesh(vertices=mesh.vertices, faces=mesh.faces[:, ::-1], face_data=mesh.face_data)

        for seed in range(3):
            assert [gist(f) for f in bridges(benchmark.moved(mesh, seed))] == [gist(here)]
            shuffled = bridges(shapes.shuffled(mesh, seed))
            assert [gist(f) for f in shuffled] == [gist(here)]
            assert [f.fingerprint for f in shuffled] == [here.fingerprint]
        assert [gist(f) for f in bridges(turned)] == [gist(here)]

    def test_on_a_phantom_too(self) -> None:
        mesh, _ = bridged_phantom(faces=20_000, seed=2)
        (here,) = bridges(mesh)

        for other in (benchmark.moved(mesh, 1), shapes.shuffled(mesh, 1)):
            assert [gist(f)[:4] for f in bridges(other)] == [gist(here)[:4]]

    @pytest.mark.parametrize("by", ["face", "vertex"])
    def test_labels_on_faces_or_vertices_codes_or_classes(self, by: str) -> None:
        mesh = bridged.slit(0.4, by=by)
        data = mesh.face_data if by == "face" else mesh.vertex_data
        classes = {"label": np.searchsorted([0, bridged.LOW, bridged.HIGH], data["label"]).astype(np.int32)}
        bare = mesh.without_labels()
        anonymous = bare.with_data(face=classes) if by == "face" else bare.with_data(vertex=classes)

        assert [f.tooth for f in bridges(mesh)] == [LOW]
        (finding,) = bridges(anonymous)
        assert finding.tooth is None and finding.message.startswith("Class 1 and class 2 are joined")


class TestArches:
    @pytest.mark.parametrize("jaw", ["lower", "upper"])
    @pytest.mark.parametrize("faces", [16_000, 60_000, 120_000])
    def test_phantoms_have_no_bridge_until_one_is_made(self, jaw: Jaw, faces: int) -> None:
        for seed in range(2):
            assert bridges(phantom(jaw=jaw, faces=faces, seed=seed)) == []
        mesh, truth = bridged_phantom(jaw=jaw, faces=max(faces, 40_000), seed=3, gap_mm=0.35)
        (finding,) = bridges(mesh)

        assert finding.tooth == truth.measures["tooth"]
        assert finding.measures["gap_mm"] == pytest.approx(0.35, abs=0.08)
        assert benchmark.distance(mesh, finding, truth) < 1.0

    def test_crowns_in_contact_have_none(self, data_root: Path) -> None:
        folder = data_root / "dental"
        for name in benchmark.REAL:
            mesh = meshguard.load(folder / f"{name}.ply")
            by_face = mesh.with_data(face={"label": np.load(folder / f"{name}.fdi_faces.npy").astype(np.int32)})
            of_vertex = vertex_labels(by_face)
            assert of_vertex is not None

            assert bridges(by_face) == []
            assert bridges(mesh.with_data(vertex={"label": of_vertex})) == []

    def test_nor_has_a_raw_scan(self, data_root: Path) -> None:
        folder = data_root / "dental"
        label = np.array(json.loads((folder / "arch_100k.labels.json").read_text("utf-8"))["labels"])

        assert (
            bridges(
                meshguard.load(folder / "lower_based_213k.ply"), labels=str(folder / "lower_based_213k.labels.json")
            )
            == []
        )
        assert bridges(meshguard.load(folder / "arch_100k.ply"), labels=label) == []


def test_the_benchmark_finds_what_it_made() -> None:
    for seed in range(4):
        _, mesh, truth = benchmark.spoilt([], "bridge", seed)
        report: Report = validate(mesh, policy=benchmark.POLICY)
        found, _, unexplained = benchmark.judged(mesh, truth, report)

        assert found
        assert [finding.message for finding in unexplained] == []


def test_bleeding_does_not_depend_on_the_order_of_faces(data_root: Path) -> None:
    base = data_root / "dental" / "ios_001_lower_16k"
    mesh, label = meshguard.load(base.with_suffix(".ply")), np.load(base.with_suffix(".fdi_faces.npy")).astype(np.int32)
    middle = mesh.vertices[mesh.faces].mean(axis=1)
    start = middle[label == 34].mean(axis=0)
    way = middle[label == 35].mean(axis=0) - start
    label[(label == 35) & ((middle - start) @ way < 0.62 * (way @ way))] = 34
    found = []
    for seed in range(6):
        order = np.random.default_rng(seed).permutation(len(label))
        turned = Mesh(vertices=mesh.vertices, faces=mesh.faces[order], face_data={"label": label[order]})
        (finding,) = of(turned, "D112")
        found.append([round(value, 9) for value in finding.measures.values()])

    assert all(one == found[0] for one in found)
