"""Wrong labels put on a labelled arch on purpose, each with the truth about it: which check must find it, and where.

Every defect takes a mesh with correct labels, FDI codes on vertices or faces, and changes labels only. Which teeth it
takes, how large an island is and where it lies are drawn from the seed. `mislabel` puts in one defect and returns the
truth in the numbers of the mesh: the vertices or faces, whichever carry the labels, whose labels changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from meshguard import fdi
from meshguard.halfedges import edge_ends, edge_keys, triangle_normals
from meshguard.phantoms.defects import Truth

if TYPE_CHECKING:
    from meshguard.mesh import Carrier, FloatArray, IntArray, Mesh
    from meshguard.phantoms.edit import Numbers


@dataclass(slots=True, kw_only=True)
class Labelled:
    """The labels of a mesh while a defect is put in.

    Attributes:
        per: what carries them.
        labels: int64 (N,), of each vertex or face; changed in place.
        instances: int64 (N,), or None; changed in place.
        points: float64 (N, 3), vertices or centres of faces, mm.
        areas: float64 (N,), surface of each, mm2.
        links: int64 (k, 2), pairs of neighbours.
        random: the random generator.
        jaw: the jaw that the mesh will state.
    """

    per: Carrier
    labels: Numbers
    instances: Numbers | None
    points: FloatArray
    areas: FloatArray
    links: Numbers
    random: np.random.Generator
    jaw: Literal["upper", "lower"] | None

    @property
    def teeth(self) -> list[int]:
        """The codes that are present, from the patient's right to the left."""
        return sorted(
            (int(code) for code in np.unique(self.labels) if code), key=lambda code: (fdi.arch_index(code), code)
        )

    def of(self, code: int) -> Numbers:
        """The nodes of a tooth."""
        return np.flatnonzero(self.labels == code)

    def draw(self, codes: list[int]) -> int:
        """One of these teeth."""
        if not codes:
            raise ValueError("this arch has no teeth for such a defect")
        return int(codes[int(self.random.integers(len(codes)))])

    def to_border(self, nodes: Numbers) -> FloatArray:
        """Distance of each of these nodes from the nearest node outside them, mm."""
        from scipy.spatial import cKDTree

        is_inside = np.zeros(len(self.labels), np.bool_)
        is_inside[nodes] = True
        middle = self.points[nodes].mean(axis=0)
        reach = np.linalg.norm(self.points[nodes] - middle, axis=1).max() + 4.0
        outside = np.flatnonzero(~is_inside & (np.linalg.norm(self.points - middle, axis=1) < reach))
        if not len(outside):
            return np.full(len(nodes), 4.0)
        distances = cKDTree(self.points[outside]).query(self.points[nodes])[0]
        return np.asarray(distances, np.float64)

    def region(self, nodes: Numbers, *, least_mm2: float, most_mm2: float) -> Numbers:
        """A connected region in the middle of these nodes, with an area between the two, away from their border."""
        is_inside = np.zeros(len(self.labels), np.bool_)
        is_inside[nodes] = True
        is_inside[self.links[is_inside[self.links].sum(axis=1) == 1]] = False
        away = self.to_border(nodes)
        nodes, away = nodes[is_inside[nodes]], away[is_inside[nodes]]
        if len(nodes) < 3:
            raise ValueError("this arch has no teeth for such a defect")
        deep = nodes[away >= 0.6 * away.max()]
        centre = int(deep[int(self.random.integers(len(deep)))])
        room = float(away[np.flatnonzero(nodes == centre)[0]])
        area = float(self.random.uniform(least_mm2, most_mm2))
        order = nodes[np.argsort(((self.points[nodes] - self.points[centre]) ** 2).sum(axis=1), kind="stable")]
        distance = np.linalg.norm(self.points[order] - self.points[centre], axis=1)
        count = max(3, int(np.searchsorted(np.cumsum(self.areas[order]), area)) + 1)
        count = min(count, max(3, int(np.count_nonzero(distance < 0.7 * room))))
        return self.connected(order[:count], centre)

    def connected(self, nodes: Numbers, start: int) -> Numbers:
        """Those of these nodes that are connected to one of them."""
        is_inside = np.zeros(len(self.labels), np.bool_)
        is_inside[nodes] = True
        links = self.links[is_inside[self.links].all(axis=1)]
        is_reached = np.zeros(len(self.labels), np.bool_)
        is_reached[start] = True
        while True:
            grown = is_reached.copy()
            grown[links[is_reached[links].any(axis=1)]] = True
            if np.array_equal(grown, is_reached):
                return np.flatnonzero(is_reached)
            is_reached = grown


