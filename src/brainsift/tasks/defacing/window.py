"""What the defacing network is shown: face, ears and brain on the standard grid, packed into two bytes a voxel."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.labels import Tissue
from brainsift.tasks.defacing.frame import StandardHead

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

WINDOW = (slice(0, 104), slice(16, 120), slice(0, 96))
"""Of the standard grid: from behind the ears to before the nose, from the chin to above the forehead, both ears."""

WINDOW_SHAPE = (104, 104, 96)

BRIGHTEST = 2.0
"""Times the brain's grey value."""

LEVELS = 255

INSIDE, EMPTY_FIRST, EMPTY_LEVELS = 16, 32, 7
"""Of the second byte: four bits of `Tissue`, one for the field of view, three for the share that is empty."""

TISSUES = MappingProxyType(
    {
        "head": (Tissue.HEAD,),
        "fluid": (Tissue.CSF, Tissue.VENTRICLES),
        "grey": (Tissue.CORTEX, Tissue.DEEP_GREY, Tissue.HIPPOCAMPUS_AMYGDALA, Tissue.CEREBELLUM),
        "white": (Tissue.WHITE, Tissue.BRAINSTEM),
    }
)

CHANNELS = ("brightness", "empty", "inside", *TISSUES)
"""What the network sees of each voxel, in this order; each in [0, 1]."""


@dataclass(frozen=True, eq=False)
class Window:
    """A head as the network sees it, uint8 of `WINDOW_SHAPE` each.

    Attributes
    ----------
    brightness : grey value from 0 to `BRIGHTEST`.
    kind : tissue, whether the scan saw it, how much of it is empty.
    """

    brightness: UInt8
    kind: UInt8

    def channels(self, out: Float32 | None = None) -> Float32:
        """All of `CHANNELS`, float32 (channels, *WINDOW_SHAPE); written to `out` if it is given."""
        planes = np.empty((len(CHANNELS), *WINDOW_SHAPE), np.float32) if out is None else out
        planes[0] = self.brightness
        planes[0] /= LEVELS
        planes[1] = self.kind // EMPTY_FIRST
        planes[1] /= EMPTY_LEVELS
        planes[2] = self.kind & INSIDE > 0
        tissue = self.kind % INSIDE
        for number, members in enumerate(TISSUES.values(), start=3):
            table = np.zeros(INSIDE, np.float32)
            table[list(members)] = 1
            planes[number] = table[tissue]
        return planes


def window_of(head: StandardHead) -> Window:
    """The part of a head that the network sees; 0.02 s."""
    brightness = np.clip(head.image[WINDOW] * np.float32(LEVELS / BRIGHTEST), 0, LEVELS)
    empty = np.rint(head.empty[WINDOW] * EMPTY_LEVELS).astype(np.uint8)
    kind = head.labels[WINDOW] + INSIDE * head.inside[WINDOW].astype(np.uint8) + EMPTY_FIRST * empty
    return Window(np.rint(brightness).astype(np.uint8), kind.astype(np.uint8))
