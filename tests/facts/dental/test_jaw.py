"""The jaw that incisors look like: told where both sides agree, by their widths alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from meshguard.facts.dental import DentalFacts
from meshguard.facts.dental.jaw import INCISOR_RATIO, jaw_of_incisors
from meshguard.facts.mesh import MeshFacts
from meshguard.phantoms import phantom
from meshguard.policy import Policy

if TYPE_CHECKING:
    from meshguard.facts.dental.labels import Labelling
    from meshguard.facts.dental.teeth import Teeth
    from meshguard.facts.dental.tooth_sizes import ToothSizes
    from meshguard.mesh import Jaw


def of_widths(widths: dict[int, float], *, is_fdi: bool = True) -> tuple[Jaw | None, float]:
    """The jaw of teeth of these widths, mm."""
    return jaw_of_incisors(
        cast("Labelling", SimpleNamespace(is_fdi=is_fdi)),
        cast("Teeth", SimpleNamespace(labels=np.array(sorted(widths), np.int32))),
        cast("ToothSizes", SimpleNamespace(mesiodistal=np.array([widths[code] for code in sorted(widths)]))),
    )


class TestWidths:
    def test_above_the_central_incisor_is_the_wider_one_and_below_the_lateral(self) -> None:
        """Wheeler's averages, mm, whichever jaw the numbers are of."""
        assert of_widths({11: 8.5, 12: 6.5, 21: 8.5, 22: 6.5}) == ("upper", 1.0)
        assert of_widths({31: 5.0, 32: 5.5, 41: 5.0, 42: 5.5}) == ("lower", 1.0)
        assert of_widths({31: 8.5, 32: 6.5, 41: 8.5, 42: 6.5})[0] == "upper"

    def test_near_the_ratio_between_the_jaws_it_is_unsure(self) -> None:
        jaw, sure = of_widths({11: 1.01 * INCISOR_RATIO, 12: 1.0, 21: 1.01 * INCISOR_RATIO, 22: 1.0})

        assert jaw == "upper"
        assert sure == pytest.approx(np.log(1.01) / 0.16)

    @pytest.mark.parametrize(
        "widths",
        [
            {11: 8.5, 12: 6.5},
            {11: 8.5, 12: 6.5, 21: 6.5, 22: 8.5},
            {11: 8.5, 21: 8.5, 22: 6.5},
            {51: 8.5, 52: 6.5, 61: 8.5, 62: 6.5},
        ],
        ids=["one side", "sides that disagree", "one lateral", "milk teeth"],
    )
    def test_it_is_not_told(self, widths: dict[int, float]) -> None:
        assert of_widths(widths) == (None, 0.0)

    def test_nor_by_anonymous_classes(self) -> None:
        assert of_widths({11: 8.5, 12: 6.5, 21: 8.5, 22: 6.5}, is_fdi=False) == (None, 0.0)


@pytest.mark.parametrize("jaw", ["upper", "lower"])
def test_incisors_tell_the_jaw(jaw: Jaw) -> None:
    told, sure = DentalFacts(MeshFacts(phantom(jaw=jaw, faces=16_000), Policy())).jaw_of_incisors

    assert (told, sure > 0.7) == (jaw, True)
    assert DentalFacts(MeshFacts(phantom(faces=8_000, teeth=2), Policy())).jaw_of_incisors[0] is None


def test_incisors_that_disagree_tell_no_jaw() -> None:
    mesh = phantom(jaw="upper", faces=16_000)
    label = mesh.vertex_data["label"].astype(int)
    swapped = label.copy()
    swapped[label == 21], swapped[label == 22] = 22, 21
    facts = DentalFacts(MeshFacts(mesh.without_labels().with_data(vertex={"label": swapped}), Policy()))

    assert facts.jaw_of_incisors == (None, 0.0)
