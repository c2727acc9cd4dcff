"""Training images for the anatomy network, made on the fly from label maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import IterableDataset, get_worker_info

from brainsift.anatomy.grids import pool
from brainsift.anatomy.labels import BRAIN, N_TISSUES, WORKING_SPACING_MM, Tissue, group_freesurfer
from brainsift.anatomy.normalise import normalise
from brainsift.simulate.acquire import Acquisition, acquire, draw_acquisition
from brainsift.simulate.contrast import Contrast, draw_contrast, tables
from brainsift.simulate.coverage import WHOLE, Coverage, draw_coverage, keep_mask
from brainsift.simulate.deform import deform, draw_deformation
from brainsift.simulate.labelmap import LabelMap, load_label_map
from brainsift.simulate.separable import spline_field

Float32 = NDArray[np.float32]

BANK_SHAPE = (112, 128, 128)
"""Voxels of a deformed head on the 2 mm grid: 224 x 256 x 256 mm hold a head with its neck."""

CROP_SHAPES = (
    (96, 112, 96),
    (96, 112, 112),
    (80, 112, 96),
    (96, 128, 96),
    (112, 112, 96),
    (96, 112, 128),
    (112, 128, 128),
)
CROP_SHARES = (0.40, 0.18, 0.12, 0.10, 0.08, 0.08, 0.04)
"""Whole heads of several sizes: instance norm sees how much of the grid is air, so the grid has to vary in training."""

LESION_SHARE = 0.15

THICKEST_SLICE_MM = 7.0
"""What `draw_acquisition` draws at the most."""


@dataclass(eq=False)
class DeformedHead:
    """A head after deformation: label codes at half the image's spacing, and the majority class on the image's grid."""

    spacing_mm: float
    codes: NDArray[np.uint8]
    values: NDArray[np.int64]
    tissue: NDArray[np.uint8]
    centre: NDArray[np.float64]


def deform_head(rng: np.random.Generator, head: LabelMap, spacing_mm: float = WORKING_SPACING_MM) -> DeformedHead:
    """Deform a label map at half the image's spacing, so that partial volume comes from averaging."""
    deformation = draw_deformation(rng)
    x, y, z = _scaled(BANK_SHAPE, spacing_mm / 2)
    codes = deform(head, deformation, (x, y, z), spacing_mm / 2)
    tissue = majority(group_freesurfer(head.values)[codes])
    centre = (np.asarray(tissue.shape) - 1) / 2 + np.asarray(deformation.shift_mm) / spacing_mm
    return DeformedHead(spacing_mm, codes, head.values, tissue, centre)


def _scaled(shape: Sequence[int], spacing_mm: float) -> tuple[int, ...]:
    """A shape on the 2 mm grid in voxels of another size."""
    return tuple(round(n * WORKING_SPACING_MM / spacing_mm) for n in shape)


