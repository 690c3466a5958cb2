"""The pictures of the documentation: phantom arches and located findings, drawn with a small z-buffer.

    python docs/pictures.py [FOLDER]

Needs Pillow, which writes the PNG files; FOLDER is docs/img by default. Pictures are committed, since drawing
them takes longer than building the site.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

import meshguard
from meshguard.halfedges import edge_ends, face_normals
from meshguard.io.labels import face_labels
from meshguard.phantoms import bridged_phantom, mislabel, mutate, phantom

if TYPE_CHECKING:
    from meshguard import Mesh

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

BACKGROUND = (255, 255, 255)
GUM = (226, 152, 148)
CROWN = (236, 229, 212)
MARK = (200, 30, 45)
LINE = (70, 60, 60)
INVENTED = (120, 170, 230)
BACK = (108, 118, 138)
"""The colour of a face's inner side."""

HOLE_SEED = 2
"""Puts the hole where it is visible in the view of the whole arch."""


class View(NamedTuple):
    """Where a picture is taken from: its axes (rows: right, up, towards the eye), its centre, its width."""

    axes: Floats
    centre: Floats
    width_mm: float


def view(mesh: Mesh, *, azimuth: float, elevation: float, at: Floats | None = None, width_mm: float = 0.0) -> View:
    """A view from an azimuth and an elevation (degrees), of the whole mesh or of what lies around a point."""
    a, e = np.radians(azimuth), np.radians(elevation)
    towards = np.array([np.cos(e) * np.sin(a), np.cos(e) * np.cos(a), np.sin(e)])
    right = np.array([-np.cos(a), np.sin(a), 0.0])
    axes = np.stack([right, np.cross(towards, right), towards])
    flat = mesh.vertices @ axes.T
    middle = (flat.min(axis=0) + flat.max(axis=0)) / 2
    extent = np.ptp(flat, axis=0)
    return View(axes, axes @ at if at is not None else middle, width_mm or float(1.04 * extent[0]))


def drawn(
    mesh: Mesh,
    colors: npt.NDArray[np.uint8],
    seen: View,
    *,
    pixels: tuple[int, int],
    edges: bool = False,
    lines: tuple[tuple[Floats, tuple[int, int, int], float], ...] = (),
) -> npt.NDArray[np.uint8]:
    """A picture (height, width, 3) of a mesh.

    Args:
        mesh: what to draw.
        colors: uint8 (m, 3), of each face's outer side.
        seen: from where.
        pixels: width and height.
        edges: whether the edges of faces are drawn.
        lines: segments float64 (k, 2, 3) to draw on top where they are not hidden, with colour and width in pixels.
    """
    scale_up = 2
    width, height = scale_up * pixels[0], scale_up * pixels[1]
    scale = width / seen.width_mm

    def to_screen(points: Floats) -> Floats:
        flat = (points @ seen.axes.T - seen.centre) * scale
        return np.stack([flat[..., 0] + width / 2, height / 2 - flat[..., 1], flat[..., 2]], axis=-1)

    corners = to_screen(mesh.vertices)[mesh.faces]
    flat_normals = face_normals(mesh.vertices, mesh.faces)
    smooth = np.zeros_like(mesh.vertices)
    for corner in range(3):
        np.add.at(smooth, mesh.faces[:, corner], flat_normals)
    normals = flat_normals if edges else smooth[mesh.faces].sum(axis=1)
    normals = np.divide(normals, np.linalg.norm(normals, axis=1, keepdims=True) + 1e-300)
    light = seen.axes.T @ np.array([-0.35, 0.5, 0.79])
    facing = flat_normals @ seen.axes[2] > 0
    shade = 0.42 + 0.58 * np.clip(np.where(facing, 1.0, -1.0) * (normals @ light), 0.0, 1.0)
    color = np.where(facing[:, None], colors, BACK) * shade[:, None]
    image = np.full((height, width, 3), BACKGROUND, np.float64)
    depth = np.full((height, width), -np.inf)
    low = np.floor(corners[..., :2].min(axis=1)).astype(int)
    high = np.ceil(corners[..., :2].max(axis=1)).astype(int)
    inside = ((high >= 0) & (low < (width, height))).all(axis=1)
    for face in np.flatnonzero(inside):
        _fill(image, depth, corners[face], low[face], high[face], color[face], edges)
    for segments, line_color, thickness in lines:
        _stroke(image, depth, to_screen(segments), np.array(line_color, float), thickness * scale_up, scale)
    averaged = image.reshape(pixels[1], scale_up, pixels[0], scale_up, 3).mean(axis=(1, 3))
    picture: npt.NDArray[np.uint8] = averaged.round().astype(np.uint8)
    return picture