Injector: TypeAlias = Callable[[Labelled], Truth]


def _truth(arch: Labelled, check: str, nodes: Numbers, **rest: object) -> Truth:
    """A truth about these nodes; its location is the one nearest to their middle."""
    place = arch.points[nodes]
    x, y, z = place[np.argmin(((place - place.mean(axis=0)) ** 2).sum(axis=1))].tolist()
    indices = np.sort(nodes).astype(np.int32)
    return Truth(check=check, element=arch.per, indices=indices, location=(x, y, z), **rest)  # type: ignore[arg-type]


def _renumber(arch: Labelled, new: Mapping[int, int]) -> Numbers:
    """Give teeth other numbers, all at once; returns the nodes that changed."""
    before = arch.labels.copy()
    for code, number in new.items():
        arch.labels[before == code] = number
    return np.flatnonzero(arch.labels != before)


def wrong_code(arch: Labelled) -> Truth:
    """A tooth has a number that no tooth has."""
    code = arch.draw(arch.teeth)
    number = arch.draw([9, 10, 19, 20, 29, 30, 39, 49, 50, 56, 69, 77, 86, 90, 99])
    return _truth(arch, "D101", _renumber(arch, {code: number}), measures={"tooth": code, "label": number})


def other_jaw(arch: Labelled) -> Truth:
    """A tooth has the number of its antagonist."""
    code = arch.draw(arch.teeth)
    number = fdi.antagonist(code)
    return _truth(arch, "D102", _renumber(arch, {code: number}), measures={"tooth": number})


def whole_other_jaw(arch: Labelled) -> Truth:
    """All teeth have the numbers of the other jaw, while the mesh says which jaw it is."""
    teeth = arch.teeth
    arch.jaw = fdi.jaw_of(teeth[0])
    nodes = _renumber(arch, {code: fdi.antagonist(code) for code in teeth})
    # Numbers of the other jaw run the other way round, so the sides are swapped as well.
    return _truth(arch, "D102", nodes, also=("D107", "D109"), measures={"teeth": len(teeth)})


def island(arch: Labelled) -> Truth:
    """A region on a tooth has the number of another one."""
    code = arch.draw([code for code in arch.teeth if arch.areas[arch.of(code)].sum() > 60.0] or arch.teeth)
    number = arch.draw([number for number in arch.teeth if number != code])
    nodes = arch.region(arch.of(code), least_mm2=0.4, most_mm2=5.0)
    arch.labels[nodes] = number
    return _truth(arch, "D104", nodes, measures={"tooth": number})


def island_on_gum(arch: Labelled) -> Truth:
    """A region of gum has the number of a tooth."""
    number = arch.draw(arch.teeth)
    gum = arch.of(0)
    centre_of_teeth = arch.points[arch.labels != 0].mean(axis=0)
    near = gum[np.linalg.norm(arch.points[gum] - centre_of_teeth, axis=1) < 40.0]
    nodes = arch.region(near, least_mm2=0.4, most_mm2=6.0)
    arch.labels[nodes] = number
    return _truth(arch, "D104", nodes, measures={"tooth": number})


