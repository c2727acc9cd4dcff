"""Where a NIfTI image lies in space: sform, qform or fallback, and the unit of length."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np

from brainsift.scans.errors import ScanError
from brainsift.scans.orient import affine_is_usable, corner_displacement_mm
from brainsift.scans.volume import Affine

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Header

MM_PER_UNIT = {1: 1000.0, 3: 0.001}
UNIT_NAMES = {1: "metres", 3: "micrometres"}

PLAUSIBLE_SPACING_MM = (0.05, 50.0)
"""A declared unit that puts the voxels outside this range is a wrong label, if millimetres put them inside."""

CONFLICT_MM = 1.0
"""About a voxel: below it the difference between sform and qform is rounding or a header edit without effect."""

SPACING_MISMATCH = 0.01
"""Relative difference between pixdim and affine that is more than float32 rounding."""


class Place(TypedDict):
    """Fields of `Stored` that say where the image lies."""

    affine: Affine
    file_affine: Affine
    sform: Affine | None
    qform: Affine | None
    sform_code: int
    qform_code: int
    unit_code: int
    sform_qform_mm: float | None


def place(header: Nifti1Header, shape: tuple[int, int, int], repairs: list[str]) -> Place:
    """Choose the affine: sform where its code is set, else qform, else voxel sizes alone; note what was tolerated.

    Raises
    ------
    ScanError
        ``bad_affine`` where neither form nor the voxel sizes span a volume, ``bad_spacing`` for sizes of 0 or NaN.
    """
    sform_code, qform_code = int(header["sform_code"]), int(header["qform_code"])
    sform = _sform(header) if sform_code > 0 else None
    qform = _qform(header) if qform_code > 0 else None
    usable_s = sform if sform is not None and affine_is_usable(sform) else None
    usable_q = qform if qform is not None and affine_is_usable(qform) else None
    chosen = _choose(header, shape, (sform, usable_s), (qform, usable_q), repairs)
    scale, unit_code = _unit(header, chosen, repairs)
    _compare_pixdim(header, chosen, repairs)
    conflict = None
    if usable_s is not None and usable_q is not None:
        conflict = corner_displacement_mm(usable_s, usable_q, shape) * scale
        if conflict > CONFLICT_MM:
            repairs.append(f"sform and qform disagree by up to {conflict:.1f} mm; the sform was used.")
    affine = chosen.copy()
    affine[:3] *= scale
    return Place(
        affine=affine,
        file_affine=chosen,
        sform=usable_s,
        qform=usable_q,
        sform_code=sform_code if usable_s is not None else 0,
        qform_code=qform_code if usable_q is not None else 0,
        unit_code=unit_code,
        sform_qform_mm=conflict,
    )


def _sform(header: Nifti1Header) -> Affine:
    affine = np.eye(4)
    affine[:3] = [np.asarray(header[name], dtype=np.float64) for name in ("srow_x", "srow_y", "srow_z")]
    return affine


def _qform(header: Nifti1Header) -> Affine:
    """Affine of the quaternion; NaN where the quaternion or the voxel sizes cannot be one."""
    from nibabel.quaternions import fillpositive, quat2mat

    pixdim = np.asarray(header["pixdim"], dtype=np.float64)
    xyz = [float(header[name]) for name in ("quatern_b", "quatern_c", "quatern_d")]
    affine = np.eye(4)
    try:
        # Headers keep float32 quaternions: their squares may exceed 1 by rounding.
        rotation = quat2mat(fillpositive(xyz, w2_thresh=-1e-5))  # type: ignore[no-untyped-call]
    except ValueError:
        return np.full((4, 4), np.nan)
    handedness = -1.0 if pixdim[0] < 0 else 1.0
    affine[:3, :3] = rotation @ np.diag(np.abs(pixdim[1:4]) * [1.0, 1.0, handedness])
    affine[:3, 3] = [float(header[name]) for name in ("qoffset_x", "qoffset_y", "qoffset_z")]
    return affine


def _choose(
    header: Nifti1Header,
    shape: tuple[int, int, int],
    sform: tuple[Affine | None, Affine | None],
    qform: tuple[Affine | None, Affine | None],
    repairs: list[str],
) -> Affine:
    if sform[1] is not None:
        if qform[0] is not None and qform[1] is None:
            repairs.append("The qform is unusable and was ignored.")
        return sform[1]
    if sform[0] is not None and qform[1] is not None:
        repairs.append("The sform is unusable; the qform was used.")
    if qform[1] is not None:
        return qform[1]
    if sform[0] is not None or qform[0] is not None:
        raise ScanError(
            "bad_affine",
            "The affine in the header holds NaN, a zero axis or two parallel axes.",
            "Repair the header or convert again from DICOM.",
        )
    repairs.append("The header has neither sform nor qform: left and right are a guess (first axis runs to the left).")
    return _from_voxel_sizes(header, shape)


def _from_voxel_sizes(header: Nifti1Header, shape: tuple[int, int, int]) -> Affine:
    sizes = np.abs(np.asarray(header["pixdim"], dtype=np.float64)[1:4])
    if not (np.isfinite(sizes) & (sizes > 0)).all():
        raise ScanError(
            "bad_spacing", "The header gives no usable voxel size and no affine.", "Convert the scan again from DICOM."
        )
    affine = np.diag([-sizes[0], sizes[1], sizes[2], 1.0])
    affine[:3, 3] = -affine[:3, :3] @ ((np.asarray(shape) - 1) / 2)
    return affine


def _unit(header: Nifti1Header, affine: Affine, repairs: list[str]) -> tuple[float, int]:
    """Millimetres per unit of the file, and the file's unit code; a label that cannot be true is not believed."""
    code = int(header["xyzt_units"]) & 7
    scale = MM_PER_UNIT.get(code, 1.0)
    if scale == 1.0:
        return 1.0, code
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    low, high = PLAUSIBLE_SPACING_MM
    as_declared = bool(((spacing * scale >= low) & (spacing * scale <= high)).all())
    as_mm = bool(((spacing >= low) & (spacing <= high)).all())
    if as_mm and not as_declared:
        repairs.append(
            f"The header says {UNIT_NAMES[code]} but the voxel sizes are millimetres; millimetres were used."
        )
        return 1.0, code
    repairs.append(f"Lengths were converted from {UNIT_NAMES[code]} to millimetres.")
    return scale, code


def _compare_pixdim(header: Nifti1Header, affine: Affine, repairs: list[str]) -> None:
    sizes = np.asarray(header["pixdim"], dtype=np.float64)[1:4]
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    if not (np.isfinite(sizes) & (sizes > 0)).all():
        repairs.append("pixdim holds values that are not positive; voxel sizes were taken from the affine.")
    elif (np.abs(sizes - spacing) > SPACING_MISMATCH * spacing).any():
        repairs.append("pixdim and the affine disagree; voxel sizes were taken from the affine.")
