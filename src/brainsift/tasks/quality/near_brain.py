"""The brain and a little around it: every second slice shows only this, so that what lies outside cannot decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.scans.volume import Volume

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

GRID_MM = 2.0
MARGIN = 2
"""Voxels of 2 mm around the brain: ringing, ghosts and blur show at its border, scalp and neck do not."""


@dataclass(frozen=True, eq=False)
class NearBrain:
    """A mask on a grid of its own.

    Attributes
    ----------
    mask : (X, Y, Z), voxels of about `GRID_MM`.
    to_mask : (4, 4), voxels of the scan → voxels of the mask.
    """

    mask: Mask
    to_mask: Float64

    def at(self, voxels: Sequence[Float64 | float]) -> Mask:
        """Whether voxels of the scan lie in it.

        Parameters
        ----------
        voxels : coordinates along the three axes, of shapes that can be broadcast to one another.
        """
        inside: Mask = np.ones(np.broadcast_shapes(*(np.shape(v) for v in voxels)), bool)
        places = []
        for row, n in zip(self.to_mask[:3], self.mask.shape, strict=True):
            place = np.rint(sum(w * np.asarray(v) for w, v in zip(row, voxels, strict=False)) + row[3])
            inside &= (place >= 0) & (place < n)
            places.append(np.clip(place, 0, n - 1).astype(np.intp))
        inside &= self.mask[tuple(places)]
        return inside


def near_brain(volume: Volume, anatomy: Anatomy) -> NearBrain:
    """What the anatomy pass found, in voxels of the scan."""
    to_mask = np.linalg.inv(anatomy.affine) @ volume.affine
    return NearBrain(_grown(anatomy.brain, MARGIN), to_mask)


def near_mask(brain: Mask, spacing_mm: Sequence[float] | Float64, margin: int = MARGIN) -> NearBrain:
    """The same of a mask on the scan's own grid.

    Parameters
    ----------
    brain : (X, Y, Z).
    spacing_mm : (3,), of the scan.
    margin : in voxels of `GRID_MM`, at least 1.
    """
    steps = [max(1, round(GRID_MM / mm)) for mm in spacing_mm]
    # Room for the margin beyond what the scan shows.
    coarse = np.pad(brain[:: steps[0], :: steps[1], :: steps[2]], margin)
    to_mask = np.diag([*(1.0 / step for step in steps), 1.0])
    to_mask[:3, 3] = margin
    return NearBrain(_grown(coarse, margin), to_mask)


def _grown(brain: Mask, margin: int) -> Mask:
    from scipy.ndimage import binary_dilation

    grown: Mask = binary_dilation(brain, iterations=margin)
    return grown
