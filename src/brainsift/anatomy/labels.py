"""The ten classes of the anatomy pass, and how FreeSurfer-convention labels fall into them."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Tissue(IntEnum):
    """Values of `Anatomy.labels`."""

    BACKGROUND = 0
    HEAD = 1
    WHITE = 2
    CORTEX = 3
    VENTRICLES = 4
    CSF = 5
    DEEP_GREY = 6
    HIPPOCAMPUS_AMYGDALA = 7
    BRAINSTEM = 8
    CEREBELLUM = 9


N_TISSUES = len(Tissue)

BRAIN = (
    Tissue.WHITE,
    Tissue.CORTEX,
    Tissue.VENTRICLES,
    Tissue.DEEP_GREY,
    Tissue.HIPPOCAMPUS_AMYGDALA,
    Tissue.BRAINSTEM,
    Tissue.CEREBELLUM,
)
"""Brain parenchyma and ventricles: what `brain_ml` counts (FreeSurfer's BrainSeg)."""

INTRACRANIAL = (*BRAIN, Tissue.CSF)
"""All inside the skull: what `icv_ml` counts."""

WORKING_SPACING_MM = 2.0
"""Grid of the anatomy pass. At 2 mm a whole head is about 10^6 voxels, which two cores label in well under a second."""

FREESURFER_TO_TISSUE: dict[int, Tissue] = {
    **dict.fromkeys((2, 41, 25, 57, 77, 78, 79, 85, 251, 252, 253, 254, 255), Tissue.WHITE),
    **dict.fromkeys((3, 42, 136, 137, 163, 164), Tissue.CORTEX),
    **dict.fromkeys((4, 5, 14, 15, 31, 43, 44, 63, 72), Tissue.VENTRICLES),
    **dict.fromkeys((24, 30, 62), Tissue.CSF),
    **dict.fromkeys((10, 11, 12, 13, 26, 49, 50, 51, 52, 58), Tissue.DEEP_GREY),
    **dict.fromkeys((17, 18, 53, 54), Tissue.HIPPOCAMPUS_AMYGDALA),
    **dict.fromkeys((16, 28, 60), Tissue.BRAINSTEM),
    **dict.fromkeys((7, 8, 46, 47), Tissue.CEREBELLUM),
}
"""FreeSurfer colour-table value → class.

Lesions (25, 57, 77) lie in white matter; ventral DC (28, 60) goes with the brainstem.
"""


def group_freesurfer(labels: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Group FreeSurfer-convention labels (any shape) into `Tissue`; other non-zero values are head outside the brain.

    `aparc+aseg` cortical values (1000-2999) count as cortex, 3000-4999 as white matter.
    """
    table = np.full(int(labels.max(initial=0)) + 1, int(Tissue.HEAD), dtype=np.uint8)
    table[0] = Tissue.BACKGROUND
    for value, tissue in FREESURFER_TO_TISSUE.items():
        if value < table.size:
            table[value] = tissue
    table[1000:3000] = Tissue.CORTEX
    table[3000:5000] = Tissue.WHITE
    grouped: NDArray[np.uint8] = table[labels]
    return grouped
