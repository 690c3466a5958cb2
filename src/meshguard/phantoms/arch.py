"""A procedural dental arch: one open sheet of gum and crowns with exact FDI labels.

The sheet is a height field over a horseshoe band, sampled on a mapped grid whose columns run across the arch: column
i lies at one place along the arch, and its vertices share the arc length of the cross-section there. Each grid cell is
a trapezoid with two parallel sides whatever the spacing, so the flat triangulation is valid by construction and the
surface above it cannot intersect itself.

Axes, for both jaws, right-handed: +x to the patient's right, +y to the front, +z up (to the head); the cusp tips lie
near z = 0. A lower arch bites upwards (+z), an upper one downwards (-z). Seen from above with the front on top, the
patient's right is on the viewer's right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from meshguard.mesh import Mesh, label_of_corners
from meshguard.phantoms.teeth import STANDARD_TEETH, Floats, Tooth, crown_heights, soft_maximum

if TYPE_CHECKING:
    import numpy.typing as npt

    from meshguard.mesh import Jaw

MIN_FACES, MAX_FACES = 2_000, 4_000_000
MIN_TEETH, MAX_TEETH = 2, 16
MIN_SIZE, MAX_SIZE = 0.5, 2.0

# Heading of the arch at distance s from the midline: TURN * tanh(s / BEND), radians. Fitted to the mean widths between
# canines (35.4 / 26.9 mm) and between first molars (53.8 / 51.7 mm) of 76 Class I casts.
_TURN = {"upper": 1.30, "lower": 1.17}
_BEND_MM = {"upper": 31.0, "lower": 25.0}
_QUADRANTS = {"upper": (1, 2), "lower": (4, 3)}
_LEVEL_MM = 8.0  # height of the cusp plane above the gum margin of a tooth of that height
_DISTAL_GUM_MM = 5.0
_BUCCAL_GUM_MM = {"upper": 4.6, "lower": 4.2}
_LINGUAL_GUM_MM = {"upper": 6.5, "lower": 4.4}
_MARGIN_DROP_MM = 5.0
_STEP_MM = 0.15  # of the grid on which the spacing of the real grid is measured


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchForm:
    """One arch before sampling; everything in (s, n), mm along and across the arch.

    Attributes:
        jaw: upper or lower.
        teeth: from the patient's left end (s < 0) to the right.
        turn: asymptotic heading, radians.
        bend_mm: distance over which the heading changes.
        waves: float64 (k, 4): wave numbers along and across, phase and amplitude of the gum's texture.
        tilt: share of the height by which the front teeth lean to the lip.
    """

    jaw: Jaw
    teeth: tuple[Tooth, ...]
    turn: float
    bend_mm: float
    waves: Floats
    tilt: float


def phantom(*, jaw: Jaw = "lower", teeth: int = 14, faces: int = 50_000, size: float = 1.0, seed: int = 0) -> Mesh:
    """A dental arch made from nothing: gum, crowns with cusps, one open rim, and exact labels.

    The mesh is one connected, consistently oriented manifold sheet of genus 0 with outward normals and exactly one
    boundary loop. The same arguments give the same bytes. See the module's docstring for the axes.

    Args:
        jaw: "upper" or "lower".
        teeth: how many, from the midline backwards on both sides, 2 to 16; 14 leaves the third molars out. With an odd
            number the patient's right has one more than the left.
        faces: desired number of faces, 2,000 to 4,000,000; met within 5 %.
        size: scale of the whole arch, 0.5 to 2; 1 is an average adult.
        seed: varies tooth sizes, places and heights, arch form and gum texture; 0 or more.

    Returns:
        A mesh in mm whose float64 coordinates are exactly representable in float32. `vertex_data["label"]` int16 (n,)
        is the FDI number of the crown that is highest at the vertex, or 0 where the gum is higher than every crown.
        `face_data["label"]` int16 (m,) is the median of the three vertex labels, which is their majority wherever two
        agree.

    Raises:
        ValueError: an argument is outside its range; the message names it.
    """
    refuse_bad_arguments(jaw, teeth, faces, size, seed)
    arch = arch_form(jaw, teeth, seed)
    s, n = sampling_grid(arch, faces)
    crowns, labels = crown_surface(arch, s, n)
    gum = gum_surface(arch, s, n)
    labels[gum >= crowns] = 0
    return meshed(arch, s, n, soft_maximum(crowns, gum, width=0.12), labels, size=size)


def meshed(
    arch: ArchForm, s: Floats, n: Floats, z: Floats, labels: npt.NDArray[np.int16], *, size: float = 1.0
) -> Mesh:
    """The mesh of a sheet on a grid: heights float64 and labels int16, both (c, r), over s (c, 1) and n (c, r)."""
    points = size * _placed(arch, s, n, z)
    vertices = points.reshape(-1, 3).astype(np.float32).astype(np.float64)
    triangles = _triangles(vertices, s.shape[0], n.shape[1])
    if arch.jaw == "upper":
        vertices[:, 2] *= -1.0
        triangles = triangles[:, ::-1]
    vertex_labels = labels.ravel()
    return Mesh(
        vertices=vertices,
        faces=triangles,
        vertex_data={"label": vertex_labels},
        face_data={"label": label_of_corners(vertex_labels, triangles)},
        jaw=arch.jaw,
    )


def refuse_bad_arguments(jaw: object, teeth: object, faces: object, size: object, seed: object) -> None:
    """Raise ValueError for the first argument outside its range."""
    if jaw not in ("upper", "lower"):
        raise ValueError(f"jaw must be 'upper' or 'lower', not {jaw!r}")
    for name, value, low, high in (
        ("teeth", teeth, MIN_TEETH, MAX_TEETH),
        ("faces", faces, MIN_FACES, MAX_FACES),
        ("seed", seed, 0, 2**63 - 1),
    ):
        is_integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not is_integer or not low <= value <= high:  # type: ignore[operator]
            raise ValueError(f"{name} must be a whole number from {low} to {high}, not {value!r}")
    is_number = isinstance(size, int | float | np.integer | np.floating) and not isinstance(size, bool)
    if not is_number or not MIN_SIZE <= size <= MAX_SIZE:  # type: ignore[operator]
        raise ValueError(f"size must be a number from {MIN_SIZE} to {MAX_SIZE}, not {size!r}")


def arch_form(jaw: Jaw, count: int, seed: int) -> ArchForm:
    """One arch: its individual teeth, side by side from the midline, its curve and its gum's texture."""
    random = np.random.default_rng([seed, 0 if jaw == "upper" else 1])
    # Drawn for all sixteen, so that the same seed gives the same mouth whatever the count.
    shared = random.normal(0.0, 0.02)
    by_type = random.normal(0.0, 0.015, (8, 3))
    by_tooth = np.clip(random.normal(0.0, 1.0, (2, 8, 6)), -2.0, 2.0)
    turn, bend, tilt = np.clip(random.normal(0.0, 1.0, 3), -2.0, 2.0)
    waves = np.column_stack(
        [
            random.uniform(0.4, 2.6, 12) * random.choice([-1.0, 1.0], 12),
            random.uniform(0.3, 2.0, 12),
            random.uniform(0.0, 2.0 * np.pi, 12),
            random.uniform(0.02, 0.05, 12),
        ]
    )
    placed: list[Tooth] = []
    for side, quadrant in enumerate(_QUADRANTS[jaw]):
        direction = 1 if side == 0 else -1
        edge = 0.0
        for position in range((count + 1 - side) // 2):
            standard = STANDARD_TEETH[jaw][position]
            variation = by_tooth[side, position]
            scale = np.exp(np.clip(shared + by_type[position] + 0.006 * variation[:3], -0.08, 0.08))
            crown = replace(
                standard,
                mesiodistal_mm=float(standard.mesiodistal_mm * scale[0]),
                buccolingual_mm=float(standard.buccolingual_mm * scale[1]),
                height_mm=float(standard.height_mm * scale[2]),
            )
            width = crown.mesiodistal_mm
            level = _LEVEL_MM + (0.9 if crown.form in ("incisor", "canine") else 0.0)
            placed.append(
                Tooth(
                    label=10 * quadrant + position + 1,
                    crown=crown,
                    centre_mm=direction * (edge + 0.5 * width),
                    offset_mm=float(0.16 * variation[3]),
                    rotation=float(np.radians(2.2) * variation[4]),
                    base_mm=float(level - crown.height_mm + 0.12 * variation[5]) - _LEVEL_MM,
                    distal=direction,
                )
            )
            edge += width
    return ArchForm(
        jaw=jaw,
        teeth=tuple(sorted(placed, key=lambda tooth: tooth.centre_mm)),
        turn=float(_TURN[jaw] * (1.0 + 0.02 * turn)),
        bend_mm=float(_BEND_MM[jaw] * (1.0 + 0.03 * bend)),
        waves=waves,
        tilt=float(0.16 + 0.02 * tilt),
    )


def _ends(arch: ArchForm) -> tuple[float, float]:
    """Where the sheet begins and ends along the arch, mm."""
    first, last = arch.teeth[0], arch.teeth[-1]
    low = first.centre_mm - 0.5 * first.crown.mesiodistal_mm - _DISTAL_GUM_MM
    return low, last.centre_mm + 0.5 * last.crown.mesiodistal_mm + _DISTAL_GUM_MM


def _along(arch: ArchForm, s: Floats, values: list[float]) -> Floats:
    """One value for each tooth, interpolated smoothly along the arch."""
    centres = np.array([tooth.centre_mm for tooth in arch.teeth])
    fine = np.arange(centres[0] - 12.0, centres[-1] + 12.0, 0.25)
    stepped = np.interp(fine, centres, np.array(values))
    return np.interp(s, fine, _smoothed(stepped, 6))


def _smoothed(values: Floats, width: int) -> Floats:
    """Three running means of 2 * width + 1 rows along the first axis: close to a Gaussian; ends are held."""
    if width < 1:
        return values
    for _ in range(3):
        padded = np.concatenate([np.repeat(values[:1], width + 1, 0), values, np.repeat(values[-1:], width, 0)])
        total = np.cumsum(padded, axis=0)
        values = (total[2 * width + 1 :] - total[: -2 * width - 1]) / (2 * width + 1)
    return values


def _band(arch: ArchForm, s: Floats) -> tuple[Floats, Floats]:
    """Lingual and buccal end of the sheet at each place along the arch, mm; its four corners are rounded."""
    half = _along(arch, s, [0.5 * tooth.crown.buccolingual_mm for tooth in arch.teeth])
    low, high = _ends(arch)
    from_end = np.minimum(s - low, high - s)
    rounding = 4.5
    inset = np.clip(1.0 - from_end / rounding, 0.0, 1.0)
    drawn_in = 2.6 * (1.0 - np.sqrt(1.0 - 0.96 * inset**2))
    lingual, buccal = half + _LINGUAL_GUM_MM[arch.jaw], half + _BUCCAL_GUM_MM[arch.jaw]
    return -(lingual - drawn_in), buccal - drawn_in


def crown_surface(arch: ArchForm, s: Floats, n: Floats) -> tuple[Floats, npt.NDArray[np.int16]]:
    """Height of the highest crown at each place, and the tooth that it belongs to.

    Args:
        arch: the arch.
        s: float64 (c, 1), growing.
        n: float64 (c, r).

    Returns:
        Heights float64 (c, r) in mm, and FDI numbers int16 (c, r).
    """
    heights = np.full(n.shape, -60.0)
    labels = np.zeros(n.shape, np.int16)
    for tooth in arch.teeth:
        reach = 0.85 * max(tooth.crown.mesiodistal_mm, 0.6 * tooth.crown.buccolingual_mm)
        first, last = np.searchsorted(s[:, 0], [tooth.centre_mm - reach, tooth.centre_mm + reach])
        crown = crown_heights(tooth, s[first:last], n[first:last])
        window = heights[first:last]
        labels[first:last][crown > window] = tooth.label
        # Rounded where they meet, a little below what a laser sees in a contact; the label stays with the higher one.
        heights[first:last] = np.where(window > -50.0, soft_maximum(window, crown, width=0.08), crown)
    return heights, labels


def gum_surface(arch: ArchForm, s: Floats, n: Floats) -> Floats:
    """Height of the gum, mm: a ridge that falls to the rim, papillae between the teeth, a scalloped margin, texture."""
    base = _along(arch, s, [tooth.base_mm for tooth in arch.teeth])
    half = _along(arch, s, [0.5 * tooth.crown.buccolingual_mm for tooth in arch.teeth])
    # -1 at a tooth's middle, +1 at a contact; fades to a level ridge behind the last teeth.
    edges = [tooth.centre_mm - 0.5 * tooth.crown.mesiodistal_mm for tooth in arch.teeth]
    edges.append(arch.teeth[-1].centre_mm + 0.5 * arch.teeth[-1].crown.mesiodistal_mm)
    phase = np.interp(s, edges, np.arange(len(edges), dtype=np.float64))
    wave = np.cos(2.0 * np.pi * phase)
    low, high = _ends(arch)
    tail = np.clip(1.0 - np.minimum(s - low, high - s) / _DISTAL_GUM_MM, 0.0, 1.0)
    margin = np.abs(n) - half
    near = np.exp(-(np.maximum(margin + 0.6, 0.0) ** 2) / 6.0)
    sharp = np.maximum(wave, 0.0) ** 1.5
    scallop = (2.1 * sharp - 0.5 * np.maximum(-wave, 0.0)) * near * (1.0 - 0.6 * tail)
    outward = np.maximum(margin + 0.5, 0.0)
    drop = _MARGIN_DROP_MM * (1.0 - np.exp(-((outward / 2.9) ** 1.5)))
    root = -0.35 * wave * np.exp(-(((margin - 2.2) / 1.4) ** 2)) * (1.0 - tail)
    pad = -2.6 * tail**1.6
    texture = np.zeros(np.broadcast(s, n).shape)
    for k_along, k_across, start, amplitude in arch.waves:
        # Splitting sin(a + b) into products of a column and a row part would not save time: n differs by column.
        texture += amplitude * np.sin(k_along * s + k_across * n + start)
    heights: Floats = base + scallop - drop + root + pad + texture * np.clip(outward / 1.5, 0.0, 1.0)
    return heights


def whole_surface(arch: ArchForm, s: Floats, n: Floats) -> Floats:
    """Height of the whole sheet, mm."""
    return soft_maximum(crown_surface(arch, s, n)[0], gum_surface(arch, s, n), width=0.12)


def sampling_grid(arch: ArchForm, faces: int) -> tuple[Floats, Floats]:
    """Places of the vertices: s float64 (c, 1) growing, n float64 (c, r) growing along each row; 2 (c-1)(r-1) faces.

    Columns are closer where the surface is steep along the arch, and the vertices of a column share its arc length. The
    shares are smoothed along the arch, otherwise neighbouring columns would be sheared against each other.
    """
    low, high = _ends(arch)
    s = np.linspace(low, high, int((high - low) / _STEP_MM) + 2)[:, None]
    rows = np.linspace(0.0, 1.0, 181)
    inner, outer = _band(arch, s)
    n = inner + (outer - inner) * rows
    z = whole_surface(arch, s, n)

    steep = np.diff(z, axis=0) / (s[1] - s[0])
    density = _smoothed(np.sqrt(1.0 + np.minimum(steep, 4.0) ** 2).mean(axis=1), 2)
    column_share = np.concatenate([[0.0], np.cumsum(density)])
    length_along = float(column_share[-1] * (s[1, 0] - s[0, 0]))

    arc = np.sqrt(np.diff(n, axis=1) ** 2 + np.diff(z, axis=1) ** 2)
    length_across = float(arc.sum(axis=1).mean())
    arc /= arc.sum(axis=1, keepdims=True)
    arc = _smoothed(0.85 * arc + 0.15 / arc.shape[1], 4)
    row_share = np.concatenate([np.zeros((len(arc), 1)), np.cumsum(arc, axis=1)], axis=1)
    row_share /= row_share[:, -1:]

    n_rows = max(8, round(np.sqrt(0.5 * faces * length_across / length_along)))
    n_columns = max(8, round(0.5 * faces / n_rows))
    share_of_column = np.linspace(0.0, 1.0, n_columns + 1)
    columns = np.interp(share_of_column, column_share / column_share[-1], s[:, 0])[:, None]
    columns[0], columns[-1] = low, high

    # The shares are inverted once for each measured column, and the results interpolated between columns.
    share_of_row = np.linspace(0.0, 1.0, n_rows + 1)
    inverse = np.array([np.interp(share_of_row, share, rows) for share in row_share])
    place = (columns[:, 0] - low) / (s[1, 0] - s[0, 0])
    left = np.minimum(place.astype(np.int64), len(s) - 2)
    weight = (place - left)[:, None]
    parts = inverse[left] * (1.0 - weight) + inverse[left + 1] * weight
    inner, outer = _band(arch, columns)
    return columns, inner + (outer - inner) * parts


def _placed(arch: ArchForm, s: Floats, n: Floats, z: Floats) -> Floats:
    """Points in space, float64 (c, r, 3), for a lower arch; an upper one is its mirror image in z."""
    low, high = _ends(arch)
    fine = np.linspace(low, high, 4001)
    heading = arch.turn * np.tanh(fine / arch.bend_mm)
    step = fine[1] - fine[0]
    # Trapezoidal integration of the heading, set to zero at the midline.
    x = np.concatenate([[0.0], np.cumsum(0.5 * step * (np.cos(heading[1:]) + np.cos(heading[:-1])))])
    y = np.concatenate([[0.0], np.cumsum(-0.5 * step * (np.sin(heading[1:]) + np.sin(heading[:-1])))])
    x -= np.interp(0.0, fine, x)
    y -= np.interp(0.0, fine, y)
    angle = arch.turn * np.tanh(s / arch.bend_mm)
    # Front teeth lean to the lip: a shear by height, which fades towards the molars.
    lean = arch.tilt * np.exp(-((s / 16.0) ** 2)) * (z + _LEVEL_MM)
    across = n + lean
    # The bite is not flat: it sags towards the second premolars (curve of Spee).
    spee = 1.2 * ((np.abs(s) - 26.0) / 26.0) ** 2 - 1.2
    return np.stack(
        [
            np.interp(s, fine, x) + np.sin(angle) * across,
            np.interp(s, fine, y) + np.cos(angle) * across,
            z + 0.6 * spee,
        ],
        axis=-1,
    )


def _triangles(vertices: Floats, n_columns: int, n_rows: int) -> npt.NDArray[np.int32]:
    """Two triangles for each cell of the grid, split along the diagonal that gives the rounder triangles.

    Returns:
        int32 (2 * (n_columns - 1) * (n_rows - 1), 3), counter-clockwise seen from +z.
    """
    index = np.arange(n_columns * n_rows, dtype=np.int32).reshape(n_columns, n_rows)
    a, b, c, d = (part.ravel() for part in (index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]))
    points = vertices.astype(np.float32)
    roundness_ac = np.minimum(_roundness(points, a, b, c), _roundness(points, a, c, d))
    roundness_bd = np.minimum(_roundness(points, a, b, d), _roundness(points, b, c, d))
    first = np.where((roundness_ac >= roundness_bd)[:, None], np.stack([a, b, c], 1), np.stack([a, b, d], 1))
    second = np.where((roundness_ac >= roundness_bd)[:, None], np.stack([a, c, d], 1), np.stack([b, c, d], 1))
    return np.stack([first, second], axis=1).reshape(-1, 3).astype(np.int32, copy=False)


def _roundness(
    points: npt.NDArray[np.float32], a: npt.NDArray[np.int32], b: npt.NDArray[np.int32], c: npt.NDArray[np.int32]
) -> npt.NDArray[np.float32]:
    """Squared area over the cube of the summed squared sides: largest for the equilateral triangle, 0 for a line."""
    ab, bc, ca = points[b] - points[a], points[c] - points[b], points[a] - points[c]
    cross = np.cross(ab, ca)
    sides = (ab * ab).sum(1) + (bc * bc).sum(1) + (ca * ca).sum(1)
    roundness: npt.NDArray[np.float32] = (cross * cross).sum(1) / np.maximum(sides * sides, np.float32(1e-30))
    return roundness
