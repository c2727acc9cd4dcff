"""What a file stores, after its header was checked, and how that becomes a `Volume`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.scans.errors import ScanError
from brainsift.scans.orient import closest_ras, ras_affine, refuse_unusable, to_ras
from brainsift.scans.stream import ByteSource
from brainsift.scans.volume import Affine, Float32, InputGrid, ReadFacts, Volume

DEFAULT_MEMORY_LIMIT_BYTES = 4 << 30
"""For one scan while it is read: 700 million int16 voxels, ten times a 0.5 mm whole head."""

MAX_DECODED_BYTES = 16 << 30
"""Of all volumes of a file: twice an hour of fast fMRI. Passing over it takes half a minute, and a bomb of 16 MB is
passed over like that too."""

TRAILING_TOLERANCE_BYTES = 1 << 20
"""Padding and footers after the voxels stay below this; more means that the header is false."""

Shape = tuple[int, int, int]


@dataclass
class Stored:
    """A checked header: nothing here is larger than the limits allow.

    Attributes
    ----------
    format : ``nifti1``, ``nifti2`` or ``mgz``.
    dtype : on disk, with its byte order.
    full_shape : as declared; `shape` is the first volume, and `volumes` how many there are.
    slope, inter : real value = slope x stored + inter.
    affine : 4x4 voxel to mm; `file_affine` the same before its unit was converted.
    """

    format: str
    dtype: np.dtype[Any]
    full_shape: tuple[int, ...]
    shape: Shape
    volumes: int
    affine: Affine
    file_affine: Affine
    slope: float = 1.0
    inter: float = 0.0
    offset: int = 0
    sform: Affine | None = None
    qform: Affine | None = None
    sform_code: int = 0
    qform_code: int = 0
    unit_code: int = 2
    sform_qform_mm: float | None = None
    repairs: list[str] = field(default_factory=list)

    @property
    def volume_bytes(self) -> int:
        """Size on disk of one volume."""
        return int(np.prod([int(n) for n in self.shape], dtype=object)) * self.dtype.itemsize


def refuse_too_large(stored: Stored, source: ByteSource, memory_limit_bytes: int | None) -> None:
    """Refuse before allocation what the file cannot hold or the memory cannot take."""
    total = stored.volume_bytes * stored.volumes
    source.refuse_false_claim(total)
    limit = memory_limit_bytes or DEFAULT_MEMORY_LIMIT_BYTES
    needed = stored.volume_bytes + 4 * stored.volume_bytes // stored.dtype.itemsize
    if needed > limit:
        raise ScanError(
            "too_large",
            f"A volume of {' x '.join(map(str, stored.shape))} voxels needs {needed / 2**30:.1f} GiB, "
            f"the limit is {limit / 2**30:.1f} GiB.",
            "Give the run more memory or resample the scan.",
        )
    if total > MAX_DECODED_BYTES:
        raise ScanError(
            "too_large",
            f"The file declares {total / 2**30:.0f} GiB in {stored.volumes} volumes.",
            "Extract the volume of interest into a file of its own.",
        )


def read_voxels(source: ByteSource, stored: Stored) -> NDArray[Any]:
    """Read the first volume, (I, J, K) in Fortran order, and pass over the others, which must be there."""
    buffer = np.empty(stored.volume_bytes, dtype=np.uint8)
    source.readinto(buffer.data)
    source.skip(stored.volume_bytes * (stored.volumes - 1))
    return buffer.view(stored.dtype).reshape(stored.shape, order="F")


def scaled(stored: Stored, raw: NDArray[Any]) -> tuple[Float32, int]:
    """Bring stored numbers to float32 real values; NaN and infinity become 0 and are counted."""
    with np.errstate(over="ignore", invalid="ignore"):
        if stored.slope == 1.0 and stored.inter == 0.0:
            data = raw.astype(np.float32, order="K")
        elif raw.dtype.itemsize > 2:
            data = (raw.astype(np.float64, order="K") * stored.slope + stored.inter).astype(np.float32)
        else:
            data = raw.astype(np.float32, order="K")
            data *= np.float32(stored.slope)
            data += np.float32(stored.inter)
    if raw.dtype.kind in "iub" and abs(stored.slope) < 1.0 and abs(stored.inter) < 1.0:
        return data, 0
    bad = ~np.isfinite(data)
    count = int(np.count_nonzero(bad))
    if count:
        data[bad] = 0.0
    return data, count


def to_volume(stored: Stored, raw: NDArray[Any], sha256: str) -> Volume:
    """Turn stored voxels (I, J, K) into a `Volume`.

    Raises
    ------
    ScanError
        ``bad_affine``, ``bad_spacing``, or ``no_finite_voxels`` where every voxel is NaN or infinite.
    """
    refuse_unusable(stored.affine)
    axes, flips = closest_ras(stored.affine)
    data, nonfinite = scaled(stored, raw)
    if nonfinite == data.size:
        raise ScanError(
            "no_finite_voxels",
            "Every voxel is NaN or infinite.",
            "Check the program that wrote the file, convert again.",
        )
    repairs = list(stored.repairs)
    if nonfinite:
        repairs.append(f"{nonfinite} NaN or infinite voxels were set to 0.")
    facts = ReadFacts(
        format=stored.format,
        stored_dtype=stored.dtype.name,
        stored_shape=stored.full_shape,
        sha256=sha256,
        nonfinite_voxels=nonfinite,
        sform_qform_mm=stored.sform_qform_mm,
        repairs=tuple(repairs),
    )
    grid = InputGrid(
        shape=stored.shape,
        affine=stored.file_affine,
        axes=axes,
        flips=flips,
        sform=stored.sform,
        qform=stored.qform,
        sform_code=stored.sform_code,
        qform_code=stored.qform_code,
        unit_code=stored.unit_code,
    )
    view = to_ras(data, axes, flips)
    # Backward strides make later products copy: straighten them once, in memory order.
    ordered = np.array(view, dtype=np.float32, order="K", copy=True) if any(flips) else view
    return Volume(ordered, ras_affine(stored.affine, stored.shape, axes, flips), grid, facts)


def three_dimensions(dims: tuple[int, ...], repairs: list[str]) -> tuple[Shape, int]:
    """Split declared dimensions into the first volume's shape and the number of volumes.

    Raises
    ------
    ScanError
        ``bad_dimensions`` for zero or negative sizes, ``not_3d`` for one dimension or more than four.
    """
    if not dims or min(dims) < 1:
        raise ScanError(
            "bad_dimensions", f"The header declares dimensions {list(dims)}.", "Convert the scan again from DICOM."
        )
    trimmed = dims
    while len(trimmed) > 3 and trimmed[-1] == 1:
        trimmed = trimmed[:-1]
    if len(trimmed) < len(dims):
        repairs.append(f"{len(dims) - len(trimmed)} trailing dimensions of size 1 were dropped.")
    if len(trimmed) < 2 or len(trimmed) > 4:
        raise ScanError("not_3d", f"The image has dimensions {list(dims)}, not three.", "Extract one 3D volume.")
    if len(trimmed) == 2:
        repairs.append("A 2D image was read as one slice.")
        trimmed = (*trimmed, 1)
    volumes = trimmed[3] if len(trimmed) == 4 else 1
    if volumes > 1:
        repairs.append(f"The first of {volumes} volumes was used.")
    return (trimmed[0], trimmed[1], trimmed[2]), volumes
