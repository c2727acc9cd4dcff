"""Axial slices of a scan with what was marked on them as outlines to lay over, without the face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.face_safety import seen_region
from brainsift.anatomy.pictures import FILL, Mosaic, grey_window
from brainsift.anatomy.slice_pictures import FIRST_LETTERS, PIXEL_MM, ShownSlice, may_be_seen, to_grey
from brainsift.scans.volume import Volume

UInt8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

AXIAL = 2
PER_ROW = 4
CAPTION_ROWS = 16

MARK_COLOUR = (213, 94, 0)
"""Vermilion of Okabe and Ito: told from any grey in colour-vision deficiency, and darker than white matter in T1w."""


@dataclass(frozen=True, eq=False)
class MarkedSlice:
    """An axial slice: its index in `Volume.data`, what was marked in it, bool (X, Y), and a caption."""

    index: int
    marked: Bool
    caption: str


def picture_marked(volume: Volume, anatomy: Anatomy, shown: Sequence[MarkedSlice]) -> Mosaic | None:
    """Draw slices in rows of `PER_ROW`, in one grey window and the radiological convention, and the outlines apart.

    Of the scan only the intracranial space and a thin rim are shown (`face_safety`). An outline runs outside of what is
    marked, so that a single voxel can be seen in it.

    Returns
    -------
    two layers of one size; None without a brain, or where no slice meets it.
    """
    if not anatomy.has_brain or not anatomy.brain.any():
        return None
    seen = seen_region(anatomy)
    places = [ShownSlice(AXIAL, one.index, one.caption) for one in shown]
    allowed = [may_be_seen(volume, anatomy, seen, place) for place in places]
    if not any(mask.any() for mask in allowed):
        return None
    x, y = (slice(int(h[0]), int(h[-1]) + 1) for a in (1, 0) if len(h := np.flatnonzero(_any(allowed).any(axis=a))))
    planes = [volume.data[x, y, one.index] for one in shown]
    masks = [mask[x, y] for mask in allowed]
    low, high = grey_window(np.concatenate([plane[mask] for plane, mask in zip(planes, masks, strict=True)]))
    size = _pixels(planes[0].shape, volume)
    tiles = [
        (one.caption, _grey_tile(to_grey(plane, mask, low, high), mask, size), _outline(one.marked[x, y], size))
        for one, plane, mask in zip(shown, planes, masks, strict=True)
    ]
    return _laid_out(tiles, size)


def _any(masks: Sequence[Bool]) -> Bool:
    return np.asarray(np.logical_or.reduce(masks))


def _pixels(shape: tuple[int, ...], volume: Volume) -> tuple[int, int]:
    """Columns and rows of a tile with square pixels."""
    columns, rows = (max(1, round(n * float(mm) / PIXEL_MM)) for n, mm in zip(shape, volume.spacing[:2], strict=True))
    return columns, rows


def _resized(plane: NDArray[np.uint8] | Bool, size: tuple[int, int], how: Image.Resampling) -> UInt8:
    """A plane (X, Y) as rows from the top, the patient's right to the left."""
    return np.asarray(Image.fromarray(np.ascontiguousarray(plane.T[::-1, ::-1], np.uint8)).resize(size, how))


def _grey_tile(grey: UInt8, allowed: Bool, size: tuple[int, int]) -> UInt8:
    shown = _resized(allowed, size, Image.Resampling.NEAREST) > 0
    return np.where(shown, _resized(grey, size, Image.Resampling.BICUBIC), np.uint8(FILL))


def _outline(marked: Bool, size: tuple[int, int]) -> Bool:
    """The pixels that border on what is marked."""
    inside = np.pad(_resized(marked, size, Image.Resampling.NEAREST) > 0, 1)
    grown = inside[1:-1, 1:-1].copy()
    for shifted in (inside[:-2, 1:-1], inside[2:, 1:-1], inside[1:-1, :-2], inside[1:-1, 2:]):
        grown |= shifted
    return grown & ~inside[1:-1, 1:-1]


def _laid_out(tiles: Sequence[tuple[str, UInt8, Bool]], size: tuple[int, int]) -> Mosaic:
    width, height = size[0], size[1] + CAPTION_ROWS
    columns = min(PER_ROW, len(tiles))
    plain = np.full((height * -(-len(tiles) // columns), width * columns), FILL, np.uint8)
    drawn = np.zeros((*plain.shape, 4), np.uint8)
    for number, (_, grey, outline) in enumerate(tiles):
        row, column = divmod(number, columns)
        place = slice(row * height + CAPTION_ROWS, (row + 1) * height), slice(column * width, (column + 1) * width)
        plain[place] = grey
        drawn[place][outline] = (*MARK_COLOUR, 255)
    image = Image.fromarray(plain)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default()
    for number, (caption, _, _) in enumerate(tiles):
        row, column = divmod(number, columns)
        draw.text((column * width + 4, row * height + 2), caption, 225, font=font)
        draw.text((column * width + 4, row * height + CAPTION_ROWS + 2), FIRST_LETTERS[AXIAL], 225, font=font)
    return Mosaic(np.asarray(image), drawn)