def majority(classes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The commonest class in each block of 2x2x2 voxels; the lower class wins a tie with air, the higher one else."""
    best = np.zeros([n // 2 for n in classes.shape], np.uint8)
    winner = pool(classes == 0).astype(np.uint8)
    for value in range(1, N_TISSUES):
        count = pool(classes == value).astype(np.uint8)
        better = count >= np.maximum(winner, 1)
        best[better], winner[better] = value, count[better]
    return best


@dataclass(frozen=True)
class Painting:
    """All that turns a deformed head into an image: drawn first, applied by `paint_head`."""

    contrast: Contrast
    coverage: Coverage
    acquisition: Acquisition
    lesions: bool
    flat: bool
    masked_air: bool
    mirror: bool
    seed: int


def draw_painting(
    rng: np.random.Generator,
    values: NDArray[np.int64],
    kind: str | None = None,
    whole: bool = False,
    slices_mm: float = THICKEST_SLICE_MM,
) -> Painting:
    """Draw a painting; `kind` fixes the contrast, `whole` leaves the head uncut, no slice is thicker than
    `slices_mm`."""
    return Painting(
        contrast=draw_contrast(rng, values, kind),
        coverage=WHOLE if whole else draw_coverage(rng),
        acquisition=_acquisition(rng, slices_mm),
        lesions=bool(rng.random() < LESION_SHARE),
        flat=bool(rng.random() < 0.25),
        masked_air=bool(rng.random() < 0.2),
        mirror=bool(rng.random() < 0.5),
        seed=int(rng.integers(2**31)),
    )


def _acquisition(rng: np.random.Generator, slices_mm: float) -> Acquisition:
    while True:
        drawn = draw_acquisition(rng)
        if max(drawn.resolution_mm) <= slices_mm:
            return drawn


def paint_head(head: DeformedHead, painting: Painting) -> tuple[Float32, NDArray[np.uint8]]:
    """Apply a painting; return the normalised image and its classes, both (X, Y, Z)."""
    p, rng = painting, np.random.default_rng(painting.seed)
    box = _crop(rng, head)
    tissue = head.tissue[box]
    codes = head.codes[tuple(slice(2 * s.start, 2 * s.stop) for s in box)]
    mean, spread = tables(p.contrast)
    signal: Float32 = (pool(mean[codes]) / 8).astype(np.float32, copy=False)
    spreads = spread[codes[::2, ::2, ::2]] * np.float32(not p.flat)
    if p.lesions:
        _add_lesions(rng, signal, tissue)
    centre = head.centre - np.array([s.start for s in box])
    h = head.spacing_mm
    keep = keep_mask(np.isin(tissue, BRAIN), tissue == Tissue.CSF, centre, p.coverage, h)
    tissue = np.where(keep, tissue, np.uint8(0))
    none = np.float32(0)
    averaged = replace(p.acquisition, noise=p.acquisition.noise * (WORKING_SPACING_MM / h) ** 1.5)
    image = acquire(np.where(keep, signal, none), np.where(keep, spreads, none), averaged, h)
    if p.coverage.strip != "none":
        image = np.where(tissue > 0, image, none)
    elif p.masked_air:
        image = np.where(keep, image, none)
    if p.mirror:
        image, tissue = image[::-1], tissue[::-1]
    return normalise(image), np.ascontiguousarray(tissue)


def _crop(rng: np.random.Generator, head: DeformedHead) -> tuple[slice, ...]:
    """A grid of a random size that mostly holds the whole brain, as the inference crop does."""
    shape = _scaled(CROP_SHAPES[int(rng.choice(len(CROP_SHAPES), p=CROP_SHARES))], head.spacing_mm)
    starts = []
    for axis in range(3):
        slack = head.tissue.shape[axis] - shape[axis]
        wanted = head.centre[axis] - shape[axis] * rng.uniform(0.42, 0.58)
        starts.append(int(np.clip(round(wanted), 0, slack)))
    return tuple(slice(s, s + n) for s, n in zip(starts, shape, strict=True))


def _add_lesions(rng: np.random.Generator, signal: Float32, tissue: NDArray[np.uint8]) -> None:
    """Patches of another grey value in white matter, in place: the classes stay, so lesions do not break the labels."""
    field = spline_field(rng, signal.shape, float(rng.uniform(3, 8)))
    patch = (field > rng.uniform(1.2, 2.5)) & (tissue == Tissue.WHITE)
    signal[patch] = np.float32(rng.uniform(0, 1))


class HeadStream(IterableDataset[tuple[torch.Tensor, torch.Tensor]]):
    """Endless (image, classes) pairs: a bank of deformed heads, each painted several times before it is replaced.

    At 2 mm, deforming costs 0.4 s of one core and painting 0.08 s; at 4 mm an eighth of that.

    Parameters
    ----------
    paths : label maps.
    seed : worker `i` of the loader draws from (seed, i, start).
    start : number of steps already made, so that a resumed training sees new images.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        seed: int,
        start: int = 0,
        spacing_mm: float = WORKING_SPACING_MM,
        bank: int = 40,
        reuse: int = 6,
    ) -> None:
        super().__init__()
        self.paths, self.seed, self.start, self.spacing_mm = list(paths), seed, start, spacing_mm
        self.bank, self.reuse = bank, reuse

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        worker = get_worker_info()
        rng = np.random.default_rng([self.seed, worker.id if worker else 0, self.start])
        heads = [load_label_map(p) for p in self.paths]
        slots: list[DeformedHead] = []
        while True:
            if len(slots) < 4 or rng.random() < 1 / self.reuse:
                fresh = deform_head(rng, heads[int(rng.integers(len(heads)))], self.spacing_mm)
                if len(slots) < self.bank:
                    slots.append(fresh)
                else:
                    slots[int(rng.integers(len(slots)))] = fresh
            head = slots[int(rng.integers(len(slots)))]
            image, tissue = paint_head(head, draw_painting(rng, head.values))
            yield torch.from_numpy(image.copy())[None], torch.from_numpy(tissue)