def _fill(
    image: Floats,
    depth: Floats,
    corners: Floats,
    low: npt.NDArray[np.int64],
    high: npt.NDArray[np.int64],
    color: Floats,
    edges: bool,
) -> None:
    """Draw one triangle where nothing nearer covers it."""
    height, width = depth.shape
    x0, x1 = max(int(low[0]), 0), min(int(high[0]) + 1, width)
    y0, y1 = max(int(low[1]), 0), min(int(high[1]) + 1, height)
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = corners
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    if x0 >= x1 or y0 >= y1 or area == 0.0:
        return
    x, y = np.arange(x0, x1) + 0.5, (np.arange(y0, y1) + 0.5)[:, None]
    weight_b = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / area
    weight_c = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area
    weight_a = 1.0 - weight_b - weight_c
    z = weight_a * az + weight_b * bz + weight_c * cz
    covered = depth[y0:y1, x0:x1]
    shown = (weight_a >= 0) & (weight_b >= 0) & (weight_c >= 0) & (z > covered)
    covered[shown] = z[shown]
    paint = np.broadcast_to(color, (*shown.shape, 3)).copy()
    if edges:
        lengths = [np.hypot(bx - cx, by - cy), np.hypot(cx - ax, cy - ay), np.hypot(ax - bx, ay - by)]
        weights = (weight_a, weight_b, weight_c)
        distances = [weight * abs(area) / length for weight, length in zip(weights, lengths, strict=True) if length > 0]
        paint[np.min(distances, axis=0) < 0.9] = 0.55 * color
    image[y0:y1, x0:x1][shown] = paint[shown]


def _stroke(image: Floats, depth: Floats, segments: Floats, color: Floats, thickness: float, scale: float) -> None:
    """Draw segments as discs along them, where no surface hides them by more than a quarter of a millimetre."""
    height, width = depth.shape
    radius = thickness / 2
    reach = int(np.ceil(radius))
    offsets = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1)
    offsets = offsets[:, (offsets**2).sum(axis=0) <= radius**2]
    for start, end in segments:
        steps = max(2, int(np.hypot(*(end - start)[:2])) + 1)
        for point in start + np.linspace(0, 1, steps)[:, None] * (end - start):
            columns, rows = int(point[0]) + offsets[1], int(point[1]) + offsets[0]
            fits = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
            columns, rows = columns[fits], rows[fits]
            visible = depth[rows, columns] <= point[2] + 0.25 * scale
            image[rows[visible], columns[visible]] = color


# ---- what is drawn


