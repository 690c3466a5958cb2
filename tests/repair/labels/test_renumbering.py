"""Proposals to renumber what is mirrored, shifted or of the other jaw, in any position; none where little is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import meshguard
from meshguard import fdi
from meshguard.mesh import Mesh
from meshguard.repair.labels.renumbering import propose_renumbering
from tests import shapes
from tests.arches import REAL, labelled, real

if TYPE_CHECKING:
    from pathlib import Path

    from meshguard.mesh import Jaw


def moved(mesh: Mesh, seed: int) -> Mesh:
    """The same arch somewhere else, turned at random."""
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    return Mesh(
        vertices=mesh.vertices @ turn.T + rng.normal(size=3) * 100,
        faces=mesh.faces,
        face_data=mesh.face_data,
        jaw=mesh.jaw,
    )


class TestProposals:
    def renumbered(self, mesh: Mesh, change: dict[int, int]) -> Mesh:
        return labelled(mesh, [change.get(int(label), 0) for label in mesh.face_data["label"]])

    @pytest.mark.parametrize("jaw", ["upper", "lower"])
    def test_phantoms_in_any_position(self, jaw: Jaw) -> None:
        for seed in range(4):
            arch = moved(meshguard.phantom(jaw=jaw, faces=6000, seed=seed), seed)
            teeth = [int(tooth) for tooth in np.unique(arch.face_data["label"]) if tooth]
            order = fdi.arch_order(jaw)
            assert propose_renumbering(arch) is None
            for kind, change in (
                ("mirrored", {tooth: fdi.antimere(tooth) for tooth in teeth}),
                ("other jaw", {tooth: fdi.antagonist(tooth) for tooth in teeth}),
                ("shifted", {tooth: order[fdi.arch_index(tooth) + 1] for tooth in teeth}),
                ("shifted", {tooth: order[fdi.arch_index(tooth) - 1] for tooth in teeth}),
            ):
                wrong = self.renumbered(arch, change)
                proposal = propose_renumbering(wrong)
                assert proposal is not None and proposal.kind == kind and proposal.reason.endswith(".")
                assert np.array_equal(proposal.applied_to(wrong).face_data["label"], arch.face_data["label"])
                assert np.array_equal(wrong.face_data["label"], self.renumbered(arch, change).face_data["label"])

    @pytest.mark.parametrize("name", REAL)
    def test_real_arches(self, data_root: Path, name: str) -> None:
        arch = real(data_root, name)
        teeth = [int(tooth) for tooth in np.unique(arch.face_data["label"]) if tooth]
        mirrored = propose_renumbering(self.renumbered(arch, {tooth: fdi.antimere(tooth) for tooth in teeth}))

        assert propose_renumbering(arch) is None
        assert mirrored is not None and mirrored.kind == "mirrored"

    def test_the_winding_does_not_enter(self) -> None:
        arch = meshguard.phantom(faces=6000)
        inward = Mesh(vertices=arch.vertices, faces=arch.faces[:, ::-1], face_data=arch.face_data, jaw=arch.jaw)
        swapped = self.renumbered(
            inward, {tooth: fdi.antimere(tooth) for tooth in np.unique(arch.face_data["label"])[1:]}
        )

        assert propose_renumbering(inward) is None
        proposal = propose_renumbering(swapped)
        assert proposal is not None and proposal.kind == "mirrored"

    def test_numbers_of_the_other_jaw_where_nobody_says_which_it_is(self, data_root: Path) -> None:
        """They run the wrong way round, as those of the other side do; the incisors tell which it is."""
        arch = real(data_root, "055_lower")
        teeth = [int(tooth) for tooth in np.unique(arch.face_data["label"]) if tooth]
        wrong = self.renumbered(arch, {tooth: fdi.antagonist(tooth) for tooth in teeth}).with_jaw(None)
        proposal = propose_renumbering(wrong)

        assert proposal is not None and proposal.kind == "other jaw"
        assert np.array_equal(proposal.applied_to(wrong).face_data["label"], arch.face_data["label"])

    def test_too_little_to_say(self) -> None:
        arch = meshguard.phantom(faces=6000, teeth=4)
        assert propose_renumbering(arch) is None
        assert propose_renumbering(shapes.grid()) is None
        one_side = meshguard.phantom(faces=6000)
        kept = {tooth: tooth for tooth in range(31, 38)}
        assert propose_renumbering(self.renumbered(one_side, kept)) is None
