"""Handles: as many loops as there are handles, each around one of them, and as short as can be."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshguard import validate
from meshguard.facts.arrays import connected_components
from meshguard.facts.mesh import MeshFacts
from meshguard.facts.mesh import handles as module
from meshguard.facts.mesh.handles import MOST_HANDLES, Handle
from meshguard.mesh import Mesh
from meshguard.phantoms import mutate, phantom
from meshguard.policy import policy
from tests import mutations, shapes
from tests.repair.broken import moved, turned


def facts_of(mesh: Mesh) -> MeshFacts:
    return MeshFacts(mesh, policy("scan"))


def rotated(mesh: Mesh, seed: int) -> Mesh:
    rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    rotation *= np.sign(np.linalg.det(rotation))
    return Mesh(vertices=mesh.vertices @ rotation, faces=mesh.faces)


def ring(neck: float, *, at: int = 7, around: int = 40, along: int = 30) -> Mesh:
    """A ring of 30 mm whose wall of 10 mm has a neck of another radius at one of its rows."""
    angle = 2 * np.pi * np.arange(around) / around
    radius = np.where(np.arange(around) == at, neck, 10.0)[:, None]
    turn = 2 * np.pi * np.arange(along) / along
    reach = 30.0 + radius * np.cos(turn)
    points = np.stack(
        [reach * np.cos(angle)[:, None], reach * np.sin(angle)[:, None], radius * np.sin(turn) + 0 * reach], axis=-1
    )
    i, j = np.meshgrid(np.arange(around), np.arange(along), indexing="ij")
    a, b = i * along + j, (i + 1) % around * along + j
    c, d = (i + 1) % around * along + (j + 1) % along, i * along + (j + 1) % along
    faces = np.stack([a, b, c, a, c, d], axis=-1).reshape(-1, 3)
    return Mesh(vertices=points.reshape(-1, 3), faces=faces)


def is_essential(facts: MeshFacts, handle: Handle) -> bool:
    """Whether the loop runs along edges, once each, and the component stays connected when it is cut along it."""
    loop = handle.loop
    cut = {frozenset(pair) for pair in zip(loop.tolist(), np.roll(loop, -1).tolist(), strict=True)}
    twins = facts.edges.twins
    paired = np.flatnonzero(twins > np.arange(len(twins)))
    ends = facts.edge_ends(np.arange(len(twins), dtype=np.int32))
    edges = {frozenset(pair) for pair in ends.tolist()}
    kept = np.array([frozenset(pair) not in cut for pair in ends[paired].tolist()])
    of_face = connected_components(len(facts.corners), paired[kept] // 3, twins[paired[kept]] // 3)
    in_component = facts.components.of_face == handle.component
    return cut <= edges and len(set(loop.tolist())) == len(loop) and len(set(of_face[in_component].tolist())) == 1


def length_of(facts: MeshFacts, handle: Handle) -> float:
    points = facts.positions[handle.loop]
    return float(np.linalg.norm(points - np.roll(points, -1, axis=0), axis=1).sum())


class TestCount:
    @pytest.mark.parametrize(
        ("mesh", "expected"),
        [
            (shapes.cube(), []),
            (shapes.grid(), []),
            (shapes.moebius(), []),
            (shapes.torus(), [0]),
            (mutations.hole_in_body(), [0]),
            (shapes.joined(shapes.torus(), shapes.grid(), moved(shapes.torus(), 0, 0, 30)), [0, 2]),
            (shapes.drilled(3, 2), [0] * 6),
        ],
        ids=["cube", "sheet", "moebius", "torus", "torus with a hole", "two of three components", "plate"],
    )
    def test_there_is_one_for_each_handle_of_each_component(self, mesh: Mesh, expected: list[int]) -> None:
        facts = facts_of(mesh)

        assert [handle.component for handle in facts.handles] == expected
        assert all(is_essential(facts, handle) for handle in facts.handles)
        assert [handle.length for handle in facts.handles] == pytest.approx(
            [length_of(facts, h) for h in facts.handles]
        )

    def test_where_faces_contradict_one_another_there_is_none(self) -> None:
        mesh = shapes.torus()
        faces = mesh.faces.copy()
        faces[5] = faces[5, ::-1]
        facts = facts_of(Mesh(vertices=mesh.vertices, faces=faces))

        assert facts.genus.tolist() == [1]
        assert facts.handles == []

    def test_there_are_so_many_at_most(self) -> None:
        facts = facts_of(shapes.drilled(9, 8))

        assert facts.genus.tolist() == [72]
        assert len(facts.handles) == MOST_HANDLES


class TestPlace:
    @pytest.mark.parametrize("neck", [0.5, 2.0, 7.0])
    @pytest.mark.parametrize("seed", range(3))
    def test_a_neck_is_the_shortest_way_around(self, neck: float, seed: int) -> None:
        mesh = rotated(ring(neck), seed)
        facts = facts_of(mesh)
        (handle,) = facts.handles

        assert handle.length == pytest.approx(30 * 2 * neck * math.sin(math.pi / 30))
        assert sorted(handle.loop.tolist()) == list(range(7 * 30, 8 * 30))
        assert handle.lean > 0.9

    @pytest.mark.parametrize("seed", range(2))
    def test_each_hole_of_a_plate_has_its_own(self, seed: int) -> None:
        """Around a hole it is 4 mm, around the bars between them 8 mm."""
        mesh = shapes.drilled(13, 4)
        facts = facts_of(rotated(mesh, seed))
        handles = facts.handles
        middles = np.array([mesh.vertices[facts.first_vertex[handle.loop], :2].mean(axis=0) for handle in handles])

        assert [handle.length for handle in handles] == pytest.approx([4.0] * 52)
        assert sorted(map(tuple, middles.tolist())) == [
            (4.0 * i + 2.5, 4.0 * j + 2.5) for i in range(13) for j in range(4)
        ]
        assert all(handle.lean < -0.5 for handle in handles)

    def test_an_open_plate_has_them_too(self) -> None:
        mesh = shapes.drilled(2, 2)
        is_kept = ~(mesh.vertices[mesh.faces][:, :, 2].max(axis=1) == 0) | (np.arange(len(mesh.faces)) % 2 == 0)
        corner = mesh.vertices[mesh.faces].mean(axis=1)[:, :2].max(axis=1) < 1
        facts = facts_of(mesh.take(is_kept | ~corner))

        assert facts.is_open.tolist() == [True]
        assert [handle.length for handle in facts.handles] == pytest.approx([4.0] * 4)

    @pytest.mark.parametrize("seed", range(3))
    def test_the_handle_of_a_broken_arch(self, seed: int) -> None:
        """Each vertex of its loop is one that the handle was made of, or of the two rings on which it stands."""
        whole = phantom(faces=3000)
        mesh, (truth,) = mutate(whole, "tunnel", seed=seed)
        (finding,) = (finding for finding in validate(mesh).findings if finding.check == truth.check)
        scanned = set(map(tuple, whole.vertices.tolist()))
        is_made = np.array([tuple(point) not in scanned for point in mesh.vertices.tolist()])
        of_handle = np.unique(mesh.faces[is_made[mesh.faces].any(axis=1)])

        assert set(finding.indices.tolist()) <= set(of_handle.tolist())
        assert finding.location in set(map(tuple, mesh.vertices[of_handle].tolist()))
        assert is_essential(facts_of(mesh), facts_of(mesh).handles[0])

    def test_the_side_of_a_sheet_says_nothing_of_its_place(self) -> None:
        one, other = facts_of(ring(2.0)).handles[0], facts_of(turned(ring(2.0))).handles[0]

        assert set(one.loop.tolist()) == set(other.loop.tolist())
        assert one.lean == pytest.approx(-other.lean)


class TestDeterminism:
    @given(st.integers(0, 2**32 - 1))
    @settings(max_examples=8)
    def test_neither_order_nor_threads_change_it(self, seed: int) -> None:
        mesh = rotated(ring(3.0), seed)
        found = []
        with pytest.MonkeyPatch.context() as environment:
            for threads, other in (("1", mesh), ("3", mesh), ("2", shapes.shuffled(mesh, seed=seed % 100))):
                environment.setenv("MESHGUARD_THREADS", threads)
                facts = facts_of(other)
                (handle,) = facts.handles
                found.append((round(handle.length, 9), sorted(map(tuple, facts.positions[handle.loop].tolist()))))

        assert found[0] == found[1] == found[2]

    def test_where_work_runs_out_there_is_a_loop_all_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "_MOST_WORK", 0)
        monkeypatch.setattr(module, "_LEAST_WORK", 0)
        facts = facts_of(shapes.drilled(3, 2))

        assert len(facts.handles) == 6
        assert all(is_essential(facts, handle) for handle in facts.handles)


class TestTold:
    def test_each_has_a_finding_with_its_place_and_its_length(self) -> None:
        found = [finding for finding in validate(shapes.drilled(3, 2)).findings if finding.check == "S105"]

        assert [finding.measures["length_mm"] for finding in found] == pytest.approx([4.0] * 6)
        assert {finding.element for finding in found} == {"loop"}
        assert len({finding.location for finding in found}) == len({finding.fingerprint for finding in found}) == 6

    @pytest.mark.parametrize(
        ("mesh", "word"),
        [
            (ring(2.0), "bridge"),
            (turned(ring(2.0)), "tunnel"),
            (ring(0.5, along=4), "fold"),
            (ring(9.0, along=4), "bridge"),
        ],
        ids=["around material", "around air", "hardly a loop", "of few edges but long"],
    )
    def test_what_it_probably_is(self, mesh: Mesh, word: str) -> None:
        (finding,) = (finding for finding in validate(mesh).findings if finding.check == "S105")

        assert word in finding.message

    def test_those_without_a_place_are_counted_together(self) -> None:
        found = [finding for finding in validate(shapes.drilled(9, 8)).findings if finding.check == "S105"]
        rest = [finding for finding in found if finding.element == "component"]

        assert len(found) == MOST_HANDLES + 1
        assert [finding.count for finding in rest] == [72 - MOST_HANDLES]
        assert "8 more tunnels" in rest[0].message