def same_number(arch: Labelled) -> Truth:
    """Two teeth that do not touch have the same number."""
    teeth = arch.teeth
    code = arch.draw(teeth)
    far = [number for number in teeth if abs(fdi.arch_index(number) - fdi.arch_index(code)) > 1]
    number = arch.draw(far)
    before = arch.of(number)
    nodes = np.concatenate([_renumber(arch, {code: number}), before])
    # The larger of the two counts as the tooth; if that is the wrong one, it also stands out of order and size.
    return _truth(arch, "D104", nodes, also=("D106", "D109"), measures={"tooth": number})


def hole(arch: Labelled) -> Truth:
    """A region on a tooth is labelled gum."""
    code = arch.draw([code for code in arch.teeth if arch.areas[arch.of(code)].sum() > 60.0] or arch.teeth)
    nodes = arch.region(arch.of(code), least_mm2=0.4, most_mm2=5.0)
    arch.labels[nodes] = 0
    return _truth(arch, "D105", nodes, measures={"tooth": code})


def neighbours_swapped(arch: Labelled) -> Truth:
    """Two neighbours have each other's numbers."""
    teeth = arch.teeth
    k = int(arch.random.integers(len(teeth) - 1))
    first, second = teeth[k], teeth[k + 1]
    nodes = _renumber(arch, {first: second, second: first})
    return _truth(arch, "D106", nodes, also=("D109",), measures={"tooth": first, "other": second})


def antimeres_swapped(arch: Labelled) -> Truth:
    """A tooth and its antimere have each other's numbers."""
    teeth = arch.teeth
    code = arch.draw([code for code in teeth if fdi.antimere(code) in teeth])
    antimere = fdi.antimere(code)
    nodes = _renumber(arch, {code: antimere, antimere: code})
    return _truth(arch, "D106", nodes, also=("D109",), measures={"tooth": code, "other": antimere})


def mirrored(arch: Labelled) -> Truth:
    """All teeth have the numbers of the other side."""
    nodes = _renumber(arch, {code: fdi.antimere(code) for code in arch.teeth})
    return _truth(arch, "D107", nodes)


def two_in_one_slot(arch: Labelled) -> Truth:
    """A tooth beside another has the number of the other's predecessor."""
    teeth = arch.teeth
    pairs = [
        (code, neighbour)
        for code, neighbour in zip([*teeth, *teeth[::-1]], [*teeth[1:], *teeth[::-1][1:]], strict=False)
        if fdi.predecessor(neighbour) is not None and fdi.arch_index(code) != fdi.arch_index(neighbour)
    ]
    code, neighbour = pairs[int(arch.random.integers(len(pairs)))]
    number = fdi.predecessor(neighbour) or 0
    nodes = _renumber(arch, {code: number})
    return _truth(arch, "D108", nodes, also=("D106", "D109"), measures={"tooth": number})


def merged(arch: Labelled) -> Truth:
    """Two neighbours have the same number."""
    teeth = arch.teeth
    touching = [
        (first, second)
        for first, second in pairwise(teeth)
        if abs(fdi.arch_index(first) - fdi.arch_index(second)) == 1 and _touch(arch, first, second)
    ]
    first, second = touching[int(arch.random.integers(len(touching)))]
    nodes = _renumber(arch, {first: second})
    return _truth(arch, "D109", nodes, also=("D104",), measures={"tooth": second})


def _touch(arch: Labelled, first: int, second: int) -> bool:
    """Whether two teeth have at least three pairs of neighbouring nodes."""
    a, b = arch.labels[arch.links].T
    is_shared = ((a == first) & (b == second)) | ((a == second) & (b == first))
    return bool(np.count_nonzero(is_shared) >= 3)


