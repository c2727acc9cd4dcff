"""The slices that show most of what is marked, for the person who judges it."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.labels import Tissue
from brainsift.anatomy.marked_slices import MarkedSlice, picture_marked
from brainsift.anatomy.slice_pictures import encode_picture
from brainsift.scans.volume import Volume
from brainsift.tasks.wmh.marked import Marked

SLICES = 8
GAP_MM = 5.0
"""Between slices: nearer ones show the same lesions."""

MAX_BYTES = 80_000


def picture_lesions(volume: Volume, anatomy: Anatomy, marked: Marked) -> dict[str, bytes]:
    """Name → WebP of the slices and of the outlines to lay over them; nothing where no brain can be shown."""
    area = float(volume.spacing[0] * volume.spacing[1])
    planes = [MarkedSlice(k, _plane(marked, volume, k), "") for k in choose_slices(volume, anatomy, marked)]
    shown = [
        MarkedSlice(one.index, one.marked, f"axial {one.index}: {area * np.count_nonzero(one.marked):.0f} mm2")
        for one in planes
    ]
    mosaic = picture_marked(volume, anatomy, shown)
    if mosaic is None:
        return {}
    outline = BytesIO()
    Image.fromarray(mosaic.outlines).save(outline, "WEBP", lossless=True, quality=20, method=0)
    return {"wmh_slices": encode_picture(mosaic.plain, MAX_BYTES), "wmh_slices_outline": outline.getvalue()}


def choose_slices(volume: Volume, anatomy: Anatomy, marked: Marked, count: int = SLICES) -> list[int]:
    """Axial slices from below: those with most marked, then, where there are few, evenly spread ones of the cerebrum,
    so that a person can see what is missed."""
    gap = max(1, round(GAP_MM / float(volume.spacing[2])))
    area = np.bincount(marked.index[:, 2], minlength=volume.shape[2]).astype(np.float64)
    chosen: list[int] = []
    while len(chosen) < count and area.max(initial=0) > 0:
        best = int(area.argmax())
        chosen.append(best)
        area[max(0, best - gap + 1) : best + gap] = 0
    for index in _spread(volume, anatomy, count):
        if len(chosen) < count and all(abs(index - one) >= gap for one in chosen):
            chosen.append(index)
    return sorted(chosen)


def _spread(volume: Volume, anatomy: Anatomy, count: int) -> list[int]:
    """Slices spread over the height of the cerebral white matter."""
    found = np.argwhere(anatomy.labels == Tissue.WHITE)
    if not len(found):
        return []
    to_scan = np.linalg.inv(volume.affine) @ anatomy.affine
    height = found @ to_scan[2, :3] + to_scan[2, 3]
    low, high = np.clip(np.percentile(height, (5, 95)), 0, volume.shape[2] - 1)
    return [round(float(at)) for at in np.linspace(low, high, count)]


def _plane(marked: Marked, volume: Volume, index: int) -> NDArray[np.bool_]:
    plane = np.zeros(volume.shape[:2], np.bool_)
    here = marked.index[marked.index[:, 2] == index]
    plane[here[:, 0], here[:, 1]] = True
    return plane
