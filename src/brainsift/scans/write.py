"""Masks and maps on the grid that a scan came on, voxel for voxel."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from brainsift.scans.volume import InputGrid, Volume

COMPRESSION_LEVEL = 2
"""isal's level 2 packs a 256^3 mask in 2 ms, zlib's 6 in 103 ms; the file is 1.4 times larger (bench_reading.py)."""

NIFTI1_MAX_DIM = 32767


def write_like_input(
    volume: Volume, array_ras: NDArray[Any], path: Path, dtype: DTypeLike, *, scale: float = 1.0
) -> None:
    """Write an array of the RAS grid as NIfTI on the scan's input grid: same order, same sform and qform, same codes.

    The file appears whole or not at all (temporary file beside it, then rename). Same content, same bytes.

    Parameters
    ----------
    volume : the scan that the array belongs to.
    array_ras : (X, Y, Z) as `volume.data`.
    path : ends in ``.nii`` or ``.nii.gz``; its folder is made.
    dtype : on disk, such as ``np.uint8`` for masks or ``np.float32`` for probabilities.
    scale : what one step of the stored values is worth (``scl_slope``): 1/255 for probabilities in bytes.

    Raises
    ------
    ValueError
        if the shape is not the volume's, the name is not NIfTI's, the scale is not positive, or `dtype` cannot hold
        the values.
    """
    if array_ras.shape != volume.shape:
        raise ValueError(f"array_ras must have the volume's shape {volume.shape}, got {array_ras.shape}")
    if not path.name.endswith((".nii", ".nii.gz")):
        raise ValueError(f"path must end in .nii or .nii.gz, got {path.name}")
    if not (np.isfinite(scale) and scale > 0):
        raise ValueError(f"scale must be positive and finite, got {scale}")
    stored = _cast(volume.input_grid.restore(array_ras), np.dtype(dtype))
    content = _header(volume.input_grid, stored, scale) + stored.tobytes(order="F")
    if path.name.endswith(".gz"):
        from isal import igzip

        content = igzip.compress(content, COMPRESSION_LEVEL, mtime=0)
    write_atomically(path, content)


def write_atomically(path: Path, content: bytes) -> None:
    """Write bytes so that no reader ever sees half a file; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=".writing-", suffix=".tmp", delete=False) as file:
        temporary = Path(file.name)
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    try:
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _umask() -> int:
    current = os.umask(0o022)
    os.umask(current)
    return current


def _cast(array: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    if dtype.kind in "iu" and array.size and array.dtype.kind != "b":
        limits = np.iinfo(dtype)
        low, high = array.min(), array.max()
        if not (low >= limits.min and high <= limits.max):
            raise ValueError(f"values from {low} to {high} do not fit into {dtype}")
    return array.astype(dtype.newbyteorder("<"))


def _header(grid: InputGrid, stored: NDArray[Any], scale: float) -> bytes:
    """Bytes before the voxels: NIfTI-1 unless an axis is too long for it."""
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    header_class = Nifti1Header if max(grid.shape) <= NIFTI1_MAX_DIM else Nifti2Header
    header: Any = header_class(endianness="<")  # type: ignore[no-untyped-call]
    header.set_data_dtype(stored.dtype)
    header.set_data_shape(stored.shape)
    header["pixdim"][1:4] = np.sqrt((grid.affine[:3, :3] ** 2).sum(axis=0))
    header["xyzt_units"] = grid.unit_code
    header["scl_slope"], header["scl_inter"] = scale, 0.0
    header["vox_offset"] = header.single_vox_offset
    header["magic"] = header.single_magic
    if grid.qform is not None:
        header.set_qform(grid.qform, strip_shears=True)
        header["qform_code"] = grid.qform_code
    # An input that said nothing gets the guess that was used, so that image and mask are read alike from now on.
    sform = grid.affine if grid.qform is None and grid.sform is None else grid.sform
    if sform is not None:
        header["srow_x"], header["srow_y"], header["srow_z"] = sform[:3]
        header["sform_code"] = grid.sform_code or 1
    return bytes(header.binaryblock) + b"\0\0\0\0"
