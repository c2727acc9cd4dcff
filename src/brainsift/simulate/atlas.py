"""A probabilistic atlas of the head, packaged, from which heads are drawn without any data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.contrast import _LEFT_OF_RIGHT

Float32 = NDArray[np.float32]

ATLAS_FILE = Path(__file__).with_name("head_atlas.npz")

RIGHT_OF_LEFT = {left: right for right, left in _LEFT_OF_RIGHT.items()}
"""FreeSurfer left-sided label → its right twin."""

LEVELS = 63
"""Steps of a stored probability: finer than the thirty-odd votes that it was averaged from, and small when packed."""

CEREBRUM = (24, 3, 2)
"""CSF, cortex, white matter: what the folds of the cerebrum are made of, from outside inwards."""

CEREBELLUM = (8, 7)
"""Cortex and white matter of the cerebellum, from outside inwards."""

SOURCE = (
    "Derived by BrainSift from the label maps head_01 to head_16 of SynthSeg (Billot et al., BBillot/SynthSeg, "
    "commit 66342c1, Apache License 2.0): "
    "class shares averaged over people and both sides, and modes of their shape."
)


@dataclass(frozen=True, eq=False)
class Atlas:
    """Shares of each label in an average head that is the same left and right, and how heads differ in shape.

    Attributes
    ----------
    values : (C,), FreeSurfer label of each class, the left one of a pair; `values[0]` is 0.
    levels : uint8 (C, X/2, Y, Z), probability times `LEVELS` in the left half, RAS+; the last x touches the midline.
    spacing_mm : of that grid, isotropic.
    origin_mm : (3,), centre of voxel (0, 0, 0) relative to the centre of the brain's structures.
    modes_mm : float32 (M, 3, x, y, z), displacements in mm, one standard deviation each, over the whole head.
    mode_spacing_mm : of the modes' grid, which shares the atlas's first voxel centre up to `mode_offset_mm`.
    mode_offset_mm : from the atlas's first voxel centre to that of the modes.
    size_sd, stretch_sd : standard deviation of the logarithm of the size, and of each axis's stretch beside it, (3,).
    source : where it comes from and under which licence.
    """

    values: NDArray[np.int64]
    levels: NDArray[np.uint8]
    spacing_mm: float
    origin_mm: NDArray[np.float64]
    modes_mm: Float32
    mode_spacing_mm: float
    mode_offset_mm: float
    size_sd: float
    stretch_sd: NDArray[np.float64]
    source: str = SOURCE

    @property
    def shape(self) -> tuple[int, int, int]:
        """(X, Y, Z) of the whole head."""
        _, half, y, z = self.levels.shape
        return 2 * half, y, z

    def probability(self, *labels: int) -> Float32:
        """Probability that a voxel holds one of `labels` (left-sided values), float32 (X, Y, Z) of the whole head."""
        chosen = [int(np.flatnonzero(self.values == label)[0]) for label in labels if label in self.values]
        half = self.levels[chosen].sum(axis=0, dtype=np.float32) / np.float32(LEVELS)
        return np.concatenate([half, half[::-1]])

    @cached_property
    def fold_roots(self) -> Float32:
        """Where the fold that a voxel belongs to meets the surface of its hemisphere, voxels, float32 (3, X, Y, Z).

        Gyri and sulci run inwards from the surface, so what is drawn at the root holds all along the way in.
        """
        from scipy import ndimage

        cerebral = self.probability(2, 3, 4, 5, 10, 11, 12, 13, 17, 18, 28)[: self.shape[0] // 2] > 0.5
        closed = ndimage.binary_closing(np.pad(cerebral, ((4, 4), (4, 4), (4, 4))), iterations=3)[4:-4, 4:-4, 4:-4]
        depth = ndimage.distance_transform_edt(np.pad(closed, ((0, 1), (0, 0), (0, 0))))[:-1]
        outwards = -np.stack(list(np.gradient(ndimage.gaussian_filter(depth, 1.5))))
        outwards /= np.maximum(np.linalg.norm(outwards, axis=0), 0.3)
        left = np.indices(closed.shape) + FOLD_STRAIGHTNESS * depth * outwards
        right = left[:, ::-1] * np.array([-1, 1, 1]).reshape(3, 1, 1, 1)
        right[0] += self.shape[0] - 1
        roots: Float32 = np.concatenate([left, right], axis=1).astype(np.float32)
        return roots


FOLD_STRAIGHTNESS = 0.8
"""1 would let every sulcus run straight to the depth; a little less lets it wander."""


def load_atlas(path: Path = ATLAS_FILE) -> Atlas:
    """Read an atlas file; the one that comes with BrainSift if not given."""
    with np.load(path, allow_pickle=False) as stored:
        scale = stored["mode_scale_mm"].reshape(-1, 1, 1, 1, 1).astype(np.float32)
        return Atlas(
            values=stored["values"].astype(np.int64),
            levels=stored["levels"],
            spacing_mm=float(stored["spacing_mm"]),
            origin_mm=stored["origin_mm"],
            modes_mm=stored["modes"].astype(np.float32) * scale,
            mode_spacing_mm=float(stored["mode_spacing_mm"]),
            mode_offset_mm=float(stored["mode_offset_mm"]),
            size_sd=float(stored["size_sd"]),
            stretch_sd=stored["stretch_sd"],
            source=str(stored["source"]),
        )


def save_atlas(atlas: Atlas, path: Path) -> None:
    """Write an atlas file; displacements are kept to one part in 127 of the largest of their mode."""
    scale = np.abs(atlas.modes_mm).max(axis=(1, 2, 3, 4)) / 127
    modes = np.round(atlas.modes_mm / np.maximum(scale, 1e-9).reshape(-1, 1, 1, 1, 1)).astype(np.int8)
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            values=atlas.values.astype(np.int16),
            levels=atlas.levels,
            spacing_mm=atlas.spacing_mm,
            origin_mm=atlas.origin_mm,
            modes=modes,
            mode_scale_mm=scale,
            mode_spacing_mm=atlas.mode_spacing_mm,
            mode_offset_mm=atlas.mode_offset_mm,
            size_sd=atlas.size_sd,
            stretch_sd=atlas.stretch_sd,
            source=np.array(atlas.source),
        )
