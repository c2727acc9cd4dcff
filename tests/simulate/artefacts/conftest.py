"""A smooth head to corrupt: blobs that a formula gives at any place, so that movements can be checked exactly."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

SHAPE = (60, 72, 64)
SPACING_MM = (1.0, 1.2, 0.9)

BLOBS = ((1.0, (6, -4, 3), 60.0), (0.6, (-9, 9, -6), 30.0), (0.8, (4, 12, 8), 25.0))
"""Height, centre in mm, variance in mm²."""


def grid_mm(shape: tuple[int, ...] = SHAPE, spacing: tuple[float, ...] = SPACING_MM) -> NDArray[np.float64]:
    """Coordinates about the volume's centre, (3, X, Y, Z)."""
    axes = [(np.arange(n) - (n - 1) / 2) * mm for n, mm in zip(shape, spacing, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"))


def blobs(at: NDArray[np.float64]) -> NDArray[np.float32]:
    """Intensity at the points (3, ...) in mm."""
    total = np.zeros(at.shape[1:])
    for height, centre, variance in BLOBS:
        square = sum((at[i] - c) ** 2 for i, c in enumerate(centre))
        total += height * np.exp(-square / variance)
    return total.astype(np.float32)


@pytest.fixture(scope="session")
def head() -> NDArray[np.float32]:
    """Blobs on the grid."""
    return blobs(grid_mm())


@pytest.fixture(scope="session")
def brain(head: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where they are bright."""
    return head > 0.2
