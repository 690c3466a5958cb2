"""Closed bodies within one another: which of them are inverted, judged together.

A hollow body is a body that looks outward and, within it, the wall of a cavity that looks into the cavity: it has
negative volume. Where a body looks inward, the number of times that all bodies go around a point (the winding number)
is negative just within it, unless a body around it makes up for that. So a body of negative volume is inverted unless
it is such a wall; and where every body in a nest contradicts its depth, the nest is inverted as a whole. What cannot
be decided is a body that lies wholly within another and looks outward as that one does: it is a cavity whose wall is
inverted, or a body of its own.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshguard.facts.arrays import frozen
from meshguard.kernels._parallel import in_blocks
from meshguard.kernels.bvh import NO_GROUPS, build_tree
from meshguard.kernels.winding_numbers import faces_above
from meshguard.watch import look

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from meshguard.facts.arrays import BoolArray
    from meshguard.facts.mesh.connectivity import Connectivity
    from meshguard.kernels.bvh import Tree
    from meshguard.mesh import FloatArray, IntArray

_PROBES = 7
"""Vertices of a body that are asked whether they lie within others: one that touches another's wall may say either."""

_ALL_PAIRS = 2000
"""Bodies up to this many have their boxes compared each with each."""


class Nesting(NamedTuple):
    """How closed components lie within one another, and which sides they show; each list is ascending.

    Attributes:
        inverted: components that are inverted, by themselves or with the body around them.
        cavities: those of `inverted` that are walls of cavities, inverted with the body around them.
        undecided: components that lie wholly within another and look outward as that one does.
    """

    inverted: list[int]
    cavities: list[int]
    undecided: list[int]


def find_nesting(mesh: Connectivity, interpenetrating: Callable[[], IntArray]) -> Nesting:
    """How the closed components of a mesh lie within one another.

    Bodies that reach into each other are not nested. Whether a vertex of one lies within another is decided exactly.

    Args:
        mesh: the mesh.
        interpenetrating: pairs of faces that cross or overlap, int32 (k, 2); asked only where a body lies in another.
    """
    bodies = np.flatnonzero(~mesh.is_open)
    is_negative = mesh.components.volume < 0
    around = _bodies_around(mesh, bodies, interpenetrating)
    if not around:
        return Nesting(bodies[is_negative[bodies]].tolist(), [], [])
    depth = {body: len(around.get(body, [])) for body in bodies.tolist()}
    in_nest: dict[int, list[int]] = {}  # outermost body -> all within it
    for body, others in around.items():
        look()
        for other in others:
            if depth[other] == 0:
                in_nest.setdefault(other, []).append(body)
    # Nests in which every body contradicts its depth.
    is_whole = {
        outermost
        for outermost, within in in_nest.items()
        if all(is_negative[body] == (depth[body] % 2 == 0) for body in (outermost, *within))
    }
    sign: dict[int, int] = {}
    inverted, cavities, undecided = [], [], []
    for body in sorted(depth, key=lambda body: (depth[body], body)):  # what is around a body comes before it
        look()
        others = around.get(body, [])
        winding = sum(sign[other] for other in others)
        sign[body] = -1 if is_negative[body] else 1
        if is_negative[body] and winding <= 0:
            inverted.append(body)
            sign[body] = 1
        elif not is_negative[body] and winding > 0:
            if any(other in is_whole for other in others):
                inverted.append(body)
                cavities.append(body)
                sign[body] = -1
            else:
                undecided.append(body)
    return Nesting(sorted(inverted), sorted(cavities), sorted(undecided))


def _bodies_around(
    mesh: Connectivity, bodies: npt.NDArray[np.intp], interpenetrating: Callable[[], IntArray]
) -> dict[int, list[int]]:
    """The closed components that each closed component lies wholly within, where there are any."""
    inner = bodies[_is_in_a_box(mesh, bodies)]
    if not len(inner):
        return {}
    rows = _enclosing(mesh, bodies, inner)
    if not len(rows):
        return {}
    # Two bodies that reach into each other lie beside one another, whatever a vertex says.
    beside = mesh.components.of_face[interpenetrating()]
    keys = np.unique(np.sort(beside, axis=1).astype(np.int64) @ [mesh.components.n_components, 1])
    is_beside = np.isin(np.sort(rows, axis=1) @ [mesh.components.n_components, 1], keys)
    around: dict[int, list[int]] = {}
    rows = rows[~is_beside]
    bounds = np.flatnonzero(np.diff(rows[:, 0], prepend=-1, append=-1))
    for lo, hi in pairwise(bounds.tolist()):
        look()
        around[int(rows[lo, 0])] = rows[lo:hi, 1].tolist()
    return around


