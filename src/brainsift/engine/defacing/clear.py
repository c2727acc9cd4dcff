"""Clear voxels in a NIfTI file and leave every other byte as it is: header, type, scaling, all other voxels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brainsift.scans.errors import ScanError
from brainsift.scans.volume import Volume
from brainsift.scans.write import write_atomically

COMPRESSION_LEVEL = 2
GZIP_MAGIC = b"\x1f\x8b"


def clear_voxels(source: Path, volume: Volume, cleared: NDArray[np.bool_], target: Path) -> None:
    """Write a copy of a NIfTI file in which `cleared` voxels hold what stands for 0, in each of its volumes.

    Parameters
    ----------
    source : ``.nii`` or ``.nii.gz``.
    volume : as read from it.
    cleared : bool, on the grid of `volume`.

    Raises
    ------
    ScanError
        if it is no single NIfTI file.
    """
    if not source.name.endswith((".nii", ".nii.gz")):
        raise ScanError(
            "not_nifti", f"{source.name} is no single NIfTI file.", "Convert it to .nii.gz, then run the remedy again."
        )
    content = bytearray(_content(source))
    header = _header(content)
    shape = tuple(int(n) for n in header.get_data_shape())
    dtype, offset = header.get_data_dtype(), int(header["vox_offset"])
    count = int(np.prod(shape))
    voxels = np.frombuffer(content, dtype, count, offset).reshape(shape, order="F")
    on_file = volume.input_grid.restore(cleared)
    spare = on_file.reshape(*on_file.shape, *(1,) * (len(shape) - 3)) if len(shape) >= 3 else on_file[:, :, 0]
    voxels[np.broadcast_to(spare, shape)] = _stored_zero(header, dtype)
    packed = bytes(content)
    if target.name.endswith(".gz"):
        from isal import igzip

        packed = igzip.compress(packed, COMPRESSION_LEVEL, mtime=0)
    write_atomically(target, packed)


def _content(source: Path) -> bytes:
    raw = source.read_bytes()
    if not raw.startswith(GZIP_MAGIC):
        return raw
    from isal import igzip

    return bytes(igzip.decompress(raw))  # type: ignore[no-untyped-call]


def _header(content: bytearray) -> Any:
    from io import BytesIO

    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    start = bytes(content[:4])
    longer = 540 in (int.from_bytes(start, "little"), int.from_bytes(start, "big"))
    header_class = Nifti2Header if longer else Nifti1Header
    return header_class.from_fileobj(BytesIO(bytes(content[:544])), check=False)  # type: ignore[no-untyped-call]


def _stored_zero(header: Any, dtype: np.dtype[Any]) -> Any:
    """The stored number that stands for 0, or as near to it as the type allows."""
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if not np.isfinite(slope) or slope == 0 or not np.isfinite(inter):
        return dtype.type(0)
    wanted = -inter / slope
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        wanted = float(np.clip(np.rint(wanted), limits.min, limits.max))
    return dtype.type(wanted)
