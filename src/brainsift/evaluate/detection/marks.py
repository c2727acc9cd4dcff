"""What somebody has marked in a scan: points, or a mask with a piece for each lesion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from brainsift.evaluate.segmentation.lesions import CONNECTED
from brainsift.evaluate.segmentation.masks import as_mask

Float64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Marks:
    """Marked lesions of one scan.

    Attributes
    ----------
    mm : (N, 3) centres, mm.
    diameter_mm : (N,) of a ball of the same volume; NaN of points whose size nobody gave.
    score : (N,) how sure somebody is, the higher the surer; 1 where nothing is said.
    pieces : whole numbers (X, Y, Z), 0 or 1 + the row of the lesion that a voxel belongs to; None for points.
    affine : 4x4, voxel of `pieces` → mm; None for points.

    Raises
    ------
    ValueError
        if the lists differ in length, or a centre or a score is not finite.
    """

    mm: Float64
    diameter_mm: Float64
    score: Float64
    pieces: NDArray[np.int32] | None = None
    affine: Float64 | None = None

    def __post_init__(self) -> None:
        n = len(self.mm)
        if self.mm.shape != (n, 3) or self.diameter_mm.shape != (n,) or self.score.shape != (n,):
            raise ValueError(f"{n} marks need {n} diameters and scores, got {len(self.diameter_mm)}, {len(self.score)}")
        if not (np.isfinite(self.mm).all() and np.isfinite(self.score).all()):
            raise ValueError("marks need finite places and scores; leave out what is unknown")

    def __len__(self) -> int:
        return len(self.mm)


def marks_of_points(mm: ArrayLike, diameter_mm: ArrayLike | None = None, score: ArrayLike | None = None) -> Marks:
    """Marks from centres in mm, (N, 3) or empty; diameters and scores where they are known."""
    places = np.asarray(mm, float).reshape(-1, 3)
    n = len(places)
    diameters = np.full(n, np.nan) if diameter_mm is None else np.asarray(diameter_mm, float).reshape(-1)
    scores = np.ones(n) if score is None else np.asarray(score, float).reshape(-1)
    return Marks(places, diameters, scores)


def marks_of_mask(mask: NDArray[Any], affine: Float64, score_of: Sequence[float] | None = None) -> Marks:
    """Marks from a mask (X, Y, Z): each piece of voxels that share a corner and have one number is a lesion.

    So lesions may be numbered (those that touch are told apart then) or all be 1. Fractions count from one half on.

    Parameters
    ----------
    score_of : score of the lesion with number 1, 2 and so on, where the mask is numbered.

    Raises
    ------
    ValueError
        if the array is no mask, or a number has no score.
    """
    inside = as_mask(mask)
    pieces, _ = ndimage.label(inside, CONNECTED)
    values = _whole(mask)[inside]
    pairs, rows = np.unique(np.stack([pieces[inside], values]), axis=1, return_inverse=True)
    n = pairs.shape[1]
    numbered = np.zeros(mask.shape, np.int32)
    numbered[inside] = rows.reshape(-1) + 1
    centres = np.array(ndimage.center_of_mass(inside, numbered, range(1, n + 1)), float).reshape(-1, 3)
    counts = np.bincount(rows.reshape(-1), minlength=n)
    voxel_mm3 = float(abs(np.linalg.det(affine[:3, :3])))
    scores = np.ones(n)
    if score_of is not None:
        if n and int(pairs[1].max()) > len(score_of):
            raise ValueError(f"the mask holds number {int(pairs[1].max())}, but {len(score_of)} scores are given")
        scores = np.asarray(score_of, float)[pairs[1].astype(int) - 1] if n else scores
    mm = centres @ affine[:3, :3].T + affine[:3, 3]
    return Marks(mm, ball_diameter_mm(counts * voxel_mm3), scores, numbered, np.asarray(affine, float))


def ball_diameter_mm(volume_mm3: ArrayLike) -> Float64:
    """Diameter of a ball of that volume."""
    diameters: Float64 = np.cbrt(6 * np.asarray(volume_mm3, float) / np.pi)
    return diameters


def _whole(mask: NDArray[Any]) -> NDArray[np.int64]:
    """The numbers of a numbered mask; of one of truth values or fractions, 1."""
    if np.issubdtype(mask.dtype, np.floating) and not (mask == np.rint(mask)).all():
        return np.ones(mask.shape, np.int64)
    return mask.astype(np.int64)
