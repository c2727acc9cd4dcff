"""The structures that the average head and the mixture model tell apart: finer than the ten tissues that are given out.

Thalamus and pallidum may differ in brightness more than grey and white matter do, so each has its own Gaussian; the
answer adds them up again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brainsift.anatomy.labels import N_TISSUES, Tissue

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Structure:
    """A part of a tissue: its FreeSurfer labels, and the number of Gaussians of its brightness."""

    name: str
    tissue: Tissue
    labels: tuple[int, ...]
    gaussians: int = 1


STRUCTURES = (
    Structure("background", Tissue.BACKGROUND, (0,)),
    Structure("head", Tissue.HEAD, (), 3),
    Structure("white", Tissue.WHITE, (2, 41, 25, 57, 77, 78, 79, 85, 251, 252, 253, 254, 255)),
    Structure("cortex", Tissue.CORTEX, (3, 42, 136, 137, 163, 164), 2),
    Structure("lateral_ventricles", Tissue.VENTRICLES, (4, 5, 31, 43, 44, 63, 72)),
    Structure("middle_ventricles", Tissue.VENTRICLES, (14, 15)),
    Structure("csf", Tissue.CSF, (24, 30, 62), 2),
    Structure("thalamus", Tissue.DEEP_GREY, (10, 49)),
    Structure("caudate", Tissue.DEEP_GREY, (11, 50, 26, 58)),
    Structure("putamen", Tissue.DEEP_GREY, (12, 51)),
    Structure("pallidum", Tissue.DEEP_GREY, (13, 52)),
    Structure("hippocampus", Tissue.HIPPOCAMPUS_AMYGDALA, (17, 53)),
    Structure("amygdala", Tissue.HIPPOCAMPUS_AMYGDALA, (18, 54)),
    Structure("brainstem", Tissue.BRAINSTEM, (16,)),
    Structure("ventral_dc", Tissue.BRAINSTEM, (28, 60)),
    Structure("cerebellar_cortex", Tissue.CEREBELLUM, (8, 47)),
    Structure("cerebellar_white", Tissue.CEREBELLUM, (7, 46)),
)

N_STRUCTURES = len(STRUCTURES)
TISSUE_OF: NDArray[np.intp] = np.array([int(s.tissue) for s in STRUCTURES])
"""Structure number → tissue number."""

_MEMBERS = tuple(tuple(np.flatnonzero(tissue == TISSUE_OF)) for tissue in range(N_TISSUES))


def group_structures(labels: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Group FreeSurfer-convention labels (any shape) into `STRUCTURES`, other values being head."""
    table = np.full(max(5000, int(labels.max(initial=0)) + 1), 1, np.uint8)
    for number, structure in enumerate(STRUCTURES):
        table[list(structure.labels)] = number
    table[1000:3000], table[3000:5000] = 3, 2
    grouped: NDArray[np.uint8] = table[labels]
    return grouped


def to_tissues(shares: Float32) -> Float32:
    """Add up the structures of each tissue, (17, ...) → (10, ...)."""
    result = np.empty((N_TISSUES, *shares.shape[1:]), np.float32)
    for tissue, members in enumerate(_MEMBERS):
        np.add.reduce([shares[m] for m in members], axis=0, out=result[tissue])
    return result


def from_tissues(shares: Float32) -> Float32:
    """Give each tissue's share to its first structure, (10, ...) → (17, ...), where nothing finer is known."""
    result = np.zeros((N_STRUCTURES, *shares.shape[1:]), np.float32)
    for tissue, members in enumerate(_MEMBERS):
        result[members[0]] = shares[tissue]
    return result
