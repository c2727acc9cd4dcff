"""Faults of the header's geometry."""

from __future__ import annotations

import numpy as np

from brainsift.scans.volume import Volume

MAX_SFORM_QFORM_MM = 2.0
"""Corners of the field of view that the two affines of one coordinate system may lie apart: more shifts a structure
by its size."""


def header_faults(volume: Volume) -> tuple[str, ...]:
    """Flags on the header of a scan.

    A NIfTI file may carry two affines. Where both claim the same coordinate system they must agree; where one is a
    registration (another code) they may differ, but never in handedness, or left and right are in doubt.
    """
    apart = volume.facts.sform_qform_mm
    if apart is None or apart <= MAX_SFORM_QFORM_MM:
        return ()
    grid = volume.input_grid
    same_system = grid.sform_code == grid.qform_code
    mirrored = (
        grid.sform is not None
        and grid.qform is not None
        and np.linalg.det(grid.sform[:3, :3]) * np.linalg.det(grid.qform[:3, :3]) < 0
    )
    return ("sform_qform_conflict",) if same_system or mirrored else ()
