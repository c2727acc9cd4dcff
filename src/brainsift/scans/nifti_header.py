"""Header of NIfTI-1 and NIfTI-2 (https://nifti.nimh.nih.gov): parsed by nibabel, checked before allocation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from brainsift.scans.errors import ScanError
from brainsift.scans.nifti_affine import place
from brainsift.scans.stored import Stored, three_dimensions

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Header

SIZES = {348: "nifti1", 540: "nifti2"}
MAGIC = {"nifti1": (b"n+1", b"ni1"), "nifti2": (b"n+2", b"ni2")}
MAGIC_AT = {"nifti1": 344, "nifti2": 4}
FIRST_VOXEL = {"nifti1": 352, "nifti2": 544}
"""Header plus the four bytes that announce extensions."""

MAX_EXTENSION_BYTES = 64 << 20
"""Extensions (DICOM headers, CIFTI XML) are a few MB at most."""

GUESSES = (
    (b"\x1f\x8b", "The content was compressed twice.", "Decompress it once (gunzip)."),
    (b"PK\x03\x04", "This is a zip archive.", "Unpack it (unzip)."),
    (b"NRRD", "This is an NRRD image.", "Convert it to NIfTI."),
    (b"\x89HDF", "This is an HDF5 file (perhaps MINC).", "Convert it to NIfTI (mnc2nii)."),
    (b"CDF", "This is a NetCDF file (perhaps MINC).", "Convert it to NIfTI (mnc2nii)."),
    (b"<", "This is a web page or XML text, perhaps a failed download.", "Download the scan again."),
    (b"version https://git-lfs", "This is a Git LFS pointer, not the image.", "Fetch the content (git lfs pull)."),
    (b"/annex/", "This is a git-annex pointer, not the image.", "Fetch the content (datalad get)."),
)


def wrong_magic(head: bytes) -> ScanError:
    """Say what a file that is not NIfTI looks like instead."""
    for start, cause, remedy in GUESSES:
        if head.startswith(start):
            return ScanError("wrong_magic", cause, remedy)
    if head[128:132] == b"DICM":
        return ScanError("wrong_magic", "This is a DICOM file.", "Rename it to .dcm, or convert it (dcm2niix).")
    return ScanError("wrong_magic", "The content is not a NIfTI image.", "Convert or download the scan again.")


def sniff(head: bytes) -> tuple[str, str]:
    """Return (format, byte order ``<`` or ``>``) from the first bytes, at least 348 of them.

    Raises
    ------
    ScanError
        ``wrong_magic``, ``truncated`` for a header cut short, ``analyze`` for the older format without orientation.
    """
    for order in "<>":
        size = int(np.frombuffer(head[:4].ljust(4, b"\0"), dtype=f"{order}i4")[0])
        if size in SIZES:
            break
    else:
        raise wrong_magic(head)
    kind = SIZES[size]
    if len(head) < size:
        raise ScanError("truncated", "The file ends inside the header.", "Copy or convert the scan again.")
    magic = head[MAGIC_AT[kind] : MAGIC_AT[kind] + 3]
    if magic in MAGIC[kind]:
        return kind, order
    if kind == "nifti1" and magic == b"\0\0\0":
        raise ScanError(
            "analyze",
            "This is an Analyze 7.5 image, which does not say which side is left.",
            "Convert it to NIfTI with the orientation that you know, or convert again from DICOM.",
        )
    raise wrong_magic(head)


def parse(head: bytes, paired: bool) -> Stored:
    """Check a NIfTI header and say what the file stores.

    Parameters
    ----------
    head : the first 540 bytes (348 suffice for NIfTI-1).
    paired : voxels lie in a separate ``.img``.

    Raises
    ------
    ScanError
        ``wrong_magic``, ``bad_dimensions``, ``not_3d``, ``colour``, ``complex``, ``unsupported_dtype``, ``bad_header``,
        ``bad_affine``, ``bad_spacing``.
    """
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    kind, order = sniff(head)
    size = next(size for size, name in SIZES.items() if name == kind)
    header_class = Nifti1Header if kind == "nifti1" else Nifti2Header
    header = header_class(head[:size], order, check=False)  # type: ignore[no-untyped-call]
    repairs: list[str] = []
    dims = _dimensions(header)
    shape, volumes = three_dimensions(dims, repairs)
    dtype = _dtype(header, order)
    slope, inter = _scaling(header, repairs)
    where = place(header, shape, repairs)
    return Stored(
        format=kind,
        dtype=dtype,
        full_shape=dims,
        shape=shape,
        volumes=volumes,
        slope=slope,
        inter=inter,
        offset=_offset(header, kind, paired, repairs),
        repairs=repairs,
        **where,
    )


def _dimensions(header: Nifti1Header) -> tuple[int, ...]:
    dim = [int(n) for n in np.asarray(header["dim"])]
    if not 1 <= dim[0] <= 7:
        raise ScanError(
            "bad_dimensions", f"The header declares {dim[0]} dimensions.", "Convert the scan again from DICOM."
        )
    return tuple(dim[1 : dim[0] + 1])


def _dtype(header: Nifti1Header, order: str) -> np.dtype[Any]:
    code = int(header["datatype"])
    if code in (128, 2304):
        raise ScanError(
            "colour", "This is a colour image (RGB), a screenshot or a map.", "Give the original greyscale scan."
        )
    if code in (32, 1792, 2048):
        raise ScanError("complex", "The voxels are complex numbers.", "Write magnitude and phase as two images.")
    plain = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
    if code in plain:
        return np.dtype(order + plain[code])
    raise ScanError(
        "unsupported_dtype", f"The data type code {code} cannot be read here.", "Write the image as int16 or float32."
    )


def _scaling(header: Nifti1Header, repairs: list[str]) -> tuple[float, float]:
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0.0:
        return 1.0, 0.0
    if not np.isfinite(slope) or not np.isfinite(inter):
        repairs.append("The intensity scaling in the header is not a number and was left out.")
        return 1.0, 0.0
    return slope, inter


def _offset(header: Nifti1Header, kind: str, paired: bool, repairs: list[str]) -> int:
    offset = float(header["vox_offset"])
    least = 0 if paired else FIRST_VOXEL[kind]
    if np.isfinite(offset) and offset == 0 and not paired:
        repairs.append(f"vox_offset was 0 and taken as {least}.")
        return least
    if not np.isfinite(offset) or not least <= offset <= least + MAX_EXTENSION_BYTES:
        raise ScanError(
            "bad_header", f"vox_offset is {offset:g}: the voxels cannot begin there.", "Convert the scan again."
        )
    return int(offset)
