"""Labels as colours: by a palette, or one anonymous class per colour."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from meshguard.errors import ReadError
from meshguard.io.labels.vectors import Found

if TYPE_CHECKING:
    import numpy.typing as npt

    from meshguard.mesh import IntArray, Mesh

Palette: TypeAlias = Mapping[int, Sequence[Sequence[int]]]
"""Id -> the colours that stand for it, red, green and blue from 0 to 255."""

MOST_COLORS = 64
"""More different colours than this are a picture of the mouth, not labels (proposal: an arch has 16 teeth)."""

_ROUNDING = 1e-3
"""A colour of floats may be so much brighter than full."""

_WHITE, _BLACK = 0xFFFFFF, 0


def read_palette(source: Palette | str | Path | bytes) -> dict[int, tuple[int, ...]]:
    """Id -> colours as red * 65536 + green * 256 + blue, from a mapping, or from a JSON object in a file or in bytes.

    Raises:
        ReadError: it is not such a mapping, or it has one colour for two ids.
        OSError: the file cannot be opened.
    """
    data: Any = source
    if not isinstance(source, Mapping):
        content = source if isinstance(source, bytes) else Path(source).read_bytes()
        try:
            data = json.loads(content)
        except (ValueError, RecursionError):
            raise ReadError("the palette is not readable JSON") from None
    try:
        palette = {int(key): tuple(_packed(color) for color in _colors(value)) for key, value in data.items()}
    except (ValueError, TypeError, AttributeError, LookupError):
        raise ReadError("the palette does not map ids to colours of three numbers from 0 to 255") from None
    if any(not -(2**31) <= id_ < 2**31 for id_ in palette):
        raise ReadError("the palette has an id that is not a whole number of 32 bits")
    colors = [color for id_colors in palette.values() for color in id_colors]
    if len(colors) != len(set(colors)):
        raise ReadError("the palette has one colour for two ids")
    return palette


def _colors(value: Any) -> Sequence[Any]:
    """A list of colours; a single colour counts as one."""
    return [value] if len(value) and isinstance(value[0], int) else value


def _packed(color: Sequence[int]) -> int:
    if len(color) not in (3, 4) or any(type(part) is not int or not 0 <= part <= 255 for part in color):
        raise ValueError("not a colour")
    return int(color[0] << 16 | color[1] << 8 | color[2])


def by_color(mesh: Mesh, palette: Mapping[int, tuple[int, ...]] | None) -> Found:
    """Labels from the colours of a mesh: those of its vertices or its faces, whichever has fewer different ones.

    Where both are coloured, one was averaged from the other, which makes mixed colours. Colours of any type are brought
    to 256 levels (`_bytes_of`).

    Raises:
        ReadError: no colours, or numbers that cannot be colours, or too many to be one per tooth.
    """
    found = {"vertex": mesh.vertex_data.get("color"), "face": mesh.face_data.get("color")}
    packed = {per: _pack(_bytes_of(color)) for per, color in found.items() if color is not None and len(color)}
    if not packed:
        raise ReadError("the mesh carries neither labels nor colours", expected="a property named label, or colours")
    different = {per: np.unique(colors, return_inverse=True, return_counts=True) for per, colors in packed.items()}
    per = min(different, key=lambda per: len(different[per][0]))
    colors, inverse, counts = different[per]
    if len(colors) > MOST_COLORS:
        raise ReadError("the colours are not one per tooth", expected=f"at most {MOST_COLORS}", got=f"{len(colors)}")
    if len(colors) == 1 and palette is None:
        raise ReadError("the whole mesh has one colour", expected="one colour per tooth")
    elements = "vertices" if per == "vertex" else "faces"
    notes = [f"Labels are read from the colours of the {elements}."]
    color = found[per]
    if color is not None and color.dtype != np.uint8:
        notes.append(f"These are numbers from 0 to {_full_brightness(color):g}; each counts as one of 256 levels.")
    if palette is None:
        ids = _classes(colors, counts)
    else:
        known = {color: id_ for id_, id_colors in palette.items() for color in id_colors}
        ids = np.array([known.get(int(color), -1) for color in colors], np.int32)
        outside = int(counts[ids < 0].sum())
        if outside:
            n_colors = int((ids < 0).sum())
            notes.append(
                f"{n_colors} colours are not in the palette; {elements} with them are labelled -1 ({outside})."
            )
    return Found(
        ids[inverse].astype(np.int32),
        per="vertex" if per == "vertex" else "face",
        jaw=mesh.jaw,
        numbering="anonymous" if palette is None else None,
        notes=tuple(notes),
    )


def _full_brightness(color: npt.NDArray[Any]) -> float:
    """The number that stands for full brightness: 1, 255 or 65535, by the type and the largest number of all.

    It is 1 for floats that are not more than 1 (but for rounding), else 255 where no number is more than that, else
    65535 for integers of 16 bits.

    Raises:
        ReadError: not three or four numbers each, or numbers outside all these ranges.
    """
    if color.ndim != 2 or color.shape[1] not in (3, 4):
        raise ReadError("the colours are not red, green and blue", expected="three or four numbers for each colour")
    if color.dtype == np.uint8:
        return 255.0
    scales = (1.0, 255.0) if color.dtype.kind == "f" else (255.0, 65535.0) if color.dtype == np.uint16 else (255.0,)
    lowest, highest = float(color[:, :3].min()), float(color[:, :3].max())
    full = next((scale for scale in scales if highest <= scale * (1 + _ROUNDING)), None)  # None for NaN too
    if full is None or lowest < -_ROUNDING:
        raise ReadError(
            "the colours are numbers that cannot be brightnesses",
            expected="0 to 1, 0 to 255, or 0 to 65535 in 16 bits",
            got="numbers outside these ranges",
        )
    return full


def _bytes_of(color: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Red, green and blue of any type as uint8 (k, 3): each number becomes the nearest of 256 levels."""
    full = _full_brightness(color)
    if color.dtype == np.uint8:
        return color[:, :3]
    levels: npt.NDArray[np.uint8] = np.rint(color[:, :3].clip(0, full) * (255.0 / full)).astype(np.uint8)
    return levels


def _pack(color: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    """Colours uint8 (k, 3) as one uint32 (k,) each."""
    wide: npt.NDArray[np.uint32] = color.astype(np.uint32)
    return np.asarray(wide[:, 0] << 16 | wide[:, 1] << 8 | wide[:, 2], np.uint32)


def _classes(colors: Any, counts: Any) -> IntArray:
    """1, 2, … in the order of the colours' numbers; white or black, whichever covers more, is the gum."""
    plain = [k for k, color in enumerate(colors) if color in (_WHITE, _BLACK)]
    gum = max(plain, key=lambda k: int(counts[k])) if plain else -1
    ids = np.empty(len(colors), np.int32)
    number = 0
    for k in range(len(colors)):
        number += k != gum
        ids[k] = 0 if k == gum else number
    return ids
