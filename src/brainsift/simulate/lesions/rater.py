"""A rater who outlines lesions on thick slices: not always right, and sometimes grossly wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from brainsift.simulate.separable import along, spline_basis

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Label = NDArray[np.uint8]

Fault = Literal["shifted", "other_person", "empty", "half_missed"]
THRESHOLDS = (0.25, 0.5)
"""What is lesion by a third looks bright on a FLAIR and is outlined. At a half, thin bands in thick slices lose most of
their volume."""

FAULTS: tuple[Fault, ...] = ("shifted", "other_person", "empty", "half_missed")

CONNECTED = np.ones((3, 3, 3), bool)

JITTER_MM = 5.0
"""From one wobble of the hand to the next."""

SHIFT_MM = (8.0, 15.0)
"""About a centimetre: lesions no longer overlap themselves."""

LEAST_LESION_VOXELS = 3
"""A label with fewer voxels cannot be shifted or halved: it may as well be another person's."""


@dataclass(frozen=True)
class Rater:
    """How a rater works.

    Attributes
    ----------
    threshold : share of a voxel that has to be lesion to be outlined; 0.5 keeps the volume.
    jitter : standard deviation of that share along the outline.
    miss_ml : lesions of this volume are overlooked by 1 / e; 0 for none.
    miss_share : of lesions of any size are overlooked.
    false_blobs : spots that are none.
    seed : of all that.
    """

    threshold: float
    jitter: float
    miss_ml: float
    miss_share: float
    false_blobs: int
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


PERFECT = Rater(threshold=0.5, jitter=0.0, miss_ml=0.0, miss_share=0.0, false_blobs=0, seed=0)


def draw_rater(rng: np.random.Generator) -> Rater:
    """Draw a rater as good as most: two agree with a Dice of 0.6 to 0.8 (Commowick 2018, Sci Rep 8:13650)."""
    return Rater(
        threshold=float(rng.uniform(*THRESHOLDS)),
        jitter=float(rng.uniform(0, 0.2)),
        miss_ml=float(rng.uniform(0, 0.05)),
        miss_share=float(rng.uniform(0, 0.06)),
        false_blobs=int(rng.poisson(0.7)),
        seed=int(rng.integers(2**31)),
    )


def outline(share: Float32, rater: Rater, voxel_mm: tuple[float, float, float], places: Float64) -> Label:
    """What the rater outlines, uint8 0 or 1 (rows, columns, slices).

    Parameters
    ----------
    share : float32 (rows, columns, slices), share of each voxel that is lesion.
    voxel_mm : (3,), pixel and distance between slices.
    places : (n, 3), voxels of the stack where a false spot may lie; none are made where there is none.
    """
    rng = np.random.default_rng(rater.seed)
    seen = share
    if rater.jitter:
        near = (share > 0) & (share < 1)
        seen = np.where(near, share + np.float32(rater.jitter) * _wobble(rng, share.shape, voxel_mm), share)
    label = (seen >= rater.threshold) & (share > 0)
    if rater.miss_ml or rater.miss_share:
        label = _without_missed(rng, label, rater, float(np.prod(voxel_mm)) / 1000)
    drawn = label.astype(np.uint8)
    for _ in range(rater.false_blobs if len(places) else 0):
        _spot(drawn, rng, places[int(rng.integers(len(places)))], voxel_mm)
    return drawn


def spoil(
    label: Label, fault: Fault, rng: np.random.Generator, voxel_mm: tuple[float, float, float], other: Label | None
) -> tuple[Label, Fault]:
    """A grossly wrong label, and what is wrong with it.

    Where there is next to nothing to spoil, another person's label is what remains.

    Parameters
    ----------
    other : what would be outlined in another person, on the same grid; None if it is not at hand.

    Raises
    ------
    ValueError
        if another person's label is needed and not given.
    """
    if fault == "other_person" or np.count_nonzero(label) < LEAST_LESION_VOXELS:
        if other is None:
            raise ValueError("another person's label is to stand in for this one, but none was given")
        return other, "other_person"
    if fault == "empty":
        return np.zeros_like(label), fault
    if fault == "shifted":
        return _shifted(label, rng, voxel_mm), fault
    # Half the lesions: those on one side of a plane through the middle of the label.
    axis = int(rng.choice(3, p=[0.5, 0.2, 0.3]))
    at = np.nonzero(label)[axis]
    middle = int(np.median(at))
    keep = [slice(None)] * 3
    keep[axis] = slice(None, middle) if rng.random() < 0.5 else slice(middle + 1, None)
    half = np.zeros_like(label)
    half[tuple(keep)] = label[tuple(keep)]
    return half, "half_missed"


def _shifted(label: Label, rng: np.random.Generator, voxel_mm: tuple[float, float, float]) -> Label:
    away = rng.standard_normal(3)
    away *= rng.uniform(*SHIFT_MM) / np.linalg.norm(away)
    steps = np.rint(away / np.asarray(voxel_mm)).astype(int)
    moved: Label = ndimage.shift(label, steps, order=0, mode="constant", cval=0)
    return moved


def _wobble(rng: np.random.Generator, shape: tuple[int, ...], voxel_mm: tuple[float, float, float]) -> Float32:
    """Smooth noise along rows and columns, independent from slice to slice: each is outlined by itself."""
    rows, columns = (spline_basis(n, max(1.0, JITTER_MM / s)) for n, s in zip(shape[:2], voxel_mm[:2], strict=True))
    noise = rng.standard_normal((rows.shape[1], columns.shape[1], shape[2]), dtype=np.float32)
    return along(columns, along(rows, noise, 0), 1)


def _without_missed(
    rng: np.random.Generator, label: NDArray[np.bool_], rater: Rater, voxel_ml: float
) -> NDArray[np.bool_]:
    parts, count = ndimage.label(label, CONNECTED)
    volume = np.bincount(parts.ravel(), minlength=count + 1) * voxel_ml
    missed = rater.miss_share + (1 - rater.miss_share) * np.exp(-volume / max(rater.miss_ml, 1e-9))
    overlooked = rng.random(count + 1) < missed
    overlooked[0] = True
    return np.asarray(~overlooked[parts], dtype=bool)


def _spot(label: Label, rng: np.random.Generator, at: Float64, voxel_mm: tuple[float, float, float]) -> None:
    """A disc of 3 to 8 mm on one slice."""
    radius = rng.uniform(1.5, 4.0)
    index = round(float(at[2]))
    if not 0 <= index < label.shape[2]:
        return
    rows, columns = (np.arange(n) for n in label.shape[:2])
    far = np.hypot((rows[:, None] - at[0]) * voxel_mm[0], (columns[None] - at[1]) * voxel_mm[1])
    label[:, :, index][far < radius] = 1
