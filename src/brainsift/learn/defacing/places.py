"""What is known of every voxel of a simulated scan: feature, brain, changed, air around the head; a byte each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from brainsift.simulate.deface.draw import DefacedExample
from brainsift.simulate.deface.truth import FEATURES as REGIONS_OF
from brainsift.tasks.defacing.network import FEATURES, WINDOW, StandardHead, sample_nearest, standard_step

UInt8 = NDArray[np.uint8]

BRAIN, CHANGED, AROUND = 16, 32, 64
"""Bits above the four of `Region`: brain of the original, voxels that the tool acted on, air that surrounds what is
left of the head."""

CLOSING_STEPS = 3
"""Of 2 mm: nostrils and ear canals belong to the head."""

CELL_VOXELS = 2
"""Voxels of the standard grid along each side of a cell, of 4 mm, for which the network answers."""

COUNT_BITS = 4
"""Hold counts up to the eight voxels of a cell."""

MAPS = (
    "brain_removed", "changed", *(f"{name}_place" for name in FEATURES), *(f"{name}_left" for name in FEATURES),
    "brain_place",
)  # fmt: skip
"""What the network answers for every cell, as a share of it: brain that was taken, all that was acted on, the place of
each feature, what is left of it, and where the whole brain was."""


@dataclass(frozen=True)
class Known:
    """What is known of the examples of a batch.

    Attributes
    ----------
    rows : (N, columns), of `truth.truth_row`.
    chances : (N, classes), of `truth.label_chances`.
    places : uint8 (N, *WINDOW_SHAPE), of `places_of`.
    """

    rows: Tensor
    chances: Tensor
    places: Tensor

    def to(self, device: str) -> Known:
        """The same on another device."""
        return Known(self.rows.to(device), self.chances.to(device), self.places.to(device))


def places_of(drawn: DefacedExample, head: StandardHead) -> UInt8:
    """The truth of a simulated scan where the network sees it, uint8 of `WINDOW_SHAPE`."""
    step = standard_step(drawn.affine, head.pose)
    packed = drawn.geometry.regions.astype(np.uint8)
    packed = packed + BRAIN * drawn.geometry.brain.astype(np.uint8) + CHANGED * drawn.changed.astype(np.uint8)
    around = np.where(air_around(head), np.uint8(AROUND), np.uint8(0))
    return np.asarray((sample_nearest(packed.astype(np.uint8), step) + around)[WINDOW], np.uint8)


def air_around(head: StandardHead) -> NDArray[np.bool_]:
    """Air outside of what is left of the head, bool of `GRID_SHAPE`: what a scanner's mask may empty."""
    from scipy import ndimage

    solid = ndimage.binary_closing(np.pad(head.tissue, CLOSING_STEPS), iterations=CLOSING_STEPS)
    pieces, _ = ndimage.label(~solid)
    inner = (slice(CLOSING_STEPS, -CLOSING_STEPS),) * 3
    return np.asarray((pieces == pieces[0, 0, 0])[inner] & head.inside, np.bool_)


def cells_of(places: Tensor, kept: Tensor) -> Tensor:
    """`MAPS` as shares of cells, float32 (N, maps, X / 2, Y / 2, Z / 2).

    Parameters
    ----------
    places : uint8 (N, X, Y, Z), of `places_of`.
    kept : (N,), share of the detail that the tool left where it acted.
    """
    counts = _counted(places)
    gone = 1 - kept[:, None, None, None, None]
    n = len(FEATURES)
    removed, acted, there, acted_on, brain = torch.split(counts, [1, 1, n, n, 1], dim=1)
    return torch.cat([removed * gone, acted, there, there - gone * acted_on, brain], dim=1)


def _counted(places: Tensor) -> Tensor:
    """Shares of every cell: brain that was acted on, all that was, each feature's place, what of that was, and brain.

    Each of a cell's eight voxels adds to thirteen numbers of four bits, all in one integer.
    """
    byte = torch.arange(256)
    region, brain, changed = byte % BRAIN, (byte & BRAIN) > 0, (byte & CHANGED) > 0
    where = [torch.isin(region, torch.tensor([int(r) for r in REGIONS_OF[name]])) for name in FEATURES]
    members = [brain & changed, changed, *where, *(place & changed for place in where), brain]
    shifts = COUNT_BITS * torch.arange(len(members))
    table = (torch.stack(members).long() << shifts[:, None]).sum(dim=0)
    sums = table.to(places.device)[places.int()]
    for axis in (1, 2, 3):
        size = sums.shape
        sums = sums.reshape(*size[:axis], -1, CELL_VOXELS, *size[axis + 1 :]).sum(dim=axis + 1)
    shifts = shifts.to(places.device)[None, :, None, None, None]
    counts: Tensor = (sums[:, None] >> shifts) & (2**COUNT_BITS - 1)
    return counts.float() / CELL_VOXELS**3
