"""A picture of a few slices of a scan at its own resolution, without the face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.face_safety import Seen, seen_region
from brainsift.anatomy.pictures import FILL, WEBP_METHOD, grey_window
from brainsift.scans.volume import Volume

UInt8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

PIXEL_MM = 0.6
"""Ringing and ghosts lie one or two voxels apart: at 1 mm they would be lost between the pixels."""

MAX_BYTES = 40_000
"""Of one picture; less than the mosaic beside it."""

WEBP_QUALITIES = (70, 45, 20, 5)

PLANE_NAMES = ("sagittal", "coronal", "axial")
FIRST_LETTERS = ("A", "R", "R")
"""What lies at the left of the picture, in the radiological convention."""

CAPTION_ROWS = 18
GAP = 6
"""Pixels above a slice for its caption, and between slices."""


@dataclass(frozen=True)
class ShownSlice:
    """One slice: the scan's axis across it, its index in `Volume.data`, and what it is shown for."""

    axis: int
    index: int
    title: str


def picture_slices(volume: Volume, anatomy: Anatomy, shown: Sequence[ShownSlice]) -> UInt8 | None:
    """Draw slices side by side with captions, in one grey window, in the radiological convention.

    Shown is the intracranial space and a thin rim, as in the mosaic (`face_safety`); all else is neutral grey, blanked
    before anything is enlarged.

    Parameters
    ----------
    volume : the scan.
    anatomy : says where the brain lies.
    shown : slices that the scan does not have are left out.

    Returns
    -------
    grey uint8 (rows, columns); None without a brain, or where no slice meets it: only the mosaic is then shown,
    blurred beyond recognition.
    """
    if not anatomy.has_brain or not anatomy.brain.any():
        return None
    seen = seen_region(anatomy)
    wanted = [one for one in shown if 0 <= one.index < volume.shape[one.axis]]
    planes = [(one, *_plane(volume, anatomy, seen, one)) for one in wanted]
    planes = [(one, plane, mask) for one, plane, mask in planes if mask.any()]
    if not planes:
        return None
    low, high = grey_window(np.concatenate([plane[mask] for _, plane, mask in planes]))
    tiles = [_tile(one, to_grey(plane, mask, low, high), mask, volume.spacing) for one, plane, mask in planes]
    height = max(tile.shape[0] for tile in tiles)
    width = sum(tile.shape[1] for tile in tiles) + GAP * (len(tiles) - 1)
    picture = np.full((height, width), FILL, dtype=np.uint8)
    left = 0
    for tile in tiles:
        picture[: tile.shape[0], left : left + tile.shape[1]] = tile
        left += tile.shape[1] + GAP
    return picture


def encode_picture(picture: UInt8, max_bytes: int = MAX_BYTES) -> bytes:
    """The picture as WebP of at most `max_bytes`, if the lowest quality allows; nothing but pixels is in it."""
    data = b""
    for quality in WEBP_QUALITIES:
        buffer = BytesIO()
        Image.fromarray(picture).save(buffer, "WEBP", quality=quality, method=WEBP_METHOD)
        data = buffer.getvalue()
        if len(data) <= max_bytes:
            break
    return data


def _plane(volume: Volume, anatomy: Anatomy, seen: Seen, one: ShownSlice) -> tuple[NDArray[np.float32], Bool]:
    """Grey values (A, B) of a slice and what of it may be shown, both cut to the box of the latter."""
    plane = np.asarray(np.moveaxis(volume.data, one.axis, 0)[one.index])
    mask = may_be_seen(volume, anatomy, seen, one) & np.isfinite(plane)
    if not mask.any():
        return plane, mask
    box = tuple(
        slice(int(hits[0]), int(hits[-1]) + 1) for a in (1, 0) if (hits := np.flatnonzero(mask.any(axis=a))).size
    )
    return plane[box], mask[box]


def may_be_seen(volume: Volume, anatomy: Anatomy, seen: Seen, one: ShownSlice) -> Bool:
    """Whether each voxel (A, B) of the slice has its centre in the region that may be seen."""
    shift = np.eye(4)
    shift[:3, 3] = seen.origin
    to_region = np.linalg.inv(anatomy.affine @ shift) @ volume.affine
    first, second = (axis for axis in range(3) if axis != one.axis)
    a, b = np.ogrid[: volume.shape[first], : volume.shape[second]]
    constant = to_region[:3, 3] + to_region[:3, one.axis] * one.index
    place, inside = [], np.ones((volume.shape[first], volume.shape[second]), dtype=bool)
    for axis in range(3):
        at = np.rint(to_region[axis, first] * a + to_region[axis, second] * b + constant[axis]).astype(np.int64)
        inside &= (at >= 0) & (at < seen.region.shape[axis])
        place.append(np.clip(at, 0, seen.region.shape[axis] - 1))
    allowed: Bool = seen.region[place[0], place[1], place[2]] & inside
    return allowed


def to_grey(plane: NDArray[np.float32], mask: Bool, low: float, high: float) -> UInt8:
    """A plane (A, B) in the window from `low` to `high`, neutral grey outside of `mask`."""
    scaled = np.clip((np.where(mask, plane, low) - low) * (255.0 / (high - low)), 0, 255)
    return np.where(mask, scaled, FILL).astype(np.uint8)


def _tile(one: ShownSlice, grey: UInt8, mask: Bool, spacing: Sequence[float] | NDArray[Any]) -> UInt8:
    """A slice with square pixels of `PIXEL_MM`, upright, its caption above it."""
    first, second = (float(spacing[axis]) for axis in range(3) if axis != one.axis)
    # RAS to rows from the top; the patient's right, or front, to the left of the picture.
    upright, shown = (np.ascontiguousarray(array.T[::-1, ::-1]) for array in (grey, mask))
    size = (max(1, round(grey.shape[0] * first / PIXEL_MM)), max(1, round(grey.shape[1] * second / PIXEL_MM)))
    enlarged = np.asarray(Image.fromarray(upright).resize(size, Image.Resampling.BICUBIC))
    allowed = np.asarray(Image.fromarray(shown).resize(size, Image.Resampling.NEAREST))
    enlarged = np.where(allowed, enlarged, np.uint8(FILL))
    font = ImageFont.load_default()
    caption = f"{one.title}: {PLANE_NAMES[one.axis]} {one.index}"
    width = max(enlarged.shape[1], int(font.getlength(caption)) + 8)
    tile = np.full((CAPTION_ROWS + enlarged.shape[0], width), FILL, dtype=np.uint8)
    left = (width - enlarged.shape[1]) // 2
    tile[CAPTION_ROWS:, left : left + enlarged.shape[1]] = enlarged
    image = Image.fromarray(tile)
    draw = ImageDraw.Draw(image)
    draw.text((4, 3), caption, 225, font=font)
    draw.text((4, CAPTION_ROWS + 2), FIRST_LETTERS[one.axis], 225, font=font)
    return np.asarray(image)
