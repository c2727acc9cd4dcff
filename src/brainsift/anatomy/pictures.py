"""Small three-plane pictures of a scan, and the labels as outlines to lay over them. NumPy and Pillow only."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.face_safety import Seen, blurred, seen_region
from brainsift.anatomy.labels import Tissue
from brainsift.scans.volume import Volume

UInt8 = NDArray[np.uint8]
Convention = Literal["radiological", "neurological"]

FILL = 24
"""Grey of all that is not shown."""

SLICES_ACROSS = 7
WINDOW_PERCENTILES = (0.5, 99.7)
WEBP_QUALITIES = (62, 35, 12, 4)
WEBP_METHOD = 2
"""Effort: 20 ms for a mosaic on one core; 4 is a tenth smaller and takes 75 ms."""

MAX_BYTES = 60_000
"""Of one mosaic. 10^5 scans then take 6 GB at most."""

END_SHARE = 0.1
"""Share of the brain left out at either end of each axis: the outermost slices show little but rim."""

ALIGNED_TOLERANCE = 1e-3
"""Largest off-axis share of the step from working grid to scan voxels for which the scan itself is shown."""


@dataclass(frozen=True)
class Outline:
    """A line round a group of tissues; the colours, after Okabe and Ito, stay apart in colour-vision deficiency."""

    name: str
    tissues: tuple[Tissue, ...]
    colour: tuple[int, int, int]


OUTLINES = (
    Outline("white matter and cortex border", (Tissue.WHITE, Tissue.VENTRICLES, Tissue.DEEP_GREY), (230, 159, 0)),
    Outline("hippocampus and amygdala", (Tissue.HIPPOCAMPUS_AMYGDALA,), (240, 240, 240)),
    Outline("deep grey matter", (Tissue.DEEP_GREY,), (204, 121, 167)),
    Outline("ventricles", (Tissue.VENTRICLES,), (86, 180, 233)),
    Outline("brainstem", (Tissue.BRAINSTEM,), (235, 110, 30)),
    Outline("cerebellum", (Tissue.CEREBELLUM,), (0, 170, 125)),
    Outline("brain", (), (240, 228, 66)),
)
"""Drawn in this order, later over earlier; ``brain`` is the envelope of `Anatomy.brain`."""


@dataclass(frozen=True)
class Tile:
    """One slice in the mosaic: axis and index in the cropped grid, top-left corner in cropped voxels."""

    axis: int
    index: int
    top: int
    left: int


@dataclass(frozen=True)
class Mosaic:
    """Two layers of one layout: grey uint8 (rows, columns), and outlines on nothing, uint8 RGBA (rows, columns, 4)."""

    plain: UInt8
    outlines: UInt8

    def outlined(self) -> UInt8:
        """Both layers as one picture, RGB uint8 (rows, columns, 3)."""
        drawn = self.outlines[:, :, 3:] > 0
        return np.where(drawn, self.outlines[:, :, :3], self.plain[:, :, None])


def write_mosaic(
    anatomy: Anatomy,
    path: Path,
    outline_path: Path | None = None,
    *,
    volume: Volume | None = None,
    convention: Convention = "radiological",
    hide_face: bool = True,
) -> None:
    """Write the mosaic as WebP, and the outlines as a transparent WebP to lay over it if `outline_path` is given.

    Parameters
    ----------
    anatomy : labels and image on the 2 mm grid.
    path, outline_path : parents are made.
    volume : the scan itself, shown at 1 mm in place of the 2 mm image when its axes are those of the working grid.
    convention : ``radiological`` puts the patient's right on the left of the picture. Letters say which.
    hide_face : blank all that lies more than 8 mm outside the intracranial space. Without a brain the picture is
        blurred beyond recognition whatever this says.
    """
    mosaic = render_mosaic(anatomy, volume=volume, convention=convention, hide_face=hide_face)
    _save_small(mosaic.plain, path)
    if outline_path is not None:
        outline_path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mosaic.outlines).save(outline_path, "WEBP", lossless=True, quality=20, method=0)


def render_mosaic(
    anatomy: Anatomy,
    *,
    volume: Volume | None = None,
    convention: Convention = "radiological",
    hide_face: bool = True,
) -> Mosaic:
    """Draw the mosaic: rows axial, coronal, sagittal; see `write_mosaic`."""
    flip = convention == "radiological"
    if not anatomy.has_brain or not anatomy.brain.any():
        return _blurred_mosaic(anatomy, flip)
    seen = seen_region(anatomy)
    tiles, shape = _layout(seen)
    shown = _compose(seen.region, tiles, shape, False, flip) if hide_face else np.ones(shape, dtype=bool)
    image = _compose(seen.crop(anatomy.image, np.nan), tiles, shape, np.nan, flip)
    shown &= np.isfinite(image)
    low, high = grey_window(image[shown])
    to_voxel = _aligned(anatomy, volume)
    if to_voxel is not None and volume is not None:
        grey = _to_grey(_compose_fine(volume, to_voxel, seen, tiles, shape, flip), low, high)
    else:
        # Blanked before it is enlarged too, so that nothing hidden bleeds in.
        small = Image.fromarray(_to_grey(np.where(shown, image, np.nan), low, high))
        grey = np.asarray(small.resize((2 * shape[1], 2 * shape[0]), Image.Resampling.BICUBIC))
    grey = np.where(_doubled(shown), grey, np.uint8(FILL))
    labels = _compose(seen.crop(anatomy.labels, 0), tiles, shape, 0, flip)
    outlines = _draw_outlines(labels, _compose(seen.envelope, tiles, shape, False, flip))
    return Mosaic(_lettered(grey, tiles, flip), outlines)


def _layout(seen: Seen) -> tuple[list[Tile], tuple[int, int]]:
    """Place the slices: as many sagittal ones as fit the width of the axial row, all rows centred; rows and columns."""
    x, y, z = seen.region.shape
    rows = ((2, x, y, SLICES_ACROSS), (1, x, z, SLICES_ACROSS), (0, y, z, max(3, SLICES_ACROSS * x // y)))
    width = max(tile_width * count for _, tile_width, _, count in rows)
    tiles, top = [], 0
    for axis, tile_width, tile_height, count in rows:
        brain = np.flatnonzero(seen.envelope.any(axis=tuple(a for a in range(3) if a != axis)))
        left = (width - tile_width * count) // 2
        for place, share in enumerate((np.arange(count) + 0.5) / count):
            at = brain[0] + brain.size * (END_SHARE + (1 - 2 * END_SHARE) * share)
            tiles.append(Tile(axis, int(at), top, left + place * tile_width))
        top += tile_height
    return tiles, (top, width)


def _compose(array: NDArray[Any], tiles: list[Tile], shape: tuple[int, int], fill: float, flip: bool) -> NDArray[Any]:
    """Copy the slices of a cropped array (X, Y, Z) to their places, rows by columns."""
    out = np.full(shape, fill, dtype=array.dtype)
    for tile in tiles:
        _place(out, _upright(_slice(array, tile.axis, tile.index), tile.axis, flip), tile)
    return out


def _place(out: NDArray[Any], plane: NDArray[Any], tile: Tile, zoom: int = 1) -> None:
    top, left = zoom * tile.top, zoom * tile.left
    out[top : top + plane.shape[0], left : left + plane.shape[1]] = plane


def _slice(array: NDArray[Any], axis: int, index: int) -> NDArray[Any]:
    """A view of one slice; `numpy.take` would copy a whole Fortran-ordered array."""
    plane: NDArray[Any] = array[(slice(None),) * axis + (index,)]
    return plane


def _upright(plane: NDArray[Any], axis: int, flip: bool) -> NDArray[Any]:
    """Turn a RAS plane to rows from the top; sagittal slices look to the left of the picture."""
    rows = plane.T[::-1]
    return rows[:, ::-1] if axis == 0 or flip else rows


def _aligned(anatomy: Anatomy, volume: Volume | None) -> NDArray[np.float64] | None:
    """Working grid → scan voxel, 4x4, if that is a scaling and a shift only."""
    if volume is None:
        return None
    step: NDArray[np.float64] = np.linalg.inv(volume.affine) @ anatomy.affine
    scale = np.diag(step)[:3]
    off_axis = np.abs(step[:3, :3] - np.diag(scale)).max()
    return step if scale.min() > 0 and off_axis <= ALIGNED_TOLERANCE * scale.max() else None


def _compose_fine(
    volume: Volume,
    to_voxel: NDArray[np.float64],
    seen: Seen,
    tiles: list[Tile],
    shape: tuple[int, int],
    flip: bool,
) -> NDArray[np.float32]:
    """The slices of the scan itself at half the working spacing, linear in the plane, nearest across."""
    scale, shift = np.diag(to_voxel)[:3], to_voxel[:3, 3]
    # Working voxel i holds the fine samples 2i and 2i + 1, whose centres lie a quarter of a voxel off its own.
    fine = [(seen.origin[a] - 0.25 + np.arange(2 * seen.region.shape[a]) / 2) * scale[a] + shift[a] for a in range(3)]
    out = np.full((2 * shape[0], 2 * shape[1]), np.nan, dtype=np.float32)
    for tile in tiles:
        across = (seen.origin[tile.axis] + tile.index) * scale[tile.axis] + shift[tile.axis]
        index = int(np.clip(round(float(across)), 0, volume.shape[tile.axis] - 1))
        first, second = (a for a in range(3) if a != tile.axis)
        plane = _linear(_linear(_slice(volume.data, tile.axis, index), fine[first], 0), fine[second], 1)
        _place(out, _upright(plane, tile.axis, flip), tile, zoom=2)
    return out


def _linear(plane: NDArray[np.float32], at: NDArray[np.float64], axis: int) -> NDArray[np.float32]:
    """Linear interpolation along one axis at voxel coordinates `at`, held constant beyond the ends."""
    size = plane.shape[axis]
    low = np.clip(np.floor(at).astype(int), 0, max(size - 2, 0))
    weight = np.clip(at - low, 0, 1).astype(np.float32)
    weight = weight[:, None] if axis == 0 else weight[None, :]
    high = np.minimum(low + 1, size - 1)
    mixed: NDArray[np.float32] = plane.take(low, axis) * (1 - weight) + plane.take(high, axis) * weight
    return mixed


def grey_window(values: NDArray[np.float32]) -> tuple[float, float]:
    """Grey values that are shown black and white: percentiles of what is shown, of any shape; a constant picture gets a
    window that is wide for its value."""
    if not values.size:
        return 0.0, 1.0
    low, high = (float(p) for p in np.percentile(values, WINDOW_PERCENTILES))
    return low, high if high > low else low + max(1.0, abs(low))


def _to_grey(image: NDArray[np.float32], low: float, high: float) -> UInt8:
    scaled = np.clip((image - low) * (255.0 / (high - low)), 0, 255)
    return np.where(np.isfinite(scaled), scaled, FILL).astype(np.uint8)


def _draw_outlines(labels: UInt8, envelope: NDArray[np.bool_]) -> UInt8:
    """The inner border of each group at twice the resolution of the labels (rows, columns), RGBA."""
    palette = np.zeros((len(OUTLINES) + 1, 4), dtype=np.uint8)
    drawn = np.zeros((2 * labels.shape[0], 2 * labels.shape[1]), dtype=np.uint8)
    for number, outline in enumerate(OUTLINES, start=1):
        palette[number] = (*outline.colour, 255)
        member = np.zeros(256, dtype=bool)
        member[list(outline.tissues)] = True
        region = member[labels] if outline.tissues else envelope
        if region.any():
            np.putmask(drawn, _border(region), number)
    return palette[drawn]


def _doubled(array: NDArray[Any]) -> NDArray[Any]:
    doubled: NDArray[Any] = array.repeat(2, axis=0).repeat(2, axis=1)
    return doubled


def _border(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """One-pixel inner border of a region (rows, columns) at twice its resolution."""
    inside = np.pad(_doubled(region), 1)
    core = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    border: NDArray[np.bool_] = inside[1:-1, 1:-1] & ~core
    return border


def _blurred_mosaic(anatomy: Anatomy, flip: bool) -> Mosaic:
    """Three planes of 24 mm cells, for scans in which no brain was found."""
    x, y, z = anatomy.image.shape
    cells = blurred(anatomy.image)
    low, high = grey_window(cells)
    grey = np.full((2 * max(y, z) + 24, 2 * (2 * x + y)), FILL, dtype=np.uint8)
    left = 0
    for axis, (columns, rows) in ((2, (x, y)), (1, (x, z)), (0, (y, z))):
        plane = _upright(_slice(cells, axis, cells.shape[axis] // 2), axis, flip)
        soft = Image.fromarray(_to_grey(plane, low, high)).resize((2 * columns, 2 * rows), Image.Resampling.BILINEAR)
        grey[: 2 * rows, left : left + 2 * columns] = np.asarray(soft)
        left += 2 * columns
    picture = Image.fromarray(grey)
    ImageDraw.Draw(picture).text((8, grey.shape[0] - 20), "No brain found. Blurred to protect the face.", 220)
    plain = np.asarray(picture)
    return Mosaic(plain, np.zeros((*plain.shape, 4), dtype=np.uint8))


def _lettered(picture: UInt8, tiles: list[Tile], flip: bool) -> UInt8:
    """Write the directions into the first and the last tile of each row."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default()
    for axis, letters in ((2, "RL" if flip else "LR"), (1, "RL" if flip else "LR"), (0, "AP")):
        row = [tile for tile in tiles if tile.axis == axis]
        right = 2 * (row[-1].left + (row[1].left - row[0].left)) - 12
        draw.text((2 * row[0].left + 5, 2 * row[0].top + 4), letters[0], 225, font=font)
        draw.text((right, 2 * row[0].top + 4), letters[1], 225, font=font)
    return np.asarray(image)


def _save_small(picture: UInt8, path: Path) -> None:
    """Write WebP of at most `MAX_BYTES`, if the lowest quality allows: a noisy scan takes a coarser picture."""
    for quality in WEBP_QUALITIES:
        buffer = BytesIO()
        Image.fromarray(picture).save(buffer, "WEBP", quality=quality, method=WEBP_METHOD)
        if buffer.tell() <= MAX_BYTES:
            break
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(buffer.getvalue())
