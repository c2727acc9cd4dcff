"""A 3D scan in one orientation and one unit: RAS+ and millimetres."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.scans.errors import ScanError

Float32 = NDArray[np.float32]
Affine = NDArray[np.float64]

MIN_SPACING_MM = 0.05
MAX_SPACING_MM = 50.0
MAX_EXTENT_MM = 3000.0
"""A whole body is two metres. Longer fields of view are false headers, and grids made for them would fill the memory.
"""


@dataclass(frozen=True)
class ReadFacts:
    """What the reader saw in the file before it became a `Volume`.

    Attributes
    ----------
    format : ``nifti1``, ``nifti2``, ``mgz`` or ``dicom``.
    stored_dtype : NumPy name of the type on disk, such as ``int16``.
    stored_shape : shape on disk, all dimensions.
    sha256 : of the file's bytes (DICOM: of the sorted digests of the slices).
    nonfinite_voxels : how many NaN or infinite values were counted and set to 0.
    sform_qform_mm : largest corner displacement between sform and qform in mm, ``None`` unless both are set.
    repairs : each deviation that was tolerated, one plain sentence each.
    header : allow-listed acquisition fields (BIDS names and units), never free text or identity.
    """

    format: str
    stored_dtype: str
    stored_shape: tuple[int, ...]
    sha256: str
    nonfinite_voxels: int = 0
    sform_qform_mm: float | None = None
    repairs: tuple[str, ...] = ()
    header: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class InputGrid:
    """The grid that the scan came on, to write masks back voxel for voxel.

    Attributes
    ----------
    shape : (I, J, K) of the stored first volume.
    affine : 4x4 stored voxel to RAS+ mm, exactly as in the file.
    axes : for each RAS axis of the `Volume`, the stored axis it came from.
    flips : for each RAS axis of the `Volume`, whether it was reversed.
    sform, qform : 4x4 as in the file, ``None`` where not set or unusable; `affine` is one of them or the fallback.
    sform_code, qform_code : NIfTI codes of their coordinate systems (1 scanner, 2 aligned, 4 MNI152).
    unit_code : NIfTI code of the length unit that the file declares (0 unknown, 1 m, 2 mm, 3 um).
    """

    shape: tuple[int, int, int]
    affine: Affine
    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]
    sform: Affine | None = None
    qform: Affine | None = None
    sform_code: int = 0
    qform_code: int = 0
    unit_code: int = 2

    def restore(self, array: NDArray[Any]) -> NDArray[Any]:
        """Take an array on the RAS grid (X, Y, Z) back to the stored order (I, J, K)."""
        flipped = array[tuple(slice(None, None, -1) if f else slice(None) for f in self.flips)]
        return np.ascontiguousarray(np.transpose(flipped, np.argsort(self.axes)))

    def stored_voxel(self, index: Affine) -> Affine:
        """A place (3,) in voxels of `Volume.data`, between voxels too, as voxels of the file."""
        stored = np.empty(3)
        for ras, (axis, flipped) in enumerate(zip(self.axes, self.flips, strict=True)):
            stored[axis] = self.shape[axis] - 1 - index[ras] if flipped else index[ras]
        return stored


@dataclass(frozen=True, eq=False)
class Volume:
    """A 3D scan, float32 (X, Y, Z), axes closest to RAS+, affine in mm.

    Raises
    ------
    ScanError
        if the data are not 3D, hold non-finite values, or the affine is unusable.
    """

    data: Float32
    affine: Affine
    input_grid: InputGrid
    facts: ReadFacts

    def __post_init__(self) -> None:
        if self.data.ndim != 3 or min(self.data.shape) < 1:
            raise ScanError(
                "not_3d", f"The array has shape {self.data.shape}, not three dimensions.", "Give one 3D volume."
            )
        if self.data.dtype != np.float32:
            raise TypeError(f"Volume data must be float32, got {self.data.dtype}")
        if self.affine.shape != (4, 4) or not np.isfinite(self.affine).all():
            raise ScanError(
                "bad_affine",
                "The affine holds NaN or infinite values.",
                "Repair the header or convert again from DICOM.",
            )
        if not ((self.spacing >= MIN_SPACING_MM) & (self.spacing <= MAX_SPACING_MM)).all():
            raise ScanError(
                "bad_spacing",
                f"The voxel size is {np.round(self.spacing, 4).tolist()} mm.",
                "Repair pixdim and the affine (millimetres, not metres or zero).",
            )
        if not (self.extent_mm <= MAX_EXTENT_MM).all():
            raise ScanError(
                "bad_extent",
                f"The field of view is {' x '.join(f'{mm / 1000:.1f}' for mm in self.extent_mm)} m.",
                "Repair the dimensions, pixdim and the affine, or convert again from DICOM.",
            )

    @cached_property
    def spacing(self) -> Affine:
        """Voxel size along the three axes, mm, shape (3,)."""
        lengths: Affine = np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))
        return lengths

    @property
    def shape(self) -> tuple[int, int, int]:
        """(X, Y, Z) in voxels."""
        x, y, z = self.data.shape
        return x, y, z

    @property
    def extent_mm(self) -> Affine:
        """Edge to edge size of the field of view, mm, shape (3,)."""
        extent: Affine = self.spacing * np.asarray(self.shape)
        return extent
