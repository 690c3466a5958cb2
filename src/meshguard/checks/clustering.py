"""From elements to findings: each cluster of elements becomes one located defect with a fingerprint.

A fingerprint hashes the positions of a defect's elements in a way that no order enters, so it survives any renumbering
of vertices and faces.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from meshguard.report import Element, Finding, Safety, Severity
from meshguard.watch import look

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.mesh import IntArray

_Words = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What a check says of one cluster: all of a finding but its place.

    Attributes:
        severity: unless the policy gives another.
        message: one sentence, with the measure that matters.
        measures: name -> number, unit in the name.
        limit: the policy limit that decided.
        fixable: what repair would do.
        count: how many elements the defect has, where that is not how many indices it lists.
        tooth: the FDI code of the tooth it is about.
    """

    severity: Severity
    message: str
    measures: Mapping[str, float] = field(default_factory=dict)
    limit: str | None = None
    fixable: Safety | None = None
    count: int | None = None
    tooth: int | None = None


def located(
    facts: Connectivity,
    check: str,
    *,
    element: Element,
    indices: IntArray,
    rows: IntArray,
    labels: IntArray | None = None,
    describe: Diagnosis | Callable[[IntArray], Diagnosis],
) -> list[Finding]:
    """One finding for each cluster of elements.

    Args:
        facts: of the mesh.
        check: id of the check.
        element: what `indices` number.
        indices: int32 (k,): the elements.
        rows: int32 (k, w): positions (of `facts.positions`) of each element.
        labels: int32 (k,): cluster of each element, 0 to c - 1; None where all belong to one.
        describe: what is said of every cluster; or called with the places in `indices` of each cluster's elements,
            ascending.

    Returns:
        Findings by cluster; none for no elements. Each is located at the centre of the element that is nearest to the
        mean of its cluster's finite centres.
    """
    if not len(indices):
        return []
    labels = np.zeros(len(indices), np.int32) if labels is None else labels
    centres, hashes = _centres(facts, rows), _element_hashes(facts, rows)
    order = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    members = np.split(order.astype(np.int32), starts[1:])
    with np.errstate(over="ignore"):
        sums = np.stack(
            [np.add.reduceat(hashes[order], starts), np.add.reduceat(_mixed(hashes)[order], starts)], axis=1
        )
    places = _places(centres, labels)
    findings = []
    for cluster, places_in in enumerate(members):
        look()
        diagnosis = describe if isinstance(describe, Diagnosis) else describe(places_in)
        numbers = np.sort(indices[places_in]).astype(np.int32)
        findings.append(
            Finding(
                check=check,
                severity=diagnosis.severity,
                message=diagnosis.message,
                element=element,
                indices=numbers,
                count=len(numbers) if diagnosis.count is None else diagnosis.count,
                location=places[cluster],
                measures=diagnosis.measures,
                limit=diagnosis.limit,
                fixable=diagnosis.fixable,
                tooth=diagnosis.tooth,
                fingerprint=fingerprint(check, len(numbers), *sums[cluster].tolist()),
            )
        )
    return findings


def fingerprint(check: str, *parts: object) -> str:
    """16 hexadecimal digits of the check's id and whatever else tells one defect from another."""
    return hashlib.sha256(":".join([check, *map(str, parts)]).encode()).hexdigest()[:16]


def _places(centres: npt.NDArray[np.float64], labels: IntArray) -> list[tuple[float, float, float] | None]:
    """For each cluster the centre nearest to their mean, the least in x, y, z of equals; None where none is finite."""
    count = int(labels.max()) + 1
    is_finite = np.isfinite(centres).all(axis=1)
    points, owner = centres[is_finite], labels[is_finite]
    sizes = np.maximum(1, np.bincount(owner, minlength=count))
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.stack([np.bincount(owner, points[:, d], minlength=count) / sizes for d in range(3)], axis=1)
        squared_distance = ((points - mean[owner]) ** 2).sum(axis=1)
    if count == 1:  # sorting all of them to find one is slow
        is_nearest = squared_distance == squared_distance.min(initial=np.inf)
        points, owner, squared_distance = points[is_nearest], owner[is_nearest], squared_distance[is_nearest]
    order = np.lexsort((points[:, 2], points[:, 1], points[:, 0], squared_distance, owner))
    nearest = order[np.flatnonzero(np.diff(owner[order], prepend=-1))]
    places: list[tuple[float, float, float] | None] = [None] * count
    for index in nearest:
        x, y, z = (points[index] + 0.0).tolist()
        places[int(owner[index])] = (x, y, z)
    return places


def _centres(facts: Connectivity, rows: IntArray) -> npt.NDArray[np.float64]:
    """Mean of each element's positions, float64 (k, 3)."""
    from meshguard.facts.arrays import centroids

    with np.errstate(over="ignore", invalid="ignore"):
        return centroids(facts.positions, rows)


def _element_hashes(facts: Connectivity, rows: IntArray) -> _Words:
    """A hash of each element's positions in which their order does not enter, uint64 (k,)."""
    words = (facts.positions[rows] + 0.0).view(np.uint64)
    x, y, z = words[..., 0], words[..., 1], words[..., 2]
    corner = _mixed(_mixed(_mixed(x) + y) + z)
    return _mixed(np.asarray(corner.sum(axis=1, dtype=np.uint64)))


def _mixed(words: npt.NDArray[Any]) -> _Words:
    """Well-spread words: the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    spread: _Words = words ^ (words >> np.uint64(31))
    return spread
