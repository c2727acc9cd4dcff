"""A plain block of tissue under a scanner, and the phantom in its frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brainsift.simulate.labelmap import LabelMap
from brainsift.simulate.susceptibility.blob import Ball, Blob
from brainsift.simulate.susceptibility.frame import Frame, make_frame
from brainsift.simulate.susceptibility.grid import Grid, lay_grid
from brainsift.simulate.susceptibility.scanner import Scanner, draw_scanner

BLOCK_MM = 1.0
BLOCK_SHAPE = (40, 44, 48)


def make_scanner(**changes: object) -> Scanner:
    """A 3 T scanner with axial slices of 1.6 mm, straight, with little blur and noise."""
    drawn = draw_scanner(np.random.default_rng(0), (0.8, 0.8, 1.6))
    plain = replace(
        drawn, field_t=3.0, te_ms=20.0, gap_mm=0.0, tilt_deg=(0.0, 0.0, 0.0), blur_voxels=0.4, noise=0.01, bias=0.0
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def make_grid(scanner: Scanner) -> Grid:
    """The scanner's grid over a block of white matter."""
    codes = np.ones(BLOCK_SHAPE, np.uint8)
    centre = (np.array(BLOCK_SHAPE) - 1) / 2
    return lay_grid(LabelMap(codes, np.array([0, 2]), BLOCK_MM, centre, np.zeros((3, 1, 1, 1), np.float32)), scanner)


def make_blob(chi_ppm: float = 0.8, radius_mm: float = 1.2, water: float = 0.5) -> Blob:
    """A ball in the middle of the block."""
    x, y, z = ((n - 1) / 2 for n in BLOCK_SHAPE)
    return Blob((x, y, z), (Ball((0.0, 0.0, 0.0), radius_mm),), chi_ppm, water, "bleed", "lobar", "cortex")


@pytest.fixture(scope="session")
def frame(phantom: LabelMap) -> Frame:
    """The phantom in MNI152."""
    return make_frame(phantom)
