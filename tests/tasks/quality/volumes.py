"""Small scans as the quality task gets them."""

import numpy as np

from brainsift.scans.volume import InputGrid, ReadFacts, Volume


def make_volume(data: np.ndarray, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Volume:
    """A volume whose voxel (0, 0, 0) lies at the origin."""
    affine = np.diag([*spacing, 1.0])
    x, y, z = data.shape
    grid = InputGrid((x, y, z), affine, (0, 1, 2), (False, False, False))
    return Volume(data.astype(np.float32), affine, grid, ReadFacts("nifti1", "float32", (x, y, z), "0" * 64))


def ball(shape: tuple[int, int, int], radius: float, value: float = 100.0) -> np.ndarray:
    """A bright ball in the middle of the dark."""
    axes = np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in shape), indexing="ij")
    return np.where(sum(a * a for a in axes) <= radius**2, np.float32(value), np.float32(0))
