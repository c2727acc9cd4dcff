"""Each bleed with a circle around it, in an axial and a coronal window, for the person who judges it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.face_safety import Seen, seen_region
from brainsift.anatomy.pictures import FILL, grey_window
from brainsift.anatomy.slice_pictures import (
    FIRST_LETTERS,
    ShownSlice,
    encode_picture,
    may_be_seen,
    to_grey,
)
from brainsift.scans.volume import Volume
from brainsift.tasks.microbleeds.bleeds import Bleed

UInt8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

WINDOW_MM, PIXEL_MM = 60.0, 0.5
"""Of a window: wide enough to know the place, and no voxel of a scan is much finer than its pixels."""

PLANES = (2, 1)
"""Axes across the windows: axial, coronal."""

PER_ROW = 3
MAX_SHOWN = 24
"""Bleeds in one picture; the table has all."""

GAP, CAPTION_ROWS = 4, 16
MARGIN_MM, MIN_RADIUS_MM = 2.5, 4.0
"""A circle keeps clear of the bleed."""

COLOUR = {"definite": (213, 94, 0), "possible": (86, 180, 233)}
"""Vermilion and sky blue of Okabe and Ito: told apart, and from any grey, in colour-vision deficiency."""

MAX_BYTES = 120_000


@dataclass(frozen=True, eq=False)
class _Window:
    """A part of a plane around a bleed, float32 (A, B), what of it may be seen, and where the bleed lies in it."""

    values: Float32
    allowed: Bool
    centre: tuple[float, float]
    spacing: tuple[float, float]


def picture_bleeds(volume: Volume, anatomy: Anatomy, bleeds: Sequence[Bleed]) -> dict[str, bytes]:
    """Name → WebP of the windows and of the circles to lay over them; nothing where there is nothing to show.

    Of the scan only the intracranial space and a thin rim are shown (`face_safety`).
    """
    shown = bleeds[:MAX_SHOWN]
    if not shown or not anatomy.has_brain or not anatomy.brain.any():
        return {}
    seen = seen_region(anatomy)
    windows = [[_window(volume, anatomy, seen, bleed, axis) for axis in PLANES] for bleed in shown]
    visible = [window.values[window.allowed] for pair in windows for window in pair if window.allowed.any()]
    if not visible:
        return {}
    plain, circles = _lay_out(shown, windows, grey_window(np.concatenate(visible)), len(bleeds))
    layer = BytesIO()
    circles.save(layer, "WEBP", lossless=True, quality=20, method=0)
    return {"microbleeds_slices": encode_picture(plain, MAX_BYTES), "microbleeds_slices_outline": layer.getvalue()}


def _window(volume: Volume, anatomy: Anatomy, seen: Seen, bleed: Bleed, axis: int) -> _Window:
    to_voxel = np.linalg.inv(volume.affine)
    at = to_voxel[:3, :3] @ [bleed.x_mm, bleed.y_mm, bleed.z_mm] + to_voxel[:3, 3]
    index = int(np.clip(round(float(at[axis])), 0, volume.shape[axis] - 1))
    allowed = may_be_seen(volume, anatomy, seen, ShownSlice(axis, index, ""))
    plane = np.moveaxis(volume.data, axis, 0)[index]
    others = [a for a in range(3) if a != axis]
    both = np.stack([np.where(allowed, plane, 0), allowed]).astype(np.float32)
    centre = []
    for place, other in enumerate(others, start=1):
        half = round(WINDOW_MM / 2 / float(volume.spacing[other]))
        first = round(float(at[other])) - half
        both = _cut(both, place, first, 2 * half + 1)
        centre.append(float(at[other]) - first)
    first_mm, second_mm = (float(volume.spacing[other]) for other in others)
    return _Window(both[0], both[1] > 0, (centre[0], centre[1]), (first_mm, second_mm))


def _cut(array: Float32, axis: int, first: int, length: int) -> Float32:
    """Part of an axis; what lies beyond the array is 0."""
    n = array.shape[axis]
    low, high = max(0, first), max(0, min(n, first + length))
    part = np.take(array, np.arange(low, max(low, high)), axis=axis)
    pad = [(0, 0)] * 3
    pad[axis] = (low - first, length - (low - first) - part.shape[axis])
    padded: Float32 = np.pad(part, pad)
    return padded


def _lay_out(
    shown: Sequence[Bleed], windows: Sequence[Sequence[_Window]], levels: tuple[float, float], count: int
) -> tuple[UInt8, Image.Image]:
    side = round(WINDOW_MM / PIXEL_MM)
    width, height = len(PLANES) * (side + GAP) + GAP, side + CAPTION_ROWS + GAP
    columns = min(PER_ROW, len(shown))
    size = width * columns, height * -(-len(shown) // columns)
    plain, circles = Image.new("L", size, FILL), Image.new("RGBA", size)
    font = ImageFont.load_default()
    write, draw = ImageDraw.Draw(plain), ImageDraw.Draw(circles)
    for number, (bleed, pair) in enumerate(zip(shown, windows, strict=True)):
        row, column = divmod(number, columns)
        left, top = column * width, row * height
        write.text((left + GAP, top + 2), caption(bleed, count), 225, font=font)
        for place, (axis, window) in enumerate(zip(PLANES, pair, strict=True)):
            corner = left + place * (side + GAP) + GAP, top + CAPTION_ROWS
            plain.paste(_tile(window, levels, side), corner)
            write.text((corner[0] + 2, corner[1] + 2), FIRST_LETTERS[axis], 225, font=font)
            draw.ellipse(_circle(bleed, window, corner, side), outline=(*COLOUR[bleed.certainty], 255), width=2)
    return np.asarray(plain), circles


def caption(bleed: Bleed, count: int) -> str:
    """What stands above the two windows of a bleed."""
    where = bleed.region if bleed.side == "midline" else f"{bleed.side} {bleed.region}"
    return f"{bleed.bleed}/{count} {bleed.certainty} {where} {bleed.diameter_mm:.1f} mm"


def _tile(window: _Window, levels: tuple[float, float], side: int) -> Image.Image:
    """Square pixels, upright, the patient's right to the left; blanked before anything is enlarged."""
    grey = to_grey(window.values, window.allowed, *levels)
    upright, allowed = (np.ascontiguousarray(array.T[::-1, ::-1]) for array in (grey, window.allowed))
    enlarged = np.asarray(Image.fromarray(upright).resize((side, side), Image.Resampling.BICUBIC))
    kept = np.asarray(Image.fromarray(allowed).resize((side, side), Image.Resampling.NEAREST))
    return Image.fromarray(np.where(kept, enlarged, np.uint8(FILL)))


def _circle(bleed: Bleed, window: _Window, corner: tuple[int, int], side: int) -> tuple[float, float, float, float]:
    """Box of the circle: a window is drawn from its last voxel to its first, along both axes."""
    across, down = (side * (n - 0.5 - at) / n for n, at in zip(window.values.shape, window.centre, strict=True))
    radius_mm = max(MIN_RADIUS_MM, bleed.diameter_mm / 2 + MARGIN_MM)
    wide, high = (side * radius_mm / (n * mm) for n, mm in zip(window.values.shape, window.spacing, strict=True))
    x, y = corner[0] + across, corner[1] + down
    return x - wide, y - high, x + wide, y + high
