"""Naive twins: each says slowly, in plain Python, what a kernel says fast, and was written without looking at it."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from fractions import Fraction

import numpy as np
import numpy.typing as npt

Vertices = npt.NDArray[np.float64]
Faces = npt.NDArray[np.int32]


def position_numbers(vertices: Vertices) -> list[int]:
    """Number of each vertex's position by first occurrence; bit-equal, −0 as +0."""
    seen: dict[bytes, int] = {}
    return [seen.setdefault((vertex + 0.0).tobytes(), len(seen)) for vertex in vertices]


def is_collinear(a: npt.ArrayLike, b: npt.ArrayLike, c: npt.ArrayLike) -> bool:
    """Whether three points lie on a line, in rational arithmetic."""
    p, q, r = ([Fraction(float(x)) for x in np.asarray(point)] for point in (a, b, c))
    u, v = [y - x for x, y in zip(p, q, strict=True)], [y - x for x, y in zip(p, r, strict=True)]
    return all(u[i] * v[j] == u[j] * v[i] for i, j in ((0, 1), (1, 2), (2, 0)))


def orientation(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> int:
    """Sign of the turn a, b, c in rational arithmetic."""
    (ax, ay), (bx, by), (cx, cy) = ((Fraction(x), Fraction(y)) for x, y in (a, b, c))
    turn = (ax - cx) * (by - cy) - (ay - cy) * (bx - cx)
    return (turn > 0) - (turn < 0)


class Surface:
    """A mesh on positions, with everything counted by dictionaries; faces with a non-finite corner are left out."""

    def __init__(self, vertices: Vertices, faces: Faces) -> None:
        numbers = position_numbers(vertices)
        self.position = dict(zip(reversed(numbers), reversed(vertices), strict=True))
        finite = [tuple(numbers[v] for v in face) for face in faces if np.isfinite(vertices[face]).all()]
        self.n_positions, self.faces = len(self.position), finite
        self.proper = [f for f, face in enumerate(finite) if len(set(face)) == 3]
        self.sides: dict[frozenset[int], list[tuple[int, int]]] = defaultdict(list)
        for f in self.proper:
            for c in range(3):
                start, end = finite[f][c], finite[f][(c + 1) % 3]
                self.sides[frozenset((start, end))].append((f, start))

    @property
    def degenerate(self) -> int:
        """Exactly collinear faces."""
        return sum(is_collinear(*(self.position[v] for v in face)) for face in self.faces)

    @property
    def boundary(self) -> list[frozenset[int]]:
        """Edges of one face."""
        return [edge for edge, sides in self.sides.items() if len(sides) == 1]

    @property
    def boundary_groups(self) -> int:
        """Sets of boundary edges connected through positions."""
        return n_groups([sorted(edge) for edge in self.boundary])

    @property
    def nonmanifold_edges(self) -> int:
        """Edges of more than two faces."""
        return sum(len(sides) > 2 for sides in self.sides.values())

    @property
    def miswound_edges(self) -> int:
        """Edges of two faces that start them at the same end."""
        return sum(len(sides) == 2 and sides[0][1] == sides[1][1] for sides in self.sides.values())

    def components(self) -> list[set[int]]:
        """Sets of faces connected through edges."""
        return groups({f: [] for f in self.proper}, [[f for f, _ in sides] for sides in self.sides.values()])

    @property
    def nonmanifold_vertices(self) -> int:
        """Positions whose faces fall into several sets connected through edges at that position."""
        several = 0
        for v in range(self.n_positions):
            around: dict[int, list[int]] = {f: [] for f in self.proper if v in self.faces[f]}
            links = [[f for f, _ in sides] for edge, sides in self.sides.items() if v in edge]
            several += len(groups(around, links)) > 1
        return several

    @property
    def duplicate_pairs(self) -> int:
        """Pairs of faces with area on the same three positions."""
        area = [face for face in self.faces if not is_collinear(*(self.position[v] for v in face))]
        return sum(set(one) == set(other) for one, other in itertools.combinations(area, 2))

    @property
    def has_volumes(self) -> bool:
        """Whether every edge of a closed component is run as often each way, so that its volume is defined."""
        open_faces = {f for sides in self.sides.values() if len(sides) == 1 for f, _ in sides}
        opened = {f for component in self.components() if component & open_faces for f in component}
        balances = (
            sum(1 if start == min(edge) else -1 for f, start in sides)
            for edge, sides in self.sides.items()
            if sides[0][0] not in opened
        )
        return not any(balances)

    @property
    def inverted_bodies(self) -> int:
        """Closed components of negative volume (exact) in no other closed component's box."""
        bodies = []
        for component in self.components():
            edges = [sides for sides in self.sides.values() if sides[0][0] in component]
            if all(len(sides) > 1 for sides in edges):
                bodies.append(sorted(component))
        boxes = []
        for body in bodies:
            points = np.array([self.position[v] for f in body for v in self.faces[f]])
            boxes.append((points.min(axis=0), points.max(axis=0)))
        inverted = 0
        for number, body in enumerate(bodies):
            volume = Fraction(0)
            for f in body:
                a, b, c = ([Fraction(float(x)) for x in self.position[v]] for v in self.faces[f])
                volume += a[0] * (b[1] * c[2] - b[2] * c[1])
                volume += a[1] * (b[2] * c[0] - b[0] * c[2]) + a[2] * (b[0] * c[1] - b[1] * c[0])
            low, high = boxes[number]
            within = any((lo < low).all() and (hi > high).all() for lo, hi in boxes)
            inverted += volume < 0 and not within
        return inverted


def groups(items: dict[int, list[int]], links: list[list[int]]) -> list[set[int]]:
    """Connected sets of items, where each link connects all that it lists."""
    near = {item: set(others) for item, others in items.items()}
    for link in links:
        for one in link:
            near[one].update(link)
    found: list[set[int]] = []
    left = set(near)
    while left:
        stack, component = [left.pop()], set[int]()
        while stack:
            item = stack.pop()
            component.add(item)
            stack += [other for other in near[item] if other in left]
            left -= near[item]
        found.append(component)
    return found


def n_groups(rows: list[list[int]]) -> int:
    """How many connected sets the vertices of these rows form, each row connecting its own."""
    return len(groups({v: [] for row in rows for v in row}, rows))


def diameter(points: Vertices) -> float:
    """Largest distance of two points."""
    return max((math.dist(p, q) for p, q in itertools.combinations(points, 2)), default=0.0)


def orientation3(a: npt.ArrayLike, b: npt.ArrayLike, c: npt.ArrayLike, d: npt.ArrayLike) -> int:
    """Sign of the determinant of a − d, b − d, c − d in rational arithmetic."""
    p, q, r, s = ([Fraction(float(x)) for x in np.asarray(point)] for point in (a, b, c, d))
    u, v, w = ([x - y for x, y in zip(point, s, strict=True)] for point in (p, q, r))
    determinant = (
        u[2] * (v[0] * w[1] - w[0] * v[1]) + v[2] * (w[0] * u[1] - u[0] * w[1]) + w[2] * (u[0] * v[1] - v[0] * u[1])
    )
    return (determinant > 0) - (determinant < 0)


Point = list[Fraction]


def _minus(a: Point, b: Point) -> Point:
    return [x - y for x, y in zip(a, b, strict=True)]


def _cross(a: Point, b: Point) -> Point:
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def _dot(a: Point, b: Point) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def _clipped(polygon: list[Point], normal: Point, origin: Point) -> list[Point]:
    """The part of a convex polygon on one side of a plane, in order; a point and a segment are polygons too."""
    heights = [_dot(normal, _minus(p, origin)) for p in polygon]
    kept = []
    for i, (p, height) in enumerate(zip(polygon, heights, strict=True)):
        q, next_height = polygon[(i + 1) % len(polygon)], heights[(i + 1) % len(polygon)]
        if height >= 0:
            kept.append(p)
        if height * next_height < 0:
            t = height / (height - next_height)
            kept.append([a + t * (b - a) for a, b in zip(p, q, strict=True)])
    return kept


def meeting(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> str:
    """What two triangles (3, 3) have in common, by clipping one with the other: nothing, point, edge, segment or area.

    "edge" is a segment whose middle lies on an edge of one of them.
    """
    s, t = ([[Fraction(float(x)) for x in point] for point in triangle] for triangle in (one, other))
    normal = _cross(_minus(t[1], t[0]), _minus(t[2], t[0]))
    polygon = _clipped(_clipped(s, normal, t[0]), [-x for x in normal], t[0])
    for i in range(3):
        polygon = _clipped(polygon, _cross(normal, _minus(t[(i + 1) % 3], t[i])), t[i])
    points = [p for i, p in enumerate(polygon) if p not in polygon[:i]]
    if len(points) < 2:
        return "point" if points else "nothing"
    along = _minus(points[1], points[0])
    if any(any(_cross(along, _minus(p, points[0]))) for p in points):
        return "area"
    first, last = (chosen(points, key=lambda p: _dot(along, p)) for chosen in (min, max))
    middle = [(a + b) / 2 for a, b in zip(first, last, strict=True)]
    for triangle in (s, t):
        for i in range(3):
            edge, to_middle = _minus(triangle[(i + 1) % 3], triangle[i]), _minus(middle, triangle[i])
            if not any(_cross(edge, to_middle)) and 0 <= _dot(edge, to_middle) <= _dot(edge, edge):
                return "edge"
    return "segment"


def intersecting_pairs(vertices: Vertices, faces: Faces) -> list[tuple[int, int, int]]:
    """Every intersecting pair of faces with its class, by comparing all with all."""
    numbers = position_numbers(vertices)
    sound = [
        f
        for f, face in enumerate(faces)
        if np.isfinite(vertices[face]).all() and not is_collinear(*(vertices[v] for v in face))
    ]
    found = []
    for f, g in itertools.combinations(sound, 2):
        one, other = ({numbers[v] for v in faces[h]} for h in (f, g))
        common = len(one & other)
        if common == 3:
            continue
        met = meeting(vertices[faces[f]], vertices[faces[g]])
        if common == 2:
            kind = 4 if met == "area" else -1
        elif common == 1:
            kind = {"area": 7, "segment": 5, "edge": 5}.get(met, -1)
        else:
            kind = {"segment": 0, "area": 1, "point": 2, "edge": 3}.get(met, -1)
        if kind >= 0:
            found.append((f, g, kind))
    return found


def _turns_left(a: tuple[Fraction, Fraction], b: tuple[Fraction, Fraction]) -> bool:
    """Whether b lies to the left of a, less than half a turn."""
    return a[0] * b[1] - a[1] * b[0] > 0


def overlaps_no_sector(vertices: Vertices, faces: list[list[int]], v: int, axis: int, sign: int) -> bool:
    """Whether all faces around a vertex turn one way along an axis, and their sectors have no direction in common."""
    x, y = (axis + 1) % 3, (axis + 2) % 3
    sectors = []
    for face in faces:
        if v not in face:
            continue
        c = list(face).index(v)
        rays = []
        for step in (1, 2) if sign > 0 else (2, 1):
            p, q = vertices[face[(c + step) % 3]], vertices[v]
            rays.append((Fraction(float(p[x])) - Fraction(float(q[x])), Fraction(float(p[y])) - Fraction(float(q[y]))))
        if not _turns_left(*rays):
            return False
        sectors.append(rays)
    for (u, w), (s, t) in itertools.permutations(sectors, 2):
        for ray in (u, w, (u[0] + w[0], u[1] + w[1])):
            if _turns_left(s, ray) and _turns_left(ray, t):
                return False
    return True


def is_ring(faces: list[list[int]], v: int) -> bool:
    """Whether every edge at a vertex has two faces that run it both ways, and all its faces hang together by them."""
    links: dict[int, list[tuple[int, bool]]] = defaultdict(list)
    for f, face in enumerate(faces):
        if v in face:
            c = list(face).index(v)
            links[face[(c + 1) % 3]].append((f, True))
            links[face[(c + 2) % 3]].append((f, False))
    if not links or any(sorted(way for _, way in around) != [False, True] for around in links.values()):
        return False
    around = {f: list[int]() for pairs in links.values() for f, _ in pairs}
    return len(groups(around, [[f for f, _ in pairs] for pairs in links.values()])) == 1


def label_pieces(corners: list[list[int]], labels: list[int], *, by_face: bool) -> list[set[int]]:
    """Sets of faces (over common edges) or of positions (along edges) with one label, by the lowest of each."""
    nodes = range(len(corners)) if by_face else sorted({corner for face in corners for corner in face})
    edges = [{frozenset((face[k], face[(k + 1) % 3])) for k in range(3)} for face in corners]
    near: dict[int, set[int]] = {node: set() for node in nodes}
    if by_face:
        for f, g in itertools.permutations(range(len(corners)), 2):
            if edges[f] & edges[g]:
                near[f].add(g)
    else:
        for edge in set().union(*edges):
            a, b = sorted(edge)
            near[a].add(b)
            near[b].add(a)
    pieces, left = [], set(nodes)
    while left:
        piece, wave = set(), {min(left)}
        while wave:
            piece |= wave
            wave = {other for node in wave for other in near[node] if labels[other] == labels[node]} - piece
        pieces.append(piece)
        left -= piece
    return pieces


def face_labels(faces: Faces, labels: npt.NDArray[np.int32]) -> list[int]:
    """The label two corners agree on, else the middle one."""
    return [sorted(int(labels[v]) for v in face)[1] for face in faces]


def vertex_labels(faces: Faces, labels: npt.NDArray[np.int32], n: int) -> list[int]:
    """The label most faces of a vertex have; the lowest of several; 0 without faces."""
    votes: list[dict[int, int]] = [defaultdict(int) for _ in range(n)]
    for face, label in zip(faces, labels, strict=True):
        for vertex in face:
            votes[vertex][int(label)] += 1
    return [min(vote, key=lambda label: (-vote[label], label)) if vote else 0 for vote in votes]


def published_evaluation(
    points: Vertices,
    labels: npt.NDArray[np.int64],
    instances: npt.NDArray[np.int64],
    predicted: npt.NDArray[np.int64],
    predicted_instances: npt.NDArray[np.int64],
) -> tuple[float, float, float]:
    """TLA, TSA and TIR by loops over points, as the evaluator of 3DTeethSeg22 defines them."""
    claimed: dict[int, set[int]] = defaultdict(set)
    for instance, label in zip(predicted_instances.tolist(), predicted.tolist(), strict=True):
        claimed[instance].add(label)
    pure = [one for one in sorted(claimed) if one != 0 and len(claimed[one]) == 1]

    def centroid(of: npt.NDArray[np.int64], one: int) -> list[float]:
        chosen = [point for point, own in zip(points.tolist(), of.tolist(), strict=True) if own == one]
        return [sum(point[x] for point in chosen) / len(chosen) for x in range(3)]

    true = [one for one in sorted(set(instances.tolist())) if one != 0]
    centres = {one: centroid(instances, one) for one in true}
    guesses = {one: centroid(predicted_instances, one) for one in pure}
    sizes = {
        one: [
            math.sqrt(
                sum((p[x] - centres[one][x]) ** 2 for p, own in zip(points, instances, strict=True) if own == one)
            )
            for x in range(3)
        ]
        for one in true
    }
    few, many = (true, pure) if len(true) <= len(pure) else (pure, true)
    best: list[tuple[int, int]] = []
    least = math.inf
    for chosen in itertools.permutations(many, len(few)):
        pairs = list(zip(few, chosen, strict=True)) if few is true else list(zip(chosen, few, strict=True))
        total = sum(math.dist(centres[a], guesses[b]) for a, b in pairs)
        if total < least:
            least, best = total, pairs
    matched = dict(best)
    tla, hits = 0.0, 0
    for one in true:
        if one not in matched:
            tla += 5 * math.hypot(*sizes[one])
            continue
        with np.errstate(divide="ignore", invalid="ignore"):
            apart = np.subtract(centres[one], guesses[matched[one]]) / np.array(sizes[one])
        distance = float(np.linalg.norm(apart))
        tla += distance
        (label,) = {lab for lab, own in zip(labels.tolist(), instances.tolist(), strict=True) if own == one}
        hits += distance < 0.5 and claimed[matched[one]] == {label}
    agree = [
        (own != 0) == (guess in pure)
        for own, guess in zip(instances.tolist(), predicted_instances.tolist(), strict=True)
    ]
    return tla / len(true), sum(agree) / len(agree), hits / len(matched) if matched else 0.0


def joint_counts(first: list[int], second: list[int], rows: int, columns: int) -> list[list[int]]:
    """How often each pair of ids occurs."""
    pairs = list(zip(first, second, strict=True))
    return [[pairs.count((a, b)) for b in range(columns)] for a in range(rows)]


def faces_near(
    positions: Vertices, corners: Faces, marked: npt.NDArray[np.bool_], origin: Vertices, cell: float, most: int
) -> list[bool]:
    """Whether each face's box reaches into a marked cell of a grid, by looking at every cell; "most" cells at most."""
    near = []
    for face in corners:
        low, high = positions[face].min(axis=0) - origin, positions[face].max(axis=0) - origin
        cells = [
            place
            for place in np.ndindex(*marked.shape)
            if all(low[d] / cell < place[d] + 1 and high[d] / cell >= place[d] for d in range(3))
        ]
        near.append(len(cells) > most or any(marked[place] for place in cells))
    return near


def winding_number(triangles: Vertices, point: Vertices) -> float:
    """The sum of the solid angles of triangles (m, 3, 3) seen from a point, over a whole sphere's (L'Huilier)."""
    total = 0.0
    for triangle in triangles:
        arms = triangle - point
        arms /= np.linalg.norm(arms, axis=1, keepdims=True)
        a, b, c = (math.acos(float(np.clip(arms[i] @ arms[j], -1.0, 1.0))) for i, j in ((1, 2), (2, 0), (0, 1)))
        s = (a + b + c) / 2
        product = math.tan(s / 2) * math.tan((s - a) / 2) * math.tan((s - b) / 2) * math.tan((s - c) / 2)
        excess = 4 * math.atan(math.sqrt(max(0.0, product)))
        total += math.copysign(excess, float(np.linalg.det(arms)))
    return total / (4 * math.pi)


def crossings_below(triangles: Vertices, point: Vertices, axis: int) -> int:
    """Faces that a line from below along an axis enters through, less those it leaves through, up to a point.

    In rational arithmetic; None of the triangles may pass through the line with an edge.
    """
    u, v = (axis + 1) % 3, (axis + 2) % 3
    total = 0
    for triangle in triangles:
        a, b, c = ([Fraction(float(x)) for x in corner] for corner in triangle)
        x, y, z = (Fraction(float(point[d])) for d in (u, v, axis))
        turns = [(q[u] - p[u]) * (y - p[v]) - (q[v] - p[v]) * (x - p[u]) for p, q in ((a, b), (b, c), (c, a))]
        if not (all(turn > 0 for turn in turns) or all(turn < 0 for turn in turns)):
            continue
        area = sum(turns, Fraction(0))
        height = (turns[1] * a[axis] + turns[2] * b[axis] + turns[0] * c[axis]) / area
        if height <= z:
            total += -1 if area > 0 else 1
    return total


def doubled_area(points: list[tuple[float, float]]) -> Fraction:
    """Twice the signed area of a polygon in the plane, in rational arithmetic."""
    exact = [(Fraction(x), Fraction(y)) for x, y in points]
    return sum(
        ((ax * by - ay * bx) for (ax, ay), (bx, by) in zip(exact, exact[1:] + exact[:1], strict=True)), Fraction(0)
    )


def ear_triangles(points: list[tuple[float, float]]) -> list[tuple[int, int, int]]:
    """Triangles of a simple polygon that goes around to the left: any ear is clipped, found by testing all corners."""
    ring, triangles = list(range(len(points))), []

    def left(i: int, j: int, k: int) -> Fraction:
        return doubled_area([points[i], points[j], points[k]])

    while len(ring) > 3:
        for place, b in enumerate(ring):
            a, c = ring[place - 1], ring[(place + 1) % len(ring)]
            others = (p for p in ring if p not in (a, b, c))
            if left(a, b, c) > 0 and not any(min(left(a, b, p), left(b, c, p), left(c, a, p)) >= 0 for p in others):
                triangles.append((a, b, c))
                del ring[place]
                break
        else:
            raise ValueError("not a simple polygon")
    return [*triangles, (ring[0], ring[1], ring[2])]


def crosses_itself(points: list[tuple[float, float]]) -> bool:
    """Whether two sides of a polygon meet anywhere but in the corner that neighbours share."""
    n = len(points)

    def on(a: int, b: int, p: int) -> bool:
        (ax, ay), (bx, by), (px, py) = points[a], points[b], points[p]
        is_within = min(ax, bx) <= px <= max(ax, bx) and min(ay, by) <= py <= max(ay, by)
        return orientation(points[a], points[b], points[p]) == 0 and is_within

    for i, j in itertools.combinations(range(n), 2):
        a, b, c, d = i, (i + 1) % n, j, (j + 1) % n
        if a == d or b == c:
            shared, first, second = (a, b, c) if a == d else (b, a, d)
            if points[first] == points[shared] or points[second] == points[shared]:
                return True
            if on(shared, first, second) or on(shared, second, first):
                return True
            continue
        sides = [
            orientation(points[p], points[q], points[r]) for p, q, r in ((a, b, c), (a, b, d), (c, d, a), (c, d, b))
        ]
        if sides[0] * sides[1] < 0 and sides[2] * sides[3] < 0:
            return True
        if any(on(p, q, r) for p, q, r in ((a, b, c), (a, b, d), (c, d, a), (c, d, b))):
            return True
    return False
