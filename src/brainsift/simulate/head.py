"""One simulated scan: draw all parameters, then apply them; the parameters stay with the image."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.simulate.acquire import Acquisition, acquire, draw_acquisition
from brainsift.simulate.contrast import Contrast, draw_contrast, tables
from brainsift.simulate.coverage import Coverage, draw_coverage, keep_mask
from brainsift.simulate.deform import Deformation, deform, draw_deformation
from brainsift.simulate.labelmap import LabelMap

Float32 = NDArray[np.float32]

CSF_LABELS = (24, 30, 62)
MAX_BRAIN_LABEL = 500
"""FreeSurfer brain labels lie below 500 or are cortical parcels from 1000 on; 500-999 here are tissues of the head."""


@dataclass(frozen=True)
class HeadParameters:
    """All that was drawn for one scan; the same parameters give the same image."""

    deformation: Deformation
    contrast: Contrast
    coverage: Coverage
    acquisition: Acquisition

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class SimulatedHead:
    """An image with its truth.

    Attributes
    ----------
    image : float32 (X, Y, Z), RAS+, brightest tissue about 1.
    labels : int (X, Y, Z), FreeSurfer labels of what the scan shows (0 outside the field of view).
    affine : 4x4 voxel → mm; the origin is the grid's centre.
    parameters : what was drawn.
    """

    image: Float32
    labels: NDArray[np.int64]
    affine: NDArray[np.float64]
    parameters: HeadParameters


def draw_head(rng: np.random.Generator, head: LabelMap, kind: str | None = None) -> HeadParameters:
    """Draw all parameters of one scan of `head`; `kind` fixes the sequence."""
    return HeadParameters(
        deformation=draw_deformation(rng),
        contrast=draw_contrast(rng, head.values, kind),
        coverage=draw_coverage(rng),
        acquisition=draw_acquisition(rng),
    )


def brain_and_csf(values: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which label values are brain and which are CSF around it, two bool (n,)."""
    csf = np.isin(values, CSF_LABELS)
    brain = (values > 0) & ((values < MAX_BRAIN_LABEL) | (values >= 1000)) & ~csf
    return brain, csf


def render_head(
    head: LabelMap, parameters: HeadParameters, shape: tuple[int, int, int], spacing_mm: float
) -> SimulatedHead:
    """Make the image of `head` that `parameters` describe on a grid of `shape` voxels of `spacing_mm`."""
    return render_codes(deform(head, parameters.deformation, shape, spacing_mm), head, parameters, spacing_mm)


def render_codes(
    codes: NDArray[np.uint8], head: LabelMap, parameters: HeadParameters, spacing_mm: float
) -> SimulatedHead:
    """As `render_head`, of the label codes (X, Y, Z) of a head that is deformed already."""
    shape = codes.shape
    is_brain, is_csf = brain_and_csf(head.values)
    centre = (np.asarray(shape) - 1) / 2 + np.asarray(parameters.deformation.shift_mm) / spacing_mm
    keep = keep_mask(is_brain[codes], is_csf[codes], centre, parameters.coverage, spacing_mm)
    mean, spread = tables(parameters.contrast)
    tissue = np.where(keep, mean[codes], np.float32(0))
    image = acquire(tissue, np.where(keep, spread[codes], np.float32(0)), parameters.acquisition, spacing_mm)
    labels = np.where(keep, head.values[codes], 0)
    affine = np.diag([spacing_mm] * 3 + [1.0])
    affine[:3, 3] = -spacing_mm * (np.asarray(shape) - 1) / 2
    return SimulatedHead(image, labels, affine, parameters)