def shifted(arch: Labelled) -> Truth:
    """From some premolar on, the teeth of one side have the next number back."""
    quadrants = {code // 10 for code in arch.teeth if code < 50}
    for quadrant in arch.random.permutation(sorted(quadrants)).tolist():
        run = [code for code in arch.teeth if code // 10 == quadrant]
        if {4, 5, 6} <= {code % 10 for code in run} and max(code % 10 for code in run) < 8:
            start = arch.draw([4, 5])
            moved = [code for code in run if code % 10 >= start]
            nodes = _renumber(arch, {code: code + 1 for code in moved})
            return _truth(arch, "D109", nodes, measures={"teeth": len(moved)})
    raise ValueError("this arch has no side for such a defect")


def truncated(arch: Labelled) -> Truth:
    """Only the middle of a crown is labelled, and the rest is labelled gum."""
    teeth = arch.teeth
    code = arch.draw([code for code in teeth if fdi.antimere(code) in teeth])
    nodes = arch.of(code)
    area = float(arch.random.uniform(0.3, 0.5)) * float(arch.areas[arch.of(fdi.antimere(code))].sum())
    away = arch.to_border(nodes)
    order = nodes[np.argsort(-away, kind="stable")]
    count = int(np.searchsorted(np.cumsum(arch.areas[order]), area)) + 1
    nodes = np.setdiff1d(nodes, arch.connected(order[:count], int(order[0])))
    arch.labels[nodes] = 0
    return _truth(arch, "D110", nodes, also=("D105", "D111", "D113", "D109"), measures={"tooth": code})


def ragged(arch: Labelled) -> Truth:
    """Along a tooth's border labels are assigned at random, three neighbours deep."""
    code = arch.draw(arch.teeth)
    before = arch.labels.copy()
    for _ in range(3):
        labels = arch.labels[arch.links]
        border = arch.links[(labels[:, 0] == code) != (labels[:, 1] == code)]
        for first, second in border[arch.random.random(len(border)) < 0.5].tolist():
            if arch.random.random() < 0.5:
                arch.labels[first] = arch.labels[second]
            else:
                arch.labels[second] = arch.labels[first]
    nodes = np.flatnonzero(arch.labels != before)
    return _truth(arch, "D111", nodes, also=("D104", "D105", "D109", "D112"), measures={"tooth": code})


def bleeding(arch: Labelled) -> Truth:
    """A tooth's label reaches over the embrasure onto its neighbour's crown."""
    from scipy.spatial import cKDTree

    teeth = arch.teeth
    touching = [pair for pair in pairwise(teeth) if _touch(arch, *pair)]
    pair = touching[int(arch.random.integers(len(touching)))]
    code, neighbour = pair if arch.random.random() < 0.5 else pair[::-1]
    nodes = arch.of(neighbour)
    distance = np.asarray(cKDTree(arch.points[arch.of(code)]).query(arch.points[nodes])[0], np.float64)
    reach = float(arch.random.uniform(1.4, 2.2)) + float(distance.min())
    nodes = nodes[distance < reach]
    arch.labels[nodes] = code
    return _truth(arch, "D112", nodes, also=("D104", "D105", "D109"), measures={"tooth": code, "over_mm": reach})


def forgotten(arch: Labelled) -> Truth:
    """A tooth is labelled gum."""
    code = arch.draw(arch.teeth)
    nodes = _renumber(arch, {code: 0})
    return _truth(arch, "D113", nodes, also=("D114",), measures={"tooth": code})


def _numbered_instances(arch: Labelled) -> Numbers:
    """The instances; if there are none, one is made for each tooth."""
    if arch.instances is None:
        arch.instances = np.searchsorted(np.unique(arch.labels), arch.labels) * (arch.labels != 0)
    return arch.instances


def instance_with_two_labels(arch: Labelled) -> Truth:
    """Two neighbours with different labels are one instance."""
    instances = _numbered_instances(arch)
    teeth = arch.teeth
    k = int(arch.random.integers(len(teeth) - 1))
    first, second = teeth[k], teeth[k + 1]
    nodes = arch.of(second)
    instances[nodes] = instances[arch.of(first)[0]]
    return _truth(arch, "D103", np.concatenate([arch.of(first), nodes]), measures={"tooth": first})


def label_on_two_instances(arch: Labelled) -> Truth:
    """Half of a tooth is another instance."""
    instances = _numbered_instances(arch)
    code = arch.draw(arch.teeth)
    nodes = arch.of(code)
    spread = arch.points[nodes] - arch.points[nodes].mean(axis=0)
    half = nodes[spread @ np.linalg.svd(spread, full_matrices=False)[2][0] > 0]
    instances[half] = int(instances.max()) + 1
    return _truth(arch, "D103", nodes, measures={"tooth": code})


def other_order(arch: Labelled) -> Truth:
    """The labels are in the order of another file."""
    order = arch.random.permutation(len(arch.labels))
    arch.labels[:] = arch.labels[order]
    return Truth(check="F105", element="file", also=())


LABEL_DEFECTS: Mapping[str, Injector] = MappingProxyType(
    {
        injector.__name__: injector
        for injector in (
            wrong_code,
            other_jaw,
            whole_other_jaw,
            instance_with_two_labels,
            label_on_two_instances,
            island,
            island_on_gum,
            same_number,
            hole,
            neighbours_swapped,
            antimeres_swapped,
            mirrored,
            two_in_one_slot,
            merged,
            shifted,
            truncated,
            ragged,
            bleeding,
            forgotten,
            other_order,
        )
    }
)
"""Name -> the function that puts it in; its docstring says what it is."""


def mislabel(mesh: Mesh, defect: str, *, seed: int = 0) -> tuple[Mesh, Truth]:
    """The mesh with one label defect, and the truth about it.

    Args:
        mesh: with correct FDI codes as labels (`Mesh.label_carrier` says where). It comes back with those labels
            only, on whatever carries them.
        defect: a name of `LABEL_DEFECTS`.
        seed: for the choice of teeth, places and sizes.

    Raises:
        ValueError: no such defect, the mesh carries no labels, or the arch has no teeth for it.
    """
    if defect not in LABEL_DEFECTS:
        raise ValueError(f"there is no label defect {defect!r}; there are {', '.join(LABEL_DEFECTS)}")
    per = mesh.label_carrier()
    if per is None:
        raise ValueError("the mesh carries no labels")
    data = mesh.vertex_data if per == "vertex" else mesh.face_data
    corners = mesh.vertices[mesh.faces]
    area = 0.5 * np.linalg.norm(triangle_normals(corners), axis=1)
    # The first edges of all faces, then the second, then the third: `_face_links` relies on it, and `ragged` draws so.
    halfedges = np.arange(3 * len(mesh.faces)).reshape(-1, 3).T.reshape(-1)
    edges = np.sort(edge_ends(mesh.faces, halfedges), axis=1)
    if per == "vertex":
        points, links = mesh.vertices, edges.astype(np.int64)
        areas = np.bincount(mesh.faces.reshape(-1), np.repeat(area / 3.0, 3), len(mesh.vertices)).astype(np.float64)
    else:
        points, areas, links = corners.mean(axis=1), area, _face_links(edges, len(mesh.faces), len(mesh.vertices))
    arch = Labelled(
        per=per,
        labels=data["label"].astype(np.int64),
        instances=data["instance"].astype(np.int64) if "instance" in data else None,
        points=points,
        areas=areas,
        links=links,
        random=np.random.default_rng([seed, list(LABEL_DEFECTS).index(defect)]),
        jaw=mesh.jaw,
    )
    truth = LABEL_DEFECTS[defect](arch)
    put: dict[str, npt.NDArray[np.int32]] = {"label": arch.labels.astype(np.int32)}
    if arch.instances is not None:
        put["instance"] = arch.instances.astype(np.int32)
    bare = mesh.without_labels().with_jaw(arch.jaw)
    return (bare.with_data(vertex=put) if per == "vertex" else bare.with_data(face=put)), truth


def _face_links(edges: IntArray, n_faces: int, n_vertices: int) -> Numbers:
    """Faces that share an edge, (k, 2)."""
    keys = edge_keys(edges[:, 0], edges[:, 1], n_vertices)
    order = np.argsort(keys, kind="stable")
    is_same = keys[order][1:] == keys[order][:-1]
    face = order % n_faces
    return np.stack([face[:-1][is_same], face[1:][is_same]], axis=1)