def by_label(mesh: Mesh) -> npt.NDArray[np.uint8]:
    """A colour for each face by its tooth: neighbours differ, gum has its own."""
    label = np.asarray(mesh.face_data["label"]).astype(int)
    wheel = np.array(
        [(242, 205, 125), (141, 196, 178), (150, 177, 219), (226, 168, 120), (186, 165, 212), (196, 212, 130)], np.uint8
    )
    return np.where((label == 0)[:, None], GUM, wheel[(label % 10 + 3 * (label // 10 % 2)) % len(wheel)]).astype(
        np.uint8
    )


def plain(mesh: Mesh) -> npt.NDArray[np.uint8]:
    """The colours of gum and crowns."""
    label = np.asarray(mesh.face_data["label"])
    return np.where((label == 0)[:, None], GUM, CROWN).astype(np.uint8)


def loop_segments(mesh: Mesh) -> list[Floats]:
    """Each boundary loop as segments (k, 2, 3)."""
    offsets, vertices = meshguard.boundary_loops(mesh)
    loops = [vertices[lo:hi] for lo, hi in pairwise(offsets)]
    return [mesh.vertices[np.stack([loop, np.roll(loop, -1)], axis=1)] for loop in loops]


def edge_segments(mesh: Mesh, halfedges: Ints) -> Floats:
    """Half-edges as segments (k, 2, 3)."""
    return mesh.vertices[edge_ends(mesh.faces, halfedges)]


def of_check(mesh: Mesh, check: str) -> meshguard.Finding:
    """The first finding of a check."""
    return next(finding for finding in meshguard.validate(mesh).findings if finding.check == check)


def arch() -> npt.NDArray[np.uint8]:
    """A lower arch, each tooth in its colour."""
    mesh = phantom(faces=120_000, seed=1)
    return drawn(mesh, by_label(mesh), view(mesh, azimuth=8, elevation=52), pixels=(760, 470))


def rim_and_hole() -> npt.NDArray[np.uint8]:
    """The rim in blue, a hole in red."""
    mesh, _ = mutate(phantom(faces=50_000, seed=1), "hole", seed=HOLE_SEED)
    loops = sorted(loop_segments(mesh), key=lambda loop: -len(loop))
    lines = ((loops[0], (35, 90, 170), 3.0), *((loop, MARK, 3.0) for loop in loops[1:]))
    return drawn(mesh, plain(mesh), view(mesh, azimuth=8, elevation=58), pixels=(760, 500), lines=lines)


def close_up(defect: str, check: str, *, width_mm: float, lift: float = 25.0) -> npt.NDArray[np.uint8]:
    """What a finding of a check looks like, seen along the surface's normal there, its elements in red."""
    mesh, _ = mutate(phantom(faces=50_000, seed=1), defect, seed=1)
    finding = of_check(mesh, check)
    colors = plain(mesh)
    lines: tuple[tuple[Floats, tuple[int, int, int], float], ...] = ()
    if finding.element == "face":
        colors[finding.indices] = MARK
    elif finding.element == "edge":
        lines = ((edge_segments(mesh, finding.indices), MARK, 4.0),)
    elif finding.element == "loop":
        lines = tuple((loop, MARK, 4.0) for loop in loop_segments(mesh) if len(loop) == finding.count)
    at = np.array(finding.location)
    azimuth, elevation = facing_direction(mesh, at)
    seen = view(mesh, azimuth=azimuth + lift, elevation=elevation, at=at, width_mm=width_mm)
    return drawn(mesh, colors, seen, pixels=(370, 300), edges=True, lines=lines)


def before_and_after(defect: str, check: str, *, seed: int, width_mm: float) -> npt.NDArray[np.uint8]:
    """A defect before and after its repair, seen along the surface's normal; what was not scanned in blue."""
    broken, _ = mutate(phantom(faces=50_000, seed=1), defect, seed=seed)
    result = meshguard.repair(broken)
    at = np.array(of_check(broken, check).location)
    azimuth, elevation = facing_direction(result.mesh, at)
    pictures = []
    for mesh in (broken, result.mesh):
        colors = plain(mesh)
        colors[np.asarray(mesh.face_data.get("synthetic", np.zeros(len(mesh.faces)))) != 0] = INVENTED
        seen = view(mesh, azimuth=azimuth, elevation=elevation, at=at, width_mm=width_mm)
        pictures.append(drawn(mesh, colors, seen, pixels=(300, 230), edges=True))
    gap = np.full((230, 16, 3), 255, np.uint8)
    return np.concatenate([pictures[0], gap, pictures[1]], axis=1)


BRIDGE_SEED = 4
"""Puts the bridge between two teeth whose crowns do not hide it."""

LABEL_DEFECTS = {
    "other_jaw": (3, 0.0),
    "whole_other_jaw": (1, 0.0),
    "island": (4, 26.0),
    "hole": (6, 26.0),
    "same_number": (2, 0.0),
    "neighbours_swapped": (1, 0.0),
    "mirrored": (1, 0.0),
    "two_in_one_slot": (3, 0.0),
    "merged": (2, 0.0),
    "shifted": (1, 0.0),
    "truncated": (8, 30.0),
    "ragged": (3, 26.0),
    "bleeding": (5, 26.0),
    "forgotten": (4, 0.0),
    "other_order": (1, 0.0),
}
"""Defect of labels -> seed that shows it well, and width of the view in mm; 0 for the whole arch."""


def label_defect(defect: str, seed: int, width_mm: float) -> npt.NDArray[np.uint8]:
    """A labelled arch with one defect of labels: what changed is outlined in red, each tooth has its number."""
    arch = phantom(faces=60_000, seed=1)
    mesh, truth = mislabel(arch, defect, seed=seed)
    label = face_labels(mesh)
    before = face_labels(arch.without_labels().with_data(vertex={"label": arch.vertex_data["label"]}))
    assert label is not None and before is not None  # noqa: S101
    shown = mesh.with_data(face={"label": np.abs(label)})
    shows_arch = not width_mm or truth.location is None
    if shows_arch:
        seen = view(mesh, azimuth=8, elevation=62)._replace(width_mm=92.0)
    else:
        at = np.array(truth.location)
        azimuth, elevation = facing_direction(mesh, at)
        seen = view(mesh, azimuth=azimuth, elevation=max(elevation, 40.0), at=at, width_mm=width_mm)
    pixels = (300, 205) if shows_arch else (240, 190)
    lines = () if defect == "other_order" else ((_outline(mesh, label != before), MARK, 2.0),)
    picture = Image.fromarray(drawn(shown, by_label(shown), seen, pixels=pixels, lines=lines))
    if defect != "other_order":
        _write_numbers(picture, mesh, label, seen)
    return np.asarray(picture)


def bridge() -> npt.NDArray[np.uint8]:
    """Two crowns that a sheet joins across a gap, seen along the gap; their border on the sheet in red."""
    mesh, truth = bridged_phantom(faces=120_000, seed=BRIDGE_SEED, gap_mm=0.5)
    at = np.array(truth.location)
    finding = of_check(mesh, "D115")
    # Along the gap: across the line from one crown to the other, as seen from above, and from the cheek.
    label = np.asarray(mesh.vertex_data["label"])
    first, second = (mesh.vertices[label == truth.measures[key]].mean(axis=0) for key in ("tooth", "other"))
    across = (second - first)[:2]
    outward = at[:2] - mesh.vertices[:, :2].mean(axis=0)
    azimuth = float(np.degrees(np.arctan2(across[1], -across[0])))
    if np.sin(np.radians(azimuth)) * outward[0] + np.cos(np.radians(azimuth)) * outward[1] < 0:
        azimuth += 180.0
    seen = view(mesh, azimuth=azimuth, elevation=42.0, at=at, width_mm=11.0)
    lines = ((edge_segments(mesh, finding.indices), MARK, 2.0),)
    return drawn(mesh, by_label(mesh), seen, pixels=(240, 190), edges=True, lines=lines)


def _outline(mesh: Mesh, inside: npt.NDArray[np.bool_]) -> Floats:
    """The edges between faces inside a set and others, as segments (k, 2, 3)."""
    edges = np.sort(np.stack([mesh.faces, np.roll(mesh.faces, -1, axis=1)], axis=2).reshape(-1, 2), axis=1)
    distinct, counts = np.unique(edges[np.repeat(inside, 3)], axis=0, return_counts=True)
    return mesh.vertices[distinct[counts == 1]]


def _write_numbers(picture: Image.Image, mesh: Mesh, label: Ints, seen: View) -> None:
    """Write each tooth's number on it, once for each of its parts that is as large as a tooth."""
    pen = ImageDraw.Draw(picture)
    scale = picture.width / seen.width_mm
    centres = mesh.vertices[mesh.faces].mean(axis=1)
    true_label = phantom(faces=60_000, seed=1).face_data["label"]
    for tooth in np.unique(true_label[true_label > 0]):
        numbers, counts = np.unique(label[true_label == tooth], return_counts=True)
        number = int(numbers[np.argmax(counts)])
        flat = centres[true_label == tooth] @ seen.axes.T
        top = flat[flat[:, 2] > np.quantile(flat[:, 2], 0.5)].mean(axis=0) - seen.centre
        x, y = picture.width / 2 + scale * top[0], picture.height / 2 - scale * top[1]
        if number:
            pen.text((x, y), str(number), fill=(40, 30, 30), anchor="mm")


def facing_direction(mesh: Mesh, at: Floats) -> tuple[float, float]:
    """Azimuth and elevation (degrees) from which the nearest surface is seen face on."""
    centres = mesh.vertices[mesh.faces].mean(axis=1)
    near = np.argsort(((centres - at) ** 2).sum(axis=1))[:60]
    normals = face_normals(mesh.vertices, mesh.faces[near])
    # The arch lies under its crowns: what looks down is a fin's back, not the surface.
    x, y, z = normals[normals[:, 2] > 0].sum(axis=0)
    return float(np.degrees(np.arctan2(x, y))), float(np.clip(np.degrees(np.arctan2(z, np.hypot(x, y))), 15, 75))


def main(folder: Path) -> None:
    """Draw all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {
        "arch": arch(),
        "rim-and-hole": rim_and_hole(),
        "hole": close_up("hole", "S101", width_mm=7.0),
        "floating-piece": close_up("floating_piece", "S103", width_mm=10.0),
        "flipped-patch": close_up("flipped_patch", "T103", width_mm=8.0),
        "repair-hole": before_and_after("hole", "S101", seed=7, width_mm=5.0),
        "repair-fold": before_and_after("fold", "S102", seed=0, width_mm=2.6),
        "nonmanifold-edge": close_up("nonmanifold_edge", "T101", width_mm=5.0),
    }
    for defect, (seed, width_mm) in LABEL_DEFECTS.items():
        pictures[f"label-{defect.replace('_', '-')}"] = label_defect(defect, seed, width_mm)
    pictures["label-bridge"] = bridge()
    for name, picture in pictures.items():
        few_colors = {"repair": 48, "label-": 32}.get(name[:6], 96)
        colors = 255 if name == "arch" else few_colors
        few = Image.fromarray(picture).quantize(colors, kmeans=4, dither=Image.Dither.NONE)
        few.save(folder / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "img")
