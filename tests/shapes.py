"""Valid meshes: the smallest and plainest of each kind, in millimetres and of an arch's size unless said otherwise."""

from __future__ import annotations

import numpy as np

from meshguard.mesh import Mesh


def grid(columns: int = 8, rows: int = 6, *, width: float = 60.0, bulge: float = 12.0) -> Mesh:
    """An open sheet facing up, bulging up in the middle, of 2 * columns * rows faces."""
    u, v = np.meshgrid(np.linspace(-1, 1, columns + 1), np.linspace(-1, 1, rows + 1))
    z = bulge * (1 - u**2) * (1 - v**2)
    vertices = np.stack([u * width / 2, v * width / 3, z], axis=-1).reshape(-1, 3).astype(np.float32)
    a = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).reshape(-1)
    b, c, d = a + 1, a + columns + 2, a + columns + 1
    faces = np.stack([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)], axis=1).reshape(-1, 3)
    return Mesh(vertices=vertices, faces=faces)


def ridges() -> Mesh:
    """An open sheet facing up with two ridges side by side, as an arch has."""
    mesh = grid(16, 16, bulge=0.0)
    vertices = mesh.vertices.copy()
    u, v = vertices[:, 0] / 30.0, vertices[:, 1] / 20.0
    vertices[:, 2] = np.float32((12.0 + u + v) * np.sin(np.pi * u) ** 2 * (1 - v**2))
    return Mesh(vertices=vertices, faces=mesh.faces)


def ball(steps: int = 24, *, open_deg: float = 0.0) -> Mesh:
    """A ball of 40 mm, wound outward; with a round opening at its top where the angle from the axis is below this."""
    polar = np.linspace(np.pi, np.radians(open_deg), steps // 2 + 1)[1 : steps // 2 + (open_deg > 0)]
    around = 2 * np.pi * np.arange(steps) / steps
    rings = np.stack(
        [
            np.sin(polar)[:, None] * np.cos(around),
            np.sin(polar)[:, None] * np.sin(around),
            np.broadcast_to(np.cos(polar)[:, None], (len(polar), steps)),
        ],
        axis=-1,
    ).reshape(-1, 3)
    a = (np.arange(len(polar) - 1)[:, None] * steps + np.arange(steps)).reshape(-1)
    b = a // steps * steps + (a + 1) % steps
    bottom, top, i = len(rings), len(rings) + 1, np.arange(steps)
    faces = [np.stack([a, b, b + steps], axis=1), np.stack([a, b + steps, a + steps], axis=1)]
    faces += [np.stack([np.full(steps, bottom), (i + 1) % steps, i], axis=1)]
    if not open_deg:
        last = len(rings) - steps
        faces += [np.stack([np.full(steps, top), last + i, last + (i + 1) % steps], axis=1)]
    points = np.concatenate([rings, [[0, 0, -1]], [[0, 0, 1]] if not open_deg else np.empty((0, 3))])
    return Mesh(vertices=np.float32(20.0 * points), faces=np.concatenate(faces))


def voxels(is_filled: np.ndarray) -> Mesh:
    """The surface of the filled cells of a grid, bool (i, j, k), wound outward; a cell is a cube of 1 mm."""
    padded = np.pad(is_filled, 1)
    quads = []
    for axis in range(3):
        u, v = np.eye(3, dtype=int)[(axis + 1) % 3], np.eye(3, dtype=int)[(axis + 2) % 3]
        step = np.diff(padded.astype(int), axis=axis)
        for sign, (first, second) in ((1, (v, u)), (-1, (u, v))):
            cells = np.argwhere(step == sign) - 1 + np.eye(3, dtype=int)[axis]
            quads.append(np.stack([cells, cells + first, cells + first + second, cells + second], axis=1))
    points, numbers = np.unique(np.concatenate(quads).reshape(-1, 3), axis=0, return_inverse=True)
    a, b, c, d = numbers.reshape(-1, 4).T
    return Mesh(vertices=points.astype(float), faces=np.stack([a, b, c, a, c, d], axis=1).reshape(-1, 3))


def drilled(columns: int, rows: int) -> Mesh:
    """A plate 1 mm thick with square holes of 1 mm, 4 mm apart."""
    is_filled = np.ones((4 * columns + 1, 4 * rows + 1, 1), np.bool_)
    is_filled[2::4, 2::4] = False
    return voxels(is_filled)


def tetrahedron(size: float = 60.0) -> Mesh:
    """A closed body of four faces, wound outward."""
    vertices = size * np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float64)
    return Mesh(vertices=vertices, faces=[[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]])


