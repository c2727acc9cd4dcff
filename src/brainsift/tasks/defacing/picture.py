"""The five views as one picture for a person: shaded surface, bare brain, and where the field of view ends."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from brainsift.tasks.defacing.frame import GRID_MM
from brainsift.tasks.defacing.renders import COLUMNS, ROWS, View
from brainsift.tasks.defacing.signals import EXPOSED_MM

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

PLACES = {"left_45": (0, 0), "front": (0, 1), "right_45": (0, 2), "left": (1, 0), "right": (1, 2)}
"""View → row and column of the picture."""

ZOOM = 2
BACKGROUND = 24
PALE = (215, 215, 215)
LIGHT = np.array([-0.35, -0.5, 0.8])
"""Where light comes from: the viewer's upper left; right, down, towards the viewer."""

AMBIENT = 0.25
BARE_BRAIN = np.array([230, 120, 20])
CUT_BY_VIEW = np.array([70, 95, 130])
"""Vermilion and blue stay apart in colour-vision deficiency (Okabe and Ito)."""

WEBP_QUALITY = 70

WORDS = (
    "Surface by first hit.",
    "Orange: brain lies bare.",
    "Blue: end of the field of view.",
    "R and L: the patient's sides.",
)


def draw_views(views: Mapping[str, View]) -> UInt8:
    """One RGB picture (2 x ROWS x ZOOM, 3 x COLUMNS x ZOOM, 3) of all views.

    It shows a face where the scan has one: whoever keeps it decides who may see it.
    """
    height, width = ROWS * ZOOM, COLUMNS * ZOOM
    picture = Image.new("RGB", (3 * width, 2 * height), (BACKGROUND,) * 3)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default()
    for name, (row, column) in PLACES.items():
        tile = Image.fromarray(shade(views[name])).resize((width, height), Image.Resampling.BICUBIC)
        picture.paste(tile, (column * width, row * height))
        draw.text((column * width + 6, row * height + 4), name.replace("_45", " 45"), PALE, font=font)
    draw.text((width + 8, 40), "R", PALE, font=font)
    draw.text((2 * width - 16, 40), "L", PALE, font=font)
    for number, line in enumerate(WORDS):
        draw.text((width + 12, height + 40 + 18 * number), line, PALE, font=font)
    return np.asarray(picture)


def encode(picture: UInt8) -> bytes:
    """As WebP, 20 to 40 kB."""
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", quality=WEBP_QUALITY, method=2)
    return buffer.getvalue()


def shade(view: View) -> UInt8:
    """Lambert's law on the slope of the depth (Horn 1981), RGB (ROWS, COLUMNS, 3)."""
    depth = _smooth(view)
    down, across = np.gradient(depth, GRID_MM)
    length = np.sqrt(1 + down**2 + across**2)
    light = LIGHT / np.linalg.norm(LIGHT)
    # The normal towards the viewer is (slope across, slope down, 1).
    lit = np.clip((across * light[0] + down * light[1] + light[2]) / length, 0, 1)
    grey = 255 * (AMBIENT + (1 - AMBIENT) * lit)
    colour = np.repeat(grey[:, :, None], 3, axis=2)
    bare = view.hit & ~view.edge & (view.cover_mm < EXPOSED_MM)
    for where, tint in ((view.edge, CUT_BY_VIEW), (bare, BARE_BRAIN)):
        colour[where] = 0.35 * colour[where] + 0.65 * tint
    colour[~view.hit] = BACKGROUND
    return colour.astype(np.uint8)


def _smooth(view: View) -> Float32:
    """Depth without the steps of half a voxel: the median of 3 x 3 pixels; what is not hit lies far behind."""
    from scipy.ndimage import median_filter

    far = float(np.nanmax(view.depth_mm)) if view.hit.any() else 0.0
    filled = np.where(view.hit, view.depth_mm, far)
    smooth: Float32 = median_filter(filled, 3, mode="nearest")
    return smooth
