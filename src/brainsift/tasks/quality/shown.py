"""What of a head the slices show: the brain and a little around it, in every second slice the air as well.

Scalp, face and neck are never shown: no simulation draws them as they are, and what a network makes of them decides
wrongly (docs/decisions/0025). Ghosts and noise show in the air, and a stripped scan looks like a whole one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.anatomy import Anatomy
from brainsift.anatomy.labels import Tissue
from brainsift.scans.volume import Volume

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

GRID_MM = 2.0
MARGIN = 2
"""Voxels of 2 mm around the brain: ringing, ghosts and blur show at its border, scalp and neck do not."""

RIM = 3
"""Voxels of 2 mm around the rest of the head, of air that is not shown: its border is not sharp, and labels err."""


@dataclass(frozen=True, eq=False)
class Shown:
    """Masks on a grid of their own.

    Attributes
    ----------
    brain : (X, Y, Z), voxels of about `GRID_MM`: the brain and what is near it.
    around : (X, Y, Z), the same, and the air. Beyond the grid there is what lies at its end.
    to_mask : (4, 4), voxels of the scan → voxels of the masks.
    """

    brain: Mask
    around: Mask
    to_mask: Float64

    def at(self, voxels: Sequence[Float64 | float], *, air: bool) -> Mask:
        """Whether voxels of the scan are shown.

        Parameters
        ----------
        voxels : coordinates along the three axes, of shapes that can be broadcast to one another.
        air : show it, where it is far enough from the head.
        """
        inside: Mask = np.ones(np.broadcast_shapes(*(np.shape(v) for v in voxels)), bool)
        places = []
        for row, n in zip(self.to_mask[:3], self.brain.shape, strict=True):
            place = np.rint(sum(w * np.asarray(v) for w, v in zip(row, voxels, strict=False)) + row[3])
            inside &= (place >= 0) & (place < n)
            places.append(np.clip(place, 0, n - 1).astype(np.intp))
        there: Mask = (self.around if air else self.brain)[tuple(places)]
        return there if air else there & inside


def shown_of(volume: Volume, anatomy: Anatomy) -> Shown:
    """By what the anatomy pass found."""
    to_mask = np.linalg.inv(anatomy.affine) @ volume.affine
    return _shown(anatomy.brain, anatomy.labels == Tissue.HEAD, to_mask, MARGIN, RIM)


def shown_by(
    brain: Mask,
    outside: Mask | None,
    spacing_mm: Sequence[float] | Float64,
    margin: int = MARGIN,
    rim: int = RIM,
) -> Shown:
    """By masks on the scan's own grid.

    Parameters
    ----------
    brain : (X, Y, Z).
    outside : (X, Y, Z), the head but for its brain; None where nothing of it is seen.
    spacing_mm : (3,), of the scan.
    margin, rim : in voxels of `GRID_MM`, at least 1.
    """
    steps = [max(1, round(GRID_MM / mm)) for mm in spacing_mm]

    def coarse(mask: Mask) -> Mask:
        # Room for the margins beyond what the scan shows.
        padded: Mask = np.pad(mask[:: steps[0], :: steps[1], :: steps[2]], margin + rim)
        return padded

    to_mask = np.diag([*(1.0 / step for step in steps), 1.0])
    to_mask[:3, 3] = margin + rim
    return _shown(coarse(brain), None if outside is None else coarse(outside), to_mask, margin, rim)


def _shown(brain: Mask, outside: Mask | None, to_mask: Float64, margin: int, rim: int) -> Shown:
    near = _grown(brain, margin)
    around = np.ones_like(near) if outside is None else near | ~_grown(outside, rim)
    return Shown(near, around, to_mask)


def _grown(mask: Mask, voxels: int) -> Mask:
    from scipy.ndimage import binary_dilation

    grown: Mask = binary_dilation(mask, iterations=voxels)
    return grown
