"""Shapes of real lesions: connected parts of masks in MNI152, each with where it lay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

LEAST_VOLUME_MM3 = 8.0
"""Smaller parts are a few voxels and have no shape of their own."""

PAD_MM = 4.0
"""Of distance kept around a lesion, so that it can be grown a little."""


@dataclass(frozen=True, eq=False)
class Shape:
    """One lesion.

    Attributes
    ----------
    inside_mm : float32 (X, Y, Z), distance from the lesion's border, positive inside; outside its array lies nothing.
    spacing_mm : isotropic.
    volume_mm3 : of the lesion.
    centre_mm : (3,), of the array's centre in MNI152.
    source : which mask it comes from.
    """

    inside_mm: Float32
    spacing_mm: float
    volume_mm3: float
    centre_mm: Float64
    source: str


@dataclass(frozen=True, eq=False)
class ShapeBank:
    """All lesions of some masks.

    Attributes
    ----------
    shapes : every lesion.
    sources : names of the masks.
    """

    shapes: tuple[Shape, ...]
    sources: tuple[str, ...]

    def of(self, source: str) -> list[int]:
        """Indices of the lesions of one mask."""
        return [i for i, shape in enumerate(self.shapes) if shape.source == source]

    def load_ml(self, source: str) -> float:
        """Volume of the lesions of one mask."""
        return sum(self.shapes[i].volume_mm3 for i in self.of(source)) / 1000


def load_shapes(folder: Path) -> ShapeBank:
    """Read lesion masks in MNI152 and cut them into lesions (26-connected); a second for each 20 masks.

    Raises
    ------
    ValueError
        if there is no mask, one has no isotropic voxels, or none has a lesion.
    """
    paths = sorted(p for p in folder.iterdir() if p.name.endswith((".nii", ".nii.gz")))
    if not paths:
        raise ValueError(f"{folder}: no lesion mask (.nii, .nii.gz) is in it; give the folder that holds them")
    return make_bank([(path.name.split(".")[0], *_read(path)) for path in paths])


def make_bank(masks: Sequence[tuple[str, NDArray[np.bool_], Float64]]) -> ShapeBank:
    """Cut masks into lesions.

    Parameters
    ----------
    masks : name, mask (X, Y, Z) and its affine (4, 4) to mm of MNI152, RAS+ with isotropic voxels.
    """
    shapes = [shape for name, mask, affine in masks for shape in _cut(name, mask, affine)]
    if not shapes:
        raise ValueError(f"none of {len(masks)} lesion masks holds a lesion of {LEAST_VOLUME_MM3:g} mm3; give others")
    return ShapeBank(tuple(shapes), tuple(dict.fromkeys(shape.source for shape in shapes)))


def _read(path: Path) -> tuple[NDArray[np.bool_], Float64]:
    import nibabel as nib

    image: Any = nib.as_closest_canonical(nib.load(path))  # type: ignore[no-untyped-call]
    spacing = np.asarray(image.header.get_zooms()[:3], dtype=float)
    if len(image.shape) != 3 or spacing.max() / spacing.min() > 1.01:
        raise ValueError(
            f"{path.name}: lesion masks must be 3D with isotropic voxels, got {image.shape} of {spacing.tolist()} mm; "
            "resample it to MNI152 at 1 mm"
        )
    return np.asanyarray(image.dataobj) > 0.5, np.asarray(image.affine, dtype=float)


def _cut(name: str, mask: NDArray[np.bool_], affine: Float64) -> list[Shape]:
    spacing = float(abs(affine[0, 0]))
    if not mask.any():
        return []
    whole = ndimage.find_objects(mask.astype(np.uint8))[0]
    parts, count = ndimage.label(mask[whole], np.ones((3, 3, 3)))
    pad = int(np.ceil(PAD_MM / spacing))
    sizes = np.bincount(parts.ravel(), minlength=count + 1) * spacing**3
    shapes = []
    for number, box in enumerate(ndimage.find_objects(parts), start=1):
        if box is None or sizes[number] < LEAST_VOLUME_MM3:
            continue
        part = np.pad(parts[box] == number, pad)
        middle = np.array([w.start + (s.start + s.stop - 1) / 2 for s, w in zip(box, whole, strict=True)])
        centre = affine[:3, :3] @ middle + affine[:3, 3]
        shapes.append(Shape(signed_distance(part, spacing), spacing, float(sizes[number]), centre, name))
    return shapes


def signed_distance(mask: NDArray[np.bool_], spacing_mm: float) -> Float32:
    """Distance from the border between voxels, mm, positive inside."""
    inside = ndimage.distance_transform_edt(mask, sampling=spacing_mm)
    outside = ndimage.distance_transform_edt(~mask, sampling=spacing_mm)
    signed: Float32 = np.where(mask, inside - spacing_mm / 2, spacing_mm / 2 - outside).astype(np.float32)
    return signed
