"""The gap beside a border: what it measures, against a slow twin that compares every wall with every other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from meshguard.facts.dental import DentalFacts
from meshguard.facts.dental.tooth_bridges import FACING, OPPOSED, WINDOW_MM, Bridges
from meshguard.facts.mesh import MeshFacts
from meshguard.phantoms import bridged_phantom
from meshguard.policy import Policy
from tests import bridged
from tests.bridged import HIGH, LOW

if TYPE_CHECKING:
    from meshguard.mesh import Mesh

LIMIT_MM = 0.2


def bridges(mesh: Mesh) -> Bridges:
    return DentalFacts(MeshFacts(mesh, Policy())).bridges(LIMIT_MM)


def naive_gap(mesh: Mesh, low: int, high: int) -> float:
    """Median over the border's edges of the distance between the nearest two faces that face one another there.

    Every face of one crown with every face of the other, within 1.2 mm of the edge as the crow flies; the distance is
    taken along their common normal, between the nearest of their corners. Faces are wound outward.
    """
    label = mesh.face_data["label"]
    corners = mesh.vertices[mesh.faces]
    owner: dict[tuple[int, ...], list[int]] = {}
    for f, face in enumerate(mesh.faces.tolist()):
        for k in range(3):
            owner.setdefault(tuple(sorted((face[k], face[(k + 1) % 3]))), []).append(f)
    border = [edge for edge, fs in owner.items() if sorted(label[fs].tolist()) == [low, high]]
    centres = corners.mean(axis=1)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    found = []
    for edge in border:
        middle = mesh.vertices[list(edge)].mean(axis=0)
        near = np.linalg.norm(centres - middle, axis=1) < 1.2
        best = (np.inf, np.inf)
        for f in np.flatnonzero(near & (label == low)).tolist():
            for g in np.flatnonzero(near & (label == high)).tolist():
                if normals[f] @ normals[g] >= OPPOSED:
                    continue
                way = centres[g] - centres[f]
                away = float(np.linalg.norm(way))
                if min(way @ normals[f], -way @ normals[g]) <= FACING * away:
                    continue
                across = (normals[f] - normals[g]) / np.linalg.norm(normals[f] - normals[g])
                best = min(best, (away, float((corners[g] @ across).min() - (corners[f] @ across).max())))
        found.append(best[1])
    return float(np.median([gap for gap in found if np.isfinite(gap)])) if np.isfinite(found).any() else np.nan


@pytest.mark.parametrize("by", ["face", "vertex"])
@pytest.mark.parametrize("gap", [0.25, 0.4, 0.55])
def test_the_gap_is_the_distance_of_the_walls_at_their_feet(gap: float, by: str) -> None:
    found = bridges(bridged.slit(gap, strips=3, by=by))

    assert found.pairs.tolist() == [[LOW, HIGH]]
    assert found.gap_mm[0] == pytest.approx(gap, abs=bridged.LEAN_MM)
    assert found.bridged_mm[0] == pytest.approx(found.length[0])


@pytest.mark.parametrize(
    "mesh",
    [bridged.slit(0.3), bridged.slit(0.5, strips=4), bridged.neck(2), bridged.neck(3)],
    ids=["slit", "wide slit", "neck", "long neck"],
)
def test_it_is_that_of_a_slow_twin(mesh: Mesh) -> None:
    assert bridges(mesh).gap_mm[0] == pytest.approx(naive_gap(mesh, LOW, HIGH), abs=bridged.LEAN_MM)


@pytest.mark.parametrize("seed", [1, 2])
def test_so_it_is_on_a_phantom(seed: int) -> None:
    mesh, truth = bridged_phantom(faces=20_000, seed=seed, gap_mm=0.45)
    low, high = int(truth.measures["tooth"]), int(truth.measures["other"])
    found = bridges(mesh)
    place = found.pairs.tolist().index([low, high])

    assert found.gap_mm[place] == pytest.approx(0.45, abs=0.06)
    assert found.gap_mm[place] == pytest.approx(naive_gap(mesh, low, high), abs=0.06)


@pytest.mark.parametrize(
    "mesh",
    [
        bridged.valley(0.1),
        bridged.valley(0.25),
        bridged.valley(1.0),
        bridged.slit(0.15),
        bridged.slit(0.4, strips=1),
        bridged.slit(1.1),
        bridged.crowns([(-1.0, 1.0), (0.0, 1.0), (1.0, 1.0)]),
        bridged.neck(1),
    ],
    ids=["steep valley", "valley", "wide valley", "narrow", "one strip", "wide", "level", "short neck"],
)
def test_there_is_no_gap_to_measure(mesh: Mesh) -> None:
    found = bridges(mesh)

    assert found.length[0] > 2.0
    assert found.bridged_mm.tolist() == [0.0]
    assert np.isnan(found.gap_mm).all()


def test_crowns_bulge_so_walls_are_parallel_where_they_are_nearest() -> None:
    apart, touching = bridges(bridged.bulging(0.3)), bridges(bridged.bulging(0.0))

    assert apart.gap_mm[0] == pytest.approx(0.3, abs=0.03)
    assert apart.bridged_mm[0] == pytest.approx(apart.length[0])
    assert touching.bridged_mm.tolist() == [0.0]


def test_a_neck_has_a_closed_border() -> None:
    ring, open_border = bridges(bridged.neck(2)), bridges(bridged.slit(0.4))

    assert (ring.is_neck.tolist(), open_border.is_neck.tolist()) == ([True], [False])
    assert ring.length[0] == pytest.approx(16 * 0.2)
    assert ring.bridged_mm[0] > 0.9 * ring.length[0]
    assert ring.gap_mm[0] == pytest.approx(0.4, abs=1e-6)


def test_windows_are_longer_than_the_faces_of_a_raw_scan_and_shorter_than_a_bridge() -> None:
    found = bridges(bridged.slit(0.4))

    assert 0.13 < WINDOW_MM < found.length[0] / 3


def test_without_neighbours_there_is_nothing() -> None:
    mesh = bridged.slit(0.4)
    alone = mesh.without_labels().with_data(face={"label": np.where(mesh.face_data["label"] == HIGH, 0, LOW)})

    assert len(bridges(alone).pairs) == 0 and bridges(alone).edges == []
