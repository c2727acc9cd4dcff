"""NIfTI files written byte by byte, so that tests can spoil any field."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from numpy.typing import NDArray

SHAPE = (12, 14, 10)


def image(shape: tuple[int, ...] = SHAPE, dtype: str = "int16", seed: int = 0) -> NDArray[Any]:
    """A noisy bright ellipsoid on a dark ground, values 0 to about 1000."""
    grids = np.meshgrid(*[np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in shape[:3]], indexing="ij")
    ball = (sum(g**2 for g in grids) < 0.7).astype(float)
    noisy = 800 * ball + 50 * np.random.default_rng(seed).random(ball.shape)
    return np.broadcast_to(noisy.reshape(ball.shape + (1,) * (len(shape) - 3)), shape).astype(dtype)


def affine(spacing: tuple[float, float, float] = (2.0, 2.0, 2.5)) -> NDArray[np.float64]:
    """RAS affine with the origin in the middle of `SHAPE`."""
    result = np.diag([*spacing, 1.0])
    result[:3, 3] = [-12.0, -14.0, -12.5]
    return result


def header(data: NDArray[Any], matrix: NDArray[np.float64] | None = None, version: int = 1, order: str = "<") -> Any:
    """A sound header for `data`, both forms set."""
    made: Any = (Nifti1Header if version == 1 else Nifti2Header)(endianness=order)
    made.set_data_dtype(data.dtype.newbyteorder("="))
    made.set_data_shape(data.shape)
    matrix = affine() if matrix is None else matrix
    made.set_qform(matrix, 1)
    made.set_sform(matrix, 1)
    made["xyzt_units"] = 2
    made["scl_slope"], made["scl_inter"] = 1.0, 0.0
    made["vox_offset"] = made.single_vox_offset
    made["magic"] = made.single_magic
    return made


def content(data: NDArray[Any], head: Any | None = None, **fields: Any) -> bytes:
    """Bytes of a ``.nii`` file; `fields` overwrite header fields after everything else."""
    head = header(data) if head is None else head
    for name, value in fields.items():
        head[name] = value
    voxels = data.astype(data.dtype.newbyteorder(head.endianness)).tobytes(order="F")
    return bytes(head.binaryblock) + b"\0\0\0\0" + voxels


def put(path: Path, what: bytes) -> Path:
    """Write bytes, compressed if the name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(what, 1, mtime=0) if path.name.endswith(".gz") else what)
    return path
