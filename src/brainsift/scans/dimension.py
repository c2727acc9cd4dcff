"""Whether a scan is a 3D acquisition or a stack of 2D slices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MIN_RATIO = 2.0
"""Slice thickness over in-plane size: 3D acquisitions stay close to isotropic."""

MIN_SLICE_MM = 2.0
"""3D scans with high in-plane resolution have partitions of 1-1.5 mm; 2D stacks hardly go under 2 mm."""

MIN_SLICE_SUSCEPTIBILITY_MM = 3.5
"""3D gradient echo and SWI are taken with partitions of 2-3 mm on purpose; their 2D forms have 4-5 mm."""

SUSCEPTIBILITY = ("T2starw", "Chimap")
"""Gradient echo and SWI, and the maps of susceptibility that are made from them."""

ROUNDING_MM = 0.01
"""Headers round: 1.999 mm is 2 mm."""


def dimension_of(spacing: NDArray[np.float64], header: dict[str, Any], sequence: str | None) -> tuple[str, str]:
    """Tell ``3D`` from ``2D``, and from what: ``header`` or ``spacing``.

    Parameters
    ----------
    spacing : (3,) voxel size, mm.
    header : allow-listed fields; `MRAcquisitionType` settles it.
    sequence : BIDS suffix of what it is taken for.
    """
    stated = header.get("MRAcquisitionType")
    if stated in ("2D", "3D"):
        return str(stated), "header"
    thick, thin = float(spacing.max()), float(spacing.min())
    limit = MIN_SLICE_SUSCEPTIBILITY_MM if sequence in SUSCEPTIBILITY else MIN_SLICE_MM
    stack = thick + ROUNDING_MM >= limit and (thick + ROUNDING_MM) / thin >= MIN_RATIO
    return ("2D" if stack else "3D"), "spacing"