def _is_in_a_box(mesh: Connectivity, bodies: npt.NDArray[np.intp]) -> BoolArray:
    """Whether the box of each of some components lies within the box of another of them, bool (b,)."""
    if len(bodies) > _ALL_PAIRS:
        return np.ones(len(bodies), np.bool_)
    lowest, highest = mesh.components.lowest[bodies], mesh.components.highest[bodies]
    is_inside: BoolArray = np.ones((len(bodies), len(bodies)), np.bool_)
    for axis in range(3):
        is_inside &= lowest[:, None, axis] > lowest[None, :, axis]
        is_inside &= highest[:, None, axis] < highest[None, :, axis]
    return np.asarray(is_inside.any(axis=1), np.bool_)


def _enclosing(mesh: Connectivity, bodies: npt.NDArray[np.intp], inner: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
    """Pairs of a component in `inner` and another one that most of its probes lie inside of, int64 (k, 2), sorted."""
    components = mesh.components
    count = components.n_components
    is_body = np.zeros(count + 1, np.bool_)  # the last is for faces of no component, −1
    is_body[bodies] = True
    faces = mesh.sound_faces[is_body[components.of_face[mesh.sound_faces]]]
    tree = build_tree(mesh.positions, mesh.corners, frozen(faces), NO_GROUPS, mesh.box)
    probes = [_probes(mesh, int(body)) for body in inner]
    owner = np.repeat(inner, [len(points) for points in probes])
    point, other = _insides(mesh, tree, np.concatenate(probes))
    pairs, n_inside = np.unique(owner[point] * np.int64(count) + other, return_counts=True)
    body, other = np.divmod(pairs, count)
    is_inside = 2 * n_inside > np.bincount(owner, minlength=count)[body]
    is_inside &= (components.lowest[body] > components.lowest[other]).all(axis=1)
    is_inside &= (components.highest[body] < components.highest[other]).all(axis=1)
    pairs_inside: npt.NDArray[np.int64] = np.stack([body, other], axis=1)[is_inside]
    return pairs_inside


def _probes(mesh: Connectivity, component: int) -> FloatArray:
    """Some vertices of a component, the same whatever their order, float64 (k, 3), mm."""
    look()
    points = mesh.positions[np.unique(mesh.corners[mesh.faces_of(component)])]
    points = points[np.lexsort(points.T[::-1])]
    return points[np.linspace(0, len(points) - 1, min(_PROBES, len(points))).astype(np.int64)]


def _insides(mesh: Connectivity, tree: Tree, points: FloatArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The components that points are inside of: which point, int64 (r,), ascending, and which component, int64 (r,).

    A point is inside of what the line upward from it leaves more often than it enters it. Points are asked in blocks:
    in a pile of bodies each line passes very many faces.
    """
    points, count = frozen(np.ascontiguousarray(points)), mesh.components.n_components
    found = [np.empty(0, np.int64)]

    def write(lo: int, hi: int) -> None:
        most = 16 * (hi - lo)
        while True:
            point, face = np.empty(most, np.int32), np.empty(most, np.int32)
            n_passed = faces_above(
                mesh.positions, tree.order, tree.nodes, tree.corners, tree.width, points[lo:hi], point, face
            )
            if n_passed <= most:
                break
            most = n_passed
        keys = (lo + point[:n_passed].astype(np.int64)) * count + mesh.components.of_face[face[:n_passed]]
        passed, times = np.unique(keys, return_counts=True)
        found.append(passed[times % 2 == 1])

    in_blocks(0, len(points), write, first=64)
    point, component = np.divmod(np.concatenate(found), count)
    return point, component
