"""FreeSurfer volumes, ``.mgz`` and ``.mgh`` (https://surfer.nmr.mgh.harvard.edu/fswiki/FsTutorial/MghFormat)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from brainsift.scans.errors import ScanError
from brainsift.scans.orient import refuse_unusable
from brainsift.scans.stored import (
    TRAILING_TOLERANCE_BYTES,
    Stored,
    read_voxels,
    refuse_too_large,
    three_dimensions,
    to_volume,
)
from brainsift.scans.stream import ByteSource
from brainsift.scans.volume import Volume

HEADER_BYTES = 284
DTYPES = {0: ">u1", 1: ">i4", 3: ">f4", 4: ">i2", 10: ">u2"}


def read_mgz(path: Path, memory_limit_bytes: int | None = None) -> Volume:
    """Read the first frame of an MGH volume in one pass.

    Raises
    ------
    ScanError
        see docs/input.md for all kinds.
    """
    with ByteSource(path) as source:
        stored = parse(source.read_up_to(HEADER_BYTES))
        refuse_too_large(stored, source, memory_limit_bytes)
        raw = read_voxels(source, stored)
        sha256, _ = source.finish(TRAILING_TOLERANCE_BYTES)
    return to_volume(stored, raw, sha256)


def parse(head: bytes) -> Stored:
    """Check the 284-byte header and say what the file stores."""
    from nibabel.freesurfer.mghformat import MGHHeader

    if len(head) < HEADER_BYTES:
        raise ScanError("truncated", "The file ends inside the header.", "Copy or convert the scan again.")
    if int.from_bytes(head[:4], "big") != 1:
        raise ScanError("wrong_magic", "The content is not a FreeSurfer volume.", "Convert or copy the scan again.")
    # MGHHeader.from_fileobj would look for the footer behind the voxels; only the fixed part is wanted here.
    fixed = head.ljust(MGHHeader.template_dtype.itemsize, b"\0")
    header: Any = MGHHeader(fixed, check=False)  # type: ignore[no-untyped-call]
    repairs: list[str] = []
    dims = tuple(int(n) for n in np.asarray(header["dims"]))
    shape, volumes = three_dimensions(dims if dims[3] != 1 else dims[:3], repairs)
    code = int(header["type"])
    if code not in DTYPES:
        raise ScanError(
            "unsupported_dtype", f"The data type code {code} cannot be read.", "Write it as float (mri_convert)."
        )
    if int.from_bytes(head[28:30], "big", signed=True) < 1:
        repairs.append("The header holds no orientation; FreeSurfer's default (coronal, 1 mm) was used.")
    with np.errstate(all="ignore"):
        affine = np.asarray(header.get_affine(), dtype=np.float64)
    refuse_unusable(affine)
    return Stored(
        format="mgz",
        dtype=np.dtype(DTYPES[code]),
        full_shape=dims,
        shape=shape,
        volumes=volumes,
        affine=affine,
        file_affine=affine,
        sform=affine,
        qform=None,
        sform_code=1,
        repairs=repairs,
    )