def cube(size: float = 60.0) -> Mesh:
    """A closed body of twelve faces, wound outward."""
    corners = np.array([[x, y, z] for z in (0, 1) for y in (0, 1) for x in (0, 1)], np.float64) * size
    faces = [
        [0, 2, 3], [0, 3, 1], [4, 5, 7], [4, 7, 6], [0, 1, 5], [0, 5, 4],
        [2, 6, 7], [2, 7, 3], [0, 4, 6], [0, 6, 2], [1, 3, 7], [1, 7, 5],
    ]  # fmt: skip
    return Mesh(vertices=corners, faces=faces)


def triangle(size: float = 60.0) -> Mesh:
    """One face."""
    return Mesh(vertices=size * np.eye(3), faces=[[0, 1, 2]])


def torus(around: int = 12, across: int = 8, *, radius: float = 25.0, tube: float = 10.0) -> Mesh:
    """A closed body with one tunnel, wound outward."""
    i, j = np.meshgrid(np.arange(around), np.arange(across), indexing="ij")
    a, b = 2 * np.pi * i / around, 2 * np.pi * j / across
    ring = radius + tube * np.cos(b)
    vertices = np.stack([ring * np.cos(a), ring * np.sin(a), tube * np.sin(b)], axis=-1).reshape(-1, 3)
    here = (i * across + j).reshape(-1)
    right = ((i + 1) % around * across + j).reshape(-1)
    up = (i * across + (j + 1) % across).reshape(-1)
    both = ((i + 1) % around * across + (j + 1) % across).reshape(-1)
    faces = np.concatenate([np.stack([here, right, both], axis=1), np.stack([here, both, up], axis=1)])
    return Mesh(vertices=vertices.astype(np.float32), faces=faces)


def moebius(around: int = 12, *, radius: float = 30.0, width: float = 12.0) -> Mesh:
    """A strip with one side; its faces are wound alike but for one seam."""
    vertices = []
    for i in range(around):
        turn, half = 2 * np.pi * i / around, np.pi * i / around
        for side in (-1, 1):
            ring = radius + side * width / 2 * np.cos(half)
            vertices.append([ring * np.cos(turn), ring * np.sin(turn), side * width / 2 * np.sin(half)])
    faces = []
    for i in range(around):
        a, b, c, d = 2 * i, 2 * i + 1, 2 * i + 2, 2 * i + 3
        if i == around - 1:
            c, d = 1, 0  # the strip closes with its sides swapped
        faces += [[a, c, b], [b, c, d]]
    return Mesh(vertices=np.array(vertices, np.float32), faces=faces)


def joined(*meshes: Mesh) -> Mesh:
    """Several meshes side by side in one, their vertices and faces in order; attributes are left behind."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    return Mesh(
        vertices=np.concatenate([mesh.vertices for mesh in meshes]),
        faces=np.concatenate([mesh.faces + start for mesh, start in zip(meshes, starts, strict=False)]),
    )


def soup(mesh: Mesh) -> Mesh:
    """The same surface with three vertices of its own for each face."""
    return Mesh(vertices=mesh.vertices[mesh.faces].reshape(-1, 3), faces=np.arange(3 * len(mesh.faces)).reshape(-1, 3))


def shuffled(mesh: Mesh, seed: int) -> Mesh:
    """The same surface with vertices, faces and each face's first corner in another order; attributes go along."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(mesh.vertices))
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    order_of_faces = rng.permutation(len(mesh.faces))
    faces = rank[mesh.faces][order_of_faces]
    turn = rng.integers(0, 3, len(faces))
    faces = np.take_along_axis(faces, (np.arange(3) + turn[:, None]) % 3, axis=1)
    return Mesh(
        vertices=mesh.vertices[order],
        faces=faces,
        vertex_data={name: data[order] for name, data in mesh.vertex_data.items()},
        face_data={name: data[order_of_faces] for name, data in mesh.face_data.items()},
    )
